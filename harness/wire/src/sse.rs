//! Server-sent events from bytes: any split of the bytes gives the same events, and nothing is dropped silently.
//!
//! ```text
//! bytes -> Parser -> lines -> field -> Event { data, name, id, retry, comments, defects, raw }
//! ```
//!
//! The parser reads as the HTML standard says (section "interpreting an event stream"), and shows besides what a browser passes over.

mod field;
mod parser;

pub use parser::Parser;

use crate::defect::{Defect, DefectKind};
use bytes::Bytes;

/// One block of an event stream, up to the empty line that ends it.
///
/// **Shape**: blocks without data (comments, a lone `id` or `retry`) are events too, with `data` `None`. What is in no event is a byte-order
/// mark at the very start and empty lines beyond the one that ends an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Length in the stream, the empty line included.
    ///
    /// An empty line that ends with `\r` ends there, so that the event need not wait for a byte that may never come; a `\n` after it
    /// lies between the events.
    pub length: u64,
    /// Its bytes, the head only where it was too long.
    pub raw: Bytes,
    /// The `event` field; a dispatched event without one is of type `message`, see [`kind`](Self::kind).
    pub name: Option<String>,
    /// The `data` fields joined by newlines, as bytes even where they are no UTF-8; `None` where there was none, which a browser would not
    /// dispatch, and where the event was too long.
    pub data: Option<Bytes>,
    /// Offset in the stream of the first byte of the data; 0 where there is none. After a newline in the data the offsets of what follows
    /// are those of the data, no longer those of the stream.
    pub data_offset: u64,
    /// The `id` field of this block, where it has one that counts (no NUL in it).
    pub id: Option<String>,
    /// The `retry` field in milliseconds, where it is made of digits; the greatest number, where it is beyond that.
    pub retry: Option<u64>,
    /// Comment lines.
    pub comments: u32,
    /// Fields that the standard does not know, in order; at most 64, each with at most its first 128 characters.
    pub unknown_fields: Vec<String>,
    /// Whether the empty line came; a browser drops what the stream's end cut off.
    pub is_terminated: bool,
    /// What is wrong with it, in order of offset: [`Oversized`](DefectKind::Oversized), [`InvalidUtf8`](DefectKind::InvalidUtf8) in any of
    /// its lines, and [`IgnoredField`](DefectKind::IgnoredField).
    pub defects: Vec<Defect>,
}

impl Event {
    /// Whether a browser would dispatch it: it has data, and its empty line came.
    pub fn is_dispatched(&self) -> bool {
        self.is_terminated && self.data.is_some()
    }

    /// The type under which it is dispatched: its name, or `message` where that is missing or empty.
    pub fn kind(&self) -> &str {
        match self.name.as_deref() {
            None | Some("") => "message",
            Some(name) => name,
        }
    }

    /// Whether it has a defect of this kind.
    pub fn has(&self, kind: DefectKind) -> bool {
        self.defects.iter().any(|defect| defect.kind == kind)
    }
}
