//! Tasks: calls that are answered at once with a receipt, and whose result is fetched later.
//!
//! ```text
//! tools/call + task -> CreateTaskResult, then the call runs on the board:
//! working <-> input_required -> completed | failed | cancelled     (tasks/get, tasks/list look; tasks/cancel ends; tasks/result waits)
//! ```
//!
//! **Source**: `2025-11-25/basic/utilities/tasks`; no other revision has them. A task belongs to the session it was begun in, and ends with
//! it. Its messages name it in `_meta`, and relate to the POST that began it: over HTTP they go with whoever waits for its result.

mod board;

use crate::error::RpcError;
use crate::incoming::Params;
use crate::outgoing::{Out, Outlet, PostNumber, Stage};
use crate::pagination;
use crate::server::{Answer, Later};
pub(crate) use board::{Asking, Handle};
use board::{Board, Found};
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// The requests about tasks.
pub(crate) const REQUESTS: [&str; 4] = ["tasks/cancel", "tasks/get", "tasks/list", "tasks/result"];

/// The task that a message belongs to, in its `_meta`.
pub(crate) const RELATED: &str = "io.modelcontextprotocol/related-task";

/// Tasks of one session that are kept at once; beyond it no task begins.
pub(crate) const MOST: usize = 256;

/// How long a task is kept whose client does not say.
const USUAL_TTL: Duration = Duration::from_secs(300);

/// How long a task is kept at most.
const LONGEST_TTL: Duration = Duration::from_secs(3600);

/// Whether a revision has tasks.
pub(crate) fn are_in(revision: Revision) -> bool {
    revision == Revision::R2025_11_25
}

/// What a server says of tasks in its capabilities.
pub(crate) fn capability() -> Value {
    json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } })
}

/// Whether a tool runs as a task.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Support {
    /// Never; a tool that says nothing means the same.
    Forbidden,
    /// Where the client wants that.
    Optional,
    /// Only so.
    Required,
}

impl Support {
    /// As `execution.taskSupport` has it.
    pub fn name(self) -> &'static str {
        match self {
            Support::Forbidden => "forbidden",
            Support::Optional => "optional",
            Support::Required => "required",
        }
    }

    /// Whether a call may be made in this way.
    ///
    /// **Errors**: -32601, as for a method that is not there.
    pub fn admit(support: Option<Support>, tool: &str, as_task: bool) -> Result<(), RpcError> {
        let way = match (support.unwrap_or(Support::Forbidden), as_task) {
            (Support::Forbidden, true) => "as a task",
            (Support::Required, false) => "other than as a task",
            (Support::Forbidden, false) | (Support::Optional, _) | (Support::Required, true) => {
                return Ok(());
            }
        };
        Err(RpcError::method_not_found(&format!(
            "tools/call of {tool} {way}"
        )))
    }
}

/// A task that does not run yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What its work knows it by.
    pub handle: Handle,
    /// The way out for its messages.
    pub outlet: Outlet,
    post: Option<PostNumber>,
    ttl: Duration,
}

/// The tasks of one session.
pub(crate) struct Tasks {
    board: Board,
    outlet: Outlet,
    page_size: usize,
    /// Those that the client does not know of: nothing is said of a task before its id went out.
    untold: Vec<oneshot::Sender<()>>,
    running: JoinSet<()>,
}

impl Tasks {
    /// No tasks.
    pub fn new(outlet: Outlet, page_size: usize) -> Self {
        Tasks {
            board: Board::default(),
            outlet,
            page_size,
            untold: Vec::new(),
            running: JoinSet::new(),
        }
    }

    /// The task that a call asks for, if it does.
    ///
    /// **Errors**: -32602 where `task` cannot be read.
    pub fn draft(
        &self,
        params: Params<'_>,
        revision: Revision,
        post: Option<PostNumber>,
    ) -> Result<Option<Draft>, RpcError> {
        if !are_in(revision) {
            return Ok(None);
        }
        let Some(wanted) = params.object("task")? else {
            return Ok(None);
        };
        let ttl = match wanted.get("ttl") {
            None => USUAL_TTL,
            Some(ttl) => {
                let ms = ttl.as_f64().filter(|ms| ms.fract() == 0.0 && *ms >= 0.0);
                let ms = ms.ok_or_else(|| {
                    RpcError::invalid_params("task.ttl is no number of milliseconds")
                })?;
                Duration::from_millis(ms as u64).min(LONGEST_TTL)
            }
        };
        let handle = self.board.handle();
        let outlet = self.outlet.relating_to(post).of_task(&handle);
        Ok(Some(Draft {
            handle,
            outlet,
            post,
            ttl,
        }))
    }

    /// Begins a task; the result is the answer to the call.
    ///
    /// **Errors**: -32603 where there are too many.
    pub fn create(&mut self, draft: Draft, work: Later) -> Result<Value, RpcError> {
        let Draft {
            handle, post, ttl, ..
        } = draft;
        let outlet = self.outlet.relating_to(post);
        let task = self.board.enter(&handle, post, ttl, outlet)?;
        let related = json!({ RELATED: { "taskId": handle.id() } });
        // Those that ended leave nothing else behind.
        while self.running.try_join_next().is_some() {}
        let (untold, told) = oneshot::channel();
        self.untold.push(untold);
        let own = handle.clone();
        let running = self.running.spawn(async move {
            // Nothing is ever sent there: it is closed once the client knows.
            drop(told.await);
            tokio::select! {
                biased;
                answer = work => own.end(answer),
                () = tokio::time::sleep(ttl) => own.expire(),
            }
        });
        handle.runs(running);
        Ok(json!({ "task": task, "_meta": related }))
    }

    /// The answers so far are on their way: what was begun runs.
    pub fn told(&mut self) {
        self.untold.clear();
    }

    /// Stops all, without a word.
    pub fn stop(&mut self) {
        self.untold.clear();
        self.running.abort_all();
    }

    /// Answers a request of [`REQUESTS`], which came by this POST.
    pub fn answer(&self, method: &str, params: Params<'_>, post: Option<PostNumber>) -> Answer {
        let id = || params.required_string("taskId");
        Answer::Now(match method {
            "tasks/list" => {
                let (tasks, end) = self.board.all();
                pagination::numbered_page("tasks", tasks, end, params, self.page_size)
            }
            "tasks/get" => id().and_then(|id| self.board.get(id)),
            "tasks/cancel" => id().and_then(|id| self.board.cancel(id)),
            _ => match id().and_then(|id| self.board.result(id)) {
                Ok(Found::Ended(answer)) => answer,
                Ok(Found::Running { creator, answer }) => {
                    let outlet = self.outlet.clone();
                    return Answer::Later(Box::pin(async move {
                        if let (Some(post), Some(of)) = (post, creator) {
                            outlet.send(Out::Post(post, Stage::Carries { of })).await;
                        }
                        answer.await
                    }));
                }
                Err(error) => Err(error),
            },
        })
    }
}

impl std::fmt::Debug for Tasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tasks")
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}
