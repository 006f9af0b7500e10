//! Tools, resources, prompts, completion, logging, and what the client is asked.

use crate::support::{LEGACY, Peer, code};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Every entry of a list, page by page.
async fn walk(peer: &mut Peer, method: &str, key: &str) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut params = json!({});
    for _ in 0..100 {
        let page = peer.call(method, params).await["result"].clone();
        entries.extend(page[key].as_array().unwrap().clone());
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return entries,
        }
    }
    panic!("{method} does not end");
}

#[tokio::test(start_paused = true)]
async fn lists_hold_each_entry_once_at_any_page_size() {
    for page_size in [0, 1, 2, 5, 1000] {
        let mut peer = Peer::start(Options {
            page_size,
            ..Options::default()
        });
        peer.handshake(Revision::R2025_11_25, json!({})).await;
        for (method, key, name, count) in [
            ("tools/list", "tools", "name", 32),
            ("resources/list", "resources", "uri", 4),
            (
                "resources/templates/list",
                "resourceTemplates",
                "uriTemplate",
                1,
            ),
            ("prompts/list", "prompts", "name", 4),
        ] {
            let entries = walk(&mut peer, method, key).await;
            let names: BTreeSet<_> = entries.iter().map(|e| e[name].as_str().unwrap()).collect();
            assert_eq!((entries.len(), names.len()), (count, count), "{method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cursor_is_good_for_its_list_alone() {
    let mut peer = Peer::start(Options {
        page_size: 2,
        ..Options::default()
    });
    peer.handshake(Revision::R2025_11_25, json!({})).await;
    let page = peer.call("tools/list", json!({})).await;
    let cursor = page["result"]["nextCursor"].clone();
    for (method, cursor) in [
        ("prompts/list", cursor.clone()),
        ("tools/list", json!("")),
        ("tools/list", json!("2")),
        ("tools/list", json!(2)),
        ("resources/templates/list", json!("x")),
    ] {
        let answer = peer.call(method, json!({ "cursor": cursor })).await;
        assert_eq!(code(&answer), -32602, "{method} {cursor}");
    }
    let again = [
        peer.call("tools/list", json!({ "cursor": cursor })).await,
        peer.call("tools/list", json!({ "cursor": cursor })).await,
    ];
    assert_eq!(again[0], again[1]);
}

#[tokio::test(start_paused = true)]
async fn tools_show_only_what_the_revision_has() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let tools = walk(&mut peer, "tools/list", "tools").await;
        let since = |first| revision >= first;
        let has = |name: &str| tools.iter().any(|tool| tool["name"] == name);
        assert_eq!(has("test_audio_content"), since(Revision::R2025_03_26));
        assert_eq!(has("test_elicitation"), since(Revision::R2025_06_18));
        assert_eq!(has("word_count"), since(Revision::R2025_06_18));
        assert_eq!(
            has("test_elicitation_sep1330_enums"),
            since(Revision::R2025_11_25)
        );
        for tool in &tools {
            let shows = |member: &str| tool.get(member).is_some();
            assert_eq!(shows("annotations"), since(Revision::R2025_03_26));
            assert_eq!(shows("title"), since(Revision::R2025_06_18));
            assert_eq!(shows("icons"), since(Revision::R2025_11_25));
            assert!(!shows("outputSchema") || since(Revision::R2025_06_18));
        }
        let hidden = peer.tool("test_audio_content", json!({})).await;
        assert_eq!(
            hidden.get("error").is_some(),
            revision < Revision::R2025_03_26
        );
    }
}

#[tokio::test(start_paused = true)]
async fn tools_return_their_content() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for (tool, arguments, types) in [
            ("test_simple_text", json!({}), vec!["text"]),
            ("test_image_content", json!({}), vec!["image"]),
            ("test_embedded_resource", json!({}), vec!["resource"]),
            (
                "test_multiple_content_types",
                json!({}),
                vec!["text", "image", "resource"],
            ),
            ("echo", json!({ "message": "é\u{1f600}\n\0" }), vec!["text"]),
            (
                "json_schema_2020_12_tool",
                json!({ "email": "e" }),
                vec!["text"],
            ),
        ] {
            let result = peer.tool(tool, arguments.clone()).await["result"].clone();
            let blocks = result["content"].as_array().unwrap();
            let found: Vec<_> = blocks
                .iter()
                .map(|block| block["type"].as_str().unwrap())
                .collect();
            assert_eq!(found, types, "{tool}");
            assert!(result.get("isError").is_none());
            if tool == "echo" {
                assert_eq!(blocks[0]["text"], arguments["message"]);
            }
        }
        let failed = peer.tool("test_error_handling", json!({})).await;
        assert_eq!(failed["result"]["isError"], true);
        let omitted = peer
            .call("tools/call", json!({ "name": "test_simple_text" }))
            .await;
        assert!(omitted["result"]["content"].is_array());
    }
}

