//! The native step `slow_body`: a request whose body arrives in pieces, as over a slow line.

use crate::script::conversation::{Conversation, Waited};
use bytes::Bytes;
use mcp_assay_model::record::NativeBound;
use mcp_assay_transport::http::Body;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Pieces of the body.
const PIECES: usize = 4;
/// Wait before each piece.
const PAUSE: Duration = Duration::from_millis(60);

/// Runs the step: a harmless request in pieces.
///
/// **Errors**: when the binding has no HTTP.
pub async fn run(conversation: &mut Conversation) -> Result<NativeBound, String> {
    let id = conversation.fresh_id();
    let text = conversation.manner.fence(&id);
    let size = text.len().div_ceil(PIECES);
    let pieces = text.as_bytes().chunks(size);
    let pieces = pieces.map(|piece| (PAUSE, Bytes::copy_from_slice(piece)));
    let Some(index) = conversation.send_http("POST", &[], Body::Slow(pieces.collect())) else {
        return Err("`slow_body` needs HTTP".to_owned());
    };
    let deadline = Instant::now() + conversation.pace.reply();
    if !matches!(
        conversation.wait_reply(index, deadline).await,
        Waited::Got(_)
    ) {
        // Where it comes by another way than it should, a fence is time enough.
        let _ = conversation.fence(Duration::ZERO).await;
    }
    let reply = conversation.sent(index).replies.first().copied();
    let head = conversation
        .head(index)
        .and_then(|seq| conversation.entry(seq));
    let status = head.and_then(|entry| match &entry.http.as_ref()?.part {
        mcp_assay_model::record::HttpPart::Response { status, .. } => Some(*status),
        _ => None,
    });
    Ok(NativeBound {
        native: "slow_body".to_owned(),
        value: json!({ "status": status, "seq": conversation.head(index), "replied": reply.is_some() }),
        seqs: reply.into_iter().collect(),
        missing: None,
    })
}
