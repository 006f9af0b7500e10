//! What both sides said in one conversation so far: the memory that all rules share.
//!
//! ```text
//! entry -> Dialogue (by connection) -> Client: requests of either side, what was negotiated and declared
//!                                   -> Said: the entry, its message, and over HTTP the request in whose exchange it stands
//! received, by this revision        -> Came: what rules on servers judge
//! sent, by this revision            -> Came: what rules on clients judge
//! ```
//!
//! Cards send unlawful requests on purpose, and a server of both eras may serve them as a legacy server does. So it may serve
//! `initialize`, which cards send to see which era answers: from then on its lines are those of a legacy conversation.
//!
//! Memory is bounded: requests that were answered long ago are forgotten (see [`Requests`]).

mod requests;

pub(super) use requests::{Asked, IdKey, Requests};

use super::Before;
use super::http::exchange;
use crate::place::Place;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart, Past};
use mcp_assay_schemas::methods::Sender;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use mcp_assay_wire::raw;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The clients of one conversation, by the label of their connection.
pub(super) struct Dialogue {
    revision: Revision,
    before: Before,
    /// Whether the client is judged as well; not where it is ourselves, and breaks rules on purpose.
    pub judges_clients: bool,
    /// Whether what breaks no rule is noted.
    pub takes_notes: bool,
    by_label: BTreeMap<String, Client>,
}

/// One client and its server.
#[derive(Default)]
pub(super) struct Client {
    /// Its own, of those of one conversation: what stands for its label where much is remembered by it.
    pub number: usize,
    /// Requests of the client.
    pub asked: Requests,
    /// Requests of the server.
    pub questions: Requests,
    /// What the handshake of the legacy era came to.
    pub handshake: Handshake,
    /// What the server declared last, in the result of `initialize` or of `server/discover`.
    pub server_capabilities: Option<Value>,
    /// Positions of `initialize` requests that were not refused.
    legacy: BTreeSet<u64>,
    /// Whether it sent what we cannot read: then it is not known what it asked.
    pub is_unreadable: bool,
    /// What it asked in conversations before this one, of which nothing else is known.
    pub past: Past,
    /// Whether it may have said anything before.
    pub is_midway: bool,
}

/// The handshake of the legacy era.
#[derive(Clone, Debug, Default)]
pub(super) struct Handshake {
    /// What the client declared in the last `initialize`.
    pub client_capabilities: Option<Value>,
    /// The version of the result.
    pub version: Option<String>,
    /// How many results of `initialize` came.
    pub results: u32,
    /// Whether the client said that it is ready.
    pub is_initialized: bool,
    /// Whether the client said that its roots changed.
    pub has_told_of_roots: bool,
}

/// One entry, and what is known of its conversation once it is taken in.
pub(super) struct Said<'d> {
    /// The entry.
    pub entry: &'d Entry,
    /// The client that it came to, or that sent it.
    pub client: &'d Client,
    /// Its message, where it is one by the revision.
    message: Option<Came<'d>>,
    /// Whether the client is judged as well.
    pub judges_clients: bool,
    /// Whether what breaks no rule is noted.
    pub takes_notes: bool,
}

/// A single message by the revision.
#[derive(Clone, Copy)]
pub(super) struct Came<'d> {
    /// The entry.
    pub entry: &'d Entry,
    /// The message.
    pub message: &'d Message,
    /// The client that it came to, or that sent it.
    pub client: &'d Client,
    /// Over HTTP, the lawful request in whose exchange it stands.
    pub stream: Option<&'d Asked>,
    answers: Option<&'d Asked>,
}

impl Dialogue {
    /// Nothing said so far.
    pub fn new(revision: Revision, before: Before) -> Self {
        Dialogue {
            revision,
            before,
            judges_clients: false,
            takes_notes: false,
            by_label: BTreeMap::new(),
        }
    }

    /// Takes in the next entry.
    pub fn see<'d>(&'d mut self, entry: &'d Entry) -> Said<'d> {
        if !self.by_label.contains_key(&entry.connection) {
            let (past, is_midway) = match &self.before {
                Before::Asked(past) => (past.clone(), false),
                Before::Anything => (Past::default(), true),
            };
            let client = Client {
                number: self.by_label.len(),
                past,
                is_midway,
                ..Client::default()
            };
            self.by_label.insert(entry.connection.clone(), client);
        }
        let revision = self.revision;
        let client = self
            .by_label
            .get_mut(&entry.connection)
            .expect("it was put there");
        client.take_in(entry, revision);
        let client: &Client = client;
        Said {
            entry,
            client,
            message: client.came(entry, revision),
            judges_clients: self.judges_clients,
            takes_notes: self.takes_notes,
        }
    }
}

