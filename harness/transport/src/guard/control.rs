//! What harness and guard say to each other: one JSON object per line over a unix socket, both ways.
//!
//! ```text
//! guard   -> (connects; each side verifies the other's process id)
//! harness -> start
//! guard   -> started | failed
//! harness -> terminate | kill          any number, any time; end of file means kill
//! guard   -> exited                    after the last descendant is gone, or after 3 s
//! guard   -> killing                   any number, while descendants are left after that
//! ```

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::ffi::OsString;
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// From the harness to a guard.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum ToGuard {
    /// Start the target. The argument vector is on the guard's own command line, where `ps` shows it; environment and
    /// working directory come this way, so that they affect the target and not the guard, and so that values of the
    /// environment show nowhere.
    Start {
        /// Set in the target on top of the inherited environment.
        env: Vec<(String, String)>,
        /// Working directory of the target, where not the harness's own.
        cwd: Option<OsString>,
    },
    /// See [`Order::Terminate`](crate::pipes::Order::Terminate).
    Terminate,
    /// See [`Order::Kill`](crate::pipes::Order::Kill).
    Kill,
}

/// From a guard to the harness.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum FromGuard {
    /// The target runs.
    Started {
        /// Its process id.
        pid: i32,
    },
    /// The target could not be started; the guard is about to exit.
    Failed {
        /// The operating system's error number, where the error came from there.
        errno: Option<i32>,
        /// The error in words.
        message: String,
    },
    /// The target has ended. Its descendants have too, and the guard is about to exit, unless [`FromGuard::Killing`] follows.
    Exited {
        /// Exit code, where it exited.
        code: Option<i32>,
        /// Signal number, where a signal ended it.
        signal: Option<i32>,
        /// Descendants that had to be killed after it.
        orphans: u32,
        /// From its start to its own end, excluding the killing of descendants.
        after_us: u64,
    },
    /// After [`FromGuard::Exited`], every few seconds: descendants are left, but they become fewer or at least others.
    Killing,
}

/// One end of the control channel.
pub(crate) struct Link {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

impl Link {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self {
            lines: BufReader::new(read).lines(),
            write,
        }
    }

    pub(crate) async fn send<M: Serialize>(&mut self, message: &M) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        self.write.write_all(&line).await
    }

    /// The next message, or `None` when the other side is gone. Cancelling loses nothing.
    pub(crate) async fn receive<M: DeserializeOwned>(&mut self) -> io::Result<Option<M>> {
        match self.lines.next_line().await? {
            Some(line) => Ok(Some(serde_json::from_str(&line)?)),
            None => Ok(None),
        }
    }
}
