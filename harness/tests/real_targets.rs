//! Real servers that nobody here wrote are the judge: every Fail on them is a known finding, read against the text, or a bug of ours.
//! A finding of the list whose results all pass is no longer true, and leaves the list.
//!
//! `MCP_ASSAY_TARGETS` names a folder with the servers installed, `MCP_ASSAY_SHARED` the folder that lists them; without both the test
//! says that it did not look. `ci/real-targets` installs them.

#![expect(
    clippy::unwrap_used,
    reason = "a panic in a helper of a test is a failed test"
)]

use mcp_assay_catalogue::yaml::{self, Node};
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_judge::observer::{Rule, rules};
use mcp_assay_model::scenario::Source;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Servers of the list that every change is run on, and what `--revision` says: each revision over HTTP, where one process serves all cases;
/// over stdio one era where processes are slow to start. Those that take longest come first, so that no thread is left with one at the end.
const TARGETS: &[(&str, &str)] = &[
    ("everything-2026-http", "all"),
    ("time", "2026-07-28"),
    ("everything-2026", "auto"),
    ("git", "2025-11-25"),
    ("echo-mcp-http", "all"),
    ("sdk1-streamable", "all"),
    ("ts-v2-wrap", "2026-07-28"),
    ("kubernetes", "auto"),
    ("filesystem", "auto"),
    ("py-everything-http", "all"),
    ("fastmcp-echo-http", "all"),
    ("context7-http", "all"),
    ("py-story-mrtr-http", "all"),
    ("py-story-subscriptions-http", "all"),
    ("ts-v2-wrap-http", "all"),
    ("sdk1-stateless", "all"),
    ("sdk1-json-response", "all"),
    ("echo-mcp", "auto"),
];

/// Servers that take minutes to build or to run: run on only where `MCP_ASSAY_SLOW_TARGETS` is set.
const SLOW_TARGETS: &[(&str, &str)] = &[
    ("context7", "all"),
    ("fastmcp-echo", "all"),
    ("git", "2026-07-28"),
    ("kubernetes", "all"),
    ("pmcp-v2-mrtr-http", "all"),
    ("rust-mcp-sdk-hello", "all"),
    ("time", "2025-11-25"),
];

/// One line of golden/findings.yaml, for one revision.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Known {
    target: String,
    check: String,
    revision: String,
    /// Whether the sentence is of this revision: that of the newest which the entry names.
    is_newest: bool,
    sentence: String,
    reading: String,
    /// Whether it hangs on which of two threads of the target is first, so that a run may not show it.
    is_race: bool,
}

fn known() -> Vec<Known> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/findings.yaml");
    let text = fs::read_to_string(&path).expect("golden/findings.yaml is there");
    let source = Arc::new(Source {
        path: "golden/findings.yaml".to_owned(),
        text,
    });
    let root = yaml::parse(&source).unwrap_or_else(|broken| panic!("{}", broken.render(false)));
    let yaml::Value::Sequence(items) = root.value else {
        panic!("golden/findings.yaml is a sequence")
    };
    items.iter().flat_map(read).collect()
}

/// One finding for each revision that the entry names.
fn read(item: &Node) -> Vec<Known> {
    let yaml::Value::Mapping(members) = &item.value else {
        panic!("each finding is a mapping")
    };
    let text = |name: &str| {
        let member = members.iter().find(|entry| entry.key == name);
        let member = member.unwrap_or_else(|| panic!("a finding lacks `{name}`: {members:?}"));
        member
            .value
            .text()
            .unwrap_or_else(|| panic!("`{name}` is text"))
            .to_owned()
    };
    let race = members.iter().find(|entry| entry.key == "race");
    let is_race = race.is_some();
    assert_eq!(
        members.len(),
        5 + usize::from(is_race),
        "a finding has target, check, revision or revisions, sentence, reading, and `race: true` if it is one: {members:?}"
    );
    let several = members.iter().find(|entry| entry.key == "revisions");
    let revisions = match several.map(|entry| &entry.value.value) {
        Some(yaml::Value::Sequence(items)) => {
            let text = |item: &Node| item.text().expect("a revision is text").to_owned();
            items.iter().map(text).collect()
        }
        Some(other) => panic!("`revisions` is a list: {other:?}"),
        None => vec![text("revision")],
    };
    let newest = revisions
        .iter()
        .max()
        .expect("a finding has a revision")
        .clone();
    let known = revisions.into_iter().map(|revision| Known {
        target: text("target"),
        check: text("check"),
        is_newest: revision == newest,
        revision,
        sentence: text("sentence"),
        reading: text("reading"),
        is_race,
    });
    known.collect()
}

