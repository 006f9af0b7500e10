//! Native judges: what a JSON Schema cannot say of a label.

use super::walk::MOST_BARREN;
use super::{
    cancel_rounds, cancelled_crowd, crowd, http_judges, listen_judges, offered_schemas,
    page_judges, progress_judges,
};
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
        "calls-answered",
        "each call of a tool on a tour was answered; waits for permission where no tool may be called",
    ),
    (
        "cancelled-unanswered",
        "the call of `cancelled_crowd` that was cancelled got no answer",
    ),
    (
        "cancels-unanswered",
        "the calls of `cancel_rounds` were not answered when they were cancelled",
    ),
    (
        "crowd-answered",
        "every call of `cancelled_crowd` but the one that was cancelled got an answer",
    ),
    (
        "cursor-again",
        "each cursor that `rewalk` used again brought a page",
    ),
    (
        "cursor-carries",
        "the cursor of `carry_cursor` brought a page on another connection too",
    ),
    (
        "cursor-same",
        "each cursor that `rewalk` used again brought the same page, where the list did not change",
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
        "foreign-cursor",
        "each list that `foreign_cursor` tried refused the cursor as invalid parameters, or brought a page",
    ),
    (
        "leads-on",
        "no page of the first walk of `rewalk` holds an entry of the page before it",
    ),
    ("no-completions", "no completion of a tour brought a value"),
    (
        "no-progress",
        "nothing came that reports progress, from what was sent on",
    ),
    (
        "nothing-missed",
        "`rewalk` found nothing by name that a walk left out",
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
        "own-progress-stream",
        "where the response is an event stream, progress of what was sent came on it, or on its resumption",
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
        "requests-answered",
        "each request of the capability that a tour is about, but those of tools/call, was answered",
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
        let of_sent = http_judges::of_sent(name).or_else(|| progress_judges::of_sent(name));
        if let Some(judge) = of_sent {
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
            "calls-answered" => calls_answered,
            "requests-answered" => requests_answered,
            "own-answers" => http_judges::own_answers,
            "own-replay" => http_judges::own_replay,
            "own-session" => http_judges::own_session,
            "session-uncounted" => http_judges::session_uncounted,
            "slow-body-served" => http_judges::slow_body_served,
            "stream-answered" => http_judges::stream_answered,
            "stream-closed" => http_judges::stream_closed,
            "cancels-unanswered" => cancel_rounds::cancels_unanswered,
            "cancelled-unanswered" => cancelled_crowd::cancelled_unanswered,
            "crowd-answered" => cancelled_crowd::crowd_answered,
            "cursor-again" => page_judges::cursor_again,
            "cursor-carries" => page_judges::cursor_carries,
            "cursor-same" => page_judges::cursor_same,
            "foreign-cursor" => page_judges::foreign_cursor,
            "leads-on" => page_judges::leads_on,
            "no-completions" => no_completions,
            "nothing-missed" => page_judges::nothing_missed,
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

fn calls_answered(bound: &NativeBound, _record: &Record) -> Judgement {
    let unanswered = bound.value["unanswered"].as_str();
    if let (Some(why), Some("tools/call")) = (bound.missing, unanswered) {
        return Judgement::missing("t", why);
    }
    let withheld = bound.value["withheld"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    match answers(bound, |method| method == "tools/call") {
        0 => {
            let withheld_for = |why: &str| withheld.iter().any(|tool| tool[why] == true);
            if withheld_for("forbidden") {
                Judgement::unjudged(Reason::CallsForbidden)
            } else if withheld_for("permission") {
                Judgement::inconclusive(Reason::Allow)
            } else {
                Judgement::unjudged(Reason::NothingToJudge)
            }
        }
        judged => Judgement::pass(judged),
    }
}

fn requests_answered(bound: &NativeBound, _record: &Record) -> Judgement {
    // A tour lists what it needs to know besides; that is for the tour of that capability to judge.
    let own = match bound.value["of"].as_str().unwrap_or_default() {
        "completion" => "completion/",
        "logging" => "logging/",
        "prompts" => "prompts/",
        "resources" => "resources/",
        _ => "tools/list",
    };
    let unanswered = bound.value["unanswered"].as_str();
    let is_own = unanswered.is_some_and(|method| method.starts_with(own));
    if let (Some(why), true) = (bound.missing, is_own) {
        return Judgement::missing("t", why);
    }
    match answers(bound, |method| method.starts_with(own)) {
        0 => Judgement::unjudged(Reason::NothingToJudge),
        judged => Judgement::pass(judged),
    }
}

fn no_completions(bound: &NativeBound, record: &Record) -> Judgement {
    let results = bound.value["results"].as_array().into_iter().flatten();
    let mut judged = 0;
    for item in results.filter(|item| item["method"] == "completion/complete") {
        let entry = item["seq"].as_u64().and_then(|seq| record.entry(seq));
        let Some(message) = entry.and_then(|entry| Some((entry.seq, entry.message.as_ref()?)))
        else {
            continue;
        };
        judged += 1;
        let (seq, message) = message;
        let pointer = "/result/completion/values";
        let values = message.value.pointer(pointer).and_then(Value::as_array);
        if let Some(first) = values.and_then(|values| values.first()) {
            let message = "completion is served, and `capabilities` has no `completions`";
            let finding = Finding::new(FindingCode::Undeclared, message)
                .expected("the capability `completions`, or no values")
                .actual(format!("values, the first of them {first}"))
                .at(seq, pointer);
            return Judgement::fail(vec![finding], judged);
        }
    }
    match judged {
        0 => Judgement::unjudged(Reason::NothingToJudge),
        judged => Judgement::pass(judged),
    }
}

/// How many requests of these methods were answered, whatever with: the shape of what came is judged by the observers.
fn answers(bound: &NativeBound, wanted: impl Fn(&str) -> bool) -> u64 {
    let results = bound.value["results"].as_array().into_iter().flatten();
    let methods = results.filter_map(|item| item["method"].as_str());
    methods.filter(|method| wanted(method)).count() as u64
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
        "barren" => finding(format!(
            "no last page within {pages} pages, the last {MOST_BARREN} of which bring nothing new"
        )),
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
