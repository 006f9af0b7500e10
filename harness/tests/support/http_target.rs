//! Servers behind a port of loopback, as threads of the test: an honest one of a few lines, and what others make of it. What they
//! send is bytes, so that nothing corrects it.

use super::honest;
use serde_json::{Value, json};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a server does with one request. After an error the connection is closed, else the next request is read from it.
pub type Behaviour = fn(&mut Asked) -> io::Result<()>;

/// Bytes of a request that are read.
const LONGEST_REQUEST: usize = 16 * 1024 * 1024;

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    closed: AtomicBool,
    connections: AtomicUsize,
    requests: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

/// A request, and the connection that it came on.
pub struct Asked {
    /// Of this server, from 1.
    pub number: usize,
    /// Of this server, from 1.
    pub connection: usize,
    /// Empty where what came is no HTTP.
    pub method: String,
    pub target: String,
    /// Names in lower case.
    fields: Vec<(String, String)>,
    message: Option<Value>,
    stream: TcpStream,
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts it.
    pub fn new(behave: Behaviour) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, address, &shared, behave)
        });
        Server {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Its address, as `127.0.0.1:PORT`.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections and requests so far.
    pub fn seen(&self) -> (usize, usize) {
        let of = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        (of(&self.shared.connections), of(&self.shared.requests))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.close(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    /// Closes what is open, and stops listening.
    fn close(&self, address: SocketAddr) {
        self.closed.store(true, Ordering::SeqCst);
        for stream in self.open.lock().expect("a lock").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Accepting is only interrupted by somebody to accept.
        let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

fn accept(listener: &TcpListener, address: SocketAddr, shared: &Arc<Shared>, behave: Behaviour) {
    for stream in listener.incoming() {
        if shared.is_closed() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let connection = 1 + shared.connections.fetch_add(1, Ordering::Relaxed);
        let Ok(also) = stream.try_clone() else {
            continue;
        };
        shared.open.lock().expect("a lock").push(also);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // Errors are the end of the connection, whichever side ended it.
            let _ = converse(&stream, connection, address, &shared, behave);
            // What nobody holds any more closes, or resets where that was asked for.
            let peer = stream.peer_addr().ok();
            let mut open = shared.open.lock().expect("a lock");
            open.retain(|open| open.peer_addr().ok() != peer);
        });
    }
}

fn converse(
    mut stream: &TcpStream,
    connection: usize,
    address: SocketAddr,
    shared: &Arc<Shared>,
    behave: Behaviour,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let (head, body) = read_request(&mut stream, &mut buffer)?;
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let (method, target) = (word(), word());
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let mut asked = Asked {
            number: 1 + shared.requests.fetch_add(1, Ordering::Relaxed),
            connection,
            method,
            target,
            fields: lines.filter_map(field).collect(),
            message: serde_json::from_slice(&body).ok(),
            stream: stream.try_clone()?,
            address,
            shared: Arc::clone(shared),
        };
        if shared.is_closed() {
            return Ok(());
        }
        behave(&mut asked)?;
    }
}

/// Head and body; an empty head where what comes is no HTTP.
fn read_request(stream: &mut &TcpStream, buffer: &mut Vec<u8>) -> io::Result<(String, Vec<u8>)> {
    let mut piece = [0; 64 * 1024];
    loop {
        if buffer.first().is_some_and(|byte| !byte.is_ascii_graphic()) {
            return Ok((String::new(), std::mem::take(buffer)));
        }
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            let whole = end + 4 + length.unwrap_or(0).min(LONGEST_REQUEST);
            if buffer.len() >= whole {
                let rest = buffer.split_off(whole);
                let request = std::mem::replace(buffer, rest);
                return Ok((head, request[end + 4..].to_vec()));
            }
        }
        match stream.read(&mut piece)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => buffer.extend_from_slice(&piece[..read]),
        }
    }
}

impl Asked {
    pub fn is_initialize(&self) -> bool {
        self.asks("initialize")
    }

    /// Whether this is a POST of a request with this method.
    pub fn asks(&self, method: &str) -> bool {
        self.method == "POST"
            && self
                .message
                .as_ref()
                .is_some_and(|message| message["method"] == method)
    }

    /// The response that is due, where the request posts a request.
    pub fn answer(&self) -> Option<Value> {
        honest::answer(self.message.as_ref()?).filter(|_| self.method == "POST")
    }

    /// Bytes as they are.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// A response with the length that it has. `fields` are lines with their ends.
    pub fn respond(&mut self, status: &str, fields: &str, body: &[u8]) -> io::Result<()> {
        let head = format!(
            "HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n",
            body.len()
        );
        self.write([head.as_bytes(), body].concat())
    }

