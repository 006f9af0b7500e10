//! The first conversation: is there a target, what does it speak, what does it offer.

use super::attempt::{Stage, retire};
use crate::era::legacy::{self, Opened};
use crate::script::conversation::{Conversation, FLOOD_ENTRIES, Fence};
use mcp_assay_judge::http_instead;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Channel, Direction, End, Entry, Http, HttpPart, Missing, Record};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::{CheckResult, Stage as Trust};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Outcome, Verdict};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Which revisions to test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// What the target negotiates when offered the newest of its era.
    Auto,
    /// Each that it speaks.
    All,
    /// Exactly this one.
    Exact(Revision),
}

/// What one handshake and one ping brought.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Revision offered.
    pub offered: Revision,
    /// Result of `initialize`, where there was one.
    pub result: Option<Value>,
    /// What the target answered instead: the error, or a fragment.
    pub refusal: Option<String>,
    /// Whether anything was a well-formed response to a request of ours.
    pub answered: bool,
    /// Whether the fence after the handshake was answered.
    pub fence: Option<Fence>,
    /// The conversation.
    pub entries: Vec<Entry>,
    /// Why there was no answer at all, as a sentence for the user.
    pub silence: Option<String>,
    /// Wall time.
    pub duration: Duration,
}

impl Probe {
    /// The revision that the target settled on, where it is one that we know.
    pub fn negotiated(&self) -> Option<Revision> {
        self.result
            .as_ref()?
            .get("protocolVersion")?
            .as_str()?
            .parse()
            .ok()
    }
}

impl Probe {
    fn nothing(offered: Revision) -> Self {
        Probe {
            offered,
            result: None,
            refusal: None,
            answered: false,
            fence: None,
            entries: Vec::new(),
            silence: None,
            duration: Duration::ZERO,
        }
    }

    /// A target that was not even reached.
    pub fn silent(offered: Revision, why: String) -> Self {
        Probe {
            silence: Some(why),
            ..Probe::nothing(offered)
        }
    }

    /// Whether the target kept up the exchange to its end.
    pub fn lives(&self) -> bool {
        matches!(self.fence, Some(Fence::Answered(_)))
    }

    /// Whether the target gave an MCP session with its answer to `initialize`.
    pub fn has_session(&self) -> bool {
        self.entries.iter().any(|entry| match &entry.http {
            Some(Http {
                part: HttpPart::Response { head, .. },
                ..
            }) => head.value("mcp-session-id").is_some(),
            _ => false,
        })
    }

    /// The first redirect that was followed: its status and where it led.
    pub fn redirected(&self) -> Option<(u16, String)> {
        self.entries.iter().find_map(|entry| match &entry.http {
            Some(Http {
                part: HttpPart::Response { status, head, .. },
                ..
            }) if (300..400).contains(status) => Some((*status, head.value("location")?)),
            _ => None,
        })
    }

    /// The conversation as observers take it.
    pub fn record(&self, binding: Binding) -> Record {
        Record {
            revision: self.negotiated().unwrap_or(self.offered),
            binding,
            entries: self.entries.clone(),
            labels: BTreeMap::new(),
            end: End::Alive,
        }
    }
}

/// Opens a disposable connection, does the handshake with `offered`, and pings.
pub async fn probe(stage: &Stage, offered: Revision) -> Probe {
    let began = Instant::now();
    let mut probe = Probe::nothing(offered);
    let link = match stage.launcher.open().await {
        Ok(link) => link,
        Err(error) => {
            probe.silence = Some(format!("the target did not start: {error}"));
            return probe;
        }
    };
    let binding = stage.launcher.binding();
    let pace = Arc::clone(&stage.pace);
    let mut conversation = Conversation::new(link, binding, "probe", pace, HashSet::new());
    let params = Value::Object(legacy::initialize_params(offered)).to_string();
    let (index, opened) = legacy::open(&mut conversation, &params, stage.pace.start()).await;
    let reply = conversation
        .reply(index)
        .and_then(|entry| entry.message.clone());
    match (opened, reply) {
        (Opened::Yes, Some(message)) => {
            probe.answered = true;
            probe.result = message.value.get("result").cloned();
            probe.fence = Some(conversation.fence(Duration::ZERO).await);
        }
        (Opened::Refused, Some(message)) => {
            probe.answered = matches!(message.kind, Kind::Result | Kind::Error);
            let error = message.value.get("error").map(Value::to_string);
            probe.refusal = error.map(|error| match conversation.status(index) {
                Some(status) => format!("HTTP {status} and {error}"),
                None => error,
            });
        }
        (Opened::Yes | Opened::Refused, None) => {}
        (Opened::Missing(missing), _) => {
            probe.silence =
                Some(explain_silence(&mut conversation, missing, stage.pace.start()).await);
        }
    }
    probe.duration = began.elapsed();
    probe.entries = conversation.entries().to_vec();
    retire(conversation, probe.answered).await;
    probe
}

