//! Streamable HTTP: event streams, sessions and versions.

use crate::support::{
    SSE, all_of, chunk, client, exchange, json, memory_client, next, serve, serve_in_memory,
    settings, short,
};
use bytes::Bytes;
use mcp_assay_transport::http::{Client, What};
use std::sync::Arc;
use tokio::sync::mpsc;

#[tokio::test]
async fn events_come_one_by_one_at_any_split() {
    let stream =
        "data: 1\n\nid: 7\r\nevent: x\r\ndata: {\"a\":\r\ndata: 2}\r\n\r\n: only a comment\n\n";
    for at in 1..stream.len() {
        let (dial, _) = serve_in_memory(move |mut peer| async move {
            peer.request().await;
            peer.write(SSE).await;
            for part in [&stream[..at], &stream[at..]] {
                peer.write(chunk(part)).await;
                tokio::task::yield_now().await;
            }
            peer.write("0\r\n\r\n").await;
            peer.closed().await;
        });
        let all = exchange(&mut memory_client(dial)).await;
        assert_eq!(
            all,
            [
                "head 200",
                "event 1",
                "event {\\\"a\\\":\\n2}",
                "event ",
                "complete"
            ],
            "split at {at}"
        );
    }
}

#[tokio::test]
async fn an_event_arrives_before_the_next_is_written() {
    let (more, mut wanted) = mpsc::unbounded_channel::<()>();
    let wanted = Arc::new(tokio::sync::Mutex::new(std::mem::replace(
        &mut wanted,
        mpsc::unbounded_channel().1,
    )));
    let (url, _) = serve(move |mut peer| {
        let wanted = Arc::clone(&wanted);
        async move {
            peer.request().await;
            peer.write(SSE).await;
            for number in 1..4 {
                wanted.lock().await.recv().await;
                peer.write(chunk(&format!("data: {number}\n\n"))).await;
            }
            peer.closed().await;
        }
    })
    .await;
    let mut client = client(&url);
    client.listen();
    assert_eq!(short(&next(&mut client).await.1), "head 200");
    for number in 1..4 {
        more.send(()).unwrap();
        assert_eq!(short(&next(&mut client).await.1), format!("event {number}"));
    }
}

#[tokio::test]
async fn what_a_cut_stream_began_is_an_event_too() {
    let (url, _) = serve(|mut peer| async move {
        peer.request().await;
        peer.write(SSE).await;
        peer.write(chunk("data: 1\n\ndata: 2\n")).await;
    })
    .await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all[..3], ["head 200", "event 1", "event 2 …"]);
    assert!(
        all[3].starts_with("cut: connection closed within the body"),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_stream_may_end_with_its_connection() {
    let (url, _) = serve(|mut peer| async move {
        peer.request().await;
        peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
            .await;
        peer.half_close().await;
        peer.closed().await;
    })
    .await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all, ["head 200", "event 1", "complete"]);
}

#[tokio::test]
async fn an_error_with_the_type_of_a_stream_has_a_body() {
    let answer = "HTTP/1.1 400 No\r\nContent-Type: text/event-stream\r\nContent-Length: 9\r\n\r\ndata: 1\n\n";
    let (url, _) = serve(move |peer| peer.answer_all(answer)).await;
    let all = exchange(&mut client(&url)).await;
    assert_eq!(all, ["head 400", "body data: 1\\n\\n", "complete"]);
}

#[tokio::test]
async fn listening_and_resuming_say_what_they_want() {
    let (url, asked) =
        serve(|peer| peer.answer_all("HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")).await;
    let mut client = client(&url);
    client.listen();
    assert_eq!(all_of(&mut client, 1).await, ["head 405", "complete"]);
    let started = client.resume("e 1");
    assert_eq!(started.method, "GET");
    all_of(&mut client, 2).await;
    assert!(
        asked
            .one(0)
            .contains("\r\nAccept: text/event-stream\r\n\r\n")
    );
    assert!(
        asked
            .one(1)
            .ends_with("\r\nAccept: text/event-stream\r\nLast-Event-ID: e 1\r\n\r\n")
    );
}

