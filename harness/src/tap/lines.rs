//! Standard streams as the ear hears them: lines, each way.

use crate::traffic::entries::{Numbers, line, stderr};
use crate::traffic::{Heard, Talk};
use bytes::Bytes;
use mcp_assay_model::event::ConversationEnd;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::Direction;
use mcp_assay_wire::stdio::{Framer, Limits};
use std::time::Duration;

/// Bytes of standard error that are recorded.
const STDERR_SHOWN: u64 = 64 * 1024;

/// The one conversation of a process.
#[derive(Debug)]
pub struct Lines {
    talk: Talk,
    numbers: Numbers,
    sent: Way,
    received: Way,
    stderr: u64,
    is_begun: bool,
}

/// One direction.
#[derive(Debug)]
struct Way {
    framer: Framer,
    /// Bytes are missing: what comes up to the next newline is the end of a line that nobody knows.
    is_lost: bool,
    has_ended: bool,
}

impl Way {
    fn new() -> Self {
        Way {
            framer: Framer::new(Limits::default()),
            is_lost: false,
            has_ended: false,
        }
    }
}

impl Lines {
    /// Nothing so far.
    pub fn new() -> Self {
        Lines {
            talk: "tap/1".into(),
            numbers: Numbers::default(),
            sent: Way::new(),
            received: Way::new(),
            stderr: 0,
            is_begun: false,
        }
    }

    fn begin(&mut self, out: &mut Vec<Heard>) {
        if !std::mem::replace(&mut self.is_begun, true) {
            out.push(Heard::Began {
                talk: self.talk.clone(),
                binding: Binding::Stdio,
                revision: None,
            });
        }
    }

    fn way(&mut self, direction: Direction) -> &mut Way {
        match direction {
            Direction::Sent => &mut self.sent,
            Direction::Received => &mut self.received,
        }
    }

    /// Bytes passed.
    pub fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        at: Duration,
        out: &mut Vec<Heard>,
    ) {
        self.begin(out);
        let mut rest = bytes;
        let way = self.way(direction);
        if way.is_lost {
            let Some(end) = memchr::memchr(b'\n', rest) else {
                return;
            };
            rest = &rest[end + 1..];
            way.is_lost = false;
        }
        while let Some(frame) = self.way(direction).framer.next_frame(&mut rest) {
            let entries = self.numbers.number(line(at, direction, frame));
            let talk = &self.talk;
            out.extend(
                entries
                    .into_iter()
                    .map(|entry| Heard::Entry(talk.clone(), Box::new(entry))),
            );
        }
    }

    /// Some of standard error passed.
    pub fn stderr(&mut self, bytes: &Bytes, at: Duration, out: &mut Vec<Heard>) {
        self.begin(out);
        let room = STDERR_SHOWN.saturating_sub(self.stderr);
        let shown = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        self.stderr += shown as u64;
        if shown > 0 {
            let entries = self.numbers.number(stderr(at, bytes.slice(..shown)));
            let talk = &self.talk;
            out.extend(
                entries
                    .into_iter()
                    .map(|entry| Heard::Entry(talk.clone(), Box::new(entry))),
            );
        }
    }

    /// Bytes passed that are not known.
    pub fn lost(&mut self, direction: Direction, bytes: u64, why: &str, out: &mut Vec<Heard>) {
        self.begin(out);
        let way = self.way(direction);
        way.framer = Framer::new(Limits::default());
        way.is_lost = true;
        out.push(Heard::Lost {
            talk: self.talk.clone(),
            after: self.numbers.last(),
            bytes,
            why: why.to_owned(),
        });
    }

    /// A direction ended.
    pub fn ended(&mut self, direction: Direction, at: Duration, out: &mut Vec<Heard>) {
        self.begin(out);
        let way = self.way(direction);
        way.has_ended = true;
        if way.is_lost {
            return;
        }
        if let Some(frame) = way.framer.finish() {
            let entries = self.numbers.number(line(at, direction, frame));
            let talk = &self.talk;
            out.extend(
                entries
                    .into_iter()
                    .map(|entry| Heard::Entry(talk.clone(), Box::new(entry))),
            );
        }
    }

    /// The process is gone; a fragment says how. Or the listening stopped.
    pub fn finish(&mut self, how: Option<&str>, out: &mut Vec<Heard>) {
        if !self.is_begun {
            return;
        }
        let end = match how {
            // Its input was closed, so it was asked to end.
            _ if self.sent.has_ended => ConversationEnd::Closed,
            Some(how) => ConversationEnd::Died {
                why: how.to_owned(),
                after: self.numbers.last(),
            },
            None => ConversationEnd::Open,
        };
        out.push(Heard::Ended(self.talk.clone(), end));
    }
}

impl Default for Lines {
    fn default() -> Self {
        Lines::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(heard: &[Heard]) -> Vec<String> {
        let text = |heard: &Heard| match heard {
            Heard::Entry(_, entry) => Some(String::from_utf8_lossy(&entry.raw).into_owned()),
            Heard::Lost { bytes, .. } => Some(format!("lost {bytes}")),
            Heard::Began { .. } | Heard::Ended(..) => None,
        };
        heard.iter().filter_map(text).collect()
    }

    #[test]
    fn after_a_gap_it_listens_again_from_the_next_line_on() {
        let mut lines = Lines::new();
        let mut out = Vec::new();
        let mut hear = |lines: &mut Lines, bytes: &[u8]| {
            lines.bytes(Direction::Received, bytes, Duration::ZERO, &mut out);
        };
        hear(&mut lines, b"{\"a\":1}\n{\"b\"");
        let mut gap = Vec::new();
        lines.lost(Direction::Received, 7, "no room", &mut gap);
        hear(&mut lines, b"3}");
        hear(&mut lines, b"\n{\"c\":1}\n");
        assert_eq!(texts(&out), ["{\"a\":1}", "{\"c\":1}"]);
        assert_eq!(texts(&gap), ["lost 7"]);
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_entries(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'{'), Just(b'}'), any::<u8>()], 0..200),
            cuts in prop::collection::vec(0..200_usize, 0..6),
        ) {
            let hear = |pieces: &[&[u8]]| {
                let mut lines = Lines::new();
                let mut out = Vec::new();
                for piece in pieces {
                    lines.bytes(Direction::Sent, piece, Duration::ZERO, &mut out);
                }
                lines.ended(Direction::Sent, Duration::ZERO, &mut out);
                lines.finish(None, &mut out);
                format!("{out:?}")
            };
            let mut at: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
            prop_assert_eq!(hear(&pieces), hear(&[&bytes]));
        }
    }
}
