//! Requests under way, so that they can be cancelled.
//!
//! **Source**: `2024-11-05/basic/utilities/cancellation`. A cancelled request stops where it waits and is not answered; a cancel of a
//! request that is unknown or done is ignored.

use crate::incoming::{Request, is_same_id};
use mcp_assay_wire::jsonrpc::RawId;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::{AbortHandle, JoinSet};

/// The requests under way on one connection, by number; clients may use an id twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(Arc<Mutex<BTreeMap<u64, Flight>>>);

#[derive(Debug)]
struct Flight {
    request: Request,
    task: AbortHandle,
}

impl InFlight {
    /// Runs a request among `tasks`; it is in flight until `work` is done.
    pub fn run<T: Send + 'static>(
        &self,
        tasks: &mut JoinSet<T>,
        request: Request,
        work: impl Future<Output = T> + Send + 'static,
    ) {
        let all = self.clone();
        let seq = request.seq;
        // Held over the spawn, so that a task that ends at once finds its entry to remove.
        let mut flights = self.lock();
        let task = tasks.spawn(async move {
            let done = work.await;
            all.lock().remove(&seq);
            done
        });
        flights.insert(seq, Flight { request, task });
    }

    /// The requests in flight with this id.
    pub fn find(&self, id: &RawId) -> Vec<Request> {
        let flights = self.lock();
        let matching = flights
            .values()
            .filter(|flight| is_same_id(&flight.request.id, id));
        matching.map(|flight| flight.request.clone()).collect()
    }

    /// Stops a request; false where it was done already.
    pub fn stop(&self, seq: u64) -> bool {
        let flight = self.lock().remove(&seq);
        flight.inspect(|flight| flight.task.abort()).is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
