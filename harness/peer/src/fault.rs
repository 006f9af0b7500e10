//! Faults: the one lie that a reference server can be told to tell.
//!
//! A **wire fault** changes the nth message of a kind on its way out ([`wire`]). A **named fault** lies by what happened before; each
//! is a [`lie::Lie`] in the list [`FAULTS`]. The server itself is honest: it tells the [`teller::Teller`] what came and what is to go,
//! and the teller says what becomes of it.
//!
//! ```text
//! line -> Teller::hear -> Course (honest, ignore, answer, die, ...) -> server -> Outgoing -> Teller::tell -> Utterances -> bytes
//! ```

mod aim;
pub(crate) mod lie;
mod lies;
mod registry;
pub(crate) mod smallest;
pub(crate) mod teller;
mod wire;

pub use registry::{FAULTS, NamedFault, Provocation};

use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A fault, found fit to be told on a stdio line.
///
/// **Shape**: clones share one count of how often it fired.
#[derive(Clone, Debug)]
pub struct Planted {
    at: Option<FaultAt>,
    fault: Fault,
    fired: Arc<AtomicU64>,
}

impl Planted {
    /// Takes a fault as a card has it.
    ///
    /// **Errors**: where it can strike nothing: an HTTP fault on a line binding, an unknown name, a wire fault that does not say which
    /// message it strikes.
    pub fn new(at: Option<FaultAt>, fault: Fault) -> Result<Self, FaultRefused> {
        let is_http = |target: &FaultTarget| matches!(target, FaultTarget::Http(_));
        if at.as_ref().is_some_and(|at| is_http(&at.target)) {
            return Err(FaultRefused::NotOnThisBinding("http"));
        }
        match &fault {
            Fault::Status(_) => return Err(FaultRefused::NotOnThisBinding("status")),
            Fault::Header(..) => return Err(FaultRefused::NotOnThisBinding("header")),
            Fault::Body(_) => return Err(FaultRefused::NotOnThisBinding("body")),
            Fault::Named(name) => {
                registry::find(name).ok_or_else(|| unknown(name))?;
            }
            Fault::Set { .. }
            | Fault::Remove { .. }
            | Fault::Replace(_)
            | Fault::Drop
            | Fault::Duplicate(_)
            | Fault::DelayMs(_)
            | Fault::Reorder
            | Fault::Raw(_)
            | Fault::Split(_) => {
                if at.is_none() {
                    return Err(FaultRefused::NoTarget);
                }
            }
        }
        Ok(Planted {
            at,
            fault,
            fired: Arc::default(),
        })
    }

    /// A named fault that strikes wherever it can.
    ///
    /// **Errors**: an unknown name.
    pub fn named(name: &str) -> Result<Self, FaultRefused> {
        Planted::new(None, Fault::Named(name.to_owned()))
    }

    /// How often it has struck, on all connections that it was planted on.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    fn fire(&self, times: u64) {
        self.fired.fetch_add(times, Ordering::Relaxed);
    }
}

/// Why a fault cannot be planted, or did not strike where it should have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FaultRefused {
    /// It is about HTTP, and the server speaks lines.
    #[error("fault `{0}` is not on this binding")]
    NotOnThisBinding(&'static str),
    /// It does not say which message it strikes.
    #[error("a fault of this kind needs `at`")]
    NoTarget,
    /// No fault has this name.
    #[error("unknown fault `{name}`; the nearest is `{nearest}`")]
    UnknownName {
        /// The name as given.
        name: String,
        /// A name that starts most alike.
        nearest: &'static str,
    },
    /// A reference in its value that nobody fills in.
    #[error("the fault's value holds `{0}`, which nothing resolves")]
    Unresolved(String),
}

/// The nearest name is the one with the longest common beginning; the list is sorted, so it stands beside the place of the unknown name.
fn unknown(name: &str) -> FaultRefused {
    let common = |fault: &NamedFault| {
        let pairs = fault.name.bytes().zip(name.bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let nearest = FAULTS.iter().max_by_key(|fault| common(fault));
    FaultRefused::UnknownName {
        name: name.to_owned(),
        nearest: nearest.map_or("", |fault| fault.name),
    }
}
