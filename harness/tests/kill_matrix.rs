//! The kill matrix is golden: a file an area, a line a mutant. `BLESS=1` writes it; `ONLY=text` proves only ids that contain the text.

use mcp_assay::closed::lint_context;
use mcp_assay::prove::{matrix, reference};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::lint::lint;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::verdict::Verdict;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::embedded().unwrap_or_else(|broken| panic!("{}", broken.render(false))))
}

fn golden() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../golden/matrix")
}

#[test]
fn the_embedded_cards_pass_the_linter() {
    if let Err(broken) = lint(&catalogue(), &lint_context()) {
        panic!("{}", broken.render(false));
    }
}

#[test]
fn the_reference_server_passes_every_check() {
    let all = [Binding::Memory, Binding::Http, Binding::HttpSse].map(reference_over);
    eprintln!("reference: {all:?} results passed over lines, HTTP and HTTP+SSE");
}

/// How many results pass; none may come to anything else.
fn reference_over(binding: Binding) -> u64 {
    let mut judged = 0;
    for result in reference(&catalogue(), binding) {
        assert!(
            matches!(result.verdict, Some(Verdict::Pass) | None),
            "{} in {} comes to {:?} ({:?}): {:#?}",
            result.id,
            result.case,
            result.verdict,
            result.reason,
            result.findings
        );
        judged += u64::from(result.verdict == Some(Verdict::Pass));
    }
    assert!(
        judged > 300,
        "only {judged} results passed over {binding}: the reference run looked at too little"
    );
    judged
}

#[test]
fn every_mutant_is_killed_and_every_near_miss_passes() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let matrix = matrix(&catalogue(), &only, 2);
    let areas = matrix.by_area();
    let problems = matrix.problems();
    let tally = matrix.tally(&catalogue());
    eprintln!(
        "kill matrix: {} checks and {} rules; {:?}; {} sweeps, {} conversations",
        tally.checks, tally.rules, tally.claims, matrix.sweeps, matrix.conversations
    );
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    if !only.is_empty() {
        return;
    }
    assert!(tally.unproven.is_empty(), "\n{}", tally.unproven.join("\n"));
    let folder = golden();
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (area, text) in &areas {
            fs::write(folder.join(format!("{area}.txt")), text).unwrap();
        }
        return;
    }
    let on_disk: BTreeMap<String, String> = fs::read_dir(&folder)
        .unwrap_or_else(|error| {
            panic!("golden/matrix cannot be read ({error}); write it with BLESS=1")
        })
        .map(|file| {
            let path = file.unwrap().path();
            let area = path.file_stem().unwrap().to_string_lossy().into_owned();
            (area, fs::read_to_string(path).unwrap())
        })
        .collect();
    for (area, text) in &areas {
        assert_eq!(
            on_disk.get(area),
            Some(text),
            "golden/matrix/{area}.txt is not what the matrix shows; review, then BLESS=1"
        );
    }
    assert_eq!(
        on_disk.keys().collect::<Vec<_>>(),
        areas.keys().collect::<Vec<_>>(),
        "areas on disk and in the matrix"
    );
}
