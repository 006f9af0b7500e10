//! What the catalogue says of itself without running anything: `list`, `explain`, `coverage`.

mod coverage;
mod explain;

pub use coverage::{CoverageReport, ObserverRule, Uncovered, coverage};
pub use explain::{UnknownId, explain, explain_fixtures};

use crate::catalogue::{Catalogue, check_id, revisions_of};
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::scenario::{Basis, Check, Scenario};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Format name of `list --json`.
pub const LIST_FORMAT: &str = "mcp-assay/list/1";

/// What `list --json` prints.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// [`LIST_FORMAT`].
    pub format: String,
    /// Every check, by card id and in order of its card.
    pub checks: Vec<ListedCheck>,
    /// Every rule of an observer, in order of id.
    pub rules: Vec<ListedRule>,
}

/// One line of a listing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListedCheck {
    /// `<area>/<scenario>/<check>`.
    pub id: String,
    /// What it says, in a line.
    pub title: String,
    /// Specification or robustness.
    pub basis: Basis,
    /// Role of the target.
    pub role: Role,
    /// Level by revision.
    pub levels: BTreeMap<Revision, Level>,
    /// Revisions it runs in, oldest first.
    pub revisions: Vec<Revision>,
    /// What a run needs, in order of the card.
    pub needs: Vec<String>,
    /// Topic on which the specification conflicts with itself.
    pub contested: Option<String>,
}

/// One rule of an observer, which judges every conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ListedRule {
    /// `observer/<name>/<rule>`.
    pub id: String,
    /// What it says, in a line.
    pub title: String,
    /// Specification or robustness.
    pub basis: Basis,
    /// Whom it binds; rules on clients judge in `judge` and `tap` alone.
    pub role: Role,
    /// Level by revision.
    pub levels: BTreeMap<Revision, Level>,
    /// Revisions that have it, oldest first.
    pub revisions: Vec<Revision>,
}

impl Listing {
    /// Every check of a catalogue, and every one of these rules.
    pub fn of(catalogue: &Catalogue, rules: &[ObserverRule]) -> Self {
        let checks = catalogue
            .checks()
            .map(|(scenario, check)| listed(catalogue, scenario, check));
        Listing {
            format: LIST_FORMAT.to_owned(),
            checks: checks.collect(),
            rules: rules
                .iter()
                .map(|rule| listed_rule(catalogue, rule))
                .collect(),
        }
    }

    /// Keeps the checks and the rules whose id satisfies a predicate.
    #[must_use]
    pub fn filtered(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.checks.retain(|check| keep(&check.id));
        self.rules.retain(|rule| keep(&rule.id));
        self
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.rules.is_empty()
    }

    /// The text for a person, one line each: id, level of the newest revision, revisions, title, and of a check its needs, of a rule whom it
    /// binds.
    pub fn text(&self) -> String {
        let checks = self.checks.iter().map(|check| check.id.as_str());
        let id_width = width(checks.chain(self.rules.iter().map(|rule| rule.id.as_str())));
        let mut out = String::new();
        for check in &self.checks {
            let level = check.levels.values().next_back();
            let level = level.map_or("-", |level| level.as_str());
            let contested = if check.contested.is_some() { "?" } else { "" };
            let range = range(&check.revisions);
            let needs = match check.needs.is_empty() {
                true => String::new(),
                false => format!("  [{}]", check.needs.join(" ")),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "{:id_width$}  {:11} {range:22}  {}{needs}",
                check.id,
                format!("{level}{contested}"),
                check.title
            );
        }
        let cards = self
            .checks
            .iter()
            .filter_map(|check| check.id.rsplit_once('/'))
            .map(|(card, _)| card)
            .collect::<BTreeSet<_>>();
        for rule in &self.rules {
            let level = rule.levels.values().next_back();
            let level = level.map_or("-", |level| level.as_str());
            let range = range(&rule.revisions);
            let _ = writeln!(
                out,
                "{:id_width$}  {level:11} {range:22}  {}  [{}]",
                rule.id, rule.title, rule.role
            );
        }
        let mut counts = Vec::new();
        if !self.checks.is_empty() || self.rules.is_empty() {
            counts.push(format!(
                "{} checks in {} scenarios",
                self.checks.len(),
                cards.len()
            ));
        }
        if !self.rules.is_empty() {
            counts.push(format!("{} rules of observers", self.rules.len()));
        }
        let _ = writeln!(out, "\n{}", counts.join(", "));
        out
    }

    /// The JSON text, with a final newline.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a listing has string keys alone") + "\n"
    }
}

fn listed(catalogue: &Catalogue, scenario: &Scenario, check: &Check) -> ListedCheck {
    let revisions: Vec<Revision> = revisions_of(scenario).collect();
    let levels = revisions
        .iter()
        .filter_map(|revision| Some((*revision, catalogue.level_of(check, *revision)?.0)));
    ListedCheck {
        id: check_id(scenario, check),
        title: check.title.clone(),
        basis: check.basis,
        role: scenario.role,
        levels: levels.collect(),
        needs: scenario.needs.iter().map(ToString::to_string).collect(),
        contested: check.contested.clone(),
        revisions,
    }
}

fn listed_rule(catalogue: &Catalogue, rule: &ObserverRule) -> ListedRule {
    let is_in = |revision: &Revision| {
        rule.since <= *revision && rule.until.is_none_or(|until| *revision <= until)
    };
    let revisions: Vec<Revision> = Revision::ALL.into_iter().filter(is_in).collect();
    let level = |revision: Revision| match rule.basis {
        Basis::Robustness => Some(Level::Robustness),
        Basis::Spec => {
            let rows = catalogue.requirements().of(revision).cited(&rule.cites);
            rows.iter().map(|row| row.effective_level()).min()
        }
    };
    let levels = revisions
        .iter()
        .filter_map(|revision| Some((*revision, level(*revision)?)));
    ListedRule {
        id: rule.id.clone(),
        title: rule.title.clone(),
        basis: rule.basis,
        role: rule.role,
        levels: levels.collect(),
        revisions,
    }
}

/// `2024-11-05..2025-11-25`, or the only one.
fn range(revisions: &[Revision]) -> String {
    match revisions {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}..{last}"),
    }
}

fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}
