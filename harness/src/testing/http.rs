//! Scripted servers over HTTP: what they are asked is kept, what they answer goes out byte for byte.

use super::{card_of, case, catalogue, ordinary, pace, stage};
use crate::native::Means;
use crate::native::permission::Permissions;
use crate::prove::fixtures_in;
use crate::script::conversation::Conversation;
use crate::script::execute::{self, Context};
use crate::script::scope::Scope;
use crate::target::{Link, Peer, ScriptedHttp, Target};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Record;
use mcp_assay_peer::Planted;
use mcp_assay_transport::http::dial::{Dial, Dialing, Memory};
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::http::{Bounds, Client, Settings};
use mcp_assay_wire::http::Head;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A request as the server got it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) head: Head,
    pub(crate) body: String,
}

impl Asked {
    /// The HTTP method.
    pub(crate) fn verb(&self) -> &str {
        self.head.start.split(' ').next().unwrap_or_default()
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The method of the message, else the HTTP method.
    pub(crate) fn what(&self) -> String {
        let message = self.message();
        let method = message["method"].as_str();
        method.unwrap_or(self.verb()).to_owned()
    }
}

/// What the server does about a request.
#[derive(Clone, Debug)]
pub(crate) enum Say {
    /// Writes these bytes and reads on.
    Whole(String),
    /// Writes these bytes and closes the socket.
    Last(String),
    /// Writes these bytes, then nothing more, and keeps the socket.
    Open(String),
    /// Does this after a while.
    After(Duration, Box<Say>),
    /// Does this, and the server takes no connections from now on.
    Shut(Box<Say>),
}

impl Say {
    /// The same, later.
    pub(crate) fn after(self, ms: u64) -> Self {
        Say::After(Duration::from_millis(ms), Box::new(self))
    }

    /// Closes the socket without a byte.
    pub(crate) fn hang_up() -> Self {
        Say::Last(String::new())
    }

