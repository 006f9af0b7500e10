//! The HTTP+SSE transport of 2024-11-05: one stream from the server, and POSTs to the endpoint that it names.
//!
//! **Source**: `2024-11-05/basic/transports#http-with-sse`.

use super::Shared;
use super::answer::{Answer, Refused, malformed, not_allowed, read_body, refusal};
use super::body::Body;
use super::posting::{Brought, Reply};
use super::sessions::{HttpSession, Shape};
use super::{endpoint, gate};
use crate::incoming::Line;
use hyper::body::Incoming;
use hyper::header::ACCEPT;
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use std::sync::{Arc, Weak};

/// Opens a session: it lasts as long as its stream.
pub(super) fn listen(shared: &Arc<Shared>, parts: &Parts) -> Result<Answer, Refused> {
    if parts.method != Method::GET {
        return Err(not_allowed("GET").into());
    }
    // This revision asks for no Accept, but one that excludes the answer is heeded.
    let headers = &parts.headers;
    if headers.contains_key(ACCEPT) && !gate::accepts(headers, "text", "event-stream") {
        let why = "the answer is a text/event-stream";
        return Err(refusal(StatusCode::NOT_ACCEPTABLE, why).into());
    }
    let serial = shared.sessions.next_serial();
    let session = HttpSession::begin(
        &shared.state,
        &shared.options.options,
        serial,
        Shape::HttpSse,
    );
    shared.sessions.open(Arc::clone(&session));
    let place = format!("/messages?sessionId={}", session.id.replace(' ', "%20"));
    let body = session.streams().open(Some(&place));
    let guard = Leaving {
        shared: Arc::downgrade(shared),
        session: Arc::downgrade(&session),
    };
    Ok(endpoint::stream(body.guarded(guard)).within(&session))
}

/// Ends the session when its stream is dropped.
struct Leaving {
    shared: Weak<Shared>,
    session: Weak<HttpSession>,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let (Some(shared), Some(session)) = (self.shared.upgrade(), self.session.upgrade()) {
            shared.sessions.end(&session);
        }
    }
}

/// Takes a message; what is said to it goes on the stream.
pub(super) async fn post(
    shared: &Arc<Shared>,
    parts: &Parts,
    body: Incoming,
) -> Result<Answer, Refused> {
    if parts.method != Method::POST {
        return Err(not_allowed("POST").into());
    }
    gate::check_content_type(&shared.state, &parts.headers)?;
    let query = parts.uri.query().unwrap_or_default();
    let mut fields = query.split('&');
    let Some(id) = fields.find_map(|field| field.strip_prefix("sessionId=")) else {
        let why = "sessionId is missing";
        return Err(refusal(StatusCode::BAD_REQUEST, why).into());
    };
    let id = id.replace("%20", " ");
    let no_session = || refusal(StatusCode::NOT_FOUND, "there is no such session");
    let session = shared
        .sessions
        .find(&id, Shape::HttpSse)
        .ok_or_else(no_session)?;
    let body = read_body(body).await?;
    let line = Line::from_body(&body);
    let brought = Brought::by(&line);
    let answered = session.post(line, brought, None).await;
    let answered = answered.await.map_err(|_| no_session())?;
    let mut answer = match answered.what {
        Reply::Accepted => Answer::empty(StatusCode::ACCEPTED),
        Reply::Json { pieces, .. } => malformed(&shared.state, Body::of(pieces))?,
        Reply::Stream(body) => endpoint::stream(body),
    };
    answer.is_struck = answered.is_struck;
    Ok(answer.within(&session))
}
