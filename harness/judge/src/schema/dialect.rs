//! Dialects of JSON Schema: which one a schema is written in, and whether it is valid by it.
//!
//! ```text
//! $schema, else the default of the revision, else any -> Dialect -> its meta-schema -> what does not fit
//! ```

use super::explain;
use crate::text;
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError, Validator};
use mcp_assay_model::protocol::Revision;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

/// Our keyword: the value is a JSON Schema. Its own value is the dialect where none is named: an address, or `any`.
pub(super) const SCHEMA: &str = "mcp-assay-schema";

/// Values (scalars and containers) of a schema that are held against a meta-schema; of a larger one nothing is said.
pub(super) const MAX_VALUES: usize = 50_000;

/// A dialect whose meta-schema we have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dialect {
    /// Draft 2020-12.
    Draft202012,
    /// Draft 2019-09.
    Draft201909,
    /// Draft 7.
    Draft7,
    /// Draft 6.
    Draft6,
    /// Draft 4.
    Draft4,
}

/// What a schema says of its own dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Declared<'s> {
    /// It names one that we know.
    Known(Dialect),
    /// It names another.
    Unknown(&'s str),
    /// It names none.
    Nothing,
}

impl Dialect {
    /// Every dialect, the newest first.
    pub const ALL: [Dialect; 5] = [
        Dialect::Draft202012,
        Dialect::Draft201909,
        Dialect::Draft7,
        Dialect::Draft6,
        Dialect::Draft4,
    ];

    /// What a schema that names no dialect is written in; `None` where the revision does not say, so that any will do.
    ///
    /// **Source**: 2025-11-25/basic/index, schema dialect.
    pub fn default_of(revision: Revision) -> Option<Dialect> {
        (revision >= Revision::R2025_11_25).then_some(Dialect::Draft202012)
    }

    /// The dialect of an address, whatever its scheme and an empty fragment.
    pub fn named(address: &str) -> Option<Dialect> {
        let bare = address.trim_end_matches('#');
        let bare = bare.split_once("://").map_or(bare, |(_, rest)| rest);
        Dialect::ALL.into_iter().find(|dialect| {
            let known = dialect.address().trim_end_matches('#');
            known
                .split_once("://")
                .is_some_and(|(_, known)| known == bare)
        })
    }

    /// The address of its meta-schema.
    pub fn address(self) -> &'static str {
        match self {
            Dialect::Draft202012 => "https://json-schema.org/draft/2020-12/schema",
            Dialect::Draft201909 => "https://json-schema.org/draft/2019-09/schema",
            Dialect::Draft7 => "http://json-schema.org/draft-07/schema#",
            Dialect::Draft6 => "http://json-schema.org/draft-06/schema#",
            Dialect::Draft4 => "http://json-schema.org/draft-04/schema#",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Draft202012 => "2020-12",
            Dialect::Draft201909 => "2019-09",
            Dialect::Draft7 => "draft-07",
            Dialect::Draft6 => "draft-06",
            Dialect::Draft4 => "draft-04",
        }
    }

    /// Whether what stands beside a `$ref` is ignored.
    pub(super) fn ignores_beside_references(self) -> bool {
        matches!(self, Dialect::Draft7 | Dialect::Draft6 | Dialect::Draft4)
    }

    pub(super) fn draft(self) -> Draft {
        match self {
            Dialect::Draft202012 => Draft::Draft202012,
            Dialect::Draft201909 => Draft::Draft201909,
            Dialect::Draft7 => Draft::Draft7,
            Dialect::Draft6 => Draft::Draft6,
            Dialect::Draft4 => Draft::Draft4,
        }
    }

    /// The validator of its schemas. Formats are left alone: whether a `pattern` is one of ECMA 262 is not for our engine to say.
    pub(super) fn meta(self) -> &'static Validator {
        static METAS: [OnceLock<Validator>; Dialect::ALL.len()] =
            [const { OnceLock::new() }; Dialect::ALL.len()];
        let index = Dialect::ALL.iter().position(|&known| known == self);
        let index = index.expect("the list has every dialect");
        METAS[index].get_or_init(|| {
            jsonschema::options()
                .with_draft(self.draft())
                .offline()
                .should_validate_formats(false)
                .build(&json!({ "$ref": self.address() }))
                .expect("the meta-schemas come with the validator, as a test shows")
        })
    }
}

/// What a schema says of its dialect; a `$schema` that is no string is for the meta-schema to refuse.
pub(super) fn declared(schema: &Value) -> Declared<'_> {
    match schema.get("$schema").and_then(Value::as_str) {
        None => Declared::Nothing,
        Some(address) => match Dialect::named(address) {
            Some(dialect) => Declared::Known(dialect),
            None => Declared::Unknown(address),
        },
    }
}

