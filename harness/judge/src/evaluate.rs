//! Checks of cards on a record.

use crate::judgement::{Judgement, NativeJudges, Stop};
use crate::schema::Schemas;
use crate::select::{self, Subject};
use crate::{silence, text};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Bound, ExitSeen, Record};
use mcp_assay_model::scenario::{Check, Expect, Given, Part};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::{Reason, Verdict};
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value};

mod http;

/// Fills in references of a template: facts, fixtures, `$from`, `$vary`.
///
/// **Shape**: called with each reference; gives the JSON text that takes its place.
pub type Resolve<'a> = dyn FnMut(&Template) -> Result<String, String> + 'a;

/// Judges one check on one record.
///
/// A precondition that is not met makes it not applicable; one that cannot be settled leaves the check unsettled in the same way. A
/// reference that cannot be filled in is an error of the card, save a `$from` whose member the target left out: then there is nothing
/// to compare with, and the check does not apply.
pub fn evaluate(
    check: &Check,
    record: &Record,
    resolve: &mut Resolve<'_>,
    natives: &dyn NativeJudges,
) -> Judgement {
    let mut judge = Judge {
        record,
        schemas: Schemas::of(record.revision),
        resolve,
        natives,
    };
    if let Some(unmet) = check.given.as_ref().and_then(|given| judge.unmet(given)) {
        return unmet;
    }
    let mut judgement = judge.expect(check.on.as_deref(), &check.expect);
    if let Some(code) = check.code {
        for finding in &mut judgement.findings {
            // That nothing came is said by its own code, whatever the check is about.
            if finding.code != FindingCode::NoReply {
                finding.code = code;
            }
        }
    }
    judgement
}

struct Judge<'j, 'r> {
    record: &'j Record,
    schemas: &'static Schemas,
    resolve: &'j mut Resolve<'r>,
    natives: &'j dyn NativeJudges,
}

impl Judge<'_, '_> {
    /// What to say instead of judging, where a precondition is not known to hold.
    fn unmet(&mut self, given: &Given) -> Option<Judgement> {
        match given {
            Given::All(all) => all.iter().find_map(|given| self.unmet(given)),
            Given::One { on, expect } => {
                let judgement = self.expect(Some(on), expect);
                match judgement.verdict {
                    Some(Verdict::Pass) => None,
                    Some(Verdict::Fail) => Some(Judgement::unjudged(Reason::Given)),
                    Some(Verdict::Inconclusive | Verdict::Error) | None => Some(judgement),
                }
            }
        }
    }

    fn expect(&mut self, on: Option<&str>, expect: &Expect) -> Judgement {
        let outcome = match expect {
            Expect::Message { part, schema } => self.message(on, *part, schema),
            Expect::SameId { request, at } => self.same_id(on, request, at),
            Expect::None { kind, within } => {
                Ok(silence::none(self.record, on, *kind, within.as_deref()))
            }
            Expect::Http {
                status,
                headers,
                content_type,
            } => self.http(
                on,
                http::Wanted {
                    status,
                    headers,
                    content_type: content_type.as_deref(),
                },
            ),
            Expect::Exit { within_ms, code } => self.exit(on, within_ms.as_ref(), *code),
            Expect::AnyOf(branches) => Ok(self.any_of(on, branches)),
            Expect::Native(name) => Ok(self
                .natives
                .judge(name, on, self.record)
                .unwrap_or_else(|| Judgement::error(format!("there is no native judge `{name}`")))),
        };
        outcome.unwrap_or_else(Judgement::from)
    }

    fn message(
        &mut self,
        on: Option<&str>,
        part: Part,
        schema: &Template,
    ) -> Result<Judgement, Stop> {
        let subjects = select::select(self.record, label(on)?)?;
        let schema = self.render(schema)?;
        let mut findings = Vec::new();
        for subject in &subjects {
            if !select::fits(part, subject.message.kind) {
                findings.push(other_kind(subject, part));
                continue;
            }
            let (pointer, value) = part_of(part, &subject.message.value);
            let violations = self
                .schemas
                .judge_inline(&schema, &value, subject.raw(pointer))
                .map_err(|error| Stop::broken(error.to_string()))?;
            findings.extend(
                violations
                    .into_iter()
                    .map(|violation| violation.finding(subject.entry.seq, pointer)),
            );
        }
        Ok(Judgement::of(findings, subjects.len() as u64))
    }

