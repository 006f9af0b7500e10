//! Sockets: raw bytes, several exchanges on one, ends, and what is left behind.

use crate::support::{Client, PING, SLOW, honest, initialize, lying, wait};
use mcp_assay_peer::{HttpServer, Planted, listen};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

fn socket(server: &HttpServer) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let server = server.clone();
    tokio::spawn(async move { server.serve_socket(theirs).await });
    ours
}

/// All that comes within a second.
async fn heard(socket: &mut DuplexStream) -> (String, bool) {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    let is_over = loop {
        let read = tokio::time::timeout(Duration::from_secs(1), socket.read(&mut buffer));
        match read.await {
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(length)) => all.extend_from_slice(&buffer[..length]),
            Err(_) => break false,
        }
    };
    (String::from_utf8_lossy(&all).into_owned(), is_over)
}

fn post(body: &str, host: &str) -> String {
    format!(
        "POST /mcp HTTP/1.1\r\n{host}Accept: application/json, text/event-stream\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test(start_paused = true)]
async fn a_socket_carries_one_exchange_after_the_other() {
    let mut socket = socket(&honest());
    for _ in 0..3 {
        let request = post(&initialize("2025-11-25", &json!({})), "Host: localhost\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let (heard, is_over) = heard(&mut socket).await;
        assert!(heard.starts_with("HTTP/1.1 200 OK\r\n"), "{heard}");
        assert!(!is_over);
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_lawful_request_get_a_bad_request() {
    for request in [
        "\u{1}\u{2}\r\n\r\n".to_owned(),
        post(PING, ""),
        post(PING, "Host: localhost\r\nHost: localhost\r\n"),
        post(PING, "Host: localhost\r\nContent-Length: 3\r\n"),
    ] {
        let mut socket = socket(&honest());
        socket.write_all(request.as_bytes()).await.unwrap();
        let (heard, _) = heard(&mut socket).await;
        assert!(heard.starts_with("HTTP/1.1 400 "), "{request} {heard}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_may_come_slowly_and_a_broken_one_is_no_message() {
    let server = honest();
    let request = post(&initialize("2025-11-25", &json!({})), "Host: localhost\r\n");
    let mut slow = socket(&server);
    for byte in request.as_bytes().chunks(7) {
        slow.write_all(byte).await.unwrap();
        wait(50).await;
    }
    let (answer, _) = heard(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let mut broken = socket(&server);
    let cut = &request.as_bytes()[..request.len() - 5];
    broken.write_all(cut).await.unwrap();
    drop(broken);
    wait(100).await;
    assert_eq!(server.sessions(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_loses_its_stream() {
    let client = Client::open(&honest(), "2025-03-26", json!({})).await;
    let uri = json!({ "uri": "test://watched-resource" });
    client.call("resources/subscribe", uri).await;
    let mut deaf = socket(&client.server);
    let get = format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nMcp-Session-Id: {}\r\n\r\n",
        client.session.as_deref().unwrap()
    );
    deaf.write_all(get.as_bytes()).await.unwrap();
    wait(10).await;
    let touch = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"touch"}}"#;
    let batch = format!("[{}]", vec![touch; 200].join(","));
    for _ in 0..20 {
        assert_eq!(client.post(&batch).status().await, 200);
        wait(10).await;
    }
    let (read, _) = heard(&mut deaf).await;
    let count = read.matches("notifications/resources/updated").count();
    assert!(count > 1000 && count < 4000, "{count}");
    assert!(read.ends_with("\r\n0\r\n\r\n"), "the stream has ended");
    // What could not be sent is no longer there, and what comes now goes on another stream.
    let stream = client.listen().await;
    client.tool(json!(1), "touch", json!({})).body().await;
    stream
        .message(|message| message["method"] == "notifications/resources/updated")
        .await;
}

/// Nothing that a session runs outlives the server, and nothing that a socket runs outlives the socket.
#[tokio::test(start_paused = true)]
async fn nothing_is_left_once_sockets_and_server_are_gone() {
    let before = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    let client = Client::of_honest().await;
    let listening = client.listen().await;
    let running = client.tool(json!(1), "slow", json!({ "ms": 60000 }));
    running.status().await;
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert!(alive() > before);
    drop((listening, running));
    drop(client);
    wait(100).await;
    assert_eq!(alive(), before);
}

#[tokio::test(start_paused = true)]
async fn a_dead_server_closes_every_socket_without_a_byte() {
    let server = lying(Planted::named_on_http("exits-on-call").unwrap());
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    let listening = client.listen().await;
    let call = client.post(SLOW);
    call.body().await;
    assert!(call.is_broken() && call.look(|seen| seen.status.is_none()));
    listening.body().await;
    assert!(listening.is_broken());
    assert_eq!(heard(&mut socket(&server)).await, (String::new(), true));
    assert_eq!(server.fired(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hung_server_reads_and_never_answers() {
    let server = lying(Planted::named_on_http("hangs-on-call").unwrap());
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    let listening = client.listen().await;
    let call = client.post(SLOW);
    wait(1).await;
    let asked = [call, client.post(PING), client.delete()];
    wait(600_000).await;
    for asked in &asked {
        assert!(!asked.is_over() && asked.look(|seen| seen.status.is_none()));
    }
    assert!(!listening.is_over());
}

#[tokio::test]
async fn a_listener_serves_tcp() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(listen(honest(), listener));
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let host = format!("Host: {address}\r\nConnection: close\r\n");
    let request = post(&initialize("2025-11-25", &json!({})), &host);
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("mcp-session-id: "));
    serving.abort();
}
