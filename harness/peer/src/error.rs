//! JSON-RPC errors that a server answers with.

use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// Characters of an error message, at most.
const LONGEST_MESSAGE: usize = 200;

/// An error object of a response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    data: Option<Value>,
    /// The HTTP status that 2026-07-28 has for it, where it has one; earlier revisions have none.
    status: Option<u16>,
}

impl RpcError {
    /// -32700: the line is no JSON text.
    pub fn parse(detail: &str) -> Self {
        RpcError::new(-32700, format!("Parse error: {detail}")).on_http(400)
    }

    /// -32600: JSON, but no request that may be answered now.
    pub fn invalid_request(detail: &str) -> Self {
        RpcError::new(-32600, format!("Invalid request: {detail}")).on_http(400)
    }

    /// -32601: no such method, or a capability that is not there.
    pub fn method_not_found(method: &str) -> Self {
        RpcError::new(-32601, format!("Method not found: {method}")).on_http(404)
    }

    /// -32602: parameters that break the schema, or name what does not exist.
    pub fn invalid_params(detail: impl Into<String>) -> Self {
        RpcError::new(-32602, detail.into())
    }

    /// -32603: the request is lawful, and cannot be served.
    pub fn internal(detail: &str) -> Self {
        RpcError::new(-32603, format!("Internal error: {detail}"))
    }

    /// -32042: the user has to visit these URLs first; each entry is shaped as the parameters of the elicitation are.
    ///
    /// **Source**: `2025-11-25/client/elicitation#url-elicitation-required-error`.
    pub fn url_elicitation_required(elicitations: Vec<Value>) -> Self {
        RpcError {
            data: Some(json!({ "elicitations": elicitations })),
            ..RpcError::new(
                -32042,
                "This request needs a visit to a URL first".to_owned(),
            )
        }
    }

    /// No such resource: -32002, and from 2026-07-28 on -32602.
    pub fn resource_not_found(uri: &str, revision: Revision) -> Self {
        let code = if revision >= Revision::R2026_07_28 {
            -32602
        } else {
            -32002
        };
        RpcError {
            data: Some(json!({ "uri": uri })),
            ..RpcError::new(code, "Resource not found".to_owned())
        }
    }

    /// -32020: a header that is missing, malformed, or says something else than the body.
    pub fn header_mismatch(detail: &str) -> Self {
        RpcError::new(-32020, format!("Header mismatch: {detail}")).on_http(400)
    }

    /// -32021: a capability that the client did not declare for this request; `required` is shaped as client capabilities are.
    pub fn missing_capability(required: Value) -> Self {
        RpcError {
            data: Some(json!({ "requiredCapabilities": required })),
            ..RpcError::new(-32021, "Missing required client capability".to_owned()).on_http(400)
        }
    }

    /// -32022: a version that this server does not speak; `supported` are those it does.
    pub fn unsupported_version(requested: &str, supported: &[Revision]) -> Self {
        let supported: Vec<_> = supported.iter().map(|one| one.as_str()).collect();
        let message = format!(
            "Unsupported protocol version; this server speaks {}",
            supported.join(", ")
        );
        RpcError {
            data: Some(json!({ "supported": supported, "requested": requested })),
            ..RpcError::new(-32022, message).on_http(400)
        }
    }

    /// Any other error of a lie's.
    pub fn other(code: i64, message: &str) -> Self {
        RpcError::new(code, message.to_owned())
    }

    /// The same error, with this HTTP status in 2026-07-28.
    pub fn on_http(self, status: u16) -> Self {
        RpcError {
            status: Some(status),
            ..self
        }
    }

    /// The HTTP status that 2026-07-28 has for it; where it has none, 200 does.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What people are told.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error object.
    pub fn into_value(self) -> Value {
        let mut value = json!({ "code": self.code, "message": self.message });
        if let Some(data) = self.data {
            value["data"] = data;
        }
        value
    }

    /// The schemas ask for a concise sentence, and a client may have put anything into the name that it quotes.
    fn new(code: i64, message: String) -> Self {
        let message = message.chars().take(LONGEST_MESSAGE).collect();
        RpcError {
            code,
            message,
            data: None,
            status: None,
        }
    }
}
