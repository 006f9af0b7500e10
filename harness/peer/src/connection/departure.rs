//! A client that leaves before it is answered.
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http#cancellation`. Over HTTP a modern request is cancelled by the end of the
//! exchange that carries it.

use crate::fault::lie::OnCancel;
use crate::fault::smallest;
use crate::fault::teller::Teller;
use crate::incoming::Request;
use crate::outgoing::Outgoing;
use crate::server::Later;
use mcp_assay_model::protocol::Revision;
use std::sync::{Arc, Mutex, PoisonError};

/// The answer to a request; none where the client has left, and what ran for it has stopped.
pub(super) fn answer(
    request: Request,
    mut running: Later,
    teller: &Arc<Mutex<Teller>>,
) -> impl Future<Output = Option<Outgoing>> + Send + 'static {
    let teller = Arc::clone(teller);
    async move {
        let Some(carrier) = &request.carrier else {
            return Some(Outgoing::reply(&request, running.await));
        };
        let mut left = carrier.left.clone();
        let has_left = async {
            // Nothing is ever sent there: it can only be closed.
            while left.changed().await.is_ok() {}
        };
        tokio::select! {
            biased;
            () = has_left => {}
            answer = &mut running => return Some(Outgoing::reply(&request, answer)),
        }
        let on_cancel = {
            let mut teller = teller.lock().unwrap_or_else(PoisonError::into_inner);
            teller.cancel(&request.method, request.seq)
        };
        match on_cancel {
            OnCancel::Stop => None,
            OnCancel::RunOn => Some(Outgoing::reply(&request, running.await)),
            OnCancel::Answer => {
                let result = smallest::answer(&request, Revision::R2026_07_28);
                Some(Outgoing::reply(&request, Ok(result)))
            }
        }
    }
}
