//! Messages about which the official schema and the prose disagree: each gets the verdict of the prose, and each doubtful one a note. The
//! list is not ours to ship: `MCP_ASSAY_SHARED` names the folder that has it under `spec/`.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

mod whole;

use mcp_assay_judge::{OfferedSchema, Schemas};
use mcp_assay_model::protocol::Revision;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use whole::Judge;

/// Lines that expect a refusal where the study of the prose says note (row `more-than-100-completion-values`): the bound is in the schema from
/// 2026-07-28 on, before that in a list without a keyword.
const NOTED: [&str; 4] = [
    "2024-11-05/completion-100-values",
    "2025-03-26/completion-100-values",
    "2025-06-18/completion-100-values",
    "2025-11-25/completion-100-values",
];

/// Doubtful lines that break another rule besides, which is mended here: a request of 2026-07-28 carries `_meta`.
const MENDED: [&str; 2] = ["2026-07-28/request-id-1-0", "2026-07-28/unknown-method"];

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    revision: Revision,
    definition: String,
    expected: Expected,
    instance: Value,
    method: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Accept,
    Reject,
    Warn,
}

impl Line {
    /// What comes of it.
    fn verdict(&self) -> Expected {
        let judge = Judge {
            revision: self.revision,
            method: self.method.as_deref(),
        };
        if !judge.accepts(&self.definition, &self.instance) || self.is_refused_in_its_context() {
            Expected::Reject
        } else if judge.notes(&self.definition, &self.instance).is_empty() {
            Expected::Accept
        } else {
            Expected::Warn
        }
    }

    /// Two lines are wrong only beside another message, which they do not have: it is given here.
    fn is_refused_in_its_context(&self) -> bool {
        let schemas = Schemas::of(self.revision);
        match self.id.as_str() {
            "2026-07-28/inputresponses-wrong-result-kind" => {
                let form = json!({ "message": "m", "requestedSchema": { "type": "object", "properties": {} } });
                let requests = json!({ "a": { "method": "elicitation/create", "params": form } });
                let violations = schemas.judge_input_responses(&requests, &self.instance);
                !violations.is_empty()
            }
            "2025-06-18/tool-outputschema-w-structuredcontent-not-matching" => {
                let output = json!({ "type": "object", "required": ["temperature"] });
                let output = OfferedSchema::compile(&output, self.revision).unwrap();
                let violations = output.judge(&self.instance["structuredContent"], None);
                !violations.unwrap().is_empty()
            }
            _ => false,
        }
    }
}

#[test]
fn every_line_gets_the_verdict_of_the_prose() {
    let Some(folder) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("blind spots: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let path = PathBuf::from(folder)
        .join("spec")
        .join("schema-blindspots.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut counts: BTreeMap<(String, Expected), u64> = BTreeMap::new();
    let mut differ = Vec::new();
    for line in text.lines() {
        let mut line: Line = serde_json::from_str(line).unwrap();
        if MENDED.contains(&line.id.as_str()) {
            assert_eq!(line.verdict(), Expected::Reject, "{}", line.id);
            line.instance["params"] = json!({ "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
            } });
        }
        let expected = match line.expected {
            Expected::Reject if NOTED.contains(&line.id.as_str()) => Expected::Warn,
            expected => expected,
        };
        *counts
            .entry((line.revision.to_string(), expected))
            .or_default() += 1;
        let verdict = line.verdict();
        if verdict != expected {
            differ.push(format!("{}: {verdict:?}, not {expected:?}", line.id));
        }
    }
    for ((revision, expected), count) in counts {
        eprintln!("{revision}: {count} blind spots, {expected:?}");
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}
