//! stdio: a target as a child process, under a guard.
//!
//! ```text
//! Spawner::spawn ── request ──> keeper thread ── starts ──> guard ── starts ──> target
//!       │                            │  control channel: started, exited / terminate, kill
//!       └── Pipes: our ends of the three pipes, and a ProcessHandle (exit, orders)
//! ```
//!
//! What ends a target: its own will, an [`Order`], the last [`ProcessHandle`] dropped, the [`Spawner`] dropped, the end of
//! the harness by whatever cause. In each case its descendants are killed too; [`guard`](crate::guard) says how and what
//! is not covered.
//!
//! On systems other than Linux there is no guard: the target leads a process group, which is killed as a whole. A
//! descendant that leaves the group survives there, and so does the target when the harness itself is killed by SIGKILL.

mod error;
#[cfg(not(target_os = "linux"))]
#[path = "stdio/group.rs"]
mod keeper;
#[cfg(target_os = "linux")]
mod keeper;

pub use error::SpawnError;

use crate::pipes::{Exit, Order, Pipes, ProcessHandle};
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

/// How long [`shutdown`] waits for the report after SIGKILL: longer than the keeper itself needs to give up on a guard.
const KILL_PATIENCE: Duration = Duration::from_secs(25);

/// How to start a target.
///
/// **Shape**: `argv` is the program and its arguments, never empty, with no shell in between; a program without a slash is
/// looked up on `PATH`, a relative path counts from `cwd`. `env` is set on top of the harness's own environment, a later
/// entry winning over an earlier one; `cwd` is the harness's own where it is `None`.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// Names and values to set; values may be secrets and are never shown.
    pub env: Vec<(String, String)>,
    /// Working directory.
    pub cwd: Option<PathBuf>,
}

impl Command {
    /// A command with the harness's own environment and working directory.
    pub fn new<A: Into<OsString>>(argv: impl IntoIterator<Item = A>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            cwd: None,
        }
    }
    /// No operating system can pass a NUL byte on.
    fn has_nul(&self) -> bool {
        let env = self
            .env
            .iter()
            .any(|(name, value)| name.contains('\0') || value.contains('\0'));
        env || self
            .argv
            .iter()
            .any(|word| word.as_encoded_bytes().contains(&0))
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Command")
            .field("argv", &self.argv)
            .field("env", &names)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// Starts targets; one per run.
///
/// It owns one thread that lives as long as it does and starts every guard, because a guard's parent-death signal comes
/// when the *thread* that started it ends. The thread has its own clock and reactor: targets are kept whatever the
/// caller's runtime does, and a paused clock there does not touch them.
///
/// Dropping it kills all targets that are left and waits for the end of them: milliseconds, unless the kernel holds a process.
///
/// On Linux it makes this process a child subreaper, so that what a killed guard leaves behind comes to us and is killed.
/// It is recognised as children of the main thread, younger than the guard, that no spawner started; a program with
/// children of its own should start them from another thread that outlives them.
pub struct Spawner {
    requests: Option<mpsc::UnboundedSender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// A target to start, on its way to the keeper thread.
struct Request {
    command: Command,
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
    reply: oneshot::Sender<Result<ProcessHandle, Failure>>,
}

/// Why the keeper could not start a target, not yet in terms that help the user.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "there is no guard that could fail")
)]
enum Failure {
    /// The target itself could not be started.
    Target(io::Error),
    /// It did not come that far, because of the guard.
    Guard(String),
}

