//! HTTP exchanges of many clients, told apart into conversations.
//!
//! ```text
//! request -> session id | endpoint of HTTP+SSE | initialize | socket | kind of client -> conversation
//! ```
//!
//! A session id says it all. Without one, `initialize` begins a conversation, and what follows on the same socket, else from a client of the
//! same address and name, belongs to the one begun last. What is no MCP (discovery of authorization, pages, other services behind the same
//! address) is left out and counted.

use super::entries::{Captured, Exchange, Numbers};
use super::{Heard, Talk};
use bytes::Bytes;
use mcp_assay_model::event::ConversationEnd;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Entry, HttpPart};
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::jsonrpc::{Kind, Malformed, Message};
use mcp_assay_wire::sse;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Conversations at once; beyond that the one that was silent for longest is taken for ended.
const MOST_TALKS: usize = 1024;
/// Paths that are known to speak MCP.
const MOST_PATHS: usize = 256;
/// Names that lead to conversations, of each kind.
const MOST_NAMES: usize = 64 * 1024;

/// A request, whole.
#[derive(Debug)]
pub struct Ask<'a> {
    /// When, since the listening began.
    pub at: Duration,
    /// Number of the socket, from 1; 0 where nobody knows.
    pub socket: u64,
    /// Where it comes from, as far as that is known.
    pub client: &'a str,
    /// Where it goes; empty where all go to one server.
    pub server: &'a str,
    /// Its head.
    pub head: Head,
    /// Method and target of its request line.
    pub line: (String, String),
    /// Its body.
    pub body: Captured,
}

/// A request of a conversation, as far as its response is concerned.
#[derive(Clone, Debug)]
pub struct Asked {
    talk: Talk,
    exchange: Exchange,
    method: String,
    server: String,
    target: String,
    is_initialize: bool,
    /// Status of its response, once it came.
    status: Option<u16>,
    /// Whether that is an event stream.
    is_stream: bool,
}

/// All conversations.
#[derive(Debug)]
pub struct Talks {
    prefix: &'static str,
    open: HashMap<Talk, Open>,
    begun: u64,
    clock: u64,
    sessions: HashMap<String, Talk>,
    /// Paths with queries that `endpoint` events named.
    endpoints: HashMap<String, Talk>,
    sockets: HashMap<u64, Talk>,
    clients: HashMap<String, Talk>,
    paths: BTreeSet<String>,
    /// Exchanges that are no MCP.
    pub left_out: u64,
}

/// A conversation that goes on.
#[derive(Debug, Default)]
struct Open {
    numbers: Numbers,
    exchanges: u64,
    /// Not known where it began with a GET: its first event tells.
    binding: Option<Binding>,
    held: Vec<Entry>,
    /// Whether nothing but a wish for events says that it is MCP.
    is_doubtful: bool,
    /// Exchange whose stream carries everything, over HTTP+SSE.
    lifeline: Option<u64>,
    /// Whether a handshake without a session was answered well.
    is_stateless: bool,
    used: u64,
}

impl Talks {
    /// None so far; their names begin with `prefix`.
    pub fn new(prefix: &'static str) -> Self {
        Talks {
            prefix,
            open: HashMap::new(),
            begun: 0,
            clock: 0,
            sessions: HashMap::new(),
            endpoints: HashMap::new(),
            sockets: HashMap::new(),
            clients: HashMap::new(),
            paths: BTreeSet::new(),
            left_out: 0,
        }
    }

    /// Says that a path of a server speaks MCP, whatever is sent there.
    pub fn know_path(&mut self, server: &str, target: &str) {
        if self.paths.len() < MOST_PATHS {
            self.paths.insert(format!("{server}{}", path(target)));
        }
    }

    fn is_known(&self, server: &str, target: &str) -> bool {
        self.paths.contains(&format!("{server}{}", path(target)))
    }

