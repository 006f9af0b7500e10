use super::{confirm, settle, unconfirmed};
use crate::run::attempt::attempt;
use crate::run::exit::tests::result;
use crate::run::interpret::results;
use crate::run::plan::Case;
use crate::target::{Script, Target};
use crate::testing::{Wire, card_of, case, ordinary, pipes, scripted, stage};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::End;
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Outcome, Verdict};
use mcp_assay_transport::stdio::SpawnError;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ALL: [Option<Verdict>; 5] = [
    None,
    Some(Verdict::Pass),
    Some(Verdict::Inconclusive),
    Some(Verdict::Fail),
    Some(Verdict::Error),
];

fn with(verdict: Option<Verdict>, code: FindingCode) -> CheckResult {
    let mut result = result(Level::Must, verdict);
    if verdict == Some(Verdict::Fail) {
        result.findings = vec![Finding::new(code, "seen").at(4, "/id")];
    }
    result
}

#[test]
fn every_first_verdict_with_every_second_one() {
    for first in ALL {
        for second in ALL {
            let before = with(first, FindingCode::Value);
            let after = settle(&before, &[with(second, FindingCode::Schema)]);
            match (first, second) {
                (Some(Verdict::Fail), Some(Verdict::Fail)) => {
                    assert_eq!(after.confirmed.as_deref(), Some("2/2"));
                    assert_eq!(after.verdict, Some(Verdict::Fail));
                    assert_eq!(after.findings, before.findings, "the first run's codes");
                }
                (Some(Verdict::Fail), _) => {
                    assert_eq!(after.confirmed.as_deref(), Some("1/2"), "{second:?}");
                    assert_eq!(after.verdict, Some(Verdict::Inconclusive));
                    assert_eq!(after.outcome, Outcome::Ran);
                    let [finding] = after.findings.as_slice() else {
                        panic!("{:?}", after.findings);
                    };
                    assert_eq!(finding.code, FindingCode::Unstable);
                    assert_eq!(finding.at.as_deref(), Some("#4 /id"));
                    assert!(finding.message.contains("value: seen"));
                    let then = second.map_or("nothing", Verdict::as_str);
                    assert!(finding.message.ends_with(then), "{}", finding.message);
                }
                _ => assert_eq!(after, before, "{first:?} stays whatever came second"),
            }
        }
    }
}

#[test]
fn a_result_that_is_not_there_again_is_unstable() {
    let other = CheckResult {
        id: "a/b/other".to_owned(),
        ..with(Some(Verdict::Fail), FindingCode::Value)
    };
    let settled = settle(&with(Some(Verdict::Fail), FindingCode::Value), &[other]);
    assert_eq!(settled.verdict, Some(Verdict::Inconclusive));
}

#[test]
fn only_fails_are_marked_as_not_confirmed() {
    let mut all: Vec<CheckResult> = ALL.map(|verdict| with(verdict, FindingCode::Value)).into();
    let before = all.clone();
    unconfirmed(&mut all);
    for (after, before) in all.iter().zip(&before) {
        let is_fail = before.verdict == Some(Verdict::Fail);
        assert_eq!(after.confirmed.as_deref(), is_fail.then_some("1/1"));
        assert_eq!(after.verdict, before.verdict);
        assert_eq!(after.findings, before.findings);
    }
}

const STEPS: &str = "share: connection
steps:
  - open: { as: c }
  - send: { as: q, message: { method: mcp-assay/q } }
  - await: { reply_to: q }
checks:
  - { name: is-error, title: t, rule: r, basis: robustness, on: q, expect: { error: { type: object } } }
";

/// A server that ends at its nth question on one connection, while `deaths` are left.
fn dying_at(nth: usize, deaths: usize) -> Target {
    let left = Arc::new(AtomicUsize::new(deaths));
    scripted(move |mut wire: Wire| {
        let left = Arc::clone(&left);
        async move {
            let mut asked = 0;
            while let Some(message) = wire.hear().await {
                asked += usize::from(message["method"] == "mcp-assay/q");
                let has_deaths = || {
                    let take = |left: usize| left.checked_sub(1);
                    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                        .is_ok()
                };
                if message["method"] == "mcp-assay/q" && asked == nth && has_deaths() {
                    return 1;
                }
                for line in ordinary(&message) {
                    wire.say(line).await;
                }
            }
            0
        }
    })
}

/// Two cards on one connection; what came of the second, and of its confirmation.
async fn second_of_two(target: Target) -> (Vec<CheckResult>, super::Confirmed) {
    let stage = stage(target);
    let [first, second] = ["a/one", "a/two"].map(|id| case(&card_of(id, STEPS)));
    let cases: BTreeMap<String, Case> = [&first, &second]
        .map(|case| (case.id.clone(), case.clone()))
        .into();
    let (_, left) = attempt(&stage, &first, None).await;
    let (seen, _) = attempt(&stage, &second, left).await;
    let before = results(&stage, &second, &seen);
    assert_eq!(seen.history, [first.id]);
    let confirmed = confirm(&stage, &second, before.clone(), &seen.history, &cases).await;
    (before, confirmed)
}

