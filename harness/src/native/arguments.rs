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

/// Keywords that say what a value must be; all others only describe it.
const CONSTRAINTS: &[&str] = &[
    "$dynamicRef",
    "$recursiveRef",
    "$ref",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// Constraints that cannot be met without solving them.
const UNSOLVED: &[&str] = &[
    "$dynamicRef",
    "$recursiveRef",
    "allOf",
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "if",
    "minProperties",
    "not",
    "patternProperties",
    "propertyNames",
];

fn value_of(schema: &Value, root: &Value, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let schema = match schema {
        Value::Bool(true) => return Some(json!({})),
        Value::Object(schema) => schema,
        _ => return None,
    };
    if let Some(target) = schema.get("$ref") {
        // Whatever stands beside a reference would have to be met too, or not, as the draft has it.
        let is_alone = constraints(schema).all(|(keyword, _)| keyword == "$ref");
        let target = is_alone.then(|| resolved(target, root))??;
        return value_of(target, root, depth + 1);
    }
    if UNSOLVED.iter().any(|keyword| schema.contains_key(*keyword)) {
        return None;
    }
    if let Some(value) = schema.get("const") {
        return fits(schema, value).then(|| value.clone());
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        return values.iter().find(|value| fits(schema, value)).cloned();
    }
    let example = schema.get("examples").and_then(|examples| examples.get(0));
    let told = schema.get("default").filter(|value| !value.is_null());
    // What a schema tells of itself need not be true.
    if let Some(value) = told
        .into_iter()
        .chain(example)
        .find(|value| fits(schema, value))
    {
        return Some(value.clone());
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.get(keyword) {
            return branch_of(keyword, branches, schema, root, depth);
        }
    }
    match schema.get("type") {
        Some(Value::String(kind)) => of_kind(kind, schema, root, depth),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find_map(|kind| of_kind(kind, schema, root, depth)),
        None if schema.contains_key("properties") || depth == 0 => {
            of_kind("object", schema, root, depth)
        }
        None => of_kind("string", schema, root, depth),
        Some(_) => None,
    }
}

fn of_kind(kind: &str, schema: &Map<String, Value>, root: &Value, depth: usize) -> Option<Value> {
    match kind {
        "object" => object_of(schema, root, depth),
        "array" => array_of(schema, root, depth),
        "string" => text_of(schema),
        "integer" | "number" => number_of(schema),
        "boolean" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => None,
    }
}

fn resolved<'v>(reference: &Value, root: &'v Value) -> Option<&'v Value> {
    root.pointer(reference.as_str()?.strip_prefix('#')?)
}

fn constraints(schema: &Map<String, Value>) -> impl Iterator<Item = (&str, &Value)> {
    let all = schema
        .iter()
        .map(|(keyword, limit)| (keyword.as_str(), limit));
    all.filter(|(keyword, _)| CONSTRAINTS.contains(keyword))
}

/// A value of the first branch that also meets what stands beside the branches; of `oneOf`, one that no other branch accepts.
fn branch_of(
    keyword: &str,
    branches: &[Value],
    schema: &Map<String, Value>,
    root: &Value,
    depth: usize,
) -> Option<Value> {
    let mut beside = schema.clone();
    beside.shift_remove(keyword);
    let is_only = |value: &Value, own: usize| {
        let mut others = branches
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != own);
        keyword == "anyOf" || others.all(|(_, other)| refuses(other, value, root, depth + 1))
    };
    branches.iter().enumerate().find_map(|(index, branch)| {
        let value = value_of(branch, root, depth + 1)?;
        (fits(&beside, &value) && is_only(&value, index)).then_some(value)
    })
}