    /// Takes a request; `None` where it is no MCP.
    pub fn ask(&mut self, ask: Ask<'_>, out: &mut Vec<Heard>) -> Option<Asked> {
        let Ask {
            at,
            socket,
            client,
            server,
            head,
            line: (method, target),
            body,
        } = ask;
        let blank = Exchange { number: 0, socket };
        let mut entry = blank.request(at, (&method, &target), head, body);
        let Some(HttpPart::Request { head, .. }) = entry.http.as_ref().map(|http| &http.part)
        else {
            return None;
        };
        let session = head.value("mcp-session-id").filter(|id| !id.is_empty());
        let message = entry.message.as_ref();
        let is_known = self.is_known(server, &target);
        if !is_mcp(&method, head, message, is_known) {
            self.left_out += 1;
            return None;
        }
        if message.is_some() {
            self.know_path(server, &target);
        }
        let session = session.map(|session| format!("{server}\n{session}"));
        let endpoint = format!("{server}{target}");
        let is_initialize = message
            .is_some_and(|message| message.method.as_deref() == Some("initialize"))
            && method == "POST";
        let agent = head.value("user-agent").unwrap_or_default();
        let client = format!("{server}\n{client}\n{agent}");
        let talk = self.place(
            &Place {
                session: session.as_deref(),
                endpoint: &endpoint,
                method: &method,
                socket,
                client: &client,
                is_initialize,
                is_known,
            },
            out,
        );
        if socket > 0 {
            insert(&mut self.sockets, socket, &talk);
        }
        insert(&mut self.clients, client, &talk);
        if let Some(session) = session {
            insert(&mut self.sessions, session, &talk);
        }
        let open = self.open.entry(talk.clone()).or_default();
        open.exchanges += 1;
        let exchange = Exchange {
            number: open.exchanges,
            socket,
        };
        if let Some(http) = &mut entry.http {
            http.exchange = exchange.number;
        }
        if open.exchanges > 1 && open.binding.is_none() {
            self.decide(&talk, Binding::Http, out);
        }
        self.push(&talk, entry, out);
        Some(Asked {
            talk,
            exchange,
            method,
            server: server.to_owned(),
            target,
            is_initialize,
            status: None,
            is_stream: false,
        })
    }

    fn place(&mut self, place: &Place<'_>, out: &mut Vec<Heard>) -> Talk {
        if let Some(session) = place.session {
            return match self.sessions.get(session) {
                Some(talk) => talk.clone(),
                // The listening began in the middle of it.
                None => self.begin(Some(Binding::Http), out),
            };
        }
        if let Some(talk) = self.endpoints.get(place.endpoint) {
            return talk.clone();
        }
        if place.is_initialize {
            return self.begin(Some(Binding::Http), out);
        }
        let near = self
            .sockets
            .get(&place.socket)
            .or_else(|| self.clients.get(place.client))
            .cloned();
        // What may be no MCP at all has no part in what is.
        let is_sure = |talk: &Talk| self.open.get(talk).is_some_and(|it| it.binding.is_some());
        let near = near.filter(is_sure);
        if place.method == "GET" {
            // Without a session it is a stream of a server that keeps none, or the beginning of HTTP+SSE.
            let is_stateless = |talk: &Talk| self.open.get(talk).is_some_and(|it| it.is_stateless);
            return match near.filter(is_stateless) {
                Some(talk) => talk,
                None => {
                    let talk = self.begin(None, out);
                    if let Some(open) = self.open.get_mut(&talk) {
                        open.is_doubtful = !place.is_known;
                    }
                    talk
                }
            };
        }
        match near {
            Some(talk) => talk,
            None => self.begin(Some(Binding::Http), out),
        }
    }

