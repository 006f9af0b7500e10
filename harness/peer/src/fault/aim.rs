//! Aiming: which messages of a connection a fault is about.

use super::Planted;
use crate::outgoing::About;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_model::scenario::{FaultAt, FaultTarget};

/// Counts the messages of the kind that a fault is about.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    planted: Option<Planted>,
    seen: u32,
}

impl Aim {
    /// An aim that has seen nothing; without `at` every message is hit.
    pub fn new(planted: Option<Planted>) -> Self {
        Aim { planted, seen: 0 }
    }

    fn at(&self) -> Option<&FaultAt> {
        self.planted.as_ref()?.at.as_ref()
    }

    /// Counts a message to be sent; whether it is the one.
    pub fn hits(&mut self, about: &About, revisions: &[Revision]) -> bool {
        let is_of_kind = |target: &FaultTarget| match (target, about) {
            (FaultTarget::ReplyTo(wanted), About::Reply { method, .. }) => {
                wanted == "*" || wanted == method
            }
            (FaultTarget::ReplyTo(wanted), About::ReplyToNone) => wanted == "!",
            (FaultTarget::Request(wanted), About::Request(method))
            | (FaultTarget::Notification(wanted), About::Notification(method)) => {
                wanted == "*" || wanted == method
            }
            (
                FaultTarget::ReplyTo(_)
                | FaultTarget::Request(_)
                | FaultTarget::Notification(_)
                | FaultTarget::Http(_),
                _,
            ) => false,
        };
        let Some((planted, at)) = self
            .planted
            .as_ref()
            .and_then(|planted| Some((planted, planted.at.as_ref()?)))
        else {
            return true;
        };
        if !is_of_kind(&at.target) {
            return false;
        }
        self.seen += 1;
        let is_modern = |revision: &Revision| revision.era() == Era::Modern;
        let has_session = !revisions.iter().all(is_modern);
        planted.is_due(at, self.seen, has_session) && is_within(at.revisions, revisions)
    }

    /// Counts a request that came; whether a fault aimed at its reply is about it.
    pub fn hits_request(&mut self, method: &str, revisions: &[Revision]) -> bool {
        let about = About::Reply {
            method: method.to_owned(),
            seq: 0,
        };
        self.is_at_replies() && self.hits(&about, revisions)
    }

    /// Whether it is about replies to requests, so that a named fault is about the requests.
    pub fn is_at_replies(&self) -> bool {
        let target = self.at().map(|at| &at.target);
        matches!(target, None | Some(FaultTarget::ReplyTo(_)))
    }

    /// Whether it names no message at all.
    pub fn is_everywhere(&self) -> bool {
        self.at().is_none()
    }
}

/// Whether all of these revisions lie within the limits. Before `initialize` they are those on offer: a fault limited to some of them
/// cannot know yet.
fn is_within(limits: Option<(Revision, Revision)>, revisions: &[Revision]) -> bool {
    limits.is_none_or(|(first, last)| {
        revisions
            .iter()
            .all(|revision| (first..=last).contains(revision))
    })
}
