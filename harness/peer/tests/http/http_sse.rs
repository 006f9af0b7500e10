//! The HTTP+SSE transport of 2024-11-05.

use crate::support::{
    Exchange, LOGGING, PING, Seen, ask, events, honest, initialize, request, wait,
};
use mcp_assay_peer::HttpServer;
use serde_json::{Value, json};

const HOST: (&str, &str) = ("host", "127.0.0.1:8080");

struct Old {
    server: HttpServer,
    stream: Exchange,
    place: String,
}

impl Old {
    async fn connect(server: &HttpServer) -> Old {
        let stream = ask(server, "GET", "/sse", &[HOST], "");
        assert_eq!(stream.status().await, 200);
        let content_type = stream.header("content-type").await;
        assert_eq!(content_type.as_deref(), Some("text/event-stream"));
        let first = |seen: &Seen| events(&seen.body).first().cloned();
        let endpoint = stream.until(first).await;
        assert_eq!(endpoint.name.as_deref(), Some("endpoint"));
        Old {
            server: server.clone(),
            stream,
            place: endpoint.data.unwrap(),
        }
    }

    fn post(&self, body: &str) -> Exchange {
        let headers = [HOST, ("content-type", "application/json")];
        ask(&self.server, "POST", &self.place, &headers, body.to_owned())
    }

    async fn accepted(&self, body: &str) {
        let answer = self.post(body);
        assert_eq!(answer.status().await, 202, "{body}");
        assert_eq!(answer.body().await, "");
    }

    async fn reply(&self, id: Value) -> Value {
        self.stream.message(|message| message["id"] == id).await
    }
}

#[tokio::test(start_paused = true)]
async fn answers_and_all_else_come_as_message_events_on_the_one_stream() {
    let server = honest();
    let old = Old::connect(&server).await;
    old.accepted(PING).await;
    old.reply(json!(7)).await;
    old.accepted(&initialize("2024-11-05", &json!({ "roots": {} })))
        .await;
    let answer = old.reply(json!("init")).await;
    assert_eq!(answer["result"]["protocolVersion"], "2024-11-05");
    old.accepted(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        .await;
    old.stream
        .message(|message| message["method"] == "roots/list")
        .await;
    old.accepted(LOGGING).await;
    old.reply(json!(8)).await;
    let events = old.stream.events();
    assert!(
        events[1..]
            .iter()
            .all(|event| event.name.as_deref() == Some("message"))
    );
    assert!(events.iter().all(|event| event.id.is_none()));
    assert_eq!(old.stream.count(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_task_is_served_on_the_one_stream_too() {
    let old = Old::connect(&honest()).await;
    let able = json!({ "elicitation": {} });
    old.accepted(&initialize("2025-11-25", &able)).await;
    old.accepted(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        .await;
    let arguments = json!({ "filename": "f" });
    let params = json!({ "name": "confirm_delete", "arguments": arguments, "task": {} });
    old.accepted(&request(json!("t"), "tools/call", params))
        .await;
    let id = old.reply(json!("t")).await["result"]["task"]["taskId"].clone();
    let params = json!({ "taskId": id });
    old.accepted(&request(json!("r"), "tasks/result", params))
        .await;
    let asked = old
        .stream
        .message(|message| message["method"] == "elicitation/create")
        .await;
    let result = json!({ "action": "cancel" });
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    old.accepted(&answer.to_string()).await;
    let result = old.reply(json!("r")).await;
    let text = &result["result"]["content"][0]["text"];
    assert_eq!(text, "Not confirmed: f would stay.");
}

impl Exchange {
    fn count(&self) -> usize {
        self.events().len() - 1
    }
}

#[tokio::test(start_paused = true)]
async fn each_stream_has_an_endpoint_of_its_own() {
    let server = honest();
    let (first, second) = (Old::connect(&server).await, Old::connect(&server).await);
    assert_ne!(first.place, second.place);
    first.accepted(PING).await;
    first.reply(json!(7)).await;
    wait(100).await;
    assert_eq!(second.stream.count(), 0);
    assert_eq!(server.sessions(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_stream() {
    let server = honest();
    let old = Old::connect(&server).await;
    let (place, stream) = (old.place.clone(), old.stream);
    drop(stream);
    wait(10).await;
    assert_eq!(server.sessions(), 0);
    let headers = [HOST, ("content-type", "application/json")];
    let answer = ask(&server, "POST", &place, &headers, PING);
    assert_eq!(answer.status().await, 404);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_is_refused() {
    let server = honest();
    let old = Old::connect(&server).await;
    let json = ("content-type", "application/json");
    for (path, headers, body, status) in [
        ("/messages?sessionId=nobody", vec![HOST, json], PING, 404),
        ("/messages", vec![HOST, json], PING, 400),
        (&old.place, vec![HOST], PING, 415),
        (&old.place, vec![("host", "evil.example"), json], PING, 403),
        (
            &old.place,
            vec![HOST, json, ("origin", "https://evil.example")],
            PING,
            403,
        ),
        (&old.place, vec![HOST, json], "{", 400),
        (&old.place, vec![HOST, json], "{}", 400),
    ] {
        let answer = ask(&server, "POST", path, &headers, body);
        assert_eq!(answer.status().await, status, "{path} {headers:?} {body}");
    }
    assert_eq!(old.stream.count(), 0);
    // The id of one transport is none of the other's.
    let id = old.place.rsplit('=').next().unwrap();
    let headers = [
        HOST,
        json,
        ("accept", crate::support::BOTH),
        ("mcp-session-id", id),
    ];
    let answer = ask(&server, "POST", "/mcp", &headers, PING);
    assert_eq!(answer.status().await, 404);
}
