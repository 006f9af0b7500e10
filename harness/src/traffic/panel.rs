//! A monitor for each conversation, and what they all came to: a result for each rule, revision and binding.

use super::{Heard, Talk};
use crate::run::gate::GatePolicy;
use crate::run::interpret::wait;
use crate::run::observe::{level_of, rule_result};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_judge::monitor::{Monitor, News, Summary};
use mcp_assay_judge::observer::{Seen, Tally, rules};
use mcp_assay_model::event::{ConversationEnd, Noted};
use mcp_assay_model::finding::Finding;
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::record::{End, Entry};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::{CheckResult, TranscriptEntry};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Reason, Verdict};
use mcp_assay_report::shorten;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Entries before a finding that are kept as its evidence.
const BEFORE: usize = 8;
/// Entries that are kept where findings are told at the end only, because no revision is known.
const UNTOLD: usize = 64;
/// Findings with evidence.
const MOST_EVIDENCE: usize = 128;
/// Entries longer than this are no evidence for what comes after them.
const LONGEST_BEFORE: u64 = 64 * 1024;
/// Remarks of a kind that are told one by one.
const MOST_NOTES: usize = 20;

/// Revision that stands for all of them, where the rules are those that all have.
const ANY: Revision = Revision::R2025_11_25;

/// What is judged.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The revision that counts where the traffic does not tell.
    pub revision: Option<Revision>,
    /// Whose conduct.
    pub roles: BTreeSet<Role>,
}

/// Judges conversations as they go by.
pub struct Panel {
    scope: Scope,
    /// What goes before the names of conversations: the file, where there are several.
    source: String,
    open: HashMap<Talk, Watched>,
    judged: Judged,
    roles: HashMap<String, Role>,
}

struct Watched {
    /// `None` from a gap on.
    monitor: Option<Monitor>,
    binding: Binding,
    recent: VecDeque<Entry>,
}

/// What was judged.
#[derive(Clone, Debug)]
pub struct Judged {
    known: Tally,
    /// By what holds in all revisions, where none is known.
    unknown: Tally,
    evidence: HashMap<Place, Vec<TranscriptEntry>>,
    /// Conversations.
    pub talks: u64,
    /// Entries.
    pub entries: u64,
    /// Revisions that were told.
    pub revisions: BTreeSet<Revision>,
    /// Bindings.
    pub bindings: BTreeSet<Binding>,
    unknown_talks: u64,
    gaps: Vec<String>,
    gap_count: usize,
}

/// Rule, conversation and position of a finding.
type Place = (String, String, String);

/// A result, and the entries that show its finding.
#[derive(Clone, Debug)]
pub struct Settled {
    /// The result.
    pub result: CheckResult,
    /// Empty where nothing was found, or it was not kept.
    pub example: Vec<TranscriptEntry>,
}

impl Panel {
    /// Judges nothing yet.
    pub fn new(scope: Scope) -> Self {
        let roles = rules().map(|(name, rule)| (format!("observer/{name}/{}", rule.id), rule.role));
        Panel {
            roles: roles.collect(),
            scope,
            source: String::new(),
            open: HashMap::new(),
            judged: Judged {
                known: Tally::of_both_sides(),
                unknown: Tally::of_both_sides(),
                evidence: HashMap::new(),
                talks: 0,
                entries: 0,
                revisions: BTreeSet::new(),
                bindings: BTreeSet::new(),
                unknown_talks: 0,
                gaps: Vec::new(),
                gap_count: 0,
            },
        }
    }

    /// Says where the next conversations come from; empty where there is only one source.
    pub fn source(&mut self, source: &str) {
        source.clone_into(&mut self.source);
    }

    fn label(&self, talk: &Talk) -> String {
        if self.source.is_empty() {
            talk.to_string()
        } else {
            format!("{}: {talk}", self.source)
        }
    }

