use super::{alive, results, selected, settle, unrun};
use crate::run::attempt::Attempt;
use crate::run::plan::Case;
use crate::testing::{
    Wire, answering, card, case, catalogue, judge, ordinary, scripted, silent_on, stage,
};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Bound, End, Missing, Past, Record};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Outcome, Reason, Verdict};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const STEPS: &str = "steps:
  - open: { as: c }
  - send: { as: q, message: { method: mcp-assay/q } }
  - await: { as: r, reply_to: q }
  - send: { as: p, message: { method: mcp-assay/p } }
  - await: { as: s, reply_to: p }
checks:
";
const MUST: &str = "basis: spec, cites: [2024-11-05/basic/index#top.1]";
const SHOULD: &str = "basis: spec, cites: [2024-11-05/basic/lifecycle#version-negotiation.5]";
const ROBUSTNESS: &str = "basis: robustness";

fn check(name: &str, basis: &str, on: &str) -> String {
    format!(
        "  - {{ name: {name}, title: t, rule: r, {basis}, {on}, expect: {{ error: {{ type: object }} }} }}\n"
    )
}

fn of<'r>(results: &'r [CheckResult], name: &str) -> &'r CheckResult {
    let id = format!("a/b/{name}");
    results.iter().find(|result| result.id == id).unwrap()
}

/// Verdict, reason and code of a check in a word: `pass`, `fail:no-reply`, `blocked:a/b/x`.
fn said(results: &[CheckResult], name: &str) -> String {
    let result = of(results, name);
    let codes: Vec<&str> = result
        .findings
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    match (result.verdict, &result.reason) {
        (Some(Verdict::Inconclusive) | None, Some(reason)) => reason.to_string(),
        (Some(Verdict::Fail), None) => format!("fail:{}", codes.join(",")),
        (Some(verdict), None) => verdict.as_str().to_owned(),
        (verdict, reason) => panic!("{name}: {verdict:?} {reason:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn one_cause_is_one_failure_of_the_strongest_check_and_the_first_of_these() {
    // Checks in order of the card, with level; the one that is blamed.
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("one", MUST)], "one"),
        (&[("one", MUST), ("two", MUST)], "one"),
        (
            &[("one", ROBUSTNESS), ("two", SHOULD), ("three", MUST)],
            "three",
        ),
        (&[("one", ROBUSTNESS), ("two", SHOULD)], "two"),
        (
            &[("one", SHOULD), ("two", ROBUSTNESS), ("three", SHOULD)],
            "one",
        ),
    ];
    for (checks, blamed) in table {
        let mut text = STEPS.to_owned();
        for (number, (name, basis)) in checks.iter().enumerate() {
            // The request and its reply are two labels of one message.
            let on = if number % 2 == 0 { "on: q" } else { "on: r" };
            text.push_str(&check(name, basis, on));
        }
        text.push_str(&check("other", MUST, "on: s"));
        let (_, results) = judge(&card(&text), answering(silent_on("mcp-assay/q"))).await;
        for (name, _) in *checks {
            let expected = if name == blamed {
                "fail:no-reply".to_owned()
            } else {
                format!("blocked:a/b/{blamed}")
            };
            assert_eq!(said(&results, name), expected, "{name} of {checks:?}");
        }
        assert_eq!(said(&results, "other"), "pass");
        assert_eq!(said(&results, "alive"), "pass");
        let blamed = of(&results, blamed);
        assert_eq!(blamed.judged, 1);
        assert_eq!(blamed.findings[0].at.as_deref(), Some("#4"), "the request");
    }
}

#[tokio::test(start_paused = true)]
async fn two_silent_requests_are_two_causes() {
    let text = [
        STEPS,
        &check("one", MUST, "on: q"),
        &check("two", MUST, "on: p"),
        &check("three", MUST, "on: s"),
    ]
    .concat();
    let target = answering(|message| match message["method"].as_str() {
        Some("mcp-assay/q" | "mcp-assay/p") => Vec::new(),
        _ => ordinary(message),
    });
    let (_, results) = judge(&card(&text), target).await;
    assert_eq!(said(&results, "one"), "fail:no-reply");
    assert_eq!(said(&results, "two"), "fail:no-reply");
    assert_eq!(said(&results, "three"), "blocked:a/b/two");
}

#[tokio::test(start_paused = true)]
async fn silence_is_never_blamed_on_a_check_that_only_presupposes_the_message() {
    let given = "on: s, given: { on: q, error: { type: object } }";
    let both = [
        STEPS,
        &check("presupposes", MUST, given),
        &check("judges", ROBUSTNESS, "on: q"),
    ]
    .concat();
    let target = || answering(silent_on("mcp-assay/q"));
    let (_, results) = judge(&card(&both), target()).await;
    assert_eq!(said(&results, "judges"), "fail:no-reply");
    assert_eq!(said(&results, "presupposes"), "blocked:a/b/judges");

    // Where nothing judges the message, what presupposes it does not apply.
    let alone = [STEPS, &check("presupposes", MUST, given)].concat();
    let (_, results) = judge(&card(&alone), target()).await;
    assert_eq!(said(&results, "presupposes"), "given");
    assert_eq!(of(&results, "presupposes").outcome, Outcome::NotApplicable);
}