#[tokio::test(start_paused = true)]
async fn structured_content_has_a_copy_as_text() {
    for revision in [Revision::R2025_06_18, Revision::R2025_11_25] {
        let mut peer = Peer::open(revision).await;
        let result = peer
            .tool("word_count", json!({ "text": "two words" }))
            .await["result"]
            .clone();
        assert_eq!(
            result["structuredContent"],
            json!({ "characters": 9, "words": 2 })
        );
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            result["structuredContent"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn arguments_are_checked_and_refused_as_the_revision_says() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for (tool, arguments) in [
            ("echo", json!({})),
            ("echo", json!({ "message": 5 })),
            ("test_simple_text", json!({ "extra": 1 })),
            ("slow", json!({ "ms": "100" })),
            ("slow", json!({ "ms": -1 })),
            (
                "json_schema_2020_12_tool",
                json!({ "contactMethod": "phone", "email": "e" }),
            ),
        ] {
            let answer = peer.tool(tool, arguments).await;
            if revision < Revision::R2025_11_25 {
                assert_eq!(code(&answer), -32602, "{tool}");
            } else {
                assert_eq!(answer["result"]["isError"], true, "{tool}");
            }
        }
        for params in [
            json!({}),
            json!({ "name": 5 }),
            json!({ "name": "no_such_tool" }),
            json!({ "name": "ECHO", "arguments": { "message": "m" } }),
            json!({ "name": "echo", "arguments": [] }),
        ] {
            assert_eq!(code(&peer.call("tools/call", params).await), -32602);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn resources_are_read_as_listed() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let listed = walk(&mut peer, "resources/list", "resources").await;
        for entry in listed {
            let answer = peer
                .call("resources/read", json!({ "uri": entry["uri"] }))
                .await;
            let contents = &answer["result"]["contents"][0];
            assert_eq!(contents["uri"], entry["uri"]);
            assert_eq!(contents["mimeType"], entry["mimeType"]);
            assert!(contents["text"].is_string() != contents["blob"].is_string());
        }
        let uri = "test://template/123/data";
        let answer = peer.call("resources/read", json!({ "uri": uri })).await;
        let text = answer["result"]["contents"][0]["text"].as_str().unwrap();
        assert!(text.contains("123"));
        for uri in [
            "test://nonexistent-resource-for-conformance-testing",
            "",
            "static-text",
        ] {
            let answer = peer.call("resources/read", json!({ "uri": uri })).await;
            assert_eq!(code(&answer), -32002, "{uri}");
            assert_eq!(answer["error"]["data"]["uri"], uri);
        }
        assert_eq!(code(&peer.call("resources/read", json!({})).await), -32602);
    }
}

#[tokio::test(start_paused = true)]
async fn resources_are_as_long_as_listed() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let mut sizes = 0;
        for entry in walk(&mut peer, "resources/list", "resources").await {
            let annotations = &entry["annotations"];
            let is_dated = annotations.get("lastModified").is_some();
            let is_annotated = annotations.is_object();
            assert_eq!(is_dated, is_annotated && revision >= Revision::R2025_06_18);
            let Some(size) = entry["size"].as_u64() else {
                continue;
            };
            sizes += 1;
            let answer = peer
                .call("resources/read", json!({ "uri": entry["uri"] }))
                .await;
            let contents = &answer["result"]["contents"][0];
            let length = match contents["text"].as_str() {
                Some(text) => text.len(),
                None => STANDARD
                    .decode(contents["blob"].as_str().unwrap())
                    .unwrap()
                    .len(),
            };
            assert_eq!(size, length as u64, "{entry}");
        }
        assert_eq!(sizes, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn completion_heeds_what_is_already_filled_in() {
    for revision in LEGACY {
        let has_context = revision >= Revision::R2025_06_18;
        let mut peer = Peer::open(revision).await;
        let complete = |context: Value| {
            json!({
                "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" },
                "argument": { "name": "arg2", "value": "p" },
                "context": context,
            })
        };
        let context = json!({ "arguments": { "arg1": "paris" } });
        let answer = peer.call("completion/complete", complete(context)).await;
        let expected = if has_context {
            json!(["paris north", "paris south"])
        } else {
            json!(["paris", "park", "party"])
        };
        assert_eq!(answer["result"]["completion"]["values"], expected);
        for broken in [json!(1), json!({ "arguments": { "arg1": 1 } })] {
            let answer = peer.call("completion/complete", complete(broken)).await;
            assert_eq!(answer.get("error").is_some(), has_context, "{answer}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_subscriber_hears_of_a_change() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let uri = json!({ "uri": "test://watched-resource" });
        assert_eq!(peer.tool("touch", json!({})).await["id"], "c");
        assert_eq!(
            peer.call("resources/subscribe", uri.clone()).await["result"],
            json!({})
        );
        let told = peer.tool("touch", json!({})).await;
        assert_eq!(told["method"], "notifications/resources/updated");
        assert_eq!(told["params"], uri);
        assert_eq!(peer.message().await["id"], "c");
        assert_eq!(
            peer.call("resources/unsubscribe", uri).await["result"],
            json!({})
        );
        assert_eq!(peer.tool("touch", json!({})).await["id"], "c");
        let unknown = json!({ "uri": "test://none" });
        assert_eq!(
            code(&peer.call("resources/subscribe", unknown).await),
            -32002
        );
    }
}

#[tokio::test(start_paused = true)]
async fn prompts_are_filled_in() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let both = json!({ "arg1": "hello", "arg2": "world" });
        for (name, arguments) in [
            ("test_simple_prompt", json!({})),
            ("test_prompt_with_image", json!({})),
            ("test_prompt_with_arguments", both.clone()),
            (
                "test_prompt_with_embedded_resource",
                json!({ "resourceUri": "test://r" }),
            ),
        ] {
            let params = json!({ "name": name, "arguments": arguments });
            let answer = peer.call("prompts/get", params).await;
            assert!(
                !answer["result"]["messages"].as_array().unwrap().is_empty(),
                "{name}"
            );
            if arguments == both {
                let text = &answer["result"]["messages"][0]["content"]["text"];
                assert_eq!(text, "Prompt with arguments: arg1='hello', arg2='world'");
            }
        }
        for params in [
            json!({ "name": "no_such_prompt" }),
            json!({ "name": "test_prompt_with_arguments" }),
            json!({ "name": "test_prompt_with_arguments", "arguments": { "arg1": "x" } }),
            json!({ "name": "test_prompt_with_arguments", "arguments": { "arg1": 1, "arg2": "x" } }),
            json!({ "name": "test_prompt_with_embedded_resource", "arguments": { "resourceUri": "no uri" } }),
        ] {
            assert_eq!(code(&peer.call("prompts/get", params).await), -32602);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn completion_gives_at_most_a_hundred_values() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let template = json!({ "type": "ref/resource", "uri": "test://template/{id}/data" });
        let prompt = json!({ "type": "ref/prompt", "name": "test_prompt_with_arguments" });
        for (reference, name, value, count, total) in [
            (&template, "id", "", 100, 150),
            (&template, "id", "15", 2, 2),
            (&prompt, "arg1", "par", 3, 3),
            (&prompt, "arg2", "x", 0, 0),
        ] {
            let params = json!({ "ref": reference, "argument": { "name": name, "value": value } });
            let answer = peer.call("completion/complete", params).await;
            let completion = &answer["result"]["completion"];
            assert_eq!(completion["values"].as_array().unwrap().len(), count);
            assert_eq!(completion["total"], total);
            assert_eq!(completion["hasMore"], total > 100);
        }
        let argument = json!({ "name": "arg1", "value": "" });
        for params in [
            json!({ "ref": { "type": "ref/prompt", "name": "none" }, "argument": argument }),
            json!({ "ref": { "type": "ref/none", "name": "none" }, "argument": argument }),
            json!({ "ref": prompt, "argument": { "name": "arg1" } }),
            json!({ "ref": prompt }),
            json!({ "ref": prompt, "argument": { "name": "arg9", "value": "" } }),
        ] {
            assert_eq!(
                code(&peer.call("completion/complete", params).await),
                -32602
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn logs_at_the_level_that_was_set() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for (level, logged) in [("debug", 3), ("info", 3), ("notice", 0), ("emergency", 0)] {
            let set = peer
                .call("logging/setLevel", json!({ "level": level }))
                .await;
            assert_eq!(set["result"], json!({}));
            for _ in 0..logged {
                let log = peer.tool("test_tool_with_logging", json!({})).await;
                assert_eq!(log["method"], "notifications/message");
                peer.listen(1000).await;
            }
            peer.request(
                json!("log"),
                "tools/call",
                json!({ "name": "test_tool_with_logging" }),
            )
            .await;
            assert_eq!(peer.listen(1000).await.len(), logged + 1, "{level}");
        }
        let unknown = json!({ "level": "loud" });
        assert_eq!(code(&peer.call("logging/setLevel", unknown).await), -32602);
    }
}

/// Calls a tool that asks, answers with this, and gives the text of the tool's answer.
async fn answering(
    peer: &mut Peer,
    tool: &str,
    arguments: Value,
    member: &str,
    answer: Value,
) -> String {
    let asked = peer.tool(tool, arguments).await;
    let mut reply = json!({ "jsonrpc": "2.0", "id": asked["id"] });
    reply[member] = answer;
    peer.send(&reply.to_string()).await;
    let done = peer.message().await;
    done["result"]["content"][0]["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn asks_the_model_of_a_client_that_has_one() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        let refused = peer.tool("test_sampling", json!({ "prompt": "p" })).await;
        assert_eq!(refused["result"]["isError"], true);

        let mut peer = Peer::start(Options::default());
        peer.handshake(revision, json!({ "sampling": {} })).await;
        let content = json!({ "type": "text", "text": "42" });
        let answer = json!({ "role": "assistant", "model": "m", "content": content });
        let prompt = json!({ "prompt": "p" });
        let text = answering(&mut peer, "test_sampling", prompt.clone(), "result", answer).await;
        assert_eq!(text, "LLM response: 42");
        let error = json!({ "code": -1, "message": "no" });
        let text = answering(&mut peer, "test_sampling", prompt, "error", error).await;
        assert_eq!(text, "Sampling failed: the client refused: no");
    }
}

#[tokio::test(start_paused = true)]
async fn asks_the_user_by_form_where_the_client_has_forms() {
    for (revision, capability, is_asked) in [
        (Revision::R2025_06_18, json!({}), true),
        (Revision::R2025_11_25, json!({}), true),
        (Revision::R2025_11_25, json!({ "form": {} }), true),
        (Revision::R2025_11_25, json!({ "url": {} }), false),
    ] {
        let mut peer = Peer::start(Options::default());
        peer.handshake(revision, json!({ "elicitation": capability }))
            .await;
        let message = json!({ "message": "m" });
        if !is_asked {
            let refused = peer.tool("test_elicitation", message).await;
            assert_eq!(refused["result"]["isError"], true);
            continue;
        }
        let content = json!({ "username": "u", "email": "e" });
        for (answer, text) in [
            (
                json!({ "action": "accept", "content": content }),
                "User response: action=accept",
            ),
            (
                json!({ "action": "decline" }),
                "User response: action=decline",
            ),
            (
                json!({ "action": "accept", "content": {} }),
                "The user's response does not fit",
            ),
        ] {
            let said = answering(
                &mut peer,
                "test_elicitation",
                message.clone(),
                "result",
                answer,
            )
            .await;
            assert!(said.starts_with(text), "{said}");
        }
    }
}
