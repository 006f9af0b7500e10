//! Lies about ids.

use crate::fault::lie::{Course, Fired, Heard, Lie, What, is_reply};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Answers with another form of the id; `None` where the id stays.
pub(crate) struct Rewrites(pub fn(&Value) -> Option<String>);

impl Lie for Rewrites {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject
            && is_reply(&message)
            && let Some(id) = read_id(&message)
            && let Some(id) = (self.0)(&id)
        {
            message.json.set("/id", Json::Raw(id));
            fired.count();
        }
        vec![message]
    }
}

/// A number as a string.
pub(crate) fn string(id: &Value) -> Option<String> {
    id.is_number().then(|| format!("\"{id}\""))
}

/// A string of digits as a number.
pub(crate) fn number(id: &Value) -> Option<String> {
    let number: i64 = id.as_str()?.parse().ok()?;
    Some(number.to_string())
}

/// The lowest 32 bits.
pub(crate) fn truncated(id: &Value) -> Option<String> {
    let whole = id.as_i64().map(i128::from);
    let whole = whole.or_else(|| id.as_u64().map(i128::from))?;
    let low = u32::try_from(whole & 0xffff_ffff).expect("32 bits fit");
    let kept = i32::from_ne_bytes(low.to_ne_bytes());
    (i128::from(kept) != whole).then(|| kept.to_string())
}

/// What a 64-bit float keeps.
pub(crate) fn through_f64(id: &Value) -> Option<String> {
    let kept = format!("{:.0}", id.as_f64()?);
    let written = id.to_string();
    (kept != written).then_some(kept)
}

/// Takes falsy ids for absent ones.
pub(crate) struct DropsFalsyIds {
    /// Whether the empty string passes.
    pub is_only_zero: bool,
}

impl Lie for DropsFalsyIds {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, ..) = heard.what else {
            return Course::Honest;
        };
        let id = arrival.message.value.get("id");
        let is_zero = id.and_then(Value::as_f64) == Some(0.0);
        let is_empty = id.and_then(Value::as_str) == Some("");
        if is_zero || (is_empty && !self.is_only_zero) {
            fired.count();
            return Course::Ignore;
        }
        Course::Honest
    }
}

/// Serves requests that have no lawful id.
pub(crate) struct NullIdAccepted;

impl Lie for NullIdAccepted {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, ..) if arrival.message.value.get("id") == Some(&Value::Null) => {
                fired.count();
                Course::Admit
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Serves requests whose id is neither a text nor a number, and answers with that id.
pub(crate) struct TakesAnyId;

impl Lie for TakesAnyId {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, ..)
                if arrival
                    .message
                    .value
                    .get("id")
                    .is_some_and(|id| id.is_boolean() || id.is_array() || id.is_object()) =>
            {
                fired.count();
                Course::Admit
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Serves requests whose id is a fraction, and answers with what is left of it as an integer.
pub(crate) struct TruncatesFractions;

impl Lie for TruncatesFractions {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, ..)
                if arrival.message.value.get("id").is_some_and(is_fraction) =>
            {
                Course::Admit
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject
            && is_reply(&message)
            && let Some(id) = read_id(&message).filter(is_fraction)
        {
            let whole = id.as_f64().map(f64::trunc).unwrap_or_default();
            message.json.set("/id", Json::Raw(format!("{whole:.0}")));
            fired.count();
        }
        vec![message]
    }
}

fn is_fraction(id: &Value) -> bool {
    id.as_f64().is_some_and(|id| id.fract() != 0.0)
}

/// Mixes up two requests that run at once.
#[derive(Default)]
pub(crate) struct SwapsIds {
    /// Requests that are not answered, by number, and the ids they will be answered with.
    open: BTreeMap<u64, Json>,
    /// Ids given away: who is answered next under this number takes that id.
    owed: HashMap<u64, Json>,
}

impl Lie for SwapsIds {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(arrival, _, seq) = heard.what
            && let Some(id) = arrival.lawful_id()
        {
            self.open.insert(seq, Json::Raw(id.0));
        }
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let About::Reply { seq, .. } = message.about else {
            return vec![message];
        };
        let Some(own) = self.open.remove(&seq) else {
            return vec![message];
        };
        if let Some(owed) = self.owed.remove(&seq) {
            message.json.set("/id", owed);
        } else if is_subject && let Some((other, id)) = self.untouched() {
            message.json.set("/id", id);
            self.owed.insert(other, own);
            fired.count();
        }
        vec![message]
    }
}

impl SwapsIds {
    /// A request under way that has kept its id so far.
    fn untouched(&self) -> Option<(u64, Json)> {
        let kept = self
            .open
            .iter()
            .find(|(seq, _)| !self.owed.contains_key(seq));
        kept.map(|(seq, id)| (*seq, id.clone()))
    }
}

fn read_id(message: &Outgoing) -> Option<Value> {
    match message.json.at("/id")? {
        Json::Raw(text) => serde_json::from_str(text).ok(),
        Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_rewritten_only_where_the_lie_shows() {
        let some = |text: &str| Some(text.to_owned());
        for (id, as_string, as_number, in_32_bits, in_f64) in [
            (json!(1), some("\"1\""), None, None, None),
            (json!("1"), None, some("1"), None, None),
            (json!("a"), None, None, None, None),
            (json!(-1), some("\"-1\""), None, None, None),
            (
                json!(2147483648_u64),
                some("\"2147483648\""),
                None,
                some("-2147483648"),
                None,
            ),
            (
                json!(9007199254740993_u64),
                some("\"9007199254740993\""),
                None,
                some("1"),
                some("9007199254740992"),
            ),
        ] {
            assert_eq!(string(&id), as_string, "{id}");
            assert_eq!(number(&id), as_number, "{id}");
            assert_eq!(truncated(&id), in_32_bits, "{id}");
            assert_eq!(through_f64(&id), in_f64, "{id}");
        }
    }
}
