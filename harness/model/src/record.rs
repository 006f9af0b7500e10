//! What happened in one conversation: the transcript, and what each label of the card came to name.

use crate::protocol::{Binding, Revision};
use bytes::Bytes;
use mcp_assay_wire::http::{End as BodyEnd, Head};
use mcp_assay_wire::jsonrpc::{Message, RawId};
use mcp_assay_wire::stdio::{Defect, Terminator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// One conversation, recorded.
///
/// **Shape**: `entries` in order of `seq`, which counts from 1 without gaps.
#[derive(Clone, Debug)]
pub struct Record {
    /// Revision under test.
    pub revision: Revision,
    /// Binding.
    pub binding: Binding,
    /// Everything sent and received.
    pub entries: Vec<Entry>,
    /// What the labels name.
    pub labels: BTreeMap<String, Bound>,
    /// How the conversation ended.
    pub end: End,
    /// What was asked on the connection before, where it was used before.
    pub past: Past,
}

/// What a client asked in earlier conversations on the same connection, of which the record has nothing else: a server may still be at it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Past {
    /// Ids of its requests.
    pub ids: HashSet<RawId>,
    /// Their progress tokens.
    pub tokens: Vec<Value>,
}

impl Past {
    /// Whether one of the requests had this progress token.
    pub fn has_token(&self, token: &Value) -> bool {
        self.tokens.contains(token)
    }
}

impl Record {
    /// The entry with this sequence number.
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.entries.get(index)
    }

    /// The response that a label names: the reply to a labelled request, or an arrival that is itself the label.
    pub fn arrival(&self, label: &str) -> Option<&Entry> {
        match self.labels.get(label)? {
            Bound::Sent(sent) => self.entry(*sent.replies.first()?),
            Bound::Arrived(seq) => self.entry(*seq),
            Bound::Missing { .. } | Bound::Window(_) | Bound::Exit(_) | Bound::Native(_) => None,
        }
    }

    /// The parts of an HTTP exchange of a connection, in order.
    pub fn exchange<'r>(
        &'r self,
        connection: &'r str,
        number: u64,
    ) -> impl Iterator<Item = &'r Entry> {
        self.entries.iter().filter(move |entry| {
            entry.connection == connection
                && entry
                    .http
                    .as_ref()
                    .is_some_and(|http| http.exchange == number)
        })
    }

    /// The head of the response in the exchange of a sent message: the last, where redirects were followed. Where such a redirect led to
    /// nothing there is none.
    pub fn response_head(&self, sent: &Sent) -> Option<&Entry> {
        let connection = &self.entry(sent.seq)?.connection;
        let mut response = None;
        for entry in self.exchange(connection, sent.exchange?) {
            match entry.http.as_ref().map(|http| &http.part) {
                Some(HttpPart::Response { status, .. }) => response = Some((entry, *status)),
                Some(HttpPart::End(BodyEnd::Failed(_))) => {
                    response = response.filter(|(_, status)| !(300..400).contains(status));
                }
                Some(
                    HttpPart::Request { .. }
                    | HttpPart::Body
                    | HttpPart::Event { .. }
                    | HttpPart::End(BodyEnd::Complete | BodyEnd::Cut(_) | BodyEnd::Closed),
                )
                | None => {}
            }
        }
        response.map(|(entry, _)| entry)
    }
}

/// One thing that crossed the wire.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Position in the transcript, from 1.
    pub seq: u64,
    /// Time since the connection was asked for.
    pub at: Duration,
    /// Which way.
    pub direction: Direction,
    /// Label of the connection.
    pub connection: String,
    /// Which stream.
    pub channel: Channel,
    /// The bytes without the line end; the head only, where `length` says more.
    pub raw: Bytes,
    /// Length on the wire, without the line end.
    pub length: u64,
    /// How the line ended; `None` on streams without lines, and where we sent no line end.
    pub terminator: Option<Terminator>,
    /// The message, where it is one.
    pub message: Option<Message>,
    /// What is wrong with the frame.
    pub defects: Vec<Defect>,
    /// The sent entry that this response was attributed to.
    pub answers: Option<u64>,
    /// The entry of the batch that this message stood in; its items follow a batch as entries of their own.
    pub part_of: Option<u64>,
    /// Where it stands in its HTTP exchange; `None` on stdio.
    pub http: Option<Http>,
}

/// The place of an entry in an HTTP exchange.
///
/// **Shape**: an exchange is one sent entry (`Request`, its body in `raw`) and the received entries with the same number: for each
/// response a `Response` (`raw` empty), then one `Body` unless it is empty or an event stream, else one `Event` for each event (`raw` is its
/// data); an `End` where it is a stream or went wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// Number of the exchange on its connection, from 1.
    pub exchange: u64,
    /// Which part.
    pub part: HttpPart,
}

