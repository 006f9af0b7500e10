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
mod caching;
mod era;
mod errors;
mod http;
mod modern;
mod results;
mod scope;
mod sightings;
mod stdout;
mod subscriptions;
mod tally;

pub use sightings::{Sighting, Sightings};
pub use tally::{Seen, Tally};

use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{End, Entry, Record};
use mcp_assay_model::scenario::Basis;

/// Every observer, in order of name.
pub const OBSERVERS: &[&dyn Observer] = &[
    &answers::Answers,
    &caching::Caching,
    &era::NoServerRequests,
    &errors::Codes,
    &http::StreamableHttp,
    &results::Types,
    &scope::RequestScope,
    &stdout::Stdout,
    &subscriptions::Subscriptions,
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
    /// Whether a revision has it.
    pub fn is_in(&self, revision: Revision) -> bool {
        self.since <= revision && self.until.is_none_or(|until| revision <= until)
    }
}

/// A named set of rules, judged together because they share what they look at.
pub trait Observer: Sync {
    /// Its name; the second part of the id of each of its rules.
    fn name(&self) -> &'static str;

    /// Its rules, in order of id.
    fn rules(&self) -> &'static [Rule];

    /// Begins to watch one conversation; `None` where nothing of it is this observer's matter. What it judges by a rule that the revision
    /// does not have counts for nothing.
    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>>;
}

/// An observer's eyes on one conversation, with what it remembers of it.
pub trait Watch {
    /// Sees the next entry, sent or received, in order of `seq`.
    fn see(&mut self, entry: &Entry, sightings: &mut Sightings);

    /// Sees the conversation end: for rules on what never came.
    fn end(&mut self, end: &End, sightings: &mut Sightings) {
        let _ = (end, sightings);
    }
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

/// Runs every observer over a record.
pub fn observe(record: &Record) -> Vec<Observed> {
    let watched = OBSERVERS.iter().filter_map(|observer| {
        let mut watch = observer.watch(record.revision, record.binding)?;
        let mut sightings = Sightings::default();
        for entry in &record.entries {
            watch.see(entry, &mut sightings);
        }
        watch.end(&record.end, &mut sightings);
        Some(Observed {
            observer: observer.name(),
            rules: observer.rules(),
            sightings,
        })
    });
    watched.collect()
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
                    "response-content-type",
                    "session-id-visible",
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
