//! `explain`: what a check or a card says, why, and what proves it.

use super::{range, width};
use crate::catalogue::{Catalogue, check_id, revisions_of};
use crate::diagnostic::nearest;
use crate::facts::{FactTable, Fixture};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Basis, Check, Scenario, Span};
use std::fmt::Write as _;

/// An id that is neither a check nor a card.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown check or card `{id}`{}", hint(.nearest.as_deref()))]
pub struct UnknownId {
    /// As given.
    pub id: String,
    /// The id that was most likely meant.
    pub nearest: Option<String>,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

/// The text for a check, `<area>/<scenario>/<check>`, a card, `<area>/<scenario>`, or the built-in `CARD/alive`.
///
/// **Errors**: an id that is none of these, with the nearest that is.
pub fn explain(catalogue: &Catalogue, id: &str) -> Result<String, UnknownId> {
    if let Some((scenario, check)) = catalogue.check(id) {
        return Ok(of_check(catalogue, scenario, check));
    }
    if let Some(scenario) = catalogue.scenario(id) {
        return Ok(of_card(catalogue, scenario));
    }
    if let Some(scenario) = id
        .strip_suffix("/alive")
        .and_then(|card| catalogue.scenario(card))
    {
        return Ok(of_alive(scenario));
    }
    let mut known = catalogue.check_ids();
    known.extend(
        catalogue
            .scenarios()
            .iter()
            .map(|scenario| scenario.id.clone()),
    );
    Err(UnknownId {
        id: id.to_owned(),
        nearest: nearest(id, known.iter().map(String::as_str)).map(str::to_owned),
    })
}

fn of_alive(scenario: &Scenario) -> String {
    format!(
        "{0}/alive\n  the target stays alive and answers\n\n\
         rule      the process does not end, its output does not end, and a harmless request is answered\n\
         basis     robustness\n\
         built in  every case has this check; it reports `died` and `hung`, and blocks the case's other checks\n\
         card      {0}\n",
        scenario.id
    )
}

fn of_check(catalogue: &Catalogue, scenario: &Scenario, check: &Check) -> String {
    let mut out = format!("{}\n  {}\n\n", check_id(scenario, check), check.title);
    line(&mut out, "rule", &check.rule);
    line(&mut out, "basis", basis(check));
    about(&mut out, scenario);
    if let Some(id) = &check.contested {
        let topics = catalogue.facts().contested();
        let topic = topics.iter().find(|topic| topic.id == *id);
        let topic = topic.map_or("", |topic| topic.topic.as_str());
        let text =
            format!("{id}: {topic}; the text conflicts with itself, so a fail warns at most");
        line(&mut out, "contested", &text);
    }
    why(&mut out, catalogue, scenario, check);
    section(&mut out, "conversation", &steps(scenario));
    let text = &scenario.source.text;
    section(&mut out, "judged", &judgement(text, check));
    let near: Vec<String> = check
        .near
        .iter()
        .map(|near| excerpt(text, &near.span))
        .collect();
    section(&mut out, "must not fail", &near);
    let mutants: Vec<String> = check
        .mutants
        .iter()
        .map(|mutant| {
            let codes: Vec<&str> = mutant.finds.iter().map(|code| code.as_str()).collect();
            format!("a target that {}: {}", mutant.why, codes.join(", "))
        })
        .collect();
    section(&mut out, "must be caught", &mutants);
    out
}

fn of_card(catalogue: &Catalogue, scenario: &Scenario) -> String {
    let mut out = scenario.id.clone() + "\n";
    if let Some(about) = &scenario.about {
        let _ = writeln!(out, "  {about}");
    }
    out.push('\n');
    about(&mut out, scenario);
    let newest = revisions_of(scenario).last();
    let checks: Vec<String> = scenario
        .checks
        .iter()
        .map(|check| {
            let level = newest.and_then(|revision| catalogue.level_of(check, revision));
            let level = level.map_or("-", |(level, _)| level.as_str());
            format!("{} ({level}): {}", check_id(scenario, check), check.title)
        })
        .collect();
    section(&mut out, "checks", &checks);
    section(&mut out, "conversation", &steps(scenario));
    out
}

fn basis(check: &Check) -> &'static str {
    match check.basis {
        Basis::Spec => "spec",
        Basis::Robustness => "robustness: good sense, no sentence of the specification",
    }
}

