//! What may stand in a header field, and the Base64 form in which revision 2026-07-28 carries what may not.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::fmt;

/// What an encoded value begins and ends with; case counts.
const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// Whether there is nothing but visible ASCII, `0x21` to `0x7E`, as in a session id.
///
/// True of nothing at all: that an id is empty is another matter.
pub fn is_visible_ascii(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_graphic)
}

/// Whether it is a field value by the grammar of HTTP: no control characters but tabs, no white space around it; bytes beyond ASCII are
/// allowed there, if old-fashioned.
///
/// **Source**: RFC 9110, section 5.5.
pub fn is_field_value(value: &[u8]) -> bool {
    let is_lawful = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    value.iter().all(is_lawful) && !has_space_around(value)
}

/// Whether it is a field name by the grammar of HTTP, a token of at least one character.
///
/// **Source**: RFC 9110, section 5.1; what `x-mcp-header` may name.
pub fn is_field_name(name: &[u8]) -> bool {
    let is_lawful = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !name.is_empty() && name.iter().all(is_lawful)
}

/// Whether a value has the form that says it is encoded; what is between may still be malformed.
pub fn is_encoded(value: &[u8]) -> bool {
    value.starts_with(PREFIX.as_bytes()) && value.ends_with(SUFFIX.as_bytes())
}

/// Whether a value has to be encoded in `Mcp-Name` and `Mcp-Param-*`: it has a character that is neither visible ASCII nor space nor tab,
/// or white space around it, or looks encoded itself.
///
/// The empty value needs it not: it is a lawful field value and has none of those.
///
/// **Source**: `2026-07-28/basic/transports/streamable-http#value-encoding`.
pub fn must_encode(value: &str) -> bool {
    let value = value.as_bytes();
    !value.is_ascii() || !is_field_value(value) || is_encoded(value)
}

/// The value as it goes into `Mcp-Name` or `Mcp-Param-*`: encoded where it must be, as it is where not.
pub fn encode(value: &str) -> Cow<'_, str> {
    if must_encode(value) {
        Cow::Owned(encode_always(value))
    } else {
        Cow::Borrowed(value)
    }
}

/// The value encoded, needed or not: a reader has to decode it alike.
pub fn encode_always(value: &str) -> String {
    format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(value))
}

/// The value that `Mcp-Name` or `Mcp-Param-*` stands for, decoded where it is encoded.
///
/// **Errors**: what is malformed, or could not stand there as it is. This is a finding, never an error of ours.
pub fn decode(value: &[u8]) -> Result<Cow<'_, str>, Malformed> {
    if !is_encoded(value) {
        let is_plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
        if let Some(at) = value.iter().position(|byte| !is_plain(byte)) {
            return Err(Malformed::Character(at));
        }
        if has_space_around(value) {
            return Err(Malformed::SpaceAround);
        }
        return Ok(String::from_utf8_lossy(value));
    }
    let end = value.len() - SUFFIX.len();
    let content = value.get(PREFIX.len()..end).ok_or(Malformed::Overlap)?;
    let bytes = STANDARD
        .decode(content)
        .map_err(|error| Malformed::Base64(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Malformed::Utf8(error.utf8_error().valid_up_to()))?;
    Ok(Cow::Owned(text))
}

/// Why a value of `Mcp-Name` or `Mcp-Param-*` stands for nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Malformed {
    /// Not encoded, with a character at this offset that may not stand in a field as it is.
    Character(usize),
    /// Not encoded, with white space at its start or end, which a reader of HTTP takes away.
    SpaceAround,
    /// `=?base64?=`, where prefix and suffix share a character, so that nothing can be between them.
    Overlap,
    /// What is between prefix and suffix is no Base64 of the standard alphabet with its padding and without stray bits; a fragment says why.
    Base64(String),
    /// What was encoded is no UTF-8, at this offset of the decoded bytes.
    Utf8(usize),
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Character(at) => {
                write!(f, "a character at {at} that needs the Base64 form")
            }
            Malformed::SpaceAround => f.write_str("white space around it needs the Base64 form"),
            Malformed::Overlap => f.write_str("prefix and suffix of the Base64 form overlap"),
            Malformed::Base64(why) => write!(f, "no Base64: {why}"),
            Malformed::Utf8(at) => write!(f, "the decoded bytes are no UTF-8 at {at}"),
        }
    }
}

fn has_space_around(value: &[u8]) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    is_space(value.first()) || is_space(value.last())
}
