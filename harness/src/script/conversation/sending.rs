//! What goes to the target: messages, raw bytes and HTTP requests, each recorded as it went out.

use super::exchanges::Purpose;
use super::{Conversation, Phase, SentIndex};
use crate::script::attribution::SentState;
use crate::target::Link;
use bytes::Bytes;
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart, Sent};
use mcp_assay_transport::connection::WriteError;
use mcp_assay_transport::http::{Body, Started};
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId, classify};
use mcp_assay_wire::stdio::Terminator;

impl Conversation {
    /// A fresh request id, never one that the card writes.
    pub fn fresh_id(&mut self) -> RawId {
        loop {
            let id = RawId(self.next_id.to_string());
            self.next_id += 1;
            if !self
                .written_ids
                .iter()
                .any(|written| written.loosely_equals(&id))
            {
                return id;
            }
        }
    }

    /// Lets fresh ids begin at a number: for a second connection whose ids are to be those of the first.
    pub fn begin_ids_at(&mut self, number: u64) {
        self.next_id = number;
    }

    /// The next fresh id's number.
    pub fn next_id_number(&self) -> u64 {
        self.next_id
    }

    /// Sends one JSON text as a message. A response is expected where it has an id and a method.
    ///
    /// Over HTTP it waits until earlier messages that get no response were taken, since exchanges have no order.
    ///
    /// **Errors**: see [`WriteError`]; the entry is recorded all the same, since the attempt is evidence.
    pub async fn send_message(&mut self, text: &str) -> (SentIndex, Result<(), WriteError>) {
        if self.has_exchanges() {
            self.settle_order().await;
        }
        self.send_now(text)
    }

    /// Sends one JSON text as a message, whatever was sent before.
    pub fn send_now(&mut self, text: &str) -> (SentIndex, Result<(), WriteError>) {
        let raw = Bytes::copy_from_slice(text.as_bytes());
        let message = classify(text.as_bytes()).ok();
        match &mut self.link {
            Link::Pipes(connection) => {
                let mut line = Vec::with_capacity(text.len() + 1);
                line.extend_from_slice(text.as_bytes());
                line.push(b'\n');
                let outcome = connection.write(Bytes::from(line));
                let index = self.record_sent(raw, message, false, Some(Terminator::Lf), None);
                (index, outcome)
            }
            Link::Http(client, _) => {
                let started = client.post(raw.clone());
                (self.carry(raw, message, false, started), Ok(()))
            }
        }
    }

    /// Sends bytes as they are; over HTTP as the body of a POST. Any response without a readable id is attributed to them.
    ///
    /// **Errors**: see [`WriteError`].
    pub async fn send_raw(&mut self, bytes: &[u8]) -> (SentIndex, Result<(), WriteError>) {
        if self.has_exchanges() {
            self.settle_order().await;
        }
        self.send_raw_now(bytes)
    }

    pub(super) fn send_raw_now(&mut self, bytes: &[u8]) -> (SentIndex, Result<(), WriteError>) {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let message = classify(text).ok();
        match &mut self.link {
            Link::Pipes(connection) => {
                let outcome = connection.write(Bytes::copy_from_slice(bytes));
                if let Some(last) = bytes.last() {
                    self.line_open = *last != b'\n';
                }
                let terminator = bytes.ends_with(b"\n").then_some(Terminator::Lf);
                let raw = Bytes::copy_from_slice(text);
                let index = self.record_sent(raw, message, true, terminator, None);
                (index, outcome)
            }
            Link::Http(client, _) => {
                let raw = Bytes::copy_from_slice(bytes);
                let started = client.post_raw(raw.clone());
                (self.carry(raw, message, true, started), Ok(()))
            }
        }
    }

    /// An HTTP request beside the protocol's own; `None` where the binding has no HTTP. Its body may be a message.
    pub fn send_http(
        &mut self,
        method: &str,
        overrides: &[(String, Vec<Bytes>)],
        body: Body,
    ) -> Option<SentIndex> {
        let Link::Http(client, _) = &mut self.link else {
            return None;
        };
        let raw = match &body {
            Body::None => Bytes::new(),
            Body::Whole(bytes) => bytes.clone(),
            Body::Slow(pieces) => {
                let pieces: Vec<u8> = pieces
                    .iter()
                    .flat_map(|(_, piece)| piece.to_vec())
                    .collect();
                Bytes::from(pieces)
            }
        };
        let message = classify(&raw).ok();
        let started = client.request(method, overrides, body);
        Some(self.carry(raw, message, true, started))
    }

    /// Closes the stream of a sent message's exchange; nothing more comes of it.
    pub fn close_stream(&mut self, index: SentIndex) {
        if let (Link::Http(client, _), Some(exchange)) =
            (&mut self.link, self.sent[index.0].sent.exchange)
        {
            client.close_stream(exchange);
        }
    }

    fn carry(
        &mut self,
        raw: Bytes,
        message: Option<Message>,
        raw_bytes: bool,
        started: Started,
    ) -> SentIndex {
        let number = started.exchange;
        let index = self.record_sent(raw, message, raw_bytes, None, Some(started));
        self.exchanges.begin(number, Purpose::Carries(index));
        index
    }

    pub(super) fn record_sent(
        &mut self,
        raw: Bytes,
        message: Option<Message>,
        raw_bytes: bool,
        terminator: Option<Terminator>,
        started: Option<Started>,
    ) -> SentIndex {
        let (method, id, kind) = match &message {
            Some(message) => (
                message.method.clone(),
                message.id.clone(),
                Some(message.kind),
            ),
            None => (None, None, None),
        };
        if method.as_deref() == Some("initialize")
            && self.phase == Phase::Bare
            && !self.manner.is_modern()
        {
            self.phase = Phase::Opening;
        }
        let answerable = match kind {
            Some(Kind::Request) => true,
            Some(Kind::Notification | Kind::Result | Kind::Error) => raw_bytes && started.is_none(),
            Some(Kind::Batch | Kind::Malformed(_)) | None => true,
        };
        let exchange = started.as_ref().map(|started| started.exchange);
        let seq = match started {
            Some(started) => self.record_request(raw, message, started),
            None => self.push(Entry {
                length: raw.len() as u64,
                raw,
                terminator,
                message,
                ..self.blank(Direction::Sent, self.lines().0)
            }),
        };
        self.sent.push(SentState {
            sent: Sent {
                seq,
                method,
                id,
                exchange,
                ..Sent::default()
            },
            answerable,
            is_fence: false,
        });
        SentIndex(self.sent.len() - 1)
    }

    pub(super) fn record_request(
        &mut self,
        raw: Bytes,
        message: Option<Message>,
        started: Started,
    ) -> u64 {
        let part = HttpPart::Request {
            method: started.method,
            target: started.target,
            head: started.head,
        };
        self.push(Entry {
            length: raw.len() as u64,
            raw,
            message,
            http: Some(Http {
                exchange: started.exchange,
                part,
            }),
            ..self.blank(Direction::Sent, Channel::Http)
        })
    }

    /// Adds one request of a batch that was just sent as a whole, so that it can be answered by its own id.
    pub fn expect_item(
        &mut self,
        batch: SentIndex,
        method: Option<String>,
        id: Option<RawId>,
    ) -> SentIndex {
        let whole = &self.sent[batch.0].sent;
        let (seq, exchange) = (whole.seq, whole.exchange);
        self.sent.push(SentState {
            answerable: id.is_some(),
            sent: Sent {
                seq,
                method,
                id,
                exchange,
                ..Sent::default()
            },
            is_fence: false,
        });
        SentIndex(self.sent.len() - 1)
    }
}
