//! What holds for a schema that a target offers, and a value judged by it.

use super::hold;
use mcp_assay_judge::{Dialect, OfferedSchema, Unusable, Violation};
use mcp_assay_model::protocol::Revision;
use serde_json::Value;

/// Bytes beyond which nothing is tried: what is bounded is the work, and that takes its time.
const LONGEST: usize = 1 << 14;

/// Members by which a plain validator may be led astray, or take its time.
const UNBOUNDED: [&str; 6] = [
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "pattern",
    "patternProperties",
    "$id",
];

/// Everything that must hold for two lines, a schema and a value: whatever they are, an answer comes; where it is a verdict, it is the same
/// again, and that of a plain validator; what does not fit has a place.
pub fn offered_schema(bytes: &[u8]) -> Result<(), String> {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let mut next = || serde_json::from_slice::<Value>(lines.next().unwrap_or_default());
    let (Ok(schema), Ok(value)) = (next(), next()) else {
        return Ok(());
    };
    if bytes.len() > LONGEST {
        return Ok(());
    }
    for revision in [Revision::R2024_11_05, Revision::R2026_07_28] {
        let compiled = match OfferedSchema::compile(&schema, revision) {
            Ok(compiled) => compiled,
            Err(Unusable::Broken(violations)) => {
                hold!(!violations.is_empty(), "broken without a reason: {schema}");
                placed(&schema, &violations)?;
                continue;
            }
            Err(Unusable::Undecided(undecided)) => {
                hold!(
                    !undecided.to_string().is_empty(),
                    "undecided without a reason: {schema}"
                );
                continue;
            }
        };
        let Ok(violations) = compiled.judge(&value, None) else {
            continue;
        };
        placed(&value, &violations)?;
        hold!(
            compiled.judge(&value, None).as_ref() == Ok(&violations),
            "judged twice, {value} by {schema} gets two verdicts"
        );
        if let (Some(dialect), None) = only(&compiled)
            && !UNBOUNDED.iter().any(|member| has(&schema, member))
        {
            let plain = plain(&schema, dialect);
            hold!(
                plain.is_none_or(|plain| plain.is_valid(&value) == violations.is_empty()),
                "{value} by {schema}: a plain validator says otherwise than {violations:?}"
            );
        }
    }
    Ok(())
}

/// The one dialect that a schema is read in, and another if there is one.
fn only(compiled: &OfferedSchema) -> (Option<Dialect>, Option<Dialect>) {
    let mut dialects = compiled.dialects();
    (dialects.next(), dialects.next())
}

fn plain(schema: &Value, dialect: Dialect) -> Option<jsonschema::Validator> {
    let draft = match dialect {
        Dialect::Draft202012 => jsonschema::Draft::Draft202012,
        Dialect::Draft201909 => jsonschema::Draft::Draft201909,
        Dialect::Draft7 => jsonschema::Draft::Draft7,
        Dialect::Draft6 => jsonschema::Draft::Draft6,
        Dialect::Draft4 => jsonschema::Draft::Draft4,
    };
    let options = jsonschema::options().with_draft(draft).offline();
    options.should_validate_formats(false).build(schema).ok()
}

fn placed(value: &Value, violations: &[Violation]) -> Result<(), String> {
    for violation in violations {
        hold!(
            !violation.message.is_empty() && violation.count > 0,
            "no words: {violation:?}"
        );
        hold!(
            value.pointer(&violation.pointer).is_some(),
            "nothing there: {violation:?} of {value}"
        );
    }
    Ok(())
}

/// Whether a value has a member of this name anywhere.
fn has(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has(item, name)),
        Value::Object(members) => {
            members.contains_key(name) || members.values().any(|member| has(member, name))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
