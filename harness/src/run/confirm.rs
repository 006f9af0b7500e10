//! Every Fail is run again, alone, before it is reported. Confirmation replaces a verdict, it does not fold it.

use super::attempt::{Attempt, Stage, attempt, retire};
use super::interpret::results;
use super::plan::Case;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::End;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::Verdict;
use std::collections::BTreeMap;

/// What came of running a case again.
pub struct Confirmed {
    /// The settled results.
    pub results: Vec<CheckResult>,
    /// The attempts made, for the record.
    pub attempts: Vec<Attempt>,
}

/// Whether a result waits for its confirmation.
pub fn needs_confirmation(result: &CheckResult) -> bool {
    result.verdict == Some(Verdict::Fail)
}

/// Runs a case again on a fresh connection, and settles its fails.
///
/// `cases`: all cases of the plan by id, from which a connection's history is replayed.
pub async fn confirm(
    stage: &Stage,
    case: &Case,
    first: Vec<CheckResult>,
    history: &[String],
    cases: &BTreeMap<String, Case>,
) -> Confirmed {
    let (alone, left) = attempt(stage, case, None).await;
    if let Some(shared) = left {
        retire(shared.conversation, true).await;
    }
    if matches!(&alone.record, Ok(record) if matches!(record.end, End::NotOpened { .. })) {
        // The target is gone: what was seen once cannot be seen again, nor be called unstable.
        let mut results = first;
        unconfirmed(&mut results);
        let attempts = vec![alone];
        return Confirmed { results, attempts };
    }
    let again = results(stage, case, &alone);
    let mut attempts = vec![alone];
    let mut settled: Vec<CheckResult> = first.iter().map(|result| settle(result, &again)).collect();
    let lost_life = settled.iter().zip(&first).any(|(settled, first)| {
        settled.verdict == Some(Verdict::Inconclusive)
            && first.verdict == Some(Verdict::Fail)
            && is_end_of_life(first)
    });
    if lost_life && !history.is_empty() {
        let replayed = with_history(stage, case, history, cases).await;
        let again = results(stage, case, &replayed);
        attempts.push(replayed);
        settled = first.iter().map(|result| settle(result, &again)).collect();
    }
    Confirmed {
        results: settled,
        attempts,
    }
}

/// Runs a case again that another one may have spoiled: what it comes to now, alone, counts as its first run.
pub async fn run_undisturbed(
    stage: &Stage,
    case: &Case,
    cases: &BTreeMap<String, Case>,
) -> Confirmed {
    let (alone, left) = attempt(stage, case, None).await;
    if let Some(shared) = left {
        retire(shared.conversation, true).await;
    }
    let first = results(stage, case, &alone);
    if !first.iter().any(needs_confirmation) {
        let attempts = vec![alone];
        return Confirmed {
            results: first,
            attempts,
        };
    }
    let mut confirmed = confirm(stage, case, first, &[], cases).await;
    confirmed.attempts.insert(0, alone);
    confirmed
}

fn is_end_of_life(result: &CheckResult) -> bool {
    result
        .findings
        .iter()
        .any(|finding| matches!(finding.code, FindingCode::Died | FindingCode::Hung))
}

/// Fail then Fail: the first run's findings stand. Fail then anything else: unstable.
pub(super) fn settle(first: &CheckResult, again: &[CheckResult]) -> CheckResult {
    let mut settled = first.clone();
    if first.verdict != Some(Verdict::Fail) {
        return settled;
    }
    let second = again.iter().find(|result| result.id == first.id);
    if second.is_some_and(|second| second.verdict == Some(Verdict::Fail)) {
        settled.confirmed = Some("2/2".to_owned());
        return settled;
    }
    settled.verdict = Some(Verdict::Inconclusive);
    settled.confirmed = Some("1/2".to_owned());
    let seen = first.findings.first();
    let (code, message) = seen.map_or(("fail", ""), |finding| {
        (finding.code.as_str(), finding.message.as_str())
    });
    let then = second
        .and_then(|second| second.verdict)
        .map_or("nothing", Verdict::as_str);
    let mut finding = Finding::new(
        FindingCode::Unstable,
        format!("seen once ({code}: {message}); run again alone it came to: {then}"),
    );
    finding.at = seen.and_then(|finding| finding.at.clone());
    settled.findings = vec![finding];
    settled
}

/// Marks fails that could not be run again.
pub fn unconfirmed(results: &mut [CheckResult]) {
    for result in results
        .iter_mut()
        .filter(|result| needs_confirmation(result))
    {
        result.confirmed = Some("1/1".to_owned());
    }
}

/// Runs the cases that used the connection before, in order, then the case.
async fn with_history(
    stage: &Stage,
    case: &Case,
    history: &[String],
    cases: &BTreeMap<String, Case>,
) -> Attempt {
    let mut shared = None;
    for earlier in history.iter().filter_map(|id| cases.get(id)) {
        shared = attempt(stage, earlier, shared).await.1;
    }
    let (replayed, left) = attempt(stage, case, shared).await;
    if let Some(shared) = left {
        retire(shared.conversation, true).await;
    }
    replayed
}

#[cfg(test)]
mod tests;
