//! Tools that answer at once.

use super::{Call, Outcome};
use crate::content;
use serde_json::{Value, json};

/// Returns its message.
pub(super) async fn echo(call: Call) -> Outcome {
    Outcome::text(call.text("message"))
}

/// Returns text.
pub(super) async fn simple_text() -> Outcome {
    Outcome::text("This is a simple text response for testing.")
}

/// Returns an image.
pub(super) async fn image_content() -> Outcome {
    Outcome::content(vec![content::image()])
}

/// Returns audio.
pub(super) async fn audio_content() -> Outcome {
    Outcome::content(vec![content::audio()])
}

/// Returns a resource.
pub(super) async fn embedded_resource() -> Outcome {
    Outcome::content(vec![content::embedded(
        "test://embedded-resource",
        "text/plain",
        "This is an embedded resource content.",
    )])
}

/// Returns text, an image and a resource.
pub(super) async fn multiple_content_types() -> Outcome {
    Outcome::content(vec![
        content::text("Multiple content types test:"),
        content::image(),
        content::embedded(
            "test://mixed-content-resource",
            "application/json",
            r#"{"test":"data","value":123}"#,
        ),
    ])
}

/// Returns a link to a resource, with annotations.
pub(super) async fn resource_link() -> Outcome {
    Outcome::content(vec![json!({
        "type": "resource_link",
        "uri": "test://static-text",
        "name": "static-text",
        "mimeType": "text/plain",
        "annotations": { "audience": ["assistant"], "priority": 0.5 },
    })])
}

/// Greets.
pub(super) async fn greet(call: Call) -> Outcome {
    Outcome::text(format!("Hello, {}!", call.text("name")))
}

/// Fails.
pub(super) async fn error_handling() -> Outcome {
    Outcome::error("This tool intentionally returns an error for testing")
}

/// Counts, with structured content.
pub(super) async fn word_count(call: Call) -> Outcome {
    let text = call.text("text");
    Outcome::structured(json!({
        "characters": text.chars().count(),
        "words": text.split_whitespace().count(),
    }))
}

/// What [`word_count`] returns.
pub(super) fn word_count_output() -> Value {
    json!({
        "type": "object",
        "properties": {
            "characters": { "type": "integer", "minimum": 0 },
            "words": { "type": "integer", "minimum": 0 },
        },
        "required": ["characters", "words"],
    })
}

/// A schema with a parameter of each kind that can have a header, and one that has none.
pub(super) fn header_parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": { "type": "string", "description": "Where", "x-mcp-header": "Region" },
            "priority": { "type": "integer", "description": "How soon", "x-mcp-header": "Priority" },
            "verbose": { "type": "boolean", "description": "How much", "x-mcp-header": "Verbose" },
            "target": {
                "type": "object",
                "properties": {
                    "zone": { "type": "string", "description": "Where there", "x-mcp-header": "Zone" },
                },
            },
            "note": { "type": "string", "description": "What no header tells" },
        },
    })
}

/// Says that the arguments fitted.
pub(super) async fn accepted() -> Outcome {
    Outcome::text("The arguments fit the schema.")
}

/// A schema with the keywords that a server may lose on the way from its source to the list.
pub(super) fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {
                    "street": { "type": "string" },
                    "city": { "type": "string" },
                },
            },
        },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}
