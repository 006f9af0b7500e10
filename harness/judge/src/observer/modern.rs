//! What clients of the modern era asked so far: the memory that the rules of that era share.
//!
//! ```text
//! sent entry     -> Asked: a request, and whether it is one that a server has to serve by this revision
//! received entry -> Came: a message, its client, and over HTTP the request in whose exchange it came
//! ```
//!
//! Cards send unlawful requests on purpose, and a server of both eras may serve them as a legacy server does. So it may serve
//! `initialize`, which cards send to see which era answers: from then on its lines are those of a legacy conversation.

use super::http::exchange;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_schemas::methods::Sender;
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId};
use mcp_assay_wire::raw;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// The clients of one conversation, by the label of their connection.
pub(super) struct Clients {
    revision: Revision,
    by_label: BTreeMap<String, Client>,
}

/// One client.
#[derive(Default)]
pub(super) struct Client {
    /// Its requests, in order.
    pub asked: Vec<Asked>,
    /// Index of each by its position.
    by_seq: HashMap<u64, usize>,
    /// Index of each by its HTTP exchange.
    by_exchange: HashMap<u64, usize>,
    /// Index of the last without a response, by its id.
    pending: BTreeMap<String, usize>,
    /// Positions of `initialize` requests that were not refused.
    legacy: BTreeSet<u64>,
    /// Position of the last request that has a response.
    answered_up_to: u64,
    /// Whether it sent what we cannot read: then it is not known what it asked.
    pub is_unreadable: bool,
}

/// A request.
pub(super) struct Asked {
    /// Its position; the items of a batch have that of the batch.
    pub seq: u64,
    /// Its id, as written.
    pub id: Option<RawId>,
    /// Its method.
    pub method: String,
    value: Arc<Value>,
    /// Whether a server has to serve it by this revision: one of its methods, with what `_meta` must have, and over HTTP with the header that
    /// says so.
    is_lawful: bool,
    /// Whether another request with its id waited for a response at the same time.
    is_ambiguous: bool,
    /// Position of its first response.
    pub answered: Option<u64>,
}

/// A message that came from a server that speaks by this revision.
pub(super) struct Came<'c> {
    /// The entry.
    pub entry: &'c Entry,
    /// The message.
    pub message: &'c Message,
    /// The client that it came to.
    pub client: &'c Client,
    /// Over HTTP, the request in whose exchange it came.
    pub stream: Option<&'c Asked>,
}

impl Clients {
    /// None so far.
    pub fn new(revision: Revision) -> Self {
        Clients {
            revision,
            by_label: BTreeMap::new(),
        }
    }

    /// Takes in the next entry.
    ///
    /// **Shape**: a single message received in the exchange of a lawful request, or as a line where no legacy conversation was opened;
    /// `None` for all else.
    pub fn see<'c>(&'c mut self, entry: &'c Entry) -> Option<Came<'c>> {
        if !self.by_label.contains_key(&entry.connection) {
            let label = entry.connection.clone();
            self.by_label.insert(label, Client::default());
        }
        let client = self.by_label.get_mut(&entry.connection)?;
        match entry.direction {
            Direction::Sent => {
                client.send(entry, self.revision);
                None
            }
            Direction::Received => client.receive(entry),
        }
    }

    /// The lawful request in whose HTTP exchange an entry stands.
    pub fn carrier(&self, entry: &Entry) -> Option<&Asked> {
        let client = self.by_label.get(&entry.connection)?;
        client.carrier(entry.http.as_ref()?)
    }
}

impl Client {
    fn send(&mut self, entry: &Entry, revision: Revision) {
        // The items of a batch are read with it.
        if entry.part_of.is_some() {
            return;
        }
        let Some(message) = &entry.message else {
            self.is_unreadable |= !entry.raw.is_empty();
            return;
        };
        match message.kind {
            Kind::Request => self.ask(entry, message, is_lawful(entry, message, revision)),
            Kind::Batch => {
                for item in &message.batch {
                    if item.kind == Kind::Request {
                        self.ask(entry, item, false);
                    }
                }
            }
            Kind::Malformed(_) => self.is_unreadable = true,
            Kind::Notification | Kind::Result | Kind::Error => {}
        }
    }

    fn ask(&mut self, entry: &Entry, message: &Message, is_lawful: bool) {
        let index = self.asked.len();
        let method = message.method.clone().unwrap_or_default();
        if method == "initialize" {
            self.legacy.insert(entry.seq);
        }
        let id = message.id.as_ref();
        let twin = id.and_then(|id| self.pending.insert(id.0.clone(), index));
        if let Some(twin) = twin {
            self.asked[twin].is_ambiguous = true;
        }
        self.by_seq.insert(entry.seq, index);
        if let Some(http) = &entry.http {
            self.by_exchange.insert(http.exchange, index);
        }
        self.asked.push(Asked {
            seq: entry.seq,
            id: message.id.clone(),
            method,
            value: Arc::clone(&message.value),
            is_lawful,
            is_ambiguous: twin.is_some(),
            answered: None,
        });
    }

