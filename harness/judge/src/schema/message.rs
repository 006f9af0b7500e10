//! Whole messages: classified by their keys, then judged by the one definition that their method binds.
//!
//! ```text
//! request, notification -> definition of the method, else of any such message
//! result response       -> envelope, then the result by the method that was asked for
//! error response        -> envelope
//! batch                 -> each message, where the revision has batches
//! ```

use super::notes::{Note, Notes};
use super::{Schemas, Violation};
use crate::place::Place;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::Revision;
use mcp_assay_schemas::{Method, method, methods};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use mcp_assay_wire::raw;
use serde_json::Value;

/// Envelopes that have had several names.
pub(super) const RESULT: [&str; 2] = ["JSONRPCResultResponse", "JSONRPCResponse"];
pub(super) const ERROR: [&str; 2] = ["JSONRPCErrorResponse", "JSONRPCError"];

impl Schemas {
    /// Judges a whole message; `raw` is its text, `asked` the method of the request that a response answers, where it is known.
    pub fn judge_message(
        &self,
        message: &Message,
        raw: Option<&str>,
        asked: Option<&str>,
    ) -> Vec<Violation> {
        let value = &message.value;
        let judge = |name: &str| {
            self.judge_definition(name, value, raw)
                .expect("every revision has the definitions that its methods and messages name")
        };
        match message.kind {
            Kind::Request | Kind::Notification => {
                let is_notification = message.kind == Kind::Notification;
                match message.method.as_deref().and_then(|name| self.method(name)) {
                    Some(method) if method.is_notification() != is_notification => {
                        vec![other_kind(method)]
                    }
                    Some(method) if method.is_input => vec![within_a_result(method)],
                    Some(method) => judge(&method.definition),
                    None if is_notification => judge("JSONRPCNotification"),
                    None => judge("JSONRPCRequest"),
                }
            }
            Kind::Result => {
                let mut violations = judge(either(self.result));
                let is_whole = violations.is_empty();
                if let (Some(result), Some(asked), true) = (value.member("result"), asked, is_whole)
                    && !self.is_result(asked, result)
                {
                    // The text is for words: it is looked for only where there are some.
                    let raw = raw.and_then(|raw| raw::at(raw, "/result"));
                    let of_result = self.result_of(asked, result, raw);
                    violations.extend(
                        of_result
                            .into_iter()
                            .map(|violation| violation.below("/result")),
                    );
                }
                violations
            }
            Kind::Error => judge(either(self.error)),
            Kind::Batch if !self.has("JSONRPCBatchRequest") => vec![alone(
                "the message is a batch, which this revision does not have".to_owned(),
                "a single message",
            )],
            Kind::Batch => {
                let requests = message.batch.iter().filter(|item| item.method.is_some());
                let definition = match requests.count() {
                    0 => "JSONRPCBatchResponse",
                    _ => "JSONRPCBatchRequest",
                };
                // A batch of both kinds is contested (`batches-2025-03-26`): each message is judged alone.
                let is_mixed = message.batch.iter().any(|item| item.method.is_none())
                    && definition == "JSONRPCBatchRequest";
                let mut violations = if is_mixed {
                    Vec::new()
                } else {
                    judge(definition)
                };
                if violations.is_empty() {
                    for (index, item) in message.batch.iter().enumerate() {
                        let place = format!("/{index}");
                        let raw = raw.and_then(|raw| raw::at(raw, &place));
                        let of_item = self.judge_message(item, raw, None);
                        violations.extend(of_item.into_iter().map(|one| one.below(&place)));
                    }
                }
                violations
            }
            Kind::Malformed(why) => vec![alone(
                format!("the message is no JSON-RPC message: {}", why.reason()),
                "a request, a notification or a response",
            )],
        }
    }

