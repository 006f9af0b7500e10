//! What follows the failures: errors, what could not be decided, what it waits for, and counts that add up.

use super::page::{Page, Tone};
use super::{Look, advice};
use crate::text::{count, duration_ms, number};
use crate::{Ending, Report};
use mcp_assay_model::event::{LevelCoverage, Noted, RevisionCoverage, WaitingFor};
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Gate, Outcome, Reason, Verdict};
use std::collections::BTreeMap;

/// Results named in a compact list.
const NAMED: usize = 12;
/// Notes on messages that are named.
const NOTED: usize = 20;
/// Restarts named.
const RESTARTS: usize = 3;

/// Results where the harness is wrong: never the target's fault, and worth a report to us.
pub(super) fn errors(page: &mut Page, report: &Report) {
    let wrong: Vec<&CheckResult> = report
        .results
        .iter()
        .filter(|result| result.verdict == Some(Verdict::Error))
        .collect();
    if wrong.is_empty() {
        return;
    }
    page.heading(&format!(
        "ERRORS OF MCP-ASSAY ({}), not of the target; please report them",
        wrong.len()
    ));
    for result in wrong.iter().take(NAMED) {
        let why = result
            .findings
            .first()
            .map_or("no reason was recorded", |finding| &finding.message);
        page.paragraph(2, &format!("{} in {}: {why}", result.id, result.case));
        page.verbatim("again", &result.rerun);
    }
    more(page, wrong.len());
}

/// Failures that do not gate: known ones, and those that the profile allows.
pub(super) fn tolerated(page: &mut Page, report: &Report) {
    let of = |baselined: bool| -> Vec<&CheckResult> {
        let tolerated = |result: &&CheckResult| {
            result.verdict == Some(Verdict::Fail)
                && matches!(result.gate, Some(Gate::Allow) | None)
                && result.baselined == baselined
        };
        report.results.iter().filter(tolerated).collect()
    };
    let lists = [
        (of(true), "KNOWN FAILURES of the baseline"),
        (of(false), "FAILURES that the profile allows"),
    ];
    for (list, title) in lists {
        if list.is_empty() {
            continue;
        }
        page.heading(&format!("{title} ({})", list.len()));
        for result in list.iter().take(NAMED) {
            let what = result
                .findings
                .first()
                .map_or("", |finding| &finding.message);
            page.paragraph(2, &format!("{} in {}: {what}", result.id, result.case));
        }
        more(page, list.len());
    }
}

/// Inconclusive results that no fixture would settle; those that the gate denies are shown in full elsewhere.
pub(super) fn undecided(page: &mut Page, report: &Report) {
    let waits = |reason: &Reason| {
        let is = |wait: &WaitingFor| match reason {
            Reason::Fixture(name) => wait.fixture == *name,
            reason => *reason == Reason::Allow && wait.fixture == "allow",
        };
        report.waiting_for.iter().any(is)
    };
    let open = |result: &&CheckResult| {
        result.verdict == Some(Verdict::Inconclusive)
            && result.gate != Some(Gate::Deny)
            && !result.reason.as_ref().is_some_and(waits)
    };
    let open: Vec<&CheckResult> = report.results.iter().filter(open).collect();
    if open.is_empty() {
        return;
    }
    page.heading(&format!(
        "UNDECIDED ({}), neither passed nor failed",
        open.len()
    ));
    for result in open.iter().take(NAMED) {
        let why = match (&result.reason, result.findings.first()) {
            (Some(reason), _) => advice::reason(reason),
            (None, Some(finding)) => format!("{}: {}", finding.code, finding.message),
            (None, None) => "no reason was recorded".to_owned(),
        };
        page.paragraph(2, &format!("{} in {}: {why}", result.id, result.case));
    }
    more(page, open.len());
}

fn more(page: &mut Page, all: usize) {
    if all > NAMED {
        page.paragraph(2, &format!("and {} more, in the report", all - NAMED));
    }
}

/// One block for each fixture that is missing, with the lines that bring it.
pub(super) fn waiting(page: &mut Page, report: &Report) {
    if report.waiting_for.is_empty() {
        return;
    }
    page.heading("WAITING for what only you can give; fill in, and paste into mcp-assay.yaml");
    for wait in &report.waiting_for {
        let verb = if wait.results == 1 { "waits" } else { "wait" };
        let what = match wait.fixture.as_str() {
            "allow" => "permission to call tools".to_owned(),
            name => format!("the fixture `{name}`"),
        };
        page.paragraph(
            2,
            &format!("{} {verb} for {what}:", count(wait.results, "result")),
        );
        for line in wait.profile.lines() {
            page.line(&[(Tone::Plain, "      "), (Tone::Strong, line)]);
        }
    }
}

/// Remarks, what is worth a word, and restarts of the target.
pub(super) fn notes(page: &mut Page, report: &Report, ending: &Ending) {
    if ending.notes.is_empty() && ending.restarts.is_empty() && report.noted.is_empty() {
        return;
    }
    page.heading("NOTES");
    for note in &ending.notes {
        page.paragraph(2, note);
    }
    for note in report.noted.iter().take(NOTED) {
        page.paragraph(2, &noted(note));
    }
    if report.noted.len() > NOTED {
        let more = report.noted.len() - NOTED;
        page.paragraph(
            2,
            &format!(
                "and {more} more that break no rule; the reports json and jsonl have them all"
            ),
        );
    }
    for (case, why) in ending.restarts.iter().take(RESTARTS) {
        let seen = if case.is_empty() {
            String::new()
        } else {
            format!(" (seen as {case} ended)")
        };
        page.paragraph(2, &format!("the target was started again{seen}: {why}"));
    }
    if ending.restarts.len() > RESTARTS {
        page.paragraph(
            2,
            &format!("and {} more times", ending.restarts.len() - RESTARTS),
        );
    }
}

