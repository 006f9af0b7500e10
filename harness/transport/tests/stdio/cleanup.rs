//! Nothing is left behind, whoever ends first.

use crate::harness::{Helper, Scenario};
use crate::support::{Mark, exit, line, soon, spawner, text, trial};
use libtest_mimic::Trial;
use mcp_assay_transport::pipes::{Order, Pipes};
use nix::sys::signal::Signal;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// A grandchild in a session of its own that holds the streams, and a target that goes on.
pub const FAMILY: &str = "setsid sh -c 'echo $$; exec sleep 1000' & wait";

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial(
            "kills_what_the_target_leaves_behind",
            kills_what_the_target_leaves_behind,
        ),
        trial(
            "kills_the_whole_family_on_order",
            kills_the_whole_family_on_order,
        ),
        trial("kills_a_hundred_sessions", kills_a_hundred_sessions),
        trial(
            "catches_a_chain_of_processes_that_renews_itself",
            catches_a_chain_of_processes_that_renews_itself,
        ),
        trial(
            "kills_when_the_last_handle_is_dropped",
            kills_when_the_last_handle_is_dropped,
        ),
        trial(
            "kills_when_the_start_is_cancelled",
            kills_when_the_start_is_cancelled,
        ),
        trial(
            "leaves_nothing_when_the_spawner_is_dropped",
            leaves_nothing_when_the_spawner_is_dropped,
        ),
        trial(
            "survives_a_target_that_terminates_its_guard",
            survives_a_target_that_terminates_its_guard,
        ),
    ];
    for signal in [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGABRT,
    ] {
        trials.push(trial(
            &format!("leaves_nothing_when_the_harness_ends_by_{signal}"),
            move || harness_ends_by(signal),
        ));
    }
    for scenario in [Scenario::Exits, Scenario::Panics, Scenario::ThreadEnds] {
        trials.push(trial(
            &format!("leaves_nothing_when_the_harness_{scenario}"),
            move || harness_ends(scenario),
        ));
    }
    for scenario in [
        Scenario::GuardKilled,
        Scenario::GuardKilledByTarget,
        Scenario::GuardStopped,
        Scenario::GuardKeptStopped,
    ] {
        trials.push(trial(
            &format!("leaves_nothing_when_the_{scenario}"),
            move || guard_is_lost(scenario),
        ));
    }
    trials.push(trial("leaves_no_zombies", leaves_no_zombies));
    trials
}

async fn kills_what_the_target_leaves_behind() {
    let (mark, spawner) = (Mark::new(), spawner());
    // The orphan has left group and session and is twice removed.
    let script = "(setsid sh -c 'echo ready; exec sleep 1000' &); read line; exit 4";
    let mut pipes = spawner.spawn(&mark.script(script)).await.expect("a target");
    assert_eq!(line(&mut pipes.stdout).await, "ready");
    drop(std::mem::replace(
        &mut pipes.stdin,
        Box::new(tokio::io::sink()),
    ));
    let exit = exit(&pipes.process).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (Some(4), None, 1));
    assert!(exit.after < Duration::from_secs(20));
    // The orphan held the streams; with its end they have ended.
    assert_eq!(text(&mut pipes.stdout).await, "");
    mark.assert_gone().await;
}

async fn kills_the_whole_family_on_order() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner.spawn(&mark.script(FAMILY)).await.expect("a target");
    line(&mut pipes.stdout).await;
    pipes.process.orders.send(Order::Kill).expect("a keeper");
    let exit = exit(&pipes.process).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (None, Some(9), 1));
    assert_eq!(text(&mut pipes.stdout).await, "");
    mark.assert_gone().await;
}

async fn kills_a_hundred_sessions() {
    let (mark, spawner) = (Mark::new(), spawner());
    let script = "i=0; while [ $i -lt 100 ]; do setsid sh -c 'echo up; exec sleep 1000' & i=$((i+1)); done; wait";
    let mut pipes = spawner.spawn(&mark.script(script)).await.expect("a target");
    for _ in 0..100 {
        assert_eq!(line(&mut pipes.stdout).await, "up");
    }
    pipes.process.orders.send(Order::Kill).expect("a keeper");
    assert_eq!(exit(&pipes.process).await.orphans, 100);
    mark.assert_gone().await;
}

