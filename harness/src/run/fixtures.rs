//! Fixtures that are found by name: every SDK ships a server with the tools of the official conformance suite, whose behaviour is known.

use mcp_assay_model::protocol::Era;
use serde_json::{Map, Value, json};

/// A tool that is a fixture, by the name and the required arguments that it is known by.
struct Known {
    tool: &'static str,
    required: &'static [&'static str],
    eras: &'static [Era],
    /// Name of the fixture and its fields.
    serves: (&'static str, fn() -> Value),
}

const BOTH: &[Era] = &[Era::Legacy, Era::Modern];

/// The first of a name wins.
const KNOWN: &[Known] = &[
    Known {
        tool: "test_tool_with_progress",
        required: &[],
        eras: BOTH,
        serves: (
            "progress",
            || json!({ "tool": "test_tool_with_progress", "arguments": {} }),
        ),
    },
    Known {
        tool: "test_tool_with_logging",
        required: &[],
        eras: BOTH,
        serves: (
            "logs",
            || json!({ "tool": "test_tool_with_logging", "arguments": {} }),
        ),
    },
    Known {
        tool: "test_logging_tool",
        required: &[],
        eras: &[Era::Modern],
        serves: (
            "logs",
            || json!({ "tool": "test_logging_tool", "arguments": {} }),
        ),
    },
    Known {
        tool: "test_trigger_tool_change",
        required: &[],
        eras: &[Era::Modern],
        serves: ("list-change", || {
            let call = json!({ "name": "test_trigger_tool_change", "arguments": {} });
            json!({ "list": "tools", "call": call })
        }),
    },
    Known {
        tool: "test_elicitation",
        required: &["message"],
        eras: &[Era::Legacy],
        serves: ("asks", || {
            let arguments = json!({ "message": "Who are you?" });
            let call = json!({ "name": "test_elicitation", "arguments": arguments });
            let content = json!({ "username": "assay", "email": "assay@example.org" });
            json!({ "call": call, "content": content })
        }),
    },
    Known {
        tool: "test_input_required_result_tampered_state",
        required: &[],
        eras: &[Era::Modern],
        serves: ("asks", || {
            let call =
                json!({ "name": "test_input_required_result_tampered_state", "arguments": {} });
            json!({ "call": call, "content": { "ok": true, "confirm": true } })
        }),
    },
    Known {
        tool: "test_input_required_result_elicitation",
        required: &[],
        eras: &[Era::Modern],
        serves: ("asks", || {
            let call = json!({ "name": "test_input_required_result_elicitation", "arguments": {} });
            json!({ "call": call, "content": { "name": "assay" } })
        }),
    },
];

/// The fixtures among the tools of a conformance server, an object by name.
pub fn found(tools: &[Value], era: Era) -> Map<String, Value> {
    let mut fixtures = Map::new();
    for known in KNOWN.iter().filter(|known| known.eras.contains(&era)) {
        let (name, fields) = known.serves;
        if !fixtures.contains_key(name) && tools.iter().any(|tool| is_it(tool, known)) {
            fixtures.insert(name.to_owned(), fields());
        }
    }
    fixtures
}

/// Every fixture of an era, as a server that has all these tools offers it.
pub fn known(era: Era) -> Map<String, Value> {
    let mut fixtures = Map::new();
    for known in KNOWN.iter().filter(|known| known.eras.contains(&era)) {
        let (name, fields) = known.serves;
        fixtures.entry(name).or_insert_with(fields);
    }
    fixtures
}

/// Whether a tool has the name, and wants no other arguments.
fn is_it(tool: &Value, known: &Known) -> bool {
    let required = tool
        .pointer("/inputSchema/required")
        .and_then(Value::as_array);
    let mut required = required.into_iter().flatten();
    tool.get("name").is_some_and(|name| name == known.tool)
        && required.all(|name| known.required.iter().any(|known| name == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_are_known_by_name_and_arguments() {
        let tools = json!([
            { "name": "test_tool_with_progress", "inputSchema": { "type": "object" } },
            { "name": "test_tool_with_logging", "inputSchema": { "required": ["more"] } },
            { "name": "test_elicitation", "inputSchema": { "required": ["message"] } },
            { "name": "test_input_required_result_elicitation", "inputSchema": { "required": [] } },
        ]);
        let tools = tools.as_array().unwrap();
        let names = |era| found(tools, era).keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(Era::Legacy), ["progress", "asks"]);
        assert_eq!(names(Era::Modern), ["progress", "asks"]);
        assert_eq!(
            found(tools, Era::Modern)["asks"]["call"]["name"],
            "test_input_required_result_elicitation"
        );
        assert!(found(&[], Era::Modern).is_empty());
    }
}
