//! Prompts: the list, and getting one.
//!
//! **Source**: `2024-11-05/server/prompts`, `2026-07-28/server/prompts`.

use crate::content;
use crate::error::RpcError;
use crate::incoming::Params;
use crate::listing;
use crate::modern::mrtr::Rounds;
use crate::questions::{Question, Unanswered};
use crate::resources;
use mcp_assay_model::protocol::Revision;
use serde_json::{Map, Value, json};

/// A prompt.
struct Prompt {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// The first revision whose features it needs.
    since: Revision,
    /// Its arguments; all are required.
    arguments: &'static [(&'static str, &'static str)],
    /// What the user is asked before it can be got, if anything.
    asks: Option<fn() -> Question>,
    /// The content of its message, or messages, from its arguments in order.
    messages: fn(&[&str]) -> Result<Vec<Value>, RpcError>,
}

/// Every prompt, in the order they are listed.
static PROMPTS: [Prompt; 5] = [
    Prompt {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "A prompt with two arguments",
        since: Revision::R2024_11_05,
        arguments: &[
            ("arg1", "First test argument"),
            ("arg2", "Second test argument"),
        ],
        asks: None,
        messages: |arguments| {
            let [first, second] = [arguments[0], arguments[1]];
            Ok(vec![content::text(format!(
                "Prompt with arguments: arg1='{first}', arg2='{second}'"
            ))])
        },
    },
    Prompt {
        name: "test_prompt_with_embedded_resource",
        title: "Prompt with a resource",
        description: "A prompt that holds a resource",
        since: Revision::R2024_11_05,
        arguments: &[("resourceUri", "URI of the resource to hold")],
        asks: None,
        messages: |arguments| {
            let uri = arguments[0];
            if !resources::is_uri(uri) {
                return Err(RpcError::invalid_params("resourceUri is no URI"));
            }
            let held = "Embedded resource content for testing.";
            Ok(vec![
                content::embedded(uri, "text/plain", held),
                content::text("Please process the embedded resource above."),
            ])
        },
    },
    Prompt {
        name: "test_prompt_with_image",
        title: "Prompt with an image",
        description: "A prompt that holds an image",
        since: Revision::R2024_11_05,
        arguments: &[],
        asks: None,
        messages: |_| {
            Ok(vec![
                content::image(),
                content::text("Please analyze the image above."),
            ])
        },
    },
    Prompt {
        name: "test_input_required_result_prompt",
        title: "Prompt with input",
        description: "A prompt that asks the user for context",
        since: Revision::R2026_07_28,
        arguments: &[],
        asks: Some(|| {
            let form = json!({
                "type": "object",
                "properties": { "context": { "type": "string", "description": "The context" } },
                "required": ["context"],
            });
            Question::elicitation("user_context", "What is this about?", form)
        }),
        messages: |_| Ok(vec![content::text("This prompt has a context.")]),
    },
    Prompt {
        name: "test_simple_prompt",
        title: "Simple prompt",
        description: "A prompt without arguments",
        since: Revision::R2024_11_05,
        arguments: &[],
        asks: None,
        messages: |_| Ok(vec![content::text("This is a simple prompt for testing.")]),
    },
];

/// The entries of `prompts/list`.
pub(crate) fn entries(revision: Revision) -> Vec<Value> {
    let argument = |(name, description): &(&str, &str)| json!({ "name": name, "description": description, "required": true });
    let entry = |prompt: &Prompt| {
        let mut entry = json!({ "name": prompt.name, "description": prompt.description });
        listing::add_title(&mut entry, revision, prompt.title);
        if !prompt.arguments.is_empty() {
            entry["arguments"] = prompt.arguments.iter().map(argument).collect();
        }
        listing::add_icon(&mut entry, revision);
        entry
    };
    offered(revision).map(entry).collect()
}

fn offered(revision: Revision) -> impl Iterator<Item = &'static Prompt> {
    PROMPTS
        .iter()
        .filter(move |prompt| prompt.since <= revision)
}

/// Answers `prompts/get`; `rounds` is there from 2026-07-28 on.
pub(crate) fn get(
    params: Params<'_>,
    revision: Revision,
    rounds: Option<&Rounds>,
) -> Result<Value, Unanswered> {
    let prompt = find(params.required_string("name")?, revision)?;
    let nothing = Map::new();
    let given = params.object("arguments")?.unwrap_or(&nothing);
    if let Some((name, _)) = given.iter().find(|(_, value)| !value.is_string()) {
        let detail = format!("Argument {name} is no string");
        return Err(RpcError::invalid_params(detail).into());
    }
    let given = Params(Some(given));
    let arguments = prompt.arguments.iter();
    let arguments = arguments.map(|(name, _)| given.required_string(name));
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let message = |content| json!({ "role": "user", "content": content });
    let mut contents = (prompt.messages)(&arguments)?;
    if let (Some(rounds), Some(question)) = (rounds, prompt.asks) {
        let answer = rounds.answer(&question())?;
        contents.push(content::text(format!(
            "The user says: {}",
            answer["content"]
        )));
    }
    let messages = contents.into_iter().map(message);
    Ok(json!({
        "description": prompt.description,
        "messages": messages.collect::<Vec<_>>(),
    }))
}

/// Whether a prompt has an argument of this name.
///
/// **Errors**: -32602 where there is no such prompt.
pub(crate) fn has_argument(
    prompt: &str,
    argument: &str,
    revision: Revision,
) -> Result<bool, RpcError> {
    let arguments = find(prompt, revision)?.arguments;
    Ok(arguments.iter().any(|(name, _)| *name == argument))
}

fn find(name: &str, revision: Revision) -> Result<&'static Prompt, RpcError> {
    let prompt = offered(revision).find(|prompt| prompt.name == name);
    prompt.ok_or_else(|| RpcError::invalid_params(format!("Unknown prompt: {name}")))
}
