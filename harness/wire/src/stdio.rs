//! Incremental stdio framing: newline-delimited JSON, any split of the bytes gives the same frames.

pub use crate::defect::{Defect, DefectKind};

use crate::jsonrpc::{Examined, Message, examine};
use bytes::Bytes;

/// Space for a partial line that is kept from one line to the next.
const KEPT_SPACE: usize = 64 * 1024;

/// Turns bytes, in any split, into frames.
///
/// **Shape**: at any time at most one partial line is held, of at most [`Limits::max_frame`] bytes; each byte is looked at once while it
/// waits and once when its line is complete.
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    /// Offset of the first byte of the line that has begun.
    offset: u64,
    /// Bytes of that line so far.
    length: u64,
    /// Its bytes, or the head of them, once it is longer than the bound.
    held: Vec<u8>,
    last_is_cr: bool,
}

/// Bounds of the framer.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one frame that are kept and parsed; a longer line is counted, its head kept, and marked [`DefectKind::Oversized`].
    pub max_frame: usize,
    /// Bytes of an oversized line that are kept as evidence.
    pub kept_of_oversized: usize,
}

impl Default for Limits {
    /// 16 MiB, and 4 KiB of what is longer.
    fn default() -> Self {
        Limits {
            max_frame: 16 * 1024 * 1024,
            kept_of_oversized: 4 * 1024,
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Offset of its first byte in the stream.
    pub offset: u64,
    /// Length in the stream without the terminator; more than `raw.len()` where the line was oversized.
    pub length: u64,
    /// The bytes without the terminator (the head only, where oversized).
    pub raw: Bytes,
    /// How the line ended.
    pub terminator: Terminator,
    /// What is wrong with the frame, in order of offset.
    pub defects: Vec<Defect>,
    /// The message, where the bytes are JSON.
    pub message: Option<Message>,
}

impl Frame {
    /// Whether the frame has a defect of this kind.
    pub fn has(&self, kind: DefectKind) -> bool {
        self.defects.iter().any(|defect| defect.kind == kind)
    }
}

/// How a line ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Terminator {
    /// `\n`.
    Lf,
    /// `\r\n`. No defect: to JSON the `\r` is white space.
    CrLf,
    /// The stream ended without a newline.
    EndOfInput,
}

impl Terminator {
    /// The bytes of the terminator.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Terminator::Lf => b"\n",
            Terminator::CrLf => b"\r\n",
            Terminator::EndOfInput => b"",
        }
    }
}

impl Framer {
    /// A framer at offset 0.
    pub fn new(limits: Limits) -> Self {
        Framer {
            limits,
            offset: 0,
            length: 0,
            held: Vec::new(),
            last_is_cr: false,
        }
    }

    /// Takes the next bytes and returns the frames they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let mut rest = bytes;
        std::iter::from_fn(|| self.next_frame(&mut rest)).collect()
    }

    /// Takes bytes from the front of `rest` up to the end of a line and returns its frame; `None` where `rest` is used up before that.
    ///
    /// The same as [`push`](Self::push), for who wants to be done with one frame before the next is made: a piece of bytes can hold as
    /// many frames as it has newlines.
    pub fn next_frame(&mut self, rest: &mut &[u8]) -> Option<Frame> {
        let Some(end) = memchr::memchr(b'\n', rest) else {
            self.hold(std::mem::take(rest));
            return None;
        };
        let line = &rest[..end];
        *rest = &rest[end + 1..];
        if self.length == 0 && line.len() <= self.limits.max_frame {
            return Some(self.complete_at_once(line));
        }
        self.hold(line);
        Some(self.complete(true))
    }

    /// Ends the stream; returns the unterminated line, if bytes are left.
    ///
    /// Bytes that are pushed afterwards begin a new line at the next offset.
    pub fn finish(&mut self) -> Option<Frame> {
        (self.length > 0).then(|| self.complete(false))
    }

    /// Bytes of the line that has begun and not ended.
    pub fn pending(&self) -> u64 {
        self.length
    }

    /// Adds bytes without a newline to the line that has begun.
    fn hold(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        self.last_is_cr = *last == b'\r';
        self.length += bytes.len() as u64;
        // A line of the greatest length may still have the first byte of its `\r\n` here.
        let bound = self.limits.max_frame as u64 + u64::from(self.last_is_cr);
        if self.length <= bound {
            self.held.extend_from_slice(bytes);
            return;
        }
        let kept = self.kept_of_oversized();
        self.held.truncate(kept);
        let room = kept - self.held.len();
        self.held.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.held.shrink_to(kept);
    }

    fn kept_of_oversized(&self) -> usize {
        self.limits.kept_of_oversized.min(self.limits.max_frame)
    }

    /// A line that is whole in one piece is read where it lies.
    fn complete_at_once(&mut self, line: &[u8]) -> Frame {
        let (raw, terminator) = match line.strip_suffix(b"\r") {
            Some(raw) => (raw, Terminator::CrLf),
            None => (line, Terminator::Lf),
        };
        let Examined { defects, message } = examine(raw, self.offset);
        let frame = Frame {
            offset: self.offset,
            length: raw.len() as u64,
            raw: Bytes::copy_from_slice(raw),
            terminator,
            defects,
            message: message.ok(),
        };
        self.offset += line.len() as u64 + 1;
        frame
    }

    fn complete(&mut self, has_newline: bool) -> Frame {
        let terminator = match (has_newline, self.last_is_cr) {
            (true, true) => Terminator::CrLf,
            (true, false) => Terminator::Lf,
            (false, _) => Terminator::EndOfInput,
        };
        let length = self.length - u64::from(terminator == Terminator::CrLf);
        let (mut defects, message) = if length > self.limits.max_frame as u64 {
            self.held.truncate(self.kept_of_oversized());
            (vec![oversized(self.offset, length, self.limits)], None)
        } else {
            self.held.truncate(length as usize);
            let examined = examine(&self.held, self.offset);
            (examined.defects, examined.message.ok())
        };
        if terminator == Terminator::EndOfInput {
            defects.push(Defect {
                kind: DefectKind::NoFinalNewline,
                offset: self.offset + length,
                detail: String::new(),
            });
        }
        let frame = Frame {
            offset: self.offset,
            length,
            raw: self.take_held(),
            terminator,
            defects,
            message,
        };
        self.offset += self.length + u64::from(has_newline);
        self.length = 0;
        self.last_is_cr = false;
        frame
    }

    /// The held bytes as a value of their own, without spare space: frames live as long as the transcript.
    fn take_held(&mut self) -> Bytes {
        if self.held.len() > KEPT_SPACE {
            return Bytes::from(std::mem::take(&mut self.held).into_boxed_slice());
        }
        let raw = Bytes::copy_from_slice(&self.held);
        self.held.clear();
        self.held.shrink_to(KEPT_SPACE);
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
