//! A connection over HTTP: every request is an exchange of its own, and everything that comes back arrives in one place.

//!
//! ```text
//! post(), listen(), request() ... -> task of the exchange -> our bytes on a socket of the pool
//! socket -> tee (raw heads) -> hyper (framing) -> Head, Body or Events, End -> next() (bounded in bytes: a flooding target waits for us)
//! ```
//!
//! Only connecting is bounded in time here; all else by the deadline of [`next`](Client::next) and by
//! [`close_stream`](Client::close_stream).

pub(crate) mod by_hand;
pub mod dial;
pub mod endpoint;
mod exchange;
pub mod mirror;
mod output;
mod redirect;
mod socket;
mod tee;
mod trouble;

use crate::http_sse::Router;
use crate::{connection, streamable_http};
use by_hand::{Plan, field};
use bytes::Bytes;
use dial::Dial;
use endpoint::Endpoint;
use exchange::Exchange;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::sse;
use mcp_assay_wire::stdio::Limits;
use mirror::Mirror;
use output::{Output, Waiting};
use socket::Pool;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Bounds of a client's memory.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bounds of one body and of one event.
    pub frame: Limits,
    /// Bytes that have arrived and were not yet taken; readers over it wait.
    pub in_flight: usize,
    /// Bytes of one response head.
    pub head: usize,
    /// Bytes of a body that are read, kept or not, before it is cut.
    pub body_read: u64,
}

impl From<connection::Bounds> for Bounds {
    fn from(bounds: connection::Bounds) -> Self {
        Bounds {
            frame: bounds.frame,
            in_flight: bounds.in_flight,
            head: 256 * 1024,
            body_read: 64 * 1024 * 1024,
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        connection::Bounds::default().into()
    }
}

/// What the clients of one target share.
#[derive(Clone)]
pub struct Settings {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// Fields of the user, which win over ours; values may be secrets.
    pub headers: Vec<(String, String)>,
    /// Opens the sockets.
    pub dial: Arc<dyn Dial>,
    /// Bounds of memory.
    pub bounds: Bounds,
}

/// A request that was started.
#[derive(Clone, Debug)]
pub struct Started {
    /// Number of its exchange, from 1.
    pub exchange: u64,
    /// Its method.
    pub method: String,
    /// The target of its request line; empty where it is not known yet.
    pub target: String,
    /// Its head as it goes out.
    pub head: Head,
}

/// Something that came.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// Number of the exchange.
    pub exchange: u64,
    /// When it came.
    pub at: Instant,
    /// What it is.
    pub what: What,
}

/// What an exchange brings, in this order: heads, then a body or events, then the end.
#[derive(Clone, Debug)]
pub enum What {
    /// The head of a response that is no interim one; also of each redirect, before it is followed.
    Head {
        /// The head as it came.
        head: Head,
        /// Its status code.
        status: u16,
        /// Number of the socket that it came on, from 1.
        socket: u64,
    },
    /// The body of what is no event stream, unless it is empty.
    Body {
        /// Its bytes; the head only, where `length` says more.
        bytes: Bytes,
        /// How many bytes came.
        length: u64,
        /// Whether it broke off before the end that its framing has; bytes after that end take nothing from it.
        is_cut: bool,
    },
    /// An event of an event stream.
    Event(sse::Event),
    /// The end of the exchange, after which it brings nothing more.
    End(End),
    /// No socket could be opened, so nothing else comes; a fragment says why.
    Refused(String),
}

/// The body of a hand-written request.
#[derive(Clone, Debug)]
pub enum Body {
    /// None.
    None,
    /// Sent at once.
    Whole(Bytes),
    /// Sent in parts, each after a pause.
    Slow(Vec<(Duration, Bytes)>),
}

/// The HTTP side of one conversation. Dropping it closes everything.
pub struct Client {
    settings: Arc<Settings>,
    /// `None` for Streamable HTTP.
    router: Option<Router>,
    pool: Arc<Pool>,
    output: Output,
    arrivals: mpsc::Receiver<Waiting>,
    tasks: JoinSet<()>,
    running: BTreeMap<u64, Running>,
    last_exchange: u64,
    session: Option<Bytes>,
    version: Option<String>,
    mirror: Option<Arc<Mirror>>,
    opening: Option<Started>,
    /// Arrivals handed out in a row after the deadline of the call.
    late: usize,
}

