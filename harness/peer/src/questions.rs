//! Questions to the client, in either era: up to 2025-11-25 requests of the server's own, then part of a result that the client comes
//! back from.
//!
//! **Source**: `2024-11-05/client/sampling`, `2024-11-05/client/roots`, `2025-06-18/client/elicitation`,
//! `2025-11-25/client/elicitation`, `2026-07-28/basic/patterns/mrtr`. A client that did not declare the capability is not asked.

use crate::client::{Client, Terms};
use crate::error::RpcError;
use crate::modern::mrtr::Rounds;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a client must have declared to be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Capability {
    /// Elicitation by form.
    Elicitation,
    /// Elicitation by URL.
    ElicitationByUrl,
    /// Roots.
    Roots,
    /// Sampling.
    Sampling,
    /// Sampling with tools for the model.
    SamplingWithTools,
}

impl Capability {
    /// Whether a client declared it.
    pub fn is_in(self, terms: &Terms) -> bool {
        match self {
            Capability::Elicitation => terms.has_elicitation(),
            Capability::ElicitationByUrl => terms.has_elicitation_by_url(),
            Capability::Roots => terms.has_roots(),
            Capability::Sampling => terms.has_sampling(),
            Capability::SamplingWithTools => terms.has_sampling_with_tools(),
        }
    }

    /// As a client declares it.
    pub fn declaration(self) -> Value {
        match self {
            Capability::Elicitation => json!({ "elicitation": { "form": {} } }),
            Capability::ElicitationByUrl => json!({ "elicitation": { "url": {} } }),
            Capability::Roots => json!({ "roots": {} }),
            Capability::Sampling => json!({ "sampling": {} }),
            Capability::SamplingWithTools => json!({ "sampling": { "tools": {} } }),
        }
    }

    /// As people are told that it was not declared.
    fn name(self) -> &'static str {
        match self {
            Capability::Elicitation => "elicitation by form",
            Capability::ElicitationByUrl => "elicitation by URL",
            Capability::Roots => "roots",
            Capability::Sampling => "sampling",
            Capability::SamplingWithTools => "sampling with tools",
        }
    }
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Its name among the questions of one request.
    pub key: &'static str,
    /// What it needs.
    pub capability: Capability,
    params: Option<Value>,
}

impl Question {
    /// Asks the user to fill in a form.
    pub fn elicitation(key: &'static str, message: &str, schema: Value) -> Self {
        Question {
            key,
            capability: Capability::Elicitation,
            params: Some(json!({ "message": message, "requestedSchema": schema })),
        }
    }

    /// Asks the user to visit a URL; the id is told in the legacy era alone, which says by it that the visit is over.
    pub fn elicitation_by_url(key: &'static str, message: &str, url: &str, id: &str) -> Self {
        Question {
            key,
            capability: Capability::ElicitationByUrl,
            params: Some(
                json!({ "mode": "url", "message": message, "url": url, "elicitationId": id }),
            ),
        }
    }

    /// Asks the client's model to go on from these messages, with these tools.
    pub fn sampling_with_tools(
        key: &'static str,
        messages: &[Value],
        tools: Value,
        choice: &str,
    ) -> Self {
        Question {
            key,
            capability: Capability::SamplingWithTools,
            params: Some(json!({
                "messages": messages,
                "tools": tools,
                "toolChoice": { "mode": choice },
                "maxTokens": 100,
            })),
        }
    }

    /// Asks the client's model.
    pub fn sampling(key: &'static str, prompt: &str) -> Self {
        let content = json!({ "type": "text", "text": prompt });
        Question {
            key,
            capability: Capability::Sampling,
            params: Some(json!({
                "messages": [{ "role": "user", "content": content }],
                "maxTokens": 100,
            })),
        }
    }

    /// Asks for the client's roots.
    pub fn roots(key: &'static str) -> Self {
        Question {
            key,
            capability: Capability::Roots,
            params: None,
        }
    }

