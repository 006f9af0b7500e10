//! The run from its first process to its exit code. Emits events and knows nobody who listens.

use super::attempt::{Attempt, Stage, attempt, retire};
use super::confirm::{confirm, needs_confirmation, run_undisturbed, settle, unconfirmed};
use super::disturbed::{Deaths, is_suspicious};
use super::exit::{ExitCode, Tally};
use super::floor::{Floor, Told, work};
use super::interpret::{lost, unrun, wait};
use super::observe::{Observed, RuleResult};
use super::plan::Case;
use super::probe::{Probe, SANITY, probe, sanity};
use super::settings::Settings;
use super::survey::{Survey, survey, unspoken};
use super::waiting::Waiting;
use crate::closed::observer_rules;
use mcp_assay_catalogue::listing::coverage as count;
use mcp_assay_model::event::{EVENTS_FORMAT, Event, RunFinished, RunStarted, TargetFacts, Tool};
use mcp_assay_model::protocol::{Era, Revision, Role};
use mcp_assay_model::record::{Entry, Record};
use mcp_assay_model::result::{CheckResult, TranscriptEntry};
use mcp_assay_model::verdict::{Reason, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Runs everything. Returns the exit code; everything else is in the events.
pub async fn run(
    mut stage: Stage,
    settings: &Settings,
    interrupt: watch::Receiver<bool>,
    emit: &mut (dyn FnMut(Event) + Send),
) -> ExitCode {
    let began = Instant::now();
    let mut run = Run {
        settings,
        emit,
        tally: Tally::default(),
        waiting: Waiting::default(),
        exercised: BTreeSet::new(),
        broken: BTreeMap::new(),
        observed: Observed::default(),
        waited: Duration::ZERO,
        notes: Vec::new(),
        rerun: settings.rerun.clone(),
    };
    let surveyed = tokio::select! {
        surveyed = survey(&mut stage, settings) => surveyed,
        () = interrupted(interrupt.clone()) => Survey::default(),
    };
    run.tally.interrupted = *interrupt.borrow();
    let Survey {
        probes,
        tested,
        cases,
    } = surveyed;
    run.start(&stage, &probes, &tested, cases.len());
    let mut again = None;
    if !tested.is_empty() && !probes.iter().any(Probe::lives) {
        again = tokio::select! {
            again = probe(&stage, newest(&tested)) => Some(again),
            () = interrupted(interrupt.clone()) => None,
        };
        run.tally.interrupted = again.is_none();
    }
    // A target that twice does not keep up a plain exchange is given no case: there is nothing more to learn.
    let gone = again.as_ref().is_some_and(|again| !again.lives());
    run.sanity(&stage, (&probes, &tested), again.as_ref(), "first");
    if !tested.is_empty() {
        let stage = Arc::new(stage);
        let gone = run.cases(&stage, cases, gone, interrupt.clone()).await;
        if !run.tally.interrupted && !gone {
            let last = tokio::select! {
                last = probe(&stage, newest(&tested)) => Some(last),
                () = interrupted(interrupt.clone()) => None,
            };
            match last {
                Some(last) => run.sanity(&stage, (&[last], &tested), None, "last"),
                None => run.tally.interrupted = true,
            }
        }
        return run.finish(&stage, began);
    }
    run.finish(&stage, began)
}

/// Of revisions in order, at least one.
fn newest(tested: &[Revision]) -> Revision {
    tested.last().copied().unwrap_or(Revision::R2025_11_25)
}

async fn interrupted(mut interrupt: watch::Receiver<bool>) {
    if interrupt
        .wait_for(|interrupted| *interrupted)
        .await
        .is_err()
    {
        std::future::pending::<()>().await;
    }
}

struct Run<'a> {
    settings: &'a Settings,
    emit: &'a mut (dyn FnMut(Event) + Send),
    tally: Tally,
    waiting: Waiting,
    exercised: BTreeSet<(String, Revision)>,
    /// Sentences that a check found broken, by row and binding, with the check.
    broken: BTreeMap<(String, String), String>,
    observed: Observed,
    waited: Duration,
    notes: Vec<String>,
    rerun: (String, String),
}

