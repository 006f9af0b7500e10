//! The parts of one core, put together: a core serves one connection over lines, or one HTTP session.

use crate::connection::Connection;
use crate::fault::teller::Teller;
use crate::modern;
use crate::offer::Offer;
use crate::options::Options;
use crate::outgoing::{Out, Outlet};
use crate::server::Server;
use crate::session::Session;
use mcp_assay_model::protocol::{Era, Revision};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// A core on which nothing was said.
pub(crate) struct Core {
    /// The reader's side.
    pub connection: Connection,
    /// What the writer's side is to say.
    pub queue: mpsc::Receiver<Out>,
    /// The fault that both sides share.
    pub teller: Arc<Mutex<Teller>>,
}

impl Core {
    /// A core that behaves by these options.
    ///
    /// **Shape**: serves what `offer` has of `era`, or all of it. A modern client is told of the whole offer even where only the modern
    /// part is served here: over HTTP the rest is at the same address.
    pub fn new(options: &Options, offer: &Offer, era: Option<Era>) -> Self {
        let served = era.map_or_else(|| offer.clone(), |era| offer.only(era));
        let mut teller = Teller::new(
            options.fault.clone(),
            options.resolve.clone(),
            &served.before_agreement(),
        );
        if era == Some(Era::Modern) {
            teller.negotiated(Revision::R2026_07_28);
        }
        let size = teller.habits().page_size.unwrap_or(options.page_size);
        let teller = Arc::new(Mutex::new(teller));
        let (outlet, queue) = Outlet::new();
        let session = Session::new(&served);
        let timeout = options.request_timeout;
        let server = Server::new(session, outlet.clone(), size, timeout);
        let watched = server.watched.clone();
        let modern = modern::Server::new(offer.clone(), watched, &outlet, size);
        let connection = Connection::new(
            served,
            server,
            modern,
            outlet,
            Arc::clone(&teller),
            options.drain_timeout,
        );
        Core {
            connection,
            queue,
            teller,
        }
    }
}
