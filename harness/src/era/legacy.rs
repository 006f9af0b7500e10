//! The legacy era, to 2025-11-25: a conversation opens with `initialize`, its result, and `notifications/initialized`.

use mcp_assay_wire::jsonrpc::RawId;

/// Text of an `initialize` request.
pub fn initialize(id: &RawId, params: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":"initialize","params":{params}}}"#,
        id.0
    )
}

/// The notification that completes the handshake.
pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
