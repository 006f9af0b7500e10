//! One HTTP exchange: from the request to the head of its response, and what a fault of heads makes of it.

use super::body::Body;
use super::sessions::HttpSession;
use super::state::State;
use super::{Closed, Shared, endpoint, gate, http_sse, strike};
use crate::error::RpcError;
use crate::fault::quirk::Quirk;
use crate::outgoing::Outgoing;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use mcp_assay_model::protocol::Era;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a body that are read.
const LONGEST_BODY: usize = 4 << 20;

/// How late the heads are of a server with slow heads.
const SLOW_HEAD: Duration = Duration::from_secs(3);

/// An answer on its way out.
pub(super) struct Answer {
    /// Head and body.
    pub response: Response<Body>,
    /// The session that it belongs to.
    pub session: Option<Arc<HttpSession>>,
    /// Whether a fault aimed at a reply in it strikes it.
    pub is_struck: bool,
}

/// What else can become of a request than a lawful answer.
pub(super) enum Refused {
    /// It is answered so.
    Answered(Box<Answer>),
    /// The socket closes.
    Closed,
}

impl From<Box<Answer>> for Refused {
    fn from(answer: Box<Answer>) -> Self {
        Refused::Answered(answer)
    }
}

impl Answer {
    /// A status, and a body of this media type if it has any bytes.
    pub fn new(status: StatusCode, media_type: Option<&'static str>, body: Body) -> Self {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        if let Some(media_type) = media_type {
            let media_type = HeaderValue::from_static(media_type);
            response.headers_mut().insert(CONTENT_TYPE, media_type);
        }
        Answer {
            response,
            session: None,
            is_struck: false,
        }
    }

    /// A status alone.
    pub fn empty(status: StatusCode) -> Self {
        Answer::new(status, None, Body::empty())
    }

    /// The same, in a session.
    pub fn within(self, session: &Arc<HttpSession>) -> Self {
        Answer {
            session: Some(Arc::clone(session)),
            ..self
        }
    }
}

/// A refusal by the HTTP layer, with a JSON-RPC error that has no id.
pub(super) fn refusal(status: StatusCode, why: &str) -> Box<Answer> {
    error(status, RpcError::invalid_request(why))
}

/// The same for any error.
pub(super) fn error(status: StatusCode, error: RpcError) -> Box<Answer> {
    let text = Outgoing::reply_to_none(None, error).json.to_text();
    let body = Body::whole(text);
    Box::new(Answer::new(status, Some("application/json"), body))
}

/// The answer to a method that a path does not have.
pub(super) fn not_allowed(allowed: &'static str) -> Box<Answer> {
    let why = "this method is not allowed here";
    let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, why);
    let allowed = HeaderValue::from_static(allowed);
    answer.response.headers_mut().insert(ALLOW, allowed);
    answer
}

/// The answer to what is no JSON-RPC message, with this lawful body.
pub(super) fn malformed(state: &State, body: Body) -> Result<Answer, Refused> {
    let json = Some("application/json");
    if state.shows(Quirk::MalformedClosesSocket) {
        return Err(Refused::Closed);
    }
    if state.shows(Quirk::HtmlErrorForMalformed) {
        let page = Body::whole("<!DOCTYPE html><title>Error</title><pre>Bad Request</pre>\n");
        let html = Some("text/html; charset=utf-8");
        return Ok(Answer::new(StatusCode::BAD_REQUEST, html, page));
    }
    let status = if state.shows(Quirk::Malformed500) {
        StatusCode::INTERNAL_SERVER_ERROR
    } else if state.shows(Quirk::Malformed200) {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok(Answer::new(status, json, body))
}

/// Reads the body of a request.
///
/// **Errors**: the answer to one that is too long; none to one that breaks off.
pub(super) async fn read_body(body: Incoming) -> Result<Bytes, Refused> {
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let why = "the body is longer than 4 MiB";
            Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, why).into())
        }
        Err(_) => Err(Refused::Closed),
    }
}

/// Answers a request.
///
/// **Errors**: where the socket is to close without an answer.
pub(super) async fn answer(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Closed> {
    let state = &shared.state;
    let (parts, body) = request.into_parts();
    let strike = strike::Strike::on(shared, &parts);
    let answered = if state.is_hung() {
        // What is sent is read, as a process reads that hangs in one of its tasks.
        drop(read_body(body).await);
        std::future::pending().await
    } else {
        route(shared, &parts, body).await
    };
    let answer = match answered {
        Ok(answer) => answer,
        Err(Refused::Answered(answer)) => *answer,
        Err(Refused::Closed) => return Err(Closed),
    };
    if state.is_hung() {
        std::future::pending::<()>().await;
    }
    if state.shows(Quirk::SlowHead) {
        tokio::time::sleep(SLOW_HEAD).await;
    }
    strike.apply(shared, answer).await
}

async fn route(shared: &Arc<Shared>, parts: &Parts, body: Incoming) -> Result<Answer, Refused> {
    gate::admit(&shared.state, parts)?;
    let is_legacy = shared.state.offer.has(Era::Legacy);
    match parts.uri.path() {
        "/mcp" => endpoint::answer(shared, parts, body).await,
        "/sse" if is_legacy => http_sse::listen(shared, parts),
        "/messages" if is_legacy => http_sse::post(shared, parts, body).await,
        _ => Err(refusal(StatusCode::NOT_FOUND, "there is nothing at this path").into()),
    }
}
