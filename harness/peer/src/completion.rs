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
    check_context(params)?;

    let candidates = match reference.required_string("type")? {
        "ref/prompt" => for_prompt(reference.required_string("name")?, name, revision)?,
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

fn for_prompt(prompt: &str, argument: &str, revision: Revision) -> Result<Vec<String>, RpcError> {
    if !prompts::has_argument(prompt, argument, revision)? {
        return Err(unknown_argument(argument));
    }
    Ok(match argument {
        "resourceUri" => resources::uris().map(str::to_owned).collect(),
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

/// Arguments that the user has already filled in, from 2025-06-18 on; earlier an unknown member, which is ignored where it fits no
/// better.
fn check_context(params: Params<'_>) -> Result<(), RpcError> {
    if let Some(context) = params.object("context")? {
        Params(Some(context)).object("arguments")?;
    }
    Ok(())
}

fn unknown_argument(name: &str) -> RpcError {
    RpcError::invalid_params(format!("Unknown argument: {name}"))
}
