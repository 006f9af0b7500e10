//! `x-mcp-header`: which arguments of a tool are repeated in HTTP headers, as the schema of its input may say it.

use super::format::is_tchar;
use crate::text;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// Our keyword: what the schema says of headers is lawful.
pub(super) const HEADERS: &str = "mcp-assay-headers";

const HEADER: &str = "x-mcp-header";

/// Members whose values are data, and no schemas.
const DATA: [&str; 4] = ["const", "default", "enum", "examples"];

/// Members whose values are schemas by name, so that a name is no keyword.
const NAMED: [&str; 6] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "properties",
];

/// What is wrong with the headers of a schema, as a fragment behind its name; `None` where nothing is.
///
/// **Source**: 2026-07-28/basic/transports/streamable-http, schema extension. A parameter whose type is not said, or said elsewhere, is not
/// judged.
fn problem(schema: &Value) -> Option<String> {
    let mut names: Vec<String> = Vec::new();
    let mut rest = vec![(schema, true)];
    while let Some((schema, is_reachable)) = rest.pop() {
        let Value::Object(members) = schema else {
            continue;
        };
        if let Some(header) = members.get(HEADER) {
            let name = match header.as_str() {
                Some(name) if !name.is_empty() && name.bytes().all(is_tchar) => name,
                _ => {
                    let shown = text::cut(&header.to_string());
                    return Some(format!(
                        "with {shown} as `{HEADER}`, which is no name of a header"
                    ));
                }
            };
            let shown = text::cut(name);
            if !is_reachable {
                return Some(format!(
                    "with `{HEADER}` {shown} where `properties` alone do not lead"
                ));
            }
            if let Some(kind) = members.get("type").filter(|kind| !is_primitive(kind)) {
                let kind = text::cut(&kind.to_string());
                return Some(format!(
                    "with `{HEADER}` {shown} on a parameter of type {kind}"
                ));
            }
            let lower = name.to_ascii_lowercase();
            if names.contains(&lower) {
                return Some(format!("with `{HEADER}` {shown} twice, case aside"));
            }
            names.push(lower);
        }
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                (keyword, _) if DATA.contains(&keyword) || keyword == HEADER => {}
                (keyword, Value::Object(named)) if NAMED.contains(&keyword) => {
                    let is_reachable = is_reachable && keyword == "properties";
                    rest.extend(named.values().map(|schema| (schema, is_reachable)));
                }
                (_, Value::Array(items)) => rest.extend(items.iter().map(|item| (item, false))),
                (_, value) => rest.push((value, false)),
            }
        }
    }
    None
}

/// Whether a type is one that headers can carry; null is no value, and has no header.
fn is_primitive(kind: &Value) -> bool {
    let is_one = |kind: &Value| {
        kind.as_str()
            .is_none_or(|kind| ["boolean", "integer", "null", "string"].contains(&kind))
    };
    match kind {
        Value::Array(kinds) => kinds.iter().all(is_one),
        kind => is_one(kind),
    }
}

/// Makes the check behind [`HEADERS`].
pub(super) fn headers<'a>(
    _siblings: &'a Map<String, Value>,
    _value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(Headers))
}

struct Headers;

impl<'i> Keyword<'i> for Headers {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match problem(instance) {
            None => Ok(()),
            Some(problem) => Err(ValidationError::custom(problem)),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        problem(instance).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::problem;
    use serde_json::json;

    #[test]
    fn lawful_headers_have_no_problem() {
        for schema in [
            json!({ "properties": { "a": { "type": "string", "x-mcp-header": "Region" } } }),
            json!({ "properties": { "a": { "properties": { "b": { "type": ["integer", "null"], "x-mcp-header": "X-1" } } } } }),
            json!({ "properties": { "a": { "$ref": "#/$defs/a", "x-mcp-header": "A" } } }),
            json!({ "properties": { "x-mcp-header": { "type": "number" } } }),
            json!({ "const": { "x-mcp-header": 7 } }),
            json!({ "properties": { "a": { "x-mcp-header": "A" }, "b": { "x-mcp-header": "B" } } }),
            json!(true),
        ] {
            assert_eq!(problem(&schema), None, "{schema}");
        }
    }

    #[test]
    fn each_rule_is_seen() {
        for (schema, said) in [
            (
                json!({ "properties": { "a": { "x-mcp-header": "" } } }),
                "no name of a header",
            ),
            (
                json!({ "properties": { "a": { "x-mcp-header": 7 } } }),
                "no name of a header",
            ),
            (
                json!({ "properties": { "a": { "x-mcp-header": "a b\r\n" } } }),
                "no name of a header",
            ),
            (
                json!({ "properties": { "a": { "type": "number", "x-mcp-header": "A" } } }),
                "of type \"number\"",
            ),
            (
                json!({ "properties": { "a": { "type": ["string", "array"], "x-mcp-header": "A" } } }),
                "of type",
            ),
            (json!({ "items": { "x-mcp-header": "A" } }), "do not lead"),
            (
                json!({ "properties": { "a": { "anyOf": [{ "x-mcp-header": "A" }] } } }),
                "do not lead",
            ),
            (
                json!({ "$defs": { "a": { "x-mcp-header": "A" } } }),
                "do not lead",
            ),
            (
                json!({ "properties": { "a": { "x-mcp-header": "A" }, "b": { "x-mcp-header": "a" } } }),
                "twice",
            ),
        ] {
            let problem = problem(&schema).unwrap_or_default();
            assert!(problem.contains(said), "{schema}: {problem}");
        }
    }
}
