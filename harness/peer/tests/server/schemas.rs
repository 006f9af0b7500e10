//! What the server writes, against the official schema of the revision.

use crate::support::{LEGACY, Peer, modern};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;

/// The official schemas and the table of methods lie beside the specification study, which not every checkout has.
fn shared(path: &str) -> Option<Value> {
    let shared = PathBuf::from(std::env::var_os("MCP_ASSAY_SHARED")?);
    let text = std::fs::read_to_string(shared.join("spec").join(path)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Compiles definitions of one revision on demand.
struct Official {
    schema: Value,
    definitions: &'static str,
    methods: Vec<Value>,
}

impl Official {
    fn load(revision: Revision) -> Option<Official> {
        let schema = shared(&format!("{revision}/schema.json"))?;
        let methods = shared("methods.json")?["revisions"][revision.as_str()]["methods"].clone();
        let definitions = if schema.get("$defs").is_some() {
            "$defs"
        } else {
            "definitions"
        };
        Some(Official {
            schema,
            definitions,
            methods: methods.as_array().unwrap().clone(),
        })
    }

    fn errors(&self, definition: &str, instance: &Value) -> Vec<String> {
        let mut schema = self.schema.clone();
        schema["$ref"] = json!(format!("#/{}/{definition}", self.definitions));
        let validator = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let errors = validator.iter_errors(instance);
        errors
            .map(|error| format!("{definition}{}: {error}", error.instance_path()))
            .collect()
    }

    fn method(&self, name: &str) -> &Value {
        let method = self.methods.iter().find(|method| method["method"] == name);
        method.unwrap_or_else(|| panic!("the revision has no {name}"))
    }

    /// What is wrong with one message of the server's; `asked` gives the method of each request by id.
    fn judge(&self, message: &Value, asked: &HashMap<String, String>) -> Vec<String> {
        if let Some(method) = message["method"].as_str() {
            let definition = self.method(method)["definition"].as_str().unwrap();
            return self.errors(definition, message);
        }
        let id = message["id"].to_string();
        if message.get("error").is_some() {
            let name = if self.schema[self.definitions].get("JSONRPCError").is_some() {
                "JSONRPCError"
            } else {
                "JSONRPCErrorResponse"
            };
            // Before 2025-11-25 no error for unreadable input fits the schema, with a null id or without: see `Outgoing::reply_to_none`.
            if message.get("id").is_none() && name == "JSONRPCError" {
                let mut mended = message.clone();
                mended["id"] = json!(0);
                return self.errors(name, &mended);
            }
            let particular = match message["error"]["code"].as_i64() {
                Some(-32021) => "MissingRequiredClientCapabilityError",
                Some(-32022) => "UnsupportedProtocolVersionError",
                _ => name,
            };
            return self.errors(particular, message);
        }
        let method = &asked[&id];
        let definition = match message["result"]["resultType"].as_str() {
            Some("input_required") => "InputRequiredResult",
            Some(_) | None => self.method(method)["result"].as_str().unwrap(),
        };
        let response = if self.schema[self.definitions]
            .get("JSONRPCResponse")
            .is_some()
            && self.schema[self.definitions]
                .get("JSONRPCResultResponse")
                .is_none()
        {
            "JSONRPCResponse"
        } else {
            "JSONRPCResultResponse"
        };
        let mut errors = self.errors(response, message);
        errors.extend(self.errors(definition, &message["result"]));
        errors
    }
}

/// One conversation that makes the server say everything it can say, answering what it asks.
async fn tour(revision: Revision) -> (Vec<String>, HashMap<String, String>) {
    let mut peer = Peer::start(Options::default());
    let capabilities = json!({ "roots": {}, "sampling": {}, "elicitation": {} });
    peer.handshake(revision, capabilities).await;
    let mut asked = HashMap::from([("\"init\"".to_owned(), "initialize".to_owned())]);
    let mut requests = vec![
        ("ping", json!({})),
        ("no/such/method", json!({})),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("logging/setLevel", json!({ "level": "debug" })),
        (
            "resources/subscribe",
            json!({ "uri": "test://watched-resource" }),
        ),
        ("resources/read", json!({ "uri": "test://static-text" })),
        ("resources/read", json!({ "uri": "test://static-binary" })),
        ("resources/read", json!({ "uri": "test://none" })),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
        ("prompts/get", json!({ "name": "test_prompt_with_image" })),
        (
            "prompts/get",
            json!({ "name": "test_prompt_with_embedded_resource", "arguments": { "resourceUri": "test://r" } }),
        ),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": "test://template/{id}/data" },
                "argument": { "name": "id", "value": "" },
            }),
        ),
    ];
    let arguments = json!({ "message": "m", "prompt": "p", "text": "t", "email": "e", "ms": 1 });
    for tool in [
        "echo",
        "json_schema_2020_12_tool",
        "slow",
        "test_audio_content",
        "test_elicitation",
        "test_elicitation_sep1034_defaults",
        "test_elicitation_sep1330_enums",
        "test_embedded_resource",
        "test_error_handling",
        "test_image_content",
        "test_multiple_content_types",
        "test_sampling",
        "test_simple_text",
        "test_tool_with_logging",
        "test_tool_with_progress",
        "touch",
        "word_count",
    ] {
        let needed = |names: &[&str]| {
            let chosen = names
                .iter()
                .map(|name| ((*name).to_owned(), arguments[*name].clone()));
            Value::Object(chosen.collect())
        };
        let arguments = match tool {
            "echo" | "test_elicitation" => needed(&["message"]),
            "test_sampling" => needed(&["prompt"]),
            "word_count" => needed(&["text"]),
            "slow" => needed(&["ms"]),
            "json_schema_2020_12_tool" => needed(&["email"]),
            _ => json!({}),
        };
        let meta = json!({ "progressToken": "t" });
        requests.push((
            "tools/call",
            json!({ "name": tool, "arguments": arguments, "_meta": meta }),
        ));
    }
    for (number, (method, params)) in requests.into_iter().enumerate() {
        asked.insert(number.to_string(), method.to_owned());
        peer.request(json!(number), method, params).await;
    }
    peer.send("no json").await;
    loop {
        let lines = peer.listen(1000).await;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            let message: Value = serde_json::from_str(&line).unwrap();
            let result = match message["method"].as_str() {
                Some("roots/list") => json!({ "roots": [] }),
                Some("elicitation/create") => json!({ "action": "decline" }),
                Some("sampling/createMessage") => {
                    let content = json!({ "type": "text", "text": "42" });
                    json!({ "role": "assistant", "model": "m", "content": content })
                }
                _ => continue,
            };
            let reply = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
            peer.send(&reply.to_string()).await;
        }
    }
    (peer.read, asked)
}

