//! The copy of what passes, on its way to the ear: bounded, and never waited for.

use bytes::Bytes;
use mcp_assay_model::record::Direction;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Bytes that may wait for the ear.
pub const BOUND: u64 = 64 * 1024 * 1024;

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
#[derive(Clone, Debug)]
pub struct Feed {
    queue: mpsc::Sender<Fed>,
    waiting: Arc<AtomicU64>,
    bound: u64,
    began: Instant,
}

/// The other end of it.
#[derive(Debug)]
pub struct Food {
    queue: mpsc::Receiver<Fed>,
    waiting: Arc<AtomicU64>,
}

impl Feed {
    /// A way on which `bound` bytes may wait.
    pub fn new(bound: u64) -> (Feed, Food) {
        let (sender, queue) = mpsc::channel();
        let waiting = Arc::new(AtomicU64::new(0));
        let feed = Feed {
            queue: sender,
            waiting: Arc::clone(&waiting),
            bound,
            began: Instant::now(),
        };
        (feed, Food { queue, waiting })
    }

    /// Since the start.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Says something that is no bytes.
    pub fn say(&self, fed: Fed) {
        // An ear that is gone has said why.
        let _ = self.queue.send(fed);
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

impl Food {
    /// What came; `None` where nothing waits just now.
    pub fn now(&self) -> Option<Fed> {
        self.queue.try_recv().ok().inspect(|fed| self.taken(fed))
    }

    /// What comes next; `None` when nothing more can come.
    pub fn next(&self) -> Option<Fed> {
        self.queue.recv().ok().inspect(|fed| self.taken(fed))
    }

    fn taken(&self, fed: &Fed) {
        if let Fed::Bytes { bytes, .. } = fed {
            self.waiting
                .fetch_sub(weight(bytes.len()), Ordering::Relaxed);
        }
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
        let cost = weight(bytes.len());
        let feed = &self.feed;
        let before = feed.waiting.fetch_add(cost, Ordering::Relaxed);
        if before + cost > feed.bound {
            feed.waiting.fetch_sub(cost, Ordering::Relaxed);
            self.lost += bytes.len() as u64;
            return;
        }
        self.tell_lost();
        self.feed.say(Fed::Bytes {
            stream: self.which,
            at: self.feed.now(),
            bytes: Bytes::copy_from_slice(bytes),
        });
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
