//! Definitions of whole messages, which follow from the table of methods: each request and notification with its params, each response
//! with its results, and their unions by sender.
//!
//! ```text
//! tools/call, params, results -> CallToolRequest        JSONRPCRequest with this method and these params
//!                             -> CallToolResultResponse  JSONRPCResultResponse with one of these results (2026-07-28 on)
//!                             -> ClientRequest           or another request of the client
//! ```

use crate::methods::{Method, Sender, methods};
use serde_json::{Map, Value, json};

/// The first revision whose specification names responses by their result.
const NAMES_RESPONSES: &str = "2026-07-28";

/// The definitions of a revision that follow from its methods, in no order that matters.
pub(crate) fn definitions(revision: &str) -> Map<String, Value> {
    let mut definitions = Map::new();
    for method in methods(revision) {
        definitions.insert(method.definition.clone(), message(method));
        if revision >= NAMES_RESPONSES && !method.is_notification() && !method.is_input {
            let name = format!("{}Response", method.results[0]);
            definitions.insert(name, response(method));
        }
    }
    for (name, sender, is_notification) in [
        ("ClientRequest", Sender::Client, false),
        ("ClientNotification", Sender::Client, true),
        ("ServerRequest", Sender::Server, false),
        ("ServerNotification", Sender::Server, true),
    ] {
        let sent = methods(revision).filter(|method| {
            sends(sender, method) && method.is_notification() == is_notification && !method.is_input
        });
        let names: Vec<String> = sent.map(|method| method.definition.clone()).collect();
        if !names.is_empty() {
            definitions.insert(name.to_owned(), union(names));
        }
    }
    definitions.insert(
        "ServerResult".to_owned(),
        union(results(revision, Sender::Client)),
    );
    definitions.insert(
        "ClientResult".to_owned(),
        union(results(revision, Sender::Server)),
    );
    definitions
}

/// A request, a notification, or a request for input, which is no message of its own.
fn message(method: &Method) -> Value {
    let base = if method.is_notification() {
        "JSONRPCNotification"
    } else if method.is_input {
        "inputRequest"
    } else {
        "JSONRPCRequest"
    };
    let mut definition = json!({
        "$ref": reference(base),
        "properties": {
            "method": { "const": method.method },
            "params": { "$ref": reference(&method.params) },
        },
    });
    if method.params_required {
        definition["required"] = json!(["params"]);
    }
    definition
}

fn response(method: &Method) -> Value {
    json!({
        "$ref": reference("JSONRPCResultResponse"),
        "properties": { "result": union(method.results.clone()) },
    })
}

/// Definitions of what answers the requests of a sender. In the modern era a result may be of an extension's type too, and a client
/// answers nothing by a message of its own.
fn results(revision: &str, sender: Sender) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let asked = methods(revision).filter(|method| sends(sender, method) && !method.is_input);
    for name in asked.flat_map(|method| &method.results) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    if names.is_empty() {
        names.push("Result".to_owned());
    } else if revision >= NAMES_RESPONSES {
        names.push("extensionResult".to_owned());
    }
    names
}

fn sends(sender: Sender, method: &Method) -> bool {
    method.from == sender || method.from == Sender::Both
}

fn union(names: Vec<String>) -> Value {
    let mut branches: Vec<Value> = names
        .iter()
        .map(|name| json!({ "$ref": reference(name) }))
        .collect();
    match branches.len() {
        1 => branches.remove(0),
        _ => json!({ "anyOf": branches }),
    }
}

fn reference(name: &str) -> String {
    format!("#/$defs/{name}")
}

#[cfg(test)]
mod tests {
    use super::definitions;
    use serde_json::json;

    #[test]
    fn a_request_is_bound_to_its_params_and_a_response_to_its_results() {
        let modern = definitions("2026-07-28");
        let call = json!({
            "$ref": "#/$defs/JSONRPCRequest",
            "properties": {
                "method": { "const": "tools/call" },
                "params": { "$ref": "#/$defs/CallToolRequestParams" },
            },
            "required": ["params"],
        });
        assert_eq!(modern["CallToolRequest"], call);
        let results = json!({ "anyOf": [{ "$ref": "#/$defs/CallToolResult" }, { "$ref": "#/$defs/InputRequiredResult" }] });
        assert_eq!(
            modern["CallToolResultResponse"]["properties"]["result"],
            results
        );
        assert!(!definitions("2025-11-25").contains_key("CallToolResultResponse"));
    }

    #[test]
    fn requests_for_input_are_of_no_union_and_no_message() {
        let modern = definitions("2026-07-28");
        assert_eq!(modern["ElicitRequest"]["$ref"], "#/$defs/inputRequest");
        assert!(!modern.contains_key("ServerRequest"));
        assert!(!modern.contains_key("ElicitResultResponse"));
        let legacy = definitions("2025-11-25");
        assert_eq!(legacy["ElicitRequest"]["$ref"], "#/$defs/JSONRPCRequest");
        let asked = legacy["ServerRequest"]["anyOf"].as_array().unwrap();
        assert!(asked.contains(&json!({ "$ref": "#/$defs/ElicitRequest" })));
    }
}
