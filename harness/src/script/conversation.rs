//! One live conversation: sends, records, attributes, answers the target's own requests, and knows when silence is silence.

mod arrivals;
mod exchanges;
mod sending;
mod sharing;

use super::answers::Answers;
use super::attribution::SentState;
use super::pace::Pace;
use super::transcript::Transcript;
use crate::era::Manner;
use crate::target::Link;
use bytes::Bytes;
use exchanges::{Exchanges, Purpose};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Channel, Direction, Entry, Missing, Past, Sent};
use mcp_assay_transport::pipes::Exit;
use mcp_assay_wire::jsonrpc::RawId;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Entries after which a conversation is given up as a flood.
pub const FLOOD_ENTRIES: usize = 100_000;
/// Entries kept of a flood, from its beginning.
const FLOOD_KEPT: usize = 1_000;

/// A live conversation over one connection.
pub struct Conversation {
    link: Link,
    binding: Binding,
    started: Instant,
    /// Label of the connection in the transcript.
    pub label: String,
    transcript: Transcript,
    sent: Vec<SentState>,
    exchanges: Exchanges,
    next_id: u64,
    written_ids: HashSet<RawId>,
    /// What earlier cases on this connection asked; no id is used again.
    past: Past,
    /// How the era has it held.
    pub manner: Manner,
    /// How the target's own requests are answered.
    pub answers: Answers,
    /// Deadlines.
    pub pace: Arc<Pace>,
    phase: Phase,
    handshake: Handshake,
    ended: Option<Ended>,
    line_open: bool,
    input_closed: bool,
    waited: Duration,
    /// Deadlines before it are over at it.
    reprieve: Instant,
}

/// What a shared connection keeps from one case to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Handshake {
    entries: usize,
    sent: usize,
    exchanges: u64,
}

/// How far the handshake is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nothing sent that opens a conversation.
    Bare,
    /// `initialize` was sent, by the card or by us.
    Opening,
    /// The handshake is complete; in the modern era, the first request answered.
    Open,
}

/// The end of the target's output, and how the process ended, where it did.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Last position before it.
    pub after: u64,
    /// The process's end; `None` where it runs on without output.
    pub exit: Option<Exit>,
    /// Why nothing more can come, where the process need not have ended: a fragment.
    pub why: Option<String>,
    /// Whether we gave up on a flood.
    pub flood: bool,
}

/// Handle of a sent message within its conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SentIndex(usize);

/// What came of waiting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Waited<T> {
    /// It came.
    Got(T),
    /// The deadline passed.
    TimedOut,
    /// Its HTTP exchange is over without it.
    Over,
    /// The target's output ended first.
    Ended,
}

/// What came of a fence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fence {
    /// Answered, at this position; the grace has passed.
    Answered(u64),
    /// No answer.
    Missing(Missing),
}

impl Conversation {
    /// Over a fresh connection. `avoid`: ids that the card writes itself.
    pub fn new(
        mut link: Link,
        binding: Binding,
        manner: Manner,
        label: &str,
        pace: Arc<Pace>,
        avoid: HashSet<RawId>,
    ) -> Self {
        if let Link::Http(client, _) = &mut link
            && manner.is_modern()
        {
            client.set_mirror(Some(Arc::clone(&manner.mirror)));
        }
        let started = match &link {
            Link::Pipes(connection) => connection.started,
            Link::Http(..) => Instant::now(),
        };
        let mut conversation = Conversation {
            link,
            binding,
            started,
            label: label.to_owned(),
            transcript: Transcript::default(),
            sent: Vec::new(),
            exchanges: Exchanges::default(),
            next_id: 1,
            written_ids: avoid,
            past: Past::default(),
            manner,
            answers: Answers::default(),
            pace,
            phase: Phase::Bare,
            handshake: Handshake::default(),
            ended: None,
            line_open: false,
            input_closed: false,
            waited: Duration::ZERO,
            reprieve: Instant::now(),
        };
        if let Link::Http(client, _) = &mut conversation.link
            && let Some(opening) = client.opening()
        {
            conversation
                .exchanges
                .begin(opening.exchange, Purpose::Listens);
            conversation.record_request(Bytes::new(), None, opening);
        }
        conversation
    }

    /// Everything so far.
    pub fn past(&self) -> &Past {
        &self.past
    }

    /// Everything sent and received in this case.
    pub fn entries(&self) -> &[Entry] {
        self.transcript.entries()
    }

    /// Gives everything so far away, of a conversation that is over.
    pub fn take_entries(&mut self) -> Vec<Entry> {
        self.transcript.take()
    }

