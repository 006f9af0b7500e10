//! Cards over HTTP: what a missing answer means there, how a conversation ends, and the `http` step.

use super::missing;
use crate::script::conversation::Conversation;
use crate::testing::REVISION;
use crate::testing::http::{
    Asked, Say, Site, bare_answer, events, json_answer, ordinary_answer, peer, play_over,
};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Bound, End, HttpPart, Missing, Record};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

const AWAIT: &str = "steps:\n  - open: { as: c }\n  - send: { as: q, message: { method: no/such } }\n  - await: { as: r, reply_to: q }\n";
const OPEN: &str = "steps:\n  - open: { as: c }\n";
const SHARED: &str = "share: connection\nsteps:\n  - open: { as: c }\n";

fn but_for(what: &'static str, say: Say) -> Site {
    Site::new(move |asked| {
        if asked.what() == what {
            say.clone()
        } else {
            ordinary_answer(asked)
        }
    })
}

/// A server that answers the second `initialize` so.
fn second_client(say: Say) -> Site {
    let times = AtomicU64::new(0);
    Site::new(move |asked| {
        if asked.what() == "initialize" && times.fetch_add(1, Ordering::Relaxed) == 1 {
            return say.clone();
        }
        ordinary_answer(asked)
    })
}

async fn play(site: &Site, steps: &str) -> Record {
    play_over(&mut site.conversation(), REVISION, steps).await
}

fn sent<'r>(record: &'r Record, label: &str) -> &'r mcp_assay_model::record::Sent {
    match &record.labels[label] {
        Bound::Sent(sent) => sent,
        other => panic!("{label} is {other:?}"),
    }
}

