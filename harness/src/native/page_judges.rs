//! Judges of pages and cursors: what the native steps `rewalk`, `foreign_cursor` and `carry_cursor` saw.

use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::Value;
use std::collections::HashSet;

/// The code that says that parameters are wrong.
const INVALID_PARAMS: f64 = -32602.0;
/// Names that a finding tells.
const MOST_TOLD: usize = 10;

fn list<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

fn seq(item: &Value) -> u64 {
    item["seq"].as_u64().unwrap_or_default()
}

fn come_to(findings: Vec<Finding>, judged: usize) -> Judgement {
    if judged == 0 {
        return Judgement::unjudged(Reason::Given);
    }
    Judgement::of(findings, judged as u64)
}

/// The first finding, with the number of all.
fn as_one(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut all = findings;
    let Some(mut first) = all.next() else {
        return Vec::new();
    };
    first.count += all.count() as u64;
    vec![first]
}

/// A cursor that was used brings a page when it is used again.
pub(super) fn cursor_again(bound: &NativeBound, _record: &Record) -> Judgement {
    let again = list(&bound.value, "again");
    let refused = again.iter().filter(|used| used["is_served"] == false);
    let findings = refused.map(|used| {
        let message = "a cursor that led to a page got an error when it was used again";
        Finding::new(FindingCode::RefusedValid, message)
            .expected("the page, as before")
            .at(seq(used), "/error")
    });
    come_to(as_one(findings), again.len())
}

/// A cursor that is used again leads to the same page, where the list did not change and its pages do not overlap.
pub(super) fn cursor_same(bound: &NativeBound, _record: &Record) -> Judgement {
    let again = list(&bound.value, "again");
    let is_still = bound.value["alike"] == true && list(&bound.value, "overlaps").is_empty();
    if !again.is_empty() && !is_still {
        return Judgement::unjudged(Reason::Given);
    }
    let served: Vec<&Value> = again
        .iter()
        .filter(|used| used["is_served"] == true)
        .collect();
    let names = |used: &Value, member: &str| -> HashSet<String> {
        list(used, member).iter().map(Value::to_string).collect()
    };
    let moved = served
        .iter()
        .filter(|used| names(used, "first") != names(used, "second"));
    let told = |used: &Value, member: &str| {
        let names: Vec<String> = list(used, member)
            .iter()
            .take(MOST_TOLD)
            .map(Value::to_string)
            .collect();
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    };
    let findings = moved.map(|used| {
        let message =
            "a cursor led to another page when it was used again, in a list that did not change";
        Finding::new(FindingCode::Value, message)
            .expected(told(used, "first"))
            .actual(told(used, "second"))
            .at(seq(used), "/result")
    });
    come_to(as_one(findings), served.len())
}

/// A page holds nothing of the page before it.
pub(super) fn leads_on(bound: &NativeBound, _record: &Record) -> Judgement {
    let pages = list(&bound.value, "pages").first().and_then(Value::as_u64);
    let turns = usize::try_from(pages.unwrap_or_default()).unwrap_or(usize::MAX);
    let findings = list(&bound.value, "overlaps").iter().map(|overlap| {
        let message = "an entry of a page stands on the next page too";
        Finding::new(FindingCode::Duplicate, message)
            .expected("entries behind the cursor")
            .actual(overlap["key"].to_string())
            .at(seq(overlap), "/result")
    });
    come_to(as_one(findings), turns.saturating_sub(1))
}

/// No walk left out an entry that is there.
pub(super) fn nothing_missed(bound: &NativeBound, _record: &Record) -> Judgement {
    let ends = list(&bound.value, "ends");
    let is_whole = ends.len() == 3 && ends.iter().all(|end| end == "last-page");
    if !is_whole {
        return Judgement::unjudged(Reason::Given);
    }
    if list(&bound.value, "pages").iter().all(|pages| *pages == 1) {
        return Judgement::unjudged(Reason::Given);
    }
    let findings = list(&bound.value, "missed").iter().map(|missed| {
        let message = format!(
            "a walk from the first page to the last, which #{} ends, left out an entry that #{} shows to be there",
            missed["seq"], missed["served"]
        );
        Finding::new(FindingCode::Value, message)
            .expected("every entry on one of the pages")
            .actual(format!(
                "{} is on none, and is served by name",
                missed["key"]
            ))
            .at(seq(missed), "/result")
    });
    come_to(as_one(findings), ends.len())
}