/// Parts of an HTTP exchange.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpPart {
    /// What we ask.
    Request {
        /// Method.
        method: String,
        /// Target of the request line.
        target: String,
        /// The head as written.
        head: Head,
    },
    /// The head of a response.
    Response {
        /// Status code.
        status: u16,
        /// The head as it came.
        head: Head,
        /// Number of the socket that it came on, from 1.
        socket: u64,
    },
    /// The body of a response that is no event stream.
    Body,
    /// An event of an event stream.
    Event {
        /// The `event` field.
        name: Option<String>,
        /// The `id` field.
        id: Option<String>,
        /// The `retry` field in milliseconds.
        retry: Option<u64>,
        /// Comment lines.
        comments: u32,
        /// Whether it had data.
        has_data: bool,
        /// Whether the empty line came.
        is_terminated: bool,
    },
    /// The end of a stream, or of an exchange that went wrong.
    End(BodyEnd),
}

/// Which way an entry went, seen from the harness.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the target.
    Sent,
    /// From the target.
    Received,
}

/// Which stream an entry was on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Standard input of the target.
    Stdin,
    /// Standard output of the target.
    Stdout,
    /// Standard error of the target.
    Stderr,
    /// An HTTP exchange.
    Http,
    /// An SSE stream.
    Sse,
    /// The memory binding, either way.
    Memory,
}

/// What a label names.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// A sent message, and its replies.
    Sent(Sent),
    /// A message that was awaited and came.
    Arrived(u64),
    /// A message that was awaited and did not come.
    Missing {
        /// Why.
        why: Missing,
        /// Which label it would have answered, where it was a reply.
        reply_to: Option<String>,
    },
    /// A `quiet` window.
    Window(Window),
    /// An awaited end of the process.
    Exit(ExitSeen),
    /// What a native step brought.
    Native(NativeBound),
}

/// A sent message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    /// Its transcript position.
    pub seq: u64,
    /// Its method, where it has one.
    pub method: Option<String>,
    /// Its id, where it has one.
    pub id: Option<RawId>,
    /// Positions of the responses attributed to it, in order.
    pub replies: Vec<u64>,
    /// Why an awaited reply is not among them.
    pub missing: Option<Missing>,
    /// Position of the message that cancelled it.
    pub cancelled: Option<u64>,
    /// Number of its HTTP exchange.
    pub exchange: Option<u64>,
}

/// Why an awaited message did not come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Missing {
    /// The fence was answered, the message did not come: the target is at fault.
    Silent,
    /// The fence was not answered either.
    Hung,
    /// The process or its output ended.
    Died,
    /// No fence can be had here.
    Unfenced,
}

/// A `quiet` window.
///
/// **Shape**: entries with `opened < seq <= fence` came before the fence's answer, those with `fence < seq <= closed` after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Last position before the window.
    pub opened: u64,
    /// Position of the fence's answer; `None` where none came.
    pub fence: Option<u64>,
    /// Last position within the window.
    pub closed: u64,
    /// Label watched, or `any`.
    pub about: String,
    /// Why there is no fence answer.
    pub missing: Option<Missing>,
}

/// The end of the target's process, as seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExitSeen {
    /// Exit code.
    pub code: Option<i32>,
    /// Signal.
    pub signal: Option<i32>,
    /// Whether it ended before the deadline of the step.
    pub in_time: bool,
    /// Time from the step's start to the end, or to the deadline.
    pub waited: Duration,
}

/// What a native step brought.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeBound {
    /// Name of the native.
    pub native: String,
    /// Its facts, in the shape that the table of natives documents.
    pub value: Value,
    /// The responses it received, in order.
    pub seqs: Vec<u64>,
    /// Why an awaited message did not come.
    pub missing: Option<Missing>,
}

/// How a conversation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The last fence was answered.
    Alive,
    /// We closed it, as the card says.
    Closed,
    /// The process, or its output, ended by itself.
    Died {
        /// A sentence fragment: `exited with code 1 after #12`.
        how: String,
        /// Last position before it.
        after: u64,
    },
    /// The last fence was not answered.
    Hung {
        /// How long was waited.
        waited: Duration,
        /// Last position before the fence.
        after: u64,
    },
    /// No fence could be asked for.
    Unfenced,
    /// The conversation never began: no handshake.
    NotOpened {
        /// A sentence fragment.
        why: String,
    },
}
