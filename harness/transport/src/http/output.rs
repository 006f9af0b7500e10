//! The way of arrivals to their client: in order within an exchange, and never more bytes than the bound.

use super::{Arrival, What};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

/// Arrivals that wait at most, whatever their size.
pub(super) const MAX_WAITING: usize = 1024;

/// An arrival with the room that it takes until someone takes it.
pub(super) type Waiting = (Arrival, Option<OwnedSemaphorePermit>);

/// Where an exchange puts what it brings.
#[derive(Clone)]
pub(super) struct Output {
    exchange: u64,
    arrivals: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
    bound: usize,
}

impl Output {
    /// An output with room for `bound` bytes, and where it leads.
    pub(super) fn new(bound: usize) -> (Self, mpsc::Receiver<Waiting>) {
        let (arrivals, receiver) = mpsc::channel(MAX_WAITING);
        let bound = bound.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        let output = Output {
            exchange: 0,
            arrivals,
            room: Arc::new(Semaphore::new(bound)),
            bound,
        };
        (output, receiver)
    }

    /// The output of one exchange; all of a client share their room.
    pub(super) fn of(&self, exchange: u64) -> Self {
        Output {
            exchange,
            ..self.clone()
        }
    }

    /// Hands something on as soon as there is room for it.
    pub(super) async fn send(&self, at: Instant, what: What) {
        let size = what.size().min(self.bound);
        let size = u32::try_from(size).expect("the bound is no more than that");
        let room = match size {
            // The end needs none, so that it comes through for a stream that we closed while it waited.
            0 => None,
            size => Arc::clone(&self.room).acquire_many_owned(size).await.ok(),
        };
        let arrival = Arrival {
            exchange: self.exchange,
            at,
            what,
        };
        // A client that is gone wants nothing any more.
        let _ = self.arrivals.send((arrival, room)).await;
    }
}

impl What {
    fn size(&self) -> usize {
        match self {
            What::Head { head, .. } => head.raw.len().max(1),
            What::Body { bytes, .. } => bytes.len().max(1),
            What::Event(event) => {
                let data = event.data.as_ref().map_or(0, bytes::Bytes::len);
                (event.raw.len() + data).max(1)
            }
            What::End(_) | What::Refused(_) => 0,
        }
    }
}
