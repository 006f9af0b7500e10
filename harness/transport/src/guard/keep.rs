//! The guard at work: one target, from its start to the end of its last descendant.

use super::control::{FromGuard, Link, ToGuard};
use super::descendants;
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{self, SigSet, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, close, dup2_stderr, dup2_stdin, dup2_stdout, getpgid, getpid, getppid};
use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::future;
use std::io;
use std::os::fd::RawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream as StdUnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use tokio::net::UnixStream;
use tokio::signal::unix::{Signal as SignalStream, SignalKind, signal as listen};
use tokio::time::timeout;

/// How long descendants may take to end by themselves after the target has. A helper that notices the end of its parent
/// and leaves is no orphan, and a wrapper dies of a SIGTERM to the group before the server that it wraps has cleaned up.
const LINGER: Duration = Duration::from_millis(100);
/// How long killing may take before the end of the target is reported all the same. A storm of forks may outlast it, and a
/// process that the kernel holds (a dead network disk) or that belongs to another user.
const KILL_PATIENCE: Duration = Duration::from_secs(3);
/// How long a round of killing waits for its effect, unless a SIGCHLD comes first: a grandchild that becomes our child by
/// the death of its parent sends none.
const ROUND: Duration = Duration::from_millis(1);
/// In which rounds the whole process table is walked: the second, where a target without descendants is gone already,
/// and every fourth after it.
const SCAN_EVERY: u32 = 4;
/// How many processes are reaped before orders and deadlines are looked at again; only a storm of forks has as many.
const REAPED_AT_ONCE: u32 = 1000;

/// Runs the guard to its end.
pub(super) fn run(control: &OsStr, argv: &[OsString]) -> io::Result<()> {
    // A mask inherited from whoever started the harness would be inherited by the target as well.
    SigSet::empty().thread_set_mask()?;
    close_inherited();
    // Started through `/proc/self/exe` it would be called `exe`.
    prctl::set_name(c"mcp-assay-guard")?;
    prctl::set_child_subreaper(true)?;
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(keep(control, argv))
}

/// Closes every descriptor but the three streams, so that the target gets only these: whoever started the harness may
/// have left some open, as a shell or a build tool does.
fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    let open: Vec<RawFd> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        // Nothing has been opened in this process yet, so none of them has an owner here. One of them was the listing
        // itself and is closed already.
        let _ = close(descriptor);
    }
}

async fn keep(control: &OsStr, argv: &[OsString]) -> io::Result<()> {
    let mut link = Link::new(connect(control)?);
    let (env, cwd) = match link.receive().await? {
        Some(ToGuard::Start { env, cwd }) => (env, cwd),
        // The harness is gone, or changed its mind, before there was anything to guard.
        Some(ToGuard::Terminate | ToGuard::Kill) | None => return Ok(()),
    };
    // From here on a signal must not end the guard without its target. Handlers, unlike ignored signals, are not
    // inherited, so the target starts with the defaults whatever the harness was started with.
    let mut signals = Signals::listen()?;
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).envs(env).process_group(0);
    if let Some(cwd) = cwd {
        command.current_dir(cwd);
    }
    let started = Instant::now();
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let failed = FromGuard::Failed {
                errno: error.raw_os_error(),
                message: error.to_string(),
            };
            return link.send(&failed).await;
        }
    };
    let mut target = Target {
        pid: pid_of(&child),
        child,
        started,
        ended: None,
        after: Duration::ZERO,
        reaped: 0,
        has_more: false,
        is_childless: false,
    };
    // The target's streams must end when the target ends, so the guard may hold no end of them.
    let released = release_streams();
    if released.is_ok()
        && link
            .send(&FromGuard::Started {
                pid: target.pid.as_raw(),
            })
            .await
            .is_ok()
    {
        watch(&mut target, &mut link, &mut signals).await;
    }
    let mut killed = HashSet::new();
    target.end(&mut signals.child, &mut killed).await;
    let _ = link.send(&target.report(killed.len())).await;
    released?;
    // A storm of forks on a busy machine may need longer; it goes on for as long as it helps.
    while !target.is_childless {
        let before = target.reaped;
        killed.clear();
        target.end(&mut signals.child, &mut killed).await;
        if target.reaped == before {
            return Err(io::Error::other(
                "some descendants of the target cannot be killed",
            ));
        }
        // Without this the harness would take the guard for one that hangs.
        let _ = link.send(&FromGuard::Killing).await;
    }
    Ok(())
}

/// Connects to the harness and makes sure that it is our parent who listens there.
fn connect(control: &OsStr) -> io::Result<UnixStream> {
    let stream = StdUnixStream::connect_addr(&SocketAddr::from_abstract_name(control.as_bytes())?)?;
    stream.set_nonblocking(true)?;
    let stream = UnixStream::from_std(stream)?;
    // This also covers a harness that died before the parent-death signal was asked for: the parent is another one then.
    if stream.peer_cred()?.pid() != Some(getppid().as_raw()) {
        return Err(io::Error::other(
            "the control channel does not lead to the parent process",
        ));
    }
    Ok(stream)
}

/// Puts `/dev/null` in place of the target's streams.
fn release_streams() -> io::Result<()> {
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    dup2_stdin(&null)?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Returns when the target has ended or everything has to end.
async fn watch(target: &mut Target, link: &mut Link, signals: &mut Signals) {
    loop {
        target.reap();
        if target.ended.is_some() {
            return target.linger(&mut signals.child).await;
        }
        tokio::select! {
            _ = signals.child.recv() => {}
            () = future::ready(()), if target.has_more => {}
            () = signals.ending.recv() => return,
            order = link.receive() => match order {
                Ok(Some(ToGuard::Terminate)) => target.signal_group(Signal::SIGTERM),
                Ok(Some(ToGuard::Kill | ToGuard::Start { .. }) | None) | Err(_) => return,
            },
        }
    }
}

/// The signals the guard lives by.
struct Signals {
    child: SignalStream,
    ending: Ending,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let ending = Ending {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
            quit: listen(SignalKind::quit())?,
        };
        Ok(Self {
            child: listen(SignalKind::child())?,
            ending,
        })
    }
}

