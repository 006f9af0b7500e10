//! `server/discover`: what a client may know before it asks for anything.
//!
//! **Source**: `2026-07-28/server/discover`.

use crate::lifecycle;
use crate::offer::Offer;
use serde_json::{Value, json};

/// The result.
pub(super) fn discover(offer: &Offer) -> Value {
    let versions: Vec<_> = offer.all().iter().map(|one| one.as_str()).collect();
    json!({
        "supportedVersions": versions,
        "capabilities": capabilities(),
        "instructions": lifecycle::INSTRUCTIONS,
    })
}

/// What this server can do. The resources that are listed are always the same; of tools and prompts a client can have it say that
/// they changed.
fn capabilities() -> Value {
    json!({
        "completions": {},
        "logging": {},
        "prompts": { "listChanged": true },
        "resources": { "subscribe": true },
        "tools": { "listChanged": true },
    })
}
