//! The judges of what was sent over HTTP, on small records: each verdict that they can give.

use super::super::judges::Judges;
use crate::testing::REVISION;
use bytes::Bytes;
use mcp_assay_judge::{Judgement, NativeJudges};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{
    Bound, Channel, Direction, End, Entry, Http, HttpPart, Past, Record, Sent,
};
use mcp_assay_model::verdict::{Reason, Verdict};
use mcp_assay_wire::http::Head;
use mcp_assay_wire::jsonrpc::classify;
use std::collections::BTreeMap;
use std::time::Duration;

fn entry(direction: Direction, exchange: u64, part: HttpPart, raw: &str) -> Entry {
    Entry {
        seq: 0,
        at: Duration::ZERO,
        direction,
        connection: "c".to_owned(),
        channel: Channel::Http,
        raw: Bytes::copy_from_slice(raw.as_bytes()),
        length: raw.len() as u64,
        terminator: None,
        message: None,
        defects: Vec::new(),
        answers: None,
        part_of: None,
        http: Some(Http { exchange, part }),
    }
}

fn head(start: &str, fields: &[(&str, &str)]) -> Head {
    Head::write(start, fields.iter().copied())
}

pub(super) fn request(exchange: u64, method: &str, fields: &[(&str, &str)]) -> Entry {
    let part = HttpPart::Request {
        method: method.to_owned(),
        target: "/mcp".to_owned(),
        head: head("POST /mcp HTTP/1.1", fields),
    };
    entry(Direction::Sent, exchange, part, "{}")
}

fn response(exchange: u64, content_type: &str) -> Entry {
    let part = HttpPart::Response {
        status: 200,
        head: head("HTTP/1.1 200 OK", &[("Content-Type", content_type)]),
        socket: 1,
    };
    entry(Direction::Received, exchange, part, "")
}

pub(super) const STREAM: &str = "text/event-stream";

fn body(exchange: u64, raw: &str) -> Entry {
    entry(Direction::Received, exchange, HttpPart::Body, raw)
}

pub(super) fn event(
    exchange: u64,
    name: Option<&str>,
    id: Option<&str>,
    data: Option<&str>,
) -> Entry {
    let part = HttpPart::Event {
        name: name.map(str::to_owned),
        id: id.map(str::to_owned),
        retry: None,
        comments: 0,
        has_data: data.is_some(),
        is_terminated: true,
    };
    entry(
        Direction::Received,
        exchange,
        part,
        data.unwrap_or_default(),
    )
}

/// A record of these entries, whose first is what the label names; `reply`: the position of what answers it.
pub(super) fn record(entries: Vec<Entry>, reply: Option<u64>) -> Record {
    let exchange = entries[0].http.as_ref().map(|http| http.exchange);
    let numbered = entries.into_iter().zip(1..);
    let entries = numbered
        .map(|(entry, seq)| Entry { seq, ..entry })
        .collect();
    let sent = Sent {
        seq: 1,
        replies: reply.into_iter().collect(),
        exchange,
        ..Sent::default()
    };
    Record {
        revision: REVISION,
        binding: Binding::Http,
        entries,
        labels: BTreeMap::from([("w".to_owned(), Bound::Sent(sent))]),
        end: End::Alive,
        past: Past::default(),
    }
}

pub(super) fn judge(name: &str, record: &Record) -> Judgement {
    Judges.judge(name, Some("w"), record).unwrap()
}

/// The verdict, or why there is none, and each finding with its place.
#[track_caller]
pub(super) fn told(judgement: &Judgement) -> Vec<String> {
    let findings = judgement.findings.iter().map(|finding| {
        let at = finding.at.as_deref().unwrap_or("nowhere");
        let at = at.split(' ').next().unwrap();
        format!("{} {at}", finding.code)
    });
    let findings: Vec<String> = findings.collect();
    match (judgement.verdict, judgement.reason.as_ref()) {
        (Some(Verdict::Pass), None) => {
            assert!(judgement.judged > 0 && findings.is_empty());
            vec!["pass".to_owned()]
        }
        (Some(Verdict::Fail), None) => findings,
        (None, Some(reason)) => vec![format!("{reason:?}")],
        other => panic!("{other:?}"),
    }
}

#[test]
fn over_lines_there_is_nothing_to_judge() {
    let mut lines = record(vec![request(1, "POST", &[])], None);
    lines.entries[0].http = None;
    let Some(Bound::Sent(sent)) = lines.labels.get_mut("w") else {
        unreachable!()
    };
    sent.exchange = None;
    for name in [
        "data-is-message",
        "empty-body",
        "own-stream",
        "primed",
        "to-loopback",
    ] {
        assert_eq!(judge(name, &lines).reason, Some(Reason::Binding), "{name}");
    }
}

#[test]
fn a_body_is_empty_where_no_byte_of_one_came() {
    let asked = || request(1, "POST", &[]);
    for (entries, expected) in [
        (vec![asked()], "NothingToJudge"),
        (vec![asked(), response(1, "a/b")], "pass"),
        (
            vec![
                asked(),
                response(1, "a/b"),
                response(2, "a/b"),
                body(2, "of another"),
            ],
            "pass",
        ),
        (
            vec![asked(), response(1, "a/b"), body(1, "{}")],
            "unexpected-message #3",
        ),
        (
            vec![
                asked(),
                response(1, STREAM),
                event(1, None, None, Some("x")),
            ],
            "unexpected-message #3",
        ),
        (
            vec![asked(), response(1, STREAM), event(1, None, None, None)],
            "pass",
        ),
    ] {
        assert_eq!(
            told(&judge("empty-body", &record(entries, None))),
            [expected]
        );
    }
}