fn about(out: &mut String, scenario: &Scenario) {
    let revisions: Vec<Revision> = revisions_of(scenario).collect();
    let card = format!(
        "{} ({}, {})",
        scenario.source.path,
        scenario.role,
        range(&revisions)
    );
    line(out, "card", &card);
    let needs: Vec<String> = scenario.needs.iter().map(ToString::to_string).collect();
    if !needs.is_empty() {
        line(out, "needs", &needs.join(" "));
    }
    for vary in &scenario.vary {
        let text = format!("{}: {} values, one case each", vary.name, vary.values.len());
        line(out, "vary", &text);
    }
}

fn why(out: &mut String, catalogue: &Catalogue, scenario: &Scenario, check: &Check) {
    if check.basis == Basis::Robustness {
        return;
    }
    let mut lines = Vec::new();
    for revision in revisions_of(scenario) {
        let Some((level, citations)) = catalogue.level_of(check, revision) else {
            continue;
        };
        for citation in citations {
            lines.push(format!("{revision}  {level}  {}", citation.id));
            lines.push(format!("            {}", citation.url));
        }
    }
    section(out, "why", &lines);
}

/// The card's own text of its steps, without their indentation.
fn steps(scenario: &Scenario) -> Vec<String> {
    let text = &scenario.source.text;
    let lines = scenario.steps.iter().map(|step| excerpt(text, &step.span));
    lines.collect()
}

/// The card's own text of what is judged: `on`, `given`, `expect`.
fn judgement(text: &str, check: &Check) -> Vec<String> {
    let body = text.get(check.span.clone()).unwrap_or_default();
    let mut lines = Vec::new();
    let mut inside = false;
    let mut indent = None;
    for line in body.lines() {
        let depth = line.len() - line.trim_start().len();
        // The first line stands after the hyphen; the others show the indentation of the members.
        let is_member = match indent {
            None if depth > 0 => {
                indent = Some(depth);
                true
            }
            None => true,
            Some(indent) => depth == indent,
        };
        let trimmed = line.trim_start();
        if is_member {
            inside = ["on:", "given:", "expect:"]
                .iter()
                .any(|key| trimmed.starts_with(key));
        }
        if inside && !trimmed.is_empty() {
            let kept = depth.saturating_sub(indent.unwrap_or(0));
            lines.push(" ".repeat(kept) + trimmed);
        }
    }
    lines
}

/// The text of a place, in one line.
fn excerpt(text: &str, span: &Span) -> String {
    let part = text.get(span.clone()).unwrap_or_default();
    let lines: Vec<&str> = part.lines().map(str::trim).collect();
    lines.join(" ")
}

fn line(out: &mut String, name: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{name:9} {text}");
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

/// The table of fixtures: what each must do, how it is found, and lines for the profile.
pub fn explain_fixtures(facts: &FactTable) -> String {
    let mut out = String::new();
    for fixture in facts.fixtures() {
        let _ = writeln!(
            out,
            "{}\n  {}\n  found: {}",
            fixture.name, fixture.serves, fixture.found
        );
        let name_width = width(fixture.fields.iter().map(|field| field.name.as_str()));
        for field in &fixture.fields {
            let needed = if field.required { "" } else { "optional, " };
            let kind = field.kind.as_str();
            let _ = writeln!(
                out,
                "  {:name_width$}  {needed}{kind}: {}",
                field.name, field.about
            );
        }
        let _ = writeln!(out, "  profile: {}\n", fixture.profile_line());
    }
    out
}

impl Fixture {
    /// A line to paste into the profile, with capitals where something is to be filled in.
    pub fn profile_line(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|field| {
                let value = match (field.name.as_str(), field.kind) {
                    ("arguments", _) => "{}".to_owned(),
                    ("call", _) => "{ name: TOOL, arguments: {} }".to_owned(),
                    (_, crate::facts::FieldKind::Object) => "{ NAME: VALUE }".to_owned(),
                    (_, crate::facts::FieldKind::Number) => "2000".to_owned(),
                    (name, crate::facts::FieldKind::String) => name.to_uppercase(),
                };
                format!("{}: {value}", field.name)
            })
            .collect();
        format!("fixtures: {{ {}: {{ {} }} }}", self.name, fields.join(", "))
    }
}
