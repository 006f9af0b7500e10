//! What comes from the target: frames, events and bodies become entries, responses find their request, requests are answered.

use super::exchanges::{MOST_AT_ONCE, Purpose};
use super::{Conversation, Ended, FLOOD_ENTRIES, FLOOD_KEPT, SentIndex, Waited};
use crate::script::attribution::{SentState, answered_by};
use crate::target::Link;
use bytes::Bytes;
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_transport::connection::Arrival;
use mcp_assay_transport::http::{self, What};
use mcp_assay_wire::http::End;
use mcp_assay_wire::jsonrpc::{Examined, Kind, Malformed, Message, examine};
use mcp_assay_wire::raw;
use mcp_assay_wire::sse;
use mcp_assay_wire::stdio::{Defect, DefectKind, Frame};
use std::time::Duration;
use tokio::time::Instant;

/// A deadline that is noticed this much later shows that we were held up: by a machine with too much to do, or one that was stopped.
const HELD_UP: Duration = Duration::from_millis(250);
const LONGEST_REPRIEVE: Duration = Duration::from_secs(30);

impl Conversation {
    /// Takes the next thing that comes before `deadline`, or resumes a stream whose time has come; `false` where nothing did.
    ///
    /// Where we could not run ourselves, the time is given again, once: what came meanwhile lies unread, and whatever held us up may have held
    /// up the target.
    pub(super) async fn take_next(&mut self, deadline: Instant) -> bool {
        let began = Instant::now();
        let deadline = deadline.max(self.reprieve);
        let came = self.take_before(deadline).await;
        let late = deadline.max(began).elapsed();
        if late >= HELD_UP {
            self.reprieve = Instant::now() + late.min(LONGEST_REPRIEVE);
        }
        came || late >= HELD_UP && self.take_before(self.reprieve).await
    }

    async fn take_before(&mut self, deadline: Instant) -> bool {
        let until = self
            .exchanges
            .due()
            .map_or(deadline, |due| due.min(deadline));
        match &mut self.link {
            Link::Pipes(connection) => match connection.next(until).await {
                Some((arrival, at)) => self.take(arrival, at),
                None => return false,
            },
            Link::Http(client, _) => match client.next(until).await {
                Some(arrival) => self.take_http(arrival),
                None if until < deadline => self.resume_due(),
                None => return false,
            },
        }
        true
    }

    fn take(&mut self, arrival: Arrival, at: Instant) {
        if self.ended.as_ref().is_some_and(|ended| ended.flood) {
            return;
        }
        match arrival {
            Arrival::Frame(frame) => self.take_frame(frame, at),
            Arrival::Stderr(bytes) => {
                self.push(Entry {
                    at: at - self.started,
                    length: bytes.len() as u64,
                    raw: bytes,
                    ..self.blank(Direction::Received, Channel::Stderr)
                });
            }
            Arrival::StdoutEnded => {
                let exit = match &self.link {
                    Link::Pipes(connection) => connection.process().has_exited(),
                    Link::Http(..) => None,
                };
                self.end(Ended {
                    after: self.last_seq(),
                    exit,
                    why: None,
                    flood: false,
                });
            }
        }
    }

    fn end(&mut self, ended: Ended) {
        self.ended.get_or_insert(ended);
    }

    fn take_frame(&mut self, frame: Frame, at: Instant) {
        self.receive(Entry {
            at: at - self.started,
            raw: frame.raw,
            length: frame.length,
            terminator: Some(frame.terminator),
            message: frame.message,
            defects: frame.defects,
            ..self.blank(Direction::Received, self.lines().1)
        });
        self.stop_flood();
    }

    fn stop_flood(&mut self) {
        if self.entries().len() <= FLOOD_ENTRIES {
            return;
        }
        // The beginning shows what it is; all of it, for every case, would fill the record.
        self.transcript.truncate(FLOOD_KEPT);
        let last = self.last_seq();
        self.sent
            .iter_mut()
            .for_each(|state| state.sent.replies.retain(|seq| *seq <= last));
        self.ended = Some(Ended {
            after: last,
            exit: None,
            why: None,
            flood: true,
        });
    }

