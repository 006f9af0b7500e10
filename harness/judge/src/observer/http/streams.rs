//! Which message goes on which stream, and what its event is called.

use super::exchange::Exchange;
use super::{Connection, EVENT_ID_UNIQUE, NO_RESPONSE_ON_LISTEN, ONE_STREAM, Sightings};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::Entry;
use mcp_assay_wire::http::End;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A message that came on a stream.
pub(super) struct Delivery {
    /// The exchange of the stream.
    exchange: u64,
    /// Position of the message.
    seq: u64,
    /// The message.
    value: Arc<Value>,
}

/// Names a message within its connection, so that only a broadcast can bring it twice: its session, and what makes it one of a kind.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Identity {
    session: String,
    name: Name,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Name {
    /// A request of the server, by its id.
    Request(String),
    /// A response, by the id of the one request that we sent with it.
    Response(String),
    /// Progress, which must grow: token and value.
    Progress(String, String),
    /// Another notification, by the id of its event.
    Event(String),
}

impl Connection {
    /// An event came: its id may not have named another one.
    pub(super) fn event(
        &mut self,
        number: u64,
        id: Option<&str>,
        entry: &Entry,
        sightings: &mut Sightings,
    ) {
        let Some(exchange) = self.exchanges.get(&number) else {
            return;
        };
        // An event without a message primes the client for its place in the stream; its id may be that of what follows.
        let (Some(id), Some(message)) = (id.filter(|id| !id.is_empty()), &entry.message) else {
            return;
        };
        if exchange.is_old_sse {
            return;
        }
        sightings.judge(EVENT_ID_UNIQUE);
        let key = (exchange.session.clone(), id.to_owned());
        match self.events.get(&key) {
            None => {
                let value = Arc::clone(&message.value);
                self.events.insert(key, (value, entry.seq));
            }
            // The same event once more: sent again after a resumption, or on a second stream, which is another rule's matter.
            Some((first, _)) if *first == message.value => {}
            Some((_, seq)) => {
                let message = format!(
                    "the event id {} names two events, #{seq} and #{}",
                    text::cut(id),
                    entry.seq
                );
                let finding = Finding::new(FindingCode::Duplicate, message)
                    .expected("an id that no other event of the session has")
                    .actual(id)
                    .at(entry.seq, "");
                sightings.find(EVENT_ID_UNIQUE, "", "", finding);
            }
        }
    }

    /// A message came in an event.
    pub(super) fn message(
        &mut self,
        number: u64,
        id: Option<&str>,
        entry: &Entry,
        sightings: &mut Sightings,
    ) {
        let (Some(exchange), Some(message)) = (self.exchanges.get(&number), &entry.message) else {
            return;
        };
        if exchange.is_resumption || exchange.is_old_sse || exchange.opened.is_none() {
            return;
        }
        if exchange.is_listening {
            listened(message, entry, sightings);
        }
        let Some(identity) = self.identity(&exchange.session, message, id) else {
            return;
        };
        let others = self.open.iter().any(|&other| {
            other != number
                && self.exchanges.get(&other).is_some_and(|other| {
                    other.session == exchange.session && !other.is_resumption && !other.is_old_sse
                })
        });
        let before = self.delivered.get(&identity);
        let twin = before.and_then(|before| {
            before.iter().find(|one| {
                let first = self.exchanges.get(&one.exchange);
                one.exchange != number
                    && one.value == message.value
                    && first.is_some_and(|first| were_both_open(first, exchange))
            })
        });
        if others || twin.is_some() {
            sightings.judge(ONE_STREAM);
        }
        if let Some(twin) = twin {
            let asked = |exchange: Option<&Exchange>| exchange.map_or(0, |exchange| exchange.asked);
            let text = format!(
                "{} came on two streams: as #{} on that of #{}, and again on that of #{}",
                name(message),
                twin.seq,
                asked(self.exchanges.get(&twin.exchange)),
                exchange.asked
            );
            let finding = Finding::new(FindingCode::Duplicate, text)
                .expected("each message on one of the open streams")
                .actual(message.value.to_string())
                .at(entry.seq, "");
            let method = message.method.as_deref().unwrap_or_default();
            sightings.find(ONE_STREAM, method, "", finding);
        }
        self.delivered.entry(identity).or_default().push(Delivery {
            exchange: number,
            seq: entry.seq,
            value: Arc::clone(&message.value),
        });
    }

    /// What makes a message one of a kind; `None` where the same text may lawfully come twice.
    fn identity(&self, session: &str, message: &Message, event: Option<&str>) -> Option<Identity> {
        let id = message.id.as_ref().filter(|id| !id.is_null());
        let once = |counts: &BTreeMap<String, u32>, key: &str| counts.get(key) == Some(&1);
        let name = match message.kind {
            // Without sessions a server may be a new one for each request, and count from the beginning.
            Kind::Request if session.is_empty() => return None,
            Kind::Request => Name::Request(id?.0.clone()),
            // With an id that we used twice, equal responses are answers to two requests.
            Kind::Result | Kind::Error => {
                let id = id.filter(|id| once(&self.asked, &id.0))?;
                Name::Response(id.0.clone())
            }
            Kind::Notification => {
                let member = |name: &str| message.value.get("params")?.get(name);
                let is_progress = message.method.as_deref() == Some("notifications/progress");
                match (member("progressToken"), member("progress"), event) {
                    (Some(token), Some(progress), _) if is_progress => {
                        let token = token.to_string();
                        once(&self.tokens, &token).then_some(())?;
                        Name::Progress(token, progress.to_string())
                    }
                    (_, _, Some(event)) if !event.is_empty() => Name::Event(event.to_owned()),
                    _ => return None,
                }
            }
            Kind::Batch | Kind::Malformed(_) => return None,
        };
        Some(Identity {
            session: session.to_owned(),
            name,
        })
    }
}

/// Whether the stream of a message was connected together with the stream that brings it again. Not, where the first broke off: what
/// was on its way may be lost, and may be sent again.
fn were_both_open(first: &Exchange, second: &Exchange) -> bool {
    let lasted = match (&first.ended, second.opened) {
        (None, _) => true,
        (Some((ended, End::Complete)), Some(opened)) => opened < *ended,
        (Some(_), _) => false,
    };
    lasted && first.session == second.session && !first.is_old_sse
}

fn listened(message: &Message, entry: &Entry, sightings: &mut Sightings) {
    let is_response = match message.kind {
        // What has no id answers nothing.
        Kind::Result | Kind::Error => message.id.as_ref().is_some_and(|id| !id.is_null()),
        Kind::Request | Kind::Notification => false,
        Kind::Batch | Kind::Malformed(_) => return,
    };
    sightings.judge(NO_RESPONSE_ON_LISTEN);
    if is_response {
        let text = format!("{} came on a stream opened by GET", name(message));
        let finding = Finding::new(FindingCode::UnexpectedMessage, text)
            .expected("requests and notifications; a response in the exchange of its request")
            .actual(message.value.to_string())
            .at(entry.seq, "");
        sightings.find(NO_RESPONSE_ON_LISTEN, "", "", finding);
    }
}

fn name(message: &Message) -> String {
    let id = message
        .id
        .as_ref()
        .map_or_else(String::new, |id| text::cut(&id.0));
    match (message.kind, &message.method) {
        (Kind::Request, Some(method)) => format!("the request `{}` {id}", text::cut(method)),
        (Kind::Notification, Some(method)) => format!("the notification `{}`", text::cut(method)),
        _ => format!("the response to the request with id {id}"),
    }
}
