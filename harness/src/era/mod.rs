//! What `open`, `cancel`, a fence and a request mean in an era; only this module knows.
//!
//! ```text
//! legacy: open = initialize, its result, notifications/initialized     fence = ping
//! modern: open = server/discover, for nothing has to be agreed         fence = server/discover; `_meta` on every request
//! ```

pub mod legacy;
pub mod modern;

use crate::script::conversation::{Conversation, SentIndex, Waited};
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_model::record::Missing;
use mcp_assay_transport::http::mirror::Mirror;
use mcp_assay_wire::jsonrpc::{Kind, RawId};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What came of opening a conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum Opened {
    /// The opening request got a result.
    Yes,
    /// It got an error, or something that is no response.
    Refused,
    /// It got nothing.
    Missing(Missing),
}

/// How a conversation is held: its revision, and what the client says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Manner {
    /// Revision under test.
    pub revision: Revision,
    /// What the client says of itself, as JSON text by member: `protocolVersion`, `capabilities`, `clientInfo`, and what a card adds.
    client: Vec<(String, String)>,
    /// What each POST of the modern era repeats of its body.
    pub mirror: Arc<Mirror>,
}

impl Manner {
    /// As an ordinary client speaks, which declares no capability.
    pub fn new(revision: Revision) -> Self {
        let info = json!({ "name": "mcp-assay", "version": env!("CARGO_PKG_VERSION") });
        let client = [
            ("protocolVersion", json!(revision.as_str())),
            ("capabilities", json!({})),
            ("clientInfo", info),
        ];
        Manner {
            revision,
            client: client
                .map(|(member, value)| (member.to_owned(), value.to_string()))
                .to_vec(),
            mirror: Arc::new(Mirror::new(revision.as_str())),
        }
    }

    /// Sets what the client says of itself under a member, as JSON text; `None` leaves it out.
    pub fn says(&mut self, member: &str, text: Option<String>) {
        self.client.retain(|(known, _)| known != member);
        self.client
            .extend(text.map(|text| (member.to_owned(), text)));
    }

    /// The era of its revision.
    pub fn era(&self) -> Era {
        self.revision.era()
    }

    /// Whether every request stands alone.
    pub fn is_modern(&self) -> bool {
        self.era() == Era::Modern
    }

    /// Method of the request that opens a conversation.
    pub fn opening_method(&self) -> &'static str {
        match self.era() {
            Era::Legacy => "initialize",
            Era::Modern => modern::DISCOVER,
        }
    }

    /// Method of the harmless request whose answer is a fence.
    pub fn fence_method(&self) -> &'static str {
        match self.era() {
            Era::Legacy => "ping",
            Era::Modern => modern::DISCOVER,
        }
    }

    /// Text of the request that opens a conversation.
    pub fn opening(&self, id: &RawId) -> String {
        match self.era() {
            Era::Legacy => legacy::initialize(id, &members(&self.client)),
            Era::Modern => self.request(id, modern::DISCOVER, None),
        }
    }

    /// Text of a harmless request.
    pub fn fence(&self, id: &RawId) -> String {
        self.request(id, self.fence_method(), None)
    }

    /// Text of a request with what every request of the era carries.
    pub fn request(&self, id: &RawId, method: &str, params: Option<&Value>) -> String {
        let params = match (
            self.with_meta(params.map(Value::to_string).as_deref()),
            params,
        ) {
            (Some(params), _) => format!(r#","params":{params}"#),
            (None, Some(params)) => format!(r#","params":{params}"#),
            (None, None) => String::new(),
        };
        let method = Value::from(method);
        format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":{method}{params}}}"#,
            id.0
        )
    }

    /// The params of a request with the fields that the era asks for in `_meta`; those that are there already are left as they are.
    /// `None` where nothing is to be added: in the legacy era, and to what is no object.
    pub fn with_meta(&self, params: Option<&str>) -> Option<String> {
        match self.era() {
            Era::Legacy => None,
            Era::Modern => modern::with_meta(params.unwrap_or("{}"), &self.client),
        }
    }
}

/// The text of an object.
fn members(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(key, text)| format!("{}:{text}", Value::from(key.as_str())))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Opens a conversation as its era does.
pub async fn open(conversation: &mut Conversation, patience: Duration) -> (SentIndex, Opened) {
    let (index, asked) = begin(conversation).await;
    let waited = conversation.wait_reply(index, asked + patience).await;
    let opened = complete(conversation, index, asked, waited).await;
    (index, opened)
}

/// Sends the opening request, and says when.
pub async fn begin(conversation: &mut Conversation) -> (SentIndex, Instant) {
    let id = conversation.fresh_id();
    let asked = Instant::now();
    let text = conversation.manner.opening(&id);
    // A target that does not read shows itself by not answering.
    let (index, _) = conversation.send_message(&text).await;
    (index, asked)
}

/// Goes on from what waiting for the answer to the opening request came to.
pub async fn complete(
    conversation: &mut Conversation,
    index: SentIndex,
    asked: Instant,
    waited: Waited<u64>,
) -> Opened {
    match waited {
        Waited::Got(_) => {
            conversation.pace.learn_start(asked.elapsed());
            let kind = conversation
                .reply(index)
                .and_then(|entry| entry.message.as_ref())
                .map(|message| message.kind);
            match (conversation.manner.era(), kind) {
                (Era::Legacy, Some(Kind::Result)) => {
                    let _ = conversation.send_message(legacy::INITIALIZED).await;
                    conversation.opened().await;
                    Opened::Yes
                }
                (Era::Legacy, _) => Opened::Refused,
                // Nothing has to be agreed before other requests: an error of this one says nothing about them.
                (Era::Modern, kind) => {
                    conversation.opened().await;
                    match kind {
                        Some(Kind::Result) => Opened::Yes,
                        _ => Opened::Refused,
                    }
                }
            }
        }
        Waited::TimedOut => Opened::Missing(Missing::Hung),
        // Too many requests is no refusal of this one.
        Waited::Over if conversation.status(index) == Some(429) => {
            Opened::Missing(Missing::Unfenced)
        }
        Waited::Over => Opened::Missing(Missing::Silent),
        Waited::Ended => Opened::Missing(Missing::Died),
    }
}

/// Cancels a request: over HTTP of the modern era by closing its stream, else by a notification.
pub async fn cancel(conversation: &mut Conversation, index: SentIndex) {
    let seq = if conversation.manner.is_modern() && conversation.has_exchanges() {
        conversation.close_stream(index);
        conversation.last_seq()
    } else {
        let id = conversation.sent(index).id.clone();
        let id = id.unwrap_or_else(|| RawId("null".to_owned()));
        let (sent, _) = conversation.send_message(&cancelled(&id)).await;
        conversation.sent(sent).seq
    };
    conversation.sent_mut(index).cancelled = Some(seq);
}

/// Text of the notification that cancels a request.
fn cancelled(id: &RawId) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{},"reason":"no longer needed"}}}}"#,
        id.0
    )
}

#[cfg(test)]
mod tests;
