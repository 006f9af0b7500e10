//! What is proven: every mutant and near miss of the cards, of the observers' rules, and of the built-in check that a target lives.

use super::claims::{self, LIVES, OBSERVED, OF_PARTS};
use super::sweep::Lie;
use super::{Proof, Sort, revisions};
use crate::closed::observer_rules;
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget, NearVerdict, Need, Scenario};
use mcp_assay_model::verdict::Verdict;
use mcp_assay_peer::{FAULTS, Over};
use std::collections::{BTreeMap, BTreeSet};

/// One mutant or near miss of a check or of an observer's rule.
#[derive(Clone, Debug)]
pub(super) struct Variation {
    pub id: String,
    /// Full id of what it proves; of an oddity `NAME+BINDING`.
    pub own: String,
    pub revisions: Vec<Revision>,
    pub lie: Lie,
    pub claim: Claim,
}

impl Variation {
    /// Its proof, before anything was seen.
    pub fn unproven(&self) -> Proof {
        let sort = match self.claim {
            Claim::Mutant { .. } | Claim::Life(_) => Sort::Mutant,
            Claim::Near(_) => Sort::NearMiss,
            Claim::Oddity(_) => Sort::Oddity,
            Claim::Unclaimed => Sort::Unclaimed,
        };
        Proof {
            id: self.id.clone(),
            sort,
            fired: BTreeSet::new(),
            struck: Vec::new(),
            excused: BTreeSet::new(),
            cases: 0,
            problems: Vec::new(),
        }
    }
}

