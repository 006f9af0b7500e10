//! What is known before the first case: what the target speaks and offers, and the plan that follows from it.

use super::attempt::Stage;
use super::binding::{Found, find_binding};
use super::fixtures::{found, header_parameter};
use super::measure::{Measured, measure};
use super::plan::{Case, Offer, plan};
use super::probe::{Choice, Probe, listing_probe, probe_both};
use super::settings::Settings;
use crate::native::Means;
use crate::native::permission::is_fixture_server;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::Need;
use mcp_assay_transport::http::mirror::Mirror;
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The legacy revision that is offered first.
const NEWEST_LEGACY: Revision = Revision::R2025_11_25;

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
    let mut offer = equip(stage, settings, &probes);
    if settings.may_measure {
        measure_all(stage, settings, &probes, &tested, &mut offer).await;
    }
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
        Choice::Auto | Choice::All | Choice::Exact(_) => NEWEST_LEGACY,
    }
}

/// Both eras are asked at once, the legacy one in its newest revision; `all` goes on with the older ones.
async fn probe_all(stage: &Stage, choice: Choice) -> Vec<Probe> {
    if let Choice::Exact(revision) = choice {
        if revision.era() == Era::Legacy {
            return vec![listing_probe(stage, revision).await];
        }
        // What it owes depends on whether it lives in the legacy era too.
        let (legacy, modern) = probe_both(stage, NEWEST_LEGACY, revision).await;
        return vec![modern, legacy];
    }
    let (legacy, modern) = probe_both(stage, NEWEST_LEGACY, Revision::R2026_07_28).await;
    let mut probes = vec![legacy];
    // What does not answer at all is not asked four times.
    if choice == Choice::All && probes[0].answered {
        let older = Revision::ALL.into_iter().rev();
        for revision in older.filter(|revision| *revision < NEWEST_LEGACY) {
            probes.push(listing_probe(stage, revision).await);
        }
    }
    probes.push(modern);
    probes
}

/// Revisions to test: with `auto` the newest that was agreed to, else those that were offered and accepted as they were.
fn tested(probes: &[Probe], choice: Choice) -> Vec<Revision> {
    let mut tested: Vec<Revision> = probes
        .iter()
        .filter(|probe| choice == Choice::Auto || probe.negotiated() == Some(probe.offered))
        .filter_map(Probe::negotiated)
        .collect();
    tested.sort_unstable();
    tested.dedup();
    match choice {
        Choice::Auto => tested.pop().into_iter().collect(),
        Choice::All => tested,
        Choice::Exact(revision) => tested.into_iter().filter(|it| *it == revision).collect(),
    }
}

fn speaks_legacy(probes: &[Probe]) -> bool {
    let spoken = probes.iter().filter_map(Probe::negotiated);
    spoken
        .into_iter()
        .any(|revision| revision.era() == Era::Legacy)
}

/// Fills in what the probes told: capabilities, fixtures and header fields by revision, and the means of native steps.
fn equip(stage: &mut Stage, settings: &Settings, probes: &[Probe]) -> Offer {
    let mut offer = Offer {
        calls_forbidden: settings.permissions.are_forbidden(),
        bindings: bindings(&stage.catalogue),
        speaks_legacy: speaks_legacy(probes),
        ..Offer::default()
    };
    for probe in probes {
        let Some(revision) = probe.negotiated() else {
            continue;
        };
        let capabilities = probe
            .result
            .as_ref()
            .and_then(|told| told.capabilities.as_ref());
        let mut mirror = Mirror::new(revision.as_str());
        probe.tools.iter().for_each(|tool| mirror.learn(tool));
        let means = Means {
            permissions: settings.permissions.clone(),
            capabilities: capabilities.cloned().unwrap_or_default(),
            mirror: Arc::new(mirror),
        };
        stage.means.insert(revision, means);
        offer
            .capabilities
            .extend(capabilities.map(|it| (revision, it.clone())));
        if probe.has_session() {
            offer.sessions.insert(revision);
        }
        // The tools of a conformance server may be called, and what they do is known.
        let is_fixture_server = is_fixture_server(&probe.tools);
        if settings.calls_allowed || is_fixture_server {
            offer.calls_allowed.insert(revision);
        }
        let mut fixtures = Map::new();
        if is_fixture_server {
            fixtures = found(&probe.tools, revision.era());
        }
        let header_parameter = header_parameter(&probe.tools, &settings.permissions);
        let header_parameter = header_parameter.filter(|_| revision.era() == Era::Modern);
        if let Some(header_parameter) = header_parameter {
            fixtures.insert("header-parameter".to_owned(), header_parameter);
            // The call was found to be allowed.
            offer.calls_allowed.insert(revision);
        }
        // What the user gave is better known.
        fixtures.extend(stage.fixtures.as_object().cloned().unwrap_or_default());
        offer.fixtures.insert(revision, fixtures.clone().into());
        stage.found.insert(revision, fixtures.into());
    }
    offer
}

