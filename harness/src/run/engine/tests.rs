use super::{Settings, run};
use crate::native::permission::Permissions;
use crate::prove::fixtures;
use crate::run::attempt::Stage;
use crate::run::exit::ExitCode;
use crate::run::plan::Chosen;
use crate::run::probe::{Choice, SANITY};
use crate::target::{Launcher, Peer, Script, Target};
use crate::testing::{Wire, answering, catalogue, ordinary, pace, pipes, scripted, settings};
use mcp_assay_model::event::{Event, RunFinished, RunStarted};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::Direction;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Gate, Outcome, Reason, Verdict};
use mcp_assay_peer::{Options, Planted};
use mcp_assay_report::{Fold, Summary};
use mcp_assay_transport::memory;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::watch;

/// Whether a card is the one named, or lies in the area named, which ends with a slash.
fn is_of(card: &str, area: &str) -> bool {
    card == area || (area.ends_with('/') && card.starts_with(area))
}

/// All of these cards and areas; none means all.
fn chosen(areas: &[&str]) -> Vec<Chosen> {
    let catalogue = catalogue();
    let cards = catalogue
        .scenarios()
        .iter()
        .filter(|card| areas.is_empty() || areas.iter().any(|area| is_of(&card.id, area)));
    cards.map(Chosen::whole).collect()
}

/// A run and all its events.
struct Ran {
    code: ExitCode,
    events: Vec<Event>,
}

async fn go(target: Target, settings: &Settings) -> Ran {
    go_until(target, settings, |_| false).await
}

/// Runs until `enough` says so of an event: then Ctrl-C comes.
async fn go_until(
    target: Target,
    settings: &Settings,
    mut enough: impl FnMut(&Event) -> bool + Send,
) -> Ran {
    let catalogue = catalogue();
    let stage = Stage {
        launcher: Launcher::new(target, false)
            .expect("memory needs no thread")
            .with_facts(&catalogue),
        pace: pace(),
        catalogue,
        fixtures: fixtures(),
        found: BTreeMap::new(),
        means: BTreeMap::new(),
    };
    let (interrupt, interrupted) = watch::channel(false);
    let mut events = Vec::new();
    let code = run(stage, settings, interrupted, &mut |event| {
        if enough(&event) {
            let _ = interrupt.send(true);
        }
        events.push(event);
    })
    .await;
    let ran = Ran { code, events };
    ran.is_well_formed();
    ran
}

impl Ran {
    fn started(&self) -> &RunStarted {
        let Some(Event::RunStarted(started)) = self.events.first() else {
            panic!("{:?}", self.events.first());
        };
        started
    }

    fn finished(&self) -> &RunFinished {
        let Some(Event::RunFinished(finished)) = self.events.last() else {
            panic!("{:?}", self.events.last());
        };
        finished
    }

    fn results(&self) -> Vec<&CheckResult> {
        let results = self.events.iter().filter_map(|event| match event {
            Event::CaseFinished { results, .. } => Some(results),
            _ => None,
        });
        results.flatten().collect()
    }

    /// Results of cards, without sanity and observers.
    fn of_cards(&self) -> Vec<&CheckResult> {
        let mut results = self.results();
        results.retain(|result| {
            !(result.id.starts_with("run/") || result.id.starts_with("observer/"))
        });
        results
    }

