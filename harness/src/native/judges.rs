//! Native judges: what a JSON Schema cannot say of a label.

use super::{crowd, elsewhere, http_judges, listen_judges, offered_schemas};
use mcp_assay_judge::schema::Schemas;
use mcp_assay_judge::{Judgement, NativeJudges};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Bound, Missing, NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::Value;
use std::collections::HashMap;

/// Names of the native judges and what each says, in a line.
pub const JUDGES: &[(&str, &str)] = &[
    (
        "acknowledged-first",
        "each subscription of `listen` began with its acknowledgement",
    ),
    ("all-answered", "each request of a `crowd` was answered"),
    (
        "call-results",
        "each result of tools/call on a tour fits its definition; waits for permission where no tool may be called",
    ),
    (
        "data-is-message",
        "every event of the stream with a data field has a message in it",
    ),
    ("empty-body", "the response to what was sent has no body"),
    (
        "endpoint-first",
        "the event stream of the connection begins with an `endpoint` event",
    ),
    (
        "list-results",
        "each result of the capability that a tour is about, but those of tools/call, fits the definition of its method",
    ),
    (
        "offered-schemas",
        "each schema of a tool that a walk met is one by its dialect, and its references lead somewhere",
    ),
    (
        "only-asked",
        "the subscriptions of `listen` brought nothing that was not asked for",
    ),
    (
        "own-answers",
        "each of two clients got an answer of the kind that it gets alone",
    ),
    (
        "own-replay",
        "a resumed stream replayed no response to another request",
    ),
    ("own-session", "two clients have two MCP sessions"),
    (
        "own-stream",
        "the response came in the exchange of its request, or on its resumption",
    ),
    (
        "own-tags",
        "every message of the subscriptions of `listen` names the one that it belongs to",
    ),
    (
        "primed",
        "the event stream begins with an event that has an id and empty data",
    ),
    (
        "served-elsewhere",
        "a request was served on a connection where nothing was said before",
    ),
    (
        "session-uncounted",
        "the session ids of two clients are not next to each other in a count",
    ),
    (
        "slow-body-served",
        "a request whose body comes in pieces is served",
    ),
    (
        "stream-answered",
        "the event stream did not end before its response",
    ),
    ("stream-closed", "the event stream ended after its response"),
    (
        "to-loopback",
        "the request went to a server on this machine",
    ),
    ("walk-ends", "a walk ended on a last page"),
    ("walk-unique", "a walk met no name or URI twice"),
];

/// The judges, with what they need.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judges;

impl NativeJudges for Judges {
    fn judge(&self, name: &str, on: Option<&str>, record: &Record) -> Option<Judgement> {
        if let Some(judge) = http_judges::of_sent(name) {
            return Some(match on.and_then(|label| record.labels.get(label)) {
                Some(Bound::Sent(sent)) => judge(sent, record),
                Some(Bound::Missing { why, .. }) => {
                    Judgement::missing(on.unwrap_or_default(), *why)
                }
                _ => Judgement::error(format!(
                    "native judge `{name}` wants the label of something that was sent"
                )),
            });
        }
        let judge = match name {
            "acknowledged-first" => listen_judges::acknowledged_first,
            "all-answered" => crowd::all_answered,
            "offered-schemas" => offered_schemas::offered_schemas,
            "only-asked" => listen_judges::only_asked,
            "own-tags" => listen_judges::own_tags,
            "call-results" => call_results,
            "list-results" => list_results,
            "own-answers" => http_judges::own_answers,
            "own-replay" => http_judges::own_replay,
            "own-session" => http_judges::own_session,
            "served-elsewhere" => elsewhere::served_elsewhere,
            "session-uncounted" => http_judges::session_uncounted,
            "slow-body-served" => http_judges::slow_body_served,
            "stream-answered" => http_judges::stream_answered,
            "stream-closed" => http_judges::stream_closed,
            "walk-ends" => walk_ends,
            "walk-unique" => walk_unique,
            _ => return None,
        };
        Some(match on.and_then(|label| record.labels.get(label)) {
            Some(Bound::Native(bound)) => {
                match bound.missing.filter(|missing| *missing != Missing::Silent) {
                    Some(why) => Judgement::missing(on.unwrap_or_default(), why),
                    None => judge(bound, record),
                }
            }
            Some(Bound::Missing { why, .. }) => Judgement::missing(on.unwrap_or_default(), *why),
            _ => Judgement::error(format!(
                "native judge `{name}` wants the label of a native step"
            )),
        })
    }
}

