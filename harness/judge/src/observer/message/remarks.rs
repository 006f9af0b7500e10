//! Notes on single messages: what their schemas note, and a transport that is deprecated.

use super::super::dialogue::Came;
use super::super::{Example, Remark, Sightings};
use crate::schema::{Note, Schemas};
use crate::text;
use mcp_assay_model::protocol::{Binding, Role};
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::raw;
use serde_json::Value;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What holds the requests for input of a result, by keys of the server's own.
const INPUTS: &str = "/result/inputRequests/";

/// Answers that were found to hold nothing worth a word, and are known when they come again.
const KNOWN: usize = 1 << 14;

/// Takes notes on the messages of one conversation.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Marks of answers without notes.
    plain: HashSet<u64>,
}

impl Remarks {
    /// Notes what of a message of `role` breaks no rule.
    pub(super) fn take(
        &mut self,
        (schemas, binding): (&Schemas, Binding),
        came: &Came<'_>,
        role: Role,
        sightings: &mut Sightings,
    ) {
        let is_response = matches!(came.message.kind, Kind::Result | Kind::Error);
        let mark = came
            .source()
            .filter(|_| is_response)
            .map(|text| mark(text, came));
        if mark.is_some_and(|mark| self.plain.contains(&mark)) {
            return;
        }
        let has_any = take((schemas, binding), came, role, sightings);
        if let Some(mark) = mark.filter(|_| !has_any && self.plain.len() < KNOWN) {
            self.plain.insert(mark);
        }
    }
}

/// A mark of all that an answer says but its id, and of what it answers.
fn mark(text: &str, came: &Came<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    came.answers().map(|asked| &asked.method).hash(&mut hasher);
    let (before, after) = match raw::at(text, "/id") {
        Some(id) => {
            let at = id.as_ptr() as usize - text.as_ptr() as usize;
            (&text[..at], &text[at + id.len()..])
        }
        None => (text, ""),
    };
    (before, after).hash(&mut hasher);
    hasher.finish()
}

/// Whether there was anything to note.
fn take(
    (schemas, binding): (&Schemas, Binding),
    came: &Came<'_>,
    role: Role,
    sightings: &mut Sightings,
) -> bool {
    let message = came.message;
    let asked = came.answers();
    let method = match message.kind {
        Kind::Request | Kind::Notification => message.method.as_deref(),
        _ => asked.map(|asked| asked.method.as_str()),
    };
    let is_response = matches!(message.kind, Kind::Result | Kind::Error);
    let answered = asked.filter(|_| message.kind == Kind::Result);
    let notes = schemas.notes_on_message(
        message,
        came.source(),
        answered.map(|asked| asked.method.as_str()),
    );
    // The id of an answer is that of the request, or none where the request could not be read.
    let own = |note: &Note| !(is_response && note.pointer == "/id");
    let mut notes: Vec<Note> = notes.into_iter().filter(own).collect();
    let is_opening = answered.is_some_and(|asked| asked.method == "initialize");
    if binding == Binding::HttpSse && role == Role::Server && is_opening {
        notes.push(Note {
            message: "the transport, HTTP+SSE, is deprecated since 2025-03-26; Streamable HTTP took its place"
                .to_owned(),
            pointer: String::new(),
            actual: String::new(),
            count: 1,
        });
    }
    let has_any = !notes.is_empty();
    for note in notes {
        let remark = Remark {
            role,
            method: text::cut(method.unwrap_or_default()),
            path: place(&message.value, &note.pointer),
            message: note.message,
        };
        let example = Example {
            actual: note.actual,
            at: format!("#{} {}", came.entry.seq, note.pointer)
                .trim_end()
                .to_owned(),
            count: note.count,
        };
        sightings.note(remark, &example);
    }
    has_any
}

/// The pointer without what differs from one message to the next: indices, and keys that a server makes up.
fn place(message: &Value, pointer: &str) -> String {
    let general = text::generalize(message, pointer);
    match general
        .strip_prefix(INPUTS)
        .and_then(|rest| rest.split_once('/'))
    {
        Some((_, rest)) => format!("{INPUTS}*/{rest}"),
        None => general,
    }
}
