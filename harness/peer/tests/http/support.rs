//! A client for tests: one in-memory socket an exchange, all that comes kept with its time.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use mcp_assay_peer::{HttpOptions, HttpServer, Options, Planted};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

pub const BOTH: &str = "application/json, text/event-stream";

pub const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;

/// A call that takes half a second.
pub const SLOW: &str = r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}"#;

pub const LOGGING: &str =
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#;

/// An honest server.
pub fn honest() -> HttpServer {
    HttpServer::new(HttpOptions::default())
}

/// A server with this fault.
pub fn lying(fault: Planted) -> HttpServer {
    HttpServer::new(HttpOptions {
        options: Options {
            fault: Some(fault),
            ..Options::default()
        },
        ..HttpOptions::default()
    })
}

/// What came of one request.
#[derive(Debug, Default)]
pub struct Seen {
    pub status: Option<u16>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// When each piece came: milliseconds since the request, and bytes so far.
    pub pieces: Vec<(u128, usize)>,
    /// Whether the response is over, whole or not.
    pub is_over: bool,
    /// Whether it broke off, or never came.
    pub is_broken: bool,
}

/// One request and what comes of it. Dropped, its socket closes.
pub struct Exchange {
    seen: Arc<Mutex<Seen>>,
    changed: Arc<Notify>,
    _tasks: JoinSet<()>,
}

/// An event of a stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    pub name: Option<String>,
    pub id: Option<String>,
    pub retry: Option<String>,
    pub data: Option<String>,
}

impl Event {
    /// Whether it holds a message: not a priming event, and not an endpoint.
    pub fn is_message(&self) -> bool {
        let has_data = self.data.as_deref().is_some_and(|data| !data.is_empty());
        has_data && self.name.as_deref() != Some("endpoint")
    }

    pub fn json(&self) -> Value {
        let data = self.data.as_deref().unwrap();
        serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"))
    }
}

/// Sends a request over a socket of its own.
pub fn ask(
    server: &HttpServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Exchange {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let server = server.clone();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let changed = Arc::new(Notify::new());
    let mut tasks = JoinSet::new();
    // The server's side ends by itself once the client's is dropped.
    tokio::spawn(async move { server.serve_socket(theirs).await });
    let (seeing, telling) = (Arc::clone(&seen), Arc::clone(&changed));
    tasks.spawn(async move {
        let begun = Instant::now();
        let tell = |change: &dyn Fn(&mut Seen)| {
            change(&mut seeing.lock().unwrap());
            telling.notify_waiters();
        };
        let over = |is_broken| {
            tell(&|seen| (seen.is_over, seen.is_broken) = (true, is_broken));
        };
        let Ok((mut sender, connection)) =
            hyper::client::conn::http1::handshake(TokioIo::new(ours)).await
        else {
            return over(true);
        };
        let mut running = JoinSet::new();
        running.spawn(connection);
        let Ok(response) = sender.send_request(request).await else {
            return over(true);
        };
        let (head, mut body) = response.into_parts();
        tell(&|seen| {
            seen.status = Some(head.status.as_u16());
            seen.headers = head.headers.clone();
        });
        loop {
            match body.frame().await {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap();
                    tell(&|seen| {
                        seen.body.extend_from_slice(&data);
                        let length = seen.body.len();
                        seen.pieces.push((begun.elapsed().as_millis(), length));
                    });
                }
                Some(Err(_)) => return over(true),
                None => return over(false),
            }
        }
    });
    Exchange {
        seen,
        changed,
        _tasks: tasks,
    }
}

impl Exchange {
    /// Waits until something holds of what was seen.
    pub async fn until<T>(&self, holds: impl Fn(&Seen) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(held) = holds(&self.seen.lock().unwrap()) {
                    return held;
                }
                changed.await;
            }
        };
        let waiting = tokio::time::timeout(Duration::from_secs(100), waiting);
        let held = waiting.await;
        held.unwrap_or_else(|_| panic!("in time, but saw {:?}", self.seen.lock().unwrap()))
    }

    pub async fn status(&self) -> u16 {
        self.until(|seen| seen.status).await
    }

    pub async fn header(&self, name: &str) -> Option<String> {
        self.status().await;
        let seen = self.seen.lock().unwrap();
        let value = seen.headers.get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }

    /// The whole body, once it has ended.
    pub async fn body(&self) -> String {
        self.until(|seen| seen.is_over.then(|| text(&seen.body)))
            .await
    }

    pub async fn json(&self) -> Value {
        let body = self.body().await;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        events(&self.seen.lock().unwrap().body)
    }

    /// The messages so far.
    pub fn messages(&self) -> Vec<Value> {
        let events = self.events().into_iter();
        let events = events.filter(Event::is_message);
        events.map(|event| event.json()).collect()
    }

    /// The first message for which this holds.
    pub async fn message(&self, holds: impl Fn(&Value) -> bool) -> Value {
        self.until(|seen| {
            let events = events(&seen.body).into_iter();
            let mut messages = events.filter(Event::is_message).map(|event| event.json());
            messages.find(|message| holds(message))
        })
        .await
    }

    /// All events, once the stream has ended.
    pub async fn all_events(&self) -> Vec<Event> {
        self.body().await;
        self.events()
    }

    pub fn is_over(&self) -> bool {
        self.seen.lock().unwrap().is_over
    }

    pub fn is_broken(&self) -> bool {
        self.seen.lock().unwrap().is_broken
    }

    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.seen.lock().unwrap())
    }
}

