//! The kill matrix: every check and observer against every mutant and near miss, in memory, with a paused clock.
//!
//! ```text
//! mutant -> reference peer with one lie -> all cases of its revisions -> what fired -> compared with `finds` and `also`
//! ```
//!
//! A case in which the fault never struck says nothing about it and is passed over.

use crate::native::Means;
use crate::native::permission::Permissions;
use crate::run::attempt::{Attempt, Stage, attempt};
use crate::run::interpret::results;
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::run::probe::probe;
use crate::script::pace::Pace;
use crate::target::{Launcher, Target};
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_judge::observer::observe;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget, NearVerdict, Scenario};
use mcp_assay_model::verdict::{Outcome, Verdict};
use mcp_assay_peer::Planted;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

/// One mutant or near miss of a check or of an observer's rule.
#[derive(Clone, Debug)]
struct Variation<'a> {
    id: String,
    /// Full id of what it proves.
    own: String,
    revisions: Vec<Revision>,
    at: Option<FaultAt>,
    fault: Fault,
    claim: Claim<'a>,
}

#[derive(Clone, Debug)]
enum Claim<'a> {
    Mutant {
        finds: Vec<FindingCode>,
        also: &'a [String],
    },
    Near(NearVerdict),
    /// The built-in `CARD/alive` fails with this code, and whatever else fires is another card's `alive`.
    Life(FindingCode),
}

/// Lies that end a target or make it fall silent, and a card whose `alive` must see it.
const LIVES: &[(&str, &str, FindingCode)] = &[
    (
        "errors/unknown-method",
        "exits-on-unknown-method",
        FindingCode::Died,
    ),
    (
        "errors/unknown-method",
        "hangs-on-unknown-method",
        FindingCode::Hung,
    ),
    (
        "jsonrpc/malformed-json",
        "exits-on-malformed",
        FindingCode::Died,
    ),
    (
        "jsonrpc/malformed-json",
        "hangs-on-malformed",
        FindingCode::Hung,
    ),
    (
        "jsonrpc/notification-unanswered",
        "exits-on-unknown-notification",
        FindingCode::Died,
    ),
    (
        "jsonrpc/notification-unanswered",
        "hangs-on-unknown-notification",
        FindingCode::Hung,
    ),
    (
        "lifecycle/initialize",
        "exits-before-answering-initialize",
        FindingCode::Died,
    ),
    ("tour/tools", "exits-on-call", FindingCode::Died),
    ("tour/tools", "hangs-on-call", FindingCode::Hung),
];

/// Mutants (with a code) and near misses (without) of the rules of observers.
///
/// **Shape**: rule, at which notification a raw line stands in, or which named fault; what is found.
const OBSERVED: &[(&str, Lie, Option<FindingCode>)] = &[
    (
        "observer/stdout/messages-only",
        Lie::Named("banner-on-stdout"),
        Some(FindingCode::Stdout),
    ),
    (
        "observer/stdout/messages-only",
        Lie::Named("logs-on-stdout-when-called"),
        Some(FindingCode::Stdout),
    ),
    (
        "observer/stdout/messages-only",
        Lie::Instead(
            "notifications/message",
            b"{\"jsonrpc\":\"2.0\",\"method\":\n",
        ),
        Some(FindingCode::Framing),
    ),
    (
        "observer/stdout/messages-only",
        Lie::Named("blank-lines"),
        None,
    ),
    ("observer/stdout/messages-only", Lie::Named("crlf"), None),
];

#[derive(Clone, Copy, Debug)]
enum Lie {
    Named(&'static str),
    Instead(&'static str, &'static [u8]),
}

fn legacy() -> impl Iterator<Item = Revision> {
    Revision::ALL
        .into_iter()
        .filter(|revision| revision.era() == Era::Legacy)
}

fn revisions_of(card: &Scenario, at: Option<&FaultAt>) -> Vec<Revision> {
    let bounds = at.and_then(|at| at.revisions);
    let until = card.until.unwrap_or(Revision::R2026_07_28);
    legacy()
        .filter(|revision| (card.since..=until).contains(revision))
        .filter(|revision| bounds.is_none_or(|(from, to)| (from..=to).contains(revision)))
        .collect()
}

/// The fixtures that the reference peer offers.
pub fn fixtures() -> Value {
    json!({
        "slow": { "tool": "slow", "arguments": { "ms": 2000 }, "takes_ms": 2000 },
        "echo": { "tool": "echo", "argument": "message" },
        "progress": { "tool": "test_tool_with_progress", "arguments": {} },
        "change": { "uri": "test://watched-resource", "call": { "name": "touch", "arguments": {} } },
    })
}

/// Proves every mutant and near miss whose id contains `filter`, on this many threads.
///
/// # Panics
///
/// When a runtime cannot be built, or a thread panics: then the proof itself is broken.
pub fn matrix(catalogue: &Arc<Catalogue>, filter: &str, threads: usize) -> Vec<Proof> {
    let variations: Vec<Variation<'_>> = variations(catalogue)
        .into_iter()
        .filter(|variation| variation.id.contains(filter))
        .collect();
    let next = AtomicUsize::new(0);
    let proofs = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let Some(variation) = variations.get(next.fetch_add(1, Ordering::Relaxed))
                    else {
                        return;
                    };
                    let proof = prove(catalogue, variation);
                    proofs
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(proof);
                }
            });
        }
    });
    let mut proofs = proofs.into_inner().unwrap_or_else(PoisonError::into_inner);
    proofs.sort_by(|left, right| left.id.cmp(&right.id));
    proofs
}

