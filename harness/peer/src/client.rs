//! The client as the server sees it: what it declared, and what can be asked of it.
//!
//! A server uses a feature of the client only where `initialize` declared it. Requests have a deadline; one that is given up is
//! cancelled, as the timeouts section of the lifecycle page asks.

use crate::json::Json;
use crate::outgoing::{Out, Outgoing, Outlet};
use crate::tasks::{Asking, Handle};
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// What both sides agreed on in `initialize`.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// The negotiated revision.
    pub revision: Revision,
    /// The capabilities the client declared.
    pub client: Map<String, Value>,
}

impl Terms {
    /// Whether the client declared sampling.
    pub fn has_sampling(&self) -> bool {
        self.client.contains_key("sampling")
    }

    /// Whether the client declared roots.
    pub fn has_roots(&self) -> bool {
        self.client.contains_key("roots")
    }

    /// Whether the client declared that its model may use tools.
    pub fn has_sampling_with_tools(&self) -> bool {
        let sampling = self.client.get("sampling");
        sampling.is_some_and(|sampling| sampling.get("tools").is_some())
            && self.revision >= Revision::R2025_11_25
    }

    /// Whether the client declared elicitation by URL.
    pub fn has_elicitation_by_url(&self) -> bool {
        let modes = self.client.get("elicitation");
        modes.is_some_and(|modes| modes.get("url").is_some())
            && self.revision >= Revision::R2025_11_25
    }

    /// Whether the client declared elicitation by form; an empty declaration means form.
    pub fn has_elicitation(&self) -> bool {
        let form_is_declared = match self.client.get("elicitation") {
            Some(Value::Object(modes)) => modes.contains_key("form") || !modes.contains_key("url"),
            Some(_) => true,
            None => false,
        };
        form_is_declared && self.revision >= Revision::R2025_06_18
    }
}

/// Requests to the client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    outlet: Outlet,
    pending: Arc<Mutex<Pending>>,
    timeout: Duration,
    /// The task that it is asked for.
    task: Option<Handle>,
}

#[derive(Debug)]
struct Pending {
    /// Ids given out so far; none is used twice.
    issued: u64,
    /// Who waits for which answer; `None` once the client can send no more.
    waiting: Option<HashMap<RawId, oneshot::Sender<Result<Value, String>>>>,
}

/// Why a request to the client has no result.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NoResult {
    /// It answered with an error.
    #[error("the client refused: {0}")]
    Refused(String),
    /// It did not answer in time.
    #[error("the client did not answer in time")]
    TimedOut,
    /// Its output has ended.
    #[error("the client is gone")]
    Gone,
}

impl Client {
    /// A client that has been asked nothing.
    pub fn new(outlet: Outlet, timeout: Duration) -> Self {
        let pending = Pending {
            issued: 0,
            waiting: Some(HashMap::new()),
        };
        Client {
            outlet,
            pending: Arc::new(Mutex::new(pending)),
            timeout,
            task: None,
        }
    }

    /// The same client, asked by another way out, and for a task if there is one.
    pub fn through(&self, outlet: Outlet, task: Option<&Handle>) -> Self {
        Client {
            outlet,
            task: task.cloned(),
            ..self.clone()
        }
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&self, method: &str, params: Option<Value>) -> Result<Value, NoResult> {
        let (answered, answer) = oneshot::channel();
        let id = self.register(answered).ok_or(NoResult::Gone)?;
        let mut question = Question {
            client: self,
            id,
            is_open: true,
        };
        let _asking: Option<Asking> = self.task.as_ref().map(Handle::asks);
        let request = Outgoing::request(&question.id, method, params);
        self.outlet.send(Out::One(request)).await;
        let answer = tokio::time::timeout(self.timeout, answer).await;
        question.is_open = answer.is_err();
        match answer {
            Ok(Ok(result)) => result.map_err(NoResult::Refused),
            Ok(Err(_)) => Err(NoResult::Gone),
            Err(_) => Err(NoResult::TimedOut),
        }
    }

    /// Hands an answer of the client's to whoever waits for it; an answer to nothing is ignored.
    pub fn answered(&self, id: &RawId, message: &Value) {
        let waiting = self.with(|pending| pending.waiting.as_mut()?.remove(id));
        let Some(waiting) = waiting else { return };
        let answer = match message.get("result") {
            Some(result) => Ok(result.clone()),
            None => {
                let text = message.pointer("/error/message").and_then(Value::as_str);
                Err(text.unwrap_or("no reason given").to_owned())
            }
        };
        // Who asked may have been cancelled meanwhile.
        drop(waiting.send(answer));
    }

    /// No more answers will come: those who wait are told so.
    pub fn close(&self) {
        self.with(|pending| pending.waiting = None);
    }

    fn register(&self, answered: oneshot::Sender<Result<Value, String>>) -> Option<RawId> {
        self.with(|pending| {
            pending.issued += 1;
            let id = RawId(pending.issued.to_string());
            pending.waiting.as_mut()?.insert(id.clone(), answered);
            Some(id)
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Pending) -> T) -> T {
        act(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A question under way; dropped while open (timeout, or the call that asked was cancelled) it is withdrawn.
#[derive(Debug)]
struct Question<'c> {
    client: &'c Client,
    id: RawId,
    is_open: bool,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let withdrawn = self
            .client
            .with(|pending| pending.waiting.as_mut()?.remove(&self.id));
        if withdrawn.is_some() {
            let params = Json::object([("requestId", Json::Raw(self.id.0.clone()))]);
            let cancelled = Outgoing::notification("notifications/cancelled", params);
            self.client.outlet.try_send(Out::One(cancelled));
        }
    }
}
