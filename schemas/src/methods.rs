//! Which method carries what, per revision.

use crate::REVISIONS;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::OnceLock;

/// One method, for a range of revisions.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its name on the wire.
    pub method: String,
    /// Definition of the whole message.
    pub definition: String,
    /// Who sends it.
    pub from: Sender,
    /// Definition of its params.
    pub params: String,
    /// Whether absent params are wrong.
    #[serde(default)]
    pub params_required: bool,
    /// Definitions of its result, the plain one first, one of which holds; empty for a notification.
    #[serde(default)]
    pub results: Vec<String>,
    /// Whether it travels within an `InputRequiredResult` only, and its result within `inputResponses`.
    #[serde(default)]
    pub is_input: bool,
    /// The revision that deprecated it, where one did.
    pub deprecated: Option<String>,
    /// Capability that must have been declared before it is sent.
    pub capability: Option<Capability>,
    /// First revision.
    pub since: String,
    /// Last revision, inclusive.
    pub until: String,
}

impl Method {
    /// Whether it is a notification.
    pub fn is_notification(&self) -> bool {
        self.results.is_empty()
    }

    /// The revision that deprecated it, where that is this one or an earlier one.
    pub fn deprecated_in(&self, revision: &str) -> Option<&str> {
        self.deprecated
            .as_deref()
            .filter(|since| *since <= revision)
    }

    /// Whether it exists in a revision, given as its date.
    pub fn is_in(&self, revision: &str) -> bool {
        self.since.as_str() <= revision && revision <= self.until.as_str()
    }
}

/// Who may send a method.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Either.
    Both,
}

/// A capability that gates a method.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Who declares it.
    pub of: Declarer,
    /// Path within the declared capabilities: `tools.listChanged`.
    pub path: String,
}

/// Who declares a capability.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Declarer {
    /// The client.
    Client,
    /// The server.
    Server,
    /// Whoever receives the message.
    Receiver,
}

/// The methods of a revision, in order of name; none for a revision we do not know.
pub fn methods(revision: &str) -> impl Iterator<Item = &'static Method> + use<> {
    static TABLE: OnceLock<Vec<Method>> = OnceLock::new();
    let revision = revision.to_owned();
    TABLE
        .get_or_init(|| {
            let table: Table = serde_json::from_str(include_str!("../methods.json"))
                .expect("the embedded table has this shape, as a test shows");
            table.methods
        })
        .iter()
        .filter(move |method| method.is_in(&revision))
}

/// A method of a revision by its name; none of a revision that has no document.
pub fn method(revision: &str, name: &str) -> Option<&'static Method> {
    static TABLES: OnceLock<[HashMap<&'static str, &'static Method>; REVISIONS.len()]> =
        OnceLock::new();
    let index = REVISIONS.iter().position(|&known| known == revision)?;
    let by_name = |revision| {
        let all = methods(revision);
        all.map(|method| (method.method.as_str(), method)).collect()
    };
    let tables = TABLES.get_or_init(|| REVISIONS.map(by_name));
    tables[index].get(name).copied()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "$comment")]
    _comment: String,
    methods: Vec<Method>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;

    #[test]
    fn a_method_is_found_by_its_name_in_its_revision() {
        for revision in REVISIONS {
            for known in methods(revision) {
                let named = methods(revision).filter(|other| other.method == known.method);
                assert_eq!(named.count(), 1, "{revision} {}", known.method);
                assert_eq!(method(revision, &known.method), Some(known));
            }
            assert_eq!(method(revision, "no/such"), None);
        }
        assert_eq!(method("2023-01-01", "initialize"), None);
    }

    #[test]
    fn every_method_names_definitions_of_its_revision() {
        for revision in REVISIONS {
            let document: serde_json::Value =
                serde_json::from_str(document(revision).unwrap()).unwrap();
            for method in methods(revision) {
                for name in method
                    .results
                    .iter()
                    .chain([&method.params, &method.definition])
                {
                    assert!(document["$defs"].get(name).is_some(), "{revision} {name}");
                }
                assert_eq!(
                    method.is_notification(),
                    method.method.starts_with("notifications/")
                );
            }
        }
    }

    #[test]
    fn methods_are_sorted_and_each_is_there_once_in_a_revision() {
        for (revision, count) in REVISIONS.into_iter().zip([24, 24, 25, 31, 21]) {
            let names: Vec<_> = methods(revision).map(|method| &method.method).collect();
            assert!(names.is_sorted_by(|a, b| a < b), "{revision} {names:?}");
            assert_eq!(names.len(), count, "{revision}");
        }
    }

    #[test]
    fn an_unknown_revision_has_no_methods() {
        assert_eq!(methods("2023-01-01").count(), 0);
    }
}
