//! One request of a native step, and what came of it.

use crate::script::conversation::{Conversation, Fence, SentIndex, Waited};
use mcp_assay_model::record::Missing;
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// A reply, as far as a native step needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Its position.
    pub seq: u64,
    /// The result; `None` where it was an error or no response at all.
    pub result: Option<Value>,
}

/// Sends a request and waits for its reply.
///
/// **Errors**: why no reply came; [`Missing::Silent`] leaves the conversation usable.
pub async fn request(
    conversation: &mut Conversation,
    method: &str,
    params: Option<&Value>,
    patience: Duration,
) -> Result<Reply, Missing> {
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, method, params);
    let (index, outcome) = conversation.send_message(&text).await;
    if outcome.is_err() {
        return Err(Missing::Hung);
    }
    let seq = await_reply(conversation, index, patience).await?;
    let message = conversation
        .entry(seq)
        .and_then(|entry| entry.message.as_ref());
    let result = message
        .filter(|message| message.kind == Kind::Result)
        .and_then(|message| message.value.get("result").cloned());
    Ok(Reply { seq, result })
}

/// Waits for the reply to a request that was sent; silence is settled by a fence.
///
/// **Errors**: why no reply came.
pub async fn await_reply(
    conversation: &mut Conversation,
    index: SentIndex,
    patience: Duration,
) -> Result<u64, Missing> {
    let deadline = Instant::now() + patience;
    match conversation.wait_reply(index, deadline).await {
        Waited::Got(seq) => return Ok(seq),
        Waited::Ended => return Err(Missing::Died),
        Waited::TimedOut | Waited::Over => {}
    }
    match conversation.fence(Duration::ZERO).await {
        Fence::Answered(_) => {
            let late = conversation.sent(index).replies.first().copied();
            // What came and was too long to be read may be the answer.
            let oversized = conversation.has_oversized_since(conversation.sent(index).seq);
            let is_limited = conversation.status(index) == Some(429);
            late.ok_or(if oversized || is_limited {
                Missing::Unfenced
            } else {
                Missing::Silent
            })
        }
        Fence::Missing(missing) => Err(missing),
    }
}
