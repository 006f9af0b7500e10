use super::*;
use serde_json::json;

const NEW: Revision = Revision::R2025_11_25;
const OLD: Revision = Revision::R2025_03_26;

fn undecided(schema: &Value) -> String {
    match OfferedSchema::compile(schema, NEW) {
        Err(Unusable::Undecided(undecided)) => undecided.to_string(),
        other => panic!("{other:?}"),
    }
}

fn verdict(schema: &Value, value: &Value) -> Result<bool, Undecided> {
    let schema = OfferedSchema::compile(schema, NEW).unwrap();
    schema
        .judge(value, None)
        .map(|violations| violations.is_empty())
}

#[test]
fn values_are_judged_by_the_schema_that_was_offered() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } } });
    let schema = OfferedSchema::compile(&schema, NEW).unwrap();
    assert_eq!(schema.judge(&json!({ "a": 1 }), None), Ok(vec![]));
    let violations = schema.judge(&json!({ "a": "1" }), None).unwrap();
    assert_eq!(violations[0].pointer, "/a");
    assert_eq!(
        violations[0].message,
        "`a` is a string, not an integer (it is one in quotes)"
    );
    let missing = schema.judge(&json!({}), None).unwrap();
    assert_eq!(missing[0].message, "member `a` is missing");
}

#[test]
fn what_is_no_schema_is_a_finding_with_its_place() {
    for (schema, pointer) in [
        (json!([]), ""),
        (json!("object"), ""),
        (json!(null), ""),
        (json!({ "type": "strnig" }), "/type"),
        (
            json!({ "properties": { "a": { "minimum": "1" } } }),
            "/properties/a/minimum",
        ),
        (json!({ "required": "a" }), "/required"),
        (json!({ "$ref": "#/$defs/none" }), ""),
        (json!({ "$ref": "#none" }), ""),
    ] {
        match OfferedSchema::compile(&schema, NEW) {
            Err(Unusable::Broken(violations)) => {
                assert_eq!(violations[0].pointer, pointer, "{schema}")
            }
            other => panic!("{schema}: {other:?}"),
        }
    }
}

#[test]
fn nothing_outside_is_fetched_or_read() {
    for reference in [
        "https://example.com/schema.json",
        "http://127.0.0.1:1/schema.json#/a",
        "file:///etc/passwd",
        "other.json",
        "//example.com/a",
        "urn:example:a",
    ] {
        for keyword in ["$ref", "$dynamicRef"] {
            let schema = json!({ "properties": { "a": { keyword: reference } } });
            let said = undecided(&schema);
            assert!(said.starts_with("refers to `"), "{reference}: {said}");
        }
    }
    // Elsewhere only by its name.
    let within = json!({ "$ref": "https://example.com/a", "$defs": { "a": { "$id": "https://example.com/a", "type": "string" } } });
    assert_eq!(verdict(&within, &json!("x")), Ok(true));
    assert_eq!(verdict(&within, &json!(1)), Ok(false));
    // Meta-schemas come with the validator.
    let meta = json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" });
    assert_eq!(verdict(&meta, &json!({ "type": 7 })), Ok(false));
}

