//! Broken lines by a grammar: each production is one way to be wrong, and knows where that shows.

use super::{Line, Message, lawful};
use mcp_assay_wire::stdio::DefectKind;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Byte sequences that are no UTF-8 wherever a character may stand.
pub(crate) const NO_UTF8: &[&[u8]] = &[
    b"\xff",
    b"\xfe\xff",
    b"\x80",
    b"\xc0\x80",
    b"\xc3",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98",
    b"\xf5\x80\x80\x80",
];

/// What a program prints on its standard output although a protocol lives there.
const LOG_LINES: &[&str] = &[
    "Server started on stdio",
    "[INFO] ready",
    "> node server.js",
    "(node:7) ExperimentalWarning: something",
    "Content-Length: 52",
    "event: message",
    "data: {\"jsonrpc\":\"2.0\",\"method\":\"a\"}",
    "\u{1b}[32mok\u{1b}[0m",
    "'{\"method\":\"a\"}'",
    "undefined",
];

/// Lines with one defect, which is named and placed; every kind but an oversized line, which depends on the bound.
pub fn broken() -> impl Strategy<Value = Line> {
    prop_oneof![
        "[ \t\r]{0,6}".prop_map(|text| shows(text, DefectKind::Blank, 0)),
        bytes(),
        text(),
        numbers(),
        no_json(),
        no_message(),
    ]
}

fn shows(bytes: impl Into<Vec<u8>>, kind: DefectKind, at: usize) -> Line {
    Line {
        bytes: bytes.into(),
        shows: Some((kind, at)),
    }
}

/// Puts bytes before the character an index picks.
fn insert(message: &Message, place: Index, bytes: &[u8], kind: DefectKind) -> Line {
    let boundaries: Vec<usize> = message.text.char_indices().map(|(at, _)| at).collect();
    let at = *place.get(&boundaries);
    let mut line = message.text.clone().into_bytes();
    line.splice(at..at, bytes.iter().copied());
    shows(line, kind, at)
}

fn bytes() -> impl Strategy<Value = Line> {
    prop_oneof![
        lawful().prop_map(|message| {
            let text = format!("\u{feff}{}", message.text);
            shows(text, DefectKind::ByteOrderMark, 0)
        }),
        (lawful(), any::<Index>(), select(NO_UTF8)).prop_map(|(message, place, bytes)| {
            insert(&message, place, bytes, DefectKind::InvalidUtf8)
        }),
        (lawful(), any::<Index>())
            .prop_map(|(message, place)| { insert(&message, place, b"\0", DefectKind::Nul) }),
    ]
}

fn text() -> impl Strategy<Value = Line> {
    let half = prop_oneof![
        "\\\\u[dD][89abAB][0-9a-f]{2}",
        "\\\\u[dD][c-fC-F][0-9a-f]{2}"
    ];
    let around = "[ -!#-\\[\\]-~é]{0,8}";
    prop_oneof![
        (around, half, around).prop_map(|(before, half, after)| {
            let start = format!("{{\"method\":\"{before}");
            let line = format!("{start}{half}{after}\"}}");
            shows(line, DefectKind::LoneSurrogate, start.len())
        }),
        (lawful(), any::<Index>(), any::<bool>())
            .prop_filter_map("a batch has no keys", |(message, place, is_escaped)| {
                repeat_key(&message, place, is_escaped)
            }),
    ]
}

/// Adds a member with a key the message has.
fn repeat_key(message: &Message, place: Index, is_escaped: bool) -> Option<Line> {
    let keys: Vec<&String> = message.value.as_object()?.keys().collect();
    let key = if is_escaped {
        let units = place.get(&keys).encode_utf16();
        units.map(|unit| format!("\\u{unit:04x}")).collect()
    } else {
        place.get(&keys).to_string()
    };
    let (head, _) = message.text.rsplit_once('}')?;
    let line = format!("{head},\"{key}\":null}}");
    Some(shows(line, DefectKind::DuplicateKey, head.len() + 1))
}