    /// Takes what was heard; gives a line for each cause that was not seen before.
    pub fn hear(&mut self, heard: &Heard) -> Vec<String> {
        match heard {
            Heard::Began {
                talk,
                binding,
                revision,
            } => {
                let monitor = Monitor::new(*binding).with_notes();
                let monitor = match revision.or(self.scope.revision) {
                    Some(revision) => monitor.assuming(revision),
                    None => monitor,
                };
                self.judged.talks += 1;
                self.judged.bindings.insert(*binding);
                self.open.insert(
                    talk.clone(),
                    Watched {
                        monitor: Some(monitor),
                        binding: *binding,
                        recent: VecDeque::new(),
                    },
                );
                Vec::new()
            }
            Heard::Entry(talk, entry) => self.see(talk, entry),
            Heard::Lost {
                talk,
                after,
                bytes,
                why,
            } => {
                let label = self.label(talk);
                if let Some(watched) = self.open.get_mut(talk)
                    && let Some(monitor) = watched.monitor.take()
                {
                    let binding = watched.binding;
                    let recent = std::mem::take(&mut watched.recent);
                    self.judged.gap_count += 1;
                    if self.judged.gaps.len() < MOST_NOTES {
                        self.judged.gaps.push(format!(
                            "{label}: {bytes} bytes are missing after #{after} ({why}); it is judged up to there"
                        ));
                    }
                    // What would follow may answer, or repeat, what is missing.
                    let summary = monitor.end(&End::Unfenced);
                    self.add(&label, binding, summary, &recent);
                }
                Vec::new()
            }
            Heard::Ended(talk, end) => {
                self.end(talk, end);
                Vec::new()
            }
        }
    }

    fn see(&mut self, talk: &Talk, entry: &Entry) -> Vec<String> {
        self.judged.entries += 1;
        let label = self.label(talk);
        let Some(watched) = self.open.get_mut(talk) else {
            return Vec::new();
        };
        let Some(monitor) = &mut watched.monitor else {
            return Vec::new();
        };
        monitor.see(entry);
        let news = monitor.take_news();
        let mut lines = Vec::new();
        for News { rule, finding } in news {
            let role = self.roles.get(&rule).copied();
            if !role.is_some_and(|role| self.scope.roles.contains(&role)) {
                continue;
            }
            let at = finding.at.clone().unwrap_or_default();
            lines.push(format!(
                "{} {rule}: {} ({label} {at})",
                role.unwrap_or(Role::Server),
                finding.message
            ));
            if self.judged.evidence.len() < MOST_EVIDENCE {
                let near = watched.recent.iter().chain([entry]);
                let place = (rule, label.clone(), at);
                let evidence = self.judged.evidence.entry(place);
                evidence.or_insert_with(|| near.map(shown).collect());
            }
        }
        if entry.length <= LONGEST_BEFORE {
            let most = match monitor.revision() {
                Some(_) => BEFORE,
                None => UNTOLD,
            };
            watched.recent.push_back(entry.clone());
            while watched.recent.len() > most {
                watched.recent.pop_front();
            }
        }
        lines
    }

    fn end(&mut self, talk: &Talk, end: &ConversationEnd) {
        let label = self.label(talk);
        if let Some(Watched {
            monitor: Some(monitor),
            binding,
            recent,
        }) = self.open.remove(talk)
        {
            let summary = monitor.end(&End::from(end));
            self.add(&label, binding, summary, &recent);
        }
    }

    fn add(&mut self, label: &str, binding: Binding, summary: Summary, recent: &VecDeque<Entry>) {
        for (rule, _, finding) in summary.findings() {
            self.show(label, &rule, finding, recent);
        }
        for part in summary.parts {
            match part.revision {
                Some(revision) => {
                    self.judged.revisions.insert(revision);
                    let place = (revision, binding);
                    self.judged.known.add(place, label, label, &part.observed);
                }
                None => {
                    self.judged.unknown_talks += 1;
                    let place = (ANY, binding);
                    self.judged.unknown.add(place, label, label, &part.observed);
                }
            }
        }
    }

    /// Keeps the evidence of a finding that was not told when it was made.
    fn show(&mut self, label: &str, rule: &str, finding: &Finding, recent: &VecDeque<Entry>) {
        let at = finding.at.clone().unwrap_or_default();
        let place = (rule.to_owned(), label.to_owned(), at);
        if self.judged.evidence.len() >= MOST_EVIDENCE || self.judged.evidence.contains_key(&place)
        {
            return;
        }
        let seq = place.2.trim_start_matches('#').split(' ').next();
        let Some(seq) = seq.and_then(|seq| seq.parse::<u64>().ok()) else {
            return;
        };
        let is_near = |entry: &&Entry| entry.seq <= seq && entry.seq + BEFORE as u64 >= seq;
        let near: Vec<TranscriptEntry> = recent.iter().filter(is_near).map(shown).collect();
        if near.last().is_some_and(|last| last.seq == seq) {
            self.judged.evidence.insert(place, near);
        }
    }

