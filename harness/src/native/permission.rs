//! Whose tools may be called (docs/contracts.md section 4): servers under test may delete files, send mail, spend money.

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde_json::Value;

/// What the user allows.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    allowed: GlobSet,
    forbidden: bool,
}

/// Whether a tool may be called, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Permission {
    /// It may.
    Allowed,
    /// It may not, for this reason.
    Refused(&'static str),
}

/// Tools of the conformance fixture servers that every SDK ships; each takes no arguments.
const FIXTURE_TOOLS: &[&str] = &[
    "test_audio_content",
    "test_embedded_resource",
    "test_error_handling",
    "test_image_content",
    "test_multiple_content_types",
    "test_simple_text",
    "test_tool_with_logging",
    "test_tool_with_progress",
];

/// Fixture tools that must be there before a server counts as a fixture server.
const RECOGNISED_FROM: usize = 3;

impl Permissions {
    /// From the globs of the profile and of `--allow-tool`; `forbidden` is `--no-calls`.
    ///
    /// **Errors**: a glob that cannot be read.
    pub fn new<S: AsRef<str>>(globs: &[S], forbidden: bool) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            set.add(Glob::new(glob.as_ref())?);
        }
        Ok(Permissions {
            allowed: set.build()?,
            forbidden,
        })
    }

    /// Whether all calls are forbidden.
    pub fn are_forbidden(&self) -> bool {
        self.forbidden
    }

    /// Whether this tool, one of `listed`, may be called.
    pub fn of(&self, tool: &Value, listed: &[Value]) -> Permission {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        if self.forbidden {
            return Permission::Refused("all calls are forbidden by --no-calls");
        }
        if self.allowed.is_match(name) {
            return Permission::Allowed;
        }
        let hint = |key: &str| {
            tool.get("annotations")
                .and_then(|hints| hints.get(key))
                .and_then(Value::as_bool)
        };
        if hint("readOnlyHint") == Some(true) {
            return match hint("openWorldHint") {
                Some(true) => Permission::Refused("it is marked openWorldHint"),
                Some(false) | None => Permission::Allowed,
            };
        }
        if is_fixture(tool) && is_fixture_server(listed) {
            return Permission::Allowed;
        }
        Permission::Refused(
            "it is not marked readOnlyHint, and neither the profile nor --allow-tool names it",
        )
    }
}

/// Whether these are the tools of a conformance server, whose behaviour is known.
pub fn is_fixture_server(listed: &[Value]) -> bool {
    listed.iter().filter(|tool| is_fixture(tool)).count() >= RECOGNISED_FROM
}

fn is_fixture(tool: &Value) -> bool {
    let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
    let required = tool
        .pointer("/inputSchema/required")
        .and_then(Value::as_array);
    FIXTURE_TOOLS.contains(&name) && required.is_none_or(Vec::is_empty)
}

#[cfg(test)]
mod tests;
