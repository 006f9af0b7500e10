//! The state machine of a legacy conversation: what is lawful when.
//!
//! ```text
//! Fresh --initialize--> Negotiated --notifications/initialized--> Operating
//! ```
//!
//! **Source**: `2024-11-05/basic/lifecycle`. Before `initialize` only pings are answered; `initialize` happens once. What a client asks
//! between the answer to `initialize` and its own `notifications/initialized` is served, because no text forbids it to ask.

use crate::client::Terms;
use crate::error::RpcError;
use crate::offer::Offer;
use mcp_assay_model::protocol::{Era, Revision};
use std::sync::Arc;

/// Where a conversation stands.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    offered: Vec<Revision>,
    terms: Option<Arc<Terms>>,
    is_operating: bool,
}

impl Session {
    /// A session before `initialize`.
    ///
    /// **Shape**: only the legacy revisions of the offer count.
    pub fn new(offer: &Offer) -> Self {
        Session {
            offered: offer.of(Era::Legacy),
            terms: None,
            is_operating: false,
        }
    }

    /// Whether a request with this method may be answered now.
    ///
    /// **Errors**: the answer where it may not.
    pub fn admit(&self, method: &str) -> Result<(), RpcError> {
        match (method, &self.terms) {
            ("initialize", Some(_)) => Err(RpcError::invalid_request("already initialized")),
            ("initialize" | "ping", _) | (_, Some(_)) => Ok(()),
            (_, None) => Err(RpcError::invalid_request("not initialized")),
        }
    }

    /// The revision to answer a client with that asked for this one: the same if it is offered, else the latest offered.
    pub fn choose(&self, requested: &str) -> Revision {
        let same = self
            .offered
            .iter()
            .find(|offer| offer.as_str() == requested);
        *same.unwrap_or(&self.latest())
    }

    /// `initialize` was answered.
    pub fn negotiated(&mut self, terms: Terms) {
        self.terms = Some(Arc::new(terms));
    }

    /// `notifications/initialized` came; true the first time it does what it should.
    pub fn initialized(&mut self) -> bool {
        let is_first = self.terms.is_some() && !self.is_operating;
        self.is_operating |= is_first;
        is_first
    }

    /// What was agreed, where something was.
    pub fn terms(&self) -> Option<&Arc<Terms>> {
        self.terms.as_ref()
    }

    /// What was agreed, or what would be with a client that declares nothing.
    pub fn terms_or_latest(&self) -> Arc<Terms> {
        let latest = || Terms {
            revision: self.latest(),
            client: serde_json::Map::new(),
        };
        self.terms.clone().unwrap_or_else(|| Arc::new(latest()))
    }

    /// What was agreed, as far as the client may be asked: nothing of it before `notifications/initialized`.
    pub fn terms_to_ask(&self) -> Arc<Terms> {
        let terms = self.terms_or_latest();
        if self.is_operating {
            return terms;
        }
        Arc::new(Terms {
            revision: terms.revision,
            client: serde_json::Map::new(),
        })
    }

    /// Whether a client may send batches: in 2025-03-26 alone, and before `initialize` where that is among the offers.
    pub fn takes_batches(&self) -> bool {
        match &self.terms {
            Some(terms) => terms.revision == Revision::R2025_03_26,
            None => self.offered.contains(&Revision::R2025_03_26),
        }
    }

    fn latest(&self) -> Revision {
        self.offered
            .first()
            .copied()
            .unwrap_or(Revision::R2025_11_25)
    }
}
