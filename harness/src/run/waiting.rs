//! What results wait for: one line for each fixture or permission, never a flood.

use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_model::event::WaitingFor;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::Reason;
use std::collections::BTreeMap;

/// What to paste where permission is missing.
const ALLOW: &str = "safety: { allow_tools: [\"get_*\"] }";

/// Counts of results that wait.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    counts: BTreeMap<String, u64>,
}

impl Waiting {
    /// Counts a settled result.
    pub fn see(&mut self, result: &CheckResult) {
        let name = match &result.reason {
            Some(Reason::Fixture(name)) => name.clone(),
            Some(Reason::Allow) => "allow".to_owned(),
            _ => return,
        };
        *self.counts.entry(name).or_default() += 1;
    }

    /// One line each, with what to paste into the profile.
    pub fn lines(&self, facts: &FactTable) -> Vec<WaitingFor> {
        let line = |(name, &results): (&String, &u64)| {
            let profile = match facts.fixture(name) {
                Some(fixture) => fixture.profile_line(),
                None if name == "allow" => ALLOW.to_owned(),
                None => format!("fixtures: {{ {name}: {{}} }}"),
            };
            WaitingFor {
                fixture: name.clone(),
                results,
                profile,
            }
        };
        self.counts.iter().map(line).collect()
    }
}
