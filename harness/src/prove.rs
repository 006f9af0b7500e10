//! The kill matrix: every check and observer against every mutant and near miss, in memory, with a paused clock.
//!
//! ```text
//! mutant -> reference peer with one lie -> all cases of its revisions -> what fired -> compared with `finds` and `also`
//! ```
//!
//! A case in which the fault never struck says nothing about it and is passed over.

mod claims;
mod traces;
mod variations;

use crate::native::Means;
use crate::native::permission::Permissions;
use crate::run::attempt::{Attempt, Stage, attempt};
use crate::run::fixtures::known;
use crate::run::interpret::results;
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::run::probe::probe;
use crate::run::survey::bindings;
use crate::script::pace::Pace;
use crate::target::{Launcher, Peer, Target};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_judge::observer::observe;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::scenario::{Fault, FaultAt, NearVerdict};
use mcp_assay_model::verdict::{Outcome, Verdict};
use mcp_assay_peer::{FaultRefused, Planted};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use traces::Traces;
use variations::{Claim, Variation, variations};

/// What a proof shows of one mutant or near miss.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// `CARD/CHECK#N` for a mutant, `CARD/CHECK~N` for a near miss; N counts from 1.
    pub id: String,
    /// What fired, `ID:code`, over all revisions.
    pub fired: BTreeSet<String>,
    /// Cases run.
    pub cases: usize,
    /// What is wrong with the proof; empty where it holds.
    pub problems: Vec<String>,
}

/// Revisions of these eras.
fn revisions(eras: &[Era]) -> impl Iterator<Item = Revision> {
    let of = |revision: &Revision| eras.contains(&revision.era());
    Revision::ALL.into_iter().filter(of)
}

/// The fixtures of the reference server that its tools' names do not tell.
pub fn fixtures() -> Value {
    json!({
        "change": { "uri": "test://watched-resource", "call": { "name": "touch", "arguments": {} } },
        "header-parameter": {
            "call": { "name": "test_header_parameters", "arguments": { "region": "north" } },
            "header": "Region",
            "value": "north",
        },
        "echo": { "tool": "echo", "argument": "message" },
        "slow": { "tool": "slow", "arguments": { "ms": 2000 }, "takes_ms": 2000 },
    })
}