#[tokio::test(start_paused = true)]
async fn every_message_fits_the_official_schema() {
    for revision in LEGACY {
        let (lines, asked) = tour(revision).await;
        assert!(lines.len() > asked.len(), "every request was answered");
        let Some(official) = Official::load(revision) else {
            println!("did not look: MCP_ASSAY_SHARED is not set");
            return;
        };
        let broken = json!({ "jsonrpc": "2.0", "id": "init", "result": {} });
        assert!(!official.judge(&broken, &asked).is_empty(), "it would see");
        let mut kinds = std::collections::BTreeSet::new();
        for line in lines {
            let message: Value = serde_json::from_str(&line).unwrap();
            let method = message["method"].as_str().map(str::to_owned);
            let kind = method.or_else(|| asked.get(&message["id"].to_string()).cloned());
            kinds.extend(kind);
            let errors = official.judge(&message, &asked);
            assert!(errors.is_empty(), "{revision}: {errors:#?} in {line}");
        }
        for kind in [
            "notifications/message",
            "notifications/progress",
            "sampling/createMessage",
        ] {
            assert!(kinds.contains(kind), "{revision}: {kind} was seen");
        }
    }
}

/// One conversation of the modern era that makes the server say everything it can say. The tools are those it lists.
async fn modern_tour() -> (Vec<String>, HashMap<String, String>) {
    let mut peer = Peer::start(Options::default());
    let able = json!({
        "io.modelcontextprotocol/clientCapabilities": { "roots": {}, "sampling": {}, "elicitation": {} },
        "io.modelcontextprotocol/logLevel": "debug",
        "progressToken": "t",
    });
    let mut tools = Vec::new();
    let mut cursor = json!({});
    loop {
        let page = peer.modern("tools/list", cursor).await;
        tools.extend(page["result"]["tools"].as_array().unwrap().clone());
        match page["result"].get("nextCursor") {
            Some(next) => cursor = json!({ "cursor": next }),
            None => break,
        }
    }
    let listen = json!({
        "notifications": {
            "toolsListChanged": true,
            "promptsListChanged": true,
            "resourceSubscriptions": ["test://watched-resource"],
        },
    });
    let old = json!({ "io.modelcontextprotocol/protocolVersion": "1900-01-01" });
    let mut requests = vec![
        ("subscriptions/listen", listen),
        ("server/discover", json!({})),
        ("server/discover", json!({ "_meta": old })),
        ("no/such/method", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/read", json!({ "uri": "test://static-text" })),
        ("resources/read", json!({ "uri": "test://static-binary" })),
        ("resources/read", json!({ "uri": "test://none" })),
        (
            "resources/read",
            json!({ "uri": "test://asks-before-read" }),
        ),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
        (
            "prompts/get",
            json!({ "name": "test_input_required_result_prompt" }),
        ),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/resource", "uri": "test://template/{id}/data" },
                "argument": { "name": "id", "value": "" },
            }),
        ),
    ];
    for tool in &tools {
        let mut arguments = json!({});
        for (name, value) in [
            ("message", json!("m")),
            ("prompt", json!("p")),
            ("text", json!("t")),
            ("ms", json!(1)),
        ] {
            let required = tool["inputSchema"]["required"].as_array();
            if required.is_some_and(|required| required.contains(&json!(name))) {
                arguments[name] = value;
            }
        }
        let call = json!({ "name": tool["name"], "arguments": arguments });
        let mut able_call = call.clone();
        able_call["_meta"] = able.clone();
        requests.push(("tools/call", able_call));
        requests.push(("tools/call", call));
    }
    let mut asked = HashMap::from([("\"m\"".to_owned(), "tools/list".to_owned())]);
    for (number, (method, params)) in requests.into_iter().enumerate() {
        asked.insert(number.to_string(), method.to_owned());
        let request = modern(json!(number), method, params);
        peer.send(&request.to_string()).await;
    }
    peer.listen(1000).await;
    let mut lines = peer.read.clone();
    lines.extend(peer.close().await.lines);
    (lines, asked)
}

