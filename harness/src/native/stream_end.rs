//! The native step `stream_end`: waits for the end of the event stream that answers a request, and says how it came.

use super::http_judges::end_word;
use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_model::record::{HttpPart, NativeBound};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Runs the step: as long as a harmless request may take is time enough to close a stream.
pub async fn run(conversation: &mut Conversation, of: SentIndex) -> NativeBound {
    let began = Instant::now();
    let deadline = began + conversation.pace.light();
    let is_over = |conversation: &Conversation| conversation.is_over(of).then_some(());
    let _ = conversation.wait(deadline, is_over).await;
    let waited_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let sent = conversation.sent(of);
    let reply = sent.replies.first().copied();
    let end = conversation.entries().iter().find_map(|entry| {
        let http = entry.http.as_ref()?;
        match &http.part {
            HttpPart::End(end) if Some(http.exchange) == sent.exchange => {
                Some((entry.seq, end_word(end)))
            }
            _ => None,
        }
    });
    let first_end = match (end, reply) {
        (Some((seq, _)), Some(reply)) if seq > reply => "after-reply",
        (Some(_), _) => "before-reply",
        (None, _) => "none",
    };
    let value = json!({
        "streamed": conversation.is_streamed(of),
        "replied": reply.is_some(),
        "reply_seq": reply,
        "ended": end.map_or("open", |(_, word)| word),
        "end_seq": end.map(|(seq, _)| seq).map_or(Value::Null, Value::from),
        "first_end": first_end,
        "waited_ms": waited_ms,
    });
    NativeBound {
        native: "stream_end".to_owned(),
        value,
        seqs: reply.into_iter().collect(),
        missing: None,
    }
}
