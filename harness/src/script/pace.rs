//! Deadlines that adapt to the target's measured latency.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long to wait for what; shared by all cases of a run.
///
/// A deadline only ever decides how long silence must last before it counts. The floor is generous, because only broken targets pay for it.
#[derive(Debug)]
pub struct Pace {
    timeout: Duration,
    start_timeout: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    slowest: Duration,
    slowest_start: Duration,
    listens_late: bool,
    swallows: bool,
    recent: VecDeque<Duration>,
}

/// Latencies that count as recent.
const RECENT: usize = 32;

/// Shortest wait for one reply, unless the user's timeout is shorter.
const REPLY_FLOOR: Duration = Duration::from_secs(10);
/// Shortest wait for a fence that the target need not answer.
const DOUBTFUL_FLOOR: Duration = Duration::from_secs(2);
/// Shortest wait for the reply to a request that asks for nothing; a fence follows before its absence counts.
const LIGHT_FLOOR: Duration = Duration::from_secs(1);
/// Shortest wait for a refusal, where the target is known to leave out refusals.
const REFUSAL_FLOOR: Duration = Duration::from_secs(3);
/// Shortest wait for a first answer that need not come.
const FIRST_FLOOR: Duration = Duration::from_secs(5);
/// Bounds of the grace after a fence's answer.
const GRACE: (Duration, Duration) = (Duration::from_millis(30), Duration::from_secs(1));

impl Pace {
    /// With the bounds of the profile or the command line.
    pub fn new(timeout: Duration, start_timeout: Duration) -> Self {
        Pace {
            timeout,
            start_timeout,
            seen: Mutex::default(),
        }
    }

    /// Learns from one harmless request.
    pub fn learn(&self, latency: Duration) {
        let mut seen = self.seen();
        seen.slowest = seen.slowest.max(latency);
        if seen.recent.len() == RECENT {
            seen.recent.pop_front();
        }
        seen.recent.push_back(latency);
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Slowest harmless request so far.
    pub fn slowest(&self) -> Duration {
        self.seen().slowest
    }

    /// For the first answer of a fresh target.
    pub fn start(&self) -> Duration {
        self.start_timeout
    }

    /// Learns from the first answer of a fresh target.
    pub fn learn_start(&self, latency: Duration) {
        let mut seen = self.seen();
        seen.slowest_start = seen.slowest_start.max(latency);
    }

    /// For the first answer of a fresh target that need not give one: ten times the slowest start seen, within bounds.
    pub fn first(&self) -> Duration {
        let slowest = self.seen().slowest_start;
        self.start_timeout.min(FIRST_FLOOR.max(slowest * 10))
    }

    /// For the reply to a request that does no work of the user's: one slow answer counts for less than many.
    pub fn reply(&self) -> Duration {
        let slow = (self.usual() * 100).max(self.slowest() * 10);
        self.timeout.min(REPLY_FLOOR.max(slow))
    }

    /// For the reply to a request that asks for nothing: a ping, an unknown method, a broken message.
    pub fn light(&self) -> Duration {
        self.timeout.min(LIGHT_FLOOR.max(self.usual() * 20))
    }

    /// For the reply to a request that may do real work: a tool call, a read.
    pub fn work(&self) -> Duration {
        self.timeout
    }

    /// For the reply to a request that should be refused, of a target that left such a one without an answer through a whole wait.
    pub fn refusal(&self) -> Option<Duration> {
        let time = REFUSAL_FLOOR.max(self.usual() * 20);
        self.seen().swallows.then(|| self.timeout.min(time))
    }

    /// Learns that the target leaves what it should refuse without an answer.
    pub fn swallows(&self) {
        self.seen().swallows = true;
    }

    /// For a fence that may lawfully go unanswered.
    pub fn doubtful(&self) -> Duration {
        self.timeout.min(DOUBTFUL_FLOOR.max(self.slowest() * 20))
    }

    /// After a fence's answer, for stragglers: a few times what nine in ten recent requests took.
    pub fn grace(&self) -> Duration {
        (self.usual() * 5).clamp(GRACE.0, GRACE.1)
    }

    /// What nine in ten recent harmless requests took at most.
    fn usual(&self) -> Duration {
        let mut recent: Vec<Duration> = self.seen().recent.iter().copied().collect();
        recent.sort_unstable();
        recent
            .get(recent.len() * 9 / 10)
            .copied()
            .unwrap_or_default()
    }

    /// For the head of the stream on which an HTTP server speaks of its own accord. One that sends it only with its first message is
    /// waited for once.
    pub fn listen(&self) -> Duration {
        if self.seen().listens_late {
            self.grace()
        } else {
            self.light()
        }
    }

    /// Learns that the head of that stream does not come at once.
    pub fn listens_late(&self) {
        self.seen().listens_late = true;
    }

    /// After the last fence of a conversation, where no check speaks of what may still come.
    pub fn farewell(&self) -> Duration {
        self.grace().min(GRACE.0)
    }
}

#[cfg(test)]
mod tests;
