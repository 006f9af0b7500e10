//! Sockets: used again, replaced when they have gone stale, counted, and closed with their client.

use crate::support::{
    SSE, all_of, chunk, client, exchange, json, memory_client, next, serve, serve_in_memory,
    settings, short,
};
use bytes::Bytes;
use mcp_assay_transport::http::Client;
use std::sync::Arc;
use tokio::sync::mpsc;

#[tokio::test]
async fn one_after_the_other_share_a_socket() {
    let (url, _) = serve(|peer| peer.answer_all(json("{}"))).await;
    let mut client = client(&url);
    for _ in 0..5 {
        assert_eq!(
            exchange(&mut client).await,
            ["head 200", "body {}", "complete"]
        );
    }
    assert_eq!(client.sockets(), 1);
}

#[tokio::test]
async fn a_server_that_closes_gets_a_new_socket() {
    let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let (url, _) = serve(move |peer| peer.answer_all(answer)).await;
    let mut client = client(&url);
    for sockets in 1..4 {
        assert_eq!(exchange(&mut client).await, ["head 200", "complete"]);
        assert_eq!(client.sockets(), sockets);
    }
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    // Each socket answers one request and closes without a word as soon as the next one comes.
    let (url, asked) = serve(|mut peer| async move {
        peer.request().await;
        peer.write(json("{}")).await;
        peer.request().await;
    })
    .await;
    let mut client = client(&url);
    for sockets in 1..4 {
        assert_eq!(
            exchange(&mut client).await,
            ["head 200", "body {}", "complete"]
        );
        assert_eq!(client.sockets(), sockets);
    }
    assert_eq!(asked.all().len(), 5);
}

#[tokio::test]
async fn a_new_socket_is_not_replaced() {
    let (url, asked) = serve(|mut peer| async move {
        peer.request().await;
    })
    .await;
    let mut client = client(&url);
    let all = exchange(&mut client).await;
    assert_eq!(all, ["failed: connection closed before a response came"]);
    assert_eq!(asked.all().len(), 1);
}

#[tokio::test]
async fn exchanges_at_once_have_sockets_of_their_own() {
    let (dial, _) = serve_in_memory(|peer| peer.answer_all(json("{}")));
    let mut client = memory_client(dial);
    for _ in 0..10 {
        client.post(Bytes::new());
    }
    assert_eq!(client.pending(), 10);
    for exchange in 1..=10 {
        // Some ended while another was waited for; each brings its end once.
        while client.pending() > 10 - exchange {
            next(&mut client).await;
        }
    }
    assert_eq!(client.sockets(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_on_many_threads_each_end_well() {
    // Every third answer is the last of its socket, with or without a word about it.
    let (url, asked) = serve(|mut peer| async move {
        for answers in 1..=3 {
            if peer.request().await.is_none() {
                return;
            }
            let is_told = answers == 3 && peer.number % 2 == 0;
            let close = if is_told { "Connection: close\r\n" } else { "" };
            peer.write(format!(
                "HTTP/1.1 200 OK\r\n{close}Content-Length: 2\r\n\r\nok"
            ))
            .await;
        }
    })
    .await;
    let mut client = client(&url);
    let mut seen = Vec::new();
    for _ in 0..50 {
        for _ in 0..8 {
            client.post(Bytes::from_static(b"{}"));
        }
        while client.pending() > 0 {
            seen.push(short(&next(&mut client).await.1));
        }
    }
    let odd: Vec<_> = seen
        .iter()
        .filter(|seen| !["head 200", "body ok", "complete"].contains(&seen.as_str()))
        .collect();
    assert!(odd.is_empty(), "{odd:?}");
    let count = |what: &str| seen.iter().filter(|seen| *seen == what).count();
    assert_eq!(
        (
            count("head 200"),
            count("body ok"),
            count("complete"),
            seen.len()
        ),
        (400, 400, 400, 1200)
    );
    assert!(asked.all().len() >= 400);
    assert!(
        (134..=400).contains(&client.sockets()),
        "{}",
        client.sockets()
    );
}

#[tokio::test]
async fn closing_a_stream_closes_its_socket() {
    let (closed, mut closings) = mpsc::unbounded_channel();
    let (url, _) = serve(move |mut peer| {
        let closed = closed.clone();
        async move {
            peer.request().await;
            peer.write(SSE).await;
            peer.closed().await;
            closed.send(peer.number).unwrap();
        }
    })
    .await;
    let mut client = client(&url);
    let first = client.listen();
    assert_eq!(short(&next(&mut client).await.1), "head 200");
    let second = client.listen();
    assert_eq!(next(&mut client).await.0, second.exchange);
    client.close_stream(second.exchange);
    assert_eq!(all_of(&mut client, second.exchange).await, ["closed"]);
    assert_eq!(closings.recv().await, Some(2));
    client.close_stream(second.exchange);
    assert_eq!(client.pending(), 1);
    client.close_stream(first.exchange);
    assert_eq!(all_of(&mut client, first.exchange).await, ["closed"]);
    assert_eq!(closings.recv().await, Some(1));
}

#[tokio::test]
async fn dropping_a_client_closes_everything() {
    let (closed, mut closings) = mpsc::unbounded_channel();
    let (url, _) = serve(move |mut peer| {
        let closed = closed.clone();
        async move {
            while let Some(request) = peer.request().await {
                let is_stream = request.starts_with("GET");
                let answer = if is_stream {
                    SSE.to_owned()
                } else {
                    json("{}")
                };
                peer.write(answer).await;
            }
            closed.send(peer.number).unwrap();
        }
    })
    .await;
    let mut client = client(&url);
    client.listen();
    next(&mut client).await;
    exchange(&mut client).await;
    drop(client);
    let mut both = [
        closings.recv().await.unwrap(),
        closings.recv().await.unwrap(),
    ];
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_flooding_stream_waits_for_us() {
    let written = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let (dial, _) = serve_in_memory(move |mut peer| {
        let count = Arc::clone(&count);
        async move {
            peer.request().await;
            peer.write(SSE).await;
            let event = chunk(&format!("data: {}\n\n", "x".repeat(1000)));
            loop {
                peer.write(&event).await;
                count.fetch_add(event.len(), std::sync::atomic::Ordering::Relaxed);
            }
        }
    });
    let mut settings = settings("http://memory/");
    settings.dial = dial;
    settings.bounds.in_flight = 100_000;
    let mut client = Client::streamable(Arc::new(settings));
    client.listen();
    // On a paused clock this passes once nothing moves any more.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let before = written.load(std::sync::atomic::Ordering::Relaxed);
    assert!(before > 50_000, "{before}");
    assert!(before < 1_500_000, "{before}");
    for _ in 0..2000 {
        next(&mut client).await;
    }
    let after = written.load(std::sync::atomic::Ordering::Relaxed);
    assert!(after > before + 1_000_000, "{before} {after}");
    // A stream that waits for room can still be closed.
    client.close_stream(1);
    assert_eq!(all_of(&mut client, 1).await.last().unwrap(), "closed");
}
