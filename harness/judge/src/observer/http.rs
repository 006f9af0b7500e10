//! What holds for every exchange of Streamable HTTP: status and type of answers, session ids, and which message goes on which stream.
//!
//! ```text
//! entry -> Connection (one MCP client) -> Exchange (one request, its response, its stream)
//!            http/streams: one-stream, event-id-unique, no-response-on-listen
//!            http/answers: notification-202, response-content-type, session-id-visible
//!            http/related: related, retry, unrelated-on-listen
//!            http/modern:  own-stream, response-content-type, from 2026-07-28 on
//! ```
//!
//! Cards send unlawful requests on purpose, so answers are judged only where what was asked is lawful and plain. Where a message may
//! have been lost on its way, the server may repeat it, and nothing is judged.

mod answers;
pub(super) mod exchange;
mod modern;
mod related;
mod streams;

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use exchange::{Exchange, Home, Input};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::HttpPart;
use mcp_assay_wire::http::End;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const EVENT_ID_UNIQUE: &str = "event-id-unique";
const NO_RESPONSE_ON_LISTEN: &str = "no-response-on-listen";
const NOTIFICATION_202: &str = "notification-202";
const ONE_STREAM: &str = "one-stream";
const OWN_STREAM: &str = "own-stream";
const RELATED: &str = "related";
const RESPONSE_CONTENT_TYPE: &str = "response-content-type";
const RETRY: &str = "retry";
const SESSION_ID_VISIBLE: &str = "session-id-visible";
const UNRELATED: &str = "unrelated-on-listen";

/// Watches the exchanges of Streamable HTTP: as the revisions with sessions have it, and as those without.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamableHttp;