/// Fixtures that tools serve as by what they do, where neither the user nor their names tell. Found for the newest revision first, and
/// what is listed alike is not called again for the older ones.
async fn measure_all(
    stage: &mut Stage,
    settings: &Settings,
    probes: &[Probe],
    tested: &[Revision],
    offer: &mut Offer,
) {
    let mut known = Measured::default();
    for &revision in tested.iter().rev() {
        let probe = probes
            .iter()
            .find(|probe| probe.negotiated() == Some(revision));
        let Some(probe) = probe else { continue };
        let known_here = stage.fixtures_in(revision);
        let wanted: BTreeSet<&'static str> = ["progress", "slow"]
            .into_iter()
            .filter(|name| known_here.get(*name).is_none())
            .filter(|name| is_needed(settings, revision, name))
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let permissions = &settings.permissions;
        let found = measure(
            stage,
            revision,
            &probe.tools,
            permissions,
            &wanted,
            &mut known,
        )
        .await;
        if found.is_empty() {
            continue;
        }
        let mut all = stage
            .fixtures_in(revision)
            .as_object()
            .cloned()
            .unwrap_or_default();
        all.extend(found);
        // What was measured was allowed to be called.
        offer.calls_allowed.insert(revision);
        offer.fixtures.insert(revision, all.clone().into());
        stage.found.insert(revision, all.into());
    }
}

/// Whether a card of the selection needs a fixture in a revision.
fn is_needed(settings: &Settings, revision: Revision, name: &str) -> bool {
    settings.chosen.iter().any(|chosen| {
        let card = &chosen.card;
        let is_in = card.since <= revision && card.until.is_none_or(|until| revision <= until);
        let needs = |need: &Need| matches!(need, Need::Fixture(needed) if needed == name);
        is_in && card.needs.iter().any(needs)
    })
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

/// What a target was offered and does not speak: a sentence for each reason. With `auto` older revisions than the one tested are no news;
/// where nothing can be tested a hint follows.
pub fn unspoken(probes: &[Probe], tested: &[Revision], choice: Choice) -> Vec<String> {
    let is_news = |probe: &&Probe| match choice {
        Choice::Auto => tested.iter().all(|tested| probe.offered > *tested),
        Choice::All => true,
        Choice::Exact(revision) => probe.offered == revision,
    };
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for probe in probes.iter().filter(is_news) {
        let Some(reason) = probe.unspoken() else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, offered)) => offered.push(probe.offered.to_string()),
            None => reasons.push((reason, vec![probe.offered.to_string()])),
        }
    }
    let refusal = probes.first().and_then(|probe| probe.refusal.as_deref());
    let is_strange = tested.is_empty() && !probes.iter().any(Probe::is_modern);
    let refusal = refusal.filter(|_| is_strange).unwrap_or_default();
    let hint = if refusal.starts_with("HTTP 404") {
        "; is the path of the address right?"
    } else if refusal.starts_with("HTTP 40") {
        "; does it want a header? `--header` sends one"
    } else {
        ""
    };
    let sentence = |(reason, offered): (String, Vec<String>)| {
        format!("the target does not speak {}: {reason}", offered.join(", "))
    };
    let mut sentences: Vec<String> = reasons.into_iter().map(sentence).collect();
    if let Some(first) = sentences.first_mut() {
        first.push_str(hint);
    }
    sentences
}
