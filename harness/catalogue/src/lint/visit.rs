//! Walks over the values and judgements of a card.

use super::member_span;
use mcp_assay_model::scenario::{
    Action, Check, Expect, Fault, Given, Outgoing, OutgoingId, Payload, Scenario, Span,
};
use mcp_assay_model::template::Template;

/// Where a value with references stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Role {
    Vary,
    Step,
    Judgement,
    Fault,
}

/// Every value of the card, with its place.
pub(super) fn templates(scenario: &Scenario) -> Vec<(Span, Role, &Template)> {
    let mut all = Vec::new();
    let vary_span = member_span(&scenario.source.text, "vary");
    for vary in &scenario.vary {
        all.extend(
            vary.values
                .iter()
                .map(|value| (vary_span.clone(), Role::Vary, value)),
        );
    }
    for step in &scenario.steps {
        let mut values = Vec::new();
        of_action(&step.action, &mut values);
        all.extend(
            values
                .into_iter()
                .map(|value| (step.span.clone(), Role::Step, value)),
        );
    }
    for check in &scenario.checks {
        let mut values = Vec::new();
        judgements(check, &mut |_, expect| of_expect(expect, &mut values));
        all.extend(
            values
                .into_iter()
                .map(|value| (check.span.clone(), Role::Judgement, value)),
        );
        let faults = check.near.iter().map(|near| (&near.span, &near.fault));
        let faults = faults.chain(
            check
                .mutants
                .iter()
                .map(|mutant| (&mutant.span, &mutant.fault)),
        );
        for (span, fault) in faults {
            match fault {
                Fault::Set { to, .. } => all.push((span.clone(), Role::Fault, to)),
                Fault::Replace(members) => {
                    all.extend(
                        members
                            .iter()
                            .map(|(_, value)| (span.clone(), Role::Fault, value)),
                    );
                }
                Fault::Remove { .. }
                | Fault::Drop
                | Fault::Duplicate(_)
                | Fault::DelayMs(_)
                | Fault::Before(_)
                | Fault::Reorder
                | Fault::Raw(_)
                | Fault::Split(_)
                | Fault::Status(_)
                | Fault::Header(..)
                | Fault::Body(_)
                | Fault::Named(_) => {}
            }
        }
    }
    all
}

pub(super) fn of_action<'a>(action: &'a Action, values: &mut Vec<&'a Template>) {
    match action {
        Action::Open { client, answer, .. } => {
            values.extend(client.iter().chain(answer).map(|(_, value)| value));
        }
        Action::Send { what, .. } => {
            for message in sent(what) {
                values.push(&message.message);
                values.extend(message.meta_set.iter().map(|(_, value)| value));
                if let OutgoingId::Written(id) = &message.id {
                    values.push(id);
                }
            }
        }
        Action::Await { within: time, .. }
        | Action::Quiet {
            lasting_ms: time, ..
        } => {
            values.extend(time);
        }
        Action::Http { headers, body, .. } => {
            values.extend(headers.iter().filter_map(|(_, value)| value.as_ref()));
            values.extend(body);
        }
        Action::Native { parameters, .. } => {
            values.extend(parameters.iter().map(|(_, value)| value));
        }
        Action::Cancel { .. } | Action::Raw { .. } | Action::Close(_) => {}
    }
}

/// The messages of our making in a payload.
pub(super) fn sent(payload: &Payload) -> Vec<&Outgoing> {
    match payload {
        Payload::Message(message) => vec![message],
        Payload::Batch(items) => items.iter().map(|(_, message)| message).collect(),
        Payload::Json(_) => Vec::new(),
    }
}

pub(super) fn of_expect<'a>(expect: &'a Expect, values: &mut Vec<&'a Template>) {
    match expect {
        Expect::Message { schema, .. } => values.push(schema),
        Expect::Http { headers, .. } => {
            values.extend(headers.iter().filter_map(|(_, value)| value.as_ref()));
        }
        Expect::Exit { within_ms, .. } => values.extend(within_ms),
        Expect::AnyOf(_) | Expect::SameId { .. } | Expect::None { .. } | Expect::Native(_) => {}
    }
}

/// Shows every judgement of a check with the label it judges: preconditions first, branches of `any_of` after it.
pub(super) fn judgements<'a>(check: &'a Check, see: &mut impl FnMut(Option<&'a str>, &'a Expect)) {
    if let Some(given) = &check.given {
        in_given(given, see);
    }
    branches(check.on.as_deref(), &check.expect, see);
}

pub(super) fn in_given<'a>(given: &'a Given, see: &mut impl FnMut(Option<&'a str>, &'a Expect)) {
    match given {
        Given::One { on, expect } => branches(Some(on), expect, see),
        Given::All(all) => all.iter().for_each(|one| in_given(one, see)),
    }
}

pub(super) fn branches<'a>(
    on: Option<&'a str>,
    expect: &'a Expect,
    see: &mut impl FnMut(Option<&'a str>, &'a Expect),
) {
    see(on, expect);
    if let Expect::AnyOf(all) = expect {
        all.iter().for_each(|one| branches(on, one, see));
    }
}
