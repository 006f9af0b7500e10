//! The keeper where there is no guard: the target leads a process group, which is signalled as a whole.
//!
//! Not covered here: descendants that leave the group, and the end of the harness by SIGKILL.

use super::{Failure, Request};
use crate::pipes::{Exit, Order, ProcessHandle};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::{self, JoinHandle};
use std::time::Instant;
use tokio::process::{Child, Command};
use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Kept for the sake of one interface; nothing of it is used.
pub(super) struct Guard {
    #[expect(dead_code, reason = "no guard is started")]
    pub(super) program: PathBuf,
    #[expect(dead_code, reason = "no guard is started")]
    pub(super) args: Vec<OsString>,
}

pub(super) fn start(
    _guard: Guard,
    mut requests: mpsc::UnboundedReceiver<Request>,
) -> io::Result<JoinHandle<()>> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("targets".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                let (closing, is_closing) = watch::channel(());
                let mut keepers = JoinSet::new();
                while let Some(request) = requests.recv().await {
                    keepers.spawn(keep(request, is_closing.clone()));
                }
                drop(closing);
                while keepers.join_next().await.is_some() {}
            });
        })
}

async fn keep(request: Request, mut closing: watch::Receiver<()>) {
    let Request {
        command,
        stdin,
        stdout,
        stderr,
        reply,
    } = request;
    let mut process = Command::new(&command.argv[0]);
    process
        .args(&command.argv[1..])
        .envs(command.env)
        .process_group(0)
        .kill_on_drop(true);
    process
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::from(stdout))
        .stderr(Stdio::from(stderr));
    if let Some(cwd) = command.cwd {
        process.current_dir(cwd);
    }
    let started = Instant::now();
    let mut child: Child = match process.spawn() {
        Ok(child) => child,
        Err(error) => return drop(reply.send(Err(Failure::Target(error)))),
    };
    // The target's ends of the pipes are held by the builder until it is dropped.
    drop(process);
    let group = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .map(Pid::from_raw);
    let signal = |signal| group.map(|group| killpg(group, signal));
    let (report, exit) = watch::channel(None);
    let (orders, mut incoming) = mpsc::unbounded_channel();
    let _ = reply.send(Ok(ProcessHandle { exit, orders }));
    let mut is_killing = false;
    let status = loop {
        let order = tokio::select! {
            status = child.wait() => break status.ok(),
            order = incoming.recv(), if !is_killing => order.unwrap_or(Order::Kill),
            _ = closing.changed(), if !is_killing => Order::Kill,
        };
        is_killing = order == Order::Kill;
        signal(if is_killing {
            Signal::SIGKILL
        } else {
            Signal::SIGTERM
        });
    };
    let after = started.elapsed();
    // Whatever of the group outlived its leader; how many those are cannot be told here.
    signal(Signal::SIGKILL);
    let (code, signal) = (
        status.and_then(|status| status.code()),
        status.and_then(|status| status.signal()),
    );
    report.send_replace(Some(Exit {
        code,
        signal,
        orphans: 0,
        after,
    }));
}
