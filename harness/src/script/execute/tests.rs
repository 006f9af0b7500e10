mod http;

use crate::run::attempt::attempt;
use crate::testing::{
    REVISION, Wire, answering, card, case, cases, judge, ordinary, play, refusal, result, scripted,
    sent, silent_on, stage, welcome,
};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::record::{Bound, End, ExitSeen, Missing, Record, Window};
use mcp_assay_model::verdict::{Outcome, Reason, Verdict};
use serde_json::{Value, json};
use std::time::Duration;

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn ping(id: u64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)
}

fn window<'r>(record: &'r Record, label: &str) -> &'r Window {
    match &record.labels[label] {
        Bound::Window(window) => window,
        other => panic!("{label} is {other:?}"),
    }
}

fn missing(record: &Record, label: &str) -> Option<Missing> {
    match &record.labels[label] {
        Bound::Missing { why, .. } => Some(*why),
        Bound::Sent(sent) => sent.missing,
        _ => None,
    }
}

fn arrived<'r>(record: &'r Record, label: &str) -> &'r Value {
    let Bound::Arrived(seq) = record.labels[label] else {
        panic!("{label} is {:?}", record.labels[label]);
    };
    &record.entry(seq).unwrap().message.as_ref().unwrap().value
}

#[tokio::test(start_paused = true)]
async fn open_does_the_handshake_and_names_its_reply() {
    let card = card("steps:\n  - open: { as: conn }\n");
    let record = play(&card, answering(ordinary)).await;
    let sent = sent(&record);
    let asked: Value = serde_json::from_str(&sent[0]).unwrap();
    assert_eq!(asked["method"], "initialize");
    assert_eq!(asked["params"]["protocolVersion"], REVISION.as_str());
    assert_eq!(asked["params"]["capabilities"], json!({}));
    assert_eq!(sent[1..], [INITIALIZED.to_owned(), ping(2)]);
    let reply = record.arrival("conn").unwrap();
    assert_eq!((reply.seq, reply.connection.as_str()), (2, "conn"));
    assert_eq!(record.end, End::Alive);
}

#[tokio::test(start_paused = true)]
async fn a_client_s_members_override_the_era_s_and_null_removes_one() {
    let card = card(
        "steps:\n  - open: { as: c, client: { clientInfo: null, capabilities: { roots: {} }, extra: {$fact: revision} } }\n",
    );
    let record = play(&card, answering(ordinary)).await;
    let asked: Value = serde_json::from_str(&sent(&record)[0]).unwrap();
    let expected = json!({
        "protocolVersion": REVISION.as_str(),
        "capabilities": { "roots": {} },
        "extra": REVISION.as_str(),
    });
    assert_eq!(asked["params"], expected);
}

