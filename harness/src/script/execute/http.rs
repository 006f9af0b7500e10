//! Steps that speak of HTTP: requests of the card's own, and statuses that are awaited.

use super::{Execution, Named, patience};
use crate::script::conversation::{Conversation, SentIndex, Waited};
use crate::script::scope::Unresolved;
use bytes::Bytes;
use mcp_assay_model::record::{Bound, Missing};
use mcp_assay_model::template::Template;
use mcp_assay_transport::http::Body;
use tokio::time::Instant;

impl Execution<'_, '_> {
    /// Waits for the response head in a sent message's exchange.
    pub(super) async fn status(
        &mut self,
        label: Option<&str>,
        index: SentIndex,
        request: &str,
        deadline: Instant,
    ) {
        let waited = self.conversation.wait_head(index, deadline).await;
        let look = |conversation: &Conversation| conversation.head(index);
        match self.came(index, waited, look).await {
            Ok(seq) => self.name(label, Named::Bound(Bound::Arrived(seq))),
            Err(missing) => self.miss(label, missing, Some(request.to_owned())),
        }
    }

    /// Makes an HTTP request of the card's own, and waits for its answer: the reply where it carries a request, else the whole response,
    /// else the head of a stream.
    pub(super) async fn http(
        &mut self,
        label: Option<&str>,
        method: &str,
        headers: &[(String, Option<Template>)],
        body: Option<&Template>,
    ) -> Result<(), Unresolved> {
        let mut overrides = Vec::new();
        for (name, value) in headers {
            let values = match value {
                None => Vec::new(),
                Some(Template::Array(values)) => {
                    let values: Result<Vec<_>, _> =
                        values.iter().map(|value| self.bytes(value)).collect();
                    values?
                }
                Some(value) => vec![self.bytes(value)?],
            };
            overrides.push((name.clone(), values));
        }
        let body = match body {
            None => Body::None,
            Some(body) => Body::Whole(self.bytes(body)?),
        };
        let Some(index) = self.conversation.send_http(method, &overrides, body) else {
            return Err(Unresolved::Card(
                "`http` on a binding without HTTP".to_owned(),
            ));
        };
        self.name(label, Named::Sent(index));
        let pace = &self.conversation.pace;
        let asked = self.conversation.sent(index).method.clone();
        // Where there is nothing to work on, there is little to wait for; a fence follows before silence counts.
        let usual = match method {
            "GET" => pace.doubtful(),
            "POST" => patience(self.conversation, self.context.revision, asked.as_deref()),
            _ => pace.reply(),
        };
        let deadline = Instant::now() + usual;
        let done = |conversation: &Conversation| {
            let head = conversation.head(index);
            let replied = !conversation.sent(index).replies.is_empty();
            let is_through = replied
                || conversation.is_over(index)
                || (conversation.is_streamed(index) && method != "POST");
            is_through.then_some(head)
        };
        let waited = match self.conversation.wait(deadline, done).await {
            Waited::Got(Some(head)) => Waited::Got(head),
            Waited::Got(None) if self.conversation.ended().is_some() => Waited::Ended,
            Waited::Got(None) => Waited::Over,
            Waited::TimedOut => Waited::TimedOut,
            Waited::Over => Waited::Over,
            Waited::Ended => Waited::Ended,
        };
        let look = |conversation: &Conversation| conversation.head(index);
        if let Err(missing) = self.came(index, waited, look).await {
            self.stopped = Some(missing).filter(|missing| *missing != Missing::Silent);
        }
        Ok(())
    }

    /// A value as bytes: a text as it is, anything else as JSON text.
    fn bytes(&self, value: &Template) -> Result<Bytes, Unresolved> {
        let text = self.render(value)?;
        let text = match serde_json::from_str::<String>(&text) {
            Ok(text) => text,
            Err(_) => text,
        };
        Ok(Bytes::from(text))
    }
}