/// All fixtures of the reference server in a revision, as they would be found.
pub fn fixtures_in(revision: Revision) -> Value {
    let mut all = known(revision.era());
    all.extend(fixtures().as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

/// Proves every mutant and near miss whose id contains `filter`, on this many threads.
///
/// # Panics
///
/// When a runtime cannot be built, or a thread panics: then the proof itself is broken.
pub fn matrix(catalogue: &Arc<Catalogue>, filter: &str, threads: usize) -> Vec<Proof> {
    let variations: Vec<Variation> = variations(catalogue)
        .into_iter()
        .filter(|variation| variation.id.contains(filter))
        .collect();
    let traces = traces(catalogue, &variations, threads);
    let proofs = Mutex::new(Vec::new());
    each(&variations, threads, |variation| {
        let proof = prove(catalogue, &traces, variation);
        let mut proofs = proofs.lock().unwrap_or_else(PoisonError::into_inner);
        proofs.push(proof);
    });
    let mut proofs = proofs.into_inner().unwrap_or_else(PoisonError::into_inner);
    proofs.sort_by(|left, right| left.id.cmp(&right.id));
    proofs
}

/// Runs all cases against the honest reference server over one binding, first one that speaks both eras, then one of the revision's own;
/// gives every result, and one for each finding of an observer.
pub fn reference(catalogue: &Arc<Catalogue>, binding: Binding) -> Vec<CheckResult> {
    let mut all = Vec::new();
    // HTTP+SSE belongs to the legacy era.
    let eras: &[Era] = match binding {
        Binding::HttpSse => &[Era::Legacy],
        Binding::Memory | Binding::Stdio | Binding::Http => &[Era::Legacy, Era::Modern],
    };
    let both = revisions(eras).map(|revision| (revision, Peer::over(binding, None)));
    let own = revisions(eras).map(|revision| (revision, peer(binding, revision, None)));
    for (revision, peer) in both.chain(own) {
        let traces = Traces::default();
        let ran = paused(run_all(catalogue, revision, &peer, &traces, None));
        for (case, attempt, results) in ran.ran {
            all.extend(results);
            for seen in seen_by_observers(&attempt)
                .into_iter()
                .filter(|seen| !seen.codes.is_empty())
            {
                let verdict = Some(Verdict::Fail);
                all.push(CheckResult {
                    id: seen.rule,
                    verdict,
                    ..crate::run::interpret::alive(&case)
                });
            }
        }
    }
    all
}

/// What each case meets on the honest server, over every binding and revision that these need.
fn traces(catalogue: &Arc<Catalogue>, variations: &[Variation], threads: usize) -> Traces {
    let of = |one: &Variation| {
        one.revisions
            .iter()
            .map(|revision| (one.binding, *revision))
            .collect::<Vec<_>>()
    };
    let wanted: BTreeSet<(Binding, Revision)> = variations.iter().flat_map(of).collect();
    let wanted: Vec<(Binding, Revision)> = wanted.into_iter().collect();
    let all = Mutex::new(Traces::default());
    each(&wanted, threads, |&(binding, revision)| {
        let peer = peer(binding, revision, None);
        let honest = paused(run_all(
            catalogue,
            revision,
            &peer,
            &Traces::default(),
            None,
        ));
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        for (case, attempt, _) in &honest.ran {
            if let Ok(record) = &attempt.record {
                all.note(&case.id, record);
            }
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Does something with each, on this many threads.
fn each<T: Sync>(all: &[T], threads: usize, work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

/// Runs a future on a clock of its own that jumps whenever everything waits.
fn paused<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without IO needs nothing from the system");
    runtime.block_on(future)
}

/// All cases of one revision against one peer.
struct Ran {
    ran: Vec<(Case, Attempt, Vec<CheckResult>)>,
    struck: u64,
    refused: Option<String>,
}

async fn run_all(
    catalogue: &Arc<Catalogue>,
    revision: Revision,
    peer: &Peer,
    traces: &Traces,
    planted: Option<(Option<&FaultAt>, &Fault)>,
) -> Ran {
    let binding = peer.binding;
    let mut ran = Ran {
        ran: Vec::new(),
        struck: 0,
        refused: None,
    };
    let honest = stage(catalogue, peer.clone(), Means::default(), revision);
    let probe = probe(&honest, revision).await;
    let told = probe.result.as_ref();
    let capabilities = told.and_then(|told| told.capabilities.clone());
    let capabilities = capabilities.unwrap_or_default();
    let permissions = Permissions::new(&["*"], false).expect("a star is a glob");
    let means = Means {
        permissions,
        capabilities: capabilities.clone(),
        ..Means::default()
    };
    let found = fixtures_in(revision);
    let offer = Offer {
        capabilities: BTreeMap::from([(revision, capabilities)]),
        sessions: probe
            .has_session()
            .then_some(revision)
            .into_iter()
            .collect(),
        speaks_legacy: revisions(&[Era::Legacy])
            .any(|revision| peer.revisions.is_empty() || peer.revisions.contains(&revision)),
        bindings: bindings(catalogue),
        fixtures: BTreeMap::from([(revision, found.clone())]),
        calls_forbidden: false,
        calls_allowed: BTreeSet::from([revision]),
    };
    let chosen: Vec<Chosen> = catalogue.scenarios().iter().map(Chosen::whole).collect();
    for case in plan(&chosen, &[revision], binding, &offer) {
        let at = planted.and_then(|(at, _)| at);
        if case.unmet.is_some() || !traces.may_meet(&case.id, at) {
            continue;
        }
        let fresh = match planted {
            None => None,
            Some((at, fault)) => match plant(binding, at, fault) {
                Ok(planted) => Some(planted),
                Err(error) => {
                    ran.refused = Some(error.to_string());
                    return ran;
                }
            },
        };
        let count = fresh.clone();
        let peer = Peer {
            planted: fresh,
            ..peer.clone()
        };
        let stage = Stage {
            fixtures: found.clone(),
            ..stage(catalogue, peer, means.clone(), revision)
        };
        let (attempt, shared) = attempt(&stage, &case, None).await;
        drop(shared);
        let struck = count.map_or(0, |planted| planted.fired());
        ran.struck += struck;
        if planted.is_none() || struck > 0 {
            let results = results(&stage, &case, &attempt);
            ran.ran.push((case, attempt, results));
        }
    }
    ran
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

fn plant(binding: Binding, at: Option<&FaultAt>, fault: &Fault) -> Result<Planted, FaultRefused> {
    match binding {
        Binding::Stdio | Binding::Memory => Planted::new(at.cloned(), fault.clone()),
        Binding::Http | Binding::HttpSse => Planted::on_http(at.cloned(), fault.clone()),
    }
}

/// The reference server as it speaks the era of a revision alone, honest or telling one lie.
fn peer(binding: Binding, revision: Revision, planted: Option<Planted>) -> Peer {
    Peer {
        binding,
        revisions: revisions(&[revision.era()]).collect(),
        planted,
    }
}

fn prove(catalogue: &Arc<Catalogue>, traces: &Traces, variation: &Variation) -> Proof {
    let own = &variation.own;
    let mut proof = Proof {
        id: variation.id.clone(),
        fired: BTreeSet::new(),
        cases: 0,
        problems: Vec::new(),
    };
    for &revision in &variation.revisions {
        let planted = (variation.at.as_ref(), &variation.fault);
        let peer = peer(variation.binding, revision, None);
        let ran = run_all(catalogue, revision, &peer, traces, Some(planted));
        let ran = paused(ran);
        if let Some(refused) = ran.refused {
            proof
                .problems
                .push(format!("the fault was refused: {refused}"));
            return proof;
        }
        if ran.struck == 0 {
            proof
                .problems
                .push(format!("{revision}: the fault never strikes"));
            continue;
        }
        proof.cases += ran.ran.len();
        let mut fired = BTreeSet::new();
        let mut errors = BTreeSet::new();
        let mut verdicts = BTreeSet::new();
        for (_, attempt, results) in &ran.ran {
            for result in results {
                if result.id == *own {
                    verdicts.insert((
                        result.verdict,
                        result.outcome == Outcome::NotApplicable,
                        result.judged > 0,
                    ));
                }
                let findings = result.findings.iter();
                match result.verdict {
                    Some(Verdict::Fail) => {
                        fired.extend(
                            findings.map(|finding| format!("{}:{}", result.id, finding.code)),
                        );
                    }
                    Some(Verdict::Error) => {
                        errors.extend(
                            findings.map(|finding| format!("{}: {}", result.id, finding.message)),
                        );
                    }
                    Some(Verdict::Pass | Verdict::Inconclusive) | None => {}
                }
            }
            let seen = seen_by_observers(attempt);
            verdicts.extend(seen.iter().filter(|one| one.rule == *own).map(|one| {
                let verdict = if one.codes.is_empty() {
                    Verdict::Pass
                } else {
                    Verdict::Fail
                };
                (Some(verdict), false, one.judged > 0)
            }));
            fired.extend(
                seen.iter()
                    .flat_map(|one| one.codes.iter().map(|code| format!("{}:{code}", one.rule))),
            );
        }
        proof.problems.extend(
            errors
                .into_iter()
                .map(|error| format!("{revision}: {error}")),
        );
        judge(
            variation,
            revision,
            own,
            &fired,
            &verdicts,
            &mut proof.problems,
        );
        proof.fired.extend(fired);
    }
    if let Claim::Mutant { also, .. } = &variation.claim {
        for declared in also
            .iter()
            .filter(|declared| !proof.fired.contains(*declared))
        {
            proof
                .problems
                .push(format!("`also` names {declared}, which never fires"));
        }
    }
    proof
}

/// What one rule of an observer came to in one conversation.
struct SeenByRule {
    rule: String,
    judged: u64,
    codes: Vec<FindingCode>,
}

fn seen_by_observers(attempt: &Attempt) -> Vec<SeenByRule> {
    let Ok(record) = &attempt.record else {
        return Vec::new();
    };
    let observed = observe(record);
    let rules = observed.iter().flat_map(|one| {
        one.rules.iter().map(|rule| SeenByRule {
            rule: format!("observer/{}/{}", one.observer, rule.id),
            judged: one.sightings.judged(rule.id),
            codes: one
                .sightings
                .found()
                .filter(|found| found.rule == rule.id)
                .map(|found| found.finding.code)
                .collect(),
        })
    });
    rules.collect()
}

type Verdicts = BTreeSet<(Option<Verdict>, bool, bool)>;

/// Compares what fired in one revision with what the card claims.
fn judge(
    variation: &Variation,
    revision: Revision,
    own: &str,
    fired: &BTreeSet<String>,
    verdicts: &Verdicts,
    problems: &mut Vec<String>,
) {
    match &variation.claim {
        Claim::Mutant { finds, also } => {
            for code in finds
                .iter()
                .filter(|code| !fired.contains(&format!("{own}:{code}")))
            {
                let seen: Vec<&str> = verdicts
                    .iter()
                    .map(|(verdict, ..)| verdict.map_or("not run", Verdict::as_str))
                    .collect();
                problems.push(format!(
                    "{revision}: survives, no {code} (the check came to: {})",
                    seen.join(", ")
                ));
            }
            let expected = |id: &String| {
                also.contains(id) || finds.iter().any(|code| *id == format!("{own}:{code}"))
            };
            for id in fired.iter().filter(|id| !expected(id)) {
                problems.push(format!(
                    "{revision}: fires {id}, which the card does not declare"
                ));
            }
        }
        Claim::Life(code) => {
            if !fired.contains(&format!("{own}:{code}")) {
                problems.push(format!("{revision}: survives, no {code}"));
            }
            for id in fired
                .iter()
                .filter(|id| !id.ends_with(&format!("/alive:{code}")))
            {
                problems.push(format!("{revision}: fires {id} beside a death"));
            }
        }
        Claim::Near(stated) => {
            let holds =
                |(verdict, not_applicable, judged): &(Option<Verdict>, bool, bool)| match stated {
                    NearVerdict::Verdict(Verdict::Pass) => {
                        *verdict == Some(Verdict::Pass) && *judged
                    }
                    NearVerdict::Verdict(stated) => *verdict == Some(*stated),
                    NearVerdict::NotApplicable => *not_applicable,
                };
            if !verdicts.iter().any(holds) {
                problems.push(format!(
                    "{revision}: the near miss comes to {verdicts:?}, never to the stated verdict"
                ));
            }
            let allowed = |id: &&String| {
                *stated == NearVerdict::Verdict(Verdict::Fail) && id.starts_with(&format!("{own}:"))
            };
            for id in fired.iter().filter(|id| !allowed(id)) {
                problems.push(format!("{revision}: a lawful variation fires {id}"));
            }
        }
    }
}
