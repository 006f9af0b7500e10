//! A conversation judged as it goes by: for recordings, for a proxy, and for the tests of an SDK.
//!
//! ```text
//! bytes of a stream -> Framer -> Entry \
//! a message         ->           Entry  -> Monitor -> the revision that the traffic tells -> observers -> Summary
//! entry of a record ->                 /
//! ```
//!
//! The revision of a legacy conversation is known with the result of `initialize`, that of a modern one with its first request. What came
//! before is kept until then, within a bound. Where the traffic never tells, and nobody else does, the rules of all revisions are asked, and
//! only what all of them say counts.
//!
//! ```
//! use mcp_assay_judge::monitor::Monitor;
//! use mcp_assay_model::protocol::Binding;
//! use mcp_assay_model::record::Direction;
//!
//! let mut monitor = Monitor::new(Binding::Stdio);
//! monitor.bytes(Direction::Sent, br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#);
//! monitor.bytes(Direction::Sent, b"\n");
//! monitor.bytes(Direction::Received, b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"serverInfo\":{\"name\":\"mine\",\"version\":\"1\"}}}\n");
//! let summary = monitor.finish();
//! assert_eq!(summary.findings().count(), 0, "{summary}");
//! ```

use crate::observer::{Before, Observed, Watchers, rules};
use bytes::Bytes;
use mcp_assay_model::finding::Finding;
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::{Channel, Direction, End, Entry, HttpPart, Past};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use mcp_assay_wire::stdio::{Frame, Framer, Limits};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// Entries that are kept while the revision is not known; more, and it is taken for one that the traffic does not tell.
const KEPT: usize = 256;
/// Their bytes.
const KEPT_BYTES: u64 = 16 << 20;

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Watches one conversation, both sides of it.
///
/// **Shape**: `Direction::Sent` is what the client sends, `Direction::Received` what the server does, whoever records it.
pub struct Monitor {
    binding: Binding,
    given: Option<Revision>,
    takes_notes: bool,
    /// Whether a message was seen.
    is_begun: bool,
    /// Whether more may have been said before what is seen.
    midway: bool,
    waiting: Option<Waiting>,
    current: Option<Segment>,
    over: Vec<Judged>,
    /// Position of the last entry that was made here.
    last: u64,
    /// Of the connection, of entries that are made here.
    label: String,
    sent: Framer,
    received: Framer,
}

/// Entries whose revision is not known yet.
#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    bytes: u64,
}

/// A part of the conversation by one revision, or by an unknown one.
struct Segment {
    revision: Option<Revision>,
    /// One, or one for each revision.
    watchers: Vec<(Revision, Watchers)>,
}

/// What the observers saw of a part of the conversation.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The revision that it was judged by; `None`: only what holds in all revisions.
    pub revision: Option<Revision>,
    /// What was judged and found, by observer.
    pub observed: Vec<Observed>,
}

/// What a whole conversation came to.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Its parts: one, unless the conversation began anew by another revision.
    pub parts: Vec<Judged>,
}

/// Something found while the conversation goes on.
#[derive(Clone, Debug)]
pub struct News {
    /// Id of the rule.
    pub rule: String,
    /// What was found.
    pub finding: Finding,
}

impl Monitor {
    /// Begins to watch; the revision is what the traffic says.
    pub fn new(binding: Binding) -> Self {
        Monitor {
            binding,
            given: None,
            takes_notes: false,
            is_begun: false,
            midway: false,
            waiting: Some(Waiting::default()),
            current: None,
            over: Vec::new(),
            last: 0,
            label: "c".to_owned(),
            sent: Framer::new(Limits::default()),
            received: Framer::new(Limits::default()),
        }
    }

    /// With the revision that counts where the traffic does not tell.
    #[must_use]
    pub fn assuming(mut self, revision: Revision) -> Self {
        self.given = Some(revision);
        self
    }

    /// With notes on what breaks no rule and is worth a word; it takes about as long again as judging the messages.
    #[must_use]
    pub fn with_notes(mut self) -> Self {
        self.takes_notes = true;
        self
    }

    /// Of a conversation that is seen from its first byte; else its first message says whether more may have been before.
    #[must_use]
    pub fn from_the_start(mut self) -> Self {
        self.is_begun = true;
        self
    }

