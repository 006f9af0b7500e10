//! What a server asks its client for, in either era: by a request of its own, or within a result.

use crate::place::Place;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use serde_json::{Map, Value};

/// One question.
pub(super) struct Question<'m> {
    /// Its method.
    pub method: &'m str,
    /// Its params; null where it has none.
    pub params: &'m Value,
    /// Where these stand in the message.
    pub place: String,
}

/// The questions of a message of a server.
///
/// **Shape**: the message itself where it is a request, else those of `inputRequests`; none of any other message.
pub(super) fn of(message: &Message) -> Vec<Question<'_>> {
    let value = &*message.value;
    if message.kind == Kind::Request {
        let own = message.method.as_deref().map(|method| Question {
            method,
            params: value.get("params").unwrap_or(&Value::Null),
            place: "/params".to_owned(),
        });
        return own.into_iter().collect();
    }
    let inputs = inputs(value).filter(|_| message.kind == Kind::Result);
    let asked = inputs.into_iter().flatten().filter_map(|(key, request)| {
        let key = key.replace('~', "~0").replace('/', "~1");
        Some(Question {
            method: request.get("method")?.as_str()?,
            params: request.get("params").unwrap_or(&Value::Null),
            place: format!("/result/inputRequests/{key}/params"),
        })
    });
    asked.collect()
}

/// What an interim result asks for, by key; of another result it means nothing.
pub(super) fn inputs(message: &Value) -> Option<&Map<String, Value>> {
    let result = message.member("result")?;
    let is_interim = result.member("resultType")?.as_str()? == "input_required";
    result
        .get("inputRequests")?
        .as_object()
        .filter(|_| is_interim)
}
