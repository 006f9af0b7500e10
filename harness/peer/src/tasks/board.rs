//! The board: what is known of each task, and the only ways from one status to the next.

use super::{MOST, RELATED};
use crate::error::RpcError;
use crate::json::Json;
use crate::outgoing::{Out, Outgoing, Outlet, PostNumber};
use crate::server::Later;
use crate::unguessable;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long a client is asked to wait before it looks again.
const POLL_INTERVAL_MS: u64 = 500;

/// Bytes of an answer that is kept; a longer one is an error.
const LONGEST_ANSWER: usize = 64 << 10;

/// Characters of a status message, at most.
const LONGEST_MESSAGE: usize = 200;

/// Where a task stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Status::Working => "working",
            Status::InputRequired => "input_required",
            Status::Completed => "completed",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
        }
    }

    /// Whether nothing follows.
    fn is_terminal(self) -> bool {
        match self {
            Status::Working | Status::InputRequired => false,
            Status::Completed | Status::Failed | Status::Cancelled => true,
        }
    }
}

/// The tasks of one session, by number.
#[derive(Clone, Debug)]
pub(super) struct Board {
    all: Arc<Mutex<All>>,
    /// When the session began, by the calendar and by the clock that everything else goes by.
    begun: (Timestamp, Instant),
}

#[derive(Debug, Default)]
struct All {
    /// Numbers given out so far.
    issued: usize,
    tasks: BTreeMap<usize, Task>,
}

#[derive(Debug)]
struct Task {
    id: Arc<str>,
    /// The POST that began it.
    creator: Option<PostNumber>,
    status: Status,
    message: Option<String>,
    created: Timestamp,
    updated: Timestamp,
    ttl: Duration,
    expires: Instant,
    /// Questions to the client that have no answer yet.
    asking: usize,
    /// What the call would have been answered with, once it has ended.
    answer: Option<Result<Value, RpcError>>,
    /// Becomes true when the task ends; is closed when the task is forgotten.
    ended: watch::Sender<bool>,
    /// Where changes of its status are told.
    outlet: Outlet,
    running: Option<AbortHandle>,
}

impl Task {
    fn to_value(&self) -> Value {
        let mut task = json!({
            "taskId": &*self.id,
            "status": self.status.name(),
            "createdAt": self.created.to_string(),
            "lastUpdatedAt": self.updated.to_string(),
            "ttl": u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX),
            "pollInterval": POLL_INTERVAL_MS,
        });
        if let Some(message) = &self.message {
            task["statusMessage"] = json!(message);
        }
        task
    }

    /// Moves on, and tells the client; a task that has ended stays as it is.
    fn move_to(&mut self, status: Status, message: Option<String>, now: Timestamp) {
        if self.status.is_terminal() || self.status == status {
            return;
        }
        self.status = status;
        self.message = message;
        self.updated = now;
        let told =
            Outgoing::notification("notifications/tasks/status", Json::from(self.to_value()));
        self.outlet.try_send(Out::One(told));
        if status.is_terminal() {
            self.ended.send_replace(true);
        }
    }

    /// The answer of a task that has ended, which names it where there is a place for that.
    fn answer(&self) -> Option<Result<Value, RpcError>> {
        let answer = self.answer.clone()?;
        Some(answer.map(|mut result| {
            result["_meta"][RELATED] = json!({ "taskId": &*self.id });
            result
        }))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

/// What `tasks/result` finds.
pub(super) enum Found {
    /// The task has ended: the answer.
    Ended(Result<Value, RpcError>),
    /// It has not.
    Running {
        /// The POST that began it, whose messages go with this request from now on.
        creator: Option<PostNumber>,
        /// Comes to the answer.
        answer: Later,
    },
}

impl Default for Board {
    fn default() -> Self {
        Board {
            all: Arc::default(),
            begun: (Timestamp::now(), Instant::now()),
        }
    }
}

impl Board {
    /// The handle of a task that is still to be entered.
    pub fn handle(&self) -> Handle {
        let mut all = self.lock();
        all.issued += 1;
        Handle {
            board: self.clone(),
            number: all.issued,
            id: unguessable::id().into(),
        }
    }

    /// Enters a task.
    ///
    /// **Errors**: -32603 where there is no room.
    pub fn enter(
        &self,
        handle: &Handle,
        creator: Option<PostNumber>,
        ttl: Duration,
        outlet: Outlet,
    ) -> Result<Value, RpcError> {
        let now = self.now();
        let mut all = self.lock();
        if all.tasks.len() >= MOST {
            return Err(RpcError::internal("too many tasks; wait until one expires"));
        }
        let task = Task {
            id: Arc::clone(&handle.id),
            creator,
            status: Status::Working,
            message: None,
            created: now,
            updated: now,
            ttl,
            expires: Instant::now() + ttl,
            asking: 0,
            answer: None,
            ended: watch::Sender::new(false),
            outlet,
            running: None,
        };
        let entered = task.to_value();
        all.tasks.insert(handle.number, task);
        Ok(entered)
    }

    /// All tasks with their numbers, and the number that comes after.
    pub fn all(&self) -> (Vec<(usize, Value)>, usize) {
        let all = self.lock();
        let tasks = all.tasks.iter();
        let tasks = tasks.map(|(number, task)| (*number, task.to_value()));
        (tasks.collect(), all.issued + 1)
    }

    /// Answers `tasks/get`.
    pub fn get(&self, id: &str) -> Result<Value, RpcError> {
        Ok(find(&mut self.lock(), id)?.to_value())
    }

    /// Answers `tasks/cancel`.
    pub fn cancel(&self, id: &str) -> Result<Value, RpcError> {
        let now = self.now();
        let mut all = self.lock();
        let task = find(&mut all, id)?;
        if task.status.is_terminal() {
            let detail = format!("The task is over: {}", task.status.name());
            return Err(RpcError::invalid_params(detail));
        }
        let message = "The client cancelled the task.";
        // What the call comes to where it is stopped before it comes to anything.
        let content = json!([{ "type": "text", "text": message }]);
        task.answer = Some(Ok(json!({ "content": content, "isError": true })));
        task.move_to(Status::Cancelled, Some(message.to_owned()), now);
        let cancelled = task.to_value();
        let running = task.running.take();
        drop(all);
        if let Some(running) = running {
            running.abort();
        }
        Ok(cancelled)
    }

    /// Answers `tasks/result`.
    pub fn result(&self, id: &str) -> Result<Found, RpcError> {
        let mut all = self.lock();
        let task = find(&mut all, id)?;
        if let Some(answer) = task.answer() {
            return Ok(Found::Ended(answer));
        }
        let mut ended = task.ended.subscribe();
        let (board, id) = (self.clone(), id.to_owned());
        Ok(Found::Running {
            creator: task.creator,
            answer: Box::pin(async move {
                // Where it is closed the task was forgotten, and is not found.
                drop(ended.wait_for(|has_ended| *has_ended).await);
                let mut all = board.lock();
                let answer = find(&mut all, &id)?.answer();
                answer.unwrap_or_else(|| Err(unknown()))
            }),
        })
    }

    /// Changes a task, where it is still there.
    fn with(&self, number: usize, act: impl FnOnce(&mut Task, Timestamp)) {
        let now = self.now();
        if let Some(task) = self.lock().tasks.get_mut(&number) {
            act(task, now);
        }
    }

    /// To the millisecond, as `lastUpdatedAt` says it.
    fn now(&self) -> Timestamp {
        let (begun, clock) = self.begun;
        let ms = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ms = begun.as_millisecond().saturating_add(ms);
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
    }

    /// The tasks whose time is not over; the others are forgotten.
    fn lock(&self) -> MutexGuard<'_, All> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        all.tasks.retain(|_, task| task.expires > now);
        all
    }
}

