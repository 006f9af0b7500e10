//! What is known before the first case: what the target speaks and offers, and the plan that follows from it.

use super::attempt::Stage;
use super::plan::{Case, Offer, plan};
use super::probe::{Choice, Probe, probe};
use super::settings::Settings;
use crate::native::Means;
use mcp_assay_model::protocol::{Era, Revision};
use serde_json::Value;

/// What is known before the first case.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// One for each revision offered.
    pub probes: Vec<Probe>,
    /// Revisions to test.
    pub tested: Vec<Revision>,
    /// The plan.
    pub cases: Vec<Case>,
}

/// Asks the target what it speaks and offers, and makes the plan.
pub async fn survey(stage: &mut Stage, settings: &Settings) -> Survey {
    let probes = probe_all(stage, settings.choice).await;
    let tested = tested(&probes, settings.choice);
    let offer = equip(stage, settings, &probes);
    let cases = plan(
        &settings.chosen,
        &tested,
        stage.launcher.target().binding(),
        &offer,
    );
    Survey {
        probes,
        tested,
        cases,
    }
}

/// The newest legacy revision is offered first; `all` goes on with the older ones.
async fn probe_all(stage: &Stage, choice: Choice) -> Vec<Probe> {
    let legacy = Revision::ALL
        .into_iter()
        .rev()
        .filter(|revision| revision.era() == Era::Legacy);
    let offered: Vec<Revision> = match choice {
        Choice::Auto => legacy.take(1).collect(),
        Choice::All => legacy.collect(),
        Choice::Exact(revision) => vec![revision],
    };
    let mut probes = Vec::new();
    for revision in offered {
        let probe = probe(stage, revision).await;
        let reached = probe.answered;
        probes.push(probe);
        // What does not answer at all is not asked four times.
        if !reached && probes.len() == 1 {
            break;
        }
    }
    probes
}

/// Revisions to test: with `auto` the negotiated one, else those that were offered and accepted as they were.
fn tested(probes: &[Probe], choice: Choice) -> Vec<Revision> {
    let mut tested: Vec<Revision> = probes
        .iter()
        .filter(|probe| choice == Choice::Auto || probe.negotiated() == Some(probe.offered))
        .filter_map(Probe::negotiated)
        .filter(|revision| revision.era() == Era::Legacy)
        .collect();
    tested.sort_unstable();
    tested.dedup();
    tested
}

/// Fills in what the probes told: capabilities by revision, and the means of native steps.
fn equip(stage: &mut Stage, settings: &Settings, probes: &[Probe]) -> Offer {
    let mut offer = Offer {
        fixtures: stage.fixtures.clone(),
        calls_forbidden: settings.permissions.are_forbidden(),
        calls_allowed: settings.calls_allowed,
        ..Offer::default()
    };
    for probe in probes {
        let capabilities = probe
            .result
            .as_ref()
            .and_then(|result| result.get("capabilities"))
            .cloned();
        if let (Some(revision), Some(capabilities)) = (probe.negotiated(), capabilities) {
            let means = Means {
                permissions: settings.permissions.clone(),
                capabilities: capabilities.clone(),
            };
            stage.means.insert(revision, means);
            offer.capabilities.insert(revision, capabilities);
        }
    }
    offer
}

/// One sentence on a target that answers, and speaks nothing that can be tested.
pub fn unspoken(probes: &[Probe], choice: Choice) -> String {
    let Some(probe) = probes.first() else {
        return "nothing was asked".to_owned();
    };
    let said = |result: &Value| {
        result
            .get("protocolVersion")
            .map_or("no protocolVersion".to_owned(), Value::to_string)
    };
    match (&probe.result, &probe.refusal, choice) {
        (Some(result), _, Choice::Exact(revision)) => {
            format!(
                "the target does not speak {revision}: offered it, it answered {}",
                said(result)
            )
        }
        (Some(result), _, _) => {
            format!(
                "the target speaks no revision that can be tested: offered {}, it answered {}",
                probe.offered,
                said(result)
            )
        }
        (None, Some(refusal), _) => {
            format!(
                "the target refused `initialize` with {}: {refusal}",
                probe.offered
            )
        }
        (None, None, _) => {
            "the target's answer to `initialize` is neither result nor error".to_owned()
        }
    }
}
