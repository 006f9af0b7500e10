//! Completion of arguments of prompts and resource templates.
//!
//! **Source**: `2024-11-05/server/utilities/completion`. At most a hundred values go out at once; `total` and `hasMore` tell of the rest.

use crate::error::RpcError;
use crate::incoming::Params;
use crate::{prompts, resources};
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// Values in one answer, at most.
const MOST: usize = 100;

/// Answers `completion/complete`.
pub(crate) fn complete(params: Params<'_>, revision: Revision) -> Result<Value, RpcError> {
    let reference = Params(Some(params.required_object("ref")?));
    let argument = Params(Some(params.required_object("argument")?));
    let name = argument.required_string("name")?;
    let begun = argument.required_string("value")?;
    let context = context(params, revision)?;

    let candidates = match reference.required_string("type")? {
        "ref/prompt" => for_prompt(reference.required_string("name")?, name, context, revision)?,
        "ref/resource" => for_resource(reference.required_string("uri")?, name)?,
        other => {
            let detail = format!("Unknown reference type: {other}");
            return Err(RpcError::invalid_params(detail));
        }
    };
    let mut values: Vec<String> = candidates
        .into_iter()
        .filter(|value| value.starts_with(begun))
        .collect();
    let total = values.len();
    values.truncate(MOST);
    Ok(json!({
        "completion": { "values": values, "total": total, "hasMore": total > MOST },
    }))
}

fn for_prompt(
    prompt: &str,
    argument: &str,
    context: Params<'_>,
    revision: Revision,
) -> Result<Vec<String>, RpcError> {
    if !prompts::has_argument(prompt, argument, revision)? {
        return Err(unknown_argument(argument));
    }
    let known = context.string("arg1")?;
    Ok(match (argument, known) {
        ("resourceUri", _) => resources::uris().map(str::to_owned).collect(),
        // What the second can be depends on what the first is.
        ("arg2", Some(first)) => ["north", "south"]
            .map(|part| format!("{first} {part}"))
            .into(),
        _ => ["paris", "park", "party"].map(str::to_owned).into(),
    })
}

/// Ids of the template; more than fit into one answer.
fn for_resource(uri: &str, argument: &str) -> Result<Vec<String>, RpcError> {
    match (uri, argument) {
        (resources::TEMPLATE, "id") => Ok((1..=150).map(|id| id.to_string()).collect()),
        (resources::TEMPLATE, _) => Err(unknown_argument(argument)),
        _ => Err(RpcError::invalid_params(format!("Unknown template: {uri}"))),
    }
}

/// The arguments that the user has already filled in, from 2025-06-18 on; in earlier revisions `context` is an unknown member.
fn context<'a>(params: Params<'a>, revision: Revision) -> Result<Params<'a>, RpcError> {
    if revision < Revision::R2025_06_18 {
        return Ok(Params(None));
    }
    let context = Params(params.object("context")?);
    let arguments = Params(context.object("arguments")?);
    for name in arguments.0.into_iter().flatten().map(|(name, _)| name) {
        arguments.string(name)?;
    }
    Ok(arguments)
}

fn unknown_argument(name: &str) -> RpcError {
    RpcError::invalid_params(format!("Unknown argument: {name}"))
}