/// Whether a schema surely refuses a value.
fn refuses(schema: &Value, value: &Value, root: &Value, depth: usize) -> bool {
    let schema = match schema {
        Value::Bool(all) => return !all,
        Value::Object(schema) if depth <= DEEPEST => schema,
        _ => return false,
    };
    if let Some(reference) = schema.get("$ref") {
        let target = resolved(reference, root);
        return target.is_some_and(|target| refuses(target, value, root, depth + 1));
    }
    let is_other = |limit: &Value| match (limit.as_f64(), value.as_f64()) {
        // Numbers may be equal though they are written otherwise.
        (Some(limit), Some(value)) => limit.total_cmp(&value).is_ne(),
        _ => limit != value,
    };
    let is_plain = !value.is_array() && !value.is_object();
    let is_other_kind = |kind: &Value| match kind.as_str() {
        Some("integer" | "number") => !value.is_number(),
        Some(kind) => !is_a(kind, value),
        None => false,
    };
    constraints(schema).any(|(keyword, limit)| match keyword {
        "type" => match limit {
            Value::Array(kinds) => kinds.iter().all(is_other_kind),
            kind => is_other_kind(kind),
        },
        "const" => is_plain && is_other(limit),
        "enum" => is_plain && limit.as_array().is_some_and(|all| all.iter().all(is_other)),
        "required" => {
            let lacks = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_none());
            value.is_object()
                && limit
                    .as_array()
                    .is_some_and(|names| names.iter().any(lacks))
        }
        "properties" => limit.as_object().is_some_and(|members| {
            members.iter().any(|(name, member)| {
                let own = value.get(name);
                own.is_some_and(|own| refuses(member, own, root, depth + 1))
            })
        }),
        _ => false,
    })
}

/// Whether a value surely meets all that a schema says of it.
fn fits(schema: &Map<String, Value>, value: &Value) -> bool {
    constraints(schema).all(|(keyword, limit)| match keyword {
        "type" => match limit {
            Value::String(kind) => is_a(kind, value),
            Value::Array(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .any(|kind| is_a(kind, value)),
            _ => false,
        },
        "const" => limit == value,
        "enum" => limit.as_array().is_some_and(|all| all.contains(value)),
        // A format is for strings, and whether it is asserted is the server's affair.
        "format" => !value.is_string(),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            !value.is_number() || number_fits(keyword, limit, value)
        }
        "minLength" | "maxLength" => value.as_str().is_none_or(|text| {
            let length = text.chars().count() as u64;
            whole(limit).is_some_and(|limit| {
                if keyword == "minLength" {
                    length >= limit
                } else {
                    length <= limit
                }
            })
        }),
        _ => false,
    })
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// Numbers up to here are exact.
const EXACT: f64 = 1e15;

fn exact(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.abs() < EXACT)
}

fn number_fits(keyword: &str, limit: &Value, value: &Value) -> bool {
    let (Some(limit), Some(value)) = (exact(limit), exact(value)) else {
        return false;
    };
    match keyword {
        "minimum" => value >= limit,
        "maximum" => value <= limit,
        "exclusiveMinimum" => value > limit,
        "exclusiveMaximum" => value < limit,
        // Fractions divide as they please.
        _ => limit > 0.0 && (value == 0.0 || (limit.fract() == 0.0 && value % limit == 0.0)),
    }
}

/// A number of things: a whole number, however it is written.
fn whole(limit: &Value) -> Option<u64> {
    let number = exact(limit).filter(|number| *number >= 0.0 && number.fract() == 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the number was bounded just above to a whole one from 0 to 1e15"
    )]
    Some(number as u64)
}

/// The bound that a keyword sets on a number of things, else this one; `None` where it cannot be read.
fn count(schema: &Map<String, Value>, keyword: &str, unless: u64) -> Option<u64> {
    schema.get(keyword).map_or(Some(unless), whole)
}

fn object_of(schema: &Map<String, Value>, root: &Value, depth: usize) -> Option<Value> {
    let mut object = Map::new();
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_free = |keyword: &str| matches!(schema.get(keyword), None | Some(Value::Bool(true)));
    for name in required {
        let name = name.as_str()?;
        let member = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let value = match (member, schema.get("additionalProperties")) {
            (Some(member), _) => value_of(member, root, depth + 1)?,
            (None, _) if !is_free("unevaluatedProperties") => return None,
            (None, Some(additional)) => value_of(additional, root, depth + 1)?,
            (None, None) => json!("a"),
        };
        object.insert(name.to_owned(), value);
    }
    let most = count(schema, "maxProperties", u64::MAX)?;
    (object.len() as u64 <= most).then_some(Value::Object(object))
}

