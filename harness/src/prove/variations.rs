//! What is proven: every mutant and near miss of the cards, of the observers' rules, and of the built-in check that a target lives.

use super::claims::{LIVES, Lie, OBSERVED};
use super::revisions;
use crate::closed::observer_rules;
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget, NearVerdict, Need, Scenario};
use mcp_assay_model::verdict::Verdict;
use std::collections::BTreeMap;

/// One mutant or near miss of a check or of an observer's rule.
#[derive(Clone, Debug)]
pub(super) struct Variation {
    pub id: String,
    /// Full id of what it proves.
    pub own: String,
    pub revisions: Vec<Revision>,
    /// Binding of the peer that tells the lie.
    pub binding: Binding,
    pub at: Option<FaultAt>,
    pub fault: Fault,
    pub claim: Claim,
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

/// Everything that is to be proven, in the order of cards, observers, lives.
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
                binding: binding_of(card, at.as_ref(), fault),
                at: at.clone(),
                fault: fault.clone(),
                claim,
            });
        }
    }
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for observed in OBSERVED {
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
            binding: observed.binding,
            at,
            fault,
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
            binding: Binding::Memory,
            at: None,
            fault,
            claim: Claim::Life(code),
        });
    }
    all
}

fn lie_of(lie: Lie) -> (Option<FaultAt>, Fault) {
    let at = |target| {
        Some(FaultAt {
            target,
            nth: 1,
            revisions: None,
        })
    };
    match lie {
        Lie::Named(name) => (None, Fault::Named(name.to_owned())),
        Lie::InReply(method, nth, change) => {
            let target = FaultTarget::ReplyTo(method.to_owned());
            let at = FaultAt {
                target,
                nth,
                revisions: None,
            };
            (Some(at), change.fault())
        }
        Lie::InNotification(method, change) => (
            at(FaultTarget::Notification(method.to_owned())),
            change.fault(),
        ),
        Lie::Instead(method, bytes) => (
            at(FaultTarget::Notification(method.to_owned())),
            Fault::Raw(bytes.to_vec()),
        ),
        Lie::Header(method, name, value) => (
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
