//! Failures in full: what, where, expected and actual, evidence, why, again, then (docs/contracts.md section 3).

use super::page::{Page, Tone};
use super::{advice, evidence};
use crate::text::{count, visible};
use crate::transcript::position;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::result::{CheckResult, Stage};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Gate, Verdict};

/// Findings of one result that are shown; the report has them all.
const FINDINGS: usize = 3;
/// Further cases of one failure that are named.
const CASES: usize = 4;
/// Cards that are named where the target ended in one way in several.
const DEATHS: usize = 12;
/// Lines for a value, about.
const VALUE_LINES: usize = 6;

/// Results that fail alike: one check, one gate, the same finding codes; or one way to die, whatever the card. The first is shown, the others
/// are named.
pub(super) struct Group<'a> {
    first: &'a CheckResult,
    also: Vec<&'a CheckResult>,
}

impl Group<'_> {
    /// Whether both say of different cards that the target ended, and in the same way.
    fn dies_like(&self, other: &CheckResult) -> bool {
        let end = |result: &CheckResult| {
            let finding = result.findings.first()?;
            let is_end = matches!(finding.code, FindingCode::Died | FindingCode::Hung);
            is_end.then(|| (finding.code, finding.actual.clone()))
        };
        let ends = end(self.first);
        ends.is_some() && ends == end(other)
    }

    /// The checks that fail, each once.
    fn checks(&self) -> Vec<&str> {
        let mut checks = vec![self.first.id.as_str()];
        for other in &self.also {
            if !checks.contains(&other.id.as_str()) {
                checks.push(&other.id);
            }
        }
        checks
    }

    fn matches(&self, other: &CheckResult) -> bool {
        let codes = |result: &CheckResult| {
            result
                .findings
                .iter()
                .map(|finding| finding.code)
                .collect::<Vec<_>>()
        };
        (self.first.id == other.id || self.dies_like(other))
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
        let alike = groups.iter().rposition(|group| group.matches(result));
        let is_last = alike.is_some_and(|at| at + 1 == groups.len());
        // A death stands with its like wherever that is; all else keeps its place.
        let alike = alike.filter(|&at| is_last || groups[at].dies_like(result));
        match alike.map(|at| &mut groups[at]) {
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
    if !result.rerun.is_empty() {
        page.verbatim("again", &result.rerun);
    }
    write_then(page, group);
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
    // Of another card it matters after which message the target ended, and one cause may hide among many.
    let most = if group.checks().len() > 1 {
        DEATHS
    } else {
        CASES
    };
    for other in group.also.iter().take(most) {
        let after = last_message(other).filter(|_| other.id != result.id);
        let after = after.map_or(String::new(), |after| format!(", after {after}"));
        page.field("", &format!("also {}{after}", other.case), 2);
    }
    if group.also.len() > most {
        let more = count((group.also.len() - most) as u64, "more case");
        page.field("", &format!("and {more}"), 1);
    }
}

/// The message that a result's first finding points at: `#8 tools/call`.
fn last_message(result: &CheckResult) -> Option<String> {
    let at = result.findings.first()?.at.as_deref()?;
    let (seq, _) = position(at)?;
    let entry = result.transcript.iter().find(|entry| entry.seq == seq)?;
    let method = entry
        .message
        .as_ref()
        .and_then(|message| message["method"].as_str());
    let method = method.map_or(String::new(), |method| format!(" `{}`", visible(method)));
    Some(format!("#{seq}{method}"))
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

fn write_then(page: &mut Page, group: &Group<'_>) {
    let result = group.first;
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
        let checks: Vec<String> = group
            .checks()
            .iter()
            .map(|id| format!("{id}: allow"))
            .collect();
        page.verbatim(
            "",
            &format!(
                "known? in mcp-assay.yaml: gate: {{ checks: {{ {} }} }}",
                checks.join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use mcp_assay_model::record::{Channel, Direction};
    use mcp_assay_model::result::TranscriptEntry;

    #[test]
    fn one_way_to_die_is_one_failure_whatever_the_cards_and_says_after_what() {
        let results = fixture::results(&fixture::everything());
        let is_death = |result: &&CheckResult| {
            let codes = result.findings.iter().map(|finding| finding.code);
            codes.into_iter().any(|code| code == FindingCode::Died)
        };
        let died = results.iter().find(is_death).unwrap();
        let other = |card: &str, actual: &str| {
            let mut other = died.clone();
            other.id = format!("{card}/alive");
            other.case = format!("{card}@2025-11-25+stdio");
            other.findings[0].actual = Some(actual.to_owned());
            other.findings[0].at = Some("#4".to_owned());
            other.transcript = vec![TranscriptEntry {
                seq: 4,
                at_us: 0,
                dir: Direction::Sent,
                connection: "c".to_owned(),
                channel: Channel::Stdin,
                http: None,
                message: Some(serde_json::json!({ "method": card })),
                raw: None,
                raw_b64: None,
                truncated: false,
                length: None,
                line_end: None,
                defects: Vec::new(),
                answers: None,
                part_of: None,
            }];
            other
        };
        let first = other("x/one", "exited with code 1");
        let second = other("x/two", "exited with code 1");
        let elsewhere = other("x/three", "was ended by signal 11");
        let between = results
            .iter()
            .find(|result| result.verdict == Some(Verdict::Fail))
            .unwrap();
        let all = [first, between.clone(), elsewhere, second].map(|mut result| {
            result.gate = Some(Gate::Deny);
            result
        });
        let groups = groups(&all, Gate::Deny);
        let ids: Vec<Vec<&str>> = groups.iter().map(Group::checks).collect();
        assert_eq!(
            ids,
            [
                vec!["x/one/alive", "x/two/alive"],
                vec![between.id.as_str()],
                vec!["x/three/alive"],
            ]
        );
        let mut page = Page::new(120, false);
        write(&mut page, &groups[0], 1, 3);
        let text = page.into_text();
        assert!(
            text.contains("also x/two@2025-11-25+stdio, after #"),
            "{text}"
        );
        assert!(text.contains(" `x/two`"), "{text}");
        assert!(
            text.contains("x/one/alive: allow, x/two/alive: allow"),
            "{text}"
        );
    }
}
