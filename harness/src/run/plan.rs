//! The plan: which cases exist, and which of them can run against this target. Depends on nothing that is measured.

use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::{Action, Need, Payload, Scenario};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::Reason;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One scenario in one revision, over one binding, with one value of each varied name.
#[derive(Clone, Debug)]
pub struct Case {
    /// `CARD@REV+BINDING#VAR=JSON`.
    pub id: String,
    /// The card.
    pub card: Arc<Scenario>,
    /// Revision under test.
    pub revision: Revision,
    /// Binding.
    pub binding: Binding,
    /// Values of varied names, as JSON text.
    pub vary: BTreeMap<String, String>,
    /// Names of the checks reported; `None`: all.
    pub only: Option<BTreeSet<String>>,
    /// Why it does not run.
    pub unmet: Option<Reason>,
}

/// What the plan depends on besides the cards.
#[derive(Clone, Debug, Default)]
pub struct Offer {
    /// Capabilities that the target declared, by revision.
    pub capabilities: BTreeMap<Revision, Value>,
    /// Fixtures: an object by name.
    pub fixtures: Value,
    /// Revisions in which the target gave an MCP session.
    pub sessions: BTreeSet<Revision>,
    /// Whether the target speaks a legacy revision.
    pub speaks_legacy: bool,
    /// Bindings that each revision defines; a revision that is not there defines all.
    pub bindings: BTreeMap<Revision, Vec<Binding>>,
    /// Whether all calls are forbidden.
    pub calls_forbidden: bool,
    /// Whether any tool may be called.
    pub calls_allowed: bool,
}

/// One card that was selected.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The card.
    pub card: Arc<Scenario>,
    /// Names of the checks reported; `None`: all.
    pub checks: Option<BTreeSet<String>>,
    /// Ids of the cases run; `None`: all.
    pub cases: Option<BTreeSet<String>>,
}

impl Chosen {
    /// All of a card.
    pub fn whole(card: &Scenario) -> Self {
        Chosen {
            card: Arc::new(card.clone()),
            checks: None,
            cases: None,
        }
    }
}

/// All cases of these cards, in order of card, revision, values.
pub fn plan(
    chosen: &[Chosen],
    revisions: &[Revision],
    binding: Binding,
    offer: &Offer,
) -> Vec<Case> {
    let mut cases = Vec::new();
    for Chosen {
        card,
        checks,
        cases: wanted,
    } in chosen
    {
        for &revision in revisions {
            let unmet = unmet(card, revision, binding, offer);
            for vary in combinations(card) {
                let id = case_id(&card.id, revision, binding, &vary);
                if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
                    continue;
                }
                let (card, only, unmet) = (Arc::clone(card), checks.clone(), unmet.clone());
                cases.push(Case {
                    id,
                    card,
                    revision,
                    binding,
                    vary,
                    only,
                    unmet,
                });
            }
        }
    }
    cases
}

/// The id of a case.
pub fn case_id(
    card: &str,
    revision: Revision,
    binding: Binding,
    vary: &BTreeMap<String, String>,
) -> String {
    let values: String = vary
        .iter()
        .map(|(name, value)| format!("#{name}={value}"))
        .collect();
    format!("{card}@{revision}+{binding}{values}")
}

/// The ids of all cases that a card can have, over every revision and binding.
pub fn case_ids(card: &Scenario) -> impl Iterator<Item = String> {
    let values = combinations(card);
    let over = Revision::ALL
        .into_iter()
        .flat_map(|revision| Binding::ALL.map(|binding| (revision, binding)));
    over.flat_map(move |(revision, binding)| {
        let ids = values
            .iter()
            .map(|vary| case_id(&card.id, revision, binding, vary));
        ids.collect::<Vec<_>>()
    })
}