    fn take_http(&mut self, arrival: http::Arrival) {
        let number = arrival.exchange;
        // What still comes of an earlier case on this connection says nothing about this one.
        let is_flood = self.ended.as_ref().is_some_and(|ended| ended.flood);
        if is_flood || self.exchanges.get(number).is_none() {
            return;
        }
        let blank = |conversation: &Self, channel: Channel, part: HttpPart| Entry {
            at: arrival.at.saturating_duration_since(conversation.started),
            http: Some(Http {
                exchange: number,
                part,
            }),
            ..conversation.blank(Direction::Received, channel)
        };
        match arrival.what {
            What::Head {
                head,
                status,
                socket,
            } => {
                let is_stream = (200..300).contains(&status)
                    && head.media_type().as_deref() == Some("text/event-stream");
                let part = HttpPart::Response {
                    status,
                    head,
                    socket,
                };
                let seq = self.push(blank(self, Channel::Http, part));
                if let Some(exchange) = self.exchanges.get_mut(number) {
                    exchange.head = Some(seq);
                    exchange.status = Some(status);
                    exchange.is_stream = is_stream;
                }
            }
            What::Body {
                bytes,
                length,
                is_cut,
            } => {
                let entry = blank(self, Channel::Http, HttpPart::Body);
                let (message, defects) = if length > bytes.len() as u64 {
                    (None, vec![oversized(length)])
                } else if is_cut {
                    // To a client that reads it whole it is no response, even if all of the JSON is there.
                    (None, Vec::new())
                } else {
                    read(&bytes, 0)
                };
                self.receive(Entry {
                    raw: bytes,
                    length,
                    message,
                    defects,
                    ..entry
                });
            }
            What::Event(event) => {
                self.exchanges
                    .heard(number, event.id.as_deref(), event.retry);
                let is_answered = self
                    .exchanges
                    .about(number)
                    .is_some_and(|index| !self.is_reply_due(index));
                let is_flood = self.exchanges.count(number, is_answered);
                let entry = blank(self, Channel::Sse, part(&event));
                self.take_event(entry, event);
                // Where all comes on one stream, it counts as all of the target's output does.
                if is_flood && self.has_exchanges() {
                    self.close_exchange(number);
                }
            }
            What::End(end) => {
                let is_stream = self.exchanges.get(number).is_some_and(|it| it.is_stream);
                if is_stream || end != End::Complete {
                    let entry = blank(self, channel(is_stream), HttpPart::End(end.clone()));
                    self.push(entry);
                }
                self.exchange_over(number, &end);
            }
            What::Refused(why) => {
                let part = HttpPart::End(End::Failed(why.clone()));
                let entry = blank(self, Channel::Http, part);
                self.push(entry);
                self.exchange_over(number, &End::Failed(why.clone()));
                let after = self.last_seq();
                self.end(Ended {
                    after,
                    exit: None,
                    why: Some(format!("takes no connections: {why}")),
                    flood: false,
                });
            }
        }
        self.stop_flood();
    }

    fn exchange_over(&mut self, number: u64, end: &End) {
        let is_waited_for = match self.exchanges.about(number) {
            Some(index) => self.is_reply_due(index),
            // The server's own stream, where it is one that can be taken up.
            None => self.has_exchanges(),
        };
        // Streams of the modern era cannot be taken up again.
        let is_waited_for = is_waited_for && !self.manner.is_modern();
        let is_ours = matches!(end, End::Closed);
        self.exchanges
            .over(number, is_waited_for && !is_ours, Instant::now());
        let is_lifeline = self.exchanges.get(number).map(|it| it.purpose) == Some(Purpose::Listens);
        if is_lifeline && !self.has_exchanges() {
            // Over HTTP+SSE everything comes on the one stream.
            let after = self.last_seq();
            let why = match end {
                End::Complete => "its event stream ended".to_owned(),
                End::Closed => "its event stream was closed by us".to_owned(),
                End::Cut(why) | End::Failed(why) => format!("its event stream broke off: {why}"),
            };
            self.end(Ended {
                after,
                exit: None,
                why: Some(why),
                flood: false,
            });
        }
    }

    /// Whether something that a sent message asks for has not come; of a batch, one of its items.
    fn is_reply_due(&self, index: SentIndex) -> bool {
        let is_due = |state: &SentState| state.answerable && state.sent.replies.is_empty();
        let whole = &self.sent[index.0];
        let items = self.sent[index.0 + 1..].iter();
        let mut items = items
            .filter(|state| state.answerable && state.sent.exchange == whole.sent.exchange)
            .peekable();
        is_due(whole) && (items.peek().is_none() || items.any(is_due))
    }