/// Each link starts the next and ends, so no process lives long enough to be found at leisure.
async fn catches_a_chain_of_processes_that_renews_itself() {
    let (mark, spawner) = (Mark::new(), spawner());
    let link = "echo link; setsid sh -c \"$0\" \"$0\" & exit";
    let start = "sh -c \"$0\" \"$0\" & read line; exit 6";
    let mut pipes = spawner
        .spawn(&mark.command(["sh", "-c", start, link]))
        .await
        .expect("a target");
    for _ in 0..10 {
        assert_eq!(line(&mut pipes.stdout).await, "link");
    }
    pipes.stdin.write_all(b"enough\n").await.expect("a reader");
    let exit = exit(&pipes.process).await;
    assert_eq!(exit.code, Some(6));
    assert!(exit.orphans > 0);
    mark.assert_gone().await;
}

async fn kills_when_the_last_handle_is_dropped() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner.spawn(&mark.script(FAMILY)).await.expect("a target");
    line(&mut pipes.stdout).await;
    let Pipes {
        stdin,
        mut stdout,
        stderr,
        process,
    } = pipes;
    let other = process.clone();
    drop(process);
    assert_eq!(other.has_exited(), None);
    assert!(!mark.alive().is_empty());
    drop(other);
    assert_eq!(text(&mut stdout).await, "");
    mark.assert_gone().await;
    drop((stdin, stderr));
}

async fn kills_when_the_start_is_cancelled() {
    let (mark, spawner) = (Mark::new(), spawner());
    for _ in 0..20 {
        let command = mark.script(FAMILY);
        // One poll sends the request; then nobody wants the answer any more.
        assert!(
            tokio::time::timeout(Duration::ZERO, spawner.spawn(&command))
                .await
                .is_err()
        );
    }
    // The thread takes requests in order: when this one is answered, the others have been started.
    let last = spawner.spawn(&mark.command(["true"])).await.expect("true");
    exit(&last.process).await;
    mark.assert_gone().await;
}

async fn leaves_nothing_when_the_spawner_is_dropped() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut kept = Vec::new();
    for _ in 0..5 {
        let mut pipes = spawner.spawn(&mark.script(FAMILY)).await.expect("a target");
        line(&mut pipes.stdout).await;
        kept.push(pipes);
    }
    drop(spawner);
    // At once, not soon: the drop has waited for it.
    assert_eq!(mark.alive(), Vec::<String>::new());
    for pipes in &kept {
        assert_eq!(
            pipes.process.has_exited().expect("a report").signal,
            Some(9)
        );
    }
}

async fn survives_a_target_that_terminates_its_guard() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner
        .spawn(&mark.script("kill -TERM $PPID; exec sleep 1000"))
        .await
        .expect("a target");
    assert_eq!(exit(&pipes.process).await.signal, Some(9));
    mark.assert_gone().await;
}

async fn harness_ends_by(signal: Signal) {
    let mark = Mark::new();
    let mut helper = Helper::start(Scenario::Waits, &mark);
    assert_eq!(helper.line().await, "ready");
    assert!(
        mark.alive().len() >= 4,
        "harness, guard, target and its family: {:#?}",
        mark.alive()
    );
    helper.signal(signal);
    soon("the end of the harness", helper.wait()).await;
    mark.assert_gone().await;
}

async fn harness_ends(scenario: Scenario) {
    let mark = Mark::new();
    let mut helper = Helper::start(scenario, &mark);
    assert_eq!(helper.line().await, "ready");
    soon("the end of the harness", helper.wait()).await;
    mark.assert_gone().await;
}

async fn guard_is_lost(scenario: Scenario) {
    let mark = Mark::new();
    let mut helper = Helper::start(scenario, &mark);
    assert_eq!(helper.line().await, "ready");
    // The harness lives on and reports what it saw: the end of the target, and that no child is left to it.
    let report = helper.line().await;
    assert!(report.starts_with("exit None Some(9) orphans"), "{report}");
    assert_eq!(helper.line().await, "children 0");
    let left: Vec<String> = mark
        .alive()
        .into_iter()
        .filter(|process| !process.contains(" harness "))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    helper.signal(Signal::SIGKILL);
    soon("the end of the harness", helper.wait()).await;
    mark.assert_gone().await;
}

async fn leaves_no_zombies() {
    let mark = Mark::new();
    let mut helper = Helper::start(Scenario::Tidies, &mark);
    assert_eq!(helper.line().await, "ready");
    assert_eq!(helper.line().await, "children 0");
    soon("the end of the harness", helper.wait()).await;
    mark.assert_gone().await;
}