fn call_results(bound: &NativeBound, record: &Record) -> Judgement {
    let withheld = bound.value["withheld"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let judged = results(bound, record, |method| method == "tools/call");
    if judged.judged == 0 && judged.findings.is_empty() {
        let withheld_for = |why: &str| withheld.iter().any(|tool| tool[why] == true);
        return if withheld_for("forbidden") {
            Judgement::unjudged(Reason::CallsForbidden)
        } else if withheld_for("permission") {
            Judgement::inconclusive(Reason::Allow)
        } else {
            Judgement::unjudged(Reason::NothingToJudge)
        };
    }
    judged
}

fn list_results(bound: &NativeBound, record: &Record) -> Judgement {
    // A tour lists what it needs to know besides; that is for the tour of that capability to judge.
    let own = match bound.value["of"].as_str().unwrap_or_default() {
        "completion" => "completion/",
        "logging" => "logging/",
        "prompts" => "prompts/",
        "resources" => "resources/",
        _ => "tools/list",
    };
    let judged = results(bound, record, |method| method.starts_with(own));
    if judged.judged == 0 && judged.findings.is_empty() {
        return Judgement::unjudged(Reason::NothingToJudge);
    }
    judged
}

/// Judges every result response of these methods; error responses are lawful and judge nothing here.
fn results(bound: &NativeBound, record: &Record, wanted: impl Fn(&str) -> bool) -> Judgement {
    let schemas = Schemas::of(record.revision);
    let mut findings: Vec<Finding> = Vec::new();
    let mut judged = 0;
    for item in bound.value["results"].as_array().into_iter().flatten() {
        let (Some(seq), Some(method)) = (item["seq"].as_u64(), item["method"].as_str()) else {
            continue;
        };
        if !wanted(method) {
            continue;
        }
        let message = record.entry(seq).and_then(|entry| entry.message.as_ref());
        let Some(result) = message.and_then(|message| message.value.get("result")) else {
            continue;
        };
        judged += 1;
        let raw = record
            .entry(seq)
            .and_then(|entry| std::str::from_utf8(&entry.raw).ok());
        let raw = raw.and_then(|raw| mcp_assay_wire::raw::at(raw, "/result"));
        match schemas.judge_result(method, result, raw) {
            Ok(violations) => {
                for violation in violations {
                    merge(&mut findings, method, violation.finding(seq, "/result"));
                }
            }
            Err(error) => return Judgement::error(error.to_string()),
        }
    }
    Judgement::of(findings, judged)
}

/// One root cause, one finding: the same code, method and message, wherever it is.
fn merge(findings: &mut Vec<Finding>, method: &str, mut finding: Finding) {
    finding.message = format!("result of {method}: {}", finding.message);
    match findings
        .iter_mut()
        .find(|known| known.code == finding.code && known.message == finding.message)
    {
        Some(known) => known.count += finding.count,
        None => findings.push(finding),
    }
}

fn walk_ends(bound: &NativeBound, _record: &Record) -> Judgement {
    let (end, pages) = (
        bound.value["end"].as_str().unwrap_or_default(),
        &bound.value["pages"],
    );
    let last = bound.seqs.last().copied().unwrap_or_default();
    let finding = |message: String| {
        let finding = Finding::new(FindingCode::Endless, message);
        Judgement::fail(
            vec![
                finding
                    .expected("a page without nextCursor")
                    .at(last, "/result/nextCursor"),
            ],
            1,
        )
    };
    match end {
        "last-page" => Judgement::pass(1),
        "loop" => finding(format!("a cursor came a second time, after {pages} pages")),
        "bound" => finding(format!("no last page within {pages} pages")),
        "error" if bound.seqs.len() > 1 => {
            let refused = Finding::new(
                FindingCode::RefusedValid,
                "a cursor that the target issued got an error",
            );
            Judgement::fail(
                vec![refused.expected("the next page").at(last, "/error")],
                1,
            )
        }
        // The first page refused is for other checks to say.
        _ => Judgement::unjudged(Reason::Given),
    }
}

fn walk_unique(bound: &NativeBound, _record: &Record) -> Judgement {
    let keys = bound.value["keys"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if bound.value["end"] != "last-page" {
        return Judgement::unjudged(Reason::Given);
    }
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (index, key) in keys.iter().filter_map(Value::as_str).enumerate() {
        if let Some(before) = first.insert(key, index) {
            match findings.first_mut() {
                Some(finding) => finding.count += 1,
                None => findings.push(
                    Finding::new(FindingCode::Duplicate, "an entry came twice in one walk")
                        .expected("each entry once")
                        .actual(format!(
                            "`{key}` as entry {} and as entry {}",
                            before + 1,
                            index + 1
                        ))
                        .at(bound.seqs.last().copied().unwrap_or_default(), ""),
                ),
            }
        }
    }
    if keys.is_empty() {
        return Judgement::unjudged(Reason::NothingToJudge);
    }
    Judgement::of(findings, keys.len() as u64)
}
