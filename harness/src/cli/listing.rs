//! `list`, `explain`, `coverage`: what is known without running anything.

use super::args::{Coverage, Explain, Format, List};
use super::{Failure, repro};
use crate::closed::{lint_context, natives_text, observer_rules};
use crate::run::exit::ExitCode;
use crate::run::probe::SANITY;
use globset::Glob;
use mcp_assay_catalogue::lint::lint;
use mcp_assay_catalogue::listing::{
    Listing, coverage as count, explain as describe, explain_fixtures,
};
use mcp_assay_catalogue::{Catalogue, catalogue::LoadError};
use mcp_assay_judge::observer;
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::scenario::Basis;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// The embedded cards, or those of a folder, linted.
///
/// **Errors**: a folder that cannot be read, or everything that is wrong with its cards.
pub fn load(suites: Option<&Path>) -> Result<Catalogue, Failure> {
    let Some(folder) = suites else {
        return Catalogue::embedded().map_err(|broken| Failure {
            code: ExitCode::Harness,
            message: broken.render(false),
            hint: None,
        });
    };
    let catalogue = Catalogue::from_dir(folder).map_err(|error| match error {
        LoadError::Broken(broken) => Failure::usage(broken.render(false)),
        LoadError::Io { path, source } => Failure::usage(format!(
            "cannot read cards from `{}`: {source}",
            path.display()
        )),
    })?;
    // The embedded cards are linted by a test; a user's are linted here.
    lint(&catalogue, &lint_context()).map_err(|broken| Failure::usage(broken.render(false)))?;
    if catalogue.scenarios().is_empty() {
        return Err(Failure::usage(format!(
            "no cards below `{}`",
            folder.display()
        )));
    }
    Ok(catalogue)
}

/// Writes to standard output; a reader that went away is no failure.
///
/// **Errors**: standard output that cannot be written.
pub fn print(text: &str) -> Result<ExitCode, Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        // A reader that went away, such as `head`, wants no more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(error.to_string()))
        }
        _ => Ok(ExitCode::Clean),
    }
}

/// `list`.
///
/// **Errors**: broken cards, a pattern that is no glob or selects nothing.
pub fn list(list: &List) -> Result<ExitCode, Failure> {
    let catalogue = load(list.suites.as_deref())?;
    let mut listing = Listing::of(&catalogue, &observer_rules());
    if !list.only.is_empty() {
        let mut globs = Vec::new();
        for pattern in &list.only {
            let glob = Glob::new(pattern)
                .map_err(|error| Failure::usage(format!("`{pattern}` is no glob: {error}")))?;
            globs.push((pattern.as_str(), glob.compile_matcher()));
        }
        listing = listing.filtered(|id| {
            globs.iter().any(|(pattern, glob)| {
                glob.is_match(id)
                    || id
                        .strip_prefix(pattern)
                        .is_some_and(|rest| rest.starts_with('/'))
            })
        });
        if listing.is_empty() {
            let message = format!("`{}` selects nothing", list.only.join(" "));
            return Err(Failure {
                message,
                ..unknown(&catalogue, &list.only[0])
            });
        }
    }
    print(&if list.json {
        listing.json()
    } else {
        listing.text()
    })
}

const SANITY_TEXT: &str = "run/sanity/alive (robustness)\n  a plain opening request and a harmless one after it are answered\n\n\
    Rule\n  a target under test answers an ordinary client before and after the run\n\n\
    The first exchange of a run and its last, each on a process of its own. It is built in, and no card can leave it out:\n\
    without a first one nothing that follows would mean anything, and without a last one a death would go unnoticed.\n";

/// `explain`.
///
/// **Errors**: an unknown id, with the nearest.
pub fn explain(explain: &Explain) -> Result<ExitCode, Failure> {
    let catalogue = Arc::new(load(explain.suites.as_deref())?);
    let mut out = String::new();
    if explain.fixtures {
        out.push_str(&explain_fixtures(catalogue.facts()));
    }
    if explain.natives {
        out.push_str(&natives_text());
    }
    if let Some(id) = &explain.id {
        if explain.repro {
            let card = id.split('@').next().unwrap_or_default();
            // The built-in check of a card is shown by the card's own bytes.
            let card = card.strip_suffix("/alive").unwrap_or(card);
            let card = catalogue
                .scenario(card)
                .or_else(|| catalogue.check(card).map(|(card, _)| card))
                .ok_or_else(|| unknown(&catalogue, card))?;
            out.push_str(&repro::script(
                &catalogue,
                card,
                explain.revision,
                explain.binding,
            )?);
        } else if id == SANITY {
            out.push_str(SANITY_TEXT);
        } else if let Some(text) = rule_text(&catalogue, id) {
            out.push_str(&text);
        } else {
            out.push_str(&describe(&catalogue, id).map_err(|_| unknown(&catalogue, id))?);
        }
    }
    print(&out)
}

