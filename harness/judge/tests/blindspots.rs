//! Messages about which the official schema and the prose disagree: nothing that the prose accepts may be refused here, and how many of
//! the others are seen is printed. The list is not ours to ship: `MCP_ASSAY_SHARED` names the folder that has it under `spec/`.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

mod whole;

use mcp_assay_model::protocol::Revision;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use whole::Judge;

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    revision: Revision,
    definition: String,
    expected: String,
    instance: Value,
    method: Option<String>,
}

impl Line {
    fn is_accepted(&self) -> bool {
        let judge = Judge {
            revision: self.revision,
            method: self.method.as_deref(),
        };
        judge.accepts(&self.definition, &self.instance)
    }
}

#[test]
fn what_the_prose_accepts_is_accepted() {
    let Some(folder) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("blind spots: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let path = PathBuf::from(folder)
        .join("spec")
        .join("schema-blindspots.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Line>(line).unwrap());
    let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    let mut wrongly_refused = Vec::new();
    for line in lines {
        let is_accepted = line.is_accepted();
        let expected = match line.expected.as_str() {
            "accept" => "accept",
            "reject" => "reject",
            _ => "warn",
        };
        // A warning is not a matter of validity: either will do.
        let agrees = expected == "warn" || is_accepted == (expected == "accept");
        *counts.entry((expected, agrees)).or_default() += 1;
        if !agrees && expected == "accept" {
            wrongly_refused.push(line.id);
        } else if !agrees {
            eprintln!("not seen yet: {}", line.id);
        }
    }
    for ((expected, agrees), count) in counts {
        let verdict = if agrees { "agree" } else { "differ" };
        eprintln!("blind spots, expected {expected}: {count} {verdict}");
    }
    assert_eq!(wrongly_refused, Vec::<String>::new());
}
