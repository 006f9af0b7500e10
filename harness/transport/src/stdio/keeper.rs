//! The thread that starts guards, keeps in touch with them, and cleans up after those that were killed.

use super::{Command, Failure, Request};
use crate::guard::control::{FromGuard, Link, ToGuard};
use crate::guard::descendants::{self, Process};
use crate::pipes::{Exit, Order, ProcessHandle};
use nix::sys::prctl;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener as StdUnixListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::net::UnixListener;
use tokio::process::Child;
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a guard may take to start the target. Milliseconds are usual; a machine under heavy load needs seconds.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long a guard may take to report after a kill, and to end after its report, before it is killed itself. Longer than
/// the guard's own patience, so only a guard that its target keeps stopping, or a storm of forks, comes to that.
const OBEY_PATIENCE: Duration = Duration::from_secs(10);
/// How long cleaning up after a guard goes on without any success.
const SWEEP_PATIENCE: Duration = Duration::from_secs(3);
/// How long each round of cleaning up waits for its effect.
const SWEEP_EVERY: Duration = Duration::from_millis(1);

/// Process ids of all guards of this process. Being a child is a matter of the whole process, so this is too: a spawner
/// that cleans up must not take another spawner's guard for an orphan.
static GUARDS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// How to start a guard.
pub(super) struct Guard {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
}

/// Starts the keeper thread. It ends after the last request, when everything it kept has ended.
pub(super) fn start(
    guard: Guard,
    requests: mpsc::UnboundedReceiver<Request>,
) -> io::Result<JoinHandle<()>> {
    prctl::set_child_subreaper(true)?;
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("guards".to_owned())
        .spawn(move || runtime.block_on(run(Arc::new(guard), requests)))
}

async fn run(guard: Arc<Guard>, mut requests: mpsc::UnboundedReceiver<Request>) {
    let (closing, is_closing) = watch::channel(());
    let mut keepers = JoinSet::new();
    loop {
        tokio::select! {
            request = requests.recv() => match request {
                Some(request) => {
                    keepers.spawn(keep(Arc::clone(&guard), request, is_closing.clone()));
                }
                None => break,
            },
            Some(_) = keepers.join_next() => {}
        }
    }
    drop(closing);
    while keepers.join_next().await.is_some() {}
}

/// Keeps one target from its start to its end.
async fn keep(guard: Arc<Guard>, request: Request, mut closing: watch::Receiver<()>) {
    let Request {
        command,
        stdin,
        stdout,
        stderr,
        reply,
    } = request;
    let (mut kept, control) =
        match Kept::start(&guard, &command, [stdin, stdout, stderr].map(Stdio::from)) {
            Ok(started) => started,
            Err(error) => {
                let reason = format!("cannot start `{}`: {error}", guard.program.display());
                let _ = reply.send(Err(Failure::Guard(reason)));
                return;
            }
        };
    let greeted = tokio::select! {
        greeted = timeout(START_PATIENCE, kept.greet(control, &command)) => greeted
            .unwrap_or_else(|_| Err(Failure::Guard(format!("no answer within {} s", START_PATIENCE.as_secs())))),
        _ = closing.changed() => Err(Failure::Guard("the run has ended".to_owned())),
    };
    match greeted {
        Ok(link) => {
            let (report, exit) = watch::channel(None);
            let (orders, incoming) = mpsc::unbounded_channel();
            // A caller that has gone drops the handle, which counts as an order to kill.
            let _ = reply.send(Ok(ProcessHandle { exit, orders }));
            kept.attend(link, incoming, closing, &report).await;
        }
        Err(failure) => {
            kept.finish(None).await;
            let _ = reply.send(Err(failure));
        }
    }
}

/// A guard and what is known of its target.
struct Kept {
    guard: Child,
    guard_id: i32,
    /// The guard's own start: whatever it leaves behind is younger.
    since: u64,
    target: Option<i32>,
    started: Instant,
}

