//! All cases of one revision against one peer.

use super::traces::Honest;
use super::{fixtures, fixtures_in, revisions};
use crate::native::Means;
use crate::native::permission::Permissions;
use crate::run::attempt::{Attempt, Stage, attempt};
use crate::run::interpret::results;
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::run::probe::probe;
use crate::run::survey::bindings;
use crate::script::pace::Pace;
use crate::target::{Launcher, Peer, Target};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_judge::observer::observe;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::scenario::{Fault, FaultAt};
use mcp_assay_peer::{FaultRefused, Planted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One lie, and the binding over which it is told.
#[derive(Clone, Debug)]
pub(super) struct Lie {
    pub binding: Binding,
    pub at: Option<FaultAt>,
    pub fault: Fault,
    /// Whether it is lawful and holds for all that is said, so that it is met as a server of its own: from the probe on.
    pub is_oddity: bool,
}

/// What came of a sweep.
#[derive(Default)]
pub(super) struct Sweep {
    /// The cases that say something: all against an honest peer, else those in which the fault struck.
    pub cases: Vec<Ran>,
    /// Conversations held, those that say nothing among them.
    pub conversations: usize,
    /// Why the fault could not be planted.
    pub refused: Option<String>,
}

/// One case that ran.
pub(super) struct Ran {
    pub case: Case,
    pub attempt: Attempt,
    pub results: Vec<CheckResult>,
    pub seen: Vec<SeenByRule>,
}

/// What one rule of an observer came to in one conversation.
pub(super) struct SeenByRule {
    pub rule: String,
    pub judged: u64,
    pub codes: Vec<FindingCode>,
}

/// What the observers saw in an attempt.
fn seen_by_observers(attempt: &Attempt) -> Vec<SeenByRule> {
    let Ok(record) = &attempt.record else {
        return Vec::new();
    };
    let observed = observe(record);
    let rules = observed.iter().flat_map(|one| {
        let of = |rule| {
            one.sightings
                .found()
                .filter(move |found| found.rule == rule)
        };
        let of_servers = one
            .rules
            .iter()
            .filter(|rule| rule.role == Role::Server && rule.is_in(record.revision));
        of_servers.map(move |rule| SeenByRule {
            rule: format!("observer/{}/{}", one.observer, rule.id),
            judged: one.sightings.judged(rule.id),
            codes: of(rule.id).map(|found| found.finding.code).collect(),
        })
    });
    rules.collect()
}

/// The honest reference server as it speaks the era of a revision alone.
pub(super) fn peer(binding: Binding, revision: Revision) -> Peer {
    Peer {
        binding,
        revisions: revisions(&[revision.era()]).collect(),
        planted: None,
    }
}

/// Runs all cases of a revision against a peer, each on a connection of its own, on a clock that jumps whenever everything waits.
///
/// **Shape**: with a lie each case has it planted anew; a case that cannot meet it, by what it does on the `honest` server, is not run.
pub(super) fn sweep(
    catalogue: &Arc<Catalogue>,
    revision: Revision,
    peer: &Peer,
    honest: Option<&Honest>,
    lie: Option<&Lie>,
) -> Sweep {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO needs nothing from the system");
    let swept = runtime.block_on(all_cases(catalogue, revision, peer, honest, lie));
    let nothing = |refused: FaultRefused| Sweep {
        refused: Some(refused.to_string()),
        ..Sweep::default()
    };
    swept.unwrap_or_else(nothing)
}

async fn all_cases(
    catalogue: &Arc<Catalogue>,
    revision: Revision,
    peer: &Peer,
    honest: Option<&Honest>,
    lie: Option<&Lie>,
) -> Result<Sweep, FaultRefused> {
    let mut sweep = Sweep::default();
    let as_probed = match lie.filter(|lie| lie.is_oddity) {
        Some(lie) => telling(peer, lie)?.0,
        None => peer.clone(),
    };
    let Some((offer, means)) = survey(catalogue, revision, as_probed).await else {
        return Ok(sweep);
    };
    let found = fixtures_in(revision);
    let chosen: Vec<Chosen> = catalogue.scenarios().iter().map(Chosen::whole).collect();
    for case in plan(&chosen, &[revision], peer.binding, &offer) {
        let at = lie.and_then(|lie| lie.at.as_ref());
        let may_meet = honest.is_none_or(|honest| honest.may_meet(&case.id, at));
        if case.unmet.is_some() || !may_meet {
            continue;
        }
        let (peer, planted) = match lie {
            None => (peer.clone(), None),
            Some(lie) => {
                let (peer, planted) = telling(peer, lie)?;
                (peer, Some(planted))
            }
        };
        let stage = Stage {
            fixtures: found.clone(),
            ..stage(catalogue, peer, means.clone(), revision)
        };
        let (attempt, shared) = attempt(&stage, &case, None).await;
        drop(shared);
        sweep.conversations += 1;
        if planted.is_none_or(|planted| planted.fired() > 0) {
            sweep.cases.push(Ran {
                results: results(&stage, &case, &attempt),
                seen: seen_by_observers(&attempt),
                case,
                attempt,
            });
        }
    }
    Ok(sweep)
}

/// The peer with the lie planted, and a handle that counts how often it is told.
fn telling(peer: &Peer, lie: &Lie) -> Result<(Peer, Planted), FaultRefused> {
    let (at, fault) = (lie.at.clone(), lie.fault.clone());
    let planted = match lie.binding {
        Binding::Stdio | Binding::Memory => Planted::new(at, fault),
        Binding::Http | Binding::HttpSse => Planted::on_http(at, fault),
    }?;
    let peer = Peer {
        planted: Some(planted.clone()),
        ..peer.clone()
    };
    Ok((peer, planted))
}

/// What a probe learns of a peer, as far as cases depend on it; `None` where it does not speak the revision.
async fn survey(
    catalogue: &Arc<Catalogue>,
    revision: Revision,
    peer: Peer,
) -> Option<(Offer, Means)> {
    let probed = stage(catalogue, peer, Means::default(), revision);
    let probe_of = async |revision| probe(&probed, revision).await;
    let told = probe_of(revision).await;
    let has_session = told.has_session();
    let capabilities = told.result?.capabilities.unwrap_or_default();
    let speaks_legacy = match revision.era() {
        Era::Legacy => true,
        Era::Modern => probe_of(Revision::R2025_11_25).await.result.is_some(),
    };
    let permissions = Permissions::new(&["*"], false).expect("a star is a glob");
    let means = Means {
        permissions,
        capabilities: capabilities.clone(),
        ..Means::default()
    };
    let offer = Offer {
        capabilities: BTreeMap::from([(revision, capabilities)]),
        sessions: has_session.then_some(revision).into_iter().collect(),
        speaks_legacy,
        bindings: bindings(catalogue),
        fixtures: BTreeMap::from([(revision, fixtures_in(revision))]),
        calls_forbidden: false,
        calls_allowed: BTreeSet::from([revision]),
    };
    Some((offer, means))
}

fn stage(catalogue: &Arc<Catalogue>, peer: Peer, means: Means, revision: Revision) -> Stage {
    Stage {
        launcher: Launcher::new(Target::Peer(peer), false)
            .expect("memory needs no thread")
            .with_facts(catalogue),
        pace: Arc::new(Pace::new(Duration::from_secs(30), Duration::from_secs(20))),
        catalogue: Arc::clone(catalogue),
        fixtures: fixtures(),
        found: BTreeMap::new(),
        means: BTreeMap::from([(revision, means)]),
    }
}
