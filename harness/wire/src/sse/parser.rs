//! The state between two pieces of bytes: the block that has begun, its line that has begun, and the data so far.

use super::{Event, field};
use crate::defect::{Defect, DefectKind};
use crate::scan::BYTE_ORDER_MARK;
use crate::stdio::Limits;
use bytes::Bytes;
use std::ops::Range;

/// Space for a partial block that is kept from one block to the next.
const KEPT_SPACE: usize = 64 * 1024;

/// Turns bytes, in any split, into events.
///
/// **Shape**: an event is given at the byte that ends its empty line, never later. Held are at most the bytes of one block and its joined
/// data, or one line, each of at most [`Limits::max_frame`] bytes. Each byte is looked at a fixed number of times.
///
/// A block longer than that is counted and its head kept; its data is dropped, its other fields still count, unless one line alone is
/// longer than the bound.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    /// Offset of the first byte of the block that has begun, or of the next byte.
    offset: u64,
    /// Bytes of that block so far.
    length: u64,
    /// Bytes of that block before the line that has begun.
    line_start: u64,
    /// The bytes of that block, or the head of them, once it is longer than the bound.
    raw: Vec<u8>,
    /// The line that has begun, once the block is longer than the bound and `raw` has it no more.
    line: Line,
    data: Data,
    /// What the lines before said.
    event: Event,
    /// Whether the last byte ended a line with `\r`, so that a `\n` now ends none.
    is_after_cr: bool,
    /// Bytes of the byte-order mark that were seen; all of them, once the beginning of the stream is past.
    mark: usize,
    last_event_id: String,
}

/// A line of a block that is too long.
#[derive(Debug)]
enum Line {
    Held(Vec<u8>),
    /// Longer than the bound on its own.
    Lost,
}

/// The data of the block that has begun.
#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    /// One line of data lies in `raw` and is not copied.
    Single(Range<usize>),
    Joined(Vec<u8>),
}

impl Parser {
    /// A parser at the beginning of a stream.
    pub fn new(limits: Limits) -> Self {
        Parser {
            limits,
            offset: 0,
            length: 0,
            line_start: 0,
            raw: Vec::new(),
            line: Line::Held(Vec::new()),
            data: Data::None,
            event: Event::default(),
            is_after_cr: false,
            mark: 0,
            last_event_id: String::new(),
        }
    }

