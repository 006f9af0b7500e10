//! Lies about what a request says of itself: forgotten, made up, or taken from an earlier one.

use crate::client::Terms;
use crate::error::RpcError;
use crate::fault::lie::{Breach, Fired, Lie};
use crate::fault::lies::modern::breaches::is_missing_field;
use crate::modern::meta::Meta;
use crate::outgoing::{About, Outgoing};
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Takes what is missing from an earlier request.
#[derive(Default)]
pub(crate) struct RemembersMeta {
    known: Option<Meta>,
    is_missing: bool,
}

impl Lie for RemembersMeta {
    fn breach(
        &mut self,
        breach: Breach,
        error: RpcError,
        fired: &mut Fired,
    ) -> Result<(), RpcError> {
        if !is_missing_field(breach) || self.known.is_none() {
            return Err(error);
        }
        fired.count();
        self.is_missing = true;
        Ok(())
    }

    fn meta(&mut self, meta: &mut Meta, _fired: &mut Fired) {
        match &self.known {
            Some(known) if std::mem::take(&mut self.is_missing) => *meta = known.clone(),
            Some(_) | None => self.known = Some(meta.clone()),
        }
    }
}

/// Takes the capabilities of the first request for those of all.
#[derive(Default)]
pub(crate) struct RemembersCapabilities {
    first: Option<Map<String, Value>>,
}

impl Lie for RemembersCapabilities {
    fn meta(&mut self, meta: &mut Meta, fired: &mut Fired) {
        let own = meta.terms.client.clone();
        let first = self.first.get_or_insert(own).clone();
        declare(meta, first, fired);
    }
}

/// Adds the capabilities of every request to those of all after it.
#[derive(Default)]
pub(crate) struct KeepsCapabilities {
    known: Map<String, Value>,
}

impl Lie for KeepsCapabilities {
    fn meta(&mut self, meta: &mut Meta, fired: &mut Fired) {
        let own = meta.terms.client.clone();
        self.known.extend(own.clone());
        declare(meta, self.known.clone(), fired);
    }
}

/// Takes any capability of a client's for that of being asked by a form.
pub(crate) struct TakesAnyCapability;

impl Lie for TakesAnyCapability {
    fn meta(&mut self, meta: &mut Meta, fired: &mut Fired) {
        let mut client = meta.terms.client.clone();
        if !client.is_empty() {
            client
                .entry("elicitation")
                .or_insert_with(|| json!({ "form": {} }));
            declare(meta, client, fired);
        }
    }
}

/// Lets a request declare these capabilities.
fn declare(meta: &mut Meta, client: Map<String, Value>, fired: &mut Fired) {
    if client != meta.terms.client {
        fired.count();
        meta.terms = Arc::new(Terms {
            revision: meta.terms.revision,
            client,
        });
    }
}

/// Makes up what the client did not ask for, and says what it would say then.
pub(crate) struct MakesUp {
    make_up: fn(&mut Meta) -> bool,
    method: &'static str,
    is_made_up: bool,
}

impl MakesUp {
    /// The level of the least severe messages.
    pub fn log_level() -> Box<dyn Lie> {
        Box::new(MakesUp {
            make_up: |meta| {
                let is_missing = meta.log_level.is_none();
                meta.log_level.get_or_insert(0);
                is_missing
            },
            method: "notifications/message",
            is_made_up: false,
        })
    }

    /// A progress token.
    pub fn progress_token() -> Box<dyn Lie> {
        Box::new(MakesUp {
            make_up: |meta| {
                let is_missing = meta.progress_token.is_none();
                let token = || RawId("\"made-up\"".to_owned());
                meta.progress_token.get_or_insert_with(token);
                is_missing
            },
            method: "notifications/progress",
            is_made_up: false,
        })
    }
}

impl Lie for MakesUp {
    fn meta(&mut self, meta: &mut Meta, _fired: &mut Fired) {
        self.is_made_up = (self.make_up)(meta);
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if self.is_made_up && message.about == About::Notification(self.method.to_owned()) {
            fired.count();
        }
        vec![message]
    }
}
