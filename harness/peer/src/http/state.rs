//! What holds for the whole HTTP server: whether it lives, its fault, and what its sessions share where a lie has them share it.

use super::HttpOptions;
use super::streams::Streams;
use crate::fault::quirk::Quirk;
use crate::fault::{FaultRefused, Planted};
use crate::offer::Offer;
use crate::outgoing::PostNumber;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Semaphore, watch};

/// JSON-RPC ids that are remembered for [`Quirk::SharesSessions`].
const MOST_SHARED: usize = 1024;

/// Whether the server still answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Life {
    /// It does.
    Alive,
    /// It reads and never answers.
    Hung,
    /// Every socket closes.
    Dead,
}

/// A POST of some session.
pub(super) type SharedPost = (Weak<Mutex<Streams>>, PostNumber);

/// State of the whole server. Sessions hold it; it holds none of them.
pub(super) struct State {
    /// The revisions offered.
    pub offer: Offer,
    /// Names under which the server may be addressed, beside the loopback's.
    pub hosts: Vec<String>,
    /// Events kept for each session.
    pub event_history: usize,
    /// Milliseconds that the first event of a stream tells.
    pub retry_ms: Option<u64>,
    /// For [`Quirk::OneRequestAtATime`]: who may be served.
    pub turns: Arc<Semaphore>,
    planted: Option<Planted>,
    refused: Option<FaultRefused>,
    quirk: Option<Quirk>,
    life: watch::Sender<Life>,
    /// For [`Quirk::BreaksOnDeleteInFlight`]: requests that are still to be refused.
    refusals: AtomicU32,
    shared: Mutex<HashMap<String, Vec<SharedPost>>>,
}

impl State {
    /// The state of a server that has not begun.
    pub fn new(
        planted: Option<Planted>,
        refused: Option<FaultRefused>,
        offer: Offer,
        options: &HttpOptions,
    ) -> Self {
        State {
            offer,
            hosts: options.hosts.clone(),
            event_history: options.event_history,
            retry_ms: options.retry_ms,
            turns: Arc::new(Semaphore::new(1)),
            quirk: planted.as_ref().and_then(Planted::quirk),
            planted,
            refused,
            life: watch::Sender::new(Life::Alive),
            refusals: AtomicU32::new(0),
            shared: Mutex::default(),
        }
    }

    /// Whether the server has this quirk.
    pub fn is(&self, quirk: Quirk) -> bool {
        self.quirk == Some(quirk)
    }

    /// Whether the server has this quirk, which shows now and is counted.
    pub fn shows(&self, quirk: Quirk) -> bool {
        let shows = self.is(quirk);
        if shows {
            self.fire();
        }
        shows
    }

    /// The fault.
    pub fn planted(&self) -> Option<&Planted> {
        self.planted.as_ref()
    }

    /// The fault struck.
    pub fn fire(&self) {
        if let Some(planted) = &self.planted {
            planted.fire(1);
        }
    }

    /// How often it struck.
    pub fn fired(&self) -> u64 {
        self.planted.as_ref().map_or(0, Planted::fired_here)
    }

    /// Why it did not.
    pub fn refused(&self) -> Option<FaultRefused> {
        let here = self.planted.as_ref().and_then(Planted::refused_here);
        here.or_else(|| self.refused.clone())
    }

    /// To wait for the end.
    pub fn life(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    /// Whether nothing is answered any more.
    pub fn is_hung(&self) -> bool {
        *self.life.borrow() == Life::Hung
    }

    /// A session ended while something in it was still to be answered.
    pub fn ended_in_flight(&self) {
        let refusals = match self.quirk {
            Some(Quirk::BreaksOnDeleteInFlight) => u32::MAX,
            Some(Quirk::StumblesOnDeleteInFlight) => 1,
            Some(_) | None => return,
        };
        self.refusals.store(refusals, Ordering::Relaxed);
    }

    /// Whether a request is refused for what came before, which shows now and is counted.
    pub fn shows_refusal(&self) -> bool {
        let less = |refusals: u32| refusals.checked_sub(1);
        let left = self
            .refusals
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        if left.is_ok() {
            self.fire();
        }
        left.is_ok()
    }

    /// Closes every socket, for ever.
    pub fn die(&self) {
        self.life.send_replace(Life::Dead);
    }

    /// Answers nothing from now on.
    pub fn hang(&self) {
        self.life.send_replace(Life::Hung);
    }

    /// Bytes came that are no HTTP.
    pub fn malformed_http(&self) {
        if self.shows(Quirk::DiesOnMalformedHttp) {
            self.die();
        }
    }

    /// Remembers who asked under a JSON-RPC id, where the sessions share that.
    pub fn share(&self, id: &str, post: SharedPost) {
        if !self.is(Quirk::SharesSessions) {
            return;
        }
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.len() >= MOST_SHARED {
            shared.clear();
        }
        let asked = shared.entry(id.to_owned()).or_default();
        asked.retain(|(streams, _)| streams.strong_count() > 0);
        asked.push(post);
    }

    /// The POSTs that other sessions sent under a JSON-RPC id.
    pub fn sharers(&self, id: &str, own: &Arc<Mutex<Streams>>) -> Vec<(Arc<Mutex<Streams>>, u64)> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = shared.get(id).into_iter().flatten();
        let asked = asked.filter_map(|(streams, post)| Some((streams.upgrade()?, *post)));
        asked
            .filter(|(streams, _)| !Arc::ptr_eq(streams, own))
            .collect()
    }
}
