//! Tools: the list, and calls.
//!
//! **Source**: `2024-11-05/server/tools`, `2026-07-28/server/tools`. A call is refused with a protocol error where the tool does not exist; arguments that break
//! the tool's schema are a protocol error up to 2025-06-18 and a tool error, which a model can learn from, from 2025-11-25 on.

mod asking;
pub(crate) mod by_url;
mod catalogue;
mod forms;
mod model;
mod plain;
mod rounds;
mod running;

use crate::content;
use crate::error::RpcError;
use crate::incoming::Params;
use crate::json::Json;
use crate::listing;
use crate::logging::Log;
use crate::outgoing::Outlet;
use crate::questions::{Asker, Unanswered};
use crate::resources::Watched;
use crate::server::Later;
use crate::tasks::{self, Support};
use by_url::Visits;
use catalogue::TOOLS;
use jsonschema::Validator;
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::LazyLock;

/// A tool.
pub(crate) struct Tool {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The first revision whose features it needs.
    since: Revision,
    /// The last that has them.
    until: Revision,
    input: fn() -> Value,
    /// Schema of its structured content; such a tool exists from 2025-06-18 on.
    output: Option<fn() -> Value>,
    is_read_only: bool,
    /// Whether it runs as a task, where it says so.
    task: Option<Support>,
    run: fn(Call) -> Running,
}

/// A call under way.
pub(crate) type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What a tool has to work with.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The arguments; they fit the tool's schema.
    pub arguments: Map<String, Value>,
    /// The client, to ask.
    pub asker: Asker,
    /// The log.
    pub log: Log,
    /// The resources that change.
    pub watched: Watched,
    /// Where the user was sent.
    pub visits: Visits,
    /// Where notifications go that relate to the call.
    pub outlet: Outlet,
    /// Where progress goes.
    pub progress: Progress,
}

impl Call {
    /// A string among the arguments.
    pub fn text(&self, name: &str) -> &str {
        let text = self.arguments.get(name).and_then(Value::as_str);
        text.unwrap_or_default()
    }
}

/// What a tool comes back with.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A result.
    Done {
        /// Content blocks.
        content: Vec<Value>,
        /// Structured content.
        structured: Option<Value>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// A result by which the client is asked.
    Asks(Value),
    /// A protocol error.
    Refused(RpcError),
}

impl From<Unanswered> for Outcome {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Failed(text) => Outcome::error(text),
            Unanswered::Asked(result) => Outcome::Asks(result),
            Unanswered::Refused(error) => Outcome::Refused(error),
        }
    }
}

impl Outcome {
    /// Content blocks.
    pub fn content(content: Vec<Value>) -> Self {
        Outcome::Done {
            content,
            structured: None,
            is_error: false,
        }
    }

    /// One text block.
    pub fn text(text: impl Into<String>) -> Self {
        Outcome::content(vec![content::text(text)])
    }

    /// Structured content, with the same as text for clients that do not read it.
    pub fn structured(value: Value) -> Self {
        Outcome::Done {
            content: vec![content::text(value.to_string())],
            structured: Some(value),
            is_error: false,
        }
    }

    /// A failure of the tool, told to the model.
    pub fn error(text: impl Into<String>) -> Self {
        Outcome::Done {
            content: vec![content::text(text)],
            structured: None,
            is_error: true,
        }
    }

    fn into_answer(self) -> Result<Value, RpcError> {
        let (content, structured, is_error) = match self {
            Outcome::Done {
                content,
                structured,
                is_error,
            } => (content, structured, is_error),
            Outcome::Asks(result) => return Ok(result),
            Outcome::Refused(error) => return Err(error),
        };
        let mut result = json!({ "content": content });
        if let Some(structured) = structured {
            result["structuredContent"] = structured;
        }
        if is_error {
            result["isError"] = json!(true);
        }
        Ok(result)
    }
}

/// Progress of one call, told if the caller gave a token.
///
/// **Source**: `2024-11-05/basic/utilities/progress`; the message came with 2025-03-26.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// The token as the client wrote it.
    pub token: Option<RawId>,
    /// The negotiated revision.
    pub revision: Revision,
    /// The way out.
    pub outlet: Outlet,
}

