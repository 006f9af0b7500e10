//! How much of a schema there is, before anything that recurses looks at it.

use super::Undecided;
use serde_json::Value;

/// Levels of arrays and objects; as many as a message can have.
const MAX_DEPTH: usize = 128;

/// Objects and booleans that may be subschemas.
const MAX_SUBSCHEMAS: usize = 10_000;

/// Regular expressions.
const MAX_PATTERNS: usize = 500;

/// Bytes of one regular expression.
const MAX_PATTERN: usize = 4096;

/// What was counted.
pub(super) struct Survey {
    pub subschemas: usize,
    /// Whether there are references or regular expressions: without them, what is small is judged in a small space.
    pub is_plain: bool,
}

/// Keywords that lead somewhere else.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Counts, and stops at the first bound that is passed.
pub(super) fn survey(schema: &Value) -> Result<Survey, Undecided> {
    let (mut values, mut subschemas, mut patterns) = (0, 0, 0);
    let mut has_references = false;
    let mut rest = vec![(schema, 1)];
    let bound = |count: usize, limit: usize, what: &'static str| {
        if count > limit {
            Err(Undecided::Bound { what, limit })
        } else {
            Ok(())
        }
    };
    while let Some((value, depth)) = rest.pop() {
        values += 1;
        bound(values, super::dialect::MAX_VALUES, "values in a schema")?;
        bound(depth, MAX_DEPTH, "levels of a schema")?;
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => {
                subschemas += 1;
                bound(subschemas, MAX_SUBSCHEMAS, "subschemas")?;
                has_references |= REFERENCES.iter().any(|one| members.contains_key(*one));
                if let Some(Value::String(pattern)) = members.get("pattern") {
                    patterns += 1;
                    bound(pattern.len(), MAX_PATTERN, "bytes of a pattern")?;
                }
                if let Some(Value::Object(named)) = members.get("patternProperties") {
                    patterns += named.len();
                    for pattern in named.keys() {
                        bound(pattern.len(), MAX_PATTERN, "bytes of a pattern")?;
                    }
                }
                bound(patterns, MAX_PATTERNS, "patterns")?;
                rest.extend(members.values().map(|member| (member, depth + 1)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(Survey {
        subschemas,
        is_plain: !has_references && patterns == 0,
    })
}
