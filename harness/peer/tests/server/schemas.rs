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
                Some(-32042) => "URLElicitationRequiredError",
                _ => name,
            };
            return self.errors(particular, message);
        }
        let method = &asked[&id];
        let definition = match message["result"]["resultType"].as_str() {
            Some("input_required") => "InputRequiredResult",
            None if method == "tools/call" && message["result"].get("task").is_some() => {
                "CreateTaskResult"
            }
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
    let capabilities = json!({
        "roots": {},
        "sampling": { "tools": {} },
        "elicitation": { "form": {}, "url": {} },
    });
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
    answer_all(&mut peer).await;
    for tool in listed(&mut peer).await {
        let meta = json!({ "progressToken": "t" });
        let mut params = json!({ "name": tool["name"], "arguments": arguments(&tool) });
        params["_meta"] = meta;
        match tool["execution"]["taskSupport"].as_str() {
            None | Some("forbidden") => {}
            Some("required") => params["task"] = json!({}),
            Some(_) => {
                requests.push(("tools/call", params.clone()));
                params["task"] = json!({ "ttl": 60000 });
            }
        }
        requests.push(("tools/call", params));
    }
    asked.insert("\"c\"".to_owned(), "tools/list".to_owned());
    for (number, (method, params)) in requests.into_iter().enumerate() {
        asked.insert(number.to_string(), method.to_owned());
        peer.request(json!(number), method, params).await;
    }
    peer.send("no json").await;
    answer_all(&mut peer).await;
    let read = peer.read.iter();
    let read = read.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let created = read.filter_map(|message| {
        let id = message["result"]["task"]["taskId"].as_str()?;
        Some(id.to_owned())
    });
    let created: Vec<String> = created.collect();
    let again = json!({ "name": "slow_compute", "arguments": { "seconds": 9 }, "task": {} });
    let mut later = vec![("tasks/list", json!({})), ("tools/call", again)];
    for id in &created {
        for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
            later.push((method, json!({ "taskId": id })));
        }
    }
    for (number, (method, params)) in later.into_iter().enumerate() {
        let id = number + 1000;
        asked.insert(id.to_string(), method.to_owned());
        peer.request(json!(id), method, params).await;
        if method == "tools/call" && revision != Revision::R2025_11_25 {
            break;
        }
    }
    answer_all(&mut peer).await;
    let running = peer.read.iter().rev().find_map(|line| {
        let message: Value = serde_json::from_str(line).unwrap();
        let task = message["result"]["task"].clone();
        (message["id"] == 1001 && task.is_object()).then_some(task)
    });
    if let Some(task) = running {
        asked.insert("\"cancel\"".to_owned(), "tasks/cancel".to_owned());
        let params = json!({ "taskId": task["taskId"] });
        peer.request(json!("cancel"), "tasks/cancel", params).await;
        answer_all(&mut peer).await;
    }
    (peer.read, asked)
}

/// The tools, page by page.
async fn listed(peer: &mut Peer) -> Vec<Value> {
    let mut tools = Vec::new();
    let mut params = json!({});
    loop {
        let page = peer.call("tools/list", params).await["result"].clone();
        tools.extend(page["tools"].as_array().unwrap().clone());
        match page.get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return tools,
        }
    }
}

/// The arguments that a tool needs.
fn arguments(tool: &Value) -> Value {
    if tool["name"] == "json_schema_2020_12_tool" {
        return json!({ "email": "e" });
    }
    let required = tool["inputSchema"]["required"].as_array();
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    let argument = |name: &str| match name {
        "ms" | "seconds" => (name.to_owned(), json!(1)),
        _ => (name.to_owned(), json!("x")),
    };
    Value::Object(required.map(argument).collect())
}

/// Reads until nothing comes any more, and answers what is asked.
async fn answer_all(peer: &mut Peer) {
    loop {
        let lines = peer.listen(3000).await;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            let message: Value = serde_json::from_str(&line).unwrap();
            let params = &message["params"];
            let result = match message["method"].as_str() {
                Some("roots/list") => json!({ "roots": [{ "uri": "file:///a" }] }),
                Some("elicitation/create") if params["mode"] == "url" => {
                    json!({ "action": "accept" })
                }
                Some("elicitation/create") => json!({ "action": "decline" }),
                Some("sampling/createMessage") => {
                    let is_first = params["messages"].as_array().unwrap().len() == 1;
                    let content = if params.get("tools").is_some() && is_first {
                        json!([{ "type": "tool_use", "id": "u", "name": "add", "input": { "a": 1, "b": 2 } }])
                    } else {
                        json!({ "type": "text", "text": "42" })
                    };
                    json!({ "role": "assistant", "model": "m", "content": content })
                }
                _ => continue,
            };
            let reply = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
            peer.send(&reply.to_string()).await;
        }
    }
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
        let seen_in = |kind: &str| match kind {
            "elicitation/create" => revision >= Revision::R2025_06_18,
            "notifications/elicitation/complete" | "notifications/tasks/status" => {
                revision == Revision::R2025_11_25
            }
            _ => true,
        };
        for kind in [
            "elicitation/create",
            "notifications/elicitation/complete",
            "notifications/message",
            "notifications/progress",
            "notifications/prompts/list_changed",
            "notifications/resources/updated",
            "notifications/tasks/status",
            "notifications/tools/list_changed",
            "roots/list",
            "sampling/createMessage",
        ] {
            assert_eq!(kinds.contains(kind), seen_in(kind), "{revision}: {kind}");
        }
    }
}

/// One conversation of the modern era that makes the server say everything it can say. The tools are those it lists.
async fn modern_tour() -> (Vec<String>, HashMap<String, String>) {
    let mut peer = Peer::start(Options::default());
    let able = json!({
        "io.modelcontextprotocol/clientCapabilities": { "roots": {}, "sampling": {}, "elicitation": { "form": {}, "url": {} } },
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
        let call = json!({ "name": tool["name"], "arguments": arguments(tool) });
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
