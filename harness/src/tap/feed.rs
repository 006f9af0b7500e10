//! The copy of what passes, on its way to the ear: bounded, and never waited for.
//!
//! While much passes the ear looks by itself every few milliseconds, so that whoever passes bytes on need not wake it.

use bytes::Bytes;
use mcp_assay_model::record::Direction;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that may wait for the ear.
pub const BOUND: u64 = 64 * 1024 * 1024;
/// How often the ear looks while much passes.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often it looks in vain before it has itself woken.
const LOOKS: u32 = 40;

/// What goes on, as the ear hears it.
#[derive(Debug)]
pub enum Fed {
    /// A client connected.
    Opened {
        /// Number of the connection, from 1.
        socket: u64,
        /// Where from.
        client: String,
    },
    /// Bytes passed.
    Bytes {
        /// On which stream.
        stream: Which,
        /// When, since the start.
        at: Duration,
        /// The bytes.
        bytes: Bytes,
    },
    /// Bytes passed that the ear had no room for.
    Lost {
        /// On which stream.
        stream: Which,
        /// How many.
        bytes: u64,
    },
    /// A stream ended.
    Ended {
        /// Which.
        stream: Which,
        /// When, since the start.
        at: Duration,
    },
    /// A connection is over; which side ended it first.
    Closed {
        /// Number of the connection.
        socket: u64,
        /// When, since the start.
        at: Duration,
        /// `None`: the client. Else how the server did, a fragment.
        by_server: Option<String>,
    },
}

/// A stream that passes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    /// One direction of a connection; 0 is that of the standard streams.
    Messages(u64, Direction),
    /// The server's standard error.
    Stderr,
}

/// The way to the ear.
#[derive(Debug)]
pub struct Feed {
    queue: Arc<Queue>,
    began: Instant,
}

/// The other end of it.
#[derive(Debug)]
pub struct Food {
    queue: Arc<Queue>,
}

#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    news: Condvar,
    bound: u64,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Fed>,
    /// What that costs.
    cost: u64,
    /// How many can still say something.
    feeds: u64,
    /// Whether the ear has to be woken.
    is_asleep: bool,
    /// Whether there is an ear.
    is_heard: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, state: &mut State, fed: Fed) {
        // An ear that is gone has said why.
        if !state.is_heard {
            return;
        }
        state.cost += cost(&fed);
        state.waiting.push_back(fed);
        if state.is_asleep {
            self.news.notify_one();
        }
    }
}

impl Feed {
    /// A way on which `bound` bytes may wait.
    pub fn new(bound: u64) -> (Feed, Food) {
        let state = State {
            waiting: VecDeque::new(),
            cost: 0,
            feeds: 1,
            is_asleep: false,
            is_heard: true,
        };
        let queue = Arc::new(Queue {
            state: Mutex::new(state),
            news: Condvar::new(),
            bound,
        });
        let feed = Feed {
            queue: Arc::clone(&queue),
            began: Instant::now(),
        };
        (feed, Food { queue })
    }

    /// Since the start.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Says something that is no bytes.
    pub fn say(&self, fed: Fed) {
        self.queue.push(&mut self.queue.lock(), fed);
    }

    /// The copy of one stream.
    pub fn stream(&self, which: Which) -> Stream {
        Stream {
            feed: self.clone(),
            which,
            lost: 0,
        }
    }
}

impl Clone for Feed {
    fn clone(&self) -> Self {
        self.queue.lock().feeds += 1;
        Feed {
            queue: Arc::clone(&self.queue),
            began: self.began,
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.feeds -= 1;
        if state.feeds == 0 {
            self.queue.news.notify_one();
        }
    }
}

impl Food {
    /// What came; `None` where nothing waits just now.
    pub fn now(&self) -> Option<Fed> {
        take(&mut self.queue.lock())
    }

