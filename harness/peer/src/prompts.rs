//! Prompts: the list, and getting one.
//!
//! **Source**: `2024-11-05/server/prompts`.

use crate::content;
use crate::error::RpcError;
use crate::incoming::Params;
use crate::listing;
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
    /// The content of its message, or messages, from its arguments in order.
    messages: fn(&[&str]) -> Result<Vec<Value>, RpcError>,
}

/// Every prompt, in the order they are listed.
static PROMPTS: [Prompt; 4] = [
    Prompt {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "A prompt with two arguments",
        since: Revision::R2024_11_05,
        arguments: &[
            ("arg1", "First test argument"),
            ("arg2", "Second test argument"),
        ],
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
        messages: |_| {
            Ok(vec![
                content::image(),
                content::text("Please analyze the image above."),
            ])
        },
    },
    Prompt {
        name: "test_simple_prompt",
        title: "Simple prompt",
        description: "A prompt without arguments",
        since: Revision::R2024_11_05,
        arguments: &[],
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

/// Answers `prompts/get`.
pub(crate) fn get(params: Params<'_>, revision: Revision) -> Result<Value, RpcError> {
    let prompt = find(params.required_string("name")?, revision)?;
    let nothing = Map::new();
    let given = params.object("arguments")?.unwrap_or(&nothing);
    if let Some((name, _)) = given.iter().find(|(_, value)| !value.is_string()) {
        return Err(RpcError::invalid_params(format!(
            "Argument {name} is no string"
        )));
    }
    let given = Params(Some(given));
    let arguments = prompt.arguments.iter();
    let arguments = arguments.map(|(name, _)| given.required_string(name));
    let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
    let message = |content| json!({ "role": "user", "content": content });
    let messages = (prompt.messages)(&arguments)?.into_iter().map(message);
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
