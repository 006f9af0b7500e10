//! Native steps and judges: what nine verbs cannot say. Registered here, one file an area.

pub mod arguments;
pub mod exchange;
pub mod judges;
pub mod permission;
pub mod tour;
pub mod walk;

use crate::script::conversation::Conversation;
use mcp_assay_model::record::NativeBound;
use permission::Permissions;
use serde_json::Value;
use std::collections::BTreeMap;

/// What native steps may use besides the conversation.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// Whose tools may be called.
    pub permissions: Permissions,
    /// Capabilities as the target declared them when it was probed.
    pub capabilities: Value,
}

/// One native step, as `explain --natives` shows it and as the linter knows it.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// Name, as in `use:`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Parameters, each with a line.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Those of its parameters whose value is a label.
    pub labels: &'static [&'static str],
    /// What its label names.
    pub binds: &'static str,
}

/// Every native step, by name.
pub const NATIVES: &[Native] = &[
    Native {
        name: "tour",
        about: "exercises one capability once: lists to the end, and what they list",
        parameters: &[("of", "tools | resources | prompts | completion | logging")],
        labels: &[],
        binds: "results: [{ seq, method }], called: how many tools, withheld: [{ tool, why }]",
    },
    Native {
        name: "walk",
        about: "follows nextCursor to the end, at most 1000 pages or until a cursor comes again",
        parameters: &[(
            "list",
            "tools/list | resources/list | resources/templates/list | prompts/list",
        )],
        labels: &[],
        binds: "pages: how many, keys: names or URIs in order, end: last-page | loop | bound | error | silent",
    },
];

/// Runs a native step.
///
/// **Errors**: when no such native exists or a parameter is missing; the linter refuses such cards.
pub async fn run(
    name: &str,
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
    means: &Means,
) -> Result<NativeBound, String> {
    let text = |key: &str| {
        let value = parameters.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("native `{name}` lacks its parameter `{key}`"))
    };
    match name {
        "tour" => tour::run(text("of")?, conversation, means).await,
        "walk" => Ok(walk::run(text("list")?, conversation).await),
        _ => Err(format!("no native step `{name}`")),
    }
}

#[cfg(test)]
mod tests;