/// What HTTP gave in place of an answer to `initialize`.
fn instead(conversation: &Conversation) -> Option<String> {
    let why = conversation.ended().and_then(|ended| ended.why.clone());
    let sent = conversation.first_sent()?;
    let record = Record {
        revision: Revision::R2025_11_25,
        binding: conversation.binding(),
        entries: conversation.entries().to_vec(),
        labels: BTreeMap::new(),
        end: End::Alive,
    };
    // Some of these are of the target, the others of its event stream.
    let of_whom = |why: &str| if why.starts_with("its ") { "" } else { "it " };
    why.map(|why| format!("{}{why}", of_whom(&why)))
        .or_else(|| http_instead(&record, sent))
}

/// Why `initialize` got no answer, with what was seen instead.
async fn explain_silence(
    conversation: &mut Conversation,
    missing: Missing,
    patience: Duration,
) -> String {
    let mut text = if let Some(instead) = instead(conversation) {
        let within = match missing {
            Missing::Hung => format!(" within {} s", patience.as_secs_f64()),
            Missing::Died | Missing::Silent | Missing::Unfenced => String::new(),
        };
        format!("the target gave no answer to `initialize`{within}: {instead}")
    } else if missing == Missing::Died {
        if conversation.ended().is_some_and(|ended| ended.flood) {
            "the target floods its stdout, and no answer to `initialize` was in it".to_owned()
        } else {
            match conversation
                .exit(Instant::now() + Duration::from_secs(1))
                .await
            {
                Some(exit) => match (exit.code, exit.signal) {
                    (Some(code), _) => format!(
                        "the target exited with code {code} without an answer to `initialize`"
                    ),
                    (None, Some(signal)) => {
                        format!(
                            "the target was ended by signal {signal} without an answer to `initialize`"
                        )
                    }
                    (None, None) => "the target ended without an answer to `initialize`".to_owned(),
                },
                None => "the target closed its stdout without an answer to `initialize`".to_owned(),
            }
        }
    } else {
        format!(
            "the target did not answer `initialize` within {} s",
            patience.as_secs_f64()
        )
    };
    let mut received = conversation.entries().iter().filter(|entry| {
        entry.direction == Direction::Received
            && entry.channel != Channel::Stderr
            && entry.http.is_none()
    });
    if let Some(first) = received.next() {
        let flood = conversation.ended().is_some_and(|ended| ended.flood);
        let count = if flood {
            FLOOD_ENTRIES
        } else {
            1 + received.count()
        };
        let head = String::from_utf8_lossy(&first.raw[..first.raw.len().min(80)]).into_owned();
        let defect = first
            .defects
            .first()
            .map(|defect| format!(" ({})", defect.detail))
            .unwrap_or_default();
        text.push_str(&format!(
            "; its stdout held {count} line{}, the first of {} bytes begins {head:?}{defect}",
            if count == 1 { "" } else { "s" },
            first.length,
        ));
    }
    let tail = conversation.stderr_tail();
    let lines: Vec<&str> = tail.trim().lines().collect();
    if !lines.is_empty() {
        text.push_str(&format!(
            "\nits stderr ends:\n{}",
            lines[lines.len().saturating_sub(5)..].join("\n")
        ));
    }
    text
}

/// Id of the built-in sanity check, before and after each run.
pub const SANITY: &str = "run/sanity/alive";

/// The result of a sanity exchange. `when`: `first` or `last`.
pub fn sanity(probe: &Probe, revision: Revision, binding: Binding, when: &str) -> CheckResult {
    let finding = match (&probe.silence, &probe.refusal, probe.fence) {
        (None, None, Some(Fence::Answered(_))) => None,
        (Some(why), _, _) => Some(Finding::new(FindingCode::Died, why.clone())),
        (None, Some(refusal), _) => Some(
            Finding::new(FindingCode::RefusedValid, "`initialize` was refused")
                .actual(refusal.clone()),
        ),
        (None, None, Some(Fence::Missing(Missing::Died))) => Some(Finding::new(
            FindingCode::Died,
            "the target ended after the handshake",
        )),
        (None, None, _) => Some(Finding::new(
            FindingCode::Hung,
            "the target did not answer a ping after the handshake",
        )),
    };
    let finding = finding.map(|finding| {
        finding
            .expected("an answer to `initialize`, and an answer to `ping`")
            .at(probe.entries.len() as u64, "")
    });
    CheckResult {
        id: SANITY.to_owned(),
        case: format!("run/sanity@{revision}+{binding}#when=\"{when}\""),
        title: "a plain handshake and a ping are answered".to_owned(),
        rule: "a target under test answers a plain handshake before and after the run".to_owned(),
        basis: Basis::Robustness,
        level: Some(Level::Robustness),
        stage: Trust::Stable,
        requirements: Vec::new(),
        outcome: Outcome::Ran,
        verdict: Some(if finding.is_some() {
            Verdict::Fail
        } else {
            Verdict::Pass
        }),
        reason: None,
        gate: None,
        contested: None,
        baselined: false,
        judged: 1,
        confirmed: None,
        duration_ms: u64::try_from(probe.duration.as_millis()).unwrap_or(u64::MAX),
        findings: finding.into_iter().collect(),
        transcript: Vec::new(),
        rerun: String::new(),
    }
}
