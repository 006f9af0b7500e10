//! JUnit XML for dashboards. It mirrors the gate, so that a dashboard and the exit code never disagree (docs/contracts.md section 3).
//!
//! ```text
//! denied           failure          error (verdict)   error
//! pass             passing          warned            passing, with the warning in system-out
//! everything else  skipped, with the reason: baselined, allowed, inconclusive, waiting, not applicable, not run
//! exit 3, 5        one error of its own, and so for any other exit code that no case explains
//! ```

use crate::text::{cut, visible};
use crate::{Ending, Fold, Report, Reporter};
use junit_report::{
    Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuite, TestSuiteBuilder,
};
use mcp_assay_model::event::Event;
use mcp_assay_model::result::{CheckResult, Stage};
use mcp_assay_model::verdict::{Gate, Verdict};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Columns after which a value is cut; the record has it whole.
const VALUE_COLUMNS: usize = 4_000;

/// Writes the report as JUnit XML when the run is over.
///
/// **Shape**: a suite for each revision and binding, a test case for each result: its class is the card, its name the check and
/// the values it varies. What stops the whole run is a case of the suite `run`.
#[derive(Debug)]
pub struct Junit<W: Write> {
    out: W,
    fold: Fold,
}

impl<W: Write> Junit<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W) -> Self {
        Junit {
            out,
            fold: Fold::without_transcripts(),
        }
    }
}

impl<W: Write> Reporter for Junit<W> {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        self.fold.see(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let fold = std::mem::replace(&mut self.fold, Fold::without_transcripts());
        let (report, ending) = fold.finish_with_ending();
        write(&mut self.out, &report, &ending)
    }
}

/// Writes a report as JUnit XML.
pub fn write(out: &mut impl Write, report: &Report, ending: &Ending) -> io::Result<()> {
    let mut cases: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    for result in &report.results {
        cases
            .entry(suite_of(&result.case))
            .or_default()
            .push(test_case(result));
    }
    let run = run_case(report, ending, cases.values().flatten());
    let timestamp = timestamp(&report.started);
    let suite = |name: &str, cases: Vec<TestCase>| -> TestSuite {
        TestSuiteBuilder::new(&xml_safe(name))
            .set_timestamp(timestamp)
            .add_testcases(cases)
            .build()
    };
    let mut suites: Vec<TestSuite> = cases
        .into_iter()
        .map(|(name, cases)| suite(name, cases))
        .collect();
    suites.extend(run.map(|case| suite("run", vec![case])));
    let document = ReportBuilder::new().add_testsuites(suites).build();
    document.write_xml(&mut *out).map_err(|error| match error {
        junit_report::Error::Io(error) => error,
        junit_report::Error::Xml(error) => io::Error::other(error.to_string()),
    })?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Text that any XML parser gives back as it is.
///
/// **Shape**: one line. Characters that XML forbids, that its parsers change (line ends, tabs), or that hide or turn text are
/// written out as escapes; so is the end of a CDATA section, which the crate below writes as it is.
pub(crate) fn xml_safe(text: &str) -> String {
    visible(text).replace("]]>", "]]\\u003e")
}

/// Lines of text, each safe by itself.
fn lines(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| xml_safe(line)).collect();
    lines.join("\n")
}

/// `2025-11-25+stdio` of `CARD@2025-11-25+stdio#id=0`.
fn suite_of(case: &str) -> &str {
    let place = case.split_once('@').map_or(case, |(_, place)| place);
    place.split_once('#').map_or(place, |(place, _)| place)
}

