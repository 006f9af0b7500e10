//! The modern era on lines: which requests it serves, and what every one of them says and is told.

use crate::support::{Peer, code, initialize, modern};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{Cause, Options};
use serde_json::{Value, json};

fn only(revisions: &[Revision]) -> Peer {
    Peer::start(Options {
        revisions: revisions.to_vec(),
        ..Options::default()
    })
}

fn modern_alone() -> Peer {
    only(&[Revision::R2026_07_28])
}

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

#[tokio::test(start_paused = true)]
async fn discover_tells_versions_capabilities_and_who_it_is() {
    for (mut peer, versions) in [
        (
            Peer::start(Options::default()),
            json!([
                "2026-07-28",
                "2025-11-25",
                "2025-06-18",
                "2025-03-26",
                "2024-11-05"
            ]),
        ),
        (modern_alone(), json!(["2026-07-28"])),
    ] {
        let answer = peer.modern("server/discover", json!({})).await;
        let result = &answer["result"];
        assert_eq!(result["resultType"], "complete");
        assert_eq!(result["supportedVersions"], versions);
        assert_eq!(
            result["capabilities"]["resources"],
            json!({ "subscribe": true })
        );
        assert_eq!(
            result["capabilities"]["tools"],
            json!({ "listChanged": true })
        );
        assert!(result["instructions"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn every_result_has_its_type_and_who_it_is_from() {
    let mut peer = modern_alone();
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        (
            "tools/call",
            json!({ "name": "echo", "arguments": { "message": "m" } }),
        ),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
        ("resources/read", json!({ "uri": "test://static-text" })),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" },
                "argument": { "name": "arg1", "value": "p" },
            }),
        ),
    ] {
        let answer = peer.modern(method, params).await;
        let result = &answer["result"];
        assert_eq!(result["resultType"], "complete", "{method}");
        let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
        assert!(
            server["name"].is_string() && server["version"].is_string(),
            "{method}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_six_cacheable_results_say_how_long_they_keep() {
    let mut peer = modern_alone();
    for (method, params, is_cacheable) in [
        ("server/discover", json!({}), true),
        ("tools/list", json!({}), true),
        ("prompts/list", json!({}), true),
        ("resources/list", json!({}), true),
        ("resources/templates/list", json!({}), true),
        (
            "resources/read",
            json!({ "uri": "test://static-text" }),
            true,
        ),
        (
            "prompts/get",
            json!({ "name": "test_simple_prompt" }),
            false,
        ),
    ] {
        let answer = peer.modern(method, params).await;
        let result = &answer["result"];
        let has_ttl = result["ttlMs"].is_u64();
        let has_scope = matches!(result["cacheScope"].as_str(), Some("public" | "private"));
        assert_eq!(
            (has_ttl, has_scope),
            (is_cacheable, is_cacheable),
            "{method}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_list_keep_alike() {
    let mut peer = modern_alone();
    let first = peer.modern("tools/list", json!({})).await;
    let cursor = &first["result"]["nextCursor"];
    let second = peer.modern("tools/list", json!({ "cursor": cursor })).await;
    assert_eq!(
        first["result"]["cacheScope"],
        second["result"]["cacheScope"]
    );
}

#[tokio::test(start_paused = true)]
async fn tools_that_are_there_for_their_task_ended_with_it() {
    for (revision, is_there) in [
        (Revision::R2025_11_25, true),
        (Revision::R2026_07_28, false),
    ] {
        let mut peer = Peer::start(Options {
            revisions: vec![revision],
            page_size: 1000,
            ..Options::default()
        });
        let listed = if is_there {
            peer.handshake(revision, json!({})).await;
            peer.call("tools/list", json!({})).await
        } else {
            peer.modern("tools/list", json!({})).await
        };
        let tools = listed["result"]["tools"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool["name"] == "greet"));
        for name in ["slow_compute", "failing_job", "protocol_error_job"] {
            let has = tools.iter().any(|tool| tool["name"] == name);
            assert_eq!(has, is_there, "{name} in {revision:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_its_fields_is_refused() {
    for (name, value) in [
        (VERSION, Value::Null),
        (VERSION, json!(1)),
        (CAPABILITIES, Value::Null),
        (CAPABILITIES, json!("none")),
        (CAPABILITIES, json!({ "elicitation": true })),
        ("io.modelcontextprotocol/clientInfo", json!({ "name": "c" })),
        ("io.modelcontextprotocol/logLevel", json!("loud")),
        ("io.modelcontextprotocol/logLevel", json!(3)),
        ("progressToken", json!(1.5)),
    ] {
        for mut peer in [modern_alone(), Peer::start(Options::default())] {
            let mut request = modern(json!(1), "tools/list", json!({}));
            let meta = request["params"]["_meta"].as_object_mut().unwrap();
            if value.is_null() {
                meta.remove(name);
            } else {
                meta.insert(name.to_owned(), value.clone());
            }
            let answer = peer.ask(&request.to_string()).await;
            assert_eq!(code(&answer), -32602, "{name} {value}");
            assert_eq!(answer["id"], 1);
        }
    }
    let mut peer = modern_alone();
    let bare = peer.call("tools/list", json!({})).await;
    assert_eq!(code(&bare), -32602);
    let discover = peer.call("server/discover", json!({})).await;
    assert_eq!(code(&discover), -32602);
}

#[tokio::test(start_paused = true)]
async fn a_version_it_does_not_speak_is_refused_on_any_request() {
    for method in ["tools/list", "server/discover", "no/such/method"] {
        for version in ["1900-01-01", "2099-01-01", "2025-11-25", ""] {
            for mut peer in [modern_alone(), Peer::start(Options::default())] {
                let params = json!({ "_meta": { VERSION: version } });
                let answer = peer.modern(method, params).await;
                assert_eq!(code(&answer), -32022, "{method} {version}");
                let data = &answer["error"]["data"];
                assert_eq!(data["requested"], version);
                let supported = data["supported"].as_array().unwrap();
                assert!(supported.contains(&json!("2026-07-28")));
                assert!(!supported.contains(&json!(version)));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_revision_dropped_is_unknown_to_it() {
    for mut peer in [modern_alone(), Peer::start(Options::default())] {
        for method in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "resources/unsubscribe",
            "no/such/method",
        ] {
            let answer = peer.modern(method, json!({})).await;
            assert_eq!(code(&answer), -32601, "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_resource_has_the_code_of_the_revision() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    let params = json!({ "uri": "test://none" });
    let modern = peer.modern("resources/read", params.clone()).await;
    assert_eq!(code(&modern), -32602);
    assert_eq!(modern["error"]["data"]["uri"], "test://none");
    let legacy = peer.call("resources/read", params).await;
    assert_eq!(code(&legacy), -32002);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_request_holds_for_the_next() {
    let mut peer = modern_alone();
    assert!(peer.modern("tools/list", json!({})).await["result"].is_object());
    assert_eq!(code(&peer.call("tools/list", json!({})).await), -32602);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_this_era_alone_tells_a_legacy_client_what_it_speaks() {
    let mut peer = modern_alone();
    let answer = peer.ask(&initialize("2025-11-25", &json!({}))).await;
    assert_eq!(code(&answer), -32022);
    assert_eq!(answer["error"]["data"]["supported"], json!(["2026-07-28"]));
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("2026-07-28"), "{message}");
    peer.notify("notifications/initialized", json!({})).await;
    assert!(peer.modern("tools/list", json!({})).await["result"].is_object());
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_legacy_era_alone_knows_nothing_of_it() {
    let mut peer = only(&[Revision::R2025_11_25]);
    assert!(code(&peer.modern("server/discover", json!({})).await) < -32022);
    peer.handshake(Revision::R2025_11_25, json!({})).await;
    assert_eq!(
        code(&peer.modern("server/discover", json!({})).await),
        -32601
    );
    let list = peer.modern("tools/list", json!({})).await;
    assert_eq!(list["result"].get("resultType"), None);
}

#[tokio::test(start_paused = true)]
async fn both_eras_are_served_side_by_side() {
    let mut peer = Peer::start(Options::default());
    let before = peer.modern("tools/list", json!({})).await;
    assert_eq!(before["result"]["resultType"], "complete");
    assert_eq!(code(&peer.call("tools/list", json!({})).await), -32600);
    let opened = peer.handshake(Revision::R2025_06_18, json!({})).await;
    assert_eq!(opened["result"]["protocolVersion"], "2025-06-18");
    let legacy = peer.call("tools/list", json!({})).await;
    assert_eq!(legacy["result"].get("resultType"), None);
    let after = peer.modern("tools/list", json!({})).await;
    assert_eq!(after, before);
}

#[tokio::test(start_paused = true)]
async fn it_has_no_batches() {
    let mut peer = modern_alone();
    let item = modern(json!(1), "tools/list", json!({}));
    let answer = peer.ask(&json!([item]).to_string()).await;
    assert_eq!(code(&answer), -32600);
}

#[tokio::test(start_paused = true)]
async fn logs_only_where_asked_and_from_the_level_on() {
    let call = json!({ "name": "test_tool_with_logging" });
    for (level, count) in [
        (None, 0),
        (Some("debug"), 3),
        (Some("info"), 3),
        (Some("error"), 0),
    ] {
        let mut peer = modern_alone();
        let mut params = call.clone();
        if let Some(level) = level {
            params["_meta"] = json!({ "io.modelcontextprotocol/logLevel": level });
        }
        peer.send(&modern(json!(1), "tools/call", params).to_string())
            .await;
        let lines = peer.listen(1000).await;
        assert_eq!(lines.len(), count + 1, "{level:?}: {lines:?}");
        assert!(lines[count].contains("resultType"));
    }
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_only_with_a_token() {
    let call = json!({ "name": "test_tool_with_progress" });
    let mut peer = modern_alone();
    peer.send(&modern(json!(1), "tools/call", call.clone()).to_string())
        .await;
    assert_eq!(peer.listen(1000).await.len(), 1);
    let mut params = call;
    params["_meta"] = json!({ "progressToken": "p" });
    peer.send(&modern(json!(1), "tools/call", params).to_string())
        .await;
    let lines = peer.listen(1000).await;
    assert_eq!(
        lines.len(),
        4,
        "an id may be used again once it is answered"
    );
    assert!(lines[0].contains(r#""progressToken":"p""#));
}

#[tokio::test(start_paused = true)]
async fn of_a_cancelled_request_nothing_more_is_said() {
    let mut peer = modern_alone();
    let slow = json!({ "name": "slow", "arguments": { "ms": 500 } });
    peer.send(&modern(json!(9), "tools/call", slow).to_string())
        .await;
    peer.notify("notifications/cancelled", json!({ "requestId": 9 }))
        .await;
    assert!(peer.listen(1000).await.is_empty());
    assert!(peer.modern("tools/list", json!({})).await["result"].is_object());
    assert_eq!(peer.close().await.ended.cause, Cause::EndOfInput);
}

#[tokio::test(start_paused = true)]
async fn wrong_arguments_are_told_to_the_model_and_wrong_names_to_the_client() {
    let mut peer = modern_alone();
    let wrong = peer
        .modern("tools/call", json!({ "name": "echo", "arguments": {} }))
        .await;
    assert_eq!(wrong["result"]["isError"], true);
    assert_eq!(wrong["result"]["resultType"], "complete");
    let unknown = peer.modern("tools/call", json!({ "name": "none" })).await;
    assert_eq!(code(&unknown), -32602);
}