    fn begin(&mut self, binding: Option<Binding>, out: &mut Vec<Heard>) -> Talk {
        while self.open.len() >= MOST_TALKS {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used);
            let Some(talk) = oldest.map(|(talk, _)| talk.clone()) else {
                break;
            };
            self.end_talk(&talk, ConversationEnd::Open, out);
        }
        self.begun += 1;
        let talk: Talk = format!("{}/{}", self.prefix, self.begun).into();
        self.open.insert(talk.clone(), Open::default());
        if let Some(binding) = binding {
            self.decide(&talk, binding, out);
        }
        talk
    }

    /// Says how the messages of a conversation travel, and lets go what waited for it.
    fn decide(&mut self, talk: &Talk, binding: Binding, out: &mut Vec<Heard>) {
        let Some(open) = self.open.get_mut(talk) else {
            return;
        };
        if open.binding.is_some() {
            return;
        }
        if open.is_doubtful && binding == Binding::Http {
            self.open.remove(talk);
            self.left_out += 1;
            return;
        }
        open.binding = Some(binding);
        out.push(Heard::Began {
            talk: talk.clone(),
            binding,
            revision: None,
        });
        for entry in std::mem::take(&mut open.held) {
            let entries = open.numbers.number(entry).into_iter();
            out.extend(entries.map(|entry| Heard::Entry(talk.clone(), Box::new(entry))));
        }
    }

    fn push(&mut self, talk: &Talk, entry: Entry, out: &mut Vec<Heard>) {
        self.clock += 1;
        let Some(open) = self.open.get_mut(talk) else {
            return;
        };
        open.used = self.clock;
        if open.binding.is_none() {
            open.held.push(entry);
            return;
        }
        let entries = open.numbers.number(entry).into_iter();
        out.extend(entries.map(|entry| Heard::Entry(talk.clone(), Box::new(entry))));
    }

    /// Takes the head of a response; tells whether an event stream follows.
    pub fn head(
        &mut self,
        asked: &mut Asked,
        at: Duration,
        (status, head): (u16, Head),
        out: &mut Vec<Heard>,
    ) -> bool {
        let is_good = (200..300).contains(&status);
        asked.status = Some(status);
        asked.is_stream = is_good && head.media_type().as_deref() == Some("text/event-stream");
        let session = head.value("mcp-session-id").filter(|id| !id.is_empty());
        if let Some(open) = self.open.get_mut(&asked.talk)
            && asked.is_initialize
            && is_good
        {
            open.is_stateless = session.is_none();
        }
        if let Some(session) = session.filter(|_| is_good) {
            let session = format!("{}\n{session}", asked.server);
            insert(&mut self.sessions, session, &asked.talk);
        }
        let entry = asked.exchange.response(at, status, head);
        self.push(&asked.talk, entry, out);
        asked.is_stream
    }

    /// Takes a body that is no event stream.
    pub fn body(&mut self, asked: &Asked, at: Duration, body: Captured, out: &mut Vec<Heard>) {
        self.decide(&asked.talk, Binding::Http, out);
        if body.length > 0 {
            let entry = asked.exchange.body(at, body);
            self.push(&asked.talk, entry, out);
        }
    }

    /// Takes an event.
    pub fn event(&mut self, asked: &Asked, at: Duration, event: sse::Event, out: &mut Vec<Heard>) {
        let is_undecided = |open: &Open| open.binding.is_none();
        if self.open.get(&asked.talk).is_some_and(is_undecided) {
            // A comment keeps a stream open and says nothing of what it is.
            let is_endpoint = event.name.as_deref() == Some("endpoint");
            if is_endpoint || event.data.is_some() {
                let binding = if is_endpoint {
                    Binding::HttpSse
                } else {
                    Binding::Http
                };
                self.decide(&asked.talk, binding, out);
            }
            if is_endpoint {
                self.learn_endpoint(asked, event.data.as_ref());
            }
        }
        let entry = asked.exchange.event(at, event);
        self.push(&asked.talk, entry, out);
    }

    fn learn_endpoint(&mut self, asked: &Asked, data: Option<&Bytes>) {
        if let Some(open) = self.open.get_mut(&asked.talk) {
            open.lifeline = Some(asked.exchange.number);
        }
        let text = data.and_then(|data| std::str::from_utf8(data).ok());
        // The host is of no matter: only what comes by here is heard.
        let base = url::Url::parse("http://localhost").ok();
        let base = base.and_then(|base| base.join(&asked.target).ok());
        let Some(url) = base.and_then(|base| base.join(text?.trim()).ok()) else {
            return;
        };
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        self.know_path(&asked.server, &target);
        let endpoint = format!("{}{target}", asked.server);
        insert(&mut self.endpoints, endpoint, &asked.talk);
    }

    /// Takes the end of a response, or what it came to instead of one.
    pub fn end(&mut self, asked: &Asked, at: Duration, end: End, out: &mut Vec<Heard>) {
        self.decide(&asked.talk, Binding::Http, out);
        if asked.is_stream || end != End::Complete {
            let entry = asked.exchange.end(at, end.clone(), asked.is_stream);
            self.push(&asked.talk, entry, out);
        }
        let lifeline = self.open.get(&asked.talk).and_then(|open| open.lifeline);
        if lifeline == Some(asked.exchange.number) {
            let after = self.last(&asked.talk);
            let ended = match end {
                End::Closed => ConversationEnd::Closed,
                End::Complete => ConversationEnd::Died {
                    why: "its event stream ended".to_owned(),
                    after,
                },
                End::Cut(why) | End::Failed(why) => ConversationEnd::Died {
                    why: format!("its event stream broke off: {why}"),
                    after,
                },
            };
            self.end_talk(&asked.talk, ended, out);
        } else if asked.method == "DELETE"
            && asked
                .status
                .is_some_and(|status| (200..300).contains(&status))
        {
            self.end_talk(&asked.talk, ConversationEnd::Closed, out);
        }
    }

    /// Takes note that something of a conversation passed and was not kept.
    pub fn lost(&mut self, asked: &Asked, bytes: u64, why: &str, out: &mut Vec<Heard>) {
        self.decide(&asked.talk, Binding::Http, out);
        if self.open.contains_key(&asked.talk) {
            out.push(Heard::Lost {
                talk: asked.talk.clone(),
                after: self.last(&asked.talk),
                bytes,
                why: why.to_owned(),
            });
        }
    }

    /// Takes note that something passed that may have belonged to any conversation.
    pub fn lost_somewhere(&mut self, bytes: u64, why: &str, out: &mut Vec<Heard>) {
        for (talk, open) in &self.open {
            if open.binding.is_some() {
                out.push(Heard::Lost {
                    talk: talk.clone(),
                    after: open.numbers.last(),
                    bytes,
                    why: why.to_owned(),
                });
            }
        }
    }

    fn last(&self, talk: &Talk) -> u64 {
        self.open.get(talk).map_or(0, |open| open.numbers.last())
    }

    fn end_talk(&mut self, talk: &Talk, end: ConversationEnd, out: &mut Vec<Heard>) {
        self.decide(talk, Binding::Http, out);
        if self.open.remove(talk).is_some() {
            out.push(Heard::Ended(talk.clone(), end));
        }
        let others = |_: &_, named: &mut Talk| named != talk;
        self.sessions.retain(|key, named| others(key, named));
        self.endpoints.retain(|key, named| others(key, named));
        self.clients.retain(|key, named| others(key, named));
        self.sockets.retain(|_, named| named != talk);
    }

    /// Forgets a socket.
    pub fn forget(&mut self, socket: u64) {
        self.sockets.remove(&socket);
    }

    /// The listening is over.
    pub fn finish(&mut self, out: &mut Vec<Heard>) {
        let mut talks: Vec<(u64, Talk)> = self
            .open
            .iter()
            .map(|(talk, open)| (open.used, talk.clone()))
            .collect();
        talks.sort();
        for (_, talk) in talks {
            self.end_talk(&talk, ConversationEnd::Open, out);
        }
    }
}

