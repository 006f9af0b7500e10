//! Judges of what the native step `listen` heard.

use super::listen::{ACKNOWLEDGED, CHANGES};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::Value;

/// A subscription that was not refused.
fn open_streams(bound: &NativeBound) -> impl Iterator<Item = &Value> {
    let streams = bound.value["streams"].as_array().into_iter().flatten();
    streams.filter(|stream| stream["reply"] != "error")
}

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

fn seq(heard: &Value) -> u64 {
    heard["seq"].as_u64().unwrap_or_default()
}

fn come_to(findings: Vec<Finding>, judged: u64) -> Judgement {
    if judged == 0 && findings.is_empty() {
        return Judgement::unjudged(Reason::Given);
    }
    Judgement::of(findings, judged)
}

/// Each subscription begins with its acknowledgement.
pub(super) fn acknowledged_first(bound: &NativeBound, _record: &Record) -> Judgement {
    let (mut findings, mut judged) = (Vec::new(), 0);
    for stream in open_streams(bound) {
        judged += 1;
        match list(stream, "heard").first() {
            Some(first) if text(first, "method") == ACKNOWLEDGED => {}
            Some(first) => findings.push(
                Finding::new(
                    FindingCode::Order,
                    format!(
                        "the subscription {} began with another message",
                        text(stream, "id")
                    ),
                )
                .expected(format!("`{ACKNOWLEDGED}` before all else"))
                .actual(format!("`{}`", text(first, "method")))
                .at(seq(first), "/method"),
            ),
            None => findings.push(
                Finding::new(
                    FindingCode::NoReply,
                    format!(
                        "the subscription {} was never acknowledged",
                        text(stream, "id")
                    ),
                )
                .expected(format!("`{ACKNOWLEDGED}`")),
            ),
        }
    }
    come_to(findings, judged)
}

/// Every message of a subscription names it, by the very id of its request.
pub(super) fn own_tags(bound: &NativeBound, _record: &Record) -> Judgement {
    let (mut findings, mut judged) = (Vec::new(), 0);
    let wrong = |heard: &Value, id: Option<&str>| {
        let expected = match id {
            Some(id) => format!("subscriptionId {id}, the id of its listen request"),
            None => "the id of a listen request that is open".to_owned(),
        };
        let tag = heard["tag"].as_str();
        Finding::new(
            FindingCode::Id,
            format!("`{}` names another subscription", text(heard, "method")),
        )
        .expected(expected)
        .actual(tag.map_or("no subscriptionId".to_owned(), str::to_owned))
        .at(
            seq(heard),
            "/params/_meta/io.modelcontextprotocol~1subscriptionId",
        )
    };
    for stream in open_streams(bound) {
        let id = text(stream, "id");
        for heard in list(stream, "heard") {
            judged += 1;
            if text(heard, "tag") != id {
                findings.push(wrong(heard, Some(id)));
            }
        }
    }
    for stray in list(&bound.value, "strays") {
        judged += 1;
        findings.push(wrong(stray, None));
    }
    come_to(findings, judged)
}

/// A subscription brings only what was asked for.
pub(super) fn only_asked(bound: &NativeBound, _record: &Record) -> Judgement {
    let (mut findings, mut judged) = (Vec::new(), 0);
    for stream in open_streams(bound) {
        for heard in list(stream, "heard") {
            let method = text(heard, "method");
            if method == ACKNOWLEDGED {
                judged += 1;
                continue;
            }
            if !CHANGES.contains(&method) {
                continue;
            }
            judged += 1;
            if !is_asked(&stream["filter"], method) {
                findings.push(
                    Finding::new(
                        FindingCode::UnexpectedMessage,
                        format!("`{method}` came, and was not asked for"),
                    )
                    .expected(format!("no more than {}", stream["filter"]))
                    .actual(format!("`{method}`"))
                    .at(seq(heard), "/method"),
                );
            }
        }
    }
    come_to(findings, judged)
}

fn is_asked(filter: &Value, method: &str) -> bool {
    match method {
        "notifications/tools/list_changed" => filter["toolsListChanged"] == true,
        "notifications/prompts/list_changed" => filter["promptsListChanged"] == true,
        "notifications/resources/list_changed" => filter["resourcesListChanged"] == true,
        "notifications/resources/updated" => !list(filter, "resourceSubscriptions").is_empty(),
        _ => false,
    }
}
