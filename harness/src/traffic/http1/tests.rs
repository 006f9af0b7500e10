use super::{AtEnd, Messages, What};
use proptest::prelude::*;

/// What a stream was cut into: heads by their start lines, bodies whole, ends; and everything that it was made of.
fn read(stream: &[u8], cuts: &[usize], messages: &mut Messages) -> (Vec<String>, Vec<u8>) {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    at.extend([0, stream.len()]);
    at.sort_unstable();
    let (mut told, mut all) = (Vec::new(), Vec::new());
    let mut body = Vec::new();
    for pair in at.windows(2) {
        let mut rest = &stream[pair[0]..pair[1]];
        while let Some(step) = messages.step(&mut rest, &mut |_| None) {
            all.extend_from_slice(&step.raw);
            match step.what {
                What::Head(head) => told.push(head.start),
                What::Data => body.extend_from_slice(&step.raw),
                What::Framing => {}
                What::End => {
                    let text = String::from_utf8_lossy(&body).into_owned();
                    told.push(format!("[{text}]"));
                    body.clear();
                }
                What::Opaque if told.last().is_some_and(|last| last == "opaque") => {}
                What::Opaque => told.push("opaque".to_owned()),
            }
        }
    }
    all.extend_from_slice(messages.held());
    if !body.is_empty() {
        told.push(format!("[{}…", String::from_utf8_lossy(&body)));
    }
    (told, all)
}

fn told(stream: &str, mut messages: Messages) -> (Vec<String>, AtEnd) {
    let told = read(stream.as_bytes(), &[], &mut messages).0;
    let at_end = messages.at_end();
    (told, at_end)
}

#[test]
fn requests_are_told_apart_by_their_framing() {
    let table: [(&str, &[&str], AtEnd); 8] = [
        (
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\nDELETE /b HTTP/1.1\r\n\r\n",
            &["GET /a HTTP/1.1", "[]", "DELETE /b HTTP/1.1", "[]"],
            AtEnd::Between,
        ),
        (
            "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\n\n",
            &["POST / HTTP/1.1", "[abc]", "GET / HTTP/1.1", "[]"],
            AtEnd::Between,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
            &["POST / HTTP/1.1", "[abc0123456789]"],
            AtEnd::Between,
        ),
        (
            "\r\n\r\nPOST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
            &["POST / HTTP/1.1", "[ab…"],
            AtEnd::Cut,
        ),
        ("POST / HT", &[], AtEnd::Cut),
        ("SSH-2.0-x\r\n\r\nabc", &["opaque"], AtEnd::Opaque),
        (
            "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
            &["opaque"],
            AtEnd::Opaque,
        ),
        (
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            &["POST / HTTP/1.1", "opaque"],
            AtEnd::Opaque,
        ),
    ];
    for (stream, expected, at_end) in table {
        let (got, end) = told(stream, Messages::requests());
        let got: Vec<&str> = got.iter().map(String::as_str).collect();
        assert_eq!((got.as_slice(), end), (expected, at_end), "{stream:?}");
    }
}

#[test]
fn responses_are_told_apart_by_their_status_and_framing() {
    let table: [(&str, &[&str], AtEnd); 6] = [
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\nHTTP/1.1 304 Same\r\n\r\n",
            &[
                "HTTP/1.1 100 Continue",
                "[]",
                "HTTP/1.1 204 No",
                "[]",
                "HTTP/1.1 304 Same",
                "[]",
            ],
            AtEnd::Between,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nall of it",
            &["HTTP/1.1 200 OK", "[all of it…"],
            AtEnd::EndsBody,
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nall of it",
            &["HTTP/1.1 200 OK", "[all of it…"],
            AtEnd::EndsBody,
        ),
        (
            "HTTP/1.1 101 Up\r\n\r\nanything",
            &["HTTP/1.1 101 Up", "opaque"],
            AtEnd::Opaque,
        ),
        ("HTTP/1.1 2xx\r\n\r\n", &["opaque"], AtEnd::Opaque),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            &["HTTP/1.1 200 OK", "[]"],
            AtEnd::Between,
        ),
    ];
    for (stream, expected, at_end) in table {
        let (got, end) = told(stream, Messages::responses());
        let got: Vec<&str> = got.iter().map(String::as_str).collect();
        assert_eq!((got.as_slice(), end), (expected, at_end), "{stream:?}");
    }
}

#[test]
fn the_answer_to_head_has_no_body() {
    let mut messages = Messages::responses();
    let mut rest = &b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"[..];
    let head = messages.step(&mut rest, &mut |_| Some("HEAD".to_owned()));
    assert!(matches!(head.map(|step| step.what), Some(What::Head(_))));
    let end = messages.step(&mut rest, &mut |_| None);
    assert_eq!(end.map(|step| step.what), Some(What::End));
}

#[test]
fn a_head_without_end_is_passed_on_and_told_no_more() {
    let stream = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(300_000));
    let (got, all) = read(
        stream.as_bytes(),
        &[100, 200_000],
        &mut Messages::requests(),
    );
    assert_eq!(got, ["opaque"]);
    assert_eq!(all, stream.as_bytes());
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("POST /mcp HTTP/1.1\r\n".to_owned()),
        Just("GET / HTTP/1.1\n".to_owned()),
        Just("Content-Length: 4\r\n".to_owned()),
        Just("Transfer-Encoding: chunked\r\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n".to_owned()),
        Just("3\r\nabc\r\n".to_owned()),
        Just("0\r\n\r\n".to_owned()),
        "[ -~]{0,12}",
    ]
}

proptest! {
    #[test]
    fn any_split_gives_the_same_and_what_is_passed_on_is_what_came(
        pieces in prop::collection::vec(piece(), 0..24),
        cuts in prop::collection::vec(any::<usize>(), 0..8),
        is_request in any::<bool>(),
    ) {
        let stream = pieces.concat();
        let stream = if is_request { stream } else { stream.replace("POST /mcp HTTP/1.1", "HTTP/1.1 200 OK").replace("GET / HTTP/1.1", "HTTP/1.1 202 Accepted") };
        let new = || if is_request { Messages::requests() } else { Messages::responses() };
        let (whole, all) = read(stream.as_bytes(), &[], &mut new());
        prop_assert_eq!(all, stream.as_bytes());
        let (split, all) = read(stream.as_bytes(), &cuts, &mut new());
        prop_assert_eq!(all, stream.as_bytes());
        prop_assert_eq!(split, whole);
    }
}
