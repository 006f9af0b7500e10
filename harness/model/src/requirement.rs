//! Catalogued normative sentences, without their text.

use crate::protocol::Revision;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One catalogued normative sentence.
///
/// **Shape**: id `<revision>/<page>#<anchor>.<n>`; the sentence itself is behind `url`, never copied.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Stable name.
    pub id: String,
    /// How strongly it binds.
    pub level: Keyword,
    /// Whether the keyword is in capitals.
    #[serde(default, skip_serializing_if = "is_default")]
    pub form: Form,
    /// Who is bound: server, client, both, authorization-server, host, other.
    pub actor: String,
    /// any, stdio, streamable-http, http+sse.
    #[serde(default = "any", skip_serializing_if = "is_any")]
    pub transport: String,
    /// Area, for grouping.
    pub feature: String,
    /// Capability path the sentence depends on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// How it can be tested.
    pub testable: Testable,
    /// Further ways, where the sentence binds both sides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_testable: Vec<Testable>,
    /// What a test needs beyond a plain connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Why it cannot be tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Link to the published sentence.
    pub url: String,
    /// The first statement with the same meaning and level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn any() -> String {
    "any".to_owned()
}

fn is_any(text: &str) -> bool {
    text == "any"
}

impl Requirement {
    /// The revision its id begins with.
    pub fn revision(&self) -> Option<Revision> {
        self.id.split('/').next().and_then(|date| date.parse().ok())
    }

    /// The level it gives a check: a lowercase keyword counts as SHOULD at most.
    pub fn effective_level(&self) -> Level {
        let level = match self.level {
            Keyword::Must | Keyword::MustNot => Level::Must,
            Keyword::Should | Keyword::ShouldNot => Level::Should,
            Keyword::May => Level::May,
        };
        match self.form {
            Form::Bcp14 => level,
            Form::Lowercase => level.max(Level::Should),
        }
    }
}

/// The normative keyword of a sentence.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Keyword {
    /// MUST, REQUIRED, SHALL.
    #[serde(rename = "MUST")]
    Must,
    /// MUST NOT.
    #[serde(rename = "MUST NOT")]
    MustNot,
    /// SHOULD, RECOMMENDED.
    #[serde(rename = "SHOULD")]
    Should,
    /// SHOULD NOT.
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    /// MAY, OPTIONAL.
    #[serde(rename = "MAY")]
    May,
}

/// Whether the keyword is written in capitals, which alone is normative (BCP 14).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// In capitals.
    #[default]
    Bcp14,
    /// In lower case: a warning at most.
    Lowercase,
}

/// How a requirement can be tested.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Testable {
    /// We play the client and provoke it.
    BlackBoxServer,
    /// We play the server and provoke it.
    BlackBoxClient,
    /// An invariant of all recorded traffic.
    PassiveObservation,
    /// Not from outside.
    NotTestable,
}

/// How strongly a check binds in a revision; strongest first in the order.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum Level {
    /// MUST and MUST NOT.
    #[serde(rename = "MUST")]
    Must,
    /// SHOULD and SHOULD NOT.
    #[serde(rename = "SHOULD")]
    Should,
    /// MAY.
    #[serde(rename = "MAY")]
    May,
    /// No sentence of the specification: stays alive, answers in time, ends its lists.
    #[serde(rename = "robustness")]
    Robustness,
}

impl Level {
    /// All levels, strongest first.
    pub const ALL: [Level; 4] = [Level::Must, Level::Should, Level::May, Level::Robustness];

    /// The word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
            Level::Robustness => "robustness",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Citation as a report shows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Requirement id.
    pub id: String,
    /// Link to the sentence.
    pub url: String,
}
