//! A small harness in a process of its own, so that tests can see it end, and what its guards do then.

use crate::cleanup::FAMILY;
use crate::support::{Mark, line, soon, spawner};
use mcp_assay_transport::pipes::{Order, Pipes};
use mcp_assay_transport::stdio::Spawner;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::process::{ExitCode, Stdio};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::runtime;

/// What the small harness does once its target runs and it has said `ready`.
#[derive(Clone, Copy, Debug)]
pub enum Scenario {
    /// Waits to be killed.
    Waits,
    /// Leaves without running destructors.
    Exits,
    /// Panics on its main thread.
    Panics,
    /// Drops its spawner, then waits.
    ThreadEnds,
    /// Kills the guard and tells what becomes of the target.
    GuardKilled,
    /// Has the target kill the guard.
    GuardKilledByTarget,
    /// Stops the guard, then orders it to kill.
    GuardStopped,
    /// The same, with a target that stops its guard again and again.
    GuardKeptStopped,
    /// Lets several targets end in several ways and tells what is left.
    Tidies,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waits => "waits",
            Self::Exits => "exits",
            Self::Panics => "panics",
            Self::ThreadEnds => "ends_its_spawner",
            Self::GuardKilled => "guard_is_killed",
            Self::GuardKilledByTarget => "guard_is_killed_by_its_target",
            Self::GuardStopped => "guard_is_stopped",
            Self::GuardKeptStopped => "guard_is_kept_stopped",
            Self::Tidies => "tidies",
        })
    }
}

const SCENARIOS: [Scenario; 9] = [
    Scenario::Waits,
    Scenario::Exits,
    Scenario::Panics,
    Scenario::ThreadEnds,
    Scenario::GuardKilled,
    Scenario::GuardKilledByTarget,
    Scenario::GuardStopped,
    Scenario::GuardKeptStopped,
    Scenario::Tidies,
];

/// The small harness, seen from the test.
pub struct Helper {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Helper {
    pub fn start(scenario: Scenario, mark: &Mark) -> Self {
        // A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
        let mut command = Command::new("env");
        command
            .arg("--default-signal=INT")
            .arg(env::current_exe().expect("own path"))
            .args(["harness", &scenario.to_string(), &mark.0])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        // The panic that it is made to have is not for the reader of the test's output.
        command.stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("a harness");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        Self { child, lines }
    }

    pub async fn line(&mut self) -> String {
        soon("a line from the harness", self.lines.next_line())
            .await
            .expect("text")
            .expect("a line before its end")
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().expect("a harness that runs");
        kill(Pid::from_raw(pid.try_into().expect("a process id")), signal)
            .expect("a harness that runs");
    }

    pub async fn wait(&mut self) {
        self.child.wait().await.expect("a harness");
    }
}

/// The small harness itself: `harness SCENARIO MARK`.
pub fn main(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let mut next = || {
        args.next()
            .and_then(|arg| arg.into_string().ok())
            .expect("an argument")
    };
    let (name, mark) = (next(), Mark(next()));
    let scenario = *SCENARIOS
        .iter()
        .find(|scenario| scenario.to_string() == name)
        .expect("a scenario");
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(scenario, &mark));
    ExitCode::SUCCESS
}

#[expect(clippy::print_stdout, reason = "the lines are what the test waits for")]
fn say(text: &str) {
    println!("{text}");
}

async fn run(scenario: Scenario, mark: &Mark) {
    let spawner = spawner();
    if let Scenario::Tidies = scenario {
        say("ready");
        tidy(&spawner, mark).await;
        drop(spawner);
        return say(&format!("children {}", children()));
    }
    let family = format!("(setsid sleep 1000 &); echo $PPID; {FAMILY}");
    let script = match scenario {
        Scenario::GuardKilledByTarget => {
            &format!("echo $PPID; read line; kill -KILL $PPID; {family}")
        }
        // A guard that is stopped before it has reported the start could not do so, hence the line to wait for.
        Scenario::GuardKeptStopped => {
            "(setsid sleep 1000 &); echo $PPID; setsid sh -c 'echo $$; exec sleep 1000' &
             read line; while :; do kill -STOP $PPID; done"
        }
        _ => &family,
    };
    let mut pipes = spawner.spawn(&mark.script(script)).await.expect("a target");
    let guard = Pid::from_raw(line(&mut pipes.stdout).await.parse().expect("a process id"));
    if !matches!(scenario, Scenario::GuardKilledByTarget) {
        // The family is complete when its last member has said its number.
        line(&mut pipes.stdout).await;
    }
    say("ready");
    match scenario {
        Scenario::Waits | Scenario::Tidies => {}
        Scenario::Exits => std::process::exit(0),
        Scenario::Panics => panic!("as the test wants it"),
        Scenario::ThreadEnds => {
            drop(spawner);
            assert_eq!(children(), 0);
            return;
        }
        Scenario::GuardKilled => {
            let mut own = own_child(mark);
            kill(guard, Signal::SIGKILL).expect("a guard");
            pipes.process.exited().await;
            // The cleaning up has not touched what the harness itself has started.
            assert!(own.try_wait().expect("a child").is_none());
            own.kill().expect("a child");
            own.wait().expect("a child");
        }
        Scenario::GuardKilledByTarget => drop(std::mem::replace(
            &mut pipes.stdin,
            Box::new(tokio::io::sink()),
        )),
        Scenario::GuardStopped | Scenario::GuardKeptStopped => {
            pipes.stdin.write_all(b"go\n").await.expect("a reader");
            kill(guard, Signal::SIGSTOP).expect("a guard");
            pipes.process.orders.send(Order::Kill).expect("a keeper");
        }
    }
    if !matches!(scenario, Scenario::Waits) {
        let exit = pipes.process.exited().await;
        say(&format!(
            "exit {:?} {:?} orphans {}",
            exit.code, exit.signal, exit.orphans
        ));
        // A guard that reports is reaped a moment later; the end of the spawner waits for that.
        drop(spawner);
        say(&format!("children {}", children()));
    }
    std::future::pending().await
}

/// A child that no spawner knows, started by a thread that lives on.
fn own_child(mark: &Mark) -> std::process::Child {
    let mark = mark.0.clone();
    let (started, child) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let child = std::process::Command::new("sleep")
            .arg("1000")
            .env("MCP_ASSAY_MARK", mark)
            .spawn();
        started.send(child.expect("sleep")).expect("a receiver");
        loop {
            std::thread::park();
        }
    });
    child.recv().expect("a child")
}

async fn tidy(spawner: &Spawner, mark: &Mark) {
    for script in [
        "exit 0",
        "exit 1",
        "kill -9 $$",
        "setsid sleep 1000 &",
        "(sleep 1000 &); exit 2",
    ] {
        let pipes = spawner.spawn(&mark.script(script)).await.expect("a target");
        pipes.process.exited().await;
    }
    assert!(
        spawner
            .spawn(&mark.command(["no-such-program"]))
            .await
            .is_err()
    );
    let Pipes {
        process,
        mut stdout,
        ..
    } = spawner.spawn(&mark.script(FAMILY)).await.expect("a target");
    line(&mut stdout).await;
    drop(process);
}

/// Children of this process in any state, zombies too.
fn children() -> usize {
    let own = format!("PPid:\t{}", std::process::id());
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .filter(|status| status.lines().any(|line| line == own))
        .count()
}