#[tokio::test]
async fn initialize_begins_the_session() {
    let (url, asked) = serve(|mut peer| async move {
        while let Some(request) = peer.request().await {
            let id = if request.contains("ping") {
                "p"
            } else {
                " s-1 "
            };
            peer.write(format!(
                "HTTP/1.1 200 OK\r\nmcp-SESSION-id:{id}\r\nContent-Length: 0\r\n\r\n"
            ))
            .await;
        }
    })
    .await;
    let mut client = client(&url);
    let post = |text: &'static str| Bytes::from_static(text.as_bytes());
    client.post(post(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#));
    all_of(&mut client, 1).await;
    assert_eq!(client.session(), None);
    client.post(post(r#"{"jsonrpc":"2.0","id":2,"method":"initialize"}"#));
    all_of(&mut client, 2).await;
    assert_eq!(client.session().unwrap(), "s-1");
    client.set_version(Some("2025-06-18"));
    client.post(post(r#"{"jsonrpc":"2.0","id":3,"method":"ping"}"#));
    all_of(&mut client, 3).await;
    assert_eq!(client.session().unwrap(), "s-1");
    assert!(!asked.one(1).contains("Mcp-Session-Id"));
    assert!(
        asked
            .one(2)
            .contains("\r\nMcp-Session-Id: s-1\r\nMCP-Protocol-Version: 2025-06-18\r\n")
    );
    let mut sibling = client.sibling();
    assert_eq!(sibling.post(post("{}")).exchange, 1);
    all_of(&mut sibling, 1).await;
    assert!(!asked.one(3).contains("Mcp-Session-Id"));
    assert_eq!((sibling.session(), sibling.sockets()), (None, 1));
}

#[tokio::test]
async fn a_refused_initialize_begins_no_session() {
    let answer = "HTTP/1.1 400 No\r\nMcp-Session-Id: s\r\nContent-Length: 0\r\n\r\n";
    let (url, _) = serve(move |peer| peer.answer_all(answer)).await;
    let mut client = client(&url);
    client.post(Bytes::from_static(br#"{"id":2,"method":"initialize"}"#));
    all_of(&mut client, 1).await;
    assert_eq!(client.session(), None);
}

#[tokio::test]
async fn fields_of_the_user_win() {
    let (url, asked) = serve(|peer| peer.answer_all(json("{}"))).await;
    let mut settings = settings(&url);
    settings.headers = vec![
        ("accept".into(), "*/*".into()),
        ("Authorization".into(), "Bearer t".into()),
    ];
    let mut client = Client::streamable(Arc::new(settings));
    exchange(&mut client).await;
    assert!(asked.one(0).contains("\r\naccept: */*\r\n"));
    assert!(!asked.one(0).contains("Accept:"));
    assert!(asked.one(0).contains("\r\nAuthorization: Bearer t\r\n"));
}

#[tokio::test]
async fn streams_at_once_are_told_apart() {
    let (dial, _) = serve_in_memory(|mut peer| async move {
        let number = peer.number;
        peer.request().await;
        peer.write(SSE).await;
        peer.write(chunk(&format!("data: {number}\n\n"))).await;
        peer.closed().await;
    });
    let mut client = memory_client(dial);
    client.listen();
    client.listen();
    let mut events = Vec::new();
    let mut sockets = [0, 0];
    while events.len() < 2 {
        match next(&mut client).await {
            (exchange, What::Event(event)) => {
                let data = String::from_utf8(event.data.unwrap().to_vec()).unwrap();
                events.push((exchange, data));
            }
            (exchange, What::Head { socket, .. }) => sockets[exchange as usize - 1] = socket,
            (_, other) => panic!("{other:?}"),
        }
    }
    events.sort();
    let expected = [(1, sockets[0].to_string()), (2, sockets[1].to_string())];
    assert_eq!(events, expected);
    assert_eq!(sockets.iter().sum::<u64>(), 3);
}
