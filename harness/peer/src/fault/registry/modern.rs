//! Faults of the modern era, and of legacy servers as a dual-era client meets them. Long because it is a list.

use super::provocations::{
    DISCOVER, DISCOVER_HEADERS, DISCOVER_TEXT, MODERN_LIST, OPEN, POST, http,
};
use super::{A_LIE, NamedFault, Over, Provocation, over_http};
use crate::fault::lie::Lie;
use crate::fault::lies::exchange::Refuses;
use crate::fault::lies::strikes::{Provoked, then_exit, then_hang};
use crate::fault::quirk::Quirk;

const fn lie(
    name: &'static str,
    about: &'static str,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    NamedFault {
        name,
        about,
        is_lawful: false,
        over: Over::Any,
        provoked_by,
        quirk: None,
        begin,
    }
}

/// Sorted by name.
pub(super) const FAULTS: &[NamedFault] = &[
    lie(
        "discover-invalid-params",
        "answers server/discover with -32602",
        &[DISCOVER],
        || Refuses::params_of("server/discover"),
    ),
    lie(
        "discover-invented-code",
        "answers server/discover with the code -1",
        &[DISCOVER],
        || Refuses::by_invented_code("server/discover"),
    ),
    lie(
        "discover-silent",
        "never answers server/discover, and serves the rest",
        &[DISCOVER],
        || Refuses::silently("server/discover"),
    ),
    lie(
        "discover-unknown-method",
        "answers server/discover with -32601, as a legacy server does",
        &[DISCOVER],
        || Refuses::method("server/discover"),
    ),
    lie(
        "exits-on-discover",
        "ends the process when server/discover comes",
        &[DISCOVER],
        || Box::new(then_exit(Provoked::Discover)),
    ),
    over_http(
        "http-modern-400-empty",
        "refuses a modern version header with 400 and nothing else",
        A_LIE,
        Quirk::RefusesModernEmpty,
        &[http(POST, DISCOVER_HEADERS, DISCOVER_TEXT)],
    ),
    over_http(
        "http-modern-400-json",
        "refuses a modern version header with 400 and the JSON-RPC error -32000",
        A_LIE,
        Quirk::RefusesModernJson,
        &[http(POST, DISCOVER_HEADERS, DISCOVER_TEXT)],
    ),
    over_http(
        "http-modern-400-text",
        "refuses a modern version header with 400 and a text",
        A_LIE,
        Quirk::RefusesModernText,
        &[http(POST, DISCOVER_HEADERS, DISCOVER_TEXT)],
    ),
    lie(
        "initialize-refused-mute",
        "refuses initialize with -32601, and does not say what it speaks",
        &[OPEN],
        || Refuses::method("initialize"),
    ),
    lie(
        "initialize-refused-naming",
        "refuses initialize with -32022, which names 2026-07-28",
        &[OPEN],
        || Refuses::naming_versions("initialize"),
    ),
    lie(
        "wedges-on-discover",
        "never speaks again once server/discover came",
        &[DISCOVER, MODERN_LIST],
        || Box::new(then_hang(Provoked::Discover)),
    ),
];
