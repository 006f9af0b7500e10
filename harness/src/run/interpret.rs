//! From a recorded conversation to the results of its checks: `CARD/alive`, and one cause, one failure.

use super::attempt::{Attempt, Stage};
use super::plan::Case;
use crate::era::Manner;
use crate::native::judges::Judges;
use crate::script::scope::Scope;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_judge::{Judgement, evaluate, http_instead, is_exchange_over};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Bound, End, Missing, Record};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::{CheckResult, Stage as Trust};
use mcp_assay_model::scenario::{Basis, Check, Expect, Given, Part};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::{Outcome, Reason, Verdict};
use mcp_assay_wire::raw;
use std::collections::BTreeMap;

/// Results of a case that did not run.
pub fn unrun(catalogue: &Catalogue, case: &Case, reason: &Reason) -> Vec<CheckResult> {
    let mut results = vec![alive(case)];
    results.extend(
        case.card
            .checks
            .iter()
            .map(|check| blank(catalogue, case, check)),
    );
    for result in &mut results {
        wait(result, reason.clone());
    }
    selected(case, results)
}

/// Results of a case that the harness lost: a bug of ours, never taken for an interruption.
pub fn lost(catalogue: &Catalogue, case: &Case) -> Vec<CheckResult> {
    let mut results = unrun(catalogue, case, &Reason::TargetGone);
    for result in &mut results {
        result.reason = None;
        fail_harness(result, "the task that ran this case broke off");
    }
    results
}

/// Results of a case that ran.
pub fn results(stage: &Stage, case: &Case, attempt: &Attempt) -> Vec<CheckResult> {
    let catalogue = &stage.catalogue;
    let mut results = match &attempt.record {
        Ok(record) => judged(stage, case, attempt, record),
        Err(why) => {
            let mut results = vec![alive(case)];
            results.extend(
                case.card
                    .checks
                    .iter()
                    .map(|check| blank(catalogue, case, check)),
            );
            results
                .iter_mut()
                .for_each(|result| fail_harness(result, why));
            results
        }
    };
    let duration_ms = u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX);
    results
        .iter_mut()
        .for_each(|result| result.duration_ms = duration_ms);
    selected(case, results)
}

fn selected(case: &Case, mut results: Vec<CheckResult>) -> Vec<CheckResult> {
    if let Some(only) = &case.only {
        results.retain(|result| {
            let name = result.id.rsplit('/').next().unwrap_or_default();
            name == "alive" || only.contains(name)
        });
    }
    results
}

fn judged(stage: &Stage, case: &Case, attempt: &Attempt, record: &Record) -> Vec<CheckResult> {
    let alive = life(case, attempt, record);
    let dead = alive.verdict == Some(Verdict::Fail);
    let block = Reason::Blocked(alive.id.clone());
    let mut results = vec![alive];
    let mut missed: BTreeMap<String, Missed> = BTreeMap::new();
    for check in &case.card.checks {
        let mut result = blank(&stage.catalogue, case, check);
        if dead {
            wait(&mut result, block.clone());
        } else if result.level.is_none() {
            wait(&mut result, Reason::Revision);
        } else {
            let mut resolve = |template: &Template| resolve(stage, case, record, template);
            let judgement = evaluate(check, record, &mut resolve, &Judges);
            if let Some(key) = settle(&mut result, judgement, record, &block) {
                let judges_it = check.on.as_ref().is_some_and(|on| {
                    cause(record, on) == key
                        && !check
                            .given
                            .as_ref()
                            .is_some_and(|given| presupposes(given, on))
                });
                let missed = missed.entry(key).or_default();
                let indices = if judges_it {
                    &mut missed.judging
                } else {
                    &mut missed.presupposing
                };
                indices.push(results.len());
            }
        }
        results.push(result);
    }
    for (label, missed) in missed {
        blame(&mut results, &label, &missed, record);
    }
    results
}

/// Whether a check speaks of a notification only if it comes: no server has to send every notification that it may.
fn presupposes(given: &Given, label: &str) -> bool {
    match given {
        Given::All(all) => all.iter().any(|given| presupposes(given, label)),
        Given::One { on, expect } => {
            let is_notification = matches!(
                expect,
                Expect::Message {
                    part: Part::Notification,
                    ..
                }
            );
            on == label && is_notification
        }
    }
}

/// Checks that a message was missed by, as indices into the results.
#[derive(Default)]
struct Missed {
    /// Those that judge it.
    judging: Vec<usize>,
    /// Those that speak of something else, and need it as a precondition or for a value.
    presupposing: Vec<usize>,
}

