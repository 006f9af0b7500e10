//! The native step `resume`: takes up the event stream of a request again, from its first event on, and sees what is replayed.

use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_model::record::{Entry, HttpPart, NativeBound};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Runs the step. `last`: the id to resume after; without it that of the stream's first event.
pub async fn run(
    conversation: &mut Conversation,
    of: SentIndex,
    last: Option<&str>,
) -> NativeBound {
    let mut bound = NativeBound {
        native: "resume".to_owned(),
        value: json!({ "after": null, "status": null, "content_type": null, "replayed": [] }),
        seqs: Vec::new(),
        missing: None,
    };
    let exchange = conversation.sent(of).exchange;
    let first = first_event_id(conversation.entries(), exchange);
    let Some(after) = last.map(str::to_owned).or(first) else {
        return bound;
    };
    let before = conversation.last_seq();
    let Some(index) = conversation.resume_stream(of, &after) else {
        return bound;
    };
    let deadline = Instant::now() + conversation.pace.reply();
    let _ = conversation.wait_exchange_head(index, deadline).await;
    // A stream that is kept open after its replay ends nothing; a fence and its grace say when silence is silence.
    if !conversation.is_exchange_over(index) {
        let _ = conversation.fence(Duration::ZERO).await;
    }
    conversation.close_exchange(index);
    let came = &conversation.entries()[usize::try_from(before).unwrap_or(usize::MAX)..];
    let own = |entry: &&Entry| {
        entry
            .http
            .as_ref()
            .is_some_and(|http| http.exchange == index)
    };
    let mut replayed = Vec::new();
    for entry in came.iter().filter(own) {
        let Some(http) = &entry.http else { continue };
        match &http.part {
            HttpPart::Response { status, head, .. } => {
                bound.value["status"] = json!(status);
                bound.value["content_type"] = json!(head.media_type());
            }
            HttpPart::Event { .. } | HttpPart::Body => {
                let Some(message) = &entry.message else {
                    continue;
                };
                bound.seqs.push(entry.seq);
                let kind = match message.kind {
                    Kind::Result | Kind::Error => "response",
                    Kind::Request => "request",
                    Kind::Notification => "notification",
                    Kind::Batch | Kind::Malformed(_) => "other",
                };
                let id = message.id.as_ref().map(|id| id.0.clone());
                replayed.push(json!({ "seq": entry.seq, "kind": kind, "id": id }));
            }
            HttpPart::Request { .. } | HttpPart::End(_) => {}
        }
    }
    bound.value["of"] = json!(conversation.sent(of).seq);
    bound.value["after"] = json!(after);
    bound.value["replayed"] = Value::Array(replayed);
    bound
}

/// The id of the first event of an exchange's stream.
fn first_event_id(entries: &[Entry], exchange: Option<u64>) -> Option<String> {
    entries.iter().find_map(|entry| match &entry.http {
        Some(http) if Some(http.exchange) == exchange => match &http.part {
            HttpPart::Event { id, .. } => id.clone().filter(|id| !id.is_empty()),
            _ => None,
        },
        _ => None,
    })
}
