//! One result per rule, revision and binding, over all conversations of a run.

use super::sightings::NOTES;
use super::{Example, Observed, Remark, Rule, Sighting};
use crate::text;
use mcp_assay_model::event::Noted;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::verdict::{Reason, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What all observers saw, over all conversations of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Whether rules on clients count as well.
    has_clients: bool,
    seen: BTreeMap<(String, Revision, Binding), Seen>,
    noted: BTreeMap<Remark, Note>,
}

/// What one note came to.
#[derive(Clone, Debug)]
struct Note {
    revisions: BTreeSet<Revision>,
    /// The smallest, with the count of all.
    example: Example,
    /// Its case.
    case: String,
}

/// What one rule came to in one revision over one binding.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Name of the observer.
    pub observer: &'static str,
    /// The rule.
    pub rule: Rule,
    /// Things judged.
    pub judged: u64,
    /// Findings by cause, each with the case of its example.
    causes: BTreeMap<(FindingCode, String, String), Cause>,
}

/// One root cause.
#[derive(Clone, Debug)]
struct Cause {
    /// Its smallest example, with the count of all.
    finding: Finding,
    /// The case of the example.
    case: String,
    /// Connections on which it was seen, each by the first case on it; as many as matter.
    connections: BTreeSet<String>,
}

/// Connections that are told apart; more say nothing more.
const TOLD_APART: usize = 2;

impl Seen {
    /// The verdict: fail with a finding, pass where something was judged, else none with its reason.
    pub fn verdict(&self) -> Result<Verdict, Reason> {
        match (self.causes.is_empty(), self.judged) {
            (false, _) => Ok(Verdict::Fail),
            (true, 0) => Err(Reason::NothingToJudge),
            (true, _) => Ok(Verdict::Pass),
        }
    }

    /// The findings, each with the case that its example is from: the one to run again.
    pub fn findings(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.causes
            .values()
            .map(|cause| (&cause.finding, cause.case.as_str()))
    }

    /// Whether the cause of a finding was seen on more than one connection.
    pub fn is_seen_elsewhere(&self, finding: &Finding) -> bool {
        let mut causes = self.causes.values();
        causes.any(|cause| cause.finding == *finding && cause.connections.len() > 1)
    }
}

impl Tally {
    /// Of rules on servers and on clients.
    pub fn of_both_sides() -> Self {
        Tally {
            has_clients: true,
            ..Tally::default()
        }
    }

    /// Adds what was seen of one case. `connection`: the first case on its connection, which is itself unless the connection is shared.
    pub fn add(
        &mut self,
        (revision, binding): (Revision, Binding),
        case: &str,
        connection: &str,
        observed: &[Observed],
    ) {
        for one in observed {
            for (remark, example) in one.sightings.noted() {
                self.note(revision, case, remark, example);
            }
            for rule in one.rules.iter().filter(|rule| rule.is_in(revision)) {
                if rule.role == Role::Client && !self.has_clients {
                    continue;
                }
                let key = (
                    format!("observer/{}/{}", one.observer, rule.id),
                    revision,
                    binding,
                );
                let seen = self.seen.entry(key).or_insert_with(|| Seen {
                    observer: one.observer,
                    rule: *rule,
                    judged: 0,
                    causes: BTreeMap::new(),
                });
                seen.judged += one.sightings.judged(rule.id);
                for sighting in one
                    .sightings
                    .found()
                    .filter(|sighting| sighting.rule == rule.id)
                {
                    add_cause(seen, &sighting, case, connection);
                }
            }
        }
    }

    fn note(&mut self, revision: Revision, case: &str, remark: &Remark, example: &Example) {
        if let Some(note) = self.noted.get_mut(remark) {
            note.revisions.insert(revision);
            if note.example.join(example) {
                case.clone_into(&mut note.case);
            }
        } else if self.noted.len() < NOTES {
            let note = Note {
                revisions: BTreeSet::from([revision]),
                example: example.clone(),
                case: case.to_owned(),
            };
            self.noted.insert(remark.clone(), note);
        }
    }

    /// What breaks no rule and is worth a word, of these roles, in order of role, method and place.
    pub fn noted(&self, roles: &BTreeSet<Role>) -> Vec<Noted> {
        let of_roles = self.noted.iter();
        let of_roles = of_roles.filter(|(remark, _)| roles.contains(&remark.role));
        of_roles
            .map(|(remark, note)| Noted {
                role: remark.role,
                revisions: note.revisions.iter().copied().collect(),
                method: remark.method.clone(),
                path: remark.path.clone(),
                message: remark.message.clone(),
                count: note.example.count,
                actual: text::cut(&note.example.actual),
                case: note.case.clone(),
                at: note.example.at.clone(),
            })
            .collect()
    }

    /// Every rule that watched anything, by its result id, revision and binding.
    pub fn results(&self) -> impl Iterator<Item = (&str, Revision, Binding, &Seen)> {
        self.seen
            .iter()
            .map(|((id, revision, binding), seen)| (id.as_str(), *revision, *binding, seen))
    }
}

fn add_cause(seen: &mut Seen, sighting: &Sighting<'_>, case: &str, connection: &str) {
    let finding = sighting.finding;
    let cause = (
        finding.code,
        sighting.method.to_owned(),
        sighting.path.to_owned(),
    );
    match seen.causes.get_mut(&cause) {
        None => {
            let new = Cause {
                finding: finding.clone(),
                case: case.to_owned(),
                connections: BTreeSet::from([connection.to_owned()]),
            };
            seen.causes.insert(cause, new);
        }
        Some(kept) => {
            let count = kept.finding.count + finding.count;
            let size = |finding: &Finding| finding.actual.as_ref().map_or(0, String::len);
            if size(finding) < size(&kept.finding) {
                kept.finding = finding.clone();
                case.clone_into(&mut kept.case);
            }
            kept.finding.count = count;
            if kept.connections.len() < TOLD_APART {
                kept.connections.insert(connection.to_owned());
            }
        }
    }
}