/// The text for a rule of an observer, `observer/NAME/RULE`; `None` where there is none.
fn rule_text(catalogue: &Catalogue, id: &str) -> Option<String> {
    let place = id.strip_prefix("observer/")?.split_once('/')?;
    let (_, rule) = observer::rules().find(|(observer, rule)| (*observer, rule.id) == place)?;
    let until = rule.until.or(Revision::ALL.last().copied());
    let range = match until {
        Some(until) if until != rule.since => format!("{}..{until}", rule.since),
        _ => rule.since.to_string(),
    };
    let mut out = format!(
        "{id} ({}, {range})\n  {}\n\nRule\n  {}\n\n",
        rule.role, rule.title, rule.rule
    );
    out.push_str(match rule.role {
        Role::Server => "Judged in every conversation of `run`, `judge` and `tap`.",
        Role::Client => {
            "Judged in every conversation of `judge` and `tap`; in a run the client is mcp-assay."
        }
    });
    out.push_str(" Nothing judged is no pass.\n\n");
    if rule.basis == Basis::Robustness {
        out.push_str("Robustness: it cites no sentence.\n");
        return Some(out);
    }
    out.push_str("Cites\n");
    let cites: Vec<String> = rule.cites.iter().map(|cite| (*cite).to_owned()).collect();
    for revision in Revision::ALL.into_iter().filter(|it| rule.is_in(*it)) {
        for row in catalogue.requirements().of(revision).cited(&cites) {
            out.push_str(&format!(
                "  {} {}\n    {}\n",
                row.effective_level(),
                row.id,
                row.url
            ));
        }
    }
    Some(out)
}

fn unknown(catalogue: &Catalogue, id: &str) -> Failure {
    let mut known = catalogue.check_ids();
    known.insert(SANITY.to_owned());
    known.extend(observer_rules().into_iter().map(|rule| rule.id));
    let cards = catalogue.scenarios().iter().map(|card| card.id.as_str());
    let nearest =
        mcp_assay_catalogue::diagnostic::nearest(id, known.iter().map(String::as_str).chain(cards));
    let failure = Failure {
        code: ExitCode::NothingSelected,
        message: format!("no scenario or check `{id}`"),
        hint: None,
    };
    failure.hint(match nearest {
        Some(near) => format!("did you mean `{near}`? `mcp-assay list` shows all"),
        None => "`mcp-assay list` shows all".to_owned(),
    })
}

/// `coverage`.
///
/// **Errors**: broken cards.
pub fn coverage(coverage: &Coverage) -> Result<ExitCode, Failure> {
    let catalogue = load(None)?;
    let mut report = count(&catalogue, coverage.role, &observer_rules(), None);
    let feature = coverage.features.as_deref().filter(|name| !name.is_empty());
    if let Some(name) = feature.filter(|name| report.features.iter().all(|of| of.feature != **name))
    {
        let known: BTreeSet<&str> = report
            .features
            .iter()
            .map(|of| of.feature.as_str())
            .collect();
        let known: Vec<&str> = known.into_iter().collect();
        let message = format!("no testable sentence is of the feature `{name}`");
        return Err(Failure::usage(message).hint(format!("known: {}", known.join(", "))));
    }
    report.retain(coverage.revision, feature);
    let mut out = match (coverage.format, &coverage.features) {
        (Format::Text, None) => report.text(),
        (Format::Text, Some(_)) => report.features_text(),
        (Format::Json, None) => report.json(),
        (Format::Json, Some(_)) => report.features_json(),
    };
    if coverage.uncovered {
        out.push_str(&report.uncovered_text());
    }
    print(&out)
}
