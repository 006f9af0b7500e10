//! Tasks of 2025-11-25 that a server works on: their end is an end, and messages name them where they have to, and only there.

use super::dialogue::{Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;
use std::collections::HashMap;

const FAILURE: &str = "failure-told";
const PROGRESS: &str = "progress-ends";
const RELATED: &str = "related";
const TERMINAL: &str = "terminal";
const UNRELATED: &str = "unrelated";

const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// Watches tasks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tasks;

impl Observer for Tasks {
    fn name(&self) -> &'static str {
        "tasks"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    FAILURE,
                    "a task that failed says why",
                    "the answer to tasks/get of a task that failed has a `statusMessage`",
                    &["2025-11-25/basic/utilities/tasks#task-execution-errors.1"],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    PROGRESS,
                    "the progress of a task ends with it",
                    "no progress with the token of a task's request comes after the task was told to be completed, failed or cancelled",
                    &["2025-11-25/basic/utilities/progress#behavior-requirements.8"],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    RELATED,
                    "messages of a task name it",
                    "the answer to tasks/result names the task in `_meta`, and whatever else names one names one that was made",
                    &[
                        "2025-11-25/basic/utilities/tasks#associating-task-related-messages.1",
                        "2025-11-25/basic/utilities/tasks#associating-task-related-messages.2",
                        "2025-11-25/basic/utilities/tasks#input-required-status.5",
                    ],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    TERMINAL,
                    "the end of a task is final",
                    "a task that was completed, failed or cancelled never has another status",
                    &[
                        "2025-11-25/basic/utilities/tasks#task-status-lifecycle.2",
                        "2025-11-25/basic/utilities/tasks#task-status-lifecycle.3",
                        "2025-11-25/basic/utilities/tasks#task-status-lifecycle.4",
                    ],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    UNRELATED,
                    "what names its task already does not name it again",
                    "requests and results of tasks/get, tasks/list and tasks/cancel, requests of tasks/result and notifications of a status have no related task in `_meta`",
                    &[
                        "2025-11-25/basic/utilities/tasks#associating-task-related-messages.4",
                        "2025-11-25/basic/utilities/tasks#associating-task-related-messages.6",
                        "2025-11-25/basic/utilities/tasks#task-notifications.3",
                        "2025-11-25/basic/utilities/tasks#related-task-metadata.2",
                    ],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        (revision == Revision::R2025_11_25).then(|| {
            Box::new(Board {
                is_ordered: binding != Binding::Http,
                tasks: HashMap::new(),
                is_full: false,
            }) as _
        })
    }
}

/// Tasks that are remembered; beyond them none is unknown.
const REMEMBERED: usize = 4096;

struct Board {
    /// Whether what comes later was sent later, whichever way it came.
    is_ordered: bool,
    /// By connection and id.
    tasks: HashMap<(String, String), Task>,
    is_full: bool,
}

/// What is known of a task.
#[derive(Default)]
struct Task {
    /// The terminal status that was told, and where.
    ended: Option<(String, u64)>,
    /// Token of the progress of the request that made it.
    token: Option<Value>,
}

impl Watch for Board {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        self.unrelated(&came, sightings);
        self.related(&came, sightings);
        self.progress(&came, sightings);
        let value = &came.message.value;
        let asked = came.answers();
        let method = match came.message.kind {
            Kind::Notification => came.message.method.as_deref(),
            Kind::Result => asked.map(|asked| asked.method.as_str()),
            Kind::Request | Kind::Error | Kind::Batch | Kind::Malformed(_) => None,
        };
        // When a state was asked for, so that one that was told meanwhile is not taken for an earlier one.
        let since = asked.map(|asked| asked.seq);
        match method {
            Some("tools/call") if asked.is_some_and(|asked| asked.is_task) => {
                let token = asked.and_then(|asked| asked.token().cloned());
                self.state(&came, "/result/task", None, token, sightings);
            }
            Some(method @ ("tasks/get" | "tasks/cancel")) => {
                self.state(&came, "/result", since, None, sightings);
                if method == "tasks/get" {
                    failure(&came, sightings);
                }
            }
            Some("tasks/list") => {
                let tasks = value.at("/result/tasks").and_then(Value::as_array);
                for index in 0..tasks.map_or(0, Vec::len) {
                    let place = format!("/result/tasks/{index}");
                    self.state(&came, &place, since, None, sightings);
                }
            }
            Some("notifications/tasks/status") => {
                // Over lines it was sent after what came before it.
                let since = self.is_ordered.then_some(came.entry.seq);
                self.state(&came, "/params", since, None, sightings);
            }
            _ => {}
        }
    }
}

