//! Standard streams: ours are the client's, the process below is the server.
//!
//! ```text
//! stdin  -> server's stdin     ends with it
//! stdout <- server's stdout    ends with it
//! stderr <- server's stderr
//! ```

use super::ear::of_process;
use super::feed::{Feed, Stream, Which};
use mcp_assay_model::record::Direction;
use mcp_assay_transport::pipes::{Exit, Order, Pipes};
use mcp_assay_transport::server_process::how_it_ended;
use std::fs::OpenOptions;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// How long an output may be silent after the server has ended; the guard has killed whoever could still write. How long the client takes to
/// read what is there is its own matter.
const DRY: Duration = Duration::from_secs(5);

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code that a shell would give.
    pub code: u8,
    /// A fragment: `exited with code 1`.
    pub how: String,
}

/// Signals that ask us to end.
struct Asked {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Asked {
    fn listen() -> io::Result<Self> {
        Ok(Asked {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

/// Passes everything on until the server has ended.
///
/// **Shape**: a signal is passed on as SIGTERM, and a second one kills the server with all its descendants.
///
/// **Errors**: no signal handlers.
pub async fn pass(pipes: Pipes, feed: Feed) -> io::Result<Ended> {
    let Pipes {
        stdin,
        stdout,
        stderr,
        process,
    } = pipes;
    let mut asked = Asked::listen()?;
    let stream = |direction| feed.stream(of_process(direction));
    let (gone, is_gone) = watch::channel(false);
    let input = tokio::spawn(forward(
        (tokio::io::stdin(), stdin),
        stream(Direction::Sent),
        is_gone.clone(),
        AtEnd::Close,
    ));
    let output = tokio::spawn(forward(
        (stdout, tokio::io::stdout()),
        stream(Direction::Received),
        is_gone.clone(),
        AtEnd::ReleaseStdout,
    ));
    let errors = feed.stream(Which::Stderr);
    let errors = stderr.map(|stderr| {
        let way = (stderr, tokio::io::stderr());
        tokio::spawn(forward(way, errors, is_gone, AtEnd::Nothing))
    });
    let mut orders = [Order::Terminate, Order::Kill].into_iter();
    let exit = loop {
        tokio::select! {
            exit = process.exited() => break exit,
            () = asked.next() => {
                // A keeper that is gone takes no orders; then the end is here.
                let _ = process.orders.send(orders.next().unwrap_or(Order::Kill));
            }
        }
    };
    // Nobody takes the input any more; the thread that reads it may stay in its read.
    input.abort();
    gone.send_replace(true);
    let rest = async {
        // Neither panics, and nobody aborts them.
        let _ = output.await;
        if let Some(errors) = errors {
            let _ = errors.await;
        }
    };
    tokio::select! {
        () = rest => {}
        // Whoever is tired of waiting for the client says so.
        () = asked.next() => {}
    }
    Ok(Ended {
        code: code_of(&exit),
        how: how_it_ended(&exit),
    })
}

/// As a shell tells it: 128 and the number of the signal.
fn code_of(exit: &Exit) -> u8 {
    let code = exit.code.or_else(|| Some(128 + exit.signal?));
    code.and_then(|code| u8::try_from(code & 0xff).ok())
        .unwrap_or(1)
}

/// What happens to the receiving side when the sending one has ended.
#[derive(Clone, Copy, Debug)]
enum AtEnd {
    /// It is closed by being dropped.
    Close,
    /// Ours to whom we write: the client sees the end at once, not when we have judged.
    ReleaseStdout,
    /// It is shared.
    Nothing,
}

/// Passes bytes on as they come, until one side has ended.
async fn forward(
    (mut from, mut to): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    mut copy: Stream,
    mut is_gone: watch::Receiver<bool>,
    at_end: AtEnd,
) {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => match read {
                Ok(read) if read > 0 => read,
                _ => break,
            },
            () = dry(&mut is_gone) => break,
        };
        let piece = &buffer[..read];
        copy.copy(piece);
        if to.write_all(piece).await.is_err() || to.flush().await.is_err() {
            // Nobody reads there any more; whoever writes shall see it, as it would without us.
            break;
        }
    }
    copy.end();
    drop(from);
    match at_end {
        AtEnd::Close => {
            let _ = to.shutdown().await;
        }
        AtEnd::ReleaseStdout => release_stdout(),
        AtEnd::Nothing => {}
    }
}

/// Waits until nothing more can be expected of a server that has ended.
async fn dry(is_gone: &mut watch::Receiver<bool>) {
    if is_gone.wait_for(|gone| *gone).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(DRY).await;
}

/// Puts `/dev/null` in place of our standard output.
fn release_stdout() {
    if let Ok(null) = OpenOptions::new().write(true).open("/dev/null") {
        // Without it the client sees the end a little later.
        let _ = nix::unistd::dup2_stdout(&null);
    }
}

#[cfg(test)]
mod tests {
    use super::code_of;
    use mcp_assay_transport::pipes::Exit;
    use std::time::Duration;

    #[test]
    fn the_exit_code_is_that_of_a_shell() {
        for (code, signal, expected) in [
            (Some(0), None, 0),
            (Some(3), None, 3),
            (None, Some(9), 137),
            (None, Some(15), 143),
            (None, None, 1),
        ] {
            let exit = Exit {
                code,
                signal,
                orphans: 0,
                after: Duration::ZERO,
            };
            assert_eq!(code_of(&exit), expected);
        }
    }
}
