//! The report as data: a fold over the events of a run.
//!
//! Memory is bounded by the results, not by the traffic: of a running case the two ends of its conversation are kept, and of
//! them only what explains a result outlives the case (docs/contracts.md section 3).

use crate::transcript::{Kept, position};
use mcp_assay_model::event::{
    Coverage, Event, Noted, RunFinished, RunStarted, TargetFacts, Tool, WaitingFor,
};
use mcp_assay_model::protocol::Role;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Gate, Outcome, Reason, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Format name of the report.
pub const REPORT_FORMAT: &str = "mcp-assay/report/1";

/// Exit code of a record that ends before its run does.
const INTERRUPTED: u8 = 130;
/// Bytes of all transcripts of a report together, about; later results get none.
const TRANSCRIPT_BYTES: usize = 8 * 1024 * 1024;

/// Everything a run came to (docs/contracts.md section 3).
///
/// **Shape**: `results` in order of check id, then case, so that two runs compare line by line at any `--jobs`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`REPORT_FORMAT`].
    pub format: String,
    /// Who ran.
    pub tool: Tool,
    /// Role of the target.
    pub role: Role,
    /// Whose conduct was judged, where nobody was driven; left out of a run's report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<Role>,
    /// The seed.
    pub seed: u64,
    /// The target; secrets are masked.
    pub target: TargetFacts,
    /// RFC 3339, UTC; empty where the record has no beginning.
    pub started: String,
    /// Wall time in milliseconds; 0 where the run was cut off.
    pub duration_ms: u64,
    /// Sum over cases of the time spent waiting for the target, in milliseconds; may exceed the wall time.
    pub waiting_ms: u64,
    /// Exit code; 130 where the record has no end.
    pub exit_code: u8,
    /// Counts of results.
    pub summary: Summary,
    /// What waits for a fixture or a permission.
    pub waiting_for: Vec<WaitingFor>,
    /// Requirements tested, per revision.
    pub coverage: Coverage,
    /// What breaks no rule and is still worth a word; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Noted>,
    /// One per check and case.
    pub results: Vec<CheckResult>,
}

/// Counts of results, by key (check, case).
///
/// **Shape**: the first six add up to the number of results; `denied` and `warned` are among them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Kept the rule.
    pub pass: u64,
    /// Broke it, whatever the gate says.
    pub fail: u64,
    /// Nothing can be said; waiting results among them.
    pub inconclusive: u64,
    /// The harness is wrong.
    pub error: u64,
    /// Do not apply to this target.
    pub not_applicable: u64,
    /// Apply, and were not run.
    pub not_run: u64,
    /// Results that the gate denies.
    pub denied: u64,
    /// Results that the gate warns of.
    pub warned: u64,
}

impl Summary {
    /// Counts results.
    pub fn of(results: &[CheckResult]) -> Summary {
        let mut sum = Summary::default();
        for result in results {
            let count = match (result.verdict, result.outcome) {
                (Some(Verdict::Pass), _) => &mut sum.pass,
                (Some(Verdict::Inconclusive), _) => &mut sum.inconclusive,
                (Some(Verdict::Fail), _) => &mut sum.fail,
                (Some(Verdict::Error), _) => &mut sum.error,
                (None, Outcome::NotApplicable) => &mut sum.not_applicable,
                (None, Outcome::NotRun) => &mut sum.not_run,
                // No verdict, yet something that always has one: it must not vanish from the sum.
                (None, Outcome::Ran | Outcome::Waiting) => &mut sum.inconclusive,
            };
            *count += 1;
            match result.gate {
                Some(Gate::Deny) => sum.denied += 1,
                Some(Gate::Warn) => sum.warned += 1,
                Some(Gate::Allow) | None => {}
            }
        }
        sum
    }

    /// How many results there are.
    pub fn total(&self) -> u64 {
        self.pass + self.fail + self.inconclusive + self.error + self.not_applicable + self.not_run
    }
}

/// What a record says beside the report: for people, not for machines.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ending {
    /// Whether the record has its `run-finished`.
    pub complete: bool,
    /// Why the exit code is what it is, a line each.
    pub reasons: Vec<String>,
    /// Remarks that are no findings, a line each.
    pub notes: Vec<String>,
    /// The case that ended next when the target had been started again, empty where none did; and why it was.
    pub restarts: Vec<(String, String)>,
    /// Cases that began and never finished, in order of their start.
    pub unfinished: Vec<String>,
    /// Cases planned.
    pub planned: u64,
}