    fn same_id(&mut self, on: Option<&str>, request: &str, at: &str) -> Result<Judgement, Stop> {
        let subjects = select::select(self.record, label(on)?)?;
        let Bound::Sent(sent) = select::bound(self.record, request)? else {
            return Err(Stop::broken(format!("label `{request}` names no request")));
        };
        let Some(id) = &sent.id else {
            return Err(Stop::broken(format!("the message `{request}` has no id")));
        };
        let findings = subjects
            .iter()
            .filter_map(|subject| other_id(subject, at, id))
            .collect();
        Ok(Judgement::of(findings, subjects.len() as u64))
    }

    fn exit(
        &mut self,
        on: Option<&str>,
        within_ms: Option<&Template>,
        code: Option<i32>,
    ) -> Result<Judgement, Stop> {
        let label = label(on)?;
        let seen = match select::bound(self.record, label)? {
            Bound::Exit(seen) => seen,
            Bound::Missing { why, .. } => return Err(Stop::missing(label, *why)),
            _ => {
                return Err(Stop::broken(format!(
                    "label `{label}` names no end of a process"
                )));
            }
        };
        let limit = match within_ms {
            None => None,
            Some(template) => {
                let text = self.render(template)?;
                let limit = text.parse::<u64>();
                Some(limit.map_err(|_| {
                    Stop::broken(format!("`within` is no number of milliseconds: {text}"))
                })?)
            }
        };
        Ok(Judgement::of(
            exit(seen, limit, code, self.record.entries.len() as u64),
            1,
        ))
    }

    /// Passes where a branch passes; else unsettled where a branch is; else fails with what all branches say. Branches that the
    /// binding does not know are passed over, unless there are no others.
    fn any_of(&mut self, on: Option<&str>, branches: &[Expect]) -> Judgement {
        let mut judgements = Vec::new();
        for branch in branches {
            let judgement = self.expect(on, branch);
            if judgement.verdict == Some(Verdict::Pass) {
                return judgement;
            }
            judgements.push(judgement);
        }
        let elsewhere = |one: &Judgement| one.reason == Some(Reason::Binding);
        if !judgements.iter().all(elsewhere) {
            judgements.retain(|one| !elsewhere(one));
        }
        let expected = each_said(&judgements, ", or ", expected_of);
        retain_type_that_came(&mut judgements);
        let unsettled = judgements
            .iter()
            .position(|one| one.verdict != Some(Verdict::Fail));
        match unsettled {
            Some(index) => judgements.swap_remove(index),
            None => match none_of(&judgements, expected) {
                Some(finding) => Judgement::fail(vec![finding], 1),
                None => Judgement::error("the check accepts no answer at all"),
            },
        }
    }

    fn render(&mut self, template: &Template) -> Result<String, Stop> {
        let resolve = &mut *self.resolve;
        let rendered = template.render(&mut |reference| {
            resolve(reference).map_err(|reason| (reference.clone(), reason))
        });
        rendered.map_err(|(reference, reason)| match &reference {
            Template::From { label, .. } => match select::select(self.record, label) {
                Ok(_) => Stop::LeftOut,
                Err(stop) => stop,
            },
            _ => Stop::Broken(reason),
        })
    }
}

fn label(on: Option<&str>) -> Result<&str, Stop> {
    on.ok_or_else(|| Stop::broken("the check names no label to judge"))
}

/// The judged part of a message; absent params are the empty object, as JSON-RPC has it.
fn part_of(part: Part, message: &Value) -> (&'static str, Value) {
    let pointer = match part {
        Part::Result => "/result",
        Part::Error => "/error",
        Part::Notification | Part::Request => "/params",
        Part::Reply => "",
    };
    let value = message.pointer(pointer).cloned();
    (pointer, value.unwrap_or_else(|| Value::Object(Map::new())))
}

fn other_kind(subject: &Subject<'_>, part: Part) -> Finding {
    let due = match part {
        Part::Result => "a result",
        Part::Error => "an error",
        Part::Notification => "a notification",
        Part::Request => "a request",
        Part::Reply => "a response",
    };
    Finding::new(
        FindingCode::ReplyKind,
        format!("{} came where {due} is due", subject.kind()),
    )
    .expected(due)
    .actual(subject.text())
    .at(subject.entry.seq, "")
}

