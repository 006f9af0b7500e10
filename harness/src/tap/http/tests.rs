use super::{Upstream, pass};
use crate::tap::feed::{BOUND, Fed, Feed, Food, Which};
use mcp_assay_model::record::Direction;
use mcp_assay_transport::http::dial::Network;
use mcp_assay_transport::http::endpoint::Endpoint;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy between sockets that tests hold both ends of.
struct Stage {
    server: TcpListener,
    /// Where clients connect.
    proxy: SocketAddr,
    /// What Host says at the server.
    host: String,
    food: Food,
    task: JoinHandle<()>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    async fn new() -> Self {
        Stage::with_bound(BOUND).await
    }

    async fn with_bound(bound: u64) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = server.local_addr().unwrap().to_string();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let (feed, food) = Feed::new(bound);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let upstream = Arc::new(Upstream {
            endpoint: Endpoint::parse(&format!("http://{host}/mcp")).unwrap(),
            dial: Arc::new(Network::new(&[]).unwrap()),
            say: Arc::new(move |line: &str| heard.lock().unwrap().push(line.to_owned())),
        });
        Stage {
            server,
            proxy,
            host,
            food,
            task: tokio::spawn(pass(listener, upstream, feed)),
            said,
        }
    }

    /// Both ends of a connection through the proxy.
    async fn connection(&self) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(self.proxy).await.unwrap();
        let (server, _) = self.server.accept().await.unwrap();
        (client, server)
    }

    /// What the ear was fed, by stream, and how connections ended.
    async fn fed(self) -> (BTreeMap<String, Vec<u8>>, Vec<Option<String>>) {
        self.task.abort();
        let _ = self.task.await;
        let (mut streams, mut ends) = (BTreeMap::new(), Vec::new());
        while let Some(fed) = self.food.now() {
            match fed {
                Fed::Bytes {
                    stream: Which::Messages(socket, direction),
                    bytes,
                    ..
                } => {
                    let way = match direction {
                        Direction::Sent => "sent",
                        Direction::Received => "received",
                    };
                    let stream: &mut Vec<u8> =
                        streams.entry(format!("{socket} {way}")).or_default();
                    stream.extend_from_slice(&bytes);
                }
                Fed::Lost { .. } => {
                    streams.entry("lost".to_owned()).or_default();
                }
                Fed::Closed { by_server, .. } => ends.push(by_server),
                Fed::Opened { .. } | Fed::Ended { .. } | Fed::Bytes { .. } => {}
            }
        }
        (streams, ends)
    }
}

async fn read(from: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).await.unwrap();
    bytes
}

/// What goes, arrives byte for byte, whatever the pieces.
async fn goes(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8], expected: &[u8]) {
    for piece in bytes.chunks(7) {
        from.write_all(piece).await.unwrap();
    }
    let got = read(to, expected.len()).await;
    assert_eq!(
        String::from_utf8_lossy(&got),
        String::from_utf8_lossy(expected)
    );
}

#[tokio::test]
async fn requests_and_responses_pass_byte_for_byte_but_for_the_host() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.connection().await;
    let head = |host: &str| {
        format!(
            "POST /mcp HTTP/1.1\r\nhoSt: {host}\r\naccept:  */*\r\nX-Twice: 1\r\nx-twice: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
    };
    let body = b"3;ext=\"a;b\"\r\n\x00\xff{\r\n0005\r\n}\n\r\nx\r\n0\r\nTrailer: yes\r\n\r\n";
    let sent = [head("127.0.0.1:1").as_bytes(), body].concat();
    let arrives = [head(&stage.host).as_bytes(), body].concat();
    goes(&mut client, &mut server, &sent, &arrives).await;
    let answer = b"HTTP/1.1 200 Fine\r\nContent-Length: 4\r\ncontent-TYPE:application/json\r\n\r\n\x80\x81\n\0";
    goes(&mut server, &mut client, answer, answer).await;
    // The connection is kept, for a GET whose stream stays open.
    let ask = b"GET /mcp HTTP/1.1\nAccept: text/event-stream\n\n";
    goes(&mut client, &mut server, ask, ask).await;
    let begin = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hello\n\n";
    goes(&mut server, &mut client, begin, begin).await;
    for event in ["data: 1\n\n", "id: 2\r\ndata: {\"a\":1}\r\n\r\n"] {
        goes(&mut server, &mut client, event.as_bytes(), event.as_bytes()).await;
    }
    drop(server);
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    drop(client);
    let (mut streams, _) = stage.fed().await;
    let heard = streams.remove("1 sent").unwrap();
    assert_eq!(heard, [&sent[..], ask].concat(), "as the client wrote it");
    let received = streams.remove("1 received").unwrap();
    assert!(received.starts_with(answer) && received.ends_with(b"\r\n\r\n"));
}

