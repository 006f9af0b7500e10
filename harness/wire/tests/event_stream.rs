//! Server-sent events: what a block says, where it stands in the stream, what is wrong with it, and that memory is bounded.

use mcp_assay_wire::sse::{Event, Parser};
use mcp_assay_wire::stdio::DefectKind::{self, *};
use mcp_assay_wire::stdio::Limits;
use proptest::prelude::*;

const LIMITS: Limits = Limits {
    max_frame: 40,
    kept_of_oversized: 8,
};

/// The events of a stream that arrives in one piece.
fn events_within(bytes: &[u8], limits: Limits) -> Vec<Event> {
    let mut parser = Parser::new(limits);
    let mut events = parser.push(bytes);
    events.extend(parser.finish());
    events
}

fn events(bytes: &[u8]) -> Vec<Event> {
    events_within(bytes, Limits::default())
}

/// The only event of a block, with an empty line added.
fn block(bytes: &[u8]) -> Event {
    let mut events = events(&[bytes, b"\n\n"].concat());
    assert_eq!(events.len(), 1, "{}", bytes.escape_ascii());
    events.remove(0)
}

fn kinds_and_offsets(event: &Event) -> Vec<(DefectKind, u64)> {
    event.defects.iter().map(|d| (d.kind, d.offset)).collect()
}

fn data(event: &Event) -> Option<&[u8]> {
    event.data.as_deref()
}

#[test]
fn data_is_what_the_standard_says() {
    let table: &[(&[u8], Option<&[u8]>)] = &[
        (b"data: a", Some(b"a")),
        (b"data:a", Some(b"a")),
        (b"data:  a ", Some(b" a ")),
        (b"data:\ta", Some(b"\ta")),
        (b"data: a: b", Some(b"a: b")),
        (b"data", Some(b"")),
        (b"data:", Some(b"")),
        (b"data: ", Some(b"")),
        (b"data\ndata", Some(b"\n")),
        (b"data: a\ndata:\ndata: b\ndata", Some(b"a\n\nb\n")),
        (b"data: a\n: between\nid: 1\ndata: b", Some(b"a\nb")),
        (b"data: \0", Some(b"\0")),
        (b"data: \xff", Some(b"\xff")),
        // No data: names are compared byte by byte.
        (b"Data: a", None),
        (b" data: a", None),
        (b"data : a", None),
        (b"dat: a", None),
        (b":data: a", None),
        (b": keep-alive", None),
        (b"id: 1", None),
        (b"retry: 1", None),
        (b"event: x", None),
    ];
    for (bytes, expected) in table {
        let event = block(bytes);
        assert_eq!(data(&event), *expected, "{}", bytes.escape_ascii());
        assert!(event.is_terminated);
        assert_eq!(event.is_dispatched(), expected.is_some());
    }
}

#[test]
fn the_priming_event_has_an_id_and_empty_data() {
    let event = block(b"id: a/7\nretry: 2500\ndata:");
    assert_eq!(event.id.as_deref(), Some("a/7"));
    assert_eq!(event.retry, Some(2500));
    assert_eq!(data(&event), Some(&b""[..]));
    assert!(event.is_dispatched());
}

#[test]
fn other_fields_keep_their_last_value() {
    let event = block(b"event: a\nevent: b\nid: 1\nid: 2\nretry: 1\nretry: 2\ndata: x");
    assert_eq!(event.name.as_deref(), Some("b"));
    assert_eq!(event.id.as_deref(), Some("2"));
    assert_eq!(event.retry, Some(2));
    for (bytes, name, kind) in [
        (&b"data: x"[..], None, "message"),
        (b"event\ndata: x", Some(""), "message"),
        (b"event: endpoint\ndata: x", Some("endpoint"), "endpoint"),
        (b"event: endpoint\nevent:\ndata: x", Some(""), "message"),
        (b"event: a\xffb", Some("a\u{fffd}b"), "a\u{fffd}b"),
    ] {
        let event = block(bytes);
        assert_eq!((event.name.as_deref(), event.kind()), (name, kind));
    }
}