/// A cursor of another list is refused as wrong parameters, or answered with a page: one that is a mere number fits every list.
pub(super) fn foreign_cursor(bound: &NativeBound, record: &Record) -> Judgement {
    let uses = list(&bound.value, "uses");
    let told = |used: &Value| {
        let reply = record
            .entry(seq(used))
            .and_then(|entry| entry.message.as_ref());
        let text = reply
            .map(|message| message.value.to_string())
            .unwrap_or_default();
        text.chars().take(200).collect::<String>()
    };
    let is_wrong =
        |used: &&Value| used["is_page"] != true && used["code"].as_f64() != Some(INVALID_PARAMS);
    let findings = uses.iter().filter(is_wrong).map(|used| {
        let (message, at) = if used["code"].is_null() {
            (
                "a cursor of another list brought neither a page nor an error",
                "/result",
            )
        } else {
            (
                "a cursor of another list was refused with another code",
                "/error/code",
            )
        };
        Finding::new(
            FindingCode::Value,
            format!("{message}, by `{}`", text(used)),
        )
        .expected(format!("error {INVALID_PARAMS}"))
        .actual(told(used))
        .at(seq(used), at)
    });
    come_to(as_one(findings), uses.len())
}

fn text(used: &Value) -> &str {
    used["list"].as_str().unwrap_or_default()
}

/// A cursor leads on from another connection too.
pub(super) fn cursor_carries(bound: &NativeBound, _record: &Record) -> Judgement {
    let value = &bound.value;
    match (value["own"].as_str(), value["other"].as_str()) {
        _ if value["has_pages"] != true => Judgement::unjudged(Reason::Given),
        (Some("result"), Some("result")) => Judgement::pass(1),
        (Some("result"), Some(_)) => {
            let message = "a cursor was refused on another connection than the one it was given on";
            let finding = Finding::new(FindingCode::RefusedValid, message)
                .expected("the page that it leads to")
                .at(seq(value), "/error");
            Judgement::fail(vec![finding], 1)
        }
        // What is refused on its own connection is for others to judge.
        _ => Judgement::unjudged(Reason::Given),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_assay_model::protocol::{Binding, Revision};
    use mcp_assay_model::record::End;
    use mcp_assay_model::verdict::Verdict;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn judged(judge: fn(&NativeBound, &Record) -> Judgement, value: Value) -> Option<Verdict> {
        let bound = NativeBound {
            native: String::new(),
            value,
            seqs: Vec::new(),
            missing: None,
        };
        let record = Record {
            revision: Revision::R2025_11_25,
            binding: Binding::Memory,
            entries: Vec::new(),
            labels: BTreeMap::new(),
            end: End::Alive,
            past: Default::default(),
        };
        judge(&bound, &record).verdict
    }

    #[test]
    fn a_page_that_moved_counts_only_in_a_list_that_did_not_change() {
        let used = json!([{ "is_served": true, "first": ["a"], "second": ["b"], "seq": 1 }]);
        for (alike, verdict) in [(true, Some(Verdict::Fail)), (false, None)] {
            let value = json!({ "alike": alike, "again": used });
            assert_eq!(judged(cursor_same, value), verdict, "{alike}");
        }
        let other_order = json!({ "alike": true, "again": [{ "is_served": true, "first": ["a", "b"], "second": ["b", "a"] }] });
        assert_eq!(judged(cursor_same, other_order), Some(Verdict::Pass));
    }

    #[test]
    fn lists_of_one_page_prove_nothing_of_cursors() {
        let value = json!({ "ends": ["last-page", "last-page", "last-page"], "pages": [1, 1, 1] });
        for judge in [cursor_again, cursor_same, leads_on, nothing_missed] {
            assert_eq!(judged(judge, value.clone()), None);
        }
        assert_eq!(judged(foreign_cursor, json!({ "uses": [] })), None);
        assert_eq!(judged(cursor_carries, json!({ "has_pages": false })), None);
    }

    #[test]
    fn a_foreign_cursor_may_be_refused_or_lead_to_a_page() {
        for (used, verdict) in [
            (json!({ "is_page": true, "code": null }), Verdict::Pass),
            (json!({ "is_page": false, "code": -32602 }), Verdict::Pass),
            (json!({ "is_page": false, "code": -32603 }), Verdict::Fail),
            (json!({ "is_page": false, "code": null }), Verdict::Fail),
        ] {
            let value = json!({ "uses": [used.clone()] });
            assert_eq!(judged(foreign_cursor, value), Some(verdict), "{used}");
        }
    }
}
