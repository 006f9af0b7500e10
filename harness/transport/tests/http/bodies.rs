//! Bodies: their framing, their bounds, and that they are passed on as they came.

use crate::support::{all_of, chunk, client, exchange, json, next, serve, settings, short};
use bytes::Bytes;
use mcp_assay_transport::http::{Body, Client, What};
use std::sync::Arc;

async fn answer_to_post(answer: impl Into<Vec<u8>>) -> Vec<String> {
    let answer = answer.into();
    let (url, _) = serve(move |mut peer| {
        let answer = answer.clone();
        async move {
            peer.request().await;
            peer.write(answer).await;
        }
    })
    .await;
    exchange(&mut client(&url)).await
}

#[tokio::test]
async fn a_json_answer_is_a_head_a_body_and_an_end() {
    let (url, asked) = serve(|peer| peer.answer_all(json("{\"a\":1}"))).await;
    let mut client = client(&url);
    let started = client.post(Bytes::from_static(b"{\"id\":7}"));
    assert_eq!((started.exchange, started.method.as_str()), (1, "POST"));
    assert_eq!(started.target, "/mcp");
    assert_eq!(client.pending(), 1);
    let all = all_of(&mut client, 1).await;
    assert_eq!(all, ["head 200", "body {\\\"a\\\":1}", "complete"]);
    assert_eq!(client.pending(), 0);
    let host = url.trim_start_matches("http://").trim_end_matches("/mcp");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        asked.one(0),
        format!(
            "POST /mcp HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mcp-assay/{version}\r\n\
             Accept-Encoding: identity\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{{\"id\":7}}"
        )
    );
    assert_eq!(
        asked.one(0).as_bytes(),
        [&started.head.raw[..], b"{\"id\":7}"].concat()
    );
}

#[tokio::test]
async fn an_empty_body_is_no_arrival() {
    let all = answer_to_post("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
    assert_eq!(all, ["head 202", "complete"]);
    let all = answer_to_post("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(all, ["head 204", "complete"]);
}

#[tokio::test]
async fn the_end_of_the_connection_may_frame_a_body() {
    let all = answer_to_post("HTTP/1.1 200 OK\r\n\r\nabc").await;
    assert_eq!(all, ["head 200", "body abc", "complete"]);
    let all = answer_to_post("HTTP/1.0 500 Oops\nA: b\n\nabc").await;
    assert_eq!(all, ["head 500", "body abc", "complete"]);
}

#[tokio::test]
async fn a_length_that_is_too_long_cuts_the_body() {
    let all = answer_to_post("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc").await;
    assert_eq!(all[..2], ["head 200", "body abc"]);
    assert_eq!(
        all[2],
        "cut: connection closed after 3 of 9 bytes of the body"
    );
}

#[tokio::test]
async fn a_length_that_is_too_short_is_told() {
    let all = answer_to_post("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc").await;
    assert_eq!(all[..2], ["head 200", "body ab"]);
    assert_eq!(all[2], "cut: 1 bytes came after the 2 bytes of the body");
    let all = answer_to_post("HTTP/1.1 204 No Content\r\n\r\nabc").await;
    assert_eq!(all[1], "cut: 3 bytes came after the 0 bytes of the body");
}

#[tokio::test]
async fn broken_chunks_cut_the_body() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let all = answer_to_post(format!("{head}{}zz\r\n", chunk("abc"))).await;
    assert_eq!(all[..2], ["head 200", "body abc"]);
    assert!(all[2].starts_with("cut: broken framing"), "{all:?}");
    let all = answer_to_post(format!("{head}{}", chunk("abc"))).await;
    assert!(
        all[2].starts_with("cut: connection closed within the body"),
        "{all:?}"
    );
}

#[tokio::test]
async fn chunks_and_trailers_are_undone() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let all = answer_to_post(format!(
        "{head}{}{}0\r\nX: y\r\n\r\n",
        chunk("abc"),
        chunk("d")
    ))
    .await;
    assert_eq!(all, ["head 200", "body abcd", "complete"]);
}

#[tokio::test]
async fn what_is_marked_as_compressed_stays_bytes() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n".as_slice();
    let all = answer_to_post([head, b"\x1f\x8b\x08\x00"].concat()).await;
    assert_eq!(all[1], "body \\x1f\\x8b\\x08\\x00");
}

#[tokio::test]
async fn a_response_to_head_has_no_body() {
    let (url, _) =
        serve(|peer| peer.answer_all("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")).await;
    let mut client = client(&url);
    let started = client.request("HEAD", &[], Body::None);
    let all = all_of(&mut client, started.exchange).await;
    assert_eq!(all, ["head 200", "complete"]);
}

#[tokio::test]
async fn only_the_head_of_a_long_body_is_kept() {
    let (url, _) = serve(|peer| peer.answer_all(json(&"x".repeat(5000)))).await;
    let mut settings = settings(&url);
    settings.bounds.frame.max_frame = 1000;
    settings.bounds.frame.kept_of_oversized = 10;
    settings.bounds.body_read = 5000;
    let mut client = Client::streamable(Arc::new(settings));
    client.post(Bytes::new());
    next(&mut client).await;
    let (_, what) = next(&mut client).await;
    let What::Body { bytes, length, .. } = what else {
        panic!("{what:?}");
    };
    assert_eq!((bytes.len(), length), (10, 5000));
    assert_eq!(short(&next(&mut client).await.1), "complete");
}

#[tokio::test]
async fn an_endless_body_is_not_read_on() {
    let (url, _) = serve(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\n\r\n").await;
        // Ends when the client closes, since no write succeeds or waits then.
        for _ in 0..4096 {
            peer.write([b'x'; 1024]).await;
        }
    })
    .await;
    let mut settings = settings(&url);
    settings.bounds.frame.max_frame = 100;
    settings.bounds.frame.kept_of_oversized = 1;
    settings.bounds.body_read = 100_000;
    let all = exchange(&mut Client::streamable(Arc::new(settings))).await;
    assert_eq!(
        all,
        [
            "head 200",
            "body x",
            "cut: a body of more than 100000 bytes is not read on"
        ]
    );
}
