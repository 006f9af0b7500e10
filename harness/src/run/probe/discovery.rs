//! What the answer to `server/discover` says of a server.

use crate::era::modern::CODES;
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use serde_json::Value;

/// What a server speaks, by its answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Spoken {
    /// The revision that it was asked in.
    Here,
    /// It lives in the modern era, and names other revisions only.
    Elsewhere(Vec<String>),
    /// It does not live in the modern era.
    Nowhere,
}

/// Reads the answer to a discovery in `offered`; `None`: there was none.
pub fn read(reply: Option<&Message>, offered: Revision) -> Spoken {
    let Some(reply) = reply else {
        return Spoken::Nowhere;
    };
    let list = |at: &str| {
        let list = reply.value.pointer(at).and_then(Value::as_array)?;
        let texts = list.iter().filter_map(Value::as_str);
        Some(texts.map(str::to_owned).collect::<Vec<_>>())
    };
    let listed = |versions: Vec<String>| {
        if versions.iter().any(|version| version == offered.as_str()) {
            Spoken::Here
        } else {
            Spoken::Elsewhere(versions)
        }
    };
    match reply.kind {
        Kind::Result => match list("/result/supportedVersions") {
            Some(versions) => listed(versions),
            // A discovery that lacks its list is one all the same; a bare `{}` for a method that nobody knows is none.
            None if is_discovery(&reply.value) => Spoken::Here,
            None => Spoken::Nowhere,
        },
        Kind::Error => {
            let code = reply.value.pointer("/error/code").and_then(Value::as_i64);
            match code.filter(|code| CODES.contains(code)) {
                Some(-32022) => listed(list("/error/data/supported").unwrap_or_default()),
                // Whatever it finds wrong with a plain request, only a server of this era says so in this way.
                Some(_) => Spoken::Here,
                None => Spoken::Nowhere,
            }
        }
        Kind::Request | Kind::Notification | Kind::Batch | Kind::Malformed(_) => Spoken::Nowhere,
    }
}

fn is_discovery(reply: &Value) -> bool {
    let result = reply.get("result");
    let has = |member: &str| result.is_some_and(|result| result.get(member).is_some());
    has("resultType") || (has("capabilities") && !has("protocolVersion"))
}
