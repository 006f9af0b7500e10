//! A connection over pipes: bytes become frames, writes never block the run, memory is bounded.
//!
//! ```text
//! write() -> queue -> writer task -> stdin
//! stdout -> reader task -> Framer -> arrivals (bounded in bytes: a flooding target waits for us)
//! stderr -> reader task -> arrivals while there is room, the tail always
//! ```

use crate::pipes::{Exit, Order, Pipes, ProcessHandle};
use bytes::Bytes;
use mcp_assay_wire::stdio::{Frame, Framer, Limits};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Bounds of a connection's memory.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bounds of one frame.
    pub frame: Limits,
    /// Bytes of frames that have arrived and were not yet taken; a reader over it waits.
    pub in_flight: usize,
    /// Bytes of standard error that are passed on as arrivals.
    pub stderr_shown: usize,
    /// Bytes of standard error kept from its end.
    pub stderr_tail: usize,
    /// Bytes that were given to write and not yet written; a write over it is refused.
    pub unwritten: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            frame: Limits {
                max_frame: 8 * 1024 * 1024,
                kept_of_oversized: 4 * 1024,
            },
            in_flight: 16 * 1024 * 1024,
            stderr_shown: 64 * 1024,
            stderr_tail: 4 * 1024,
            unwritten: 64 * 1024 * 1024,
        }
    }
}

/// What a target's streams bring.
#[derive(Debug)]
pub enum Arrival {
    /// A line of standard output.
    Frame(Frame),
    /// Some of standard error, at arbitrary cuts.
    Stderr(Bytes),
    /// Standard output ended.
    StdoutEnded,
}

/// A write was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// Input was closed by us.
    #[error("the target's input is closed")]
    Closed,
    /// The target does not read, and what waits to be written has reached its bound.
    #[error("the target does not read its input")]
    Full,
}

