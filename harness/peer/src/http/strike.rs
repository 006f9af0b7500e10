//! Faults of HTTP heads and bodies: which response they strike, and what becomes of it.
//!
//! The nth exchange of an HTTP method is counted in its session. One that opens a session is the first of it; one that names no session
//! counts in the session opened last.

use super::answer::Answer;
use super::body::Body;
use super::sessions::Shape;
use super::{Closed, Shared};
use hyper::Response;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Fault, FaultAt};
use std::time::Duration;

/// What a fault may do to one exchange.
pub(super) struct Strike {
    /// The exchange is of the method that the fault is aimed at.
    is_aimed: bool,
    /// Its number, where its session was known when it came.
    number: Option<u32>,
}

impl Strike {
    /// Counts a request that came.
    pub fn on(shared: &Shared, parts: &Parts) -> Self {
        let planted = shared.state.planted();
        let aimed = planted.and_then(|planted| planted.at_http());
        let is_aimed = aimed.is_some_and(|(_, method)| parts.method.as_str() == method);
        let named = parts
            .headers
            .get("mcp-session-id")
            .filter(|_| is_aimed)
            .and_then(|id| shared.sessions.find(id.to_str().ok()?, Shape::Streamable));
        Strike {
            is_aimed,
            number: named.map(|session| session.count_exchange()),
        }
    }

    /// Sends the response, struck or not.
    ///
    /// **Errors**: where the fault closes the socket instead.
    pub async fn apply(self, shared: &Shared, answer: Answer) -> Result<Response<Body>, Closed> {
        let session = answer.session.or_else(|| shared.sessions.latest(false));
        let mut response = answer.response;
        let Some(planted) = shared.state.planted() else {
            return Ok(response);
        };
        let is_struck = answer.is_struck || {
            let count = || match &session {
                Some(session) => session.count_exchange(),
                None => shared.sessions.count_exchange(),
            };
            let has_session = session.is_some();
            let number = self.is_aimed.then(|| self.number.unwrap_or_else(count));
            let spoken = session.and_then(|session| session.spoken());
            let revisions =
                spoken.map_or(shared.state.offer.before_agreement(), |spoken| vec![spoken]);
            let aimed = planted.at_http().zip(number);
            aimed.is_some_and(|((at, _), number)| {
                planted.is_due(at, number, has_session) && is_within(at, &revisions)
            })
        };
        if !is_struck {
            return Ok(response);
        }
        let has_struck = match planted.fault() {
            Fault::DelayMs(ms) => {
                tokio::time::sleep(Duration::from_millis(*ms)).await;
                true
            }
            Fault::Drop => {
                planted.fire(1);
                return Err(Closed);
            }
            fault => strike(fault, &mut response),
        };
        if has_struck {
            planted.fire(1);
        }
        Ok(response)
    }
}

/// Changes a response; false where there is nothing to change.
fn strike(fault: &Fault, response: &mut Response<Body>) -> bool {
    match fault {
        Fault::Status(code) => match hyper::StatusCode::from_u16(*code) {
            Ok(status) => {
                *response.status_mut() = status;
                true
            }
            Err(_) => false,
        },
        Fault::Header(name, value) => {
            let Ok(name) = name.parse::<HeaderName>() else {
                return false;
            };
            match value {
                None => response.headers_mut().remove(name).is_some(),
                Some(value) => match HeaderValue::from_bytes(value.as_bytes()) {
                    Ok(value) => {
                        response.headers_mut().insert(name, value);
                        true
                    }
                    Err(_) => false,
                },
            }
        }
        Fault::Body(text) => {
            response.headers_mut().remove(CONTENT_LENGTH);
            *response.body_mut() = Body::whole(text.clone());
            true
        }
        Fault::Set { .. }
        | Fault::Remove { .. }
        | Fault::Replace(_)
        | Fault::Drop
        | Fault::Duplicate(_)
        | Fault::DelayMs(_)
        | Fault::Before(_)
        | Fault::Reorder
        | Fault::Raw(_)
        | Fault::Split(_)
        | Fault::Named(_) => false,
    }
}

fn is_within(at: &FaultAt, revisions: &[Revision]) -> bool {
    at.revisions.is_none_or(|(first, last)| {
        let mut all = revisions.iter();
        all.all(|revision| (first..=last).contains(revision))
    })
}
