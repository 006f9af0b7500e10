//! The memory binding: the lines of stdio between two tasks of one process, for the reference peer and the kill matrix.

use crate::pipes::{Exit, Order, Pipes, ProcessHandle};
use std::future::Future;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Bytes that a side may write before the other reads; as much as a Linux pipe holds.
const PIPE_BYTES: usize = 64 * 1024;

/// Starts `serve` as the target of a memory connection. It is given its input and its output, and returns its exit code.
///
/// An order to terminate or kill drops the future, as a signal would end a process.
pub fn spawn<F, S>(serve: S) -> Pipes
where
    S: FnOnce(DuplexStream, DuplexStream) -> F,
    F: Future<Output = i32> + Send + 'static,
{
    let (ours_in, theirs_in) = tokio::io::duplex(PIPE_BYTES);
    let (theirs_out, ours_out) = tokio::io::duplex(PIPE_BYTES);
    let (exit_sender, exit) = watch::channel(None);
    let (orders, mut incoming) = mpsc::unbounded_channel();
    let serving = serve(theirs_in, theirs_out);
    tokio::spawn(async move {
        let started = Instant::now();
        let (code, signal) = tokio::select! {
            code = serving => (Some(code), None),
            order = incoming.recv() => (None, Some(match order {
                Some(Order::Terminate) => 15,
                Some(Order::Kill) | None => 9,
            })),
        };
        let after: Duration = started.elapsed();
        // Nobody may be left to hear it; that is no error.
        let _ = exit_sender.send(Some(Exit {
            code,
            signal,
            orphans: 0,
            after,
        }));
    });
    Pipes {
        stdin: Box::new(ours_in),
        stdout: Box::new(ours_out),
        stderr: None,
        process: ProcessHandle { exit, orders },
    }
}
