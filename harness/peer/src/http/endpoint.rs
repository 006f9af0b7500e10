//! The MCP endpoint of Streamable HTTP: POST, GET and DELETE.
//!
//! **Source**: `2025-11-25/basic/transports#streamable-http`.

use super::Shared;
use super::answer::{Answer, Refused, error, malformed, not_allowed, read_body, refusal};
use super::body::Body;
use super::posting::{Brought, Reply, is_one, is_response};
use super::sessions::{HttpSession, Shape};
use super::state::State;
use super::{gate, modern};
use crate::error::RpcError;
use crate::fault::quirk::Quirk;
use crate::incoming::Line;
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use mcp_assay_model::protocol::Era;
use mcp_assay_wire::jsonrpc::Kind;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// The header of the session id; its case differs by revision, and header names have none.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

pub(super) const JSON: Option<&str> = Some("application/json");

/// Answers a request to the endpoint.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: Incoming,
) -> Result<Answer, Refused> {
    let is_modern_alone = !shared.state.offer.has(Era::Legacy);
    let is_in_session = modern::session(shared, &parts.headers).is_some();
    match parts.method {
        Method::GET if !is_in_session && shared.state.shows(Quirk::ServesGet) => {
            Ok(stream(shared.modern().streams().open(None)))
        }
        Method::DELETE if !is_in_session && shared.state.shows(Quirk::AcceptsDelete) => {
            Ok(Answer::empty(StatusCode::OK))
        }
        Method::GET | Method::DELETE if is_modern_alone => Err(not_allowed("POST").into()),
        Method::POST => post(shared, parts, body).await,
        Method::GET => get(shared, &parts.headers).await,
        Method::DELETE => delete(shared, &parts.headers).await,
        _ => Err(not_allowed("GET, POST, DELETE").into()),
    }
}

async fn post(shared: &Arc<Shared>, parts: &Parts, body: Incoming) -> Result<Answer, Refused> {
    let state = &shared.state;
    if state.is(Quirk::BreaksOnDeleteInFlight) && state.shows_refusal() {
        return Ok(out_of_order());
    }
    let headers = &parts.headers;
    gate::check_accept_of_post(state, headers)?;
    gate::check_content_type(state, headers)?;
    let body = read_body(body).await?;
    let line = Line::from_body(&body);
    let brought = Brought::by(&line);
    modern::admit_version(state, headers)?;
    if modern::is_modern(shared, headers, &line) {
        return modern::post(shared, parts, line, brought).await;
    }

    let is_initialize = is_one(&line, "initialize", Kind::Request);
    let is_opening = is_initialize && (!headers.contains_key(SESSION) || is_stateless(shared));
    if is_opening && state.shows_refusal() {
        return Ok(out_of_order());
    }
    let session = if is_opening {
        gate::check_version(state, headers, None)?;
        let serial = shared.sessions.next_serial();
        HttpSession::begin(state, &shared.options.options, serial, Shape::Streamable)
    } else {
        let session = match (find(shared, headers), &line) {
            // What cannot be read is refused for that, session or not.
            (Err(Missing::Absent(_)), Line::Unreadable(detail)) => {
                let refused = error(StatusCode::BAD_REQUEST, RpcError::parse(detail));
                return malformed(state, refused.response.into_body());
            }
            (found, _) => found.map_err(Missing::into_answer)?,
        };
        gate::check_version(state, headers, Some(&session))?;
        session
    };

    let turn = turn(state, brought).await;
    let is_initialized = is_one(&line, "notifications/initialized", Kind::Notification);
    let is_response = is_response(&line);
    let answered = session.post(line, brought, turn).await;
    // A session that ends meanwhile answers nothing any more.
    let Ok(answered) = answered.await else {
        let why = "this session has ended";
        return Err(refusal(StatusCode::NOT_FOUND, why).into());
    };
    if is_initialized {
        session.initialized();
    }
    let mut answer = match answered.what {
        Reply::Accepted if brought == Brought::NoRequest => accepted(shared, is_response),
        Reply::Accepted => Answer::empty(StatusCode::ACCEPTED),
        Reply::Json {
            pieces, is_refusal, ..
        } => {
            let body = Body::of(pieces);
            if is_refusal {
                malformed(state, body)?
            } else {
                Answer::new(StatusCode::OK, JSON, body)
            }
        }
        Reply::Stream(body) => stream(body),
    };
    answer.is_struck = answered.is_struck;
    if is_opening && session.spoken().is_some() {
        shared.sessions.open(Arc::clone(&session));
        if !SESSIONLESS.into_iter().any(|quirk| state.shows(quirk)) {
            let id = HeaderValue::from_str(&session.id);
            let id = id.expect("our ids are hexadecimal digits, and a lie's a space among them");
            answer.response.headers_mut().insert(SESSION, id);
        }
    }
    Ok(answer.within(&session))
}

/// Waits for the turn of a POST, where one is served after the other.
pub(super) async fn turn(state: &State, brought: Brought) -> Option<OwnedSemaphorePermit> {
    if !brought.takes_turns() || !state.is(Quirk::OneRequestAtATime) {
        return None;
    }
    let turns = Arc::clone(&state.turns);
    if turns.available_permits() == 0 {
        state.fire();
    }
    turns.acquire_owned().await.ok()
}

/// The answer to notifications and responses.
pub(super) fn accepted(shared: &Shared, is_response: bool) -> Answer {
    let state = &shared.state;
    if (is_response && state.shows(Quirk::Response200)) || state.shows(Quirk::Notification200) {
        Answer::empty(StatusCode::OK)
    } else if state.shows(Quirk::Notification204) {
        Answer::empty(StatusCode::NO_CONTENT)
    } else if state.shows(Quirk::Notification200WithBody) {
        Answer::new(StatusCode::OK, JSON, Body::whole("{}"))
    } else {
        Answer::empty(StatusCode::ACCEPTED)
    }
}

