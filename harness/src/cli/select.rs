//! `--only`: which cards, checks and cases a user means. The plan for a filter equals the filter on the plan.

use super::Failure;
use crate::run::exit::ExitCode;
use crate::run::plan::Chosen;
use globset::Glob;
use mcp_assay_catalogue::{Catalogue, check_id};
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
            // Everything before the @ of a case id is the card, to the letter.
            Some((card, _)) => by_case(catalogue, card, pattern),
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

fn by_case<'a>(catalogue: &'a Catalogue, card: &str, case: &str) -> Vec<(&'a str, Chosen)> {
    let card = catalogue.scenario(card).into_iter();
    let cases = Some(BTreeSet::from([case.to_owned()]));
    card.map(|card| {
        (
            card.id.as_str(),
            Chosen {
                cases: cases.clone(),
                ..Chosen::whole(card)
            },
        )
    })
    .collect()
}

fn by_name<'a>(catalogue: &'a Catalogue, name: &str) -> Result<Vec<(&'a str, Chosen)>, Failure> {
    let glob = Glob::new(name)
        .map_err(|error| Failure::usage(format!("--only `{name}` is no glob: {error}")))?;
    let glob = glob.compile_matcher();
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
