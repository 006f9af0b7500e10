//! What a judgement comes to.

use mcp_assay_model::finding::Finding;
use mcp_assay_model::record::{Missing, Record};
use mcp_assay_model::verdict::{Reason, Verdict};

/// What one check came to on one record.
///
/// **Shape**: exactly one of these holds:
///
/// - `verdict` is pass, fail or inconclusive; `findings` is empty unless it is fail; a pass has `judged >= 1`;
/// - `verdict` is none and `reason` says why nothing was judged (not applicable, or not supported);
/// - `verdict` is none and `missing` names a message that never came: who runs the check decides which check reports it;
/// - `verdict` is error and `error` says what is wrong with the card or the harness.
///
/// An inconclusive verdict for want of a fence's answer has both `reason` and `missing`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// What it came to.
    pub verdict: Option<Verdict>,
    /// Why it did not come to more.
    pub reason: Option<Reason>,
    /// What was seen that the rule forbids, each with its place.
    pub findings: Vec<Finding>,
    /// How many things were judged.
    pub judged: u64,
    /// The message whose absence left nothing to judge.
    pub missing: Option<MissingMessage>,
    /// What is wrong with the card or the harness, as a fragment.
    pub error: Option<String>,
}

/// A message that was awaited and never came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingMessage {
    /// Label that would name it.
    pub label: String,
    /// Why it did not come.
    pub why: Missing,
}

impl Judgement {
    /// The rule holds for this many things.
    pub fn pass(judged: u64) -> Self {
        Judgement {
            verdict: Some(Verdict::Pass),
            judged,
            ..Judgement::default()
        }
    }

    /// The rule does not hold.
    pub fn fail(findings: Vec<Finding>, judged: u64) -> Self {
        Judgement {
            verdict: Some(Verdict::Fail),
            findings,
            judged,
            ..Judgement::default()
        }
    }

    /// A pass without findings, a fail with.
    pub fn of(findings: Vec<Finding>, judged: u64) -> Self {
        if findings.is_empty() {
            Judgement::pass(judged)
        } else {
            Judgement::fail(findings, judged)
        }
    }

    /// Nothing can be said, for this reason.
    pub fn inconclusive(reason: Reason) -> Self {
        Judgement {
            verdict: Some(Verdict::Inconclusive),
            reason: Some(reason),
            ..Judgement::default()
        }
    }

    /// Nothing was judged, for this reason.
    pub fn unjudged(reason: Reason) -> Self {
        Judgement {
            reason: Some(reason),
            ..Judgement::default()
        }
    }

    /// The message to judge never came.
    pub fn missing(label: &str, why: Missing) -> Self {
        Judgement {
            missing: Some(MissingMessage {
                label: label.to_owned(),
                why,
            }),
            ..Judgement::default()
        }
    }

    /// The card or the harness is wrong.
    pub fn error(message: impl Into<String>) -> Self {
        Judgement {
            verdict: Some(Verdict::Error),
            error: Some(message.into()),
            ..Judgement::default()
        }
    }
}

/// Why a judgement stops before it has judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// A message never came.
    Missing(MissingMessage),
    /// What a reference asks for was left out by the target: there is nothing to compare with.
    LeftOut,
    /// The card or the harness is wrong.
    Broken(String),
}

impl Stop {
    /// This label's message never came.
    pub fn missing(label: &str, why: Missing) -> Self {
        Stop::Missing(MissingMessage {
            label: label.to_owned(),
            why,
        })
    }

    /// The card or the harness is wrong.
    pub fn broken(message: impl Into<String>) -> Self {
        Stop::Broken(message.into())
    }
}

impl From<Stop> for Judgement {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Missing(missing) => Judgement::missing(&missing.label, missing.why),
            Stop::LeftOut => Judgement::unjudged(Reason::Given),
            Stop::Broken(message) => Judgement::error(message),
        }
    }
}

/// Judges written in Rust, by name.
pub trait NativeJudges {
    /// What the judge of this name says of the record; `None` where there is no judge of this name.
    ///
    /// `on` is the label that the check judges.
    fn judge(&self, name: &str, on: Option<&str>, record: &Record) -> Option<Judgement>;
}

/// No native judges at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNatives;

impl NativeJudges for NoNatives {
    fn judge(&self, _name: &str, _on: Option<&str>, _record: &Record) -> Option<Judgement> {
        None
    }
}
