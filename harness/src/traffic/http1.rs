//! HTTP/1.1 as it passes: one direction of a connection, cut into heads, bodies and what frames them. Sans-IO.
//!
//! ```text
//! bytes, in any split -> Messages::step -> Step { raw: the bytes as they came, what: Head | Data | Framing | End | Opaque }
//! ```
//!
//! The `raw` of all steps, one after the other, is the stream, byte for byte: who passes it on passes on what came. What is no HTTP, or
//! ceases to be (an upgrade, a head without end), is `Opaque` from there on.

use bytes::Bytes;
use mcp_assay_wire::http::Head;
use std::borrow::Cow;

/// Longest head; what is longer is none to us.
const MAX_HEAD: usize = 256 * 1024;
/// Longest line that frames a chunk, extensions included.
const MAX_LINE: usize = 16 * 1024;

/// Some bytes of the stream, and what they are.
#[derive(Debug)]
pub struct Step<'b> {
    /// The bytes as they came; may be those of earlier pieces too.
    pub raw: Cow<'b, [u8]>,
    /// What they are.
    pub what: What,
}

/// What bytes of the stream are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum What {
    /// A head, whole.
    Head(Head),
    /// Some of a body: all of `raw`.
    Data,
    /// What frames a body: sizes of chunks, line ends, trailers.
    Framing,
    /// The message is whole; has no bytes.
    End,
    /// No HTTP that we know: from here on nothing is told apart.
    Opaque,
}

/// How the body of a message ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Framing {
    /// After as many bytes.
    Length(u64),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Close,
    /// The connection speaks another protocol from here on.
    Upgrade,
    /// It cannot be told.
    Unknown,
}

/// Where a stream is.
#[derive(Clone, Debug)]
enum State {
    Head(Vec<u8>),
    Fixed(u64),
    ChunkSize(Vec<u8>),
    ChunkData(u64),
    ChunkEnd(Vec<u8>),
    Trailer(Vec<u8>),
    Whole,
    UntilClose,
    Opaque,
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub struct Messages {
    state: State,
    is_request: bool,
}

/// How a stream stands at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AtEnd {
    /// Between two messages.
    Between,
    /// The end of the stream ends the body, as it should.
    EndsBody,
    /// In the middle of a message.
    Cut,
    /// Nothing can be told apart.
    Opaque,
}

impl Messages {
    /// What clients send.
    pub fn requests() -> Self {
        Messages {
            state: State::Head(Vec::new()),
            is_request: true,
        }
    }

    /// What servers send.
    pub fn responses() -> Self {
        Messages {
            is_request: false,
            ..Messages::requests()
        }
    }

    /// Takes bytes from the front of `rest`; `None` where it is used up, and no message has just ended.
    ///
    /// `answered`: of responses, the method of the request that a head answers.
    pub fn step<'b>(
        &mut self,
        rest: &mut &'b [u8],
        answered: &mut dyn FnMut(u16) -> Option<String>,
    ) -> Option<Step<'b>> {
        if let State::Whole = self.state {
            self.state = State::Head(Vec::new());
            return Some(Step {
                raw: Cow::Borrowed(&[]),
                what: What::End,
            });
        }
        if rest.is_empty() {
            return None;
        }
        match &mut self.state {
            State::Whole => None,
            State::Head(held) => {
                let Some(end) = end_of_head(held, rest) else {
                    held.extend_from_slice(std::mem::take(rest));
                    if held.len() <= MAX_HEAD {
                        return None;
                    }
                    let raw = std::mem::take(held);
                    self.state = State::Opaque;
                    return Some(Step {
                        raw: Cow::Owned(raw),
                        what: What::Opaque,
                    });
                };
                let (mine, after) = rest.split_at(end);
                *rest = after;
                let mut raw = std::mem::take(held);
                raw.extend_from_slice(mine);
                let head = Head::parse(Bytes::copy_from_slice(&raw));
                let framing = if self.is_request {
                    of_request(&head)
                } else {
                    let method = head.status().and_then(answered);
                    of_response(&head, method.as_deref())
                };
                self.state = match framing {
                    Framing::Length(0) => State::Whole,
                    Framing::Length(length) => State::Fixed(length),
                    Framing::Chunked => State::ChunkSize(Vec::new()),
                    Framing::Close => State::UntilClose,
                    Framing::Upgrade | Framing::Unknown => State::Opaque,
                };
                let what = match framing {
                    Framing::Unknown => What::Opaque,
                    _ => What::Head(head),
                };
                Some(Step {
                    raw: Cow::Owned(raw),
                    what,
                })
            }
            State::Fixed(left) | State::ChunkData(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                let (mine, after) = rest.split_at(length);
                *rest = after;
                *left -= length as u64;
                let is_over = *left == 0;
                if is_over {
                    self.state = match self.state {
                        State::ChunkData(_) => State::ChunkEnd(Vec::new()),
                        _ => State::Whole,
                    };
                }
                Some(Step {
                    raw: Cow::Borrowed(mine),
                    what: What::Data,
                })
            }
            State::ChunkSize(held) | State::ChunkEnd(held) | State::Trailer(held) => {
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                let (mine, after) = rest.split_at(end);
                *rest = after;
                held.extend_from_slice(mine);
                let is_line = held.ends_with(b"\n");
                let next = match (is_line, held.len() > MAX_LINE) {
                    (true, _) => Some(self.after_line()),
                    (false, true) => Some(State::Opaque),
                    (false, false) => None,
                };
                let mut what = What::Framing;
                if let Some(next) = next {
                    if let State::Opaque = next {
                        what = What::Opaque;
                    }
                    self.state = next;
                }
                Some(Step {
                    raw: Cow::Borrowed(mine),
                    what,
                })
            }
            State::UntilClose => Some(Step {
                raw: Cow::Borrowed(std::mem::take(rest)),
                what: What::Data,
            }),
            State::Opaque => Some(Step {
                raw: Cow::Borrowed(std::mem::take(rest)),
                what: What::Opaque,
            }),
        }
    }

    /// What follows the line that is held.
    fn after_line(&self) -> State {
        match &self.state {
            State::ChunkSize(line) => match chunk_size(line) {
                Some(0) => State::Trailer(Vec::new()),
                Some(size) => State::ChunkData(size),
                None => State::Opaque,
            },
            State::ChunkEnd(line) if line.trim_ascii().is_empty() => State::ChunkSize(Vec::new()),
            State::Trailer(line) if line.trim_ascii().is_empty() => State::Whole,
            State::Trailer(_) => State::Trailer(Vec::new()),
            _ => State::Opaque,
        }
    }

    /// Bytes of a head that has begun: they wait until it is whole.
    pub fn held(&self) -> &[u8] {
        match &self.state {
            State::Head(held) => held,
            _ => &[],
        }
    }

    /// How it stands where the stream ends now.
    pub fn at_end(&self) -> AtEnd {
        match &self.state {
            State::Head(held) if held.is_empty() => AtEnd::Between,
            State::Whole => AtEnd::Between,
            State::UntilClose => AtEnd::EndsBody,
            State::Opaque => AtEnd::Opaque,
            State::Head(_)
            | State::Fixed(_)
            | State::ChunkSize(_)
            | State::ChunkData(_)
            | State::ChunkEnd(_)
            | State::Trailer(_) => AtEnd::Cut,
        }
    }
}

