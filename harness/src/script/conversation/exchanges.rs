//! What a conversation knows of its HTTP exchanges: which sent message each carries, how far it is, and whether its stream can be resumed.

use super::SentIndex;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Resumptions of one stream; a server that always closes it before the answer is taken at its word after that.
pub(super) const MOST_RESUMPTIONS: u32 = 20;
/// Events of one stream in one case; one that brings more is not read on.
pub(super) const MOST_EVENTS: usize = 1_000;
/// Events after the response on the stream that was opened for it, which should have ended.
pub(super) const MOST_AFTERTHOUGHTS: usize = 100;
/// Exchanges at once beyond which the target's own requests are not answered any more: it asks faster than it takes answers.
pub(super) const MOST_AT_ONCE: usize = 64;
/// Wait before a resumption, where the server named none.
const USUAL_RETRY: Duration = Duration::from_secs(1);

/// What an exchange is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Carries a sent message.
    Carries(SentIndex),
    /// The stream on which the server speaks of its own accord.
    Listens,
    /// Takes up the stream of an earlier exchange.
    Resumes(u64),
}

/// One exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What it is for.
    pub purpose: Purpose,
    /// Position of the last response head.
    pub head: Option<u64>,
    /// Its status.
    pub status: Option<u16>,
    /// Whether it is an event stream.
    pub is_stream: bool,
    /// Whether it is over.
    pub is_over: bool,
    /// Whether its head was waited for long enough, in vain.
    pub is_given_up: bool,
    /// Events of its stream in this case.
    events: usize,
    /// Those of them that came after the response it was opened for.
    afterthoughts: usize,
    /// Last event id of its stream.
    pub last_event_id: Option<String>,
    /// Wait before reconnecting, as the server named it.
    retry: Option<Duration>,
    /// How often it was resumed.
    resumed: u32,
    /// When it is resumed next.
    due: Option<Instant>,
    /// The exchange that resumes it now.
    resumed_by: Option<u64>,
}

/// All exchanges of a conversation, by number.
#[derive(Debug, Default)]
pub struct Exchanges {
    all: BTreeMap<u64, Exchange>,
    /// Those that are not over: few, where there are thousands in all.
    running: BTreeSet<u64>,
    /// Whether any was ever to be resumed: mostly none is, and each arrival asks.
    has_resumptions: bool,
}

impl Exchanges {
    /// Begins one.
    pub fn begin(&mut self, number: u64, purpose: Purpose) {
        let exchange = Exchange {
            purpose,
            head: None,
            status: None,
            is_stream: false,
            is_over: false,
            is_given_up: false,
            events: 0,
            afterthoughts: 0,
            last_event_id: None,
            retry: None,
            resumed: 0,
            due: None,
            resumed_by: None,
        };
        self.all.insert(number, exchange);
        self.running.insert(number);
    }

    /// The exchange with this number; `None` for one of an earlier case.
    pub fn get(&self, number: u64) -> Option<&Exchange> {
        self.all.get(&number)
    }