fn find<'a>(all: &'a mut All, id: &str) -> Result<&'a mut Task, RpcError> {
    let mut tasks = all.tasks.values_mut();
    tasks.find(|task| &*task.id == id).ok_or_else(unknown)
}

fn unknown() -> RpcError {
    RpcError::invalid_params("There is no such task, or it has expired")
}

/// A task, as those know it that work for it.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    board: Board,
    number: usize,
    id: Arc<str>,
}

impl Handle {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Does something, unless it is over: what is said of its work must not come behind its end.
    pub fn while_it_lasts(&self, act: impl FnOnce()) {
        self.board.with(self.number, |task, _| {
            if !task.status.is_terminal() {
                act();
            }
        });
    }

    /// Its work can be stopped so.
    pub fn runs(&self, running: AbortHandle) {
        self.board.with(self.number, |task, _| {
            task.running = Some(running);
        });
    }

    /// Its work came to this.
    pub fn end(&self, answer: Result<Value, RpcError>) {
        self.board.with(self.number, |task, now| {
            if task.status.is_terminal() {
                return;
            }
            let answer = answer.and_then(|result| {
                let is_kept = result.to_string().len() <= LONGEST_ANSWER;
                let too_long = || RpcError::internal("the result is too long to be kept");
                is_kept.then_some(result).ok_or_else(too_long)
            });
            let (status, message) = match &answer {
                Ok(result) if result["isError"] == true => {
                    let text = result["content"][0]["text"].as_str();
                    let text = text.unwrap_or("failed").chars();
                    (Status::Failed, Some(text.take(LONGEST_MESSAGE).collect()))
                }
                Ok(_) => (Status::Completed, None),
                Err(error) => (Status::Failed, Some(error.message().to_owned())),
            };
            task.answer = Some(answer);
            task.move_to(status, message, now);
        });
    }

    /// Its time is over.
    pub fn expire(&self) {
        drop(self.board.lock());
    }

    /// The client is asked for something; until the guard is dropped the task cannot go on without it.
    pub fn asks(&self) -> Asking {
        self.board.with(self.number, |task, now| {
            task.asking += 1;
            let message = "The task waits for the client's answer.";
            task.move_to(Status::InputRequired, Some(message.to_owned()), now);
        });
        Asking(self.clone())
    }
}

/// A question of a task's to the client, while it has no answer.
#[derive(Debug)]
pub(crate) struct Asking(Handle);

impl Drop for Asking {
    fn drop(&mut self) {
        let Handle { board, number, .. } = &self.0;
        board.with(*number, |task, now| {
            task.asking -= 1;
            if task.asking == 0 {
                task.move_to(Status::Working, None, now);
            }
        });
    }
}
