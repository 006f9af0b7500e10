//! HTTP+SSE: everything comes on one stream, so that it is as over lines, and its end is the end.

use super::super::{Fence, Waited};
use super::http::{call, in_ms, open_in};
use crate::testing::http::{Say, Site, bare_answer, events, peer, play_over};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{End, HttpPart, Missing};
use std::time::Duration;
use tokio::time::Instant;

const ENDPOINT: &str = "event: endpoint\ndata: /messages\n\n";

#[tokio::test(start_paused = true)]
async fn responses_come_on_the_stream_that_the_connection_begins_with() {
    let mut conversation = peer(Binding::HttpSse, None).await;
    assert!(!conversation.has_exchanges());
    open_in(&mut conversation, Revision::R2024_11_05).await;
    let (index, _) = conversation.send_message(&call("50", "ping")).await;
    let waited = conversation.wait_reply(index, in_ms(1000)).await;
    assert!(matches!(waited, Waited::Got(_)), "{waited:?}");
    let reply = conversation.reply(index).unwrap();
    assert_eq!(reply.http.as_ref().unwrap().exchange, 1);
    assert_ne!(conversation.sent(index).exchange, Some(1));
    assert!(
        !conversation.is_over(index),
        "nothing can be told from the end of a POST"
    );
    let began = Instant::now();
    let fence = conversation.fence(Duration::ZERO).await;
    assert!(matches!(fence, Fence::Answered(_)));
    assert_eq!(began.elapsed(), conversation.pace.grace());
    let versions = conversation.entries().iter().filter(|entry| {
        matches!(&entry.http.as_ref().unwrap().part, HttpPart::Request { head, .. }
            if head.value("mcp-protocol-version").is_some())
    });
    assert_eq!(versions.count(), 0, "that is Streamable HTTP's");
}

#[tokio::test(start_paused = true)]
async fn the_first_stream_bears_the_label_of_the_card_too() {
    let mut conversation = peer(Binding::HttpSse, None).await;
    let steps = "steps:\n  - open: { as: conn }\n";
    let record = play_over(&mut conversation, Revision::R2024_11_05, steps).await;
    assert_eq!(record.end, End::Alive);
    assert!(
        record
            .entries
            .iter()
            .all(|entry| entry.connection == "conn")
    );
    let mut first = record
        .exchange("conn", 1)
        .map(|entry| &entry.http.as_ref().unwrap().part);
    assert!(matches!(first.next(), Some(HttpPart::Request { .. })));
    assert!(matches!(first.next(), Some(HttpPart::Response { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_stream_is_the_end_of_the_server() {
    for (get, why) in [
        (Say::Last(events(ENDPOINT)), "its event stream ended"),
        (Say::hang_up(), "its event stream broke off: "),
        (
            Say::Last(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            ),
            "its event stream broke off: ",
        ),
    ] {
        let site = Site::new(move |asked| match asked.verb() {
            "GET" => get.clone(),
            _ => bare_answer(202),
        });
        let mut conversation = site.sse_conversation();
        let (index, _) = conversation.send_message(&call("50", "ping")).await;
        let began = Instant::now();
        assert_eq!(conversation.wait_reply(index, in_ms(5000)).await, Waited::Ended);
        assert_eq!(began.elapsed(), Duration::ZERO);
        let ended = conversation.ended().unwrap().why.clone().unwrap();
        assert!(ended.starts_with(why), "{ended}");
        let fence = conversation.fence(Duration::ZERO).await;
        assert_eq!(fence, Fence::Missing(Missing::Died));
    }
}

#[tokio::test(start_paused = true)]
async fn a_taken_message_without_an_answer_is_waited_for() {
    let site = Site::new(|asked| match asked.verb() {
        "GET" => Say::Open(events(ENDPOINT)),
        _ => bare_answer(202),
    });
    let mut conversation = site.sse_conversation();
    let (index, _) = conversation.send_message(&call("50", "a")).await;
    let waited = conversation.wait_reply(index, in_ms(700)).await;
    assert_eq!(waited, Waited::TimedOut, "it may still come on the stream");
    assert_eq!(conversation.status(index), Some(202));
    assert_eq!(
        conversation.sibling("d").unwrap().binding(),
        Binding::HttpSse
    );
}
