//! The smallest lawful result of each method: what `{ $empty: result }` stands for.

use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// The smallest lawful result of a method; of an unknown one the empty object.
pub(crate) fn result(method: &str, revision: Revision) -> Value {
    match method {
        "initialize" => json!({
            "protocolVersion": revision.as_str(),
            "capabilities": {},
            "serverInfo": { "name": "", "version": "" },
        }),
        "tools/list" => json!({ "tools": [] }),
        "tools/call" => json!({ "content": [] }),
        "resources/list" => json!({ "resources": [] }),
        "resources/templates/list" => json!({ "resourceTemplates": [] }),
        "resources/read" => json!({ "contents": [] }),
        "prompts/list" => json!({ "prompts": [] }),
        "prompts/get" => json!({ "messages": [] }),
        "completion/complete" => json!({ "completion": { "values": [] } }),
        _ => json!({}),
    }
}