    fn resume_due(&mut self) {
        let Some((root, id)) = self.exchanges.take_due(Instant::now()) else {
            return;
        };
        let Link::Http(client, _) = &mut self.link else {
            return;
        };
        let started = client.resume(&id);
        let number = started.exchange;
        self.record_request(Bytes::new(), None, started);
        self.exchanges.resumed(root, number);
    }

    /// Resumes the stream of a sent message after an event, and gives the number of the new exchange; `None` without HTTP.
    pub fn resume_stream(&mut self, of: SentIndex, after: &str) -> Option<u64> {
        let root = self.sent(of).exchange?;
        let Link::Http(client, _) = &mut self.link else {
            return None;
        };
        let started = client.resume(after);
        let number = started.exchange;
        self.record_request(Bytes::new(), None, started);
        self.exchanges.resumed(root, number);
        Some(number)
    }

    /// Waits until an exchange has a response head or is over.
    pub async fn wait_exchange_head(&mut self, number: u64, deadline: Instant) -> Waited<()> {
        let look = |conversation: &Self| {
            let exchange = conversation.exchanges.get(number)?;
            (exchange.head.is_some() || exchange.is_over).then_some(())
        };
        self.wait(deadline, look).await
    }

    /// Whether an exchange is over.
    pub fn is_exchange_over(&self, number: u64) -> bool {
        self.exchanges
            .get(number)
            .is_none_or(|exchange| exchange.is_over)
    }

    /// Closes an exchange from our side.
    pub fn close_exchange(&mut self, number: u64) {
        if let Link::Http(client, _) = &mut self.link {
            client.close_stream(number);
        }
    }

    fn take_event(&mut self, entry: Entry, event: sse::Event) {
        let is_message = matches!(event.name.as_deref(), None | Some("" | "message"));
        let (message, mut defects) = match &event.data {
            Some(data) if is_message && event.is_terminated && !data.is_empty() => {
                read(data, event.data_offset)
            }
            _ => (None, Vec::new()),
        };
        // Bytes that are no UTF-8 are told of once.
        let known = |kind: DefectKind, all: &[Defect]| all.iter().any(|defect| defect.kind == kind);
        let of_event = event.defects.into_iter();
        let new: Vec<Defect> = of_event
            .filter(|defect| !known(defect.kind, &defects))
            .collect();
        defects.extend(new);
        defects.sort_by_key(|defect| defect.offset);
        let (raw, length) = match event.data {
            Some(data) => {
                let length = data.len() as u64;
                (data, length)
            }
            // What was too long to be kept is shown by its beginning.
            None if known(DefectKind::Oversized, &defects) => (event.raw, event.length),
            None => (Bytes::new(), 0),
        };
        self.receive(Entry {
            length,
            raw,
            message,
            defects,
            ..entry
        });
    }

    /// Opens the stream on which the server speaks of its own accord, and waits until it stands or is refused.
    pub(super) async fn listen(&mut self) {
        let Link::Http(client, _) = &mut self.link else {
            return;
        };
        let started = client.listen();
        let number = started.exchange;
        self.record_request(Bytes::new(), None, started);
        self.exchanges.begin(number, Purpose::Listens);
        let stands = |conversation: &Self| {
            let exchange = conversation.exchanges.get(number)?;
            (exchange.head.is_some() || exchange.is_over).then_some(())
        };
        let deadline = Instant::now() + self.pace.listen();
        if let Waited::TimedOut = self.wait(deadline, stands).await {
            self.pace.listens_late();
        }
    }

    /// Waits until earlier notifications were taken: exchanges have no order of their own.
    pub(super) async fn settle_order(&mut self) {
        let look = |conversation: &Self| {
            let waits = conversation.exchanges.running().any(|(_, exchange)| {
                let Purpose::Carries(index) = exchange.purpose else {
                    return false;
                };
                let state = &conversation.sent[index.0];
                // Our answers to the target's requests have ids, and no order.
                let is_notification = !state.answerable && state.sent.method.is_some();
                exchange.head.is_none() && is_notification && !exchange.is_given_up
            });
            (!waits).then_some(())
        };
        let deadline = Instant::now() + self.pace.light();
        if let Waited::TimedOut = self.wait(deadline, look).await {
            // Once is enough: not every message after it waits again.
            let running: Vec<u64> = self.exchanges.running().map(|(number, _)| number).collect();
            for number in running {
                if let Some(exchange) = self.exchanges.get_mut(number) {
                    exchange.is_given_up = true;
                }
            }
        }
    }