/// The answer that is an event stream.
pub(super) fn stream(body: Body) -> Answer {
    let mut answer = Answer::new(StatusCode::OK, Some("text/event-stream"), body);
    let no_cache = HeaderValue::from_static("no-cache");
    answer
        .response
        .headers_mut()
        .insert(CACHE_CONTROL, no_cache);
    answer
}

async fn get(shared: &Arc<Shared>, headers: &HeaderMap) -> Result<Answer, Refused> {
    let state = &shared.state;
    if state.shows(Quirk::GetHangs) {
        return std::future::pending().await;
    }
    if state.shows(Quirk::NoGetStream) {
        return Err(not_allowed("POST, DELETE").into());
    }
    if state.shows(Quirk::Get404) {
        return Err(refusal(StatusCode::NOT_FOUND, "there is nothing at this path").into());
    }
    if state.shows(Quirk::Get200Json) {
        let body = Body::whole(r#"{"status":"ok"}"#);
        return Ok(Answer::new(StatusCode::OK, JSON, body));
    }
    if !gate::accepts(headers, "text", "event-stream") {
        let why = "Accept lists text/event-stream";
        return Err(refusal(StatusCode::NOT_ACCEPTABLE, why).into());
    }
    let session = find(shared, headers).map_err(Missing::into_answer)?;
    gate::check_version(state, headers, Some(&session))?;
    let last = headers.get(LAST_EVENT_ID);
    let last = last.filter(|_| !state.shows(Quirk::IgnoresLastEventId));
    let mut streams = session.streams();
    // An id that is none of ours, or too old, is as none: the stream begins anew.
    let resumed = last.and_then(|id| streams.resume(id.to_str().ok()?));
    let body = resumed.unwrap_or_else(|| streams.open(None));
    drop(streams);
    Ok(stream(body).within(&session))
}

async fn delete(shared: &Arc<Shared>, headers: &HeaderMap) -> Result<Answer, Refused> {
    let state = &shared.state;
    if state.shows(Quirk::Delete405) || is_stateless(shared) {
        return Err(not_allowed("GET, POST").into());
    }
    let session = find(shared, headers).map_err(Missing::into_answer)?;
    gate::check_version(state, headers, Some(&session))?;
    if state.shows(Quirk::CrashesOnDelete) {
        state.die();
        return Err(Refused::Closed);
    }
    if state.shows(Quirk::HangsOnDelete) {
        state.hang();
        return std::future::pending().await;
    }
    if session.streams().has_open() {
        state.ended_in_flight();
    }
    if !state.shows(Quirk::KeepsDeletedSession) {
        shared.sessions.end(&session);
    }
    let status = if state.shows(Quirk::Delete204) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::OK
    };
    Ok(Answer::empty(status).within(&session))
}

/// The answer of a framework whose application is lost.
fn out_of_order() -> Answer {
    let body = Body::whole("Internal Server Error");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Answer::new(status, Some("text/plain"), body)
}

/// Quirks of servers that give no session ids.
const SESSIONLESS: [Quirk; 2] = [Quirk::NoSession, Quirk::RequiresVersionHeader];

/// Whether the server gives no session ids.
fn is_stateless(shared: &Shared) -> bool {
    SESSIONLESS.into_iter().any(|quirk| shared.state.is(quirk))
}

/// Why a request is in no session.
enum Missing {
    /// It names none.
    Absent(Box<Answer>),
    /// There is none that it names.
    Unknown(Box<Answer>),
}

impl Missing {
    fn into_answer(self) -> Refused {
        let (Missing::Absent(answer) | Missing::Unknown(answer)) = self;
        answer.into()
    }
}

/// The session of a request.
fn find(shared: &Shared, headers: &HeaderMap) -> Result<Arc<HttpSession>, Missing> {
    let state = &shared.state;
    let latest = || shared.sessions.latest(true);
    let mut ids = headers.get_all(SESSION).iter();
    let named = ids.next().filter(|_| !is_stateless(shared));
    let Some(id) = named else {
        let is_taken = is_stateless(shared) || state.is(Quirk::AcceptsMissingSession);
        if is_taken && let Some(session) = latest() {
            state.fire();
            return Ok(session);
        }
        let status = if state.shows(Quirk::MissingSession404) {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::BAD_REQUEST
        };
        return Err(Missing::Absent(refusal(
            status,
            "Mcp-Session-Id is missing",
        )));
    };
    if ids.next().is_some() {
        let why = "a request has one Mcp-Session-Id";
        return Err(Missing::Unknown(refusal(StatusCode::BAD_REQUEST, why)));
    }
    let id = id.to_str().unwrap_or_default();
    let found = shared.sessions.find(id, Shape::Streamable);
    let found =
        found.filter(|found| !(found.is_initialized() && state.shows(Quirk::ForgetsSession)));
    if let Some(session) = found {
        return Ok(session);
    }
    let has_ended = shared.sessions.has_ended(id);
    if !has_ended
        && state.is(Quirk::AcceptsUnknownSession)
        && let Some(session) = latest()
    {
        state.fire();
        return Ok(session);
    }
    let is_bad_request = (has_ended && state.shows(Quirk::DeletedSession400))
        || (!has_ended && state.shows(Quirk::UnknownSession400));
    let status = if is_bad_request {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::NOT_FOUND
    };
    Err(Missing::Unknown(refusal(
        status,
        "there is no such session",
    )))
}