impl Spawner {
    /// Starts the thread.
    ///
    /// **Shape**: a guard is started as `guard_program guard_args... CONTROL -- PROGRAM ARG...`, which must lead to
    /// [`guard::main`](crate::guard::main) with everything from `CONTROL` on. The program is usually the running binary;
    /// on Linux `/proc/self/exe` names it even when the file is replaced during the run.
    ///
    /// **Errors**: the system gives no thread or no reactor, or refuses to make this process a subreaper.
    pub fn start(guard_program: PathBuf, guard_args: Vec<OsString>) -> io::Result<Self> {
        let (requests, incoming) = mpsc::unbounded_channel();
        let thread = keeper::start(
            keeper::Guard {
                program: guard_program,
                args: guard_args,
            },
            incoming,
        )?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    /// Starts a target and returns as soon as it runs; whether it speaks is for the caller to find out.
    ///
    /// The streams belong to the caller's runtime, which must have I/O enabled. They never block it: a target that does
    /// not read makes writes to `stdin` wait, once the pipe (64 KiB on Linux) is full. Dropping the future before it is
    /// ready kills the target.
    ///
    /// **Errors**: the target cannot be started. That is the user's command or the system, so it is no finding.
    pub async fn spawn(&self, command: &Command) -> Result<Pipes, SpawnError> {
        if command.argv.is_empty() {
            return Err(SpawnError::Empty);
        }
        let other = |source| SpawnError::other(command, source);
        if command.has_nul() {
            return Err(other(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a NUL byte in its arguments or environment",
            )));
        }
        // Each end is an open file description of its own, close-on-exec: ours become non-blocking here, the target's
        // stay blocking as every program expects, and no sibling that is started meanwhile inherits any of them.
        let (target_stdin, stdin) = io::pipe().map_err(other)?;
        let (stdout, target_stdout) = io::pipe().map_err(other)?;
        let (stderr, target_stderr) = io::pipe().map_err(other)?;
        let stdin = pipe::Sender::from_owned_fd(stdin.into()).map_err(other)?;
        let stdout = pipe::Receiver::from_owned_fd(stdout.into()).map_err(other)?;
        let stderr = pipe::Receiver::from_owned_fd(stderr.into()).map_err(other)?;
        let (reply, answer) = oneshot::channel();
        let request = Request {
            command: command.clone(),
            stdin: target_stdin.into(),
            stdout: target_stdout.into(),
            stderr: target_stderr.into(),
            reply,
        };
        if let Some(requests) = &self.requests {
            // A keeper that is gone drops the request and with it the reply, which is seen below.
            let _ = requests.send(request);
        }
        let process = match answer.await {
            Ok(Ok(process)) => process,
            Ok(Err(Failure::Target(source))) => return Err(SpawnError::diagnose(command, source)),
            Ok(Err(Failure::Guard(reason))) => return Err(SpawnError::Guard { reason }),
            Err(_) => {
                return Err(SpawnError::Guard {
                    reason: "its keeper has ended".to_owned(),
                });
            }
        };
        Ok(Pipes {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Some(Box::new(stderr)),
            process,
        })
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}

impl Drop for Spawner {
    fn drop(&mut self) {
        // The end of the requests tells the keeper to kill what is left and to end.
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A keeper that panicked has said so on stderr, and the guards saw the end of their control channels.
            let _ = thread.join();
        }
    }
}

/// What it took to end a target whose input was closed, from the mildest to the harshest.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Needed {
    /// It ended by itself, as it should when its input ends.
    Nothing,
    /// It ended after SIGTERM.
    Terminate,
    /// Only SIGKILL ended it.
    Kill,
}

/// How long an orderly [`shutdown`] waits before it takes the next, harsher step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Patience {
    /// From the end of input to SIGTERM.
    pub before_terminate: Duration,
    /// From SIGTERM to SIGKILL.
    pub before_kill: Duration,
}

/// An orderly shutdown, as it was observed. It judges nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shutdown {
    /// When the target's input had been closed and the waiting began, on the caller's clock.
    pub stdin_closed_at: Instant,
    /// How it ended; `None` when not even SIGKILL brought a report within 25 seconds.
    pub exited: Option<Exit>,
    /// What it took.
    pub needed: Needed,
    /// From `stdin_closed_at` to the report of its end, including up to 0.1 s in which descendants that it left may end
    /// by themselves; zero when it had ended before.
    pub waited: Duration,
}

/// Ends a target in order: its input is closed, then wait, SIGTERM, wait, SIGKILL.
///
/// The caller drops the `stdin` of the [`Pipes`] first, and goes on reading `stdout` meanwhile: a target that blocks on a
/// full pipe cannot end by itself.
///
/// **Source**: `2025-11-25/basic/lifecycle#stdio.1` to `.3`.
pub async fn shutdown(process: &ProcessHandle, patience: Patience) -> Shutdown {
    let stdin_closed_at = Instant::now();
    let steps = [
        (Needed::Nothing, None, patience.before_terminate),
        (
            Needed::Terminate,
            Some(Order::Terminate),
            patience.before_kill,
        ),
        (Needed::Kill, Some(Order::Kill), KILL_PATIENCE),
    ];
    let mut exited = process.has_exited();
    let mut last = Needed::Nothing;
    for (needed, order, wait) in steps {
        if exited.is_some() {
            break;
        }
        if let Some(order) = order {
            // A keeper that is gone takes no orders; then `exited` answers at once.
            let _ = process.orders.send(order);
        }
        last = needed;
        exited = timeout(wait, process.exited()).await.ok();
    }
    Shutdown {
        stdin_closed_at,
        exited,
        needed: last,
        waited: stdin_closed_at.elapsed(),
    }
}
