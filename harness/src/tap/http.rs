//! HTTP: a connection to the server for each of a client's, and the bytes of one passed to the other as they come.
//!
//! ```text
//! client -> Messages -> Host replaced in each head -> server
//! client <-------------------------------------------  server
//! ```
//!
//! So framing, keep-alive, streams, upgrades and the way that a connection ends are those of the two sides. Redirects are not followed. What
//! the client sends and is no HTTP is passed on all the same.

use super::feed::{Fed, Feed, Stream, Which};
use super::host::with_host;
use crate::traffic::http1::{Messages, What};
use mcp_assay_model::record::Direction;
use mcp_assay_transport::http::dial::{Dial, Stream as Bytes};
use mcp_assay_transport::http::endpoint::Endpoint;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Bytes that are read at once.
const PIECE: usize = 64 * 1024;
/// Pause before the next connection is taken after one could not be: no descriptors are left, as a rule.
const PAUSE: Duration = Duration::from_millis(50);

/// Where a proxy goes.
pub struct Upstream {
    /// Its address.
    pub endpoint: Endpoint,
    /// Opens connections to it.
    pub dial: Arc<dyn Dial>,
    /// Says a line to people.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Passes everything on, for any number of clients, until the future is dropped.
pub async fn pass(listener: TcpListener, upstream: Arc<Upstream>, feed: Feed) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, from)) => {
                    number += 1;
                    // On failure it is merely slower.
                    let _ = client.set_nodelay(true);
                    feed.say(Fed::Opened { socket: number, client: from.ip().to_string() });
                    connections.spawn(connect(Box::new(client), number, Arc::clone(&upstream), feed.clone()));
                }
                Err(error) => {
                    (upstream.say)(&format!("a connection could not be taken: {error}"));
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(client: Box<dyn Bytes>, socket: u64, upstream: Arc<Upstream>, feed: Feed) {
    let by_server = match upstream.dial.dial(&upstream.endpoint).await {
        Ok(server) => {
            let host = &upstream.endpoint.authority;
            both((client, server), host, socket, &feed).await
        }
        Err(error) => {
            // A client without us would not have been connected either.
            let url = upstream.endpoint.url();
            (upstream.say)(&format!("{url} is not reached: {error}"));
            drop(client);
            Some("not reached".to_owned())
        }
    };
    feed.say(Fed::Closed {
        socket,
        at: feed.now(),
        by_server,
    });
}

/// Passes bytes both ways until both have ended, or one cannot go on; tells how the server ended it, where it did so first.
async fn both(
    (client, server): (Box<dyn Bytes>, Box<dyn Bytes>),
    host: &str,
    socket: u64,
    feed: &Feed,
) -> Option<String> {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let first: Mutex<Option<Option<String>>> = Mutex::new(None);
    let mut sent = feed.stream(Which::Messages(socket, Direction::Sent));
    let mut received = feed.stream(Which::Messages(socket, Direction::Received));
    let asking = async {
        let ended = requests(&mut from_client, &mut to_server, host, &mut sent).await;
        if let Ended::Read(_) = ended {
            first.lock().await.get_or_insert(None);
            // The server may still answer what it was asked.
            let _ = to_server.shutdown().await;
        }
    };
    let answering = async {
        let ended = responses(&mut from_server, &mut to_client, &mut received).await;
        match ended {
            Ended::Read(error) => {
                let how = match error {
                    None => "the server closed the connection".to_owned(),
                    Some(error) => format!("the connection to the server broke off: {error}"),
                };
                first.lock().await.get_or_insert(Some(how));
                let _ = to_client.shutdown().await;
                true
            }
            Ended::Write => {
                first.lock().await.get_or_insert(None);
                false
            }
        }
    };
    tokio::pin!(asking, answering);
    tokio::select! {
        () = &mut asking => {
            answering.await;
        }
        goes_on = &mut answering => {
            if goes_on {
                asking.await;
            }
        }
    }
    // Where both ends wait for each other, whoever was first has ended it.
    let first = first.lock().await.take();
    first.flatten()
}

/// How one way ended.
enum Ended {
    /// No more comes: the end, or an error.
    Read(Option<io::Error>),
    /// Nobody takes it any more.
    Write,
}

async fn requests(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    host: &str,
    copy: &mut Stream,
) -> Ended {
    let mut buffer = vec![0; PIECE];
    let mut messages = Messages::requests();
    let mut piece = Vec::new();
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) => {
                // A head that will not be whole goes as it is.
                let _ = to.write_all(messages.held()).await;
                break Ended::Read(None);
            }
            Ok(read) => read,
            Err(error) => break Ended::Read(Some(error)),
        };
        copy.copy(&buffer[..read]);
        piece.clear();
        let mut rest = &buffer[..read];
        while let Some(step) = messages.step(&mut rest, &mut |_| None) {
            match step.what {
                What::Head(_) => piece.extend(with_host(&step.raw, host)),
                What::Data | What::Framing | What::End | What::Opaque => {
                    piece.extend_from_slice(&step.raw);
                }
            }
        }
        if !piece.is_empty() && (to.write_all(&piece).await.is_err() || to.flush().await.is_err()) {
            break Ended::Write;
        }
    }
}

async fn responses(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    copy: &mut Stream,
) -> Ended {
    let mut buffer = vec![0; PIECE];
    loop {
        let read = match from.read(&mut buffer).await {
            Ok(0) => break Ended::Read(None),
            Ok(read) => read,
            Err(error) => break Ended::Read(Some(error)),
        };
        copy.copy(&buffer[..read]);
        if to.write_all(&buffer[..read]).await.is_err() || to.flush().await.is_err() {
            break Ended::Write;
        }
    }
}

#[cfg(test)]
mod tests;