/// An open connection to a target.
pub struct Connection {
    /// When it was asked for.
    pub started: Instant,
    process: ProcessHandle,
    arrivals: mpsc::Receiver<(Arrival, Instant, Option<OwnedSemaphorePermit>)>,
    writer: Option<mpsc::UnboundedSender<(Bytes, OwnedSemaphorePermit)>>,
    unwritten: Arc<Semaphore>,
    stderr_tail: Arc<Mutex<Vec<u8>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Connection {
    /// Takes over the pipes of a target that was asked for at `started`.
    pub fn new(pipes: Pipes, started: Instant, bounds: Bounds) -> Self {
        let (sender, arrivals) = mpsc::channel(1024);
        let (writer, queue) = mpsc::unbounded_channel();
        let stderr_tail = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = vec![
            tokio::spawn(write_all(pipes.stdin, queue)),
            tokio::spawn(read_frames(pipes.stdout, sender.clone(), bounds)),
        ];
        if let Some(stderr) = pipes.stderr {
            tasks.push(tokio::spawn(read_stderr(
                stderr,
                sender,
                Arc::clone(&stderr_tail),
                bounds,
            )));
        }
        Connection {
            started,
            process: pipes.process,
            arrivals,
            writer: Some(writer),
            unwritten: Arc::new(Semaphore::new(bounds.unwritten)),
            stderr_tail,
            tasks,
        }
    }

    /// Queues bytes for the target; never waits.
    ///
    /// **Errors**: when input is closed, or when the target has not read what was written before.
    pub fn write(&self, bytes: Bytes) -> Result<(), WriteError> {
        let writer = self.writer.as_ref().ok_or(WriteError::Closed)?;
        let amount = u32::try_from(bytes.len()).map_err(|_| WriteError::Full)?;
        let permit = Arc::clone(&self.unwritten)
            .try_acquire_many_owned(amount)
            .map_err(|_| WriteError::Full)?;
        // A writer that is gone means a target that is gone: its end is seen on its output.
        let _ = writer.send((bytes, permit));
        Ok(())
    }

    /// Ends the target's input once everything queued is written.
    pub fn close_stdin(&mut self) {
        self.writer = None;
    }

    /// The next arrival and its time, or `None` when `deadline` passes first. After the end of both streams it waits for the deadline.
    pub async fn next(&mut self, deadline: Instant) -> Option<(Arrival, Instant)> {
        tokio::select! {
            biased;
            arrival = self.arrivals.recv() => match arrival {
                Some((arrival, at, _room)) => Some((arrival, at)),
                None => {
                    tokio::time::sleep_until(deadline).await;
                    None
                }
            },
            () = tokio::time::sleep_until(deadline) => None,
        }
    }

    /// The life of the target.
    pub fn process(&self) -> &ProcessHandle {
        &self.process
    }

    /// The last of what the target wrote to its standard error, as text.
    pub fn stderr_tail(&self) -> String {
        let tail = self
            .stderr_tail
            .lock()
            .expect("no code panics while it holds this lock");
        String::from_utf8_lossy(&tail).into_owned()
    }

    /// Ends the target now, with all its descendants, and waits until it is gone.
    pub async fn kill(mut self) -> Exit {
        self.close_stdin();
        // Whoever takes the orders is gone when the target is.
        let _ = self.process.orders.send(Order::Kill);
        self.process.exited().await
    }

    /// Ends the target as a client should: closes its input, waits, asks, and only then kills.
    pub async fn shutdown(mut self, patience: Duration) -> Exit {
        self.close_stdin();
        for order in [Order::Terminate, Order::Kill] {
            if let Ok(exit) = tokio::time::timeout(patience, self.process.exited()).await {
                return exit;
            }
            let _ = self.process.orders.send(order);
        }
        self.process.exited().await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The process handle goes with us, which kills the target; its streams need no reader any more.
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn write_all(
    mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
    mut queue: mpsc::UnboundedReceiver<(Bytes, OwnedSemaphorePermit)>,
) {
    while let Some((bytes, _room)) = queue.recv().await {
        if stdin.write_all(&bytes).await.is_err() || stdin.flush().await.is_err() {
            // The target closed its input: lawful, and visible in what it does next.
            return;
        }
    }
    let _ = stdin.shutdown().await;
}

type Arrivals = mpsc::Sender<(Arrival, Instant, Option<OwnedSemaphorePermit>)>;

async fn read_frames(
    mut stdout: Box<dyn AsyncRead + Send + Unpin>,
    arrivals: Arrivals,
    bounds: Bounds,
) {
    let room = Arc::new(Semaphore::new(bounds.in_flight));
    let mut framer = Framer::new(bounds.frame);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stdout.read(&mut buffer).await.unwrap_or(0);
        let now = Instant::now();
        let mut rest = &buffer[..read];
        loop {
            let frame = if read == 0 {
                framer.finish()
            } else {
                framer.next_frame(&mut rest)
            };
            let Some(frame) = frame else { break };
            let size = frame.raw.len().clamp(1, bounds.in_flight);
            let size = u32::try_from(size).expect("a frame is shorter than its bound");
            let Ok(permit) = Arc::clone(&room).acquire_many_owned(size).await else {
                return;
            };
            if arrivals
                .send((Arrival::Frame(frame), now, Some(permit)))
                .await
                .is_err()
            {
                return;
            }
            if read == 0 {
                break;
            }
        }
        if read == 0 {
            let _ = arrivals.send((Arrival::StdoutEnded, now, None)).await;
            return;
        }
    }
}

async fn read_stderr(
    mut stderr: Box<dyn AsyncRead + Send + Unpin>,
    arrivals: Arrivals,
    tail: Arc<Mutex<Vec<u8>>>,
    bounds: Bounds,
) {
    let mut shown = 0;
    let mut buffer = vec![0; 8 * 1024];
    loop {
        let read = match stderr.read(&mut buffer).await {
            Ok(read) if read > 0 => read,
            _ => return,
        };
        let chunk = &buffer[..read];
        {
            let mut tail = tail
                .lock()
                .expect("no code panics while it holds this lock");
            tail.extend_from_slice(chunk);
            let surplus = tail.len().saturating_sub(bounds.stderr_tail);
            tail.drain(..surplus);
        }
        if shown < bounds.stderr_shown {
            let some = &chunk[..read.min(bounds.stderr_shown - shown)];
            shown += some.len();
            let arrival = Arrival::Stderr(Bytes::copy_from_slice(some));
            if arrivals
                .send((arrival, Instant::now(), None))
                .await
                .is_err()
            {
                return;
            }
        }
    }
}
