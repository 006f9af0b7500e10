//! HTTP+SSE of 2024-11-05: the endpoint event, and posts that wait for it.

use crate::support::{Asked, SSE, all_of, chunk, next, serve, settings, short};
use bytes::Bytes;
use mcp_assay_transport::http::{Client, What};
use std::sync::Arc;
use tokio::sync::Notify;

/// A server whose stream names this endpoint once it is told to, and which accepts posts.
async fn serving(endpoint: &'static str) -> (Client, Asked, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let theirs = Arc::clone(&go);
    let (url, asked) = serve(move |mut peer| {
        let go = Arc::clone(&theirs);
        async move {
            while let Some(request) = peer.request().await {
                if request.starts_with("GET") {
                    peer.write(SSE).await;
                    go.notified().await;
                    peer.write(chunk(&format!("event: endpoint\ndata: {endpoint}\n\n")))
                        .await;
                    peer.write(chunk("event: message\ndata: {}\n\n")).await;
                } else {
                    peer.write("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                        .await;
                }
            }
        }
    })
    .await;
    let client = Client::http_sse(Arc::new(settings(&url)));
    (client, asked, go)
}

/// Arrivals up to the first event.
async fn first_event(client: &mut Client) -> String {
    loop {
        if let (_, what @ What::Event(_)) = next(client).await {
            return short(&what);
        }
    }
}

#[tokio::test]
async fn posts_wait_for_the_endpoint() {
    let (mut client, asked, go) = serving("/post?s=1").await;
    client.set_session(Some(Bytes::from_static(b"s")));
    client.set_version(Some("2024-11-05"));
    let started = client.post(Bytes::from_static(b"{}"));
    assert_eq!((started.exchange, started.target.as_str()), (2, ""));
    let (exchange, what) = next(&mut client).await;
    assert_eq!((exchange, short(&what).as_str()), (1, "head 200"));
    assert!(!client.is_ready());
    assert_eq!(client.pending(), 2);
    go.notify_one();
    assert_eq!(all_of(&mut client, 2).await, ["head 202", "complete"]);
    assert!(client.is_ready());
    let started = client.post(Bytes::from_static(b"{}"));
    assert_eq!(started.target, "/post?s=1");
    all_of(&mut client, started.exchange).await;
    assert!(asked.one(0).starts_with("GET /mcp HTTP/1.1\r\n"));
    assert!(asked.one(0).contains("\r\nAccept: text/event-stream\r\n"));
    for index in [1, 2] {
        assert!(asked.one(index).starts_with("POST /post?s=1 HTTP/1.1\r\n"));
        assert!(!asked.one(index).contains("Mcp-Session-Id"));
        assert!(!asked.one(index).contains("MCP-Protocol-Version"));
    }
}

#[tokio::test]
async fn an_absolute_endpoint_is_the_same() {
    let (url, asked) = serve(|mut peer| async move {
        let request = peer.request().await.unwrap();
        if request.starts_with("POST") {
            return peer.write("HTTP/1.1 202 Accepted\r\n\r\n").await;
        }
        let host = request.split("Host: ").nth(1).unwrap();
        let host = host.split('\r').next().unwrap();
        peer.write(SSE).await;
        peer.write(chunk(&format!(
            "event: endpoint\r\ndata: http://{host}/x\r\n\r\n"
        )))
        .await;
        peer.closed().await;
    })
    .await;
    let mut client = Client::http_sse(Arc::new(settings(&url)));
    client.post(Bytes::new());
    assert_eq!(all_of(&mut client, 2).await, ["head 202", "complete"]);
    assert!(asked.one(1).starts_with("POST /x HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_foreign_endpoint_gets_nothing() {
    let (mut client, asked, go) = serving("http://127.0.0.2/x").await;
    client.post(Bytes::new());
    go.notify_one();
    assert_eq!(first_event(&mut client).await, "event http://127.0.0.2/x");
    let all = all_of(&mut client, 2).await;
    assert_eq!(all.len(), 1);
    assert!(
        all[0].starts_with("refused: the endpoint event names"),
        "{all:?}"
    );
    assert!(all[0].contains("another origin"), "{all:?}");
    assert!(!client.is_ready());
    let started = client.post(Bytes::new());
    let all = all_of(&mut client, started.exchange).await;
    assert!(all[0].contains("another origin"), "{all:?}");
    assert_eq!(asked.all().len(), 1);
}

#[tokio::test]
async fn a_stream_that_ends_early_frees_the_posts() {
    let (url, _) =
        serve(|peer| peer.answer_all("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")).await;
    let mut client = Client::http_sse(Arc::new(settings(&url)));
    client.post(Bytes::new());
    let all = all_of(&mut client, 2).await;
    assert_eq!(
        all,
        ["refused: the event stream ended before its endpoint event"]
    );
    assert_eq!(client.pending(), 0);
}

#[tokio::test]
async fn messages_come_on_the_stream() {
    let (mut client, _, go) = serving("/post").await;
    go.notify_one();
    assert_eq!(first_event(&mut client).await, "event /post");
    assert!(client.is_ready());
    assert_eq!(first_event(&mut client).await, "event {}");
    let mut sibling = client.sibling();
    go.notify_one();
    assert_eq!(first_event(&mut sibling).await, "event /post");
}