/// Ids are compared as they were written, strings by what they say: `"\u0061"` is `"a"`, as every JSON encoder may write it.
fn other_id(subject: &Subject<'_>, at: &str, id: &RawId) -> Option<Finding> {
    let got = subject.raw(at);
    let is_same = got.is_some_and(|got| {
        let said = |text: &str| serde_json::from_str::<String>(text).ok();
        got == id.0 || said(got).is_some_and(|got| said(&id.0) == Some(got))
    });
    if is_same {
        return None;
    }
    let (message, actual) = match got {
        Some(got) => (
            format!("the id is {}, not {}", text::cut(got), text::cut(&id.0)),
            got.to_owned(),
        ),
        None => (
            format!("there is no id, where {} is due", text::cut(&id.0)),
            subject.text(),
        ),
    };
    let finding = Finding::new(FindingCode::Id, message)
        .expected(&id.0)
        .actual(actual);
    Some(finding.at(subject.entry.seq, at))
}

/// `last` is the position after which the end was awaited.
fn exit(seen: &ExitSeen, within_ms: Option<u64>, code: Option<i32>, last: u64) -> Vec<Finding> {
    let waited = seen.waited.as_millis();
    let took = format!("{:.1} s", seen.waited.as_secs_f64());
    let has_ended = seen.code.is_some() || seen.signal.is_some() || seen.in_time;
    let is_late = within_ms.is_some_and(|limit| waited > u128::from(limit));
    if !has_ended || !seen.in_time || is_late {
        let message = if has_ended {
            format!("the process ended after {took} only")
        } else {
            format!("the process did not end within {took}")
        };
        let expected = match within_ms {
            Some(limit) => format!("an end within {limit} ms"),
            None => "an end before the deadline".to_owned(),
        };
        let finding = Finding::new(FindingCode::NoReply, message).expected(expected);
        return vec![finding.actual(took).at(last, "")];
    }
    let Some(code) = code.filter(|&code| seen.code != Some(code)) else {
        return Vec::new();
    };
    let actual = match (seen.code, seen.signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    };
    let finding = Finding::new(
        FindingCode::Value,
        format!("the process ended with {actual}, not with exit code {code}"),
    );
    vec![
        finding
            .expected(format!("exit code {code}"))
            .actual(actual)
            .at(last, ""),
    ]
}

/// Of branches on the result, keeps those for the `resultType` that came, where there are any: the others say nothing of it.
fn retain_type_that_came(branches: &mut Vec<Judgement>) {
    let is_other_kind = |branch: &Judgement| {
        let mut codes = branch.findings.iter().map(|finding| finding.code);
        codes.any(|code| code == FindingCode::ReplyKind)
    };
    let is_other_type = |branch: &Judgement| {
        let mut places = branch.findings.iter().filter_map(|one| one.at.as_deref());
        places.any(|at| at.ends_with(" /result/resultType"))
    };
    let came = |branch: &Judgement| !is_other_kind(branch) && !is_other_type(branch);
    if branches.iter().any(came) {
        branches.retain(|branch| !is_other_type(branch));
    }
}

/// One finding for all branches of an `any_of`: the code they share, else that the kind of answer is none of those due.
fn none_of(branches: &[Judgement], expected: String) -> Option<Finding> {
    let all = || branches.iter().flat_map(|branch| &branch.findings);
    // The outermost place shows what every branch looked at.
    let first = all().min_by_key(|finding| finding.at.as_ref().map_or(0, String::len))?;
    let code = if all().all(|finding| finding.code == first.code) {
        first.code
    } else {
        FindingCode::ReplyKind
    };
    let said = each_said(branches, "; ", |finding| finding.message.clone());
    Some(Finding {
        code,
        message: format!("none of the accepted answers: {said}"),
        expected: Some(expected),
        actual: first.actual.clone(),
        at: first.at.clone(),
        count: 1,
    })
}

/// What the first finding of each branch says, each text once.
fn each_said(branches: &[Judgement], joint: &str, field: fn(&Finding) -> String) -> String {
    let mut said: Vec<String> = Vec::new();
    let findings = branches.iter().filter_map(|branch| branch.findings.first());
    for text in findings.map(field) {
        if !said.contains(&text) {
            said.push(text);
        }
    }
    said.join(joint)
}

/// What a branch expects; of a value the member that would have it.
fn expected_of(finding: &Finding) -> String {
    let expected = finding.expected.clone().unwrap_or_default();
    let member = finding.at.as_deref().and_then(|at| at.rsplit_once('/'));
    match member.filter(|_| finding.code == FindingCode::Value) {
        Some((_, member)) => format!("`{member}` {expected}"),
        None => expected,
    }
}

#[cfg(test)]
mod tests;
