//! What is known before the first case: what the target speaks and offers, and the plan that follows from it.

use super::attempt::Stage;
use super::binding::{Found, find_binding};
use super::plan::{Case, Offer, plan};
use super::probe::{Choice, Probe, probe};
use super::settings::Settings;
use crate::native::Means;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use serde_json::Value;
use std::collections::BTreeMap;

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
    let probes = match settle_binding(stage, settings.choice).await {
        Ok(()) => probe_all(stage, settings.choice).await,
        Err(silence) => vec![*silence],
    };
    let tested = tested(&probes, settings.choice);
    let offer = equip(stage, settings, &probes);
    let cases = plan(&settings.chosen, &tested, stage.launcher.binding(), &offer);
    Survey {
        probes,
        tested,
        cases,
    }
}

/// Finds out how an address is to be spoken to, where nobody said it.
///
/// **Errors**: a probe that got no answer, where neither binding brought one.
async fn settle_binding(stage: &mut Stage, choice: Choice) -> Result<(), Box<Probe>> {
    if stage.launcher.knows_binding() {
        return Ok(());
    }
    let offered = first_offered(choice);
    let silent = |why: String| Err(Box::new(Probe::silent(offered, why)));
    let settings = match stage.launcher.settings().await {
        Ok(Some(settings)) => settings,
        Ok(None) => return Ok(()),
        Err(error) => return silent(format!("the target was not reached: {error}")),
    };
    match find_binding(&settings, offered, stage.pace.start()).await {
        Found::Http => stage.launcher.set_binding(Binding::Http),
        Found::HttpSse => stage.launcher.set_binding(Binding::HttpSse),
        // A status is an answer: the probe says what is in it.
        Found::Neither {
            status: Some(_), ..
        } => stage.launcher.set_binding(Binding::Http),
        Found::Neither { status: None, why } => {
            let url = settings.endpoint.url();
            return silent(format!("the target at {url} was not reached: {why}"));
        }
    }
    Ok(())
}

fn first_offered(choice: Choice) -> Revision {
    match choice {
        Choice::Exact(revision) if revision.era() == Era::Legacy => revision,
        Choice::Auto | Choice::All | Choice::Exact(_) => Revision::R2025_11_25,
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
        bindings: bindings(&stage.catalogue),
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
            if probe.has_session() {
                offer.sessions.insert(revision);
            }
        }
    }
    offer
}

/// The table of revisions and the bindings that they define.
pub fn bindings(catalogue: &Catalogue) -> BTreeMap<Revision, Vec<Binding>> {
    let of = |revision: Revision| {
        let defined = catalogue
            .facts()
            .of(revision)?
            .get("bindings")?
            .as_array()?;
        let defined = defined
            .iter()
            .filter_map(|name| name.as_str()?.parse().ok());
        Some((revision, defined.collect()))
    };
    Revision::ALL.into_iter().filter_map(of).collect()
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
            let hint = if refusal.starts_with("HTTP 404") {
                "; is the path of the address right?"
            } else if refusal.starts_with("HTTP 40") {
                "; does it want a header? `--header` sends one"
            } else {
                ""
            };
            format!(
                "the target refused `initialize` with {}: {refusal}{hint}",
                probe.offered
            )
        }
        (None, None, _) => {
            "the target's answer to `initialize` is neither result nor error".to_owned()
        }
    }
}
