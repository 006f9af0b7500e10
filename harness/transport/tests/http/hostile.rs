//! What is no HTTP, or too much of it.

use crate::support::{
    SSE, all_of, chunk, client, exchange, next, refusing, serve, settings, short,
};
use bytes::Bytes;
use mcp_assay_transport::http::{Client, What};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

async fn after(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let (url, _) = serve(move |mut peer| {
        let answer = answer.clone();
        async move {
            peer.request().await;
            peer.write(answer).await;
        }
    })
    .await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[tokio::test]
async fn a_close_instead_of_a_response_is_told() {
    assert_eq!(
        after("").await,
        "failed: connection closed before a response came"
    );
}

#[tokio::test]
async fn a_close_within_the_head_is_told() {
    let said = after("HTTP/1.1 200 OK\r\nA: b").await;
    let head = r#"within the response head: "HTTP/1.1 200 OK\r\nA: b""#;
    assert_eq!(said, format!("failed: connection closed {head}"));
    let said = after("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(said, "failed: connection closed after an interim response");
}

#[tokio::test]
async fn garbage_is_shown() {
    let said = after("SSH-2.0-OpenSSH_9.9\r\n").await;
    assert_eq!(
        said,
        r#"failed: no HTTP response, but "SSH-2.0-OpenSSH_9.9\r\n""#
    );
    let said = after("<html>\x1b[31m".repeat(100)).await;
    assert!(said.contains(r"<html>\x1b[31m"), "{said}");
    assert!(said.len() < 400, "{said}");
}

#[tokio::test]
async fn what_comes_unasked_is_taken_as_the_response() {
    let (url, _) = serve(|mut peer| async move {
        peer.write("220 smtp ready\r\n").await;
        peer.closed().await;
    })
    .await;
    let all = exchange(&mut client(&url)).await;
    assert!(all[0].contains("220 smtp ready"), "{all:?}");
}

#[tokio::test]
async fn tls_on_a_plain_port_is_recognised() {
    let said = after(b"\x15\x03\x01\x00\x02\x02\x46").await;
    assert!(said.starts_with("failed: TLS came, no HTTP"), "{said}");
}

#[tokio::test]
async fn differing_lengths_are_no_response() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    let said = after(head).await;
    let why = "unusable response head: invalid content-length parsed";
    assert!(said.contains(why), "{said}");
    assert!(
        said.contains(r"Content-Length: 1\r\nContent-Length: 2"),
        "{said}"
    );
}

#[tokio::test]
async fn a_reset_before_the_head_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        stream.set_zero_linger().unwrap();
    });
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all, ["failed: connection reset before a response came"]);
}

#[tokio::test]
async fn endless_fields_end() {
    let (url, _) = serve(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\n").await;
        for _ in 0..10_000 {
            peer.write(format!("A: {}\r\n", "b".repeat(1000))).await;
        }
    })
    .await;
    let all = exchange(&mut client(&url)).await;
    assert!(all[0].contains("too large"), "{all:?}");
    assert!(all[0].contains("HTTP/1.1 200 OK"), "{all:?}");
}

#[tokio::test]
async fn endless_interim_responses_end() {
    let said = after("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)).await;
    assert!(said.contains("more than 64 interim responses"), "{said}");
}

#[tokio::test]
async fn interim_responses_are_passed_over() {
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    let (url, _) = serve(move |peer| peer.answer_all(answer)).await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all, ["head 200", "body x", "complete"]);
}

#[tokio::test]
async fn the_head_is_kept_as_it_came() {
    let head = "HTTP/1.1 200 Fine by me\r\nX-B: 1\r\nconTENT-length:   1  \r\nx-b: 2\r\nX-A : 3\r\nno colon\r\nX-C: \u{1}\r\n\r\n";
    let (url, _) = serve(move |peer| peer.answer_all(format!("{head}x"))).await;
    let mut client = client(&url);
    client.post(Bytes::new());
    let (_, what) = next(&mut client).await;
    let What::Head {
        head: found,
        status,
        socket,
    } = what
    else {
        panic!("{what:?}");
    };
    assert_eq!(found.raw, head);
    assert_eq!((status, socket), (200, 1));
    let names: Vec<_> = found.fields.iter().map(|field| field.name.trim()).collect();
    assert_eq!(names, ["X-B", "conTENT-length", "x-b", "X-A", "X-C"]);
    assert_eq!(short(&next(&mut client).await.1), "body x");
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_refuses() {
    let (_socket, address) = refusing();
    let mut client = client(&format!("http://{address}/"));
    let all = exchange(&mut client).await;
    assert_eq!(all, [format!("refused: {address}: connection refused")]);
    assert_eq!((client.pending(), client.sockets()), (0, 0));
}

#[tokio::test]
async fn a_mute_server_costs_only_the_deadline() {
    let (url, _) = serve(|mut peer| async move { peer.closed().await }).await;
    let mut client = Client::streamable(Arc::new(settings(&url)));
    let started = client.post(Bytes::new());
    assert!(client.next(Instant::now()).await.is_none());
    assert_eq!(client.pending(), 1);
    client.close_stream(started.exchange);
    assert_eq!(all_of(&mut client, 1).await, ["closed"]);
}

#[tokio::test]
async fn a_reset_within_a_body_cuts_it() {
    let go = Arc::new(Notify::new());
    let theirs = Arc::clone(&go);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        stream.write_all(answer).await.unwrap();
        theirs.notified().await;
        stream.set_zero_linger().unwrap();
    });
    let mut client = client(&url);
    client.post(Bytes::new());
    assert_eq!(short(&next(&mut client).await.1), "head 200");
    go.notify_one();
    let all = all_of(&mut client, 1).await;
    assert_eq!(
        all,
        [
            "body abc",
            "cut: connection reset after 3 of 9 bytes of the body"
        ]
    );
}

#[tokio::test]
async fn a_flood_ends_with_the_deadline() {
    let (url, _) = serve(|mut peer| async move {
        peer.request().await;
        peer.write(SSE).await;
        let many = chunk(&"data: 1\n\n".repeat(1000));
        for _ in 0..10_000 {
            peer.write(&many).await;
        }
    })
    .await;
    let mut client = client(&url);
    client.listen();
    next(&mut client).await;
    // Whatever had come by then is handed out, and then there is an end, though more comes all the time.
    let deadline = Instant::now();
    let mut came = 0;
    while client.next(deadline).await.is_some() {
        came += 1;
    }
    assert!((1..=1024).contains(&came), "{came}");
    next(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_accept_queue_ends_after_a_while() {
    let (socket, address) = refusing();
    let _listener = socket.listen(1).unwrap();
    let mut queued = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
        queued.push(stream);
    }
    let all = exchange(&mut client(&format!("http://{address}/"))).await;
    assert_eq!(all, [format!("refused: {address}: no answer within 10 s")]);
}
