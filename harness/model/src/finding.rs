//! Findings: what a check or an observer saw, with a closed list of codes.

use crate::protocol::UnknownName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why a check failed; a closed, stable list (docs/contracts.md section 1).
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum FindingCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [FindingCode] = &[$(FindingCode::$variant,)*];

            /// The name in reports, cards and profiles.
            pub fn as_str(self) -> &'static str {
                match self { $(FindingCode::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The awaited message never came, though the fence was answered.
    NoReply = "no-reply",
    /// A message of another kind came: a result where an error is due, or the reverse.
    ReplyKind = "reply-kind",
    /// A `const` or `enum` does not hold.
    Value = "value",
    /// Another schema keyword does not hold.
    Schema = "schema",
    /// Ids differ in their raw text.
    Id = "id",
    /// HTTP status.
    Status = "status",
    /// HTTP content type.
    ContentType = "content-type",
    /// HTTP header.
    Header = "header",
    /// A reply to a cancelled request, after the fence.
    LateReply = "late-reply",
    /// A message that must not have come.
    UnexpectedMessage = "unexpected-message",
    /// Order of messages.
    Order = "order",
    /// The same thing twice.
    Duplicate = "duplicate",
    /// Used without having been declared.
    Undeclared = "undeclared",
    /// Declared, but not there.
    Unimplemented = "unimplemented",
    /// A list or stream without end.
    Endless = "endless",
    /// The process or its output ended.
    Died = "died",
    /// The fence was not answered.
    Hung = "hung",
    /// Broken frame.
    Framing = "framing",
    /// Something on stdout that is no message.
    Stdout = "stdout",
    /// Something of one client shown to another.
    Leak = "leak",
    /// A canary evaluated, opened or shown.
    Canary = "canary",
    /// Memory, descriptors or children grow without bound.
    Growth = "growth",
    /// Valid input refused.
    RefusedValid = "refused-valid",
    /// Invalid input accepted.
    AcceptedInvalid = "accepted-invalid",
    /// Seen once, not again.
    Unstable = "unstable",
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FindingCode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        FindingCode::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or_else(|| {
                UnknownName::new(
                    "finding code",
                    text,
                    FindingCode::ALL.iter().map(|code| code.as_str()),
                )
            })
    }
}

/// One thing that a check or an observer saw.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Why it is one.
    pub code: FindingCode,
    /// One sentence fragment that a stranger understands.
    pub message: String,
    /// What the rule allows, as a fragment or JSON text.
    pub expected: Option<String>,
    /// What was seen, as a fragment or JSON text, whole.
    pub actual: Option<String>,
    /// Transcript position and JSON pointer: `#12 /result/nextCursor`; `None` where nothing was seen.
    pub at: Option<String>,
    /// How often, of one root cause; 1 and more.
    pub count: u64,
}

impl Finding {
    /// A finding seen once.
    pub fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Finding {
            code,
            message: message.into(),
            expected: None,
            actual: None,
            at: None,
            count: 1,
        }
    }

    /// With what the rule allows.
    #[must_use]
    pub fn expected(mut self, text: impl Into<String>) -> Self {
        self.expected = Some(text.into());
        self
    }

    /// With what was seen.
    #[must_use]
    pub fn actual(mut self, text: impl Into<String>) -> Self {
        self.actual = Some(text.into());
        self
    }

    /// With its place: the transcript position and a JSON pointer within the message.
    #[must_use]
    pub fn at(mut self, seq: u64, pointer: &str) -> Self {
        self.at = Some(if pointer.is_empty() {
            format!("#{seq}")
        } else {
            format!("#{seq} {pointer}")
        });
        self
    }
}
