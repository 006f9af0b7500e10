//! The raw text of a value, found by JSON pointer.

use mcp_assay_wire::raw;
use proptest::prelude::*;
use serde_json::Value;

#[test]
fn a_pointer_leads_to_the_text_as_it_was_sent() {
    let text = r#" { "\u0069d" : 1.0 , "a/b":{"~":[10, {"":"x\u0041"} , []]}, "0":{"0":true}, "": null } "#;
    for (pointer, expected) in [
        ("", Some(text.trim())),
        ("/id", Some("1.0")),
        ("/a~1b", Some(r#"{"~":[10, {"":"x\u0041"} , []]}"#)),
        ("/a~1b/~0", Some(r#"[10, {"":"x\u0041"} , []]"#)),
        ("/a~1b/~0/0", Some("10")),
        ("/a~1b/~0/1/", Some(r#""x\u0041""#)),
        ("/a~1b/~0/2", Some("[]")),
        ("/0", Some(r#"{"0":true}"#)),
        ("/0/0", Some("true")),
        ("/", Some("null")),
        ("/a~1b/~0/3", None),
        ("/a~1b/~0/00", None),
        ("/a~1b/~0/-", None),
        ("/a~1b/~0/-0", None),
        ("/a~1b/~0/+1", None),
        ("/a~1b/~0/99999999999999999999999", None),
        ("/0/1", None),
        ("/id/0", None),
        ("/none", None),
        ("id", None),
    ] {
        assert_eq!(raw::at(text, pointer), expected, "{pointer}");
    }
}

#[test]
fn of_duplicate_keys_the_last_is_followed() {
    let text = r#"{"a":{"x":1,"x":[2]},"b":0,"a":{"y":3,"\u0079":4}}"#;
    assert_eq!(raw::at(text, "/a"), Some(r#"{"y":3,"\u0079":4}"#));
    assert_eq!(raw::at(text, "/a/y"), Some("4"));
    assert_eq!(raw::at(text, "/a/x"), None);
    assert_eq!(raw::at(r#"{"a":[1],"a":2}"#, "/a/0"), None);
    assert_eq!(raw::at(r#"{"a":2,"a":[1]}"#, "/a/0"), Some("1"));
}

#[test]
fn scalars_and_deep_texts_have_spans_too() {
    assert_eq!(raw::at(" 1e0 ", ""), Some("1e0"));
    assert_eq!(raw::at("\u{feff}[1]", "/0"), Some("1"));
    let depth = 200_000;
    let text = format!("{}7{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(raw::at(&text, &"/0".repeat(depth)), Some("7"));
    assert_eq!(raw::at(&text, &"/0".repeat(depth + 1)), None);
}

#[test]
fn what_is_no_json_has_no_spans() {
    for text in [
        "",
        " ",
        "{",
        "[1",
        r#"{"a":1}x"#,
        r#"{"a":1,}"#,
        "[01]",
        "[1,]",
        "[,1]",
        "\"\t\"",
        "nul",
    ] {
        assert_eq!(raw::at(text, ""), None, "{text}");
        assert_eq!(raw::at(text, "/a"), None, "{text}");
    }
}

#[test]
fn plain_integers_have_no_fraction_and_no_exponent() {
    for text in ["0", "-0", "7", "-12", "123456789012345678901234567890"] {
        assert!(raw::is_plain_integer(text), "{text}");
    }
    for text in [
        "", "-", "01", "-01", "+1", "1.0", "1e0", "1 ", " 1", "\"1\"", "null", "--1",
    ] {
        assert!(!raw::is_plain_integer(text), "{text}");
    }
}

/// Values with awkward keys; floats only where they survive printing.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        ".{0,6}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let key = prop_oneof!["[a01~/\"\\\\é]{0,3}", ".{0,3}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// The pointers of all values within a value.
fn pointers(value: &Value, base: &str, all: &mut Vec<String>) {
    all.push(base.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{base}/{index}"), all);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                let token = key.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{base}/{token}"), all);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn every_span_parses_to_the_value_at_its_pointer(value in value(), pretty: bool) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        for pointer in all {
            let span = raw::at(&text, &pointer).expect("the pointer exists");
            let parsed: Value = serde_json::from_str(span).expect("a span is JSON");
            prop_assert_eq!(Some(&parsed), value.pointer(&pointer));
        }
    }

    #[test]
    fn a_pointer_leads_somewhere_where_serde_json_says_so(value in value(), pointer in "(/[a0-2~/]{0,2}){0,4}") {
        let text = value.to_string();
        let parsed = raw::at(&text, &pointer).map(|span| serde_json::from_str::<Value>(span).expect("a span is JSON"));
        prop_assert_eq!(parsed.as_ref(), value.pointer(&pointer));
    }

    #[test]
    fn arbitrary_text_has_spans_exactly_where_it_is_json(text in "[\\[\\]{}\",:0-9a\\\\ u.eE+-]{0,24}") {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        prop_assert_eq!(raw::at(&text, "").is_some(), is_json);
    }
}