    /// The next bytes of a stream of lines, in any split.
    pub fn bytes(&mut self, direction: Direction, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let framer = match direction {
                Direction::Sent => &mut self.sent,
                Direction::Received => &mut self.received,
            };
            let Some(frame) = framer.next_frame(&mut rest) else {
                return;
            };
            self.frame(direction, frame);
        }
    }

    /// The next message, as text without a line end.
    pub fn message(&mut self, direction: Direction, text: &str) {
        let mut framer = Framer::new(Limits::default());
        for frame in framer.push(format!("{text}\n").as_bytes()) {
            self.frame(direction, frame);
        }
    }

    fn frame(&mut self, direction: Direction, frame: Frame) {
        self.last += 1;
        let seq = self.last;
        let channel = match direction {
            Direction::Sent => Channel::Stdin,
            Direction::Received => Channel::Stdout,
        };
        let items: Vec<Message> = match &frame.message {
            Some(message) => message.batch.clone(),
            None => Vec::new(),
        };
        let entry = Entry {
            seq,
            at: Duration::ZERO,
            direction,
            connection: std::mem::take(&mut self.label),
            channel,
            length: frame.length,
            raw: frame.raw,
            terminator: Some(frame.terminator),
            message: frame.message,
            defects: frame.defects,
            answers: None,
            part_of: None,
            http: None,
        };
        self.see(&entry);
        for item in items
            .into_iter()
            .filter(|_| direction == Direction::Received)
        {
            self.last += 1;
            let text = item.value.to_string();
            self.see(&Entry {
                seq: self.last,
                length: text.len() as u64,
                raw: Bytes::from(text),
                message: Some(item),
                defects: Vec::new(),
                part_of: Some(seq),
                ..entry.clone()
            });
        }
        self.label = entry.connection;
    }

    /// The next entry of a record, in order of `seq`.
    pub fn see(&mut self, entry: &Entry) {
        self.last = entry.seq;
        if !self.is_begun && entry.message.is_some() {
            self.is_begun = true;
            self.midway = !begins(entry);
        }
        if begins_anew(entry) {
            // Judged by what it was until the handshake says by what it is.
            if self.waiting.is_none() {
                self.waiting = Some(Waiting::default());
            }
        }
        if let Some(current) = &mut self.current {
            for (_, watchers) in &mut current.watchers {
                watchers.see(entry);
            }
        }
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        waiting.bytes += entry.length;
        waiting.entries.push(entry.clone());
        match told(entry, self.current.is_some()) {
            Told::Revision(revision) => self.begin(Some(revision)),
            Told::Unknown => self.begin(None),
            Told::Nothing => {
                if waiting.entries.len() >= KEPT || waiting.bytes > KEPT_BYTES {
                    self.give_up();
                }
            }
        }
    }

    /// No revision was told in time.
    fn give_up(&mut self) {
        if self.current.is_some() {
            self.waiting = None;
        } else {
            self.midway = true;
            self.begin(self.given);
        }
    }

    fn begin(&mut self, revision: Option<Revision>) {
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let is_same = |current: &Segment| current.revision == revision && revision.is_some();
        if self.current.as_ref().is_some_and(is_same) {
            return;
        }
        self.close(&End::Alive);
        // What is worth a word in one revision may be the rule in another.
        let takes_notes = self.takes_notes && revision.is_some();
        let revisions = match revision {
            Some(revision) => vec![revision],
            None => Revision::ALL.to_vec(),
        };
        let mut watchers: Vec<(Revision, Watchers)> = revisions
            .into_iter()
            .map(|revision| {
                let before = if self.midway {
                    Before::Anything
                } else {
                    Before::Asked(Past::default())
                };
                let watchers = Watchers::new(revision, self.binding, before).of_both_sides();
                match takes_notes {
                    true => (revision, watchers.with_notes()),
                    false => (revision, watchers),
                }
            })
            .collect();
        for entry in &waiting.entries {
            for (_, watchers) in &mut watchers {
                watchers.see(entry);
            }
        }
        self.current = Some(Segment { revision, watchers });
    }

    /// What was found of causes that were not seen before, since this was last asked for; nothing where the revision is not known.
    pub fn take_news(&mut self) -> Vec<News> {
        let Some(Segment {
            revision: Some(_),
            watchers,
        }) = &mut self.current
        else {
            return Vec::new();
        };
        let news = watchers.iter_mut().flat_map(|(_, one)| one.take_news());
        news.map(|(rule, finding)| News { rule, finding }).collect()
    }

    /// The revision by which the conversation is judged now.
    pub fn revision(&self) -> Option<Revision> {
        self.current.as_ref()?.revision
    }

    /// The conversation is over, and nothing is known of how the server ended.
    pub fn finish(mut self) -> Summary {
        for direction in [Direction::Sent, Direction::Received] {
            let framer = match direction {
                Direction::Sent => &mut self.sent,
                Direction::Received => &mut self.received,
            };
            if let Some(frame) = framer.finish() {
                self.frame(direction, frame);
            }
        }
        self.end(&End::Alive)
    }

    /// The conversation is over.
    pub fn end(mut self, end: &End) -> Summary {
        if self.current.is_none() {
            self.give_up();
        }
        self.close(end);
        Summary { parts: self.over }
    }

    fn close(&mut self, end: &End) {
        let Some(Segment { revision, watchers }) = self.current.take() else {
            return;
        };
        let mut seen: Vec<(Revision, Vec<Observed>)> = watchers
            .into_iter()
            .map(|(by, watchers)| (by, watchers.end(end)))
            .collect();
        let observed = match revision {
            Some(_) => seen.pop().map(|(_, observed)| observed).unwrap_or_default(),
            None => in_all(seen),
        };
        self.over.push(Judged { revision, observed });
    }
}