#[tokio::test(start_paused = true)]
async fn the_card_s_answers_are_given_to_the_target_from_the_start() {
    let card = card(
        "steps:\n  - open: { as: c, answer: { roots/list: { result: { roots: [ { uri: \"file:///a\" } ] } } } }\n",
    );
    let target = scripted(async |mut wire: Wire| {
        let asked = wire.hear().await.unwrap();
        wire.say(r#"{"jsonrpc":"2.0","id":"r","method":"roots/list"}"#)
            .await;
        wire.say(welcome(&asked, json!({}))).await;
        wire.serve(ordinary).await
    });
    let record = play(&card, target).await;
    let answer = r#"{"jsonrpc":"2.0","id":"r","result":{"roots":[{"uri":"file:///a"}]}}"#;
    assert_eq!(sent(&record)[1], answer);
}

#[tokio::test(start_paused = true)]
async fn send_completes_messages_and_leaves_alone_what_is_typed() {
    let card = card(
        r#"steps:
  - send: { message: { method: a/b } }
  - send: { message: { method: notifications/n, params: { x: 1.0 } } }
  - send: { message: { method: a/b }, id: none }
  - send: { message: { method: a/b }, id: "t" }
  - send: { message: { method: a/b, params: { a: 1 } }, meta: { set: { k: [1] } } }
  - send: { message: { method: a/b, params: { _meta: { old: 1, k: 2 } } }, meta: { remove: [old] } }
  - send: { json: "{\"id\":1e0 , \"method\":\"as/typed\"}\n" }
  - send: { as: whole, batch: [ { as: one, message: { method: a/b } }, { message: { method: notifications/n } }, { as: two, message: { method: a/b }, id: "z" } ] }
"#,
    );
    let record = play(&card, answering(ordinary)).await;
    let sent = sent(&record);
    assert_eq!(
        sent[..8],
        [
            r#"{"jsonrpc":"2.0","id":2,"method":"a/b"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/n","params":{"x":1.0}}"#,
            r#"{"jsonrpc":"2.0","method":"a/b"}"#,
            r#"{"jsonrpc":"2.0","id":"t","method":"a/b"}"#,
            r#"{"jsonrpc":"2.0","id":3,"method":"a/b","params":{"a":1,"_meta":{"k":[1]}}}"#,
            r#"{"jsonrpc":"2.0","id":4,"method":"a/b","params":{"_meta":{"k":2}}}"#,
            r#"{"id":1e0 , "method":"as/typed"}"#,
            r#"[{"jsonrpc":"2.0","id":5,"method":"a/b"},{"jsonrpc":"2.0","method":"notifications/n"},{"jsonrpc":"2.0","id":"z","method":"a/b"}]"#,
        ],
        "1 is not given out: the card writes it as 1e0"
    );
    let id = |label: &str| match &record.labels[label] {
        Bound::Sent(sent) => sent.id.as_ref().map(|id| id.0.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(id("one").as_deref(), Some("5"));
    assert_eq!(id("two").as_deref(), Some("\"z\""));
    assert_eq!(id("whole"), None);
}

#[tokio::test(start_paused = true)]
async fn numbers_go_out_as_they_were_written() {
    let card = card(
        r#"vary: { v: [ { json: "1.50" }, { json: "1e0" }, { json: "-0" }, { json: "18446744073709551617" } ] }
steps:
  - send: { as: q, message: { method: a/b, params: { v: {$vary: v}, t: {$fixture: slow.takes_ms} } } }
  - await: { as: r, reply_to: q }
  - send: { message: { method: again, params: { got: {$from: q, at: /result/n}, whole: {$from: r, at: ""} } } }
"#,
    );
    let target = answering(|message| match message["method"].as_str() {
        Some("a/b") => vec![format!(
            r#"{{"id":{},"result":{{"n":1.2300E+1}}}}"#,
            message["id"]
        )],
        _ => ordinary(message),
    });
    let stage = stage(target);
    for (case, n) in cases(&card)
        .iter()
        .zip(["1.50", "1e0", "-0", "18446744073709551617"])
    {
        let record = attempt(&stage, case, None).await.0.record.unwrap();
        let sent = sent(&record);
        // The varied value may be an id in another card: ours is never loosely equal to it.
        let id = if n == "1e0" { 2 } else { 1 };
        let asked = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"a/b","params":{{"v":{n},"t":2000}}}}"#
        );
        assert_eq!(sent[0], asked);
        let again = format!(
            r#""params":{{"got":1.2300E+1,"whole":{{"id":{id},"result":{{"n":1.2300E+1}}}}}}}}"#
        );
        assert!(sent[1].ends_with(&again), "{}", sent[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reference_into_nothing_ends_the_steps_and_what_came_is_judged() {
    let card = card(
        "steps:
  - open: { as: c }
  - send: { as: q, message: { method: ping } }
  - await: { reply_to: q }
  - send: { as: s, message: { method: a/b, params: { v: {$from: q, at: /result/none} } } }
  - await: { as: t, reply_to: s }
",
    );
    let record = play(&card, answering(ordinary)).await;
    assert_eq!(missing(&record, "s"), Some(Missing::Unfenced));
    assert_eq!(missing(&record, "t"), Some(Missing::Unfenced));
    assert!(record.arrival("q").is_some());
    assert_eq!(record.end, End::Alive);
}

#[tokio::test(start_paused = true)]
async fn references_that_no_card_may_have_are_bugs_of_ours() {
    for reference in ["{$fact: no.such}", "{$fixture: no.such}", "{$vary: none}"] {
        let card = card(&format!(
            "steps:\n  - send: {{ message: {{ method: a/b, params: {{ v: {reference} }} }} }}\n"
        ));
        let (attempt, results) = judge(&card, answering(ordinary)).await;
        assert!(attempt.record.is_err(), "{reference}");
        for result in &results {
            assert_eq!(result.verdict, Some(Verdict::Error), "{}", result.id);
        }
    }
}

const AWAIT: &str = "steps:
  - open: { as: c }
  - send: { as: q, message: { method: tools/call } }
  - await: { as: r, reply_to: q }
  - send: { as: after, message: { method: ping } }
  - await: { reply_to: after }
";

#[tokio::test(start_paused = true)]
async fn a_reply_may_come_as_late_as_before_the_fence() {
    // Held back until the fence has come, and answered just before it.
    let target = scripted(async |mut wire: Wire| {
        let mut held = None;
        while let Some(message) = wire.hear().await {
            if message["method"] == "tools/call" {
                held = Some(message);
                continue;
            }
            if let (Some(held), true) = (&held, message["method"] == "ping") {
                wire.say(result(held, &json!({ "late": true }))).await;
            }
            for line in ordinary(&message) {
                wire.say(line).await;
            }
            if message["method"] == "ping" {
                held = None;
            }
        }
        0
    });
    let record = play(&card(AWAIT), target).await;
    assert_eq!(arrived(&record, "r")["result"], json!({ "late": true }));
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_stays_out_is_silent_and_the_card_goes_on() {
    let record = play(&card(AWAIT), answering(silent_on("tools/call"))).await;
    assert_eq!(missing(&record, "q"), Some(Missing::Silent));
    let expected = Bound::Missing {
        why: Missing::Silent,
        reply_to: Some("q".to_owned()),
    };
    assert_eq!(record.labels["r"], expected);
    assert!(record.arrival("after").is_some());
    assert_eq!(record.end, End::Alive);
}

#[tokio::test(start_paused = true)]
async fn labels_behind_a_death_or_a_hang_are_missing_for_the_same_reason() {
    let dies = scripted(async |mut wire: Wire| {
        wire.handshake(json!({})).await;
        let _ = wire.hear().await;
        2
    });
    let record = play(&card(AWAIT), dies).await;
    for label in ["q", "r", "after"] {
        assert_eq!(missing(&record, label), Some(Missing::Died), "{label}");
    }
    let how = "exited with code 2".to_owned();
    assert_eq!(record.end, End::Died { how, after: 4 });

    let hangs = scripted(async |mut wire: Wire| {
        wire.handshake(json!({})).await;
        wire.mute().await
    });
    let record = play(&card(AWAIT), hangs).await;
    for label in ["q", "r", "after"] {
        assert_eq!(missing(&record, label), Some(Missing::Hung), "{label}");
    }
    assert!(
        matches!(record.end, End::Hung { after: 5, .. }),
        "{:?}",
        record.end
    );
}

#[tokio::test(start_paused = true)]
async fn a_target_that_closes_its_output_and_runs_on_has_died_too() {
    let target = scripted(async |mut wire: Wire| {
        wire.handshake(json!({})).await;
        let _ = wire.hear().await;
        drop(wire);
        std::future::pending().await
    });
    let record = play(&card(AWAIT), target).await;
    let how = "closed its output and runs on".to_owned();
    assert_eq!(record.end, End::Died { how, after: 4 });
}

#[tokio::test(start_paused = true)]
async fn within_shortens_a_wait_and_never_lengthens_it() {
    for (within, seconds) in [("250", 0.25), ("600000", 30.0)] {
        let card = card(&format!(
            "steps:\n  - open: {{ as: c }}\n  - send: {{ as: q, message: {{ method: tools/call }} }}\n  - await: {{ reply_to: q, within: {within} }}\n"
        ));
        let (attempt, _) = judge(&card, answering(silent_on("tools/call"))).await;
        let grace = attempt.duration.as_secs_f64() - seconds;
        assert!((0.0..0.2).contains(&grace), "{within}: {grace}");
    }
}

#[tokio::test(start_paused = true)]
async fn patience_is_what_the_handler_of_a_method_may_lawfully_take() {
    for (method, seconds) in [
        ("tools/call", 30.0),
        ("resources/read", 30.0),
        ("tools/list", 10.0),
        ("ping", 1.0),
        ("mcp-assay/none", 1.0),
    ] {
        let card = card(&format!(
            "steps:\n  - open: {{ as: c }}\n  - send: {{ as: q, message: {{ method: {method} }}, id: \"q\" }}\n  - await: {{ reply_to: q }}\n"
        ));
        // Only the card's own request stays unanswered; the fence is a ping too.
        let target = answering(|message| {
            if message["id"] == "q" {
                Vec::new()
            } else {
                ordinary(message)
            }
        });
        let (attempt, _) = judge(&card, target).await;
        let grace = attempt.duration.as_secs_f64() - seconds;
        assert!((0.0..0.2).contains(&grace), "{method}: {grace}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_and_notifications_are_awaited_since_a_label() {
    let card = card(
        "steps:
  - open: { as: c }
  - send: { as: q, message: { method: a/first } }
  - await: { reply_to: q }
  - send: { as: p, message: { method: a/second } }
  - await: { as: early, notification: n/x }
  - await: { as: later, notification: n/x, since: p }
  - await: { as: asked, request: roots/list, since: p }
  - await: { as: none, notification: n/x, since: later }
  - await: { as: wrong, request: n/x }
",
    );
    let target = answering(|message| match message["method"].as_str() {
        Some("a/first") => vec![
            r#"{"method":"n/x","params":{"n":1}}"#.to_owned(),
            r#"{"id":1,"method":"roots/list"}"#.to_owned(),
            refusal(message, 1),
        ],
        Some("a/second") => vec![
            r#"{"method":"n/x","params":{"n":2}}"#.to_owned(),
            r#"{"id":2,"method":"roots/list"}"#.to_owned(),
        ],
        _ => ordinary(message),
    });
    let record = play(&card, target).await;
    assert_eq!(arrived(&record, "early")["params"]["n"], 1);
    assert_eq!(arrived(&record, "later")["params"]["n"], 2);
    assert_eq!(arrived(&record, "asked")["id"], 2);
    assert_eq!(missing(&record, "none"), Some(Missing::Silent));
    assert_eq!(missing(&record, "wrong"), Some(Missing::Silent));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_awaited_is_seen_with_its_code_and_time() {
    let card = card(
        "steps:\n  - open: { as: c }\n  - close: { stdin: c }\n  - await: { as: x, exit: c, within: 5000 }\n",
    );
    let leaves = scripted(async |mut wire: Wire| {
        wire.serve(ordinary).await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        4
    });
    let record = play(&card, leaves).await;
    let Bound::Exit(seen) = &record.labels["x"] else {
        panic!("{:?}", record.labels["x"]);
    };
    assert_eq!(
        (seen.code, seen.signal, seen.in_time),
        (Some(4), None, true)
    );
    assert_eq!(seen.waited.as_millis(), 1500);
    assert_eq!(record.end, End::Closed);

    let stays = scripted(async |mut wire: Wire| {
        wire.serve(ordinary).await;
        std::future::pending().await
    });
    let record = play(&card, stays).await;
    let expected = ExitSeen {
        waited: Duration::from_secs(5),
        ..ExitSeen::default()
    };
    assert_eq!(record.labels["x"], Bound::Exit(expected));
}

const CANCELLED: &str = "steps:
  - open: { as: c }
  - send: { as: q, message: { method: tools/call } }
  - cancel: { request: q }
  - quiet: { as: s, about: q, for: 1000 }
checks:
  - { name: stopped, title: t, rule: r, basis: robustness, on: q, expect: { none: { kind: reply, in: s } } }
";

/// Answers a call this long after it was cancelled, before or after the ping that follows.
fn answering_a_cancelled_call(after: Option<Duration>) -> crate::target::Target {
    scripted(move |mut wire: Wire| async move {
        wire.handshake(json!({})).await;
        let call = wire.hear().await.unwrap();
        let cancel = wire.hear().await.unwrap();
        assert_eq!(cancel["params"]["requestId"], call["id"]);
        match after {
            None => wire.say(result(&call, &json!({}))).await,
            Some(after) => {
                let fence = wire.hear().await.unwrap();
                wire.say(result(&fence, &json!({}))).await;
                tokio::time::sleep(after).await;
                wire.say(result(&call, &json!({}))).await;
            }
        }
        wire.serve(ordinary).await
    })
}

#[tokio::test(start_paused = true)]
async fn an_answer_before_the_fence_is_a_race_and_one_after_it_is_late() {
    let card = card(CANCELLED);
    let (attempt, results) = judge(&card, answering_a_cancelled_call(None)).await;
    let record = attempt.record.unwrap();
    let window = window(&record, "s");
    let Bound::Sent(sent) = &record.labels["q"] else {
        panic!("{:?}", record.labels["q"]);
    };
    assert_eq!(Some(window.opened), sent.cancelled);
    assert!(sent.replies[0] < window.fence.unwrap());
    assert_eq!(results[1].outcome, Outcome::Waiting);
    assert_eq!(results[1].reason, Some(Reason::Raced));

    for (after, verdict) in [
        (Duration::from_millis(20), Verdict::Fail),
        // The window lasts half as long again as an answer would take.
        (Duration::from_millis(1400), Verdict::Fail),
        (Duration::from_secs(3600), Verdict::Pass),
    ] {
        let target = if verdict == Verdict::Pass {
            answering(silent_on("tools/call"))
        } else {
            answering_a_cancelled_call(Some(after))
        };
        let (attempt, results) = judge(&card, target).await;
        assert_eq!(results[1].verdict, Some(verdict), "{after:?}");
        let codes: Vec<FindingCode> = results[1].findings.iter().map(|one| one.code).collect();
        let late = verdict == Verdict::Fail;
        assert_eq!(codes, [FindingCode::LateReply][..usize::from(late)]);
        assert_eq!(attempt.record.unwrap().end, End::Alive);
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_gives_a_busy_target_the_time_that_it_is_known_to_need() {
    // Handles one request at a time: the fence is answered when the work is done, 12 s later.
    let serial = || {
        scripted(async |mut wire: Wire| {
            wire.handshake(json!({})).await;
            let call = wire.hear().await.unwrap();
            tokio::time::sleep(Duration::from_secs(12)).await;
            wire.say(result(&call, &json!({}))).await;
            wire.serve(ordinary).await
        })
    };
    let of = |lasting: u32| card(&CANCELLED.replace("for: 1000", &format!("for: {lasting}")));
    let record = play(&of(8000), serial()).await;
    assert!(window(&record, "s").fence.is_some());
    let record = play(&of(500), serial()).await;
    assert_eq!(window(&record, "s").missing, Some(Missing::Hung));
    assert!(matches!(record.end, End::Hung { .. }));
}

#[tokio::test(start_paused = true)]
async fn raw_bytes_and_a_closed_input_leave_the_end_to_the_target() {
    let card = card(
        r#"steps:
  - open: { as: c }
  - raw: { as: q, bytes: "{\"id\":9,\"method\":\"ping\"}\n{\"half" }
  - close: { stdin: c }
  - await: { as: r, reply_to: q }
"#,
    );
    let record = play(&card, answering(ordinary)).await;
    assert_eq!(record.end, End::Closed);
    // The bytes hold two lines, so no single id is theirs: the answer is attributed by what could be meant.
    assert_eq!(arrived(&record, "r")["id"], 9);
    let last = sent(&record).pop().unwrap();
    assert!(
        last.ends_with("{\"half"),
        "no fence after a partial line: {last}"
    );
}

#[tokio::test(start_paused = true)]
async fn silence_after_a_closed_input_is_the_target_s_last_word() {
    let card = card(
        "steps:\n  - open: { as: c }\n  - send: { as: q, message: { method: tools/call } }\n  - close: { stdin: c }\n  - await: { as: r, reply_to: q }\n",
    );
    let record = play(&card, answering(silent_on("tools/call"))).await;
    assert_eq!(missing(&record, "r"), Some(Missing::Silent));
    assert_eq!(record.end, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_closed_connection_is_given_time_to_end() {
    let card = card("steps:\n  - open: { as: c }\n  - close: { connection: c }\n");
    let (attempt, _) = judge(&card, answering(ordinary)).await;
    assert_eq!(attempt.record.unwrap().end, End::Closed);
    assert!(attempt.duration < Duration::from_secs(3));
}

#[tokio::test(start_paused = true)]
async fn a_native_step_binds_its_label() {
    let card =
        card("steps:\n  - open: { as: c }\n  - native: { use: walk, list: tools/list, as: w }\n");
    let target = answering(|message| match message["method"].as_str() {
        Some("tools/list") => vec![result(message, &json!({ "tools": [{ "name": "a" }] }))],
        _ => ordinary(message),
    });
    let record = play(&card, target).await;
    let Bound::Native(bound) = &record.labels["w"] else {
        panic!("{:?}", record.labels["w"]);
    };
    assert_eq!(bound.value["keys"], json!(["a"]));
    assert_eq!(bound.value["end"], "last-page");
}

#[tokio::test(start_paused = true)]
async fn http_has_no_meaning_over_lines() {
    for step in ["http: { as: h, method: GET }", "await: { status: q }"] {
        let card = card(&format!(
            "steps:\n  - send: {{ as: q, message: {{ method: ping }} }}\n  - {step}\n"
        ));
        let (attempt, _) = attempt(&stage(answering(ordinary)), &case(&card), None).await;
        assert!(attempt.record.is_err(), "{step}");
    }
}

const BARE: &str = "steps:\n  - send: { as: q, message: { method: a/b }, id: none }\n";

#[tokio::test(start_paused = true)]
async fn whoever_ignores_pings_before_the_handshake_is_asked_to_initialize() {
    // Answers nothing but `initialize`: alive. Nothing at all: hung. A refusal is an answer too.
    let only_initialize = answering(|message| match message["method"].as_str() {
        Some("initialize") => ordinary(message),
        _ => Vec::new(),
    });
    assert_eq!(play(&card(BARE), only_initialize).await.end, End::Alive);
    let refuses = answering(|message| match message["method"].as_str() {
        Some("initialize") => vec![refusal(message, -32602)],
        _ => Vec::new(),
    });
    assert_eq!(play(&card(BARE), refuses).await.end, End::Alive);
    let mute = scripted(async |mut wire: Wire| wire.mute().await);
    let record = play(&card(BARE), mute).await;
    let expected = End::Hung {
        waited: Duration::from_secs(20),
        after: 1,
    };
    assert_eq!(record.end, expected);
    let dies = scripted(async |mut wire: Wire| {
        while wire.hear().await.unwrap_or_default()["method"] != "initialize" {}
        1
    });
    assert!(matches!(
        play(&card(BARE), dies).await.end,
        End::Died { .. }
    ));
}

#[tokio::test(start_paused = true)]
async fn between_initialize_and_initialized_silence_says_nothing() {
    let card = card(
        "steps:
  - send: { as: q, message: { method: initialize, params: { protocolVersion: {$fact: revision}, capabilities: {}, clientInfo: { name: a, version: b } } } }
  - await: { reply_to: q }
",
    );
    let record = play(&card, answering(silent_on("ping"))).await;
    assert_eq!(record.end, End::Unfenced);
    let partial = crate::testing::card("steps:\n  - raw: { as: q, bytes: \"{\" }\n");
    let record = play(&partial, answering(ordinary)).await;
    assert_eq!(record.end, End::Unfenced);
    assert_eq!(record.entries.len(), 1, "nothing follows a partial line");
}

#[tokio::test(start_paused = true)]
async fn whoever_refuses_a_handshake_may_leave() {
    let leaves = scripted(async |mut wire: Wire| {
        let asked = wire.hear().await.unwrap();
        wire.say(refusal(&asked, -32602)).await;
        1
    });
    let card = card(AWAIT);
    let (attempt, results) = judge(&card, leaves).await;
    let record = attempt.record.unwrap();
    assert_eq!(record.end, End::Unfenced);
    assert_eq!(results[0].reason, Some(Reason::Unfenced));
    assert_eq!(missing(&record, "r"), Some(Missing::Unfenced));
    let stays = answering(|message| match message["method"].as_str() {
        Some("initialize") => vec![refusal(message, -32602)],
        _ => ordinary(message),
    });
    assert_eq!(play(&card, stays).await.end, End::Alive);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_answer_stops_the_card() {
    let mute = scripted(async |mut wire: Wire| wire.mute().await);
    let record = play(&card(AWAIT), mute).await;
    assert_eq!(missing(&record, "c"), Some(Missing::Hung));
    assert_eq!(missing(&record, "q"), Some(Missing::Hung));
    assert_eq!(sent(&record).len(), 1);
    assert!(matches!(record.end, End::Hung { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_a_death_by_its_own_name() {
    let floods = scripted(async |mut wire: Wire| {
        wire.handshake(json!({})).await;
        let lines = "x\n".repeat(1000);
        loop {
            wire.write(lines.as_bytes()).await;
        }
    });
    let record = play(&card(AWAIT), floods).await;
    let End::Died { how, .. } = &record.end else {
        panic!("{:?}", record.end);
    };
    assert!(how.contains("flooded"), "{how}");
    assert!(record.entries.len() <= 1001, "{}", record.entries.len());
}

#[tokio::test(start_paused = true)]
async fn a_shared_connection_is_opened_once_and_serves_one_case_after_the_other() {
    let text = "share: connection\nsteps:\n  - open: { as: c }\n  - send: { as: q, message: { method: no/such } }\n  - await: { as: r, reply_to: q }\n";
    let (stage, card) = (stage(answering(ordinary)), card(text));
    let case = case(&card);
    let (first, left) = attempt(&stage, &case, None).await;
    let (second, left) = attempt(&stage, &case, left).await;
    assert_eq!(stage.launcher.opened(), 1);
    assert_eq!(left.unwrap().history, [case.id.as_str(), case.id.as_str()]);
    assert_eq!(first.history, [""; 0]);
    assert_eq!(second.history, std::slice::from_ref(&case.id));
    let (first, second) = (first.record.unwrap(), second.record.unwrap());
    for record in [&first, &second] {
        assert!(record.arrival("c").is_some());
        assert_eq!(arrived(record, "r")["error"]["code"], -32601);
        assert_eq!(record.entries.len(), 7);
    }
}
