//! What each case does on an honest server: a fault that is aimed at one kind of message cannot strike where none of it comes, and an
//! oddity must not keep a check from passing that passes there.

use super::sweep::Sweep;
use mcp_assay_model::record::{Direction, Record};
use mcp_assay_model::scenario::{FaultAt, FaultTarget};
use mcp_assay_model::verdict::{Outcome, Verdict};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of the honest server.
#[derive(Clone, Debug, Default)]
pub(super) struct Honest {
    /// How often each kind of message came up, by case.
    met: BTreeMap<String, BTreeMap<(Side, String), u32>>,
    /// Checks that passed, by case.
    passed: BTreeSet<(String, String)>,
}

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

impl Honest {
    /// Notes what a sweep saw.
    pub fn note(&mut self, sweep: &Sweep) {
        for ran in &sweep.cases {
            if let Ok(record) = &ran.attempt.record {
                self.note_messages(&ran.case.id, record);
            }
            let passed = ran.results.iter();
            let passed = passed.filter(|result| result.verdict == Some(Verdict::Pass));
            self.passed
                .extend(passed.map(|result| (ran.case.id.clone(), result.id.clone())));
        }
    }

    fn note_messages(&mut self, case: &str, record: &Record) {
        let met = self.met.entry(case.to_owned()).or_default();
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

    /// What passes on the honest server and comes to no verdict in this sweep though it applies: the check and its reason.
    pub fn blinded(&self, sweep: &Sweep) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for ran in &sweep.cases {
            for result in &ran.results {
                let is_told = matches!(
                    result.verdict,
                    Some(Verdict::Pass | Verdict::Fail | Verdict::Error)
                ) || result.outcome == Outcome::NotApplicable;
                let key = (ran.case.id.clone(), result.id.clone());
                if !is_told && self.passed.contains(&key) {
                    let reason = result.reason.as_ref().map(|reason| format!("{reason:?}"));
                    all.insert(result.id.clone(), reason.unwrap_or_default());
                }
            }
        }
        all
    }

    /// Whether a fault that is aimed so may strike in a case. Up to the strike everything is as on the honest server.
    pub fn may_meet(&self, case: &str, at: Option<&FaultAt>) -> bool {
        let (Some(at), Some(met)) = (at, self.met.get(case)) else {
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