impl Board {
    /// A state of a task came, as it was at `since` or later.
    fn state(
        &mut self,
        came: &Came<'_>,
        place: &str,
        since: Option<u64>,
        token: Option<Value>,
        sightings: &mut Sightings,
    ) {
        let at = |member: &str| came.message.value.at(place)?.get(member)?.as_str();
        let (Some(id), Some(status)) = (at("taskId"), at("status")) else {
            return;
        };
        let key = (came.entry.connection.clone(), id.to_owned());
        if !self.tasks.contains_key(&key) && self.tasks.len() >= REMEMBERED {
            self.is_full = true;
            return;
        }
        let task = self.tasks.entry(key).or_default();
        task.token = token.or(task.token.take());
        match &task.ended {
            None if ["completed", "failed", "cancelled"].contains(&status) => {
                task.ended = Some((status.to_owned(), came.entry.seq));
            }
            None => {}
            Some((ended, seq)) => {
                if since.is_none_or(|since| since <= *seq) {
                    return;
                }
                sightings.judge(TERMINAL);
                if ended != status {
                    let message = format!(
                        "a task that was {ended} in #{seq} is {} now",
                        text::cut(status)
                    );
                    let at = format!("{place}/status");
                    let finding = Finding::new(FindingCode::Value, message)
                        .expected(format!("\"{ended}\", which is final"))
                        .actual(came.raw(&at).unwrap_or_default())
                        .at(came.entry.seq, &at);
                    sightings.find(TERMINAL, "", "", finding);
                }
            }
        }
    }

    fn related(&self, came: &Came<'_>, sightings: &mut Sightings) {
        let value = &came.message.value;
        let (part, wanted) = match came.message.kind {
            Kind::Result => {
                let asked = came.answers();
                let is_result = asked.is_some_and(|asked| asked.method == "tasks/result");
                let id = asked.and_then(|asked| asked.param("taskId")?.as_str());
                ("result", id.filter(|_| is_result))
            }
            Kind::Request | Kind::Notification => ("params", None),
            Kind::Error | Kind::Batch | Kind::Malformed(_) => return,
        };
        let meta = value.member(part).and_then(|part| part.member("_meta"));
        let named = meta.and_then(|meta| meta.get(RELATED_TASK));
        let id = named.and_then(|named| named.get("taskId")?.as_str());
        let problem = match (wanted, named, id) {
            (None, None, _) => return,
            (Some(wanted), _, Some(id)) if wanted == id => None,
            (Some(_), None, _) => Some("the result of a task does not name the task".to_owned()),
            (_, Some(_), None) => Some("a message names a task without its id".to_owned()),
            (Some(_), _, Some(id)) => {
                let id = text::cut(id);
                Some(format!("the result of a task names another one, `{id}`"))
            }
            (None, Some(_), Some(id)) => {
                let key = (came.entry.connection.clone(), id.to_owned());
                let may_be_older = self.is_full
                    || came.client.is_midway
                    || !came.client.past.ids.is_empty()
                    || !self.is_ordered;
                match self.tasks.contains_key(&key) {
                    true => None,
                    // A client's own task is named as well, and one may be named before its making is answered.
                    false if may_be_older || has_asked_for_tasks(came) => return,
                    false => {
                        let id = text::cut(id);
                        Some(format!("a message names a task that nobody made, `{id}`"))
                    }
                }
            }
        };
        sightings.judge(RELATED);
        if let Some(problem) = problem {
            let place = format!("/{part}");
            let at = format!("{place}/_meta/{}", RELATED_TASK.replace('/', "~1"));
            let shown = came.raw(&at).unwrap_or_else(|| came.text());
            let finding = Finding::new(FindingCode::Id, problem)
                .expected(format!("`_meta` with \"{RELATED_TASK}\" and the `taskId`"))
                .actual(shown)
                .at(came.entry.seq, if named.is_some() { &at } else { &place });
            sightings.find(RELATED, "", &place, finding);
        }
    }

