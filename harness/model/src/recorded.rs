//! Entries read back from their record: the way back from [`TranscriptEntry`](crate::result::TranscriptEntry).
//!
//! ```text
//! Entry -> TranscriptEntry -> a line of jsonl -> RecordedEntry (borrows the line) -> Entry
//! ```
//!
//! The message is read again from its text, by the same reader as on the wire.

use crate::record::{Channel, Direction, Entry, Http, HttpPart};
use crate::result::{DefectFacts, HttpFacts, LineEnd, is_line};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mcp_assay_wire::http::{End as BodyEnd, Head};
use mcp_assay_wire::jsonrpc::{Message, classify};
use mcp_assay_wire::stdio::{Defect, Terminator};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;

/// An entry as a line of the record has it; its texts are those of the line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedEntry<'l> {
    seq: u64,
    at_us: u64,
    dir: Direction,
    #[serde(borrow)]
    connection: Cow<'l, str>,
    channel: Channel,
    http: Option<HttpFacts>,
    #[serde(borrow)]
    message: Option<&'l RawValue>,
    #[serde(default)]
    raw: Option<String>,
    raw_b64: Option<String>,
    truncated: bool,
    #[serde(default)]
    length: Option<u64>,
    #[serde(default)]
    line_end: Option<LineEnd>,
    #[serde(default)]
    defects: Vec<DefectFacts>,
    #[serde(default)]
    answers: Option<u64>,
    #[serde(default)]
    part_of: Option<u64>,
}

/// What is wrong with a recorded entry, though it has the form of one.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Not base64.
    #[error("`raw_b64` is no base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// The end of a body that has no meaning.
    #[error("`how` is `{0}`; known are complete, cut, closed, failed")]
    How(String),
}

impl RecordedEntry<'_> {
    /// The entry.
    ///
    /// **Shape**: as it was recorded, but for heads: they are written anew from their fields, so that their raw bytes may differ in white
    /// space.
    ///
    /// **Errors**: see [`Broken`].
    pub fn entry(self) -> Result<Entry, Broken> {
        let raw = match (self.raw, self.raw_b64, self.message) {
            (Some(text), ..) => Bytes::from(text),
            (None, Some(coded), _) => Bytes::from(STANDARD.decode(coded)?),
            (None, None, Some(message)) => Bytes::copy_from_slice(message.get().as_bytes()),
            (None, None, None) => Bytes::new(),
        };
        let is_line = is_line(self.channel, self.http.is_some());
        let read = |raw: &Bytes| classify(raw).ok();
        let message: Option<Message> = match self.message {
            Some(_) => read(&raw),
            // A text that was no message, though it reads as one, was cut off on its way; only `null` is not told by `message`.
            None if self.channel != Channel::Stderr && raw.trim_ascii() == b"null" => read(&raw),
            None => None,
        };
        Ok(Entry {
            seq: self.seq,
            at: Duration::from_micros(self.at_us),
            direction: self.dir,
            connection: self.connection.into_owned(),
            channel: self.channel,
            length: match (self.length, self.truncated) {
                (Some(length), _) => length,
                (None, is_cut) => raw.len() as u64 + u64::from(is_cut),
            },
            terminator: match self.line_end {
                _ if !is_line => None,
                None => Some(Terminator::Lf),
                Some(LineEnd::Crlf) => Some(Terminator::CrLf),
                Some(LineEnd::EndOfInput) => Some(Terminator::EndOfInput),
                Some(LineEnd::None) => None,
            },
            message,
            defects: self.defects.into_iter().map(Defect::from).collect(),
            answers: self.answers,
            part_of: self.part_of,
            http: self.http.map(Http::try_from).transpose()?,
            raw,
        })
    }
}

impl From<DefectFacts> for Defect {
    fn from(facts: DefectFacts) -> Self {
        Defect {
            kind: facts.kind,
            offset: facts.offset,
            detail: facts.detail,
        }
    }
}

impl TryFrom<HttpFacts> for Http {
    type Error = Broken;

    fn try_from(facts: HttpFacts) -> Result<Self, Broken> {
        let (exchange, part) = match facts {
            HttpFacts::Request {
                exchange,
                method,
                target,
                headers,
            } => {
                let head = Head::write(format!("{method} {target} HTTP/1.1"), headers);
                let part = HttpPart::Request {
                    method,
                    target,
                    head,
                };
                (exchange, part)
            }
            HttpFacts::Response {
                exchange,
                status,
                headers,
                socket,
            } => {
                let part = HttpPart::Response {
                    status,
                    head: Head::write(format!("HTTP/1.1 {status}"), headers),
                    socket,
                };
                (exchange, part)
            }
            HttpFacts::Body { exchange } => (exchange, HttpPart::Body),
            HttpFacts::Event {
                exchange,
                name,
                id,
                retry,
                comments,
                terminated,
                data,
            } => {
                let part = HttpPart::Event {
                    name,
                    id,
                    retry,
                    comments,
                    has_data: data,
                    is_terminated: terminated,
                };
                (exchange, part)
            }
            HttpFacts::End { exchange, how, why } => {
                let why = why.unwrap_or_default();
                let end = match how.as_str() {
                    "complete" => BodyEnd::Complete,
                    "cut" => BodyEnd::Cut(why),
                    "closed" => BodyEnd::Closed,
                    "failed" => BodyEnd::Failed(why),
                    _ => return Err(Broken::How(how)),
                };
                (exchange, HttpPart::End(end))
            }
        };
        Ok(Http { exchange, part })
    }
}