fn numbers() -> impl Strategy<Value = Line> {
    let disguised = prop_oneof![
        "-?(0|[1-9][0-9]{0,20})\\.0{1,3}",
        "-?(0|[1-9][0-9]{0,3})[eE]\\+?[0-9]{1,2}",
        "[1-9]0{3}[eE]-[0-3]",
        "-?[1-9][eE][1-9][0-9]{6,30}",
    ];
    let beyond = "-?[1-9](\\.[0-9]{1,3})?[eE]\\+?[1-9][0-9]{3,12}";
    let before = select(
        &[
            "{\"id\":",
            "{\"jsonrpc\":\"2.0\", \"id\": ",
            "{\"error\":{\"message\":\"\",\"code\":",
            "[{\"method\":\"a\"},{\"id\":",
        ][..],
    );
    prop_oneof![
        (before, disguised).prop_map(|(before, number)| {
            let after = match before.bytes().next() {
                Some(b'[') => ",\"method\":\"a\"}]",
                _ if before.contains("error") => "}}",
                _ => ",\"method\":\"a\"}",
            };
            let line = format!("{before}{number}{after}");
            shows(line, DefectKind::NumberForm, before.len())
        }),
        beyond.prop_map(|number| {
            let before = "{\"result\":[0,";
            let line = format!("{before}{number}]}}");
            shows(line, DefectKind::NumberRange, before.len())
        }),
        (127..400_usize).prop_map(|levels| {
            let before = "{\"result\":";
            let line = format!("{before}{}{}}}", "[".repeat(levels), "]".repeat(levels));
            // The object is the first of 127 levels that are read.
            shows(line, DefectKind::TooDeep, before.len() + 126)
        }),
    ]
}

fn no_json() -> impl Strategy<Value = Line> {
    let fixed = select(
        &[
            ("{\"method\":\"a\",}", 14),
            ("{\"params\":[1,],\"method\":\"a\"}", 13),
            ("{'method':'a'}", 1),
            ("{method:\"a\"}", 1),
            ("{\"method\":a}", 10),
            ("{\"method\" \"a\"}", 10),
            ("{\"id\":1 \"method\":\"a\"}", 8),
            ("{\"id\":01,\"method\":\"a\"}", 7),
            ("{\"id\":+1,\"method\":\"a\"}", 6),
            ("{\"id\":.5,\"method\":\"a\"}", 6),
            ("{\"id\":1.,\"method\":\"a\"}", 8),
            ("{\"id\":0x1,\"method\":\"a\"}", 7),
            ("{\"id\":NaN,\"method\":\"a\"}", 6),
            ("{\"id\":None,\"method\":\"a\"}", 6),
            ("{\"id\":True,\"method\":\"a\"}", 6),
            ("{\"id\":1,\"method\":\"a\"]", 20),
            ("{\"id\":1,/**/\"method\":\"a\"}", 8),
            ("{\"method\":\"a\tb\"}", 12),
            ("{\"method\":\"\\x41\"}", 12),
            ("{\"method\":\"\\u00g0\"}", 15),
            ("[{\"method\":\"a\"}}", 15),
            ("{\"method\":\"a\"}{\"method\":\"b\"}", 14),
        ][..],
    );
    prop_oneof![
        fixed.prop_map(|(text, at)| shows(text, DefectKind::NotJson, at)),
        select(LOG_LINES).prop_map(|text| {
            // The bracket of a log level opens an array.
            let at = usize::from(text.starts_with('['));
            shows(text, DefectKind::NotJson, at)
        }),
        (lawful(), any::<Index>()).prop_filter_map("nothing is left", |(message, place)| {
            cut_short(&message, place)
        }),
    ]
}

/// The message up to some character: no proper prefix of an object or an array is JSON.
fn cut_short(message: &Message, place: Index) -> Option<Line> {
    let text = message.text.trim();
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
    let prefix = &text[..*place.get(&boundaries)];
    Some(shows(prefix, DefectKind::NotJson, prefix.len()))
}

fn no_message() -> impl Strategy<Value = Line> {
    let fixed = select(
        &[
            ("null", 0),
            (" true", 1),
            ("-1", 0),
            ("\"{}\"", 0),
            ("{}", 0),
            ("[]", 0),
            ("[[]]", 1),
            ("{\"jsonrpc\":\"2.0\",\"id\":1}", 0),
            ("{\"id\":1,\"method\":\"a\",\"result\":{}}", 0),
            ("{\"id\":1,\"result\":{},\"error\":null}", 0),
            ("{\"id\":1,\"method\":{}}", 0),
            ("[{\"method\":\"a\"}, {}]", 17),
        ][..],
    );
    fixed.prop_map(|(text, at)| shows(text, DefectKind::NotJsonRpc, at))
}
