//! From a card's message to the text that goes out.

use super::scope::Unresolved;
use crate::era::Manner;
use mcp_assay_model::scenario::{Outgoing, OutgoingId};
use mcp_assay_model::template::Template;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Value, json};

/// Fills in the references of a template.
pub type Render<'a> = dyn Fn(&Template) -> Result<String, Unresolved> + 'a;

/// Whether a message gets an id of our choice: requests do, notifications and messages with an id of the card's do not.
pub fn wants_fresh_id(outgoing: &Outgoing) -> bool {
    outgoing.id == OutgoingId::Auto
        && outgoing.message.member("id").is_none()
        && is_request(outgoing)
}

/// The text of a message: `jsonrpc` and `id` first, unless the card writes them itself; numbers as the card has them; with what the era
/// adds to each request.
///
/// **Errors**: a reference that leads nowhere, or a message that is no mapping.
pub fn compose(
    outgoing: &Outgoing,
    fresh: Option<RawId>,
    manner: &Manner,
    render: &Render<'_>,
) -> Result<String, Unresolved> {
    let Template::Object(members) = &outgoing.message else {
        return Err(Unresolved::Card("a message is no mapping".to_owned()));
    };
    let mut parts = Vec::new();
    if outgoing.message.member("jsonrpc").is_none() {
        parts.push(r#""jsonrpc":"2.0""#.to_owned());
    }
    if let Some(id) = fresh {
        parts.push(format!(r#""id":{}"#, id.0));
    }
    if let OutgoingId::Written(id) = &outgoing.id {
        parts.push(format!(r#""id":{}"#, render(id)?));
    }
    for (key, value) in members {
        let mut text = render(value)?;
        if key == "params" {
            if is_request(outgoing) {
                text = manner.with_meta(Some(&text)).unwrap_or(text);
            }
            text = edited(&text, outgoing, render)?;
        }
        parts.push(format!("{}:{text}", Value::from(key.as_str())));
    }
    if outgoing.message.member("params").is_none() {
        let added = Some(outgoing)
            .filter(|outgoing| is_request(outgoing))
            .and_then(|_| manner.with_meta(None));
        if added.is_some() || !outgoing.meta_set.is_empty() {
            let params = edited(added.as_deref().unwrap_or("{}"), outgoing, render)?;
            parts.push(format!(r#""params":{params}"#));
        }
    }
    Ok(format!("{{{}}}", parts.join(",")))
}

fn method_of(outgoing: &Outgoing) -> &str {
    match outgoing.message.member("method") {
        Some(Template::Text(method)) => method.as_str(),
        _ => "",
    }
}

fn is_request(outgoing: &Outgoing) -> bool {
    !method_of(outgoing).starts_with("notifications/")
}

/// The params with the card's own edits of `_meta`.
fn edited(params: &str, outgoing: &Outgoing, render: &Render<'_>) -> Result<String, Unresolved> {
    if outgoing.meta_set.is_empty() && outgoing.meta_remove.is_empty() {
        return Ok(params.to_owned());
    }
    let broken = |error: serde_json::Error| Unresolved::Card(error.to_string());
    let mut value: Value = serde_json::from_str(params).map_err(broken)?;
    let Some(object) = value.as_object_mut() else {
        return Err(Unresolved::Card(
            "`meta` needs params that are an object".to_owned(),
        ));
    };
    let meta = object.entry("_meta").or_insert_with(|| json!({}));
    for (key, template) in &outgoing.meta_set {
        meta[key.as_str()] = serde_json::from_str(&render(template)?).map_err(broken)?;
    }
    if let Some(meta) = meta.as_object_mut() {
        outgoing
            .meta_remove
            .iter()
            .for_each(|key| drop(meta.shift_remove(key)));
    }
    Ok(value.to_string())
}
