//! Events: the record of a run, one JSON object a line; every report is a fold over them.

use crate::finding::Finding;
use crate::protocol::{Binding, Era, Revision, Role};
use crate::record::End;
use crate::result::{CheckResult, TranscriptEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Format name of the jsonl record, in its first event.
pub const EVENTS_FORMAT: &str = "mcp-assay/events/1";

/// One event of a run.
///
/// **Shape**: `run-started` first, `run-finished` last; between them, for each case, `case-started`, its messages and findings,
/// `case-finished`. Events of concurrent cases interleave; `case` and `attempt` tell them apart.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// The target was reached, or was found not to be.
    RunStarted(RunStarted),
    /// A case begins; again with a higher attempt when a Fail is confirmed, and, after its `case-finished`, when it holds the
    /// example of an observer's finding.
    CaseStarted {
        /// Case id.
        case: String,
        /// From 1.
        attempt: u32,
    },
    /// Something crossed the wire.
    Message {
        /// Case id.
        case: String,
        /// From 1.
        attempt: u32,
        /// What.
        entry: TranscriptEntry,
    },
    /// Something was found, before its confirmation.
    Finding {
        /// Case id.
        case: String,
        /// From 1.
        attempt: u32,
        /// Check id.
        id: String,
        /// What.
        finding: Finding,
    },
    /// A case is settled, confirmations included.
    CaseFinished {
        /// Case id.
        case: String,
        /// Its results, `CARD/alive` included; transcripts empty.
        results: Vec<CheckResult>,
    },
    /// The target was started again after it had died or hung.
    TargetRestarted {
        /// The case that ended next; empty where none did.
        case: String,
        /// A fragment.
        why: String,
    },
    /// What `tap` saw pass in a conversation and did not keep: it has a gap here.
    Lost {
        /// Case id.
        case: String,
        /// Position of the last entry before it.
        after: u64,
        /// Bytes that passed.
        bytes: u64,
        /// Why it was not kept, a fragment.
        why: String,
    },
    /// A conversation that `tap` listened to is over.
    ConversationEnded {
        /// Case id.
        case: String,
        /// How.
        end: ConversationEnd,
    },
    /// The end.
    RunFinished(RunFinished),
}

/// How a conversation ended that was only listened to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ConversationEnd {
    /// The client ended it.
    Closed,
    /// The server, or its output, ended by itself.
    Died {
        /// A fragment: `exited with code 1`.
        why: String,
        /// Position of the last entry before it.
        after: u64,
    },
    /// It went on when the listening stopped, or nobody could tell.
    Open,
}

impl From<&ConversationEnd> for End {
    fn from(end: &ConversationEnd) -> End {
        match end {
            ConversationEnd::Closed => End::Closed,
            ConversationEnd::Died { why, after } => End::Died {
                how: why.clone(),
                after: *after,
            },
            // Nothing can be said of what has not come yet.
            ConversationEnd::Open => End::Unfenced,
        }
    }
}

/// How a run begins.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// [`EVENTS_FORMAT`].
    pub format: String,
    /// Who ran.
    pub tool: Tool,
    /// Role of the target.
    pub role: Role,
    /// Whose conduct is judged, where nobody is driven: of what `judge` and `tap` were given. Left out in a run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sides: Vec<Role>,
    /// The seed.
    pub seed: u64,
    /// The target.
    pub target: TargetFacts,
    /// RFC 3339, UTC.
    pub started: String,
    /// Cases planned, those known not to apply included.
    pub cases: u64,
}

/// Name and version of the tool.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `mcp-assay`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What is known of the target; secrets are masked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFacts {
    /// Command, on stdio; on HTTP the one that starts the server, where there is one.
    pub argv: Vec<String>,
    /// Address, on HTTP.
    pub url: Option<String>,
    /// As the target told.
    pub server_info: Option<Value>,
    /// Eras it speaks.
    pub eras: Vec<Era>,
    /// Revisions it was seen to speak.
    pub spoken: Vec<Revision>,
    /// Revisions tested.
    pub tested: Vec<Revision>,
    /// Bindings tested.
    pub bindings: Vec<Binding>,
}

/// How a run ends.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunFinished {
    /// Wall time in milliseconds.
    pub duration_ms: u64,
    /// Sum over cases of the time spent waiting for the target, in milliseconds; may exceed the wall time.
    pub waiting_ms: u64,
    /// Exit code.
    pub exit_code: u8,
    /// Why the exit code is what it is, in a line each; empty for 0.
    pub reasons: Vec<String>,
    /// What waits for a fixture or a permission.
    pub waiting_for: Vec<WaitingFor>,
    /// Requirements tested, per revision.
    pub coverage: Coverage,
    /// Remarks that are no findings, a line each: 'this server handles one request at a time'.
    pub notes: Vec<String>,
    /// What the messages held that breaks no rule and is still worth a word; left out where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Noted>,
}

/// Something in a message that breaks no rule and is still worth a word: a name that is nearly a known one, use of what is deprecated.
///
/// **Shape**: one for each message text, role, method and place, whatever the revision. It is no verdict, and counts for nothing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Noted {
    /// Who sent it.
    pub role: Role,
    /// Revisions in which it was seen, the oldest first.
    pub revisions: Vec<Revision>,
    /// Method of the message, or of the request that it answers; empty where there is none.
    pub method: String,
    /// JSON pointer within the message, with array indices as `*`.
    pub path: String,
    /// A fragment that a stranger understands.
    pub message: String,
    /// How often, 1 and more.
    pub count: u64,
    /// The smallest example, cut to a line.
    pub actual: String,
    /// Case of the example.
    pub case: String,
    /// Its place there: `#12 /result/nextcursor`.
    pub at: String,
}

/// Results that wait for the same thing.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WaitingFor {
    /// Name of the fixture; `allow` for permission to call tools.
    pub fixture: String,
    /// How many results wait.
    pub results: u64,
    /// Lines to paste into the profile.
    pub profile: String,
}

/// Coverage of the catalogue.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// One per revision and role.
    pub revisions: Vec<RevisionCoverage>,
}

/// Coverage of one revision.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionCoverage {
    /// Which.
    pub revision: Revision,
    /// Role of the target.
    pub role: Role,
    /// By level: `MUST` (with MUST NOT), `SHOULD` (with SHOULD NOT).
    pub levels: BTreeMap<String, LevelCoverage>,
}

/// Counts of one level; each row once.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LevelCoverage {
    /// Rows of the role that can be tested, observation included, lowercase ones not.
    pub testable: u64,
    /// Of these, rows that a check or a rule cites.
    pub covered: u64,
    /// Of these, rows whose check ended pass or fail; null without a run.
    pub exercised: Option<u64>,
    /// Rows left out because their keyword is in lower case.
    pub lowercase: u64,
}
