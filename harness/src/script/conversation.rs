//! One live conversation: sends, records, attributes, answers the target's own requests, and knows when silence is silence.

use super::answers::Answers;
use super::attribution::{SentState, answered_by};
use super::pace::Pace;
use bytes::Bytes;
use mcp_assay_model::record::{Channel, Direction, Entry, Missing, Sent};
use mcp_assay_transport::connection::{Arrival, Connection, WriteError};
use mcp_assay_transport::pipes::Exit;
use mcp_assay_wire::jsonrpc::{Kind, Malformed, Message, RawId, classify};
use mcp_assay_wire::raw;
use mcp_assay_wire::stdio::DefectKind;
use mcp_assay_wire::stdio::Terminator;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Entries that one conversation keeps whole; later ones keep a head only, unless they answer something.
const WHOLE_ENTRIES: usize = 20_000;
/// Bytes that one conversation keeps.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;
/// What a parsed message takes in memory, in multiples of its text.
const PARSED: u64 = 16;
/// Entries after which a conversation is given up as a flood.
pub const FLOOD_ENTRIES: usize = 100_000;
/// Entries kept of a flood, from its beginning.
const FLOOD_KEPT: usize = 1_000;
/// Bytes kept of an entry over the bounds.
const HEAD_BYTES: usize = 256;

/// A live conversation over one connection.
pub struct Conversation {
    connection: Connection,
    /// Label of the connection in the transcript.
    pub label: String,
    channels: (Channel, Channel),
    entries: Vec<Entry>,
    kept_bytes: u64,
    last_oversized: u64,
    sent: Vec<SentState>,
    next_id: u64,
    written_ids: HashSet<RawId>,
    /// Ids of earlier cases on this connection, none of which is used again.
    retired: HashSet<RawId>,
    /// How the target's own requests are answered.
    pub answers: Answers,
    /// Deadlines.
    pub pace: Arc<Pace>,
    phase: Phase,
    ended: Option<Ended>,
    line_open: bool,
    input_closed: bool,
    waited: Duration,
}

/// How far the handshake is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Nothing sent that opens a legacy conversation.
    Bare,
    /// `initialize` was sent, by the card or by us.
    Opening,
    /// The handshake is complete.
    Open,
}

