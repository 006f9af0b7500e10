//! Judgements that pass by silence.
//!
//! JSON Schema says nothing about what it does not name: `properties` accepts a missing member, `required` accepts a string, a
//! misspelt keyword accepts everything, and `const: -32601` accepts `-32601.0`. A card that relies on such a silence is refused.

use super::Card;
use super::visit::judgements;
use mcp_assay_model::scenario::{Expect, Span};
use mcp_assay_model::template::Template;

const OBJECT: &[&str] = &[
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "dependentRequired",
    "dependentSchemas",
];
const ARRAY: &[&str] = &[
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "minItems",
    "maxItems",
    "uniqueItems",
];
const STRING: &[&str] = &["minLength", "maxLength", "pattern", "format"];
const NUMBER: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];
const OTHER: &[&str] = &[
    "type", "const", "enum", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "spec",
];
const TYPES: [&str; 7] = [
    "null", "boolean", "object", "array", "number", "integer", "string",
];

pub(super) fn lint(card: &mut Card<'_>) {
    for check in &card.scenario.checks {
        let mut schemas = Vec::new();
        judgements(check, &mut |_, expect| match expect {
            Expect::Message { schema, .. } => schemas.push(schema),
            Expect::Http { headers, .. } => {
                schemas.extend(headers.iter().filter_map(|(_, schema)| schema.as_ref()));
            }
            Expect::SameId { .. }
            | Expect::None { .. }
            | Expect::Exit { .. }
            | Expect::AnyOf(_)
            | Expect::Native(_) => {}
        });
        for schema in schemas {
            if matches!(schema, Template::Object(members) if members.is_empty()) {
                let title = "empty schema accepts everything";
                card.error(&check.span, "{}", title, "").hint =
                    Some("write `{ type: object }` at least".to_owned());
            }
            judge(card, &check.span, schema, &[]);
        }
    }
}

/// `outer` is what an enclosing schema says of the type of the same value.
fn judge(card: &mut Card<'_>, span: &Span, schema: &Template, outer: &[String]) {
    let Template::Object(members) = schema else {
        if matches!(
            schema,
            Template::Text(_) | Template::Array(_) | Template::Raw(_)
        ) {
            card.error(
                span,
                "",
                "no JSON Schema where one is needed",
                "a mapping, true or false",
            );
        }
        return;
    };
    for (keyword, _) in members {
        let keyword = keyword.as_str();
        if keyword.starts_with('$') {
            let title = format!("`{keyword}` in a judgement");
            card.error(span, keyword, title, "").hint =
                Some("write `spec: NAME` for a definition of the revision under test".to_owned());
        } else if ![OBJECT, ARRAY, STRING, NUMBER, OTHER]
            .concat()
            .contains(&keyword)
        {
            let known = [OBJECT, ARRAY, STRING, NUMBER, OTHER].concat();
            card.unknown(span, "keyword of JSON Schema", keyword, known);
        }
    }
    let mut types = types(card, span, schema);
    if types.is_empty() {
        types = outer.to_vec();
    }
    for (keyword, value) in members {
        inner(card, span, keyword, value, &types);
    }
    typed(card, span, schema, &types);
    listed(card, span, schema);
    numbers(card, span, schema, &types);
}

/// Schemas within a schema: of the same value, which inherit its type, and of values within it.
fn inner(card: &mut Card<'_>, span: &Span, keyword: &str, value: &Template, types: &[String]) {
    match (keyword, value) {
        ("dependentSchemas", Template::Object(members)) => {
            members
                .iter()
                .for_each(|(_, schema)| judge(card, span, schema, types));
        }
        ("properties" | "patternProperties", Template::Object(members)) => {
            members
                .iter()
                .for_each(|(_, schema)| judge(card, span, schema, &[]));
        }
        ("allOf" | "anyOf" | "oneOf", Template::Array(items)) => {
            items
                .iter()
                .for_each(|schema| judge(card, span, schema, types));
        }
        ("prefixItems", Template::Array(items)) => {
            items
                .iter()
                .for_each(|schema| judge(card, span, schema, &[]));
        }
        ("not" | "if" | "then" | "else", schema) => judge(card, span, schema, types),
        ("additionalProperties" | "propertyNames" | "items" | "contains", schema) => {
            judge(card, span, schema, &[]);
        }
        _ => {}
    }
}

