//! Cancellations: of requests of one's own, that may still be worked on.

use super::dialogue::{Asked, Came, Requests, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Direction;
use mcp_assay_wire::jsonrpc::RawId;

const CLIENT_NAMED: &str = "client-named";
const CLIENT_OWN: &str = "client-own";
const IN_FLIGHT: &str = "in-flight";
const NAMED: &str = "named";
const OWN: &str = "own";

const OF_OWN: &[&str] = &["2024-11-05/basic/utilities/cancellation#behavior-requirements.1"];
const OF_NAMED: &[&str] = &["2025-11-25/schema#cancellednotificationparams-requestid.1"];

/// Watches cancellations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cancellations;

impl Observer for Cancellations {
    fn name(&self) -> &'static str {
        "cancellation"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_clients(
                    CLIENT_NAMED,
                    "a client's cancellation names a request",
                    "notifications/cancelled has the id of the request; a task is cancelled in another way",
                    OF_NAMED,
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_clients(
                    CLIENT_OWN,
                    "a client cancels requests of its own",
                    "the id in a client's notifications/cancelled is that of a request that the client sent",
                    OF_OWN,
                ),
                Rule::of_servers(
                    IN_FLIGHT,
                    "a server cancels what is in flight",
                    "a server cancels no request whose answer it has read",
                    &[
                        "2024-11-05/basic/utilities/cancellation#behavior-requirements.2",
                        "2024-11-05/schema#cancellednotification.1",
                    ],
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    NAMED,
                    "a server's cancellation names a request",
                    "notifications/cancelled has the id of the request; a task is cancelled in another way",
                    OF_NAMED,
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    OWN,
                    "a server cancels requests of its own",
                    "the id in a server's notifications/cancelled is that of a request that the server sent",
                    OF_OWN,
                )
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, _revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Cancelled {
            is_ordered: binding != Binding::Http,
        }))
    }
}

struct Cancelled {
    /// Whether what comes later was sent later.
    is_ordered: bool,
}

impl Watch for Cancelled {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came().or_else(|| said.asked()) else {
            return;
        };
        if came.notification() != Some("notifications/cancelled") {
            return;
        }
        let (own, [named, is_own]) = match came.entry.direction {
            Direction::Received => (&came.client.questions, [NAMED, OWN]),
            Direction::Sent => (&came.client.asked, [CLIENT_NAMED, CLIENT_OWN]),
        };
        sightings.judge(named);
        let Some(raw) = came.raw("/params/requestId") else {
            let finding = Finding::new(FindingCode::Schema, "a cancellation names no request")
                .expected("`requestId` in `params`")
                .actual(came.text())
                .at(came.entry.seq, "/params");
            sightings.find(named, "", "/params", finding);
            return;
        };
        let id = RawId(raw);
        let mut with_id = own.iter().filter(|asked| has_id(asked, &id));
        let Some(asked) = with_id.next_back() else {
            unknown(&came, own, &id, is_own, sightings);
            return;
        };
        sightings.judge(is_own);
        if came.entry.direction == Direction::Received && self.is_ordered {
            in_flight(&came, asked, sightings);
        }
    }
}

fn has_id(asked: &Asked, id: &RawId) -> bool {
    let own = asked.id.as_ref();
    own.is_some_and(|own| own.0.starts_with('"') == id.0.starts_with('"') && own.loosely_equals(id))
}

fn unknown(
    came: &Came<'_>,
    own: &Requests,
    id: &RawId,
    rule: &'static str,
    sightings: &mut Sightings,
) {
    let client = came.client;
    // It may be one that was sent before, or in words that we cannot read.
    if own.is_forgetful() || client.is_midway || client.is_unreadable {
        return;
    }
    if client.past.ids.iter().any(|past| past.loosely_equals(id)) {
        return;
    }
    sightings.judge(rule);
    let message = format!(
        "a cancellation names {}, which no request had",
        text::cut(&id.0)
    );
    let finding = Finding::new(FindingCode::Id, message)
        .expected("the id of a request that was sent the same way")
        .actual(id.0.clone())
        .at(came.entry.seq, "/params/requestId");
    sightings.find(rule, "", "/params/requestId", finding);
}

/// The server has read the answer to its request where it answered what the client sent after it.
fn in_flight(came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
    sightings.judge(IN_FLIGHT);
    let Some(answered) = asked.answered else {
        return;
    };
    let later = came.client.asked.iter();
    let mut later = later.filter(|later| later.seq > answered && later.answered.is_some());
    if let Some(later) = later.next() {
        let message = format!(
            "the server cancelled its request #{}, which #{answered} had answered before #{}, and that it answered too",
            asked.seq, later.seq
        );
        let finding = Finding::new(FindingCode::Order, message)
            .expected("a request without an answer")
            .actual(came.text())
            .at(came.entry.seq, "/params/requestId");
        sightings.find(IN_FLIGHT, "", "/params/requestId", finding);
    }
}

#[cfg(test)]
mod tests;
