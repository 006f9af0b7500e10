//! Heads of HTTP messages: what is a field, what the start line and the media type say, and heads written by hand.

use bytes::Bytes;
use mcp_assay_wire::http::{Head, MAX_FIELDS};
use proptest::prelude::*;

fn head(bytes: &[u8]) -> Head {
    let head = Head::parse(Bytes::copy_from_slice(bytes));
    assert_eq!(head.raw, bytes);
    head
}

fn fields(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let fields = head(bytes).fields.into_iter();
    fields.map(|f| (f.name, f.value.to_vec())).collect()
}

/// Fields, and what is read of them below a start line.
type Row = (&'static [u8], &'static [(&'static str, &'static [u8])]);

#[test]
fn fields_are_read_as_they_are_written() {
    let table: &[Row] = &[
        (b"", &[]),
        (b"A: b\r\n", &[("A", b"b")]),
        (b"A: b\n", &[("A", b"b")]),
        (b"A: b\nB: c\r\n", &[("A", b"b"), ("B", b"c")]),
        (
            b"a:b\r\nA:  c\t \r\na: \r\n",
            &[("a", b"b"), ("A", b"c"), ("a", b"")],
        ),
        (b"Set: a: b\r\n", &[("Set", b"a: b")]),
        (b"A : b\r\n", &[("A ", b"b")]),
        (b": b\r\n", &[("", b"b")]),
        // Only the last carriage return belongs to the line end.
        (b"A: b\rc\r\r\n", &[("A", b"b\rc\r")]),
        (b"A: \x0cb\x0b\r\n", &[("A", b"\x0cb\x0b")]),
        (
            b"\xff\xe9: \xe9\xff\r\n",
            &[("\u{fffd}\u{fffd}", b"\xe9\xff")],
        ),
        (b"A: \0\r\n", &[("A", b"\0")]),
        // No field.
        (b"nothing\r\nA: b\r\n", &[("A", b"b")]),
        // Folded.
        (
            b"A: b\r\n c\r\n\t d\r\nB: e\r\n",
            &[("A", b"b c d"), ("B", b"e")],
        ),
        (b"A:\r\n b\r\n", &[("A", b"b")]),
        (b"A: b\r\n \t \r\n c\n", &[("A", b"b c")]),
        (b"A: b\r\n C: d\r\n", &[("A", b"b C: d")]),
        // Nothing that could be continued.
        (b" A: b\r\nB: c\r\n", &[("B", b"c")]),
        (b"A: b\r\nnothing\r\n c\r\n", &[("A", b"b")]),
    ];
    for (text, expected) in table {
        for end in ["\r\n", "\n", ""] {
            let bytes = [b"HTTP/1.1 200 OK\r\n", *text, end.as_bytes()].concat();
            let expected: Vec<_> = expected
                .iter()
                .map(|(n, v)| ((*n).to_owned(), v.to_vec()))
                .collect();
            assert_eq!(fields(&bytes), expected, "{}", bytes.escape_ascii());
            assert_eq!(
                head(&bytes).is_complete(),
                !end.is_empty(),
                "{}",
                bytes.escape_ascii()
            );
        }
    }
}

#[test]
fn a_head_may_break_off_anywhere() {
    let whole = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX: y\r\n\r\n";
    let read = head(whole);
    for end in 0..whole.len() {
        let cut = head(&whole[..end]);
        assert!(!cut.is_complete(), "{end}");
        assert!(read.start.starts_with(&cut.start), "{end}");
        assert!(cut.fields.len() <= read.fields.len(), "{end}");
        for (mine, whole) in cut.fields.iter().zip(&read.fields) {
            assert_eq!(mine.name, whole.name, "{end}");
            assert!(whole.value.starts_with(&mine.value), "{end}");
        }
    }
    assert!(read.is_complete());
    assert_eq!(head(b""), Head::default());
    assert_eq!(head(b"\r").start, "");
    assert!(!head(b"\r\n\r\n").is_complete());
}

#[test]
fn what_follows_the_empty_line_is_no_field() {
    let read = head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nC: d\r\n\r\n");
    assert_eq!(read.fields.len(), 1);
    assert!(read.is_complete());
    let late = head(b"\r\n\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n");
    assert_eq!(
        (late.start.as_str(), late.fields.len()),
        ("HTTP/1.1 200 OK", 1)
    );
}

#[test]
fn the_start_line_keeps_its_spaces() {
    assert_eq!(head(b"HTTP/1.1 200 \r\n\r\n").start, "HTTP/1.1 200 ");
    assert_eq!(
        head(b"HTTP/1.1 200 \xff\n\n").start,
        "HTTP/1.1 200 \u{fffd}"
    );
}

#[test]
fn a_status_is_three_digits_after_the_protocol() {
    for (start, status) in [
        ("HTTP/1.1 200 OK", Some(200)),
        ("HTTP/1.0 404 Not Found", Some(404)),
        ("HTTP/1.1 202 ", Some(202)),
        ("HTTP/1.1 202", Some(202)),
        ("HTTP/2 999 ?", Some(999)),
        ("HTTP/1.1 099 no", None),
        ("HTTP/1.1 20 no", None),
        ("HTTP/1.1 2000 no", None),
        ("HTTP/1.1 +20 no", None),
        ("HTTP/1.1 2O0 no", None),
        ("HTTP/1.1  200 no", None),
        ("HTTP/1.1\t200 no", None),
        ("HTTP/1.1 \u{662}\u{660}\u{660} no", None),
        ("HTTP/ 200 no", None),
        ("http/1.1 200 no", None),
        ("SSH-2.0-OpenSSH 200", None),
        ("POST /200 HTTP/1.1", None),
        ("POST 200 HTTP/1.1", None),
        ("", None),
    ] {
        let read = head(format!("{start}\r\n\r\n").as_bytes());
        assert_eq!(read.status(), status, "{start:?}");
        assert_eq!(read.start, start);
    }
}

