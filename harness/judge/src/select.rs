//! From a label to the messages it names, with their raw text.

use crate::judgement::Stop;
use mcp_assay_model::record::{Bound, Channel, Direction, End, Entry, Missing, Record};
use mcp_assay_model::scenario::Part;
use mcp_assay_wire::jsonrpc::{Kind, Message};
use mcp_assay_wire::raw;

/// One message to judge, in the entry it came in. The items of a batch are entries of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'r> {
    /// The entry.
    pub entry: &'r Entry,
    /// The message.
    pub message: &'r Message,
}

impl<'r> Subject<'r> {
    /// The message of an entry, where it is one.
    pub fn of(entry: &'r Entry) -> Option<Self> {
        let message = entry.message.as_ref()?;
        Some(Subject { entry, message })
    }

    /// The raw text at a pointer within the message, where the bytes are whole and UTF-8.
    pub fn raw(&self, pointer: &str) -> Option<&'r str> {
        raw::at(std::str::from_utf8(&self.entry.raw).ok()?, pointer)
    }

    /// The whole message as evidence.
    pub fn text(&self) -> String {
        match self.raw("") {
            Some(text) => text.to_owned(),
            None => self.message.value.to_string(),
        }
    }

    /// What it is, with its article.
    pub fn kind(&self) -> String {
        match self.message.kind {
            Kind::Request => "a request".to_owned(),
            Kind::Notification => "a notification".to_owned(),
            Kind::Result => "a result".to_owned(),
            Kind::Error => "an error".to_owned(),
            Kind::Batch => "a batch".to_owned(),
            Kind::Malformed(why) => format!("a malformed message ({})", why.reason()),
        }
    }
}

/// Whether a message answers something.
pub(crate) fn is_response(message: &Message) -> bool {
    match message.kind {
        Kind::Result | Kind::Error => true,
        Kind::Request | Kind::Notification | Kind::Batch | Kind::Malformed(_) => false,
    }
}

/// The messages that a label names: one, or all that a native step received.
///
/// **Errors**: why there is none.
pub(crate) fn select<'r>(record: &'r Record, label: &str) -> Result<Vec<Subject<'r>>, Stop> {
    let seqs = match bound(record, label)? {
        Bound::Sent(sent) => match sent.replies.first() {
            Some(&seq) => vec![seq],
            None => {
                let why = sent.missing.unwrap_or_else(|| missing_at(&record.end));
                return Err(Stop::missing(label, why));
            }
        },
        Bound::Arrived(seq) => vec![*seq],
        Bound::Native(native) => match native.missing {
            Some(why) if native.seqs.is_empty() => return Err(Stop::missing(label, why)),
            _ => native.seqs.clone(),
        },
        Bound::Missing { why, .. } => return Err(Stop::missing(label, *why)),
        Bound::Window(_) | Bound::Exit(_) => {
            return Err(Stop::broken(format!("label `{label}` names no message")));
        }
    };
    let entries = seqs.iter().filter_map(|&seq| record.entry(seq));
    let subjects: Vec<_> = entries.filter_map(Subject::of).collect();
    if subjects.is_empty() {
        return Err(Stop::broken(format!(
            "label `{label}` leads to no message of the record"
        )));
    }
    Ok(subjects)
}

/// What a label is bound to.
///
/// **Errors**: missing, where the conversation ended before the label's step; else the card is wrong.
pub(crate) fn bound<'r>(record: &'r Record, label: &str) -> Result<&'r Bound, Stop> {
    match (record.labels.get(label), &record.end) {
        (Some(bound), _) => Ok(bound),
        (None, End::Alive | End::Closed) => {
            Err(Stop::broken(format!("label `{label}` is bound to nothing")))
        }
        (None, end) => Err(Stop::missing(label, missing_at(end))),
    }
}

/// Why a message is missing, told by how the conversation ended.
pub(crate) fn missing_at(end: &End) -> Missing {
    match end {
        End::Alive => Missing::Silent,
        End::Died { .. } | End::NotOpened { .. } => Missing::Died,
        End::Hung { .. } => Missing::Hung,
        End::Closed | End::Unfenced => Missing::Unfenced,
    }
}

/// Whether a message of this kind has this part.
pub(crate) fn fits(part: Part, kind: Kind) -> bool {
    match part {
        Part::Result => kind == Kind::Result,
        Part::Error => kind == Kind::Error,
        Part::Notification => kind == Kind::Notification,
        Part::Request => kind == Kind::Request,
        Part::Reply => matches!(kind, Kind::Result | Kind::Error),
    }
}

/// The messages that the target sent, in order; of a batch, its items.
pub(crate) fn received(record: &Record) -> impl Iterator<Item = Subject<'_>> {
    record
        .entries
        .iter()
        .filter(|entry| entry.direction == Direction::Received && entry.channel != Channel::Stderr)
        .filter_map(Subject::of)
        .filter(|subject| subject.message.kind != Kind::Batch)
}