    fn progress(&self, came: &Came<'_>, sightings: &mut Sightings) {
        let is_progress = came.notification() == Some("notifications/progress");
        if !self.is_ordered || !is_progress || self.tasks.is_empty() {
            return;
        }
        let Some(token) = came.message.value.at("/params/progressToken") else {
            return;
        };
        let mut with_token = came.client.asked.with_token(token);
        // One token for two requests tells nothing.
        let (Some(asked), None) = (with_token.next(), with_token.next()) else {
            return;
        };
        let is_own = |(connection, _): &(String, String), task: &Task| {
            *connection == came.entry.connection
                && task.token.as_ref().is_some_and(|own| asked.has_token(own))
        };
        let Some((_, task)) = self.tasks.iter().find(|(key, task)| is_own(key, task)) else {
            return;
        };
        sightings.judge(PROGRESS);
        if let Some((ended, seq)) = &task.ended {
            let message = format!("progress came after the task was {ended} in #{seq}");
            let finding = Finding::new(FindingCode::Order, message)
                .expected("no progress of a task that has ended")
                .actual(came.text())
                .at(came.entry.seq, "/params/progressToken");
            sightings.find(PROGRESS, "notifications/progress", "", finding);
        }
    }

    fn unrelated(&self, came: &Came<'_>, sightings: &mut Sightings) {
        let method = match came.message.kind {
            Kind::Request | Kind::Notification => came.message.method.as_deref(),
            Kind::Result => came.answers().map(|asked| asked.method.as_str()),
            Kind::Error | Kind::Batch | Kind::Malformed(_) => None,
        };
        let place = match (came.message.kind, method) {
            (Kind::Request, Some("tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel"))
            | (Kind::Notification, Some("notifications/tasks/status")) => "/params/_meta",
            (Kind::Result, Some("tasks/get" | "tasks/list" | "tasks/cancel")) => "/result/_meta",
            _ => return,
        };
        sightings.judge(UNRELATED);
        let meta = came.message.value.at(place);
        if meta.and_then(|meta| meta.get(RELATED_TASK)).is_none() {
            return;
        }
        let method = method.unwrap_or_default();
        let at = format!("{place}/{}", RELATED_TASK.replace('/', "~1"));
        let message = format!("`{method}` names the task in `_meta` too");
        let finding = Finding::new(FindingCode::Value, message)
            .expected(format!("`_meta` without \"{RELATED_TASK}\""))
            .actual(came.raw(&at).unwrap_or_default())
            .at(came.entry.seq, &at);
        sightings.find(UNRELATED, method, place, finding);
    }
}

/// Whether either side asked for a task that it may not have got yet.
fn has_asked_for_tasks(came: &Came<'_>) -> bool {
    let waits = came
        .client
        .asked
        .iter()
        .any(|asked| asked.is_task && asked.answered.is_none());
    waits
        || came
            .client
            .questions
            .iter()
            .any(|question| question.is_task)
}

fn failure(came: &Came<'_>, sightings: &mut Sightings) {
    let result = &came.message.value["result"];
    if result["status"] != "failed" {
        return;
    }
    sightings.judge(FAILURE);
    if !result["statusMessage"].is_string() {
        let finding = Finding::new(FindingCode::Schema, "a task failed, and does not say why")
            .expected("a `statusMessage`")
            .actual(came.raw("/result").unwrap_or_default())
            .at(came.entry.seq, "/result");
        sightings.find(FAILURE, "tasks/get", "", finding);
    }
}

#[cfg(test)]
mod tests;