#[tokio::test(start_paused = true)]
async fn a_death_that_needs_its_history_is_confirmed_by_replaying_it() {
    let (before, confirmed) = second_of_two(dying_at(2, usize::MAX)).await;
    assert_eq!(confirmed.attempts.len(), 2, "alone, then with its history");
    let ends: Vec<bool> = confirmed
        .attempts
        .iter()
        .map(|attempt| matches!(attempt.record.as_ref().unwrap().end, End::Died { .. }))
        .collect();
    assert_eq!(ends, [false, true]);
    let alive = &confirmed.results[0];
    assert_eq!(alive.verdict, Some(Verdict::Fail));
    assert_eq!(alive.confirmed.as_deref(), Some("2/2"));
    assert_eq!(alive.findings, before[0].findings);
}

#[tokio::test(start_paused = true)]
async fn a_death_that_never_comes_back_is_unstable_after_its_history_too() {
    let (_, confirmed) = second_of_two(dying_at(2, 1)).await;
    assert_eq!(confirmed.attempts.len(), 2);
    let alive = &confirmed.results[0];
    assert_eq!(alive.verdict, Some(Verdict::Inconclusive));
    assert_eq!(alive.findings[0].code, FindingCode::Unstable);
}

#[tokio::test(start_paused = true)]
async fn a_death_that_comes_back_alone_needs_no_history() {
    let target = scripted(async |mut wire: Wire| {
        while let Some(message) = wire.hear().await {
            // The second card's question, on whichever connection.
            if message["method"] == "mcp-assay/q" && message["id"] != 2 {
                return 1;
            }
            for line in ordinary(&message) {
                wire.say(line).await;
            }
        }
        0
    });
    let stage = stage(target);
    let case = case(&card_of(
        "a/one",
        &STEPS.replace("mcp-assay/q }", "mcp-assay/q }, id: \"x\""),
    ));
    let (seen, _) = attempt(&stage, &case, None).await;
    let before = results(&stage, &case, &seen);
    let history = ["a/none@2025-11-25+memory".to_owned()];
    let confirmed = confirm(&stage, &case, before, &history, &BTreeMap::new()).await;
    assert_eq!(confirmed.attempts.len(), 1);
    assert_eq!(confirmed.results[0].confirmed.as_deref(), Some("2/2"));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_matter_of_life_is_not_replayed() {
    let wrong = Arc::new(AtomicUsize::new(1));
    let target = scripted(move |mut wire: Wire| {
        let wrong = Arc::clone(&wrong);
        async move {
            wire.serve(|message| {
                let lies = || wrong.swap(0, Ordering::Relaxed) == 1;
                if message["method"] == "mcp-assay/q" && lies() {
                    return vec![crate::testing::result(message, &Value::Null)];
                }
                ordinary(message)
            })
            .await
        }
    });
    let stage = stage(target);
    let case = case(&card_of("a/one", STEPS));
    let (seen, _) = attempt(&stage, &case, None).await;
    let before = results(&stage, &case, &seen);
    let history = [case.id.clone()];
    let cases = BTreeMap::from([(case.id.clone(), case.clone())]);
    let confirmed = confirm(&stage, &case, before, &history, &cases).await;
    assert_eq!(confirmed.attempts.len(), 1);
    assert_eq!(confirmed.results[0].verdict, Some(Verdict::Pass), "alive");
    assert_eq!(confirmed.results[1].verdict, Some(Verdict::Inconclusive));
    assert_eq!(confirmed.results[1].confirmed.as_deref(), Some("1/2"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_run_again_stays_a_fail_that_was_seen_once() {
    let starts = AtomicUsize::new(0);
    let target = Target::Scripted(Script::new(move || {
        if starts.fetch_add(1, Ordering::Relaxed) > 0 {
            return Err(SpawnError::Empty);
        }
        Ok(pipes(async |mut wire: Wire| {
            wire.serve(|message| match message["method"].as_str() {
                Some("mcp-assay/q") => vec![crate::testing::result(message, &Value::Null)],
                _ => ordinary(message),
            })
            .await
        }))
    }));
    let stage = stage(target);
    let case = case(&card_of("a/one", STEPS));
    let (seen, left) = attempt(&stage, &case, None).await;
    drop(left);
    let before = results(&stage, &case, &seen);
    assert_eq!(before[1].verdict, Some(Verdict::Fail));
    let confirmed = confirm(&stage, &case, before.clone(), &[], &BTreeMap::new()).await;
    assert_eq!(confirmed.results[1].verdict, Some(Verdict::Fail));
    assert_eq!(confirmed.results[1].confirmed.as_deref(), Some("1/1"));
    assert_eq!(confirmed.results[1].findings, before[1].findings);
}