    /// Takes the next bytes and returns the events they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut rest = bytes;
        std::iter::from_fn(|| self.next_event(&mut rest)).collect()
    }

    /// Takes bytes from the front of `rest` up to the end of an event and returns it; `None` where `rest` is used up before that.
    pub fn next_event(&mut self, rest: &mut &[u8]) -> Option<Event> {
        self.skip_mark(rest);
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.is_after_cr) && *first == b'\n' {
                *rest = &rest[1..];
                self.end_terminator(b'\n');
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
                self.hold(std::mem::take(rest));
                return None;
            };
            self.hold(&rest[..end]);
            let terminator = rest[end];
            *rest = &rest[end + 1..];
            self.is_after_cr = terminator == b'\r';
            if let Some(event) = self.end_line(terminator) {
                return Some(event);
            }
        }
        None
    }

    /// Ends the stream; returns what was begun and not terminated.
    ///
    /// Its last line is read even where that has no end, as evidence; it sets no last event id. Bytes that are pushed afterwards begin a
    /// new event at the next offset.
    pub fn finish(&mut self) -> Option<Event> {
        // A part of a mark is none.
        let part = self.mark % BYTE_ORDER_MARK.len();
        self.mark = BYTE_ORDER_MARK.len();
        self.hold(&BYTE_ORDER_MARK.as_bytes()[..part]);
        self.is_after_cr = false;
        if self.length > self.line_start {
            self.read_line();
        }
        (self.length > 0).then(|| self.complete(false))
    }

    /// The last id that the stream set, as a client sends it back; empty before the first, and after an `id` without a value.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Bytes of the block that has begun and not ended.
    pub fn pending(&self) -> u64 {
        self.length + (self.mark % BYTE_ORDER_MARK.len()) as u64
    }

    /// Passes over a byte-order mark at the very start of the stream.
    fn skip_mark(&mut self, rest: &mut &[u8]) {
        let mark = BYTE_ORDER_MARK.as_bytes();
        while self.mark < mark.len()
            && let Some(byte) = rest.first()
        {
            if *byte != mark[self.mark] {
                let seen = std::mem::replace(&mut self.mark, mark.len());
                self.hold(&mark[..seen]);
                return;
            }
            *rest = &rest[1..];
            self.mark += 1;
            if self.mark == mark.len() {
                self.offset += mark.len() as u64;
            }
        }
    }

    /// Ends the line that has begun; returns the event, where it was the empty line.
    fn end_line(&mut self, terminator: u8) -> Option<Event> {
        let is_empty = self.length == self.line_start;
        if !is_empty {
            self.read_line();
        }
        let has_begun = self.length > 0;
        self.end_terminator(terminator);
        (is_empty && has_begun).then(|| self.complete(true))
    }

    /// Counts a byte that ends a line to the block that has begun, or to none.
    fn end_terminator(&mut self, terminator: u8) {
        if self.length == 0 {
            self.offset += 1;
            return;
        }
        self.hold(&[terminator]);
        self.line_start = self.length;
        self.line = match std::mem::replace(&mut self.line, Line::Lost) {
            Line::Held(mut line) => {
                line.clear();
                line.shrink_to(KEPT_SPACE);
                Line::Held(line)
            }
            Line::Lost => Line::Held(Vec::new()),
        };
    }

    /// Adds bytes to the block that has begun.
    fn hold(&mut self, bytes: &[u8]) {
        let bound = self.limits.max_frame;
        let was_oversized = self.is_oversized();
        self.length += bytes.len() as u64;
        if !self.is_oversized() {
            self.raw.extend_from_slice(bytes);
            return;
        }
        if !was_oversized {
            self.line = Line::Held(self.raw[self.line_start as usize..].to_vec());
            self.data = Data::None;
            self.event.data_offset = 0;
            let kept = self.limits.kept_of_oversized.min(bound);
            self.raw.truncate(kept);
            let room = kept - self.raw.len();
            self.raw.extend_from_slice(&bytes[..room.min(bytes.len())]);
            self.raw.shrink_to(kept);
        }
        match &mut self.line {
            Line::Held(line) if line.len() + bytes.len() <= bound => line.extend_from_slice(bytes),
            line => *line = Line::Lost,
        }
    }

    fn is_oversized(&self) -> bool {
        self.length > self.limits.max_frame as u64
    }

    /// Reads the line that has begun, which is whole now.
    fn read_line(&mut self) {
        let at = self.offset + self.line_start;
        if self.is_oversized() {
            if let Line::Held(line) = &self.line {
                field::read(line, at, &mut self.event);
            }
            return;
        }
        let start = self.line_start as usize;
        let Some(value) = field::read(&self.raw[start..], at, &mut self.event) else {
            return;
        };
        let value = start + value.start..start + value.end;
        self.data = match std::mem::take(&mut self.data) {
            Data::None => {
                self.event.data_offset = self.offset + value.start as u64;
                Data::Single(value)
            }
            Data::Single(first) => Data::Joined([&self.raw[first], &self.raw[value]].join(&b'\n')),
            Data::Joined(mut joined) => {
                joined.push(b'\n');
                joined.extend_from_slice(&self.raw[value]);
                Data::Joined(joined)
            }
        };
    }

    fn complete(&mut self, is_terminated: bool) -> Event {
        let raw = self.take_raw();
        let data = match std::mem::take(&mut self.data) {
            Data::None => None,
            Data::Single(range) => Some(raw.slice(range)),
            Data::Joined(joined) => Some(Bytes::from(joined.into_boxed_slice())),
        };
        let mut event = Event {
            offset: self.offset,
            length: self.length,
            raw,
            data,
            is_terminated,
            ..std::mem::take(&mut self.event)
        };
        if self.is_oversized() {
            let defect = oversized(self.offset, self.length, self.limits);
            event.defects.insert(0, defect);
        }
        // One line may have a field to ignore and, further on or before, bytes that are no UTF-8.
        event.defects.sort_by_key(|defect| defect.offset);
        if is_terminated && let Some(id) = &event.id {
            self.last_event_id.clone_from(id);
        }
        self.offset += self.length;
        self.length = 0;
        self.line_start = 0;
        self.line = Line::Held(Vec::new());
        event
    }

    /// The held bytes as a value of their own, without spare space: events live as long as the transcript.
    fn take_raw(&mut self) -> Bytes {
        if self.raw.len() > KEPT_SPACE {
            return Bytes::from(std::mem::take(&mut self.raw).into_boxed_slice());
        }
        let raw = Bytes::copy_from_slice(&self.raw);
        self.raw.clear();
        self.raw.shrink_to(KEPT_SPACE);
        raw
    }
}

fn oversized(offset: u64, length: u64, limits: Limits) -> Defect {
    Defect {
        kind: DefectKind::Oversized,
        offset,
        detail: format!("{length} bytes, where {} are read", limits.max_frame),
    }
}
