//! One exchange: a request, the redirects it is sent through, and everything that comes back, up to its one end.
//!
//! ```text
//! drive: address known -> converse -> redirect? -> converse ... -> End | Refused
//! converse: socket (idle or new) -> our bytes out, beside hyper's response in -> Head, then Body or Events
//! ```

use super::by_hand::Plan;
use super::endpoint::Endpoint;
use super::output::Output;
use super::redirect::{self, Redirect};
use super::socket::{Pool, Socket};
use super::tee::Shared;
use super::{Body, Settings, What, trouble};
use crate::http_sse::Router;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::sse;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

/// Bodies up to this size leave in one write with their head, as servers are used to see them.
const ONE_WRITE: usize = 64 * 1024;

/// An exchange that is about to begin.
pub(super) struct Exchange {
    pub(super) plan: Plan,
    /// Where it goes; `None` where the endpoint event says so.
    pub(super) to: Option<Endpoint>,
    /// The router of HTTP+SSE, where it is that transport.
    pub(super) router: Option<Router>,
    pub(super) settings: Arc<Settings>,
    pub(super) pool: Arc<Pool>,
    pub(super) output: Output,
}

/// What came of a request to one address.
enum Outcome {
    Ended(What),
    Redirected(Endpoint),
    /// The idle socket it was put on had been closed meanwhile.
    Stale,
}

/// What came of reading a response.
enum Read {
    /// Everything is as the framing says, so that the socket can be used again.
    Whole,
    Ended(End),
    Redirected(Box<Endpoint>),
    /// There was no response.
    Nothing(hyper::Error),
}

impl Exchange {
    /// Runs it, until it ends by itself or is closed.
    pub(super) async fn run(self, closed: oneshot::Receiver<()>) {
        let is_stream = self.plan.method == "GET" && !self.plan.is_by_hand;
        let end = tokio::select! {
            biased;
            _ = closed => What::End(End::Closed),
            end = self.drive() => end,
        };
        self.output.send(Instant::now(), end).await;
        if let Some(router) = self.router.filter(|_| is_stream) {
            router.stream_ended();
        }
    }

    async fn drive(&self) -> What {
        let mut to = match (&self.to, &self.router) {
            (Some(to), _) => to.clone(),
            (None, Some(router)) => match router.known().await {
                Ok(to) => to,
                Err(why) => return What::Refused(why),
            },
            (None, None) => self.settings.endpoint.clone(),
        };
        let mut hops = 0;
        loop {
            match self.attempt(&to, hops).await {
                Outcome::Redirected(next) => (to, hops) = (next, hops + 1),
                Outcome::Ended(what) => return what,
                Outcome::Stale => unreachable!("an attempt tries again on a socket that is new"),
            }
        }
    }

    async fn attempt(&self, to: &Endpoint, hops: u32) -> Outcome {
        let head = self
            .plan
            .head(&self.settings.endpoint, to, &self.settings.headers);
        if !self.plan.is_by_hand
            && let Some(socket) = self.pool.idle(to).await
        {
            match self.converse(socket, &head, to, hops).await {
                Outcome::Stale => {}
                outcome => return outcome,
            }
        }
        match self.pool.open(to).await {
            Ok(socket) => self.converse(socket, &head, to, hops).await,
            Err(error) => {
                let why = trouble::io_error(&error);
                Outcome::Ended(match hops {
                    0 => What::Refused(why),
                    // Something came before, so this is the end of an exchange and not of the attempt to begin one.
                    _ => What::End(End::Failed(format!("redirected to {}: {why}", to.url()))),
                })
            }
        }
    }

    async fn converse(&self, mut socket: Socket, head: &Head, to: &Endpoint, hops: u32) -> Outcome {
        let seen = socket.seen.clone();
        seen.lock().begin();
        let response = socket.sender.send_request(self.stand_in());
        let reading = Reading {
            exchange: self,
            seen: &seen,
            number: socket.number,
            to,
            hops,
        };
        let (read, written) = {
            let to_socket = &mut socket.write;
            let mut writing = pin!(async {
                seen.expected().await;
                write(to_socket, &head.raw, &self.plan.body).await
            });
            let mut reading = pin!(async {
                match response.await {
                    Ok(response) => reading.take(response).await,
                    Err(error) => Read::Nothing(error),
                }
            });
            let mut written = None;
            // Both at once: a response may come before its request is sent whole, and then it is the end of the exchange.
            let read = loop {
                tokio::select! {
                    biased;
                    read = &mut reading => break read,
                    result = &mut writing, if written.is_none() => written = Some(result),
                }
            };
            (read, written)
        };
        match read {
            Read::Ended(end) => Outcome::Ended(What::End(end)),
            Read::Redirected(next) => Outcome::Redirected(*next),
            Read::Whole => {
                if matches!(written, Some(Ok(()))) && !self.plan.is_by_hand {
                    self.pool.put_back(socket);
                }
                Outcome::Ended(What::End(End::Complete))
            }
            Read::Nothing(error) => {
                let seen = seen.lock();
                if socket.is_reused && seen.came == 0 {
                    return Outcome::Stale;
                }
                let write_error = written.and_then(Result::err);
                let why = trouble::no_response(&error, &seen, write_error.as_ref());
                Outcome::Ended(What::End(End::Failed(why)))
            }
        }
    }

    /// The request that hyper takes for the one we write: only its method counts, for the framing of the response.
    fn stand_in(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() =
            Method::from_bytes(self.plan.method.as_bytes()).unwrap_or(Method::GET);
        request
    }
}

