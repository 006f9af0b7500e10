//! The tools, in the order they are listed.
//!
//! The names that start with `test_` are those the official conformance suite knows; harnesses recognise a fixture server by them.

use super::{Tool, asking, plain, running};
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// Every tool.
pub(super) static TOOLS: &[Tool] = &[
    Tool {
        name: "echo",
        title: "Echo",
        description: "Returns its message",
        since: Revision::R2024_11_05,
        input: || one_string("message", "What to return"),
        output: None,
        is_read_only: true,
        run: |call| Box::pin(plain::echo(call)),
    },
    Tool {
        name: "json_schema_2020_12_tool",
        title: "JSON Schema 2020-12",
        description: "Has an input schema with the keywords of JSON Schema 2020-12",
        since: Revision::R2024_11_05,
        input: plain::schema_2020_12,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::accepted()),
    },
    Tool {
        name: "slow",
        title: "Slow",
        description: "Takes the time it is told to take",
        since: Revision::R2024_11_05,
        input: running::slow_input,
        output: None,
        is_read_only: true,
        run: |call| Box::pin(running::slow(call)),
    },
    Tool {
        name: "test_audio_content",
        title: "Audio content",
        description: "Returns audio",
        since: Revision::R2025_03_26,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::audio_content()),
    },
    Tool {
        name: "test_elicitation",
        title: "Elicitation",
        description: "Asks the user for a name and an address",
        since: Revision::R2025_06_18,
        input: || one_string("message", "What to tell the user"),
        output: None,
        is_read_only: true,
        run: |call| Box::pin(asking::elicitation(call)),
    },
    Tool {
        name: "test_elicitation_sep1034_defaults",
        title: "Elicitation with defaults",
        description: "Asks the user with a default for each kind of field",
        since: Revision::R2025_11_25,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |call| Box::pin(asking::elicitation_defaults(call)),
    },
    Tool {
        name: "test_elicitation_sep1330_enums",
        title: "Elicitation with choices",
        description: "Asks the user with each kind of choice",
        since: Revision::R2025_11_25,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |call| Box::pin(asking::elicitation_enums(call)),
    },
    Tool {
        name: "test_embedded_resource",
        title: "Embedded resource",
        description: "Returns a resource within its result",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::embedded_resource()),
    },
    Tool {
        name: "test_error_handling",
        title: "Failure",
        description: "Fails, always",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::error_handling()),
    },
    Tool {
        name: "test_image_content",
        title: "Image content",
        description: "Returns an image",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::image_content()),
    },
    Tool {
        name: "test_multiple_content_types",
        title: "Several kinds of content",
        description: "Returns text, an image and a resource",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::multiple_content_types()),
    },
    Tool {
        name: "test_sampling",
        title: "Sampling",
        description: "Asks the client's model",
        since: Revision::R2024_11_05,
        input: || one_string("prompt", "What to ask the model"),
        output: None,
        is_read_only: true,
        run: |call| Box::pin(asking::sampling(call)),
    },
    Tool {
        name: "test_simple_text",
        title: "Simple text",
        description: "Returns text",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |_| Box::pin(plain::simple_text()),
    },
    Tool {
        name: "test_tool_with_logging",
        title: "Logging",
        description: "Logs while it works",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |call| Box::pin(running::with_logging(call)),
    },
    Tool {
        name: "test_tool_with_progress",
        title: "Progress",
        description: "Reports progress while it works",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: true,
        run: |call| Box::pin(running::with_progress(call)),
    },
    Tool {
        name: "touch",
        title: "Touch",
        description: "Changes the watched resource",
        since: Revision::R2024_11_05,
        input: nothing,
        output: None,
        is_read_only: false,
        run: |call| Box::pin(running::touch(call)),
    },
    Tool {
        name: "word_count",
        title: "Word count",
        description: "Counts the words and characters of a text",
        since: Revision::R2025_06_18,
        input: || one_string("text", "What to count"),
        output: Some(plain::word_count_output),
        is_read_only: true,
        run: |call| Box::pin(plain::word_count(call)),
    },
];

/// The schema of a tool without parameters.
fn nothing() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

fn one_string(name: &str, description: &str) -> Value {
    let mut schema = json!({ "type": "object", "properties": {}, "required": [name] });
    schema["properties"][name] = json!({ "type": "string", "description": description });
    schema
}