/// The events of a stream, the last only if it is whole.
pub fn events(body: &[u8]) -> Vec<Event> {
    let text = text(body).replace("\r\n", "\n");
    let text = text.trim_start_matches('\u{feff}');
    let mut events = Vec::new();
    let mut event = Event::default();
    for line in text.split_inclusive('\n') {
        let Some(line) = line.strip_suffix('\n') else {
            break;
        };
        if line.is_empty() {
            events.push(std::mem::take(&mut event));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "event" => event.name = Some(value),
            "id" => event.id = Some(value),
            "retry" => event.retry = Some(value),
            "data" => match &mut event.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                None => event.data = Some(value),
            },
            _ => {}
        }
    }
    events
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A client after its handshake.
pub struct Client {
    pub server: HttpServer,
    pub session: Option<String>,
    pub version: Option<String>,
}

impl Client {
    /// Shakes hands for a revision, with these capabilities.
    pub async fn open(server: &HttpServer, revision: &str, capabilities: Value) -> Client {
        let mut client = Client {
            server: server.clone(),
            session: None,
            version: None,
        };
        let answer = client.post(&initialize(revision, &capabilities));
        assert_eq!(answer.status().await, 200);
        client.session = answer.header("mcp-session-id").await;
        answer.body().await;
        let content_type = answer.header("content-type").await;
        let answer = match content_type.as_deref() {
            Some("text/event-stream") => answer.messages().swap_remove(0),
            _ => answer.json().await,
        };
        let spoken = answer["result"]["protocolVersion"].as_str().unwrap();
        client.version = (spoken >= "2025-06-18").then(|| spoken.to_owned());
        let initialized = client.post(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert_eq!(initialized.status().await, 202);
        client
    }

    /// An honest server's client, in the latest revision.
    pub async fn of_honest() -> Client {
        Client::open(&honest(), "2025-11-25", json!({})).await
    }

    /// What this client always sends.
    pub fn headers(&self, accept: &str) -> Vec<(String, String)> {
        let mut headers = vec![
            ("host".to_owned(), "localhost".to_owned()),
            ("accept".to_owned(), accept.to_owned()),
        ];
        for (name, value) in [
            ("mcp-session-id", &self.session),
            ("mcp-protocol-version", &self.version),
        ] {
            headers.extend(value.clone().map(|value| (name.to_owned(), value)));
        }
        headers
    }

    /// A request with other headers than the usual ones; `None` leaves one out.
    pub fn ask(
        &self,
        method: &str,
        changes: &[(&str, Option<&str>)],
        body: impl Into<Bytes>,
    ) -> Exchange {
        let mut headers = match method {
            "GET" => self.headers("text/event-stream"),
            _ => self.headers(BOTH),
        };
        if method == "POST" {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        for (name, value) in changes {
            headers.retain(|(other, _)| other != name);
            headers.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        let headers: Vec<_> = headers
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        ask(&self.server, method, "/mcp", &headers, body)
    }

    pub fn post(&self, body: &str) -> Exchange {
        self.ask("POST", &[], body.to_owned())
    }

    /// Opens a GET stream and waits for its head.
    pub async fn listen(&self) -> Exchange {
        let stream = self.ask("GET", &[], "");
        assert_eq!(stream.status().await, 200);
        stream
    }

    pub fn resume(&self, last: &str) -> Exchange {
        self.ask("GET", &[("last-event-id", Some(last))], "")
    }

    pub fn delete(&self) -> Exchange {
        self.ask("DELETE", &[], "")
    }

    /// A request that is answered by one JSON text.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.post(&request(json!("c"), method, params));
        assert_eq!(answer.status().await, 200);
        answer.json().await
    }

    /// A call of a tool.
    pub fn tool(&self, id: Value, name: &str, arguments: Value) -> Exchange {
        let params = json!({ "name": name, "arguments": arguments });
        self.post(&request(id, "tools/call", params))
    }
}

pub fn request(id: Value, method: &str, params: Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// A modern request: what every one has in `_meta` is added to the parameters.
pub fn modern(id: Value, method: &str, mut params: Value) -> Value {
    let mut meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    if let Some(more) = params["_meta"].as_object() {
        meta.as_object_mut().unwrap().extend(more.clone());
    }
    params["_meta"] = meta;
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The headers that a modern request has beside the usual ones; none for a body that is no such request.
pub fn mirrored(body: &str) -> Vec<(&'static str, String)> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let version = &body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
    let Some(version) = version.as_str() else {
        return Vec::new();
    };
    let method = body["method"].as_str().unwrap();
    let mut headers = vec![
        ("mcp-protocol-version", version.to_owned()),
        ("mcp-method", method.to_owned()),
    ];
    let name = match method {
        "tools/call" | "prompts/get" => body["params"]["name"].as_str(),
        "resources/read" => body["params"]["uri"].as_str(),
        _ => None,
    };
    headers.extend(name.map(|name| ("mcp-name", name.to_owned())));
    headers
}

/// Posts a modern request with these changes to its headers; `None` leaves one out.
pub fn post_modern(
    server: &HttpServer,
    changes: &[(&str, Option<&str>)],
    body: &Value,
) -> Exchange {
    let body = body.to_string();
    let mut headers = vec![
        ("host", "localhost".to_owned()),
        ("accept", BOTH.to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    headers.extend(mirrored(&body));
    for (name, value) in changes {
        headers.retain(|(other, _)| other != name);
        headers.extend(value.map(|value| (*name, value.to_owned())));
    }
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    ask(server, "POST", "/mcp", &headers, body)
}

pub fn initialize(revision: &str, capabilities: &Value) -> String {
    let params = json!({
        "protocolVersion": revision,
        "capabilities": capabilities,
        "clientInfo": { "name": "test", "version": "1" },
    });
    request(json!("init"), "initialize", params)
}

/// Lets time pass.
pub async fn wait(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
