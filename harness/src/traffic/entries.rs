//! Entries from frames and from the parts of HTTP exchanges, numbered as they come.

use bytes::Bytes;
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_wire::http::{End, Head};
use mcp_assay_wire::jsonrpc::{Examined, Kind, examine};
use mcp_assay_wire::stdio::{Defect, DefectKind, Frame};
use mcp_assay_wire::{raw, sse};
use std::time::Duration;

/// Label of the connection in what was only listened to: to us a conversation has one.
const CONNECTION: &str = "c";

/// Numbers the entries of one conversation.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    last: u64,
}

impl Numbers {
    /// Position of the last entry; 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Gives an entry its position; what the server sent as a batch is followed by its items.
    pub fn number(&mut self, mut entry: Entry) -> Vec<Entry> {
        self.last += 1;
        entry.seq = self.last;
        let batch = match &entry.message {
            Some(message)
                if message.kind == Kind::Batch && entry.direction == Direction::Received =>
            {
                message.batch.clone()
            }
            _ => Vec::new(),
        };
        let whole = entry.clone();
        let mut all = vec![entry];
        for (index, item) in batch.into_iter().enumerate() {
            let text = std::str::from_utf8(&whole.raw).ok();
            let text = text.and_then(|text| raw::at(text, &format!("/{index}")));
            let text = text.unwrap_or_default();
            self.last += 1;
            all.push(Entry {
                seq: self.last,
                raw: Bytes::copy_from_slice(text.as_bytes()),
                length: text.len() as u64,
                message: Some(item),
                defects: Vec::new(),
                part_of: Some(whole.seq),
                ..whole.clone()
            });
        }
        all
    }
}

/// An entry without content and position.
fn blank(at: Duration, direction: Direction, channel: Channel) -> Entry {
    Entry {
        seq: 0,
        at,
        direction,
        connection: CONNECTION.to_owned(),
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

/// A line.
pub fn line(at: Duration, direction: Direction, frame: Frame) -> Entry {
    let channel = match direction {
        Direction::Sent => Channel::Stdin,
        Direction::Received => Channel::Stdout,
    };
    Entry {
        length: frame.length,
        raw: frame.raw,
        terminator: Some(frame.terminator),
        message: frame.message,
        defects: frame.defects,
        ..blank(at, direction, channel)
    }
}

/// Some of standard error, at an arbitrary cut.
pub fn stderr(at: Duration, bytes: Bytes) -> Entry {
    Entry {
        length: bytes.len() as u64,
        raw: bytes,
        ..blank(at, Direction::Received, Channel::Stderr)
    }
}

/// A body as it was kept.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// Its bytes, or the head of them.
    pub bytes: Bytes,
    /// Bytes on the wire.
    pub length: u64,
    /// Whether it is not what its reader gets to see: broken off, or in a coding that we do not undo.
    pub is_unreadable: bool,
}

impl Captured {
    /// One that was kept whole.
    pub fn whole(bytes: Bytes) -> Self {
        Captured {
            length: bytes.len() as u64,
            bytes,
            is_unreadable: false,
        }
    }

    fn fill(self, entry: &mut Entry) {
        if self.length > self.bytes.len() as u64 {
            entry.defects = vec![Defect {
                kind: DefectKind::Oversized,
                offset: 0,
                detail: format!("{} bytes", self.length),
            }];
        } else if !self.is_unreadable && !self.bytes.is_empty() {
            let Examined { message, defects } = examine(&self.bytes, 0);
            entry.message = message.ok();
            entry.defects = defects;
        }
        entry.raw = self.bytes;
        entry.length = self.length;
    }
}

/// Makes the entries of one HTTP exchange.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// Its number in the conversation, from 1.
    pub number: u64,
    /// Number of the socket, from 1.
    pub socket: u64,
}

impl Exchange {
    fn blank(self, at: Duration, direction: Direction, channel: Channel, part: HttpPart) -> Entry {
        Entry {
            http: Some(Http {
                exchange: self.number,
                part,
            }),
            ..blank(at, direction, channel)
        }
    }

    /// The request.
    pub fn request(
        self,
        at: Duration,
        (method, target): (&str, &str),
        head: Head,
        body: Captured,
    ) -> Entry {
        let part = HttpPart::Request {
            method: method.to_owned(),
            target: target.to_owned(),
            head,
        };
        let mut entry = self.blank(at, Direction::Sent, Channel::Http, part);
        body.fill(&mut entry);
        entry
    }

    /// The head of a response.
    pub fn response(self, at: Duration, status: u16, head: Head) -> Entry {
        let part = HttpPart::Response {
            status,
            head,
            socket: self.socket,
        };
        self.blank(at, Direction::Received, Channel::Http, part)
    }

    /// The body of a response that is no event stream.
    pub fn body(self, at: Duration, body: Captured) -> Entry {
        let mut entry = self.blank(at, Direction::Received, Channel::Http, HttpPart::Body);
        body.fill(&mut entry);
        entry
    }

    /// An event.
    pub fn event(self, at: Duration, event: sse::Event) -> Entry {
        let is_message = matches!(event.name.as_deref(), None | Some("" | "message"));
        let (message, mut defects) = match &event.data {
            Some(data) if is_message && event.is_terminated && !data.is_empty() => {
                let Examined { message, defects } = examine(data, event.data_offset);
                (message.ok(), defects)
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
        let part = HttpPart::Event {
            name: event.name,
            id: event.id,
            retry: event.retry,
            comments: event.comments,
            has_data: event.data.is_some(),
            is_terminated: event.is_terminated,
        };
        let (raw, length) = match event.data {
            Some(data) => {
                let length = data.len() as u64;
                (data, length)
            }
            // What was too long to be kept is shown by its beginning.
            None if known(DefectKind::Oversized, &defects) => (event.raw, event.length),
            None => (Bytes::new(), 0),
        };
        Entry {
            length,
            raw,
            message,
            defects,
            ..self.blank(at, Direction::Received, Channel::Sse, part)
        }
    }

    /// The end of a stream, or of an exchange that went wrong.
    pub fn end(self, at: Duration, end: End, is_stream: bool) -> Entry {
        let channel = if is_stream {
            Channel::Sse
        } else {
            Channel::Http
        };
        self.blank(at, Direction::Received, channel, HttpPart::End(end))
    }
}
