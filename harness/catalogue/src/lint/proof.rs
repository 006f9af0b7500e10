//! What a check rests on, and what proves it: citations, near misses, mutants.

use super::Card;
use crate::catalogue::{check_id, revisions_of};
use crate::diagnostic::nearest;
use crate::requirements::binds;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::scenario::{Basis, Check, FaultAt, Mutant, Span};

pub(super) fn lint(card: &mut Card<'_>) {
    for check in &card.scenario.checks {
        match check.basis {
            Basis::Spec => citations(card, check),
            Basis::Robustness => {
                if let Some(cite) = check.cites.first() {
                    let title = "a robustness check cites nothing";
                    card.error(&check.span, cite, title, "").hint =
                        Some("write `basis: spec`, or drop `cites`".to_owned());
                }
            }
        }
        if check.near.is_empty() {
            let title = format!("check `{}` without a near miss", check.name);
            card.error(
                &check.span,
                &check.name,
                title,
                "which lawful variation must it accept?",
            );
        }
        if check.mutants.is_empty() {
            let title = format!("check `{}` without a mutant", check.name);
            card.error(&check.span, &check.name, title, "which lie must it catch?");
        }
        for near in &check.near {
            strikes_in_range(card, near.at.as_ref(), &near.span);
        }
        for mutant in &check.mutants {
            strikes_in_range(card, mutant.at.as_ref(), &mutant.span);
            finds(card, mutant);
            for entry in &mutant.also {
                also(card, check, mutant, entry);
            }
        }
    }
}

fn citations(card: &mut Card<'_>, check: &Check) {
    if check.cites.is_empty() {
        let title = format!("check `{}` cites no requirement", check.name);
        card.error(&check.span, &check.name, title, "").hint = Some(
            "cite the first statement of its sentence, or write `basis: robustness`".to_owned(),
        );
        return;
    }
    let actor = match card.scenario.role {
        Role::Server => "server",
        Role::Client => "client",
    };
    let revisions: Vec<Revision> = revisions_of(card.scenario).collect();
    let requirements = card.catalogue.requirements();
    let mut sound = true;
    for cite in &check.cites {
        let Some(row) = requirements.get(cite) else {
            unknown_citation(card, check, cite);
            sound = false;
            continue;
        };
        if !binds(row, actor) {
            let title = format!("`{cite}` binds the {}", row.actor);
            card.error(
                &check.span,
                cite,
                title,
                format!("the card tests a {actor}"),
            );
            sound = false;
            continue;
        }
        let alone = std::slice::from_ref(cite);
        if revisions
            .iter()
            .all(|revision| requirements.of(*revision).cited(alone).is_empty())
        {
            let title = format!("`{cite}` says nothing in the card's revisions");
            let hint = row.same_as.as_ref();
            let hint = hint.map(|first| format!("its first statement is `{first}`"));
            card.error(&check.span, cite, title, "").hint = hint;
            sound = false;
        }
    }
    if !sound {
        return;
    }
    let lacking: Vec<&str> = revisions
        .iter()
        .filter(|revision| requirements.level_of(check, **revision).is_none())
        .map(|revision| revision.as_str())
        .collect();
    if !lacking.is_empty() {
        let title = format!(
            "check `{}` has no requirement in {}",
            check.name,
            lacking.join(", ")
        );
        card.error(
            &check.span,
            &check.name,
            title,
            "no cited sentence, nor one with the same meaning",
        )
        .hint = Some(
            "cite the sentence of that revision too, or narrow `since` and `until`".to_owned(),
        );
    }
}

fn unknown_citation(card: &mut Card<'_>, check: &Check, cite: &str) {
    let revision: Option<Revision> = cite.split('/').next().and_then(|date| date.parse().ok());
    let rows = revision.map(|revision| card.catalogue.requirements().of(revision));
    let near = rows.and_then(|rows| nearest(cite, rows.all().iter().map(|row| row.id.as_str())));
    let hint = match (near, revision) {
        (Some(near), _) => Some(format!("did you mean `{near}`?")),
        (None, None) => Some("an id begins with a revision: `2025-11-25/PAGE#ANCHOR.N`".to_owned()),
        (None, Some(_)) => None,
    };
    let title = format!("unknown requirement `{cite}`");
    card.error(&check.span, cite, title, "").hint = hint;
}

fn strikes_in_range(card: &mut Card<'_>, at: Option<&FaultAt>, span: &Span) {
    let Some((first, last)) = at.and_then(|at| at.revisions) else {
        return;
    };
    let mut range = revisions_of(card.scenario);
    if !range.any(|revision| first <= revision && revision <= last) {
        let title = "`rev` lies outside the card's revisions";
        card.error(span, "rev", title, "never strikes");
    }
}

fn finds(card: &mut Card<'_>, mutant: &Mutant) {
    if mutant.finds.is_empty() {
        card.error(
            &mutant.span,
            "finds",
            "mutant that finds nothing",
            "which code must the check report?",
        );
    }
    for code in &mutant.finds {
        if matches!(code, FindingCode::Died | FindingCode::Hung) {
            let title = format!("`{code}` is found by `alive` alone");
            let hint = format!("write `also: [\"{}/alive:{code}\"]`", card.scenario.id);
            card.error(&mutant.span, code.as_str(), title, "").hint = Some(hint);
        }
    }
}

/// `ID:code`.
fn also(card: &mut Card<'_>, check: &Check, mutant: &Mutant, entry: &str) {
    let Some((id, code)) = entry.rsplit_once(':') else {
        let title = format!("`{entry}` names no code");
        card.error(&mutant.span, entry, title, "").hint = Some("write `ID:code`".to_owned());
        return;
    };
    if code.parse::<FindingCode>().is_err() {
        let known = FindingCode::ALL.iter().map(|code| code.as_str());
        card.unknown(&mutant.span, "finding code", code, known);
    }
    if id == check_id(card.scenario, check) {
        let title = format!("`{id}` is this check");
        card.error(&mutant.span, entry, title, "").hint =
            Some("add the code to `finds`".to_owned());
    } else if !card.known.contains(id) {
        let near = nearest(id, card.known.iter().map(String::as_str));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        let title = format!("unknown check `{id}`");
        card.error(&mutant.span, id, title, "").hint = hint;
    }
}
