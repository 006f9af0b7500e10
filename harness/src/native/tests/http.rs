//! The native steps over HTTP, against the reference server with and without a fault, and against scripted ones.

use super::super::{Came, Given, Means, run};
use crate::era::{self, Opened};
use crate::script::conversation::{Conversation, SentIndex, Waited};
use crate::testing::REVISION;
use crate::testing::http::{Say, Site, events, json_answer, ordinary_answer, peer};
use mcp_assay_judge::{Judgement, NativeJudges};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Bound, End, HttpPart, NativeBound, Past, Record};
use mcp_assay_model::verdict::{Reason, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const ECHO: &str = r#"{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"name":"echo","arguments":{"message":"x"}}}"#;
const SECOND: &str = r#"{"jsonrpc":"2.0","id":51,"method":"tools/call","params":{"name":"echo","arguments":{"message":"y"}}}"#;

pub(super) async fn open(conversation: &mut Conversation) {
    conversation.manner = era::Manner::new(REVISION);
    let (_, opened) = era::open(conversation, Duration::from_secs(20)).await;
    assert_eq!(opened, Opened::Yes);
}

pub(super) async fn opened(fault: Option<&str>) -> Conversation {
    let mut conversation = peer(Binding::Http, fault).await;
    open(&mut conversation).await;
    conversation
}

/// Sends a request and waits for what comes of it.
async fn asked(conversation: &mut Conversation, text: &str) -> SentIndex {
    let (index, _) = conversation.send_message(text).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    let _ = conversation.wait_reply(index, deadline).await;
    index
}

pub(super) async fn native(
    conversation: &mut Conversation,
    name: &str,
    of: Option<SentIndex>,
    parameters: Value,
) -> NativeBound {
    let means = Means::default();
    let sent = |_: &str| of;
    let given = Given {
        means: &means,
        sent: &sent,
    };
    let parameters: BTreeMap<String, Value> = serde_json::from_value(parameters).unwrap();
    match run(name, &parameters, conversation, given).await.unwrap() {
        Came::Bound(bound) => bound,
        Came::Sent(..) => panic!("{name} binds facts"),
    }
}

/// What a judge says of a label in this conversation.
pub(super) fn judged(conversation: &Conversation, bound: Bound, judge: &str) -> Judgement {
    let record = Record {
        revision: REVISION,
        binding: Binding::Http,
        entries: conversation.entries().to_vec(),
        labels: BTreeMap::from([("w".to_owned(), bound)]),
        end: End::Alive,
        past: Past::default(),
    };
    let judges = super::super::judges::Judges;
    judges.judge(judge, Some("w"), &record).unwrap()
}

pub(super) fn of_native(
    conversation: &Conversation,
    bound: &NativeBound,
    judge: &str,
) -> (Option<Verdict>, Option<Reason>) {
    let judgement = judged(conversation, Bound::Native(bound.clone()), judge);
    (judgement.verdict, judgement.reason)
}

fn of_sent(
    conversation: &Conversation,
    index: SentIndex,
    judge: &str,
) -> (Option<Verdict>, Option<Reason>) {
    let judgement = judged(
        conversation,
        Bound::Sent(conversation.sent(index).clone()),
        judge,
    );
    (judgement.verdict, judgement.reason)
}

pub(super) const PASS: (Option<Verdict>, Option<Reason>) = (Some(Verdict::Pass), None);
pub(super) const FAIL: (Option<Verdict>, Option<Reason>) = (Some(Verdict::Fail), None);
pub(super) const GIVEN: (Option<Verdict>, Option<Reason>) = (None, Some(Reason::Given));

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_replays_what_is_its_own() {
    for (fault, expected) in [(None, PASS), (Some("replays-other-streams"), FAIL)] {
        let mut conversation = opened(fault).await;
        let first = asked(&mut conversation, ECHO).await;
        let _ = asked(&mut conversation, SECOND).await;
        let bound = native(
            &mut conversation,
            "resume",
            Some(first),
            json!({ "of": "q" }),
        )
        .await;
        assert_eq!(bound.value["status"], 200, "{fault:?}");
        assert_eq!(bound.value["content_type"], "text/event-stream");
        assert_eq!(bound.value["of"], conversation.sent(first).seq);
        let replayed = bound.value["replayed"].as_array().unwrap();
        let is_own = |message: &Value| message["kind"] == "response" && message["id"] == "50";
        assert!(replayed.iter().any(is_own), "{fault:?}: {replayed:?}");
        assert_eq!(replayed.len(), bound.seqs.len());
        assert_eq!(
            of_native(&conversation, &bound, "own-replay"),
            expected,
            "{fault:?}"
        );
        let get = conversation.entries().iter().rev().find_map(|entry| {
            match &entry.http.as_ref()?.part {
                HttpPart::Request { method, head, .. } if method == "GET" => {
                    head.value("last-event-id")
                }
                _ => None,
            }
        });
        assert_eq!(get.as_deref(), bound.value["after"].as_str());
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_event_id_nothing_is_resumed() {
    for fault in ["no-event-ids", "json-only"] {
        let mut conversation = opened(Some(fault)).await;
        let index = asked(&mut conversation, ECHO).await;
        let before = conversation.last_seq();
        let bound = native(
            &mut conversation,
            "resume",
            Some(index),
            json!({ "of": "q" }),
        )
        .await;
        assert_eq!(bound.value["after"], Value::Null, "{fault}");
        assert_eq!(conversation.last_seq(), before, "{fault}");
        assert_eq!(
            of_native(&conversation, &bound, "own-replay"),
            GIVEN,
            "{fault}"
        );
    }
    // An id of the card's own is asked for all the same.
    let mut conversation = opened(Some("json-only")).await;
    let index = asked(&mut conversation, ECHO).await;
    let given = json!({ "of": "q", "last": "never-sent" });
    let bound = native(&mut conversation, "resume", Some(index), given).await;
    assert_eq!(bound.value["after"], "never-sent");
    assert!(bound.value["status"].is_number());
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_that_stays_open_is_closed_by_us() {
    let event = "id: e1\ndata: {\"id\":50,\"result\":{}}\n\n";
    let site = Site::new(move |asked| match asked.head.value("last-event-id") {
        Some(_) => Say::Open(events("")),
        None if asked.what() == "tools/call" => Say::Last(events(event)),
        None => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open(&mut conversation).await;
    let index = asked(&mut conversation, ECHO).await;
    let bound = native(
        &mut conversation,
        "resume",
        Some(index),
        json!({ "of": "q" }),
    )
    .await;
    assert_eq!((&bound.value["status"], bound.seqs.len()), (&json!(200), 0));
    conversation.linger(Duration::from_secs(1)).await;
    let last = conversation.entries().last().unwrap().http.as_ref();
    let closed = HttpPart::End(mcp_assay_wire::http::End::Closed);
    assert_eq!(last.unwrap().part, closed);
    // An id of the card's own goes before that of the first event.
    let given = json!({ "of": "q", "last": "e7" });
    let bound = native(&mut conversation, "resume", Some(index), given).await;
    assert_eq!(bound.value["after"], "e7");
}

#[tokio::test(start_paused = true)]
async fn a_refused_resumption_judges_nothing() {
    let site = Site::new(|asked| match asked.what().as_str() {
        "tools/call" => Say::Last(events("id: e1\ndata: {\"id\":50,\"result\":{}}\n\n")),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open(&mut conversation).await;
    let index = asked(&mut conversation, ECHO).await;
    let bound = native(
        &mut conversation,
        "resume",
        Some(index),
        json!({ "of": "q" }),
    )
    .await;
    assert_eq!(
        (&bound.value["after"], &bound.value["status"]),
        (&json!("e1"), &json!(405))
    );
    let (verdict, _) = of_native(&conversation, &bound, "own-replay");
    assert_eq!(verdict, None);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_is_seen_with_its_place() {
    // Fault, end, whether it came before the reply, stream-answered, stream-closed.
    for (fault, ended, first_end, answered, closed) in [
        (Some("sse-only"), "complete", "after-reply", PASS, PASS),
        (
            Some("keeps-stream-open-after-answer"),
            "open",
            "none",
            PASS,
            FAIL,
        ),
        (
            Some("closes-stream-before-answer"),
            "complete",
            "before-reply",
            FAIL,
            GIVEN,
        ),
        (Some("polling"), "complete", "before-reply", FAIL, PASS),
        (Some("json-only"), "open", "none", GIVEN, GIVEN),
    ] {
        let mut conversation = opened(fault).await;
        let index = asked(&mut conversation, ECHO).await;
        let began = Instant::now();
        let bound = native(
            &mut conversation,
            "stream_end",
            Some(index),
            json!({ "of": "q" }),
        )
        .await;
        let value = &bound.value;
        assert_eq!(value["ended"], ended, "{fault:?}: {value}");
        assert_eq!(value["first_end"], first_end, "{fault:?}");
        assert_eq!(value["streamed"], fault != Some("json-only"), "{fault:?}");
        assert_eq!(
            value["replied"],
            fault != Some("closes-stream-before-answer")
        );
        assert_eq!(
            of_native(&conversation, &bound, "stream-answered"),
            answered,
            "{fault:?}"
        );
        assert_eq!(
            of_native(&conversation, &bound, "stream-closed"),
            closed,
            "{fault:?}"
        );
        // What stays open is waited for, and what was lost may still come by a resumption.
        let is_open = matches!(
            fault,
            Some("keeps-stream-open-after-answer" | "closes-stream-before-answer")
        );
        let waited = if is_open {
            conversation.pace.light()
        } else {
            Duration::ZERO
        };
        assert_eq!(began.elapsed(), waited, "{fault:?}");
        assert_eq!(
            value["waited_ms"],
            json!(u64::try_from(waited.as_millis()).unwrap())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_in_pieces_is_served_or_not() {
    let mut conversation = opened(None).await;
    let began = Instant::now();
    let bound = native(&mut conversation, "slow_body", None, json!({})).await;
    assert!(
        began.elapsed() >= Duration::from_millis(240),
        "four pieces, each after a pause"
    );
    assert_eq!(
        (&bound.value["status"], &bound.value["replied"]),
        (&json!(200), &json!(true))
    );
    assert_eq!(bound.seqs.len(), 1);
    assert_eq!(of_native(&conversation, &bound, "slow-body-served"), PASS);
    for (say, status) in [
        (json_answer(408, "too slow"), json!(408)),
        (Say::hang_up(), Value::Null),
    ] {
        let pings = AtomicU64::new(0);
        let site = Site::new(move |asked| {
            let is_first = asked.what() == "ping" && pings.fetch_add(1, Ordering::Relaxed) == 0;
            if is_first {
                say.clone()
            } else {
                ordinary_answer(asked)
            }
        });
        let mut conversation = site.conversation();
        open(&mut conversation).await;
        let bound = native(&mut conversation, "slow_body", None, json!({})).await;
        assert_eq!(
            (&bound.value["status"], &bound.value["replied"]),
            (&status, &json!(false))
        );
        assert_eq!(bound.missing, None);
        assert_eq!(of_native(&conversation, &bound, "slow-body-served"), FAIL);
    }
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_response_is_its_own_its_resumption_or_another() {
    for (fault, own, primed) in [
        (None, PASS, None),
        (Some("sse-only"), PASS, Some(PASS)),
        (Some("polling"), PASS, Some(PASS)),
        (Some("json-only"), PASS, Some(GIVEN)),
        (Some("answers-on-get-stream"), FAIL, None),
        (Some("no-event-ids"), PASS, Some(FAIL)),
    ] {
        let mut conversation = opened(fault).await;
        let index = asked(&mut conversation, ECHO).await;
        assert!(!conversation.sent(index).replies.is_empty(), "{fault:?}");
        assert_eq!(
            of_sent(&conversation, index, "own-stream"),
            own,
            "{fault:?}"
        );
        if let Some(primed) = primed {
            assert_eq!(of_sent(&conversation, index, "primed"), primed, "{fault:?}");
        }
        assert_eq!(of_sent(&conversation, index, "to-loopback"), PASS);
        let replied = matches!(
            conversation.wait_reply(index, Instant::now()).await,
            Waited::Got(_)
        );
        assert!(replied);
    }
}

#[tokio::test(start_paused = true)]
async fn a_notification_is_taken_with_an_empty_body() {
    let note = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    for (fault, expected) in [(None, PASS), (Some("notification-200-with-body"), FAIL)] {
        let mut conversation = opened(fault).await;
        let (index, _) = conversation.send_message(note).await;
        conversation.linger(Duration::from_secs(1)).await;
        assert_eq!(
            of_sent(&conversation, index, "empty-body"),
            expected,
            "{fault:?}"
        );
    }
}