async fn write(to: &mut (impl AsyncWrite + Unpin), head: &Bytes, body: &Body) -> io::Result<()> {
    match body {
        Body::None => to.write_all(head).await?,
        Body::Whole(bytes) if bytes.len() <= ONE_WRITE => {
            let mut both = BytesMut::with_capacity(head.len() + bytes.len());
            both.extend_from_slice(head);
            both.extend_from_slice(bytes);
            to.write_all(&both).await?;
        }
        Body::Whole(bytes) => {
            to.write_all(head).await?;
            to.write_all(bytes).await?;
        }
        Body::Slow(parts) => {
            to.write_all(head).await?;
            for (pause, bytes) in parts {
                to.flush().await?;
                sleep(*pause).await;
                to.write_all(bytes).await?;
            }
        }
    }
    to.flush().await
}

/// A response that is being read.
struct Reading<'a> {
    exchange: &'a Exchange,
    seen: &'a Shared,
    number: u64,
    to: &'a Endpoint,
    hops: u32,
}

impl Reading<'_> {
    async fn take(self, response: Response<Incoming>) -> Read {
        let at = Instant::now();
        let status = response.status().as_u16();
        let head = self.seen.lock().take_head();
        let redirect = redirect::of(&self.exchange.settings.endpoint, self.to, status, &head);
        let is_stream = (200..300).contains(&status)
            && head.media_type().as_deref() == Some("text/event-stream");
        let promised = promised_length(&self.exchange.plan.method, status, &head);
        let what = What::Head {
            head,
            status,
            socket: self.number,
        };
        self.exchange.output.send(at, what).await;
        let failed = |why| Read::Ended(End::Failed(why));
        match redirect {
            None if is_stream => self.events(response.into_body(), promised).await,
            None => self.body(response.into_body(), promised).await,
            Some(Redirect::Refused(why)) => failed(why),
            Some(Redirect::To(next)) if self.hops == redirect::MAX_HOPS => failed(format!(
                "redirected more than {} times, at last to {}",
                redirect::MAX_HOPS,
                next.url()
            )),
            Some(Redirect::To(next)) => Read::Redirected(Box::new(next)),
        }
    }

    async fn body(self, mut body: Incoming, promised: Option<u64>) -> Read {
        let bounds = self.exchange.settings.bounds;
        let mut kept = BytesMut::new();
        let mut length = 0u64;
        let mut is_cut = false;
        let read = loop {
            match body.frame().await {
                None => break self.whole(length, promised),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    length += data.len() as u64;
                    if length <= bounds.frame.max_frame as u64 {
                        kept.extend_from_slice(&data);
                    } else if length > bounds.body_read {
                        let read = format!(
                            "a body of more than {} bytes is not read on",
                            bounds.body_read
                        );
                        break cut(read);
                    } else if kept.len() > bounds.frame.kept_of_oversized {
                        // What the bound cuts off is let go at once, not when the body ends.
                        kept = BytesMut::from(&kept[..bounds.frame.kept_of_oversized]);
                    } else {
                        let room = bounds.frame.kept_of_oversized - kept.len();
                        kept.extend_from_slice(&data[..data.len().min(room)]);
                    }
                }
                Some(Err(error)) => {
                    is_cut = true;
                    break self.broken(&error, length, promised);
                }
            }
        };
        if length > 0 {
            let bytes = kept.freeze();
            let what = What::Body {
                bytes,
                length,
                is_cut,
            };
            self.exchange.output.send(Instant::now(), what).await;
        }
        read
    }

    async fn events(self, mut body: Incoming, promised: Option<u64>) -> Read {
        let mut parser = sse::Parser::new(self.exchange.settings.bounds.frame);
        let mut length = 0;
        let read = loop {
            match body.frame().await {
                None => break self.whole(length, promised),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    let at = Instant::now();
                    length += data.len() as u64;
                    let mut rest = data.as_ref();
                    while let Some(event) = parser.next_event(&mut rest) {
                        self.event(at, event).await;
                    }
                }
                Some(Err(error)) => break self.broken(&error, length, promised),
            }
        };
        if let Some(event) = parser.finish() {
            self.event(Instant::now(), event).await;
        }
        read
    }

    async fn event(&self, at: Instant, event: sse::Event) {
        let endpoint = self.exchange.router.as_ref();
        let endpoint =
            endpoint.filter(|_| event.is_terminated && event.name.as_deref() == Some("endpoint"));
        let news = endpoint.map(|router| (router, event.data.clone()));
        self.exchange.output.send(at, What::Event(event)).await;
        if let Some((router, data)) = news {
            router.learn(&self.exchange.settings.endpoint, data.as_deref());
        }
    }

    /// A body that is whole, unless bytes came after it: then its length is wrong, and what follows is no response either.
    fn whole(&self, length: u64, promised: Option<u64>) -> Read {
        let came = self.seen.lock().after_head;
        match promised {
            Some(_) if came > length => cut(format!(
                "{} bytes came after the {length} bytes of the body",
                came - length
            )),
            Some(_) | None => Read::Whole,
        }
    }

    fn broken(&self, error: &hyper::Error, length: u64, promised: Option<u64>) -> Read {
        let seen = self.seen.lock();
        cut(trouble::broken_body(error, &seen, length, promised))
    }
}

fn cut(why: String) -> Read {
    Read::Ended(End::Cut(why))
}

/// The length that the body must have, where neither chunks nor the end of the connection frame it.
fn promised_length(method: &str, status: u16, head: &Head) -> Option<u64> {
    if method == "HEAD" || [204, 304].contains(&status) {
        return Some(0);
    }
    if head.values("transfer-encoding").next().is_some() {
        return None;
    }
    head.value("content-length")?.parse().ok()
}