/// What tells where a request belongs.
struct Place<'a> {
    session: Option<&'a str>,
    endpoint: &'a str,
    method: &'a str,
    socket: u64,
    client: &'a str,
    is_initialize: bool,
    is_known: bool,
}

/// `is_known`: its path speaks MCP.
fn is_mcp(method: &str, head: &Head, message: Option<&Message>, is_known: bool) -> bool {
    let has_session = head.values("mcp-session-id").next().is_some();
    match method {
        "POST" => is_known || has_session || message.is_some_and(is_json_rpc),
        "GET" => {
            let accepts_events = head.values("accept").any(|value| {
                String::from_utf8_lossy(value)
                    .to_ascii_lowercase()
                    .contains("text/event-stream")
            });
            is_known || has_session || accepts_events
        }
        "DELETE" => is_known || has_session,
        // A browser asks before it sends; that is none of the protocol's.
        "OPTIONS" => false,
        _ => is_known,
    }
}

/// Whether JSON is meant as JSON-RPC.
fn is_json_rpc(message: &Message) -> bool {
    match message.kind {
        Kind::Request | Kind::Notification | Kind::Result | Kind::Error => {
            message.value.get("jsonrpc").is_some()
        }
        Kind::Batch => message.batch.iter().any(is_json_rpc),
        Kind::Malformed(Malformed::NotAnObject | Malformed::EmptyBatch) => false,
        Kind::Malformed(_) => message.value.get("jsonrpc").is_some(),
    }
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// Names lead to the conversation that used them last; hostile traffic may bring any number.
fn insert<K: std::hash::Hash + Eq>(names: &mut HashMap<K, Talk>, name: K, talk: &Talk) {
    if names.len() < MOST_NAMES || names.contains_key(&name) {
        names.insert(name, talk.clone());
    }
}
