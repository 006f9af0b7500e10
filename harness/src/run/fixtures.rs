//! Fixtures that are found by name: every SDK ships a server with the tools of the official conformance suite, whose behaviour is known.

use crate::native::arguments::smallest;
use crate::native::permission::{Permission, Permissions, is_fixture_server};
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

/// A call whose argument a client repeats in a header field: of the tools that may be called the first that has a string for it.
pub fn header_parameter(tools: &[Value], permissions: &Permissions) -> Option<Value> {
    let may_call = |tool: &&Value| {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
        permissions.of(tool, tools) == Permission::Allowed
            || (name.starts_with("test_")
                && is_fixture_server(tools)
                && !permissions.are_forbidden())
    };
    tools.iter().filter(may_call).find_map(|tool| {
        let schema = tool.get("inputSchema")?;
        let properties = schema.get("properties")?.as_object()?;
        properties.iter().find_map(|(name, property)| {
            let header = property.get("x-mcp-header")?.as_str()?;
            // With the argument among those that are required, the smallest arguments have a lawful value for it.
            let mut wanted = schema.clone();
            let required = wanted
                .as_object_mut()?
                .entry("required")
                .or_insert_with(|| json!([]));
            required.as_array_mut()?.push(json!(name));
            // An empty field is lawful, and many a proxy drops it.
            let property = wanted
                .get_mut("properties")?
                .get_mut(name)?
                .as_object_mut()?;
            property.entry("minLength").or_insert_with(|| json!(1));
            let arguments = smallest(&wanted)?;
            let value = arguments.get(name)?.as_str()?.to_owned();
            let call = json!({ "name": tool.get("name")?, "arguments": arguments });
            (!value.is_empty()).then(|| json!({ "call": call, "header": header, "value": value }))
        })
    })
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
    fn a_header_parameter_is_found_on_a_tool_that_may_be_called() {
        let property = |header: &str| json!({ "type": "string", "x-mcp-header": header });
        let tools = json!([
            { "name": "hidden", "inputSchema": { "properties": { "a": property("A") } } },
            { "name": "seen", "inputSchema": { "properties": { "n": { "type": "integer", "x-mcp-header": "N" }, "b": property("B") } } },
        ]);
        let tools = tools.as_array().unwrap();
        let allowed = Permissions::new(&["seen"], false).unwrap();
        let found = header_parameter(tools, &allowed).unwrap();
        assert_eq!(
            (&found["header"], &found["call"]["name"]),
            (&json!("B"), &json!("seen"))
        );
        assert_eq!(found["call"]["arguments"]["b"], found["value"]);
        assert_eq!(header_parameter(tools, &Permissions::default()), None);
    }

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