    /// The method of its request.
    pub fn method(&self) -> &'static str {
        match self.capability {
            Capability::Elicitation | Capability::ElicitationByUrl => "elicitation/create",
            Capability::Roots => "roots/list",
            Capability::Sampling | Capability::SamplingWithTools => "sampling/createMessage",
        }
    }

    /// The parameters of its request.
    pub fn params(&self) -> Option<&Value> {
        self.params.as_ref()
    }

    /// The request, as it stands among `inputRequests`.
    pub fn request(&self) -> Value {
        let mut request = json!({ "method": self.method() });
        if let Some(params) = &self.params {
            request["params"] = params.clone();
            if let Some(params) = request["params"].as_object_mut() {
                params.shift_remove("elicitationId");
            }
        }
        request
    }

    /// Whether this is a result of the kind it asks for.
    pub fn is_answered_by(&self, result: &Value) -> bool {
        match self.capability {
            Capability::Elicitation | Capability::ElicitationByUrl => {
                let is_action = |action| matches!(action, "accept" | "cancel" | "decline");
                let content = result.get("content");
                result["action"].as_str().is_some_and(is_action)
                    && content.is_none_or(Value::is_object)
            }
            Capability::Roots => result["roots"].is_array(),
            Capability::Sampling | Capability::SamplingWithTools => {
                let content = &result["content"];
                let has_text = |name: &str| result[name].is_string();
                has_text("role") && has_text("model") && (content.is_object() || content.is_array())
            }
        }
    }
}

/// The way to ask.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    /// By requests, on these terms.
    Legacy(Arc<Terms>, Client),
    /// By results.
    Modern(Rounds),
}

/// Why there is no answer to go on with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unanswered {
    /// It cannot be had; what people are told.
    Failed(String),
    /// The request has this result, and the client comes again.
    Asked(Value),
    /// The request is refused.
    Refused(RpcError),
}

impl From<RpcError> for Unanswered {
    fn from(error: RpcError) -> Self {
        Unanswered::Refused(error)
    }
}

impl Unanswered {
    /// A client is not asked for what it did not declare.
    pub fn undeclared(capability: Capability) -> Self {
        let name = capability.name();
        Unanswered::Failed(format!(
            "The client did not declare {name}, or is not yet initialized."
        ))
    }

    /// As the answer to a request that is no tool call.
    pub fn into_answer(self) -> Result<Value, RpcError> {
        match self {
            Unanswered::Failed(text) => Err(RpcError::invalid_params(text)),
            Unanswered::Asked(result) => Ok(result),
            Unanswered::Refused(error) => Err(error),
        }
    }
}

impl Asker {
    /// The answer to a question.
    pub async fn ask(&self, question: Question) -> Result<Value, Unanswered> {
        let (terms, client) = match self {
            Asker::Legacy(terms, client) => (terms, client),
            Asker::Modern(rounds) => return rounds.answer(&question),
        };
        if !question.capability.is_in(terms) {
            return Err(Unanswered::undeclared(question.capability));
        }
        let kind = match question.capability {
            Capability::Elicitation | Capability::ElicitationByUrl => "Elicitation",
            Capability::Roots => "Asking for roots",
            Capability::Sampling | Capability::SamplingWithTools => "Sampling",
        };
        let answer = client.ask(question.method(), question.params.clone()).await;
        match answer {
            Ok(result) if question.is_answered_by(&result) => Ok(result),
            Ok(_) => Err(Unanswered::Failed(format!(
                "{kind} failed: the client's answer is no result of the kind that was asked for"
            ))),
            Err(error) => Err(Unanswered::Failed(format!("{kind} failed: {error}"))),
        }
    }

    /// The answers to two questions at once.
    pub async fn ask_both(&self, questions: [Question; 2]) -> Result<[Value; 2], Unanswered> {
        if let Asker::Modern(rounds) = self {
            let mut answers = rounds.answers(&questions, None)?;
            let second = answers.pop().unwrap_or_default();
            return Ok([answers.pop().unwrap_or_default(), second]);
        }
        let [first, second] = questions;
        let (first, second) = tokio::join!(self.ask(first), self.ask(second));
        Ok([first?, second?])
    }
}