/// An exchange whose end has not arrived.
struct Running {
    /// Gone once we closed it.
    close: Option<oneshot::Sender<()>>,
    /// Its response may begin an MCP session.
    is_initialize: bool,
}

impl Client {
    /// A client over Streamable HTTP.
    pub fn streamable(settings: Arc<Settings>) -> Self {
        Client::new(settings, None)
    }

    /// A client over HTTP+SSE of 2024-11-05. It opens the event stream at once, as exchange 1, and posts go where its `endpoint` event says.
    ///
    /// Must be called within a runtime.
    pub fn http_sse(settings: Arc<Settings>) -> Self {
        let mut client = Client::new(settings, Some(Router::new()));
        client.opening = Some(client.listen());
        client
    }

    fn new(settings: Arc<Settings>, router: Option<Router>) -> Self {
        let (output, arrivals) = Output::new(settings.bounds.in_flight);
        Client {
            pool: Arc::new(Pool::new(Arc::clone(&settings))),
            settings,
            router,
            output,
            arrivals,
            tasks: JoinSet::new(),
            running: BTreeMap::new(),
            last_exchange: 0,
            session: None,
            version: None,
            mirror: None,
            opening: None,
            late: 0,
        }
    }

    /// The exchange that was started with the client, once: the event stream of HTTP+SSE.
    pub fn opening(&mut self) -> Option<Started> {
        self.opening.take()
    }

    /// Whether it is known where posts go: always over Streamable HTTP.
    pub fn is_ready(&self) -> bool {
        match &self.router {
            None => true,
            Some(router) => router.now().is_some(),
        }
    }

    /// Posts a message; never waits. What is posted before it is known where to is sent once it is.
    pub fn post(&mut self, body: Bytes) -> Started {
        let plan = self.plan("POST", Body::Whole(body));
        self.start(plan, true)
    }

    /// Posts whatever bytes with the same fields.
    pub fn post_raw(&mut self, body: Bytes) -> Started {
        self.post(body)
    }

    /// Opens an event stream with GET.
    pub fn listen(&mut self) -> Started {
        let plan = self.plan("GET", Body::None);
        self.start(plan, false)
    }

    /// Opens an event stream from after this event.
    pub fn resume(&mut self, last_event_id: &str) -> Started {
        let mut plan = self.plan("GET", Body::None);
        plan.ours.push(field("Last-Event-ID", last_event_id));
        self.start(plan, false)
    }

    /// Ends the MCP session.
    pub fn delete(&mut self) -> Started {
        let plan = self.plan("DELETE", Body::None);
        self.start(plan, false)
    }

    /// Sends a hand-written request, on a socket of its own.
    ///
    /// **Shape**: `overrides` are put over the fields that this client would send, compared without case: no value removes the field, several
    /// repeat it. Names and values go out byte for byte.
    pub fn request(
        &mut self,
        method: &str,
        overrides: &[(String, Vec<Bytes>)],
        body: Body,
    ) -> Started {
        let mut plan = self.plan(method, body);
        plan.overrides = overrides.to_vec();
        plan.is_by_hand = true;
        self.start(plan, method == "POST")
    }

    /// Sets the revision that `MCP-Protocol-Version` names from now on.
    pub fn set_version(&mut self, version: Option<&str>) {
        self.version = version.map(str::to_owned);
    }

    /// Lets each POST repeat in its header what its body says, as from 2026-07-28 on; there is no session then.
    pub fn set_mirror(&mut self, mirror: Option<Arc<Mirror>>) {
        self.mirror = mirror;
    }

    /// The MCP session.
    pub fn session(&self) -> Option<&Bytes> {
        self.session.as_ref()
    }

    /// Sets the MCP session. The response to an `initialize` request sets it too, when its head is taken.
    pub fn set_session(&mut self, id: Option<Bytes>) {
        self.session = id;
    }

    /// Closes the socket of an exchange, whose end then arrives after what had come before; nothing, where it has ended.
    pub fn close_stream(&mut self, exchange: u64) {
        if let Some(running) = self.running.get_mut(&exchange) {
            running.close = None;
        }
    }

