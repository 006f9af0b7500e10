//! The smallest arguments that an input schema surely accepts; nothing where that is not sure.

use serde_json::{Map, Value, json};

/// Levels of nesting that are followed.
const DEEPEST: usize = 12;

/// Arguments for a tool: its required members only. `None` where the schema asks for something that cannot be met with certainty.
pub fn smallest(schema: &Value) -> Option<Value> {
    match value_of(schema, schema, 0)? {
        arguments @ Value::Object(_) => Some(arguments),
        _ => None,
    }
}

fn value_of(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let schema = match schema {
        Value::Bool(true) => return Some(json!({})),
        Value::Object(schema) => schema,
        _ => return None,
    };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.strip_prefix('#')?)?;
        return value_of(target, root, depth + 1);
    }
    if let Some(value) = schema.get("const") {
        return Some(value.clone());
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return values.first().cloned();
    }
    if let Some(value) = schema.get("default").filter(|value| !value.is_null()) {
        return Some(value.clone());
    }
    if let Some(value) = schema.get("examples").and_then(|examples| examples.get(0)) {
        return Some(value.clone());
    }
    // What these add cannot be met without solving them.
    if [
        "not",
        "if",
        "allOf",
        "dependentRequired",
        "dependentSchemas",
        "propertyNames",
        "minProperties",
        "contains",
    ]
    .iter()
    .any(|keyword| schema.contains_key(*keyword))
    {
        return None;
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.get(keyword) {
            // A branch beside members of its own would have to be merged with them.
            if schema.contains_key("properties") {
                return None;
            }
            return branches
                .iter()
                .find_map(|branch| value_of(branch, root, depth + 1));
        }
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(Value::Array(kinds)) => kinds.first()?.as_str()?,
        None if schema.contains_key("properties") || depth == 0 => "object",
        None => "string",
        Some(_) => return None,
    };
    match kind {
        "object" => object_of(schema, root, depth),
        "array" => array_of(schema, root, depth),
        "string" => text_of(schema),
        "integer" | "number" => number_of(schema, kind == "integer"),
        "boolean" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    }
}

fn object_of(schema: &Map<String, Value>, root: &Value, depth: usize) -> Option<Value> {
    let mut object = Map::new();
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    for name in required {
        let name = name.as_str()?;
        let member = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let value = match member {
            Some(member) => value_of(member, root, depth + 1)?,
            None => json!("a"),
        };
        object.insert(name.to_owned(), value);
    }
    Some(Value::Object(object))
}

fn array_of(schema: &Map<String, Value>, root: &Value, depth: usize) -> Option<Value> {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    if schema.contains_key("prefixItems")
        || (least > 1 && schema.get("uniqueItems") == Some(&Value::Bool(true)))
    {
        return None;
    }
    let item = match schema.get("items") {
        Some(items) if least > 0 => value_of(items, root, depth + 1)?,
        _ => json!("a"),
    };
    Some(Value::Array(vec![
        item;
        usize::try_from(least.min(64)).ok()?
    ]))
}

fn text_of(schema: &Map<String, Value>) -> Option<Value> {
    if schema.contains_key("pattern") {
        return None;
    }
    let text = match schema.get("format").and_then(Value::as_str) {
        None => "a",
        Some("date") => "2026-01-01",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("time") => "00:00:00Z",
        Some("email") => "a@example.org",
        Some("uri" | "url") => "https://example.org/",
        Some("hostname") => "example.org",
        Some("ipv4") => "127.0.0.1",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        Some(_) => return None,
    };
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let most = schema
        .get("maxLength")
        .and_then(Value::as_u64)
        .unwrap_or(u64::MAX);
    let length = text.chars().count() as u64;
    if length >= least && length <= most {
        return Some(json!(text));
    }
    let may_grow = !schema.contains_key("format") && least <= most && least <= 4096;
    may_grow.then(|| json!("a".repeat(usize::try_from(least.min(most)).unwrap_or(0))))
}

fn number_of(schema: &Map<String, Value>, whole: bool) -> Option<Value> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
    let step = bound("multipleOf").unwrap_or(1.0);
    if step <= 0.0 || (whole && step.fract() != 0.0) {
        return None;
    }
    let mut value: f64 = match (bound("minimum"), bound("exclusiveMinimum")) {
        (None, None) => match bound("maximum").or(bound("exclusiveMaximum")) {
            Some(most) if most <= step => (most / step).floor() * step - step,
            _ => step,
        },
        (least, above) => {
            let least = least.unwrap_or(f64::MIN).max(above.unwrap_or(f64::MIN));
            (least / step).ceil() * step
        }
    };
    if bound("exclusiveMinimum").is_some_and(|above| value <= above) {
        value += step;
    }
    let fits = bound("maximum").is_none_or(|most| value <= most)
        && bound("exclusiveMaximum").is_none_or(|below| value < below)
        && value.abs() < 1e15;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value was bounded to a whole number below 1e15 just above"
    )]
    let number = if value.fract() == 0.0 {
        json!(value as i64)
    } else {
        json!(value)
    };
    fits.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::smallest;
    use serde_json::json;

    #[test]
    fn gives_required_members_only_and_nothing_that_is_not_sure() {
        for (schema, arguments) in [
            (json!({"type": "object"}), Some(json!({}))),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}}}),
                Some(json!({})),
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string", "minLength": 3}}, "required": ["a"]}),
                Some(json!({"a": "aaa"})),
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "^x"}}, "required": ["a"]}),
                None,
            ),
            (
                json!({"type": "object", "properties": {"n": {"type": "integer", "exclusiveMinimum": 4, "multipleOf": 4}}, "required": ["n"]}),
                Some(json!({"n": 8})),
            ),
            (
                json!({"type": "object", "properties": {"n": {"type": "integer", "maximum": 0}}, "required": ["n"]}),
                Some(json!({"n": -1})),
            ),
            (
                json!({"type": "object", "properties": {"e": {"enum": ["x", "y"]}}, "required": ["e"]}),
                Some(json!({"e": "x"})),
            ),
            (
                json!({"type": "object", "$defs": {"D": {"type": "boolean"}}, "properties": {"d": {"$ref": "#/$defs/D"}}, "required": ["d"]}),
                Some(json!({"d": false})),
            ),
            (
                json!({"type": "object", "$defs": {"D": {"$ref": "#/$defs/D"}}, "properties": {"d": {"$ref": "#/$defs/D"}}, "required": ["d"]}),
                None,
            ),
            (json!({"type": "string"}), None),
        ] {
            assert_eq!(smallest(&schema), arguments, "for {schema}");
        }
    }
}
