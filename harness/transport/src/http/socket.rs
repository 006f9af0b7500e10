//! Sockets of one client, and hyper on each of them.

use super::endpoint::Endpoint;
use super::tee::{Shared, Tee};
use super::{Settings, dial::Stream};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::WriteHalf;
use tokio::task::JoinHandle;

/// Idle sockets that are kept.
const MAX_IDLE: usize = 8;

/// Fields of one response head, more than any lawful server sends.
const MAX_FIELDS: usize = 512;

/// What hyper needs at least, to work at all.
const LEAST_BUFFER: usize = 8 * 1024;

/// An open socket with hyper on its reading side.
pub(super) struct Socket {
    /// From 1, in the order of opening.
    pub(super) number: u64,
    /// Whether an exchange has been on it before.
    pub(super) is_reused: bool,
    pub(super) sender: SendRequest<Empty<Bytes>>,
    pub(super) write: WriteHalf<Box<dyn Stream>>,
    pub(super) seen: Shared,
    to: Endpoint,
    driver: JoinHandle<()>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The idle sockets of a client, and the count of all it opened.
pub(super) struct Pool {
    settings: Arc<Settings>,
    idle: Mutex<Vec<Socket>>,
    opened: AtomicU64,
}

impl Pool {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Pool {
            settings,
            idle: Mutex::default(),
            opened: AtomicU64::new(0),
        }
    }

    /// Sockets opened so far.
    pub(super) fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// An idle socket to the same origin that does not look closed.
    pub(super) async fn idle(&self, endpoint: &Endpoint) -> Option<Socket> {
        loop {
            let mut socket = {
                let mut idle = self.lock();
                let index = idle
                    .iter()
                    .rposition(|socket| socket.to.same_origin(endpoint))?;
                idle.swap_remove(index)
            };
            if socket.sender.ready().await.is_ok() {
                socket.is_reused = true;
                return Some(socket);
            }
        }
    }

    /// Takes a socket back after an exchange that ended as it should.
    pub(super) fn put_back(&self, socket: Socket) {
        let mut idle = self.lock();
        if idle.len() == MAX_IDLE {
            idle.remove(0);
        }
        idle.push(socket);
    }

    /// Opens a socket.
    pub(super) async fn open(&self, endpoint: &Endpoint) -> io::Result<Socket> {
        let stream = self.settings.dial.dial(endpoint).await?;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let bound = self.settings.bounds.head.max(LEAST_BUFFER);
        let seen = Shared::new(bound);
        let (read, write) = tokio::io::split(stream);
        // Lenient where it can be: what is wrong with a head is judged from its bytes, and the body is wanted nevertheless.
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(bound)
            .max_headers(MAX_FIELDS)
            .allow_spaces_after_header_name_in_responses(true)
            .allow_obsolete_multiline_headers_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake(TokioIo::new(Tee::new(read, seen.clone())))
            .await
            .map_err(io::Error::other)?;
        let driver = tokio::spawn(async move {
            // Its errors reach the exchange; those between exchanges make the socket unfit, which is noticed on reuse.
            let _ = connection.await;
        });
        Ok(Socket {
            number,
            is_reused: false,
            sender,
            write,
            seen,
            to: endpoint.clone(),
            driver,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Socket>> {
        self.idle
            .lock()
            .expect("no code panics while it holds this lock")
    }
}
