//! POST: which body gets which status, and by which kind of answer.

use crate::support::{
    BOTH, Client, Event, LOGGING, PING, SLOW, ask, events, honest, initialize, request, wait,
};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn a_request_that_is_answered_at_once_is_answered_by_json() {
    let client = Client::of_honest().await;
    let answer = client.post(PING);
    assert_eq!(answer.status().await, 200);
    let content_type = answer.header("content-type").await;
    assert_eq!(content_type.as_deref(), Some("application/json"));
    let pong = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    assert_eq!(answer.body().await, pong);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_answered_by_a_stream_that_ends_behind_the_answer() {
    let client = Client::of_honest().await;
    let answer = client.post(LOGGING);
    assert_eq!(answer.status().await, 200);
    let content_type = answer.header("content-type").await;
    assert_eq!(content_type.as_deref(), Some("text/event-stream"));
    let events = answer.all_events().await;
    assert_eq!(events[0].data.as_deref(), Some(""), "the priming event");
    let ids: Vec<_> = events
        .iter()
        .map(|event| event.id.clone().unwrap())
        .collect();
    assert_eq!(ids, ["1-1", "1-2", "1-3", "1-4", "1-5"]);
    let messages = answer.messages();
    let methods: Vec<_> = messages.iter().map(|message| &message["method"]).collect();
    let log = &json!("notifications/message");
    assert_eq!(methods, [log, log, log, &Value::Null]);
    assert_eq!(messages[3]["id"], 8);
}

#[tokio::test(start_paused = true)]
async fn only_2025_11_25_primes_its_streams() {
    for (revision, count) in [
        ("2025-03-26", 4),
        ("2025-06-18", 4),
        ("2024-11-05", 4),
        ("2025-11-25", 5),
    ] {
        let client = Client::open(&honest(), revision, json!({})).await;
        let events = client.post(LOGGING).all_events().await;
        assert_eq!(events.len(), count, "{revision}");
        assert!(events.iter().all(|event| event.id.is_some()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_no_answer_is_accepted_without_a_body() {
    let client = Client::of_honest().await;
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#,
        r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":99,"error":{"code":1,"message":"m"}}"#,
    ] {
        let answer = client.post(body);
        assert_eq!(answer.status().await, 202, "{body}");
        assert_eq!(answer.body().await, "");
        assert_eq!(answer.header("content-type").await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_json_rpc_are_answers_like_any_other() {
    let client = Client::of_honest().await;
    for (body, code) in [
        (request(json!(1), "no/such", json!({})), -32601),
        (request(json!(1), "prompts/get", json!({})), -32602),
        (initialize("2025-11-25", &json!({})), -32600),
    ] {
        let answer = client.post(&body);
        assert_eq!(answer.status().await, 200, "{body}");
        assert_eq!(answer.json().await["error"]["code"], code, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_message_is_a_bad_request_with_an_error_that_has_no_id() {
    let client = Client::of_honest().await;
    for (body, code) in [
        (&b"{\"jsonrpc\":"[..], -32700),
        (b"", -32700),
        (b"  \r\n", -32700),
        (b"\xff", -32700),
        (b"{}{}", -32700),
        (b"{}", -32600),
        (b"3", -32600),
        (b"[]", -32600),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
            -32600,
        ),
    ] {
        let answer = client.ask("POST", &[], body);
        assert_eq!(answer.status().await, 400, "{body:?}");
        let error = answer.json().await;
        assert_eq!(error["error"]["code"], code, "{body:?}");
        assert_eq!(error.get("id"), None, "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_be_written_in_several_lines() {
    let client = Client::of_honest().await;
    let body = "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1,\n  \"method\": \"ping\"\n}\n";
    assert_eq!(client.post(body).json().await["result"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_body_is_bounded() {
    let client = Client::of_honest().await;
    let message = |length: usize| {
        let text = "x".repeat(length);
        request(json!(1), "ping", json!({ "x": text }))
    };
    assert_eq!(client.post(&message(4_000_000)).status().await, 200);
    assert_eq!(client.post(&message(4 << 20)).status().await, 413);
}

#[tokio::test(start_paused = true)]
async fn batches_belong_to_2025_03_26() {
    let batch = |items: &[&str]| format!("[{}]", items.join(","));
    let note = r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#;
    let client = Client::open(&honest(), "2025-03-26", json!({})).await;

    let answer = client.post(&batch(&[
        PING,
        note,
        &request(json!(8), "no/such", json!({})),
    ]));
    assert_eq!(answer.status().await, 200);
    let answers = answer.json().await;
    assert_eq!(answers.as_array().unwrap().len(), 2);
    assert_eq!(answers[0]["id"], 7);
    assert_eq!(answers[1]["error"]["code"], -32601);

    let answer = client.post(&batch(&[PING, LOGGING]));
    let messages = {
        answer.body().await;
        answer.messages()
    };
    assert_eq!(messages.len(), 4, "three logs, then an array");
    assert_eq!(messages[3].as_array().unwrap().len(), 2);

    let answer = client.post(&batch(&[note, note]));
    assert_eq!(answer.status().await, 202);
    assert_eq!(answer.body().await, "");

    let answer = client.post(&batch(&[&initialize("2025-03-26", &json!({}))]));
    assert_eq!(answer.json().await[0]["error"]["code"], -32600);

    let client = Client::of_honest().await;
    let answer = client.post(&batch(&[PING]));
    assert_eq!(answer.status().await, 400);
    assert_eq!(answer.json().await["error"]["code"], -32600);
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_a_batch_carries_what_its_calls_ask() {
    let able = json!({ "sampling": {} });
    let client = Client::open(&honest(), "2025-03-26", able).await;
    let call = |id: u8| {
        let arguments = json!({ "prompt": "p" });
        let params = json!({ "name": "test_sampling", "arguments": arguments });
        request(json!(id), "tools/call", params)
    };
    let batch = client.post(&format!("[{},{PING},{}]", call(1), call(2)));
    let is_question = |message: &Value| message["method"] == "sampling/createMessage";
    let asked = batch
        .until(|seen| {
            let events = events(&seen.body).into_iter();
            let messages = events.filter(Event::is_message).map(|event| event.json());
            let asked: Vec<_> = messages.filter(is_question).collect();
            (asked.len() == 2).then_some(asked)
        })
        .await;
    let content = json!({ "type": "text", "text": "t" });
    let result = json!({ "role": "assistant", "model": "m", "content": content });
    let answers = asked
        .iter()
        .map(|asked| json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result }));
    let answers = Value::Array(answers.collect());
    assert_eq!(client.post(&answers.to_string()).status().await, 202);
    batch.body().await;
    let messages = batch.messages();
    assert_eq!(messages.len(), 3, "two questions, then an array");
    assert_eq!(messages[2].as_array().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_which_a_part_is_cancelled_answers_the_rest() {
    let client = Client::open(&honest(), "2025-03-26", json!({})).await;
    let answer = client.post(&format!("[{SLOW},{LOGGING}]"));
    answer.status().await;
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#;
    assert_eq!(client.post(cancel).status().await, 202);
    answer.body().await;
    let messages = answer.messages();
    let last = messages.last().unwrap().as_array().unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(last[0]["id"], 8);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_request_ends_its_stream_without_an_answer() {
    let client = Client::of_honest().await;
    let answer = client.post(SLOW);
    assert_eq!(answer.status().await, 200);
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#;
    assert_eq!(client.post(cancel).status().await, 202);
    answer.body().await;
    assert!(!answer.is_broken());
    assert_eq!(answer.messages(), Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn requests_run_side_by_side() {
    let client = Client::of_honest().await;
    let slow = client.post(SLOW);
    slow.status().await;
    assert_eq!(client.post(PING).status().await, 200);
    wait(100).await;
    assert!(!slow.is_over());
    slow.body().await;
    assert_eq!(slow.messages()[0]["id"], 9);
}

#[tokio::test(start_paused = true)]
async fn other_methods_and_paths_are_refused() {
    let client = Client::of_honest().await;
    for method in ["PUT", "PATCH", "OPTIONS", "HEAD"] {
        let answer = client.ask(method, &[], "");
        assert_eq!(answer.status().await, 405, "{method}");
        let allowed = answer.header("allow").await;
        assert_eq!(allowed.as_deref(), Some("GET, POST, DELETE"), "{method}");
    }
    let server = honest();
    let headers = [("host", "localhost"), ("accept", BOTH)];
    for (method, path, status) in [
        ("GET", "/", 404),
        ("POST", "/mcp/", 404),
        ("POST", "/sse", 405),
        ("GET", "/messages", 405),
    ] {
        let answer = ask(&server, method, path, &headers, "");
        assert_eq!(answer.status().await, status, "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tool_asks_on_the_stream_of_its_call() {
    for (capability, name, asked, result) in [
        (
            "sampling",
            "test_sampling",
            "sampling/createMessage",
            json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "fine" } }),
        ),
        (
            "elicitation",
            "test_elicitation",
            "elicitation/create",
            json!({ "action": "decline" }),
        ),
    ] {
        let client = Client::open(&honest(), "2025-11-25", json!({ (capability): {} })).await;
        let listening = client.listen().await;
        let call = client.tool(
            json!(1),
            name,
            json!({ "prompt": "how?", "message": "who?" }),
        );
        let question = call.message(|message| message["method"] == asked).await;
        let answer = json!({ "jsonrpc": "2.0", "id": question["id"], "result": result });
        assert_eq!(client.post(&answer.to_string()).status().await, 202);
        call.body().await;
        let last = call.messages().pop().unwrap();
        assert_eq!(last["id"], 1);
        assert_eq!(last["result"].get("isError"), None, "{last}");
        assert_eq!(listening.messages(), Vec::<Value>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn progress_goes_on_the_stream_of_its_call() {
    let client = Client::of_honest().await;
    let params = json!({ "name": "test_tool_with_progress", "_meta": { "progressToken": "p" } });
    let call = client.post(&request(json!(1), "tools/call", params));
    call.body().await;
    let messages = call.messages();
    assert_eq!(messages.len(), 4);
    assert!(
        messages[..3]
            .iter()
            .all(|message| message["params"]["progressToken"] == "p")
    );
}
