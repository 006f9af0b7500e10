//! The native step `bulky`: one request with parameters of a size that no card could write down.

use super::exchange::await_reply;
use crate::script::conversation::{Conversation, SentIndex};
use bytes::Bytes;
use mcp_assay_model::record::Missing;
use mcp_assay_transport::http::Body;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The largest size: bytes of a text, members, or levels.
const MOST: u64 = 4 * 1024 * 1024;

/// Runs the step: the request is sent and waited for; silence is settled by a fence.
///
/// **Errors**: a parameter that is missing, unknown or too large.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<(SentIndex, Option<Missing>), String> {
    let text = |key: &str| {
        let value = parameters.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("native `bulky` lacks its parameter `{key}`"))
    };
    let size = parameters.get("size").and_then(Value::as_u64);
    let size = size
        .filter(|size| (1..=MOST).contains(size))
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| format!("`size` of `bulky` is a number from 1 to {MOST}"))?;
    let method = text("method")?;
    let load = load(text("of")?, size)?;
    let id = conversation.fresh_id();
    let request = request(&id, method, &load, conversation);
    // A mirror reads the body as others do, and may find it too deep.
    let named = [(
        "Mcp-Method".to_owned(),
        vec![Bytes::from(method.to_owned())],
    )];
    let index = if conversation.has_exchanges() && conversation.manner.is_modern() {
        let body = Body::Whole(Bytes::from(request));
        let sent = conversation.send_http("POST", &named, body);
        sent.ok_or_else(|| "an exchange without HTTP".to_owned())?
    } else {
        // A target that does not read shows itself by not answering.
        conversation.send_message(&request).await.0
    };
    // What asks for nothing is much to read all the same.
    let patience = conversation.pace.reply();
    // A response by status alone is one too.
    let missing = await_reply(conversation, index, patience).await.err();
    let missing = missing.filter(|_| conversation.head(index).is_none());
    if let Some(missing) = missing {
        conversation.sent_mut(index).missing = Some(missing);
    }
    Ok((index, missing))
}

/// The text of the request. Nothing here may read the load: it may be deeper than a parser goes.
fn request(id: &RawId, method: &str, load: &str, conversation: &Conversation) -> String {
    let meta = conversation.manner.with_meta(Some("{}"));
    let meta = meta.and_then(|params| Some(format!("{},", params.strip_suffix('}')?)));
    let begin = meta.as_deref().unwrap_or("{");
    let method = Value::from(method);
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":{method},"params":{begin}"mcp-assay":{load}}}}}"#,
        id.0
    )
}

/// JSON text of this kind and size.
fn load(of: &str, size: usize) -> Result<String, String> {
    match of {
        "arrays" => Ok("[".repeat(size) + &"]".repeat(size)),
        "objects" => Ok(r#"{"a":"#.repeat(size) + "0" + &"}".repeat(size)),
        "text" => Ok(format!("\"{}\"", "mcp-assay ".repeat(size.div_ceil(10)))),
        "members" => {
            let mut text = String::from("{");
            for number in 0..size {
                let comma = if number == 0 { "" } else { "," };
                write!(text, r#"{comma}"m{number}":{number}"#).expect("a String takes any text");
            }
            Ok(text + "}")
        }
        "number" => Ok("7".repeat(size)),
        other => Err(format!("no `of` `{other}` of `bulky`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_load_is_json_of_its_size() {
        for (of, size, expected) in [
            ("arrays", 2, "[[]]"),
            ("objects", 2, r#"{"a":{"a":0}}"#),
            ("members", 2, r#"{"m0":0,"m1":1}"#),
            ("text", 20, r#""mcp-assay mcp-assay ""#),
            ("number", 3, "777"),
        ] {
            let load = load(of, size).unwrap();
            assert_eq!(load, expected);
            serde_json::from_str::<Value>(&load).unwrap();
        }
        assert!(load("nothing", 1).is_err());
    }
}
