//! Tools that ask the client, in either era.
//!
//! **Source**: `2024-11-05/client/sampling`, `2025-06-18/client/elicitation`. What becomes of a client that did not declare the feature
//! is the era's matter ([`crate::questions`]).

use super::{Call, Outcome, forms};
use crate::questions::Question;
use serde_json::Value;

/// Asks the client's model.
pub(super) async fn sampling(call: Call) -> Outcome {
    let question = Question::sampling("answer", call.text("prompt"));
    match call.asker.ask(question).await {
        Ok(result) => Outcome::text(format!("LLM response: {}", spoken(&result["content"]))),
        Err(unanswered) => unanswered.into(),
    }
}

/// Asks the user for a name and an address.
pub(super) async fn elicitation(call: Call) -> Outcome {
    let message = call.text("message").to_owned();
    elicit(call, &message, forms::name_and_email()).await
}

/// Asks the user with a default for each kind of field.
pub(super) async fn elicitation_defaults(call: Call) -> Outcome {
    elicit(call, "Please check these values", forms::defaults()).await
}

/// Asks the user with each kind of choice.
pub(super) async fn elicitation_enums(call: Call) -> Outcome {
    elicit(call, "Please choose", forms::enums()).await
}

async fn elicit(call: Call, message: &str, schema: Value) -> Outcome {
    let is_valid = jsonschema::draft202012::new(&schema).expect("our own forms compile");
    let question = Question::elicitation("response", message, schema);
    let result = match call.asker.ask(question).await {
        Ok(result) => result,
        Err(unanswered) => return unanswered.into(),
    };
    let action = result["action"].as_str().unwrap_or("none");
    let content = &result["content"];
    if action == "accept" && !is_valid.is_valid(content) {
        return Outcome::error("The user's response does not fit the form.");
    }
    Outcome::text(format!("User response: action={action}, content={content}"))
}

/// The text of a sampling result, whose content is a block or, from 2025-11-25 on, a list of blocks.
pub(super) fn spoken(content: &Value) -> String {
    let texts = match content {
        Value::Array(blocks) => blocks.iter().collect(),
        block => vec![block],
    };
    let texts = texts.iter().filter_map(|block| block["text"].as_str());
    texts.collect::<Vec<_>>().join(" ")
}
