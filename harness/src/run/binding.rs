//! Which binding an address speaks, found out by the rule that lets a client reach servers of either kind.
//!
//! ```text
//! POST initialize -> 2xx ------------------------------------------------> Streamable HTTP
//!                 -> 400, 404, 405 -> GET -> `endpoint` as first event ---> HTTP+SSE
//!                                         -> anything else ---------------> neither
//!                 -> anything else ---------------------------------------> neither
//! ```
//!
//! **Source**: `2025-11-25/basic/transports#backwards-compatibility`.

use crate::era::Manner;
use bytes::Bytes;
use mcp_assay_model::protocol::Revision;
use mcp_assay_transport::http::{Client, Settings, What};
use mcp_assay_wire::http::End;
use mcp_assay_wire::jsonrpc::RawId;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a server may take to end the MCP session that finding out has begun; whether it does so is for the cards to judge.
const FAREWELL: Duration = Duration::from_secs(1);

/// What an address speaks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE of 2024-11-05.
    HttpSse,
    /// None that can be told; the words of a server may be in it.
    Neither {
        /// Status of the answer to POST, where there was one.
        status: Option<u16>,
        /// A fragment: what was done and what came.
        why: String,
    },
}

/// How a request went, as far as it matters here.
enum Went {
    /// A response that is no redirect.
    Status(u16),
    /// No response, or none to the end of the redirects; a fragment that follows "the request".
    Failed(String),
}

/// Finds out on clients that nothing else uses. `revision` is the one that is offered; `patience` bounds everything together.
pub async fn find_binding(
    settings: &Arc<Settings>,
    revision: Revision,
    patience: Duration,
) -> Found {
    let deadline = Instant::now() + patience;
    let mut client = Client::streamable(Arc::clone(settings));
    let status = match post(&mut client, revision, deadline, patience).await {
        Went::Status(200..=299) => {
            end_session(&mut client).await;
            return Found::Http;
        }
        Went::Status(status @ (400 | 404 | 405)) => status,
        Went::Status(status) => {
            let why = format!("POST of `initialize` was answered with status {status}");
            return Found::Neither {
                status: Some(status),
                why,
            };
        }
        Went::Failed(why) => {
            let why = format!("POST of `initialize` {why}");
            return Found::Neither { status: None, why };
        }
    };
    // The first client's sockets are of no use to the second.
    drop(client);
    match first_event(settings, deadline, patience).await {
        Ok(()) => Found::HttpSse,
        Err(why) => {
            let why = format!(
                "POST of `initialize` was answered with status {status}, which Streamable HTTP does not do, and GET {why}, which HTTP+SSE does not do"
            );
            Found::Neither {
                status: Some(status),
                why,
            }
        }
    }
}

async fn post(
    client: &mut Client,
    revision: Revision,
    deadline: Instant,
    patience: Duration,
) -> Went {
    let message = Manner::new(revision).opening(&RawId("1".to_owned()));
    let exchange = client.post(Bytes::from(message)).exchange;
    response(client, exchange, deadline, patience).await
}

/// The first response of an exchange that is no redirect.
async fn response(
    client: &mut Client,
    exchange: u64,
    deadline: Instant,
    patience: Duration,
) -> Went {
    let mut redirect = None;
    while let Some(arrival) = client.next(deadline).await {
        if arrival.exchange != exchange {
            continue;
        }
        match arrival.what {
            What::Head { status, .. } if (300..400).contains(&status) => redirect = Some(status),
            What::Head { status, .. } => return Went::Status(status),
            What::Refused(why) => return Went::Failed(format!("was not sent: {why}")),
            What::End(end) => {
                return Went::Failed(match (redirect, end) {
                    (Some(status), End::Complete | End::Closed) => {
                        format!("was redirected with status {status}, and that was not followed")
                    }
                    (Some(status), End::Cut(why) | End::Failed(why)) => {
                        format!("was redirected with status {status}: {why}")
                    }
                    (None, End::Cut(why) | End::Failed(why)) => format!("got no response: {why}"),
                    (None, End::Complete | End::Closed) => "got no response".to_owned(),
                });
            }
            What::Body { .. } | What::Event(_) => {}
        }
    }
    Went::Failed(format!(
        "got no response within {} s",
        patience.as_secs_f64()
    ))
}

/// Waits for the event that begins HTTP+SSE.
///
/// **Errors**: what came in its place, as a fragment that follows "GET".
async fn first_event(
    settings: &Arc<Settings>,
    deadline: Instant,
    patience: Duration,
) -> Result<(), String> {
    // It opens the stream by itself, as its first exchange.
    let mut client = Client::http_sse(Arc::clone(settings));
    match response(&mut client, 1, deadline, patience).await {
        Went::Status(200..=299) => {}
        Went::Status(status) => return Err(format!("was answered with status {status}")),
        Went::Failed(why) => return Err(why),
    }
    while let Some(arrival) = client.next(deadline).await {
        match arrival.what {
            // A block that a browser would not dispatch, such as a comment, is no event.
            What::Event(event) if !event.is_dispatched() => {}
            What::Event(event) if event.kind() == "endpoint" => return Ok(()),
            What::Event(event) => {
                let kind: String = event.kind().chars().take(40).collect();
                return Err(format!("brought an event `{kind}` first"));
            }
            What::Body { .. } => return Err("brought no event stream".to_owned()),
            What::End(End::Cut(why)) => {
                return Err(format!("was cut before its first event: {why}"));
            }
            What::End(_) => return Err("ended before its first event".to_owned()),
            What::Head { .. } | What::Refused(_) => {}
        }
    }
    Err(format!(
        "brought no event within {} s",
        patience.as_secs_f64()
    ))
}

/// Ends the session that the answer to `initialize` began, so that finding out leaves nothing behind.
async fn end_session(client: &mut Client) {
    if client.session().is_none() {
        return;
    }
    let exchange = client.delete().exchange;
    let until = Instant::now() + FAREWELL;
    while let Some(arrival) = client.next(until).await {
        let is_over = matches!(arrival.what, What::End(_) | What::Refused(_));
        if arrival.exchange == exchange && is_over {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
