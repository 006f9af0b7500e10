//! Failures in full: what, where, expected and actual, evidence, why, again, then (docs/contracts.md section 3).

use super::page::{Page, Tone};
use super::{advice, evidence};
use crate::text::count;
use mcp_assay_model::finding::Finding;
use mcp_assay_model::result::{CheckResult, Stage};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Gate, Verdict};

/// Findings of one result that are shown; the report has them all.
const FINDINGS: usize = 3;
/// Further cases of one failure that are named.
const CASES: usize = 4;
/// Lines for a value, about.
const VALUE_LINES: usize = 6;

/// Results that fail alike: one check, one gate, the same finding codes. The first is shown, the others are named.
pub(super) struct Group<'a> {
    first: &'a CheckResult,
    also: Vec<&'a CheckResult>,
}

impl Group<'_> {
    fn matches(&self, other: &CheckResult) -> bool {
        let codes = |result: &CheckResult| {
            result
                .findings
                .iter()
                .map(|finding| finding.code)
                .collect::<Vec<_>>()
        };
        self.first.id == other.id
            && self.first.gate == other.gate
            && self.first.verdict == other.verdict
            && codes(self.first) == codes(other)
    }
}

/// Groups results with this gate, in order.
pub(super) fn groups(results: &[CheckResult], gate: Gate) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let shown =
        |result: &&CheckResult| result.gate == Some(gate) && result.verdict != Some(Verdict::Error);
    for result in results.iter().filter(shown) {
        match groups.last_mut().filter(|group| group.matches(result)) {
            Some(group) => group.also.push(result),
            None => groups.push(Group {
                first: result,
                also: Vec::new(),
            }),
        }
    }
    groups
}

/// The word that stands before a failure, and its tone.
fn word(gate: Option<Gate>) -> (Tone, &'static str) {
    match gate {
        Some(Gate::Deny) => (Tone::Bad, "DENIED"),
        Some(Gate::Warn) => (Tone::Warn, "WARNING"),
        Some(Gate::Allow) | None => (Tone::Plain, "ALLOWED"),
    }
}

/// Writes one group in full; `nth` of `of`.
pub(super) fn write(page: &mut Page, group: &Group<'_>, nth: usize, of: usize) {
    let result = group.first;
    let (tone, word) = word(result.gate);
    page.gap();
    let number = format!(" {nth} of {of}  ");
    page.line(&[
        (tone, word),
        (Tone::Dim, &number),
        (Tone::Strong, &result.id),
    ]);
    page.field("what", &result.title, 3);
    write_where(page, group);
    for (n, finding) in result.findings.iter().take(FINDINGS).enumerate() {
        // The position of the first stands under `where`.
        let at = finding.at.as_ref().filter(|_| n > 0);
        write_finding(page, finding);
        if let Some(at) = at {
            page.field("at", &evidence::place(at, &result.transcript), 2);
        }
        write_values(page, finding);
    }
    if result.findings.len() > FINDINGS {
        let more = count((result.findings.len() - FINDINGS) as u64, "more finding");
        page.field("", &format!("and {more}, in the report"), 1);
    }
    if let Some(reason) = &result.reason {
        page.field(
            "found",
            &format!("nothing can be said: {}", advice::reason(reason)),
            2,
        );
    }
    evidence::write(page, &result.transcript, &result.findings);
    write_why(page, result);
    page.verbatim("again", &result.rerun);
    write_then(page, result);
}

fn write_where(page: &mut Page, group: &Group<'_>) {
    let result = group.first;
    page.field("where", &result.case, 2);
    if let Some(at) = result
        .findings
        .first()
        .and_then(|finding| finding.at.as_ref())
    {
        page.field("", &evidence::place(at, &result.transcript), 2);
    }
    for other in group.also.iter().take(CASES) {
        page.field("", &format!("also {}", other.case), 2);
    }
    if group.also.len() > CASES {
        page.field(
            "",
            &format!("and {} more cases", group.also.len() - CASES),
            1,
        );
    }
}

fn write_finding(page: &mut Page, finding: &Finding) {
    let often = match finding.count {
        0 | 1 => String::new(),
        n => format!(" ({n} times; the smallest example follows)"),
    };
    page.field(
        "found",
        &format!("{}: {}{often}", finding.code, finding.message),
        4,
    );
}

fn write_values(page: &mut Page, finding: &Finding) {
    if let Some(expected) = &finding.expected {
        page.field("expected", expected, VALUE_LINES);
    }
    if let Some(actual) = &finding.actual {
        page.field("actual", actual, VALUE_LINES);
    }
}

fn write_why(page: &mut Page, result: &CheckResult) {
    let level = match (result.basis, result.level) {
        (Basis::Robustness, _) => "robustness",
        (Basis::Spec, Some(level)) => level.as_str(),
        (Basis::Spec, None) => "no sentence of this revision",
    };
    page.field("why", &format!("{level}: {}", result.rule), 3);
    for row in &result.requirements {
        page.verbatim("", &row.id);
        page.verbatim("", &row.url);
    }
    if let Some(row) = &result.contested {
        let text =
            format!("contested (`{row}`): the text can be read in two ways, so this never denies");
        page.field("", &text, 2);
    }
    if result.stage == Stage::Preview {
        page.field(
            "",
            "preview: a new check, reported for one release before it gates",
            2,
        );
    }
    if result.verdict == Some(Verdict::Inconclusive) {
        page.field(
            "",
            "denied because --strict denies a MUST that nothing can be said about",
            2,
        );
    }
    if let Some((seen, of)) = result
        .confirmed
        .as_deref()
        .and_then(|text| text.split_once('/'))
    {
        let text = match of {
            "1" => "seen once; it could not be run again".to_owned(),
            of => format!("seen {seen} of {of} times; the last time alone, on a fresh connection"),
        };
        page.field("", &text, 2);
    }
}

fn write_then(page: &mut Page, result: &CheckResult) {
    let mut label = "then";
    if let Some(finding) = result.findings.first() {
        page.field(label, advice::next_step(finding.code), 3);
        label = "";
    }
    page.verbatim(
        label,
        &format!(
            "read more: mcp-assay explain {}   (--repro: the exact bytes)",
            result.id
        ),
    );
    if result.verdict == Some(Verdict::Fail) {
        page.verbatim(
            "",
            &format!(
                "known? in mcp-assay.yaml: gate: {{ checks: {{ {}: allow }} }}",
                result.id
            ),
        );
    }
}

/// Writes one group on a line or two.
pub(super) fn write_short(page: &mut Page, group: &Group<'_>) {
    let result = group.first;
    let (tone, word) = word(result.gate);
    let more = match group.also.len() {
        0 => String::new(),
        n => format!("  and {n} more"),
    };
    page.line(&[
        (tone, word),
        (Tone::Plain, "  "),
        (Tone::Strong, &result.id),
    ]);
    page.field("where", &format!("{}{more}", result.case), 2);
    match (result.findings.first(), &result.reason) {
        (Some(finding), _) => {
            let at = finding
                .at
                .as_deref()
                .map(|at| format!("{}: ", evidence::place(at, &result.transcript)));
            page.field(
                "found",
                &format!(
                    "{}{}: {}",
                    at.unwrap_or_default(),
                    finding.code,
                    finding.message
                ),
                2,
            );
        }
        (None, Some(reason)) => page.field("found", &advice::reason(reason), 2),
        (None, None) => {}
    }
}
