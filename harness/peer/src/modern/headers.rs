//! The headers in which an HTTP request repeats what its body says, so that who is between can route it unread.
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http#request-metadata`. A header that is missing, malformed or different is
//! refused with -32020.

use crate::error::RpcError;
use crate::incoming::Params;
use hyper::HeaderMap;
use hyper::header::HeaderName;
use mcp_assay_wire::header_value;
use serde_json::Value;
use std::borrow::Cow;

/// The header of the version.
pub(crate) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The version that the headers name.
pub(super) fn version(headers: &HeaderMap) -> Option<&str> {
    headers.get(VERSION)?.to_str().ok()
}

/// Checks `MCP-Protocol-Version` against the version in the body; where the body has none, that is the body's fault.
pub(super) fn check_version(headers: &HeaderMap, named: Option<&str>) -> Result<(), RpcError> {
    let written = required(headers, &VERSION)?;
    match named {
        Some(named) if written != named.as_bytes() => Err(differs(&VERSION)),
        Some(_) | None => Ok(()),
    }
}

/// Checks `Mcp-Method`, which is never encoded.
pub(super) fn check_method(headers: &HeaderMap, method: &str) -> Result<(), RpcError> {
    if required(headers, &METHOD)? == method.as_bytes() {
        Ok(())
    } else {
        Err(differs(&METHOD))
    }
}

/// Checks `Mcp-Name`, where the method has one and the body a name to compare it with.
pub(super) fn check_name(
    headers: &HeaderMap,
    method: &str,
    params: Params<'_>,
) -> Result<(), RpcError> {
    let member = match method {
        "prompts/get" | "tools/call" => "name",
        "resources/read" => "uri",
        _ => return Ok(()),
    };
    let Some(name) = params.get(member).and_then(Value::as_str) else {
        return Ok(());
    };
    if decoded(&NAME, required(headers, &NAME)?)? == name {
        Ok(())
    } else {
        Err(differs(&NAME))
    }
}

/// The value of a header that must be there.
fn required<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h [u8], RpcError> {
    value(headers, name)?.ok_or_else(|| RpcError::header_mismatch(&format!("{name} is missing")))
}

/// The value of a header; where it stands more than once, all must be the same.
fn value<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h [u8]>, RpcError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.any(|other| Some(other) != first) {
        let detail = format!("{name} stands there more than once");
        return Err(RpcError::header_mismatch(&detail));
    }
    Ok(first.map(|value| value.as_bytes()))
}

fn decoded<'h>(name: &HeaderName, value: &'h [u8]) -> Result<Cow<'h, str>, RpcError> {
    let decoded = header_value::decode(value);
    decoded.map_err(|malformed| RpcError::header_mismatch(&format!("{name} has {malformed}")))
}

fn differs(name: &HeaderName) -> RpcError {
    RpcError::header_mismatch(&format!("{name} is not what the body says"))
}
