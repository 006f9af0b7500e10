//! Tools that ask the user by form, or for the client's roots, in either era.
//!
//! **Source**: `2024-11-05/client/roots`, `2025-06-18/client/elicitation`. What becomes of a client that did not declare the feature
//! is the era's matter ([`crate::questions`]).

use super::{Call, Outcome, forms, running};
use crate::questions::Question;
use serde_json::Value;

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

async fn elicit(call: Call, message: &str, form: Value) -> Outcome {
    let question = Question::elicitation("response", message, form.clone());
    let result = match call.asker.ask(question).await {
        Ok(result) => result,
        Err(unanswered) => return unanswered.into(),
    };
    if let Err(unfit) = filled_in(&result, &form) {
        return unfit;
    }
    let action = result["action"].as_str().unwrap_or("none");
    let content = &result["content"];
    Outcome::text(format!("User response: action={action}, content={content}"))
}

/// What the user filled in; nothing where the user declined to.
///
/// **Errors**: what becomes of a call whose answer does not fit the form.
fn filled_in<'a>(result: &'a Value, form: &Value) -> Result<Option<&'a Value>, Outcome> {
    if result["action"] != "accept" {
        return Ok(None);
    }
    let form = jsonschema::draft202012::new(form).expect("our own forms compile");
    let content = &result["content"];
    if form.is_valid(content) {
        Ok(Some(content))
    } else {
        Err(Outcome::error("The user's response does not fit the form."))
    }
}

/// Asks the user before something would be deleted. Nothing is.
pub(super) async fn confirm_delete(call: Call) -> Outcome {
    let name = call.text("filename").to_owned();
    let form = forms::confirmation();
    let question = Question::elicitation("confirm", &format!("Delete {name}?"), form.clone());
    let result = match call.asker.ask(question).await {
        Ok(result) => result,
        Err(unanswered) => return unanswered.into(),
    };
    match filled_in(&result, &form) {
        Ok(Some(content)) if content["confirm"] == true => {
            Outcome::text(format!("Confirmed: {name} would be deleted."))
        }
        Ok(_) => Outcome::text(format!("Not confirmed: {name} would stay.")),
        Err(unfit) => unfit,
    }
}

/// Asks the user for two things at once.
pub(super) async fn two_at_once(call: Call) -> Outcome {
    let forms = [
        forms::one("name", "A name"),
        forms::one("color", "A colour"),
    ];
    let [name, color] = forms.clone();
    let first = Question::elicitation("first", "First input", name);
    let second = Question::elicitation("second", "Second input", color);
    let results = match call.asker.ask_both([first, second]).await {
        Ok(results) => results,
        Err(unanswered) => return unanswered.into(),
    };
    let mut texts = Vec::new();
    for (result, form) in results.iter().zip(&forms) {
        match filled_in(result, form) {
            Ok(Some(content)) => texts.push(content.to_string()),
            Ok(None) => texts.push("nothing".to_owned()),
            Err(unfit) => return unfit,
        }
    }
    Outcome::text(format!("The user said: {}", texts.join(", ")))
}

/// Asks the user for a name, then works for a while.
pub(super) async fn then_works(call: Call) -> Outcome {
    let form = forms::one("name", "Your name");
    let question = Question::elicitation("user_name", "What is your name?", form.clone());
    let result = match call.asker.ask(question).await {
        Ok(result) => result,
        Err(unanswered) => return unanswered.into(),
    };
    match filled_in(&result, &form) {
        Ok(content) => {
            tokio::time::sleep(running::PAUSE).await;
            let name = content.and_then(|content| content["name"].as_str());
            Outcome::text(format!("Hello, {}!", name.unwrap_or("whoever you are")))
        }
        Err(unfit) => unfit,
    }
}
