//! What passes on TCP connections between clients and a server, read as HTTP and told apart into conversations.

use super::Heard;
use super::apart::{Ask, Asked, Talks};
use super::entries::Captured;
use super::http1::{AtEnd, Messages, What};
use bytes::Bytes;
use mcp_assay_model::record::Direction;
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::sse;
use mcp_assay_wire::stdio::Limits;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Requests of one connection that wait for their responses; clients do not pipeline, and who does is not followed beyond this.
const MOST_WAITING: usize = 256;

/// All connections.
#[derive(Debug)]
pub struct Sockets {
    talks: Talks,
    open: HashMap<u64, Socket>,
}

/// One connection.
#[derive(Debug)]
struct Socket {
    number: u64,
    client: String,
    requests: Messages,
    responses: Messages,
    /// The request that comes in.
    incoming: Option<(Head, Body)>,
    /// Requests without a final head, in order; what is no MCP keeps its place.
    waiting: VecDeque<Waiting>,
    /// The response that comes in.
    answering: Option<Answering>,
    /// Nothing is read of it any more.
    is_deaf: bool,
}

#[derive(Debug)]
struct Waiting {
    method: String,
    asked: Option<Asked>,
}

#[derive(Debug)]
struct Answering {
    asked: Option<Asked>,
    body: Body,
    events: Option<sse::Parser>,
}

/// A body that comes in.
#[derive(Debug, Default)]
struct Body {
    kept: Vec<u8>,
    length: u64,
    is_coded: bool,
}

impl Body {
    fn of(head: &Head) -> Self {
        let is_coded = head.values("content-encoding").any(|value| {
            let value = String::from_utf8_lossy(value);
            !value.trim().eq_ignore_ascii_case("identity")
        });
        Body {
            is_coded,
            ..Body::default()
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let limits = Limits::default();
        if self.length <= limits.max_frame as u64 {
            self.kept.extend_from_slice(bytes);
        } else {
            self.kept.truncate(limits.kept_of_oversized);
        }
    }

    fn capture(self, is_cut: bool) -> Captured {
        Captured {
            bytes: Bytes::from(self.kept),
            length: self.length,
            is_unreadable: is_cut || self.is_coded,
        }
    }
}

/// Who closed a connection first, as far as its exchanges are concerned.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Closed {
    /// The client.
    ByClient,
    /// The server, or the way to it; a fragment says how.
    ByServer(String),
}

impl Sockets {
    /// None so far; `target` is known to speak MCP.
    pub fn new(target: &str) -> Self {
        let mut talks = Talks::new("tap");
        if target.split('?').next().is_some_and(|path| path != "/") {
            talks.know_path("", target);
        }
        Sockets {
            talks,
            open: HashMap::new(),
        }
    }

    /// Exchanges that are no MCP.
    pub fn left_out(&self) -> u64 {
        self.talks.left_out
    }

    /// A client connected.
    pub fn opened(&mut self, number: u64, client: String) {
        let socket = Socket {
            number,
            client,
            requests: Messages::requests(),
            responses: Messages::responses(),
            incoming: None,
            waiting: VecDeque::new(),
            answering: None,
            is_deaf: false,
        };
        self.open.insert(number, socket);
    }

    /// Bytes passed.
    pub fn bytes(
        &mut self,
        (number, direction): (u64, Direction),
        bytes: &[u8],
        at: Duration,
        out: &mut Vec<Heard>,
    ) {
        let Some(socket) = self.open.get_mut(&number) else {
            return;
        };
        if socket.is_deaf {
            return;
        }
        match direction {
            Direction::Sent => socket.asks(bytes, at, &mut self.talks, out),
            Direction::Received => socket.answers(bytes, at, &mut self.talks, out),
        }
    }

    /// Bytes of a connection passed that nobody read: nothing of it can be told apart any more.
    pub fn lost(&mut self, number: u64, bytes: u64, why: &str, out: &mut Vec<Heard>) {
        let Some(socket) = self.open.get_mut(&number) else {
            return;
        };
        if !socket.is_deaf {
            socket.is_deaf = true;
            // What it would have carried next may have been a matter of any of them.
            self.talks.lost_somewhere(bytes, why, out);
        }
    }

    /// A connection is over.
    pub fn closed(&mut self, number: u64, closed: Closed, at: Duration, out: &mut Vec<Heard>) {
        let Some(mut socket) = self.open.remove(&number) else {
            return;
        };
        self.talks.forget(number);
        if !socket.is_deaf {
            socket.over(&closed, at, &mut self.talks, out);
        }
    }

    /// The listening is over.
    pub fn finish(&mut self, at: Duration, out: &mut Vec<Heard>) {
        let mut open: Vec<u64> = self.open.keys().copied().collect();
        open.sort_unstable();
        for number in open {
            // Whoever stops to listen does as a client that goes away: nobody can say how it would have gone on.
            self.closed(number, Closed::ByClient, at, out);
        }
        self.talks.finish(out);
    }
}

