//! What is refused before anything of a request is heard.

use crate::support::{BOTH, Client, PING, ask, honest, initialize};
use mcp_assay_peer::{HttpOptions, HttpServer};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn origin_and_host_are_checked_for_every_method() {
    let client = Client::of_honest().await;
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "nonsense", 403),
        ("origin", "file://localhost", 403),
        ("origin", "http://localhost.evil.example", 403),
        ("origin", "http://localhost:3000", 200),
        ("origin", "https://127.0.0.1", 200),
        ("origin", "http://[::1]:8", 200),
        ("host", "evil.example", 403),
        ("host", "10.1.2.3:80", 403),
        ("host", "[::1]:8080", 200),
    ] {
        let changes = [(name, Some(value))];
        for (method, body) in [("POST", PING), ("GET", "")] {
            let answer = client.ask(method, &changes, body);
            assert_eq!(answer.status().await, status, "{method} {name}: {value}");
            if status == 403 {
                assert_eq!(answer.json().await.get("id"), None);
            }
        }
    }
    let foreign = [("origin", Some("https://evil.example"))];
    assert_eq!(client.ask("DELETE", &foreign, "").status().await, 403);
    assert_eq!(client.post(PING).status().await, 200, "nothing was deleted");
    let headers = [("host", "localhost"), ("origin", "https://evil.example")];
    let answer = ask(&client.server, "GET", "/sse", &headers, "");
    assert_eq!(answer.status().await, 403);
}

#[tokio::test(start_paused = true)]
async fn a_server_may_have_a_name_of_its_own() {
    let server = HttpServer::new(HttpOptions {
        hosts: vec!["mcp.test".to_owned()],
        ..HttpOptions::default()
    });
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    for name in ["host", "origin"] {
        let value = if name == "host" {
            "mcp.test:80"
        } else {
            "https://mcp.test"
        };
        let answer = client.ask("POST", &[(name, Some(value))], PING);
        assert_eq!(answer.status().await, 200, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn accept_lists_both_kinds_of_answer() {
    let client = Client::of_honest().await;
    for (accept, status) in [
        (Some(BOTH), 200),
        (Some("text/event-stream,application/json;q=0.9"), 200),
        (Some("*/*"), 200),
        (Some("application/*, text/*"), 200),
        (Some("application/json"), 406),
        (Some("text/event-stream"), 406),
        (Some("text/html"), 406),
        (Some("*/*, text/event-stream;q=0"), 406),
        (None, 406),
    ] {
        let answer = client.ask("POST", &[("accept", accept)], PING);
        assert_eq!(answer.status().await, status, "{accept:?}");
    }
    for (accept, status) in [
        (Some("text/event-stream"), 200),
        (Some("*/*"), 200),
        (Some("application/json"), 406),
        (None, 406),
    ] {
        let answer = client.ask("GET", &[("accept", accept)], "");
        assert_eq!(answer.status().await, status, "{accept:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_says_that_it_is_json() {
    let client = Client::of_honest().await;
    for (content_type, status) in [
        (Some("application/json; charset=utf-8"), 200),
        (Some("Application/JSON"), 200),
        (Some("text/plain"), 415),
        (Some("application/jsonl"), 415),
        (None, 415),
    ] {
        let answer = client.ask("POST", &[("content-type", content_type)], PING);
        assert_eq!(answer.status().await, status, "{content_type:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_version_header_counts_from_2025_06_18_on() {
    for (revision, bad) in [
        ("2024-11-05", 200),
        ("2025-03-26", 200),
        ("2025-06-18", 400),
        ("2025-11-25", 400),
    ] {
        let client = Client::open(&honest(), revision, json!({})).await;
        for (version, status) in [
            (Some("1999-01-01"), bad),
            (Some("2026-07-28"), bad),
            (Some("nonsense"), bad),
            (Some("2025-06-18"), 200),
            (None, 200),
        ] {
            let changes = [("mcp-protocol-version", version)];
            let answer = client.ask("POST", &changes, PING);
            assert_eq!(answer.status().await, status, "{revision} {version:?}");
        }
        let changes = [("mcp-protocol-version", Some("1999-01-01"))];
        let answer = client.ask("GET", &changes, "");
        assert_eq!(answer.status().await, bad, "{revision}");
        let answer = client.ask("DELETE", &changes, "");
        assert_eq!(answer.status().await, bad, "{revision}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_nobody_offers_opens_no_session() {
    let server = honest();
    let headers = [
        ("host", "localhost"),
        ("accept", BOTH),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2026-07-28"),
    ];
    let body = initialize("2025-11-25", &json!({}));
    let answer = ask(&server, "POST", "/mcp", &headers, body);
    assert_eq!(answer.status().await, 400);
    assert_eq!(server.sessions(), 0);
}
