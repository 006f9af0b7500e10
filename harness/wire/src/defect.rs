//! What can be wrong with the bytes of one message, on any binding.

/// One thing that is wrong with a frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Defect {
    /// What it is.
    pub kind: DefectKind,
    /// Where it starts, as an offset in the stream.
    pub offset: u64,
    /// A short explanation, as a fragment, with the offending text where it helps (escaped by who prints it).
    pub detail: String,
}

/// Kinds of defects of frames and events.
///
/// A frame of stdio has no message if and only if it has one of [`Blank`](Self::Blank), [`InvalidUtf8`](Self::InvalidUtf8), [`Nul`](Self::Nul),
/// [`Oversized`](Self::Oversized) and [`NotJson`](Self::NotJson), and then nothing before the break is judged. At most eight defects of a
/// kind are listed for one frame.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum DefectKind {
    /// Only white space; no verdict is drawn from it.
    Blank,
    /// The last line has no newline; a note, where it is a whole message.
    NoFinalNewline,
    /// Bytes that are no UTF-8. There is no message: what a reader would put in their place is its own choice.
    InvalidUtf8,
    /// The line starts with U+FEFF. What follows is read as well.
    ByteOrderMark,
    /// A raw NUL byte, not the escape `\u0000`. No JSON text has one.
    Nul,
    /// A `\u` escape of a lone surrogate; the parsed value has U+FFFD in its place.
    LoneSurrogate,
    /// An object with the same key twice, escapes resolved, at any depth; the parsed value has the last. The detail names the member.
    DuplicateKey,
    /// An integer written with fraction or exponent, such as `1.0` or `1e0`, where JSON-RPC wants an integer (`id`, `error.code`).
    ///
    /// `1.5` is none, as it is no integer in any form: that is for a schema to say. `-0` is none, as it has neither.
    NumberForm,
    /// A number that is JSON but beyond a 64-bit float, such as `1e400`; the parsed value has the largest finite one in its place.
    NumberRange,
    /// A value nested deeper than [`MAX_DEPTH`](crate::jsonrpc::MAX_DEPTH); the parsed value has null in its place.
    TooDeep,
    /// Longer than the bound, or more than [`MAX_VALUES`](crate::jsonrpc::MAX_VALUES) values: not parsed.
    Oversized,
    /// No JSON text. Where the text breaks at a NUL byte, [`Nul`](Self::Nul) says so instead.
    NotJson,
    /// JSON, but no JSON-RPC message, or a batch with an item that is none.
    NotJsonRpc,
    /// A field of an event whose value counts for nothing: an `id` with a NUL in it, a `retry` that is not made of digits. The event is read.
    IgnoredField,
}
