//! A server that says exactly what its script says, and short descriptions of what a client gets from it.

use bytes::Bytes;
use mcp_assay_transport::http::dial::{Dial, Memory, Network, Stream};
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::http::{Bounds, Client, Settings, What};
use mcp_assay_wire::http::End;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

/// What a server of any test has been asked, in order: head and body in one text.
#[derive(Clone, Default)]
pub struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub fn one(&self, index: usize) -> String {
        self.all()[index].clone()
    }
}

/// The server's side of one socket.
pub struct Peer {
    /// From 1.
    pub number: u64,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    asked: Asked,
}

impl Peer {
    /// Reads a request with the body that its Content-Length says; `None` where the client closed.
    pub async fn request(&mut self) -> Option<String> {
        loop {
            if let Some(length) = self.request_length() {
                let request: Vec<u8> = self.buffer.drain(..length).collect();
                let request = String::from_utf8_lossy(&request).into_owned();
                self.asked.0.lock().unwrap().push(request.clone());
                return Some(request);
            }
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }

    /// Reads until this many bytes of a request are there, whatever they are.
    pub async fn bytes(&mut self, amount: usize) -> Vec<u8> {
        while self.buffer.len() < amount {
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.unwrap(), 0);
        }
        self.buffer.drain(..amount).collect()
    }

    fn request_length(&self) -> Option<usize> {
        let end = self
            .buffer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")?
            + 4;
        let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
        let length = head.split("content-length: ").nth(1);
        let length = length.map_or(0, |rest| rest.split('\r').next().unwrap().parse().unwrap());
        (self.buffer.len() >= end + length).then_some(end + length)
    }

    /// Writes; a client that is gone is no error.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// Closes our writing side only.
    pub async fn half_close(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// Waits until the client closes.
    pub async fn closed(&mut self) {
        while matches!(self.stream.read_buf(&mut self.buffer).await, Ok(read) if read > 0) {
            self.buffer.clear();
        }
    }

    /// Reads requests and answers each with the same bytes, until the client closes.
    pub async fn answer_all(mut self, bytes: impl AsRef<[u8]>) {
        while self.request().await.is_some() {
            self.write(bytes.as_ref()).await;
        }
    }
}

/// Serves on loopback; the script gets every socket. Returns the address and what was asked.
pub async fn serve<F, S>(script: S) -> (String, Asked)
where
    S: Fn(Peer) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let asked = Asked::default();
    let theirs = asked.clone();
    tokio::spawn(async move {
        for number in 1.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(script(peer(number, Box::new(stream), &theirs)));
        }
    });
    (url, asked)
}

/// A script over any stream.
pub fn peer(number: u64, stream: Box<dyn Stream>, asked: &Asked) -> Peer {
    Peer {
        number,
        stream,
        buffer: Vec::new(),
        asked: asked.clone(),
    }
}

/// Serves in memory.
pub fn serve_in_memory<F, S>(script: S) -> (Arc<dyn Dial>, Asked)
where
    S: Fn(Peer) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let asked = Asked::default();
    let theirs = asked.clone();
    let opened = AtomicU64::new(0);
    let dial = Memory(Arc::new(move |stream| {
        let number = opened.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::spawn(script(peer(number, Box::new(stream), &theirs)));
    }));
    (Arc::new(dial), asked)
}

pub fn settings(url: &str) -> Settings {
    Settings {
        endpoint: Endpoint::parse(url).unwrap(),
        headers: Vec::new(),
        dial: Arc::new(Network::new(&[]).unwrap()),
        bounds: Bounds::default(),
    }
}

pub fn client(url: &str) -> Client {
    Client::streamable(Arc::new(settings(url)))
}

pub fn memory_client(dial: Arc<dyn Dial>) -> Client {
    let settings = Settings {
        dial,
        ..settings("http://memory/mcp")
    };
    Client::streamable(Arc::new(settings))
}

/// What one exchange brings up to its end, each in short.
pub async fn all_of(client: &mut Client, exchange: u64) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let (number, what) = next(client).await;
        if number != exchange {
            continue;
        }
        let is_end = matches!(what, What::End(_) | What::Refused(_));
        all.push(short(&what));
        if is_end {
            return all;
        }
    }
}

/// Posts `{}` and collects what comes.
pub async fn exchange(client: &mut Client) -> Vec<String> {
    let started = client.post(Bytes::from_static(b"{}"));
    all_of(client, started.exchange).await
}

/// The next arrival; the deadline is there so that a broken client fails its test.
pub async fn next(client: &mut Client) -> (u64, What) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let arrival = client.next(deadline).await.expect("something arrives");
    (arrival.exchange, arrival.what)
}

pub fn short(what: &What) -> String {
    match what {
        What::Head { status, .. } => format!("head {status}"),
        What::Body { bytes, .. } => format!("body {}", bytes.escape_ascii()),
        What::Event(event) => {
            let data = event.data.as_deref().unwrap_or_default().escape_ascii();
            let rest = if event.is_terminated { "" } else { " …" };
            format!("event {data}{rest}")
        }
        What::End(End::Complete) => "complete".to_owned(),
        What::End(End::Closed) => "closed".to_owned(),
        What::End(End::Cut(why)) => format!("cut: {why}"),
        What::End(End::Failed(why)) => format!("failed: {why}"),
        What::Refused(why) => format!("refused: {why}"),
    }
}

/// A port that refuses. The socket holds it, so that no other test comes to listen there.
pub fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A JSON answer with its length.
pub fn json(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The head of an event stream in chunks.
pub const SSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A chunk.
pub fn chunk(text: &str) -> String {
    format!("{:x}\r\n{text}\r\n", text.len())
}
