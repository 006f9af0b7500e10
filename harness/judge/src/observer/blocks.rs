//! Content blocks of a message, wherever its method has them.

use crate::place::Place;
use serde_json::Value;

/// The blocks of a result of tools/call or prompts/get, and of what a model is asked.
///
/// **Shape**: the list of a result, then the one or several of each message of a prompt or of a request for sampling; those within a tool's
/// result or within a result's requests for input are not among them.
pub(super) fn of(message: &Value) -> impl Iterator<Item = &Value> {
    let result = message.member("result");
    let of_result = result.and_then(|result| result.member("content"));
    let parts = [result, message.member("params")].into_iter().flatten();
    let messages = parts.filter_map(|part| part.member("messages")?.as_array());
    let of_messages = messages.flatten().filter_map(|one| one.member("content"));
    of_result.into_iter().chain(of_messages).flat_map(each)
}

/// Several blocks, or the one that stands for them.
pub(super) fn each(content: &Value) -> impl Iterator<Item = &Value> {
    match content {
        Value::Array(blocks) => blocks.as_slice(),
        one => std::slice::from_ref(one),
    }
    .iter()
}