impl Kept {
    fn start(
        guard: &Guard,
        command: &Command,
        [stdin, stdout, stderr]: [Stdio; 3],
    ) -> io::Result<(Self, UnixListener)> {
        let (name, control) = listen()?;
        let mut process = tokio::process::Command::new(&guard.program);
        process
            .args(&guard.args)
            .arg(name)
            .arg("--")
            .args(&command.argv);
        process.stdin(stdin).stdout(stdout).stderr(stderr);
        // In its own group the guard is out of reach of the terminal's SIGINT.
        process.process_group(0);
        let mut guards = guards();
        let started = Instant::now();
        let guard = process.spawn()?;
        let guard_id = guard
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .expect("a child that nobody waited for has an id");
        guards.insert(guard_id);
        drop(guards);
        let since = Process::read(guard_id).map_or(0, |process| process.started);
        Ok((
            Self {
                guard,
                guard_id,
                since,
                target: None,
                started,
            },
            control,
        ))
    }

    /// Takes the guard's connection and has it start the target. On any failure the control channel is closed when this
    /// returns, which ends the guard.
    async fn greet(&mut self, control: UnixListener, command: &Command) -> Result<Link, Failure> {
        let silent = |error: io::Error| Failure::Guard(format!("no word from it: {error}"));
        let stream = loop {
            tokio::select! {
                accepted = control.accept() => {
                    let (stream, _) = accepted.map_err(silent)?;
                    // Any process may connect to an abstract name; only our guard is let in.
                    if stream.peer_cred().map_err(silent)?.pid() == Some(self.guard_id) {
                        break stream;
                    }
                }
                status = self.guard.wait() => {
                    let status = status.map_err(silent)?;
                    return Err(Failure::Guard(format!("it ended before it started the target ({status})")));
                }
            }
        };
        let mut link = Link::new(stream);
        let cwd = command.cwd.clone().map(PathBuf::into_os_string);
        link.send(&ToGuard::Start {
            env: command.env.clone(),
            cwd,
        })
        .await
        .map_err(silent)?;
        match link.receive().await.map_err(silent)? {
            Some(FromGuard::Started { pid }) => {
                self.target = Some(pid);
                self.started = Instant::now();
                Ok(link)
            }
            Some(FromGuard::Failed { errno, message }) => Err(Failure::Target(match errno {
                Some(errno) => io::Error::from_raw_os_error(errno),
                None => io::Error::other(message),
            })),
            Some(FromGuard::Exited { .. } | FromGuard::Killing) | None => Err(Failure::Guard(
                "it was ended while it started the target, perhaps by the target".to_owned(),
            )),
        }
    }

    /// Passes orders on until the guard reports the end of the target, or is gone.
    async fn attend(
        mut self,
        mut link: Link,
        mut orders: mpsc::UnboundedReceiver<Order>,
        mut closing: watch::Receiver<()>,
        report: &watch::Sender<Option<Exit>>,
    ) {
        let mut is_killing = false;
        let exit = loop {
            let order = tokio::select! {
                message = link.receive() => match message {
                    Ok(Some(FromGuard::Exited { code, signal, orphans, after_us })) => {
                        break Some(Exit { code, signal, orphans, after: Duration::from_micros(after_us) });
                    }
                    Ok(Some(FromGuard::Started { .. } | FromGuard::Failed { .. } | FromGuard::Killing)) => continue,
                    Ok(None) | Err(_) => break None,
                },
                // Without handles nobody can wish the target to go on.
                order = orders.recv(), if !is_killing => order.unwrap_or(Order::Kill),
                _ = closing.changed(), if !is_killing => Order::Kill,
                () = sleep(OBEY_PATIENCE), if is_killing => {
                    // Its end is waited for below; an error says that it has ended already.
                    let _ = self.guard.start_kill();
                    break None;
                }
            };
            is_killing = order == Order::Kill;
            let message = match order {
                Order::Terminate => ToGuard::Terminate,
                Order::Kill => ToGuard::Kill,
            };
            if is_killing {
                self.wake_guard();
            }
            // A guard that is gone shows at the reading side.
            let _ = link.send(&message).await;
        };
        if let Some(exit) = exit {
            report.send_replace(Some(exit));
            self.finish(Some(link)).await;
        } else {
            let exit = self.finish(None).await;
            report.send_replace(Some(exit));
        }
    }

