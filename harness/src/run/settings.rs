//! What a run is asked to do.

use super::gate::GatePolicy;
use super::plan::Chosen;
use super::probe::Choice;
use crate::native::permission::Permissions;

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Cards selected.
    pub chosen: Vec<Chosen>,
    /// Revisions to test.
    pub choice: Choice,
    /// Cases at once.
    pub jobs: usize,
    /// Seed of generated values.
    pub seed: u64,
    /// Whose tools may be called.
    pub permissions: Permissions,
    /// Whether the user allows any tool at all beyond those marked read-only.
    pub calls_allowed: bool,
    /// Whether tools may be called before the first case, to find out which of them serve as fixtures.
    pub may_measure: bool,
    /// Policy.
    pub gate: GatePolicy,
    /// Start of every rerun command: `mcp-assay run --seed 1`; the target follows after the selection.
    pub rerun: (String, String),
    /// When the run began, RFC 3339.
    pub started: String,
}