/// Why a value is no JSON Schema, as a fragment behind its name; `None` where it is one, or where that cannot be said.
fn problem(schema: &Value, default: Option<Dialect>) -> Option<String> {
    if size(schema, MAX_VALUES) > MAX_VALUES {
        return None;
    }
    let dialect = match (declared(schema), default) {
        (Declared::Known(dialect), _) | (Declared::Nothing, Some(dialect)) => dialect,
        (Declared::Unknown(_), _) => return None,
        (Declared::Nothing, None) => {
            let is_one = |dialect: &Dialect| dialect.meta().is_valid(schema);
            if Dialect::ALL.iter().any(is_one) {
                return None;
            }
            Dialect::ALL[0]
        }
    };
    let violations = explain::violations(dialect.meta(), schema, None);
    let first = violations.first()?;
    let place = match first.pointer.as_str() {
        "" => String::new(),
        pointer => format!(" at {}", text::cut(pointer)),
    };
    Some(format!(
        "no JSON Schema by {}:{place} {}",
        dialect.name(),
        first.message
    ))
}

/// How many values (scalars and containers) a value holds, itself included; counted no further than just beyond the limit.
pub(super) fn size(value: &Value, limit: usize) -> usize {
    let (mut count, mut rest) = (0, vec![value]);
    while let Some(value) = rest.pop() {
        count += 1;
        if count > limit {
            break;
        }
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(members) => rest.extend(members.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    count
}

/// Makes the check behind [`SCHEMA`].
pub(super) fn schema<'a>(
    _siblings: &'a Map<String, Value>,
    value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    match value.as_str() {
        Some("any") => Ok(Box::new(IsSchema { default: None })),
        Some(address) if Dialect::named(address).is_some() => Ok(Box::new(IsSchema {
            default: Dialect::named(address),
        })),
        _ => Err(ValidationError::custom(
            "no dialect that we know, and not `any`",
        )),
    }
}

struct IsSchema {
    default: Option<Dialect>,
}

impl<'i> Keyword<'i> for IsSchema {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match problem(instance, self.default) {
            None => Ok(()),
            Some(problem) => Err(ValidationError::custom(problem)),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        problem(instance, self.default).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_are_known_by_their_addresses() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::named(dialect.address()), Some(dialect));
            assert!(dialect.meta().is_valid(&json!({ "type": "object" })));
            assert!(!dialect.meta().is_valid(&json!({ "type": "objekt" })));
            assert!(!dialect.meta().is_valid(&json!([])));
        }
        for (address, expected) in [
            (
                "https://json-schema.org/draft-07/schema",
                Some(Dialect::Draft7),
            ),
            (
                "http://json-schema.org/draft/2020-12/schema#",
                Some(Dialect::Draft202012),
            ),
            ("https://example.com/draft-07/schema#", None),
            ("draft-07", None),
            ("", None),
        ] {
            assert_eq!(Dialect::named(address), expected, "{address}");
        }
    }

    #[test]
    fn a_schema_is_judged_by_the_dialect_it_names_else_by_the_default_else_by_any() {
        let old = json!({ "type": "number", "minimum": 1, "exclusiveMinimum": true });
        let mut named = old.clone();
        named["$schema"] = json!("http://json-schema.org/draft-04/schema#");
        let mut elsewhere = old.clone();
        elsewhere["$schema"] = json!("https://example.com/dialect");
        let tuple = json!({ "items": [{ "type": "string" }] });
        for (schema, default, is_one) in [
            (&old, Some(Dialect::Draft202012), false),
            (&old, None, true),
            (&named, Some(Dialect::Draft202012), true),
            (&elsewhere, Some(Dialect::Draft202012), true),
            (&tuple, Some(Dialect::Draft202012), false),
            (&tuple, Some(Dialect::Draft7), true),
            (&json!({ "pattern": "(" }), Some(Dialect::Draft202012), true),
            (&json!({ "$schema": 7 }), None, false),
            (&json!({ "type": "strnig" }), None, false),
        ] {
            assert_eq!(problem(schema, default).is_none(), is_one, "{schema}");
        }
    }

    #[test]
    fn a_problem_has_its_dialect_and_its_place() {
        let schema = json!({ "properties": { "a": { "type": "strnig" } } });
        let problem = problem(&schema, Some(Dialect::Draft202012)).unwrap();
        assert!(
            problem.starts_with("no JSON Schema by 2020-12: at /properties/a/type `type` "),
            "{problem}"
        );
    }

    #[test]
    fn of_a_schema_beyond_the_bound_nothing_is_said() {
        let huge = json!({ "enum": vec![0; MAX_VALUES], "type": 7 });
        assert_eq!(size(&huge, MAX_VALUES), MAX_VALUES + 1);
        assert_eq!(problem(&huge, None), None);
    }
}
