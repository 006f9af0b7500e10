//! Names that must exist: facts, fixtures, natives, judges, faults, definitions, capabilities, contested topics, varied names.

use super::Card;
use super::visit::{Role, judgements, sent, templates};
use crate::catalogue::revisions_of;
use crate::diagnostic::nearest;
use crate::facts::FieldKind;
use mcp_assay_model::protocol::Role as Side;
use mcp_assay_model::scenario::{Action, Expect, Fault, Need, Span};
use mcp_assay_model::template::Template;
use std::collections::BTreeSet;

/// Capabilities of servers; below `experimental` and `extensions` anything goes.
const SERVER_CAPABILITIES: [&str; 13] = [
    "completions",
    "logging",
    "prompts",
    "prompts.listChanged",
    "resources",
    "resources.listChanged",
    "resources.subscribe",
    "tasks",
    "tasks.cancel",
    "tasks.list",
    "tasks.requests.tools.call",
    "tools",
    "tools.listChanged",
];

/// Capabilities of clients.
const CLIENT_CAPABILITIES: [&str; 13] = [
    "elicitation",
    "elicitation.form",
    "elicitation.url",
    "roots",
    "roots.listChanged",
    "sampling",
    "sampling.context",
    "sampling.tools",
    "tasks",
    "tasks.cancel",
    "tasks.list",
    "tasks.requests.elicitation.create",
    "tasks.requests.sampling.createMessage",
];

pub(super) fn lint(card: &mut Card<'_>) {
    needs(card);
    let mut used = BTreeSet::new();
    for (span, role, value) in templates(card.scenario) {
        value.visit(&mut |inner| match inner {
            Template::Fact(path) => fact(card, &span, path),
            Template::Fixture(path) => fixture(card, &span, path),
            Template::Vary(name) => {
                used.insert(name.clone());
                if !card.scenario.vary.iter().any(|vary| vary.name == *name) {
                    let known: Vec<&str> = card
                        .scenario
                        .vary
                        .iter()
                        .map(|vary| vary.name.as_str())
                        .collect();
                    card.unknown(&span, "varied name", name, known);
                }
            }
            Template::Literal(_)
            | Template::Text(_)
            | Template::Array(_)
            | Template::Object(_)
            | Template::Raw(_)
            | Template::From { .. }
            | Template::Empty => {}
        });
        if role == Role::Judgement {
            definitions(card, &span, value);
        }
    }
    let scenario = card.scenario;
    for vary in &scenario.vary {
        if !used.contains(&vary.name) {
            let title = format!("varied name `{}` is not used", vary.name);
            card.member_error("vary", &vary.name, title).hint =
                Some(format!("write `{{$vary: {}}}` where it differs", vary.name));
        }
    }
    steps(card);
    for check in &scenario.checks {
        judgements(check, &mut |_, expect| {
            if let Expect::Native(name) = expect
                && !card.context.judges.contains(name)
            {
                let known = card.context.judges.iter().map(String::as_str);
                card.unknown(&check.span, "native judge", name, known);
            }
        });
        let faults = check.near.iter().map(|near| (&near.span, &near.fault));
        let faults = faults.chain(
            check
                .mutants
                .iter()
                .map(|mutant| (&mutant.span, &mutant.fault)),
        );
        for (span, fault) in faults {
            if let Fault::Named(name) = fault
                && !card.context.faults.contains(name)
            {
                let known = card.context.faults.iter().map(String::as_str);
                card.unknown(span, "named fault", name, known);
            }
        }
        let topics = card.catalogue.facts().contested();
        if let Some(id) = &check.contested
            && !topics.iter().any(|topic| topic.id == *id)
        {
            let known = topics.iter().map(|topic| topic.id.as_str());
            card.unknown(&check.span, "contested topic", id, known);
        }
    }
}

fn needs(card: &mut Card<'_>) {
    let scenario = card.scenario;
    let known: &[&str] = match scenario.role {
        Side::Server => &SERVER_CAPABILITIES,
        Side::Client => &CLIENT_CAPABILITIES,
    };
    for need in &scenario.needs {
        let written = need.to_string();
        if scenario.needs.iter().filter(|other| *other == need).count() > 1 {
            card.member_error("needs", &written, format!("duplicate need `{written}`"));
        }
        match need {
            Need::Fixture(name) => {
                let fixtures = card.catalogue.facts().fixtures();
                if card.catalogue.facts().fixture(name).is_none() {
                    let title = format!("unknown fixture `{name}`");
                    let names = fixtures.iter().map(|fixture| fixture.name.as_str());
                    let hint = nearest(name, names).map(|near| format!("did you mean `{near}`?"));
                    card.member_error("needs", &written, title).hint = hint;
                }
            }
            Need::Capability(path) => {
                let free = path.starts_with("experimental") || path.starts_with("extensions");
                if !free && !known.contains(&path.as_str()) {
                    let title = format!("unknown capability `{path}`");
                    let near = nearest(path, known.iter().copied());
                    let hint = near.map(|near| format!("did you mean `{near}`?"));
                    card.member_error("needs", &written, title).hint = hint;
                }
            }
            Need::Binding(_) | Need::Session | Need::ModernOnly | Need::AllowCall => {}
        }
    }
}

