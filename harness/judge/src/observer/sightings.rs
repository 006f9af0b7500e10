//! What a watch judged and found, grouped by root cause as it goes, so that a million bad lines are one finding.

use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::Role;
use std::collections::BTreeMap;

/// What was judged and found, by rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sightings {
    judged: Judged,
    found: BTreeMap<Cause, Finding>,
    /// Causes that were not told yet.
    news: Vec<Cause>,
    noted: BTreeMap<Remark, Example>,
}

/// What makes two notes one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Remark {
    /// Who sent it.
    pub role: Role,
    /// Method of the message, or of the request that it answers; empty where there is none.
    pub method: String,
    /// Place within the message, with array indices as `*`.
    pub path: String,
    /// What is worth a word.
    pub message: String,
}

/// The smallest example of a note.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Example {
    /// The text at the place.
    pub actual: String,
    /// Position and pointer: `#12 /result/nextcursor`.
    pub at: String,
    /// How often.
    pub count: u64,
}

impl Example {
    /// Counts another, and keeps it where it is smaller; says whether it is.
    pub(super) fn join(&mut self, other: &Example) -> bool {
        let count = self.count + other.count;
        let is_smaller = other.actual.len() < self.actual.len();
        if is_smaller {
            self.clone_from(other);
        }
        self.count = count;
        is_smaller
    }
}

/// Notes that are told apart; what is beyond is left out.
pub(super) const NOTES: usize = 200;

/// How often each rule judged; few rules, and each message is judged by several.
#[derive(Clone, Debug, Default)]
struct Judged(Vec<(&'static str, u64)>);

impl Judged {
    fn of(&self, rule: &str) -> u64 {
        let known = self.0.iter().find(|(known, _)| *known == rule);
        known.map_or(0, |(_, times)| *times)
    }

    fn once_more(&mut self, rule: &'static str) {
        // A rule is most often named by the very same text.
        let same = self
            .0
            .iter()
            .position(|(known, _)| std::ptr::eq(*known, rule));
        let equal = || self.0.iter().position(|(known, _)| *known == rule);
        match same.or_else(equal) {
            Some(index) => self.0[index].1 += 1,
            None => self.0.push((rule, 1)),
        }
    }
}

impl PartialEq for Judged {
    fn eq(&self, other: &Self) -> bool {
        let is_in = |(rule, times): &(&'static str, u64)| other.of(rule) == *times;
        self.0.len() == other.0.len() && self.0.iter().all(is_in)
    }
}

/// Causes that are told apart; a peer that can name more is counted with the last of them.
const CAUSES: usize = 1000;

/// What makes two findings one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Cause {
    rule: &'static str,
    code: FindingCode,
    /// Method of the message, or of the request that it answers; empty where there is none.
    method: String,
    /// Place within the message, with array indices as `*`.
    path: String,
}

/// One finding of a rule, of one root cause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting<'s> {
    /// Id of the rule.
    pub rule: &'static str,
    /// Method that groups it; empty where there is none.
    pub method: &'s str,
    /// Place that groups it.
    pub path: &'s str,
    /// The smallest example, with how often it was seen.
    pub finding: &'s Finding,
}

impl Sightings {
    /// One more thing was judged by a rule.
    pub fn judge(&mut self, rule: &'static str) {
        self.judged.once_more(rule);
    }

    /// Something was found; `path` has array indices as `*`.
    pub fn find(&mut self, rule: &'static str, method: &str, path: &str, finding: Finding) {
        let cause = Cause {
            rule,
            code: finding.code,
            method: method.to_owned(),
            path: path.to_owned(),
        };
        let cause = if self.found.len() >= CAUSES && !self.found.contains_key(&cause) {
            let same_rule = |known: &&Cause| known.rule == cause.rule && known.code == cause.code;
            match self.found.keys().rfind(same_rule) {
                Some(known) => known.clone(),
                None => cause,
            }
        } else {
            cause
        };
        match self.found.get_mut(&cause) {
            None => {
                self.news.push(cause.clone());
                self.found.insert(cause, finding);
            }
            Some(kept) => {
                let count = kept.count + finding.count;
                if size(&finding) < size(kept) {
                    *kept = finding;
                }
                kept.count = count;
            }
        }
    }

    /// Something breaks no rule and is worth a word.
    pub fn note(&mut self, remark: Remark, example: &Example) {
        if let Some(kept) = self.noted.get_mut(&remark) {
            kept.join(example);
        } else if self.noted.len() < NOTES {
            self.noted.insert(remark, example.clone());
        }
    }

    /// What was noted, in order of who and where.
    pub fn noted(&self) -> impl Iterator<Item = (&Remark, &Example)> {
        self.noted.iter()
    }

    /// Keeps what another watch of the same rules saw as well.
    pub(crate) fn keep_common(&mut self, other: &Sightings) {
        self.found
            .retain(|cause, _| other.found.contains_key(cause));
        for (rule, judged) in &mut self.judged.0 {
            *judged = (*judged).min(other.judged(rule));
        }
    }

    /// Keeps the rules that satisfy a test.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.found.retain(|cause, _| keep(cause.rule));
        self.judged.0.retain(|(rule, _)| keep(rule));
    }

    /// How many things a rule judged.
    pub fn judged(&self, rule: &str) -> u64 {
        self.judged.of(rule)
    }

    /// What was found of causes that were not seen before, since this was last asked for.
    pub fn take_news(&mut self) -> Vec<(&'static str, Finding)> {
        let news = std::mem::take(&mut self.news).into_iter();
        news.filter_map(|cause| Some((cause.rule, self.found.get(&cause)?.clone())))
            .collect()
    }

    /// What was found, in order of rule and cause.
    pub fn found(&self) -> impl Iterator<Item = Sighting<'_>> {
        self.found.iter().map(|(cause, finding)| Sighting {
            rule: cause.rule,
            method: &cause.method,
            path: &cause.path,
            finding,
        })
    }
}

