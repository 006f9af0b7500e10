//! HTTP sessions: each one core, with its streams; and the ids they go by.

use super::posting::{Answered, Brought, ids};
use super::router::Router;
use super::state::State;
use super::streams::Streams;
use crate::assembly::Core;
use crate::connection::{Posted, Stop};
use crate::fault::quirk::Quirk;
use crate::fault::teller::Teller;
use crate::incoming::Line;
use crate::options::Options;
use mcp_assay_model::protocol::{Era, Revision};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinSet;

/// Sessions at once; beyond it the oldest ends, as a server may end any.
const MOST_SESSIONS: usize = 1024;

/// Ids of ended sessions that are remembered as such.
const MOST_ENDED: usize = 4096;

/// POSTs that may wait until the core turns to them.
const QUEUED: usize = 64;

/// What a core is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shape {
    /// One session of Streamable HTTP up to 2025-11-25.
    Streamable,
    /// One stream of HTTP+SSE.
    HttpSse,
    /// All requests of 2026-07-28, which knows no sessions: each stands alone, whoever sends it.
    Modern,
}

/// One HTTP session: what `Mcp-Session-Id` names, or over HTTP+SSE the stream's query.
pub(super) struct HttpSession {
    /// Its id.
    pub id: String,
    /// What it is for.
    pub shape: Shape,
    /// Which session of the server it is, from 1.
    serial: u64,
    posts: mpsc::Sender<Posted>,
    streams: Arc<Mutex<Streams>>,
    teller: Arc<Mutex<Teller>>,
    state: Arc<State>,
    /// HTTP exchanges of the method that a fault is aimed at.
    exchanges: AtomicU32,
    is_initialized: AtomicBool,
    /// The core and the router; they end with the session.
    tasks: Mutex<JoinSet<()>>,
}

impl HttpSession {
    /// A session in which nothing was said.
    pub fn begin(state: &Arc<State>, options: &Options, serial: u64, shape: Shape) -> Arc<Self> {
        let era = match shape {
            Shape::Streamable | Shape::HttpSse => Era::Legacy,
            Shape::Modern => Era::Modern,
        };
        let core = Core::new(options, &state.offer, Some(era));
        let (connection, queue, teller) = (core.connection, core.queue, core.teller);
        let streams = Streams::new(Arc::clone(state), Arc::clone(&teller), shape);
        let streams = Arc::new(Mutex::new(streams));
        let router = Router::new(Arc::clone(state), Arc::clone(&streams), Arc::clone(&teller));
        let (posts, posted) = mpsc::channel(QUEUED);
        let mut tasks = JoinSet::new();
        let life = Arc::clone(state);
        tasks.spawn(async move {
            if let Stop::Exit(_) = connection.run_posts(posted).await {
                life.die();
            }
        });
        tasks.spawn(router.run(queue));
        Arc::new(HttpSession {
            id: match shape {
                Shape::Streamable | Shape::HttpSse => session_id(state, serial),
                Shape::Modern => String::new(),
            },
            shape,
            serial,
            posts,
            streams,
            teller,
            state: Arc::clone(state),
            exchanges: AtomicU32::new(0),
            is_initialized: AtomicBool::new(false),
            tasks: Mutex::new(tasks),
        })
    }

    /// Hands a POST to the core; what becomes of it is told once it is known.
    pub async fn post(
        &self,
        line: Line,
        brought: Brought,
        turn: Option<OwnedSemaphorePermit>,
    ) -> oneshot::Receiver<Answered> {
        let ids = ids(&line);
        let (number, answered) = self.streams().posted(brought, turn, ids.clone());
        for id in ids {
            self.state
                .share(&id.0, (Arc::downgrade(&self.streams), number));
        }
        // Where the core is gone, so is the session, and the answer is dropped.
        drop(self.posts.send(Posted { number, line }).await);
        answered
    }

    /// Its streams.
    pub fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The negotiated revision, once there is one.
    pub fn spoken(&self) -> Option<Revision> {
        let teller = self.teller.lock();
        teller.unwrap_or_else(PoisonError::into_inner).spoken()
    }