impl<'d> Said<'d> {
    /// What a server sent.
    ///
    /// **Shape**: a single message received in the exchange of a lawful request, or as a line; in the legacy era where this revision was
    /// negotiated, in the modern one where no legacy conversation was opened. `None` for all else.
    pub fn came(&self) -> Option<Came<'d>> {
        let is_received = self.entry.direction == Direction::Received;
        self.message.filter(|_| is_received)
    }

    /// What a client sent, in the same sense, where clients are judged.
    pub fn asked(&self) -> Option<Came<'d>> {
        let is_sent = self.entry.direction == Direction::Sent;
        self.message.filter(|_| is_sent && self.judges_clients)
    }

    /// The lawful request in whose HTTP exchange the entry stands.
    pub fn carrier(&self) -> Option<&'d Asked> {
        let http = self.entry.http.as_ref()?;
        self.client.carrier(http)
    }
}

impl Client {
    fn take_in(&mut self, entry: &Entry, revision: Revision) {
        // What the end of a stream cut off was never delivered.
        if is_cut(entry) {
            return;
        }
        if let Some(Http {
            exchange,
            part: HttpPart::Response { status, .. },
        }) = &entry.http
        {
            self.asked.head(*exchange, *status);
        }
        let Some(message) = &entry.message else {
            self.is_unreadable |= entry.direction == Direction::Sent && !entry.raw.is_empty();
            return;
        };
        let items = if entry.part_of.is_some() {
            // The items of a batch are read with it.
            &[]
        } else if message.kind == Kind::Batch {
            message.batch.as_slice()
        } else {
            std::slice::from_ref(message)
        };
        let in_batch = message.kind == Kind::Batch;
        for item in items {
            match (entry.direction, item.kind) {
                (Direction::Sent, Kind::Request) => {
                    if item.method.as_deref() == Some("initialize") {
                        self.legacy.insert(entry.seq);
                        let declared = item.value.at("/params/capabilities");
                        self.handshake.client_capabilities = declared.cloned();
                    }
                    let is_lawful = !in_batch && is_lawful(entry, item, revision);
                    self.asked.ask(entry, item, is_lawful);
                }
                (Direction::Sent, Kind::Notification) => match item.method.as_deref() {
                    Some("notifications/initialized") => self.handshake.is_initialized = true,
                    Some("notifications/roots/list_changed") => {
                        self.handshake.has_told_of_roots = true;
                    }
                    _ => {}
                },
                (Direction::Sent, Kind::Malformed(_)) => self.is_unreadable = true,
                (Direction::Sent, Kind::Result | Kind::Error) => {
                    self.questions.answer(entry, item);
                }
                (Direction::Received, Kind::Request) => self.questions.ask(entry, item, true),
                (Direction::Received, Kind::Result | Kind::Error) => self.answered(entry, item),
                (Direction::Received, Kind::Notification | Kind::Malformed(_))
                | (_, Kind::Batch) => {}
            }
        }
    }

    fn answered(&mut self, entry: &Entry, message: &Message) {
        self.asked.answer(entry, message);
        let Some(asked) = self.asked.answered_by(entry, message) else {
            return;
        };
        let (seq, is_first) = (asked.seq, asked.answered == Some(entry.seq));
        let is_initialize = asked.method == "initialize";
        if message.kind == Kind::Error {
            self.legacy.remove(&seq);
            return;
        }
        let is_discover = asked.method == "server/discover";
        if is_first && (is_initialize || is_discover) {
            let declared = message.value.at("/result/capabilities");
            self.server_capabilities = declared.cloned();
        }
        if is_first && is_initialize {
            let version = message.value.at("/result/protocolVersion");
            self.handshake.version = version.and_then(Value::as_str).map(str::to_owned);
            self.handshake.results += 1;
        }
    }

    /// Whether a message is one by the revision, and in the exchange of which lawful request it stands.
    fn judged(&self, entry: &Entry, revision: Revision) -> Option<Option<&Asked>> {
        let message = entry.message.as_ref()?;
        if is_cut(entry) || matches!(message.kind, Kind::Batch | Kind::Malformed(_)) {
            return None;
        }
        let is_line = entry.http.is_none() && entry.channel != Channel::Stderr;
        let stream = entry.http.as_ref().and_then(|http| self.carrier(http));
        // The body of a failure may be anything that is not a message.
        let is_body = matches!(
            &entry.http,
            Some(Http {
                part: HttpPart::Body,
                ..
            })
        );
        let has_succeeded = |status: u16| (200..300).contains(&status);
        if is_body
            && !stream
                .and_then(|asked| asked.status)
                .is_some_and(has_succeeded)
            && message.value.get("jsonrpc").and_then(Value::as_str) != Some("2.0")
        {
            return None;
        }
        let is_judged = match revision.era() {
            Era::Modern => {
                entry.part_of.is_none() && (stream.is_some() || (is_line && self.legacy.is_empty()))
            }
            Era::Legacy => {
                let is_spoken = self.handshake.version.as_deref() == Some(revision.as_str());
                // With two handshakes it is not known by which of them a message is.
                match self.handshake.results {
                    0 => self.is_midway && self.legacy.is_empty(),
                    1 => is_spoken,
                    _ => false,
                }
            }
        };
        is_judged.then_some(stream)
    }

