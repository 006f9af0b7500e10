//! The kill matrix: every check and observer against every mutant and near miss, in memory, with a paused clock.
//!
//! ```text
//! mutant -> reference peer with one lie -> all cases of its revisions -> what fired -> compared with `finds` and `also`
//! ```
//!
//! One sweep runs all cases of a revision against a peer that tells one lie, and serves every claim about that lie. A case in which
//! the fault never struck says nothing about it and is passed over.

mod claims;
mod judgement;
mod sweep;
mod tally;
mod traces;
mod variations;

use crate::run::fixtures::known;
use crate::target::Peer;
use judgement::judge;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::Verdict;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sweep::{Lie, sweep};
pub use tally::Tally;
use traces::Honest;
use variations::{Claim, Variation, variations};

/// What a proof shows of one mutant or near miss.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proof {
    /// `CARD/CHECK#N` for a mutant, `CARD/CHECK~N` for a near miss, `near/FAULT+BINDING` for a lawful oddity, `lie/FAULT+BINDING` for a lie
    /// that nobody claims; N counts from 1.
    pub id: String,
    /// What it proves.
    pub sort: Sort,
    /// What fired, `ID:code`, over all revisions.
    pub fired: BTreeSet<String>,
    /// Revisions in which its fault struck.
    pub struck: Vec<Revision>,
    /// Checks that an oddity troubles, as it may.
    pub excused: BTreeSet<String>,
    /// Cases that it was judged by.
    pub cases: usize,
    /// What is wrong with the proof; empty where it holds.
    pub problems: Vec<String>,
}

/// What is proven.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Sort {
    /// A lie is caught.
    Mutant,
    /// A lawful variation passes its check.
    NearMiss,
    /// A lawful oddity troubles no check at all.
    Oddity,
    /// A lie that nobody claims to catch is caught all the same, or not yet.
    Unclaimed,
}

/// The whole matrix.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// One for each mutant, near miss and oddity, sorted by id.
    pub proofs: Vec<Proof>,
    /// Peers that all cases of a revision ran against.
    pub sweeps: usize,
    /// Conversations held.
    pub conversations: usize,
}

impl Proof {
    /// The line of the golden matrix: the oddities say in which revisions they struck, since nothing else would show it.
    pub fn line(&self) -> String {
        let fired: Vec<&str> = self.fired.iter().map(String::as_str).collect();
        let fired = if fired.is_empty() {
            "nothing".to_owned()
        } else {
            fired.join(", ")
        };
        let within = match self.sort {
            Sort::Mutant | Sort::NearMiss => String::new(),
            Sort::Oddity | Sort::Unclaimed if self.struck.is_empty() => {
                return format!("{} -> met by no card", self.id);
            }
            Sort::Oddity | Sort::Unclaimed => {
                let struck: Vec<&str> = self.struck.iter().map(|one| one.as_str()).collect();
                format!(" in {}", struck.join(", "))
            }
        };
        format!("{} -> {fired}{within}", self.id)
    }

