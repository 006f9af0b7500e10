//! Streams that break off before their answer, and are taken up again.

use super::super::{Conversation, Waited};
use super::http::{but_for, call, in_ms, open_in};
use crate::script::conversation::exchanges::MOST_RESUMPTIONS;
use crate::testing::REVISION;
use crate::testing::http::{Say, Site, bare_answer, events, ordinary_answer, peer};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::HttpPart;
use mcp_assay_wire::http::End;
use mcp_assay_wire::jsonrpc::RawId;
use std::time::Duration;
use tokio::time::Instant;

/// What each GET of a conversation asked to be resumed from.
fn resumptions(conversation: &Conversation) -> Vec<String> {
    let heads =
        conversation
            .entries()
            .iter()
            .filter_map(|entry| match &entry.http.as_ref()?.part {
                HttpPart::Request { method, head, .. } if method == "GET" => {
                    head.value("last-event-id")
                }
                _ => None,
            });
    heads.collect()
}

/// A server whose answers to `a` break off after this event, and which answers resumptions so.
fn breaking_off(
    first: &'static str,
    resumed: impl Fn(&str) -> Say + Send + Sync + 'static,
) -> Site {
    Site::new(
        move |asked| match (asked.what().as_str(), asked.head.value("last-event-id")) {
            ("a", _) => Say::Last(events(first)),
            ("GET", Some(id)) => resumed(&id),
            _ => ordinary_answer(asked),
        },
    )
}

const ANSWER: &str = "id: e9\ndata: {\"jsonrpc\":\"2.0\",\"id\":50,\"result\":{}}\n\n";

