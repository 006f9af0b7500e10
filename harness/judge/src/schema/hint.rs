//! Hints: what a value that does not fit most likely is, where that can be told.

use super::near::nearest;
use crate::text;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError};
use serde_json::Value;

/// What the value looks like, as a fragment; `None` where nothing can be said.
pub(super) fn hint(error: &ValidationError<'_>) -> Option<String> {
    let value = &**error.instance();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let members = value.as_object()?;
            let near = nearest(property.as_str()?, members.keys().map(String::as_str))?;
            Some(format!("there is `{}`", text::cut(near)))
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array()?.iter().filter_map(Value::as_str);
            let near = nearest(value.as_str()?, options)?;
            Some(format!("it looks like {}", Value::from(near)))
        }
        ValidationErrorKind::Constant { expected_value } => {
            let near = nearest(value.as_str()?, expected_value.as_str())?;
            Some(format!("it looks like {}", Value::from(near)))
        }
        ValidationErrorKind::Type { kind } => of_type(value, kind),
        ValidationErrorKind::Format { format } => of_format(value.as_str()?, format),
        _ => None,
    }
}

/// What was meant by a value of another type.
fn of_type(value: &Value, kind: &TypeKind) -> Option<String> {
    let wants = |one: JsonType| match kind {
        TypeKind::Single(single) => *single == one,
        TypeKind::Multiple(several) => several.contains(one),
    };
    let hint = match value {
        Value::String(text)
            if wants(JsonType::Boolean) && ["true", "false"].contains(&text.as_str()) =>
        {
            "it is one in quotes"
        }
        Value::String(text)
            if (wants(JsonType::Integer) || wants(JsonType::Number))
                && text.parse::<f64>().is_ok() =>
        {
            "it is one in quotes"
        }
        Value::String(text)
            if (wants(JsonType::Object) || wants(JsonType::Array))
                && serde_json::from_str::<Value>(text)
                    .is_ok_and(|value| value.is_object() || value.is_array()) =>
        {
            "it is one in quotes"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn of_format(value: &str, format: &str) -> Option<String> {
    let is_of = |more: &[char]| {
        let is_digit = |letter: char| letter.is_ascii_alphanumeric() || more.contains(&letter);
        value.chars().all(is_digit)
    };
    let hint = match format {
        "byte" if value.starts_with("data:") => "it is a data URI, with the base64 within",
        "byte" if is_of(&['-', '_', '=']) && !is_of(&['=']) => {
            "it looks like the URL-safe alphabet"
        }
        "byte" if is_of(&['+', '/', '=', '\n', '\r', ' ']) && !is_of(&['+', '/', '=']) => {
            "it has white space"
        }
        "byte" if is_of(&['+', '/']) && !value.len().is_multiple_of(4) => "it lacks its padding",
        "uri" | "file-uri" | "icon-uri" if value.starts_with(['/', '.', '~']) => {
            "it looks like a path"
        }
        "uri" | "file-uri" | "icon-uri" if value.contains(' ') => "a space is %20 there",
        "uri" if !value.contains(':') => "it has no scheme",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::of_format;
    use crate::Schemas;
    use mcp_assay_model::protocol::Revision;

    #[test]
    fn base64_and_uris_that_are_nearly_some_are_told() {
        for (value, format, said) in [
            ("eH-_", "byte", "it looks like the URL-safe alphabet"),
            ("eA", "byte", "it lacks its padding"),
            ("eHh4\neHh4", "byte", "it has white space"),
            (
                "data:image/png;base64,eA==",
                "byte",
                "it is a data URI, with the base64 within",
            ),
            ("/home/a", "uri", "it looks like a path"),
            ("a b:c", "uri", "a space is %20 there"),
            ("readme.md", "uri", "it has no scheme"),
        ] {
            assert_eq!(of_format(value, format).as_deref(), Some(said), "{value}");
        }
        for (value, format) in [("!!!", "byte"), ("http://", "file-uri"), ("%%:", "uri")] {
            assert_eq!(of_format(value, format), None, "{value}");
        }
    }

    #[test]
    fn a_hint_stands_behind_what_is_wrong() {
        for (name, text, said) in [
            (
                "ListToolsResult",
                r#"{"Tools":[]}"#,
                "member `tools` is missing (there is `Tools`)",
            ),
            (
                "Role",
                r#""User""#,
                r#"the value is "User", none of "user", "assistant" (it looks like "user")"#,
            ),
            (
                "Annotations",
                r#"{"priority":"0.5"}"#,
                "`priority` is a string, not a number (it is one in quotes)",
            ),
            (
                "CallToolRequestParams",
                r#"{"name":"t","arguments":"{}"}"#,
                "`arguments` is a string, not an object (it is one in quotes)",
            ),
            (
                "CallToolResult",
                r#"{"content":[],"isError":"true"}"#,
                "`isError` is a string, not a boolean (it is one in quotes)",
            ),
        ] {
            let value = serde_json::from_str(text).unwrap();
            let violations =
                Schemas::of(Revision::R2025_11_25).judge_definition(name, &value, None);
            assert_eq!(violations.unwrap()[0].message, said);
        }
    }
}
