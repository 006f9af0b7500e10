//! Subscriptions of the modern era, on lines.

use crate::support::{Peer, code, modern};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{Cause, Options};
use serde_json::{Value, json};

const ID: &str = "io.modelcontextprotocol/subscriptionId";
const WATCHED: &str = "test://watched-resource";

fn peer() -> Peer {
    Peer::start(Options::default())
}

async fn listen(peer: &mut Peer, id: Value, notifications: Value) -> Value {
    let params = json!({ "notifications": notifications });
    let request = modern(id, "subscriptions/listen", params);
    peer.ask(&request.to_string()).await
}

async fn tool(peer: &mut Peer, name: &str) -> Vec<Value> {
    let request = modern(json!("call"), "tools/call", json!({ "name": name }));
    peer.send(&request.to_string()).await;
    let lines = peer.listen(100).await.into_iter();
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_acknowledgement_has_what_is_honoured() {
    for (asked, honoured) in [
        (json!({}), json!({})),
        (
            json!({ "toolsListChanged": true }),
            json!({ "toolsListChanged": true }),
        ),
        (
            json!({ "toolsListChanged": false, "promptsListChanged": true }),
            json!({ "promptsListChanged": true }),
        ),
        (json!({ "resourcesListChanged": true }), json!({})),
        (
            json!({ "resourceSubscriptions": [WATCHED, "test://none"] }),
            json!({ "resourceSubscriptions": [WATCHED] }),
        ),
        (
            json!({ "resourceSubscriptions": [] }),
            json!({ "resourceSubscriptions": [] }),
        ),
        (json!({ "unknownChanged": true }), json!({})),
    ] {
        let mut peer = peer();
        let first = listen(&mut peer, json!("l"), asked.clone()).await;
        assert_eq!(
            first["method"], "notifications/subscriptions/acknowledged",
            "{asked}"
        );
        assert_eq!(first["params"]["notifications"], honoured, "{asked}");
        assert_eq!(first["params"]["_meta"][ID], "l");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_read_is_refused() {
    for notifications in [
        Value::Null,
        json!([]),
        json!({ "toolsListChanged": 1 }),
        json!({ "resourcesListChanged": "yes" }),
        json!({ "resourceSubscriptions": WATCHED }),
        json!({ "resourceSubscriptions": [1] }),
    ] {
        let mut peer = peer();
        let answer = listen(&mut peer, json!(1), notifications.clone()).await;
        assert_eq!(code(&answer), -32602, "{notifications}");
    }
    let mut peer = peer();
    assert_eq!(
        code(&peer.modern("subscriptions/listen", json!({})).await),
        -32602
    );
}

#[tokio::test(start_paused = true)]
async fn each_is_told_what_it_asked_for_under_its_own_id() {
    let mut peer = peer();
    listen(
        &mut peer,
        json!(1),
        json!({ "resourceSubscriptions": [WATCHED] }),
    )
    .await;
    listen(
        &mut peer,
        json!("1"),
        json!({ "toolsListChanged": true, "resourceSubscriptions": [WATCHED] }),
    )
    .await;
    listen(&mut peer, json!(1.0), json!({ "promptsListChanged": true })).await;
    for (name, method, ids) in [
        (
            "touch",
            "notifications/resources/updated",
            vec![json!(1), json!("1")],
        ),
        (
            "test_trigger_tool_change",
            "notifications/tools/list_changed",
            vec![json!("1")],
        ),
        (
            "test_trigger_prompt_change",
            "notifications/prompts/list_changed",
            vec![json!(1.0)],
        ),
        ("test_simple_text", "", vec![]),
    ] {
        let said = tool(&mut peer, name).await;
        let (answer, told) = said.split_last().unwrap();
        assert_eq!(answer["result"]["resultType"], "complete");
        let found: Vec<_> = told
            .iter()
            .map(|one| one["params"]["_meta"][ID].clone())
            .collect();
        assert_eq!(found, ids, "{name}");
        assert!(told.iter().all(|one| one["method"] == method));
    }
    assert!(
        peer.read
            .iter()
            .any(|line| line.contains(r#"subscriptionId":1.0"#))
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_one_is_told_nothing_more() {
    let mut peer = peer();
    let filter = json!({ "toolsListChanged": true });
    listen(&mut peer, json!(1), filter.clone()).await;
    listen(&mut peer, json!(2), filter).await;
    peer.notify("notifications/cancelled", json!({ "requestId": 1 }))
        .await;
    let said = tool(&mut peer, "test_trigger_tool_change").await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0]["params"]["_meta"][ID], 2);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_server_is_told_by_a_result() {
    let mut peer = peer();
    listen(&mut peer, json!(7), json!({})).await;
    let rest = peer.close().await;
    assert_eq!(rest.ended.cause, Cause::EndOfInput);
    let result: Value = serde_json::from_str(&rest.lines[0]).unwrap();
    assert_eq!((&result["id"], rest.lines.len()), (&json!(7), 1));
    assert_eq!(result["result"]["resultType"], "complete");
    assert_eq!(result["result"]["_meta"][ID], 7);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_one_era_is_told_in_both() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    listen(
        &mut peer,
        json!(1),
        json!({ "resourceSubscriptions": [WATCHED] }),
    )
    .await;
    peer.call("resources/subscribe", json!({ "uri": WATCHED }))
        .await;
    let said = tool(&mut peer, "touch").await;
    let updated = |one: &&Value| one["method"] == "notifications/resources/updated";
    let tags: Vec<_> = said
        .iter()
        .filter(updated)
        .map(|one| one["params"].get("_meta").is_some())
        .collect();
    assert_eq!(tags, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_request_is_not_told_to_those_who_listen() {
    let mut peer = peer();
    listen(&mut peer, json!(1), json!({ "toolsListChanged": true })).await;
    let params = json!({
        "name": "test_logging_tool",
        "_meta": { "io.modelcontextprotocol/logLevel": "debug", "progressToken": 1 },
    });
    peer.send(&modern(json!(2), "tools/call", params).to_string())
        .await;
    for line in peer.listen(100).await {
        assert!(!line.contains("subscriptionId"), "{line}");
    }
}
