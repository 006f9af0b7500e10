//! The judges of what native steps over HTTP brought, on small records: each verdict that they can give.

use super::http_judges::{STREAM, event, judge, record, request, told};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::record::{Bound, Entry, NativeBound, Record};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn of_native(name: &str, value: Value, record: &Record) -> Judgement {
    let bound = NativeBound {
        native: "any".to_owned(),
        value,
        seqs: Vec::new(),
        missing: None,
    };
    let labels = BTreeMap::from([("w".to_owned(), Bound::Native(bound))]);
    let record = Record {
        labels,
        ..record.clone()
    };
    judge(name, &record)
}

#[test]
fn answers_that_differ_alone_must_differ_in_a_crowd() {
    let question = |client: &str, alone: &str, kind: &str| json!({ "client": client, "asked": "m", "seq": 2, "alone": alone, "kind": kind });
    let empty = record(vec![request(1, "POST", &[])], None);
    for (questions, expected) in [
        (json!([]), vec!["Given"]),
        (
            json!([
                question("c", "error", "error"),
                question("d", "error", "error")
            ]),
            vec!["Given"],
        ),
        (
            json!([
                question("c", "nothing", "nothing"),
                question("d", "error", "error")
            ]),
            vec!["Given"],
        ),
        (
            json!([
                question("c", "error", "error"),
                question("d", "result", "result")
            ]),
            vec!["pass"],
        ),
        (
            json!([
                question("c", "error", "result"),
                question("d", "result", "error")
            ]),
            vec!["leak #2"; 2],
        ),
        (
            json!([
                question("c", "error", "nothing"),
                question("d", "result", "result")
            ]),
            vec!["leak #2"],
        ),
    ] {
        let judgement = of_native("own-answers", json!({ "questions": questions }), &empty);
        assert_eq!(told(&judgement), expected, "{questions}");
    }
    let silent = json!({ "questions": [question("c", "error", "nothing"), question("d", "result", "result")] });
    let message = &of_native("own-answers", silent, &empty).findings[0].message;
    assert!(message.contains("got no answer"), "{message}");
}

#[test]
fn a_replay_of_another_request_s_response_is_told_by_what_it_answers() {
    let mut entries = vec![request(1, "POST", &[]), request(2, "POST", &[])];
    for answers in [Some(1), Some(2), None] {
        let came = event(3, None, None, Some("{}"));
        entries.push(Entry { answers, ..came });
    }
    let record = record(entries, None);
    let replay = |seqs: &[(u64, &str)]| {
        let replayed: Vec<Value> = seqs
            .iter()
            .map(|(seq, kind)| json!({ "seq": seq, "kind": kind, "id": "1" }))
            .collect();
        let value = json!({ "of": 1, "after": "e1", "status": 200, "content_type": STREAM, "replayed": replayed });
        told(&of_native("own-replay", value, &record))
    };
    assert_eq!(replay(&[]), ["pass"]);
    assert_eq!(replay(&[(3, "response")]), ["pass"]);
    assert_eq!(
        replay(&[(3, "response"), (4, "response")]),
        ["unexpected-message #4"]
    );
    assert_eq!(
        replay(&[(4, "notification")]),
        ["pass"],
        "only responses belong to one request"
    );
    assert_eq!(
        replay(&[(5, "response")]),
        ["pass"],
        "nobody's, as far as one can tell"
    );
}

#[test]
fn what_the_steps_brought_is_judged_by_its_words() {
    let empty = record(vec![request(1, "POST", &[])], None);
    for (name, value, expected) in [
        ("own-session", json!({ "sessions": "two" }), vec!["pass"]),
        (
            "own-session",
            json!({ "sessions": "shared" }),
            vec!["duplicate nowhere"],
        ),
        (
            "own-session",
            json!({ "sessions": "none" }),
            vec!["Session"],
        ),
        (
            "slow-body-served",
            json!({ "replied": true, "status": 200, "seq": 3 }),
            vec!["pass"],
        ),
        (
            "slow-body-served",
            json!({ "replied": false, "status": 408, "seq": 3 }),
            vec!["refused-valid #3"],
        ),
        (
            "stream-closed",
            json!({ "streamed": false, "replied": true, "ended": "open" }),
            vec!["Given"],
        ),
        (
            "stream-closed",
            json!({ "streamed": true, "replied": false, "ended": "open" }),
            vec!["Given"],
        ),
        (
            "stream-closed",
            json!({ "streamed": true, "replied": true, "ended": "cut" }),
            vec!["pass"],
        ),
        (
            "stream-closed",
            json!({ "streamed": true, "replied": true, "ended": "open", "reply_seq": 4 }),
            vec!["endless #4"],
        ),
        (
            "stream-answered",
            json!({ "streamed": false, "first_end": "before-reply" }),
            vec!["Given"],
        ),
        (
            "stream-answered",
            json!({ "streamed": true, "first_end": "after-reply" }),
            vec!["pass"],
        ),
        (
            "stream-answered",
            json!({ "streamed": true, "first_end": "before-reply", "end_seq": 5 }),
            vec!["order #5"],
        ),
    ] {
        assert_eq!(
            told(&of_native(name, value.clone(), &empty)),
            expected,
            "{name} of {value}"
        );
    }
    let codes = of_native(
        "slow-body-served",
        json!({ "replied": false, "status": null }),
        &empty,
    );
    assert_eq!(codes.findings[0].code, FindingCode::RefusedValid);
    assert_eq!(codes.findings[0].actual.as_deref(), Some("no response"));
}

#[test]
fn session_ids_that_are_counted_are_told_from_others() {
    let empty = record(vec![request(1, "POST", &[])], None);
    for (ids, expected) in [
        (json!([]), "Session"),
        (json!(["1"]), "Session"),
        (json!(["1", "2"]), "value nowhere"),
        (json!(["9", "8"]), "value nowhere"),
        (json!(["7", "7"]), "pass"),
        (json!(["1", "900000000"]), "pass"),
        (json!(["s1", "s2"]), "pass"),
    ] {
        let judgement = of_native("session-uncounted", json!({ "ids": ids }), &empty);
        assert_eq!(told(&judgement), [expected], "{ids}");
    }
}
