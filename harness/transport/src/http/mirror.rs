//! The header fields of revision 2026-07-28 that repeat what the body of a POST says, so that intermediaries need not read it.
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http#request-metadata`.

use super::by_hand::{Outgoing, field};
use mcp_assay_wire::header_value::{encode, is_field_name};
use serde_json::Value;
use std::collections::BTreeMap;

/// The key of `_meta` that names the revision of a request.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// What a client repeats of its bodies.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mirror {
    /// Named where the body names none.
    version: String,
    /// Of each tool the fields that its schema asks for, each with the JSON pointer of the argument it repeats.
    tools: BTreeMap<String, Vec<(String, String)>>,
}

impl Mirror {
    /// Of a client that speaks this revision and knows no tool.
    pub fn new(version: &str) -> Self {
        Mirror {
            version: version.to_owned(),
            tools: BTreeMap::new(),
        }
    }

    /// Learns which arguments of a tool are repeated, from its entry in `tools/list`.
    pub fn learn(&mut self, tool: &Value) {
        let name = tool.get("name").and_then(Value::as_str);
        if let (Some(name), Some(schema)) = (name, tool.get("inputSchema")) {
            let mut found = Vec::new();
            annotated(schema, "", &mut found);
            if !found.is_empty() {
                self.tools.insert(name.to_owned(), found);
            }
        }
    }

    /// Whether any tool is known that wants arguments repeated.
    pub fn knows_tools(&self) -> bool {
        !self.tools.is_empty()
    }

    /// The fields of a POST with this body.
    pub(crate) fn fields(&self, body: &[u8]) -> Vec<Outgoing> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |at: &str| body.pointer(at).and_then(Value::as_str);
        let params = body.get("params");
        let version = params
            .and_then(|params| params.get("_meta")?.get(VERSION_KEY)?.as_str())
            .filter(|version| version.bytes().all(|byte| byte.is_ascii_graphic()));
        let mut fields = vec![field(
            "MCP-Protocol-Version",
            version.unwrap_or(&self.version),
        )];
        let Some(method) = text("/method") else {
            return fields;
        };
        if method.bytes().all(|byte| byte.is_ascii_graphic()) {
            fields.push(field("Mcp-Method", method));
        }
        let name = match method {
            "tools/call" | "prompts/get" => text("/params/name"),
            "resources/read" => text("/params/uri"),
            _ => None,
        };
        fields.extend(name.map(|name| field("Mcp-Name", &encode(name))));
        let arguments = params.and_then(|params| params.get("arguments"));
        let repeated = name
            .filter(|_| method == "tools/call")
            .and_then(|name| self.tools.get(name));
        if let (Some(repeated), Some(arguments)) = (repeated, arguments) {
            fields.extend(repeated.iter().filter_map(|(header, at)| {
                let value = match arguments.pointer(at)? {
                    Value::String(text) => encode(text).into_owned(),
                    Value::Bool(flag) => flag.to_string(),
                    Value::Number(number) => number.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => return None,
                };
                Some(field(&format!("Mcp-Param-{header}"), &value))
            }));
        }
        fields
    }
}

/// The annotated properties below a schema, reached through `properties` alone.
fn annotated(schema: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let header = property.get("x-mcp-header").and_then(Value::as_str);
        if let Some(header) = header.filter(|header| is_field_name(header.as_bytes())) {
            found.push((header.to_owned(), at.clone()));
        }
        // No tool nests its arguments deeper than anybody could fill in.
        if at.matches('/').count() < 32 {
            annotated(property, &at, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(mirror: &Mirror, body: &Value) -> Vec<String> {
        let fields = mirror.fields(body.to_string().as_bytes());
        let text = |(name, value): &Outgoing| format!("{name}: {}", String::from_utf8_lossy(value));
        fields.iter().map(text).collect()
    }

    #[test]
    fn a_call_repeats_method_name_and_annotated_arguments() {
        let mut mirror = Mirror::new("2026-07-28");
        mirror.learn(&json!({ "name": "t", "inputSchema": { "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "count": { "type": "integer", "x-mcp-header": "Count" },
            "absent": { "type": "string", "x-mcp-header": "Absent" },
            "none": { "type": "string", "x-mcp-header": "None" },
            "bad": { "type": "string", "x-mcp-header": "no field name" },
            "deep": { "properties": { "a/b": { "type": "boolean", "x-mcp-header": "Deep" } } },
        } } }));
        let arguments = json!({ "region": "Zürich", "count": -7, "none": null, "deep": { "a/b": true }, "bad": "x" });
        let body = json!({ "id": 1, "method": "tools/call", "params": { "name": "t", "arguments": arguments } });
        assert_eq!(
            fields(&mirror, &body),
            [
                "MCP-Protocol-Version: 2026-07-28",
                "Mcp-Method: tools/call",
                "Mcp-Name: t",
                "Mcp-Param-Region: =?base64?WsO8cmljaA==?=",
                "Mcp-Param-Count: -7",
                "Mcp-Param-Deep: true",
            ]
        );
    }

    #[test]
    fn the_version_is_that_of_the_body_where_it_names_one() {
        let mirror = Mirror::new("2026-07-28");
        let body = json!({ "method": "resources/read", "params": { "uri": "a b", "_meta": { VERSION_KEY: "1900-01-01" } } });
        assert_eq!(
            fields(&mirror, &body),
            [
                "MCP-Protocol-Version: 1900-01-01",
                "Mcp-Method: resources/read",
                "Mcp-Name: a b"
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_still_names_a_version() {
        let mirror = Mirror::new("2026-07-28");
        let fields = mirror.fields(b"{");
        assert_eq!(fields.len(), 1);
        assert!(!mirror.knows_tools());
    }
}
