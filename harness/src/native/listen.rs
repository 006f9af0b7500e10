//! The native step `listen`: subscriptions side by side, a change while they are open, and their end.
//!
//! ```text
//! subscriptions/listen (all at once) -> acknowledged -> call -> what each hears -> cancel -> fence
//! ```
//!
//! Over HTTP a message belongs to the stream that it came on; on lines to the subscription that it names, and one that names none of ours
//! is a stray.
//!
//! **Source**: `2026-07-28/basic/patterns/subscriptions`.

use super::exchange::await_reply;
use crate::era;
use crate::script::conversation::{Conversation, Fence, SentIndex, Waited};
use mcp_assay_model::record::{Direction, Entry, Missing, NativeBound};
use mcp_assay_wire::jsonrpc::{Kind, RawId};
use mcp_assay_wire::raw;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// The first message of every subscription.
pub const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// What a subscription may bring after it.
pub const CHANGES: [&str; 4] = [
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/tools/list_changed",
];

/// Where a message names its subscription.
const TAG: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

/// Runs the step.
///
/// **Errors**: a parameter that is missing.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<NativeBound, String> {
    let first = parameters
        .get("notifications")
        .ok_or("native `listen` lacks its parameter `notifications`")?;
    let filters: Vec<&Value> = [Some(first), parameters.get("second")]
        .into_iter()
        .flatten()
        .collect();
    let mut bound = NativeBound {
        native: "listen".to_owned(),
        value: json!({ "streams": [], "strays": [], "call": null }),
        seqs: Vec::new(),
        missing: None,
    };
    let mut streams = Vec::new();
    for filter in &filters {
        let id = conversation.fresh_id();
        let params = json!({ "notifications": filter });
        let text = conversation
            .manner
            .request(&id, "subscriptions/listen", Some(&params));
        streams.push((id, conversation.send_message(&text).await.0));
    }
    if let Err(missing) = opened(conversation, &streams).await {
        bound.missing = Some(missing);
    }
    let call = parameters.get("call");
    if bound.missing.is_none() {
        match called(conversation, call).await {
            Ok(kind) => bound.value["call"] = json!(kind),
            Err(missing) => bound.missing = Some(missing),
        }
    }
    for (_, index) in &streams {
        era::cancel(conversation, *index).await;
    }
    if bound.missing.is_none()
        && let Fence::Missing(missing) = conversation.fence(Duration::ZERO).await
    {
        bound.missing = Some(missing);
    }
    let told: Vec<Value> = streams
        .iter()
        .zip(&filters)
        .map(|((id, index), filter)| told(conversation, id, *index, filter))
        .collect();
    bound.seqs = streams
        .iter()
        .filter_map(|(_, index)| conversation.sent(*index).replies.first().copied())
        .collect();
    bound.value["streams"] = Value::Array(told);
    bound.value["strays"] = strays(conversation, &streams);
    Ok(bound)
}

/// Waits until each subscription is acknowledged or refused; a fence says when silence is silence.
async fn opened(
    conversation: &mut Conversation,
    streams: &[(RawId, SentIndex)],
) -> Result<(), Missing> {
    let deadline = Instant::now() + conversation.pace.reply();
    let settled = |conversation: &Conversation| {
        let is_settled = |(id, index): &(RawId, SentIndex)| {
            let is_heard = heard(conversation, id, *index).next().is_some();
            is_heard
                || !conversation.sent(*index).replies.is_empty()
                || conversation.is_over(*index)
        };
        streams.iter().all(is_settled).then_some(())
    };
    let patience = deadline.min(Instant::now() + conversation.pace.light());
    match conversation.wait(patience, settled).await {
        Waited::Got(()) => Ok(()),
        Waited::Ended => Err(Missing::Died),
        Waited::TimedOut | Waited::Over => match conversation.fence(Duration::ZERO).await {
            Fence::Answered(_) => Ok(()),
            Fence::Missing(missing) => Err(missing),
        },
    }
}

