//! Results: one per check and case, as reports show them (docs/contracts.md section 3).

use crate::finding::Finding;
use crate::record::{Channel, Direction, Entry, Http, HttpPart};
use crate::requirement::{Citation, Level};
use crate::scenario::Basis;
use crate::verdict::{Gate, Outcome, Reason, Verdict};
use base64::Engine;
use mcp_assay_wire::http::{End as BodyEnd, Head};
use mcp_assay_wire::stdio::{Defect, DefectKind, Terminator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One check in one case; the key is (`id`, `case`).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Check id: `errors/unknown-method/is-error`, `CARD/alive`, `observer/NAME/RULE`.
    pub id: String,
    /// Case id: `CARD@REV+BINDING#VAR=JSON`.
    pub case: String,
    /// What the check says, in a line.
    pub title: String,
    /// The rule, in our words.
    pub rule: String,
    /// Specification or robustness.
    pub basis: Basis,
    /// Strongest level of the cited rows in this revision; `None` where no row of it is cited (not applicable).
    pub level: Option<Level>,
    /// `stable` or `preview`.
    pub stage: Stage,
    /// Rows of this revision.
    pub requirements: Vec<Citation>,
    /// Whether it ran.
    pub outcome: Outcome,
    /// What it came to; `None` for not-applicable and not-run.
    pub verdict: Option<Verdict>,
    /// Why it waited, does not apply, or was not run.
    pub reason: Option<Reason>,
    /// What a fail does; set on fail, on inconclusive MUST under `--strict`, and `allow` where baselined.
    pub gate: Option<Gate>,
    /// Row of the table of conflicts.
    pub contested: Option<String>,
    /// Whether the baseline knows it.
    pub baselined: bool,
    /// How many things were judged; no pass with 0.
    pub judged: u64,
    /// `2/2`, `1/1`; `None` where nothing was confirmed.
    pub confirmed: Option<String>,
    /// Wall time of the case in milliseconds, spawning included, judging excluded.
    pub duration_ms: u64,
    /// What was seen; empty on pass.
    pub findings: Vec<Finding>,
    /// The conversation, bounded; empty in events, where messages stand on their own.
    pub transcript: Vec<TranscriptEntry>,
    /// A command that reruns just this case.
    pub rerun: String,
}

/// How far a check is trusted to gate.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Gates.
    #[default]
    Stable,
    /// Reported, never gates.
    Preview,
}

/// One entry of a transcript, as reports show it.
///
/// **Shape**: `message` where the bytes are JSON and whole; `raw` where they are text that `message` does not give back to the letter;
/// `raw_b64` where they are no UTF-8. None of them, where a part of an HTTP exchange has no bytes of its own. Only the head of the bytes
/// where `truncated`. In JSON the fields behind `truncated`, and `raw`, are left out where they say nothing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TranscriptEntry {
    /// Position, from 1.
    pub seq: u64,
    /// Microseconds since the connection was asked for.
    pub at_us: u64,
    /// Which way.
    pub dir: Direction,
    /// Label of the connection.
    pub connection: String,
    /// Which stream.
    pub channel: Channel,
    /// Its place in an HTTP exchange; null on stdio.
    pub http: Option<HttpFacts>,
    /// The message; never JSON's `null`, which could not be told from none.
    pub message: Option<Value>,
    /// Its text, where `message` spells it otherwise, or where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<String>,
    /// Its bytes, where they are no text.
    pub raw_b64: Option<String>,
    /// Whether bytes are missing at the end.
    pub truncated: bool,
    /// Bytes on the wire, where more than are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// How a line ended that did not end with `\n` alone; `None` on streams without lines too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_end: Option<LineEnd>,
    /// What is wrong with the frame.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defects: Vec<DefectFacts>,
    /// Position of the sent entry that this response was attributed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<u64>,
    /// Position of the batch that this message stood in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<u64>,
}

/// How a line ended that did not end as most do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    /// `\r\n`.
    Crlf,
    /// The stream ended.
    EndOfInput,
    /// It went out without one, and more may have followed.
    None,
}