    /// The same, to change.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut Exchange> {
        self.all.get_mut(&number)
    }

    /// The stream of the server's own messages, from the exchange that opened it.
    pub fn listening(&self) -> Option<(u64, &Exchange)> {
        let mut all = self.all.iter().rev();
        let found = all.find(|(_, exchange)| exchange.purpose == Purpose::Listens);
        found.map(|(number, exchange)| (*number, exchange))
    }

    /// The exchange whose stream this one is part of: itself, or the one it resumes.
    pub fn root(&self, number: u64) -> u64 {
        match self.all.get(&number).map(|exchange| exchange.purpose) {
            Some(Purpose::Resumes(root)) => root,
            _ => number,
        }
    }

    /// The sent message that an exchange is about.
    pub fn about(&self, number: u64) -> Option<SentIndex> {
        match self.all.get(&self.root(number))?.purpose {
            Purpose::Carries(index) => Some(index),
            Purpose::Listens | Purpose::Resumes(_) => None,
        }
    }

    /// Counts an event, and tells whether the stream has become a flood. `is_answered`: the response that it is for has come.
    pub fn count(&mut self, number: u64, is_answered: bool) -> bool {
        let Some(exchange) = self.all.get_mut(&number) else {
            return false;
        };
        exchange.events += 1;
        exchange.afterthoughts += usize::from(is_answered);
        exchange.events >= MOST_EVENTS || exchange.afterthoughts >= MOST_AFTERTHOUGHTS
    }

    /// An event came: its id and its retry count for the whole stream.
    pub fn heard(&mut self, number: u64, id: Option<&str>, retry: Option<u64>) {
        let root = self.root(number);
        let Some(exchange) = self.all.get_mut(&root) else {
            return;
        };
        if let Some(id) = id {
            exchange.last_event_id = Some(id.to_owned()).filter(|id| !id.is_empty());
        }
        if let Some(retry) = retry {
            exchange.retry = Some(Duration::from_millis(retry));
        }
    }

    /// An exchange is over. `is_wanted`: more is expected of its stream, so it is resumed where it can be.
    pub fn over(&mut self, number: u64, is_wanted: bool, now: Instant) {
        let root = self.root(number);
        self.running.remove(&number);
        let ended = self.all.get_mut(&number).map(|exchange| {
            exchange.is_over = true;
            exchange.is_stream
        });
        let Some(exchange) = self.all.get_mut(&root) else {
            return;
        };
        exchange.resumed_by = None;
        let can_resume = exchange.last_event_id.is_some() && exchange.resumed < MOST_RESUMPTIONS;
        if is_wanted && can_resume && ended == Some(true) {
            exchange.due = Some(now + exchange.retry.unwrap_or(USUAL_RETRY));
            self.has_resumptions = true;
        }
    }

    /// When the next resumption is due.
    pub fn due(&self) -> Option<Instant> {
        if !self.has_resumptions {
            return None;
        }
        self.all.values().filter_map(|exchange| exchange.due).min()
    }

    /// The exchange whose resumption is due by now, and its last event id.
    pub fn take_due(&mut self, now: Instant) -> Option<(u64, String)> {
        let is_due = |exchange: &Exchange| exchange.due.is_some_and(|due| due <= now);
        let (number, exchange) = self.all.iter_mut().find(|(_, exchange)| is_due(exchange))?;
        exchange.due = None;
        exchange.resumed += 1;
        Some((*number, exchange.last_event_id.clone()?))
    }

    /// A resumption was begun.
    pub fn resumed(&mut self, root: u64, by: u64) {
        self.begin(by, Purpose::Resumes(root));
        if let Some(exchange) = self.all.get_mut(&root) {
            exchange.resumed_by = Some(by);
        }
    }

    /// Whether nothing more comes of an exchange: it is over, and not being resumed.
    pub fn is_settled(&self, number: u64) -> bool {
        self.all.get(&number).is_none_or(|exchange| {
            exchange.is_over && exchange.due.is_none() && exchange.resumed_by.is_none()
        })
    }

    /// Exchanges that still run.
    pub fn running(&self) -> impl Iterator<Item = (u64, &Exchange)> {
        let of = |number: &u64| Some((*number, self.all.get(number)?));
        self.running.iter().filter_map(of)
    }

    /// Forgets all after this number: a new case begins. What the server says of its own accord is heard on, though: gives the numbers
    /// of later exchanges that carry its stream now.
    pub fn forget_after(&mut self, last: u64) -> Vec<u64> {
        let listens = |exchange: &Exchange| exchange.purpose == Purpose::Listens;
        let kept = self.all.range_mut(..=last);
        let carried: Vec<u64> = kept
            .filter_map(|(_, exchange)| {
                (exchange.resumed, exchange.events) = (0, 0);
                exchange.afterthoughts = 0;
                if !listens(exchange) {
                    exchange.due = None;
                    exchange.resumed_by = None;
                }
                exchange.resumed_by
            })
            .collect();
        self.all
            .retain(|number, _| *number <= last || carried.contains(number));
        self.running.retain(|number| self.all.contains_key(number));
        carried
    }

    /// The highest number.
    pub fn last(&self) -> u64 {
        self.all.keys().next_back().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