/// Runs all cases against the honest reference peer; gives every result, and one for each finding of an observer.
pub fn reference(catalogue: &Arc<Catalogue>) -> Vec<CheckResult> {
    let mut all = Vec::new();
    for revision in legacy() {
        for (case, attempt, results) in paused(run_all(catalogue, revision, None)).ran {
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

fn variations(catalogue: &Catalogue) -> Vec<Variation<'_>> {
    let mut all = Vec::new();
    for (card, check) in catalogue.checks() {
        let own = check_id(card, check);
        let mutants = check.mutants.iter().map(|mutant| {
            let claim = Claim::Mutant {
                finds: mutant.finds.clone(),
                also: &mutant.also,
            };
            ('#', &mutant.at, &mutant.fault, claim)
        });
        let near = check
            .near
            .iter()
            .map(|near| ('~', &near.at, &near.fault, Claim::Near(near.verdict)));
        for (number, (sign, at, fault, claim)) in (1..).zip(mutants).chain((1..).zip(near)) {
            let revisions = revisions_of(card, at.as_ref());
            let id = format!("{own}{sign}{number}");
            all.push(Variation {
                id,
                own: own.clone(),
                revisions,
                at: at.clone(),
                fault: fault.clone(),
                claim,
            });
        }
    }
    for (number, &(rule, lie, code)) in (1..).zip(OBSERVED) {
        let (at, fault) = match lie {
            Lie::Named(name) => (None, Fault::Named(name.to_owned())),
            Lie::Instead(method, bytes) => {
                let target = FaultTarget::Notification(method.to_owned());
                (
                    Some(FaultAt {
                        target,
                        nth: 1,
                        revisions: None,
                    }),
                    Fault::Raw(bytes.to_vec()),
                )
            }
        };
        let (sign, claim) = match code {
            Some(code) => (
                '#',
                Claim::Mutant {
                    finds: vec![code],
                    also: &[],
                },
            ),
            None => ('~', Claim::Near(NearVerdict::Verdict(Verdict::Pass))),
        };
        let id = format!("{rule}{sign}{number}");
        all.push(Variation {
            id,
            own: rule.to_owned(),
            revisions: legacy().collect(),
            at,
            fault,
            claim,
        });
    }
    for (number, &(card, fault, code)) in (1..).zip(LIVES) {
        let own = format!("{card}/alive");
        let (id, fault) = (format!("{own}#{number}"), Fault::Named(fault.to_owned()));
        all.push(Variation {
            id,
            own,
            revisions: legacy().collect(),
            at: None,
            fault,
            claim: Claim::Life(code),
        });
    }
    all
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
    planted: Option<(Option<&FaultAt>, &Fault)>,
) -> Ran {
    let mut ran = Ran {
        ran: Vec::new(),
        struck: 0,
        refused: None,
    };
    let honest = stage(catalogue, None, Means::default(), revision);
    let capabilities = probe(&honest, revision).await.result;
    let capabilities = capabilities
        .and_then(|result| result.get("capabilities").cloned())
        .unwrap_or_default();
    let permissions = Permissions::new(&["*"], false).expect("a star is a glob");
    let means = Means {
        permissions,
        capabilities: capabilities.clone(),
    };
    let offer = Offer {
        capabilities: BTreeMap::from([(revision, capabilities)]),
        fixtures: fixtures(),
        calls_forbidden: false,
        calls_allowed: true,
    };
    let chosen: Vec<Chosen> = catalogue.scenarios().iter().map(Chosen::whole).collect();
    for case in plan(&chosen, &[revision], Binding::Memory, &offer) {
        if case.unmet.is_some() {
            continue;
        }
        let fresh = match planted {
            None => None,
            Some((at, fault)) => match Planted::new(at.cloned(), fault.clone()) {
                Ok(planted) => Some(planted),
                Err(error) => {
                    ran.refused = Some(error.to_string());
                    return ran;
                }
            },
        };
        let count = fresh.clone();
        let stage = stage(catalogue, fresh, means.clone(), revision);
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

fn stage(
    catalogue: &Arc<Catalogue>,
    planted: Option<Planted>,
    means: Means,
    revision: Revision,
) -> Stage {
    Stage {
        launcher: Launcher::new(Target::Peer(planted), false)
            .expect("memory needs no thread")
            .with_facts(catalogue),
        pace: Arc::new(Pace::new(Duration::from_secs(30), Duration::from_secs(20))),
        catalogue: Arc::clone(catalogue),
        fixtures: fixtures(),
        means: BTreeMap::from([(revision, means)]),
    }
}

fn prove(catalogue: &Arc<Catalogue>, variation: &Variation<'_>) -> Proof {
    let own = &variation.own;
    let mut proof = Proof {
        id: variation.id.clone(),
        fired: BTreeSet::new(),
        cases: 0,
        problems: Vec::new(),
    };
    for &revision in &variation.revisions {
        let planted = (variation.at.as_ref(), &variation.fault);
        let ran = paused(run_all(catalogue, revision, Some(planted)));
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
    variation: &Variation<'_>,
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
