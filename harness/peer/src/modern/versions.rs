//! Which version a request is in, and whether this server speaks it.
//!
//! **Source**: `2026-07-28/basic/versioning`. A dual-era server chooses by the request: one that carries per-request fields is served
//! statelessly, `initialize` opens a legacy session.

use super::meta;
use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
use crate::incoming::{Arrival, Params};
use crate::offer::Offer;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;

/// Requests that no legacy revision has.
const MODERN_ALONE: [&str; 2] = ["server/discover", "subscriptions/listen"];

/// Whether a message is written for the modern era: by its `_meta`, or by a method that no other era has.
pub(crate) fn is_modern(arrival: &Arrival) -> bool {
    let params = arrival.message.value.get("params");
    let params = Params(params.and_then(Value::as_object));
    let method = arrival.message.method.as_deref().unwrap_or_default();
    meta::is_modern(params)
        || (arrival.message.kind == Kind::Request && MODERN_ALONE.contains(&method))
}

/// Refuses a version that this server does not speak in this era.
///
/// **Errors**: -32022. A legacy version is spoken after `initialize` alone, so a request that names one is refused too, and the versions
/// it is told of are then the others.
pub(super) fn check(named: Option<&str>, offer: &Offer, judge: &Judge) -> Result<(), RpcError> {
    let Some(named) = named else { return Ok(()) };
    let is_named = |revision: &Revision| revision.as_str() == named;
    if offer.of(Era::Modern).iter().any(is_named) {
        return Ok(());
    }
    let others = offer.all().iter().copied();
    let others: Vec<Revision> = others.filter(|revision| !is_named(revision)).collect();
    let error = RpcError::unsupported_version(named, &others);
    judge.refuse(Breach::UnsupportedVersion, error)
}

/// The answer to a legacy client of a server without legacy revisions: it names those there are, for the people who will read it.
pub(super) fn refuse_handshake(params: Params<'_>, offer: &Offer) -> RpcError {
    let requested = params.get("protocolVersion").and_then(Value::as_str);
    RpcError::unsupported_version(requested.unwrap_or("none"), offer.all())
}
