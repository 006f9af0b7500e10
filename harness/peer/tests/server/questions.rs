//! What a legacy client is asked beside forms and prompts: roots, visits to URLs, models that use tools; and answers that are none.

use crate::support::{LEGACY, Peer, code};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};

/// A server after the handshake, with its first question about roots answered if it has one.
async fn open(revision: Revision, capabilities: Value) -> Peer {
    let mut peer = Peer::start(Options::default());
    let has_roots = capabilities.get("roots").is_some();
    peer.handshake(revision, capabilities).await;
    if has_roots {
        let asked = peer.message().await;
        assert_eq!(asked["method"], "roots/list");
        reply(&mut peer, &asked, json!({ "roots": [] })).await;
    }
    peer
}

async fn reply(peer: &mut Peer, request: &Value, result: Value) {
    let reply = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
    peer.send(&reply.to_string()).await;
}

fn text(answer: &Value) -> &str {
    let text = answer["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("a text, not {answer}"))
}

#[tokio::test(start_paused = true)]
async fn shows_the_roots_of_a_client_that_has_some() {
    for revision in LEGACY {
        let mut peer = open(revision, json!({ "roots": { "listChanged": true } })).await;
        let asked = peer.tool("show_roots", json!({})).await;
        assert_eq!(asked["method"], "roots/list");
        let roots = json!([{ "uri": "file:///a", "name": "A" }, { "uri": "file:///b" }]);
        reply(&mut peer, &asked, json!({ "roots": roots })).await;
        assert_eq!(text(&peer.message().await), "2 roots: file:///a, file:///b");

        peer.notify("notifications/roots/list_changed", json!({}))
            .await;
        let asked = peer.message().await;
        assert_eq!(asked["method"], "roots/list", "a change is looked at");
        reply(&mut peer, &asked, json!({ "roots": [] })).await;

        let mut peer = open(revision, json!({})).await;
        let refused = peer.tool("show_roots", json!({})).await;
        assert_eq!(refused["result"]["isError"], true);
        peer.notify("notifications/roots/list_changed", json!({}))
            .await;
        assert!(peer.listen(1000).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn sends_the_user_to_a_url_where_the_client_has_urls() {
    let url = json!({ "elicitation": { "url": {} } });
    let mut peer = open(Revision::R2025_11_25, url.clone()).await;
    let mut ids = Vec::new();
    for action in ["accept", "decline", "cancel"] {
        let asked = peer.tool("elicit_by_url", json!({})).await;
        let params = &asked["params"];
        assert_eq!(asked["method"], "elicitation/create");
        assert_eq!(params["mode"], "url");
        let id = params["elicitationId"].as_str().unwrap().to_owned();
        assert!(params["url"].as_str().unwrap().starts_with("https://"));
        reply(&mut peer, &asked, json!({ "action": action })).await;
        if action == "accept" {
            let told = peer.message().await;
            assert_eq!(told["method"], "notifications/elicitation/complete");
            assert_eq!(told["params"], json!({ "elicitationId": id }));
            assert_eq!(text(&peer.message().await), "The user was there.");
        } else {
            assert_eq!(text(&peer.message().await), "The user did not go there.");
        }
        assert!(!ids.contains(&id));
        ids.push(id);
    }
    for capability in [json!({}), json!({ "form": {} })] {
        let able = json!({ "elicitation": capability });
        let mut peer = open(Revision::R2025_11_25, able).await;
        for tool in ["elicit_by_url", "require_url_elicitation"] {
            let refused = peer.tool(tool, json!({})).await;
            assert_eq!(refused["result"]["isError"], true);
        }
    }
    let mut peer = open(Revision::R2025_06_18, url).await;
    assert_eq!(code(&peer.tool("elicit_by_url", json!({})).await), -32602);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_needs_a_visit_is_refused_until_it_was_made() {
    let able = json!({ "elicitation": { "url": {} } });
    let mut peer = open(Revision::R2025_11_25, able).await;
    for _ in 0..2 {
        let refused = peer.tool("require_url_elicitation", json!({})).await;
        assert_eq!(code(&refused), -32042);
        let needed = refused["error"]["data"]["elicitations"].as_array().unwrap();
        assert_eq!(needed.len(), 1);
        assert_eq!(needed[0]["mode"], "url");
        let again = peer.tool("require_url_elicitation", json!({})).await;
        assert_eq!(again["error"], refused["error"], "it is the same visit");
        let told = peer.message().await;
        assert_eq!(told["method"], "notifications/elicitation/complete");
        assert_eq!(told["params"]["elicitationId"], needed[0]["elicitationId"]);
        let answer = peer.tool("require_url_elicitation", json!({})).await;
        assert_eq!(text(&answer), "The user was there.");
    }
}

#[tokio::test(start_paused = true)]
async fn a_model_may_use_a_tool_until_it_has_an_answer() {
    let able = json!({ "sampling": { "tools": {} } });
    let mut peer = open(Revision::R2025_11_25, able).await;
    let prompt = json!({ "prompt": "p" });
    let asked = peer.tool("sample_with_tools", prompt.clone()).await;
    assert_eq!(asked["method"], "sampling/createMessage");
    assert_eq!(asked["params"]["tools"][0]["name"], "add");
    assert_eq!(asked["params"]["toolChoice"]["mode"], "auto");
    let uses = json!([
        { "type": "text", "text": "Let me see." },
        { "type": "tool_use", "id": "1", "name": "add", "input": { "a": 1, "b": 2.5 } },
        { "type": "tool_use", "id": "2", "name": "sub", "input": {} },
        { "type": "tool_use", "id": "3", "name": "add", "input": { "a": "x" } },
    ]);
    let turn = |content: &Value| json!({ "role": "assistant", "model": "m", "content": content, "stopReason": "toolUse" });
    reply(&mut peer, &asked, turn(&uses)).await;
    let asked = peer.message().await;
    let messages = asked["params"]["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[1], json!({ "role": "assistant", "content": uses }));
    assert_eq!(messages[2]["role"], "user");
    let results = messages[2]["content"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            assert_eq!(result["type"], "tool_result");
            (&result["toolUseId"], &result["isError"])
        })
        .collect();
    let (no, yes) = (Value::Null, json!(true));
    assert_eq!(
        told,
        [(&json!("1"), &no), (&json!("2"), &yes), (&json!("3"), &yes)]
    );
    assert_eq!(results[0]["content"][0]["text"], "3.5");
    let content = json!([
        { "type": "text", "text": "3.5" },
        { "type": "image", "data": "", "mimeType": "image/png" },
    ]);
    reply(&mut peer, &asked, turn(&content)).await;
    let answer = peer.message().await;
    assert_eq!(text(&answer), "LLM response: 3.5 [image image/png]");

    let mut asked = peer.tool("sample_with_tools", prompt.clone()).await;
    let one = json!({ "type": "tool_use", "id": "1", "name": "add", "input": { "a": 1, "b": 2 } });
    let mut choices = Vec::new();
    while asked["method"] == "sampling/createMessage" {
        choices.push(asked["params"]["toolChoice"]["mode"].clone());
        reply(&mut peer, &asked, turn(&one)).await;
        asked = peer.message().await;
    }
    assert_eq!(choices, ["auto", "auto", "auto", "none"]);
    assert_eq!(asked["result"]["isError"], true);

    let mut peer = open(Revision::R2025_11_25, json!({ "sampling": {} })).await;
    let refused = peer.tool("sample_with_tools", prompt).await;
    assert_eq!(refused["result"]["isError"], true);
}

#[tokio::test(start_paused = true)]
async fn every_lawful_answer_of_a_model_is_understood() {
    for (since, content, said) in [
        (
            Revision::R2024_11_05,
            json!({ "type": "text", "text": "" }),
            "",
        ),
        (
            Revision::R2024_11_05,
            json!({ "type": "image", "data": "", "mimeType": "image/png" }),
            "[image image/png]",
        ),
        (
            Revision::R2025_03_26,
            json!({ "type": "audio", "data": "", "mimeType": "audio/wav" }),
            "[audio audio/wav]",
        ),
        (Revision::R2025_11_25, json!([]), ""),
        (
            Revision::R2025_11_25,
            json!([{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }]),
            "a b",
        ),
    ] {
        for revision in LEGACY.into_iter().filter(|revision| *revision >= since) {
            let mut peer = open(revision, json!({ "sampling": {} })).await;
            let asked = peer.tool("test_sampling", json!({ "prompt": "p" })).await;
            let result = json!({ "role": "user", "model": "m", "content": content, "stopReason": "of its own" });
            reply(&mut peer, &asked, result).await;
            let answer = peer.message().await;
            assert_eq!(text(&answer), format!("LLM response: {said}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_of_another_kind_is_a_failure_of_the_tool() {
    let able = json!({ "roots": {}, "sampling": {}, "elicitation": {} });
    for (tool, arguments, answers) in [
        (
            "test_sampling",
            json!({ "prompt": "p" }),
            vec![json!({}), json!({ "role": "assistant", "content": {} })],
        ),
        (
            "test_elicitation",
            json!({ "message": "m" }),
            vec![json!({}), json!({ "action": "maybe" })],
        ),
        (
            "show_roots",
            json!({}),
            vec![json!({}), json!({ "roots": "all" })],
        ),
    ] {
        for answer in answers {
            let mut peer = open(Revision::R2025_11_25, able.clone()).await;
            let asked = peer.tool(tool, arguments.clone()).await;
            reply(&mut peer, &asked, answer).await;
            let failed = peer.message().await;
            assert_eq!(failed["result"]["isError"], true, "{tool}: {failed}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_user_fills_in_has_to_fit_the_form() {
    let filename = json!({ "filename": "f" });
    for (tool, arguments) in [
        ("confirm_delete", filename),
        ("test_tool_with_task", json!({})),
    ] {
        for (answer, is_error) in [
            (json!({ "action": "decline" }), false),
            (json!({ "action": "accept", "content": {} }), true),
            (
                json!({ "action": "accept", "content": { "name": "n", "confirm": false } }),
                false,
            ),
        ] {
            let able = json!({ "elicitation": {} });
            let mut peer = open(Revision::R2025_06_18, able).await;
            let asked = peer.tool(tool, arguments.clone()).await;
            reply(&mut peer, &asked, answer).await;
            let done = peer.message().await;
            assert_eq!(done["result"]["isError"] == true, is_error, "{done}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_can_have_its_lists_said_to_have_changed() {
    for revision in LEGACY {
        let mut peer = Peer::start(Options::default());
        let opened = peer.handshake(revision, json!({})).await;
        for (list, tool) in [
            ("tools", "test_trigger_tool_change"),
            ("prompts", "test_trigger_prompt_change"),
        ] {
            let declared = &opened["result"]["capabilities"][list];
            assert_eq!(declared["listChanged"], true);
            let told = peer.tool(tool, json!({})).await;
            assert_eq!(told["method"], format!("notifications/{list}/list_changed"));
            assert_eq!(peer.message().await["id"], "c");
        }
    }
}