    fn receive<'c>(&'c mut self, entry: &'c Entry) -> Option<Came<'c>> {
        let message = entry.message.as_ref()?;
        match message.kind {
            Kind::Result | Kind::Error => self.answer(entry, message),
            Kind::Request | Kind::Notification => {}
            Kind::Batch | Kind::Malformed(_) => return None,
        }
        let stream = match &entry.http {
            // What the end of a stream cut off was never delivered.
            Some(Http {
                part:
                    HttpPart::Event {
                        is_terminated: false,
                        ..
                    },
                ..
            }) => return None,
            Some(http) => self.carrier(http),
            None => None,
        };
        let is_line = entry.http.is_none() && entry.channel != Channel::Stderr;
        let is_judged = stream.is_some() || (is_line && self.legacy.is_empty());
        (is_judged && entry.part_of.is_none()).then_some(Came {
            entry,
            message,
            client: self,
            stream,
        })
    }

    fn answer(&mut self, entry: &Entry, message: &Message) {
        let index = entry.answers.and_then(|seq| self.by_seq.get(&seq));
        let Some(asked) = index.and_then(|&index| self.asked.get_mut(index)) else {
            return;
        };
        if message.kind == Kind::Error {
            self.legacy.remove(&asked.seq);
        }
        // A response with another id may be about something else.
        let (Some(id), Some(named)) = (&asked.id, &message.id) else {
            return;
        };
        if id.loosely_equals(named) && asked.answered.is_none() {
            asked.answered = Some(entry.seq);
            self.answered_up_to = self.answered_up_to.max(asked.seq);
            self.pending.remove(&id.0);
        }
    }

    fn carrier(&self, http: &Http) -> Option<&Asked> {
        let asked = &self.asked[*self.by_exchange.get(&http.exchange)?];
        asked.is_lawful.then_some(asked)
    }

    /// Whether a request may still be worked on, as far as a server may lag behind itself: it has no response, or none that is older than
    /// the response to a request sent after it.
    pub fn is_recent(&self, asked: &Asked) -> bool {
        asked
            .answered
            .is_none_or(|answered| self.answered_up_to < answered)
    }
}

impl Came<'_> {
    /// The lawful request that this response answers by its id, where it can be told which it is.
    pub fn answers(&self) -> Option<&Asked> {
        let index = self.client.by_seq.get(&self.entry.answers?)?;
        let asked = &self.client.asked[*index];
        let is_named = asked.id.as_ref()?.loosely_equals(self.message.id.as_ref()?);
        (is_named && asked.is_lawful && !asked.is_ambiguous).then_some(asked)
    }

    /// Where it is a notification: its method.
    pub fn notification(&self) -> Option<&str> {
        match self.message.kind {
            Kind::Notification => self.message.method.as_deref(),
            Kind::Request | Kind::Result | Kind::Error | Kind::Batch | Kind::Malformed(_) => None,
        }
    }

    /// The text of a value in it, as it came.
    pub fn raw(&self, pointer: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.entry.raw).ok();
        let text = text.and_then(|text| raw::at(text, pointer));
        text.map(str::to_owned)
            .or_else(|| self.message.value.pointer(pointer).map(Value::to_string))
    }

    /// The whole text, as it came.
    pub fn text(&self) -> String {
        self.raw("").unwrap_or_default()
    }
}

impl Asked {
    /// A member of its params.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.value.get("params")?.get(name)
    }

    /// A field of its `_meta`.
    pub fn meta(&self, key: &str) -> Option<&Value> {
        self.param("_meta")?.get(key)
    }

    /// The capabilities that its client declared.
    pub fn capability(&self, name: &str) -> Option<&Value> {
        self.meta(CLIENT_CAPABILITIES)?.get(name)
    }

    /// Whether its progress has this token.
    pub fn has_token(&self, token: &Value) -> bool {
        let own = self.meta("progressToken");
        own.is_some_and(|own| {
            own == token || (own.is_number() && token.is_number() && own.as_f64() == token.as_f64())
        })
    }

    /// Whether it is the same request.
    pub fn is(&self, other: &Asked) -> bool {
        self.seq == other.seq
    }

    /// Whether it opens a subscription.
    pub fn is_listen(&self) -> bool {
        self.method == "subscriptions/listen"
    }
}

fn is_lawful(entry: &Entry, message: &Message, revision: Revision) -> bool {
    let at = |pointer: &str| message.value.pointer(pointer);
    let meta = |key: &str| message.value.get("params")?.get("_meta")?.get(key);
    let is_ours = |version: &Value| *version == revision.as_str();
    let has_id = at("/id").is_some_and(|id| id.is_string() || id.is_i64() || id.is_u64());
    let is_known = mcp_assay_schemas::methods(revision.as_str()).any(|known| {
        known.from != Sender::Server
            && !known.is_notification()
            && Some(known.method.as_str()) == message.method.as_deref()
    });
    let is_carried = match &entry.http {
        None => true,
        Some(Http {
            part: HttpPart::Request { method, head, .. },
            ..
        }) => {
            let versions: Vec<_> = head.values("mcp-protocol-version").collect();
            method == "POST"
                && exchange::is_lawful(head)
                && matches!(versions[..], [version] if version == revision.as_str())
        }
        Some(_) => false,
    };
    entry.defects.is_empty()
        && at("/jsonrpc").is_some_and(|version| version == "2.0")
        && has_id
        && is_known
        && meta(PROTOCOL_VERSION).is_some_and(is_ours)
        && meta(CLIENT_CAPABILITIES).is_some_and(Value::is_object)
        && is_carried
}