fn test_case(result: &CheckResult) -> TestCase {
    let (card, check) = result.id.rsplit_once('/').unwrap_or(("", &result.id));
    let name = match result.case.split_once('#') {
        Some((_, vary)) => xml_safe(&format!("{check} #{vary}")),
        None => xml_safe(check),
    };
    let time =
        Duration::milliseconds(i64::try_from(result.duration_ms).unwrap_or(i64::MAX / 1_000_000));
    let code = xml_safe(&code_of(result));
    let message = xml_safe(&message_of(result));
    let mut builder = match (result.verdict, result.gate) {
        (Some(Verdict::Error), _) => TestCaseBuilder::error(&name, time, &code, &message),
        (Some(Verdict::Pass), None | Some(Gate::Allow | Gate::Warn)) => {
            TestCaseBuilder::success(&name, time)
        }
        (_, Some(Gate::Deny)) => TestCaseBuilder::failure(&name, time, &code, &message),
        (_, Some(Gate::Warn)) => {
            let mut passing = TestCaseBuilder::success(&name, time);
            let mut text = vec![format!("warning: {}", message_of(result))];
            text.extend(details(result));
            passing.set_system_out(&lines(&text));
            passing
        }
        (verdict, Some(Gate::Allow) | None) => TestCaseBuilder::skipped_with_cause(
            &name,
            &skip_kind(result, verdict),
            &xml_safe(&why_skipped(result)),
        ),
    };
    // Has an effect on failures and errors only.
    builder.set_trace(&lines(&details(result)));
    builder.set_classname(&xml_safe(card));
    builder.build()
}

/// First finding code, or the word for a result without findings.
fn code_of(result: &CheckResult) -> String {
    match (result.findings.first(), &result.reason, result.verdict) {
        (Some(finding), _, _) => finding.code.to_string(),
        (None, Some(reason), _) => reason.to_string(),
        (None, None, Some(verdict)) => verdict.to_string(),
        (None, None, None) => result.outcome.as_str().to_owned(),
    }
}

fn message_of(result: &CheckResult) -> String {
    match result.findings.first() {
        Some(finding) => format!("{}: {}", result.title, finding.message),
        None => match &result.reason {
            Some(reason) => format!("{}: {reason}", result.title),
            None => result.title.clone(),
        },
    }
}

fn skip_kind(result: &CheckResult, verdict: Option<Verdict>) -> String {
    match verdict {
        _ if result.baselined => "baselined".to_owned(),
        Some(Verdict::Fail) => "allowed".to_owned(),
        Some(verdict) => verdict.to_string(),
        None => result.outcome.as_str().to_owned(),
    }
}

fn why_skipped(result: &CheckResult) -> String {
    let what = match (result.baselined, result.verdict, &result.reason) {
        (true, _, _) => "a known failure of the baseline".to_owned(),
        (false, Some(Verdict::Fail), _) => "fails, and the profile allows it".to_owned(),
        (false, _, Some(reason)) => format!("{} ({reason})", result.outcome.as_str()),
        (false, Some(verdict), None) => verdict.to_string(),
        (false, None, None) => result.outcome.as_str().to_owned(),
    };
    match result.findings.first() {
        Some(finding) => format!("{what}: {}", finding.message),
        None => what,
    }
}

/// What a stranger needs beside the message, a line each.
fn details(result: &CheckResult) -> Vec<String> {
    let mut text = vec![
        format!("check: {}", result.id),
        format!("case: {}", result.case),
    ];
    for finding in &result.findings {
        text.push(format!("found: {}: {}", finding.code, finding.message));
        text.extend(finding.at.as_ref().map(|at| format!("at: {at}")));
        if finding.count > 1 {
            text.push(format!(
                "seen: {} times; this is the smallest example",
                finding.count
            ));
        }
        let values = [("expected", &finding.expected), ("actual", &finding.actual)];
        for (name, value) in values {
            if let Some(value) = value {
                text.push(format!("{name}: {}", cut(&visible(value), VALUE_COLUMNS)));
            }
        }
    }
    let level = result.level.map_or("no level", |level| level.as_str());
    text.push(format!("why: {level}: {}", result.rule));
    text.extend(
        result
            .requirements
            .iter()
            .map(|row| format!("see: {} {}", row.id, row.url)),
    );
    if let Some(row) = &result.contested {
        text.push(format!("contested: {row}"));
    }
    if result.stage == Stage::Preview {
        text.push("preview: reported, never gates".to_owned());
    }
    if let Some(confirmed) = &result.confirmed {
        text.push(format!("confirmed: {confirmed}"));
    }
    text.push(format!("again: {}", result.rerun));
    text
}