/// The first byte behind the empty line that ends a head, counted in `rest`; empty lines before the start line are part of it.
fn end_of_head(held: &[u8], rest: &[u8]) -> Option<usize> {
    let has_start = held.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
    let mut is_begun = has_start;
    // Whether the line that has begun is empty so far.
    let line_start = memchr::memrchr(b'\n', held).map_or(0, |at| at + 1);
    let mut is_empty = held[line_start..].iter().all(|byte| *byte == b'\r');
    for (at, byte) in rest.iter().enumerate() {
        match byte {
            b'\n' if is_empty && is_begun => return Some(at + 1),
            b'\n' => is_empty = true,
            b'\r' => {}
            _ => {
                is_empty = false;
                is_begun = true;
            }
        }
    }
    None
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_plain
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

fn is_chunked(head: &Head) -> Option<bool> {
    let mut codings = head.values("transfer-encoding").peekable();
    codings.peek()?;
    let last = codings.last()?;
    let last = String::from_utf8_lossy(last).to_ascii_lowercase();
    let last = last.rsplit(',').next().unwrap_or_default().trim();
    Some(last == "chunked")
}

fn length(head: &Head) -> Option<Framing> {
    let mut lengths = head.values("content-length");
    let first = lengths.next()?;
    if lengths.any(|other| other != first) {
        return Some(Framing::Unknown);
    }
    let text = std::str::from_utf8(first).ok();
    let is_plain = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.filter(is_plain).and_then(|text| text.parse().ok());
    Some(number.map_or(Framing::Unknown, Framing::Length))
}

fn of_request(head: &Head) -> Framing {
    let words: Vec<&str> = head.start.split(' ').collect();
    let is_http = matches!(words[..], [_, _, version] if version.starts_with("HTTP/1."));
    if !is_http {
        return Framing::Unknown;
    }
    if words[0] == "CONNECT" {
        return Framing::Upgrade;
    }
    match is_chunked(head) {
        Some(true) => Framing::Chunked,
        Some(false) => Framing::Unknown,
        None => length(head).unwrap_or(Framing::Length(0)),
    }
}

/// `method`: of the request that it answers.
fn of_response(head: &Head, method: Option<&str>) -> Framing {
    let Some(status) = head.status() else {
        return Framing::Unknown;
    };
    match status {
        101 => return Framing::Upgrade,
        100..200 | 204 | 304 => return Framing::Length(0),
        _ if method == Some("HEAD") => return Framing::Length(0),
        200..300 if method == Some("CONNECT") => return Framing::Upgrade,
        _ => {}
    }
    match is_chunked(head) {
        Some(true) => Framing::Chunked,
        Some(false) => Framing::Close,
        None => length(head).unwrap_or(Framing::Close),
    }
}

#[cfg(test)]
mod tests;