#[test]
fn every_known_finding_names_a_check_and_a_sentence_that_it_rests_on() {
    let catalogue =
        Catalogue::embedded().unwrap_or_else(|broken| panic!("{}", broken.render(false)));
    let findings = known();
    assert!(!findings.is_empty());
    let mut seen = BTreeSet::new();
    for finding in &findings {
        assert!(
            seen.insert((&finding.target, &finding.check, &finding.revision)),
            "twice: {finding:?}"
        );
        assert!(finding.reading.len() > 20, "no reading: {finding:?}");
        let revision = finding.revision.parse().unwrap();
        if finding.sentence == "robustness" {
            let check = catalogue.check(&finding.check);
            let is_rule = |(name, rule): (&str, Rule)| {
                rule.cites.is_empty() && finding.check == format!("observer/{name}/{}", rule.id)
            };
            let built_in = finding.check.ends_with("/alive") || rules().any(is_rule);
            assert!(
                built_in || check.is_some_and(|(_, check)| check.cites.is_empty()),
                "{finding:?}"
            );
            continue;
        }
        if !finding.is_newest {
            continue;
        }
        let row = catalogue.requirements().of(revision).get(&finding.sentence);
        assert!(row.is_some(), "no such sentence: {finding:?}");
        let Some((card, check)) = catalogue.check(&finding.check) else {
            assert!(
                finding.check.starts_with("observer/"),
                "no such check: {finding:?}"
            );
            continue;
        };
        let cited = catalogue
            .level_of(check, revision)
            .map(|(_, rows)| rows)
            .unwrap_or_default();
        assert!(
            cited.iter().any(|row| row.id == finding.sentence),
            "{} does not cite {}",
            check_id(card, check),
            finding.sentence
        );
    }
}

