//! Parts of a message that have rules of their own: which of them are there, and whose matter a violation of the schema is.
//!
//! The schema sees what is wrong; here it gets the rule whose sentence it breaks, so that one cause stays one finding.

use super::{CONTENT, ELICITATION, META, RESOURCE_URI, SAMPLING, TASK, TOOL_HEADERS, TOOL_SCHEMA};
use crate::observer::{blocks, questions};
use crate::place::Place;
use crate::schema::{Violation, is_media_type};
use crate::text;
use mcp_assay_model::protocol::Revision;
use serde_json::Value;

/// A message of a server, as these rules look at it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'m> {
    pub revision: Revision,
    /// Its method, or that of the request that it answers.
    pub method: &'m str,
    pub value: &'m Value,
    pub source: Option<&'m str>,
}

/// Members of a task that have a sentence of their own.
const OF_TASKS: [&str; 4] = ["createdAt", "lastUpdatedAt", "taskId", "ttl"];

/// Keys of `_meta` whose values others have fixed.
const TRACE: [&str; 3] = ["baggage", "traceparent", "tracestate"];

impl Seen<'_> {
    /// The rules that the message gives something to judge.
    pub fn judged(&self) -> impl Iterator<Item = &'static str> {
        let mentions = |member: &str| self.source.is_some_and(|text| text.contains(member));
        let has_tools = self.method == "tools/list"
            && self
                .value
                .at("/result/tools")
                .and_then(Value::as_array)
                .is_some_and(|tools| !tools.is_empty());
        let rules = [
            (CONTENT, self.has_content()),
            (
                ELICITATION,
                self.since(Revision::R2025_11_25) && self.asks("elicitation/create"),
            ),
            (
                META,
                self.since(Revision::R2025_06_18) && mentions("\"_meta\""),
            ),
            (RESOURCE_URI, mentions("\"uri\"")),
            (
                SAMPLING,
                self.since(Revision::R2026_07_28) && self.asks("sampling/createMessage"),
            ),
            (TASK, self.has_task()),
            (
                TOOL_HEADERS,
                has_tools && self.since(Revision::R2026_07_28) && mentions("x-mcp-header"),
            ),
            (TOOL_SCHEMA, has_tools && self.since(Revision::R2025_11_25)),
        ];
        rules
            .into_iter()
            .filter(|(_, is_there)| *is_there)
            .map(|(rule, _)| rule)
    }

    /// The rule whose matter a violation is; `None` where it is that of the whole.
    pub fn rule_of(&self, violation: &Violation) -> Option<&'static str> {
        let pointer = violation.pointer.as_str();
        let (before, last) = pointer.rsplit_once('/').unwrap_or_default();
        let lacks = |member: &str| violation.expected.contains(&format!("`{member}`"));
        let is_key = last == "_meta" && violation.expected.starts_with("member names:");
        let is_trace = before.ends_with("/_meta") && TRACE.contains(&last);
        if self.since(Revision::R2025_06_18) && (is_key || is_trace) {
            return Some(META);
        }
        if before.ends_with("/_meta") || pointer.contains("/_meta/") {
            return None;
        }
        if let Some(rule) = self.of_question(pointer) {
            return Some(rule);
        }
        if self.since(Revision::R2025_11_25)
            && self.method == "tools/list"
            && pointer.starts_with("/result/tools/")
            && text::tokens(pointer).nth(3).as_deref() == Some("inputSchema")
        {
            let is_header = violation.message.contains("x-mcp-header");
            return Some(if is_header { TOOL_HEADERS } else { TOOL_SCHEMA });
        }
        if self.has_task() && (OF_TASKS.contains(&last) || OF_TASKS.iter().any(|one| lacks(one))) {
            return Some(TASK);
        }
        let is_of_resource = last == "uri" && self.value.at(before).is_some_and(Value::is_object);
        if is_of_resource || lacks("uri") {
            return Some(RESOURCE_URI);
        }
        let is_block = |pointer: &str| {
            let kind = self
                .value
                .at(pointer)
                .and_then(|block| block.member("type"));
            kind.and_then(Value::as_str)
                .is_some_and(|kind| ["audio", "image", "resource"].contains(&kind))
        };
        let is_data = ["data", "mimeType", "resource"].contains(&last) && is_block(before);
        (last == "blob" || is_data || is_block(pointer)).then_some(CONTENT)
    }

    /// Where a resource within a prompt has a MIME type that is none. That it has one at all the schema leaves open.
    pub fn odd_types(&self) -> Vec<String> {
        let is_prompt = self.method == "prompts/get";
        let messages = is_prompt.then(|| self.value.at("/result/messages"));
        let messages = messages.flatten().and_then(Value::as_array);
        let messages = messages.into_iter().flatten();
        let odd = messages.enumerate().filter(|(_, message)| {
            let block = &message["content"];
            let kind = block.at("/resource/mimeType").and_then(Value::as_str);
            block["type"] == "resource" && kind.is_some_and(|kind| !is_media_type(kind))
        });
        odd.map(|(index, _)| format!("/result/messages/{index}/content/resource/mimeType"))
            .collect()
    }

    /// Whether a place is the type of a block that stands beside the result of a tool.
    pub fn is_mixed(&self, pointer: &str) -> bool {
        let Some(block) = pointer.strip_suffix("/type") else {
            return false;
        };
        let place = block.rsplit_once('/').map_or("", |(blocks, _)| blocks);
        let message = place
            .strip_suffix("/content")
            .and_then(|place| self.value.at(place));
        let blocks = message.and_then(|message| message.get("content")?.as_array());
        let is_result = |block: &Value| {
            block
                .member("type")
                .is_some_and(|kind| kind == "tool_result")
        };
        message.is_some_and(|message| message.get("role").is_some_and(|role| role == "user"))
            && blocks.is_some_and(|blocks| blocks.iter().any(is_result))
    }

    /// Whether the revision is this one or a later one.
    fn since(&self, first: Revision) -> bool {
        first <= self.revision
    }

    /// Whether there is an image, audio or a resource, or the contents of one in binary.
    fn has_content(&self) -> bool {
        let is_media = |block: &Value| {
            let kind = block.member("type").and_then(Value::as_str);
            kind.is_some_and(|kind| ["audio", "image", "resource"].contains(&kind))
        };
        let result = self.value.member("result");
        let contents = result
            .and_then(|result| result.member("contents"))
            .and_then(Value::as_array);
        let has_blob =
            contents.is_some_and(|all| all.iter().any(|one| one.member("blob").is_some()));
        has_blob || blocks::of(self.value).any(is_media)
    }

    /// Whether the message asks the client by this method, itself or within a result.
    fn asks(&self, method: &str) -> bool {
        let inputs = questions::inputs(self.value);
        let is_it = |request: &Value| request.get("method").is_some_and(|name| name == method);
        self.value
            .member("method")
            .is_some_and(|name| name == method)
            || inputs.is_some_and(|inputs| inputs.values().any(is_it))
    }

    /// Of a place within what the client is asked for, whose matter that is.
    fn of_question(&self, pointer: &str) -> Option<&'static str> {
        let by_form = self.since(Revision::R2025_11_25);
        if pointer.starts_with("/params") {
            return (by_form && self.value.member("method")? == "elicitation/create")
                .then_some(ELICITATION);
        }
        let rest = pointer.strip_prefix("/result/inputRequests/")?;
        let (key, place) = rest.split_once('/')?;
        let asked = self
            .value
            .at(&format!("/result/inputRequests/{key}/method"))?;
        match asked.as_str()? {
            "elicitation/create" if place.starts_with("params") => Some(ELICITATION),
            "sampling/createMessage" if place.starts_with("params/messages") => Some(SAMPLING),
            _ => None,
        }
    }

    /// Whether there is the state of a task.
    fn has_task(&self) -> bool {
        if self.revision != Revision::R2025_11_25 {
            return false;
        }
        let at = |pointer: &str| self.value.at(pointer);
        match self.method {
            "tasks/get" | "tasks/cancel" => at("/result").is_some(),
            "tasks/list" => at("/result/tasks/0").is_some(),
            "notifications/tasks/status" => at("/params").is_some(),
            "tools/call" => {
                let result = self.value.member("result");
                let has = |name: &str| result.is_some_and(|result| result.member(name).is_some());
                has("task") && !has("content")
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