#[tokio::test(start_paused = true)]
async fn a_notification_that_a_check_presupposes_may_stay_away() {
    let steps = "steps:
  - open: { as: c }
  - send: { as: q, message: { method: mcp-assay/q } }
  - await: { as: m, notification: notifications/progress }
  - await: { reply_to: q }
checks:
";
    let on = |given: &str| {
        format!(
            "  - {{ name: x, title: t, rule: r, {MUST}, on: m, {given} expect: {{ notification: {{ type: object }} }} }}\n"
        )
    };
    let target = || answering(ordinary);
    let owed = [steps, &on("")].concat();
    let (_, results) = judge(&card(&owed), target()).await;
    assert_eq!(said(&results, "x"), "fail:no-reply");
    let given = "given: { all: [ { on: m, notification: { type: object } } ] },";
    let free = [steps, &on(given)].concat();
    let (_, results) = judge(&card(&free), target()).await;
    assert_eq!(said(&results, "x"), "given");
}

#[tokio::test(start_paused = true)]
async fn a_dead_or_hung_target_fails_its_life_and_blocks_all_else() {
    let text = [
        STEPS,
        &check("before", MUST, "on: q"),
        &check("after", MUST, "on: s"),
        "  - { name: silence, title: t, rule: r, basis: robustness, on: q, expect: { none: { kind: notification } } }\n",
    ]
    .concat();
    let card = card(&text);
    let dies = scripted(async |mut wire: Wire| {
        wire.handshake(json!({})).await;
        for _ in 0..2 {
            let message = wire.hear().await.unwrap();
            if message["method"] == "mcp-assay/p" {
                return 1;
            }
            wire.say(&ordinary(&message)[0]).await;
        }
        0
    });
    let hangs = answering(|message| match message["method"].as_str() {
        Some("mcp-assay/p" | "ping") => Vec::new(),
        _ => ordinary(message),
    });
    for (target, code, at) in [(dies, "fail:died", "#6"), (hangs, "fail:hung", "#6")] {
        let (_, results) = judge(&card, target).await;
        assert_eq!(said(&results, "alive"), code);
        assert_eq!(
            of(&results, "alive").findings[0].at.as_deref(),
            Some(at),
            "the card's last message, not our ping"
        );
        for name in ["before", "after", "silence"] {
            assert_eq!(said(&results, name), "blocked:a/b/alive", "{name}");
            assert_eq!(of(&results, name).verdict, Some(Verdict::Inconclusive));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_without_a_row_in_the_revision_does_not_apply() {
    // A card of all revisions whose row exists in one only.
    let text = [
        STEPS,
        &check(
            "gone",
            "basis: spec, cites: [2025-03-26/basic/no-such#row.1]",
            "on: q",
        ),
    ]
    .concat();
    let (_, results) = judge(&card(&text), answering(ordinary)).await;
    assert_eq!(said(&results, "gone"), "revision");
    assert_eq!(of(&results, "gone").level, None);
}

fn some_case() -> Case {
    case(&card(
        &[
            STEPS,
            &check("one", MUST, "on: q"),
            &check("two", MUST, "on: p"),
        ]
        .concat(),
    ))
}

fn some_record(end: End) -> Record {
    let case = some_case();
    Record {
        revision: case.revision,
        binding: case.binding,
        entries: Vec::new(),
        labels: BTreeMap::from([(
            "r".to_owned(),
            Bound::Missing {
                why: Missing::Silent,
                reply_to: Some("q".to_owned()),
            },
        )]),
        end,
        past: Past::default(),
    }
}

#[test]
fn every_judgement_settles_into_one_result_and_nothing_judged_is_never_a_pass() {
    let record = some_record(End::Alive);
    let block = Reason::Blocked("a/b/alive".to_owned());
    let fail = || Judgement::fail(vec![Finding::new(FindingCode::Value, "v")], 1);
    let missing = |why| Judgement::missing("r", why);
    let (pass, inconclusive) = (Some(Verdict::Pass), Some(Verdict::Inconclusive));
    let table = [
        (Judgement::pass(2), Outcome::Ran, pass, None),
        (
            Judgement::pass(0),
            Outcome::NotRun,
            None,
            Some(Reason::NothingToJudge),
        ),
        (fail(), Outcome::Ran, Some(Verdict::Fail), None),
        (
            Judgement::inconclusive(Reason::Raced),
            Outcome::Waiting,
            inconclusive,
            Some(Reason::Raced),
        ),
        (
            Judgement::unjudged(Reason::Given),
            Outcome::NotApplicable,
            None,
            Some(Reason::Given),
        ),
        (
            missing(Missing::Unfenced),
            Outcome::Waiting,
            inconclusive,
            Some(Reason::Unfenced),
        ),
        (
            missing(Missing::Hung),
            Outcome::Waiting,
            inconclusive,
            Some(block.clone()),
        ),
        (
            missing(Missing::Died),
            Outcome::Waiting,
            inconclusive,
            Some(block.clone()),
        ),
        (
            Judgement::error("e"),
            Outcome::Ran,
            Some(Verdict::Error),
            None,
        ),
        (
            Judgement::default(),
            Outcome::Ran,
            Some(Verdict::Error),
            None,
        ),
    ];
    for (judgement, outcome, verdict, reason) in table {
        let mut result = alive(&some_case());
        let cause = settle(&mut result, judgement.clone(), &record, &block);
        assert_eq!(cause, None);
        let got = (result.outcome, result.verdict, result.reason.clone());
        assert_eq!(got, (outcome, verdict, reason), "{judgement:?}");
        let has_findings = matches!(verdict, Some(Verdict::Fail | Verdict::Error));
        assert_eq!(!result.findings.is_empty(), has_findings, "{judgement:?}");
    }
    // Silence is left to be blamed, under the label of the request.
    let mut result = alive(&some_case());
    let cause = settle(&mut result, missing(Missing::Silent), &record, &block);
    assert_eq!(cause.as_deref(), Some("q"));
}

fn ids(results: &[CheckResult]) -> Vec<&str> {
    results.iter().map(|result| result.id.as_str()).collect()
}

#[test]
fn a_selection_of_checks_keeps_the_life_of_the_case() {
    let mut case = some_case();
    let all = || unrun(&catalogue(), &some_case(), &Reason::TargetGone);
    assert_eq!(ids(&all()), ["a/b/alive", "a/b/one", "a/b/two"]);
    case.only = Some(BTreeSet::from(["two".to_owned()]));
    assert_eq!(ids(&selected(&case, all())), ["a/b/alive", "a/b/two"]);
    case.only = Some(BTreeSet::new());
    assert_eq!(ids(&selected(&case, all())), ["a/b/alive"]);
}

#[test]
fn a_case_that_did_not_run_gives_every_result_its_reason() {
    for reason in [
        Reason::TargetGone,
        Reason::Interrupted,
        Reason::Allow,
        Reason::Fixture("slow".to_owned()),
        Reason::Capability("tools".to_owned()),
    ] {
        let case = some_case();
        for result in unrun(&catalogue(), &case, &reason) {
            assert_eq!(result.outcome, reason.outcome());
            assert_eq!(result.case, case.id);
            let waits = result.outcome == Outcome::Waiting;
            assert_eq!(result.verdict, waits.then_some(Verdict::Inconclusive));
            assert_eq!(result.reason.as_ref(), Some(&reason));
        }
    }
    let levels: Vec<Option<Level>> = unrun(&catalogue(), &some_case(), &Reason::Allow)
        .iter()
        .map(|result| result.level)
        .collect();
    let must = Some(Level::Must);
    assert_eq!(levels, [Some(Level::Robustness), must, must]);
}

fn attempt_of(record: Result<Record, String>) -> Attempt {
    Attempt {
        began: tokio::time::Instant::now(),
        record,
        duration: Duration::from_millis(1234),
        waited: Duration::ZERO,
        stderr_tail: "one\nError: two\nUsage:\n  --three\n".to_owned(),
        history: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn every_end_has_its_word_on_life() {
    let died = End::Died {
        how: "exited with code 1".to_owned(),
        after: 0,
    };
    let hung = End::Hung {
        waited: Duration::from_secs(10),
        after: 0,
    };
    let not_opened = End::NotOpened {
        why: "no such program".to_owned(),
    };
    let stage = stage(answering(ordinary));
    for (end, word) in [
        (End::Alive, "pass"),
        (End::Closed, "pass"),
        (End::Unfenced, "unfenced"),
        (died, "fail:died"),
        (hung, "fail:hung"),
        (not_opened, "fail:died"),
    ] {
        let attempt = attempt_of(Ok(some_record(end.clone())));
        let results = results(&stage, &some_case(), &attempt);
        assert_eq!(said(&results, "alive"), word, "{end:?}");
        let alive = of(&results, "alive");
        assert_eq!(alive.duration_ms, 1234);
        if matches!(end, End::Died { .. } | End::Hung { .. }) {
            let message = &alive.findings[0].message;
            let says = "; its stderr says: Error: two; the card's last message";
            assert!(message.contains(says), "{message}");
        }
    }
}

#[test]
fn a_stderr_without_a_telling_line_is_quoted_by_its_last() {
    assert_eq!(super::telling_line("one\n two \n\n"), "two");
}

#[tokio::test(start_paused = true)]
async fn a_bug_of_ours_is_an_error_of_every_result() {
    let stage = stage(answering(ordinary));
    let results = results(&stage, &some_case(), &attempt_of(Err("oops".to_owned())));
    assert_eq!(results.len(), 3);
    for result in results {
        assert_eq!(result.verdict, Some(Verdict::Error));
        assert!(result.findings[0].message.contains("oops"));
    }
}