/// Makes a [`Report`] of events, one at a time.
///
/// **Transcripts**: passes get none, nor do results that nothing was said about (not applicable, not run, waiting for a fixture, a
/// permission, or another check). Every other result gets the first attempt's entries nearest to its findings, or the last ones
/// where a finding has no position: at most 40 entries and 64 KiB a result, 8 MiB a report.
#[derive(Debug)]
pub struct Fold {
    started: Option<RunStarted>,
    finished: Option<RunFinished>,
    results: Vec<CheckResult>,
    /// Where a key stands in `results`; a case that is settled twice counts once, as last settled.
    index: HashMap<(String, String), usize>,
    /// Conversations of running cases, in order of their start.
    open: Vec<(String, Kept)>,
    restarts: Vec<(String, String)>,
    room: usize,
}

impl Default for Fold {
    fn default() -> Self {
        Fold::new()
    }
}

impl Fold {
    /// A fold that has seen nothing.
    pub fn new() -> Self {
        Fold {
            started: None,
            finished: None,
            results: Vec::new(),
            index: HashMap::new(),
            open: Vec::new(),
            restarts: Vec::new(),
            room: TRANSCRIPT_BYTES,
        }
    }

    /// A fold whose results have no transcripts, and which keeps no messages.
    pub fn without_transcripts() -> Self {
        Fold {
            room: 0,
            ..Fold::new()
        }
    }

    /// Takes note of one event.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::RunStarted(started) => self.started = Some(started.clone()),
            Event::CaseStarted { case, attempt } => {
                if *attempt == 1 {
                    self.conversation(case);
                }
            }
            Event::Message {
                case,
                attempt,
                entry,
            } => {
                // Findings are those of the first attempt, so their positions are too.
                if *attempt == 1 && self.room > 0 {
                    self.conversation(case).push(entry);
                }
            }
            // Results carry their findings once confirmed.
            Event::Finding { .. } => {}
            Event::CaseFinished { case, results } => self.settle(case, results),
            Event::TargetRestarted { case, why } => self.restarts.push((case.clone(), why.clone())),
            // What was only listened to is judged when it is read again.
            Event::Lost { .. } | Event::ConversationEnded { .. } => {}
            Event::RunFinished(finished) => self.finished = Some(finished.clone()),
        }
    }

    /// The report of what was seen.
    pub fn finish(self) -> Report {
        self.finish_with_ending().0
    }

    /// The report of what was seen, and what it does not say.
    pub fn finish_with_ending(mut self) -> (Report, Ending) {
        self.results
            .sort_by(|a, b| (&a.id, &a.case).cmp(&(&b.id, &b.case)));
        let complete = self.finished.is_some();
        let started = self.started.unwrap_or_else(nothing_started);
        let finished = self.finished.unwrap_or_else(cut_off);
        let report = Report {
            format: REPORT_FORMAT.to_owned(),
            tool: started.tool,
            role: started.role,
            sides: started.sides,
            seed: started.seed,
            target: started.target,
            started: started.started,
            duration_ms: finished.duration_ms,
            waiting_ms: finished.waiting_ms,
            exit_code: finished.exit_code,
            summary: Summary::of(&self.results),
            waiting_for: finished.waiting_for,
            coverage: finished.coverage,
            noted: finished.noted,
            results: self.results,
        };
        let ending = Ending {
            complete,
            reasons: finished.reasons,
            notes: finished.notes,
            restarts: self.restarts,
            unfinished: self.open.into_iter().map(|(case, _)| case).collect(),
            planned: started.cases,
        };
        (report, ending)
    }

    fn conversation(&mut self, case: &str) -> &mut Kept {
        let index = match self.open.iter().position(|(open, _)| open == case) {
            Some(index) => index,
            None => {
                self.open.push((case.to_owned(), Kept::default()));
                self.open.len() - 1
            }
        };
        &mut self.open[index].1
    }

    fn settle(&mut self, case: &str, results: &[CheckResult]) {
        let kept = match self.open.iter().position(|(open, _)| open == case) {
            Some(index) => self.open.remove(index).1,
            None => Kept::default(),
        };
        for result in results {
            let mut result = result.clone();
            result.transcript = Vec::new();
            if self.room > 0 && has_conversation(&result) {
                let positions: Vec<u64> = result
                    .findings
                    .iter()
                    .filter_map(|finding| Some(position(finding.at.as_deref()?)?.0))
                    .collect();
                let (transcript, bytes) = kept.around(&positions);
                self.room = self.room.saturating_sub(bytes);
                result.transcript = transcript;
            }
            let key = (result.id.clone(), result.case.clone());
            match self.index.get(&key) {
                Some(&index) => self.results[index] = result,
                None => {
                    self.index.insert(key, self.results.len());
                    self.results.push(result);
                }
            }
        }
    }
}