    /// The message of an entry, where it is one by the revision.
    fn came<'d>(&'d self, entry: &'d Entry, revision: Revision) -> Option<Came<'d>> {
        let message = entry.message.as_ref()?;
        Some(Came {
            entry,
            message,
            client: self,
            stream: self.judged(entry, revision)?,
            answers: self.answered_by(entry, message),
        })
    }

    /// The lawful request that a response answers by its id, where it can be told which it is.
    fn answered_by(&self, entry: &Entry, message: &Message) -> Option<&Asked> {
        if !matches!(message.kind, Kind::Result | Kind::Error) {
            return None;
        }
        let requests = match entry.direction {
            Direction::Received => &self.asked,
            Direction::Sent => &self.questions,
        };
        let asked = requests.answered_by(entry, message)?;
        let is_named = asked.id.as_ref()?.loosely_equals(message.id.as_ref()?);
        (is_named && asked.is_lawful && !asked.is_ambiguous).then_some(asked)
    }

    fn carrier(&self, http: &Http) -> Option<&Asked> {
        let asked = self.asked.of_exchange(http.exchange)?;
        asked.is_lawful.then_some(asked)
    }

    /// A capability of the client, in the legacy era.
    pub fn declared(&self, path: &str) -> Option<&Value> {
        at_path(self.handshake.client_capabilities.as_ref()?, path)
    }

    /// A capability of the server.
    pub fn offered(&self, path: &str) -> Option<&Value> {
        at_path(self.server_capabilities.as_ref()?, path)
    }
}

/// A capability by its path, `tools.listChanged`: declared unless it is absent, null or false.
fn at_path<'v>(declared: &'v Value, path: &str) -> Option<&'v Value> {
    let found = path
        .split('.')
        .try_fold(declared, |value, name| value.get(name))?;
    (!found.is_null() && *found != Value::Bool(false)).then_some(found)
}

impl<'d> Came<'d> {
    /// The lawful request that this response answers by its id, where it can be told which it is.
    pub fn answers(&self) -> Option<&'d Asked> {
        self.answers
    }

    /// Where it is a notification: its method.
    pub fn notification(&self) -> Option<&'d str> {
        match self.message.kind {
            Kind::Notification => self.message.method.as_deref(),
            Kind::Request | Kind::Result | Kind::Error | Kind::Batch | Kind::Malformed(_) => None,
        }
    }

    /// The text of a value in it, as it came.
    pub fn raw(&self, pointer: &str) -> Option<String> {
        let text = self.source().and_then(|text| raw::at(text, pointer));
        text.map(str::to_owned)
            .or_else(|| self.message.value.at(pointer).map(Value::to_string))
    }

    /// The whole text, where it is one.
    pub fn source(&self) -> Option<&'d str> {
        std::str::from_utf8(&self.entry.raw).ok()
    }

    /// The whole text, as it came.
    pub fn text(&self) -> String {
        self.raw("").unwrap_or_default()
    }
}

fn is_cut(entry: &Entry) -> bool {
    matches!(
        &entry.http,
        Some(Http {
            part: HttpPart::Event {
                is_terminated: false,
                ..
            },
            ..
        })
    )
}

/// Whether a server has to serve a request by this revision: one of its methods, with what `_meta` must have, and over HTTP with a head as
/// a lawful client writes it.
fn is_lawful(entry: &Entry, message: &Message, revision: Revision) -> bool {
    let meta = |key: &str| message.value.member("params")?.member("_meta")?.member(key);
    let is_ours = |version: &Value| *version == revision.as_str();
    let has_id = message
        .value
        .member("id")
        .is_some_and(|id| id.is_string() || id.is_i64() || id.is_u64());
    let is_modern = revision.era() == Era::Modern;
    let named = message.method.as_deref();
    let known = named.and_then(|name| mcp_assay_schemas::method(revision.as_str(), name));
    let is_known =
        known.is_some_and(|known| known.from != Sender::Server && !known.is_notification());
    let is_carried = match &entry.http {
        None => true,
        Some(Http {
            part: HttpPart::Request { method, head, .. },
            ..
        }) => {
            let versions: Vec<_> = head.values("mcp-protocol-version").collect();
            let is_version = |version: &[u8]| *version == *revision.as_str().as_bytes();
            method == "POST"
                && exchange::is_lawful(head)
                && match versions[..] {
                    [version] => is_version(version),
                    [] => !is_modern,
                    _ => false,
                }
        }
        Some(_) => false,
    };
    let is_modern_lawful = || {
        meta(PROTOCOL_VERSION).is_some_and(is_ours)
            && meta(CLIENT_CAPABILITIES).is_some_and(Value::is_object)
    };
    entry.defects.is_empty()
        && message
            .value
            .member("jsonrpc")
            .is_some_and(|version| version == "2.0")
        && has_id
        && is_known
        && (!is_modern || is_modern_lawful())
        && is_carried
}
