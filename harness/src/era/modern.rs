//! The modern era, from 2026-07-28 on: no handshake, and every request says in `_meta` who asks, in which version, and what it can do.
//!
//! **Source**: `2026-07-28/basic/index#meta`, `2026-07-28/server/discover`.

use mcp_assay_wire::raw;
use serde_json::{Map, Value};

/// The request that any server of the era answers, at any time.
pub const DISCOVER: &str = "server/discover";

/// What the reserved keys of `_meta` begin with.
pub const PREFIX: &str = "io.modelcontextprotocol/";

/// Codes that only a server of this era gives: header mismatch, missing client capability, unsupported version.
pub const CODES: [i64; 3] = [-32020, -32021, -32022];

/// The key of `_meta` that carries what the client says of itself under a member.
fn key_of(member: &str) -> String {
    let name = match member {
        "capabilities" => "clientCapabilities",
        other => other,
    };
    format!("{PREFIX}{name}")
}

/// Params with the client's fields in `_meta`, before what is there; `None` where the params are no object or their `_meta` is none. The text
/// of what was there is kept.
pub fn with_meta(params: &str, client: &[(String, String)]) -> Option<String> {
    let known: Map<String, Value> = serde_json::from_str(params).ok()?;
    let own = match known.get("_meta") {
        None => None,
        Some(Value::Object(own)) => Some(own),
        Some(_) => return None,
    };
    let fields = client.iter().map(|(member, text)| (key_of(member), text));
    let fields: Vec<String> = fields
        .filter(|(key, _)| own.is_none_or(|own| !own.contains_key(key)))
        .map(|(key, text)| format!("{}:{text}", Value::from(key)))
        .collect();
    let fields = fields.join(",");
    match own {
        None => insert(
            params,
            "",
            !known.is_empty(),
            &format!(r#""_meta":{{{fields}}}"#),
        ),
        Some(_) if fields.is_empty() => Some(params.to_owned()),
        Some(own) => insert(params, "/_meta", !own.is_empty(), &fields),
    }
}

/// The text with a member before the others of an object in it.
fn insert(text: &str, object: &str, has_others: bool, member: &str) -> Option<String> {
    let begin = raw::span(text, object)?.start + 1;
    let comma = if has_others { "," } else { "" };
    Some(format!(
        "{}{member}{comma}{}",
        &text[..begin],
        &text[begin..]
    ))
}