#[tokio::test(start_paused = true)]
async fn every_modern_message_fits_the_official_schema() {
    let (lines, asked) = modern_tour().await;
    assert!(lines.len() > asked.len(), "every request was answered");
    let Some(official) = Official::load(Revision::R2026_07_28) else {
        println!("did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let mut kinds = std::collections::BTreeSet::new();
    for line in lines {
        let message: Value = serde_json::from_str(&line).unwrap();
        assert!(
            message.get("method").is_none() || message.get("id").is_none(),
            "{line}"
        );
        kinds.extend(message["method"].as_str().map(str::to_owned));
        kinds.extend(
            message["error"]["code"]
                .as_i64()
                .map(|code| code.to_string()),
        );
        kinds.extend(message["result"]["resultType"].as_str().map(str::to_owned));
        let errors = official.judge(&message, &asked);
        assert!(errors.is_empty(), "{errors:#?} in {line}");
        for (_, request) in message["result"]["inputRequests"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let definition = official.method(request["method"].as_str().unwrap());
            let definition = definition["definition"].as_str().unwrap();
            let errors = official.errors(definition, request);
            assert!(errors.is_empty(), "{errors:#?} in {line}");
        }
    }
    for kind in [
        "-32021",
        "-32022",
        "-32601",
        "-32602",
        "complete",
        "input_required",
        "notifications/message",
        "notifications/progress",
        "notifications/prompts/list_changed",
        "notifications/resources/updated",
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
    ] {
        assert!(kinds.contains(kind), "{kind} was seen");
    }
}
