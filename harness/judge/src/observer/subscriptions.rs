//! Notifications of `subscriptions/listen`: each says whose it is, the acknowledgement comes first, and none comes that was not asked for.

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::Value;
use std::collections::BTreeSet;

const CANCELLED: &str = "cancelled";
const IN_FLIGHT: &str = "in-flight";
const REQUESTED: &str = "requested";
const TAG: &str = "tag";

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const SUBSCRIPTION_ID: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

/// Kinds of notifications that a subscription brings, each with the member of the filter that asks for it.
const KINDS: [(&str, &str); 4] = [
    ("notifications/prompts/list_changed", "promptsListChanged"),
    (
        "notifications/resources/list_changed",
        "resourcesListChanged",
    ),
    ("notifications/resources/updated", "resourceSubscriptions"),
    ("notifications/tools/list_changed", "toolsListChanged"),
];

/// Whether a notification is one of a subscription.
pub(super) fn is_of_subscription(method: &str) -> bool {
    method == ACKNOWLEDGED || filter_of(method).is_some()
}

fn filter_of(method: &str) -> Option<&'static str> {
    let kind = KINDS.iter().find(|(kind, _)| *kind == method);
    kind.map(|(_, filter)| *filter)
}

/// Watches the notifications of subscriptions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscriptions;

impl Observer for Subscriptions {
    fn name(&self) -> &'static str {
        "subscriptions"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    CANCELLED,
                    "a server cancels subscriptions only",
                    "a server sends notifications/cancelled only with the id of a subscriptions/listen request",
                    &[
                        "2026-07-28/basic/patterns/cancellation#top.3",
                        "2026-07-28/basic/patterns/cancellation#behavior-requirements.3",
                    ],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    IN_FLIGHT,
                    "a server cancels nothing that was never sent",
                    "the id in a server's notifications/cancelled is that of a request that the client sent: what was never sent cannot be in flight; whether a subscription is still open is not judged, because its end and its cancellation may cross",
                    &[
                        "2024-11-05/basic/utilities/cancellation#behavior-requirements.2",
                        "2024-11-05/schema#cancellednotification.1",
                    ],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    REQUESTED,
                    "a subscription brings what was asked for",
                    "a server sends on a subscription only the kinds of notifications that its filter has",
                    &["2026-07-28/basic/patterns/subscriptions#opening-a-stream.1"],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    TAG,
                    "a notification of a subscription says whose it is",
                    "each notification of a subscription carries the id of an open subscriptions/listen request, and the acknowledgement is the first that carries it",
                    &[
                        "2026-07-28/basic/index#meta.16",
                        "2026-07-28/basic/patterns/subscriptions#acknowledgment.1",
                        "2026-07-28/basic/patterns/subscriptions#acknowledgment.2",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| {
            Box::new(Tagged {
                acknowledged: BTreeSet::new(),
            }) as _
        })
    }
}

struct Tagged {
    /// Subscriptions that were acknowledged, by connection and the position of their request.
    acknowledged: BTreeSet<(String, u64)>,
}

impl Watch for Tagged {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        // What was asked in words that we cannot read may be what it answers.
        let Some(method) = came.notification().filter(|_| !came.client.is_unreadable) else {
            return;
        };
        if method == "notifications/cancelled" {
            cancelled(&came, sightings);
        }
        // Over HTTP, what is on the stream of another request is not on that of a subscription.
        let is_elsewhere = came.stream.is_some_and(|stream| !stream.is_listen());
        if !is_of_subscription(method) || is_elsewhere {
            return;
        }
        sightings.judge(TAG);
        let subscription = match tagged(&came) {
            Ok(subscription) => subscription,
            Err(finding) => {
                sightings.find(TAG, method, SUBSCRIPTION_ID, finding);
                return;
            }
        };
        let entry = came.entry;
        let key = (entry.connection.clone(), subscription.seq);
        if method == ACKNOWLEDGED {
            self.acknowledged.insert(key);
            return;
        }
        if !self.acknowledged.contains(&key) {
            let message = format!("`{method}` came before the subscription was acknowledged");
            let finding = Finding::new(FindingCode::Order, message)
                .expected(format!(
                    "`{ACKNOWLEDGED}` before every other notification of the subscription"
                ))
                .actual(came.text())
                .at(entry.seq, "");
            sightings.find(TAG, method, "", finding);
        }
        requested(&came, method, subscription, sightings);
    }
}

