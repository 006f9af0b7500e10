//! Servers of every kind behind an address, in memory.

use super::{Found, find_binding};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::{HttpOptions, HttpServer};
use mcp_assay_transport::http::dial::Memory;
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::http::{Bounds, Settings};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};

const PATIENCE: Duration = Duration::from_secs(20);

fn settings(url: &str, serve: impl Fn(DuplexStream) + Send + Sync + 'static) -> Arc<Settings> {
    Arc::new(Settings {
        endpoint: Endpoint::parse(url).expect("an address"),
        headers: Vec::new(),
        dial: Arc::new(Memory(Arc::new(serve))),
        bounds: Bounds::default(),
    })
}

async fn found(settings: &Arc<Settings>) -> Found {
    find_binding(settings, Revision::R2025_11_25, PATIENCE).await
}

/// Answers each request by its method with what is given, byte for byte; nothing where that is empty. Notes the methods.
fn scripted(
    answers: &'static [(&'static str, &'static str)],
) -> (Arc<Settings>, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&heard);
    let settings = settings("http://127.0.0.1/mcp", move |socket| {
        let notes = Arc::clone(&notes);
        tokio::spawn(async move {
            let mut socket = BufReader::new(socket);
            while let Some((method, length)) = head(&mut socket).await {
                let mut body = vec![0; length];
                if socket.read_exact(&mut body).await.is_err() {
                    return;
                }
                notes.lock().expect("no panic").push(method.clone());
                let answer = answers.iter().find(|(known, _)| *known == method);
                let answer = answer.map_or("", |(_, answer)| *answer);
                if socket.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    });
    (settings, heard)
}

/// Method and body length of the next request; `None` at the end of the socket.
async fn head(socket: &mut BufReader<DuplexStream>) -> Option<(String, usize)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let method = lines.first()?.split(' ').next()?.to_ascii_uppercase();
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok());
    Some((method, length.unwrap_or(0)))
}

fn why(found: Found) -> String {
    match found {
        Found::Neither { why, .. } => why,
        Found::Http | Found::HttpSse => panic!("{found:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_reference_server_is_found_at_both_of_its_addresses() {
    let server = HttpServer::new(HttpOptions::default());
    for (path, expected) in [("mcp", Found::Http), ("sse", Found::HttpSse)] {
        let shared = server.clone();
        let settings = settings(&format!("http://127.0.0.1/{path}"), move |socket| {
            let server = shared.clone();
            tokio::spawn(async move { server.serve_socket(socket).await });
        });
        assert_eq!(found(&settings).await, expected, "{path}");
    }
    // The session that an answer began was ended; that of the old binding ends with its stream, soon after.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_2xx_to_the_post_is_streamable_http() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: wait\n\n",
    ] {
        let answers = Box::leak(Box::new([("POST", answer)]));
        let (settings, heard) = scripted(answers);
        assert_eq!(found(&settings).await, Found::Http, "{answer}");
        assert_eq!(
            *heard.lock().expect("no panic"),
            ["POST"],
            "no session, no DELETE"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_was_begun_is_ended() {
    let (settings, heard) = scripted(&[
        (
            "POST",
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: abc\r\nContent-Length: 2\r\n\r\n{}",
        ),
        // Never answered: that costs a moment, and no more.
        ("DELETE", ""),
    ]);
    assert_eq!(found(&settings).await, Found::Http);
    assert_eq!(*heard.lock().expect("no panic"), ["POST", "DELETE"]);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_event_after_a_refused_post_is_http_sse() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\nevent: endpoint\ndata: /messages?id=1\n\n";
    for post in [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n",
    ] {
        let answers = Box::leak(Box::new([("POST", post), ("GET", STREAM)]));
        let (settings, _) = scripted(answers);
        assert_eq!(found(&settings).await, Found::HttpSse, "{post}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_speaks_neither_is_told_with_what_came() {
    const REFUSED: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    for (answers, said) in [
        (
            &[(
                "POST",
                "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
            )][..],
            "POST of `initialize` was answered with status 401",
        ),
        (
            &[("POST", "HTTP/1.1 500 Oh No\r\nContent-Length: 0\r\n\r\n")],
            "answered with status 500",
        ),
        (
            &[("POST", REFUSED), ("GET", REFUSED)],
            "status 404, which Streamable HTTP does not do, and GET was answered with status 404",
        ),
        (
            &[
                ("POST", REFUSED),
                (
                    "GET",
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
                ),
            ],
            "GET brought no event stream",
        ),
        (
            &[
                ("POST", REFUSED),
                (
                    "GET",
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n",
                ),
            ],
            "GET brought an event `message` first",
        ),
        (
            &[
                ("POST", REFUSED),
                (
                    "GET",
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
                ),
            ],
            "GET brought no event within 20 s",
        ),
        (&[], "POST of `initialize` got no response within 20 s"),
        (
            &[("POST", "\x16\x03\x01 this is no HTTP\r\n\r\n")],
            "POST of `initialize` got no response",
        ),
    ] {
        let (settings, _) = scripted(answers);
        let why = why(found(&settings).await);
        assert!(why.contains(said), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mute_server_costs_its_patience_once() {
    let began = tokio::time::Instant::now();
    let (settings, _) = scripted(&[("POST", "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")]);
    why(found(&settings).await);
    assert!(
        began.elapsed() <= PATIENCE + Duration::from_millis(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_closed_at_once_is_no_answer() {
    let settings = settings("http://127.0.0.1/mcp", drop);
    let why = why(found(&settings).await);
    assert!(why.starts_with("POST of `initialize` "), "{why}");
}