    /// Notes on a whole message, as [`judge_message`](Self::judge_message) reads it.
    pub fn notes_on_message(
        &self,
        message: &Message,
        raw: Option<&str>,
        asked: Option<&str>,
    ) -> Vec<Note> {
        let value = &message.value;
        let named = message.method.as_deref();
        let method = named.and_then(|name| self.method(name));
        let definition = match message.kind {
            Kind::Request => method.map_or("JSONRPCRequest", |method| &method.definition),
            Kind::Notification => method.map_or("JSONRPCNotification", |method| &method.definition),
            Kind::Result => either(self.result),
            Kind::Error => either(self.error),
            Kind::Batch | Kind::Malformed(_) => return Vec::new(),
        };
        let mut notes = self
            .notes(definition, value, raw)
            .expect("every revision has the definitions that its methods and messages name");
        if let Some(method) = method
            && let Some(since) = self.deprecated(method)
        {
            let mut old = Notes::new(value, raw);
            old.deprecated(&method.method, since, "/method");
            notes.extend(old.into_notes());
        }
        if let (Some(name), None) = (named, method) {
            let mut unknown = Notes::new(value, raw);
            let known = methods(self.revision.as_str()).map(|known| known.method.as_str());
            unknown.unknown_method(name, known);
            notes.extend(unknown.into_notes());
        }
        if let (Kind::Result, Some(method)) =
            (message.kind, asked.and_then(|asked| self.method(asked)))
            && let Some(result) = value.get("result")
        {
            let raw = raw.and_then(|raw| raw::at(raw, "/result"));
            let meant = self.result_meant(method, result);
            let of_result = meant.and_then(|name| self.notes(name, result, raw).ok());
            let asked_for = self.deprecated_inputs(result, raw);
            for mut note in of_result.into_iter().flatten().chain(asked_for) {
                note.pointer.insert_str(0, "/result");
                notes.push(note);
            }
        }
        notes
    }

    /// Notes on the requests for input of a result, whose methods are deprecated.
    fn deprecated_inputs(&self, result: &Value, raw: Option<&str>) -> Vec<Note> {
        let mut notes = Notes::new(result, raw);
        let requests = result.get("inputRequests").and_then(Value::as_object);
        for (key, request) in requests.into_iter().flatten() {
            let named = request.get("method").and_then(Value::as_str);
            let method = named.and_then(|name| self.method(name));
            if let Some(method) = method
                && let Some(since) = self.deprecated(method)
            {
                let key = key.replace('~', "~0").replace('/', "~1");
                notes.deprecated(
                    &method.method,
                    since,
                    &format!("/inputRequests/{key}/method"),
                );
            }
        }
        notes.into_notes()
    }

    fn deprecated(&self, method: &'static Method) -> Option<&'static str> {
        method.deprecated_in(self.revision.as_str())
    }

    /// Judges what a client answers to the requests for input of a result, each answer by the request of its key; an answer to nothing is no
    /// matter of these.
    pub fn judge_input_responses(&self, requests: &Value, responses: &Value) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (key, response) in responses.as_object().into_iter().flatten() {
            let request = requests.get(key).and_then(|request| request.get("method"));
            let Some(method) = request.and_then(Value::as_str) else {
                continue;
            };
            let place = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
            let judged = self
                .judge_result(method, response, None)
                .unwrap_or_default();
            violations.extend(judged.into_iter().map(|one| one.below(&place)));
        }
        violations
    }

    fn result_of(&self, asked: &str, result: &Value, raw: Option<&str>) -> Vec<Violation> {
        if let Ok(violations) = self.judge_result(asked, result, raw) {
            return violations;
        }
        let is_of_another = |revision: &Revision| method(revision.as_str(), asked).is_some();
        if !Revision::ALL.iter().any(is_of_another) {
            return Vec::new();
        }
        let revision = self.revision;
        vec![alone(
            format!("`{asked}` is no request of {revision}, and got a result"),
            "an error",
        )]
    }

    /// The definition that a result means, of those that its method has.
    fn result_meant(&self, method: &'static Method, result: &Value) -> Option<&'static str> {
        let said = result.get("resultType").and_then(Value::as_str);
        let is_interim = said == Some("input_required");
        let mut results = method.results.iter().map(String::as_str);
        results.find(|name| (*name == "InputRequiredResult") == is_interim)
    }

    fn method(&self, name: &str) -> Option<&'static Method> {
        method(self.revision.as_str(), name)
    }
}

fn either(known: Option<&'static str>) -> &'static str {
    known.expect("every revision has one of the names")
}

impl Violation {
    /// The same, of a value that is part of another.
    pub(crate) fn below(mut self, place: &str) -> Self {
        self.pointer.insert_str(0, place);
        self
    }
}

fn alone(message: String, expected: &str) -> Violation {
    Violation {
        code: FindingCode::Schema,
        message,
        expected: expected.to_owned(),
        actual: String::new(),
        pointer: String::new(),
        count: 1,
    }
}

fn other_kind(method: &Method) -> Violation {
    let name = &method.method;
    if method.is_notification() {
        alone(
            format!("`{name}` is a notification, and has an `id`"),
            "a message without `id`",
        )
    } else {
        alone(
            format!("`{name}` is a request, and has no `id`"),
            "a message with `id`",
        )
    }
}

fn within_a_result(method: &Method) -> Violation {
    alone(
        format!(
            "`{}` is asked for within a result only, and comes as a message",
            method.method
        ),
        "a result of type `input_required` that asks for it",
    )
}

#[cfg(test)]
mod tests;