#[test]
fn the_media_type_is_the_first_in_lower_case() {
    for (fields, expected) in [
        ("Content-Type: application/json", Some("application/json")),
        (
            "content-type:text/event-stream;charset=utf-8",
            Some("text/event-stream"),
        ),
        (
            "CONTENT-TYPE: Text/Event-Stream ; charset=UTF-8",
            Some("text/event-stream"),
        ),
        ("Content-Type : application/json", Some("application/json")),
        (
            "Content-Type: text/html\r\nContent-Type: application/json",
            Some("text/html"),
        ),
        (
            "Content-Type: application/json, text/html",
            Some("application/json, text/html"),
        ),
        ("Content-Type: JSON", Some("json")),
        ("Content-Type: ;charset=utf-8", None),
        ("Content-Type:", None),
        ("X-Content-Type: application/json", None),
    ] {
        let read = head(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").as_bytes());
        assert_eq!(read.media_type().as_deref(), expected, "{fields:?}");
    }
    assert_eq!(head(b"HTTP/1.1 200 OK\r\n\r\n").media_type(), None);
    let junk = head(b"HTTP/1.1 200 OK\r\nContent-Type: a\xff/B\r\n\r\n");
    assert_eq!(junk.media_type().as_deref(), Some("a\u{fffd}/b"));
}

#[test]
fn a_parameter_of_the_media_type_is_read_without_its_quotes() {
    for (value, expected) in [
        ("text/plain; charset=utf-8", Some("utf-8")),
        ("text/plain;Charset=UTF-8", Some("UTF-8")),
        ("text/plain; a=b;charset=\"utf-8\" ; c=d", Some("utf-8")),
        ("text/plain; a=\"x;charset=no\"; charset=yes", Some("yes")),
        (
            r#"text/plain; a="\";charset=no"; charset="\y\"es""#,
            Some("y\"es"),
        ),
        ("text/plain; charset", Some("")),
        ("text/plain; charset=\"", Some("\"")),
        ("text/plain; ;;charset=1;charset=2", Some("1")),
        ("text/plain; xcharset=1", None),
        ("charset=utf-8", None),
        ("text/plain;", None),
    ] {
        let read = head(format!("HTTP/1.1 200 OK\r\nContent-Type: {value}\r\n\r\n").as_bytes());
        assert_eq!(
            read.media_parameter("charset").as_deref(),
            expected,
            "{value:?}"
        );
    }
}

#[test]
fn values_of_one_name_come_in_order_whatever_their_case() {
    let read = head(b"HTTP/1.1 200 OK\r\nMcp-Session-Id: a\r\nX: y\r\nmcp-session-id: b\r\nMCP-SESSION-ID : \r\n\r\n");
    let values: Vec<_> = read.values("Mcp-Session-Id").map(|v| v.to_vec()).collect();
    assert_eq!(values, [&b"a"[..], b"b", b""]);
    assert_eq!(read.value("mcp-session-id").as_deref(), Some("a"));
    assert_eq!(read.value("Mcp-Session"), None);
}

#[test]
fn a_head_of_many_fields_and_many_folds_is_bounded_and_quick() {
    let many = b"X: y\r\n".repeat(100_000);
    let read = head(&[b"HTTP/1.1 200 OK\r\n", &many[..], b"\r\n"].concat());
    assert_eq!(read.fields.len(), MAX_FIELDS);
    assert!(read.is_complete());
    // Quadratic work would take minutes here.
    let folds = b" y\r\n".repeat(1 << 19);
    let read = head(&[b"HTTP/1.1 200 OK\r\nX: y\r\n", &folds[..], b"\r\n"].concat());
    assert_eq!(read.fields[0].value.len(), (2 << 19) + 1);
}

#[test]
fn a_head_is_written_byte_for_byte() {
    let written = Head::write(
        "POST /mcp HTTP/1.1",
        [
            ("Host", "x"),
            ("Content-Length", "1"),
            ("content-length", "2"),
            ("A", ""),
        ],
    );
    let bytes =
        b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 2\r\nA: \r\n\r\n";
    assert_eq!(written.raw, &bytes[..]);
    assert_eq!(written, head(bytes));
    let hostile = Head::write(b"G\xff", [(&b" a\0"[..], &b"b\r\nInjected: c"[..])]);
    assert_eq!(hostile.raw, &b"G\xff\r\n a\0: b\r\nInjected: c\r\n\r\n"[..]);
    assert_eq!(hostile.fields[0].name, "Injected");
    let none: [(&str, &str); 0] = [];
    assert_eq!(Head::write("", none).raw, &b"\r\n\r\n"[..]);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        start in "[A-Z]{1,6} /[!-~]{0,9} HTTP/1\\.[01]|HTTP/1\\.1 [1-9][0-9]{2} [ -~]{0,9}",
        fields in prop::collection::vec(("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}", "([!-~é]([ -~\té]{0,12}[!-~é])?)?"), 0..12),
    ) {
        let read = Head::write(&start, fields.iter().map(|(n, v)| (n, v)));
        prop_assert_eq!(&read.start, &start);
        let again: Vec<_> = read.fields.iter().map(|f| (f.name.clone(), String::from_utf8_lossy(&f.value).into_owned())).collect();
        prop_assert_eq!(again, fields);
        prop_assert!(read.is_complete());
    }
}