#[tokio::test(start_paused = true)]
async fn a_polling_server_s_answer_comes_by_resumption() {
    let mut conversation = peer(Binding::Http, Some("polling")).await;
    open_in(&mut conversation, REVISION).await;
    let text = r#"{"jsonrpc":"2.0","id":50,"method":"tools/call","params":{"name":"slow","arguments":{"ms":2000}}}"#;
    let (index, _) = conversation.send_message(text).await;
    let began = Instant::now();
    let waited = conversation.wait_reply(index, in_ms(10_000)).await;
    assert!(matches!(waited, Waited::Got(_)), "{waited:?}");
    assert!(
        began.elapsed() >= Duration::from_millis(500),
        "it said when to come back"
    );
    assert!(!resumptions(&conversation).is_empty());
    let reply = conversation.reply(index).unwrap();
    let number = reply.http.as_ref().unwrap().exchange;
    assert_ne!(Some(number), conversation.sent(index).exchange);
    assert_eq!(reply.answers, Some(conversation.sent(index).seq));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_taken_up_after_its_last_event_when_the_server_said() {
    for (first, after, id) in [
        ("id: e1\nretry: 300\ndata:\n\n", 300, "e1"),
        (
            "id: e1\ndata:\n\nid: e2\ndata: {\"method\":\"n\"}\n\n",
            1000,
            "e2",
        ),
    ] {
        let site = breaking_off(first, |_| Say::Last(events(ANSWER)));
        let mut conversation = site.conversation();
        open_in(&mut conversation, REVISION).await;
        let (index, _) = conversation.send_message(&call("50", "a")).await;
        let began = Instant::now();
        let waited = conversation.wait_reply(index, in_ms(5000)).await;
        assert!(matches!(waited, Waited::Got(_)), "{first:?}: {waited:?}");
        assert_eq!(began.elapsed(), Duration::from_millis(after), "{first:?}");
        assert_eq!(resumptions(&conversation), [id]);
        conversation.linger(Duration::from_secs(5)).await;
        assert_eq!(
            resumptions(&conversation),
            [id],
            "once answered it is let go"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_resumption_is_the_end_of_the_stream() {
    let site = breaking_off("id: e1\nretry: 300\ndata:\n\n", |_| bare_answer(405));
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let (index, _) = conversation.send_message(&call("50", "a")).await;
    let began = Instant::now();
    assert_eq!(
        conversation.wait_reply(index, in_ms(20_000)).await,
        Waited::Over
    );
    assert_eq!(began.elapsed(), Duration::from_millis(300));
    assert_eq!(resumptions(&conversation), ["e1"]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_always_breaks_off_is_given_up() {
    let site = breaking_off("id: e1\nretry: 10\ndata:\n\n", |_| Say::Last(events("")));
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let (index, _) = conversation.send_message(&call("50", "a")).await;
    assert_eq!(
        conversation.wait_reply(index, in_ms(20_000)).await,
        Waited::Over
    );
    assert_eq!(resumptions(&conversation).len(), MOST_RESUMPTIONS as usize);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_we_closed_is_not_taken_up() {
    let primed = "id: e1\nretry: 10\ndata:\n\n";
    let site = but_for("a", move |_| Say::Open(events(primed)));
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let (index, _) = conversation.send_message(&call("50", "a")).await;
    assert!(matches!(
        conversation.wait_head(index, in_ms(1000)).await,
        Waited::Got(_)
    ));
    assert!(conversation.is_streamed(index) && !conversation.is_over(index));
    conversation.linger(Duration::from_millis(50)).await;
    conversation.close_stream(index);
    let began = Instant::now();
    assert_eq!(
        conversation.wait_reply(index, in_ms(5000)).await,
        Waited::Over
    );
    assert_eq!(began.elapsed(), Duration::ZERO);
    conversation.linger(Duration::from_secs(5)).await;
    assert_eq!(resumptions(&conversation), [""; 0]);
    let last = &conversation.entries().last().unwrap().http;
    assert_eq!(last.as_ref().unwrap().part, HttpPart::End(End::Closed));
}

#[tokio::test(start_paused = true)]
async fn the_server_s_own_stream_is_taken_up_too() {
    let site =
        Site::new(
            |asked| match (asked.what().as_str(), asked.head.value("last-event-id")) {
                ("GET", None) => Say::Last(events("id: g1\nretry: 200\ndata:\n\n")),
                ("GET", Some(_)) => {
                    Say::Open(events("id: g2\ndata: {\"method\":\"notifications/n\"}\n\n"))
                }
                _ => ordinary_answer(asked),
            },
        );
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    conversation.linger(Duration::from_secs(5)).await;
    assert_eq!(resumptions(&conversation), ["g1"]);
    let last = conversation.entries().last().unwrap();
    assert_eq!(
        last.message.as_ref().unwrap().method.as_deref(),
        Some("notifications/n")
    );
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_batch_is_taken_up_as_long_as_an_item_is_due() {
    let five = "id: e1\nretry: 10\ndata: {\"id\":5,\"result\":{}}\n\n";
    let both = "id: e1\nretry: 10\ndata: [{\"id\":5,\"result\":{}},{\"id\":6,\"result\":{}}]\n\n";
    let refused = "id: e1\nretry: 10\ndata: {\"id\":null,\"error\":{}}\n\n";
    for (first, resumed) in [(five, 1), (both, 0), (refused, 0)] {
        let site = Site::new(move |asked| match asked.verb() {
            "POST" => Say::Last(events(first)),
            _ => bare_answer(405),
        });
        let mut conversation = site.conversation();
        let text = r#"[{"id":5,"method":"a"},{"method":"n"},{"id":6,"method":"b"}]"#;
        let (batch, _) = conversation.send_message(text).await;
        for (method, id) in [("a", Some("5")), ("n", None), ("b", Some("6"))] {
            let id = id.map(|id| RawId(id.to_owned()));
            conversation.expect_item(batch, Some(method.to_owned()), id);
        }
        conversation.linger(Duration::from_secs(1)).await;
        assert_eq!(resumptions(&conversation).len(), resumed, "{first}");
        assert!(conversation.is_over(batch));
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_by_a_resumption_without_an_id_means_what_its_stream_carried() {
    let refusal = "data: {\"id\":null,\"error\":{\"code\":-1,\"message\":\"no\"}}\n\n";
    let site = breaking_off("id: e1\nretry: 10\ndata:\n\n", move |_| {
        Say::Last(events(refusal))
    });
    let mut conversation = site.conversation();
    open_in(&mut conversation, REVISION).await;
    let (other, _) = conversation.send_now(&call("49", "a"));
    let (index, _) = conversation.send_now(&call("50", "a"));
    conversation.linger(Duration::from_secs(1)).await;
    for index in [other, index] {
        assert_eq!(conversation.sent(index).replies.len(), 1);
    }
}
