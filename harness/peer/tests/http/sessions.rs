//! Sessions: assigned, missing, unknown, ended, and apart from each other.

use crate::support::{Client, PING, SLOW, honest, initialize, wait};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{HttpOptions, HttpServer, Options};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn ids_are_visible_ascii_differ_and_come_again_in_the_next_run() {
    let server = honest();
    let mut first = Vec::new();
    for _ in 0..3 {
        first.push(
            Client::open(&server, "2025-11-25", json!({}))
                .await
                .session
                .unwrap(),
        );
    }
    assert!(
        first
            .iter()
            .all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    );
    assert!(first[0] != first[1] && first[1] != first[2] && first[0] != first[2]);
    let again = Client::of_honest().await;
    assert_eq!(again.session.as_ref(), first.first());
    assert_eq!(server.sessions(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_outside_a_session_is_refused() {
    let client = Client::of_honest().await;
    for (id, status) in [(None, 400), (Some("no-such-session"), 404), (Some(""), 404)] {
        for (method, body) in [("POST", PING), ("GET", ""), ("DELETE", "")] {
            let answer = client.ask(method, &[("mcp-session-id", id)], body);
            assert_eq!(answer.status().await, status, "{method} {id:?}");
        }
    }
    assert_eq!(client.post(PING).status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn only_an_initialize_that_succeeds_opens_a_session() {
    let client = Client {
        server: honest(),
        session: None,
        version: None,
    };
    let broken = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let answer = client.post(broken);
    assert_eq!(answer.status().await, 200);
    assert_eq!(answer.json().await["error"]["code"], -32602);
    assert_eq!(answer.header("mcp-session-id").await, None);
    let batch = format!("[{}]", initialize("2025-03-26", &json!({})));
    assert_eq!(client.post(&batch).status().await, 400);
    assert_eq!(client.post("{").json().await["error"]["code"], -32700);
    assert_eq!(client.server.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn delete_ends_a_session_with_its_streams_and_requests() {
    let client = Client::of_honest().await;
    let other = Client::open(&client.server, "2025-11-25", json!({})).await;
    let (listening, running) = (client.listen().await, client.post(SLOW));
    running.status().await;
    assert_eq!(client.delete().status().await, 200);
    listening.body().await;
    running.body().await;
    assert!(running.messages().is_empty());
    for method in ["POST", "GET", "DELETE"] {
        let answer = client.ask(method, &[], PING);
        assert_eq!(answer.status().await, 404, "{method}");
    }
    let again = initialize("2025-11-25", &json!({}));
    assert_eq!(client.post(&again).status().await, 404, "with the old id");
    assert_eq!(other.post(PING).status().await, 200);
    assert_eq!(client.server.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_sessions_may_use_the_same_ids() {
    let server = honest();
    let first = Client::open(&server, "2025-11-25", json!({})).await;
    let second = Client::open(&server, "2025-06-18", json!({})).await;
    let slow = first.tool(json!(5), "slow", json!({ "ms": 300 }));
    slow.status().await;
    let echo = second.tool(json!(5), "echo", json!({ "message": "second" }));
    echo.body().await;
    slow.body().await;
    let text =
        |messages: Vec<serde_json::Value>| messages[0]["result"]["content"][0]["text"].clone();
    assert_eq!(echo.messages().len(), 1);
    assert_eq!(text(echo.messages()), "second");
    assert_eq!(text(slow.messages()), "Waited 300 ms.");
}

#[tokio::test(start_paused = true)]
async fn what_one_session_sets_another_does_not_have() {
    let server = honest();
    let first = Client::open(&server, "2025-11-25", json!({})).await;
    let second = Client::open(&server, "2025-11-25", json!({})).await;
    let uri = json!({ "uri": "test://watched-resource" });
    first.call("resources/subscribe", uri).await;
    let (ours, theirs) = (first.listen().await, second.listen().await);
    second.tool(json!(1), "touch", json!({})).body().await;
    first.tool(json!(1), "touch", json!({})).body().await;
    let updated =
        |message: &serde_json::Value| message["method"] == "notifications/resources/updated";
    ours.message(updated).await;
    wait(100).await;
    assert_eq!(ours.messages().len(), 1);
    assert!(theirs.messages().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_of_one_revision_offers_that_alone() {
    let server = HttpServer::new(HttpOptions {
        options: Options {
            revisions: vec![Revision::R2025_03_26],
            ..Options::default()
        },
        ..HttpOptions::default()
    });
    let client = Client {
        server,
        session: None,
        version: None,
    };
    let answer = client.post(&initialize("2025-11-25", &json!({})));
    assert_eq!(
        answer.json().await["result"]["protocolVersion"],
        "2025-03-26"
    );
}
