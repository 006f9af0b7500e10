//! Broken blocks by a grammar: each production is one way to be wrong, and knows where that shows, if it does.

use super::{Block, lawful};
use crate::frames::NO_UTF8;
use mcp_assay_wire::stdio::DefectKind;
use proptest::prelude::*;
use proptest::sample::select;

/// What stands in event streams although it is none: no defect of the stream, but no data either.
const NO_FIELDS: &[&str] = &[
    "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}",
    "Data: {}",
    "data : {}",
    " data: {}",
    "DATA:{}",
    "x\u{feff}data: {}",
    "1a",
    "HTTP/1.1 200 OK",
    "<html>",
    "\0",
];

/// Blocks with one defect, which is named and placed, or with a line that is no field.
pub fn broken() -> impl Strategy<Value = Block> {
    let defect = prop_oneof![
        // A NUL makes an id count for nothing.
        ("id: ?", "[!-~é]{0,4}", "[ -~\\x00]{0,4}").prop_map(|(name, before, after)| {
            let at = name.len() + before.len();
            (
                format!("{name}{before}\0{after}").into_bytes(),
                DefectKind::IgnoredField,
                at,
            )
        }),
        prop_oneof![
            "retry: ?[-+a-z.][0-9]{0,3}",
            "retry: [0-9]{1,30}[^0-9\\r\\n]",
            "retry(:  ?)?"
        ]
        .prop_map(|line| {
            let value_at = line.find(':').map_or(line.len(), |colon| colon + 1);
            let at = value_at + usize::from(line[value_at..].starts_with(' '));
            (line.into_bytes(), DefectKind::IgnoredField, at)
        }),
        (
            select(&["data: ", "id: ", "event:", ": ", "retry", ""][..]),
            "[!-9;-~]{0,4}",
            select(NO_UTF8)
        )
            .prop_map(|(name, before, bytes)| {
                let at = name.len() + before.len();
                let line = [name.as_bytes(), before.as_bytes(), bytes].concat();
                (line, DefectKind::InvalidUtf8, at)
            }),
    ];
    let end = select(&["\n", "\r", "\r\n"][..]);
    prop_oneof![
        4 => (defect, end, lawful()).prop_map(|((line, kind, at), end, block)| {
            prepend(&line, end, block, Some((kind, at)))
        }),
        1 => (select(NO_FIELDS), lawful()).prop_map(|(line, block)| {
            prepend(line.as_bytes(), "\n", block, None)
        }),
    ]
}

fn prepend(line: &[u8], end: &str, block: Block, shows: Option<(DefectKind, usize)>) -> Block {
    Block {
        bytes: [line, end.as_bytes(), &block.bytes].concat(),
        says: None,
        shows,
    }
}
