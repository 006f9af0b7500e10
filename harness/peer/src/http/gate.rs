//! What an HTTP request must be before anything of it is heard: its Host, Origin, Accept, Content-Type and version.
//!
//! **Source**: `2025-11-25/basic/transports#security-warning`, `#sending-messages-to-the-server`, `#protocol-version-header`.

use super::answer::{Answer, refusal};
use super::sessions::HttpSession;
use super::state::State;
use crate::fault::quirk::Quirk;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{StatusCode, Uri};
use mcp_assay_model::protocol::{Era, Revision};
use std::net::IpAddr;

/// The header of the revision.
pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// Refuses a request that is not addressed to this server, or comes from a page of another.
///
/// **Errors**: the answer to it.
pub(super) fn admit(state: &State, parts: &Parts) -> Result<(), Box<Answer>> {
    check_host(state, parts)?;
    check_origin(state, &parts.headers)
}

fn check_host(state: &State, parts: &Parts) -> Result<(), Box<Answer>> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        let why = "a request has one Host header";
        let status = if state.shows(Quirk::ForeignHost500) {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::BAD_REQUEST
        };
        return Err(refusal(status, why));
    };
    let host = host.to_str().ok();
    let is_ours = host.is_some_and(|host| is_ours(state, host));
    if is_ours || state.shows(Quirk::AcceptsForeignHost) {
        return Ok(());
    }
    let status = if state.shows(Quirk::ForeignHost500) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else {
        StatusCode::FORBIDDEN
    };
    Err(refusal(status, "this host is not served"))
}

fn check_origin(state: &State, headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let mut origins = headers.get_all(ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        if state.shows(Quirk::RefusesMissingOrigin) {
            return Err(refusal(StatusCode::FORBIDDEN, "a request has an Origin"));
        }
        return Ok(());
    }
    // An opaque origin, `null`, is that of a page which hides where it is from.
    let is_ours = |origin: &str| {
        let origin: Option<Uri> = origin.parse().ok();
        let origin = origin.filter(|origin| matches!(origin.scheme_str(), Some("http" | "https")));
        let authority = origin.as_ref().and_then(Uri::authority);
        authority.is_some_and(|authority| is_ours(state, authority.as_str()))
    };
    if origins.all(|origin| origin.to_str().is_ok_and(is_ours)) {
        return Ok(());
    }
    if state.shows(Quirk::AcceptsForeignOrigin) {
        return Ok(());
    }
    let status = if state.shows(Quirk::Origin400) {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::FORBIDDEN
    };
    Err(refusal(status, "this origin is not served"))
}

/// Whether a host, with or without a port, is the loopback's or one of the server's own names.
fn is_ours(state: &State, host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else {
        return false;
    };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    let is_named = |own: &String| own.eq_ignore_ascii_case(name) || own == address;
    is_loopback || state.hosts.iter().any(is_named)
}

/// Refuses a POST whose client does not take both kinds of answer.
///
/// **Errors**: the answer to it.
pub(super) fn check_accept_of_post(state: &State, headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let why = "Accept lists application/json and text/event-stream";
    let refused = || Err(refusal(StatusCode::NOT_ACCEPTABLE, why));
    let values = headers.get_all(ACCEPT).iter();
    let written: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    if written.join(", ") != "application/json, text/event-stream"
        && state.shows(Quirk::RefusesAcceptOrder)
    {
        return refused();
    }
    if written.iter().any(|text| text.contains("*/*")) && state.shows(Quirk::RefusesAcceptWildcard)
    {
        return refused();
    }
    let takes_both =
        accepts(headers, "application", "json") && accepts(headers, "text", "event-stream");
    if takes_both || state.shows(Quirk::AcceptsAnyAccept) {
        return Ok(());
    }
    refused()
}

/// Whether the client takes a media type: listed, by name or wildcard, and not with a quality of zero.
pub(super) fn accepts(headers: &HeaderMap, kind: &str, subtype: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut best: Option<(u8, bool)> = None;
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let Some((top, sub)) = parts.next().and_then(|essence| essence.split_once('/')) else {
            continue;
        };
        let precision = match (
            top.eq_ignore_ascii_case(kind),
            sub.eq_ignore_ascii_case(subtype),
        ) {
            (true, true) => 2,
            (true, false) if sub == "*" => 1,
            _ if top == "*" && sub == "*" => 0,
            _ => continue,
        };
        let quality = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.eq_ignore_ascii_case("q").then_some(value)
        });
        let is_wanted = quality.is_none_or(|value| value.parse::<f64>().is_ok_and(|q| q > 0.0));
        // The most precise range decides.
        if best.is_none_or(|(before, _)| before <= precision) {
            best = Some((precision, is_wanted));
        }
    }
    best.is_some_and(|(_, is_wanted)| is_wanted)
}

