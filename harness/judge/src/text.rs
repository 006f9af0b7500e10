//! How values and places are shown: cut to what a line bears, and named as a reader would.

use serde_json::Value;

/// Characters of a value that a message shows.
const SHOWN: usize = 200;

/// A text cut to what a message bears; what is left out is counted.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} more bytes)", &text[..at], text.len() - at),
    }
}

/// What kind of JSON value it is, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The unescaped tokens of a JSON pointer.
pub(crate) fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// The value at a pointer, by its name: `isError`, an item of `tools`, the value.
pub(crate) fn name(root: &Value, pointer: &str) -> String {
    let mut value = Some(root);
    let mut name = "the value".to_owned();
    let mut key: Option<String> = None;
    for token in tokens(pointer) {
        if value.is_some_and(Value::is_array) {
            name = match &key {
                Some(key) => format!("an item of `{}`", cut(key)),
                None => "an item".to_owned(),
            };
        } else {
            name = format!("`{}`", cut(&token));
            key = Some(token.clone());
        }
        value = value.and_then(|value| step(value, &token));
    }
    name
}

/// The pointer with each array index as `*`, so that one cause in many items is one place.
pub(crate) fn generalize(root: &Value, pointer: &str) -> String {
    let mut value = Some(root);
    let mut general = String::new();
    for (raw, token) in pointer.split('/').skip(1).zip(tokens(pointer)) {
        general.push('/');
        general.push_str(if value.is_some_and(Value::is_array) {
            "*"
        } else {
            raw
        });
        value = value.and_then(|value| step(value, &token));
    }
    general
}

fn step<'v>(value: &'v Value, token: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(token),
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Names in a row, in backquotes: `` `a`, `b` ``.
pub(crate) fn quoted<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_say_what_a_reader_would() {
        let root = json!({"tools": [{"a/b": [[1]]}], "0": {"1": true}});
        for (pointer, expected) in [
            ("", "the value"),
            ("/tools", "`tools`"),
            ("/tools/0", "an item of `tools`"),
            ("/tools/0/a~1b", "`a/b`"),
            ("/tools/0/a~1b/0/0", "an item of `a/b`"),
            ("/0/1", "`1`"),
            ("/gone/0", "`0`"),
        ] {
            assert_eq!(name(&root, pointer), expected, "{pointer}");
        }
        assert_eq!(name(&json!([1]), "/0"), "an item");
    }

    #[test]
    fn only_array_indices_become_stars() {
        let root = json!({"tools": [{"properties": {"0": [true]}}]});
        assert_eq!(
            generalize(&root, "/tools/0/properties/0/0"),
            "/tools/*/properties/0/*"
        );
        assert_eq!(generalize(&root, ""), "");
    }

    #[test]
    fn cuts_between_characters_and_counts_the_rest() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
        let cut = cut(&"é".repeat(SHOWN + 2));
        assert!(cut.ends_with("é… (4 more bytes)"), "{cut}");
    }
}
