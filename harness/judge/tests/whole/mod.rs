//! Whole messages and parts of them, judged as a run would: classified by their keys, then by the definitions that their method binds.

use mcp_assay_judge::Schemas;
use mcp_assay_model::protocol::Revision;
use mcp_assay_schemas::Method;
use mcp_assay_wire::jsonrpc::{Kind, Message, classify};
use serde_json::Value;

/// What judges: a revision, and the method that a result answers, where that is known.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'m> {
    pub revision: Revision,
    pub method: Option<&'m str>,
}

impl Judge<'_> {
    /// Judges a value by the official name of a definition: one that we have, a union of results, or a message.
    pub fn accepts(self, definition: &str, value: &Value) -> bool {
        let schemas = Schemas::of(self.revision);
        match definition {
            "ServerResult" | "ClientResult" => self.accepts_result(value),
            name if schemas.has(name) && !name.starts_with("JSONRPC") => self.fits(name, value),
            name => match classify(value.to_string().as_bytes()) {
                Ok(message) => {
                    (!schemas.has(name) || self.fits(name, value)) && self.accepts_message(&message)
                }
                Err(_) => false,
            },
        }
    }

    fn accepts_message(self, message: &Message) -> bool {
        let schemas = Schemas::of(self.revision);
        let any = |names: &[&str]| {
            let known = names.iter().find(|name| schemas.has(name));
            known.is_none_or(|name| self.fits(name, &message.value))
        };
        let params = |method: Option<&'static Method>| match (method, message.value.get("params")) {
            (Some(method), Some(params)) => self.fits(&method.params, params),
            (Some(method), None) => !method.params_required,
            (None, _) => true,
        };
        let method = message.method.as_deref().and_then(|name| self.named(name));
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
                    && self.accepts_result(&message.value["result"])
            }
            Kind::Error => any(&["JSONRPCErrorResponse", "JSONRPCError"]),
            Kind::Batch => {
                schemas.has("JSONRPCBatchRequest")
                    && message.batch.iter().all(|item| self.accepts_message(item))
            }
            Kind::Malformed(_) => false,
        }
    }

    /// A result of the method that was asked for.
    fn accepts_result(self, result: &Value) -> bool {
        let schemas = Schemas::of(self.revision);
        let method = self.method.and_then(|name| self.named(name));
        method.is_none_or(|method| {
            let violations = schemas.judge_result(&method.method, result, None);
            violations.unwrap().is_empty()
        })
    }

    fn named(self, name: &str) -> Option<&'static Method> {
        mcp_assay_schemas::methods(self.revision.as_str()).find(|method| method.method == name)
    }

    fn fits(self, name: &str, value: &Value) -> bool {
        let violations = Schemas::of(self.revision).judge_definition(name, value, None);
        violations.unwrap().is_empty()
    }
}
