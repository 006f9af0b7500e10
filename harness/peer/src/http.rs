//! The server over HTTP: Streamable HTTP at `/mcp`, and the HTTP+SSE transport of 2024-11-05 at `/sse` and `/messages`.
//!
//! Each HTTP session is one core as on stdio ([`crate::connection`]); this layer carries messages to it and its messages to streams. The
//! requests of 2026-07-28, which are in no session, share one.
//!
//! ```text
//! socket -> hyper -> gate (Host, Origin, Accept, ...) -> endpoint, http_sse -> Posted -> connection, server, session
//!                                                            ^                                  |
//!                                  Answered, Body <---- streams <---- router (the fault's teller) <--- Out
//! ```
//!
//! **Source**: `2024-11-05/basic/transports`, `2025-11-25/basic/transports` and those between,
//! `2026-07-28/basic/transports/streamable-http`.

mod answer;
mod body;
mod endpoint;
mod event;
mod gate;
mod http_sse;
mod modern;
mod posting;
mod router;
mod sessions;
mod spelling;
mod state;
mod streams;
mod strike;

use crate::fault::{FaultRefused, Planted};
use crate::options::Options;
use body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use sessions::{HttpSession, Sessions, Shape};
use spelling::Spelling;
use state::{Life, State};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// How an HTTP server is to behave.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// As on every binding. `drain_timeout` has no meaning here.
    pub options: Options,
    /// Events of one session that are kept for clients that resume a stream; beyond it the oldest go.
    pub event_history: usize,
    /// Told to clients in the first event of each stream: milliseconds to wait before they come back.
    pub retry_ms: Option<u64>,
    /// Names, beside those of the loopback, under which the server may be addressed.
    pub hosts: Vec<String>,
}

impl Default for HttpOptions {
    /// Honest, on loopback names alone.
    fn default() -> Self {
        HttpOptions {
            options: Options::default(),
            event_history: 1000,
            retry_ms: None,
            hosts: Vec::new(),
        }
    }
}

/// The reference server over HTTP: its sessions, and the fault it may have. Cheap to clone; the clones are one server.
///
/// **Shape**: needs a tokio runtime with its clock. Once no clone is left and no socket served, all its sessions end.
#[derive(Clone)]
pub struct HttpServer(Arc<Shared>);

/// The number of the socket that a request came on, among its extensions.
#[derive(Clone, Copy, Debug)]
struct Socket(u64);

/// What the clones share.
struct Shared {
    options: HttpOptions,
    state: Arc<State>,
    /// How many sockets were served.
    sockets: AtomicU64,
    sessions: Sessions,
    /// The core of all modern requests, from the first on.
    modern: OnceLock<Arc<HttpSession>>,
}

impl Shared {
    fn modern(&self) -> &Arc<HttpSession> {
        let begin = || HttpSession::begin(&self.state, &self.options.options, 0, Shape::Modern);
        self.modern.get_or_init(begin)
    }
}

/// The socket is closed on purpose, with no answer.
#[derive(Debug, thiserror::Error)]
#[error("closed without an answer")]
struct Closed;

impl HttpServer {
    /// A server without sessions.
    ///
    /// **Shape**: a fault that was planted for lines ([`Planted::new`]) is told here too if it can be; where it cannot, the server is
    /// honest and [`HttpServer::refused`] says why.
    pub fn new(options: HttpOptions) -> HttpServer {
        let mut options = options;
        let mut refused = None;
        let mut planted = options.options.fault.take().map(Planted::here);
        if let Some(fault) = &planted
            && let Err(why) = fault.check_on_http()
        {
            refused = Some(why);
            planted = None;
        }
        options.options.fault = planted.clone();
        let offer = options.options.offer();
        let state = State::new(planted, refused, offer, &options);
        HttpServer(Arc::new(Shared {
            state: Arc::new(state),
            sockets: AtomicU64::new(0),
            sessions: Sessions::default(),
            modern: OnceLock::new(),
            options,
        }))
    }

    /// Serves one socket until it closes: a TCP stream or an in-memory one.
    ///
    /// **Shape**: paths are `/mcp` (Streamable HTTP), `/sse` and `/messages` (HTTP+SSE). A fault under which a process would die closes
    /// every socket; later ones are closed at once without a byte. A fault under which a process would hang reads and never answers.
    pub async fn serve_socket<S>(&self, socket: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut life = self.0.state.life();
        if *life.borrow() == Life::Dead {
            return;
        }
        let socket = Spelling::new(socket, Arc::clone(&self.0.state));
        let number = Socket(self.0.sockets.fetch_add(1, Ordering::Relaxed));
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(number);
            self.clone().answer(request)
        });
        let serving = hyper::server::conn::http1::Builder::new()
            // The same conversation gives the same bytes, whatever the time.
            .auto_date_header(false)
            .serve_connection(TokioIo::new(socket), service);
        tokio::select! {
            biased;
            _ = life.wait_for(|life| *life == Life::Dead) => {}
            served = serving => {
                if served.is_err_and(|error| error.is_parse()) {
                    self.0.state.malformed_http();
                }
            }
        }
    }

    /// How often the fault struck on this server.
    pub fn fired(&self) -> u64 {
        self.0.state.fired()
    }

    /// Why the fault could not strike what it hit, or could never strike here; then the server was honest.
    pub fn refused(&self) -> Option<FaultRefused> {
        self.0.state.refused()
    }

    /// How many HTTP sessions are open.
    pub fn sessions(&self) -> usize {
        self.0.sessions.count()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        answer::answer(&self.0, request).await
    }
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpServer")
            .field("sessions", &self.sessions())
            .field("fired", &self.fired())
            .finish_non_exhaustive()
    }
}

/// Accepts sockets and serves them, for ever. Dropping the future closes them all.
///
/// **Errors**: where the listener cannot accept any more.
pub async fn listen(server: HttpServer, listener: TcpListener) -> std::io::Result<()> {
    let mut sockets = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = sockets.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    // Small events go out as they are written; where the option cannot be set they only go out later.
                    drop(socket.set_nodelay(true));
                    let server = server.clone();
                    sockets.spawn(async move { server.serve_socket(socket).await });
                }
                // A client that gave up before it was accepted is no trouble of the listener's.
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => return Err(error),
            },
        }
    }
}

fn is_of_one_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
