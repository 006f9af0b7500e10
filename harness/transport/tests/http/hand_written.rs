//! Hand-written requests: what goes out is what was asked for, byte by byte.

use crate::support::{
    all_of, client, exchange, json, memory_client, next, serve, serve_in_memory, short,
};
use bytes::Bytes;
use mcp_assay_transport::http::{Body, What};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

fn values(name: &str, values: &[&'static str]) -> (String, Vec<Bytes>) {
    let values = values
        .iter()
        .map(|value| Bytes::from_static(value.as_bytes()));
    (name.to_owned(), values.collect())
}

#[tokio::test]
async fn every_byte_is_ours() {
    let expected = "PoST /mcp HTTP/1.1\r\nuser-agent: me\r\ncontent-length: 3\r\ncontent-length: 99\r\nX: \r\n\r\nab";
    let (url, _) = serve(move |mut peer| async move {
        let came = peer.bytes(expected.len()).await;
        let is_same = came == expected.as_bytes();
        let status = if is_same { 200 } else { 400 };
        peer.write(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"))
            .await;
        peer.closed().await;
    })
    .await;
    let mut client = client(&url);
    let overrides = [
        values("host", &[]),
        values("user-agent", &["me"]),
        values("accept-encoding", &[]),
        values("content-length", &["3", "99"]),
        values("X", &[""]),
    ];
    let body = Body::Whole(Bytes::from_static(b"ab"));
    let started = client.request("PoST", &overrides, body);
    assert_eq!([&started.head.raw[..], b"ab"].concat(), expected.as_bytes());
    let all = all_of(&mut client, started.exchange).await;
    assert_eq!(all, ["head 200", "complete"]);
}

#[tokio::test]
async fn each_has_a_socket_of_its_own() {
    let (url, asked) = serve(|peer| peer.answer_all(json("{}"))).await;
    let mut client = client(&url);
    exchange(&mut client).await;
    for (sockets, method) in [(2, "GET"), (3, "OPTIONS")] {
        let started = client.request(method, &[], Body::None);
        all_of(&mut client, started.exchange).await;
        assert_eq!(client.sockets(), sockets);
    }
    exchange(&mut client).await;
    assert_eq!(client.sockets(), 3);
    assert!(asked.one(1).contains("\r\nAccept: text/event-stream\r\n"));
    assert!(!asked.one(2).contains("\r\nAccept:"));
    assert!(!asked.one(2).contains("Content"));
}

#[tokio::test]
async fn session_and_version_are_among_the_fields() {
    let (url, asked) = serve(|peer| peer.answer_all(json("{}"))).await;
    let mut client = client(&url);
    client.set_session(Some(Bytes::from_static(b"s1")));
    client.set_version(Some("2025-11-25"));
    let overrides = [values("mcp-session-id", &["other"])];
    let started = client.request("DELETE", &overrides, Body::None);
    all_of(&mut client, started.exchange).await;
    let started = client.delete();
    all_of(&mut client, started.exchange).await;
    let both = |session: &str| format!("{session}\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n");
    assert!(
        asked.one(0).ends_with(&both("mcp-session-id: other")),
        "{}",
        asked.one(0)
    );
    assert!(
        asked.one(1).ends_with(&both("Mcp-Session-Id: s1")),
        "{}",
        asked.one(1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_takes_its_time() {
    let (dial, asked) = serve_in_memory(|peer| peer.answer_all(json("{}")));
    let mut client = memory_client(dial);
    let began = Instant::now();
    let part = |seconds, text: &'static str| {
        (
            Duration::from_secs(seconds),
            Bytes::from_static(text.as_bytes()),
        )
    };
    let body = Body::Slow(vec![part(5, "ab"), part(0, "c"), part(7, "d")]);
    let started = client.request("POST", &[], body);
    assert_eq!(started.head.value("content-length").as_deref(), Some("4"));
    let all = all_of(&mut client, started.exchange).await;
    assert_eq!(all, ["head 200", "body {}", "complete"]);
    assert_eq!(began.elapsed().as_secs(), 12);
    assert!(asked.one(0).ends_with("\r\n\r\nabcd"));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_comes_early_is_seen() {
    let (dial, _) = serve_in_memory(|mut peer| async move {
        peer.bytes(20).await;
        peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
            .await;
        peer.closed().await;
    });
    let mut client = memory_client(dial);
    let began = Instant::now();
    let parts = vec![(Duration::from_secs(50), Bytes::from_static(b"x"))];
    let started = client.request("POST", &[], Body::Slow(parts));
    let all = all_of(&mut client, started.exchange).await;
    assert_eq!(all, ["head 413", "complete"]);
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn a_response_beside_a_long_body_is_seen() {
    let (url, _) = serve(|mut peer| async move {
        peer.bytes(20).await;
        peer.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
            .await;
        // Reads no more of a body that fits into no buffer.
        std::future::pending::<()>().await;
    })
    .await;
    let mut client = client(&url);
    client.post(Bytes::from(vec![b'x'; 32 * 1024 * 1024]));
    assert_eq!(
        all_of(&mut client, 1).await,
        ["head 413", "body no", "complete"]
    );
    // Its request was never sent whole, so its socket must not be used again.
    client.post(Bytes::new());
    let (_, what) = next(&mut client).await;
    assert_eq!(short(&what), "head 413");
    assert!(matches!(what, What::Head { socket: 2, .. }), "{what:?}");
}

#[tokio::test]
async fn the_rest_of_a_body_is_sent_while_the_response_comes() {
    let done = Arc::new(Notify::new());
    let told = Arc::clone(&done);
    let (url, _) = serve(move |mut peer| {
        let told = Arc::clone(&told);
        async move {
            peer.bytes(20).await;
            peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
                .await;
            peer.bytes(8 * 1024 * 1024).await;
            told.notify_one();
            peer.write("b").await;
            peer.closed().await;
        }
    })
    .await;
    let mut client = client(&url);
    client.post(Bytes::from(vec![b'x'; 8 * 1024 * 1024]));
    let all = all_of(&mut client, 1).await;
    assert_eq!(all, ["head 200", "body ab", "complete"]);
    done.notified().await;
}