    /// What comes next; `None` when nothing more can come.
    pub fn next(&self) -> Option<Fed> {
        let mut state = self.queue.lock();
        for look in 0_u32.. {
            if let Some(fed) = take(&mut state) {
                return Some(fed);
            }
            if state.feeds == 0 {
                return None;
            }
            let news = &self.queue.news;
            state = if look < LOOKS {
                let looked = news.wait_timeout(state, LOOK_EVERY);
                looked.unwrap_or_else(PoisonError::into_inner).0
            } else {
                state.is_asleep = true;
                let mut woken = news.wait(state).unwrap_or_else(PoisonError::into_inner);
                woken.is_asleep = false;
                woken
            };
        }
        None
    }
}

impl Drop for Food {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_heard = false;
        state.waiting = VecDeque::new();
    }
}

fn take(state: &mut State) -> Option<Fed> {
    let fed = state.waiting.pop_front()?;
    state.cost -= cost(&fed);
    // After a flood the space of it is given back.
    if state.waiting.is_empty() {
        state.waiting.shrink_to(1024);
    }
    Some(fed)
}

fn cost(fed: &Fed) -> u64 {
    match fed {
        Fed::Bytes { bytes, .. } => weight(bytes.len()),
        Fed::Opened { .. } | Fed::Lost { .. } | Fed::Ended { .. } | Fed::Closed { .. } => 0,
    }
}

/// What bytes cost while they wait: small pieces cost more than they hold.
fn weight(length: usize) -> u64 {
    length as u64 + size_of::<Fed>() as u64
}

/// The copy of one stream.
#[derive(Debug)]
pub struct Stream {
    feed: Feed,
    which: Which,
    /// Bytes lost since the ear was last told of any.
    lost: u64,
}

impl Stream {
    /// Copies bytes that pass, if there is room.
    pub fn copy(&mut self, bytes: &[u8]) {
        let queue = &self.feed.queue;
        let mut state = queue.lock();
        if state.cost + weight(bytes.len()) > queue.bound {
            self.lost += bytes.len() as u64;
            return;
        }
        let stream = self.which;
        let lost = std::mem::take(&mut self.lost);
        if lost > 0 {
            let lost = Fed::Lost {
                stream,
                bytes: lost,
            };
            queue.push(&mut state, lost);
        }
        let fed = Fed::Bytes {
            stream,
            at: self.feed.now(),
            bytes: Bytes::copy_from_slice(bytes),
        };
        queue.push(&mut state, fed);
    }

    fn tell_lost(&mut self) {
        let bytes = std::mem::take(&mut self.lost);
        if bytes > 0 {
            self.feed.say(Fed::Lost {
                stream: self.which,
                bytes,
            });
        }
    }

    /// The stream ended.
    pub fn end(&mut self) {
        self.tell_lost();
        self.feed.say(Fed::Ended {
            stream: self.which,
            at: self.feed.now(),
        });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.tell_lost();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Which {
        Which::Messages(0, Direction::Sent)
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_before_what_comes_next() {
        let (feed, food) = Feed::new(3 * weight(4));
        let mut stream = feed.stream(sent());
        for piece in [b"aaaa", b"bbbb", b"cccc", b"dddd", b"eeee"] {
            stream.copy(piece);
        }
        for expected in [b"aaaa", b"bbbb", b"cccc"] {
            let Some(Fed::Bytes { bytes, .. }) = food.now() else {
                panic!("three find room");
            };
            assert_eq!(bytes.as_ref(), expected);
        }
        assert!(food.now().is_none());
        stream.copy(b"ffff");
        assert!(matches!(food.now(), Some(Fed::Lost { bytes: 8, .. })));
        let Some(Fed::Bytes { bytes, .. }) = food.now() else {
            panic!("there is room again");
        };
        assert_eq!(bytes.as_ref(), b"ffff");
    }

    #[test]
    fn what_was_lost_last_is_told_when_the_stream_goes() {
        let (feed, food) = Feed::new(0);
        let mut stream = feed.stream(sent());
        stream.copy(b"abc");
        drop((stream, feed));
        assert!(matches!(food.next(), Some(Fed::Lost { bytes: 3, .. })));
        assert!(food.next().is_none());
    }
}