/// What an entry tells of the revision.
enum Told {
    Revision(Revision),
    /// One that we do not know.
    Unknown,
    Nothing,
}

/// Whether the first message of what is seen is one that a conversation begins with.
fn begins(entry: &Entry) -> bool {
    let modern = || {
        let message = entry.message.as_ref()?;
        message.value["params"]["_meta"].get(PROTOCOL_VERSION)
    };
    begins_anew(entry) || (entry.direction == Direction::Sent && modern().is_some())
}

fn begins_anew(entry: &Entry) -> bool {
    let message = entry.message.as_ref();
    entry.direction == Direction::Sent
        && message.is_some_and(|message| message.method.as_deref() == Some("initialize"))
}

/// `is_begun`: a modern request does not begin a conversation that has begun.
fn told(entry: &Entry, is_begun: bool) -> Told {
    let Some(message) = &entry.message else {
        return Told::Nothing;
    };
    let version = match (entry.direction, message.kind) {
        (Direction::Received, Kind::Result) => {
            // Only the result of `initialize` has both.
            let result = &message.value["result"];
            result
                .get("serverInfo")
                .and(result.get("protocolVersion"))
                .and_then(Value::as_str)
        }
        (Direction::Sent, Kind::Request) if !is_begun => {
            let meta = &message.value["params"]["_meta"];
            let version = meta.get(PROTOCOL_VERSION);
            version.and_then(Value::as_str)
        }
        _ => None,
    };
    match version.map(str::parse::<Revision>) {
        None => header(entry, is_begun),
        Some(Ok(revision)) => Told::Revision(revision),
        Some(Err(_)) if entry.direction == Direction::Sent => Told::Nothing,
        Some(Err(_)) => Told::Unknown,
    }
}

/// Requests after the handshake name the revision over HTTP; a recording may begin with one.
fn header(entry: &Entry, is_begun: bool) -> Told {
    let Some(HttpPart::Request { head, .. }) = entry.http.as_ref().map(|http| &http.part) else {
        return Told::Nothing;
    };
    let version = head.value("mcp-protocol-version");
    let revision = version.and_then(|version| version.parse::<Revision>().ok());
    match revision.filter(|_| !is_begun && !begins_anew(entry)) {
        Some(revision) if revision.era() == Era::Legacy => Told::Revision(revision),
        _ => Told::Nothing,
    }
}

/// What all revisions say of a conversation: of the rules that each has, the findings that each makes.
fn in_all(seen: Vec<(Revision, Vec<Observed>)>) -> Vec<Observed> {
    let mut common: Option<Vec<Observed>> = None;
    for (revision, observed) in seen {
        let Some(before) = &mut common else {
            common = Some(observed);
            continue;
        };
        before.retain_mut(|one| {
            let other = observed.iter().find(|other| other.observer == one.observer);
            other.is_some_and(|other| {
                one.sightings.keep_common(&other.sightings);
                true
            })
        });
        let _ = revision;
    }
    let everywhere = |observer: &str, rule: &str| {
        rules().any(|(name, known)| {
            name == observer
                && known.id == rule
                && Revision::ALL.iter().all(|&revision| known.is_in(revision))
        })
    };
    let mut common = common.unwrap_or_default();
    for one in &mut common {
        one.sightings.retain(|rule| everywhere(one.observer, rule));
    }
    common
}

impl Summary {
    /// Everything found, with the id of the rule and whom it binds.
    pub fn findings(&self) -> impl Iterator<Item = (String, Role, &Finding)> {
        self.parts.iter().flat_map(|part| {
            part.observed.iter().flat_map(move |one| {
                let role = |id: &str| {
                    let rule = one.rules.iter().find(|rule| rule.id == id);
                    rule.map_or(Role::Server, |rule| rule.role)
                };
                one.sightings.found().filter_map(move |found| {
                    let rule = one.rules.iter().find(|rule| rule.id == found.rule)?;
                    let is_in = part.revision.is_none_or(|revision| rule.is_in(revision));
                    let id = format!("observer/{}/{}", one.observer, found.rule);
                    is_in.then_some((id, role(found.rule), found.finding))
                })
            })
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part.revision {
                Some(revision) => writeln!(f, "judged by {revision}")?,
                None => writeln!(f, "revision unknown: judged by what holds in all revisions")?,
            }
        }
        for (rule, role, finding) in self.findings() {
            let at = finding.at.as_deref().unwrap_or_default();
            writeln!(
                f,
                "{role} {rule} {} {at}: {}",
                finding.code, finding.message
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