/// Refuses a body that does not say it is JSON.
///
/// **Errors**: the answer to it.
pub(super) fn check_content_type(state: &State, headers: &HeaderMap) -> Result<(), Box<Answer>> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default();
    let (essence, parameters) = match value.split_once(';') {
        Some((essence, parameters)) => (essence, Some(parameters)),
        None => (value, None),
    };
    let is_json = essence.trim().eq_ignore_ascii_case("application/json");
    let is_refused =
        is_json && parameters.is_some() && state.shows(Quirk::RefusesContentTypeParameters);
    if (is_json && !is_refused) || (!is_json && state.shows(Quirk::AcceptsAnyContentType)) {
        return Ok(());
    }
    let why = "the Content-Type of a POST is application/json";
    Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why))
}

/// Refuses an `MCP-Protocol-Version` that this server cannot speak; revisions before 2025-06-18 have no such header. `session` is `None`
/// for `initialize`.
///
/// **Errors**: the answer to it.
pub(super) fn check_version(
    state: &State,
    headers: &HeaderMap,
    session: Option<&HttpSession>,
) -> Result<(), Box<Answer>> {
    let spoken = session.and_then(HttpSession::spoken);
    let offered = state.offer.of(Era::Legacy);
    let latest = offered.first().copied();
    if spoken.or(latest) < Some(Revision::R2025_06_18) {
        return Ok(());
    }
    let refused = |why| Err(refusal(StatusCode::BAD_REQUEST, why));
    let mut values = headers.get_all(VERSION).iter();
    let Some(version) = values.next() else {
        let quirks = [
            Quirk::RequiresVersionHeader,
            Quirk::RequiresVersionHeaderInSessions,
        ];
        if session.is_some() && quirks.into_iter().any(|quirk| state.shows(quirk)) {
            return refused("MCP-Protocol-Version is missing");
        }
        return Ok(());
    };
    let is_offered = |revision: &Revision| revision.as_str().as_bytes() == version.as_bytes();
    let is_lawful = offered.iter().any(is_offered) && values.all(|other| other == version);
    let is_refused = is_lawful
        && spoken.is_some_and(|spoken| is_offered(&spoken))
        && state.shows(Quirk::RefusesVersionHeader);
    if (is_lawful && !is_refused) || (!is_lawful && state.shows(Quirk::IgnoresVersionHeader)) {
        return Ok(());
    }
    refused("this MCP-Protocol-Version is not supported")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::HttpOptions;
    use crate::offer::Offer;
    use hyper::header::HeaderValue;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let values = values.iter();
        let values = values.map(|value| (ACCEPT, HeaderValue::from_static(value)));
        values.collect()
    }

    #[test]
    fn accept_is_read_by_names_wildcards_and_qualities() {
        for (values, takes_json) in [
            (&["application/json"] as &[_], true),
            (&["text/event-stream, Application/JSON;q=0.5"], true),
            (&["text/event-stream", "application/json"], true),
            (&["*/*"], true),
            (&["application/*"], true),
            (&["text/*"], false),
            (&["*/*, application/json;q=0"], false),
            (&["application/json;q=0, */*"], false),
            (&["application/json;q=0.0"], false),
            (&["application/jsonx"], false),
            (&[""], false),
            (&[], false),
        ] {
            let accepted = accepts(&headers(values), "application", "json");
            assert_eq!(accepted, takes_json, "{values:?}");
        }
    }

    #[test]
    fn only_the_loopback_and_names_of_its_own_are_the_servers() {
        let options = HttpOptions {
            hosts: vec!["mcp.test".to_owned()],
            ..HttpOptions::default()
        };
        let state = State::new(None, None, Offer::new(&[]), &options);
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost:80", true),
            ("127.0.0.1:8080", true),
            ("127.9.9.9", true),
            ("[::1]:1", true),
            ("mcp.test:443", true),
            ("localhost.evil.example", false),
            ("evil.example", false),
            ("10.0.0.1", false),
            ("evil@localhost", false),
            ("0.0.0.0", false),
            ("", false),
            ("local host", false),
        ] {
            assert_eq!(is_ours(&state, host), expected, "{host}");
        }
    }
}