    /// The file of the golden matrix that it stands in.
    pub fn area(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }
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
        "late-effect": {
            "call": { "name": "slow", "arguments": { "ms": 2000, "leaves_trace": true } },
            "takes_ms": 2000,
            "uri": "test://finished-calls",
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

/// Proves every mutant, near miss and oddity whose id contains `filter`, on this many threads.
///
/// # Panics
///
/// When a runtime cannot be built, or a thread panics: then the proof itself is broken.
pub fn matrix(catalogue: &Arc<Catalogue>, filter: &str, threads: usize) -> Matrix {
    let chosen: Vec<Variation> = variations(catalogue)
        .into_iter()
        .filter(|variation| variation.id.contains(filter))
        .collect();
    let honest = honest(catalogue, &chosen, threads);
    let groups = groups(&chosen);
    let matrix = Mutex::new(Matrix {
        proofs: Vec::new(),
        sweeps: 0,
        conversations: 0,
    });
    each(&groups, threads, |(lie, group)| {
        let proven = prove(catalogue, &honest, lie, group);
        let mut matrix = matrix.lock().unwrap_or_else(PoisonError::into_inner);
        matrix.sweeps += proven.sweeps;
        matrix.conversations += proven.conversations;
        matrix.proofs.extend(proven.proofs);
    });
    let mut matrix = matrix.into_inner().unwrap_or_else(PoisonError::into_inner);
    matrix.proofs.sort_by(|left, right| left.id.cmp(&right.id));
    matrix
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
    let own = revisions(eras).map(|revision| (revision, sweep::peer(binding, revision)));
    for (revision, peer) in both.chain(own) {
        for ran in sweep(catalogue, revision, &peer, None, None).cases {
            let found = ran.seen.into_iter().filter(|seen| !seen.codes.is_empty());
            all.extend(found.map(|seen| CheckResult {
                id: seen.rule,
                verdict: Some(Verdict::Fail),
                ..crate::run::interpret::alive(&ran.case)
            }));
            all.extend(ran.results);
        }
    }
    all
}

/// What each case does on the honest server, over every binding and revision that these need.
fn honest(catalogue: &Arc<Catalogue>, variations: &[Variation], threads: usize) -> Honest {
    let of = |one: &Variation| {
        let pairs = one.revisions.iter();
        pairs
            .map(|revision| (one.lie.binding, *revision))
            .collect::<Vec<_>>()
    };
    let wanted: BTreeSet<(Binding, Revision)> = variations.iter().flat_map(of).collect();
    let wanted: Vec<(Binding, Revision)> = wanted.into_iter().collect();
    let all = Mutex::new(Honest::default());
    each(&wanted, threads, |&(binding, revision)| {
        let peer = sweep::peer(binding, revision);
        let ran = sweep(catalogue, revision, &peer, None, None);
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(&ran);
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The variations by the lie they tell, those that need most first, so that no thread is left with a long one at the end.
fn groups(variations: &[Variation]) -> Vec<(&Lie, Vec<&Variation>)> {
    let mut groups: BTreeMap<String, (&Lie, Vec<&Variation>)> = BTreeMap::new();
    for variation in variations {
        let key = format!("{:?}", variation.lie);
        let group = groups
            .entry(key)
            .or_insert_with(|| (&variation.lie, Vec::new()));
        group.1.push(variation);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|(lie, group)| (lie.at.is_some(), std::cmp::Reverse(group.len())));
    groups
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

/// Proves all claims about one lie.
fn prove(catalogue: &Arc<Catalogue>, honest: &Honest, lie: &Lie, group: &[&Variation]) -> Matrix {
    let mut proofs: Vec<Proof> = group.iter().map(|one| one.unproven()).collect();
    let mut matrix = Matrix {
        proofs: Vec::new(),
        sweeps: 0,
        conversations: 0,
    };
    let wanted = group.iter().flat_map(|one| &one.revisions);
    for revision in wanted.copied().collect::<BTreeSet<Revision>>() {
        let peer = sweep::peer(lie.binding, revision);
        let ran = sweep(catalogue, revision, &peer, Some(honest), Some(lie));
        matrix.sweeps += 1;
        matrix.conversations += ran.conversations;
        let claims = group.iter().zip(&mut proofs);
        for (variation, proof) in claims.filter(|(one, _)| one.revisions.contains(&revision)) {
            judge(variation, revision, &ran, honest, proof);
        }
    }
    for (variation, proof) in group.iter().zip(&mut proofs) {
        let missing = match &variation.claim {
            Claim::Mutant { also, .. } => {
                let silent = also.iter().filter(|id| !proof.fired.contains(*id));
                silent
                    .map(|id| format!("`also` names {id}, which never fires"))
                    .collect()
            }
            Claim::Oddity(_) if proof.struck.is_empty() => {
                vec!["the oddity never shows".to_owned()]
            }
            Claim::Oddity(but) => {
                let idle = but.iter().filter(|(id, _)| !proof.excused.contains(*id));
                idle.map(|(id, _)| format!("{id} is excused, and is not troubled"))
                    .collect()
            }
            Claim::Near(_) | Claim::Life(_) | Claim::Unclaimed => Vec::new(),
        };
        proof.problems.extend(missing);
    }
    // Over HTTP+SSE shows what the legacy era has; what it has not is proven over the other bindings.
    let is_elsewhere =
        |proof: &Proof| lie.is_oddity && lie.binding == Binding::HttpSse && proof.struck.is_empty();
    proofs.retain(|proof| !is_elsewhere(proof));
    matrix.proofs = proofs;
    matrix
}