    /// Waits for the end of the guard, as long as it says that it is at work, and kills it and whatever it leaves if it
    /// does not end well. The answer is what can be said of the target then.
    async fn finish(mut self, mut link: Option<Link>) -> Exit {
        self.wake_guard();
        let has_ended_well = loop {
            let word = async {
                match &mut link {
                    Some(link) => link.receive::<FromGuard>().await.ok().flatten(),
                    None => future::pending().await,
                }
            };
            tokio::select! {
                status = self.guard.wait() => break status.is_ok_and(|status| status.success()),
                word = word => if word.is_none() {
                    link = None;
                },
                () = sleep(OBEY_PATIENCE) => {
                    // An error says that it has ended meanwhile.
                    let _ = self.guard.kill().await;
                    break false;
                }
            }
        };
        let exit = if has_ended_well {
            self.unknown_exit()
        } else {
            self.sweep().await
        };
        guards().remove(&self.guard_id);
        exit
    }

    /// Undoes what a target may have done that stopped its guard; to a guard that runs this means nothing.
    fn wake_guard(&self) {
        // As long as it has an id here it has not been reaped, and the number is its own.
        if self.guard.id().is_some() {
            let _ = signal::kill(Pid::from_raw(self.guard_id), Signal::SIGCONT);
        }
    }

    /// Kills and reaps what came to us from a guard that is gone, for as long as it helps.
    async fn sweep(&self) -> Exit {
        let mut swept = Swept {
            exit: self.unknown_exit(),
            killed: BTreeSet::new(),
            reaped: 0,
        };
        let mut deadline = Instant::now() + SWEEP_PATIENCE;
        loop {
            let before = swept.reaped;
            if self.sweep_once(&mut swept) || Instant::now() >= deadline {
                let orphans = u32::try_from(swept.killed.len()).unwrap_or(u32::MAX);
                return Exit {
                    orphans,
                    ..swept.exit
                };
            }
            if swept.reaped > before {
                deadline = Instant::now() + SWEEP_PATIENCE;
            }
            sleep(SWEEP_EVERY).await;
        }
    }

    /// One round; tells whether nothing was left to do.
    fn sweep_once(&self, swept: &mut Swept) -> bool {
        // No guard can be started while the lock is held, so no guard is missing from the list.
        let guards = guards();
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        // The kernel hands orphans to the main thread. Not every kernel is built with the list of its children; without
        // it every child counts that no spawner has started.
        let adopted: Vec<Process> = match descendants::children(own) {
            Some(children) => children.into_iter().filter_map(Process::read).collect(),
            None => descendants::all()
                .into_iter()
                .filter(|process| process.parent == own)
                .collect(),
        };
        let mut is_clean = true;
        for process in adopted {
            if process.started < self.since || guards.contains(&process.pid) {
                continue;
            }
            is_clean = false;
            // What is below it comes to us with its death.
            process.kill();
            let is_target = Some(process.pid) == self.target;
            if !process.is_zombie && !is_target {
                swept.killed.insert(process.pid);
            }
            match waitpid(Pid::from_raw(process.pid), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => continue,
                Ok(WaitStatus::Exited(_, code)) if is_target => swept.exit.code = Some(code),
                Ok(WaitStatus::Signaled(_, signal, _)) if is_target => {
                    swept.exit.signal = Some(signal as i32)
                }
                // Of no interest; or reaped by another spawner's sweep; or ended by a signal that has no name.
                _ => {}
            }
            swept.reaped += 1;
        }
        is_clean
    }

    fn unknown_exit(&self) -> Exit {
        Exit {
            code: None,
            signal: None,
            orphans: 0,
            after: self.started.elapsed(),
        }
    }
}

/// What cleaning up has come to so far.
struct Swept {
    exit: Exit,
    killed: BTreeSet<i32>,
    reaped: u64,
}

/// Opens a control channel for one guard, under a name that cannot be guessed; that it is the guard who connects is
/// verified besides. An abstract name leaves no file behind.
fn listen() -> io::Result<(String, UnixListener)> {
    // The standard library's hash keys come from the system's random source.
    let random = || RandomState::new().build_hasher().finish();
    let name = format!(
        "mcp-assay-{}-{:016x}{:016x}",
        std::process::id(),
        random(),
        random()
    );
    let listener = StdUnixListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    listener.set_nonblocking(true)?;
    Ok((name, UnixListener::from_std(listener)?))
}

fn guards() -> MutexGuard<'static, BTreeSet<i32>> {
    // The set is whole at every moment, so a panic elsewhere has not broken it.
    GUARDS.lock().unwrap_or_else(PoisonError::into_inner)
}
