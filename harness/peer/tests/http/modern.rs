//! The modern era over HTTP: POSTs that stand alone.

use crate::support::{BOTH, Client, PING, ask, honest, initialize, modern, post_modern, wait};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{HttpOptions, HttpServer, Options};
use serde_json::{Value, json};

fn modern_alone() -> HttpServer {
    only(&[Revision::R2026_07_28])
}

fn only(revisions: &[Revision]) -> HttpServer {
    HttpServer::new(HttpOptions {
        options: Options {
            revisions: revisions.to_vec(),
            ..Options::default()
        },
        ..HttpOptions::default()
    })
}

const LEGACY_HEADERS: [(&str, &str); 3] = [
    ("host", "localhost"),
    ("accept", BOTH),
    ("content-type", "application/json"),
];

fn list() -> Value {
    modern(json!(1), "tools/list", json!({}))
}

/// The answer that a stream or body holds.
async fn answer(exchange: &crate::support::Exchange) -> Value {
    exchange.body().await;
    match exchange.header("content-type").await.as_deref() {
        Some("text/event-stream") => exchange.messages().pop().unwrap(),
        _ => exchange.json().await,
    }
}

#[tokio::test(start_paused = true)]
async fn each_post_stands_alone_and_opens_no_session() {
    for server in [modern_alone(), honest()] {
        for method in ["server/discover", "tools/list", "tools/list"] {
            let exchange = post_modern(&server, &[], &modern(json!(1), method, json!({})));
            assert_eq!(exchange.status().await, 200);
            assert_eq!(exchange.json().await["result"]["resultType"], "complete");
            assert_eq!(exchange.header("mcp-session-id").await, None);
        }
        let changes = [
            ("mcp-session-id", Some("none")),
            ("last-event-id", Some("1-1")),
        ];
        let exchange = post_modern(&server, &changes, &list());
        assert_eq!(exchange.status().await, 200);
        assert_eq!(exchange.header("mcp-session-id").await, None);
        assert_eq!(server.sessions(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_status_that_the_revision_gives_them() {
    let version = "io.modelcontextprotocol/protocolVersion";
    for server in [modern_alone(), honest()] {
        for (method, params, status, code) in [
            ("no/such/method", json!({}), 404, -32601),
            ("ping", json!({}), 404, -32601),
            ("initialize", json!({}), 404, -32601),
            (
                "tools/list",
                json!({ "_meta": { version: "1900-01-01" } }),
                400,
                -32022,
            ),
            (
                "server/discover",
                json!({ "_meta": { version: "2099-01-01" } }),
                400,
                -32022,
            ),
            (
                "tools/list",
                json!({ "_meta": { "io.modelcontextprotocol/clientCapabilities": 1 } }),
                400,
                -32602,
            ),
            (
                "resources/read",
                json!({ "uri": "test://none" }),
                200,
                -32602,
            ),
            ("tools/call", json!({ "name": "none" }), 200, -32602),
        ] {
            let exchange = post_modern(&server, &[], &modern(json!(1), method, params));
            assert_eq!(exchange.status().await, status, "{method}");
            let answer = exchange.json().await;
            assert_eq!(answer["error"]["code"], code, "{method}");
            assert_eq!(answer["id"], 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_header_alone_makes_a_request_modern() {
    let bare = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    let changes = [
        ("mcp-protocol-version", Some("2026-07-28")),
        ("mcp-method", Some("tools/list")),
    ];
    let exchange = post_modern(&honest(), &changes, &bare);
    assert_eq!(exchange.status().await, 400);
    assert_eq!(exchange.json().await["error"]["code"], -32602);
}

#[tokio::test(start_paused = true)]
async fn standard_headers_say_what_the_body_says() {
    let read = modern(
        json!(1),
        "resources/read",
        json!({ "uri": "test://static-text" }),
    );
    let call = modern(
        json!(1),
        "tools/call",
        json!({ "name": "echo", "arguments": { "message": "m" } }),
    );
    let encoded = "=?base64?ZWNobw==?=";
    for server in [modern_alone(), honest()] {
        for (body, name, value, status) in [
            (&call, "mcp-name", Some("echo"), 200),
            (&call, "mcp-name", Some(encoded), 200),
            (&call, "mcp-name", Some("Echo"), 400),
            (&call, "mcp-name", Some("=?base64?*?="), 400),
            (&call, "mcp-name", Some("=?base64?/w==?="), 400),
            (&call, "mcp-name", Some("=?BASE64?ZWNobw==?="), 400),
            (&call, "mcp-name", None, 400),
            (&read, "mcp-name", Some("test://static-binary"), 400),
            (&read, "mcp-name", None, 400),
            (&list(), "mcp-name", Some("whatever"), 200),
            (&list(), "mcp-method", Some("Tools/List"), 400),
            (
                &list(),
                "mcp-method",
                Some("=?base64?dG9vbHMvbGlzdA==?="),
                400,
            ),
            (&list(), "mcp-method", None, 400),
            (&list(), "mcp-protocol-version", Some("2025-11-25"), 400),
            (&list(), "mcp-protocol-version", Some("2026-07-29"), 400),
            (&list(), "mcp-protocol-version", None, 400),
        ] {
            let exchange = post_modern(&server, &[(name, value)], body);
            assert_eq!(exchange.status().await, status, "{name} {value:?}");
            let answer = answer(&exchange).await;
            if status == 400 {
                assert_eq!(answer["error"]["code"], -32020, "{name} {value:?}");
                assert_eq!(answer["id"], 1);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_runs_is_streamed_and_the_answer_ends_the_stream() {
    let server = honest();
    let params = json!({
        "name": "test_tool_with_progress",
        "_meta": { "progressToken": 5 },
    });
    let exchange = post_modern(&server, &[], &modern(json!("s"), "tools/call", params));
    assert_eq!(
        exchange.header("content-type").await.as_deref(),
        Some("text/event-stream")
    );
    assert_eq!(
        exchange.header("x-accel-buffering").await.as_deref(),
        Some("no")
    );
    let events = exchange.all_events().await;
    assert_eq!(events.len(), 4);
    assert!(
        events
            .iter()
            .all(|event| event.id.is_none() && event.is_message())
    );
    assert_eq!(events[3].json()["result"]["resultType"], "complete");
}

#[tokio::test(start_paused = true)]
async fn clients_may_use_the_same_ids_at_once() {
    let server = honest();
    let slow = |ms: u64| {
        let params = json!({ "name": "slow", "arguments": { "ms": ms } });
        post_modern(&server, &[], &modern(json!(1), "tools/call", params))
    };
    let (first, second) = (slow(500), slow(100));
    for (exchange, text) in [(first, "Waited 500 ms."), (second, "Waited 100 ms.")] {
        exchange.body().await;
        assert_eq!(exchange.messages()[0]["result"]["content"][0]["text"], text);
    }
}

#[tokio::test(start_paused = true)]
async fn notifications_are_accepted_and_cancel_nothing() {
    let server = honest();
    let params = json!({ "name": "slow", "arguments": { "ms": 500 } });
    let slow = post_modern(&server, &[], &modern(json!(1), "tools/call", params));
    wait(1).await;
    let mut cancel = modern(
        json!(0),
        "notifications/cancelled",
        json!({ "requestId": 1 }),
    );
    cancel.as_object_mut().unwrap().remove("id");
    let exchange = post_modern(&server, &[], &cancel);
    assert_eq!(exchange.status().await, 202);
    assert_eq!(exchange.body().await, "");
    slow.body().await;
    assert_eq!(slow.messages().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn batches_and_responses_are_refused() {
    let changes = [("mcp-protocol-version", Some("2026-07-28"))];
    for body in [
        json!([list()]),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
        json!({ "jsonrpc": "2.0", "id": null, "method": "tools/list" }),
        json!("text"),
    ] {
        let exchange = post_modern(&honest(), &changes, &body);
        assert_eq!(exchange.status().await, 400, "{body}");
        assert_eq!(exchange.json().await.get("id"), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_of_this_era_alone_has_nothing_of_the_others() {
    let server = modern_alone();
    for method in ["GET", "DELETE"] {
        let exchange = ask(&server, method, "/mcp", &LEGACY_HEADERS, "");
        assert_eq!(exchange.status().await, 405);
        assert_eq!(exchange.header("allow").await.as_deref(), Some("POST"));
    }
    assert_eq!(
        ask(&server, "GET", "/sse", &LEGACY_HEADERS, "")
            .status()
            .await,
        404
    );
    let body = initialize("2025-11-25", &json!({}));
    let exchange = ask(&server, "POST", "/mcp", &LEGACY_HEADERS, body);
    assert_eq!(exchange.status().await, 400);
    let error = &exchange.json().await["error"];
    assert_eq!(error["data"]["supported"], json!(["2026-07-28"]));
    let exchange = ask(&server, "POST", "/mcp", &LEGACY_HEADERS, PING);
    assert_eq!(exchange.status().await, 400);
    assert_eq!(exchange.json().await["error"]["code"], -32020);
    assert_eq!(server.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_the_legacy_era_alone_refuses_it_without_a_modern_error() {
    let server = only(&[Revision::R2025_11_25, Revision::R2025_06_18]);
    let exchange = post_modern(
        &server,
        &[],
        &modern(json!(1), "server/discover", json!({})),
    );
    assert_eq!(exchange.status().await, 400);
    let code = exchange.json().await["error"]["code"].as_i64().unwrap();
    assert!(!(-32022..=-32020).contains(&code));
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    assert_eq!(client.post(PING).status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn both_eras_share_an_endpoint() {
    let server = honest();
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    let exchange = post_modern(&server, &[], &list());
    assert_eq!(exchange.json().await["result"]["resultType"], "complete");
    let legacy = client.call("tools/list", json!({})).await;
    assert_eq!(legacy["result"].get("resultType"), None);
    assert_eq!(server.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_origin_is_refused() {
    let changes = [("origin", Some("https://evil.example"))];
    assert_eq!(
        post_modern(&honest(), &changes, &list()).status().await,
        403
    );
}

#[tokio::test(start_paused = true)]
async fn annotated_parameters_are_repeated_in_headers() {
    let arguments = json!({
        "region": "Zürich",
        "priority": 42,
        "verbose": true,
        "target": { "zone": " z " },
        "note": "n",
    });
    let good = [
        ("mcp-param-region", Some("=?base64?WsO8cmljaA==?=")),
        ("mcp-param-priority", Some("42")),
        ("mcp-param-verbose", Some("true")),
        ("mcp-param-zone", Some("=?base64?IHog?=")),
    ];
    let call = |arguments: &Value| {
        let params = json!({ "name": "test_header_parameters", "arguments": arguments });
        modern(json!(1), "tools/call", params)
    };
    let server = honest();
    for (name, value, status) in [
        ("mcp-param-region", good[0].1, 200),
        ("mcp-param-region", Some("Zurich"), 400),
        ("mcp-param-region", Some("=?base64?WsO8cmljaA=?="), 400),
        ("mcp-param-region", None, 400),
        ("mcp-param-priority", Some("42.0"), 200),
        ("mcp-param-priority", Some("43"), 400),
        ("mcp-param-priority", Some("=?base64?NDI=?="), 200),
        ("mcp-param-verbose", Some("True"), 400),
        ("mcp-param-verbose", None, 400),
        ("mcp-param-zone", Some("z"), 400),
        ("mcp-param-note", Some("other"), 200),
        ("mcp-param-unknown", Some("x"), 200),
    ] {
        let mut headers = good.to_vec();
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value));
        let exchange = post_modern(&server, &headers, &call(&arguments));
        assert_eq!(exchange.status().await, status, "{name} {value:?}");
        let answer = answer(&exchange).await;
        assert_eq!(answer["error"]["code"] == -32020, status == 400, "{name}");
    }
    for (arguments, changes, status) in [
        (json!({}), vec![], 200),
        (json!({ "note": "n" }), vec![], 200),
        (json!({ "region": null, "priority": null }), vec![], 200),
        (json!({}), vec![("mcp-param-region", Some("r"))], 400),
    ] {
        let exchange = post_modern(&server, &changes, &call(&arguments));
        assert_eq!(exchange.status().await, status, "{arguments}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_capability_has_a_status_and_a_result_that_asks_has_none() {
    let server = honest();
    for tool in [
        "test_missing_capability",
        "test_input_required_result_elicitation",
    ] {
        let exchange = post_modern(
            &server,
            &[],
            &modern(json!(1), "tools/call", json!({ "name": tool })),
        );
        assert_eq!(exchange.status().await, 400, "{tool}");
        assert_eq!(exchange.json().await["error"]["code"], -32021);
    }
    let capabilities = json!({ "elicitation": {} });
    let params = json!({
        "name": "test_input_required_result_elicitation",
        "_meta": { "io.modelcontextprotocol/clientCapabilities": capabilities },
    });
    let exchange = post_modern(&server, &[], &modern(json!(1), "tools/call", params));
    assert_eq!(exchange.status().await, 200);
    assert_eq!(
        answer(&exchange).await["result"]["resultType"],
        "input_required"
    );
}

fn listen(id: Value, notifications: Value) -> Value {
    modern(
        id,
        "subscriptions/listen",
        json!({ "notifications": notifications }),
    )
}

fn touch() -> Value {
    modern(json!("t"), "tools/call", json!({ "name": "touch" }))
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_a_stream_that_begins_with_its_acknowledgement() {
    let server = honest();
    let filter = json!({ "resourceSubscriptions": ["test://watched-resource"] });
    let one = post_modern(&server, &[], &listen(json!(1), filter.clone()));
    let another = post_modern(
        &server,
        &[],
        &listen(json!(1), json!({ "toolsListChanged": true })),
    );
    for stream in [&one, &another] {
        assert_eq!(stream.status().await, 200);
        assert_eq!(
            stream.header("content-type").await.as_deref(),
            Some("text/event-stream")
        );
        assert_eq!(
            stream.header("x-accel-buffering").await.as_deref(),
            Some("no")
        );
        stream.message(|_| true).await;
    }
    post_modern(&server, &[], &touch()).body().await;
    wait(10).await;
    let messages = one.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(
        messages[0]["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(messages[0]["params"]["notifications"], filter);
    assert_eq!(messages[1]["method"], "notifications/resources/updated");
    let id = &messages[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
    assert_eq!(id, &json!(1));
    assert_eq!(another.messages().len(), 1);
    assert!(!one.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_cancels() {
    let server = honest();
    let filter = json!({ "toolsListChanged": true });
    let stream = post_modern(&server, &[], &listen(json!(1), filter.clone()));
    stream.message(|_| true).await;
    drop(stream);
    wait(10).await;
    let trigger = modern(
        json!(2),
        "tools/call",
        json!({ "name": "test_trigger_tool_change" }),
    );
    assert_eq!(post_modern(&server, &[], &trigger).status().await, 200);
    let again = post_modern(&server, &[], &listen(json!(1), filter));
    again.message(|_| true).await;
    post_modern(&server, &[], &trigger).body().await;
    wait(10).await;
    assert_eq!(again.messages().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_cannot_be_read_is_refused() {
    let broken = listen(json!(1), json!({ "toolsListChanged": "yes" }));
    let exchange = post_modern(&honest(), &[], &broken);
    assert_eq!(exchange.json().await["error"]["code"], -32602);
}

fn lying(fault: &str) -> HttpServer {
    let planted = mcp_assay_peer::Planted::named_on_http(fault).unwrap();
    crate::support::lying(planted)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_streams_keeps_the_statuses_of_errors() {
    let server = lying("sse-only");
    let stream = post_modern(&server, &[], &list());
    let kind = stream.header("content-type").await;
    assert_eq!(kind.as_deref(), Some("text/event-stream"));
    assert_eq!(answer(&stream).await["result"]["resultType"], "complete");
    let unknown = modern(json!(1), "no/such/method", json!({}));
    let refused = post_modern(&server, &[], &unknown);
    assert_eq!(refused.status().await, 404);
    assert_eq!(refused.json().await["error"]["code"], -32601);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_kept_open_holds_a_whole_answer() {
    let server = lying("keeps-stream-open-after-answer");
    let stream = post_modern(&server, &[], &list());
    let answer = stream.message(|_| true).await;
    assert_eq!(answer["result"]["resultType"], "complete");
    wait(1000).await;
    assert!(!stream.is_over());
}

#[tokio::test(start_paused = true)]
async fn answers_can_be_swapped() {
    let discover = modern(json!(2), "server/discover", json!({}));
    let server = lying("answers-on-other-stream");
    let one = post_modern(&server, &[], &list());
    let two = post_modern(&server, &[], &discover);
    assert_eq!(one.json().await["id"], 2);
    assert_eq!(two.json().await["id"], 1);
    let alone = post_modern(&server, &[], &list());
    assert_eq!(alone.json().await["id"], 1);
    let server = lying("shares-ids-of-clients");
    let discover = modern(json!(1), "server/discover", json!({}));
    let one = post_modern(&server, &[], &list());
    let two = post_modern(&server, &[], &discover);
    assert!(one.json().await["result"]["supportedVersions"].is_array());
    assert!(two.json().await["result"]["tools"].is_array());
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_request_is_on_its_own_stream_but_for_a_lie() {
    for (server, count) in [(honest(), 1), (lying("logs-on-listen-stream"), 5)] {
        let filter = json!({ "toolsListChanged": true });
        let stream = post_modern(&server, &[], &listen(json!(1), filter));
        stream.message(|_| true).await;
        let params = json!({
            "name": "test_logging_tool",
            "_meta": { "io.modelcontextprotocol/logLevel": "debug" },
        });
        let call = post_modern(&server, &[], &modern(json!(2), "tools/call", params));
        call.body().await;
        wait(10).await;
        assert_eq!(stream.messages().len(), count);
    }
}
