//! One line of an event stream, and what it adds to its event.

use super::Event;
use crate::defect::{Defect, DefectKind};
use crate::scan::MAX_NOTES;
use std::ops::Range;

/// Unknown fields of one event that are listed, and characters of each.
const MAX_UNKNOWN: usize = 64;
const MAX_UNKNOWN_NAME: usize = 128;

/// Bytes of a value that a detail quotes.
const MAX_EXCERPT: usize = 60;

/// Adds a line without its end, which is not empty and starts at `at` of the stream, to its event.
///
/// **Shape**: data is not added, because the caller decides how it is kept; the answer says where in the line its value is.
pub(super) fn read(line: &[u8], at: u64, event: &mut Event) -> Option<Range<usize>> {
    if let Err(error) = std::str::from_utf8(line) {
        let start = error.valid_up_to();
        let detail = format!("byte 0x{:02x} is no UTF-8", line[start]);
        add(event, DefectKind::InvalidUtf8, at + start as u64, detail);
    }
    let (name, value) = split(line);
    let bytes = &line[value.clone()];
    // As the standard decodes them: what is no UTF-8 becomes U+FFFD.
    let text = || String::from_utf8_lossy(bytes).into_owned();
    match name {
        // A comment.
        b"" => event.comments = event.comments.saturating_add(1),
        b"data" => return Some(value),
        b"event" => event.name = Some(text()),
        b"id" => match memchr::memchr(0, bytes) {
            None => event.id = Some(text()),
            Some(nul) => {
                let detail = "an `id` with a NUL in it".to_owned();
                let at = at + (value.start + nul) as u64;
                add(event, DefectKind::IgnoredField, at, detail);
            }
        },
        b"retry" => match milliseconds(bytes) {
            Some(milliseconds) => event.retry = Some(milliseconds),
            None => {
                let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_EXCERPT)]);
                let detail = format!("a `retry` that is no number: `{shown}`");
                let at = at + value.start as u64;
                add(event, DefectKind::IgnoredField, at, detail);
            }
        },
        _ if event.unknown_fields.len() < MAX_UNKNOWN => {
            // Four bytes make a character at most.
            let head = &name[..name.len().min(4 * MAX_UNKNOWN_NAME)];
            let name = String::from_utf8_lossy(head);
            let name = name.chars().take(MAX_UNKNOWN_NAME).collect();
            event.unknown_fields.push(name);
        }
        _ => {}
    }
    None
}

/// The name of a field, and where its value is: after the colon and one space, or empty where there is no colon.
fn split(line: &[u8]) -> (&[u8], Range<usize>) {
    let end = line.len();
    match memchr::memchr(b':', line) {
        None => (line, end..end),
        Some(colon) => {
            let start = colon + 1;
            let has_space = line.get(start) == Some(&b' ');
            (&line[..colon], start + usize::from(has_space)..end)
        }
    }
}

/// A number of ASCII digits and nothing else; the greatest there is, where it is beyond that.
fn milliseconds(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, digit: &u8| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit - b'0'))
    };
    Some(digits.iter().fold(0, add))
}

fn add(event: &mut Event, kind: DefectKind, offset: u64, detail: String) {
    let same = event.defects.iter().filter(|defect| defect.kind == kind);
    if same.count() < MAX_NOTES {
        event.defects.push(Defect {
            kind,
            offset,
            detail,
        });
    }
}