/// Entries that an array is filled with at most.
const MOST_ENTRIES: u64 = 64;

fn array_of(schema: &Map<String, Value>, root: &Value, depth: usize) -> Option<Value> {
    let least = count(schema, "minItems", 0)?;
    if least == 0 {
        return Some(json!([]));
    }
    let is_unsure = ["prefixItems", "additionalItems", "unevaluatedItems"]
        .iter()
        .any(|keyword| schema.contains_key(*keyword));
    let is_unique = schema
        .get("uniqueItems")
        .is_some_and(|unique| *unique != false);
    let most = count(schema, "maxItems", MOST_ENTRIES)?.min(MOST_ENTRIES);
    if is_unsure || least > most || (least > 1 && is_unique) {
        return None;
    }
    let item = match schema.get("items") {
        Some(items) => value_of(items, root, depth + 1)?,
        None => json!("a"),
    };
    Some(Value::Array(vec![item; usize::try_from(least).ok()?]))
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
    let least = count(schema, "minLength", 0)?;
    let most = count(schema, "maxLength", u64::MAX)?;
    let length = text.chars().count() as u64;
    if length >= least && length <= most {
        return Some(json!(text));
    }
    let may_grow = !schema.contains_key("format") && least <= most && least <= 4096;
    may_grow.then(|| json!("a".repeat(usize::try_from(least).unwrap_or(0))))
}

fn number_of(schema: &Map<String, Value>) -> Option<Value> {
    let bound = |keyword: &str| schema.get(keyword).and_then(exact);
    let step = bound("multipleOf")
        .filter(|step| *step >= 1.0)
        .unwrap_or(1.0);
    let least = bound("minimum")
        .into_iter()
        .chain(bound("exclusiveMinimum"));
    let most = bound("maximum")
        .into_iter()
        .chain(bound("exclusiveMaximum"));
    let mut candidates = Vec::new();
    match (least.reduce(f64::max), most.reduce(f64::min)) {
        (Some(least), _) => {
            let first = (least / step).ceil() * step;
            candidates.extend([first, first + step, least]);
        }
        (None, Some(most)) => {
            let last = (most / step).floor() * step;
            candidates.extend([step, last - step, last, most]);
        }
        (None, None) => candidates.push(step),
    }
    candidates.push(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a whole number below 1e15 is one of i64"
    )]
    let numbers = candidates.into_iter().map(|number| {
        if number.fract() == 0.0 && number.abs() < EXACT {
            json!(number as i64)
        } else {
            json!(number)
        }
    });
    numbers.into_iter().find(|number| fits(schema, number))
}

