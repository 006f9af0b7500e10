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
pub(crate) mod quirk;
mod registry;
pub(crate) mod smallest;
pub(crate) mod teller;
mod wire;

pub use registry::{FAULTS, HttpAsk, NamedFault, Over, Provocation};

use quirk::Quirk;

use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A fault, found fit to be told on a binding.
///
/// **Shape**: clones share one count of how often it fired.
#[derive(Clone, Debug)]
pub struct Planted {
    at: Option<FaultAt>,
    fault: Fault,
    is_steady: bool,
    fired: Arc<AtomicU64>,
    here: Arc<Tally>,
}

/// What became of a fault on one server.
#[derive(Debug, Default)]
struct Tally {
    fired: AtomicU64,
    refused: Mutex<Option<FaultRefused>>,
}

impl Planted {
    /// Takes a fault as a card has it, for a server that speaks lines.
    ///
    /// **Errors**: where it can strike nothing: an HTTP fault on a line binding, an unknown name, a wire fault that does not say which
    /// message it strikes.
    pub fn new(at: Option<FaultAt>, fault: Fault) -> Result<Self, FaultRefused> {
        if at.as_ref().is_some_and(is_at_http) {
            return Err(FaultRefused::NotOnThisBinding("http"));
        }
        match &fault {
            Fault::Status(_) | Fault::Header(..) | Fault::Body(_) => {
                return Err(FaultRefused::NotOnThisBinding(kind(&fault)));
            }
            Fault::Named(name) => {
                let named = registry::find(name).ok_or_else(|| unknown(name))?;
                if named.over == Over::Http {
                    return Err(FaultRefused::NotOnThisBinding(named.name));
                }
            }
            Fault::Set { .. }
            | Fault::Remove { .. }
            | Fault::Replace(_)
            | Fault::Drop
            | Fault::Duplicate(_)
            | Fault::DelayMs(_)
            | Fault::Before(_)
            | Fault::Reorder
            | Fault::Raw(_)
            | Fault::Split(_) => {
                if at.is_none() {
                    return Err(FaultRefused::NoTarget);
                }
            }
        }
        Ok(Planted::fit(at, fault))
    }

    /// Takes a fault as a card has it, for a server that speaks HTTP.
    ///
    /// **Shape**: `status`, `header` and `body` strike at `http` and at `reply_to`, there the response that carries the reply. `delay` and
    /// `drop` strike at `http` too: the response comes later, or the socket closes without one. All others strike messages. A named fault
    /// of HTTP alone takes no `at`.
    ///
    /// **Errors**: where it can strike nothing, as [`Planted::new`].
    pub fn on_http(at: Option<FaultAt>, fault: Fault) -> Result<Self, FaultRefused> {
        let planted = Planted::fit(at, fault);
        planted.check_on_http().map(|()| planted)
    }

    /// Whether it can strike over HTTP.
    ///
    /// **Errors**: why not.
    pub(crate) fn check_on_http(&self) -> Result<(), FaultRefused> {
        let target = self.at.as_ref().map(|at| &at.target);
        let is_fit = match (&self.fault, target) {
            (Fault::Named(name), target) => {
                let named = registry::find(name).ok_or_else(|| unknown(name))?;
                match named.over {
                    Over::Any => !matches!(target, Some(FaultTarget::Http(_))),
                    Over::Http => target.is_none(),
                    Over::Stdio => return Err(FaultRefused::NotOnThisBinding(named.name)),
                }
            }
            (_, None) => return Err(FaultRefused::NoTarget),
            // What is below 200 is no answer, and hyper sends none.
            (Fault::Status(code), _) if *code < 200 => false,
            (
                Fault::Status(_) | Fault::Header(..) | Fault::Body(_),
                Some(FaultTarget::Http(_) | FaultTarget::ReplyTo(_)),
            ) => true,
            (Fault::Status(_) | Fault::Header(..) | Fault::Body(_), Some(_)) => false,
            (Fault::Drop | Fault::DelayMs(_), Some(FaultTarget::Http(_))) => true,
            (_, Some(FaultTarget::Http(_))) => false,
            (_, Some(_)) => true,
        };
        if is_fit {
            Ok(())
        } else {
            Err(FaultRefused::NotAtThisTarget(kind(&self.fault)))
        }
    }

    fn fit(at: Option<FaultAt>, fault: Fault) -> Self {
        Planted {
            at,
            fault,
            is_steady: false,
            fired: Arc::default(),
            here: Arc::default(),
        }
    }