    /// Everything was heard.
    pub fn finish(mut self) -> Judged {
        let mut left: Vec<Talk> = self.open.keys().cloned().collect();
        left.sort();
        for talk in left {
            self.end(&talk, &ConversationEnd::Open);
        }
        self.judged
    }
}

impl Judged {
    /// One result for each rule, revision and binding, of these roles.
    pub fn results(
        &self,
        catalogue: &Catalogue,
        roles: &BTreeSet<Role>,
        gate: &GatePolicy,
    ) -> Vec<Settled> {
        let of = |tally: &Tally, is_known: bool| -> Vec<Settled> {
            let seen = tally.results();
            let seen = seen.filter(|(.., seen)| roles.contains(&seen.rule.role));
            seen.map(|(id, revision, binding, seen)| {
                let mut result = rule_result(catalogue, id, revision, binding, seen);
                if !is_known {
                    result.case = format!("observer/{}@any+{binding}", seen.observer);
                    weaken(catalogue, seen, &mut result);
                }
                let example = self.conclude(seen, &mut result);
                gate.apply(&mut result);
                Settled { result, example }
            })
            .collect()
        };
        let mut results = of(&self.known, true);
        results.extend(of(&self.unknown, false));
        results
    }

    /// Gives a result its verdict; nothing can be run again, so each finding was seen once.
    fn conclude(&self, seen: &Seen, result: &mut CheckResult) -> Vec<TranscriptEntry> {
        match seen.verdict() {
            Err(reason) => wait(result, reason),
            Ok(_) if result.level.is_none() => wait(result, Reason::Revision),
            Ok(verdict) => result.verdict = Some(verdict),
        }
        if result.verdict != Some(Verdict::Fail) {
            return Vec::new();
        }
        result.confirmed = Some("1/1".to_owned());
        let mut example = Vec::new();
        for (finding, label) in seen.findings() {
            if example.is_empty() {
                let at = finding.at.clone().unwrap_or_default();
                let place = (result.id.clone(), label.to_owned(), at);
                example = self.evidence.get(&place).cloned().unwrap_or_default();
            }
            result.findings.push(Finding {
                message: format!("{} (in {label})", finding.message),
                ..finding.clone()
            });
        }
        example
    }

    /// What breaks no rule and is worth a word, of these roles, where the revision is known.
    pub fn noted(&self, roles: &BTreeSet<Role>) -> Vec<Noted> {
        self.known.noted(roles)
    }

    /// Remarks, a line each.
    pub fn notes(&self, target: Option<Role>) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(role) = target {
            notes.push(format!(
                "this is the record of a run, whose other side was mcp-assay: only the {role} is judged"
            ));
        }
        match self.unknown_talks {
            0 => {}
            1 => notes.push(
                "in 1 conversation nothing tells the revision: it is judged by what holds in all of them; `--revision` names one"
                    .to_owned(),
            ),
            count => notes.push(format!(
                "in {count} conversations nothing tells the revision: they are judged by what holds in all of them; `--revision` names one"
            )),
        }
        notes.extend(self.gaps.iter().cloned());
        let more = self.gap_count - self.gaps.len();
        if more > 0 {
            notes.push(format!("{more} more conversations have gaps"));
        }
        notes
    }
}

/// An entry as evidence shows it.
fn shown(entry: &Entry) -> TranscriptEntry {
    shorten(&TranscriptEntry::from(entry))
}

/// Where the revision is not known, a rule is as strong as in the revision where it is weakest.
fn weaken(catalogue: &Catalogue, seen: &Seen, result: &mut CheckResult) {
    if seen.rule.basis == Basis::Robustness {
        return;
    }
    let levels: BTreeMap<Level, _> = Revision::ALL
        .into_iter()
        .filter_map(|revision| level_of(catalogue, seen.rule.cites, revision))
        .collect();
    if let Some((level, requirements)) = levels.into_iter().next_back() {
        result.level = Some(level);
        result.requirements = requirements;
    }
}
