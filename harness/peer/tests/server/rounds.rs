//! Requests that come to an end in several rounds.

use crate::support::{Peer, code, modern};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};

const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

fn peer() -> Peer {
    Peer::start(Options {
        revisions: vec![Revision::R2026_07_28],
        ..Options::default()
    })
}

fn all() -> Value {
    json!({ "elicitation": {}, "sampling": {}, "roots": {} })
}

/// Calls a tool with these capabilities and more parameters.
async fn call(peer: &mut Peer, tool: &str, capabilities: Value, more: Value) -> Value {
    let mut params = json!({ "name": tool, "_meta": { CAPABILITIES: capabilities } });
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    peer.modern("tools/call", params).await
}

fn accept(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// A lawful answer to each question that a result asks.
fn answers(result: &Value) -> Value {
    let asked = result["inputRequests"].as_object().unwrap().iter();
    let answers = asked.map(|(key, request)| {
        let answer = match request["method"].as_str().unwrap() {
            "elicitation/create" => {
                accept(json!({ "name": "n", "ok": "yes", "confirm": true, "color": "red" }))
            }
            "sampling/createMessage" => {
                let content = json!({ "type": "text", "text": "Paris" });
                json!({ "role": "assistant", "model": "m", "content": content })
            }
            "roots/list" => json!({ "roots": [{ "uri": "file:///r" }] }),
            other => panic!("{other}"),
        };
        (key.clone(), answer)
    });
    Value::Object(answers.collect())
}

fn retry(result: &Value) -> Value {
    let mut more = json!({ "inputResponses": answers(result) });
    if let Some(state) = result.get("requestState") {
        more["requestState"] = state.clone();
    }
    more
}

#[tokio::test(start_paused = true)]
async fn each_tool_asks_what_it_says_and_ends_when_answered() {
    for (tool, keys, has_state) in [
        ("elicitation", vec!["user_name"], false),
        ("sampling", vec!["capital_question"], false),
        ("list_roots", vec!["client_roots"], false),
        ("request_state", vec!["confirm"], true),
        ("tampered_state", vec!["confirm"], true),
        (
            "multiple_inputs",
            vec!["user_name", "greeting", "client_roots"],
            true,
        ),
        (
            "capabilities",
            vec!["user_name", "greeting", "client_roots"],
            false,
        ),
    ] {
        let tool = format!("test_input_required_result_{tool}");
        let mut peer = peer();
        let asked = call(&mut peer, &tool, all(), json!({})).await;
        let asked = &asked["result"];
        assert_eq!(asked["resultType"], "input_required", "{tool}");
        let found: Vec<_> = asked["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(found, keys, "{tool}");
        assert_eq!(asked.get("requestState").is_some(), has_state, "{tool}");
        assert_eq!(asked.get("ttlMs"), None);
        let done = call(&mut peer, &tool, all(), retry(asked)).await;
        assert_eq!(done["result"]["resultType"], "complete", "{tool}: {done}");
        assert_eq!(done["result"].get("isError"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn tools_of_both_eras_ask_by_results_here() {
    let file = json!({ "filename": "f" });
    for (tool, arguments, keys) in [
        ("confirm_delete", file, vec!["confirm"]),
        ("multi_input", json!({}), vec!["first", "second"]),
        ("show_roots", json!({}), vec!["roots"]),
        ("test_tool_with_task", json!({}), vec!["user_name"]),
    ] {
        let mut peer = peer();
        let more = json!({ "arguments": arguments });
        let asked = call(&mut peer, tool, all(), more.clone()).await;
        let asked = &asked["result"];
        let found: Vec<_> = asked["inputRequests"].as_object().unwrap().keys().collect();
        assert_eq!(found, keys, "{tool}");
        let mut again = retry(asked);
        again["arguments"] = more["arguments"].clone();
        // A revision without tasks passes over what asks for one.
        again["task"] = json!({});
        let done = call(&mut peer, tool, all(), again).await;
        assert_eq!(done["result"]["resultType"], "complete", "{tool}: {done}");
        let undeclared = call(&mut peer, tool, json!({}), more).await;
        assert_eq!(code(&undeclared), -32021, "{tool}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_visit_to_a_url_is_asked_for_by_a_result_and_known_by_its_state() {
    let able = json!({ "elicitation": { "url": {} } });
    let tool = "elicit_by_url";
    let asked = call(&mut peer(), tool, able.clone(), json!({})).await;
    let asked = &asked["result"];
    let params = &asked["inputRequests"]["visit"]["params"];
    assert_eq!(params["mode"], "url");
    assert!(params.get("elicitationId").is_none());
    let answer = json!({ "visit": { "action": "accept" } });
    let more = json!({ "inputResponses": answer, "requestState": asked["requestState"] });
    let done = call(&mut peer(), tool, able.clone(), more).await;
    let text = &done["result"]["content"][0]["text"];
    assert_eq!(text, "The user was there.");
    let stateless = json!({ "inputResponses": answer });
    let again = call(&mut peer(), tool, able, stateless).await;
    assert_eq!(again["result"]["resultType"], "input_required");
    for capability in [json!({}), json!({ "form": {} })] {
        let able = json!({ "elicitation": capability });
        let refused = call(&mut peer(), tool, able, json!({})).await;
        assert_eq!(code(&refused), -32021);
        let required = &refused["error"]["data"]["requiredCapabilities"];
        assert_eq!(*required, json!({ "elicitation": { "url": {} } }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_leads_from_round_to_round_even_to_another_process() {
    let tool = "test_input_required_result_multi_round";
    let first = call(&mut peer(), tool, all(), json!({})).await;
    let first = &first["result"];
    assert!(first["inputRequests"]["step1"].is_object());
    let second = call(&mut peer(), tool, all(), retry(first)).await;
    let second = &second["result"];
    assert!(second["inputRequests"]["step2"].is_object());
    assert_ne!(first["requestState"], second["requestState"]);
    let done = call(&mut peer(), tool, all(), retry(second)).await;
    let text = done["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_altered_or_borrowed_state_is_refused() {
    let tool = "test_input_required_result_tampered_state";
    let mut peer = peer();
    let asked = call(&mut peer, tool, all(), json!({})).await;
    let good = retry(&asked["result"]);
    let mut text = good["requestState"].as_str().unwrap().to_owned();
    let middle = text.len() / 2;
    let other = if text.as_bytes()[middle] == b'A' {
        "B"
    } else {
        "A"
    };
    text.replace_range(middle..=middle, other);
    let mut bad = good.clone();
    bad["requestState"] = json!(text);
    assert_eq!(code(&call(&mut peer, tool, all(), bad).await), -32602);
    let borrower = "test_input_required_result_request_state";
    assert_eq!(
        code(&call(&mut peer, borrower, all(), good.clone()).await),
        -32602
    );
    let done = call(&mut peer, tool, all(), good).await;
    assert_eq!(done["result"]["content"][0]["text"], "state-ok");
}

#[tokio::test(start_paused = true)]
async fn a_state_lapses() {
    let tool = "test_input_required_result_request_state";
    let mut peer = peer();
    let asked = call(&mut peer, tool, all(), json!({})).await;
    tokio::time::advance(std::time::Duration::from_secs(601)).await;
    let late = call(&mut peer, tool, all(), retry(&asked["result"])).await;
    assert_eq!(code(&late), -32602);
}

#[tokio::test(start_paused = true)]
async fn missing_answers_are_asked_for_again_and_strange_ones_passed_over() {
    let mut peer = peer();
    let tool = "test_input_required_result_multiple_inputs";
    let asked = call(&mut peer, tool, all(), json!({})).await;
    let mut some = retry(&asked["result"]);
    some["inputResponses"]
        .as_object_mut()
        .unwrap()
        .remove("greeting");
    some["inputResponses"]["never_asked"] = json!({ "any": "thing" });
    let again = call(&mut peer, tool, all(), some).await;
    assert_eq!(again["result"]["resultType"], "input_required");
    let missing: Vec<_> = again["result"]["inputRequests"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(missing, ["greeting"]);
    for lost in ["inputResponses", "requestState"] {
        let mut without = retry(&asked["result"]);
        without.as_object_mut().unwrap().remove(lost);
        let again = call(&mut peer, tool, all(), without).await;
        assert_eq!(again["result"]["resultType"], "input_required", "{lost}");
    }
    let mut more = retry(&asked["result"]);
    more["inputResponses"]["never_asked"] = json!({ "any": "thing" });
    let done = call(&mut peer, tool, all(), more).await;
    assert_eq!(done["result"]["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_is_refused() {
    let mut peer = peer();
    let tool = "test_input_required_result_elicitation";
    for responses in [
        json!("text"),
        json!({ "user_name": "text" }),
        json!({ "user_name": {} }),
        json!({ "user_name": { "action": "maybe" } }),
        json!({ "user_name": { "action": "accept", "content": "text" } }),
        json!({ "user_name": { "roots": [] } }),
    ] {
        let more = json!({ "inputResponses": responses });
        let answer = call(&mut peer, tool, all(), more.clone()).await;
        assert_eq!(code(&answer), -32602, "{more}");
    }
    let more = json!({ "requestState": 5 });
    assert_eq!(code(&call(&mut peer, tool, all(), more).await), -32602);
    let declined = json!({ "inputResponses": { "user_name": { "action": "decline" } } });
    let done = call(&mut peer, tool, all(), declined).await;
    assert_eq!(done["result"]["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn only_what_was_declared_for_the_request_is_asked() {
    let mut peer = peer();
    for (tool, required) in [
        (
            "test_input_required_result_elicitation",
            json!({ "elicitation": { "form": {} } }),
        ),
        (
            "test_input_required_result_sampling",
            json!({ "sampling": {} }),
        ),
        (
            "test_input_required_result_list_roots",
            json!({ "roots": {} }),
        ),
        (
            "test_input_required_result_request_state",
            json!({ "elicitation": { "form": {} } }),
        ),
        ("test_missing_capability", json!({ "sampling": {} })),
    ] {
        let asked = call(&mut peer, tool, all(), json!({})).await;
        assert!(asked["result"].is_object());
        for declared in [json!({}), json!({ "elicitation": { "url": {} } })] {
            let refused = call(&mut peer, tool, declared, json!({})).await;
            assert_eq!(code(&refused), -32021, "{tool}");
            assert_eq!(refused["error"]["data"]["requiredCapabilities"], required);
        }
    }
    let tool = "test_input_required_result_capabilities";
    for (declared, keys) in [
        (json!({ "sampling": {} }), vec!["greeting"]),
        (json!({ "elicitation": { "form": {} } }), vec!["user_name"]),
    ] {
        let asked = call(&mut peer, tool, declared, json!({})).await;
        let found: Vec<_> = asked["result"]["inputRequests"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(found, keys);
    }
    let done = call(&mut peer, tool, json!({}), json!({})).await;
    assert_eq!(done["result"]["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn tools_of_both_eras_ask_in_the_way_of_each() {
    let mut peer = Peer::start(Options::default());
    for (tool, arguments) in [
        ("test_sampling", json!({ "prompt": "p" })),
        ("test_elicitation", json!({ "message": "m" })),
        ("test_elicitation_sep1034_defaults", json!({})),
        ("test_elicitation_sep1330_enums", json!({})),
    ] {
        let more = json!({ "arguments": arguments });
        let asked = call(&mut peer, tool, all(), more.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{tool}");
        assert_eq!(code(&call(&mut peer, tool, json!({}), more).await), -32021);
    }
    peer.handshake(Revision::R2025_11_25, json!({ "sampling": {} }))
        .await;
    let params = json!({ "name": "test_sampling", "arguments": { "prompt": "p" } });
    peer.request(json!(1), "tools/call", params).await;
    assert_eq!(peer.message().await["method"], "sampling/createMessage");
}

#[tokio::test(start_paused = true)]
async fn prompts_and_resources_ask_too() {
    let mut peer = peer();
    for (method, mut params, key) in [
        (
            "prompts/get",
            json!({ "name": "test_input_required_result_prompt" }),
            "user_context",
        ),
        (
            "resources/read",
            json!({ "uri": "test://asks-before-read" }),
            "reason",
        ),
    ] {
        assert_eq!(code(&peer.modern(method, params.clone()).await), -32021);
        params["_meta"] = json!({ CAPABILITIES: all() });
        let asked = peer.modern(method, params.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required");
        assert!(asked["result"]["inputRequests"][key].is_object());
        assert_eq!(asked["result"].get("ttlMs"), None);
        params["inputResponses"] = json!({ key: accept(json!({ "a": "b" })) });
        let done = peer.modern(method, params).await;
        assert_eq!(done["result"]["resultType"], "complete", "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn notifications_come_before_a_result_that_asks() {
    let mut peer = peer();
    let params = json!({
        "name": "test_streaming_elicitation",
        "_meta": {
            CAPABILITIES: all(),
            "progressToken": "p",
            "io.modelcontextprotocol/logLevel": "info",
        },
    });
    peer.send(&modern(json!(1), "tools/call", params).to_string())
        .await;
    let lines = peer.listen(1000).await;
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[2].contains("input_required"));
    assert!(
        !lines
            .iter()
            .any(|line| line.contains(r#""method":"elicitation/create","id""#))
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_has_levels() {
    for (level, count) in [
        ("debug", 4),
        ("info", 3),
        ("notice", 2),
        ("error", 1),
        ("alert", 0),
    ] {
        let mut peer = peer();
        let params = json!({
            "name": "test_logging_tool",
            "_meta": { "io.modelcontextprotocol/logLevel": level },
        });
        peer.send(&modern(json!(1), "tools/call", params).to_string())
            .await;
        assert_eq!(peer.listen(1000).await.len(), count + 1, "{level}");
    }
}
