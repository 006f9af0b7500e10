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
pub(crate) mod mrtr;
pub(crate) mod results;
pub(crate) mod state;
pub(crate) mod subscriptions;
mod versions;

pub(crate) use versions::is_modern;

use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
use crate::incoming::{Params, Request};
use crate::logging::Log;
use crate::offer::Offer;
use crate::outgoing::Outlet;
use crate::questions::{Asker, Unanswered};
use crate::resources::{self, Watched};
use crate::server::{Answer, Later};
use crate::tools::by_url::Visits;
use crate::tools::{self, Call, Progress};
use crate::{completion, pagination, prompts};
use headers::Headers;
use mcp_assay_model::protocol::Revision;
use meta::Meta;
use mrtr::Rounds;
use serde_json::{Value, json};
use state::Seal;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use subscriptions::Listens;
use tokio::time::Instant;

/// The requests of this revision.
pub(crate) const REQUESTS: [&str; 10] = [
    "completion/complete",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/templates/list",
    "server/discover",
    "subscriptions/listen",
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
    /// Since when states are sealed.
    begun: Instant,
}

impl Server {
    /// A server with these resources.
    pub fn new(offer: Offer, watched: Watched, outlet: &Outlet, page_size: usize) -> Self {
        Server {
            offer,
            watched,
            outlet: outlet.modern(),
            page_size,
            begun: Instant::now(),
        }
    }

    /// Its subscriptions.
    pub fn listens(&self) -> &Listens {
        &self.watched.listens
    }

    /// Answers a request. `judge` hears of all that is wrong with it.
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
        let mut meta = Meta::read(params, request.progress_token());
        let headers = headers(request, judge);
        let mut named = meta.version.as_deref();
        if let Some(headers) = headers {
            headers.check_version(named)?;
            named = named.or(headers.version());
        }
        versions::check(named, &self.offer, judge)?;
        if let Some(headers) = headers {
            headers.check_method(&request.method)?;
        }
        meta::check(params, judge)?;
        judge.meta(&mut meta);
        if !REQUESTS.contains(&request.method.as_str()) {
            let error = RpcError::method_not_found(&request.method);
            judge.refuse(Breach::UnknownMethod, error)?;
        }
        if let Some(headers) = headers {
            headers.check_name(&request.method, params)?;
        }
        Ok((params, meta))
    }

    fn serve(&self, request: &Request, params: Params<'_>, meta: &Meta, judge: &Judge) -> Answer {
        let method = request.method.as_str();
        let rounds = || {
            let now = self.begun.elapsed();
            let seal = Seal::new(method, params, now);
            Rounds::read(params, Arc::clone(&meta.terms), seal, judge)
        };
        let answer = match method {
            "tools/call" => match self.call(request, params, meta, judge, rounds) {
                Ok(running) => return begin(method, running),
                Err(error) => Err(error),
            },
            "subscriptions/listen" => {
                let outlet = self.outlet.relating_to(request.post);
                let listens = &self.watched.listens;
                match listens.begin(request, params, &self.watched, outlet, judge) {
                    Ok(running) => return begin(method, running),
                    Err(error) => Err(error),
                }
            }
            "prompts/get" => rounds().and_then(|rounds| {
                let got = prompts::get(params, REVISION, Some(&rounds));
                got.or_else(Unanswered::into_answer)
            }),
            "resources/read" => rounds().and_then(|rounds| self.read(params, &rounds)),
            _ => self.serve_plainly(method, params),
        };
        Answer::Now(answer.map(|result| results::complete(method, result)))
    }

    /// Serves what is answered without asking.
    fn serve_plainly(&self, method: &str, params: Params<'_>) -> Result<Value, RpcError> {
        let page = |key, entries| pagination::page(key, entries, params, self.page_size);
        match method {
            "server/discover" => Ok(discover::discover(&self.offer)),
            "tools/list" => page("tools", tools::entries(REVISION)),
            "resources/list" => page("resources", resources::entries(REVISION)),
            "resources/templates/list" => {
                page("resourceTemplates", resources::template_entries(REVISION))
            }
            "prompts/list" => page("prompts", prompts::entries(REVISION)),
            "completion/complete" => completion::complete(params, REVISION),
            _ => Ok(json!({})),
        }
    }

    fn read(&self, params: Params<'_>, rounds: &Rounds) -> Result<Value, RpcError> {
        let uri = params.required_string("uri")?;
        match Watched::read_asking(uri, rounds) {
            Some(read) => read.or_else(Unanswered::into_answer),
            None => self.watched.read(params, REVISION),
        }
    }

    fn call(
        &self,
        request: &Request,
        params: Params<'_>,
        meta: &Meta,
        judge: &Judge,
        rounds: impl FnOnce() -> Result<Rounds, RpcError>,
    ) -> Result<Later, RpcError> {
        let name = params.required_string("name")?;
        if let Some(headers) = headers(request, judge)
            && let Some(schema) = tools::input_schema(name, REVISION)
        {
            let arguments = params.object("arguments")?.cloned().unwrap_or_default();
            headers.check_parameters(&schema, &arguments)?;
        }
        let rounds = rounds()?;
        let outlet = self.outlet.relating_to(request.post);
        tools::call(params, REVISION, false, |arguments| Call {
            arguments,
            asker: Asker::Modern(rounds),
            log: Log::at(meta.log_level, outlet.clone()),
            watched: self.watched.clone(),
            visits: Visits::default(),
            outlet: outlet.clone(),
            progress: Progress {
                token: meta.progress_token.clone(),
                revision: REVISION,
                outlet,
            },
        })
    }
}

/// The headers of a request that came over HTTP.
fn headers<'r>(request: &'r Request, judge: &'r Judge) -> Option<Headers<'r>> {
    let carrier = request.carrier.as_ref()?;
    Some(Headers::new(&carrier.headers, judge))
}

/// Begins what takes time. What ends before it waits for anything is answered at once, so that over HTTP its error has a status.
fn begin(method: &str, running: Later) -> Answer {
    let method = method.to_owned();
    let mut call: Later = Box::pin(async move {
        let result = running.await?;
        Ok(results::complete(&method, result))
    });
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Answer::Now(answer),
        Poll::Pending => Answer::Later(call),
    }
}
