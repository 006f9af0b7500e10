//! What every byte-stream binding offers: three streams and a process handle.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};

/// An open target, before any framing: what stdio and memory have in common.
pub struct Pipes {
    /// To the target. Dropping it ends the target's input.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// From the target.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// The target's standard error, where it has one.
    pub stderr: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// Its life.
    pub process: ProcessHandle,
}

/// Life of a target: how it ended, and the means to end it. Dropping every clone kills the target and its descendants.
#[derive(Clone, Debug)]
pub struct ProcessHandle {
    /// `None` while it runs.
    pub exit: watch::Receiver<Option<Exit>>,
    /// Orders to whoever keeps the process.
    pub orders: mpsc::UnboundedSender<Order>,
}

/// An order to the keeper of a target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Order {
    /// Ask the target to end (SIGTERM to the target).
    Terminate,
    /// End the target and all its descendants now.
    Kill,
}

/// How a target ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exit {
    /// Exit code, where it exited.
    pub code: Option<i32>,
    /// Signal number, where a signal ended it.
    pub signal: Option<i32>,
    /// Descendants that outlived the target and were killed after it; includes those that had left its group or session.
    pub orphans: u32,
    /// Time from its start.
    pub after: Duration,
}

impl ProcessHandle {
    /// Waits for the end of the target.
    pub async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        loop {
            if let Some(seen) = exit.borrow_and_update().clone() {
                return seen;
            }
            if exit.changed().await.is_err() {
                // The keeper is gone without a word: it was killed, and its descendants with it.
                return Exit {
                    code: None,
                    signal: None,
                    orphans: 0,
                    after: Duration::ZERO,
                };
            }
        }
    }

    /// How it ended, or `None` while it runs.
    pub fn has_exited(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }
}
