//! `subscriptions/listen`: a request whose answer is told of changes until it ends.
//!
//! ```text
//! listen -> acknowledged (what of it is honoured) -> updated, list_changed, ... each with the id of the listen -> result
//! ```
//!
//! **Source**: `2026-07-28/basic/patterns/subscriptions`. A subscription is the state of its request and of nothing else: it ends when that
//! is cancelled, or with a result when the server ends.

use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
use crate::incoming::{Params, Request};
use crate::json::Json;
use crate::outgoing::Outlet;
use crate::resources::Watched;
use crate::server::Later;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The listen request that a message belongs to, in its `_meta`.
pub(crate) const ID: &str = "io.modelcontextprotocol/subscriptionId";

/// What can change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change<'a> {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// A resource.
    Resource(&'a str),
}

impl Change<'_> {
    /// The notification of it.
    pub fn method(self) -> &'static str {
        match self {
            Change::Tools => "notifications/tools/list_changed",
            Change::Prompts => "notifications/prompts/list_changed",
            Change::Resource(_) => "notifications/resources/updated",
        }
    }
}

/// What a client wants to be told, as far as this server tells it. The list of resources never changes here.
#[derive(Clone, Debug, Default)]
struct Filter {
    tools: bool,
    prompts: bool,
    /// `None` where nothing was said of resources.
    resources: Option<Vec<String>>,
}

impl Filter {
    fn read(params: Params<'_>, watched: &Watched) -> Result<Self, RpcError> {
        let wanted = Params(Some(params.required_object("notifications")?));
        let flag = |name| match wanted.get(name) {
            None => Ok(false),
            Some(Value::Bool(is_wanted)) => Ok(*is_wanted),
            Some(_) => Err(RpcError::invalid_params(format!("{name} is no boolean"))),
        };
        flag("resourcesListChanged")?;
        let resources = match wanted.get("resourceSubscriptions") {
            None => None,
            Some(uris) => {
                let uris = uris.as_array().into_iter().flatten();
                let uris = uris.map(|uri| uri.as_str().map(str::to_owned));
                let uris: Option<Vec<String>> = uris.collect();
                let is_array = wanted
                    .get("resourceSubscriptions")
                    .is_some_and(Value::is_array);
                let uris = uris.filter(|_| is_array).ok_or_else(|| {
                    RpcError::invalid_params("resourceSubscriptions is no array of strings")
                })?;
                Some(uris.into_iter().filter(|uri| watched.has(uri)).collect())
            }
        };
        Ok(Filter {
            tools: flag("toolsListChanged")?,
            prompts: flag("promptsListChanged")?,
            resources,
        })
    }

    fn wants(&self, change: Change<'_>) -> bool {
        match change {
            Change::Tools => self.tools,
            Change::Prompts => self.prompts,
            Change::Resource(uri) => {
                let mut uris = self.resources.iter().flatten();
                uris.any(|wanted| wanted == uri)
            }
        }
    }

    /// As the client is told what is honoured.
    fn honoured(&self) -> Value {
        let mut honoured = json!({});
        if self.tools {
            honoured["toolsListChanged"] = json!(true);
        }
        if self.prompts {
            honoured["promptsListChanged"] = json!(true);
        }
        if let Some(uris) = &self.resources {
            honoured["resourceSubscriptions"] = json!(uris);
        }
        honoured
    }
}

/// The subscriptions of all who listen, by the number of their request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listens(Arc<Mutex<BTreeMap<u64, Listen>>>);

#[derive(Debug)]
struct Listen {
    id: RawId,
    filter: Filter,
    outlet: Outlet,
    /// Nothing is told before the acknowledgement.
    is_acknowledged: bool,
    /// Dropped when the server ends the subscription.
    _open: oneshot::Sender<()>,
}

impl Listens {
    /// Begins a subscription; what it comes back with is its end.
    ///
    /// **Errors**: -32602 for a filter that cannot be read.
    pub fn begin(
        &self,
        request: &Request,
        params: Params<'_>,
        watched: &Watched,
        outlet: Outlet,
        judge: &Judge,
    ) -> Result<Later, RpcError> {
        let filter = match Filter::read(params, watched) {
            Ok(filter) => filter,
            Err(error) => {
                judge.refuse(Breach::Filter, error)?;
                Filter::default()
            }
        };
        let (open, ended) = oneshot::channel();
        let seq = request.seq;
        let id = request.id.clone();
        let acknowledged = tagged(&id, [("notifications", filter.honoured().into())]);
        let listen = Listen {
            id: id.clone(),
            filter,
            outlet: outlet.clone(),
            is_acknowledged: false,
            _open: open,
        };
        self.lock().insert(seq, listen);
        let leaving = Leaving {
            all: self.clone(),
            seq,
        };
        Ok(Box::pin(async move {
            let method = "notifications/subscriptions/acknowledged";
            outlet.notify(method, acknowledged).await;
            if let Some(listen) = leaving.all.lock().get_mut(&seq) {
                listen.is_acknowledged = true;
            }
            // Nothing is ever sent there: it ends when the other side is dropped.
            drop(ended.await);
            let id: Value = serde_json::from_str(&id.0).unwrap_or_default();
            Ok(json!({ "_meta": { ID: id } }))
        }))
    }

    /// Tells all who want to know of a change.
    pub async fn tell(&self, change: Change<'_>) {
        let told: Vec<(Outlet, RawId)> = {
            let all = self.lock();
            let told = all.values();
            let told = told.filter(|listen| listen.is_acknowledged && listen.filter.wants(change));
            told.map(|listen| (listen.outlet.clone(), listen.id.clone()))
                .collect()
        };
        for (outlet, id) in told {
            let params = match change {
                Change::Tools | Change::Prompts => tagged(&id, []),
                Change::Resource(uri) => tagged(&id, [("uri", Json::text(uri))]),
            };
            outlet.notify(change.method(), params).await;
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Ends one without a word.
    pub fn forget(&self, seq: u64) {
        self.lock().remove(&seq);
    }

    /// Ends all, each with its result.
    pub fn end(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Listen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parameters of a notification that belongs to a listen request.
fn tagged<const N: usize>(id: &RawId, members: [(&str, Json); N]) -> Json {
    let meta = Json::object([(ID, Json::Raw(id.0.clone()))]);
    let mut params = vec![("_meta".to_owned(), meta)];
    params.extend(members.map(|(name, value)| (name.to_owned(), value)));
    Json::Object(params)
}

/// Ends a subscription whose request runs no more.
struct Leaving {
    all: Listens,
    seq: u64,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.all.forget(self.seq);
    }
}