impl Progress {
    /// Says how far the call is, of 100.
    pub async fn report(&self, progress: u32, message: &str) {
        let Some(token) = &self.token else { return };
        let mut params = Json::object([("progressToken", Json::Raw(token.0.clone()))]);
        params.set("/progress", json!(progress).into());
        params.set("/total", json!(100).into());
        if self.revision >= Revision::R2025_03_26 {
            params.set("/message", Json::text(message));
        }
        self.outlet.notify("notifications/progress", params).await;
    }
}

/// The entries of `tools/list`.
pub(crate) fn entries(revision: Revision) -> Vec<Value> {
    offered(revision).map(|tool| tool.entry(revision)).collect()
}

/// The input schema of a tool, where there is such a tool.
pub(crate) fn input_schema(name: &str, revision: Revision) -> Option<Value> {
    let tool = offered(revision).find(|tool| tool.name == name)?;
    Some((tool.input)())
}

fn offered(revision: Revision) -> impl Iterator<Item = &'static Tool> {
    let is_offered = move |tool: &&Tool| (tool.since..=tool.until).contains(&revision);
    TOOLS.iter().filter(is_offered)
}

/// Begins a call.
///
/// **Errors**: the answer to a call of no tool, in a way that it cannot be called in (`as_task`: whether the client wants a task), or (to
/// 2025-06-18) with arguments that break its schema.
pub(crate) fn call(
    params: Params<'_>,
    revision: Revision,
    as_task: bool,
    prepare: impl FnOnce(Map<String, Value>) -> Call,
) -> Result<Later, RpcError> {
    let name = params.required_string("name")?;
    let arguments = params.object("arguments")?.cloned().unwrap_or_default();
    let tool = offered(revision)
        .find(|tool| tool.name == name)
        .ok_or_else(|| RpcError::invalid_params(format!("Unknown tool: {name}")))?;
    if tasks::are_in(revision) {
        Support::admit(tool.task, name, as_task)?;
    }
    let begun: Result<Running, Outcome> = match tool.check(&arguments) {
        Ok(()) => Ok((tool.run)(prepare(arguments))),
        Err(detail) if revision < Revision::R2025_11_25 => {
            return Err(RpcError::invalid_params(detail));
        }
        Err(detail) => Err(Outcome::error(detail)),
    };
    Ok(Box::pin(async move {
        match begun {
            Ok(running) => running.await.into_answer(),
            Err(refused) => refused.into_answer(),
        }
    }))
}

impl Tool {
    fn entry(&self, revision: Revision) -> Value {
        let mut entry = json!({ "name": self.name });
        listing::add_title(&mut entry, revision, self.title);
        entry["description"] = json!(self.description);
        entry["inputSchema"] = (self.input)();
        if let Some(output) = self.output {
            entry["outputSchema"] = output();
        }
        if revision >= Revision::R2025_03_26 {
            entry["annotations"] = json!({
                "title": self.title,
                "readOnlyHint": self.is_read_only,
                "destructiveHint": false,
                "idempotentHint": true,
                "openWorldHint": false,
            });
        }
        if let Some(support) = self.task.filter(|_| tasks::are_in(revision)) {
            entry["execution"] = json!({ "taskSupport": support.name() });
        }
        listing::add_icon(&mut entry, revision);
        entry
    }

    fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let validator = VALIDATORS.get(self.name);
        let validator = validator.expect("every tool of the list has a validator");
        let arguments = Value::Object(arguments.clone());
        validator.validate(&arguments).map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() {
                "arguments"
            } else {
                &place
            };
            // What was sent is not repeated: it may be long, and it may be hostile.
            let error = error.masked();
            format!("Invalid arguments for tool {}: {place}: {error}", self.name)
        })
    }
}

/// Compiled input schemas: compiled once, because a kill matrix starts this server thousands of times in one process.
static VALIDATORS: LazyLock<HashMap<&'static str, Validator>> = LazyLock::new(|| {
    let compile = |tool: &Tool| {
        let validator = jsonschema::draft202012::new(&(tool.input)());
        (tool.name, validator.expect("our own schemas compile"))
    };
    TOOLS.iter().map(compile).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sorted_as_declared() {
        let mut names: Vec<_> = TOOLS.iter().map(|tool| tool.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert_eq!(VALIDATORS.len(), count);
    }

    #[test]
    fn structured_results_belong_to_revisions_that_have_them() {
        for tool in TOOLS.iter().filter(|tool| tool.output.is_some()) {
            assert!(tool.since >= Revision::R2025_06_18, "{}", tool.name);
        }
    }
}
