//! JSON-RPC classification by the presence of keys, before any schema.
//!
//! A text is judged as it was sent: [`examine`] reads it once and says both what it is and what is wrong with its bytes. What is JSON but
//! more than a parsed value can hold still becomes a message, with a stand-in and a defect that says where, because a reply that breaks
//! one rule is still the reply to its request.

mod examine;
mod id;

pub use examine::{Examined, examine};
pub use id::RawId;

use serde_json::Value;
use std::sync::Arc;

/// Levels of arrays and objects that are parsed, the same as by `serde_json`; what is deeper is checked to be JSON, marked
/// [`TooDeep`](crate::stdio::DefectKind::TooDeep), and stands as null in the value.
pub const MAX_DEPTH: usize = 127;

/// Values (scalars and containers; an item of a batch counts as nine) of one text that are parsed. A text with more is
/// [`Oversized`](crate::stdio::DefectKind::Oversized): parsed, small values take many times the memory of their text, and this bounds it to
/// a few hundred MiB.
pub const MAX_VALUES: usize = 1 << 20;

/// One JSON text, classified.
///
/// **Shape**: `value` is the whole parsed text (of duplicate keys the last; with stand-ins where the defects `LoneSurrogate`, `NumberRange`
/// and `TooDeep` say so); `id` is the raw text of the member `id`, null included.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What the keys make of it.
    pub kind: Kind,
    /// The parsed text, shared: a clone of a message costs nothing, however long it is.
    pub value: Arc<Value>,
    /// Raw text of the member `id`, where there is one.
    pub id: Option<RawId>,
    /// The member `method`, where it is a string.
    pub method: Option<String>,
    /// The messages of a batch, in order; empty for every other kind.
    pub batch: Vec<Message>,
}

/// Kind of a JSON-RPC message, decided by which keys are present.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `method` and `id`.
    Request,
    /// `method` without `id`.
    Notification,
    /// `result` (with or without `id`), no `method`, no `error`.
    Result,
    /// `error` (with or without `id`), no `method`, no `result`.
    Error,
    /// A non-empty array.
    Batch,
    /// JSON, but none of the above.
    Malformed(Malformed),
}

/// Why a JSON text is no JSON-RPC message.
///
/// **Shape**: the first that applies, in the order of the variants. A member that is null is present.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Malformed {
    /// Neither object nor array; in a batch also an array, as batches do not nest.
    NotAnObject,
    /// `[]`.
    EmptyBatch,
    /// An object with none of `method`, `result`, `error`.
    NoKnownMember,
    /// `method` beside `result` or `error`.
    MethodAndResponse,
    /// `result` beside `error`.
    ResultAndError,
    /// `method` is not a string.
    MethodNotString,
}

impl Malformed {
    /// The reason as a fragment, such as `"method" beside "result" or "error"`.
    pub fn reason(self) -> &'static str {
        match self {
            Malformed::NotAnObject => "neither an object nor a batch",
            Malformed::EmptyBatch => "an empty batch",
            Malformed::NoKnownMember => "none of \"method\", \"result\", \"error\"",
            Malformed::MethodAndResponse => "\"method\" beside \"result\" or \"error\"",
            Malformed::ResultAndError => "\"result\" beside \"error\"",
            Malformed::MethodNotString => "\"method\" is not a string",
        }
    }
}

/// Classifies one JSON text.
///
/// **Errors**: the position and reason, where the bytes are no JSON text. Defects of a text that is JSON are those of [`examine`].
pub fn classify(raw: &[u8]) -> Result<Message, NotJson> {
    examine(raw, 0).message
}

/// The bytes are no JSON text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotJson {
    /// What kind of no.
    pub cause: Cause,
    /// Offset of the first offending byte within the text.
    pub offset: usize,
    /// What was expected there, as a fragment.
    pub reason: String,
}

/// Why bytes were not read as JSON.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Cause {
    /// Only white space.
    Blank,
    /// No UTF-8, so no text.
    InvalidUtf8,
    /// A text, against the grammar of JSON.
    Syntax,
    /// More than [`MAX_VALUES`] values: not read to its end, so it may be JSON.
    TooManyValues,
}