/// `server, tools/list: member ... (12 times in 2025-11-25; "2" at #14 /result/nextcursor of CASE)`.
fn noted(note: &Noted) -> String {
    let whose = match note.method.as_str() {
        "" => note.role.to_string(),
        method => format!("{}, {method}", note.role),
    };
    let revisions: Vec<&str> = note.revisions.iter().map(|it| it.as_str()).collect();
    let times = match note.count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    };
    let actual = match note.actual.as_str() {
        "" => String::new(),
        actual => format!("{actual} at "),
    };
    format!(
        "{whose}: {} ({times} in {}; {actual}{} of {})",
        note.message,
        revisions.join(", "),
        note.at,
        note.case
    )
}

/// The counts, which add up, and where to find the rest.
pub(super) fn counts(page: &mut Page, report: &Report, ending: &Ending, look: &Look) {
    page.heading("SUMMARY");
    for revision in &report.coverage.revisions {
        page.field("coverage", &coverage(revision), 3);
    }
    let summary = &report.summary;
    let parts = [
        (summary.pass, "pass"),
        (summary.fail, "fail"),
        (summary.inconclusive, "inconclusive"),
        (summary.error, "error"),
        (summary.not_applicable, "not applicable"),
        (summary.not_run, "not run"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, word)| format!("{} {word}", number(*n)))
        .collect();
    let sum = match parts.as_slice() {
        [] => "none".to_owned(),
        parts => format!("{} = {}", number(summary.total()), parts.join(" + ")),
    };
    page.field("results", &sum, 2);
    for (outcome, label) in [
        (Outcome::NotApplicable, "n/a"),
        (Outcome::NotRun, "not run"),
    ] {
        let reasons = reasons(&report.results, outcome);
        if !reasons.is_empty() {
            page.field(label, &reasons, 4);
        }
    }
    if summary.fail > 0 || summary.denied > 0 {
        let gate = format!(
            "{} denied, {} warned",
            count(summary.denied, "result"),
            summary.warned
        );
        page.field("gate", &gate, 1);
    }
    if ending.complete {
        let mut time = duration_ms(report.duration_ms);
        // No case waited where none ran, nor does who reads a recording.
        if report.waiting_ms > 0 {
            let waited = duration_ms(report.waiting_ms);
            time.push_str(&format!(
                "; waited {waited} for the target, all cases together"
            ));
        }
        page.field("time", &time, 1);
    }
    for (n, (format, path)) in look.artefacts.iter().enumerate() {
        page.verbatim(
            if n == 0 { "written" } else { "" },
            &format!("{format}: {path}"),
        );
    }
}

/// `3 of another revision, 1 precondition not met`: why results of this outcome have it, the most frequent first.
fn reasons(results: &[CheckResult], outcome: Outcome) -> String {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for result in results
        .iter()
        .filter(|result| result.verdict.is_none() && result.outcome == outcome)
    {
        let words = result
            .reason
            .as_ref()
            .map_or_else(|| "no reason was recorded".to_owned(), advice::reason);
        *counts.entry(words).or_default() += 1;
    }
    let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let parts: Vec<String> = counts
        .iter()
        .map(|(words, n)| format!("{n} {words}"))
        .collect();
    parts.join(", ")
}

fn coverage(revision: &RevisionCoverage) -> String {
    let level = |(name, level): (&String, &LevelCoverage)| {
        let exercised = match level.exercised {
            Some(n) => format!("{n} exercised, "),
            None => String::new(),
        };
        format!(
            "{name} {exercised}{} covered of {} testable",
            level.covered, level.testable
        )
    };
    let levels: Vec<String> = revision.levels.iter().map(level).collect();
    format!(
        "{} ({}): {}",
        revision.revision,
        revision.role,
        levels.join("; ")
    )
}

/// Reasons of the exit code. The first line of each is ours; further ones quote the target, and look it.
pub(super) fn reasons_of_exit(page: &mut Page, label: &str, ending: &Ending) {
    for (n, reason) in ending.reasons.iter().enumerate() {
        for (m, line) in reason.lines().enumerate() {
            match (n, m) {
                (0, 0) => page.field(label, line, 3),
                (_, 0) => page.field("", line, 3),
                (_, _) => page.quote(line),
            }
        }
    }
}

/// The last line: the exit code and its reason in words.
pub(super) fn exit(page: &mut Page, report: &Report, ending: &Ending) {
    let tone = match report.exit_code {
        0 if report.summary.warned > 0 => Tone::Warn,
        0 => Tone::Good,
        _ => Tone::Bad,
    };
    let words = match (report.exit_code, report.summary.denied) {
        (1, 0) => "nothing was proven".to_owned(),
        (1, n) => format!("{} denied", count(n, "result")),
        (0, _) if report.summary.warned > 0 => {
            format!(
                "nothing denied, {}",
                count(report.summary.warned, "warning")
            )
        }
        (code, _) => advice::exit(code).to_owned(),
    };
    page.gap();
    // Of a target that was not reached, the reasons stand at the top already; and nothing is said twice.
    let told = report.exit_code == 1 && report.summary.denied > 0 && ending.reasons.len() == 1;
    if report.exit_code != 3 && !told {
        reasons_of_exit(page, "because", ending);
    }
    page.line(&[
        (tone, &format!("exit {}", report.exit_code)),
        (Tone::Plain, &format!(": {words}")),
    ]);
}
