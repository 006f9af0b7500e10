//! Forms that a user is asked to fill in: flat objects of primitive fields.

use serde_json::{Value, json};

/// One field.
pub(super) fn one(name: &str, description: &str) -> Value {
    let mut form = json!({ "type": "object", "properties": {}, "required": [name] });
    form["properties"][name] = json!({ "type": "string", "description": description });
    form
}

/// Yes or no.
pub(super) fn confirmation() -> Value {
    json!({
        "type": "object",
        "properties": { "confirm": { "type": "boolean", "description": "Whether to go on" } },
        "required": ["confirm"],
    })
}

/// A name and an address.
pub(super) fn name_and_email() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "A name" },
            "email": { "type": "string", "description": "An address" },
        },
        "required": ["username", "email"],
    })
}

/// A default for each kind of field, as 2025-11-25 allows.
pub(super) fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": {
                "type": "string",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": { "type": "boolean", "default": true },
        },
    })
}

/// The five kinds of choice of 2025-11-25.
pub(super) fn enums() -> Value {
    let titled = json!([
        { "const": "value1", "title": "First" },
        { "const": "value2", "title": "Second" },
        { "const": "value3", "title": "Third" },
    ]);
    let options = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": { "type": "string", "oneOf": titled },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["One", "Two", "Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled } },
        },
    })
}
