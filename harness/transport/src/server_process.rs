//! A server that we start ourselves and that all connections of a run share: the process behind the address of an HTTP target.
//!
//! ```text
//! Spawner::spawn -> streams drained, their tails kept -> ready: the port accepts, or a line came -> ServerProcess
//!                                                     -> it ended, or the time is up             -> ServerError with the tails
//! ```
//!
//! Like every target it lives under a guard, so dropping the last [`Arc`] of it ends it with all its descendants.

use crate::pipes::{Exit, Order, Pipes, ProcessHandle};
use crate::stdio::{Command, SpawnError, Spawner};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Bytes kept from the end of each output.
const TAIL_BYTES: usize = 16 * 1024;
/// Lines of an output that a message shows.
const SHOWN_LINES: usize = 5;
/// First and longest pause between two looks at the port.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));
/// How long one look at the port may take; on loopback the answer comes at once.
const ONE_LOOK: Duration = Duration::from_secs(1);
/// How long the outputs of a server that has ended may take to run dry; the guard has killed whoever could still write.
const DRY: Duration = Duration::from_secs(1);

/// What tells that a server may be asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ready {
    /// A TCP connection is accepted.
    Port {
        /// Name or address, without brackets.
        host: String,
        /// Port.
        port: u16,
    },
    /// A line of its standard output holds this text.
    Stdout(String),
    /// A line of its standard error holds this text.
    Stderr(String),
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ready::Port { host, port } if host.contains(':') => {
                write!(f, "connections at [{host}]:{port}")
            }
            Ready::Port { host, port } => write!(f, "connections at {host}:{port}"),
            Ready::Stdout(text) => write!(f, "a line of stdout with {text:?}"),
            Ready::Stderr(text) => write!(f, "a line of stderr with {text:?}"),
        }
    }
}

/// A server could not be started, or did not become ready. That is the user's command or the system, so it is no finding.
///
/// **Shape**: the text may have further lines, which are the server's own and may hold anything.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No process came to be.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Whoever listens there already would be tested in place of the server.
    #[error(
        "something accepts {0} already, and would be tested in place of the server; stop it, or leave out the command that starts the server"
    )]
    Taken(Ready),
    /// It ended too early.
    #[error("the server {how} before it was ready{said}")]
    Exited {
        /// How it ended.
        how: String,
        /// The ends of its outputs.
        said: String,
    },
    /// It runs, but the sign never came.
    #[error("the server was not ready within {} s: waited for {awaited}{said}", within.as_secs_f64())]
    NotReady {
        /// The time it had.
        within: Duration,
        /// The sign.
        awaited: Ready,
        /// The ends of its outputs.
        said: String,
    },
}

/// A server that was ready once, and may have ended since.
pub struct ServerProcess {
    process: ProcessHandle,
    stdout: Drain,
    stderr: Drain,
    given_up: OnceLock<String>,
    /// Never written to and never closed, like a terminal at which nobody types: some servers end with their input.
    _stdin: Mutex<Box<dyn AsyncWrite + Send + Unpin>>,
}