/// The subscription that a notification says it is of.
fn tagged<'c>(came: &Came<'c>) -> Result<&'c Asked, Finding> {
    let named = came.raw(SUBSCRIPTION_ID);
    let is_named = |asked: &Asked| {
        let (Some(id), Some(named)) = (&asked.id, &named) else {
            return false;
        };
        is_same(id, named)
    };
    // One id may have been used again, once it was answered: the last use is meant.
    let named_so = came
        .client
        .asked
        .iter()
        .rev()
        .filter(|asked| asked.is_listen() && is_named(asked));
    let open = named_so.clone().find(|asked| asked.answered.is_none());
    let is_here = |asked: &&Asked| came.stream.is_none_or(|stream| asked.is(stream));
    if let Some(open) = open.filter(is_here) {
        return Ok(open);
    }
    let method = came.message.method.as_deref().unwrap_or_default();
    let shown = named.as_deref().map(text::cut);
    let why = match (&shown, named_so.clone().next(), open) {
        (None, _, _) => format!("`{method}` names no subscription"),
        (Some(named), _, Some(_)) => {
            format!("`{method}` names the subscription {named} on the stream of another")
        }
        (Some(named), Some(asked), None) => format!(
            "`{method}` names the subscription {named}, which ended with #{}",
            asked.answered.unwrap_or_default()
        ),
        (Some(named), None, None) => {
            format!(
                "`{method}` names the subscription {named}, but no subscriptions/listen request has this id"
            )
        }
    };
    let expected = match came.stream.and_then(|stream| stream.id.as_ref()) {
        Some(id) => format!("the id {} in `_meta`, under io.modelcontextprotocol/subscriptionId", text::cut(&id.0)),
        None => "the id of an open subscriptions/listen request in `_meta`, under io.modelcontextprotocol/subscriptionId".to_owned(),
    };
    Err(Finding::new(FindingCode::Id, why)
        .expected(expected)
        .actual(named.unwrap_or_else(|| came.text()))
        .at(
            came.entry.seq,
            if shown.is_some() { SUBSCRIPTION_ID } else { "" },
        ))
}

/// Whether ids are the same: of one JSON type, and equal by what they say.
fn is_same(id: &RawId, named: &str) -> bool {
    id.0.starts_with('"') == named.starts_with('"') && id.loosely_equals(&RawId(named.to_owned()))
}

fn requested(came: &Came<'_>, method: &str, subscription: &Asked, sightings: &mut Sightings) {
    let (Some(member), Some(Value::Object(filter))) =
        (filter_of(method), subscription.param("notifications"))
    else {
        return;
    };
    let is_asked_for = match filter.get(member) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(uris)) => !uris.is_empty(),
        Some(Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Object(_)) => true,
    };
    sightings.judge(REQUESTED);
    if !is_asked_for {
        let message = format!("`{method}` came on a subscription whose filter has no `{member}`");
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected("only the kinds of notifications that the filter of the subscription has")
            .actual(came.text())
            .at(came.entry.seq, "");
        sightings.find(REQUESTED, method, "", finding);
    }
}

/// One that was never sent breaks a rule of its own.
fn cancelled(came: &Came<'_>, sightings: &mut Sightings) {
    let Some(named) = came.raw("/params/requestId") else {
        return;
    };
    let client = came.client;
    let is_named = |asked: &&Asked| asked.id.as_ref().is_some_and(|id| is_same(id, &named));
    let asked: Vec<&Asked> = client.asked.iter().filter(is_named).collect();
    let (rule, what) = match asked.last() {
        Some(last) => (CANCELLED, format!("a request of `{}`", last.method)),
        // It may have been sent before.
        None if client.asked.is_forgetful()
            || client.is_midway
            || client.past.ids.iter().any(|past| is_same(past, &named)) =>
        {
            return;
        }
        None => (IN_FLIGHT, "which no request of the client had".to_owned()),
    };
    sightings.judge(IN_FLIGHT);
    if rule == CANCELLED {
        sightings.judge(CANCELLED);
    }
    if asked.iter().any(|asked| asked.is_listen()) {
        return;
    }
    let message = format!("the server cancelled {}, {what}", text::cut(&named));
    let finding = Finding::new(FindingCode::Id, message)
        .expected("the id of a subscriptions/listen request")
        .actual(named)
        .at(came.entry.seq, "/params/requestId");
    sightings.find(rule, "", "/params/requestId", finding);
}

#[cfg(test)]
mod tests;
