//! What a server is told before it starts, and what it says at its end.

use crate::fault::{FaultRefused, Planted};
use crate::offer::Offer;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::template::Template;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Fills in a reference (`$fact`, `$fixture`, ...) of a fault's value: the JSON text for it in a revision, or `None` where it is unknown.
pub type Resolve = Arc<dyn Fn(&Template, Revision) -> Option<String> + Send + Sync>;

/// How a server is to behave.
#[derive(Clone)]
pub struct Options {
    /// Revisions offered; none means all five. Order does not matter. With revisions of both eras the server is dual-era: it serves each
    /// request by the rules of the era that it is written in.
    pub revisions: Vec<Revision>,
    /// The one lie it tells.
    pub fault: Option<Planted>,
    /// Fills in references in the fault's value.
    pub resolve: Option<Resolve>,
    /// Entries of one page of a list; 0 counts as 1.
    pub page_size: usize,
    /// How long a request of the server's waits for its answer.
    pub request_timeout: Duration,
    /// How long requests that still run at the end of the input may take; and the client to read what is left.
    pub drain_timeout: Duration,
}

impl Default for Options {
    /// Honest, in all revisions, with small pages.
    fn default() -> Self {
        Options {
            revisions: Vec::new(),
            fault: None,
            resolve: None,
            page_size: 3,
            request_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// The offer: of these revisions, unless the fault has it otherwise.
    pub(crate) fn offer(&self) -> Offer {
        let otherwise = self.fault.as_ref().and_then(Planted::revisions);
        Offer::new(&otherwise.unwrap_or_else(|| self.revisions.clone()))
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("revisions", &self.revisions)
            .field("fault", &self.fault)
            .field("page_size", &self.page_size)
            .field("request_timeout", &self.request_timeout)
            .field("drain_timeout", &self.drain_timeout)
            .finish_non_exhaustive()
    }
}

/// How a server ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ended {
    /// Why.
    pub cause: Cause,
    /// The code a process should exit with.
    pub exit_code: i32,
    /// How often the fault struck on this connection.
    pub fired: u64,
    /// Why the fault could not strike a message that it hit; then the message went out as it was.
    pub refused: Option<FaultRefused>,
}

/// Why a server ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Cause {
    /// Its input ended, and what was to be answered was answered.
    EndOfInput,
    /// Its output was closed: nobody listens.
    OutputClosed,
    /// Its fault says so.
    Fault,
}
