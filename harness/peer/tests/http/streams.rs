//! Streams: what goes where, event ids, resumption.

use crate::support::{
    Client, Event, Exchange, LOGGING, PING, SLOW, Seen, events, honest, lying, request, wait,
};
use mcp_assay_peer::{HttpOptions, HttpServer, Planted};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const UPDATED: &str = "notifications/resources/updated";

async fn subscribed(client: &Client) {
    let uri = json!({ "uri": "test://watched-resource" });
    client.call("resources/subscribe", uri).await;
}

async fn touch(client: &Client) {
    client.tool(json!(1), "touch", json!({})).body().await;
}

fn is_update(message: &Value) -> bool {
    message["method"] == UPDATED
}

#[tokio::test(start_paused = true)]
async fn what_relates_to_no_request_goes_on_one_get_stream() {
    let client = Client::of_honest().await;
    subscribed(&client).await;
    let (first, second) = (client.listen().await, client.listen().await);
    let call = client.tool(json!(1), "touch", json!({}));
    call.body().await;
    second.message(is_update).await;
    wait(100).await;
    assert!(first.messages().is_empty());
    assert_eq!(second.messages().len(), 1);
    assert_eq!(call.messages().len(), 1, "the answer alone");
    drop(second);
    touch(&client).await;
    first.message(is_update).await;
}

#[tokio::test(start_paused = true)]
async fn what_has_no_stream_waits_for_one() {
    let client = Client::open(&honest(), "2025-11-25", json!({ "roots": {} })).await;
    subscribed(&client).await;
    touch(&client).await;
    let stream = client.listen().await;
    stream.message(is_update).await;
    let asked = stream
        .message(|message| message["method"] == "roots/list")
        .await;
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } });
    assert_eq!(client.post(&answer.to_string()).status().await, 202);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_bounded() {
    let client = Client::of_honest().await;
    subscribed(&client).await;
    for _ in 0..300 {
        touch(&client).await;
    }
    let stream = client.listen().await;
    wait(1000).await;
    assert_eq!(stream.messages().len(), 256);
}

