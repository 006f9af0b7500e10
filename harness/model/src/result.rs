//! Results: one per check and case, as reports show them (docs/contracts.md section 3).

use crate::finding::Finding;
use crate::record::{Channel, Direction, Entry, Http, HttpPart};
use crate::requirement::{Citation, Level};
use crate::scenario::Basis;
use crate::verdict::{Gate, Outcome, Reason, Verdict};
use base64::Engine;
use mcp_assay_wire::http::{End as BodyEnd, Head};
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
/// **Shape**: `message` where the bytes are UTF-8 JSON and whole, and for what we sent, where it is spelled plainly; else `raw_b64`,
/// the head only where `truncated`. Neither, where a part of an HTTP exchange has no bytes of its own.
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
    /// The message.
    pub message: Option<Value>,
    /// Its bytes, where they are no UTF-8 JSON or too many.
    pub raw_b64: Option<String>,
    /// Whether bytes are missing at the end.
    pub truncated: bool,
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
                method: shown(method),
                target: shown(target),
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
                has_data: _,
                is_terminated,
            } => HttpFacts::Event {
                exchange,
                name: name.as_deref().map(shown),
                id: id.as_deref().map(shown),
                retry: *retry,
                comments: *comments,
                terminated: *is_terminated,
            },
            HttpPart::End(end) => {
                let (how, why) = match end {
                    BodyEnd::Complete => ("complete", None),
                    BodyEnd::Cut(why) => ("cut", Some(shown(why))),
                    BodyEnd::Closed => ("closed", None),
                    BodyEnd::Failed(why) => ("failed", Some(shown(why))),
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

/// Header fields that a transcript shows of one head.
const SHOWN_HEADERS: usize = 64;
/// Bytes of one header value, and of one other text of an exchange, that a transcript shows; one of about this length may have been longer.
pub const SHOWN_VALUE: usize = 1024;

/// A text of an exchange, cut to what a transcript shows.
fn shown(text: &str) -> String {
    let mut end = text.len().min(SHOWN_VALUE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn headers(head: &Head) -> Vec<(String, String)> {
    let shown = head.fields.iter().take(SHOWN_HEADERS).map(|field| {
        let value = &field.value[..field.value.len().min(SHOWN_VALUE)];
        let name = field.name.chars().take(SHOWN_VALUE).collect();
        (name, String::from_utf8_lossy(value).into_owned())
    });
    shown.collect()
}

/// Bytes of one entry that a transcript shows; the record on the wire is longer where `truncated`.
pub const SHOWN_BYTES: usize = 16 * 1024;

impl From<&Entry> for TranscriptEntry {
    fn from(entry: &Entry) -> Self {
        let whole = entry.length <= SHOWN_BYTES as u64;
        let message = match (&entry.message, whole) {
            // A bare `null` is told by its bytes: as JSON it could not be told from no message.
            // What we sent in a spelling of its own (white space, escapes, number forms) is told by its bytes: they are the point.
            (Some(message), true) => Some((*message.value).clone())
                .filter(|value| !value.is_null())
                .filter(|value| {
                    entry.direction == Direction::Received
                        || entry.raw.as_ref() == value.to_string().as_bytes()
                }),
            _ => None,
        };
        let head = &entry.raw[..entry.raw.len().min(SHOWN_BYTES)];
        TranscriptEntry {
            seq: entry.seq,
            at_us: u64::try_from(entry.at.as_micros()).unwrap_or(u64::MAX),
            dir: entry.direction,
            connection: entry.connection.clone(),
            channel: entry.channel,
            http: entry.http.as_ref().map(HttpFacts::from),
            // A head, an end and an empty body have no bytes of their own.
            raw_b64: (message.is_none() && (entry.http.is_none() || !head.is_empty()))
                .then(|| base64::engine::general_purpose::STANDARD.encode(head)),
            message,
            truncated: entry.length > head.len() as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_can_write_into_http_facts_is_bounded() {
        let long = || "é".repeat(1 << 16);
        let part = |part| HttpFacts::from(&Http { exchange: 1, part });
        let head = Head::parse(format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(100)).into());
        let facts = [
            part(HttpPart::Request {
                method: "GET".to_owned(),
                target: long(),
                head,
            }),
            part(HttpPart::Event {
                name: Some(long()),
                id: Some(long()),
                retry: None,
                comments: 0,
                has_data: true,
                is_terminated: true,
            }),
            part(HttpPart::End(BodyEnd::Cut(long()))),
        ];
        for fact in facts {
            let text = serde_json::to_string(&fact).expect("facts are JSON");
            assert!(text.len() < 4 * SHOWN_VALUE, "{}", text.len());
        }
    }
}
