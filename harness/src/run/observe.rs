//! Observers over all conversations of a run, and the confirmation of what they found.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_judge::observer::{Seen, Tally, observe, observe_and_note};
use mcp_assay_model::event::Noted;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::record::{Entry, Record};
use mcp_assay_model::requirement::{Citation, Level};
use mcp_assay_model::result::{CheckResult, Stage};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Outcome, Reason, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// What observers saw in first runs, and when the examples were run again.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    first: Tally,
    again: Tally,
    rerun: BTreeMap<String, Vec<Entry>>,
}

/// One rule's result, and the conversation that holds the example of its first finding.
pub struct RuleResult {
    /// The result.
    pub result: CheckResult,
    /// Empty where nothing was found, or nothing was run again.
    pub example: Vec<Entry>,
}

/// The strongest level of the rows that a revision has of these, and the rows.
pub fn level_of(
    catalogue: &Catalogue,
    cites: &[&str],
    revision: Revision,
) -> Option<(Level, Vec<Citation>)> {
    let cites: Vec<String> = cites.iter().map(|cite| (*cite).to_owned()).collect();
    let rows = catalogue.requirements().of(revision).cited(&cites);
    let level = rows.iter().map(|row| row.effective_level()).min()?;
    Some((
        level,
        rows.iter()
            .map(|row| Citation {
                id: row.id.clone(),
                url: row.url.clone(),
            })
            .collect(),
    ))
}

/// The result of a rule, before its verdict.
pub fn rule_result(
    catalogue: &Catalogue,
    id: &str,
    revision: Revision,
    binding: Binding,
    seen: &Seen,
) -> CheckResult {
    let levelled = level_of(catalogue, seen.rule.cites, revision);
    let (level, requirements) = match (seen.rule.basis, levelled) {
        (Basis::Robustness, _) => (Some(Level::Robustness), Vec::new()),
        (Basis::Spec, Some((level, requirements))) => (Some(level), requirements),
        (Basis::Spec, None) => (None, Vec::new()),
    };
    CheckResult {
        id: id.to_owned(),
        case: format!("observer/{}@{revision}+{binding}", seen.observer),
        title: seen.rule.title.to_owned(),
        rule: seen.rule.rule.to_owned(),
        basis: seen.rule.basis,
        level,
        stage: Stage::Stable,
        requirements,
        outcome: Outcome::Ran,
        verdict: None,
        reason: None,
        gate: None,
        contested: None,
        baselined: false,
        judged: seen.judged,
        confirmed: None,
        duration_ms: 0,
        findings: Vec::new(),
        transcript: Vec::new(),
        rerun: String::new(),
    }
}

impl Observed {
    /// Watches the conversation of a case.
    ///
    /// `connection`: the first case on its connection, which is itself unless the connection is shared.
    pub fn see(&mut self, case: &str, connection: &str, record: &Record) {
        let place = (record.revision, record.binding);
        self.first
            .add(place, case, connection, &observe_and_note(record));
    }

    /// What of the target's messages breaks no rule and is worth a word.
    pub fn noted(&self) -> Vec<Noted> {
        self.first.noted(&BTreeSet::from([Role::Server]))
    }

    /// Watches the conversation of an example that was run again.
    pub fn confirm(&mut self, case: &str, record: &Record) {
        self.rerun.insert(case.to_owned(), record.entries.clone());
        let place = (record.revision, record.binding);
        self.again.add(place, case, case, &observe(record));
    }

    /// Cases whose conversations hold the examples of what was found.
    pub fn examples(&self) -> BTreeSet<String> {
        let seen = self.first.results().map(|(_, _, _, seen)| seen);
        seen.flat_map(|seen| {
            seen.findings()
                .map(|(_, case)| case.to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
    }

    /// One result for each rule, revision and binding.
    pub fn results(&self, catalogue: &Catalogue) -> Vec<RuleResult> {
        let results = self.first.results().map(|(id, revision, binding, seen)| {
            let mut result = rule_result(catalogue, id, revision, binding, seen);
            match seen.verdict() {
                Err(reason) => super::interpret::wait(&mut result, reason),
                Ok(_) if result.level.is_none() => {
                    super::interpret::wait(&mut result, Reason::Revision)
                }
                Ok(verdict) => {
                    result.verdict = Some(verdict);
                    return self.conclude(result, seen);
                }
            }
            RuleResult {
                result,
                example: Vec::new(),
            }
        });
        results.collect()
    }

    /// What was found of a rule, in a case, when that case was run again.
    fn again(&self, id: &str, finding: &Finding, case: &str) -> Option<Finding> {
        let mut rules = self.again.results().filter(|(other, ..)| *other == id);
        rules.find_map(|(.., seen)| {
            let found = seen
                .findings()
                .find(|(found, of)| *of == case && found.code == finding.code);
            found.map(|(found, _)| Finding {
                count: finding.count,
                ..found.clone()
            })
        })
    }

    /// Keeps what was seen again; what was not is said to be unstable, and fails nothing by itself.
    fn conclude(&self, mut result: CheckResult, seen: &Seen) -> RuleResult {
        let mut unstable = Vec::new();
        let mut all_rerun = true;
        let mut example = Vec::new();
        for (finding, case) in seen.findings() {
            let rerun = self.rerun.get(case);
            all_rerun &= rerun.is_some();
            match (rerun, self.again(&result.id, finding, case)) {
                (Some(entries), Some(mut again)) => {
                    if result.findings.is_empty() {
                        example.clone_from(entries);
                    }
                    again.message = format!("{} (in {case})", again.message);
                    result.findings.push(again);
                }
                (None, _) => {
                    let message = format!("{} (in {case})", finding.message);
                    result.findings.push(Finding {
                        message,
                        ..finding.clone()
                    });
                }
                // What was seen on two connections was seen twice.
                (Some(_), None) if seen.is_seen_elsewhere(finding) => {
                    let message = format!("{} (in {case}, and in other cases)", finding.message);
                    result.findings.push(Finding {
                        message,
                        ..finding.clone()
                    });
                }
                (Some(_), None) => {
                    let message = format!(
                        "seen once ({}): {} (in {case})",
                        finding.code, finding.message
                    );
                    unstable.push(Finding {
                        code: FindingCode::Unstable,
                        message,
                        ..finding.clone()
                    });
                }
            }
        }
        if result.verdict == Some(Verdict::Fail) {
            if result.findings.is_empty() {
                result.verdict = Some(Verdict::Inconclusive);
                result.confirmed = Some("1/2".to_owned());
            } else {
                result.confirmed = Some(if all_rerun { "2/2" } else { "1/1" }.to_owned());
            }
            result.findings.extend(unstable);
        }
        RuleResult { result, example }
    }
}
