//! The handshake, and what is lawful before and after it.

use crate::support::{LEGACY, Peer, code, initialize};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{Cause, Options};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn agrees_to_each_revision_it_offers() {
    for revision in LEGACY {
        let mut peer = Peer::start(Options::default());
        let answer = peer.handshake(revision, json!({})).await;
        assert_eq!(answer["result"]["protocolVersion"], revision.as_str());
        let rest = peer.close().await;
        assert_eq!(rest.ended.cause, Cause::EndOfInput);
        assert_eq!(rest.ended.exit_code, 0);
        assert!(rest.lines.is_empty(), "{:?}", rest.lines);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_an_unknown_version_with_the_latest_it_offers() {
    for (offered, latest) in [
        (vec![], "2025-11-25"),
        (
            vec![Revision::R2025_03_26, Revision::R2024_11_05],
            "2025-03-26",
        ),
        (
            vec![Revision::R2026_07_28, Revision::R2025_06_18],
            "2025-06-18",
        ),
    ] {
        let mut peer = Peer::start(Options {
            revisions: offered,
            ..Options::default()
        });
        let answer = peer.ask(&initialize("2099-01-01", &json!({}))).await;
        assert_eq!(answer["result"]["protocolVersion"], latest);
    }
}

#[tokio::test(start_paused = true)]
async fn only_ping_is_answered_before_initialize() {
    let mut peer = Peer::start(Options::default());
    assert_eq!(peer.call("ping", json!({})).await["result"], json!({}));
    assert_eq!(code(&peer.call("tools/list", json!({})).await), -32600);
    peer.notify("notifications/initialized", json!({})).await;
    assert_eq!(code(&peer.call("tools/list", json!({})).await), -32600);
    peer.handshake(Revision::R2025_11_25, json!({})).await;
    let list = peer.call("tools/list", json!({})).await;
    assert!(list["result"]["tools"].is_array());
}

#[tokio::test(start_paused = true)]
async fn a_second_initialize_is_refused_and_changes_nothing() {
    let mut peer = Peer::open(Revision::R2024_11_05).await;
    let again = peer.ask(&initialize("2025-11-25", &json!({}))).await;
    assert_eq!(code(&again), -32600);
    let list = peer.call("tools/list", json!({})).await;
    assert!(list["result"]["tools"][0].get("annotations").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_broken_initialize_can_be_mended() {
    for member in ["protocolVersion", "capabilities", "clientInfo"] {
        let mut peer = Peer::start(Options::default());
        let mut params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "c", "version": "1" },
        });
        params.as_object_mut().unwrap().remove(member);
        assert_eq!(
            code(&peer.call("initialize", params).await),
            -32602,
            "{member}"
        );
        let answer = peer.handshake(Revision::R2025_06_18, json!({})).await;
        assert_eq!(answer["result"]["protocolVersion"], "2025-06-18");
    }
}

#[tokio::test(start_paused = true)]
async fn capabilities_and_names_are_those_of_the_revision() {
    for revision in LEGACY {
        let mut peer = Peer::start(Options::default());
        let result = peer.handshake(revision, json!({})).await["result"].clone();
        let has = |pointer: &str| result.pointer(pointer).is_some();
        assert!(has("/capabilities/tools") && has("/capabilities/prompts"));
        assert!(has("/capabilities/logging") && has("/capabilities/resources/subscribe"));
        let since = |first| revision >= first;
        assert_eq!(
            has("/capabilities/completions"),
            since(Revision::R2025_03_26)
        );
        assert_eq!(has("/serverInfo/title"), since(Revision::R2025_06_18));
        assert_eq!(has("/serverInfo/icons"), since(Revision::R2025_11_25));
        assert_eq!(has("/serverInfo/description"), since(Revision::R2025_11_25));
    }
}

#[tokio::test(start_paused = true)]
async fn asks_a_client_that_has_roots_for_them_after_initialized() {
    for revision in LEGACY {
        let mut peer = Peer::start(Options::default());
        peer.ask(&initialize(revision.as_str(), &json!({ "roots": {} })))
            .await;
        assert!(peer.listen(1000).await.is_empty());
        peer.notify("notifications/initialized", json!({})).await;
        let asked = peer.message().await;
        assert_eq!(asked["method"], "roots/list");
        peer.send(
            &json!({ "jsonrpc": "2.0", "id": asked["id"], "result": { "roots": [] } }).to_string(),
        )
        .await;
        peer.notify("notifications/roots/list_changed", json!({}))
            .await;
        let again = peer.message().await;
        assert_eq!(again["method"], "roots/list");
        assert_ne!(again["id"], asked["id"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unanswered_question_is_withdrawn() {
    let mut peer = Peer::start(Options::default());
    peer.handshake(Revision::R2025_11_25, json!({ "roots": {} }))
        .await;
    let asked = peer.message().await;
    let cancelled = peer.message().await;
    assert_eq!(cancelled["method"], "notifications/cancelled");
    assert_eq!(cancelled["params"]["requestId"], asked["id"]);
}

#[tokio::test(start_paused = true)]
async fn answers_what_runs_when_the_input_ends() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    let params = json!({ "name": "slow", "arguments": { "ms": 5000 } });
    peer.request(json!(1), "tools/call", params).await;
    peer.write(br#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#)
        .await;
    let rest = peer.close().await;
    assert_eq!(rest.lines.len(), 2, "{:?}", rest.lines);
    assert!(rest.lines[0].contains(r#""id":2"#));
    assert!(rest.lines[1].contains(r#""id":1"#));
    assert_eq!(rest.ended.exit_code, 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_ends_the_server() {
    let mut peer = Peer::start(Options::default());
    peer.handshake(Revision::R2025_11_25, json!({ "sampling": {} }))
        .await;
    let params = json!({ "name": "test_sampling", "arguments": { "prompt": "p" } });
    peer.request(json!(1), "tools/call", params).await;
    assert_eq!(peer.message().await["method"], "sampling/createMessage");
    let rest = peer.close().await;
    let answer: serde_json::Value = serde_json::from_str(&rest.lines[0]).unwrap();
    assert_eq!(answer["result"]["isError"], true);
    assert_eq!(rest.ended.cause, Cause::EndOfInput);
}