#[test]
fn the_dialect_is_the_one_that_is_named_else_that_of_the_revision() {
    let tuple = json!({ "items": [{ "type": "string" }] });
    assert!(matches!(
        OfferedSchema::compile(&tuple, NEW),
        Err(Unusable::Broken(_))
    ));
    let old = OfferedSchema::compile(&tuple, OLD).unwrap();
    assert_eq!(old.dialects().collect::<Vec<_>>(), [Dialect::Draft7]);
    let mut named = tuple.clone();
    named["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    let named = OfferedSchema::compile(&named, NEW).unwrap();
    assert!(!named.judge(&json!([1]), None).unwrap().is_empty());
    let elsewhere = json!({ "$schema": "https://example.com/dialect" });
    assert_eq!(
        undecided(&elsewhere),
        "dialect `https://example.com/dialect` is not known here"
    );
}

#[test]
fn where_the_dialect_is_open_a_verdict_is_one_that_both_give() {
    let schema = json!({ "dependentRequired": { "a": ["b"] }, "properties": { "a": { "type": "integer" } } });
    let schema = OfferedSchema::compile(&schema, OLD).unwrap();
    assert_eq!(schema.dialects().count(), 2);
    assert_eq!(schema.judge(&json!({ "a": 1, "b": 2 }), None), Ok(vec![]));
    assert!(!schema.judge(&json!({ "a": "1" }), None).unwrap().is_empty());
    let said = schema.judge(&json!({ "a": 1 }), None).unwrap_err();
    assert_eq!(
        said.to_string(),
        "fits by draft-07 and not by 2020-12, and names neither"
    );
}

#[test]
fn formats_are_not_asserted() {
    assert_eq!(
        verdict(&json!({ "format": "email" }), &json!("nobody")),
        Ok(true)
    );
}

#[test]
fn what_passes_a_bound_is_undecided() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({ "not": deep });
    }
    assert_eq!(undecided(&deep), "more than 128 levels of a schema");
    let wide: Vec<Value> = (0..11_000).map(|_| json!({})).collect();
    assert_eq!(
        undecided(&json!({ "anyOf": wide })),
        "more than 10000 subschemas"
    );
    let long = json!({ "enum": vec![0; 60_000] });
    assert_eq!(undecided(&long), "more than 50000 values in a schema");
    let patterns: Vec<Value> = (0..600)
        .map(|n| json!({ "pattern": format!("^{n}$") }))
        .collect();
    assert_eq!(
        undecided(&json!({ "anyOf": patterns })),
        "more than 500 patterns"
    );
    assert_eq!(
        undecided(&json!({ "pattern": "a".repeat(5000) })),
        "more than 4096 bytes of a pattern"
    );
    let schema = OfferedSchema::compile(&json!({}), NEW).unwrap();
    let said = schema.judge(&json!(vec![0; 300_000]), None).unwrap_err();
    assert_eq!(said.to_string(), "more than 200000 values to judge");
}

/// References that double: 2^60 ways through one value.
fn doubling(keyword: &str) -> Value {
    let mut definitions = serde_json::Map::new();
    for level in 0..60 {
        let next = json!({ "$ref": format!("#/$defs/l{}", level + 1) });
        definitions.insert(
            format!("l{level}"),
            json!({ keyword: [next, next, { "type": "null" }] }),
        );
    }
    definitions.insert("l60".to_owned(), json!({ "type": "integer" }));
    json!({ "$ref": "#/$defs/l0", "$defs": definitions })
}

#[test]
fn work_is_bounded_however_references_branch() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        for value in [json!(1), json!("x"), json!([])] {
            // Either a verdict or none: what counts is that it comes.
            if let Err(undecided) = verdict(&doubling(keyword), &value) {
                assert!(
                    undecided.to_string().ends_with("of validation used up"),
                    "{undecided}"
                );
            }
        }
    }
    let said = verdict(&doubling("anyOf"), &json!("x")).unwrap_err();
    assert_eq!(said.to_string(), "work of validation used up");
    let twice = json!({ "type": ["array", "null"], "allOf": [{ "items": { "$ref": "#" } }, { "items": { "$ref": "#" } }, { "items": { "not": { "not": { "$ref": "#" } } } }] });
    let mut deep = json!(7);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    if let Err(undecided) = verdict(&twice, &deep) {
        assert!(
            undecided.to_string().ends_with("of validation used up"),
            "{undecided}"
        );
    }
}

#[test]
fn a_schema_that_only_refers_to_itself_ends() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "allOf": [{ "$ref": "#" }] }),
        json!({ "not": { "$ref": "#" } }),
        json!({ "$ref": "#/$defs/a", "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "$dynamicAnchor": "a", "$dynamicRef": "#a" }),
        json!({ "$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#" }),
        json!({ "$schema": "https://json-schema.org/draft/2019-09/schema", "$recursiveAnchor": true, "$recursiveRef": "#" }),
        json!({ "if": { "$ref": "#" }, "then": { "$ref": "#" }, "else": { "$ref": "#" } }),
        json!({ "unevaluatedProperties": false, "$ref": "#" }),
        json!({ "dependentSchemas": { "a": { "$ref": "#" } }, "propertyNames": { "$ref": "#" } }),
    ] {
        if let Ok(compiled) = OfferedSchema::compile(&schema, NEW) {
            for value in [json!({ "a": { "a": 1 } }), json!([1]), json!(null)] {
                drop(compiled.judge(&value, None));
            }
        }
    }
}

#[test]
fn a_long_chain_of_references_is_followed_on_a_big_stack() {
    for draft in [
        "https://json-schema.org/draft/2020-12/schema",
        "http://json-schema.org/draft-07/schema#",
    ] {
        let mut definitions = serde_json::Map::new();
        let links = 4_000;
        for link in 0..links {
            definitions.insert(
                format!("l{link}"),
                json!({ "$ref": format!("#/definitions/l{}", link + 1) }),
            );
        }
        definitions.insert(format!("l{links}"), json!({ "type": "string" }));
        let schema =
            json!({ "$schema": draft, "$ref": "#/definitions/l0", "definitions": definitions });
        assert_eq!(verdict(&schema, &json!("x")), Ok(true));
        assert_eq!(verdict(&schema, &json!(7)), Ok(false));
    }
}