impl ServerProcess {
    /// Starts a server and waits until it is ready.
    ///
    /// **Errors**: why it did not come to that. Whatever was started is gone then.
    pub async fn start(
        spawner: &Spawner,
        command: &Command,
        ready: &Ready,
        within: Duration,
    ) -> Result<Self, ServerError> {
        if let Ready::Port { host, port } = ready
            && accepts(host, *port).await
        {
            return Err(ServerError::Taken(ready.clone()));
        }
        let Pipes {
            stdin,
            stdout,
            stderr,
            process,
        } = spawner.spawn(command).await?;
        let (seen, mut is_seen) = watch::channel(false);
        let (on_stdout, on_stderr) = match ready {
            Ready::Port { .. } => (None, None),
            Ready::Stdout(text) => (Some((text.clone(), seen)), None),
            Ready::Stderr(text) => (None, Some((text.clone(), seen))),
        };
        let mut server = ServerProcess {
            process,
            stdout: Drain::of(Some(stdout), on_stdout),
            stderr: Drain::of(stderr, on_stderr),
            given_up: OnceLock::new(),
            _stdin: Mutex::new(stdin),
        };
        let sign = async {
            match ready {
                Ready::Port { host, port } => accepting(host, *port).await,
                Ready::Stdout(_) | Ready::Stderr(_) => {
                    // An output that ended without the line leaves the wait to the other two ends of it.
                    if is_seen.wait_for(|seen| *seen).await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
        };
        let exit = tokio::select! {
            biased;
            exit = server.process.exited() => Some(exit),
            () = sign => server.process.has_exited(),
            () = sleep(within) => {
                return Err(ServerError::NotReady { within, awaited: ready.clone(), said: server.said() });
            }
        };
        match exit {
            None => Ok(server),
            Some(exit) => {
                server.stdout.run_dry().await;
                server.stderr.run_dry().await;
                let foreground = if exit.code == Some(0) {
                    "; its command must stay in the foreground"
                } else {
                    ""
                };
                let said = format!("{foreground}{}", server.said());
                Err(ServerError::Exited {
                    how: how_it_ended(&exit),
                    said,
                })
            }
        }
    }

    /// Its life.
    pub fn process(&self) -> &ProcessHandle {
        &self.process
    }

    /// Waits for its end.
    pub async fn exited(&self) -> Exit {
        self.process.exited().await
    }

    /// How it ended, or `None` while it runs.
    pub fn has_exited(&self) -> Option<Exit> {
        self.process.has_exited()
    }

    /// Ends a server that lives on and is of no use to anybody, and waits for its end. `why`: a fragment that follows its name.
    pub async fn give_up(&self, why: &str) -> Exit {
        if self.has_exited().is_none() {
            // Of two who give it up at once, the first says why.
            let _ = self.given_up.set(why.to_owned());
            // Where nobody takes the order, the keeper is gone, and the server with it.
            let _ = self.process.orders.send(Order::Kill);
        }
        self.exited().await
    }

    /// Why it was given up.
    pub fn given_up(&self) -> Option<&str> {
        self.given_up.get().map(String::as_str)
    }

    /// The last 16 KiB of its standard output, as text.
    pub fn stdout_tail(&self) -> String {
        self.stdout.tail()
    }

    /// The last 16 KiB of its standard error, as text.
    pub fn stderr_tail(&self) -> String {
        self.stderr.tail()
    }

    /// The last lines of what it said, as the further lines of a message; empty where it said nothing.
    fn said(&self) -> String {
        let of = |name: &str, tail: String| {
            let lines: Vec<&str> = tail.trim().lines().collect();
            if lines.is_empty() {
                return String::new();
            }
            let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
            format!("\nits {name} ends:\n{shown}")
        };
        of("stdout", self.stdout_tail()) + &of("stderr", self.stderr_tail())
    }
}

impl fmt::Debug for ServerProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerProcess")
            .field("exited", &self.has_exited())
            .finish_non_exhaustive()
    }
}

/// The end of a process as a fragment that follows its name: `exited with code 1`.
pub fn how_it_ended(exit: &Exit) -> String {
    match (exit.code, exit.signal) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}

async fn accepts(host: &str, port: u16) -> bool {
    let look = timeout(ONE_LOOK, TcpStream::connect((host, port)));
    matches!(look.await, Ok(Ok(_)))
}

async fn accepting(host: &str, port: u16) {
    let (mut pause, longest) = PAUSES;
    while !accepts(host, port).await {
        sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

/// Reads an output to its end, so that its writer never waits, and keeps the tail.
struct Drain {
    tail: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Drain {
    fn of(
        stream: Option<Box<dyn AsyncRead + Send + Unpin>>,
        sign: Option<(String, watch::Sender<bool>)>,
    ) -> Self {
        let tail = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&tail);
        let task = tokio::spawn(async move {
            if let Some(stream) = stream {
                drain(stream, &kept, sign).await;
            }
        });
        Drain { tail, task }
    }

    fn tail(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&tail).into_owned()
    }

    async fn run_dry(&mut self) {
        // At its end, or held open by someone whom no guard reaches: then what is there must do.
        let _ = timeout(DRY, &mut self.task).await;
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn drain(
    mut stream: Box<dyn AsyncRead + Send + Unpin>,
    tail: &Mutex<Vec<u8>>,
    mut sign: Option<(String, watch::Sender<bool>)>,
) {
    let mut buffer = vec![0; 8 * 1024];
    // The end of what came before, in which the text may have begun; the text holds no line end, so neither does a match.
    let mut window: Vec<u8> = Vec::new();
    loop {
        let read = match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => read,
            _ => return,
        };
        let chunk = &buffer[..read];
        {
            let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
            tail.extend_from_slice(chunk);
            let surplus = tail.len().saturating_sub(TAIL_BYTES);
            tail.drain(..surplus);
        }
        if let Some((text, seen)) = &sign {
            window.extend_from_slice(chunk);
            let text = text.as_bytes();
            if text.is_empty() || window.windows(text.len()).any(|part| part == text) {
                seen.send_replace(true);
                sign = None;
                window = Vec::new();
            } else {
                let surplus = window.len().saturating_sub(text.len() - 1);
                window.drain(..surplus);
            }
        }
    }
}
