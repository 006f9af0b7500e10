//! JSON-RPC: ids, errors, batches, cancellation, progress.

use crate::support::{LEGACY, Peer, code, initialize};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn ids_come_back_as_they_were_written() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for id in [
            "0",
            "-1",
            "1.0",
            "1e0",
            "9007199254740993",
            "18446744073709551616",
            "\"\"",
            "\"1\"",
            "\"\\u0061\"",
            "\"null\"",
        ] {
            peer.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#))
                .await;
            let line = peer.line().await;
            assert_eq!(
                line,
                format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unlawful_id_is_an_invalid_request_that_names_none() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    for id in ["null", "1.5", "true", "[]", "{}"] {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let answer = peer.ask(&line).await;
        assert_eq!(code(&answer), -32600, "{id}");
        assert!(answer.get("id").is_none(), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_answered_and_survived() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for (line, expected, id) in [
            (&b"{\"jsonrpc\":"[..], -32700, Value::Null),
            (b"not json", -32700, Value::Null),
            (b"\"\xff\"", -32700, Value::Null),
            (b"42", -32600, Value::Null),
            (b"[]", -32600, Value::Null),
            (br#"{"jsonrpc":"2.0"}"#, -32600, Value::Null),
            (br#"{"jsonrpc":"2.0","id":4}"#, -32600, json!(4)),
            (br#"{"jsonrpc":"2.0","id":4,"method":5}"#, -32600, json!(4)),
            (
                br#"{"jsonrpc":"1.0","id":4,"method":"ping"}"#,
                -32600,
                json!(4),
            ),
            (br#"{"id":4,"method":"ping"}"#, -32600, json!(4)),
            (
                br#"{"jsonrpc":"2.0","id":4,"method":"ping","result":{}}"#,
                -32600,
                json!(4),
            ),
            (
                br#"{"jsonrpc":"2.0","id":4,"method":"ping","params":[]}"#,
                -32602,
                json!(4),
            ),
            (
                br#"{"jsonrpc":"2.0","id":4,"method":"PING"}"#,
                -32601,
                json!(4),
            ),
        ] {
            peer.write(line).await;
            peer.write(b"\n").await;
            let answer = peer.message().await;
            let shown = String::from_utf8_lossy(line);
            assert_eq!(code(&answer), expected, "{shown}");
            assert_eq!(answer["id"], id, "{shown}");
        }
        let deep = format!(
            r#"{{"jsonrpc":"2.0","id":4,"method":"ping","params":{{"x":{}{}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(code(&peer.ask(&deep).await), -32600);
        assert_eq!(peer.call("ping", json!({})).await["result"], json!({}));
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_nothing_is_not_answered() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for line in [
            "",
            "  \t",
            r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#,
            r#"{"jsonrpc":"2.0","method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"m"}}"#,
            r#"{"jsonrpc":"2.0","id":99,"error":{},"result":{}}"#,
        ] {
            peer.send(line).await;
        }
        assert!(peer.listen(1000).await.is_empty());
        assert_eq!(peer.call("ping", json!({})).await["result"], json!({}));
    }
}

#[tokio::test(start_paused = true)]
async fn any_split_of_the_bytes_and_any_line_end_will_do() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    for byte in b"\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n" {
        peer.write(&[*byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(peer.message().await["id"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_does_not_hold_up_others() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    for (id, ms) in [(1, 300), (2, 100), (3, 200)] {
        let params = json!({ "name": "slow", "arguments": { "ms": ms } });
        peer.request(json!(id), "tools/call", params).await;
    }
    assert_eq!(peer.call("ping", json!({})).await["id"], "c");
    for id in [2, 3, 1] {
        assert_eq!(peer.message().await["id"], id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_is_not_answered() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for (id, cancelled) in [
            ("0", "0"),
            ("\"\"", "\"\""),
            ("-7", "-7.0"),
            ("\"a\\u0062\"", "\"ab\""),
        ] {
            peer.send(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"slow","arguments":{{"ms":1000}}}}}}"#
            ))
            .await;
            peer.listen(100).await;
            peer.send(&format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{cancelled}}}}}"#
            ))
            .await;
        }
        assert!(peer.listen(5000).await.is_empty());
        peer.notify("notifications/cancelled", json!({ "requestId": 0 }))
            .await;
        assert_eq!(peer.call("ping", json!({})).await["result"], json!({}));
    }
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_call_withdraws_what_it_asked() {
    let mut peer = Peer::start(Options::default());
    peer.handshake(Revision::R2025_11_25, json!({ "sampling": {} }))
        .await;
    let params = json!({ "name": "test_sampling", "arguments": { "prompt": "p" } });
    peer.request(json!(1), "tools/call", params).await;
    let asked = peer.message().await;
    peer.notify("notifications/cancelled", json!({ "requestId": 1 }))
        .await;
    let withdrawn = peer.message().await;
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    assert!(peer.listen(100_000).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn progress_carries_the_token_as_it_was_written() {
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for token in ["0", "-1", "\"\"", "\"1\"", "9007199254740993", "1.0"] {
            peer.send(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"test_tool_with_progress","_meta":{{"progressToken":{token}}}}}}}"#
            ))
            .await;
            for progress in [0, 50, 100] {
                let line = peer.line().await;
                assert!(
                    line.contains(&format!(r#""progressToken":{token},"#)),
                    "{line}"
                );
                let message: Value = serde_json::from_str(&line).unwrap();
                assert_eq!(message["params"]["progress"], progress);
                let has_message = message["params"].get("message").is_some();
                assert_eq!(has_message, revision >= Revision::R2025_03_26);
            }
            assert_eq!(peer.message().await["id"], 1);
        }
        let without = peer.tool("test_tool_with_progress", json!({})).await;
        assert_eq!(without["id"], "c");
        for token in ["null", "true", "1.5", "[]"] {
            let answer = peer
                .ask(&format!(
                    r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"_meta":{{"progressToken":{token}}}}}}}"#
                ))
                .await;
            assert_eq!(code(&answer), -32602, "{token}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_answered_by_one_in_2025_03_26() {
    let mut peer = Peer::open(Revision::R2025_03_26).await;
    let slow = json!({ "name": "slow", "arguments": { "ms": 100 } });
    let batch = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": slow },
        { "jsonrpc": "2.0", "method": "notifications/no/such" },
        { "jsonrpc": "2.0", "id": 2, "method": "no/such" },
        5,
        { "jsonrpc": "2.0", "id": 3, "method": "ping" },
        { "jsonrpc": "2.0", "id": 4, "method": "initialize" },
    ]);
    let answers = peer.ask(&batch.to_string()).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5);
    let find = |id: Value| answers.iter().find(|answer| answer["id"] == id).unwrap();
    assert!(find(json!(1))["result"]["content"].is_array());
    assert_eq!(code(find(json!(2))), -32601);
    assert_eq!(find(json!(3))["result"], json!({}));
    assert_eq!(code(find(json!(4))), -32600);
    assert_eq!(code(find(Value::Null)), -32600);

    let silent = json!([{ "jsonrpc": "2.0", "method": "notifications/no/such" }]);
    peer.send(&silent.to_string()).await;
    assert!(peer.listen(1000).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_item_is_missing_from_the_answer_to_its_batch() {
    let mut peer = Peer::open(Revision::R2025_03_26).await;
    let slow = json!({ "name": "slow", "arguments": { "ms": 1000 } });
    let batch = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": slow },
        { "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": slow },
    ]);
    peer.send(&batch.to_string()).await;
    peer.notify("notifications/cancelled", json!({ "requestId": 1 }))
        .await;
    let answers = peer.message().await;
    assert_eq!(answers.as_array().unwrap().len(), 1);
    assert_eq!(answers[0]["id"], 2);
}

