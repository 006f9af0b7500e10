//! The native steps `foreign_cursor` and `carry_cursor`: a cursor where it was not given out.

use super::exchange::request;
use super::walk::members_of;
use crate::era::{self, Opened};
use crate::script::conversation::Conversation;
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Value, json};
use std::time::Duration;

/// The lists that have pages in every revision.
const LISTS: [&str; 4] = [
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
];

/// Label of the second connection in the transcript.
const SECOND: &str = "d";

fn bound(native: &str, value: Value) -> NativeBound {
    NativeBound {
        native: native.to_owned(),
        value,
        seqs: Vec::new(),
        missing: None,
    }
}

/// The first page of a list: its position, and the cursor to the next; `None` where the list is not served.
async fn first_page(
    list: &str,
    conversation: &mut Conversation,
) -> Result<Option<(u64, Option<Value>)>, Missing> {
    let patience = conversation.pace.work();
    let reply = request(conversation, list, None, patience).await?;
    let next = |result: &Value| {
        result
            .get("nextCursor")
            .filter(|next| next.is_string())
            .cloned()
    };
    Ok(reply.result.map(|result| (reply.seq, next(&result))))
}

/// Runs `foreign_cursor`: a cursor of the first list that has more than one page is used on each of the other lists that are served.
pub async fn foreign(conversation: &mut Conversation) -> NativeBound {
    let mut bound = bound("foreign_cursor", json!({ "from": null, "uses": [] }));
    bound.missing = use_elsewhere(conversation, &mut bound).await.err();
    bound
}

async fn use_elsewhere(
    conversation: &mut Conversation,
    bound: &mut NativeBound,
) -> Result<(), Missing> {
    let mut served = Vec::new();
    let mut given = None;
    for list in LISTS {
        if let Some((_, next)) = first_page(list, conversation).await? {
            served.push(list);
            given = given.or(next.map(|next| (list, next)));
        }
    }
    let Some((from, cursor)) = given else {
        return Ok(());
    };
    bound.value["from"] = json!(from);
    let mut uses = Vec::new();
    for list in served.into_iter().filter(|list| *list != from) {
        let params = json!({ "cursor": cursor });
        let patience = conversation.pace.work();
        let reply = request(conversation, list, Some(&params), patience).await?;
        bound.seqs.push(reply.seq);
        let message = conversation.entry(reply.seq);
        let message = message.and_then(|entry| entry.message.as_ref());
        let (member, _) = members_of(list);
        let is_page = reply.result.is_some_and(|result| result[member].is_array());
        let code = message.and_then(|message| message.value.pointer("/error/code").cloned());
        uses.push(json!({ "list": list, "seq": reply.seq, "is_page": is_page, "code": code }));
    }
    bound.value["uses"] = Value::Array(uses);
    Ok(())
}

/// Runs `carry_cursor`: the second page of a list, on the connection that the first came on, then on another.
///
/// **Errors**: when the binding has no second connection to one server.
pub async fn carry(list: &str, first: &mut Conversation) -> Result<NativeBound, String> {
    let Some(mut second) = first.sibling(SECOND) else {
        return Err("`carry_cursor` needs a server with several connections".to_owned());
    };
    let value = json!({ "has_pages": false, "own": null, "other": null, "seq": null });
    let mut bound = bound("carry_cursor", value);
    bound.missing = use_on_both(list, first, &mut second, &mut bound)
        .await
        .err();
    let before = first.absorb(&second);
    if let Some(seq) = bound.value["seq"].as_u64() {
        bound.value["seq"] = json!(seq + before);
        bound.seqs.push(seq + before);
    }
    second
        .retire(bound.missing.is_none(), Duration::from_millis(500))
        .await;
    Ok(bound)
}

async fn use_on_both(
    list: &str,
    first: &mut Conversation,
    second: &mut Conversation,
    bound: &mut NativeBound,
) -> Result<(), Missing> {
    let Some((_, Some(cursor))) = first_page(list, first).await? else {
        return Ok(());
    };
    bound.value["has_pages"] = json!(true);
    let params = json!({ "cursor": cursor });
    let patience = first.pace.work();
    let own = request(first, list, Some(&params), patience).await?;
    bound.seqs.push(own.seq);
    bound.value["own"] = json!(if own.result.is_some() {
        "result"
    } else {
        "error"
    });
    let patience = second.pace.start();
    let (_, opened) = era::open(second, patience).await;
    // Whether a server has room for a second connection is its own affair.
    if opened != Opened::Yes {
        return Ok(());
    }
    let patience = second.pace.work();
    let other = request(second, list, Some(&params), patience).await?;
    bound.value["seq"] = json!(other.seq);
    bound.value["other"] = json!(if other.result.is_some() {
        "result"
    } else {
        "error"
    });
    Ok(())
}