/// Any signal that asks a process to end; the parent-death signal is SIGTERM.
struct Ending {
    terminate: SignalStream,
    interrupt: SignalStream,
    hangup: SignalStream,
    quit: SignalStream,
}

impl Ending {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.quit.recv() => {}
        }
    }
}

/// The guarded process and what is known of its end.
struct Target {
    pid: Pid,
    child: Child,
    started: Instant,
    ended: Option<ExitStatus>,
    after: Duration,
    /// Processes that have been reaped.
    reaped: u64,
    /// There may be more to reap.
    has_more: bool,
    /// No child is left, so no descendant is, because this process is child subreaper.
    is_childless: bool,
}

impl Target {
    /// Collects every process that has ended, the target and adopted orphans alike.
    fn reap(&mut self) {
        let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        self.has_more = false;
        for _ in 0..REAPED_AT_ONCE {
            // Looking before reaping leaves the target to `Child`, which keeps any signal number; nix knows no
            // real-time signals and answers with an error when one has ended a process.
            match waitid(Id::All, peek) {
                Ok(WaitStatus::StillAlive) => return,
                Ok(status) if status.pid() == Some(self.pid) => {
                    self.collect();
                }
                Ok(status) => {
                    let _ = waitpid(status.pid(), Some(WaitPidFlag::WNOHANG));
                    self.reaped += 1;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => {
                    self.is_childless = true;
                    return;
                }
                // Somebody was ended by a signal without a name: the target, or else an orphan of no interest.
                Err(_) => {
                    if !self.collect()
                        && waitpid(None, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive)
                    {
                        return;
                    }
                }
            }
        }
        self.has_more = true;
    }

    /// Takes the target's status if it has ended; tells whether that was now.
    fn collect(&mut self) -> bool {
        if self.ended.is_some() {
            return false;
        }
        self.ended = self.child.try_wait().ok().flatten();
        self.reaped += u64::from(self.ended.is_some());
        self.after = self.started.elapsed();
        self.ended.is_some()
    }

    /// Signals the target, with its process group if it leads one: a wrapper such as a shell passes nothing on. Only for a
    /// target that has not been reaped, whose number is still its own.
    fn signal_group(&self, signal: Signal) {
        let leads_group = getpgid(Some(self.pid)) == Ok(self.pid);
        // It may have ended in this moment, which is what was wanted.
        let _ = if leads_group {
            signal::killpg(self.pid, signal)
        } else {
            signal::kill(self.pid, signal)
        };
    }

    /// Gives the descendants of a target that has ended a moment to end by themselves.
    async fn linger(&mut self, child: &mut SignalStream) {
        let all_gone = async {
            while !self.is_childless {
                if !self.has_more {
                    child.recv().await;
                }
                self.reap();
                tokio::task::yield_now().await;
            }
        };
        let _ = timeout(LINGER, all_gone).await;
    }

    /// Kills the target and every descendant, again and again until nothing is left or patience ends; notes who besides
    /// the target had to be killed.
    ///
    /// Each round kills our children, whose own children become ours by that. This alone comes to an end for any tree
    /// that does not grow, and it is fast enough to catch processes that fork and exit. Trees that grow faster than a
    /// layer can be taken off are killed at all depths.
    async fn end(&mut self, child: &mut SignalStream, killed: &mut HashSet<i32>) {
        let deadline = Instant::now() + KILL_PATIENCE;
        let own = getpid().as_raw();
        for round in 0_u32.. {
            self.reap();
            if self.is_childless || Instant::now() >= deadline {
                return;
            }
            if self.ended.is_none() {
                // First, so that the others outlive the target.
                let _ = signal::kill(self.pid, Signal::SIGKILL);
            }
            let children = descendants::children(own);
            for pid in children
                .iter()
                .flatten()
                .filter(|pid| **pid != self.pid.as_raw())
            {
                // A child that we have not reaped keeps its number.
                let _ = signal::kill(Pid::from_raw(*pid), Signal::SIGKILL);
                killed.insert(*pid);
            }
            if children.is_none() || round % SCAN_EVERY == 1 {
                self.kill_at_all_depths(killed);
            }
            if !self.has_more {
                let _ = timeout(ROUND, child.recv()).await;
            }
        }
    }

    fn kill_at_all_depths(&self, killed: &mut HashSet<i32>) {
        let all = descendants::all();
        if all.is_empty() && self.ended.is_none() {
            // Without a process table the group is the best guess; nobody can be counted.
            self.signal_group(Signal::SIGKILL);
        }
        for process in descendants::below(getpid().as_raw(), &all) {
            process.kill();
            if !process.is_zombie && process.pid != self.pid.as_raw() {
                killed.insert(process.pid);
            }
        }
    }

    fn report(&self, orphans: usize) -> FromGuard {
        FromGuard::Exited {
            code: self.ended.and_then(|status| status.code()),
            signal: self.ended.and_then(|status| status.signal()),
            orphans: u32::try_from(orphans).unwrap_or(u32::MAX),
            after_us: u64::try_from(self.after.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("the kernel's process ids fit into 22 bits"))
}