#[test]
fn real_servers_show_known_findings_and_no_others() {
    let folders = (
        std::env::var_os("MCP_ASSAY_TARGETS"),
        std::env::var_os("MCP_ASSAY_SHARED"),
    );
    let (Some(installed), Some(shared)) = folders else {
        eprintln!("did not look: MCP_ASSAY_TARGETS and MCP_ASSAY_SHARED are not set");
        return;
    };
    let (installed, shared) = (PathBuf::from(installed), PathBuf::from(shared));
    let listed =
        fs::read_to_string(shared.join("targets/targets.json")).expect("the list of targets");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let known = known();
    let mut problems = String::new();
    let slow: &[(&str, &str)] = match std::env::var_os("MCP_ASSAY_SLOW_TARGETS") {
        Some(_) => SLOW_TARGETS,
        None => {
            eprintln!("did not look at {SLOW_TARGETS:?}: MCP_ASSAY_SLOW_TARGETS is not set");
            &[]
        }
    };
    let wanted: Vec<&(&str, &str)> = TARGETS.iter().chain(slow).collect();
    let listed = listed["targets"].as_array().unwrap();
    for ((id, _), report) in wanted.iter().zip(run_all(&wanted, listed, &installed)) {
        let mut seen = BTreeSet::new();
        // Stale as a baseline is: only where all its results passed; inconclusive says nothing.
        let mut open = BTreeSet::new();
        for result in report["results"].as_array().unwrap() {
            let check = result["id"].as_str().unwrap();
            let revision = result["case"]
                .as_str()
                .unwrap()
                .split(['@', '+'])
                .nth(1)
                .unwrap();
            match result["verdict"].as_str() {
                Some("fail") => {
                    seen.insert((check.to_owned(), revision.to_owned()));
                    let is_known = known.iter().any(|known| {
                        known.target == *id && known.check == check && known.revision == revision
                    });
                    if !is_known {
                        problems.push_str(&format!(
                            "{id}: new: {} {}\n",
                            result["case"], result["findings"]
                        ));
                    }
                }
                Some("error") => {
                    problems.push_str(&format!("{id}: bug: {check} {}\n", result["findings"]))
                }
                Some("pass") => {}
                _ => {
                    open.insert((check.to_owned(), revision.to_owned()));
                }
            }
        }
        let passes = report["summary"]["pass"].as_u64().unwrap();
        eprintln!(
            "{id}: {passes} passes, {} known findings, {} ms",
            seen.len(),
            report["duration_ms"]
        );
        assert!(
            passes > 50,
            "{id}: only {passes} passes: the run looked at too little"
        );
        let tested = report["target"]["tested"].as_array().unwrap();
        let is_tested = |known: &&Known| tested.iter().any(|it| *it == known.revision.as_str());
        let of_target = known.iter().filter(|known| known.target == *id);
        for known in of_target.filter(is_tested).filter(|known| !known.is_race) {
            let key = (known.check.clone(), known.revision.clone());
            if !seen.contains(&key) && !open.contains(&key) {
                problems.push_str(&format!(
                    "{id}: no longer seen: {} in {}\n",
                    known.check, known.revision
                ));
            }
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

/// Runs on each target, three at a time: more than half of a run is waiting for the target.
fn run_all(wanted: &[&(&str, &str)], listed: &[Value], installed: &Path) -> Vec<Value> {
    let reports: Vec<OnceLock<Value>> = wanted.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((id, revision)) = wanted.get(index) else {
                        return;
                    };
                    let target = listed.iter().find(|target| target["id"] == *id);
                    let target = target.unwrap_or_else(|| panic!("the list has no target `{id}`"));
                    let report = run(target, revision, installed);
                    reports[index].set(report).expect("each index comes once");
                }
            });
        }
    });
    let reports = reports.into_iter().map(OnceLock::into_inner);
    reports
        .map(|report| report.expect("each was run"))
        .collect()
}

fn run(target: &Value, revision: &str, installed: &Path) -> Value {
    let work = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let fill = |word: &Value| {
        let word = word.as_str().unwrap();
        word.replace("{dir}", &installed.to_string_lossy())
            .replace("{work}", &work.path().to_string_lossy())
            .replace("{port}", &port)
    };
    for command in target["prepare"].as_array().into_iter().flatten() {
        let words: Vec<String> = command.as_array().unwrap().iter().map(fill).collect();
        let status = Command::new(&words[0]).args(&words[1..]).status().unwrap();
        assert!(status.success(), "{words:?}");
    }
    let report = work.path().join("mcp-assay.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-assay"));
    command
        .current_dir(work.path())
        .args(["run", "--quiet", "--report"])
        .arg(format!("json={}", report.display()))
        .args(["--revision", revision]);
    if target["transport"] == "http" {
        command.arg(fill(&target["url"]));
    }
    for (name, value) in target["env"].as_object().into_iter().flatten() {
        command.arg("--env").arg(format!("{name}={}", fill(value)));
    }
    if target["cwd"].is_string() {
        command.arg("--cwd").arg(fill(&target["cwd"]));
    }
    let output = command
        .arg("--")
        .args(target["command"].as_array().unwrap().iter().map(fill))
        .output()
        .unwrap();
    let text = fs::read_to_string(&report).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!(
            "{}: no report ({error}): {}",
            target["id"],
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// A port that nobody listens on at the moment: the servers take theirs as an argument.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
