//! What judges a value by the official name of its definition: a message by its kind and method, a result by the method that it answers,
//! everything else by the definition.

use mcp_assay_judge::{Note, Schemas, Violation};
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::classify;
use serde_json::Value;

/// What judges: a revision, and the method that a result answers, where that is known.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'m> {
    pub revision: Revision,
    pub method: Option<&'m str>,
}

impl Judge<'_> {
    /// Whether a value breaks no rule.
    pub fn accepts(self, definition: &str, value: &Value) -> bool {
        self.violations(definition, value).is_empty()
    }

    /// What is wrong with a value: as a message or a result of its method, where it is one, else by the definition.
    pub fn violations(self, definition: &str, value: &Value) -> Vec<Violation> {
        let schemas = Schemas::of(self.revision);
        let text = value.to_string();
        let bound = match (definition, self.method) {
            ("ServerResult" | "ClientResult", Some(method)) => {
                schemas.judge_result(method, value, Some(&text)).unwrap()
            }
            (name, asked) if name.starts_with("JSONRPC") => match classify(text.as_bytes()) {
                Ok(message) => schemas.judge_message(&message, Some(&text), asked),
                Err(error) => panic!("{error:?}"),
            },
            _ => Vec::new(),
        };
        if !bound.is_empty() {
            return bound;
        }
        schemas
            .judge_definition(definition, value, Some(&text))
            .unwrap()
    }

    /// What of a value breaks no rule and is still worth a word.
    #[allow(
        dead_code,
        reason = "one of the tests that share this asks for no notes"
    )]
    pub fn notes(self, definition: &str, value: &Value) -> Vec<Note> {
        let schemas = Schemas::of(self.revision);
        let text = value.to_string();
        match classify(text.as_bytes()) {
            Ok(message) if definition.starts_with("JSONRPC") => {
                schemas.notes_on_message(&message, Some(&text), self.method)
            }
            _ => schemas.notes(definition, value, Some(&text)).unwrap(),
        }
    }
}
