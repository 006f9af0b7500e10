//! Outcomes, verdicts and gates: the vocabulary of docs/contracts.md section 1.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a check came to; folded by "only ever worse".
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The target did what the rule asks.
    Pass,
    /// Nothing can be said; never green.
    Inconclusive,
    /// The target broke the rule.
    Fail,
    /// The harness is wrong.
    Error,
}

impl Verdict {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
            Verdict::Error => "error",
        }
    }

    /// The worse of two.
    #[must_use]
    pub fn fold(self, other: Verdict) -> Verdict {
        self.max(other)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a check ran, and if not, why.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It judged something.
    Ran,
    /// It applies, and waits for a fixture, a permission, another check, or a race to fall the other way.
    Waiting,
    /// It does not apply to this target.
    NotApplicable,
    /// It applies and was not run.
    NotRun,
}

impl Outcome {
    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ran => "ran",
            Outcome::Waiting => "waiting",
            Outcome::NotApplicable => "not-applicable",
            Outcome::NotRun => "not-run",
        }
    }
}

/// Why an outcome is what it is; written `fixture:slow`, `blocked:CHECK`, `revision`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Reason {
    /// Waiting: the target offers nothing that serves as this fixture.
    Fixture(String),
    /// Waiting: no permission to call tools.
    Allow,
    /// Waiting: another check's failure explains this one.
    Blocked(String),
    /// Waiting: the answer came before the fence; a lawful race.
    Raced,
    /// Waiting: no fence answer can be had at this point of the conversation.
    Unfenced,
    /// Not applicable: outside since..until, or not negotiated.
    Revision,
    /// Not applicable: another binding.
    Binding,
    /// Not applicable: no MCP session.
    Session,
    /// Not applicable: the target speaks legacy revisions too.
    ModernOnly,
    /// Not applicable: capability never claimed.
    Capability(String),
    /// Not applicable: the precondition in `given` was not met.
    Given,
    /// Not run: `--no-calls`.
    CallsForbidden,
    /// Not run: the observer saw nothing that its rule speaks of.
    NothingToJudge,
    /// Not run: interrupted.
    Interrupted,
    /// Not run: the target was gone.
    TargetGone,
    /// Not run: `--dry`.
    Dry,
    /// Not run: the harness lacks the part that would run it; named, never hidden.
    Unsupported(String),
}

impl Reason {
    /// The outcome that this reason explains.
    pub fn outcome(&self) -> Outcome {
        match self {
            Reason::Fixture(_)
            | Reason::Allow
            | Reason::Blocked(_)
            | Reason::Raced
            | Reason::Unfenced => Outcome::Waiting,
            Reason::Revision
            | Reason::Binding
            | Reason::Session
            | Reason::ModernOnly
            | Reason::Capability(_)
            | Reason::Given => Outcome::NotApplicable,
            Reason::CallsForbidden
            | Reason::NothingToJudge
            | Reason::Interrupted
            | Reason::TargetGone
            | Reason::Dry
            | Reason::Unsupported(_) => Outcome::NotRun,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Fixture(name) => write!(f, "fixture:{name}"),
            Reason::Allow => f.write_str("allow"),
            Reason::Blocked(check) => write!(f, "blocked:{check}"),
            Reason::Raced => f.write_str("raced"),
            Reason::Unfenced => f.write_str("unfenced"),
            Reason::Revision => f.write_str("revision"),
            Reason::Binding => f.write_str("binding"),
            Reason::Session => f.write_str("session"),
            Reason::ModernOnly => f.write_str("modern-only"),
            Reason::Capability(path) => write!(f, "capability:{path}"),
            Reason::Given => f.write_str("given"),
            Reason::CallsForbidden => f.write_str("calls-forbidden"),
            Reason::NothingToJudge => f.write_str("nothing-to-judge"),
            Reason::Interrupted => f.write_str("interrupted"),
            Reason::TargetGone => f.write_str("target-gone"),
            Reason::Dry => f.write_str("dry"),
            Reason::Unsupported(what) => write!(f, "unsupported:{what}"),
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> String {
        reason.to_string()
    }
}

impl TryFrom<String> for Reason {
    type Error = crate::protocol::UnknownName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (head, tail) = match text.split_once(':') {
            Some((head, tail)) => (head, Some(tail.to_owned())),
            None => (text.as_str(), None),
        };
        match (head, tail) {
            ("fixture", Some(name)) => Ok(Reason::Fixture(name)),
            ("blocked", Some(check)) => Ok(Reason::Blocked(check)),
            ("capability", Some(path)) => Ok(Reason::Capability(path)),
            ("unsupported", Some(what)) => Ok(Reason::Unsupported(what)),
            ("allow", None) => Ok(Reason::Allow),
            ("raced", None) => Ok(Reason::Raced),
            ("unfenced", None) => Ok(Reason::Unfenced),
            ("revision", None) => Ok(Reason::Revision),
            ("binding", None) => Ok(Reason::Binding),
            ("session", None) => Ok(Reason::Session),
            ("modern-only", None) => Ok(Reason::ModernOnly),
            ("given", None) => Ok(Reason::Given),
            ("calls-forbidden", None) => Ok(Reason::CallsForbidden),
            ("nothing-to-judge", None) => Ok(Reason::NothingToJudge),
            ("interrupted", None) => Ok(Reason::Interrupted),
            ("target-gone", None) => Ok(Reason::TargetGone),
            ("dry", None) => Ok(Reason::Dry),
            _ => Err(crate::protocol::UnknownName::new("reason", &text, [])),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .try_into()
            .map_err(serde::de::Error::custom)
    }
}

/// What a fail does to the exit code; policy, from the profile.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gate {
    /// Shown, nothing else.
    Allow,
    /// Shown as a warning.
    Warn,
    /// Exit code 1.
    Deny,
}
