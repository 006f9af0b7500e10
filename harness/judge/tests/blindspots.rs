//! Messages about which the official schema and the prose disagree: nothing that the prose accepts may be refused here, and how many of
//! the others are seen is printed. The list is not ours to ship: `MCP_ASSAY_SHARED` names the folder that has it under `spec/`.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

use mcp_assay_judge::Schemas;
use mcp_assay_model::protocol::Revision;
use mcp_assay_schemas::Method;
use mcp_assay_wire::jsonrpc::{Kind, Message, classify};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    revision: Revision,
    definition: String,
    expected: String,
    instance: Value,
    method: Option<String>,
}

impl Line {
    fn is_accepted(&self) -> bool {
        let schemas = Schemas::of(self.revision);
        match self.definition.as_str() {
            "ServerResult" | "ClientResult" => self.results(&self.instance),
            name if schemas.has(name) && !name.starts_with("JSONRPC") => {
                accepts(schemas, name, &self.instance)
            }
            name => match classify(self.instance.to_string().as_bytes()) {
                Ok(message) => {
                    (!schemas.has(name) || accepts(schemas, name, &self.instance))
                        && self.takes(&message)
                }
                Err(_) => false,
            },
        }
    }

    /// A whole message, classified by its keys, then judged by the definitions that its method binds.
    fn takes(&self, message: &Message) -> bool {
        let schemas = Schemas::of(self.revision);
        let any = |names: &[&str]| {
            let known = names.iter().find(|name| schemas.has(name));
            known.is_none_or(|name| accepts(schemas, name, &message.value))
        };
        let params = |method: Option<&'static Method>| match (method, message.value.get("params")) {
            (Some(method), Some(params)) => accepts(schemas, &method.params, params),
            (Some(method), None) => !method.params_required,
            (None, _) => true,
        };
        let method = message.method.as_deref().and_then(|name| self.method(name));
        match message.kind {
            Kind::Request => {
                any(&["JSONRPCRequest"])
                    && !method.is_some_and(Method::is_notification)
                    && params(method)
            }
            Kind::Notification => {
                any(&["JSONRPCNotification"])
                    && method.is_none_or(Method::is_notification)
                    && params(method)
            }
            Kind::Result => {
                any(&["JSONRPCResultResponse", "JSONRPCResponse"])
                    && self.results(&message.value["result"])
            }
            Kind::Error => any(&["JSONRPCErrorResponse", "JSONRPCError"]),
            Kind::Batch => {
                schemas.has("JSONRPCBatchRequest")
                    && message.batch.iter().all(|item| self.takes(item))
            }
            Kind::Malformed(_) => false,
        }
    }

    /// A result of the method that was asked for.
    fn results(&self, result: &Value) -> bool {
        let schemas = Schemas::of(self.revision);
        let method = self.method.as_deref().and_then(|name| self.method(name));
        method.is_none_or(|method| {
            method
                .results
                .iter()
                .any(|name| accepts(schemas, name, result))
        })
    }

    fn method(&self, name: &str) -> Option<&'static Method> {
        mcp_assay_schemas::methods(self.revision.as_str()).find(|method| method.method == name)
    }
}

fn accepts(schemas: &Schemas, name: &str, value: &Value) -> bool {
    schemas
        .judge_definition(name, value, None)
        .unwrap()
        .is_empty()
}

#[test]
fn what_the_prose_accepts_is_accepted() {
    let Some(folder) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("blind spots: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let path = PathBuf::from(folder)
        .join("spec")
        .join("schema-blindspots.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .map(|line| serde_json::from_str::<Line>(line).unwrap());
    let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
    let mut wrongly_refused = Vec::new();
    for line in lines {
        let is_accepted = line.is_accepted();
        let expected = match line.expected.as_str() {
            "accept" => "accept",
            "reject" => "reject",
            _ => "warn",
        };
        // A warning is not a matter of validity: either will do.
        let agrees = expected == "warn" || is_accepted == (expected == "accept");
        *counts.entry((expected, agrees)).or_default() += 1;
        if !agrees && expected == "accept" {
            wrongly_refused.push(line.id);
        } else if !agrees {
            eprintln!("not seen yet: {}", line.id);
        }
    }
    for ((expected, agrees), count) in counts {
        let verdict = if agrees { "agree" } else { "differ" };
        eprintln!("blind spots, expected {expected}: {count} {verdict}");
    }
    assert_eq!(wrongly_refused, Vec::<String>::new());
}
