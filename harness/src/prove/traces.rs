//! What each case meets on an honest server: a fault that is aimed at one kind of message cannot strike where none of it comes.

use mcp_assay_model::record::{Direction, Record};
use mcp_assay_model::scenario::{FaultAt, FaultTarget};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use std::collections::BTreeMap;

/// How often each kind of message came up, by case.
#[derive(Clone, Debug, Default)]
pub(super) struct Traces(BTreeMap<String, BTreeMap<(Side, String), u32>>);

/// Whose message.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Side {
    /// A request of ours.
    Asked,
    /// A request of the server's.
    Request,
    /// A notification of the server's.
    Notification,
}

impl Traces {
    /// Notes the messages of a case.
    pub fn note(&mut self, case: &str, record: &Record) {
        let met = self.0.entry(case.to_owned()).or_default();
        for entry in &record.entries {
            let Some(message) = &entry.message else {
                continue;
            };
            let items = message.batch.iter().chain([message]);
            for (side, method) in items.filter_map(|item| kind(entry.direction, item)) {
                *met.entry((side, method.to_owned())).or_default() += 1;
            }
        }
    }

    /// Whether a fault that is aimed so may strike in a case. Up to the strike everything is as on the honest server.
    pub fn may_meet(&self, case: &str, at: Option<&FaultAt>) -> bool {
        let (Some(at), Some(met)) = (at, self.0.get(case)) else {
            return true;
        };
        let (side, method) = match &at.target {
            FaultTarget::ReplyTo(method) => (Side::Asked, method),
            FaultTarget::Request(method) => (Side::Request, method),
            FaultTarget::Notification(method) => (Side::Notification, method),
            FaultTarget::Http(_) => return true,
        };
        // What any message may be, and what new clients send of whom no record is kept.
        if ["*", "!", "initialize", "server/discover"].contains(&method.as_str()) {
            return true;
        }
        let count = met.get(&(side, method.clone())).copied().unwrap_or(0);
        count >= at.nth
    }
}

fn kind(direction: Direction, message: &Message) -> Option<(Side, &str)> {
    let method = message.method.as_deref()?;
    let side = match (direction, message.kind) {
        (Direction::Sent, _) => Side::Asked,
        (Direction::Received, Kind::Request) => Side::Request,
        (Direction::Received, Kind::Notification) => Side::Notification,
        (Direction::Received, _) => return None,
    };
    Some((side, method))
}
