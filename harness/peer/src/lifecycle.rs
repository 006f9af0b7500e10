//! `initialize`: revision and capabilities.
//!
//! **Source**: `2024-11-05/basic/lifecycle#initialization`.

use crate::client::Terms;
use crate::error::RpcError;
use crate::incoming::Params;
use crate::listing;
use crate::session::Session;
use crate::tasks;
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};

/// What a model is told of this server.
pub(crate) const INSTRUCTIONS: &str =
    "A reference server: it keeps the protocol, and its tools do nothing useful.";

/// Answers `initialize` and moves the session on.
///
/// **Errors**: the answer to parameters that break the schema; the session is then as before.
pub(crate) fn initialize(session: &mut Session, params: Params<'_>) -> Result<Value, RpcError> {
    let requested = params.required_string("protocolVersion")?;
    let client = params.required_object("capabilities")?.clone();
    let info = Params(Some(params.required_object("clientInfo")?));
    info.required_string("name")?;
    info.required_string("version")?;

    let revision = session.choose(requested);
    session.negotiated(Terms { revision, client });
    Ok(json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities(revision),
        "serverInfo": server_info(revision),
        "instructions": INSTRUCTIONS,
    }))
}

/// What this server can do. The resources that are listed are always the same; of tools and prompts a client can have it say that they
/// changed.
fn capabilities(revision: Revision) -> Value {
    let mut capabilities = json!({
        "logging": {},
        "prompts": { "listChanged": true },
        "resources": { "subscribe": true },
        "tools": { "listChanged": true },
    });
    if revision >= Revision::R2025_03_26 {
        capabilities["completions"] = json!({});
    }
    if tasks::are_in(revision) {
        capabilities["tasks"] = tasks::capability();
    }
    capabilities
}

/// Who this server is; from 2026-07-28 on every result says so.
pub(crate) fn server_info(revision: Revision) -> Value {
    let mut info = json!({
        "name": "mcp-assay-reference-server",
        "version": env!("CARGO_PKG_VERSION"),
    });
    listing::add_title(&mut info, revision, "Reference server of mcp-assay");
    listing::add_icon(&mut info, revision);
    if revision >= Revision::R2025_11_25 {
        info["description"] = json!("A server that keeps the protocol, to test a harness with");
    }
    info
}