/// Something that is wrong with a frame, as reports show it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DefectFacts {
    /// What it is.
    #[serde(with = "defect_kind")]
    pub kind: DefectKind,
    /// Where it starts, as an offset in the stream.
    pub offset: u64,
    /// A short explanation.
    pub detail: String,
}

/// The place of an entry in an HTTP exchange, as reports show it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "part", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HttpFacts {
    /// What we ask.
    Request {
        /// Number of the exchange on its connection, from 1.
        exchange: u64,
        /// Method.
        method: String,
        /// Target of the request line.
        target: String,
        /// Names and values as written, in order.
        headers: Vec<(String, String)>,
    },
    /// The head of a response.
    Response {
        /// Number of the exchange.
        exchange: u64,
        /// Status code.
        status: u16,
        /// Names and values as they came, in order.
        headers: Vec<(String, String)>,
        /// Number of the socket, from 1.
        socket: u64,
    },
    /// The body of a response that is no event stream.
    Body {
        /// Number of the exchange.
        exchange: u64,
    },
    /// An event of an event stream.
    Event {
        /// Number of the exchange.
        exchange: u64,
        /// The `event` field.
        name: Option<String>,
        /// The `id` field.
        id: Option<String>,
        /// The `retry` field in milliseconds.
        retry: Option<u64>,
        /// Comment lines.
        comments: u32,
        /// Whether the empty line came.
        terminated: bool,
        /// Whether it had data, be it empty; left out where it had.
        #[serde(default = "yes", skip_serializing_if = "is_yes")]
        data: bool,
    },
    /// The end of a stream, or of an exchange that went wrong.
    End {
        /// Number of the exchange.
        exchange: u64,
        /// `complete`, `cut`, `closed` by us, `failed`.
        how: String,
        /// Why, where it went wrong.
        why: Option<String>,
    },
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_yes(told: &bool) -> bool {
    *told
}

impl From<&Http> for HttpFacts {
    fn from(http: &Http) -> Self {
        let exchange = http.exchange;
        match &http.part {
            HttpPart::Request {
                method,
                target,
                head,
            } => HttpFacts::Request {
                exchange,
                method: method.clone(),
                target: target.clone(),
                headers: headers(head),
            },
            HttpPart::Response {
                status,
                head,
                socket,
            } => HttpFacts::Response {
                exchange,
                status: *status,
                headers: headers(head),
                socket: *socket,
            },
            HttpPart::Body => HttpFacts::Body { exchange },
            HttpPart::Event {
                name,
                id,
                retry,
                comments,
                has_data,
                is_terminated,
            } => HttpFacts::Event {
                exchange,
                name: name.clone(),
                id: id.clone(),
                retry: *retry,
                comments: *comments,
                terminated: *is_terminated,
                data: *has_data,
            },
            HttpPart::End(end) => {
                let (how, why) = match end {
                    BodyEnd::Complete => ("complete", None),
                    BodyEnd::Cut(why) => ("cut", Some(why.clone())),
                    BodyEnd::Closed => ("closed", None),
                    BodyEnd::Failed(why) => ("failed", Some(why.clone())),
                };
                HttpFacts::End {
                    exchange,
                    how: how.to_owned(),
                    why,
                }
            }
        }
    }
}

fn headers(head: &Head) -> Vec<(String, String)> {
    let fields = head.fields.iter();
    fields
        .map(|field| {
            let value = String::from_utf8_lossy(&field.value).into_owned();
            (field.name.clone(), value)
        })
        .collect()
}