#[test]
fn a_stream_of_http_sse_begins_with_its_endpoint() {
    let asked = || request(1, "GET", &[]);
    let endpoint = || event(1, Some("endpoint"), None, Some("/messages"));
    let message = || event(1, None, None, Some("{}"));
    for (entries, expected) in [
        (vec![asked(), response(1, STREAM)], "NothingToJudge"),
        (vec![asked(), endpoint(), message()], "pass"),
        // A comment alone is not what it begins with.
        (
            vec![asked(), event(1, None, None, None), endpoint()],
            "pass",
        ),
        (vec![asked(), message(), endpoint()], "order #2"),
        (
            vec![asked(), event(1, Some("message"), None, Some("{}"))],
            "order #2",
        ),
        (
            vec![asked(), event(1, Some("endpoint"), None, None)],
            "order #2",
        ),
    ] {
        assert_eq!(
            told(&judge("endpoint-first", &record(entries, None))),
            [expected]
        );
    }
}

#[test]
fn a_response_has_its_place_in_the_exchange_of_its_request() {
    let asked = || request(1, "POST", &[]);
    let on = |fields: &[(&str, &str)]| {
        vec![
            asked(),
            request(2, "GET", fields),
            event(2, None, None, Some("{}")),
        ]
    };
    let here = || vec![asked(), body(1, "{}")];
    for (entries, reply, expected) in [
        (here(), None, "NothingToJudge"),
        (here(), Some(2), "pass"),
        (on(&[]), Some(3), "order #3"),
        (on(&[("Last-Event-ID", "e1")]), Some(3), "pass"),
    ] {
        assert_eq!(
            told(&judge("own-stream", &record(entries, reply))),
            [expected]
        );
    }
    let found = judge("own-stream", &record(on(&[]), Some(3)));
    assert_eq!(
        found.findings[0].actual.as_deref(),
        Some("in a GET exchange")
    );
}

#[test]
fn a_stream_is_primed_by_an_id_with_empty_data() {
    let with = |content_type: &str, events: Vec<Entry>| {
        let mut entries = vec![request(1, "POST", &[]), response(1, content_type)];
        entries.extend(events);
        record(entries, None)
    };
    let message = || event(1, None, Some("e2"), Some("{}"));
    for (record, expected) in [
        (with("application/json", vec![body(1, "{}")]), "Given"),
        (with(STREAM, vec![]), "NothingToJudge"),
        (
            with(STREAM, vec![event(1, None, None, None)]),
            "NothingToJudge",
        ),
        (
            with(
                STREAM,
                vec![event(1, None, Some("e1"), Some("")), message()],
            ),
            "pass",
        ),
        (
            with(STREAM, vec![event(1, None, Some("e1"), None), message()]),
            "pass",
        ),
        (
            with(
                STREAM,
                vec![
                    event(1, None, None, None),
                    event(1, None, Some("e1"), Some("")),
                    message(),
                ],
            ),
            "pass",
        ),
        (with(STREAM, vec![message()]), "order #3"),
        (
            with(STREAM, vec![event(1, None, None, Some(""))]),
            "order #3",
        ),
    ] {
        assert_eq!(told(&judge("primed", &record)), [expected]);
    }
}

#[test]
fn data_of_an_event_is_a_message() {
    let with = |texts: &[Option<&str>]| {
        let mut entries = vec![request(1, "POST", &[]), response(1, STREAM)];
        entries.extend(texts.iter().map(|data| {
            let message = data.and_then(|data| classify(data.as_bytes()).ok());
            let came = event(1, None, Some("e"), *data);
            Entry { message, ..came }
        }));
        judge("data-is-message", &record(entries, None))
    };
    let note = Some(r#"{"jsonrpc":"2.0","method":"n"}"#);
    assert_eq!(told(&with(&[])), ["Given"]);
    assert_eq!(told(&with(&[None])), ["Given"], "no data is no wrong data");
    assert_eq!(told(&with(&[None, note, note])), ["pass"]);
    let wrong = with(&[note, Some(""), Some("x")]);
    assert_eq!(told(&wrong), ["unexpected-message #4"]);
    assert_eq!((wrong.judged, wrong.findings[0].count), (3, 2));
}

#[test]
fn loopback_is_told_by_the_host_that_was_asked() {
    for (host, is_loopback) in [
        ("localhost:3000", true),
        ("LOCALHOST", true),
        ("127.0.0.1", true),
        ("127.9.9.9:80", true),
        ("[::1]:3000", true),
        ("[::1]", true),
        ("192.168.0.1", false),
        ("[::2]:80", false),
        ("localhost.example", false),
        ("127.0.0.1.example:80", false),
        ("", false),
    ] {
        let record = record(vec![request(1, "POST", &[("Host", host)])], None);
        let judgement = judge("to-loopback", &record);
        let expected = if is_loopback { "pass" } else { "value nowhere" };
        assert_eq!(told(&judgement), [expected], "{host}");
    }
}