/// Every combination of the varied values, the last name turning fastest.
fn combinations(card: &Scenario) -> Vec<BTreeMap<String, String>> {
    let mut all = vec![BTreeMap::new()];
    for vary in &card.vary {
        let values: Vec<String> = vary
            .values
            .iter()
            .filter_map(|value| value.render(&mut |_| Err::<String, ()>(())).ok())
            .collect();
        all = all
            .into_iter()
            .flat_map(|chosen| {
                values.iter().map(move |value| {
                    let mut chosen = chosen.clone();
                    chosen.insert(vary.name.clone(), value.clone());
                    chosen
                })
            })
            .collect();
    }
    all
}

/// The first need that is not met, in the order revision, binding, session, capability, permission, fixture.
fn unmet(card: &Scenario, revision: Revision, binding: Binding, offer: &Offer) -> Option<Reason> {
    if revision < card.since || card.until.is_some_and(|until| revision > until) {
        return Some(Reason::Revision);
    }
    let mut reasons: Vec<(u8, Reason)> = Vec::new();
    for need in &card.needs {
        match need {
            Need::Binding(needed)
                if !binding.satisfies(*needed) || !is_defined(offer, revision, *needed) =>
            {
                reasons.push((0, Reason::Binding))
            }
            Need::Session if !offer.sessions.contains(&revision) => {
                reasons.push((1, Reason::Session));
            }
            Need::ModernOnly if offer.speaks_legacy => reasons.push((1, Reason::ModernOnly)),
            Need::Capability(path) if !is_claimed(offer.capabilities.get(&revision), path) => {
                reasons.push((2, Reason::Capability(path.clone())));
            }
            Need::AllowCall if offer.calls_forbidden => reasons.push((3, Reason::CallsForbidden)),
            Need::AllowCall if !offer.calls_allowed => reasons.push((3, Reason::Allow)),
            Need::Fixture(name) if offer.fixtures.get(name).is_none() => {
                reasons.push((4, Reason::Fixture(name.clone())));
            }
            Need::Binding(_)
            | Need::Session
            | Need::ModernOnly
            | Need::Capability(_)
            | Need::AllowCall
            | Need::Fixture(_) => {}
        }
    }
    // `--no-calls` forbids calls of names that cannot exist too: not one may be on the wire.
    if offer.calls_forbidden && calls_a_tool(card) {
        reasons.push((3, Reason::CallsForbidden));
    }
    reasons
        .into_iter()
        .min_by_key(|(order, _)| *order)
        .map(|(_, reason)| reason)
}

/// Whether a revision defines a binding: what it does not define has its messages judged, and no rules of its own.
fn is_defined(offer: &Offer, revision: Revision, binding: Binding) -> bool {
    let defined = offer.bindings.get(&revision);
    defined.is_none_or(|defined| defined.contains(&binding))
}

/// Whether a step of the card's own sends `tools/call`; native steps ask for permission themselves.
fn calls_a_tool(card: &Scenario) -> bool {
    let is_call = |message: &Template| matches!(message.member("method"), Some(Template::Text(method)) if method == "tools/call");
    card.steps.iter().any(|step| match &step.action {
        Action::Send { what, .. } => match what {
            Payload::Message(outgoing) => is_call(&outgoing.message),
            Payload::Batch(items) => items.iter().any(|(_, item)| is_call(&item.message)),
            Payload::Json(text) => text.contains("tools/call"),
        },
        Action::Raw { bytes, .. } => String::from_utf8_lossy(bytes).contains("tools/call"),
        Action::Open { .. }
        | Action::Await { .. }
        | Action::Quiet { .. }
        | Action::Cancel { .. }
        | Action::Http { .. }
        | Action::Close(_)
        | Action::Native { .. } => false,
    })
}

/// Whether a capability path such as `resources.subscribe` is claimed: there, and neither `false` nor `null`.
pub fn is_claimed(capabilities: Option<&Value>, path: &str) -> bool {
    let Some(capabilities) = capabilities else {
        return false;
    };
    let value = path
        .split('.')
        .try_fold(capabilities, |value, key| value.get(key));
    value.is_some_and(|value| !value.is_null() && *value != Value::Bool(false))
}

#[cfg(test)]
mod tests;
