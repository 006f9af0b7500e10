//! What the matrix comes to: how much is proven, and what is not.

use super::claims::RECORDED;
use super::{Matrix, Sort};
use crate::closed::observer_rules;
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_model::protocol::Role;
use std::collections::{BTreeMap, BTreeSet};

/// The counts of a matrix.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Checks of the cards.
    pub checks: usize,
    /// Rules of the observers.
    pub rules: usize,
    /// For each sort of claim, those that hold and all; of lies that nobody claims, those that something catches.
    pub claims: BTreeMap<Sort, (usize, usize)>,
    /// Checks and rules for which no mutant is killed, or no near miss passes: `ID: what is missing`.
    pub unproven: Vec<String>,
}

impl Matrix {
    /// Counts what holds, of a matrix of everything.
    pub fn tally(&self, catalogue: &Catalogue) -> Tally {
        let mut tally = Tally::default();
        let mut proven: BTreeSet<(Sort, &str)> = BTreeSet::new();
        for proof in &self.proofs {
            let (hold, all) = tally.claims.entry(proof.sort).or_default();
            *all += 1;
            if proof.sort == Sort::Unclaimed {
                *hold += usize::from(!proof.fired.is_empty());
            } else if proof.problems.is_empty() {
                *hold += 1;
                let own = proof.id.rsplit_once(['#', '~']);
                proven.extend(own.map(|(own, _)| (proof.sort, own)));
            }
        }
        let checks = catalogue.checks();
        let checks: BTreeSet<String> = checks.map(|(card, check)| check_id(card, check)).collect();
        // What binds clients is proven where it stands: no client is run here.
        let of_servers = observer_rules().into_iter();
        let is_recorded = |id: &str| RECORDED.iter().any(|(rule, _)| *rule == id);
        let of_servers =
            of_servers.filter(|rule| rule.role == Role::Server && !is_recorded(&rule.id));
        let rules: BTreeSet<String> = of_servers.map(|rule| rule.id).collect();
        tally.checks = checks.len();
        tally.rules = rules.len();
        for id in checks.iter().chain(&rules) {
            for (sort, missing) in [
                (Sort::Mutant, "no mutant of it is killed"),
                (Sort::NearMiss, "no near miss of it passes"),
            ] {
                if !proven.contains(&(sort, id.as_str())) {
                    tally.unproven.push(format!("{id}: {missing}"));
                }
            }
        }
        tally
    }

    /// The golden matrix: a text an area, a line a claim.
    pub fn by_area(&self) -> BTreeMap<String, String> {
        let mut areas: BTreeMap<String, String> = BTreeMap::new();
        for proof in &self.proofs {
            let area = areas.entry(proof.area().to_owned()).or_default();
            area.push_str(&proof.line());
            area.push('\n');
        }
        areas
    }

    /// Everything that is wrong, a line each.
    pub fn problems(&self) -> Vec<String> {
        let of = |proof: &super::Proof| {
            let id = proof.id.clone();
            let problems = proof.problems.clone().into_iter();
            problems.map(move |problem| format!("{id}: {problem}"))
        };
        self.proofs.iter().flat_map(of).collect()
    }
}
