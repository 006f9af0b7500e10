//! One exchange, as far as the rules look at it.

use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::Entry;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::jsonrpc::{Kind, Message};

/// What is remembered of one exchange.
pub(super) struct Exchange {
    /// Position of the request.
    pub asked: u64,
    /// What was asked, where it was asked as a lawful client does.
    pub input: Input,
    /// Method of the message asked, for the groups of findings.
    pub method: String,
    /// Whether a GET opened it, to listen.
    pub is_listening: bool,
    /// Whether it resumes a stream that broke off: what comes may have come before.
    pub is_resumption: bool,
    /// Session id that we sent.
    pub sent_session: Option<String>,
    /// Session that it belongs to; empty where there is none.
    pub session: String,
    /// Whether a redirect was followed that need not have kept method and body.
    pub is_redirected: bool,
    /// Status of the last response.
    pub status: Option<u16>,
    /// Position of the head that opened its event stream.
    pub opened: Option<u64>,
    /// Whether an event on it had an id to resume by.
    pub has_event_ids: bool,
    /// Whether an event on it said when to come back.
    pub has_retry: bool,
    /// Whether it is a stream of HTTP+SSE at the same address, to which other rules apply.
    pub is_old_sse: bool,
    /// Where and how it ended.
    pub ended: Option<(u64, End)>,
}

/// Where a request says that it goes, and where it says that it comes from.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Home {
    host: Option<String>,
    origin: Option<String>,
}

impl Home {
    /// As a head has it.
    pub fn of(head: &Head) -> Self {
        Home {
            host: head.value("host"),
            origin: head.value("origin"),
        }
    }
}

/// What a lawful POST carries.
pub(super) enum Input {
    /// Requests, with others or not; their ids as written.
    Requests(Vec<String>),
    /// Notifications and responses only: nothing that is answered.
    Unanswered,
    /// Anything else: no POST, or one that no lawful client would make.
    Other,
}

impl Exchange {
    /// An exchange that begins.
    ///
    /// `home` is where the first exchange of the connection went; one that says to go elsewhere is no plain one.
    pub fn asked(
        method: &str,
        head: &Head,
        entry: &Entry,
        home: &Home,
        revision: Revision,
    ) -> Self {
        let is_lawful = method == "POST"
            && is_lawful(head)
            && Home::of(head) == *home
            && entry.defects.is_empty();
        let message = entry.message.as_ref().filter(|_| is_lawful);
        let sent_session = head.value("mcp-session-id").filter(|id| !id.is_empty());
        Exchange {
            asked: entry.seq,
            input: message.map_or(Input::Other, |message| input(message, revision)),
            method: message
                .and_then(|message| message.method.clone())
                .unwrap_or_default(),
            is_listening: method == "GET",
            is_resumption: head.values("last-event-id").next().is_some(),
            session: sent_session.clone().unwrap_or_default(),
            sent_session,
            is_redirected: false,
            status: None,
            opened: None,
            has_event_ids: false,
            has_retry: false,
            is_old_sse: false,
            ended: None,
        }
    }
}

/// Whether the head of a POST is that of a client which keeps to the rules: the type of its body, what it accepts, where it goes, and
/// how long it is, each said once.
pub(in crate::observer) fn is_lawful(head: &Head) -> bool {
    let at_most_once = |name| head.values(name).count() <= 1;
    let accept: Vec<String> = head
        .values("accept")
        .map(|value| String::from_utf8_lossy(value).to_ascii_lowercase())
        .collect();
    let accepts = |kind: &str| accept.iter().any(|value| value.contains(kind));
    let lengths = head.values("content-length").count() + head.values("transfer-encoding").count();
    head.media_type().as_deref() == Some("application/json")
        && accepts("application/json")
        && accepts("text/event-stream")
        && ["content-type", "host", "origin", "mcp-session-id"]
            .into_iter()
            .all(at_most_once)
        && lengths <= 1
}

fn input(message: &Message, revision: Revision) -> Input {
    let mut ids = Vec::new();
    // Batches are messages in this revision only.
    let has_batches = revision == Revision::R2025_03_26;
    let items = match message.kind {
        Kind::Batch if has_batches => message.batch.as_slice(),
        Kind::Batch => return Input::Other,
        Kind::Request | Kind::Notification | Kind::Result | Kind::Error | Kind::Malformed(_) => {
            std::slice::from_ref(message)
        }
    };
    for item in items {
        match item.kind {
            Kind::Request => ids.extend(item.id.as_ref().map(|id| id.0.clone())),
            Kind::Notification | Kind::Result | Kind::Error => {}
            Kind::Batch | Kind::Malformed(_) => return Input::Other,
        }
        // Members that make it another message to a strict reader.
        let is_jsonrpc = item.value.get("jsonrpc").and_then(|value| value.as_str()) == Some("2.0");
        let id = item.value.get("id");
        if !is_jsonrpc || id.is_some_and(|id| !id.is_string() && !id.is_i64()) {
            return Input::Other;
        }
    }
    if ids.is_empty() {
        Input::Unanswered
    } else {
        Input::Requests(ids)
    }
}