#[test]
fn retry_is_digits_only_and_saturates() {
    for (value, expected) in [
        ("0", Some(0)),
        ("007", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", Some(u64::MAX)),
        ("99999999999999999999999999999999", Some(u64::MAX)),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1e3", None),
        (" 1", None),
        ("1 ", None),
        ("\u{661}", None),
    ] {
        let event = block(format!("retry: 5\nretry: {value}").as_bytes());
        let defects: Vec<_> = expected.map_or_else(|| vec![(IgnoredField, 16)], |_| vec![]);
        assert_eq!(event.retry, expected.or(Some(5)), "{value:?}");
        assert_eq!(kinds_and_offsets(&event), defects, "{value:?}");
    }
}

#[test]
fn the_last_event_id_is_that_of_the_standard() {
    let mut parser = Parser::new(Limits::default());
    let mut after = |bytes: &[u8]| {
        let defects: Vec<_> = parser
            .push(bytes)
            .iter()
            .flat_map(kinds_and_offsets)
            .collect();
        (parser.last_event_id().to_owned(), defects)
    };
    let id = |id: &str| (id.to_owned(), vec![]);
    assert_eq!(after(b": hello\n\n"), id(""));
    assert_eq!(
        after(b"data: a\nid: 1"),
        id(""),
        "not before the empty line"
    );
    assert_eq!(after(b"\n\n"), id("1"));
    assert_eq!(after(b"data: b\n\n"), id("1"), "kept where there is none");
    assert_eq!(after(b"id: 2\n\n"), id("2"), "set without data");
    let at = b": hello\n\ndata: a\nid: 1\n\ndata: b\n\nid: 2\n\n".len() as u64;
    let nul = ("2".to_owned(), vec![(IgnoredField, at + 5)]);
    assert_eq!(
        after(b"id: 3\0\ndata: c\n\n"),
        nul,
        "a NUL makes it count for nothing"
    );
    assert_eq!(after(b"id:\n\n"), id(""), "reset by an empty one");
    assert_eq!(after("id: é \n\n".as_bytes()), id("é "));
    assert_eq!(after(b"id\n\n"), id(""));
    assert_eq!(after(b"id: 9\ndata: d"), id(""));
    let cut = parser.finish().expect("a block has begun");
    assert_eq!(cut.id.as_deref(), Some("9"));
    assert_eq!(parser.last_event_id(), "", "what is cut off sets none");
}

#[test]
fn lines_end_in_any_way() {
    for first in ["\n", "\r", "\r\n"] {
        for second in ["\n", "\r", "\r\n"] {
            for third in ["\n", "\r", "\r\n"] {
                let text = format!("data: a{first}data: b{second}{third}data: c{second}{third}");
                let events = events(text.as_bytes());
                let read: Vec<_> = events.iter().filter_map(data).collect();
                // CR then LF is one end, so no line is empty between them.
                let expected: &[&[u8]] = match (second, third) {
                    ("\r", "\n") => &[b"a\nb\nc"],
                    _ => &[b"a\nb", b"c"],
                };
                assert_eq!(read, expected, "{text:?}");
            }
        }
    }
}

#[test]
fn an_event_is_given_at_the_byte_that_ends_it() {
    for (before, last, after) in [
        ("data: a\n", b'\n', "data: b\n\n"),
        ("data: a\r", b'\r', "data: b\n\n"),
        ("data: a\r\n", b'\r', "\ndata: b\n\n"),
        ("data: a\n", b'\r', "\ndata: b\n\n"),
        ("data: a\r", b'\r', "\n\ndata: b\n\n"),
        ("data: a\r\n", b'\n', "data: b\n\n"),
    ] {
        let mut parser = Parser::new(Limits::default());
        assert_eq!(parser.push(before.as_bytes()), [], "{before:?}");
        assert_eq!(parser.pending(), before.len() as u64);
        let events = parser.push(&[last]);
        assert_eq!(events.len(), 1, "{before:?}");
        assert_eq!(data(&events[0]), Some(&b"a"[..]));
        assert_eq!(events[0].length, before.len() as u64 + 1);
        assert_eq!(parser.pending(), 0);
        let events = parser.push(after.as_bytes());
        assert_eq!(events.len(), 1, "{before:?}");
        let at = before.len() + 1 + after.find("data").expect("it is there");
        assert_eq!(
            (events[0].offset, data(&events[0])),
            (at as u64, Some(&b"b"[..]))
        );
        assert_eq!(parser.finish(), None);
    }
}

#[test]
fn offsets_lengths_and_bytes_follow_the_stream() {
    let stream = b"\xef\xbb\xbf\n\r\n\rdata: a\n\n\n\r\r\n: c\r\nid: 4\r\n\r\ndata: x\r\r\nretry: 5\ndata: y";
    let events = events(stream);
    let seen: Vec<_> = events
        .iter()
        .map(|e| (e.offset, e.raw.as_ref(), e.data_offset, e.is_terminated))
        .collect();
    let expected: [(u64, &[u8], u64, bool); 4] = [
        (7, b"data: a\n\n", 13, true),
        (20, b": c\r\nid: 4\r\n\r", 0, true),
        (34, b"data: x\r\r", 40, true),
        (44, b"retry: 5\ndata: y", 59, false),
    ];
    assert_eq!(seen, expected);
    for event in &events {
        assert_eq!(event.length, event.raw.len() as u64);
        let start = event.offset as usize;
        assert_eq!(&stream[start..start + event.raw.len()], event.raw);
        assert_eq!(event.defects, []);
    }
}

#[test]
fn empty_lines_alone_are_no_event() {
    for stream in [
        "",
        "\n",
        "\r",
        "\r\n",
        "\n\n\n\r\r\r\n\r\n",
        "\u{feff}",
        "\u{feff}\n\n",
    ] {
        assert_eq!(events(stream.as_bytes()), [], "{stream:?}");
    }
}

#[test]
fn a_byte_order_mark_counts_only_at_the_very_start() {
    let first = events("\u{feff}data: a\n\n".as_bytes()).remove(0);
    assert_eq!((first.offset, data(&first)), (3, Some(&b"a"[..])));
    assert_eq!(first.unknown_fields, Vec::<String>::new());
    let twice = events("\u{feff}\u{feff}data: a\n\n".as_bytes()).remove(0);
    assert_eq!((twice.offset, data(&twice)), (3, None));
    assert_eq!(twice.unknown_fields, ["\u{feff}data"]);
    let later = events("\n\u{feff}data: a\n\n".as_bytes()).remove(0);
    assert_eq!((later.offset, later.unknown_fields.len()), (1, 1));
    // Parts of one are bytes like any other.
    for part in [&b"\xef"[..], b"\xef\xbb"] {
        let mut parser = Parser::new(Limits::default());
        assert_eq!(parser.push(part), []);
        assert_eq!(parser.pending(), part.len() as u64);
        let cut = parser.finish().expect("bytes are left");
        assert_eq!((cut.offset, cut.raw.as_ref()), (0, part));
        assert_eq!(kinds_and_offsets(&cut), [(InvalidUtf8, 0)]);
        let whole = events(&[part, b"data: a\n\n"].concat()).remove(0);
        assert_eq!((whole.offset, data(&whole)), (0, None));
        assert_eq!(kinds_and_offsets(&whole), [(InvalidUtf8, 0)]);
    }
}

#[test]
fn comments_are_counted_and_unknown_fields_are_listed() {
    let event = block(b": a\n:\nfoo: bar\n:::\nData\ndata: x\n\xffy:\n");
    assert_eq!(event.comments, 3);
    assert_eq!(event.unknown_fields, ["foo", "Data", "\u{fffd}y"]);
    assert_eq!(data(&event), Some(&b"x"[..]));
    assert_eq!(kinds_and_offsets(&event), [(InvalidUtf8, 32)]);
    let event = block(&[b"{}\n".repeat(500), "é".repeat(500).into_bytes()].concat());
    assert_eq!(event.unknown_fields.len(), 64);
    let event = block("é".repeat(500).as_bytes());
    assert_eq!(event.unknown_fields, ["é".repeat(128)]);
}

#[test]
fn invalid_utf8_is_named_where_it_is_in_any_line() {
    let event =
        block(b": \xff\nid: \xc3\nevent: \xed\xa0\x80\ndata: a\xe2\x82\ndata: \xf0\x9f\x98\x80");
    let expected = [
        (InvalidUtf8, 2),
        (InvalidUtf8, 8),
        (InvalidUtf8, 17),
        (InvalidUtf8, 28),
    ];
    assert_eq!(kinds_and_offsets(&event), expected);
    assert_eq!(event.defects[1].detail, "byte 0xc3 is no UTF-8");
    assert_eq!(event.id.as_deref(), Some("\u{fffd}"));
    assert_eq!(data(&event), Some(&b"a\xe2\x82\n\xf0\x9f\x98\x80"[..]));
    let many = block(&b"data: \xff\n".repeat(100));
    assert_eq!(many.defects.len(), 8);
}

#[test]
fn what_the_end_cuts_off_is_no_event_of_a_browser() {
    for (stream, expected) in [
        (&b"data: a"[..], Some(&b"a"[..])),
        (b"data: a\n", Some(b"a")),
        (b"data: a\r", Some(b"a")),
        (b"data: a\r\n", Some(b"a")),
        (b"data: a\ndat", Some(b"a")),
        (b": c", None),
    ] {
        let mut events = events(stream);
        let event = events.remove(0);
        assert_eq!(events, []);
        assert_eq!((data(&event), event.is_terminated), (expected, false));
        assert!(!event.is_dispatched());
        assert_eq!(event.raw, stream);
    }
}

#[test]
fn the_end_of_input_ends_a_block_once() {
    let mut parser = Parser::new(LIMITS);
    assert_eq!(parser.finish(), None);
    assert_eq!(parser.push(b"data: a\r"), []);
    assert!(parser.finish().is_some());
    assert_eq!((parser.pending(), parser.finish()), (0, None));
    let next = parser.push(b"\ndata: b\n\n").remove(0);
    assert_eq!((next.offset, data(&next)), (9, Some(&b"b"[..])));
}

#[test]
fn the_bound_counts_the_whole_block() {
    for (content, ending, is_oversized) in [
        (32, "\n\n", false),
        (33, "\n\n", true),
        (31, "\r\n\r\n", false),
        (32, "\r\n\r\n", true),
        (33, "\n", false),
        (34, "\n", true),
        (34, "", false),
        (35, "", true),
    ] {
        let text = format!("data: {}{ending}", "x".repeat(content));
        for stride in [1, 7, 100] {
            let mut parser = Parser::new(LIMITS);
            let pieces = text.as_bytes().chunks(stride);
            let mut events: Vec<_> = pieces.flat_map(|piece| parser.push(piece)).collect();
            events.extend(parser.finish());
            let event = events.remove(0);
            let name = format!("{content} {ending:?} {stride}");
            assert_eq!(event.has(Oversized), is_oversized, "{name}");
            assert_eq!(event.data.is_none(), is_oversized, "{name}");
            assert_eq!(
                event.data_offset,
                if is_oversized { 0 } else { 6 },
                "{name}"
            );
            let kept = if is_oversized {
                8
            } else {
                event.length as usize
            };
            assert_eq!(event.raw.len(), kept, "{name}");
            assert!(events.is_empty(), "{name}");
        }
    }
}

#[test]
fn fields_of_an_oversized_block_count_and_the_next_is_read() {
    let long = "x".repeat(100);
    let stream = format!("id: 1\ndata: {long}\nevent: big\nretry: 7\nid: 2\n: c\n\ndata: next\n\n");
    let events = events_within(stream.as_bytes(), LIMITS);
    assert_eq!(events.len(), 2);
    let big = &events[0];
    assert_eq!((big.raw.as_ref(), data(big)), (&b"id: 1\nda"[..], None));
    assert_eq!(big.name.as_deref(), Some("big"));
    assert_eq!(
        (big.id.as_deref(), big.retry, big.comments),
        (Some("2"), Some(7), 1)
    );
    assert_eq!(kinds_and_offsets(big), [(Oversized, 0)]);
    assert_eq!(
        big.defects[0].detail,
        format!("{} bytes, where 40 are read", big.length)
    );
    assert_eq!(events[1].offset, big.length);
    assert_eq!(data(&events[1]), Some(&b"next"[..]));
}

#[test]
fn a_line_that_is_lost_is_not_taken_for_another() {
    let stream = format!("id: {}\ndata: a\n\nid: 5\n\n", "9".repeat(100));
    let mut parser = Parser::new(LIMITS);
    let events = parser.push(stream.as_bytes());
    assert_eq!(
        (events[0].id.as_deref(), events[0].has(Oversized)),
        (None, true)
    );
    assert_eq!(parser.last_event_id(), "5");
}

#[test]
fn endless_comments_and_endless_data_are_counted_not_kept() {
    let limits = Limits {
        max_frame: 1 << 16,
        kept_of_oversized: 100,
    };
    for line in [&b": ping\n"[..], b"data: x\n", b"data: x", b"other: y\r\n"] {
        let piece = line.repeat((1 << 20) / line.len());
        let mut parser = Parser::new(limits);
        for _ in 0..16 {
            assert_eq!(parser.push(&piece), []);
        }
        assert_eq!(parser.pending(), 16 * piece.len() as u64);
        // What is held shows in its `Debug` form, byte by byte.
        let held = format!("{parser:?}").len();
        assert!(held < 6 * (1 << 16), "{held} characters are held");
        let event = parser.push(b"\n\n").remove(0);
        assert_eq!((event.raw.len(), event.data.is_none()), (100, true));
        assert!(event.has(Oversized) && event.unknown_fields.len() <= 64);
    }
}

#[test]
fn a_long_event_in_single_bytes_is_read_whole() {
    // Quadratic work would take hours here.
    let lines = "data: 0123456789\n".repeat(1 << 18);
    let mut parser = Parser::new(Limits::default());
    for byte in lines.bytes() {
        assert!(parser.next_event(&mut &[byte][..]).is_none());
    }
    let event = parser.push(b"\n").remove(0);
    assert_eq!(event.data.map(|data| data.len()), Some((11 << 18) - 1));
    assert_eq!(event.length, lines.len() as u64 + 1);
}

/// Bytes that are mostly fields, line ends and parts of both.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(
        &[
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "\r\r",
            "data",
            "data:",
            "data: a",
            "id: 1",
            "id",
            "id: \0",
            ":",
            " ",
            "retry: 10",
            "retry: x",
            "event: e",
            "x",
            "\u{feff}",
            "{}",
            "é",
        ][..],
    );
    let token = prop_oneof![
        12 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(token, 0..32).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(bytes in soup(), lengths in prop::collection::vec(0..6_usize, 0..40), max_frame in 0..64_usize) {
        for limits in [Limits::default(), Limits { max_frame, kept_of_oversized: 8 }] {
            let mut parser = Parser::new(limits);
            let mut rest = &bytes[..];
            let mut events = Vec::new();
            for length in &lengths {
                let (piece, after) = rest.split_at((*length).min(rest.len()));
                events.extend(parser.push(piece));
                rest = after;
            }
            events.extend(parser.push(rest));
            events.extend(parser.finish());
            prop_assert_eq!(events, events_within(&bytes, limits));
        }
    }
}
