//! Serving: the reader's and the writer's side of one connection, joined.

use crate::assembly::Core;
use crate::connection::Stop;
use crate::options::{Cause, Ended, Options};
use crate::writer::Writer;
use std::sync::{Arc, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};

/// Serves one client over a pair of byte streams until the input ends, the output is closed, or the fault says so.
///
/// **Shape**: needs a tokio runtime with its clock. Dropping the future ends the connection and everything that runs on it. With the
/// fault `ignores-end-of-input` it does not return.
pub async fn serve<R: AsyncRead, W: AsyncWrite>(options: Options, input: R, output: W) -> Ended {
    let core = Core::new(&options, &options.offer(), None);
    let (queue, teller) = (core.queue, core.teller);
    let drain_timeout = options.drain_timeout;
    let connection = core.connection.run(input);
    let writing = Writer::new(output, Arc::clone(&teller)).run(queue);
    tokio::pin!(writing);

    let stop = tokio::select! {
        stop = connection => Some(stop),
        // While the connection holds its outlet, the writer ends only where it cannot write.
        _ = &mut writing => None,
    };
    let lock = || teller.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(Stop::Exit(_)) = stop {
        lock().die();
    }
    // The connection is gone and its tasks with it, so the queue ends, and the writer too unless the client does not read.
    let is_written = match stop {
        Some(_) => {
            let written = tokio::time::timeout(drain_timeout, writing).await;
            matches!(written, Ok(Ok(())))
        }
        None => false,
    };
    let teller = lock();
    let (cause, exit_code) = match stop {
        Some(Stop::Exit(code)) => (Cause::Fault, code),
        Some(Stop::EndOfInput) if is_written => (Cause::EndOfInput, 0),
        Some(Stop::EndOfInput) | None => (Cause::OutputClosed, 0),
    };
    Ended {
        cause,
        exit_code,
        fired: teller.fired(),
        refused: teller.refused().cloned(),
    }
}
