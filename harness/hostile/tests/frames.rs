//! The generators keep their word, and the oracles hold for what they make and for any other bytes.

use mcp_assay_hostile::frames::{self, Line, Message, spell};
use mcp_assay_hostile::oracle;
use mcp_assay_wire::jsonrpc::examine;
use mcp_assay_wire::stdio::{DefectKind, Framer, Limits};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;

/// Text over the alphabet of JSON, mostly broken, sometimes not.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        prop::sample::select(
            &[
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "\"",
                "\\",
                "\\u",
                "\\ud83d",
                "\\ude00",
                "\\n",
                "\"id\":",
                "\"method\":\"a\"",
                "\"result\":",
                "\"error\":",
                "\"code\":",
                "1",
                "0",
                "-",
                ".",
                "e",
                "1e400",
                "1.0",
                "true",
                "false",
                "null",
                " ",
                "\n",
                "\r",
                "\t",
                "\0",
                "é",
                "\u{feff}",
                "\u{1f600}",
            ][..]
        )
        .prop_map(|token| token.as_bytes().to_vec()),
        any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

fn held(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

proptest! {
    #[test]
    fn a_lawful_message_is_read_as_what_it_is(message in frames::lawful()) {
        let Message { value, text, kind } = message;
        let examined = examine(text.as_bytes(), 0);
        prop_assert_eq!(examined.defects, vec![]);
        let read = examined.message.expect("it is JSON");
        prop_assert_eq!(read.kind, kind);
        prop_assert_eq!(&*read.value, &value);
    }

    #[test]
    fn the_plain_spelling_is_that_of_serde_json(message in frames::lawful()) {
        prop_assert_eq!(spell(&message.value, 0), message.value.to_string());
    }

    #[test]
    fn a_broken_line_shows_its_defect_where_it_is(line in frames::broken()) {
        let examined = examine(&line.bytes, 0);
        let shown: Vec<_> = examined.defects.iter().map(|d| (d.kind, d.offset as usize)).collect();
        let expected = line.shows.expect("a broken line has a defect");
        prop_assert!(shown.contains(&expected), "{:?} not in {:?}: {}", expected, shown, line.bytes.escape_ascii());
        held(oracle::text(&line.bytes))?;
    }

    #[test]
    fn a_stream_gives_its_lines_however_it_is_cut(stream in frames::stream()) {
        let limits = Limits::default();
        held(oracle::split_invariance(&stream.bytes, &stream.cuts, limits))?;
        held(oracle::stdio_frames(&stream.bytes))?;
        let mut framer = Framer::new(limits);
        let mut frames = framer.push(&stream.bytes);
        frames.extend(framer.finish());
        prop_assert_eq!(frames.len(), stream.lines.len());
        for (frame, (offset, Line { bytes, shows }, terminator)) in frames.iter().zip(&stream.lines) {
            prop_assert_eq!((frame.offset, frame.terminator), (*offset, *terminator));
            prop_assert_eq!(&frame.raw, bytes);
            let shown = |(kind, at): &(DefectKind, usize)| {
                frame.defects.iter().any(|d| d.kind == *kind && d.offset == offset + *at as u64)
            };
            prop_assert!(shows.iter().all(shown), "{:?}: {:?}", shows, frame);
        }
    }

    #[test]
    fn the_oracles_hold_for_any_bytes(bytes: Vec<u8>) {
        held(oracle::stdio_frames(&bytes))?;
        held(oracle::text(&bytes))?;
    }

    #[test]
    fn the_oracles_hold_for_what_is_nearly_json(bytes in near_json()) {
        held(oracle::stdio_frames(&bytes))?;
        held(oracle::text(&bytes))?;
    }

    #[test]
    fn the_oracles_hold_for_lawful_messages(message in frames::lawful()) {
        held(oracle::text(message.text.as_bytes()))?;
    }

    #[test]
    fn ids_are_compared_alike_in_both_orders(
        a in "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][-+]?[0-9]{1,2})?|\"[a1.e\\\\u06]{0,6}\"|null",
        b in "-?(0|[1-9][0-9]{0,2})(\\.0{1,3})?(e[-+]?[0-3])?|\"[0-3]\"",
    ) {
        held(oracle::ids(&a, &b))?;
        held(oracle::ids(&b, &b))?;
    }
}

#[test]
fn the_grammar_reaches_every_kind_of_defect() {
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRunner::deterministic().new_rng());
    let strategy = frames::broken();
    let mut seen = BTreeSet::new();
    for _ in 0..2_000 {
        let line = strategy
            .new_tree(&mut runner)
            .expect("the grammar is total")
            .current();
        seen.extend(line.shows.map(|(kind, _)| kind));
    }
    use DefectKind::*;
    // The two that are missing are no property of a line: one needs the end of the stream, one a bound.
    let all = [
        Blank,
        InvalidUtf8,
        ByteOrderMark,
        Nul,
        LoneSurrogate,
        DuplicateKey,
        NumberForm,
        NumberRange,
        TooDeep,
        NotJson,
        NotJsonRpc,
    ];
    assert_eq!(seen, BTreeSet::from(all));
}
