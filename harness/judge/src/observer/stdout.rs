//! What a server writes to its standard output: one message a line, and nothing else.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Channel, Direction, Entry};
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::stdio::{Defect, DefectKind, Terminator};

const MESSAGES_ONLY: &str = "messages-only";

/// Watches the standard output of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stdout;

impl Observer for Stdout {
    fn name(&self) -> &'static str {
        "stdout"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[Rule::of_servers(
                MESSAGES_ONLY,
                "standard output carries messages only",
                "every line that a server writes to its standard output is a JSON-RPC message",
                &[
                    "2024-11-05/basic/transports#stdio.1",
                    "2024-11-05/basic/transports#stdio.4",
                    "2025-03-26/basic/transports#top.1",
                ],
            )]
        }
    }

    fn watch(&self, _revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        match binding {
            Binding::Stdio | Binding::Memory => Some(Box::new(Lines)),
            Binding::Http | Binding::HttpSse => None,
        }
    }
}

struct Lines;

impl Watch for Lines {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let entry = said.entry;
        let is_line = entry.direction == Direction::Received
            && matches!(entry.channel, Channel::Stdout | Channel::Memory)
            // In memory an exchange of HTTP is no line.
            && entry.http.is_none()
            // The line of a batch is judged, not again each of its items.
            && entry.part_of.is_none();
        if !is_line {
            return;
        }
        match judge(entry) {
            Line::Unjudged => {}
            Line::Message => sightings.judge(MESSAGES_ONLY),
            Line::Wrong(code, why) => {
                sightings.judge(MESSAGES_ONLY);
                sightings.find(MESSAGES_ONLY, "", "", finding(entry, code, &why));
            }
        }
    }
}

/// What a line is.
enum Line {
    /// Blank, too long to read, read and not kept, or cut off by the end of the process.
    Unjudged,
    /// A message, or a batch of them.
    Message,
    /// Something else, with its code and why.
    Wrong(FindingCode, String),
}

fn judge(entry: &Entry) -> Line {
    let defect = |kind| {
        entry
            .defects
            .iter()
            .find(|defect: &&Defect| defect.kind == kind)
    };
    if defect(DefectKind::Blank).is_some() || defect(DefectKind::Oversized).is_some() {
        return Line::Unjudged;
    }
    let reason = |kind: DefectKind| defect(kind).map(|defect| defect.detail.clone());
    match &entry.message {
        Some(message) if matches!(message.kind, Kind::Malformed(_)) => {
            let why = reason(DefectKind::NotJsonRpc).unwrap_or_default();
            Line::Wrong(
                FindingCode::Stdout,
                format!("JSON, but no JSON-RPC message: {why}"),
            )
        }
        Some(_) => match reason(DefectKind::NotJsonRpc) {
            Some(why) => Line::Wrong(
                FindingCode::Stdout,
                format!("a batch with an item that is no message: {why}"),
            ),
            None => Line::Message,
        },
        None => {
            let head = String::from_utf8_lossy(&entry.raw);
            let is_attempt = is_attempt(&head);
            if is_attempt && entry.terminator == Some(Terminator::EndOfInput) {
                // The process ended in the middle of a message: its end is judged elsewhere.
                return Line::Unjudged;
            }
            let why = [
                DefectKind::InvalidUtf8,
                DefectKind::Nul,
                DefectKind::NotJson,
            ]
            .into_iter()
            .find_map(reason);
            // Where memory is short, a line that was read is kept without what it says; nothing was wrong with it.
            let Some(why) = why else {
                return Line::Unjudged;
            };
            if is_attempt {
                Line::Wrong(FindingCode::Framing, format!("a broken message: {why}"))
            } else {
                Line::Wrong(FindingCode::Stdout, format!("no JSON-RPC message: {why}"))
            }
        }
    }
}

/// Whether text that is no JSON was clearly meant as a message, or as its frame: a message cut by a newline, two in a line, or the
/// headers of another protocol's framing.
fn is_attempt(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim();
    let begins_so = text.starts_with(['{', '[', '"']);
    (begins_so && text.contains("\"jsonrpc\"")) || text.starts_with("Content-Length:")
}

fn finding(entry: &Entry, code: FindingCode, why: &str) -> Finding {
    let shown = String::from_utf8_lossy(&entry.raw);
    let place = match entry.defects.iter().map(|defect| defect.offset).min() {
        Some(offset) => format!(" at byte {offset}"),
        None => String::new(),
    };
    Finding::new(
        code,
        format!(
            "a line on standard output{place} is {why}: {}",
            text::cut(&shown)
        ),
    )
    .expected("one JSON-RPC message a line, and nothing else")
    .actual(shown)
    .at(entry.seq, "")
}

#[cfg(test)]
mod tests;