/// Makes the call, where there is one, and gives what it announces the time of a fence.
async fn called(
    conversation: &mut Conversation,
    call: Option<&Value>,
) -> Result<Option<&'static str>, Missing> {
    let Some(call) = call else { return Ok(None) };
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/call", Some(call));
    let (index, _) = conversation.send_message(&text).await;
    let patience = conversation.pace.work();
    let kind = match await_reply(conversation, index, patience).await {
        Ok(_) => kind(conversation, index),
        Err(Missing::Silent) => None,
        Err(missing) => return Err(missing),
    };
    match conversation.fence(Duration::ZERO).await {
        Fence::Answered(_) => Ok(kind),
        Fence::Missing(missing) => Err(missing),
    }
}

/// The notifications of a subscription, in order.
fn heard<'c>(
    conversation: &'c Conversation,
    id: &'c RawId,
    index: SentIndex,
) -> impl Iterator<Item = &'c Entry> {
    let exchange = conversation
        .has_exchanges()
        .then(|| conversation.sent(index).exchange)
        .flatten();
    let is_own = move |entry: &&Entry| match exchange {
        Some(exchange) => entry.http.as_ref().map(|http| http.exchange) == Some(exchange),
        None => tag(entry).is_some_and(|tag| RawId(tag).loosely_equals(id)),
    };
    notifications(conversation).filter(is_own)
}

fn notifications(conversation: &Conversation) -> impl Iterator<Item = &Entry> {
    conversation.entries().iter().filter(|entry| {
        let message = entry.message.as_ref();
        entry.direction == Direction::Received
            && message.is_some_and(|message| message.kind == Kind::Notification)
    })
}

/// The raw text of the id under which a message names its subscription.
fn tag(entry: &Entry) -> Option<String> {
    let text = std::str::from_utf8(&entry.raw).ok()?;
    raw::at(text, TAG).map(str::to_owned)
}

fn kind(conversation: &Conversation, index: SentIndex) -> Option<&'static str> {
    let message = conversation.reply(index)?.message.as_ref()?;
    match message.kind {
        Kind::Result => Some("result"),
        Kind::Error => Some("error"),
        _ => None,
    }
}

fn told(conversation: &Conversation, id: &RawId, index: SentIndex, filter: &Value) -> Value {
    let one = |entry: &Entry| {
        let message = entry.message.as_ref();
        let params = message.and_then(|message| message.value.get("params"));
        json!({
            "seq": entry.seq,
            "method": message.and_then(|message| message.method.clone()),
            "tag": tag(entry),
            "params": params,
        })
    };
    let heard: Vec<Value> = heard(conversation, id, index).map(one).collect();
    let reply = conversation.reply(index);
    let code = reply
        .and_then(|entry| entry.message.as_ref())
        .and_then(|message| message.value.pointer("/error/code").cloned());
    json!({
        "id": id.0,
        "filter": filter,
        "heard": heard,
        "reply": kind(conversation, index),
        "code": code,
    })
}

/// On lines, what subscriptions bring and names none of ours.
fn strays(conversation: &Conversation, streams: &[(RawId, SentIndex)]) -> Value {
    if conversation.has_exchanges() {
        return json!([]);
    }
    let is_stray = |entry: &&Entry| {
        let message = entry.message.as_ref();
        let method = message.and_then(|message| message.method.as_deref());
        let of_listening =
            method.is_some_and(|method| method == ACKNOWLEDGED || CHANGES.contains(&method));
        let is_ours = tag(entry).is_some_and(|tag| {
            let tag = RawId(tag);
            streams.iter().any(|(id, _)| tag.loosely_equals(id))
        });
        of_listening && !is_ours
    };
    let strays = notifications(conversation).filter(is_stray);
    strays
        .map(|entry| {
            let message = entry.message.as_ref();
            let method = message.and_then(|message| message.method.clone());
            json!({ "seq": entry.seq, "method": method, "tag": tag(entry) })
        })
        .collect()
}