#[cfg(test)]
mod tests {
    use super::smallest;
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    #[test]
    fn what_a_schema_tells_of_itself_is_believed_only_where_it_is_true() {
        let of = |member: Value| {
            let schema =
                json!({ "type": "object", "properties": { "a": member }, "required": ["a"] });
            smallest(&schema).map(|arguments| arguments["a"].clone())
        };
        for (member, value) in [
            (json!({"type": "integer", "default": "x"}), Some(json!(1))),
            (
                json!({"type": "integer", "default": 7, "maximum": 5}),
                Some(json!(1)),
            ),
            (json!({"type": "integer", "default": 7}), Some(json!(7))),
            (
                json!({"type": "string", "default": "", "minLength": 1}),
                Some(json!("a")),
            ),
            (
                json!({"type": "string", "examples": ["ok"], "default": 1}),
                Some(json!("ok")),
            ),
            (
                json!({"type": "string", "enum": [1, "x"]}),
                Some(json!("x")),
            ),
            (json!({"type": "string", "const": 1}), None),
            (
                json!({"type": "array", "items": {"type": "string"}, "default": [1]}),
                Some(json!([])),
            ),
            (json!({"$ref": "#/properties/b", "minLength": 9}), None),
            (
                json!({"anyOf": [{"type": "null"}, {"type": "string"}], "type": "string"}),
                Some(json!("a")),
            ),
            (
                json!({"oneOf": [{"type": "string"}, {"minLength": 1}]}),
                None,
            ),
            (
                json!({"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}),
                Some(Value::Null),
            ),
            (
                json!({"type": "number", "minimum": 0.2, "maximum": 0.8}),
                Some(json!(0.2)),
            ),
            (
                json!({"type": "number", "minimum": 0, "multipleOf": 0.01}),
                Some(json!(0)),
            ),
            (json!({"type": "array", "minItems": 100}), None),
            (
                json!({"type": "string", "minLength": 3.0}),
                Some(json!("aaa")),
            ),
        ] {
            assert_eq!(of(member.clone()), value, "for {member}");
        }
        for closed in [json!(false), json!({"type": "object", "required": ["b"]})] {
            let schema =
                json!({ "type": "object", "required": ["a"], "additionalProperties": closed });
            let arguments = smallest(&schema);
            assert!(
                arguments.is_none_or(|arguments| arguments["a"].is_object()),
                "{schema}"
            );
        }
    }

    /// Values of every type, few enough to meet each other.
    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..6).prop_map(Value::from),
            (-6_i32..12).prop_map(|half| json!(f64::from(half) / 2.0)),
            "[ab]{0,4}".prop_map(Value::from),
            Just(json!([])),
            Just(json!(["a"])),
            Just(json!({})),
            Just(json!({ "a": 1 })),
        ]
    }

    fn size() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => (0_u64..4).prop_map(Value::from),
            1 => Just(json!(2.0)),
            1 => Just(json!(70)),
        ]
    }

    fn kind() -> impl Strategy<Value = Value> {
        let one = proptest::sample::select(vec![
            "object", "array", "string", "integer", "number", "boolean", "null",
        ]);
        prop_oneof![
            3 => one.clone().prop_map(Value::from),
            1 => proptest::collection::btree_set(one, 1..3).prop_map(|kinds| json!(kinds)),
        ]
    }

    fn number() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-4_i64..7).prop_map(Value::from),
            (-8_i32..14).prop_map(|half| json!(f64::from(half) / 2.0)),
            Just(json!(0.1)),
            Just(json!(1e300)),
        ]
    }

    /// One keyword with a limit that the drafts allow it.
    fn keyword(schema: BoxedStrategy<Value>) -> BoxedStrategy<(String, Value)> {
        let named = |name: &'static str, limit: BoxedStrategy<Value>| {
            limit
                .prop_map(move |limit| (name.to_owned(), limit))
                .boxed()
        };
        let members = || {
            let members = proptest::collection::btree_map("[ab]", schema.clone(), 0..3);
            members.prop_map(|members| json!(members)).boxed()
        };
        let some = || {
            proptest::collection::vec(schema.clone(), 1..4)
                .prop_map(Value::from)
                .boxed()
        };
        let names = || {
            proptest::collection::btree_set("[abc]", 0..3)
                .prop_map(|names| json!(names))
                .boxed()
        };
        let step = prop_oneof![
            Just(json!(2)),
            Just(json!(3)),
            Just(json!(0.5)),
            Just(json!(0.1))
        ];
        let format =
            proptest::sample::select(vec!["date", "time", "uri", "uuid", "email", "regex"]);
        let reference =
            proptest::sample::select(vec!["#/$defs/D", "#", "#/properties/a", "#/none"]);
        let drafts = vec!["http://json-schema.org/draft-07/schema#"];
        proptest::strategy::Union::new_weighted(vec![
            (4, named("properties", members())),
            (4, named("required", names())),
            (2, named("additionalProperties", schema.clone())),
            (1, named("unevaluatedProperties", schema.clone())),
            (1, named("patternProperties", members())),
            (1, named("minProperties", size().boxed())),
            (1, named("maxProperties", size().boxed())),
            (1, named("propertyNames", schema.clone())),
            (2, named("items", schema.clone())),
            (2, named("minItems", size().boxed())),
            (1, named("maxItems", size().boxed())),
            (
                1,
                named("uniqueItems", any::<bool>().prop_map(Value::from).boxed()),
            ),
            (1, named("prefixItems", some())),
            (1, named("contains", schema.clone())),
            (2, named("minLength", size().boxed())),
            (2, named("maxLength", size().boxed())),
            (1, named("pattern", Just(json!("^b")).boxed())),
            (1, named("format", format.prop_map(Value::from).boxed())),
            (2, named("minimum", number().boxed())),
            (2, named("maximum", number().boxed())),
            (2, named("exclusiveMinimum", number().boxed())),
            (2, named("exclusiveMaximum", number().boxed())),
            (2, named("multipleOf", step.boxed())),
            (
                2,
                named(
                    "enum",
                    proptest::collection::vec(value(), 1..4)
                        .prop_map(Value::from)
                        .boxed(),
                ),
            ),
            (1, named("const", value().boxed())),
            (2, named("default", value().boxed())),
            (
                1,
                named(
                    "examples",
                    proptest::collection::vec(value(), 0..3)
                        .prop_map(Value::from)
                        .boxed(),
                ),
            ),
            (2, named("anyOf", some())),
            (2, named("oneOf", some())),
            (1, named("allOf", some())),
            (1, named("not", schema.clone())),
            (1, named("if", schema.clone())),
            (1, named("then", schema.clone())),
            (2, named("$ref", reference.prop_map(Value::from).boxed())),
            (
                1,
                named(
                    "$defs",
                    schema.prop_map(|schema| json!({ "D": schema })).boxed(),
                ),
            ),
            (
                1,
                named(
                    "$schema",
                    proptest::sample::select(drafts)
                        .prop_map(Value::from)
                        .boxed(),
                ),
            ),
            (1, named("title", Just(json!("t")).boxed())),
        ])
        .boxed()
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            1 => any::<bool>().prop_map(Value::from),
            6 => kind().prop_map(|kind| json!({ "type": kind })),
        ];
        leaf.prop_recursive(4, 40, 4, |inner| {
            let keywords = proptest::collection::vec(keyword(inner.boxed()), 0..5);
            (proptest::option::weighted(0.8, kind()), keywords).prop_map(|(kind, keywords)| {
                let kind = kind.map(|kind| ("type".to_owned(), kind));
                Value::Object(kind.into_iter().chain(keywords).collect())
            })
        })
    }

    /// A tool's schema: an object with members, most of the time.
    fn tool() -> impl Strategy<Value = Value> {
        let members = proptest::collection::btree_map("[abc]", schema(), 1..4);
        prop_oneof![
            1 => schema(),
            6 => (members, schema()).prop_map(|(members, definition)| {
                let names: Vec<&String> = members.keys().collect();
                json!({ "type": "object", "properties": members, "required": names, "$defs": { "D": definition } })
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_given_is_accepted(schema in tool()) {
            let Some(arguments) = smallest(&schema) else { return Ok(()) };
            // A schema that is none itself has no say.
            let Ok(validator) = jsonschema::validator_for(&schema) else { return Ok(()) };
            prop_assert!(validator.is_valid(&arguments), "{schema} gave {arguments}");
        }
    }

    #[test]
    fn most_schemas_of_ordinary_tools_are_met() {
        for member in [
            json!({"type": "string", "description": "d"}),
            json!({"type": "integer", "minimum": 1, "maximum": 100, "default": 10}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null, "title": "T"}),
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1}),
            json!({"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"], "additionalProperties": false}),
            json!({"$ref": "#/$defs/Mode", "description": "d"}),
            json!({"type": ["string", "null"]}),
            json!({"type": "string", "format": "uri"}),
            json!({"oneOf": [{"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]}, {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]}]}),
            json!({}),
            json!(true),
        ] {
            let schema = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": { "a": member },
                "required": ["a"],
                "additionalProperties": false,
                "$defs": { "Mode": { "enum": ["r", "w"] } },
            });
            let arguments = smallest(&schema).unwrap_or_else(|| panic!("{schema}"));
            assert!(
                jsonschema::is_valid(&schema, &arguments),
                "{schema} {arguments}"
            );
        }
    }
}