#[tokio::test(start_paused = true)]
async fn other_revisions_have_no_batches() {
    for revision in LEGACY {
        if revision != Revision::R2025_03_26 {
            let mut peer = Peer::open(revision).await;
            let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "ping" }]);
            assert_eq!(code(&peer.ask(&batch.to_string()).await), -32600);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn initialize_in_a_batch_is_refused() {
    let mut peer = Peer::start(Options::default());
    let params = json!({
        "protocolVersion": "2025-03-26",
        "capabilities": {},
        "clientInfo": { "name": "c", "version": "1" },
    });
    let batch = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params },
        { "jsonrpc": "2.0", "id": 2, "method": "ping" },
    ]);
    let answers = peer.ask(&batch.to_string()).await;
    assert_eq!(code(&answers[0]), -32600);
    assert_eq!(answers[1]["result"], json!({}));
    assert_eq!(code(&peer.call("tools/list", json!({})).await), -32600);
}

#[tokio::test(start_paused = true)]
async fn a_number_does_not_cancel_its_digits() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    let params = json!({ "name": "slow", "arguments": { "ms": 100 } });
    peer.request(json!(1), "tools/call", params).await;
    peer.notify("notifications/cancelled", json!({ "requestId": "1" }))
        .await;
    assert_eq!(peer.message().await["id"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_client_is_asked_nothing_before_it_is_ready() {
    let mut peer = Peer::start(Options::default());
    let capabilities = json!({ "sampling": {}, "roots": {} });
    peer.ask(&initialize("2025-11-25", &capabilities)).await;
    peer.notify("notifications/roots/list_changed", json!({}))
        .await;
    let answer = peer.tool("test_sampling", json!({ "prompt": "p" })).await;
    assert_eq!(answer["result"]["isError"], true);
}

/// Every prefix of a message, and every message with one byte changed, is survived, and what is said about it is a message.
#[tokio::test(start_paused = true)]
async fn broken_lines_are_survived() {
    let whole: &[u8] = br#"{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"echo","arguments":{"message":"\u00e9"}}}"#;
    for revision in LEGACY {
        let mut peer = Peer::open(revision).await;
        for place in 0..whole.len() {
            peer.write(&whole[..place]).await;
            peer.write(b"\n").await;
            for byte in *b"\0\r\"{[,:1x\xff" {
                let mut changed = whole.to_vec();
                changed[place] = byte;
                peer.write(&changed).await;
                peer.write(b"\n").await;
            }
            for line in peer.listen(10).await {
                let message: Value = serde_json::from_str(&line).unwrap();
                assert!(message["jsonrpc"] == "2.0", "{line}");
                assert!(message.get("result").is_some() != message.get("error").is_some());
            }
            assert_eq!(peer.call("ping", json!({})).await["result"], json!({}));
        }
    }
}

/// On threads and in real time: whatever the order, each request is answered once or was cancelled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_and_cancels_on_threads_lose_nothing() {
    let mut peer = Peer::open(Revision::R2025_11_25).await;
    for id in 0..300 {
        let params = json!({ "name": "slow", "arguments": { "ms": id % 3 } });
        peer.request(json!(id), "tools/call", params).await;
        if id % 2 == 0 {
            peer.notify("notifications/cancelled", json!({ "requestId": id }))
                .await;
        }
    }
    let rest = peer.close().await;
    let mut answers = vec![0; 300];
    for line in rest.lines {
        let message: Value = serde_json::from_str(&line).unwrap();
        answers[message["id"].as_u64().unwrap() as usize] += 1;
    }
    for (id, count) in answers.into_iter().enumerate() {
        assert!(count == 1 || (count == 0 && id % 2 == 0), "{id}: {count}");
    }
}
