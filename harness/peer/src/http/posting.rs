//! One POST of a session: what it brought, what is said for it, and how it is answered.

use super::body::{Body, Piece};
use crate::fault::teller::Utterance;
use crate::incoming::{Arrival, Line};
use crate::outgoing::PostNumber;
use mcp_assay_wire::jsonrpc::{Kind, RawId};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// What a POST brought, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Brought {
    /// At least one request of which something may be said before it is answered: a tool call.
    Calls,
    /// A subscription, which is answered by a stream that stays open.
    Listen,
    /// Requests, and no such.
    Requests,
    /// Notifications or responses, and nothing else.
    NoRequest,
    /// What is no JSON-RPC message.
    Malformed,
}

impl Brought {
    /// Whether it brings requests.
    pub fn has_requests(self) -> bool {
        matches!(self, Brought::Calls | Brought::Listen | Brought::Requests)
    }

    /// Whether others may have to wait until it is answered; for the end of a subscription nobody waits.
    pub fn takes_turns(self) -> bool {
        matches!(self, Brought::Calls | Brought::Requests)
    }

    /// Whether something may be said before the answer.
    pub fn may_speak(self) -> bool {
        matches!(self, Brought::Calls | Brought::Listen)
    }

    /// What this body brings.
    pub fn by(line: &Line) -> Self {
        let is_request = |arrival: &Arrival| arrival.message.kind == Kind::Request;
        let is_malformed =
            |arrival: &Arrival| matches!(arrival.message.kind, Kind::Malformed(_) | Kind::Batch);
        let items = match line {
            Line::Blank | Line::Unreadable(_) => return Brought::Malformed,
            Line::One(arrival) => std::slice::from_ref(arrival),
            Line::Batch(items) => items,
        };
        let is_call = |arrival: &Arrival| {
            is_request(arrival) && arrival.message.method.as_deref() == Some("tools/call")
        };
        let is_listen = |arrival: &Arrival| {
            is_request(arrival) && arrival.message.method.as_deref() == Some("subscriptions/listen")
        };
        if items.iter().any(is_call) {
            Brought::Calls
        } else if items.iter().any(is_listen) {
            Brought::Listen
        } else if items.iter().any(is_request) {
            Brought::Requests
        } else if items.iter().any(is_malformed) {
            Brought::Malformed
        } else {
            Brought::NoRequest
        }
    }
}

/// The one message of a body with this method, if it is that.
pub(super) fn is_one(line: &Line, method: &str, kind: Kind) -> bool {
    match line {
        Line::One(arrival) => {
            arrival.message.kind == kind && arrival.message.method.as_deref() == Some(method)
        }
        Line::Blank | Line::Unreadable(_) | Line::Batch(_) => false,
    }
}

/// Whether a body is one response.
pub(super) fn is_response(line: &Line) -> bool {
    match line {
        Line::One(arrival) => matches!(arrival.message.kind, Kind::Result | Kind::Error),
        Line::Blank | Line::Unreadable(_) | Line::Batch(_) => false,
    }
}

/// The ids of the requests of a body.
pub(super) fn ids(line: &Line) -> Vec<RawId> {
    let items = match line {
        Line::Blank | Line::Unreadable(_) => &[],
        Line::One(arrival) => std::slice::from_ref(arrival),
        Line::Batch(items) => items.as_slice(),
    };
    let requests = items
        .iter()
        .filter(|item| item.message.kind == Kind::Request);
    requests.filter_map(Arrival::lawful_id).collect()
}

/// The answer to a POST.
#[derive(Debug)]
pub(super) struct Answered {
    /// What it is.
    pub what: Reply,
    /// Whether a fault of heads or bodies strikes it.
    pub is_struck: bool,
}

/// Shapes of answers.
#[derive(Debug)]
pub(super) enum Reply {
    /// There is nothing to say.
    Accepted,
    /// One JSON text.
    Json {
        /// Its bytes.
        pieces: Vec<Piece>,
        /// Whether it is an error for want of a request that could be answered.
        is_refusal: bool,
        /// The status, where 2026-07-28 has one for it.
        status: Option<u16>,
    },
    /// An event stream.
    Stream(Body),
}

/// A POST that is not answered to its end.
#[derive(Debug)]
pub(super) struct Post {
    /// Who waits for the head; `None` once it went.
    pub answer: Option<oneshot::Sender<Answered>>,
    /// What it brought.
    pub brought: Brought,
    /// The ids of its requests.
    pub ids: Vec<RawId>,
    /// What is to be said for it and has not gone.
    pub said: Vec<Utterance>,
    /// Answers under way.
    pub open: usize,
    /// Utterances that a fault holds back.
    pub owed: usize,
    /// Whether all of it was heard.
    pub is_heard: bool,
    /// Whether a fault of heads or bodies strikes its answer.
    pub is_struck: bool,
    /// Whether nothing more is said for it.
    pub is_muted: bool,
    /// The POST that began the task it waits for; what relates to that goes with this.
    pub carries: Option<PostNumber>,
    /// The stream that answers it.
    pub stream: Option<u64>,
    /// Held until it is answered, where one is served after the other.
    pub _turn: Option<OwnedSemaphorePermit>,
}

impl Post {
    /// A POST of which nothing was heard.
    pub fn new(
        answer: oneshot::Sender<Answered>,
        brought: Brought,
        turn: Option<OwnedSemaphorePermit>,
        ids: Vec<RawId>,
    ) -> Self {
        Post {
            answer: Some(answer),
            brought,
            ids,
            said: Vec::new(),
            open: 0,
            owed: 0,
            is_heard: false,
            is_struck: false,
            is_muted: false,
            carries: None,
            stream: None,
            _turn: turn,
        }
    }

    /// Whether nothing more will be said.
    pub fn is_over(&self) -> bool {
        self.is_heard && self.open == 0 && self.owed == 0
    }

    /// Answers with this; a client that has left is not told.
    pub fn respond(&mut self, what: Reply) {
        if let Some(answer) = self.answer.take() {
            let is_struck = self.is_struck;
            drop(answer.send(Answered { what, is_struck }));
        }
    }
}
