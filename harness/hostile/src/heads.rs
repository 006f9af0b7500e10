//! Heads of HTTP messages: lawful ones in every spelling that readers take, and ones with lines that are no fields.

use proptest::prelude::*;
use proptest::sample::select;

/// A head, and what has to be read of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Written {
    /// Its bytes, the empty line included.
    pub bytes: Vec<u8>,
    /// Its start line.
    pub start: String,
    /// Its fields, each a name and a value.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// Lines that are no field, and that nothing may continue.
const NO_FIELDS: &[&[u8]] = &[
    b"nothing",
    b"\xff\xfe",
    b"{}",
    b"\0",
    b"<html>",
    b"HTTP/1.1 200 OK",
    b"a\rb",
];

/// One field as it is spelled: what stands before and after each line of its value.
type Spelled = (String, Vec<Vec<u8>>, &'static str, &'static str);

/// Heads with random fields, white space, line ends and folds.
pub fn lawful() -> impl Strategy<Value = Written> {
    head(false)
}

/// The same with lines between the fields that are none.
pub fn broken() -> impl Strategy<Value = Written> {
    head(true)
}

fn head(has_junk: bool) -> impl Strategy<Value = Written> {
    let start = prop_oneof![
        "HTTP/1\\.[01] [1-9][0-9]{2}( [ -~]{0,12})?",
        "[A-Z]{3,7} (/[!-~]{0,9}|\\*) HTTP/1\\.1",
    ];
    let name = prop_oneof![
        select(
            &[
                "Content-Type",
                "content-length",
                "Mcp-Session-Id",
                "Mcp-Name",
                "Transfer-Encoding",
                "Host"
            ][..]
        )
        .prop_map(str::to_owned),
        "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,10}",
    ];
    let part = prop_oneof![
        select(
            &[
                "application/json",
                "Text/Event-Stream; charset=\"utf-8\"",
                "chunked",
                "=?base64?YQ==?="
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        "[!-~]([ -~\\t]{0,10}[!-~])?".prop_map(String::into_bytes),
        prop::collection::vec(0x80..=0xff_u8, 1..4),
    ];
    let space = select(&["", " ", "\t", " \t "][..]);
    let parts = prop_oneof![
        6 => prop::collection::vec(part.clone(), 0..2),
        1 => prop::collection::vec(part, 2..4),
    ];
    let field = (name, parts, space.clone(), space);
    let junk = prop::option::of(select(NO_FIELDS));
    let fields = prop::collection::vec((field, junk), 0..8);
    (
        start,
        fields,
        select(&["\r\n", "\n"][..]),
        select(&["", "\r\n", "\n"][..]),
    )
        .prop_map(move |(start, fields, end, before)| {
            let mut bytes = [before, &start, end].concat().into_bytes();
            let mut read = Vec::new();
            for (field, junk) in fields {
                read.push(spell(field, end, &mut bytes));
                if let Some(junk) = junk.filter(|_| has_junk) {
                    bytes.extend_from_slice(junk);
                    bytes.extend_from_slice(end.as_bytes());
                }
            }
            bytes.extend_from_slice(end.as_bytes());
            Written {
                bytes,
                start,
                fields: read,
            }
        })
}

fn spell(
    (name, parts, before, after): Spelled,
    end: &str,
    bytes: &mut Vec<u8>,
) -> (String, Vec<u8>) {
    let value = parts.join(&b' ');
    let mut fold: &[u8] = b"";
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(b':');
    // A field without a value has a line too.
    let lines = if parts.is_empty() {
        &[Vec::new()][..]
    } else {
        &parts
    };
    for part in lines {
        for piece in [
            fold,
            before.as_bytes(),
            part,
            after.as_bytes(),
            end.as_bytes(),
        ] {
            bytes.extend_from_slice(piece);
        }
        fold = b" ";
    }
    (name, value)
}