    pub(super) fn receive(&mut self, mut entry: Entry) {
        let Some(message) = entry.message.clone() else {
            self.push(entry);
            return;
        };
        match message.kind {
            Kind::Result | Kind::Error | Kind::Malformed(Malformed::ResultAndError) => {
                let exchange = entry.http.as_ref().map(|http| http.exchange);
                entry.answers = self.attribute(&message, exchange);
                self.learn_version(&message, entry.answers);
                self.push(entry);
            }
            Kind::Batch => {
                let raw = entry.raw.clone();
                let whole = self.push(entry.clone());
                for (index, item) in message.batch.iter().enumerate() {
                    let text = std::str::from_utf8(&raw)
                        .ok()
                        .and_then(|text| raw::at(text, &format!("/{index}")));
                    let text = text.unwrap_or_default();
                    self.receive(Entry {
                        raw: Bytes::copy_from_slice(text.as_bytes()),
                        length: text.len() as u64,
                        message: Some(item.clone()),
                        defects: Vec::new(),
                        part_of: Some(whole),
                        ..entry.clone()
                    });
                }
            }
            Kind::Request => {
                self.push(entry);
                self.answer(&message);
            }
            Kind::Notification | Kind::Malformed(_) => {
                self.push(entry);
            }
        }
    }

    fn attribute(&mut self, response: &Message, exchange: Option<u64>) -> Option<u64> {
        let next = self.last_seq() + 1;
        let late = response.id.as_ref();
        if late.is_some_and(|id| self.past.ids.contains(id)) {
            // A late answer to an earlier case on this connection says nothing about this one.
            return None;
        }
        let exchange = exchange
            .filter(|_| self.has_exchanges())
            .map(|number| self.exchanges.root(number));
        let index = answered_by(response, &self.sent, exchange)?;
        let sent = &mut self.sent[index].sent;
        sent.replies.push(next);
        Some(sent.seq)
    }

    /// Over HTTP every request after the handshake names the revision that was settled on, from the revision on that says so.
    fn learn_version(&mut self, response: &Message, answers: Option<u64>) {
        let is_initialize = |state: &SentState| {
            Some(state.sent.seq) == answers && state.sent.method.as_deref() == Some("initialize")
        };
        let Link::Http(client, _) = &mut self.link else {
            return;
        };
        if !self.manner.is_modern() && self.sent.iter().any(is_initialize) {
            let version = response.value.pointer("/result/protocolVersion");
            // A handshake that was refused, also a second one, settles nothing.
            if let Some(version) = version.and_then(serde_json::Value::as_str) {
                // Dates compare as texts.
                client.set_version(Some(version).filter(|version| *version >= "2025-06-18"));
            }
        }
    }

    fn answer(&mut self, request: &Message) {
        let Some(id) = &request.id else { return };
        // In the modern era a server must not ask, and a client must not send responses.
        if self.manner.is_modern() {
            return;
        }
        // A target that asks without end is not given a socket for each question.
        if self.exchanges.running().count() >= MOST_AT_ONCE {
            return;
        }
        let Some(body) = self
            .answers
            .to(request.method.as_deref().unwrap_or_default())
        else {
            return;
        };
        let text = format!(r#"{{"jsonrpc":"2.0","id":{},{body}}}"#, id.0);
        let _ = self.send_now(&text);
    }
}

fn channel(is_stream: bool) -> Channel {
    if is_stream {
        Channel::Sse
    } else {
        Channel::Http
    }
}

fn part(event: &sse::Event) -> HttpPart {
    HttpPart::Event {
        name: event.name.clone(),
        id: event.id.clone(),
        retry: event.retry,
        comments: event.comments,
        has_data: event.data.is_some(),
        is_terminated: event.is_terminated,
    }
}

/// The message in a body or an event, and what is wrong with its bytes, which begin at this offset of their stream.
fn read(bytes: &[u8], offset: u64) -> (Option<Message>, Vec<Defect>) {
    let Examined { message, defects } = examine(bytes, offset);
    (message.ok(), defects)
}

fn oversized(length: u64) -> Defect {
    Defect {
        kind: DefectKind::Oversized,
        offset: 0,
        detail: format!("{length} bytes"),
    }
}
