//! The tools, in the order they are listed: the plain ones, those of 2026-07-28 alone, then those that run as tasks or have the client do
//! something else than to answer a form or a prompt.
//!
//! The names that start with `test_` are those the official conformance suite knows; harnesses recognise a fixture server by them.

use super::{Tool, asking, by_url, model, plain, rounds, running};
use crate::modern::subscriptions::Change;
use crate::tasks::Support;
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// What a tool has that says nothing else: it takes nothing, changes nothing, and needs nothing that a revision lacks.
const TOOL: Tool = Tool {
    name: "",
    title: "",
    description: "",
    since: Revision::R2024_11_05,
    until: Revision::R2026_07_28,
    input: nothing,
    output: None,
    is_read_only: true,
    task: None,
    run: |_| Box::pin(plain::accepted()),
};

/// Every tool.
pub(super) static TOOLS: &[Tool] = &[
    Tool {
        name: "echo",
        title: "Echo",
        description: "Returns its message",
        input: || one_string("message", "What to return"),
        run: |call| Box::pin(plain::echo(call)),
        ..TOOL
    },
    Tool {
        name: "json_schema_2020_12_tool",
        title: "JSON Schema 2020-12",
        description: "Has an input schema with the keywords of JSON Schema 2020-12",
        input: plain::schema_2020_12,
        run: |_| Box::pin(plain::accepted()),
        ..TOOL
    },
    Tool {
        name: "slow",
        title: "Slow",
        description: "Takes the time it is told to take",
        input: running::slow_input,
        run: |call| Box::pin(running::slow(call)),
        ..TOOL
    },
    Tool {
        name: "test_audio_content",
        title: "Audio content",
        description: "Returns audio",
        since: Revision::R2025_03_26,
        run: |_| Box::pin(plain::audio_content()),
        ..TOOL
    },
    Tool {
        name: "test_elicitation",
        title: "Elicitation",
        description: "Asks the user for a name and an address",
        since: Revision::R2025_06_18,
        input: || one_string("message", "What to tell the user"),
        run: |call| Box::pin(asking::elicitation(call)),
        ..TOOL
    },
    Tool {
        name: "test_elicitation_sep1034_defaults",
        title: "Elicitation with defaults",
        description: "Asks the user with a default for each kind of field",
        since: Revision::R2025_11_25,
        run: |call| Box::pin(asking::elicitation_defaults(call)),
        ..TOOL
    },
    Tool {
        name: "test_elicitation_sep1330_enums",
        title: "Elicitation with choices",
        description: "Asks the user with each kind of choice",
        since: Revision::R2025_11_25,
        run: |call| Box::pin(asking::elicitation_enums(call)),
        ..TOOL
    },
    Tool {
        name: "test_embedded_resource",
        title: "Embedded resource",
        description: "Returns a resource within its result",
        run: |_| Box::pin(plain::embedded_resource()),
        ..TOOL
    },
    Tool {
        name: "test_error_handling",
        title: "Failure",
        description: "Fails, always",
        run: |_| Box::pin(plain::error_handling()),
        ..TOOL
    },
    Tool {
        name: "test_image_content",
        title: "Image content",
        description: "Returns an image",
        run: |_| Box::pin(plain::image_content()),
        ..TOOL
    },
    Tool {
        name: "test_multiple_content_types",
        title: "Several kinds of content",
        description: "Returns text, an image and a resource",
        run: |_| Box::pin(plain::multiple_content_types()),
        ..TOOL
    },
    Tool {
        name: "test_sampling",
        title: "Sampling",
        description: "Asks the client's model",
        input: || one_string("prompt", "What to ask the model"),
        run: |call| Box::pin(model::sampling(call)),
        ..TOOL
    },
    Tool {
        name: "test_simple_text",
        title: "Simple text",
        description: "Returns text",
        run: |_| Box::pin(plain::simple_text()),
        ..TOOL
    },
    Tool {
        name: "test_tool_with_logging",
        title: "Logging",
        description: "Logs while it works",
        run: |call| Box::pin(running::with_logging(call)),
        ..TOOL
    },
    Tool {
        name: "test_tool_with_progress",
        title: "Progress",
        description: "Reports progress while it works",
        run: |call| Box::pin(running::with_progress(call)),
        ..TOOL
    },
    Tool {
        name: "touch",
        title: "Touch",
        description: "Changes the watched resource",
        is_read_only: false,
        run: |call| Box::pin(running::touch(call)),
        ..TOOL
    },
    Tool {
        name: "word_count",
        title: "Word count",
        description: "Counts the words and characters of a text",
        since: Revision::R2025_06_18,
        input: || one_string("text", "What to count"),
        output: Some(plain::word_count_output),
        run: |call| Box::pin(plain::word_count(call)),
        ..TOOL
    },
    Tool {
        name: "test_header_parameters",
        title: "Parameters with headers",
        description: "Has parameters that are repeated in headers",
        since: Revision::R2026_07_28,
        input: plain::header_parameters,
        run: |_| Box::pin(plain::accepted()),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_capabilities",
        title: "Input by capabilities",
        description: "Asks for what the client declared",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::capabilities) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_elicitation",
        title: "Input by elicitation",
        description: "Asks the user for a name",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::elicitation) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_list_roots",
        title: "Input by roots",
        description: "Asks for the roots",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::list_roots) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_multi_round",
        title: "Input in two rounds",
        description: "Asks the user twice",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::multi_round) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_multiple_inputs",
        title: "Several inputs",
        description: "Asks the user, the model and for the roots at once",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::multiple_inputs) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_request_state",
        title: "Input with state",
        description: "Asks the user, and goes on with the state that went along",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::request_state) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_sampling",
        title: "Input by sampling",
        description: "Asks the model for a capital",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::sampling) }),
        ..TOOL
    },
    Tool {
        name: "test_input_required_result_tampered_state",
        title: "Input with sealed state",
        description: "Asks the user, and refuses a state that was altered",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::request_state) }),
        ..TOOL
    },
    Tool {
        name: "test_logging_tool",
        title: "Logging at levels",
        description: "Logs once at each of four levels",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(running::at_levels(call)),
        ..TOOL
    },
    Tool {
        name: "test_missing_capability",
        title: "Missing capability",
        description: "Needs a client that declares sampling",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(async move { rounds::run(&call, rounds::missing_capability) }),
        ..TOOL
    },
    Tool {
        name: "test_streaming_elicitation",
        title: "Elicitation with progress",
        description: "Reports progress, then asks the user for a name",
        since: Revision::R2026_07_28,
        run: |call| Box::pin(running::then_asks(call)),
        ..TOOL
    },
    Tool {
        name: "test_trigger_prompt_change",
        title: "Prompt change",
        description: "Has the server say that its prompts changed",
        run: |call| Box::pin(running::announce(call, Change::Prompts)),
        ..TOOL
    },
    Tool {
        name: "test_trigger_tool_change",
        title: "Tool change",
        description: "Has the server say that its tools changed",
        run: |call| Box::pin(running::announce(call, Change::Tools)),
        ..TOOL
    },
    Tool {
        name: "confirm_delete",
        title: "Confirm deletion",
        description: "Asks the user whether a file is to be deleted, and deletes nothing",
        since: Revision::R2025_06_18,
        input: || one_string("filename", "What would be deleted"),
        task: Some(Support::Optional),
        run: |call| Box::pin(asking::confirm_delete(call)),
        ..TOOL
    },
    Tool {
        name: "elicit_by_url",
        title: "Elicitation by URL",
        description: "Asks the user to visit a URL",
        since: Revision::R2025_11_25,
        run: |call| Box::pin(by_url::elicit(call)),
        ..TOOL
    },
    Tool {
        name: "failing_job",
        title: "Failing job",
        description: "Runs as a task, and fails as a tool fails",
        since: Revision::R2025_11_25,
        until: Revision::R2025_11_25,
        task: Some(Support::Required),
        run: |_| Box::pin(running::fail()),
        ..TOOL
    },
    Tool {
        name: "greet",
        title: "Greeting",
        description: "Greets",
        input: || one_string("name", "Whom to greet"),
        task: Some(Support::Forbidden),
        run: |call| Box::pin(plain::greet(call)),
        ..TOOL
    },
    Tool {
        name: "multi_input",
        title: "Two inputs",
        description: "Asks the user for two things at once",
        since: Revision::R2025_06_18,
        task: Some(Support::Optional),
        run: |call| Box::pin(asking::two_at_once(call)),
        ..TOOL
    },
    Tool {
        name: "protocol_error_job",
        title: "Job that breaks off",
        description: "Fails as a request fails",
        since: Revision::R2025_11_25,
        until: Revision::R2025_11_25,
        task: Some(Support::Optional),
        run: |_| Box::pin(running::break_off()),
        ..TOOL
    },
    Tool {
        name: "require_url_elicitation",
        title: "Elicitation by URL, required",
        description: "Refuses until the user has visited a URL",
        since: Revision::R2025_11_25,
        until: Revision::R2025_11_25,
        run: |call| Box::pin(by_url::require(call)),
        ..TOOL
    },
    Tool {
        name: "resource_link",
        title: "Link to a resource",
        description: "Returns a link to a resource",
        since: Revision::R2025_06_18,
        run: |_| Box::pin(plain::resource_link()),
        ..TOOL
    },
    Tool {
        name: "sample_with_tools",
        title: "Sampling with tools",
        description: "Asks a model that may add numbers",
        since: Revision::R2025_11_25,
        until: Revision::R2025_11_25,
        input: || one_string("prompt", "What to ask the model"),
        run: |call| Box::pin(model::with_tools(call)),
        ..TOOL
    },
    Tool {
        name: "show_roots",
        title: "Roots",
        description: "Shows the client's roots",
        run: |call| Box::pin(asking::roots(call)),
        ..TOOL
    },
    Tool {
        name: "slow_compute",
        title: "Computation",
        description: "Takes the time it is told to take, and reports progress",
        // In 2026-07-28 it would be an ordinary call, for which a client waits that expects the task.
        until: Revision::R2025_11_25,
        input: running::compute_input,
        task: Some(Support::Optional),
        run: |call| Box::pin(running::compute(call)),
        ..TOOL
    },
    Tool {
        name: "test_reconnection",
        title: "Reconnection",
        description: "Answers where the client comes back for the answer",
        since: Revision::R2025_11_25,
        until: Revision::R2025_11_25,
        run: |call| Box::pin(running::leave(call)),
        ..TOOL
    },
    Tool {
        name: "test_tool_with_task",
        title: "Task with input",
        description: "Asks the user for a name, then works",
        since: Revision::R2025_06_18,
        task: Some(Support::Optional),
        run: |call| Box::pin(asking::then_works(call)),
        ..TOOL
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