    /// A named fault that strikes wherever it can, on lines.
    ///
    /// **Errors**: an unknown name, or one of HTTP alone.
    pub fn named(name: &str) -> Result<Self, FaultRefused> {
        Planted::new(None, Fault::Named(name.to_owned()))
    }

    /// A named fault that strikes wherever it can, over HTTP.
    ///
    /// **Errors**: an unknown name, or one of stdio alone.
    pub fn named_on_http(name: &str) -> Result<Self, FaultRefused> {
        Planted::on_http(None, Fault::Named(name.to_owned()))
    }

    /// The same fault for a server that goes on: where there are no sessions, the nth message of a kind and all after it are struck. There
    /// every client's messages count together, so the nth alone would be told to whoever comes first, and to nobody again.
    pub fn steadily(self) -> Self {
        Planted {
            is_steady: true,
            ..self
        }
    }

    /// Whether a message is struck that is the `seen`th of its kind, with or without a session.
    pub(crate) fn is_due(&self, at: &FaultAt, seen: u32, has_session: bool) -> bool {
        seen == at.nth || (self.is_steady && !has_session && seen > at.nth)
    }

    /// How often it has struck, on all connections that it was planted on.
    pub fn fired(&self) -> u64 {
        self.fired.load(Ordering::Relaxed)
    }

    /// The same fault, with a count of its own beside the shared one.
    pub(crate) fn here(self) -> Self {
        Planted {
            here: Arc::default(),
            ..self
        }
    }

    /// How often it has struck since [`Planted::here`].
    pub(crate) fn fired_here(&self) -> u64 {
        self.here.fired.load(Ordering::Relaxed)
    }

    /// Why it could not strike since [`Planted::here`], where it hit and could not.
    pub(crate) fn refused_here(&self) -> Option<FaultRefused> {
        let refused = self.here.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether it strikes HTTP heads or bodies, not messages.
    pub(crate) fn is_of_heads(&self) -> bool {
        self.at.as_ref().is_some_and(is_at_http)
            || matches!(
                self.fault,
                Fault::Status(_) | Fault::Header(..) | Fault::Body(_)
            )
    }

    /// What a fault of HTTP exchanges strikes.
    pub(crate) fn at_http(&self) -> Option<(&FaultAt, &str)> {
        let at = self.at.as_ref()?;
        match &at.target {
            FaultTarget::Http(method) => Some((at, method)),
            FaultTarget::ReplyTo(_) | FaultTarget::Request(_) | FaultTarget::Notification(_) => {
                None
            }
        }
    }

    /// What it does.
    pub(crate) fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The deviation of the HTTP layer that it names.
    pub(crate) fn quirk(&self) -> Option<Quirk> {
        match &self.fault {
            Fault::Named(name) => registry::find(name)?.quirk,
            _ => None,
        }
    }

    /// The revisions that it has the server offer, whatever it was told to.
    pub(crate) fn revisions(&self) -> Option<Vec<Revision>> {
        match &self.fault {
            Fault::Named(name) if name == "dual-era" => Some(Revision::ALL.to_vec()),
            Fault::Named(name) if name == "modern-only" => Some(vec![Revision::R2026_07_28]),
            _ => None,
        }
    }

    pub(crate) fn fire(&self, times: u64) {
        self.fired.fetch_add(times, Ordering::Relaxed);
        self.here.fired.fetch_add(times, Ordering::Relaxed);
    }

    fn refuse(&self, refused: FaultRefused) {
        *self
            .here
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(refused);
    }
}

fn is_at_http(at: &FaultAt) -> bool {
    matches!(at.target, FaultTarget::Http(_))
}

/// The fault as a card names it.
fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Set { .. } => "set",
        Fault::Remove { .. } => "remove",
        Fault::Replace(_) => "replace",
        Fault::Drop => "drop",
        Fault::Duplicate(_) => "duplicate",
        Fault::DelayMs(_) => "delay",
        Fault::Before(_) => "before",
        Fault::Reorder => "reorder",
        Fault::Raw(_) => "raw",
        Fault::Split(_) => "split",
        Fault::Status(_) => "status",
        Fault::Header(..) => "header",
        Fault::Body(_) => "body",
        Fault::Named(_) => "fault",
    }
}

/// Why a fault cannot be planted, or did not strike where it should have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FaultRefused {
    /// It is about HTTP, and the server speaks lines; or the other way round.
    #[error("fault `{0}` is not on this binding")]
    NotOnThisBinding(&'static str),
    /// It does not say which message it strikes.
    #[error("a fault of this kind needs `at`")]
    NoTarget,
    /// Nothing of its kind can befall what its target names.
    #[error("a fault `{0}` does not strike at this target")]
    NotAtThisTarget(&'static str),
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