    /// Never says a byte.
    pub(crate) fn nothing() -> Self {
        Say::Open(String::new())
    }
}

/// A response with a JSON body.
pub(crate) fn json_answer(status: u16, body: &str) -> Say {
    let length = body.len();
    Say::Whole(format!(
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    ))
}

/// A response without a body.
pub(crate) fn bare_answer(status: u16) -> Say {
    Say::Whole(format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n"))
}

/// The head of an event stream that ends with its socket, and these events.
pub(crate) fn events(events: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{events}")
}

/// What every server does: answers requests by JSON, takes all else, and offers no stream.
pub(crate) fn ordinary_answer(asked: &Asked) -> Say {
    match asked.verb() {
        "POST" => match ordinary(&asked.message()).first() {
            Some(line) => json_answer(200, line),
            None => bare_answer(202),
        },
        "GET" => bare_answer(405),
        _ => bare_answer(200),
    }
}

/// A server in memory, all of whose sockets follow one script.
#[derive(Clone)]
pub(crate) struct Site {
    settings: Arc<Settings>,
    heard: Arc<Mutex<Vec<Asked>>>,
    is_shut: Arc<AtomicBool>,
}

/// Dials memory as long as it is open.
struct Door {
    inside: Memory,
    is_shut: Arc<AtomicBool>,
}

impl Dial for Door {
    fn dial<'a>(&'a self, endpoint: &'a Endpoint) -> Dialing<'a> {
        if self.is_shut.load(Ordering::Relaxed) {
            return Box::pin(async { Err(io::Error::other("nobody listens")) });
        }
        self.inside.dial(endpoint)
    }
}

impl Site {
    /// A server that answers each request so.
    pub(crate) fn new(answer: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let heard: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (answer, theirs) = (Arc::new(answer), Arc::clone(&heard));
        let is_shut: Arc<AtomicBool> = Arc::default();
        let shutter = Arc::clone(&is_shut);
        let serve = move |socket: DuplexStream| {
            let (answer, heard) = (Arc::clone(&answer), Arc::clone(&theirs));
            let shutter = Arc::clone(&shutter);
            tokio::spawn(async move { serve(socket, &*answer, &heard, &shutter).await });
        };
        let dial = Door {
            inside: Memory(Arc::new(serve)),
            is_shut: Arc::clone(&is_shut),
        };
        let settings = Settings {
            endpoint: Endpoint::parse("http://127.0.0.1/mcp").expect("it is an address"),
            headers: Vec::new(),
            dial: Arc::new(dial),
            bounds: Bounds::default(),
        };
        Site {
            settings: Arc::new(settings),
            heard,
            is_shut,
        }
    }

    /// Takes no connections from now on; open sockets stay.
    pub(crate) fn shut(&self) {
        self.is_shut.store(true, Ordering::Relaxed);
    }

    /// The server as a target.
    pub(crate) fn target(&self) -> Target {
        Target::ScriptedHttp(ScriptedHttp(Arc::clone(&self.settings)))
    }

    /// A client of it that has not said anything.
    pub(crate) fn conversation(&self) -> Conversation {
        let client = Client::streamable(Arc::clone(&self.settings));
        over(Link::Http(client, None), Binding::Http)
    }

    /// The same over HTTP+SSE.
    pub(crate) fn sse_conversation(&self) -> Conversation {
        let client = Client::http_sse(Arc::clone(&self.settings));
        over(Link::Http(client, None), Binding::HttpSse)
    }

    /// Everything that it was asked, in order.
    pub(crate) fn heard(&self) -> Vec<Asked> {
        self.heard.lock().expect("no test panics with it").clone()
    }

    /// The same, each in a word.
    pub(crate) fn words(&self) -> Vec<String> {
        self.heard().iter().map(Asked::what).collect()
    }

    /// The request with this method, of the message or of HTTP.
    pub(crate) fn asked(&self, what: &str) -> Asked {
        let mut heard = self.heard().into_iter();
        let found = heard.find(|asked| asked.what() == what);
        found.unwrap_or_else(|| panic!("nobody asked for {what}: {:?}", self.words()))
    }
}

async fn serve(
    mut socket: DuplexStream,
    answer: &(dyn Fn(&Asked) -> Say + Send + Sync),
    heard: &Mutex<Vec<Asked>>,
    is_shut: &AtomicBool,
) {
    let mut buffer = Vec::new();
    while let Some(asked) = request(&mut socket, &mut buffer).await {
        let mut say = answer(&asked);
        heard.lock().expect("no test panics with it").push(asked);
        loop {
            say = match say {
                Say::After(time, then) => {
                    tokio::time::sleep(time).await;
                    *then
                }
                Say::Shut(then) => {
                    is_shut.store(true, Ordering::Relaxed);
                    *then
                }
                Say::Whole(_) | Say::Last(_) | Say::Open(_) => break,
            }
        }
        // A client that went away is no matter of the server's.
        match say {
            Say::Whole(bytes) => {
                let _ = socket.write_all(bytes.as_bytes()).await;
            }
            Say::Last(bytes) => {
                let _ = socket.write_all(bytes.as_bytes()).await;
                return;
            }
            Say::Open(bytes) => {
                let _ = socket.write_all(bytes.as_bytes()).await;
                while matches!(socket.read_buf(&mut buffer).await, Ok(read) if read > 0) {}
                return;
            }
            Say::After(..) | Say::Shut(_) => unreachable!("they were unwrapped above"),
        }
    }
}

/// The next request with the body that its first Content-Length says.
async fn request(socket: &mut DuplexStream, buffer: &mut Vec<u8>) -> Option<Asked> {
    loop {
        let end = buffer.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end.map(|end| end + 4) {
            let head = Head::parse(buffer[..end].to_vec().into());
            let length = head.value("content-length").and_then(|it| it.parse().ok());
            let whole = end + length.unwrap_or(0);
            if buffer.len() >= whole {
                let body = String::from_utf8_lossy(&buffer[end..whole]).into_owned();
                buffer.drain(..whole);
                return Some(Asked { head, body });
            }
        }
        if socket.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A client of the reference server in memory, honest or with a named fault.
pub(crate) async fn peer(binding: Binding, fault: Option<&str>) -> Conversation {
    let planted = fault.map(|name| Planted::named_on_http(name).expect("a fault of this name"));
    let stage = stage(Target::Peer(Peer::over(binding, planted)));
    let link = stage.launcher.open().await.expect("memory is there");
    over(link, binding)
}

fn over(link: Link, binding: Binding) -> Conversation {
    Conversation::new(
        link,
        binding,
        crate::era::Manner::new(Revision::R2025_11_25),
        "c",
        pace(),
        HashSet::new(),
    )
}

/// Runs the first case of a card, whose steps are these, in a conversation over HTTP.
pub(crate) async fn play_over(
    conversation: &mut Conversation,
    revision: Revision,
    rest: &str,
) -> Record {
    let card = &card_of("a/b", rest);
    let (catalogue, fixtures) = (catalogue(), fixtures_in(revision));
    let vary = case(card).vary;
    let means = Means {
        permissions: Permissions::new(&["*"], false).expect("a star is a glob"),
        capabilities: json!({}),
        ..Means::default()
    };
    let context = Context {
        card,
        revision,
        binding: conversation.binding(),
        scope: Scope {
            facts: catalogue.facts(),
            revision,
            fixtures: &fixtures,
            vary: &vary,
        },
        means: &means,
    };
    let record = execute::run(context, conversation).await;
    record.expect("the card is sound")
}
