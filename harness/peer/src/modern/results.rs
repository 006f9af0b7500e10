//! What every result has: its type, who it is from, and how long it may be kept.
//!
//! **Source**: `2026-07-28/basic#resulttype`, `2026-07-28/basic#_meta`, `2026-07-28/server/utilities/caching`.

use super::{REVISION, meta};
use crate::lifecycle;
use serde_json::{Map, Value, json};

/// How long a list may be kept.
const LIST_TTL_MS: u64 = 300_000;

/// The result as it goes out: `complete` where it does not say otherwise, with caching hints where the method's results have them.
pub(crate) fn complete(method: &str, result: Value) -> Value {
    let Value::Object(mut members) = result else {
        return result;
    };
    let kind = members.remove("resultType").unwrap_or(json!("complete"));
    let is_complete = kind == "complete";
    let fields = members.remove("_meta");
    let mut result = Map::new();
    result.insert("resultType".to_owned(), kind);
    result.extend(members);
    if is_complete && let Some((ttl, scope)) = caching(method) {
        result.insert("ttlMs".to_owned(), json!(ttl));
        result.insert("cacheScope".to_owned(), json!(scope));
    }
    let mut fields = fields.unwrap_or(json!({}));
    let mut info = lifecycle::server_info(REVISION);
    // On every result a picture would be longer than all else.
    if let Some(members) = info.as_object_mut() {
        members.shift_remove("icons");
    }
    fields[meta::SERVER] = info;
    result.insert("_meta".to_owned(), fields);
    Value::Object(result)
}

/// How long a result may be kept, and by whom: lists are the same for all and rarely change, what a resource holds is its reader's.
fn caching(method: &str) -> Option<(u64, &'static str)> {
    match method {
        "prompts/list"
        | "resources/list"
        | "resources/templates/list"
        | "server/discover"
        | "tools/list" => Some((LIST_TTL_MS, "public")),
        "resources/read" => Some((0, "private")),
        _ => None,
    }
}