impl Socket {
    fn asks(&mut self, bytes: &[u8], at: Duration, talks: &mut Talks, out: &mut Vec<Heard>) {
        let mut rest = bytes;
        while let Some(step) = self.requests.step(&mut rest, &mut |_| None) {
            match step.what {
                What::Head(head) => {
                    let body = Body::of(&head);
                    self.incoming = Some((head, body));
                }
                What::Data => {
                    if let Some((_, body)) = &mut self.incoming {
                        body.add(&step.raw);
                    }
                }
                What::Framing => {}
                What::End => self.asked(false, at, talks, out),
                What::Opaque => {
                    self.deaf(bytes.len() as u64, talks, out);
                    return;
                }
            }
        }
    }

    /// The request that came in is whole, or will not be.
    fn asked(&mut self, is_cut: bool, at: Duration, talks: &mut Talks, out: &mut Vec<Heard>) {
        let Some((head, body)) = self.incoming.take() else {
            return;
        };
        let mut words = head.start.split(' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        let ask = Ask {
            at,
            socket: self.number,
            client: &self.client,
            server: "",
            head,
            line: (method.clone(), target),
            body: body.capture(is_cut),
        };
        let asked = talks.ask(ask, out);
        self.waiting.push_back(Waiting { method, asked });
        if self.waiting.len() > MOST_WAITING {
            self.deaf(0, talks, out);
        }
    }

    fn answers(&mut self, bytes: &[u8], at: Duration, talks: &mut Talks, out: &mut Vec<Heard>) {
        let mut rest = bytes;
        loop {
            if self.waiting.is_empty() && self.incoming.is_some() && !rest.is_empty() {
                // It is answered before it is whole, as with 413.
                self.asked(true, at, talks, out);
            }
            let method = self.waiting.front().map(|waiting| waiting.method.clone());
            let Some(step) = self.responses.step(&mut rest, &mut |_| method.clone()) else {
                return;
            };
            match step.what {
                What::Head(head) => {
                    let status = head.status().unwrap_or_default();
                    // A provisional head promises another.
                    if (100..200).contains(&status) && status != 101 {
                        continue;
                    }
                    let waiting = self.waiting.pop_front();
                    let mut asked = waiting.and_then(|waiting| waiting.asked);
                    let body = Body::of(&head);
                    let is_stream = asked
                        .as_mut()
                        .is_some_and(|asked| talks.head(asked, at, (status, head), out));
                    self.answering = Some(Answering {
                        asked,
                        events: (is_stream && !body.is_coded)
                            .then(|| sse::Parser::new(Limits::default())),
                        body,
                    });
                }
                What::Data => {
                    let Some(answering) = &mut self.answering else {
                        continue;
                    };
                    let Some(asked) = &answering.asked else {
                        continue;
                    };
                    match &mut answering.events {
                        Some(events) => {
                            let mut data = &step.raw[..];
                            while let Some(event) = events.next_event(&mut data) {
                                talks.event(asked, at, event, out);
                            }
                        }
                        None => answering.body.add(&step.raw),
                    }
                }
                What::Framing => {}
                What::End => self.answered(&End::Complete, at, talks, out),
                What::Opaque => {
                    self.deaf(bytes.len() as u64, talks, out);
                    return;
                }
            }
        }
    }

    /// The response that came in is over.
    fn answered(&mut self, end: &End, at: Duration, talks: &mut Talks, out: &mut Vec<Heard>) {
        let Some(Answering {
            asked,
            body,
            events,
        }) = self.answering.take()
        else {
            return;
        };
        let Some(asked) = asked else { return };
        match events {
            Some(mut events) => {
                if let Some(event) = events.finish() {
                    talks.event(&asked, at, event, out);
                }
            }
            None => {
                let is_cut = *end != End::Complete;
                talks.body(&asked, at, body.capture(is_cut), out);
            }
        }
        talks.end(&asked, at, end.clone(), out);
    }

    /// The connection is over.
    fn over(&mut self, closed: &Closed, at: Duration, talks: &mut Talks, out: &mut Vec<Heard>) {
        self.asked(true, at, talks, out);
        let end = match (self.responses.at_end(), closed) {
            (AtEnd::EndsBody, Closed::ByServer(_)) => End::Complete,
            (_, Closed::ByClient) => End::Closed,
            (_, Closed::ByServer(how)) => End::Cut(how.clone()),
        };
        self.answered(&end, at, talks, out);
        let end = match closed {
            Closed::ByClient => End::Closed,
            Closed::ByServer(how) => End::Failed(how.clone()),
        };
        for waiting in std::mem::take(&mut self.waiting) {
            if let Some(asked) = waiting.asked {
                talks.end(&asked, at, end.clone(), out);
            }
        }
    }

    /// What follows is no HTTP that we know.
    fn deaf(&mut self, bytes: u64, talks: &mut Talks, out: &mut Vec<Heard>) {
        self.is_deaf = true;
        let answering = self.answering.take().and_then(|answering| answering.asked);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let asked = answering
            .into_iter()
            .chain(waiting.filter_map(|waiting| waiting.asked));
        for asked in asked {
            talks.lost(
                &asked,
                bytes,
                "the connection speaks no HTTP that we know",
                out,
            );
        }
    }
}

#[cfg(test)]
mod tests;
