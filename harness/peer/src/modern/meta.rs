//! What every request says about itself in `_meta`.
//!
//! **Source**: `2026-07-28/basic#_meta`. Nothing is inferred from earlier requests: what a request does not say does not hold for it.

use crate::client::Terms;
use crate::error::RpcError;
use crate::incoming::{Arrival, Params};
use crate::logging;
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value};
use std::sync::Arc;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT: &str = "io.modelcontextprotocol/clientInfo";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// Who answers a request, in the `_meta` of its result.
pub(crate) const SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// What a request says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    /// The version it names.
    pub version: Option<String>,
    /// The capabilities that the client declares for it.
    pub terms: Arc<Terms>,
    /// Place among [`logging::LEVELS`] of the least severe message that the client wants to see; without one it wants none.
    pub log_level: Option<usize>,
    /// The progress token as the client wrote it.
    pub progress_token: Option<RawId>,
}

impl Meta {
    /// Reads what can be read, and says what is wrong with it.
    pub fn read(
        params: Params<'_>,
        progress_token: Option<&RawId>,
    ) -> (Meta, Result<(), RpcError>) {
        let fields = params.get("_meta").and_then(Value::as_object);
        let fields = Params(fields);
        let capabilities = fields.get(CAPABILITIES).and_then(Value::as_object);
        let level = fields.get(LOG_LEVEL).and_then(Value::as_str);
        let meta = Meta {
            version: fields.string(VERSION).ok().flatten().map(str::to_owned),
            terms: Arc::new(Terms {
                revision: Revision::R2026_07_28,
                client: capabilities.cloned().unwrap_or_default(),
            }),
            log_level: level.and_then(logging::level),
            progress_token: progress_token.cloned(),
        };
        (meta, check(fields).map_err(|error| error.on_http(400)))
    }
}

/// The capabilities and revision of a modern message, as far as they can be read.
pub(crate) fn terms(arrival: Option<&Arrival>) -> Terms {
    let params = arrival.and_then(|arrival| arrival.message.value.get("params")?.as_object());
    let (meta, _) = Meta::read(Params(params), None);
    Terms::clone(&meta.terms)
}

/// Whether a request has one of the fields that no legacy request has.
pub(super) fn is_modern(params: Params<'_>) -> bool {
    let fields = params.get("_meta").and_then(Value::as_object);
    let has = |name| fields.is_some_and(|fields| fields.contains_key(name));
    [VERSION, CAPABILITIES, CLIENT, LOG_LEVEL]
        .into_iter()
        .any(has)
}

fn check(fields: Params<'_>) -> Result<(), RpcError> {
    fields.required_string(VERSION)?;
    check_capabilities(fields.required_object(CAPABILITIES)?)?;
    if let Some(client) = fields.object(CLIENT)? {
        let client = Params(Some(client));
        client.required_string("name")?;
        client.required_string("version")?;
    }
    match fields.string(LOG_LEVEL)? {
        Some(level) if logging::level(level).is_none() => {
            Err(RpcError::invalid_params("Invalid log level"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Every capability is an object, if only an empty one; unknown ones are the business of those who know them.
fn check_capabilities(capabilities: &Map<String, Value>) -> Result<(), RpcError> {
    let capabilities = Params(Some(capabilities));
    for known in [
        "elicitation",
        "extensions",
        "experimental",
        "roots",
        "sampling",
    ] {
        capabilities.object(known)?;
    }
    Ok(())
}