    /// What holds of every run, whatever became of it.
    fn is_well_formed(&self) {
        let (started, finished) = (self.started(), self.finished());
        assert_eq!(finished.exit_code, self.code.number());
        assert_eq!(finished.reasons.is_empty(), self.code == ExitCode::Clean);
        let mut open: BTreeSet<(&str, u32)> = BTreeSet::new();
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        let mut last: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        for event in &self.events[1..self.events.len() - 1] {
            match event {
                Event::CaseStarted { case, attempt } => {
                    assert!(
                        open.insert((case, *attempt)),
                        "{case} {attempt} began twice"
                    );
                }
                Event::Message {
                    case,
                    attempt,
                    entry,
                } => {
                    assert!(
                        open.contains(&(case, *attempt)),
                        "{case} {attempt} did not begin"
                    );
                    let last = last.entry((case, *attempt)).or_default();
                    assert_eq!(entry.seq, *last + 1, "{case} {attempt}");
                    *last = entry.seq;
                }
                Event::Finding { case, attempt, .. } => {
                    assert!(open.contains(&(case, *attempt)), "{case} {attempt}");
                    assert!(!settled.contains(case.as_str()), "{case} was settled");
                }
                Event::CaseFinished { case, results } => {
                    assert!(settled.insert(case), "{case} was settled twice");
                    assert!(results.iter().all(|result| result.case == *case));
                }
                Event::TargetRestarted { .. } => {}
                Event::Lost { .. } | Event::ConversationEnded { .. } => {
                    panic!("only of what was listened to")
                }
                Event::RunStarted(_) | Event::RunFinished(_) => panic!("in the middle"),
            }
        }
        let cases = settled
            .iter()
            .filter(|case| !(case.starts_with("run/") || case.starts_with("observer/")));
        assert_eq!(
            cases.count() as u64,
            started.cases,
            "every planned case is settled"
        );
        let results = self.results();
        let keys: BTreeSet<(&str, &str)> = results
            .iter()
            .map(|result| (result.id.as_str(), result.case.as_str()))
            .collect();
        assert_eq!(keys.len(), results.len(), "keys are unique");
        for result in &results {
            let (id, case) = (&result.id, &result.case);
            assert_eq!(
                result.verdict.is_none(),
                matches!(result.outcome, Outcome::NotApplicable | Outcome::NotRun),
                "{id} {case}"
            );
            if result.outcome == Outcome::Waiting {
                assert_eq!(result.verdict, Some(Verdict::Inconclusive), "{id} {case}");
            }
            assert_eq!(
                result.reason.is_some(),
                result.outcome != Outcome::Ran,
                "{id} {case}"
            );
            if result.verdict == Some(Verdict::Pass) {
                assert!(
                    result.judged > 0 && result.findings.is_empty(),
                    "{id} {case}"
                );
            }
            if result.verdict == Some(Verdict::Fail) {
                assert!(
                    result.gate.is_some() && !result.findings.is_empty(),
                    "{id} {case}"
                );
            }
            assert!(
                result.rerun.starts_with("mcp-assay run --seed 1"),
                "{}",
                result.rerun
            );
            assert!(result.rerun.ends_with(" -- server"), "{}", result.rerun);
        }
        let mut fold = Fold::new();
        self.events.iter().for_each(|event| fold.see(event));
        let report = fold.finish();
        let all: Vec<CheckResult> = results.into_iter().cloned().collect();
        assert_eq!(report.summary, Summary::of(&all));
        assert_eq!(report.summary.total(), all.len() as u64);
    }

    /// Every key with what came of it.
    fn verdicts(&self) -> BTreeMap<(String, String), (Option<Verdict>, Option<Reason>)> {
        let essence = |result: &&CheckResult| {
            (
                (result.id.clone(), result.case.clone()),
                (result.verdict, result.reason.clone()),
            )
        };
        self.results().iter().map(essence).collect()
    }
}

/// The reference server, offering these revisions only.
fn speaking(revisions: &'static [Revision]) -> Target {
    Target::Scripted(Script::new(move || {
        Ok(memory::spawn(move |input, output| async move {
            let options = Options {
                revisions: revisions.to_vec(),
                ..Options::default()
            };
            mcp_assay_peer::serve(options, input, output)
                .await
                .exit_code
        }))
    }))
}

fn lying(fault: &str) -> Target {
    Target::Peer(Peer::lines(Some(
        Planted::named(fault).expect("a fault of this name"),
    )))
}

#[tokio::test(start_paused = true)]
async fn the_reference_server_passes_and_the_run_is_clean() {
    let ran = go(Target::Peer(Peer::lines(None)), &settings(chosen(&[]))).await;
    assert_eq!(ran.code, ExitCode::Clean, "{:?}", ran.finished().reasons);
    assert_eq!(ran.started().target.tested, [Revision::R2025_11_25]);
    let sanity: Vec<_> = ran
        .results()
        .into_iter()
        .filter(|result| result.id == SANITY)
        .map(|result| (result.case.rsplit('#').next(), result.verdict))
        .collect();
    let pass = Some(Verdict::Pass);
    assert_eq!(
        sanity,
        [
            (Some("when=\"first\""), pass),
            (Some("when=\"last\""), pass)
        ]
    );
    for result in ran.results() {
        assert!(
            !matches!(result.verdict, Some(Verdict::Fail | Verdict::Error)),
            "{} {}: {:?}",
            result.id,
            result.case,
            result.findings
        );
    }
    assert!(
        ran.finished().notes.is_empty(),
        "{:?}",
        ran.finished().notes
    );
}

