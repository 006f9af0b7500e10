//! What `list --format json` prints: the checks there are, without running anything.

use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::requirement::{Citation, Level};
use mcp_assay_model::result::Stage;
use mcp_assay_model::scenario::Basis;
use serde::{Deserialize, Serialize};

/// Format name of the list.
pub const LIST_FORMAT: &str = "mcp-assay/list/1";

/// Every check of a selection.
///
/// **Shape**: `checks` in order of id, each once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// [`LIST_FORMAT`].
    pub format: String,
    /// The checks.
    pub checks: Vec<ListedCheck>,
}

impl List {
    /// A list of checks, put in order.
    pub fn new(mut checks: Vec<ListedCheck>) -> Self {
        checks.sort_by(|a, b| a.id.cmp(&b.id));
        List {
            format: LIST_FORMAT.to_owned(),
            checks,
        }
    }
}

/// One check, as its card states it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListedCheck {
    /// Check id: `errors/unknown-method/is-error`.
    pub id: String,
    /// Card id: `errors/unknown-method`; `observer/NAME` for an observer's rule.
    pub card: String,
    /// What the check says, in a line.
    pub title: String,
    /// The rule, in our words.
    pub rule: String,
    /// Role of the target.
    pub role: Role,
    /// Specification or robustness.
    pub basis: Basis,
    /// `stable` or `preview`.
    pub stage: Stage,
    /// Row of the table of conflicts.
    pub contested: Option<String>,
    /// What the card needs, as it writes it: `capability:tools`, `fixture:slow`.
    pub needs: Vec<String>,
    /// First revision.
    pub since: Revision,
    /// Last revision.
    pub until: Option<Revision>,
    /// What it means in each revision between the two, in order.
    pub revisions: Vec<ListedRevision>,
}

/// A check in one revision.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListedRevision {
    /// Which.
    pub revision: Revision,
    /// Strongest level of its rows.
    pub level: Level,
    /// Its rows; empty for robustness.
    pub requirements: Vec<Citation>,
}
