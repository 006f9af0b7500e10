//! JSON-RPC errors that a server answers with.

use serde_json::{Value, json};

/// Characters of an error message, at most.
const LONGEST_MESSAGE: usize = 200;

/// An error object of a response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    code: i64,
    message: String,
    data: Option<Value>,
}

impl RpcError {
    /// -32700: the line is no JSON text.
    pub fn parse(detail: &str) -> Self {
        RpcError::new(-32700, format!("Parse error: {detail}"))
    }

    /// -32600: JSON, but no request that may be answered now.
    pub fn invalid_request(detail: &str) -> Self {
        RpcError::new(-32600, format!("Invalid request: {detail}"))
    }

    /// -32601: no such method, or a capability that is not there.
    pub fn method_not_found(method: &str) -> Self {
        RpcError::new(-32601, format!("Method not found: {method}"))
    }

    /// -32602: parameters that break the schema, or name what does not exist.
    pub fn invalid_params(detail: impl Into<String>) -> Self {
        RpcError::new(-32602, detail.into())
    }

    /// -32002: no such resource.
    pub fn resource_not_found(uri: &str) -> Self {
        RpcError {
            data: Some(json!({ "uri": uri })),
            ..RpcError::new(-32002, "Resource not found".to_owned())
        }
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
        }
    }
}