#[test]
fn patterns_are_bounded() {
    let text = json!(format!("{}!", "a".repeat(40)));
    // Linear where it can be.
    assert_eq!(verdict(&json!({ "pattern": "^(a+)+$" }), &text), Ok(false));
    // Lookaround needs going back, which ends.
    let hungry = json!({ "pattern": "^(?=a)(a+)+$(?!b)" });
    match verdict(&hungry, &text) {
        Ok(fits) => assert!(!fits),
        Err(undecided) => assert_eq!(undecided.to_string(), "backtracking of validation used up"),
    }
    let said = undecided(&json!({ "pattern": "(" }));
    assert!(said.contains("pattern"), "{said}");
    let said = undecided(&json!({ "pattern": "((a{1,999}){1,999}){1,999}" }));
    assert!(said.contains("pattern"), "{said}");
}

#[test]
fn names_that_are_keywords_elsewhere_stay_names() {
    let schema = json!({
        "properties": { "properties": { "type": "string" }, "enum": { "type": "integer" }, fuel::KEYWORD: { "type": "null" } },
        "required": ["enum"],
        "additionalProperties": false,
    });
    assert_eq!(
        verdict(&schema, &json!({ "properties": "x", "enum": 1 })),
        Ok(true)
    );
    assert_eq!(verdict(&schema, &json!({ "enum": "1" })), Ok(false));
    assert_eq!(verdict(&schema, &json!({ "enum": 1, "x": 1 })), Ok(false));
    assert_eq!(
        verdict(&json!({ "const": { "a": {} } }), &json!({ "a": {} })),
        Ok(true)
    );
}

#[test]
fn references_beside_rules_that_their_dialect_ignores_are_not_brought_to_life() {
    let draft7 = |mut schema: Value| {
        schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
        schema
    };
    let harmless = draft7(
        json!({ "$ref": "#/definitions/a", "title": "t", "definitions": { "a": { "type": "string" } } }),
    );
    assert_eq!(verdict(&harmless, &json!("x")), Ok(true));
    assert_eq!(verdict(&harmless, &json!(1)), Ok(false));
    let beside =
        draft7(json!({ "$ref": "#/definitions/a", "minLength": 5, "definitions": { "a": {} } }));
    assert_eq!(
        undecided(&beside),
        "a reference stands beside rules that its dialect ignores"
    );
}

#[test]
fn a_verdict_given_at_once_is_that_of_a_thread() {
    let small = json!({ "type": "object", "required": ["a"], "properties": { "a": { "items": { "type": "integer" } } } });
    let compiled = OfferedSchema::compile(&small, NEW).unwrap();
    assert!(compiled.is_plain);
    // More visits than are counted where it is called: then a thread has the last word.
    let many = |last: Value| {
        let mut all = vec![json!(1); 20_000];
        all.push(last);
        json!({ "a": all })
    };
    for (value, fits, is_at_once) in [
        (json!({ "a": [1, 2] }), true, true),
        (json!({ "a": [1, "2"] }), false, true),
        (json!({}), false, true),
        (many(json!(1)), true, false),
        (many(json!("1")), false, false),
    ] {
        let validator = &compiled.readings[0].validator;
        let at_once = fuel::at_once(|| validator.is_valid(&value));
        assert_eq!(at_once, is_at_once.then_some(fits));
        let thread = fuel::stacked(fuel::VERDICT, || validator.is_valid(&value));
        assert_eq!(thread, Ok(fits));
        assert_eq!(compiled.judge(&value, None).unwrap().is_empty(), fits);
    }
}

#[test]
fn what_leads_elsewhere_or_goes_deep_is_judged_on_a_thread_alone() {
    let deep = (0..65).fold(json!({}), |inner, _| json!({ "not": inner }));
    for schema in [
        json!({ "properties": { "a": { "$ref": "#" } } }),
        json!({ "$dynamicRef": "#" }),
        json!({ "items": { "pattern": "a" } }),
        json!({ "patternProperties": { "a": {} } }),
        deep,
    ] {
        let compiled = OfferedSchema::compile(&schema, NEW).unwrap();
        assert!(!compiled.is_plain, "{schema}");
    }
}
