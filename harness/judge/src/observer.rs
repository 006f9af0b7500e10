//! Observers: rules that hold for every message of every conversation, whatever the card is about.
//!
//! ```text
//! conversation begins -> Observer::watch -> Watch (memory of this conversation)
//! each entry          -> Watch::see      \
//! conversation ends   -> Watch::end      / -> Sightings: judged per rule, findings grouped
//! Sightings of many conversations -> Tally: one result per rule, revision and binding
//! ```
//!
//! An observer that needs memory (ids seen, capabilities declared) keeps it in its watch, so that nothing leaks from one conversation
//! into the next.

mod answers;
mod blocks;
mod caching;
mod cancellation;
mod capabilities;
mod dialogue;
mod elicitation;
mod era;
mod errors;
mod http;
mod lifecycle;
mod lists;
mod logging;
mod message;
mod mrtr;
mod progress;
mod questions;
mod results;
mod sampling;
mod sightings;
mod stdout;
mod subscriptions;
mod tally;
mod tasks;
mod tools;

pub use sightings::{Example, Remark, Sighting, Sightings};
pub use tally::{Seen, Tally};

use dialogue::{Dialogue, Said};
use mcp_assay_model::finding::Finding;
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::record::{End, Entry, Past, Record};
use mcp_assay_model::scenario::Basis;

/// Every observer, in order of name.
const OBSERVERS: &[&dyn Observer] = &[
    &answers::Answers,
    &caching::Caching,
    &cancellation::Cancellations,
    &capabilities::Capabilities,
    &elicitation::Elicitation,
    &era::NoServerRequests,
    &errors::Codes,
    &http::StreamableHttp,
    &lifecycle::Beginning,
    &lists::Lists,
    &logging::Logging,
    &message::Messages,
    &mrtr::Inputs,
    &progress::Progress,
    &results::Types,
    &sampling::Sampling,
    &stdout::Stdout,
    &subscriptions::Subscriptions,
    &tasks::Tasks,
    &tools::Tools,
];

/// A rule of an observer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Last part of the id `observer/NAME/RULE`.
    pub id: &'static str,
    /// What it says, in a line.
    pub title: &'static str,
    /// The rule, in our words.
    pub rule: &'static str,
    /// Whom it binds.
    pub role: Role,
    /// Specification or robustness.
    pub basis: Basis,
    /// Requirements cited: first statements.
    pub cites: &'static [&'static str],
    /// First revision that has it.
    pub since: Revision,
    /// Last revision that has it; `None`: it holds on.
    pub until: Option<Revision>,
}

impl Rule {
    /// A rule of the specification that binds servers, in all revisions.
    const fn of_servers(
        id: &'static str,
        title: &'static str,
        rule: &'static str,
        cites: &'static [&'static str],
    ) -> Self {
        Rule {
            id,
            title,
            rule,
            role: Role::Server,
            basis: Basis::Spec,
            cites,
            since: Revision::R2024_11_05,
            until: None,
        }
    }

    /// A rule of the specification that binds clients, in all revisions.
    const fn of_clients(
        id: &'static str,
        title: &'static str,
        rule: &'static str,
        cites: &'static [&'static str],
    ) -> Self {
        Rule {
            role: Role::Client,
            ..Rule::of_servers(id, title, rule, cites)
        }
    }

    /// From a revision on.
    const fn since(mut self, revision: Revision) -> Self {
        self.since = revision;
        self
    }

    /// Up to a revision, inclusive.
    const fn until(mut self, revision: Revision) -> Self {
        self.until = Some(revision);
        self
    }

    /// Whether a revision has it.
    pub fn is_in(&self, revision: Revision) -> bool {
        self.since <= revision && self.until.is_none_or(|until| revision <= until)
    }
}

/// A named set of rules, judged together because they share what they look at.
trait Observer: Sync {
    /// Its name; the second part of the id of each of its rules.
    fn name(&self) -> &'static str;

    /// Its rules, in order of id.
    fn rules(&self) -> &'static [Rule];

    /// Begins to watch one conversation; `None` where nothing of it is this observer's matter. What it judges by a rule that the revision
    /// does not have counts for nothing.
    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>>;
}

/// An observer's eyes on one conversation, with what it remembers of it.
trait Watch {
    /// Sees the next entry, sent or received, in order of `seq`.
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings);

    /// Sees the conversation end: for rules on what never came.
    fn end(&mut self, end: &End, sightings: &mut Sightings) {
        let _ = (end, sightings);
    }
}

/// Every rule, with the name of its observer, in order of id.
pub fn rules() -> impl Iterator<Item = (&'static str, Rule)> {
    let of = |observer: &&'static dyn Observer| {
        let name = observer.name();
        observer.rules().iter().map(move |rule| (name, *rule))
    };
    OBSERVERS.iter().flat_map(of)
}

