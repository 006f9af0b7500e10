//! Who answers what: the methods of the legacy era and the module that serves each.

use crate::client::Client;
use crate::error::RpcError;
use crate::incoming::{Params, Request};
use crate::logging::Log;
use crate::outgoing::Outlet;
use crate::questions::{Asker, Unanswered};
use crate::resources::{self, Watched};
use crate::session::Session;
use crate::tasks::Tasks;
use crate::tools::by_url::Visits;
use crate::tools::{self, Call, Progress};
use crate::{completion, lifecycle, pagination, prompts, tasks};
use serde_json::{Value, json};
use std::pin::Pin;
use std::time::Duration;

/// The requests that are answered with more than -32601.
pub(crate) const REQUESTS: [&str; 17] = [
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tools/call",
    "tools/list",
];

/// The notifications of clients that the revisions of the legacy era know.
pub(crate) const NOTIFICATIONS: [&str; 5] = [
    "notifications/cancelled",
    "notifications/initialized",
    "notifications/progress",
    "notifications/roots/list_changed",
    "notifications/tasks/status",
];

/// The features of the server and the session they are offered in.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where the conversation stands.
    pub session: Session,
    /// The client, to ask.
    pub client: Client,
    log: Log,
    /// The resources that change, for all who use this server.
    pub watched: Watched,
    /// The calls that run as tasks.
    pub tasks: Tasks,
    visits: Visits,
    outlet: Outlet,
    page_size: usize,
}

/// An answer under way.
pub(crate) type Later = Pin<Box<dyn Future<Output = Result<Value, RpcError>> + Send>>;

/// An answer, now or later.
pub(crate) enum Answer {
    /// Now: the order of answers is that of requests.
    Now(Result<Value, RpcError>),
    /// Later: others may be answered meanwhile, and the request may be cancelled.
    Later(Later),
}

impl Server {
    /// A server in a new session.
    pub fn new(session: Session, outlet: Outlet, page_size: usize, timeout: Duration) -> Self {
        Server {
            session,
            client: Client::new(outlet.clone(), timeout),
            log: Log::new(outlet.clone()),
            watched: Watched::new(outlet.clone()),
            tasks: Tasks::new(outlet.clone(), page_size),
            visits: Visits::default(),
            outlet,
            page_size,
        }
    }

    /// Answers a request that the session admits.
    pub fn answer(&mut self, request: &Request) -> Answer {
        let method = request.method.as_str();
        let is_of_tasks = tasks::REQUESTS.contains(&method);
        let revision = self.session.terms_or_latest().revision;
        if !REQUESTS.contains(&method) || (is_of_tasks && !tasks::are_in(revision)) {
            return Answer::Now(Err(RpcError::method_not_found(method)));
        }
        let params = match request.params() {
            Ok(params) => params,
            Err(error) => return Answer::Now(Err(error)),
        };
        match method {
            "tools/call" => self.call(request, params),
            _ if is_of_tasks => self.tasks.answer(method, params, request.post),
            _ => Answer::Now(self.answer_now(method, params)),
        }
    }

    fn answer_now(&mut self, method: &str, params: Params<'_>) -> Result<Value, RpcError> {
        let revision = self.session.terms_or_latest().revision;
        let page = |key, entries| pagination::page(key, entries, params, self.page_size);
        match method {
            "initialize" => lifecycle::initialize(&mut self.session, params),
            "ping" => Ok(json!({})),
            "tools/list" => page("tools", tools::entries(revision)),
            "resources/list" => page("resources", resources::entries(revision)),
            "resources/templates/list" => {
                page("resourceTemplates", resources::template_entries(revision))
            }
            "resources/read" => self.watched.read(params, revision),
            "resources/subscribe" => self.watched.subscribe(params, revision),
            "resources/unsubscribe" => self.watched.unsubscribe(params),
            "prompts/list" => page("prompts", prompts::entries(revision)),
            "prompts/get" => prompts::get(params, revision, None).or_else(Unanswered::into_answer),
            "completion/complete" => completion::complete(params, revision),
            "logging/setLevel" => self.log.set_level(params),
            _ => Err(RpcError::method_not_found(method)),
        }
    }

    fn call(&mut self, request: &Request, params: Params<'_>) -> Answer {
        self.begin(request, params)
            .unwrap_or_else(|error| Answer::Now(Err(error)))
    }

    /// Begins a call, which is answered when it is done, or at once where it goes on as a task.
    fn begin(&mut self, request: &Request, params: Params<'_>) -> Result<Answer, RpcError> {
        let terms = self.session.terms_to_ask();
        let revision = terms.revision;
        let draft = self.tasks.draft(params, revision, request.post)?;
        let outlet = match &draft {
            Some(draft) => draft.outlet.clone(),
            None => self.outlet.relating_to(request.post),
        };
        let task = draft.as_ref().map(|draft| &draft.handle);
        let prepare = |arguments| Call {
            arguments,
            asker: Asker::Legacy(terms, self.client.through(outlet.clone(), task)),
            log: self.log.through(outlet.clone()),
            watched: self.watched.clone(),
            visits: self.visits.clone(),
            outlet: outlet.clone(),
            progress: Progress {
                token: request.progress_token().cloned(),
                revision,
                outlet,
            },
        };
        let running = tools::call(params, revision, draft.is_some(), prepare)?;
        Ok(match draft {
            Some(draft) => Answer::Now(self.tasks.create(draft, running)),
            None => Answer::Later(running),
        })
    }
}