    /// `notifications/initialized` came.
    pub fn initialized(&self) {
        self.is_initialized.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub fn is_initialized(&self) -> bool {
        self.is_initialized.load(Ordering::Relaxed)
    }

    /// Counts an exchange that a fault may strike.
    pub fn count_exchange(&self) -> u32 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ends all of it.
    pub fn end(&self) {
        let tasks = self.tasks.lock();
        tasks.unwrap_or_else(PoisonError::into_inner).abort_all();
        self.streams().close();
    }
}

/// An id that looks random and is the same in every run: 32 hexadecimal digits, never given twice by one server.
fn session_id(state: &State, serial: u64) -> String {
    if state.shows(Quirk::PredictableSessionIds) {
        return serial.to_string();
    }
    let counted = if state.is(Quirk::ReusesSessionId) {
        if serial > 1 {
            state.fire();
        }
        1
    } else {
        serial
    };
    let hash = Sha256::digest(format!("mcp-assay reference server, session {counted}"));
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if state.shows(Quirk::SessionIdWithSpace) {
        let (first, second) = hex.split_at(16);
        return format!("{first} {second}");
    }
    if state.shows(Quirk::StrangeSessionIds) {
        return format!("{STRANGE}{hex}");
    }
    hex
}

/// Every visible ASCII character that is no letter and no digit.
const STRANGE: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// The sessions of a server.
#[derive(Default)]
pub(super) struct Sessions(Mutex<All>);

#[derive(Default)]
struct All {
    begun: u64,
    open: BTreeMap<u64, Arc<HttpSession>>,
    ended: VecDeque<String>,
    /// Exchanges of the method that a fault is aimed at, before there was a session.
    exchanges: u32,
}

impl Sessions {
    /// A number for a new session.
    pub fn next_serial(&self) -> u64 {
        let mut all = self.lock();
        all.begun += 1;
        all.begun
    }

    /// A session goes by its id from now on; one with the same id by none.
    pub fn open(&self, session: Arc<HttpSession>) {
        let mut all = self.lock();
        let oldest = all.open.values().next().cloned();
        let same = all.open.values().find(|open| open.id == session.id);
        let gone = match same.cloned() {
            None if all.open.len() >= MOST_SESSIONS => {
                all.ended
                    .extend(oldest.as_ref().map(|oldest| oldest.id.clone()));
                oldest
            }
            same => same,
        };
        if let Some(gone) = &gone {
            all.open.remove(&gone.serial);
        }
        all.open.insert(session.serial, session);
        drop(all);
        if let Some(gone) = gone {
            gone.end();
        }
    }

    /// The session with this id.
    pub fn find(&self, id: &str, shape: Shape) -> Option<Arc<HttpSession>> {
        let all = self.lock();
        let mut open = all.open.values();
        let found = open.find(|open| open.id == id && open.shape == shape);
        found.cloned()
    }

    /// The session opened last, of Streamable HTTP or of either.
    pub fn latest(&self, of_streamable: bool) -> Option<Arc<HttpSession>> {
        let all = self.lock();
        let mut open = all.open.values().rev();
        let latest = open.find(|open| !of_streamable || open.shape == Shape::Streamable);
        latest.cloned()
    }

    /// Whether a session with this id has ended.
    pub fn has_ended(&self, id: &str) -> bool {
        self.lock().ended.iter().any(|ended| ended == id)
    }

    /// Ends a session.
    pub fn end(&self, session: &HttpSession) {
        let mut all = self.lock();
        let gone = all.open.remove(&session.serial);
        if gone.is_some() {
            all.ended.push_back(session.id.clone());
            if all.ended.len() > MOST_ENDED {
                all.ended.pop_front();
            }
        }
        drop(all);
        session.end();
    }

    /// Counts an exchange that a fault may strike, where there is no session yet.
    pub fn count_exchange(&self) -> u32 {
        let mut all = self.lock();
        all.exchanges += 1;
        all.exchanges
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
