//! What must hold whether or not the official files are at hand: messages of our own, each with the verdict that the prose gives it, and the
//! place that is told.

#![expect(
    clippy::unwrap_used,
    reason = "the corpus is checked by the unwrapping; a panic is a failed test"
)]

mod whole;

use mcp_assay_model::protocol::Revision;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use whole::Judge;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    revision: Revision,
    definition: String,
    method: Option<String>,
    expected: Expected,
    /// Pointer of what is refused or noted.
    at: Option<String>,
    instance: Value,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Expected {
    Accept,
    Reject,
    Warn,
}

impl Line {
    /// What comes of it, and where.
    fn verdict(&self) -> (Expected, Vec<String>) {
        let judge = Judge {
            revision: self.revision,
            method: self.method.as_deref(),
        };
        if !judge.accepts(&self.definition, &self.instance) {
            let violations = judge.violations(&self.definition, &self.instance);
            let places = violations.into_iter().map(|one| one.pointer);
            return (Expected::Reject, places.collect());
        }
        let notes = judge.notes(&self.definition, &self.instance);
        let verdict = match notes.is_empty() {
            true => Expected::Accept,
            false => Expected::Warn,
        };
        (
            verdict,
            notes.into_iter().map(|note| note.pointer).collect(),
        )
    }
}

#[test]
fn every_message_gets_its_verdict_at_its_place() {
    let mut ids = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in include_str!("corpus.jsonl").lines() {
        let line: Line = serde_json::from_str(line).unwrap();
        assert!(ids.insert(line.id.clone()), "{} is there twice", line.id);
        let (verdict, places) = line.verdict();
        if verdict != line.expected {
            wrong.push(format!("{}: {verdict:?} at {places:?}", line.id));
        } else if let Some(at) = &line.at
            && !places.contains(at)
        {
            wrong.push(format!("{}: at {places:?}, not at {at}", line.id));
        }
    }
    assert!(ids.len() > 150, "{} lines", ids.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