/// What one observer saw of one conversation.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its name.
    pub observer: &'static str,
    /// Its rules.
    pub rules: &'static [Rule],
    /// What was judged and found, by rule.
    pub sightings: Sightings,
}

/// What was said before a conversation is watched.
#[derive(Clone, Debug)]
pub enum Before {
    /// At most this, by the same client on the same connection; the handshake is part of what follows.
    Asked(Past),
    /// Anything, in words of the revision: the conversation is watched from some moment on.
    Anything,
}

/// All observers on one conversation, fed entry by entry.
pub struct Watchers {
    dialogue: Dialogue,
    watching: Vec<(Observed, Box<dyn Watch>)>,
}

impl Watchers {
    /// Begins to watch a conversation.
    pub fn new(revision: Revision, binding: Binding, before: Before) -> Self {
        let watching = OBSERVERS.iter().filter_map(|observer| {
            let observed = Observed {
                observer: observer.name(),
                rules: observer.rules(),
                sightings: Sightings::default(),
            };
            Some((observed, observer.watch(revision, binding)?))
        });
        Watchers {
            dialogue: Dialogue::new(revision, before),
            watching: watching.collect(),
        }
    }

    /// Has the rules on clients judge as well, which are passed over otherwise: in a run the client is ourselves.
    #[must_use]
    pub fn of_both_sides(mut self) -> Self {
        self.dialogue.judges_clients = true;
        self
    }

    /// Has what breaks no rule noted as well; it costs as much as judging the messages does.
    #[must_use]
    pub fn with_notes(mut self) -> Self {
        self.dialogue.takes_notes = true;
        self
    }

    /// Sees the next entry, sent or received, in order of `seq`.
    pub fn see(&mut self, entry: &Entry) {
        let said = self.dialogue.see(entry);
        for (observed, watch) in &mut self.watching {
            watch.see(&said, &mut observed.sightings);
        }
    }

    /// What was found of causes that were not seen before, since this was last asked for: id of the rule, and the finding.
    pub fn take_news(&mut self) -> Vec<(String, Finding)> {
        let news = self.watching.iter_mut().flat_map(|(observed, _)| {
            let name = observed.observer;
            let news = observed.sightings.take_news().into_iter();
            news.map(move |(rule, finding)| (format!("observer/{name}/{rule}"), finding))
        });
        news.collect()
    }

    /// Sees the conversation end.
    pub fn end(self, end: &End) -> Vec<Observed> {
        let seen = self.watching.into_iter().map(|(mut observed, mut watch)| {
            watch.end(end, &mut observed.sightings);
            observed
        });
        seen.collect()
    }
}

/// Runs every observer over a record.
pub fn observe(record: &Record) -> Vec<Observed> {
    watch(record, of_record(record))
}

/// Runs every observer over a record, and has them take notes.
pub fn observe_and_note(record: &Record) -> Vec<Observed> {
    watch(record, of_record(record).with_notes())
}

fn of_record(record: &Record) -> Watchers {
    Watchers::new(
        record.revision,
        record.binding,
        Before::Asked(record.past.clone()),
    )
}

fn watch(record: &Record, mut watchers: Watchers) -> Vec<Observed> {
    for entry in &record.entries {
        watchers.see(entry);
    }
    watchers.end(&record.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Talk;

    #[test]
    fn observers_and_rules_are_sorted_and_named_once() {
        let names: Vec<_> = OBSERVERS.iter().map(|observer| observer.name()).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for observer in OBSERVERS {
            let rules: Vec<_> = observer.rules().iter().map(|rule| rule.id).collect();
            assert!(rules.is_sorted_by(|a, b| a < b), "{rules:?}");
            for rule in observer.rules() {
                assert!(rule.until.is_none_or(|until| rule.since <= until));
                assert_eq!(
                    rule.cites.is_empty(),
                    rule.basis == Basis::Robustness,
                    "{}",
                    rule.id
                );
            }
        }
    }

    #[test]
    fn a_tally_has_the_rules_of_its_revision() {
        for (revision, rules) in [
            (
                Revision::R2025_11_25,
                vec![
                    "event-id-unique",
                    "no-response-on-listen",
                    "notification-202",
                    "one-stream",
                    "related",
                    "response-content-type",
                    "retry",
                    "session-id-visible",
                    "unrelated-on-listen",
                ],
            ),
            (
                Revision::R2026_07_28,
                vec!["own-stream", "response-content-type"],
            ),
        ] {
            let mut talk = Talk::http();
            talk.record.revision = revision;
            let mut tally = Tally::default();
            tally.add((revision, Binding::Http), "c", "c", &observe(&talk.record));
            let of_http = tally.results().filter(|(.., seen)| seen.observer == "http");
            let named: Vec<_> = of_http.map(|(.., seen)| seen.rule.id).collect();
            assert_eq!(named, rules, "{revision}");
        }
    }
}
