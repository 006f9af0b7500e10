//! The life of a target: how its end is reported and how it is brought about in order.

use crate::support::{Mark, exit, line, soon, spawner, trial};
use libtest_mimic::Trial;
use mcp_assay_transport::pipes::{Order, Pipes};
use mcp_assay_transport::stdio::{Needed, Patience, Shutdown, shutdown};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("reports_the_exit_code", reports_the_exit_code),
        trial("reports_the_signal", reports_the_signal),
        trial("reports_a_real_time_signal", reports_a_real_time_signal),
        trial(
            "reports_an_exit_before_anyone_asks",
            reports_an_exit_before_anyone_asks,
        ),
        trial("terminates_the_target", terminates_the_target),
        trial(
            "terminates_the_group_of_the_target",
            terminates_the_group_of_the_target,
        ),
        trial(
            "kills_a_target_that_is_stopped",
            kills_a_target_that_is_stopped,
        ),
        trial("takes_orders_after_the_end", takes_orders_after_the_end),
        trial(
            "shuts_down_a_target_that_heeds_the_end_of_input",
            shuts_down_a_target_that_heeds_the_end_of_input,
        ),
        trial(
            "shuts_down_a_target_that_heeds_only_sigterm",
            shuts_down_a_target_that_heeds_only_sigterm,
        ),
        trial(
            "shuts_down_a_target_that_heeds_nothing",
            shuts_down_a_target_that_heeds_nothing,
        ),
        trial(
            "shuts_down_a_target_that_has_ended",
            shuts_down_a_target_that_has_ended,
        ),
    ]
}

async fn reports_the_exit_code() {
    let (mark, spawner) = (Mark::new(), spawner());
    for code in [0, 1, 77, 255] {
        let pipes = spawner
            .spawn(&mark.script(&format!("exit {code}")))
            .await
            .expect("a target");
        let exit = exit(&pipes.process).await;
        assert_eq!(
            (exit.code, exit.signal, exit.orphans),
            (Some(code), None, 0)
        );
    }
    mark.assert_gone().await;
}

async fn reports_the_signal() {
    let (mark, spawner) = (Mark::new(), spawner());
    for signal in [6, 9, 11, 13, 15] {
        let pipes = spawner
            .spawn(&mark.script(&format!("kill -{signal} $$")))
            .await
            .expect("a target");
        let exit = exit(&pipes.process).await;
        assert_eq!(
            (exit.code, exit.signal, exit.orphans),
            (None, Some(signal), 0)
        );
    }
    mark.assert_gone().await;
}

async fn reports_a_real_time_signal() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner
        .spawn(&mark.script("kill -40 $$"))
        .await
        .expect("a target");
    let exit = exit(&pipes.process).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (None, Some(40), 0));
    mark.assert_gone().await;
}

/// The watch keeps the report, also when the target is gone before the spawner's answer is looked at.
async fn reports_an_exit_before_anyone_asks() {
    let (mark, spawner) = (Mark::new(), spawner());
    let Pipes { process, .. } = spawner.spawn(&mark.command(["true"])).await.expect("true");
    mark.assert_gone().await;
    assert_eq!(soon("the exit", process.exited()).await.code, Some(0));
    assert_eq!(
        soon("the exit, again", process.clone().exited()).await.code,
        Some(0)
    );
    mark.assert_gone().await;
}

async fn terminates_the_target() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner
        .spawn(&mark.command(["sleep", "1000"]))
        .await
        .expect("sleep");
    pipes
        .process
        .orders
        .send(Order::Terminate)
        .expect("a keeper");
    let exit = exit(&pipes.process).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (None, Some(15), 0));
    mark.assert_gone().await;
}

/// A wrapper passes no signal on; the server below it is in the same group.
async fn terminates_the_group_of_the_target() {
    let (mark, spawner) = (Mark::new(), spawner());
    let script = "sh -c 'trap \"echo asked; exit 3\" TERM; echo ready; while :; do sleep 1000 & wait; done'; exit $?";
    let mut pipes = spawner
        .spawn(&mark.script(&format!("trap : TERM; {script}")))
        .await
        .expect("a target");
    assert_eq!(line(&mut pipes.stdout).await, "ready");
    pipes
        .process
        .orders
        .send(Order::Terminate)
        .expect("a keeper");
    assert_eq!(line(&mut pipes.stdout).await, "asked");
    assert_eq!(exit(&pipes.process).await.signal, None);
    mark.assert_gone().await;
}

