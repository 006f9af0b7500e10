//! The legacy era: a conversation opens with `initialize`, its result, and `notifications/initialized`.

use crate::script::conversation::{Conversation, SentIndex, Waited};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::Missing;
use mcp_assay_wire::jsonrpc::{Kind, RawId};
use serde_json::{Map, Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// What came of a handshake.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// `initialize` got a result, and `notifications/initialized` was sent.
    Yes,
    /// `initialize` got an error, or something that is no response.
    Refused,
    /// `initialize` got nothing.
    Missing(Missing),
}

/// Parameters of `initialize` as an ordinary client sends them.
pub fn initialize_params(revision: Revision) -> Map<String, Value> {
    let params = json!({
        "protocolVersion": revision.as_str(),
        "capabilities": {},
        "clientInfo": { "name": "mcp-assay", "version": env!("CARGO_PKG_VERSION") },
    });
    match params {
        Value::Object(params) => params,
        _ => Map::new(),
    }
}

/// Text of an `initialize` request.
pub fn initialize(id: &RawId, params: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":"initialize","params":{params}}}"#,
        id.0
    )
}

/// The notification that completes the handshake.
pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Does the whole handshake with these parameters.
pub async fn open(
    conversation: &mut Conversation,
    params: &str,
    patience: Duration,
) -> (SentIndex, Opened) {
    let id = conversation.fresh_id();
    let asked = Instant::now();
    // A target that does not read shows itself by not answering.
    let (index, _) = conversation.send_message(&initialize(&id, params)).await;
    let opened = match conversation.wait_reply(index, asked + patience).await {
        Waited::Got(_) => {
            conversation.pace.learn_start(asked.elapsed());
            let kind = conversation
                .reply(index)
                .and_then(|entry| entry.message.as_ref())
                .map(|message| message.kind);
            if kind == Some(Kind::Result) {
                let _ = conversation.send_message(INITIALIZED).await;
                conversation.opened().await;
                Opened::Yes
            } else {
                Opened::Refused
            }
        }
        Waited::TimedOut => Opened::Missing(Missing::Hung),
        // Too many requests is no refusal of this one.
        Waited::Over if conversation.status(index) == Some(429) => {
            Opened::Missing(Missing::Unfenced)
        }
        Waited::Over => Opened::Missing(Missing::Silent),
        Waited::Ended => Opened::Missing(Missing::Died),
    };
    (index, opened)
}

/// Text of the notification that cancels a request.
pub fn cancelled(id: &RawId) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{},"reason":"no longer needed"}}}}"#,
        id.0
    )
}
