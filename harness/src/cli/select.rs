//! `--only`: which cards, checks and cases a user means. The plan for a filter equals the filter on the plan.

use super::Failure;
use crate::run::exit::ExitCode;
use crate::run::plan::{Chosen, case_ids};
use globset::{Glob, GlobMatcher};
use mcp_assay_catalogue::{Catalogue, check_id};
use mcp_assay_model::scenario::Scenario;
use std::collections::{BTreeMap, BTreeSet};

/// Selects by patterns; none selects everything. What several patterns say of one card is joined.
///
/// **Errors**: a pattern that is no glob, and patterns that select nothing, with the nearest id.
pub fn select(catalogue: &Catalogue, patterns: &[String]) -> Result<Vec<Chosen>, Failure> {
    if patterns.is_empty() {
        return Ok(catalogue.scenarios().iter().map(Chosen::whole).collect());
    }
    let mut chosen: BTreeMap<&str, Chosen> = BTreeMap::new();
    for pattern in patterns {
        let found = match pattern.split_once('@') {
            Some((card, _)) => by_case(catalogue, card, pattern)?,
            None => by_name(catalogue, pattern)?,
        };
        if found.is_empty() {
            return Err(nothing(catalogue, pattern));
        }
        for (id, new) in found {
            match chosen.get_mut(id) {
                Some(known) => join(known, new),
                None => drop(chosen.insert(id, new)),
            }
        }
    }
    Ok(chosen.into_values().collect())
}

/// A case id to the letter, since its values may hold what a glob takes for its own; else a glob over case ids.
fn by_case<'a>(
    catalogue: &'a Catalogue,
    card: &str,
    pattern: &str,
) -> Result<Vec<(&'a str, Chosen)>, Failure> {
    let matching = |card: &'a Scenario, matches: &dyn Fn(&str) -> bool| {
        let cases: BTreeSet<String> = case_ids(card).filter(|id| matches(id)).collect();
        let chosen = Chosen {
            cases: Some(cases.clone()),
            ..Chosen::whole(card)
        };
        (!cases.is_empty()).then_some((card.id.as_str(), chosen))
    };
    let to_the_letter = catalogue
        .scenario(card)
        .and_then(|card| matching(card, &|id| id == pattern));
    if let Some(found) = to_the_letter {
        return Ok(vec![found]);
    }
    let glob = matcher(pattern)?;
    let cards = catalogue.scenarios().iter();
    Ok(cards
        .filter_map(|card| matching(card, &|id| glob.is_match(id)))
        .collect())
}

fn matcher(pattern: &str) -> Result<GlobMatcher, Failure> {
    let glob = Glob::new(pattern)
        .map_err(|error| Failure::usage(format!("--only `{pattern}` is no glob: {error}")))?;
    Ok(glob.compile_matcher())
}

fn by_name<'a>(catalogue: &'a Catalogue, name: &str) -> Result<Vec<(&'a str, Chosen)>, Failure> {
    let glob = matcher(name)?;
    let matches = |id: &str| id == name || glob.is_match(id);
    let mut found = Vec::new();
    for card in catalogue.scenarios() {
        let area = card.id.split('/').next().unwrap_or_default();
        if area == name || matches(&card.id) {
            found.push((card.id.as_str(), Chosen::whole(card)));
            continue;
        }
        let matching = card
            .checks
            .iter()
            .filter(|check| matches(&check_id(card, check)));
        let checks: BTreeSet<String> = matching.map(|check| check.name.clone()).collect();
        if !checks.is_empty() || matches(&format!("{}/alive", card.id)) {
            found.push((
                card.id.as_str(),
                Chosen {
                    checks: Some(checks),
                    ..Chosen::whole(card)
                },
            ));
        }
    }
    Ok(found)
}

/// The union: whoever wants all gets all.
fn join(known: &mut Chosen, new: Chosen) {
    let unite = |known: &mut Option<BTreeSet<String>>, new: Option<BTreeSet<String>>| match (
        known.as_mut(),
        new,
    ) {
        (Some(known), Some(new)) => known.extend(new),
        (Some(_), None) => *known = None,
        (None, _) => {}
    };
    unite(&mut known.checks, new.checks);
    unite(&mut known.cases, new.cases);
}

fn nothing(catalogue: &Catalogue, pattern: &str) -> Failure {
    let mut ids: Vec<String> = catalogue
        .scenarios()
        .iter()
        .map(|card| card.id.clone())
        .collect();
    ids.extend(
        catalogue
            .checks()
            .map(|(card, check)| check_id(card, check)),
    );
    let card = pattern.split_once('@').map(|(card, _)| card);
    ids.extend(
        card.and_then(|card| catalogue.scenario(card))
            .into_iter()
            .flat_map(case_ids),
    );
    let nearest = mcp_assay_catalogue::diagnostic::nearest(pattern, ids.iter().map(String::as_str));
    let hint = match nearest {
        Some(near) => format!("did you mean `{near}`? `mcp-assay list` shows all"),
        None => "`mcp-assay list` shows all ids".to_owned(),
    };
    Failure {
        code: ExitCode::NothingSelected,
        message: format!("--only `{pattern}` selects nothing"),
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests;