    /// Position of the last entry; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.transcript.last_seq()
    }

    /// The state of a sent message.
    pub fn sent(&self, index: SentIndex) -> &Sent {
        &self.sent[index.0].sent
    }

    /// The first message that was sent.
    pub fn first_sent(&self) -> Option<&Sent> {
        self.sent.first().map(|state| &state.sent)
    }

    /// Marks a sent message.
    pub fn sent_mut(&mut self, index: SentIndex) -> &mut Sent {
        &mut self.sent[index.0].sent
    }

    /// The first response to a sent message.
    pub fn reply(&self, index: SentIndex) -> Option<&Entry> {
        let seq = *self.sent[index.0].sent.replies.first()?;
        self.entry(seq)
    }

    /// The entry at a position.
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        self.transcript.entry(seq)
    }

    /// An entry was read, and is not needed whole any more: its beginning is enough where memory is short.
    pub fn shed(&mut self, seq: u64) {
        self.transcript.shed(seq);
    }

    /// How far the handshake is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Binding of the connection.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// Whether each message travels in an exchange of its own, so that what was sent has no order and what came has a place.
    pub fn has_exchanges(&self) -> bool {
        self.binding == Binding::Http
    }

    /// The conversation is open. In the legacy era its notification has gone out; over HTTP that is waited for, and a stream for the server's own messages opened.
    pub async fn opened(&mut self) {
        self.phase = Phase::Open;
        if self.has_exchanges() && !self.manner.is_modern() {
            self.settle_order().await;
            self.listen().await;
        }
        self.handshake = Handshake {
            entries: self.entries().len(),
            sent: self.sent.len(),
            exchanges: self.exchanges.last(),
        };
    }

    /// The end of the target's output, where it came.
    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// Time spent waiting for the target since the last call.
    pub fn take_waited(&mut self) -> Duration {
        std::mem::take(&mut self.waited)
    }

    /// The last of the target's standard error.
    pub fn stderr_tail(&self) -> String {
        match &self.link {
            Link::Pipes(connection) => connection.stderr_tail(),
            Link::Http(_, Some(process)) => process.stderr_tail(),
            Link::Http(_, None) => String::new(),
        }
    }

    /// Ends the target's input, where it has one.
    pub fn close_stdin(&mut self) {
        if let Link::Pipes(connection) = &mut self.link {
            self.input_closed = true;
            connection.close_stdin();
        }
    }

    /// Whether a line longer than our bound came after a position. It may be any answer, and cannot be read.
    pub fn has_oversized_since(&self, seq: u64) -> bool {
        self.transcript.has_oversized_since(seq)
    }

    /// Whether a line was begun by raw bytes and not ended.
    pub fn is_line_open(&self) -> bool {
        self.line_open
    }

    /// The opening request of a conversation that is shared and open; its reply is in the transcript.
    pub fn handshake(&self) -> Option<SentIndex> {
        (self.phase == Phase::Open).then_some(SentIndex(0))
    }

    /// Whether the target's input was closed by us.
    pub fn is_input_closed(&self) -> bool {
        self.input_closed
    }

    /// Ends the connection: as a client should, or at once.
    pub async fn retire(self, orderly: bool, patience: Duration) {
        match self.link {
            Link::Pipes(connection) => {
                if orderly {
                    connection.shutdown(patience).await;
                } else {
                    connection.kill().await;
                }
            }
            Link::Http(mut client, _) => {
                // A client that is done with a session says so.
                if orderly && client.session().is_some() {
                    let deadline = Instant::now() + patience;
                    let last = client.delete().exchange;
                    while let Some(arrival) = client.next(deadline).await {
                        if arrival.exchange == last {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// The end of the process, waited for until `deadline`; over HTTP only where we started it.
    pub async fn exit(&mut self, deadline: Instant) -> Option<Exit> {
        let began = Instant::now();
        let process = match &self.link {
            Link::Pipes(connection) => connection.process().clone(),
            Link::Http(_, process) => {
                let process = process.clone()?;
                return tokio::time::timeout_at(deadline, process.exited())
                    .await
                    .ok();
            }
        };
        // Output is read on, so that a target which writes while it ends is not blocked by us.
        let exit = loop {
            if let Some(exit) = process.has_exited() {
                break Some(exit);
            }
            tokio::select! {
                exit = process.exited() => break Some(exit),
                came = self.take_next(deadline) => if !came { break None },
            }
        };
        while exit.is_some() && self.ended.is_none() && Instant::now() < deadline {
            if !self.take_next(deadline).await {
                break;
            }
        }
        self.waited += began.elapsed();
        exit
    }

    /// Streams for lines, to the target and from it.
    fn lines(&self) -> (Channel, Channel) {
        match self.binding {
            Binding::Memory => (Channel::Memory, Channel::Memory),
            Binding::Stdio | Binding::Http | Binding::HttpSse => (Channel::Stdin, Channel::Stdout),
        }
    }

    /// An entry of now without content.
    fn blank(&self, direction: Direction, channel: Channel) -> Entry {
        Entry {
            seq: 0,
            at: self.started.elapsed(),
            direction,
            connection: self.label.clone(),
            channel,
            raw: Bytes::new(),
            length: 0,
            terminator: None,
            message: None,
            defects: Vec::new(),
            answers: None,
            part_of: None,
            http: None,
        }
    }

    fn push(&mut self, entry: Entry) -> u64 {
        let answered = |state: &SentState| Some(state.sent.seq) == entry.answers;
        let next = self.last_seq() + 1;
        let is_first_answer = entry.answers.is_some()
            && self
                .sent
                .iter()
                .any(|state| answered(state) && state.sent.replies.first() == Some(&next));
        self.transcript.push(entry, is_first_answer)
    }

    /// Reads until `look` finds what it looks for, the deadline passes, or the output ends.
    pub async fn wait<T>(
        &mut self,
        deadline: Instant,
        mut look: impl FnMut(&Conversation) -> Option<T>,
    ) -> Waited<T> {
        let began = Instant::now();
        let waited = loop {
            if let Some(found) = look(self) {
                break Waited::Got(found);
            }
            if self.ended.is_some() {
                break Waited::Ended;
            }
            if !self.take_next(deadline).await {
                break Waited::TimedOut;
            }
        };
        self.waited += began.elapsed();
        waited
    }

    /// Waits for the first response to a sent message; not to the deadline, where a line too long to be read may be it.
    pub async fn wait_reply(&mut self, index: SentIndex, deadline: Instant) -> Waited<u64> {
        let sent = &self.sent[index.0];
        let (seq, may_be_oversized) = (sent.sent.seq, !sent.is_fence && self.phase == Phase::Open);
        let look = |conversation: &Conversation| {
            if let Some(&reply) = conversation.sent[index.0].sent.replies.first() {
                return Some(Waited::Got(reply));
            }
            if may_be_oversized && conversation.has_oversized_since(seq) {
                return Some(Waited::TimedOut);
            }
            conversation.is_over(index).then_some(Waited::Over)
        };
        let mut waited = self.wait(deadline, look).await;
        if matches!(waited, Waited::Got(Waited::Over)) && self.may_come_elsewhere(index) {
            let soon = deadline.min(Instant::now() + self.pace.light());
            let reply = |conversation: &Conversation| {
                let reply = conversation.sent[index.0].sent.replies.first();
                reply.map(|&reply| Waited::Got(reply))
            };
            waited = match self.wait(soon, reply).await {
                Waited::TimedOut => Waited::Got(Waited::Over),
                sooner => sooner,
            };
        }
        match waited {
            // An exchange that could not even be made says less than the end that it saw.
            Waited::Got(Waited::Over) if self.ended.is_some() => Waited::Ended,
            Waited::Got(found) => found,
            Waited::TimedOut | Waited::Over => Waited::TimedOut,
            Waited::Ended => Waited::Ended,
        }
    }

    /// Whether a request was accepted without a response while the stream of the server's own messages stands: what comes on it comes late,
    /// which is another matter than never.
    fn may_come_elsewhere(&self, index: SentIndex) -> bool {
        let state = &self.sent[index.0];
        let listens = self.exchanges.listening();
        !state.is_fence
            && state.answerable
            && self.status(index) == Some(202)
            && listens.is_some_and(|(number, _)| !self.exchanges.is_settled(number))
    }

    /// Waits for the head of the response in the exchange of a sent message, and gives its position.
    pub async fn wait_head(&mut self, index: SentIndex, deadline: Instant) -> Waited<u64> {
        let look = |conversation: &Conversation| match conversation.head(index) {
            Some(head) => Some(Waited::Got(head)),
            None => conversation.is_over(index).then_some(Waited::Over),
        };
        match self.wait(deadline, look).await {
            Waited::Got(Waited::Over) if self.ended.is_some() => Waited::Ended,
            Waited::Got(found) => found,
            Waited::TimedOut | Waited::Over => Waited::TimedOut,
            Waited::Ended => Waited::Ended,
        }
    }

    /// Position of the response head in the exchange of a sent message.
    pub fn head(&self, index: SentIndex) -> Option<u64> {
        self.exchanges.get(self.sent[index.0].sent.exchange?)?.head
    }

    /// Status of the response in the exchange of a sent message.
    pub fn status(&self, index: SentIndex) -> Option<u16> {
        self.exchanges
            .get(self.sent[index.0].sent.exchange?)?
            .status
    }

    /// Whether the exchange of a sent message answers with an event stream.
    pub fn is_streamed(&self, index: SentIndex) -> bool {
        let exchange = self.sent[index.0].sent.exchange;
        let exchange = exchange.and_then(|number| self.exchanges.get(number));
        exchange.is_some_and(|exchange| exchange.is_stream)
    }

    /// Whether nothing more can come of a sent message: its exchange is over and its stream is not resumed.
    pub fn is_over(&self, index: SentIndex) -> bool {
        let exchange = self.sent[index.0].sent.exchange;
        self.has_exchanges() && exchange.is_some_and(|number| self.exchanges.is_settled(number))
    }

    /// Sends a harmless request and waits for any answer to it, then for a grace.
    ///
    /// `patience` is what a target may need beyond the usual, because it handles one request at a time and is at work.
    pub async fn fence(&mut self, patience: Duration) -> Fence {
        self.fence_and_linger(patience, None).await
    }

    /// A fence with a grace of this length instead of the usual.
    pub async fn fence_and_linger(&mut self, patience: Duration, grace: Option<Duration>) -> Fence {
        if self.ended.is_some() {
            return Fence::Missing(Missing::Died);
        }
        if self.line_open || self.input_closed {
            return Fence::Missing(Missing::Unfenced);
        }
        // What waits behind other work shows how long that takes.
        let is_due = |state: &SentState| state.answerable && state.sent.replies.is_empty();
        let waits_behind = self.sent.iter().any(is_due);
        let id = self.fresh_id();
        let text = self.manner.fence(&id);
        let (index, outcome) = self.send_message(&text).await;
        self.sent[index.0].is_fence = true;
        let due = self.is_answer_due();
        if outcome.is_err() {
            return Fence::Missing(if due {
                Missing::Hung
            } else {
                Missing::Unfenced
            });
        }
        let began = Instant::now();
        let usual = if due {
            self.pace.reply()
        } else {
            self.pace.doubtful()
        };
        let deadline = began + patience + usual.max(self.start_left());
        match self.wait_reply(index, deadline).await {
            Waited::Got(seq) => {
                if patience.is_zero() && !waits_behind {
                    self.pace.learn(began.elapsed());
                }
                self.linger(grace.unwrap_or_else(|| self.pace.grace()))
                    .await;
                Fence::Answered(seq)
            }
            // Over HTTP any status is an answer: somebody is there and takes requests.
            Waited::Over if self.head(index).is_some() => {
                self.linger(grace.unwrap_or_else(|| self.pace.grace()))
                    .await;
                Fence::Answered(self.head(index).unwrap_or_default())
            }
            Waited::Over => Fence::Missing(Missing::Hung),
            Waited::Ended => Fence::Missing(Missing::Died),
            Waited::TimedOut if due => Fence::Missing(Missing::Hung),
            Waited::TimedOut => Fence::Missing(Missing::Unfenced),
        }
    }

    /// Whether a fence, or the `initialize` before it, must be answered by now.
    fn is_answer_due(&self) -> bool {
        match self.phase {
            // A request of the modern era stands alone.
            Phase::Bare => self.manner.is_modern(),
            Phase::Open => true,
            Phase::Opening => self
                .sent
                .iter()
                .filter(|state| state.sent.method.as_deref() == Some("initialize"))
                .all(|state| state.sent.replies.is_empty()),
        }
    }

    /// What a target that has not said anything yet may still need to start; zero once it spoke.
    pub fn start_left(&self) -> Duration {
        let spoke = self.entries().iter().any(|entry| {
            entry.direction == Direction::Received
                && (entry.message.is_some() || entry.http.is_some())
        });
        if spoke {
            return Duration::ZERO;
        }
        self.pace.first().saturating_sub(self.started.elapsed())
    }

    /// Reads for a while, whatever comes.
    pub async fn linger(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        let _: Waited<()> = self.wait(deadline, |_| None).await;
    }
}

#[cfg(test)]
mod tests;