/// The end of the target's output, and how the process ended, where it did.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Last position before it.
    pub after: u64,
    /// The process's end; `None` where it runs on without output.
    pub exit: Option<Exit>,
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
        connection: Connection,
        label: &str,
        memory: bool,
        pace: Arc<Pace>,
        avoid: HashSet<RawId>,
    ) -> Self {
        Conversation {
            connection,
            label: label.to_owned(),
            channels: if memory {
                (Channel::Memory, Channel::Memory)
            } else {
                (Channel::Stdin, Channel::Stdout)
            },
            entries: Vec::new(),
            kept_bytes: 0,
            last_oversized: 0,
            sent: Vec::new(),
            next_id: 1,
            written_ids: avoid,
            retired: HashSet::new(),
            answers: Answers::default(),
            pace,
            phase: Phase::Bare,
            ended: None,
            line_open: false,
            input_closed: false,
            waited: Duration::ZERO,
        }
    }

    /// Everything so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Position of the last entry; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The state of a sent message.
    pub fn sent(&self, index: SentIndex) -> &Sent {
        &self.sent[index.0].sent
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
        self.entries.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// How far the handshake is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Notes that the handshake is complete.
    pub fn opened(&mut self) {
        self.phase = Phase::Open;
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
        self.connection.stderr_tail()
    }

    /// Ends the target's input.
    pub fn close_stdin(&mut self) {
        self.input_closed = true;
        self.connection.close_stdin();
    }

    /// Whether a line longer than our bound came after a position. It may be any answer, and cannot be read.
    pub fn has_oversized_since(&self, seq: u64) -> bool {
        self.last_oversized > seq
    }

    /// Whether a line was begun by raw bytes and not ended.
    pub fn is_line_open(&self) -> bool {
        self.line_open
    }

    /// The `initialize` request of a conversation that is shared and open; its reply is in the transcript.
    pub fn handshake(&self) -> Option<SentIndex> {
        (self.phase == Phase::Open).then_some(SentIndex(0))
    }

    /// Begins the next case on a shared connection: the transcript is cut back to the handshake.
    pub fn begin_case(&mut self) {
        let Some(handshake) = self.sent.first() else {
            return;
        };
        let end = handshake
            .sent
            .replies
            .first()
            .copied()
            .unwrap_or(handshake.sent.seq);
        // One more for the notification that completes the handshake, which was sent right after.
        let keep = usize::try_from(end)
            .unwrap_or(usize::MAX)
            .saturating_add(1)
            .min(self.entries.len());
        self.entries.truncate(keep);
        let past = self.sent.drain(1..).filter_map(|state| state.sent.id);
        self.retired.extend(past);
        self.last_oversized = 0;
        self.kept_bytes = self
            .entries
            .iter()
            .map(|entry| entry.raw.len() as u64)
            .sum();
    }

    /// Whether the target's input was closed by us.
    pub fn is_input_closed(&self) -> bool {
        self.input_closed
    }

    /// Gives the connection back, to be shut down or killed.
    pub fn into_connection(self) -> Connection {
        self.connection
    }

    /// The end of the process, waited for until `deadline`.
    pub async fn exit(&mut self, deadline: Instant) -> Option<Exit> {
        let process = self.connection.process().clone();
        let began = Instant::now();
        // Output is read on, so that a target which writes while it ends is not blocked by us.
        let exit = loop {
            if let Some(exit) = process.has_exited() {
                break Some(exit);
            }
            tokio::select! {
                exit = process.exited() => break Some(exit),
                arrival = self.connection.next(deadline) => match arrival {
                    Some((arrival, at)) => self.take(arrival, at),
                    None => break None,
                },
            }
        };
        while exit.is_some() && self.ended.is_none() && Instant::now() < deadline {
            match self.connection.next(deadline).await {
                Some((arrival, at)) => self.take(arrival, at),
                None => break,
            }
        }
        self.waited += began.elapsed();
        exit
    }

    /// A fresh request id, never one that the card writes.
    pub fn fresh_id(&mut self) -> RawId {
        loop {
            let id = RawId(self.next_id.to_string());
            self.next_id += 1;
            if !self
                .written_ids
                .iter()
                .any(|written| written.loosely_equals(&id))
            {
                return id;
            }
        }
    }

    /// Sends one JSON text as a line. A response is expected where it has an id and a method.
    ///
    /// **Errors**: see [`WriteError`]; the entry is recorded all the same, since the attempt is evidence.
    pub fn send_line(&mut self, text: &str) -> (SentIndex, Result<(), WriteError>) {
        let mut line = Vec::with_capacity(text.len() + 1);
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        let outcome = self.connection.write(Bytes::from(line));
        let message = classify(text.as_bytes()).ok();
        let index = self.record_sent(
            Bytes::copy_from_slice(text.as_bytes()),
            message,
            false,
            Some(Terminator::Lf),
        );
        (index, outcome)
    }

    /// Sends bytes as they are. Any response without a readable id is attributed to them.
    ///
    /// **Errors**: see [`WriteError`].
    pub fn send_raw(&mut self, bytes: &[u8]) -> (SentIndex, Result<(), WriteError>) {
        let outcome = self.connection.write(Bytes::copy_from_slice(bytes));
        if let Some(last) = bytes.last() {
            self.line_open = *last != b'\n';
        }
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let message = classify(text).ok();
        let terminator = bytes.ends_with(b"\n").then_some(Terminator::Lf);
        let index = self.record_sent(Bytes::copy_from_slice(text), message, true, terminator);
        (index, outcome)
    }

    fn record_sent(
        &mut self,
        raw: Bytes,
        message: Option<Message>,
        raw_bytes: bool,
        terminator: Option<Terminator>,
    ) -> SentIndex {
        let (method, id, kind) = match &message {
            Some(message) => (
                message.method.clone(),
                message.id.clone(),
                Some(message.kind),
            ),
            None => (None, None, None),
        };
        if method.as_deref() == Some("initialize") && self.phase == Phase::Bare {
            self.phase = Phase::Opening;
        }
        let answerable = match kind {
            Some(Kind::Request) => true,
            Some(Kind::Notification | Kind::Result | Kind::Error) => raw_bytes,
            Some(Kind::Batch | Kind::Malformed(_)) | None => true,
        };
        let at = Instant::now();
        let seq = self.push(Entry {
            seq: 0,
            at: at - self.connection.started,
            direction: Direction::Sent,
            connection: self.label.clone(),
            channel: self.channels.0,
            length: raw.len() as u64,
            raw,
            terminator,
            message,
            defects: Vec::new(),
            answers: None,
            part_of: None,
        });
        let sent = Sent {
            seq,
            method,
            id,
            ..Sent::default()
        };
        self.sent.push(SentState {
            sent,
            answerable,
            is_fence: false,
        });
        SentIndex(self.sent.len() - 1)
    }

    /// Adds one request of a batch that was just sent as a whole, so that it can be answered by its own id.
    pub fn expect_item(
        &mut self,
        batch: SentIndex,
        method: Option<String>,
        id: Option<RawId>,
    ) -> SentIndex {
        let seq = self.sent[batch.0].sent.seq;
        self.sent.push(SentState {
            answerable: id.is_some(),
            sent: Sent {
                seq,
                method,
                id,
                ..Sent::default()
            },
            is_fence: false,
        });
        SentIndex(self.sent.len() - 1)
    }

    fn push(&mut self, mut entry: Entry) -> u64 {
        entry.seq = self.entries.len() as u64 + 1;
        let over = self.entries.len() >= WHOLE_ENTRIES || self.kept_bytes > KEPT_BYTES;
        if over && !self.is_first_answer(&entry) {
            entry.raw = Bytes::copy_from_slice(&entry.raw[..entry.raw.len().min(HEAD_BYTES)]);
            entry.message = None;
        }
        let weight = if entry.message.is_some() { PARSED } else { 1 };
        self.kept_bytes += entry.raw.len() as u64 * weight;
        let seq = entry.seq;
        if entry
            .defects
            .iter()
            .any(|defect| defect.kind == DefectKind::Oversized)
        {
            self.last_oversized = seq;
        }
        self.entries.push(entry);
        seq
    }

    fn is_first_answer(&self, entry: &Entry) -> bool {
        let answered = |state: &SentState| Some(state.sent.seq) == entry.answers;
        entry.answers.is_some()
            && self
                .sent
                .iter()
                .any(|state| answered(state) && state.sent.replies.first() == Some(&entry.seq))
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
            match self.connection.next(deadline).await {
                Some((arrival, at)) => self.take(arrival, at),
                None => break Waited::TimedOut,
            }
        };
        self.waited += began.elapsed();
        waited
    }

    /// Waits for the first response to a sent message; not to the deadline, where a line too long to be read may be it.
    pub async fn wait_reply(&mut self, index: SentIndex, deadline: Instant) -> Waited<u64> {
        let sent = &self.sent[index.0];
        let (seq, may_be_oversized) = (sent.sent.seq, !sent.is_fence && self.phase == Phase::Open);
        let look =
            |conversation: &Conversation| match conversation.sent[index.0].sent.replies.first() {
                Some(&reply) => Some(Some(reply)),
                None => (may_be_oversized && conversation.has_oversized_since(seq)).then_some(None),
            };
        match self.wait(deadline, look).await {
            Waited::Got(Some(reply)) => Waited::Got(reply),
            Waited::Got(None) | Waited::TimedOut => Waited::TimedOut,
            Waited::Ended => Waited::Ended,
        }
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
        let id = self.fresh_id();
        let (index, outcome) = self.send_line(&format!(
            r#"{{"jsonrpc":"2.0","id":{},"method":"ping"}}"#,
            id.0
        ));
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
                if patience.is_zero() {
                    self.pace.learn(began.elapsed());
                }
                self.linger(grace.unwrap_or_else(|| self.pace.grace()))
                    .await;
                Fence::Answered(seq)
            }
            Waited::Ended => Fence::Missing(Missing::Died),
            Waited::TimedOut if due => Fence::Missing(Missing::Hung),
            Waited::TimedOut => Fence::Missing(Missing::Unfenced),
        }
    }

    /// Whether a ping, or the `initialize` before it, must be answered by now.
    fn is_answer_due(&self) -> bool {
        match self.phase {
            Phase::Bare => false,
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
        let spoke = self
            .entries
            .iter()
            .any(|entry| entry.direction == Direction::Received && entry.message.is_some());
        if spoke {
            return Duration::ZERO;
        }
        self.pace
            .first()
            .saturating_sub(self.connection.started.elapsed())
    }

    /// Reads for a while, whatever comes.
    pub async fn linger(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        let _: Waited<()> = self.wait(deadline, |_| None).await;
    }

    fn take(&mut self, arrival: Arrival, at: Instant) {
        if self.ended.as_ref().is_some_and(|ended| ended.flood) {
            return;
        }
        match arrival {
            Arrival::Frame(frame) => {
                let entry = Entry {
                    seq: 0,
                    at: at - self.connection.started,
                    direction: Direction::Received,
                    connection: self.label.clone(),
                    channel: self.channels.1,
                    raw: frame.raw,
                    length: frame.length,
                    terminator: Some(frame.terminator),
                    message: frame.message,
                    defects: frame.defects,
                    answers: None,
                    part_of: None,
                };
                self.receive(entry);
                if self.entries.len() > FLOOD_ENTRIES {
                    // The beginning shows what it is; all of it, for every case, would fill the record.
                    self.entries.truncate(FLOOD_KEPT);
                    let last = self.last_seq();
                    self.sent
                        .iter_mut()
                        .for_each(|state| state.sent.replies.retain(|seq| *seq <= last));
                    self.ended = Some(Ended {
                        after: self.last_seq(),
                        exit: None,
                        flood: true,
                    });
                }
            }
            Arrival::Stderr(bytes) => {
                self.push(Entry {
                    seq: 0,
                    at: at - self.connection.started,
                    direction: Direction::Received,
                    connection: self.label.clone(),
                    channel: Channel::Stderr,
                    length: bytes.len() as u64,
                    raw: bytes,
                    terminator: None,
                    message: None,
                    defects: Vec::new(),
                    answers: None,
                    part_of: None,
                });
            }
            Arrival::StdoutEnded => {
                if self.ended.is_none() {
                    let exit = self.connection.process().has_exited();
                    self.ended = Some(Ended {
                        after: self.last_seq(),
                        exit,
                        flood: false,
                    });
                }
            }
        }
    }

    fn receive(&mut self, mut entry: Entry) {
        let Some(message) = entry.message.clone() else {
            self.push(entry);
            return;
        };
        match message.kind {
            Kind::Result | Kind::Error | Kind::Malformed(Malformed::ResultAndError) => {
                entry.answers = self.attribute(&message);
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

    fn attribute(&mut self, response: &Message) -> Option<u64> {
        let next = self.last_seq() + 1;
        let late = response.id.as_ref();
        if late.is_some_and(|id| self.retired.contains(id)) {
            // A late answer to an earlier case on this connection says nothing about this one.
            return None;
        }
        let index = answered_by(response, &self.sent)?;
        let sent = &mut self.sent[index].sent;
        sent.replies.push(next);
        Some(sent.seq)
    }

    fn answer(&mut self, request: &Message) {
        let Some(id) = &request.id else { return };
        let Some(body) = self
            .answers
            .to(request.method.as_deref().unwrap_or_default())
        else {
            return;
        };
        let text = format!(r#"{{"jsonrpc":"2.0","id":{},{body}}}"#, id.0);
        let _ = self.send_line(&text);
    }
}

#[cfg(test)]
mod tests;
