//! What every request says about itself in `_meta`.
//!
//! **Source**: `2026-07-28/basic#_meta`. Nothing is inferred from earlier requests: what a request does not say does not hold for it.

use crate::client::Terms;
use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
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
    /// What can be read of it.
    pub fn read(params: Params<'_>, progress_token: Option<&RawId>) -> Meta {
        let fields = fields(params);
        let capabilities = fields.get(CAPABILITIES).and_then(Value::as_object);
        let level = fields.get(LOG_LEVEL).and_then(Value::as_str);
        Meta {
            version: fields.string(VERSION).ok().flatten().map(str::to_owned),
            terms: Arc::new(Terms {
                revision: Revision::R2026_07_28,
                client: capabilities.cloned().unwrap_or_default(),
            }),
            log_level: level.and_then(logging::level),
            progress_token: progress_token.cloned(),
        }
    }
}

/// Refuses a request that does not say what every request must, or says it in another type.
pub(super) fn check(params: Params<'_>, judge: &Judge) -> Result<(), RpcError> {
    let refuse = |breach, error: RpcError| judge.refuse(breach, error.on_http(400));
    let missing = |name| RpcError::invalid_params(format!("_meta has no {name}"));
    if params.get("_meta").is_none() {
        return refuse(Breach::NoMeta, RpcError::invalid_params("_meta is missing"));
    }
    let fields = fields(params);
    for (name, breach) in [
        (VERSION, Breach::NoVersion),
        (CAPABILITIES, Breach::NoCapabilities),
    ] {
        if fields.get(name).is_none() {
            refuse(breach, missing(name))?;
        }
    }
    if let Err(error) = check_types(fields) {
        refuse(Breach::MetaType, error)?;
    }
    match fields.get(LOG_LEVEL) {
        Some(level) if level.as_str().and_then(logging::level).is_none() => refuse(
            Breach::LogLevel,
            RpcError::invalid_params("Invalid log level"),
        ),
        Some(_) | None => Ok(()),
    }
}

/// The capabilities and revision of a modern message, as far as they can be read.
pub(crate) fn terms(arrival: Option<&Arrival>) -> Terms {
    let params = arrival.and_then(|arrival| arrival.message.value.get("params")?.as_object());
    let meta = Meta::read(Params(params), None);
    Terms::clone(&meta.terms)
}

/// Whether a request has one of the fields that no legacy request has.
pub(super) fn is_modern(params: Params<'_>) -> bool {
    let fields = fields(params);
    let has = |name| fields.get(name).is_some();
    [VERSION, CAPABILITIES, CLIENT, LOG_LEVEL]
        .into_iter()
        .any(has)
}

fn fields<'a>(params: Params<'a>) -> Params<'a> {
    Params(params.get("_meta").and_then(Value::as_object))
}

fn check_types(fields: Params<'_>) -> Result<(), RpcError> {
    fields.string(VERSION)?;
    if let Some(capabilities) = fields.object(CAPABILITIES)? {
        check_capabilities(capabilities)?;
    }
    if let Some(client) = fields.object(CLIENT)? {
        let client = Params(Some(client));
        client.required_string("name")?;
        client.required_string("version")?;
    }
    Ok(())
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
