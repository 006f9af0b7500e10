//! Lines of stdio: how they end, what is wrong with them, and where.

use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::stdio::DefectKind::*;
use mcp_assay_wire::stdio::{DefectKind, Frame, Framer, Limits, Terminator};

const LIMITS: Limits = Limits {
    max_frame: 40,
    kept_of_oversized: 8,
};

/// The frames of a stream that arrives in one piece.
fn frames(bytes: &[u8], limits: Limits) -> Vec<Frame> {
    let mut framer = Framer::new(limits);
    let mut frames = framer.push(bytes);
    frames.extend(framer.finish());
    frames
}

/// The only frame of a line, with a newline added.
fn line(bytes: &[u8]) -> Frame {
    let mut stream = bytes.to_vec();
    stream.push(b'\n');
    let mut frames = frames(&stream, Limits::default());
    assert_eq!(frames.len(), 1, "{}", bytes.escape_ascii());
    frames.remove(0)
}

fn kinds_and_offsets(frame: &Frame) -> Vec<(DefectKind, u64)> {
    frame.defects.iter().map(|d| (d.kind, d.offset)).collect()
}

/// A line, and its defects with their offsets.
type Row = (&'static [u8], &'static [(DefectKind, u64)]);

#[test]
fn each_defect_is_named_where_it_starts() {
    let table: &[Row] = &[
        // Lawful.
        (br#"{"method":"a"}"#, &[]),
        (b" \t{\"method\":\"a\"}\r", &[]),
        (br#"{"id":"\u0000","method":"a"}"#, &[]),
        (br#"{"id":"\ud83d\ude00","method":"a"}"#, &[]),
        (br#"{"id":-0,"result":1.0}"#, &[]),
        (br#"{"id":1.5,"result":1e0}"#, &[]),
        (br#"{"a":{"a":1},"result":[{"b":1},{"b":1}]}"#, &[]),
        (br#"{"params":{"id":1.0,"code":1.0},"method":"a"}"#, &[]),
        // White space only.
        (b"", &[(Blank, 0)]),
        (b" \t ", &[(Blank, 0)]),
        (b"\r", &[(Blank, 0)]),
        (b"\r\r", &[(Blank, 0)]),
        // Bytes.
        (b"\xff", &[(InvalidUtf8, 0)]),
        (b"{\"method\":\"\xc3\x28\"}", &[(InvalidUtf8, 11)]),
        (b"{\"method\":\"\xed\xa0\x80\"}", &[(InvalidUtf8, 11)]),
        (b"{\"method\":\"a\"}\xe2\x82", &[(InvalidUtf8, 14)]),
        (b"\0\xff", &[(Nul, 0), (InvalidUtf8, 1)]),
        (b"\xff\xfe{\0}\0", &[(InvalidUtf8, 0), (Nul, 3)]),
        (b"{\"method\":\"a\0b\0\"}", &[(Nul, 12)]),
        (b"{\"method\":\"a\"}\0\0", &[(Nul, 14)]),
        (
            b"{\"method\":nope,\"a\":\"\0\"}",
            &[(NotJson, 11), (Nul, 20)],
        ),
        // Byte-order mark.
        (b"\xef\xbb\xbf{\"method\":\"a\"}", &[(ByteOrderMark, 0)]),
        (b"\xef\xbb\xbf", &[(ByteOrderMark, 0), (Blank, 3)]),
        (b"\xef\xbb\xbfx", &[(ByteOrderMark, 0), (NotJson, 3)]),
        (b" \xef\xbb\xbf{}", &[(NotJson, 1)]),
        (
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            &[(ByteOrderMark, 0), (NotJson, 3)],
        ),
        // Text.
        (br#"{"id":"\ud800","result":1}"#, &[(LoneSurrogate, 7)]),
        (br#"{"\udc00":1,"result":1}"#, &[(LoneSurrogate, 2)]),
        (br#"{"id":1,"id":2,"result":1}"#, &[(DuplicateKey, 8)]),
        (br#"{"id":1,"\u0069d":2,"result":1}"#, &[(DuplicateKey, 8)]),
        (
            br#"{"result":[0,{"a":1,"a":1,"a":1}]}"#,
            &[(DuplicateKey, 20), (DuplicateKey, 26)],
        ),
        (
            br#"{"result":{"a":{"b":1,"b":2},"a":3}}"#,
            &[(DuplicateKey, 22), (DuplicateKey, 29)],
        ),
        // Numbers.
        (br#"{"id":1.0,"result":1}"#, &[(NumberForm, 6)]),
        (br#"{"id":10E-1,"method":"a"}"#, &[(NumberForm, 6)]),
        (br#"{"id":-0.0,"method":"a"}"#, &[(NumberForm, 6)]),
        (
            br#"{"error":{"code":-32601.0,"message":""},"id":1e0}"#,
            &[(NumberForm, 17), (NumberForm, 45)],
        ),
        (
            br#"{"result":[1e400,-1e400]}"#,
            &[(NumberRange, 11), (NumberRange, 17)],
        ),
        (
            br#"{"id":1e400,"result":1}"#,
            &[(NumberRange, 6), (NumberForm, 6)],
        ),
        // No JSON.
        (b"Server started", &[(NotJson, 0)]),
        (b"{\"method\":\"a\"", &[(NotJson, 13)]),
        (b"{}{}", &[(NotJson, 2)]),
        (b"[1,]", &[(NotJson, 3)]),
        (b"{\"a\":1,}", &[(NotJson, 7)]),
        (b"{'a':1}", &[(NotJson, 1)]),
        (b"{\"a\" 1}", &[(NotJson, 5)]),
        (b"{\"a\":1 \"b\"", &[(NotJson, 7)]),
        (b"[1 2]", &[(NotJson, 3)]),
        (b"[1}", &[(NotJson, 2)]),
        (b"01", &[(NotJson, 1)]),
        (b"1.", &[(NotJson, 2)]),
        (b"-", &[(NotJson, 1)]),
        (b"+1", &[(NotJson, 0)]),
        (b"NaN", &[(NotJson, 0)]),
        (b"nul", &[(NotJson, 3)]),
        (b"truthy", &[(NotJson, 3)]),
        (b"\"a\tb\"", &[(NotJson, 2)]),
        (b"\"\\x\"", &[(NotJson, 2)]),
        (b"\"\\u12g4\"", &[(NotJson, 5)]),
        (b"\"open", &[(NotJson, 5)]),
        (b"{\"a\":1,\"a\":2", &[(NotJson, 12)]),
        // No JSON-RPC.
        (b" 1", &[(NotJsonRpc, 1)]),
        (b"null", &[(NotJsonRpc, 0)]),
        (b"{}", &[(NotJsonRpc, 0)]),
        (b"[]", &[(NotJsonRpc, 0)]),
        (
            b"[1,{\"method\":\"a\"},[]]",
            &[(NotJsonRpc, 1), (NotJsonRpc, 18)],
        ),
    ];
    for (bytes, expected) in table {
        let frame = line(bytes);
        let name = bytes.escape_ascii();
        assert_eq!(kinds_and_offsets(&frame), *expected, "{name}");
        let explains_absence =
            |kind| matches!(kind, Blank | InvalidUtf8 | Nul | Oversized | NotJson);
        let has_reason = expected.iter().any(|(kind, _)| explains_absence(*kind));
        assert_eq!(frame.message.is_none(), has_reason, "{name}");
    }
}

#[test]
fn details_name_the_key_the_place_and_the_text() {
    for (bytes, details) in [
        (
            &br#"{"params":{"a/b":[{"~":1,"~":2}]},"method":"a"}"#[..],
            &["key `~` again, at /params/a~1b/0/~0"][..],
        ),
        (
            br#"{"id":1,"id":1.0,"result":0}"#,
            &["key `id` again, at /id", "`1.0` at /id"],
        ),
        (
            br#"[{"error":{"code":1e0},"id":null}]"#,
            &["`1e0` at /0/error/code"],
        ),
        (br#"{"result":["\ud83d"]}"#, &["`\\ud83d` at /result/0"]),
        (br#"{"result":{"x":1e999}}"#, &["`1e999` at /result/x"]),
        (
            b"Server started",
            &["expected a value, found `Server started`"],
        ),
        (
            br#"{"a":1"#,
            &["expected ',' or '}', found the end of the text"],
        ),
        (b"\xff", &["byte 0xff is no UTF-8"]),
        (b"\0\0", &["the first of 2"]),
        (
            br#"{"result":1,"error":{}}"#,
            &[r#""result" beside "error""#],
        ),
        (
            b"[1]",
            &["item 0 of the batch: neither an object nor a batch"],
        ),
    ] {
        let frame = line(bytes);
        let actual: Vec<&str> = frame.defects.iter().map(|d| d.detail.as_str()).collect();
        assert_eq!(actual, details, "{}", bytes.escape_ascii());
    }
}

#[test]
fn details_quote_a_bounded_excerpt() {
    let key = "k".repeat(10_000);
    let frame = line(format!(r#"{{"result":{{"{key}":1,"{key}":2}}}}"#).as_bytes());
    assert!(frame.defects[0].detail.len() < 200);
    assert!(line(key.as_bytes()).defects[0].detail.len() < 200);
}

#[test]
fn repeated_defects_are_listed_eight_times() {
    let members = r#""a":"\ud800","#.repeat(100);
    let frame = line(format!(r#"{{{members}"result":1}}"#).as_bytes());
    for kind in [DuplicateKey, LoneSurrogate] {
        assert_eq!(
            frame.defects.iter().filter(|d| d.kind == kind).count(),
            8,
            "{kind:?}"
        );
    }
    let batch = format!("[{}1]", r#"{"id":1.0},"#.repeat(100));
    let frame = line(batch.as_bytes());
    for kind in [NotJsonRpc, NumberForm] {
        assert_eq!(
            frame.defects.iter().filter(|d| d.kind == kind).count(),
            8,
            "{kind:?}"
        );
    }
}

#[test]
fn offsets_lengths_and_terminators_follow_the_stream() {
    let stream = b"{\"method\":\"a\"}\r\n\nx\r\r\n {\"method\":\"b\"}";
    let frames = frames(stream, LIMITS);
    let seen: Vec<_> = frames
        .iter()
        .map(|f| {
            (
                f.offset,
                f.length,
                f.raw.as_ref(),
                f.terminator,
                kinds_and_offsets(f),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (0, 14, &b"{\"method\":\"a\"}"[..], Terminator::CrLf, vec![]),
            (16, 0, &b""[..], Terminator::Lf, vec![(Blank, 16)]),
            (17, 2, &b"x\r"[..], Terminator::CrLf, vec![(NotJson, 17)]),
            (
                21,
                15,
                &b" {\"method\":\"b\"}"[..],
                Terminator::EndOfInput,
                vec![(NoFinalNewline, 36)]
            ),
        ]
    );
    assert_eq!(
        frames[3].message.as_ref().expect("there is one").kind,
        Kind::Notification
    );
}

#[test]
fn the_end_of_input_ends_a_line_once() {
    let mut framer = Framer::new(LIMITS);
    assert_eq!(framer.finish(), None);
    assert!(framer.push(b"12\n3\r").len() == 1);
    assert_eq!(framer.pending(), 2);
    let last = framer.finish().expect("there is one");
    assert_eq!(
        (last.offset, last.length, last.raw.as_ref()),
        (3, 2, &b"3\r"[..])
    );
    assert_eq!((framer.pending(), framer.finish()), (0, None));
    assert_eq!(framer.push(b"\n")[0].offset, 5);
}

#[test]
fn the_bound_counts_the_line_without_its_terminator() {
    for (content, ending, oversized) in [
        (40, "\n", false),
        (40, "\r\n", false),
        (41, "\n", true),
        (41, "\r\n", true),
        (40, "", false),
        (39, "\r", false),
        (40, "\r", true),
        (41, "", true),
    ] {
        let text = format!("{}{ending}", "1".repeat(content));
        let frame = frames(text.as_bytes(), LIMITS).remove(0);
        assert_eq!(frame.has(Oversized), oversized, "{content} {ending:?}");
        let length = content + usize::from(ending == "\r");
        assert_eq!(frame.length, length as u64, "{content} {ending:?}");
        assert_eq!(
            frame.raw.len(),
            if oversized { 8 } else { length },
            "{content} {ending:?}"
        );
        assert_eq!(frame.message.is_none(), oversized, "{content} {ending:?}");
    }
}

#[test]
fn an_oversized_line_is_counted_and_the_next_is_read() {
    let mut framer = Framer::new(Limits::default());
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..300 {
        assert!(framer.push(&piece).is_empty());
    }
    assert_eq!(framer.pending(), 300 << 20);
    let frames = framer.push(b"\n{\"id\":1,\"result\":{}}\n");
    assert_eq!(frames[0].length, 300 << 20);
    assert_eq!(frames[0].raw.len(), 4096);
    assert_eq!(kinds_and_offsets(&frames[0]), [(Oversized, 0)]);
    assert_eq!(
        frames[0].defects[0].detail,
        "314572800 bytes, where 16777216 are read"
    );
    assert_eq!(frames[1].offset, (300 << 20) + 1);
    assert_eq!(
        frames[1].message.as_ref().expect("there is one").kind,
        Kind::Result
    );
}

#[test]
fn an_evidence_bound_above_the_frame_bound_is_cut_to_it() {
    let limits = Limits {
        max_frame: 4,
        kept_of_oversized: 100,
    };
    for stream in [&b"123456\n"[..], b"1234\r\r\n", b"12345", b"1234\r"] {
        let frame = frames(stream, limits).remove(0);
        assert_eq!(
            (frame.raw.as_ref(), frame.has(Oversized)),
            (&b"1234"[..], true)
        );
    }
}

#[test]
fn a_long_line_in_single_bytes_is_read_whole() {
    // Quadratic work would take hours here.
    let text = format!(r#"{{"id":1,"result":"{}"}}"#, "x".repeat(16 << 20));
    let limits = Limits {
        max_frame: 17 << 20,
        kept_of_oversized: 8,
    };
    let mut framer = Framer::new(limits);
    for byte in text.bytes() {
        assert!(framer.push(&[byte]).is_empty());
    }
    let frame = framer.push(b"\n").remove(0);
    assert_eq!(frame.raw, text);
    assert_eq!(
        frame.message.expect("there is one").value["result"]
            .as_str()
            .expect("there is one")
            .len(),
        16 << 20
    );
}
