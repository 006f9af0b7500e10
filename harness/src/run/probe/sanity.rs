//! The built-in check that an ordinary client is served, before and after each run.

use super::Probe;
use crate::era::Manner;
use crate::script::conversation::Fence;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Missing;
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::{CheckResult, Stage as Trust};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Outcome, Reason, Verdict};

/// Id of the built-in sanity check, before and after each run.
pub const SANITY: &str = "run/sanity/alive";

/// The result of a sanity exchange. `when`: `first` or `last`.
pub fn sanity(probe: &Probe, revision: Revision, binding: Binding, when: &str) -> CheckResult {
    let manner = Manner::new(revision);
    let (opening, fence) = (manner.opening_method(), manner.fence_method());
    let finding = match (&probe.silence, &probe.refusal, probe.fence) {
        (None, None, Some(Fence::Answered(_))) => None,
        (Some(why), _, _) => Some(Finding::new(FindingCode::Died, why.clone())),
        (None, Some(refusal), _) => Some(
            Finding::new(
                FindingCode::RefusedValid,
                format!("`{opening}` was refused"),
            )
            .actual(refusal.clone()),
        ),
        (None, None, Some(Fence::Missing(Missing::Died))) => Some(Finding::new(
            FindingCode::Died,
            format!("the target ended after its answer to `{opening}`"),
        )),
        (None, None, _) => Some(Finding::new(
            FindingCode::Hung,
            format!("the target did not answer `{fence}` after `{opening}`"),
        )),
    };
    let finding = finding.map(|finding| {
        finding
            .expected(format!(
                "an answer to `{opening}`, and then an answer to `{fence}`"
            ))
            .at(probe.entries.len() as u64, "")
    });
    // After a whole run a server may have had enough of us: it says so, and is well.
    let is_full = |refusal: &String| {
        when == "last"
            && ["HTTP 503", "HTTP 429"]
                .iter()
                .any(|full| refusal.starts_with(full))
    };
    let reason = probe
        .refusal
        .as_ref()
        .filter(|refusal| probe.silence.is_none() && is_full(refusal))
        .map(|_| Reason::Unfenced);
    CheckResult {
        id: SANITY.to_owned(),
        case: format!("run/sanity@{revision}+{binding}#when=\"{when}\""),
        title: format!("a plain `{opening}` and a `{fence}` after it are answered"),
        rule: "a target under test answers an ordinary client before and after the run".to_owned(),
        basis: Basis::Robustness,
        level: Some(Level::Robustness),
        stage: Trust::Stable,
        requirements: Vec::new(),
        outcome: reason.as_ref().map_or(Outcome::Ran, Reason::outcome),
        verdict: Some(match (&reason, &finding) {
            (Some(_), _) => Verdict::Inconclusive,
            (None, Some(_)) => Verdict::Fail,
            (None, None) => Verdict::Pass,
        }),
        reason,
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
