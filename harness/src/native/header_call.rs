//! The native step `header_call`: a call whose argument is repeated in a header field, with one thing changed in that field.
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http#server-behavior-for-custom-headers`.

use super::exchange::await_reply;
use crate::script::conversation::{Conversation, SentIndex};
use bytes::Bytes;
use mcp_assay_model::record::Missing;
use mcp_assay_transport::http::Body;
use mcp_assay_wire::header_value::{encode, encode_always};
use serde_json::Value;
use std::collections::BTreeMap;

/// Runs the step.
///
/// **Errors**: a parameter that is missing or unknown, or a binding without HTTP.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<(SentIndex, Option<Missing>), String> {
    let text = |key: &str| {
        let value = parameters.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("native `header_call` lacks its parameter `{key}`"))
    };
    let call = parameters
        .get("call")
        .ok_or("native `header_call` lacks its parameter `call`")?;
    let value = text("value")?;
    let name = format!("Mcp-Param-{}", text("header")?);
    let of = |value: &str| vec![Bytes::copy_from_slice(value.as_bytes())];
    let overrides = match text("change")? {
        "none" => vec![(name, of(&encode(value)))],
        "missing" => vec![(name, Vec::new())],
        "other" => vec![(name, of("mcp-assay-other"))],
        "encoded" => vec![(name, of(&encode_always(value)))],
        "broken" => vec![(name, of("=?base64?not base64?="))],
        "small" => {
            let values = of(&encode(value));
            vec![
                (name.clone(), Vec::new()),
                (name.to_ascii_lowercase(), values),
            ]
        }
        other => return Err(format!("no `change` `{other}`")),
    };
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/call", Some(call));
    let Some(index) = conversation.send_http("POST", &overrides, Body::Whole(Bytes::from(text)))
    else {
        return Err("`header_call` needs HTTP".to_owned());
    };
    let patience = conversation.pace.work();
    // A response by status alone is one too.
    let missing = await_reply(conversation, index, patience).await.err();
    let missing = missing.filter(|_| conversation.head(index).is_none());
    if let Some(missing) = missing {
        conversation.sent_mut(index).missing = Some(missing);
    }
    Ok((index, missing))
}
