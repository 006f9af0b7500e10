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
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::block_in_place;
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
    let copy = |which| Copy::of(feed.stream(which));
    let (sent, received, told) = (
        copy(of_process(Direction::Sent)),
        copy(of_process(Direction::Received)),
        copy(Which::Stderr),
    );
    let (gone, is_gone) = watch::channel(false);
    take_input(stdin, sent.clone())?;
    let output = tokio::spawn(give(
        stdout,
        io::stdout(),
        received.clone(),
        is_gone.clone(),
        release_stdout,
    ));
    let errors =
        stderr.map(|stderr| tokio::spawn(give(stderr, io::stderr(), told.clone(), is_gone, || ())));
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
    // Nobody takes the input any more.
    sent.close();
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
    received.close();
    told.close();
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

/// The copy of a stream that a thread holds which nobody can interrupt: it is taken away from it when the listening is over.
#[derive(Clone)]
struct Copy(Arc<Mutex<Option<Stream>>>);

impl Copy {
    fn of(stream: Stream) -> Self {
        Copy(Arc::new(Mutex::new(Some(stream))))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stream>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self, bytes: &[u8]) {
        if let Some(stream) = &mut *self.lock() {
            stream.copy(bytes);
        }
    }

    fn end(&self) {
        if let Some(stream) = &mut *self.lock() {
            stream.end();
        }
    }

    fn close(&self) {
        *self.lock() = None;
    }
}

/// Passes our standard input on, on a thread of its own: it may stay in a read for ever, and what it has read goes on without a detour.
///
/// **Errors**: the system gives no thread.
fn take_input(mut to: Box<dyn AsyncWrite + Send + Unpin>, copy: Copy) -> io::Result<()> {
    let runtime = Handle::current();
    let pass = move || {
        let mut from = io::stdin().lock();
        let mut buffer = vec![0; PIECE];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(read) if read > 0 => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                _ => break,
            };
            let piece = &buffer[..read];
            copy.copy(piece);
            let passed = runtime.block_on(async {
                to.write_all(piece).await?;
                to.flush().await
            });
            if passed.is_err() {
                // Nobody reads there any more; the client shall see it, as it would without us.
                release(|null| nix::unistd::dup2_stdin(null));
                break;
            }
        }
        copy.end();
        // An end that the server has closed itself needs no closing.
        let _ = runtime.block_on(to.shutdown());
    };
    thread::Builder::new()
        .name("input".to_owned())
        .spawn(pass)?;
    Ok(())
}

/// Passes an output of the server on as it comes, until one side has ended.
async fn give(
    mut from: impl AsyncRead + Unpin,
    mut to: impl Write,
    copy: Copy,
    mut is_gone: watch::Receiver<bool>,
    ended: fn(),
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
        // At once, where we are: a client that does not read holds up nobody but the server.
        let passed = block_in_place(|| {
            to.write_all(piece)?;
            to.flush()
        });
        if passed.is_err() {
            break;
        }
    }
    copy.end();
    ended();
}

/// Waits until nothing more can be expected of a server that has ended.
async fn dry(is_gone: &mut watch::Receiver<bool>) {
    if is_gone.wait_for(|gone| *gone).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(DRY).await;
}

/// Ends our standard output.
fn release_stdout() {
    release(|null| nix::unistd::dup2_stdout(null));
}

/// Puts `/dev/null` in place of one of our streams, whose other end sees it closed at once, not when we have judged.
fn release(replace: impl FnOnce(&File) -> nix::Result<()>) {
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        // Without it the other end sees it a little later.
        let _ = replace(&null);
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
