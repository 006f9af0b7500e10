//! The modern era, revision 2026-07-28: every request stands alone, and says itself what it is to be understood by.
//!
//! One module for each page of the revision; what the revision shares with those before it (tools, prompts, resources, ...) is shared
//! here too.
//!
//! ```text
//! request -> headers (over HTTP) -> versions -> meta -> who answers? -> results: resultType, serverInfo, caching
//! ```
//!
//! Of two things wrong with a request the first in this order is told; the text has no order of its own.

mod discover;
mod headers;
pub(crate) mod meta;
pub(crate) mod results;
mod versions;

pub(crate) use versions::is_modern;

use crate::client::Terms;
use crate::error::RpcError;
use crate::fault::lie::Rule;
use crate::fault::teller::Judge;
use crate::incoming::{Params, Request};
use crate::logging::Log;
use crate::offer::Offer;
use crate::outgoing::Outlet;
use crate::resources::{self, Watched};
use crate::server::Answer;
use crate::{completion, pagination, prompts};
use mcp_assay_model::protocol::Revision;
use meta::Meta;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The requests of this revision.
pub(crate) const REQUESTS: [&str; 9] = [
    "completion/complete",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "tools/call",
    "tools/list",
];

/// The revision that is served.
const REVISION: Revision = Revision::R2026_07_28;

/// A server that remembers nothing of a client between two requests.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    offer: Offer,
    watched: Watched,
    outlet: Outlet,
    page_size: usize,
}

impl Server {
    /// A server with these resources.
    pub fn new(offer: Offer, watched: Watched, outlet: &Outlet, page_size: usize) -> Self {
        Server {
            offer,
            watched,
            outlet: outlet.modern(),
            page_size,
        }
    }

    /// Answers a request. `judge` hears of every rule that is applied to it.
    pub fn answer(&self, request: &Request, judge: &Judge) -> Answer {
        match self.admit(request, judge) {
            Ok((params, meta)) => self.serve(request, params, &meta, judge),
            Err(error) => Answer::Now(Err(error)),
        }
    }

    /// Whether a request can be understood, and what it says about itself.
    fn admit<'r>(
        &self,
        request: &'r Request,
        judge: &Judge,
    ) -> Result<(Params<'r>, Meta), RpcError> {
        let params = request.params().map_err(|error| error.on_http(400))?;
        if request.method == "initialize" && !meta::is_modern(params) {
            return Err(versions::refuse_handshake(params, &self.offer));
        }
        let headers = request.carrier.as_ref().map(|one| one.headers.as_ref());
        let (mut meta, found) = Meta::read(params, request.progress_token());
        let mut named = meta.version.as_deref();
        if let Some(headers) = headers {
            judge.rule(Rule::Headers, headers::check_version(headers, named))?;
            named = named.or_else(|| headers::version(headers));
        }
        judge.rule(Rule::Version, versions::check(named, &self.offer))?;
        if let Some(headers) = headers {
            judge.rule(
                Rule::Headers,
                headers::check_method(headers, &request.method),
            )?;
        }
        judge.rule(Rule::Meta, found)?;
        judge.meta(&mut meta);
        if !REQUESTS.contains(&request.method.as_str()) {
            return Err(RpcError::method_not_found(&request.method));
        }
        if let Some(headers) = headers {
            let name = headers::check_name(headers, &request.method, params);
            judge.rule(Rule::Headers, name)?;
        }
        Ok((params, meta))
    }

    fn serve(&self, request: &Request, params: Params<'_>, meta: &Meta, _judge: &Judge) -> Answer {
        let method = request.method.as_str();
        if method == "tools/call" {
            return self.call(request, params, meta);
        }
        let answer = self.serve_now(method, params);
        Answer::Now(answer.map(|result| results::complete(method, result)))
    }

    fn serve_now(&self, method: &str, params: Params<'_>) -> Result<Value, RpcError> {
        let page = |key, entries| pagination::page(key, entries, params, self.page_size);
        match method {
            "server/discover" => Ok(discover::discover(&self.offer)),
            "tools/list" => page("tools", crate::tools::entries(REVISION)),
            "resources/list" => page("resources", resources::entries(REVISION)),
            "resources/templates/list" => {
                page("resourceTemplates", resources::template_entries(REVISION))
            }
            "resources/read" => self.watched.read(params, REVISION),
            "prompts/list" => page("prompts", prompts::entries(REVISION)),
            "prompts/get" => prompts::get(params, REVISION),
            "completion/complete" => completion::complete(params, REVISION),
            _ => Err(RpcError::method_not_found(method)),
        }
    }

    fn call(&self, request: &Request, params: Params<'_>, meta: &Meta) -> Answer {
        let outlet = self.outlet.relating_to(request.post);
        let prepare = |arguments| crate::tools::Call {
            arguments,
            terms: Arc::new(Terms {
                revision: REVISION,
                client: Map::new(),
            }),
            client: crate::client::Client::new(outlet.clone(), std::time::Duration::ZERO),
            log: Log::at(meta.log_level, outlet.clone()),
            watched: self.watched.clone(),
            progress: crate::tools::Progress {
                token: meta.progress_token.clone(),
                revision: REVISION,
                outlet: outlet.clone(),
            },
        };
        match crate::tools::call(params, REVISION, prepare) {
            Ok(running) => Answer::Later(Box::pin(async move {
                let result = running.await?;
                Ok(results::complete("tools/call", result))
            })),
            Err(error) => Answer::Now(Err(error)),
        }
    }
}
