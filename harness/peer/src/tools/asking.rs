//! Tools that ask the user by form, or for the client's roots, in either era.
//!
//! **Source**: `2024-11-05/client/roots`, `2025-06-18/client/elicitation`. What becomes of a client that did not declare the feature
//! is the era's matter ([`crate::questions`]).

use super::{Call, Outcome, forms, running};
use crate::questions::Question;
use serde_json::{Value, json};

/// Shows the client's roots.
pub(super) async fn roots(call: Call) -> Outcome {
    match call.asker.ask(Question::roots("roots")).await {
        Ok(result) => {
            let roots = result["roots"].as_array().into_iter().flatten();
            let uris = roots.filter_map(|root| root["uri"].as_str());
            let uris: Vec<_> = uris.collect();
            Outcome::text(format!("{} roots: {}", uris.len(), uris.join(", ")))
        }
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

/// Asks the user before something would be deleted. Nothing is.
pub(super) async fn confirm_delete(call: Call) -> Outcome {
    let name = call.text("filename").to_owned();
    let form = json!({
        "type": "object",
        "properties": { "confirm": { "type": "boolean", "description": "Whether to go on" } },
        "required": ["confirm"],
    });
    let question = Question::elicitation("confirm", &format!("Delete {name}?"), form);
    match call.asker.ask(question).await {
        Ok(result) if result["action"] == "accept" && result["content"]["confirm"] == true => {
            Outcome::text(format!("Confirmed: {name} would be deleted."))
        }
        Ok(_) => Outcome::text(format!("Not confirmed: {name} would stay.")),
        Err(unanswered) => unanswered.into(),
    }
}

/// Asks the user for two things at once.
pub(super) async fn two_at_once(call: Call) -> Outcome {
    let first = Question::elicitation("first", "First input", forms::one("name", "A name"));
    let second = Question::elicitation("second", "Second input", forms::one("color", "A colour"));
    match call.asker.ask_both([first, second]).await {
        Ok(results) => {
            let texts =
                results.map(|result| format!("{}: {}", result["action"], result["content"]));
            Outcome::text(texts.join("\n"))
        }
        Err(unanswered) => unanswered.into(),
    }
}

/// Asks the user for a name, then works for a while.
pub(super) async fn then_works(call: Call) -> Outcome {
    let form = forms::one("name", "Your name");
    let question = Question::elicitation("user_name", "What is your name?", form);
    match call.asker.ask(question).await {
        Ok(result) if result["action"] == "accept" => {
            tokio::time::sleep(running::PAUSE).await;
            let name = result["content"]["name"]
                .as_str()
                .unwrap_or("whoever you are");
            Outcome::text(format!("Hello, {name}!"))
        }
        Ok(_) => Outcome::text("Hello, whoever you are!"),
        Err(unanswered) => unanswered.into(),
    }
}