    pub fn json(&mut self, status: &str, body: &Value) -> io::Result<()> {
        self.respond(
            status,
            "Content-Type: application/json\r\n",
            body.to_string().as_bytes(),
        )
    }

    pub fn empty(&mut self, status: &str) -> io::Result<()> {
        self.respond(status, "", b"")
    }

    /// As Streamable HTTP has it: JSON for a request, 202 for anything else that is posted, no stream of its own and no session.
    pub fn honest(&mut self) -> io::Result<()> {
        self.honest_with("")
    }

    /// The same, with these lines in the head of every JSON body.
    pub fn honest_with(&mut self, fields: &str) -> io::Result<()> {
        if let Some(status) = self.refusal() {
            return self.empty(status);
        }
        let Some(message) = self.message.clone() else {
            let error = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32700, "message": "no JSON" } });
            return self.json("400 Bad Request", &error);
        };
        if message.get("result").is_some() || message.get("error").is_some() {
            return self.empty("202 Accepted");
        }
        match honest::answer(&message) {
            Some(answer) if answer["error"]["code"] == -32600 => {
                self.json("400 Bad Request", &answer)
            }
            Some(answer) => {
                let fields = format!("Content-Type: application/json\r\n{fields}");
                self.respond("200 OK", &fields, answer.to_string().as_bytes())
            }
            None => self.empty("202 Accepted"),
        }
    }

    /// Whether an honest server would look at it.
    pub fn is_lawful(&self) -> bool {
        self.refusal().is_none()
    }

    /// Why it is not even looked at.
    fn refusal(&self) -> Option<&'static str> {
        let of = |name: &str| {
            let named = self.fields.iter().find(|(known, _)| known == name);
            named.map(|(_, value)| value.as_str())
        };
        let known = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
        let own = self.address.to_string();
        match &*self.method {
            "POST" => {}
            "GET" | "DELETE" => return Some("405 Method Not Allowed"),
            _ => return Some("501 Not Implemented"),
        }
        if of("host") != Some(&own) || of("origin").is_some_and(|origin| !origin.ends_with(&own)) {
            return Some("403 Forbidden");
        }
        if of("mcp-protocol-version").is_some_and(|version| !known.contains(&version)) {
            return Some("400 Bad Request");
        }
        if of("content-type") != Some("application/json") {
            return Some("415 Unsupported Media Type");
        }
        None
    }

    /// The head of an event stream, and that of a body that lasts as long as the connection.
    pub fn begin_stream(&mut self) -> io::Result<()> {
        self.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
    }

    pub fn event(&mut self, message: &Value) -> io::Result<()> {
        self.write(format!("data: {message}\n\n"))
    }

    pub fn forever(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        loop {
            self.write(&bytes)?;
        }
    }

    /// The same again after each pause.
    pub fn slowly_forever(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> io::Result<()> {
        loop {
            self.write(&bytes)?;
            thread::sleep(pause);
        }
    }

    /// Says nothing more until the other side closes the connection.
    pub fn park(&mut self) -> io::Result<()> {
        while self.stream.read(&mut [0; 4096])? > 0 {}
        self.hang_up()
    }

    pub fn hang_up(&mut self) -> io::Result<()> {
        Err(ErrorKind::ConnectionAborted.into())
    }

    /// Ends the connection as a crash of the machine would.
    pub fn reset(&mut self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let _entered = runtime.enter();
        let also = self.stream.try_clone()?;
        also.set_nonblocking(true)?;
        // The option is the socket's, whoever holds it last.
        tokio::net::TcpStream::from_std(also)?.set_zero_linger()?;
        Err(ErrorKind::ConnectionReset.into())
    }

    /// Ends the whole server, with everything that is open.
    pub fn die(&mut self) -> io::Result<()> {
        self.shared.close(self.address);
        self.hang_up()
    }
}

/// 300 MiB of zeros as gzip has them, in less than 2 MiB: one zero, then the same again as often as it takes, each time 258 bytes.
pub fn bomb() -> Vec<u8> {
    const REPEATED: usize = 1_219_274;
    const LENGTH: u32 = 1 + 258 * 1_219_274;
    const CHECKSUM: u32 = 0x69f8_871c;
    let bits = "11000110000".chars();
    let bits = bits.chain("1100010100000".chars().cycle().take(13 * REPEATED));
    let mut bits = bits.chain("0000000".chars()).peekable();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    while bits.peek().is_some() {
        let eight = (0..8).zip(bits.by_ref().take(8));
        bytes.push(eight.fold(0, |byte, (at, bit)| byte | u8::from(bit == '1') << at));
    }
    bytes.extend_from_slice(&CHECKSUM.to_le_bytes());
    bytes.extend_from_slice(&LENGTH.to_le_bytes());
    bytes
}