async fn kills_a_target_that_is_stopped() {
    let (mark, spawner) = (Mark::new(), spawner());
    let mut pipes = spawner
        .spawn(&mark.script("echo ready; kill -STOP $$; echo never"))
        .await
        .expect("a target");
    assert_eq!(line(&mut pipes.stdout).await, "ready");
    pipes.process.orders.send(Order::Kill).expect("a keeper");
    let exit = exit(&pipes.process).await;
    assert_eq!((exit.code, exit.signal, exit.orphans), (None, Some(9), 0));
    mark.assert_gone().await;
}

async fn takes_orders_after_the_end() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner.spawn(&mark.command(["true"])).await.expect("true");
    let before = exit(&pipes.process).await;
    // Whether the keeper still listens or not, nothing changes.
    let _ = pipes.process.orders.send(Order::Terminate);
    let _ = pipes.process.orders.send(Order::Kill);
    assert_eq!(exit(&pipes.process).await, before);
    mark.assert_gone().await;
}

async fn shuts_down_a_target_that_heeds_the_end_of_input() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner.spawn(&mark.command(["cat"])).await.expect("cat");
    let seen = close(pipes, Duration::from_secs(20), Duration::from_secs(20)).await;
    assert_eq!(seen.needed, Needed::Nothing);
    assert_eq!(seen.exited.expect("an exit").code, Some(0));
    assert!(seen.waited > Duration::ZERO && seen.waited < Duration::from_secs(20));
    mark.assert_gone().await;
}

async fn shuts_down_a_target_that_heeds_only_sigterm() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner
        .spawn(&mark.command(["sleep", "1000"]))
        .await
        .expect("sleep");
    let seen = close(pipes, Duration::from_millis(50), Duration::from_secs(20)).await;
    assert_eq!(seen.needed, Needed::Terminate);
    assert_eq!(seen.exited.expect("an exit").signal, Some(15));
    assert!(seen.waited >= Duration::from_millis(50));
    mark.assert_gone().await;
}

async fn shuts_down_a_target_that_heeds_nothing() {
    let (mark, spawner) = (Mark::new(), spawner());
    let script = "trap '' TERM INT HUP; sleep 1000 & echo ready; while :; do wait; done";
    let mut pipes = spawner.spawn(&mark.script(script)).await.expect("a target");
    assert_eq!(line(&mut pipes.stdout).await, "ready");
    let seen = close(pipes, Duration::from_millis(50), Duration::from_millis(50)).await;
    assert_eq!(seen.needed, Needed::Kill);
    let exit = seen.exited.expect("an exit");
    assert_eq!((exit.signal, exit.orphans), (Some(9), 1));
    assert!(seen.waited >= Duration::from_millis(100));
    mark.assert_gone().await;
}

async fn shuts_down_a_target_that_has_ended() {
    let (mark, spawner) = (Mark::new(), spawner());
    let pipes = spawner
        .spawn(&mark.script("exit 5"))
        .await
        .expect("a target");
    exit(&pipes.process).await;
    let seen = close(pipes, Duration::from_secs(20), Duration::from_secs(20)).await;
    assert_eq!(
        (seen.needed, seen.exited.and_then(|exit| exit.code)),
        (Needed::Nothing, Some(5))
    );
    mark.assert_gone().await;
}

async fn close(pipes: Pipes, before_terminate: Duration, before_kill: Duration) -> Shutdown {
    let Pipes {
        stdin,
        stdout: _stdout,
        stderr: _stderr,
        process,
    } = pipes;
    drop(stdin);
    soon(
        "the shutdown",
        shutdown(
            &process,
            Patience {
                before_terminate,
                before_kill,
            },
        ),
    )
    .await
}