/// A case with fails, waiting for its confirmation.
struct Failed {
    case: Case,
    attempt: Attempt,
    results: Vec<CheckResult>,
}

/// Confirmations at once.
const CONFIRMED_AT_ONCE: usize = 2;

/// Number of the attempt that confirms what observers found: after the first, the one alone, and the one with its history.
const LAST_ATTEMPT: u32 = 4;

impl Run<'_> {
    fn start(&mut self, stage: &Stage, probes: &[Probe], tested: &[Revision], cases: usize) {
        let target = stage.launcher.target();
        let first = probes.first();
        let mut spoken: Vec<Revision> = probes.iter().filter_map(Probe::negotiated).collect();
        spoken.sort_unstable();
        spoken.dedup();
        let mut eras: Vec<Era> = spoken.iter().map(|revision| revision.era()).collect();
        eras.dedup();
        let facts = TargetFacts {
            argv: target.argv(),
            url: target.url(),
            server_info: probes.iter().find_map(Probe::server_info).cloned(),
            eras,
            spoken,
            tested: tested.to_vec(),
            bindings: vec![target.binding()],
        };
        (self.emit)(Event::RunStarted(RunStarted {
            format: EVENTS_FORMAT.to_owned(),
            tool: Tool {
                name: "mcp-assay".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            role: Role::Server,
            sides: Vec::new(),
            seed: self.settings.seed,
            target: facts,
            started: self.settings.started.clone(),
            cases: cases as u64,
        }));
        let answered = probes.iter().any(|probe| probe.answered);
        if !answered && !self.tally.interrupted {
            let why = first.and_then(|probe| probe.silence.clone());
            self.tally.no_target = Some(why.unwrap_or_else(|| {
                "the target gave no valid answer to an opening request: neither a result nor an error"
                    .to_owned()
            }));
        }
        if answered {
            self.notes
                .extend(unspoken(probes, tested, self.settings.choice));
        }
        if let Some((status, to)) = first.and_then(Probe::redirected) {
            let to: String = to.chars().take(200).collect();
            self.notes.push(format!(
                "the address redirects requests with HTTP {status} to {to}; they were followed, body and all"
            ));
        }
    }

    fn sanity(
        &mut self,
        stage: &Stage,
        (probes, tested): (&[Probe], &[Revision]),
        again: Option<&Probe>,
        when: &str,
    ) {
        let binding = stage.launcher.binding();
        // What speaks nothing that was asked for is told so in a note.
        if tested.is_empty() {
            return;
        }
        // Of several exchanges that which cases are run after; of none, any.
        let is_tested = |probe: &&Probe| probe.negotiated().is_some_and(|it| tested.contains(&it));
        let spoken = probes
            .iter()
            .filter(is_tested)
            .max_by_key(|probe| probe.offered);
        let any = probes.iter().find(|probe| probe.answered || when == "last");
        if let Some(probe) = spoken.or(any) {
            let of = |probe: &Probe| {
                sanity(
                    probe,
                    probe.negotiated().unwrap_or(probe.offered),
                    binding,
                    when,
                )
            };
            let result = again.map_or_else(|| of(probe), |again| settle(&of(probe), &[of(again)]));
            (self.emit)(Event::CaseStarted {
                case: result.case.clone(),
                attempt: 1,
            });
            self.tell(&result.case, 1, &probe.entries);
            self.observed
                .see(&result.case, &result.case, &probe.record(binding));
            self.settle(result.case.clone(), vec![result]);
        }
    }

    fn tell(&mut self, case: &str, attempt: u32, entries: &[Entry]) {
        for entry in entries {
            let entry = TranscriptEntry::from(entry);
            (self.emit)(Event::Message {
                case: case.to_owned(),
                attempt,
                entry,
            });
        }
    }

    /// Runs the cases; tells whether the target was given up.
    async fn cases(
        &mut self,
        stage: &Arc<Stage>,
        cases: Vec<Case>,
        gone: bool,
        interrupt: watch::Receiver<bool>,
    ) -> bool {
        let by_id: Arc<BTreeMap<String, Case>> = Arc::new(
            cases
                .iter()
                .map(|case| (case.id.clone(), case.clone()))
                .collect(),
        );
        let (ready, unmet): (Vec<Case>, Vec<Case>) =
            cases.into_iter().partition(|case| case.unmet.is_none());
        for case in unmet {
            let reason = case.unmet.clone().unwrap_or(Reason::Given);
            let results = unrun(&stage.catalogue, &case, &reason);
            self.settle(case.id, results);
        }
        let mut open: BTreeSet<String> = ready.iter().map(|case| case.id.clone()).collect();
        let floor = Floor::new(stage, ready, gone);
        let (teller, mut told) = mpsc::channel(64);
        let mut workers = JoinSet::new();
        for _ in 0..self.settings.jobs.max(1) {
            workers.spawn(work(Arc::clone(&floor), teller.clone()));
        }
        drop(teller);
        let mut failed = Vec::new();
        let shared_server = stage.launcher.is_shared_server();
        let mut deaths = Deaths::default();
        let mut restarts = stage.launcher.restarts().len();
        loop {
            let next = tokio::select! {
                next = told.recv() => next,
                () = interrupted(interrupt.clone()) => {
                    self.tally.interrupted = true;
                    break;
                }
            };
            match next {
                Some(Told::Began(case)) => (self.emit)(Event::CaseStarted { case, attempt: 1 }),
                Some(Told::Gone(case)) => {
                    open.remove(&case.id);
                    let results = unrun(&stage.catalogue, &case, &Reason::TargetGone);
                    self.settle(case.id, results);
                }
                Some(Told::Ran(ran)) => {
                    let (case, attempt, results) = *ran;
                    self.restarted(stage, &mut restarts, &case.id);
                    self.ran(&case, 1, &attempt);
                    if let Ok(record) = &attempt.record {
                        let connection = attempt.history.first().unwrap_or(&case.id);
                        self.observed.see(&case.id, connection, record);
                    }
                    if shared_server {
                        deaths.see(&case.id, &attempt, &results);
                    }
                    // One that was under way when the server died may have passed on the server that came after.
                    let may_be_spoiled = shared_server
                        && (is_suspicious(&results) || deaths.disturbed(&case.id, &attempt));
                    if may_be_spoiled || results.iter().any(needs_confirmation) {
                        for result in results.iter().filter(|result| needs_confirmation(result)) {
                            self.found(&case.id, result);
                        }
                        failed.push(Failed {
                            case,
                            attempt: without_entries(attempt),
                            results,
                        });
                    } else {
                        open.remove(&case.id);
                        self.settle(case.id, results);
                    }
                }
                None => break,
            }
        }
        workers.shutdown().await;
        let gone = floor.is_gone();
        self.confirm_all(
            stage,
            (failed, deaths),
            &by_id,
            &mut open,
            gone,
            interrupt.clone(),
        )
        .await;
        self.restarted(stage, &mut restarts, "");
        self.observers(stage, &by_id, gone, interrupt).await;
        for id in open {
            if let Some(case) = by_id.get(&id) {
                let results = if self.tally.interrupted {
                    unrun(&stage.catalogue, case, &Reason::Interrupted)
                } else {
                    lost(&stage.catalogue, case)
                };
                self.settle(id, results);
            }
        }
        gone
    }

    /// Tells of every time that the server behind an address was started again since the last call.
    fn restarted(&mut self, stage: &Stage, known: &mut usize, case: &str) {
        for why in stage.launcher.restarts().into_iter().skip(*known) {
            *known += 1;
            (self.emit)(Event::TargetRestarted {
                case: case.to_owned(),
                why,
            });
        }
    }

    fn ran(&mut self, case: &Case, number: u32, attempt: &Attempt) {
        self.waited += attempt.waited;
        if let Ok(Record { entries, .. }) = &attempt.record {
            self.tell(&case.id, number, entries);
        }
    }

    fn found(&mut self, case: &str, result: &CheckResult) {
        for finding in &result.findings {
            (self.emit)(Event::Finding {
                case: case.to_owned(),
                attempt: 1,
                id: result.id.clone(),
                finding: finding.clone(),
            });
        }
    }

    /// Runs every case that failed again, two at a time: each alone on its connection, and the machine as quiet as it gets.
    async fn confirm_all(
        &mut self,
        stage: &Arc<Stage>,
        (failed, deaths): (Vec<Failed>, Deaths),
        by_id: &Arc<BTreeMap<String, Case>>,
        open: &mut BTreeSet<String>,
        gone: bool,
        interrupt: watch::Receiver<bool>,
    ) {
        let mut waiting: BTreeMap<String, Vec<CheckResult>> = BTreeMap::new();
        for failed in &failed {
            open.remove(&failed.case.id);
            waiting.insert(failed.case.id.clone(), failed.results.clone());
        }
        let mut left = if gone { Vec::new() } else { failed }.into_iter();
        let mut running = JoinSet::new();
        // On a server that all share, alone means that nobody else is there.
        let most = if stage.launcher.is_shared_server() {
            1
        } else {
            self.settings.jobs.clamp(1, CONFIRMED_AT_ONCE)
        };
        while !self.tally.interrupted {
            while running.len() < most
                && let Some(Failed {
                    case,
                    attempt,
                    results,
                }) = left.next()
            {
                let is_spoiled = deaths.disturbed(&case.id, &attempt);
                if !is_spoiled && !results.iter().any(needs_confirmation) {
                    waiting.remove(&case.id);
                    self.settle(case.id, results);
                    continue;
                }
                (self.emit)(Event::CaseStarted {
                    case: case.id.clone(),
                    attempt: 2,
                });
                let (stage, by_id) = (Arc::clone(stage), Arc::clone(by_id));
                running.spawn(async move {
                    let confirmed = if is_spoiled {
                        run_undisturbed(&stage, &case, &by_id).await
                    } else {
                        confirm(&stage, &case, results, &attempt.history, &by_id).await
                    };
                    (case, confirmed)
                });
            }
            let confirmed = tokio::select! {
                confirmed = running.join_next() => confirmed,
                () = interrupted(interrupt.clone()) => {
                    self.tally.interrupted = true;
                    None
                }
            };
            let (case, confirmed) = match confirmed {
                Some(Ok(confirmed)) => confirmed,
                // The case is still among those that wait, and told of below.
                Some(Err(_)) => continue,
                None => break,
            };
            for (number, attempt) in (2..).zip(&confirmed.attempts) {
                if number > 2 {
                    let case = case.id.clone();
                    (self.emit)(Event::CaseStarted {
                        case,
                        attempt: number,
                    });
                }
                self.ran(&case, number, attempt);
            }
            waiting.remove(&case.id);
            self.settle(case.id, confirmed.results);
        }
        running.shutdown().await;
        for (id, mut first) in waiting {
            match by_id.get(&id) {
                Some(case) if !self.tally.interrupted && !gone => {
                    first = lost(&stage.catalogue, case);
                }
                _ => unconfirmed(&mut first),
            }
            self.settle(id, first);
        }
    }

    /// Observers judge all conversations; what they found is confirmed by running the example's case again.
    async fn observers(
        &mut self,
        stage: &Stage,
        by_id: &BTreeMap<String, Case>,
        gone: bool,
        interrupt: watch::Receiver<bool>,
    ) {
        for example in self.observed.examples() {
            if example.starts_with("run/sanity@") && !gone && !self.tally.interrupted {
                let offered = stage
                    .means
                    .keys()
                    .next_back()
                    .copied()
                    .unwrap_or(Revision::R2025_11_25);
                let record = probe(stage, offered).await.record(stage.launcher.binding());
                self.observed.confirm(&example, &record);
                continue;
            }
            let Some(case) = by_id
                .get(&example)
                .filter(|_| !gone && !self.tally.interrupted)
            else {
                continue;
            };
            (self.emit)(Event::CaseStarted {
                case: case.id.clone(),
                attempt: LAST_ATTEMPT,
            });
            let again = tokio::select! {
                again = attempt(stage, case, None) => again,
                () = interrupted(interrupt.clone()) => {
                    self.tally.interrupted = true;
                    return;
                }
            };
            self.ran(case, LAST_ATTEMPT, &again.0);
            if let Ok(record) = &again.0.record {
                self.observed.confirm(&case.id, record);
            }
            if let Some(shared) = again.1 {
                retire(shared.conversation, true).await;
            }
        }
        // An observer is one case, whatever the number of its rules.
        let mut cases: BTreeMap<String, Vec<RuleResult>> = BTreeMap::new();
        for mut rule in self.observed.results(&stage.catalogue) {
            self.attach(&mut rule.result);
            cases
                .entry(rule.result.case.clone())
                .or_default()
                .push(rule);
        }
        for (case, rules) in cases {
            if let Some(rule) = rules.iter().find(|rule| !rule.example.is_empty()) {
                (self.emit)(Event::CaseStarted {
                    case: case.clone(),
                    attempt: 1,
                });
                self.tell(&case, 1, &rule.example);
            }
            self.settle(case, rules.into_iter().map(|rule| rule.result).collect());
        }
    }

    /// One cause, one failure: what a rule saw is told by the check that failed on the same sentence.
    fn attach(&self, rule: &mut CheckResult) {
        let place = place_of(&rule.case);
        let told = rule.requirements.iter().find_map(|row| {
            let key = (row.id.clone(), place.to_owned());
            self.broken.get(&key)
        });
        if let (Some(Verdict::Fail), Some(check)) = (rule.verdict, told) {
            wait(rule, Reason::Blocked(check.clone()));
            rule.findings.clear();
        }
    }

    fn note_broken(&mut self, result: &CheckResult) {
        if result.verdict != Some(Verdict::Fail) || result.id.starts_with("observer/") {
            return;
        }
        for row in &result.requirements {
            let key = (row.id.clone(), place_of(&result.case).to_owned());
            self.broken.entry(key).or_insert_with(|| result.id.clone());
        }
    }

    /// Gives results their gate and rerun command, counts them, and tells of them.
    fn settle(&mut self, case: String, mut results: Vec<CheckResult>) {
        for result in &mut results {
            self.settings.gate.apply(result);
            let only = result.case.replace('\'', r"'\''");
            let selection = if result.id == SANITY || result.id.starts_with("observer/") {
                String::new()
            } else {
                format!(" --only '{only}'")
            };
            result.rerun = format!("{}{selection}{}", self.rerun.0, self.rerun.1);
            self.note_broken(result);
            self.tally.see(result);
            self.waiting.see(result);
            if matches!(result.verdict, Some(Verdict::Pass | Verdict::Fail))
                && let Some(revision) = revision_of(&result.case)
            {
                self.exercised.insert((result.id.clone(), revision));
            }
        }
        (self.emit)(Event::CaseFinished { case, results });
    }

    fn finish(self, stage: &Stage, began: Instant) -> ExitCode {
        let (code, reasons) = self.tally.decide();
        let revisions: BTreeSet<Revision> = self
            .exercised
            .iter()
            .map(|(_, revision)| *revision)
            .collect();
        let counted = count(
            &stage.catalogue,
            Role::Server,
            &observer_rules(),
            Some(&self.exercised),
        );
        let mut coverage = counted.coverage;
        coverage
            .revisions
            .retain(|counted| revisions.contains(&counted.revision));
        (self.emit)(Event::RunFinished(RunFinished {
            duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            waiting_ms: u64::try_from(self.waited.as_millis()).unwrap_or(u64::MAX),
            exit_code: code.number(),
            reasons,
            waiting_for: self.waiting.lines(stage.catalogue.facts()),
            coverage,
            notes: self.notes,
            noted: self.observed.noted(),
        }));
        code
    }
}

/// An attempt of which only its times and its history matter any more: its conversation has been told.
fn without_entries(mut attempt: Attempt) -> Attempt {
    if let Ok(record) = &mut attempt.record {
        record.entries = Vec::new();
    }
    attempt
}

/// Revision and binding in a case id: `2025-11-25+http`.
fn place_of(case: &str) -> &str {
    let place = case.split_once('@').map_or("", |(_, place)| place);
    place.split('#').next().unwrap_or_default()
}

/// The revision in a case id.
fn revision_of(case: &str) -> Option<Revision> {
    case.split_once('@')?.1.split('+').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