/// Writes a judgement into a result. Returns the label of a message whose absence is still to be blamed on one check.
fn settle(
    result: &mut CheckResult,
    judgement: Judgement,
    record: &Record,
    block: &Reason,
) -> Option<String> {
    result.judged = judgement.judged;
    if let Some(why) = judgement.error {
        fail_harness(result, &why);
        return None;
    }
    if let Some(missing) = judgement.missing {
        match missing.why {
            Missing::Silent if judgement.verdict.is_none() => {
                return Some(cause(record, &missing.label));
            }
            Missing::Silent | Missing::Unfenced => {
                wait(result, judgement.reason.unwrap_or(Reason::Unfenced))
            }
            Missing::Hung | Missing::Died => wait(result, block.clone()),
        }
        return None;
    }
    match (judgement.verdict, judgement.reason) {
        (Some(verdict), None) => {
            result.outcome = Outcome::Ran;
            // Whoever judged nothing has not passed.
            if verdict == Verdict::Pass && judgement.judged == 0 {
                wait(result, Reason::NothingToJudge);
                return None;
            }
            result.verdict = Some(verdict);
            result.findings = judgement.findings;
        }
        (_, Some(reason)) => wait(result, reason),
        (None, None) => fail_harness(result, "the judgement came to nothing"),
    }
    None
}

/// The label of the request behind a label, so that all that wait for one message share one cause.
fn cause(record: &Record, label: &str) -> String {
    match record.labels.get(label) {
        Some(Bound::Missing {
            reply_to: Some(request),
            ..
        }) => request.clone(),
        _ => label.to_owned(),
    }
}

/// `no-reply` goes to the strongest check on the label, the first of them in the card; it blocks the others.
fn blame(results: &mut [CheckResult], label: &str, missed: &Missed, record: &Record) {
    let strongest = missed
        .judging
        .iter()
        .copied()
        .min_by_key(|&index| (results[index].level, index));
    let Some(strongest) = strongest else {
        // Nobody's sentence speaks of this message, so its absence is nobody's failure.
        for &index in &missed.presupposing {
            wait(&mut results[index], Reason::Given);
        }
        return;
    };
    let sent = match record.labels.get(label) {
        Some(Bound::Sent(sent)) => Some(sent),
        _ => None,
    };
    let seq = sent.map(|sent| sent.seq);
    let instead = sent.and_then(|sent| http_instead(record, sent));
    let method = sent.and_then(|sent| sent.method.clone());
    let what = method.map_or_else(
        || format!("the card's message `{label}`"),
        |method| format!("`{method}`"),
    );
    let settled = match record.end {
        _ if sent.is_some_and(|sent| is_exchange_over(record, sent)) => "and its exchange is over",
        _ if instead.is_some() => "though another exchange, begun after it, was answered",
        End::Closed => "though the target wrote its output to the end",
        _ => "though a harmless request sent after it was answered",
    };
    let mut finding = Finding::new(
        FindingCode::NoReply,
        format!("{what} got no answer, {settled}"),
    )
    .expected("a response")
    .actual(instead.unwrap_or_else(|| "nothing".to_owned()));
    if let Some(seq) = seq {
        finding = finding.at(seq, "");
    }
    results[strongest].outcome = Outcome::Ran;
    results[strongest].verdict = Some(Verdict::Fail);
    results[strongest].judged = 1;
    results[strongest].findings = vec![finding];
    let block = Reason::Blocked(results[strongest].id.clone());
    let others = missed.judging.iter().chain(&missed.presupposing);
    for &index in others.filter(|&&index| index != strongest) {
        wait(&mut results[index], block.clone());
    }
}

/// The built-in check: the target lives to the end of the conversation.
fn life(case: &Case, attempt: &Attempt, record: &Record) -> CheckResult {
    let mut result = alive(case);
    let tail = attempt.stderr_tail.trim();
    let told = if tail.is_empty() {
        String::new()
    } else {
        format!("; its stderr says: {}", telling_line(tail))
    };
    let finding = match &record.end {
        End::Alive | End::Closed => {
            result.outcome = Outcome::Ran;
            result.verdict = Some(Verdict::Pass);
            result.judged = 1;
            return result;
        }
        End::Unfenced => {
            wait(&mut result, Reason::Unfenced);
            return result;
        }
        End::Died { how, after } => {
            let last = last_of_card(record, *after);
            let named = named(record, last);
            Finding::new(
                FindingCode::Died,
                format!("the target {how}{told}; the card's last message to it was #{last}{named}"),
            )
            .expected("the target lives to the end of the conversation")
            .actual(how.clone())
            .at(last, "")
        }
        End::Hung { waited, after } => {
            let last = last_of_card(record, *after);
            let waited = waited.as_secs_f64();
            let fence = Manner::new(record.revision).fence_method();
            let named = named(record, last);
            let message = format!(
                "no answer to a harmless request within {waited:.1} s{told}; the card's last message before it was #{last}{named}"
            );
            Finding::new(FindingCode::Hung, message)
                .expected(format!("an answer to `{fence}`, if only an error"))
                .actual("nothing")
                .at(last, "")
        }
        End::NotOpened { why } => Finding::new(
            FindingCode::Died,
            format!("the target could not be started again: {why}"),
        )
        .expected("a running target")
        .actual(why.clone()),
    };
    result.outcome = Outcome::Ran;
    result.verdict = Some(Verdict::Fail);
    result.judged = 1;
    result.findings = vec![finding];
    result
}