impl From<&Entry> for TranscriptEntry {
    fn from(entry: &Entry) -> Self {
        let is_whole = entry.length <= entry.raw.len() as u64;
        // As JSON a bare `null` could not be told from no message.
        let message = entry.message.as_ref().filter(|_| is_whole);
        let message = message.filter(|message| !message.value.is_null());
        let text = std::str::from_utf8(&entry.raw);
        // White space, escapes, forms of numbers: what is spelled in a way of its own is told by its text too.
        let raw = match (&text, message) {
            (Ok(text), Some(message)) => (message.value.to_string() != *text).then_some(*text),
            // A head, an end and an empty body have no bytes of their own.
            (Ok(text), None) => (entry.http.is_none() || !text.is_empty()).then_some(*text),
            (Err(_), _) => None,
        };
        TranscriptEntry {
            seq: entry.seq,
            at_us: u64::try_from(entry.at.as_micros()).unwrap_or(u64::MAX),
            dir: entry.direction,
            connection: entry.connection.clone(),
            channel: entry.channel,
            http: entry.http.as_ref().map(HttpFacts::from),
            message: message.map(|message| (*message.value).clone()),
            raw: raw.map(str::to_owned),
            raw_b64: text
                .is_err()
                .then(|| base64::engine::general_purpose::STANDARD.encode(&entry.raw)),
            truncated: !is_whole,
            length: (!is_whole).then_some(entry.length),
            line_end: line_end(entry),
            defects: entry.defects.iter().map(DefectFacts::from).collect(),
            answers: entry.answers,
            part_of: entry.part_of,
        }
    }
}

/// Whether an entry stands on a stream of lines.
pub(crate) fn is_line(channel: Channel, is_http: bool) -> bool {
    match channel {
        Channel::Stdin | Channel::Stdout | Channel::Memory => !is_http,
        Channel::Stderr | Channel::Http | Channel::Sse => false,
    }
}

fn line_end(entry: &Entry) -> Option<LineEnd> {
    if !is_line(entry.channel, entry.http.is_some()) {
        return None;
    }
    match entry.terminator {
        Some(Terminator::Lf) => None,
        Some(Terminator::CrLf) => Some(LineEnd::Crlf),
        Some(Terminator::EndOfInput) => Some(LineEnd::EndOfInput),
        None => Some(LineEnd::None),
    }
}

impl From<&Defect> for DefectFacts {
    fn from(defect: &Defect) -> Self {
        DefectFacts {
            kind: defect.kind,
            offset: defect.offset,
            detail: defect.detail.clone(),
        }
    }
}

impl TranscriptEntry {
    /// Its bytes; none where a part of an HTTP exchange has none of its own.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match (&self.raw, &self.raw_b64, &self.message) {
            (Some(text), ..) => Some(text.clone().into_bytes()),
            (None, Some(coded), _) => base64::engine::general_purpose::STANDARD.decode(coded).ok(),
            (None, None, Some(message)) => Some(message.to_string().into_bytes()),
            (None, None, None) => None,
        }
    }
}

/// Kinds of defects by name.
mod defect_kind {
    use mcp_assay_wire::stdio::DefectKind;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Every kind.
    pub(super) const ALL: [DefectKind; 14] = [
        DefectKind::Blank,
        DefectKind::NoFinalNewline,
        DefectKind::InvalidUtf8,
        DefectKind::ByteOrderMark,
        DefectKind::Nul,
        DefectKind::LoneSurrogate,
        DefectKind::DuplicateKey,
        DefectKind::NumberForm,
        DefectKind::NumberRange,
        DefectKind::TooDeep,
        DefectKind::Oversized,
        DefectKind::NotJson,
        DefectKind::NotJsonRpc,
        DefectKind::IgnoredField,
    ];

    /// The name in records.
    pub(super) fn name(kind: DefectKind) -> &'static str {
        match kind {
            DefectKind::Blank => "blank",
            DefectKind::NoFinalNewline => "no-final-newline",
            DefectKind::InvalidUtf8 => "invalid-utf8",
            DefectKind::ByteOrderMark => "byte-order-mark",
            DefectKind::Nul => "nul",
            DefectKind::LoneSurrogate => "lone-surrogate",
            DefectKind::DuplicateKey => "duplicate-key",
            DefectKind::NumberForm => "number-form",
            DefectKind::NumberRange => "number-range",
            DefectKind::TooDeep => "too-deep",
            DefectKind::Oversized => "oversized",
            DefectKind::NotJson => "not-json",
            DefectKind::NotJsonRpc => "not-json-rpc",
            DefectKind::IgnoredField => "ignored-field",
        }
    }

    pub(super) fn serialize<S: Serializer>(
        kind: &DefectKind,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name(*kind))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DefectKind, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let named = ALL.into_iter().find(|kind| name(*kind) == text);
        named.ok_or_else(|| D::Error::custom(format!("unknown defect `{text}`")))
    }
}
