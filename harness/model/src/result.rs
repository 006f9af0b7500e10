//! Results: one per check and case, as reports show them (CONTRACTS section 3).

use crate::finding::Finding;
use crate::record::{Channel, Direction, Entry};
use crate::requirement::{Citation, Level};
use crate::scenario::Basis;
use crate::verdict::{Gate, Outcome, Reason, Verdict};
use base64::Engine;
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
/// the head only where `truncated`.
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
    /// HTTP facts; null on stdio.
    pub http: Option<Value>,
    /// The message.
    pub message: Option<Value>,
    /// Its bytes, where they are no UTF-8 JSON or too many.
    pub raw_b64: Option<String>,
    /// Whether bytes are missing at the end.
    pub truncated: bool,
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
            http: None,
            raw_b64: message
                .is_none()
                .then(|| base64::engine::general_purpose::STANDARD.encode(head)),
            message,
            truncated: entry.length > head.len() as u64,
        }
    }
}
