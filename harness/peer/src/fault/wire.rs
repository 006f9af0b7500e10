//! Wire faults: what becomes of the one message they strike.

use super::FaultRefused;
use super::smallest;
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::Fault;
use mcp_assay_model::template::Template;
use std::time::Duration;

/// A struck message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Struck {
    /// It goes out so.
    Changed(Outgoing),
    /// It does not go out.
    Dropped,
    /// It goes out this many times more.
    Repeated(Outgoing, u32),
    /// These go out before it.
    Preceded(Vec<String>, Outgoing),
    /// It goes out later.
    Delayed(Outgoing, Duration),
    /// It goes out after the next one.
    Held(Outgoing),
    /// These bytes go out instead, and nothing after them.
    Bytes(Vec<u8>),
    /// It goes out in two pieces, cut at this byte of its line.
    Cut(Outgoing, usize),
}

/// Strikes a message; `Ok(None)` where the fault finds nothing to change.
///
/// **Errors**: a reference in the fault's value that `resolve` does not know.
pub(crate) fn strike(
    fault: &Fault,
    mut message: Outgoing,
    revision: Revision,
    resolve: &dyn Fn(&Template, Revision) -> Option<String>,
) -> Result<Option<Struck>, FaultRefused> {
    let mut fill = |template: &Template| match (template, &message.about) {
        (Template::Empty, About::Reply { method, .. }) => {
            Ok(Json::from(smallest::result(method, revision)))
        }
        (other, _) => resolve(other, revision)
            .map(Json::Raw)
            .ok_or_else(|| FaultRefused::Unresolved(name(other))),
    };
    Ok(Some(match fault {
        Fault::Set { at, to } => {
            let value = Json::from_template(to, &mut fill)?;
            if !has_room(&message.json, at) || !message.json.set(at, value) {
                return Ok(None);
            }
            Struck::Changed(message)
        }
        Fault::Remove { at } => {
            if !message.json.remove(at) {
                return Ok(None);
            }
            Struck::Changed(message)
        }
        Fault::Replace(members) => {
            let mut kept = message.json.clone();
            for member in ["/result", "/error", "/params"] {
                kept.remove(member);
            }
            for (key, template) in members {
                let key = key.replace('~', "~0").replace('/', "~1");
                kept.set(
                    &format!("/{key}"),
                    Json::from_template(template, &mut fill)?,
                );
            }
            message.json = kept;
            Struck::Changed(message)
        }
        Fault::Drop => Struck::Dropped,
        Fault::Duplicate(times) => Struck::Repeated(message, *times),
        Fault::Before(texts) => Struck::Preceded(texts.clone(), message),
        Fault::DelayMs(ms) => Struck::Delayed(message, Duration::from_millis(*ms)),
        Fault::Reorder => Struck::Held(message),
        Fault::Raw(bytes) => Struck::Bytes(bytes.clone()),
        Fault::Split(at) => Struck::Cut(message, *at),
        // The first three strike no message, and a named one is never asked to strike.
        Fault::Status(_) | Fault::Header(..) | Fault::Body(_) | Fault::Named(_) => return Ok(None),
    }))
}

/// Whether a message has the part that a place is below: an answer that is an error gets no result by what is set in it.
fn has_room(message: &Json, at: &str) -> bool {
    ["/result", "/error", "/params"]
        .into_iter()
        .filter(|part| {
            at.strip_prefix(part)
                .is_some_and(|rest| rest.starts_with('/'))
        })
        .all(|part| message.at(part).is_some())
}

/// A reference as a card writes it.
fn name(template: &Template) -> String {
    match template {
        Template::Fact(path) => format!("$fact: {path}"),
        Template::Fixture(path) => format!("$fixture: {path}"),
        Template::From { label, at } => format!("$from: {label}, at: {at}"),
        Template::Vary(name) => format!("$vary: {name}"),
        Template::Empty => "$empty: result".to_owned(),
        Template::Literal(text) | Template::Text(text) | Template::Raw(text) => text.clone(),
        Template::Array(_) | Template::Object(_) => "a container".to_owned(),
    }
}
