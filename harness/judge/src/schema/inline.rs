//! Schemas written in cards: a closed list of keywords, `spec: Name`, and integers told by how they are written.

use super::SchemaError;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

/// Our keyword beside each `type: integer` of a card's schema.
pub(super) const PLAIN_INTEGER: &str = "mcp-assay-plain-integer";

/// Keywords whose value is a schema.
const ONE: &[&str] = &[
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Keywords whose value is a list of schemas.
const LIST: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];

/// Keywords whose value is an object of schemas.
const NAMED: &[&str] = &["dependentSchemas", "patternProperties", "properties"];

/// Keywords whose value is no schema. `$ref` is not among them: `spec` says it, and nothing else is within reach.
const PLAIN: &[&str] = &[
    "$comment",
    "const",
    "dependentRequired",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];

/// Makes plain JSON Schema of a card's schema; `refer` gives the reference for a `spec: Name`.
///
/// **Errors**: unknown keyword, or what `refer` says.
pub(super) fn prepare(
    schema: &mut Value,
    pointer: &str,
    refer: &dyn Fn(&str) -> Result<String, SchemaError>,
) -> Result<(), SchemaError> {
    let Value::Object(keywords) = schema else {
        return Ok(());
    };
    let reference = match keywords.remove("spec") {
        None => None,
        Some(Value::String(name)) => Some(refer(&name)?),
        Some(_) => {
            return Err(SchemaError::Invalid {
                reason: format!("`spec` is no name at `{pointer}`"),
            });
        }
    };
    let mut has_integer = false;
    for (keyword, value) in keywords.iter_mut() {
        let pointer = format!("{pointer}/{keyword}");
        match (keyword.as_str(), value) {
            ("type", value) => has_integer = is_integer_only(value),
            (keyword, value) if ONE.contains(&keyword) => prepare(value, &pointer, refer)?,
            (keyword, Value::Array(items)) if LIST.contains(&keyword) => {
                for (index, item) in items.iter_mut().enumerate() {
                    prepare(item, &format!("{pointer}/{index}"), refer)?;
                }
            }
            (keyword, Value::Object(members)) if NAMED.contains(&keyword) => {
                for (name, member) in members.iter_mut() {
                    prepare(member, &format!("{pointer}/{name}"), refer)?;
                }
            }
            // The compiler says what is wrong with a list or an object that is none.
            (keyword, _) if [PLAIN, LIST, NAMED].concat().contains(&keyword) => {}
            (keyword, _) => {
                return Err(SchemaError::UnknownKeyword {
                    keyword: keyword.to_owned(),
                    pointer,
                });
            }
        }
    }
    if let Some(reference) = reference {
        keywords.insert("$ref".to_owned(), Value::String(reference));
    }
    if has_integer {
        keywords.insert(PLAIN_INTEGER.to_owned(), Value::Bool(true));
    }
    Ok(())
}

/// Whether a `type` allows integers and no other number.
fn is_integer_only(types: &Value) -> bool {
    let allows = |name: &str| match types {
        Value::Array(types) => types.iter().any(|item| item == name),
        single => single == name,
    };
    allows("integer") && !allows("number")
}

/// Makes the check behind [`PLAIN_INTEGER`].
pub(super) fn plain_integer<'a>(
    _siblings: &'a Map<String, Value>,
    _value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    Ok(Box::new(PlainInteger))
}

struct PlainInteger;

impl<'i> Keyword<'i> for PlainInteger {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("not written as an integer"))
        }
    }

    /// The parser makes a float of `1.0` and `1e0`, and of integers beyond 64 bits: how the latter were written is not judged. A
    /// number with a true fraction breaks `type` already.
    fn is_valid(&self, instance: &'i Value) -> bool {
        let Value::Number(number) = instance else {
            return true;
        };
        match number.as_f64() {
            Some(float) if number.is_f64() => float.fract() != 0.0 || float.abs() >= BEYOND,
            _ => true,
        }
    }
}

/// The smallest float beyond which a plain integer may have become a float.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn prepared(mut schema: Value) -> Result<Value, SchemaError> {
        prepare(&mut schema, "", &|name| Ok(format!("doc#{name}"))).map(|()| schema)
    }

    #[test]
    fn spec_becomes_a_reference_where_it_is_a_keyword_only() {
        let schema = json!({"properties": {"spec": {"spec": "Tool"}}, "const": {"spec": 1}});
        let expected = json!({"properties": {"spec": {"$ref": "doc#Tool"}}, "const": {"spec": 1}});
        assert_eq!(prepared(schema), Ok(expected));
    }

    #[test]
    fn unknown_keywords_are_errors_with_their_place() {
        for (schema, place) in [
            (json!({"requried": ["a"]}), "/requried"),
            (
                json!({"properties": {"a": {"typ": 1}}}),
                "/properties/a/typ",
            ),
            (json!({"anyOf": [true, {"min": 1}]}), "/anyOf/1/min"),
            (json!({"$ref": "https://example.com"}), "/$ref"),
            (json!({PLAIN_INTEGER: true}), "/mcp-assay-plain-integer"),
        ] {
            match prepared(schema) {
                Err(SchemaError::UnknownKeyword { pointer, .. }) => assert_eq!(pointer, place),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn only_types_that_allow_integers_alone_ask_how_a_number_is_written() {
        for (types, asks) in [
            (json!("integer"), true),
            (json!(["integer", "null"]), true),
            (json!("number"), false),
            (json!(["integer", "number"]), false),
            (json!("string"), false),
        ] {
            let schema = prepared(json!({ "type": types })).unwrap();
            assert_eq!(schema.get(PLAIN_INTEGER).is_some(), asks, "{schema}");
        }
    }
}