/// What must come of it.
#[derive(Clone, Debug)]
pub(super) enum Claim {
    /// Its check fails with these codes, and nothing else fires but what is named.
    Mutant {
        finds: Vec<FindingCode>,
        also: Vec<String>,
    },
    /// Its check comes to this verdict, and nothing fires.
    Near(NearVerdict),
    /// The built-in `CARD/alive` fails with this code, and whatever else fires is another card's `alive`.
    Life(FindingCode),
    /// Nothing fires, in any case, and nothing is kept from passing, but these checks.
    Oddity(&'static [(&'static str, &'static str)]),
    /// A lie that no card and no observer claims: what sees it is written down, if anything does.
    Unclaimed,
}

fn revisions_of(card: &Scenario, at: Option<&FaultAt>) -> Vec<Revision> {
    let bounds = at.and_then(|at| at.revisions);
    let until = card.until.unwrap_or(Revision::R2026_07_28);
    Revision::ALL
        .into_iter()
        .filter(|revision| (card.since..=until).contains(revision))
        .filter(|revision| bounds.is_none_or(|(from, to)| (from..=to).contains(revision)))
        .collect()
}

/// Everything that is to be proven, in the order of cards, observers, lives, oddities.
pub(super) fn variations(catalogue: &Catalogue) -> Vec<Variation> {
    let mut all = Vec::new();
    for (card, check) in catalogue.checks() {
        let own = check_id(card, check);
        let mutants = check.mutants.iter().map(|mutant| {
            let claim = Claim::Mutant {
                finds: mutant.finds.clone(),
                also: mutant.also.clone(),
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
                lie: Lie {
                    binding: binding_of(card, at.as_ref(), fault),
                    at: at.clone(),
                    fault: fault.clone(),
                    is_oddity: false,
                },
                claim,
            });
        }
    }
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for observed in OBSERVED.iter().chain(OF_PARTS) {
        let number = numbers.entry(observed.rule).or_default();
        *number += 1;
        let (at, fault) = lie_of(observed.lie);
        let (sign, claim) = match observed.found {
            Some(code) => (
                '#',
                Claim::Mutant {
                    finds: vec![code],
                    also: observed.also.iter().map(|id| (*id).to_owned()).collect(),
                },
            ),
            None => ('~', Claim::Near(NearVerdict::Verdict(Verdict::Pass))),
        };
        all.push(Variation {
            id: format!("{}{sign}{number}", observed.rule),
            own: observed.rule.to_owned(),
            revisions: revisions(observed.eras)
                .filter(|revision| is_in(observed.rule, *revision))
                .filter(|revision| observed.binding != Binding::Http || defines_http(*revision))
                .collect(),
            lie: Lie {
                binding: observed.binding,
                at,
                fault,
                is_oddity: false,
            },
            claim,
        });
    }
    for (number, &(card, fault, code, eras)) in (1..).zip(LIVES) {
        let own = format!("{card}/alive");
        let (id, fault) = (format!("{own}#{number}"), Fault::Named(fault.to_owned()));
        all.push(Variation {
            id,
            own,
            revisions: revisions(eras).collect(),
            lie: Lie {
                binding: Binding::Memory,
                at: None,
                fault,
                is_oddity: false,
            },
            claim: Claim::Life(code),
        });
    }
    all.extend(oddities());
    let claimed: BTreeSet<String> = all.iter().filter_map(named).collect();
    all.extend(unclaimed(&claimed));
    all
}

/// The name of the fault of a variation, where it has one.
fn named(one: &Variation) -> Option<String> {
    match &one.lie.fault {
        Fault::Named(name) => Some(name.clone()),
        _ => None,
    }
}

/// Every lie of the reference server that is proven nowhere.
fn unclaimed(claimed: &BTreeSet<String>) -> impl Iterator<Item = Variation> {
    let lies = FAULTS.iter().filter(|fault| !fault.is_lawful);
    let lies = lies.filter(|fault| !claimed.contains(fault.name));
    lies.map(|fault| {
        let binding = match fault.over {
            Over::Any | Over::Stdio => Binding::Memory,
            Over::Http => Binding::Http,
        };
        Variation {
            id: format!("lie/{}+{binding}", fault.name),
            claim: Claim::Unclaimed,
            ..oddity(fault.name, binding)
        }
    })
}

/// Every lawful oddity of the reference server, over every binding on which it can show.
fn oddities() -> impl Iterator<Item = Variation> {
    let lawful = FAULTS.iter().filter(|fault| fault.is_lawful);
    let all = lawful.flat_map(|fault| {
        let bindings: &[Binding] = match fault.over {
            Over::Any => &[Binding::Memory, Binding::Http, Binding::HttpSse],
            Over::Stdio => &[Binding::Memory],
            Over::Http => &[Binding::Http],
        };
        bindings.iter().map(|&binding| oddity(fault.name, binding))
    });
    all.filter(|one| {
        let name = one.own.as_str();
        claims::UNSEEN.iter().all(|(unseen, _)| *unseen != name)
    })
}

fn oddity(name: &str, binding: Binding) -> Variation {
    let own = format!("{name}+{binding}");
    let but = claims::ODDITIES.iter().find(|(odd, _)| *odd == own);
    let is_defined = |revision: &Revision| match binding {
        Binding::Memory | Binding::Stdio => true,
        Binding::Http => defines_http(*revision),
        Binding::HttpSse => revision.era() == Era::Legacy,
    };
    Variation {
        id: format!("near/{own}"),
        own,
        revisions: Revision::ALL.into_iter().filter(is_defined).collect(),
        lie: Lie {
            binding,
            at: None,
            fault: Fault::Named(name.to_owned()),
            is_oddity: true,
        },
        claim: Claim::Oddity(but.map_or(&[], |(_, checks)| checks)),
    }
}

fn lie_of(lie: claims::Lie) -> (Option<FaultAt>, Fault) {
    let at = |target| {
        Some(FaultAt {
            target,
            nth: 1,
            revisions: None,
        })
    };
    match lie {
        claims::Lie::Named(name) => (None, Fault::Named(name.to_owned())),
        claims::Lie::InReply(method, nth, change) => {
            let target = FaultTarget::ReplyTo(method.to_owned());
            let at = FaultAt {
                target,
                nth,
                revisions: None,
            };
            (Some(at), change.fault())
        }
        claims::Lie::InNotification(method, change) => (
            at(FaultTarget::Notification(method.to_owned())),
            change.fault(),
        ),
        claims::Lie::Instead(method, bytes) => (
            at(FaultTarget::Notification(method.to_owned())),
            Fault::Raw(bytes.to_vec()),
        ),
        claims::Lie::Before(method, texts) => (
            at(FaultTarget::ReplyTo(method.to_owned())),
            Fault::Before(texts.iter().map(|text| (*text).to_owned()).collect()),
        ),
        claims::Lie::Header(method, name, value) => (
            at(FaultTarget::ReplyTo(method.to_owned())),
            Fault::Header(name.to_owned(), Some(value.to_owned())),
        ),
    }
}

/// Whether a revision has an observer's rule.
fn is_in(rule: &str, revision: Revision) -> bool {
    let mut rules = observer_rules().into_iter();
    rules.any(|known| {
        known.id == rule
            && known.since <= revision
            && known.until.is_none_or(|until| revision <= until)
    })
}

fn defines_http(revision: Revision) -> bool {
    revision >= Revision::R2025_03_26
}

/// Over which binding a card's lie is told: lines, unless the card or the lie speaks of HTTP.
fn binding_of(card: &Scenario, at: Option<&FaultAt>, fault: &Fault) -> Binding {
    let needed = card.needs.iter().find_map(|need| match need {
        Need::Binding(binding @ (Binding::Http | Binding::HttpSse)) => Some(*binding),
        _ => None,
    });
    let is_of_http = matches!(fault, Fault::Status(_) | Fault::Header(..) | Fault::Body(_))
        || at.is_some_and(|at| matches!(at.target, FaultTarget::Http(_)));
    needed.unwrap_or(if is_of_http {
        Binding::Http
    } else {
        Binding::Memory
    })
}
