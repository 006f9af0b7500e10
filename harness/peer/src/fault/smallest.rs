//! The smallest lawful result of each method: what `{ $empty: result }` stands for.

use crate::incoming::Request;
use crate::modern::{results, subscriptions};
use mcp_assay_model::protocol::{Era, Revision};
use serde_json::{Value, json};

/// The smallest lawful result of a method; of an unknown one the empty object.
pub(crate) fn result(method: &str, revision: Revision) -> Value {
    let bare = bare(method, revision);
    match revision.era() {
        Era::Legacy => bare,
        Era::Modern => results::complete(method, bare),
    }
}

/// The smallest lawful result of a request; that of a subscription names it.
pub(crate) fn answer(request: &Request, revision: Revision) -> Value {
    let mut result = result(&request.method, revision);
    if request.method == "subscriptions/listen" {
        let id: Value = serde_json::from_str(&request.id.0).unwrap_or_default();
        result["_meta"][subscriptions::ID] = id;
    }
    result
}

fn bare(method: &str, revision: Revision) -> Value {
    match method {
        "initialize" => json!({
            "protocolVersion": revision.as_str(),
            "capabilities": {},
            "serverInfo": { "name": "", "version": "" },
        }),
        "server/discover" => {
            json!({ "supportedVersions": [revision.as_str()], "capabilities": {} })
        }
        "tools/list" => json!({ "tools": [] }),
        "tools/call" => json!({ "content": [] }),
        "resources/list" => json!({ "resources": [] }),
        "resources/templates/list" => json!({ "resourceTemplates": [] }),
        "resources/read" => json!({ "contents": [] }),
        "prompts/list" => json!({ "prompts": [] }),
        "prompts/get" => json!({ "messages": [] }),
        "tasks/cancel" | "tasks/get" => json!({
            "taskId": "",
            "status": "cancelled",
            "createdAt": "1970-01-01T00:00:00Z",
            "lastUpdatedAt": "1970-01-01T00:00:00Z",
            "ttl": null,
        }),
        "tasks/list" => json!({ "tasks": [] }),
        "completion/complete" => json!({ "completion": { "values": [] } }),
        _ => json!({}),
    }
}