/// The case that stands for an exit code which no test case explains.
fn run_case<'a>(
    report: &Report,
    ending: &Ending,
    cases: impl Iterator<Item = &'a TestCase>,
) -> Option<TestCase> {
    let (mut failures, mut errors) = (0, 0);
    for case in cases {
        failures += u64::from(case.is_failure());
        errors += u64::from(case.is_error());
    }
    let name = match report.exit_code {
        0 => return None,
        1 if failures > 0 => return None,
        70 if errors > 0 => return None,
        1 => "nothing-proven",
        2 => "usage",
        3 => "target",
        4 => "nothing-selected",
        5 => "stale-baseline",
        70 => "harness",
        130 => "interrupted",
        _ => "exit",
    };
    let kind = format!("exit-{}", report.exit_code);
    let message = ending
        .reasons
        .first()
        .map_or("", |reason| reason.lines().next().unwrap_or(""));
    let message = match message {
        "" => format!("exit code {}", report.exit_code),
        reason => reason.to_owned(),
    };
    let text: Vec<String> = ending
        .reasons
        .iter()
        .flat_map(|reason| reason.lines())
        .map(str::to_owned)
        .collect();
    // Nothing proven is a failure of the target to show anything; the others are no failure of a check.
    let mut builder = match report.exit_code {
        1 => TestCaseBuilder::failure(name, Duration::ZERO, &kind, &xml_safe(&message)),
        _ => TestCaseBuilder::error(name, Duration::ZERO, &kind, &xml_safe(&message)),
    };
    builder.set_trace(&lines(&text)).set_classname("run");
    Some(builder.build())
}

/// The start of the run; the epoch where the record does not know it.
fn timestamp(started: &str) -> OffsetDateTime {
    let seconds = started
        .parse::<jiff::Timestamp>()
        .map_or(0, |time| time.as_second());
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn xml(events: &[Event]) -> String {
        let mut out = Vec::new();
        let mut junit = Junit::new(&mut out);
        events
            .iter()
            .for_each(|event| junit.see(event).expect("a fold does not fail"));
        junit.finish().expect("memory does not fail");
        String::from_utf8(out).expect("XML is UTF-8")
    }

    fn count(xml: &str, tag: &str) -> usize {
        let document = roxmltree::Document::parse(xml).expect("a parser reads our XML");
        document
            .descendants()
            .filter(|node| node.has_tag_name(tag))
            .count()
    }

    #[test]
    fn mirrors_the_gate() {
        let events = fixture::everything();
        let mut fold = Fold::new();
        events.iter().for_each(|event| fold.see(event));
        let report = fold.finish();
        let xml = xml(&events);
        let warned = report
            .results
            .iter()
            .filter(|result| result.gate == Some(Gate::Warn))
            .count();
        assert_eq!(count(&xml, "testcase") as u64, report.summary.total());
        assert_eq!(count(&xml, "failure") as u64, report.summary.denied);
        assert_eq!(count(&xml, "error") as u64, report.summary.error);
        assert_eq!(count(&xml, "system-out"), warned);
        assert!(xml.contains("a known failure of the baseline"));
    }

    #[test]
    fn exit_codes_that_no_case_explains_have_a_case_of_their_own() {
        for (code, failures, errors) in [
            (1, 1, 0),
            (3, 0, 1),
            (5, 0, 1),
            (70, 0, 1),
            (130, 0, 1),
            (0, 0, 0),
        ] {
            let mut events = fixture::clean();
            if let Some(Event::RunFinished(finished)) = events.last_mut() {
                finished.exit_code = code;
            }
            let xml = xml(&events);
            assert_eq!(
                (count(&xml, "failure"), count(&xml, "error")),
                (failures, errors),
                "exit {code}"
            );
        }
        assert_eq!(count(&xml(&fixture::not_reached()), "error"), 1);
    }
}