fn size(finding: &Finding) -> usize {
    finding.actual.as_ref().map_or(0, String::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_note_has_its_smallest_example_and_notes_are_bounded() {
        let mut sightings = Sightings::default();
        let remark = |path: &str| Remark {
            role: Role::Server,
            method: "tools/list".to_owned(),
            path: path.to_owned(),
            message: "worth a word".to_owned(),
        };
        for (actual, at) in [
            ("long one", "#1 /a"),
            ("short", "#2 /a"),
            ("middle", "#3 /a"),
        ] {
            let example = Example {
                actual: actual.to_owned(),
                at: at.to_owned(),
                count: 2,
            };
            sightings.note(remark("/a"), &example);
        }
        let noted: Vec<_> = sightings.noted().map(|(_, example)| example).collect();
        assert_eq!(
            noted
                .iter()
                .map(|it| (it.at.as_str(), it.count))
                .collect::<Vec<_>>(),
            [("#2 /a", 6)]
        );
        let example = noted[0].clone();
        for index in 0..2 * NOTES {
            sightings.note(remark(&format!("/b/{index}")), &example);
        }
        assert_eq!(sightings.noted().count(), NOTES);
    }

    #[test]
    fn one_cause_is_one_finding_with_its_smallest_example() {
        let mut sightings = Sightings::default();
        for actual in ["long one", "short", "middle"] {
            sightings.judge("a");
            let finding = Finding::new(FindingCode::Schema, actual).actual(actual);
            sightings.find("a", "tools/list", "/result/tools/*", finding);
        }
        let other = Finding::new(FindingCode::Value, "other").actual("x");
        sightings.find("a", "tools/list", "/result/tools/*", other);
        let found: Vec<_> = sightings
            .found()
            .map(|one| (one.finding.message.as_str(), one.finding.count))
            .collect();
        assert_eq!(found, [("other", 1), ("short", 3)]);
        assert_eq!((sightings.judged("a"), sightings.judged("b")), (3, 0));
    }
}