#[tokio::test(start_paused = true)]
async fn one_job_and_eight_come_to_the_same_verdicts() {
    for fault in [
        None,
        Some("ids-as-strings"),
        Some("exits-on-unknown-method"),
    ] {
        let target = || fault.map_or(Target::Peer(Peer::lines(None)), lying);
        let mut verdicts = Vec::new();
        for jobs in [1, 8] {
            let settings = Settings {
                jobs,
                ..settings(chosen(&["errors/", "jsonrpc/", "ping/"]))
            };
            let ran = go(target(), &settings).await;
            verdicts.push((ran.code, ran.verdicts()));
        }
        assert_eq!(verdicts[0], verdicts[1], "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lie_is_found_confirmed_and_denied() {
    let ran = go(
        lying("ids-as-strings"),
        &settings(chosen(&["jsonrpc/id-echo"])),
    )
    .await;
    assert_eq!(ran.code, ExitCode::Denied);
    let failed: Vec<&CheckResult> = ran
        .of_cards()
        .into_iter()
        .filter(|result| result.verdict == Some(Verdict::Fail))
        .collect();
    assert!(!failed.is_empty());
    for result in failed {
        assert_eq!(result.confirmed.as_deref(), Some("2/2"));
        assert_eq!(result.gate, Some(Gate::Deny));
        assert!(
            result
                .rerun
                .contains(&format!(" --only '{}' ", result.case))
        );
        let again = ran.events.iter().any(|event| {
            matches!(event, Event::CaseStarted { case, attempt: 2 } if *case == result.case)
        });
        assert!(again, "{} was run again", result.case);
        let found = ran.events.iter().any(|event| {
            matches!(event, Event::Finding { case, id, .. } if *case == result.case && *id == result.id)
        });
        assert!(found, "{} was told of before its confirmation", result.id);
    }
}

#[tokio::test(start_paused = true)]
async fn what_observers_find_is_confirmed_within_the_order_of_events() {
    for fault in ["banner-on-stdout", "logs-on-stdout-when-called"] {
        let ran = go(lying(fault), &settings(chosen(&["tour/tools", "ping/"]))).await;
        let rule = "observer/stdout/messages-only";
        let result = ran
            .results()
            .into_iter()
            .find(|result| result.id == rule)
            .unwrap();
        assert_eq!(result.verdict, Some(Verdict::Fail), "{fault}");
        assert_eq!(result.confirmed.as_deref(), Some("2/2"), "{fault}");
        assert_eq!(ran.code, ExitCode::Denied);
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_at_any_time_reports_what_was_seen_and_settles_every_case() {
    let is_settled = |event: &Event| matches!(event, Event::CaseFinished { .. });
    let is_again = |event: &Event| matches!(event, Event::CaseStarted { attempt: 2, .. });
    for after in [1, 2, 5, 20] {
        let mut seen = 0;
        let settings = settings(chosen(&["errors/", "jsonrpc/"]));
        let ran = go_until(Target::Peer(Peer::lines(None)), &settings, |event| {
            seen += usize::from(is_settled(event));
            seen == after
        })
        .await;
        assert_eq!(ran.code, ExitCode::Interrupted, "after {after}");
        let cut = ran
            .of_cards()
            .into_iter()
            .filter(|result| result.reason == Some(Reason::Interrupted));
        assert!(cut.count() > 0, "after {after}");
    }
    // During a confirmation: what was seen once stays a fail, as one that could not be run again.
    let settings = settings(chosen(&["jsonrpc/id-echo"]));
    let ran = go_until(lying("ids-as-strings"), &settings, is_again).await;
    assert_eq!(ran.code, ExitCode::Interrupted);
    let failed: Vec<_> = ran
        .of_cards()
        .into_iter()
        .filter(|result| result.verdict == Some(Verdict::Fail))
        .map(|result| result.confirmed.as_deref())
        .collect();
    assert!(!failed.is_empty());
    assert!(
        failed.iter().all(|confirmed| *confirmed == Some("1/1")),
        "{failed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_before_the_first_answer_ends_at_once() {
    let mute = scripted(async |mut wire: Wire| wire.mute().await);
    let catalogue = catalogue();
    let stage = Stage {
        launcher: Launcher::new(mute, false).expect("memory needs no thread"),
        pace: pace(),
        catalogue,
        fixtures: fixtures(),
        found: BTreeMap::new(),
        means: BTreeMap::new(),
    };
    let (interrupt, interrupted) = watch::channel(false);
    let began = tokio::time::Instant::now();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        interrupt.send(true)
    });
    let mut events = Vec::new();
    let settings = settings(chosen(&[]));
    let code = run(stage, &settings, interrupted, &mut |event| {
        events.push(event)
    })
    .await;
    assert_eq!(code, ExitCode::Interrupted);
    assert_eq!(began.elapsed(), std::time::Duration::from_secs(1));
    Ran { code, events }.is_well_formed();
}

/// The reference server on the first connections, and nobody on those after.
fn leaving_after(connections: usize) -> Target {
    let opened = Arc::new(AtomicUsize::new(0));
    Target::Scripted(Script::new(move || {
        if opened.fetch_add(1, Ordering::Relaxed) >= connections {
            return Ok(pipes(async |_wire: Wire| 1));
        }
        Ok(memory::spawn(move |input, output| async move {
            mcp_assay_peer::serve(Options::default(), input, output)
                .await
                .exit_code
        }))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_costs_its_cases_and_ends_the_run_soon() {
    for jobs in [1, 8] {
        let settings = Settings {
            jobs,
            ..settings(chosen(&["jsonrpc/"]))
        };
        let ran = go(leaving_after(10), &settings).await;
        assert_eq!(ran.code, ExitCode::Denied, "it has answered: no exit 3");
        let of = |reason: &Reason| {
            let results = ran.of_cards();
            results
                .iter()
                .filter(|result| result.reason.as_ref() == Some(reason))
                .count()
        };
        assert!(of(&Reason::TargetGone) > 0);
        assert_eq!(of(&Reason::Interrupted), 0);
        let died: Vec<_> = ran
            .of_cards()
            .into_iter()
            .filter(|result| result.verdict == Some(Verdict::Fail))
            .collect();
        assert!(died.iter().all(|result| result.id.ends_with("/alive")));
        assert!(
            died.iter()
                .all(|result| result.confirmed.as_deref() == Some("1/1"))
        );
        // Three deaths in a row are asked about; as many cases as there are workers may be under way by then.
        assert!(
            (3..=3 + jobs).contains(&died.len()),
            "{} with {jobs}",
            died.len()
        );
        let sanity = ran
            .results()
            .into_iter()
            .filter(|result| result.id == SANITY);
        assert_eq!(sanity.count(), 1, "nobody is left for the last one");
    }
}

#[tokio::test(start_paused = true)]
async fn deaths_of_a_target_that_comes_back_cost_their_cases_only() {
    // Every connection ends at its first unknown method; a plain exchange is always kept up.
    let ran = go(
        lying("exits-on-unknown-method"),
        &settings(chosen(&[
            "errors/unknown-method",
            "jsonrpc/response-shape",
            "ping/answered",
        ])),
    )
    .await;
    assert_eq!(ran.code, ExitCode::Denied);
    let of = |id: &str| {
        let results = ran.of_cards();
        results
            .iter()
            .find(|result| result.id == id)
            .unwrap()
            .verdict
    };
    assert_eq!(of("errors/unknown-method/alive"), Some(Verdict::Fail));
    assert_eq!(of("ping/answered/alive"), Some(Verdict::Pass));
    let gone = ran
        .of_cards()
        .into_iter()
        .filter(|result| result.reason == Some(Reason::TargetGone));
    assert_eq!(gone.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_never_gives_a_valid_answer_is_no_target() {
    let dies = scripted(async |_wire: Wire| 9);
    let mute = scripted(async |mut wire: Wire| wire.mute().await);
    let chatters = scripted(async |mut wire: Wire| {
        wire.serve(|_| vec!["Server listening on stdio".to_owned()])
            .await
    });
    let both = answering(|message| {
        vec![format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{}},"error":{{}}}}"#,
            message["id"]
        )]
    });
    for (target, said) in [
        (dies, "exited with code 9"),
        (mute, "did not answer `initialize` within 20 s"),
        (chatters, "Server listening on stdio"),
        (both, "neither a result nor an error"),
    ] {
        let ran = go(target, &settings(chosen(&["ping/"]))).await;
        assert_eq!(ran.code, ExitCode::NoTarget, "{said}");
        assert!(
            ran.finished().reasons[0].contains(said),
            "{:?}",
            ran.finished().reasons
        );
        assert!(
            ran.results()
                .iter()
                .all(|result| result.verdict != Some(Verdict::Pass))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_answers_and_does_not_keep_it_up_is_given_no_case() {
    let leaves = scripted(async |mut wire: Wire| {
        wire.handshake(serde_json::json!({})).await;
        1
    });
    let ran = go(leaves, &settings(chosen(&["ping/"]))).await;
    assert_eq!(ran.code, ExitCode::Denied);
    let sanity = ran
        .results()
        .into_iter()
        .find(|result| result.id == SANITY)
        .unwrap();
    assert_eq!(sanity.verdict, Some(Verdict::Fail));
    assert_eq!(sanity.confirmed.as_deref(), Some("2/2"));
    for result in ran.of_cards() {
        assert_eq!(result.reason, Some(Reason::TargetGone), "{}", result.id);
    }
}

#[tokio::test(start_paused = true)]
async fn the_revision_tested_is_the_one_chosen() {
    use Revision::{R2024_11_05, R2025_03_26, R2025_06_18, R2025_11_25};
    let all: &'static [Revision] = &[R2024_11_05, R2025_03_26, R2025_06_18, R2025_11_25];
    let old: &'static [Revision] = &[R2024_11_05];
    let two: &'static [Revision] = &[R2024_11_05, R2025_06_18];
    for (spoken, choice, tested, notes) in [
        (all, Choice::Auto, &[R2025_11_25][..], 1),
        (all, Choice::All, all, 1),
        (all, Choice::Exact(R2025_03_26), &[R2025_03_26], 0),
        (old, Choice::Auto, old, 2),
        (old, Choice::All, old, 2),
        (two, Choice::Auto, &[R2025_06_18], 2),
        (two, Choice::All, two, 2),
        (old, Choice::Exact(R2024_11_05), old, 0),
    ] {
        let settings = Settings {
            choice,
            ..settings(chosen(&["ping/answered"]))
        };
        let ran = go(speaking(spoken), &settings).await;
        assert_eq!(ran.code, ExitCode::Clean, "{spoken:?} {choice:?}");
        let target = &ran.started().target;
        assert_eq!(target.tested, tested, "{spoken:?} {choice:?}");
        let known: BTreeSet<_> = spoken.iter().collect();
        assert!(
            target
                .spoken
                .iter()
                .all(|revision| known.contains(revision))
        );
        assert_eq!(
            ran.finished().notes.len(),
            notes,
            "{:?}",
            ran.finished().notes
        );
        let seen: BTreeSet<String> = ran
            .of_cards()
            .iter()
            .map(|result| result.case.split(['@', '+']).nth(1).unwrap().to_owned())
            .collect();
        let expected: BTreeSet<String> = tested.iter().map(Revision::to_string).collect();
        assert_eq!(seen, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_the_target_does_not_speak_is_one_note_and_proves_nothing() {
    for (revision, said) in [
        (Revision::R2025_11_25, "2024-11-05"),
        (Revision::R2026_07_28, "`server/discover`"),
    ] {
        let settings = Settings {
            choice: Choice::Exact(revision),
            ..settings(chosen(&["ping/"]))
        };
        let ran = go(speaking(&[Revision::R2024_11_05]), &settings).await;
        assert_eq!(ran.code, ExitCode::Denied, "{revision}");
        let finished = ran.finished();
        assert_eq!(finished.notes.len(), 1, "{:?}", finished.notes);
        assert!(finished.notes[0].contains(&format!("does not speak {revision}")));
        assert!(finished.notes[0].contains(said), "{:?}", finished.notes);
        assert!(finished.reasons[0].contains("run/nothing-proven"));
        assert_eq!(ran.of_cards().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn without_permission_no_tool_is_called_and_the_results_say_why() {
    for forbidden in [false, true] {
        let settings = Settings {
            permissions: Permissions::new::<&str>(&[], forbidden).expect("no glob"),
            calls_allowed: false,
            ..settings(chosen(&["tour/tools"]))
        };
        // A server whose only tool is not marked.
        let target = answering(|message| match message["method"].as_str() {
            Some("initialize") => vec![crate::testing::welcome(
                message,
                serde_json::json!({ "tools": {} }),
            )],
            Some("tools/list") => vec![crate::testing::result(
                message,
                &serde_json::json!({ "tools": [{ "name": "delete", "inputSchema": { "type": "object" } }] }),
            )],
            Some("tools/call") => panic!("called without permission"),
            _ => ordinary(message),
        });
        let ran = go(target, &settings).await;
        let calls = ran.events.iter().filter(|event| {
            matches!(event, Event::Message { entry, .. }
                if entry.dir == Direction::Sent
                && entry.message.as_ref().is_some_and(|message| message["method"] == "tools/call"))
        });
        assert_eq!(calls.count(), 0);
        let results = ran.of_cards();
        let id = "tour/tools/calls";
        let result = results.iter().find(|result| result.id == id).unwrap();
        let reason = if forbidden {
            Reason::CallsForbidden
        } else {
            Reason::Allow
        };
        assert_eq!(result.reason, Some(reason));
        let waits = ran
            .finished()
            .waiting_for
            .iter()
            .any(|line| line.fixture == "allow");
        assert_eq!(waits, !forbidden, "{:?}", ran.finished().waiting_for);
    }
}

#[tokio::test(start_paused = true)]
async fn every_card_and_check_is_in_the_closed_lists_it_refers_to() {
    // Each native step and judge that the embedded cards use is registered: a run never meets an unknown one.
    let ran = go(
        Target::Peer(Peer::lines(None)),
        &settings(chosen(&["tour/", "pagination/"])),
    )
    .await;
    assert!(
        ran.results()
            .iter()
            .all(|result| result.verdict != Some(Verdict::Error))
    );
}

/// The reference server, and a bug of ours at this connection.
fn breaking_at(connection: usize, target: Option<&'static str>) -> Target {
    let opened = AtomicUsize::new(0);
    Target::Scripted(Script::new(move || {
        assert_ne!(
            opened.fetch_add(1, Ordering::Relaxed),
            connection,
            "planted by a test"
        );
        let fault = target.map(|name| Planted::named(name).expect("a fault of this name"));
        Ok(memory::spawn(move |input, output| async move {
            let options = Options {
                fault,
                ..Options::default()
            };
            mcp_assay_peer::serve(options, input, output)
                .await
                .exit_code
        }))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_case_that_the_harness_loses_is_an_error_of_ours_and_no_interruption() {
    // The first connection is the probe's; the second is lost with its case.
    let ran = go(breaking_at(1, None), &settings(chosen(&["ping/"]))).await;
    assert_eq!(ran.code, ExitCode::Harness);
    let lost: BTreeSet<_> = ran
        .of_cards()
        .into_iter()
        .filter(|result| result.verdict == Some(Verdict::Error))
        .map(|result| result.case.clone())
        .collect();
    assert_eq!(lost.len(), 1);
    // The same in a confirmation: two cases of one job, the first to be run again breaks.
    let settings = Settings {
        jobs: 1,
        ..settings(chosen(&["jsonrpc/id-echo"]))
    };
    let cases = go(Target::Peer(Peer::lines(None)), &settings)
        .await
        .started()
        .cases;
    let first_confirmation = usize::try_from(cases).unwrap() + 1;
    let ran = go(
        breaking_at(first_confirmation, Some("ids-as-strings")),
        &settings,
    )
    .await;
    assert_eq!(ran.code, ExitCode::Harness);
    let confirmed = ran
        .of_cards()
        .into_iter()
        .filter(|result| result.confirmed.as_deref() == Some("2/2"));
    assert!(
        confirmed.count() > 0,
        "the others are confirmed all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn a_death_that_needs_its_history_is_told_attempt_by_attempt() {
    let steps = "share: connection
steps:
  - open: { as: c }
  - send: { as: q, message: { method: mcp-assay/q } }
  - await: { reply_to: q }
checks:
  - { name: is-error, title: t, rule: r, basis: robustness, on: q, expect: { error: { type: object } } }
";
    let target = scripted(async |mut wire: Wire| {
        let mut asked = 0;
        while let Some(message) = wire.hear().await {
            asked += usize::from(message["method"] == "mcp-assay/q");
            if asked == 2 {
                wire.say("noise for the observer").await;
                return 1;
            }
            for line in ordinary(&message) {
                wire.say(line).await;
            }
        }
        0
    });
    let cards = ["a/one", "a/two"].map(|id| Chosen::whole(&crate::testing::card_of(id, steps)));
    let settings = Settings {
        jobs: 1,
        ..settings(cards.to_vec())
    };
    let ran = go(target, &settings).await;
    let attempts: Vec<u32> = ran
        .events
        .iter()
        .filter_map(|event| match event {
            Event::CaseStarted { case, attempt } if case.starts_with("a/two@") => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(
        attempts,
        [1, 2, 3, 4],
        "alone, with its history, and once more for the observer"
    );
    let died = ran
        .results()
        .into_iter()
        .find(|result| result.id == "a/two/alive")
        .unwrap();
    assert_eq!(died.confirmed.as_deref(), Some("2/2"));
}
