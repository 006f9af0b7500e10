//! Streamable HTTP: the fields of its requests, and where the MCP session begins.

use crate::http::by_hand::{Outgoing, field};
use bytes::Bytes;
use mcp_assay_wire::http::Head;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// The field that carries the MCP session.
const SESSION: &str = "Mcp-Session-Id";

/// The field that names the revision.
const VERSION: &str = "MCP-Protocol-Version";

/// The fields that every client over HTTP sends with a method.
pub(crate) fn fields(method: &str) -> Vec<Outgoing> {
    let mut fields = vec![
        field(
            "User-Agent",
            concat!("mcp-assay/", env!("CARGO_PKG_VERSION")),
        ),
        // Without the field a server may compress what it sends, and what came would be no evidence that a reader can check.
        field("Accept-Encoding", "identity"),
    ];
    match method {
        "POST" => {
            fields.push(field("Accept", "application/json, text/event-stream"));
            fields.push(field("Content-Type", "application/json"));
        }
        "GET" => fields.push(field("Accept", "text/event-stream")),
        _ => {}
    }
    fields
}

/// The fields that only this transport has.
pub(crate) fn session_fields(session: Option<&Bytes>, version: Option<&str>) -> Vec<Outgoing> {
    let session = session.map(|id| (SESSION.to_owned(), id.clone()));
    let version = version.map(|version| field(VERSION, version));
    session.into_iter().chain(version).collect()
}

/// The MCP session that a response begins, where it answers an `initialize` request.
pub(crate) fn session_of(head: &Head) -> Option<Bytes> {
    head.values(SESSION).next().cloned()
}

/// Whether a body is an `initialize` request.
pub(crate) fn is_initialize(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        method: Cow<'a, str>,
        #[serde(rename = "id")]
        _id: IgnoredAny,
    }
    serde_json::from_slice::<Request<'_>>(body).is_ok_and(|request| request.method == "initialize")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_an_initialize_request() {
        assert!(is_initialize(br#"{"id":null,"method":"init\u0069alize"}"#));
        assert!(!is_initialize(br#"{"method":"initialize"}"#));
        assert!(!is_initialize(
            br#"{"id":1,"method":"ping","params":{"method":"initialize"}}"#
        ));
        assert!(!is_initialize(br#"[{"id":1,"method":"initialize"}]"#));
        assert!(!is_initialize(b"initialize"));
    }
}
