//! The MCP endpoint in the modern era: POSTs that stand alone.
//!
//! ```text
//! POST -> is it modern? -> Carrier { headers, left, socket } -> the one core -> a JSON text with its status, or a stream that ends with the answer
//! ```
//!
//! **Source**: `2026-07-28/basic/transports/streamable-http`. No session is minted, `Mcp-Session-Id` and `Last-Event-ID` are ignored, and
//! a client that leaves cancels what it asked for.

use super::answer::{Answer, Refused, error, malformed, refusal};
use super::body::Body;
use super::endpoint::{JSON, LAST_EVENT_ID, SESSION, accepted, stream, turn};
use super::gate::VERSION;
use super::posting::{Brought, Reply, is_one, is_response};
use super::sessions::{HttpSession, Shape};
use super::state::State;
use super::{Shared, Socket};
use crate::error::RpcError;
use crate::fault::quirk::Quirk;
use crate::incoming::{Carrier, Line};
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use std::sync::Arc;
use tokio::sync::watch;

/// What servers of the legacy era say to a version they do not know.
const UNSUPPORTED: &str = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Unsupported protocol version"},"id":null}"#;

/// Tells proxies not to hold back what is streamed.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether a POST is served by the modern rules: because the server has no others, or by its body, or by its version header.
///
/// **Shape**: the header alone decides nothing for `initialize`, nor within a session, which are of the legacy era.
pub(super) fn is_modern(shared: &Shared, headers: &HeaderMap, line: &Line) -> bool {
    let offer = &shared.state.offer;
    if !offer.has(Era::Modern) {
        return false;
    }
    if !offer.has(Era::Legacy) {
        return true;
    }
    if let Line::One(arrival) = line
        && crate::modern::is_modern(arrival)
    {
        return true;
    }
    names_modern(headers)
        && session(shared, headers).is_none()
        && !is_one(line, "initialize", Kind::Request)
}

/// The legacy session that a request is in.
pub(super) fn session(shared: &Shared, headers: &HeaderMap) -> Option<Arc<HttpSession>> {
    let id = headers.get(SESSION)?.to_str().ok()?;
    shared.sessions.find(id, Shape::Streamable)
}

/// Whether the version header has a date of the modern era.
pub(super) fn names_modern(headers: &HeaderMap) -> bool {
    let version = headers.get(VERSION).map(HeaderValue::as_bytes);
    version.is_some_and(|version| {
        let first = Revision::R2026_07_28.as_str().as_bytes();
        let is_date = version.len() == first.len()
            && version
                .iter()
                .zip(first)
                .all(|(byte, pattern)| (*pattern == b'-') == (*byte == b'-'))
            && version
                .iter()
                .all(|byte| *byte == b'-' || byte.is_ascii_digit());
        is_date && version >= first
    })
}

/// Lets a modern version header pass, unless the server is to refuse it as one that has never heard of it.
///
/// **Errors**: the answer to it.
pub(super) fn admit_version(state: &State, headers: &HeaderMap) -> Result<(), Box<Answer>> {
    if !names_modern(headers) {
        return Ok(());
    }
    let refused = |media_type, body: &'static str| {
        let body = Body::whole(body);
        Err(Box::new(Answer::new(
            StatusCode::BAD_REQUEST,
            media_type,
            body,
        )))
    };
    if state.shows(Quirk::RefusesModernEmpty) {
        refused(None, "")
    } else if state.shows(Quirk::RefusesModernText) {
        refused(
            Some("text/plain"),
            "Bad Request: unsupported protocol version\n",
        )
    } else if state.shows(Quirk::RefusesModernJson) {
        refused(JSON, UNSUPPORTED)
    } else {
        Ok(())
    }
}

/// Answers a POST.
pub(super) async fn post(
    shared: &Arc<Shared>,
    parts: &Parts,
    mut line: Line,
    brought: Brought,
) -> Result<Answer, Refused> {
    let headers = &parts.headers;
    let state = &shared.state;
    if is_response(&line) {
        let why = "a client sends no responses in this revision";
        return Err(refusal(StatusCode::BAD_REQUEST, why).into());
    }
    for (header, quirk, status) in [
        (SESSION, Quirk::RefusesSessionHeader, StatusCode::NOT_FOUND),
        (
            LAST_EVENT_ID,
            Quirk::RefusesLastEventId,
            StatusCode::BAD_REQUEST,
        ),
    ] {
        if headers.contains_key(&header) && state.shows(quirk) {
            return Err(refusal(status, "this header is not taken").into());
        }
    }
    let (presence, left) = watch::channel(());
    if let Line::One(arrival) = &mut line {
        let headers = Arc::new(headers.clone());
        let socket = parts
            .extensions
            .get::<Socket>()
            .map_or(0, |socket| socket.0);
        arrival.carrier = Some(Carrier {
            headers,
            left,
            socket,
        });
    }
    let core = shared.modern();
    let turn = turn(state, brought).await;
    let answered = core.post(line, brought, turn).await;
    let Ok(answered) = answered.await else {
        let why = RpcError::invalid_request("this server has ended");
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, why).into());
    };
    let mut answer = match answered.what {
        Reply::Accepted if brought == Brought::NoRequest => accepted(shared, false),
        Reply::Accepted => Answer::empty(StatusCode::ACCEPTED),
        Reply::Json {
            pieces,
            is_refusal: true,
            ..
        } => malformed(state, Body::of(pieces))?,
        Reply::Json { pieces, status, .. } => {
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            Answer::new(status.unwrap_or(StatusCode::OK), JSON, Body::of(pieces))
        }
        Reply::Stream(body) => {
            let mut answer = stream(body.guarded(presence));
            let headers = answer.response.headers_mut();
            headers.insert(BUFFERING, HeaderValue::from_static("no"));
            answer
        }
    };
    answer.is_struck = answered.is_struck;
    if answer.response.status() == StatusCode::OK && state.shows(Quirk::MintsSessionIds) {
        let id = HeaderValue::from_static("00000000000000000000000000000001");
        answer.response.headers_mut().insert(SESSION, id);
    }
    Ok(answer.within(core))
}