/// A fact must stand in every revision of the card.
fn fact(card: &mut Card<'_>, span: &Span, path: &str) {
    let table = card.catalogue.facts();
    let lacking = revisions_of(card.scenario).find(|revision| {
        table
            .of(*revision)
            .is_some_and(|facts| facts.get(path).is_none())
    });
    let Some(revision) = lacking else { return };
    let elsewhere = table
        .revisions()
        .values()
        .any(|facts| facts.get(path).is_some());
    if elsewhere {
        let title = format!("no fact `{path}` in {revision}");
        card.error(span, path, title, "the card runs in that revision")
            .hint = Some("narrow `since` and `until`, or add the fact".to_owned());
    } else {
        let known: Vec<&str> = table
            .of(revision)
            .into_iter()
            .flat_map(|facts| facts.paths())
            .collect();
        card.unknown(span, "fact", path, known);
    }
}

fn fixture(card: &mut Card<'_>, span: &Span, path: &str) {
    let mut parts = path.splitn(3, '.');
    let name = parts.next().unwrap_or_default();
    let table = card.catalogue.facts();
    let Some(fixture) = table.fixture(name) else {
        let known = table.fixtures().iter().map(|fixture| fixture.name.as_str());
        let title = format!("unknown fixture `{name}`");
        let hint = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
        card.error(span, path, title, "").hint = hint;
        return;
    };
    let needed = card.needs(&Need::Fixture(name.to_owned()));
    if !needed {
        let title = format!("fixture `{name}` is used and not needed");
        card.error(span, path, title, "").hint = Some(format!("add `fixture:{name}` to `needs`"));
    }
    let Some(member) = parts.next() else { return };
    let field = fixture.fields.iter().find(|field| field.name == member);
    match (field, parts.next()) {
        (None, _) => {
            let title = format!("unknown field `{member}` of fixture `{name}`");
            let known = fixture.fields.iter().map(|field| field.name.as_str());
            let names: Vec<&str> = known.collect();
            card.error(span, path, title, "").hint = Some(format!("known: {}", names.join(", ")));
        }
        (Some(field), Some(_)) if field.kind != FieldKind::Object => {
            let title = format!("field `{member}` of fixture `{name}` has no members");
            card.error(span, path, title, format!("a {}", field.kind.as_str()));
        }
        (Some(_), _) => {}
    }
}

/// `spec: Name` must be defined in every revision of the card.
fn definitions(card: &mut Card<'_>, span: &Span, schema: &Template) {
    schema.visit(&mut |inner| {
        let Some(Template::Text(name)) = inner.member("spec") else {
            return;
        };
        let lacking = revisions_of(card.scenario).find(|revision| {
            let known = card.context.definitions.get(revision);
            known.is_some_and(|known| !known.contains(name))
        });
        if let Some(revision) = lacking {
            let known = card.context.definitions.get(&revision);
            let near = known.and_then(|known| nearest(name, known.iter().map(String::as_str)));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let title = format!("no definition `{name}` in {revision}");
            card.error(span, name, title, "").hint = hint;
        }
    });
}

fn steps(card: &mut Card<'_>) {
    for step in &card.scenario.steps {
        match &step.action {
            Action::Native {
                name, parameters, ..
            } => {
                let context = card.context;
                let Some(native) = context.natives.iter().find(|native| native.name == *name)
                else {
                    let known = context.natives.iter().map(|native| native.name.as_str());
                    card.unknown(&step.span, "native step", name, known);
                    continue;
                };
                for (key, _) in parameters {
                    if !native.parameters.contains(key) {
                        let title = format!("unknown parameter `{key}` of `{name}`");
                        let known = native.parameters.iter().map(String::as_str);
                        let known: Vec<&str> = known.collect();
                        card.error(&step.span, key, title, "").hint =
                            Some(format!("known: {}", known.join(", ")));
                    }
                }
            }
            Action::Send { what, .. } => {
                for message in sent(what) {
                    calls(card, &step.span, &message.message);
                }
            }
            Action::Http {
                body: Some(body), ..
            } => calls(card, &step.span, body),
            Action::Open { .. }
            | Action::Await { .. }
            | Action::Quiet { .. }
            | Action::Cancel { .. }
            | Action::Raw { .. }
            | Action::Http { .. }
            | Action::Close(_) => {}
        }
    }
}

/// A tool of the target is called only with permission.
fn calls(card: &mut Card<'_>, span: &Span, message: &Template) {
    let method = message.member("method");
    let is_call = matches!(method, Some(Template::Text(method)) if method == "tools/call");
    let mut of_target = false;
    message.visit(&mut |inner| of_target |= matches!(inner, Template::Fixture(_)));
    if is_call && of_target && !card.needs(&Need::AllowCall) {
        let title = "a tool of the target is called without permission";
        card.error(span, "tools/call", title, "").hint =
            Some("add `allow:call` to `needs`".to_owned());
    }
}