fn status(record: &Record, label: &str) -> Option<u16> {
    let head = record.response_head(sent(record, label))?;
    match &head.http.as_ref().unwrap().part {
        HttpPart::Response { status, .. } => Some(*status),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn an_exchange_that_ends_without_a_response_is_silence_and_costs_no_time() {
    for say in [
        Say::Last(events("")),
        bare_answer(202),
        bare_answer(404),
        Say::hang_up(),
    ] {
        let site = but_for("no/such", say);
        let began = Instant::now();
        let record = play(&site, AWAIT).await;
        assert_eq!(missing(&record, "q"), Some(Missing::Silent));
        assert_eq!(missing(&record, "r"), Some(Missing::Silent));
        assert_eq!(record.end, End::Alive);
        let graces = Duration::from_millis(100);
        assert!(began.elapsed() < graces, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_connections_has_died_and_says_why() {
    let site = but_for("no/such", Say::Shut(Box::new(Say::hang_up())));
    let record = play(&site, AWAIT).await;
    assert_eq!(missing(&record, "r"), Some(Missing::Died));
    let End::Died { how, after } = &record.end else {
        panic!("{:?}", record.end);
    };
    assert_eq!(how, "takes no connections: nobody listens");
    assert_eq!(*after, record.entries.len() as u64);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_silence_though_its_stream_had_ids() {
    let mut conversation = peer(Binding::Http, Some("closes-stream-before-answer")).await;
    let steps = AWAIT.replace(
        "method: no/such",
        "method: tools/call, params: { name: echo, arguments: { message: x } }",
    );
    let record = play_over(&mut conversation, REVISION, &steps).await;
    assert_eq!(missing(&record, "r"), Some(Missing::Silent));
    assert_eq!(record.end, End::Alive);
}

#[tokio::test(start_paused = true)]
async fn a_new_client_that_is_not_served_is_a_death_with_its_evidence() {
    let failing = [
        (
            bare_answer(500),
            "answers a new client's `initialize` with HTTP 500",
        ),
        (
            bare_answer(503),
            "answers a new client's `initialize` with HTTP 503",
        ),
        (
            Say::hang_up(),
            "breaks off the `initialize` of a new client",
        ),
    ];
    for (say, expected) in failing {
        let record = play(&second_client(say), OPEN).await;
        let End::Died { how, after } = &record.end else {
            panic!("{:?}", record.end);
        };
        assert_eq!(how, expected);
        let of = |seq: u64| record.entry(seq).unwrap().connection.as_str();
        assert_eq!((of(*after), of(*after + 1)), ("c", "after"));
        let theirs = record
            .entries
            .iter()
            .filter(|entry| entry.connection == "after");
        assert_eq!(theirs.count(), 2, "what was asked, and the head or the end");
        // A connection that the next card uses shows by itself whether it still serves.
        let shared = play(&second_client(bare_answer(500)), SHARED).await;
        assert_eq!(shared.end, End::Alive);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_for_a_new_client_has_died() {
    let site = but_for(
        "ping",
        Say::Shut(Box::new(json_answer(200, r#"{"id":2,"result":{}}"#))),
    );
    let record = play(&site, OPEN).await;
    let End::Died { how, .. } = &record.end else {
        panic!("{:?}", record.end);
    };
    assert_eq!(how, "takes no connections: nobody listens");
    assert_eq!(record.entries.last().unwrap().connection, "after");
}

#[tokio::test(start_paused = true)]
async fn a_new_client_that_is_kept_waiting_is_a_hang() {
    let record = play(&second_client(Say::nothing()), OPEN).await;
    let End::Hung { waited, after } = &record.end else {
        panic!("{:?}", record.end);
    };
    assert_eq!(*waited, Duration::from_secs(20));
    assert_eq!(record.entry(*after + 1).unwrap().connection, "after");
}

#[tokio::test(start_paused = true)]
async fn a_new_client_may_be_refused() {
    let refusal = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"one at a time"}}"#;
    for say in [
        bare_answer(400),
        bare_answer(429),
        json_answer(200, refusal),
        json_answer(503, refusal),
    ] {
        let record = play(&second_client(say.clone()), OPEN).await;
        assert_eq!(record.end, End::Alive, "{say:?}");
        assert!(record.entries.iter().all(|entry| entry.connection == "c"));
    }
    let site = Site::new(ordinary_answer);
    assert_eq!(play(&site, OPEN).await.end, End::Alive);
    assert_eq!(
        site.words()
            .iter()
            .filter(|word| *word == "initialize")
            .count(),
        2
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_deleted_session_does_to_the_server_is_seen() {
    let steps = "steps:\n  - open: { as: c }\n  - http: { as: d, method: DELETE }\n";
    for fault in ["crashes-on-delete", "hangs-on-delete"] {
        let mut conversation = peer(Binding::Http, Some(fault)).await;
        let record = play_over(&mut conversation, REVISION, steps).await;
        let is_bad = matches!(record.end, End::Died { .. } | End::Hung { .. });
        assert!(is_bad, "{fault}: {:?}", record.end);
    }
    let mut conversation = peer(Binding::Http, None).await;
    let record = play_over(&mut conversation, REVISION, steps).await;
    assert_eq!(record.end, End::Alive);
    assert_eq!(status(&record, "d"), Some(200));
}

/// The one request that the card's `http` step made, and the fields of it that are not the client's own.
fn own_fields(asked: &Asked) -> Vec<(String, String)> {
    let ours = ["host", "user-agent", "accept-encoding", "content-length"];
    let fields = asked.head.fields.iter();
    fields
        .map(|field| {
            (
                field.name.clone(),
                String::from_utf8_lossy(&field.value).into_owned(),
            )
        })
        .filter(|(name, _)| !ours.contains(&name.to_ascii_lowercase().as_str()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn fields_of_a_card_are_put_over_ours_removed_and_repeated() {
    let steps = r#"vary: { v: [ "varied \u00e9" ] }
steps:
  - send: { as: i, message: { method: no/such, params: { a: 1.5 } } }
  - http: { as: h, method: POST, headers: { ACCEPT: "*/*", Content-Type: null, X-Two: [b, {$fact: revision}], x-vary: {$vary: v}, X-Number: 15 }, body: "{\"id\": 9 , \"method\":\"a\"}" }
"#;
    let site = Site::new(ordinary_answer);
    let record = play(&site, steps).await;
    let asked = site.asked("a");
    assert_eq!(asked.head.start, "POST /mcp HTTP/1.1");
    let expected = [
        ("ACCEPT", "*/*"),
        ("X-Two", "b"),
        ("X-Two", "2025-11-25"),
        ("x-vary", "varied é"),
        ("X-Number", "15"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(own_fields(&asked), expected);
    assert_eq!(asked.body, r#"{"id": 9 , "method":"a"}"#, "byte for byte");
    assert_eq!(sent(&record, "h").replies.len(), 1);
    let entry = record.entry(sent(&record, "h").seq).unwrap();
    let HttpPart::Request { head, .. } = &entry.http.as_ref().unwrap().part else {
        panic!("{entry:?}");
    };
    assert_eq!(*head, asked.head, "what is recorded is what went out");
}

#[tokio::test(start_paused = true)]
async fn a_body_is_a_text_as_it_is_or_json() {
    for (body, expected) in [
        ("\"no json\"", "no json"),
        ("{$vary: v}", "varied"),
        (
            "{ id: 9, method: a, params: { x: {$vary: v}, at: 1.5 } }",
            r#"{"id":9,"method":"a","params":{"x":"varied","at":1.5}}"#,
        ),
        ("[]", "[]"),
    ] {
        let steps = format!(
            "vary: {{ v: [ varied ] }}\nsteps:\n  - http: {{ as: h, method: PUT, body: {body} }}\n"
        );
        let site = Site::new(ordinary_answer);
        let _ = play(&site, &steps).await;
        assert_eq!(site.heard()[0].body, expected);
        assert_eq!(site.heard()[0].verb(), "PUT");
    }
}

/// Runs one `http` step and says how long it took.
async fn step(say: Say, method: &str, body: &str) -> (Record, Duration) {
    let site = Site::new(move |asked| {
        if asked.head.value("x-step").is_some() {
            say.clone()
        } else {
            ordinary_answer(asked)
        }
    });
    let steps = format!(
        "share: connection\nsteps:\n  - open: {{ as: c }}\n  - http: {{ as: h, method: {method}, headers: {{ X-Step: here }}{body} }}\n"
    );
    let mut conversation: Conversation = site.conversation();
    let began = Instant::now();
    let record = play_over(&mut conversation, REVISION, &steps).await;
    (record, began.elapsed())
}

const PING: &str = r#", body: "{\"id\":\"x\",\"method\":\"ping\"}""#;

#[tokio::test(start_paused = true)]
async fn the_step_waits_for_the_reply_the_whole_response_or_the_head_of_a_stream() {
    // A stream that stays open: its reply is enough.
    let reply = "data: {\"id\":\"x\",\"result\":{}}\n\n";
    let (record, took) = step(Say::Open(events(reply)).after(200), "POST", PING).await;
    assert_eq!(
        (sent(&record, "h").replies.len(), record.end),
        (1, End::Alive)
    );
    assert!(took < Duration::from_millis(300), "{took:?}");
    // Without a reply it is waited for as long as for any, then the head counts.
    let (record, took) = step(Say::Open(events("")), "POST", PING).await;
    assert_eq!(
        (status(&record, "h"), sent(&record, "h").missing),
        (Some(200), None)
    );
    assert!(took >= Duration::from_secs(1), "{took:?}");
    // A stream that answers a GET has nothing that it could be waited for.
    let (record, took) = step(Say::Open(events("")).after(200), "GET", "").await;
    assert_eq!((status(&record, "h"), record.end), (Some(200), End::Alive));
    assert!(took < Duration::from_millis(300), "{took:?}");
    // A body comes whole.
    let (record, _) = step(json_answer(404, "{}").after(200), "POST", "").await;
    assert_eq!(status(&record, "h"), Some(404));
    let body = record.entries.iter().any(|entry| {
        let http = entry.http.as_ref().unwrap();
        Some(http.exchange) == sent(&record, "h").exchange && http.part == HttpPart::Body
    });
    assert!(body);
}

#[tokio::test(start_paused = true)]
async fn a_step_without_any_response_says_what_is_missing() {
    let (record, took) = step(Say::hang_up(), "POST", PING).await;
    assert_eq!(sent(&record, "h").missing, Some(Missing::Silent));
    assert_eq!((status(&record, "h"), record.end), (None, End::Alive));
    assert!(took < Duration::from_millis(300), "{took:?}");
    let (record, took) = step(Say::nothing(), "DELETE", "").await;
    assert_eq!(sent(&record, "h").missing, Some(Missing::Silent));
    assert!(took >= Duration::from_secs(10), "{took:?}");
    let (record, _) = step(Say::Shut(Box::new(Say::hang_up())), "PUT", "").await;
    // The socket of the handshake still stands, so the fence is answered.
    assert_eq!(sent(&record, "h").missing, Some(Missing::Silent));
}

#[tokio::test(start_paused = true)]
async fn a_status_is_awaited_by_its_head() {
    let steps = "share: connection\nsteps:\n  - open: { as: c }\n  - send: { as: note, message: { method: notifications/n } }\n  - await: { as: s, status: note }\n";
    let record = play(
        &but_for("notifications/n", bare_answer(204).after(300)),
        steps,
    )
    .await;
    let Bound::Arrived(seq) = record.labels["s"] else {
        panic!("{:?}", record.labels["s"]);
    };
    assert_eq!(
        record.response_head(sent(&record, "note")).unwrap().seq,
        seq
    );
    assert_eq!(status(&record, "note"), Some(204));
    let record = play(&but_for("notifications/n", Say::hang_up()), steps).await;
    assert_eq!(missing(&record, "s"), Some(Missing::Silent));
    assert_eq!(missing(&record, "note"), Some(Missing::Silent));
}