#[tokio::test(start_paused = true)]
async fn event_ids_are_unique_in_a_session() {
    let client = Client::of_honest().await;
    subscribed(&client).await;
    let stream = client.listen().await;
    let calls = [
        client.post(LOGGING),
        client.post(SLOW),
        client.post(LOGGING),
    ];
    touch(&client).await;
    for call in &calls {
        call.body().await;
    }
    stream.message(is_update).await;
    let all = calls
        .iter()
        .chain([&stream])
        .flat_map(|exchange| exchange.events());
    let ids: Vec<_> = all.map(|event| event.id.unwrap()).collect();
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_stream_is_resumed_where_it_broke_off() {
    let client = Client::of_honest().await;
    let call = client.post(LOGGING);
    let first = call
        .message(|message| message["method"] == "notifications/message")
        .await;
    let last = call.events().pop().unwrap().id.unwrap();
    drop(call);
    wait(10).await;
    // Another stream meanwhile, of which nothing may be replayed.
    client.post(SLOW).body().await;
    let resumed = client.resume(&last);
    assert_eq!(resumed.status().await, 200);
    resumed.body().await;
    let messages = resumed.messages();
    assert_eq!(messages.len(), 3);
    assert!(!messages.contains(&first));
    assert_eq!(
        messages[2]["id"], 8,
        "the answer waited, for a disconnect cancels nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_goes_on_and_ends_with_the_answer() {
    let client = Client::of_honest().await;
    let call = client.post(SLOW);
    let first = first_id(&call).await;
    drop(call);
    let resumed = client.resume(&first);
    assert_eq!(resumed.status().await, 200);
    wait(100).await;
    assert!(!resumed.is_over());
    resumed.body().await;
    assert_eq!(resumed.messages()[0]["id"], 9);
}

async fn first_id(exchange: &Exchange) -> String {
    let first = |seen: &Seen| {
        events(&seen.body)
            .first()
            .and_then(|event| event.id.clone())
    };
    exchange.until(first).await
}

#[tokio::test(start_paused = true)]
async fn a_finished_stream_can_be_replayed_and_ends() {
    let client = Client::of_honest().await;
    let call = client.post(LOGGING);
    let events = call.all_events().await;
    for (seen, event) in events.iter().enumerate() {
        let resumed = client.resume(event.id.as_deref().unwrap());
        let left: Vec<Event> = resumed.all_events().await;
        assert_eq!(left, events[seen + 1..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_get_stream_is_resumed_with_what_it_would_have_said() {
    let client = Client::of_honest().await;
    subscribed(&client).await;
    let stream = client.listen().await;
    touch(&client).await;
    stream.message(is_update).await;
    let last = stream.events().pop().unwrap().id.unwrap();
    let first = stream.events().swap_remove(0).id.unwrap();
    drop(stream);
    wait(10).await;
    touch(&client).await;
    let resumed = client.resume(&last);
    resumed.message(is_update).await;
    wait(100).await;
    assert_eq!(resumed.messages().len(), 1);
    assert!(!resumed.is_over());
    let again = client.resume(&first);
    again.message(is_update).await;
    wait(100).await;
    assert_eq!(again.messages().len(), 2);
    assert!(resumed.is_over(), "one connection carries a stream");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_id_opens_a_stream_as_none_does() {
    let client = Client::of_honest().await;
    client.post(LOGGING).body().await;
    for id in ["nonsense", "99-1", "x-y", "1", "-"] {
        let stream = client.resume(id);
        assert_eq!(stream.status().await, 200, "{id}");
        wait(100).await;
        assert!(stream.messages().is_empty() && !stream.is_over(), "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn history_is_bounded() {
    let server = HttpServer::new(HttpOptions {
        event_history: 4,
        ..HttpOptions::default()
    });
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    let first = client.post(LOGGING).all_events().await.swap_remove(0);
    client.post(PING).body().await;
    let resumed = client.resume(first.id.as_deref().unwrap());
    assert_eq!(resumed.all_events().await.len(), 4);
    client.post(LOGGING).body().await;
    let resumed = client.resume(first.id.as_deref().unwrap());
    wait(100).await;
    assert!(resumed.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_first_event_says_when_to_come_back() {
    let server = HttpServer::new(HttpOptions {
        retry_ms: Some(1234),
        ..HttpOptions::default()
    });
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    let events = client.post(LOGGING).all_events().await;
    assert_eq!(events[0].retry.as_deref(), Some("1234"));
    assert!(events[1..].iter().all(|event| event.retry.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_disconnect_is_no_cancel() {
    let client = Client::of_honest().await;
    subscribed(&client).await;
    let call = client.post(&request(
        json!(1),
        "tools/call",
        json!({ "name": "slow", "arguments": { "ms": 300 } }),
    ));
    let id = first_id(&call).await;
    drop(call);
    wait(1000).await;
    let resumed = client.resume(&id);
    resumed.body().await;
    assert_eq!(resumed.messages()[0]["id"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_sent_away_and_comes_back_for_the_answer() {
    let client = Client::of_honest().await;
    let call = client.tool(json!(5), "test_reconnection", json!({}));
    let events = call.all_events().await;
    assert!(!call.is_broken(), "it ends as streams end");
    assert_eq!(events.len(), 2, "{events:?}");
    for event in &events {
        assert!(event.id.is_some());
        assert_eq!(event.data.as_deref(), Some(""));
    }
    assert_eq!(events[1].retry.as_deref(), Some("500"));
    let resumed = client.resume(events[1].id.as_deref().unwrap());
    let answer = resumed.message(|message| message["id"] == 5).await;
    assert!(answer["result"]["content"][0]["text"].is_string());
    resumed.body().await;
    assert_eq!(resumed.messages().len(), 1);

    for fault in ["ignores-last-event-id", "no-event-ids", "no-get-stream"] {
        let server = lying(Planted::named_on_http(fault).unwrap());
        let client = Client::open(&server, "2025-11-25", json!({})).await;
        let call = client.tool(json!(5), "test_reconnection", json!({}));
        call.body().await;
        assert_eq!(call.messages().len(), 1, "{fault}: it cannot come back");
    }
    for revision in ["2025-03-26", "2025-06-18"] {
        let client = Client::open(&honest(), revision, json!({})).await;
        let call = client.tool(json!(5), "test_reconnection", json!({}));
        let answer = call.message(|message| message["id"] == 5).await;
        assert_eq!(answer["error"]["code"], -32602);
    }
}
