//! Schema documents, one per revision, put together from what each revision changed.

use crate::messages;
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// Revisions with a schema document, oldest first.
pub const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// Deviations from the official schemas, each with its reason: JSON text.
pub const DEVIATIONS: &str = include_str!("../deviations.json");

const SOURCES: [&str; REVISIONS.len()] = [
    include_str!("../2024-11-05/schema.json"),
    include_str!("../2025-03-26/schema.json"),
    include_str!("../2025-06-18/schema.json"),
    include_str!("../2025-11-25/schema.json"),
    include_str!("../2026-07-28/schema.json"),
];

/// The JSON Schema document of a revision, whole; `None` where we have none.
///
/// **Shape**: JSON text, 2020-12, `$id` is `mcp-assay:REVISION`, all references within the document, definitions under `$defs`.
pub fn document(revision: &str) -> Option<&'static str> {
    static DOCUMENTS: OnceLock<[String; REVISIONS.len()]> = OnceLock::new();
    let index = REVISIONS.iter().position(|&known| known == revision)?;
    Some(&DOCUMENTS.get_or_init(assemble)[index])
}

fn assemble() -> [String; REVISIONS.len()] {
    let mut definitions = Map::new();
    let mut revisions = REVISIONS.into_iter();
    SOURCES.map(|source| {
        let revision = revisions.next().expect("a source is of a revision");
        let mut document = read(source);
        document.remove("extends");
        let Some(Value::Object(changes)) = document.remove("$defs") else {
            panic!("every schema document has definitions");
        };
        for (name, definition) in changes {
            if definition.is_null() {
                definitions.remove(&name);
            } else {
                definitions.insert(name, definition);
            }
        }
        let mut whole = definitions.clone();
        for (name, definition) in messages::definitions(revision) {
            let before = whole.insert(name.clone(), definition);
            assert!(before.is_none(), "{revision} has {name} twice");
        }
        document.insert("$defs".to_owned(), Value::Object(whole));
        Value::Object(document).to_string()
    })
}

fn read(source: &str) -> Map<String, Value> {
    serde_json::from_str(source).expect("the embedded documents are JSON objects, as a test shows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn definitions(revision: &str) -> Map<String, Value> {
        let mut document = read(document(revision).unwrap());
        match document.remove("$defs") {
            Some(Value::Object(definitions)) => definitions,
            other => panic!("{other:?}"),
        }
    }

    fn references(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(target)) => into.extend([target.clone()]),
                        _ => references(value, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, into)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn each_document_extends_the_one_before() {
        let mut before = None;
        for (revision, source) in REVISIONS.into_iter().zip(SOURCES) {
            let document = read(source);
            let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
            assert_eq!(text("$id"), Some(format!("mcp-assay:{revision}")));
            assert_eq!(text("extends"), before, "{revision}");
            before = Some(revision.to_owned());
        }
    }

    #[test]
    fn every_reference_names_a_definition_of_its_own_document() {
        for revision in REVISIONS {
            let definitions = definitions(revision);
            let mut targets = BTreeSet::new();
            definitions
                .values()
                .for_each(|definition| references(definition, &mut targets));
            for target in targets {
                let name = target
                    .strip_prefix("#/$defs/")
                    .unwrap_or_else(|| panic!("{target}"));
                assert!(definitions.contains_key(name), "{revision} {name}");
            }
        }
    }

    #[test]
    fn a_change_replaces_and_a_removal_removes_something() {
        let mut known: Map<String, Value> = Map::new();
        for (revision, source) in REVISIONS.into_iter().zip(SOURCES) {
            let Some(Value::Object(changes)) = read(source).remove("$defs") else {
                panic!("{revision}");
            };
            for (name, definition) in changes {
                if definition.is_null() {
                    assert!(
                        known.remove(&name).is_some(),
                        "{revision} removes {name}, which is not there"
                    );
                } else {
                    let before = known.insert(name.clone(), definition.clone());
                    assert_ne!(before, Some(definition), "{revision} repeats {name}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_revision_has_no_document() {
        assert!(document("2023-01-01").is_none());
    }
}