/// The method of a message that was sent, to stand behind its position.
fn named(record: &Record, seq: u64) -> String {
    let mut sent = record.entries.iter().filter(|entry| entry.seq == seq);
    let message = sent.next().and_then(|entry| entry.message.as_ref());
    let method = message.and_then(|message| message.method.as_deref());
    method.map_or_else(String::new, |method| {
        format!(", `{}`", telling_line(method))
    })
}

/// The last message that the card itself sent, up to a position: what a death most likely follows from.
fn last_of_card(record: &Record, until: u64) -> u64 {
    let labelled = record.labels.values().filter_map(|bound| match bound {
        Bound::Sent(sent) => Some(sent.cancelled.unwrap_or(sent.seq)),
        Bound::Native(native) => native.seqs.last().copied(),
        Bound::Arrived(_) | Bound::Missing { .. } | Bound::Window(_) | Bound::Exit(_) => None,
    });
    labelled.filter(|seq| *seq <= until).max().unwrap_or(until)
}

/// The line of a standard error that most likely says why, cut; the transcript has the rest.
fn telling_line(text: &str) -> String {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let tells = |line: &&str| {
        let line = line.to_ascii_lowercase();
        ["error", "panic", "fatal", "exception"]
            .iter()
            .any(|word| line.contains(word))
    };
    let line = lines().find(tells).or_else(|| lines().next_back());
    line.unwrap_or_default().chars().take(200).collect()
}

fn resolve(
    stage: &Stage,
    case: &Case,
    record: &Record,
    template: &Template,
) -> Result<String, String> {
    let scope = Scope {
        facts: stage.catalogue.facts(),
        revision: case.revision,
        fixtures: stage.fixtures_in(record.revision),
        vary: &case.vary,
    };
    let from = |label: &str, at: &str| {
        let entry = record.arrival(label)?;
        raw::at(std::str::from_utf8(&entry.raw).ok()?, at).map(str::to_owned)
    };
    scope
        .render(template, &from)
        .map_err(|error| error.to_string())
}

/// A result before anything is known.
fn blank(catalogue: &Catalogue, case: &Case, check: &Check) -> CheckResult {
    let levelled = catalogue.level_of(check, case.revision);
    let (level, requirements) = match (check.basis, levelled) {
        (Basis::Robustness, _) => (Some(Level::Robustness), Vec::new()),
        (Basis::Spec, Some((level, requirements))) => (Some(level), requirements),
        (Basis::Spec, None) => (None, Vec::new()),
    };
    CheckResult {
        id: format!("{}/{}", case.card.id, check.name),
        title: check.title.clone(),
        rule: check.rule.clone(),
        basis: check.basis,
        level,
        requirements,
        contested: check.contested.clone(),
        ..alive(case)
    }
}

/// The built-in check of a case before anything is known.
pub fn alive(case: &Case) -> CheckResult {
    CheckResult {
        id: format!("{}/alive", case.card.id),
        case: case.id.clone(),
        title: "the target lives to the end of the conversation".to_owned(),
        rule: "no message ends a target or makes it stop answering".to_owned(),
        basis: Basis::Robustness,
        level: Some(Level::Robustness),
        stage: Trust::Stable,
        requirements: Vec::new(),
        outcome: Outcome::NotRun,
        verdict: None,
        reason: None,
        gate: None,
        contested: None,
        baselined: false,
        judged: 0,
        confirmed: None,
        duration_ms: 0,
        findings: Vec::new(),
        transcript: Vec::new(),
        rerun: String::new(),
    }
}

/// Gives a result the outcome and verdict that a reason stands for.
pub fn wait(result: &mut CheckResult, reason: Reason) {
    result.outcome = reason.outcome();
    result.verdict = (result.outcome == Outcome::Waiting).then_some(Verdict::Inconclusive);
    result.reason = Some(reason);
    result.findings.clear();
}

fn fail_harness(result: &mut CheckResult, why: &str) {
    result.outcome = Outcome::Ran;
    result.verdict = Some(Verdict::Error);
    // An error is a bug of ours; the code only fills the field, the message says what is wrong.
    result.findings = vec![Finding::new(
        FindingCode::Unstable,
        format!("bug in the harness: {why}"),
    )];
}

#[cfg(test)]
mod tests;
