//! Fields of the requests, cases that share a connection, and several connections in one record.

use super::super::{Conversation, Waited};
use super::http::{call, in_ms, open_in};
use crate::script::conversation::exchanges::MOST_AT_ONCE;
use crate::testing::REVISION;
use crate::testing::http::{
    Asked, Say, Site, bare_answer, events, json_answer, ordinary_answer, peer,
};
use bytes::Bytes;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Direction, HttpPart};
use mcp_assay_transport::http::Body;
use std::time::Duration;
use tokio::time::Instant;

/// An ordinary server with MCP sessions.
fn with_sessions(asked: &Asked) -> Say {
    match (asked.what().as_str(), ordinary_answer(asked)) {
        ("initialize", Say::Whole(text)) => {
            Say::Whole(text.replacen("\r\n", "\r\nMcp-Session-Id: s-1\r\n", 1))
        }
        (_, say) => say,
    }
}

async fn pinged(conversation: &mut Conversation) {
    let id = conversation.fresh_id();
    let (index, _) = conversation.send_message(&call(&id.0, "ping")).await;
    let waited = conversation.wait_reply(index, in_ms(1000)).await;
    assert!(matches!(waited, Waited::Got(_)), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_name_the_revision_that_was_settled_on_and_the_session() {
    for (revision, version) in [
        (Revision::R2025_03_26, None),
        (Revision::R2025_06_18, Some("2025-06-18")),
        (Revision::R2025_11_25, Some("2025-11-25")),
    ] {
        let site = Site::new(with_sessions);
        let mut conversation = site.conversation();
        open_in(&mut conversation, revision).await;
        pinged(&mut conversation).await;
        conversation.retire(true, Duration::from_secs(1)).await;
        let field = |what: &str, name: &str| site.asked(what).head.value(name);
        let words = [
            "initialize",
            "notifications/initialized",
            "GET",
            "ping",
            "DELETE",
        ];
        assert_eq!(site.words(), words);
        assert_eq!(field("initialize", "mcp-protocol-version"), None);
        assert_eq!(field("initialize", "mcp-session-id"), None);
        for what in &words[1..] {
            assert_eq!(
                field(what, "mcp-protocol-version").as_deref(),
                version,
                "{what}"
            );
            assert_eq!(
                field(what, "mcp-session-id").as_deref(),
                Some("s-1"),
                "{what}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_server_s_revision_counts_and_a_refusal_takes_nothing_back() {
    // Asked for the newest, it settles on the one before; a second handshake it refuses.
    let site = Site::new(|asked| match asked.what().as_str() {
        "initialize" if asked.message()["id"] == 1 => {
            let body = r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}"#;
            json_answer(200, body)
        }
        "initialize" => json_answer(
            200,
            r#"{"jsonrpc":"2.0","id":50,"error":{"code":-32600,"message":"twice"}}"#,
        ),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, Revision::R2025_11_25).await;
    let (again, _) = conversation.send_message(&call("50", "initialize")).await;
    assert!(matches!(
        conversation.wait_reply(again, in_ms(1000)).await,
        Waited::Got(_)
    ));
    pinged(&mut conversation).await;
    let version = site.asked("ping").head.value("mcp-protocol-version");
    assert_eq!(version.as_deref(), Some("2025-06-18"));
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_session_has_none_to_end() {
    let site = Site::new(ordinary_answer);
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.retire(true, Duration::from_secs(1)).await;
    assert!(!site.words().contains(&"DELETE".to_owned()));
    let site = Site::new(with_sessions);
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.retire(false, Duration::from_secs(1)).await;
    assert!(
        !site.words().contains(&"DELETE".to_owned()),
        "not where we part at once"
    );
}

#[tokio::test(start_paused = true)]
async fn the_next_case_begins_behind_the_whole_handshake() {
    let site = Site::new(|asked| match asked.what().as_str() {
        "GET" => Say::Open(events("")),
        "late" => json_answer(
            200,
            &format!(r#"{{"id":{},"result":{{}}}}"#, asked.message()["id"]),
        )
        .after(500),
        "streams" => Say::Open(events("")),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let kept = conversation.last_seq();
    let parts: Vec<String> = conversation
        .entries()
        .iter()
        .map(|entry| match &entry.http.as_ref().unwrap().part {
            HttpPart::Request { method, .. } => method.clone(),
            HttpPart::Response { status, .. } => status.to_string(),
            HttpPart::Body => "body".to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(parts, ["POST", "200", "body", "POST", "202", "GET", "200"]);
    let first = conversation.fresh_id();
    let _ = conversation.send_message(&call(&first.0, "late")).await;
    let second = conversation.fresh_id();
    let _ = conversation.send_message(&call(&second.0, "streams")).await;
    pinged(&mut conversation).await;

    conversation.begin_case();
    assert_eq!(conversation.last_seq(), kept);
    let third = conversation.fresh_id();
    assert!(![&first, &second].contains(&&third));
    conversation.linger(Duration::from_secs(1)).await;
    assert_eq!(
        conversation.last_seq(),
        kept,
        "what came late was the earlier case's"
    );
    pinged(&mut conversation).await;
    let last = conversation.entries().last().unwrap();
    assert_eq!(last.answers, Some(kept + 1));
    let numbers: Vec<u64> = conversation.entries()[usize::try_from(kept).unwrap()..]
        .iter()
        .map(|entry| entry.http.as_ref().unwrap().exchange)
        .collect();
    assert!(
        numbers
            .iter()
            .all(|number| *number == numbers[0] && *number > 6),
        "{numbers:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_server_s_stream_is_heard_in_every_case() {
    let mut conversation = peer(Binding::Http, None).await;
    open_in(&mut conversation, REVISION).await;
    let is_changed = |conversation: &Conversation| {
        conversation.entries().iter().any(|entry| {
            let message = entry.message.as_ref();
            let method = message.and_then(|message| message.method.as_deref());
            method == Some("notifications/resources/updated")
        })
    };
    let subscribe = r#"{"jsonrpc":"2.0","id":50,"method":"resources/subscribe","params":{"uri":"test://watched-resource"}}"#;
    let _ = conversation.send_message(subscribe).await;
    pinged(&mut conversation).await;
    for id in 51..54 {
        conversation.begin_case();
        assert!(!is_changed(&conversation));
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"touch","arguments":{{}}}}}}"#
        );
        let _ = conversation.send_message(&text).await;
        conversation.linger(Duration::from_secs(5)).await;
        assert!(is_changed(&conversation), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_the_server_s_own_that_was_taken_up_is_part_of_every_later_record() {
    let site =
        Site::new(
            |asked| match (asked.what().as_str(), asked.head.value("last-event-id")) {
                ("GET", None) => Say::Last(events("id: g1\nretry: 200\ndata:\n\n")),
                ("GET", Some(id)) if id == "g1" => Say::Open(events("id: g2\ndata:\n\n")),
                _ => ordinary_answer(asked),
            },
        );
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let kept = conversation.handshake.entries;
    conversation.begin_case();
    conversation.linger(Duration::from_secs(1)).await;
    assert_eq!(site.words().iter().filter(|word| *word == "GET").count(), 2);
    for _ in 0..2 {
        pinged(&mut conversation).await;
        conversation.begin_case();
        let later: Vec<(u64, bool)> = conversation.entries()[kept..]
            .iter()
            .map(|entry| {
                let part = &entry.http.as_ref().unwrap().part;
                (
                    entry.seq,
                    matches!(part, HttpPart::Response { status: 200, .. }),
                )
            })
            .collect();
        let next = kept as u64 + 1;
        assert_eq!(
            later,
            [(next, false), (next + 1, true)],
            "its request and its head"
        );
        let exchange = conversation.entries()[kept].http.as_ref().unwrap().exchange;
        assert_eq!(
            conversation.exchanges.get(exchange).unwrap().head,
            Some(next + 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_sibling_is_another_client_of_the_same_server() {
    let site = Site::new(with_sessions);
    let mut first = site.conversation();
    open_in(&mut first, REVISION).await;
    let mut second = first.sibling("d").unwrap();
    pinged(&mut second).await;
    let asked = site.asked("ping").head;
    assert_eq!(asked.value("mcp-session-id"), None, "it has no session yet");
    assert_eq!(asked.value("mcp-protocol-version"), None);
    assert!(second.entries().iter().all(|entry| entry.connection == "d"));
    let before = first.last_seq();
    assert_eq!(first.absorb(&second), before);
    let theirs = &first.entries()[usize::try_from(before).unwrap()..];
    assert_eq!(theirs.len(), second.entries().len());
    for (index, entry) in theirs.iter().enumerate() {
        assert_eq!(entry.seq, before + index as u64 + 1);
        assert_eq!(entry.connection, "d");
    }
    let answers: Vec<Option<u64>> = theirs.iter().map(|entry| entry.answers).collect();
    assert_eq!(answers, [None, None, Some(before + 1)]);
    // The numbers of exchanges begin anew on each connection, and the label keeps them apart.
    assert_eq!(theirs[0].http.as_ref().unwrap().exchange, 1);
}

#[tokio::test(start_paused = true)]
async fn items_of_a_batch_stay_with_it_when_they_are_absorbed() {
    let site = Site::new(|_| json_answer(200, r#"[{"id":5,"result":{}}]"#));
    let mut first = site.conversation();
    let _ = first.send_raw(b"x").await;
    let mut second = first.sibling("d").unwrap();
    let (batch, _) = second.send_now(r#"[{"id":5,"method":"a"}]"#);
    let id = Some(mcp_assay_wire::jsonrpc::RawId("5".to_owned()));
    let item = second.expect_item(batch, Some("a".to_owned()), id);
    assert!(matches!(
        second.wait_reply(item, in_ms(1000)).await,
        Waited::Got(4)
    ));
    assert_eq!(first.absorb(&second), 1);
    let moved = first.entries().last().unwrap();
    assert_eq!(
        (moved.seq, moved.part_of, moved.answers),
        (5, Some(4), Some(2))
    );
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_server_are_answered_by_posts_of_their_own() {
    let asks = "data: {\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"roots/list\"}\n\n";
    let site = Site::new(
        move |asked| match (asked.what().as_str(), &asked.message()["id"]) {
            ("GET", _) => Say::Open(events(asks)),
            (_, id) if id == "r" => bare_answer(202).after(100),
            _ => ordinary_answer(asked),
        },
    );
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.linger(Duration::from_millis(10)).await;
    let began = Instant::now();
    pinged(&mut conversation).await;
    assert_eq!(
        began.elapsed(),
        Duration::ZERO,
        "an answer holds up nothing"
    );
    let answer = site
        .heard()
        .into_iter()
        .find(|asked| asked.message()["id"] == "r")
        .unwrap();
    assert_eq!(answer.verb(), "POST");
    assert_eq!(
        answer.body,
        r#"{"jsonrpc":"2.0","id":"r","result":{"roots":[]}}"#
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_asks_without_end_is_answered_up_to_a_bound() {
    let asks = "data: {\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"ping\"}\n\n";
    let asks = asks.repeat(2 * MOST_AT_ONCE);
    let site = Site::new(
        move |asked| match (asked.what().as_str(), &asked.message()["id"]) {
            ("a", _) => Say::Open(events(&asks)),
            // It takes no answer.
            (_, id) if id == "r" => Say::nothing(),
            _ => ordinary_answer(asked),
        },
    );
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let _ = conversation.send_message(&call("50", "a")).await;
    conversation.linger(Duration::from_secs(5)).await;
    let heard = site.heard();
    let answers = heard
        .iter()
        .filter(|asked| asked.message()["id"] == "r")
        .count();
    assert!(
        (MOST_AT_ONCE / 2..MOST_AT_ONCE).contains(&answers),
        "{answers}"
    );
    pinged(&mut conversation).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_of_the_card_s_own_are_recorded_as_they_went_out() {
    let site = Site::new(|_| bare_answer(202));
    let mut conversation = site.conversation();
    let pieces = vec![
        (Duration::from_millis(50), Bytes::from_static(b"{\"id\":9,")),
        (
            Duration::from_millis(50),
            Bytes::from_static(b"\"method\":\"a\"}"),
        ),
    ];
    let index = conversation
        .send_http("POST", &[], Body::Slow(pieces))
        .unwrap();
    let entry = conversation.entry(conversation.sent(index).seq).unwrap();
    assert_eq!(entry.raw, r#"{"id":9,"method":"a"}"#.as_bytes());
    assert_eq!(entry.direction, Direction::Sent);
    assert_eq!(conversation.sent(index).method.as_deref(), Some("a"));
    assert!(matches!(
        conversation.wait_head(index, in_ms(1000)).await,
        Waited::Got(_)
    ));
    assert_eq!(site.asked("a").body, r#"{"id":9,"method":"a"}"#);
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_the_servers_own_that_ended_without_ids_is_lost() {
    let site = Site::new(|asked| match asked.verb() {
        "GET" => Say::Last(events(": nothing to say\n\n")),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.linger(Duration::from_secs(1)).await;
    assert!(conversation.has_lost_stream());
    let site = Site::new(|asked| match asked.verb() {
        "GET" => bare_answer(405),
        _ => ordinary_answer(asked),
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.linger(Duration::from_secs(1)).await;
    assert!(!conversation.has_lost_stream(), "there never was one");
}