    /// The next arrival, or `None` when `deadline` passes first. What may have come before it is handed out after it too; what comes
    /// without end is not.
    pub async fn next(&mut self, deadline: Instant) -> Option<Arrival> {
        if Instant::now() < deadline {
            self.late = 0;
        } else if self.late >= output::MAX_WAITING {
            return None;
        } else {
            self.late += 1;
        }
        loop {
            tokio::select! {
                biased;
                // We hold an end of the channel ourselves, so it never closes.
                waiting = self.arrivals.recv() => {
                    let (arrival, _room) = waiting?;
                    self.settle(&arrival);
                    return Some(arrival);
                }
                Some(task) = self.tasks.join_next() => {
                    // A bug of ours must not look like silence of the target.
                    if let Err(error) = task && error.is_panic() {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
                () = tokio::time::sleep_until(deadline) => return None,
            }
        }
    }

    /// Sockets opened so far.
    pub fn sockets(&self) -> u64 {
        self.pool.opened()
    }

    /// Exchanges whose end has not arrived.
    pub fn pending(&self) -> usize {
        self.running.len()
    }

    /// A new client of the same kind and settings, with neither session nor version.
    pub fn sibling(&self) -> Self {
        let settings = Arc::clone(&self.settings);
        let mut sibling = match self.router {
            None => Client::streamable(settings),
            Some(_) => Client::http_sse(settings),
        };
        sibling.mirror.clone_from(&self.mirror);
        sibling
    }

    /// What it was made with.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    fn plan(&self, method: &str, body: Body) -> Plan {
        let mut ours = streamable_http::fields(method);
        let repeated = self.mirror.as_ref().filter(|_| self.router.is_none());
        if let Some(mirror) = repeated {
            ours.extend(match &body {
                Body::Whole(bytes) => mirror.fields(bytes),
                Body::Slow(pieces) => {
                    let pieces: Vec<u8> = pieces
                        .iter()
                        .flat_map(|(_, piece)| piece.to_vec())
                        .collect();
                    mirror.fields(&pieces)
                }
                Body::None => Vec::new(),
            });
        } else if self.router.is_none() {
            let session = self.session.as_ref();
            ours.extend(streamable_http::session_fields(
                session,
                self.version.as_deref(),
            ));
        }
        Plan {
            method: method.to_owned(),
            ours,
            overrides: Vec::new(),
            body,
            is_by_hand: false,
        }
    }

    fn start(&mut self, plan: Plan, is_post: bool) -> Started {
        let to = match &self.router {
            Some(router) if is_post => router.now(),
            Some(_) | None => Some(self.settings.endpoint.clone()),
        };
        let first = &self.settings.endpoint;
        let unknown = Endpoint {
            target: String::new(),
            ..first.clone()
        };
        let shown = to.as_ref().unwrap_or(&unknown);
        self.last_exchange += 1;
        let started = Started {
            exchange: self.last_exchange,
            method: plan.method.clone(),
            target: shown.target.clone(),
            head: plan.head(first, shown, &self.settings.headers),
        };
        let is_initialize = match &plan.body {
            Body::Whole(bytes) => streamable_http::is_initialize(bytes),
            Body::None | Body::Slow(_) => false,
        };
        let (close, closed) = oneshot::channel();
        let running = Running {
            close: Some(close),
            is_initialize,
        };
        self.running.insert(started.exchange, running);
        let exchange = Exchange {
            plan,
            to,
            router: self.router.clone(),
            settings: Arc::clone(&self.settings),
            pool: Arc::clone(&self.pool),
            output: self.output.of(started.exchange),
        };
        self.tasks.spawn(exchange.run(closed));
        started
    }

    /// Keeps what an arrival means for this client.
    fn settle(&mut self, arrival: &Arrival) {
        match &arrival.what {
            What::Head { head, status, .. } => {
                let running = self.running.get(&arrival.exchange);
                let is_initialize = running.is_some_and(|running| running.is_initialize);
                if is_initialize
                    && self.router.is_none()
                    && self.mirror.is_none()
                    && (200..300).contains(status)
                    && let Some(id) = streamable_http::session_of(head)
                {
                    self.session = Some(id);
                }
            }
            What::End(_) | What::Refused(_) => {
                self.running.remove(&arrival.exchange);
            }
            What::Body { .. } | What::Event(_) => {}
        }
    }
}