/// Whether a result was come to by talking, so that the conversation can explain it.
fn has_conversation(result: &CheckResult) -> bool {
    match result.verdict {
        None | Some(Verdict::Pass) => false,
        Some(Verdict::Fail | Verdict::Error) => true,
        Some(Verdict::Inconclusive) => match &result.reason {
            None | Some(Reason::Raced | Reason::Unfenced) => true,
            Some(Reason::Fixture(_) | Reason::Allow | Reason::Blocked(_)) => false,
            // An inconclusive result with a reason of another outcome is odd; the conversation may tell why.
            Some(
                Reason::Revision
                | Reason::Binding
                | Reason::Session
                | Reason::ModernOnly
                | Reason::Capability(_)
                | Reason::Given
                | Reason::CallsForbidden
                | Reason::NothingToJudge
                | Reason::Interrupted
                | Reason::TargetGone
                | Reason::Dry
                | Reason::Unsupported(_),
            ) => true,
        },
    }
}

/// Stands in for a `run-started` that was never seen.
fn nothing_started() -> RunStarted {
    RunStarted {
        format: mcp_assay_model::event::EVENTS_FORMAT.to_owned(),
        tool: Tool {
            name: "mcp-assay".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        role: Role::Server,
        sides: Vec::new(),
        seed: 0,
        target: TargetFacts::default(),
        started: String::new(),
        cases: 0,
    }
}

/// Stands in for a `run-finished` that was never written.
fn cut_off() -> RunFinished {
    RunFinished {
        duration_ms: 0,
        waiting_ms: 0,
        exit_code: INTERRUPTED,
        reasons: vec!["the record ends before the run does".to_owned()],
        waiting_for: Vec::new(),
        coverage: Coverage::default(),
        notes: Vec::new(),
        noted: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn counts_add_up_and_keys_count_once() {
        let mut fold = Fold::new();
        for event in fixture::everything().iter().chain(&fixture::everything()) {
            fold.see(event);
        }
        let report = fold.finish();
        assert_eq!(report.summary.total(), report.results.len() as u64);
        let mut once = Fold::new();
        fixture::everything()
            .iter()
            .for_each(|event| once.see(event));
        assert_eq!(once.finish().results.len(), report.results.len());
    }

    #[test]
    fn passes_have_no_transcript_and_failures_have_the_first_attempt() {
        let mut fold = Fold::new();
        fixture::everything()
            .iter()
            .for_each(|event| fold.see(event));
        for result in fold.finish().results {
            let talked = matches!(result.verdict, Some(Verdict::Fail));
            if talked && !result.case.starts_with("observer/") {
                assert!(
                    !result.transcript.is_empty(),
                    "{} {}",
                    result.id,
                    result.case
                );
            }
            if result.verdict == Some(Verdict::Pass) || result.verdict.is_none() {
                assert!(result.transcript.is_empty(), "{}", result.id);
            }
        }
    }

    #[test]
    fn a_record_without_an_end_is_interrupted() {
        let mut fold = Fold::new();
        for event in fixture::everything() {
            if !matches!(event, Event::RunFinished(_)) {
                fold.see(&event);
            }
        }
        fold.see(&Event::CaseStarted {
            case: "a/b@2025-11-25+stdio".to_owned(),
            attempt: 1,
        });
        let (report, ending) = fold.finish_with_ending();
        assert_eq!(report.exit_code, 130);
        assert!(!ending.complete);
        assert_eq!(ending.unfinished, ["a/b@2025-11-25+stdio"]);
    }
}