fn types(card: &mut Card<'_>, span: &Span, schema: &Template) -> Vec<String> {
    let names: Vec<&Template> = match schema.member("type") {
        None => Vec::new(),
        Some(Template::Array(items)) => items.iter().collect(),
        Some(one) => vec![one],
    };
    let mut types = Vec::new();
    for name in names {
        match name {
            Template::Text(name) if TYPES.contains(&name.as_str()) => types.push(name.clone()),
            Template::Text(name) => card.unknown(span, "type", name, TYPES),
            // A plain `null` is no string to YAML, and no type to JSON Schema.
            Template::Literal(text) => {
                let title = format!("`{text}` as a type");
                card.error(span, "type", title, "").hint =
                    Some(format!("write \"{text}\" in quotes"));
            }
            _ => {}
        }
    }
    types
}

/// Keywords that say nothing of values of another type.
fn typed(card: &mut Card<'_>, span: &Span, schema: &Template, types: &[String]) {
    let groups: [(&[&str], &[&str]); 4] = [
        (OBJECT, &["object"]),
        (ARRAY, &["array"]),
        (STRING, &["string"]),
        (NUMBER, &["integer", "number"]),
    ];
    for (keywords, wanted) in groups {
        let Some(keyword) = keywords
            .iter()
            .find(|keyword| schema.member(keyword).is_some())
        else {
            continue;
        };
        if !types.iter().any(|name| wanted.contains(&name.as_str())) {
            let title = format!("`{keyword}` without `type: {}`", wanted[0]);
            card.error(span, keyword, title, "accepts every value of another type")
                .hint = Some(format!("add `type: {}`", wanted[0]));
        }
    }
}

/// `properties` that may be missing.
fn listed(card: &mut Card<'_>, span: &Span, schema: &Template) {
    let required: Vec<&str> = match schema.member("required") {
        Some(Template::Array(items)) => items
            .iter()
            .filter_map(|item| match item {
                Template::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    let Some(Template::Object(properties)) = schema.member("properties") else {
        return;
    };
    for (name, property) in properties {
        // `false` says that the member must be absent.
        let forbidden = matches!(property, Template::Literal(text) if text == "false");
        if !forbidden && !required.contains(&name.as_str()) {
            let title = format!("property `{name}` is not in `required`");
            card.error(span, name, title, "accepts a message without it").hint = Some(
                "add it to `required`; for a member that may be absent write both cases with `any_of`"
                    .to_owned(),
            );
        }
    }
}

/// Integers are compared as they are written, so that `-32601.0` is not `-32601`.
fn numbers(card: &mut Card<'_>, span: &Span, schema: &Template, types: &[String]) {
    let mut values: Vec<&Template> = schema.member("const").into_iter().collect();
    if let Some(Template::Array(items)) = schema.member("enum") {
        values.extend(items);
    }
    let integer = values.iter().find_map(|value| match value {
        Template::Literal(text) if text.parse::<i128>().is_ok() => Some(text.clone()),
        Template::Fact(path) => {
            let facts = card.catalogue.facts().of(card.scenario.since)?;
            let number = facts.get(path)?.is_number();
            number.then(|| path.clone())
        }
        _ => None,
    });
    let typed =
        types.iter().any(|name| name == "integer") && !types.iter().any(|name| name == "number");
    if let Some(shown) = integer
        && !typed
    {
        let keyword = if schema.member("const").is_some() {
            "const"
        } else {
            "enum"
        };
        let title = format!("`{keyword}` of the integer `{shown}` without `type: integer`");
        card.error(span, &shown, title, "accepts `1.0` and `1e0` for `1`")
            .hint = Some("add `type: integer`".to_owned());
    }
}
