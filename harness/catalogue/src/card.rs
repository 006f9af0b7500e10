//! Cards: nodes to [`Scenario`], every verb and judgement of docs/contracts.md section 2.
//!
//! ```text
//! Node -> card (id, needs, vary) -> card/steps, card/send (nine verbs) -> card/check -> card/expect (judgements) and card/fault (lies)
//! values with references: card/values
//! ```

mod check;
mod expect;
mod fault;
mod send;
mod steps;
pub(crate) mod values;

use crate::decode::{Decoder, optional};
use crate::diagnostic::Diagnostics;
use crate::yaml::{self, Node};
use mcp_assay_model::protocol::{Binding, Role};
use mcp_assay_model::scenario::{Need, Scenario, Source, Vary};
use std::sync::Arc;
use values::Place;

/// Reads one card. What only the whole suite can tell is left to the linter.
///
/// **Errors**: everything that is wrong with it.
pub fn parse(source: &Arc<Source>) -> Result<Scenario, Diagnostics> {
    let root = yaml::parse(source)?;
    let mut decoder = Decoder::new(source);
    let scenario = scenario(&mut decoder, &root, source);
    decoder.finish(scenario)
}

fn scenario(d: &mut Decoder, root: &Node, source: &Arc<Source>) -> Option<Scenario> {
    let mut fields = d.mapping(root, "card")?;
    let id = fields.need(d, "id").map(|node| card_id(d, node));
    let role = fields.need(d, "role").map(|node| role(d, node));
    let since = fields.need(d, "since").map(|node| d.name(node, "`since`"));
    let until = optional(fields.take("until"), |node| d.name(node, "`until`"));
    let needs = optional(fields.take("needs"), |node| d.list(node, "`needs`", need));
    let share = optional(fields.take("share"), |node| share(d, node));
    let vary = optional(fields.take("vary"), |node| vary(d, node));
    let steps = fields
        .need(d, "steps")
        .map(|node| d.list(node, "`steps`", steps::step));
    let checks = fields
        .need(d, "checks")
        .map(|node| d.list(node, "`checks`", check::check));
    fields.finish(d);
    Some(Scenario {
        id: id??,
        about: about(&source.text),
        role: role??,
        since: since??,
        until: until?,
        needs: needs?.unwrap_or_default(),
        share: share?.unwrap_or(false),
        vary: vary?.unwrap_or_default(),
        steps: steps??,
        checks: checks??,
        source: Source::clone(source),
    })
}

/// The text of the comment in the first line.
fn about(text: &str) -> Option<String> {
    let comment = text.lines().next()?.strip_prefix('#')?.trim();
    (!comment.is_empty()).then(|| comment.to_owned())
}

fn card_id(d: &mut Decoder, node: &Node) -> Option<String> {
    let id = d.text(node, "`id`")?;
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() == 2 && parts.iter().all(|part| is_kebab(part)) {
        return Some(id);
    }
    let title = format!("`{id}` is no card id");
    d.error(&node.span, title, "").hint =
        Some("write `<area>/<name>` in small letters, digits and hyphens".to_owned());
    None
}

/// `unknown-method`: small letters, digits and single hyphens between them.
pub(crate) fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

fn role(d: &mut Decoder, node: &Node) -> Option<Role> {
    let text = d.text(node, "`role`")?;
    match text.as_str() {
        "server" => Some(Role::Server),
        "client" => Some(Role::Client),
        _ => {
            d.unknown(&node.span, "role", &text, ["server", "client"]);
            None
        }
    }
}

const NEEDS: [&str; 6] = [
    "binding:",
    "session",
    "modern-only",
    "capability:",
    "allow:call",
    "fixture:",
];

fn need(d: &mut Decoder, node: &Node) -> Option<Need> {
    let text = d.text(node, "a need")?;
    let known = match text.split_once(':') {
        Some(("binding", name)) => match name.parse::<Binding>() {
            Ok(binding) => Some(Need::Binding(binding)),
            Err(error) => {
                d.unknown(&node.span, "binding", name, error.known);
                return None;
            }
        },
        Some(("capability", path)) if !path.is_empty() => Some(Need::Capability(path.to_owned())),
        Some(("fixture", name)) if !name.is_empty() => Some(Need::Fixture(name.to_owned())),
        Some(("allow", "call")) => Some(Need::AllowCall),
        None if text == "session" => Some(Need::Session),
        None if text == "modern-only" => Some(Need::ModernOnly),
        Some(_) | None => None,
    };
    if known.is_none() {
        d.unknown(&node.span, "need", &text, NEEDS);
    }
    known
}

fn share(d: &mut Decoder, node: &Node) -> Option<bool> {
    if node.text() == Some("connection") {
        return Some(true);
    }
    let title = "`share` shares nothing that is known";
    d.error(&node.span, title, "").hint = Some("write `share: connection`".to_owned());
    None
}

fn vary(d: &mut Decoder, node: &Node) -> Option<Vec<Vary>> {
    let entries = d.entries(node, "`vary`")?;
    let mut names = Vec::new();
    let mut whole = true;
    for entry in entries {
        let values = d.list(&entry.value, "the values of a varied name", |d, value| {
            values::varied(d, value)
        });
        match values {
            Some(values) if values.is_empty() => {
                let title = format!("`{}` varies over nothing", entry.key);
                d.error(&entry.value.span, title, "at least one value is needed");
                whole = false;
            }
            Some(values) => names.push(Vary {
                name: entry.key.clone(),
                values,
            }),
            None => whole = false,
        }
    }
    whole.then_some(names)
}

/// A mapping with free keys, its values with references.
fn members(
    d: &mut Decoder,
    node: &Node,
    what: &str,
    place: Place,
) -> Option<Vec<(String, mcp_assay_model::template::Template)>> {
    let entries = d.entries(node, what)?;
    let read: Vec<_> = entries
        .iter()
        .map(|entry| Some((entry.key.clone(), values::template(d, &entry.value, place)?)))
        .collect();
    read.into_iter().collect()
}
