//! What a broken file looks like on a terminal: each `golden/diagnostics/KIND-NAME.yaml` gives the text of `KIND-NAME.txt`.
//!
//! KIND is `yaml` or `card` (read alone), `lint` (read and linted), `profile`, `baseline`. `BLESS=1` writes the texts anew.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are no test functions to clippy"
)]

use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_catalogue::lint::{LintContext, NativeStep, lint};
use mcp_assay_catalogue::profile::{Known, Profile};
use mcp_assay_catalogue::{Catalogue, Diagnostics, baseline, card};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/diagnostics")
}

fn names() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn context() -> LintContext {
    LintContext {
        natives: vec![NativeStep {
            name: "walk".to_owned(),
            parameters: set(&["list"]),
            labels: BTreeSet::new(),
        }],
        judges: set(&["walk-ends"]),
        faults: set(&["ignores-cancel"]),
        definitions: BTreeMap::from([(Revision::R2025_11_25, set(&["CallToolResult", "Tool"]))]),
        observers: set(&["observer/subscriptions/tag"]),
    }
}

fn check_ids() -> BTreeSet<String> {
    set(&[
        "errors/unknown-method/is-error",
        "errors/unknown-method/alive",
    ])
}

fn judge(name: &str, text: String) -> Result<(), Diagnostics> {
    let source = Source {
        path: format!("{name}.yaml"),
        text,
    };
    match name.split_once('-').unwrap().0 {
        "yaml" | "card" => card::parse(&Arc::new(source)).map(drop),
        "lint" => lint(&Catalogue::of([source])?, &context()),
        "profile" => {
            let facts = FactTable::embedded()?;
            let checks = check_ids();
            let known = Known {
                fixtures: facts.fixtures(),
                checks: &checks,
            };
            let profile = Profile::parse(&Arc::new(source), &known)?;
            let environment = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
            profile.target("mine", &environment).map(drop)
        }
        "baseline" => baseline::parse(&Arc::new(source), &check_ids()).map(drop),
        kind => panic!("{name}: what is `{kind}`?"),
    }
}

#[test]
fn broken_files_are_explained_as_reviewed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for name in names() {
        let text = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
        let errors = judge(&name, text).expect_err(&name);
        assert_eq!(
            errors.render(true).matches("error").count(),
            errors.render(false).matches("error").count()
        );
        let shown = format!("{}\n", errors.render(false));
        let golden = folder().join(format!("{name}.txt"));
        if bless {
            fs::write(&golden, &shown).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != shown {
            wrong.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "not as reviewed:\n{}", wrong.join("\n"));
}

#[test]
fn every_text_has_its_input() {
    let names = names();
    assert!(names.len() >= 30, "{}", names.len());
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            assert!(
                names.contains(path.file_stem().unwrap().to_str().unwrap()),
                "{}",
                path.display()
            );
        }
    }
}