impl Observer for StreamableHttp {
    fn name(&self) -> &'static str {
        "http"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    EVENT_ID_UNIQUE,
                    "an event id names one event of the session",
                    "no two events of a session have the same id, whichever streams they are on",
                    &["2025-03-26/basic/transports#resumability-and-redelivery.2"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    NO_RESPONSE_ON_LISTEN,
                    "responses do not come on a stream opened by GET",
                    "a stream that a GET opens carries requests and notifications; a response comes there only where the GET resumes the stream of a request",
                    &["2025-03-26/basic/transports#listening-for-messages-from-the-server.7"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    NOTIFICATION_202,
                    "notifications and responses are accepted with 202 and no body",
                    "a server that accepts a POST of notifications or responses answers 202 Accepted without a body",
                    &["2025-03-26/basic/transports#sending-messages-to-the-server.7"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    ONE_STREAM,
                    "each message comes on one stream only",
                    "a server with several open streams sends each message on one of them, and does not broadcast",
                    &[
                        "2025-03-26/basic/transports#multiple-connections.2",
                        "2025-03-26/basic/transports#multiple-connections.3",
                    ],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    OWN_STREAM,
                    "a notification comes on the stream of its request",
                    "the stream of a request carries what relates to this request: no progress of another one, notifications of a subscription on the stream of that subscription only, and log messages on none of these",
                    &[
                        "2026-07-28/basic/transports/streamable-http#receiving-messages.2",
                        "2026-07-28/server/utilities/logging#per-request-log-level.3",
                    ],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    RELATED,
                    "the stream of a request carries what relates to it",
                    "progress of a request does not come on the stream of another request while its own stream is open",
                    &["2025-03-26/basic/transports#sending-messages-to-the-server.15"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    RESPONSE_CONTENT_TYPE,
                    "a request is answered with an event stream or with JSON",
                    "the successful answer to a POST of a request is text/event-stream or application/json, and says so",
                    &["2025-03-26/basic/transports#sending-messages-to-the-server.10"],
                )
                .since(Revision::R2025_03_26),
                Rule::of_servers(
                    RETRY,
                    "a stream that ends early says when to come back",
                    "a server that closes the stream of a request before the response, and has given event ids to resume it by, has sent an event with `retry` on it",
                    &["2025-11-25/basic/transports#sending-messages-to-the-server.13"],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    SESSION_ID_VISIBLE,
                    "a session id is made of visible ASCII characters",
                    "the session id that a server gives has only bytes from 0x21 to 0x7E",
                    &["2025-03-26/basic/transports#session-management.3"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    UNRELATED,
                    "a stream opened by GET carries what relates to no request",
                    "progress of a request does not come on a stream that a GET opened while the stream of the request is open",
                    &["2025-03-26/basic/transports#listening-for-messages-from-the-server.6"],
                )
                .since(Revision::R2025_03_26)
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        match (binding, revision.era()) {
            (Binding::Http, Era::Legacy) if revision >= Revision::R2025_03_26 => {
                Some(Box::new(Exchanges {
                    revision,
                    connections: BTreeMap::new(),
                    batches: BTreeMap::new(),
                }))
            }
            (Binding::Http, Era::Modern) => Some(Box::<modern::Exchanges>::default()),
            (Binding::Http | Binding::HttpSse | Binding::Stdio | Binding::Memory, _) => None,
        }
    }
}

/// The eyes on one conversation.
struct Exchanges {
    revision: Revision,
    /// By label: each is a client of its own.
    connections: BTreeMap<String, Connection>,
    /// Where the batches stand whose items follow: exchange and event id, by position.
    batches: BTreeMap<u64, (u64, Option<String>)>,
}

/// What is remembered of one connection.
#[derive(Default)]
struct Connection {
    exchanges: BTreeMap<u64, Exchange>,
    /// Event streams that are open now.
    open: BTreeSet<u64>,
    /// How often a request of ours had this id: an id that was used twice leads nowhere.
    asked: BTreeMap<String, u32>,
    /// How often a request of ours had this progress token.
    tokens: BTreeMap<String, u32>,
    /// Ids of requests that we cancelled: their exchanges may end as they like.
    cancelled: BTreeSet<String>,
    /// Sessions that the client has asked to end: with them their streams end.
    deleted: BTreeSet<String>,
    /// Where the first exchange went.
    home: Option<Home>,
    /// Where messages that must come once have come.
    delivered: BTreeMap<streams::Identity, Vec<streams::Delivery>>,
    /// What each event id of a session named first, and where.
    events: BTreeMap<(String, String), (Arc<Value>, u64)>,
}

impl Watch for Exchanges {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let entry = said.entry;
        let connection = match self.connections.get_mut(&entry.connection) {
            Some(connection) => connection,
            None => self
                .connections
                .entry(entry.connection.clone())
                .or_default(),
        };
        let Some(http) = &entry.http else {
            // An item of a batch stands where its batch does.
            if let Some(batch) = entry.part_of
                && let Some((exchange, id)) = self.batches.get(&batch)
            {
                connection.message(*exchange, id.as_deref(), entry, sightings);
            }
            return;
        };
        match &http.part {
            HttpPart::Request { method, head, .. } => {
                if method == "DELETE" {
                    connection.deleted.extend(head.value("mcp-session-id"));
                }
                if entry.part_of.is_none() {
                    if let Some(message) = &entry.message {
                        connection.note_sent(message);
                    }
                    let home = connection.home.get_or_insert_with(|| Home::of(head));
                    let exchange = Exchange::asked(method, head, entry, home, self.revision);
                    connection.exchanges.insert(http.exchange, exchange);
                }
            }
            HttpPart::Response { status, head, .. } => {
                connection.answer(http.exchange, *status, head, entry, sightings);
            }
            HttpPart::Body => connection.body(http.exchange, entry, sightings),
            HttpPart::Event {
                name,
                id,
                retry,
                is_terminated,
                ..
            } => {
                // What the end of the stream cut off was never delivered.
                if !is_terminated {
                    return;
                }
                if let Some(exchange) = connection.exchanges.get_mut(&http.exchange) {
                    exchange.is_old_sse |= name.as_deref() == Some("endpoint");
                    exchange.has_retry |= retry.is_some();
                    exchange.has_event_ids |= id.as_ref().is_some_and(|id| !id.is_empty());
                }
                if entry.part_of.is_none() {
                    connection.event(http.exchange, id.as_deref(), entry, sightings);
                }
                connection.relates(http.exchange, said, sightings);
                if entry
                    .message
                    .as_ref()
                    .is_some_and(|message| message.kind == Kind::Batch)
                {
                    let place = (http.exchange, id.clone());
                    self.batches.insert(entry.seq, place);
                } else {
                    connection.message(http.exchange, id.as_deref(), entry, sightings);
                }
            }
            HttpPart::End(end) => {
                connection.open.remove(&http.exchange);
                if *end == End::Complete {
                    connection.ended_early(http.exchange, said, sightings);
                }
                if let Some(exchange) = connection.exchanges.get_mut(&http.exchange) {
                    exchange.ended = Some((entry.seq, end.clone()));
                }
            }
        }
    }
}

impl Connection {
    fn note_sent(&mut self, message: &Message) {
        match message.kind {
            Kind::Request => {
                if let Some(id) = &message.id {
                    *self.asked.entry(id.0.clone()).or_default() += 1;
                }
                if let Some(token) = message.value.at("/params/_meta/progressToken") {
                    *self.tokens.entry(token.to_string()).or_default() += 1;
                }
            }
            Kind::Notification => {
                let id = message.value.at("/params/requestId");
                if message.method.as_deref() == Some("notifications/cancelled")
                    && let Some(id) = id
                {
                    self.cancelled.insert(id.to_string());
                }
            }
            Kind::Batch => message.batch.iter().for_each(|item| self.note_sent(item)),
            Kind::Result | Kind::Error | Kind::Malformed(_) => {}
        }
    }

    /// Whether a request of this exchange was cancelled.
    fn is_cancelled(&self, exchange: &Exchange) -> bool {
        match &exchange.input {
            Input::Requests(ids) => ids.iter().any(|id| self.cancelled.contains(id)),
            Input::Unanswered | Input::Other => false,
        }
    }
}

#[cfg(test)]
mod tests;
