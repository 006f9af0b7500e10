//! Tools that ask the client.
//!
//! **Source**: `2024-11-05/client/sampling`, `2025-06-18/client/elicitation`. A client that did not declare the feature is not asked;
//! the tool says so.

use super::{Call, Outcome, forms};
use serde_json::{Value, json};

/// Asks the client's model.
pub(super) async fn sampling(call: Call) -> Outcome {
    if !call.terms.has_sampling() {
        return Outcome::error("The client did not declare sampling, or is not yet initialized.");
    }
    let params = json!({
        "messages": [{
            "role": "user",
            "content": { "type": "text", "text": call.text("prompt") },
        }],
        "maxTokens": 100,
    });
    match call
        .client
        .ask("sampling/createMessage", Some(params))
        .await
    {
        Ok(result) => Outcome::text(format!("LLM response: {}", spoken(&result["content"]))),
        Err(error) => Outcome::error(format!("Sampling failed: {error}")),
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
    if !call.terms.has_elicitation() {
        return Outcome::error(
            "The client did not declare elicitation by form, or is not yet initialized.",
        );
    }
    let is_valid = jsonschema::draft202012::new(&schema).expect("our own forms compile");
    let params = json!({ "message": message, "requestedSchema": schema });
    let result = match call.client.ask("elicitation/create", Some(params)).await {
        Ok(result) => result,
        Err(error) => return Outcome::error(format!("Elicitation failed: {error}")),
    };
    let action = result["action"].as_str().unwrap_or("none");
    let content = &result["content"];
    if action == "accept" && !is_valid.is_valid(content) {
        return Outcome::error("The user's response does not fit the form.");
    }
    Outcome::text(format!("User response: action={action}, content={content}"))
}

/// The text of a sampling result, whose content is a block or, from 2025-11-25 on, a list of blocks.
fn spoken(content: &Value) -> String {
    let texts = match content {
        Value::Array(blocks) => blocks.iter().collect(),
        block => vec![block],
    };
    let texts = texts.iter().filter_map(|block| block["text"].as_str());
    texts.collect::<Vec<_>>().join(" ")
}