#[tokio::test]
async fn clients_do_not_wait_for_each_other() {
    let stage = Stage::new().await;
    let mut pairs = Vec::new();
    for _ in 0..20 {
        pairs.push(stage.connection().await);
    }
    let ask = b"DELETE /mcp HTTP/1.1\r\n\r\n";
    // Each asks; the last is answered first, while all others wait.
    for (client, server) in &mut pairs {
        goes(client, server, ask, ask).await;
    }
    for (client, server) in pairs.iter_mut().rev() {
        let answer =
            b"HTTP/1.1 307 Away\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n";
        goes(server, client, answer, answer).await;
    }
    drop(pairs);
}

#[tokio::test]
async fn what_is_no_http_passes_too() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.connection().await;
    let noise: Vec<u8> = (0..300_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    let (writing, reading) = (noise.clone(), noise.len());
    let writer = tokio::spawn(async move {
        client.write_all(&writing).await.unwrap();
        client.shutdown().await.unwrap();
        let mut back = Vec::new();
        client.read_to_end(&mut back).await.unwrap();
        back
    });
    let got = read(&mut server, reading).await;
    assert!(got == noise);
    // The client has ended its side, and the server may still answer.
    let mut rest = Vec::new();
    server.read_to_end(&mut rest).await.unwrap();
    server.write_all(b"late").await.unwrap();
    drop(server);
    assert_eq!(writer.await.unwrap(), b"late");
}

#[tokio::test]
async fn a_head_that_is_never_whole_passes_when_the_client_has_done() {
    let stage = Stage::new().await;
    let (mut client, mut server) = stage.connection().await;
    client.write_all(b"GET / HTTP/1.1\r\nHos").await.unwrap();
    client.shutdown().await.unwrap();
    let mut got = Vec::new();
    server.read_to_end(&mut got).await.unwrap();
    assert_eq!(got, b"GET / HTTP/1.1\r\nHos");
}

#[tokio::test]
async fn who_ends_a_connection_is_told_to_the_other_side_and_to_the_ear() {
    let stage = Stage::new().await;
    let (mut client, server) = stage.connection().await;
    drop(server);
    let mut got = Vec::new();
    client.read_to_end(&mut got).await.unwrap();
    drop(client);
    let (client, mut server) = stage.connection().await;
    drop(client);
    server.read_to_end(&mut got).await.unwrap();
    drop(server);
    let mut ends = Vec::new();
    // Both are closed in the end, in whatever order the runtime comes to it.
    while ends.len() < 2 {
        match stage.food.now() {
            Some(Fed::Closed { by_server, .. }) => ends.push(by_server),
            Some(_) => {}
            None => tokio::task::yield_now().await,
        }
    }
    ends.sort();
    assert_eq!(
        ends,
        [None, Some("the server closed the connection".to_owned())]
    );
}

#[tokio::test]
async fn an_ear_that_cannot_follow_holds_up_nobody() {
    let stage = Stage::with_bound(1000).await;
    let (mut client, mut server) = stage.connection().await;
    let body = vec![b'x'; 1_000_000];
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = [head.as_bytes(), &body].concat();
    let length = answer.len();
    let writer = tokio::spawn(async move {
        server.write_all(&answer).await.unwrap();
        (answer, server)
    });
    let got = read(&mut client, length).await;
    let (answer, server) = writer.await.unwrap();
    assert!(got == answer);
    drop((client, server));
    let (streams, _) = stage.fed().await;
    assert!(streams.contains_key("lost"));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_connection() {
    let stage = Stage::new().await;
    let (proxy, said) = (stage.proxy, Arc::clone(&stage.said));
    drop(stage.server);
    let mut client = TcpStream::connect(proxy).await.unwrap();
    let mut got = Vec::new();
    // The end may come as a reset, where something was written meanwhile.
    let _ = client.read_to_end(&mut got).await;
    assert!(got.is_empty());
    let said = said.lock().unwrap().clone();
    assert!(said[0].contains("is not reached"), "{said:?}");
}
