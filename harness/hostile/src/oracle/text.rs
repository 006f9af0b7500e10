//! What holds for one JSON text and its classification.

use super::hold;
use mcp_assay_wire::jsonrpc::{Cause, Kind, Malformed, Message, NotJson, RawId, examine};
use mcp_assay_wire::raw;
use mcp_assay_wire::stdio::{Defect, DefectKind};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;

/// With its feature `raw_value`, `serde_json` reads an object that begins with this key as the JSON text in its value, so it is no
/// second opinion on such a text.
const PRIVATE_KEY: &str = "$serde_json::private";

/// Values of one text whose spans are compared: each costs a walk over the text.
const MAX_SPANS: usize = 64;

/// Everything that must hold for one text: the whole check of the fuzz target.
pub fn text(bytes: &[u8]) -> Result<(), String> {
    classification(bytes)?;
    spans(bytes)?;
    if let Ok(message) = examine(bytes, 0).message {
        let ids: Vec<&RawId> = message
            .id
            .iter()
            .chain(message.batch.iter().filter_map(|item| item.id.as_ref()))
            .collect();
        for pair in ids.windows(2) {
            ids_of(pair[0], pair[1])?;
        }
    }
    Ok(())
}

/// What is read of a text agrees with `serde_json`: whether it is JSON, which value, which keys are twice; and the kind with the value.
pub fn classification(bytes: &[u8]) -> Result<(), String> {
    let examined = examine(bytes, 0);
    let has = |kind| {
        examined
            .defects
            .iter()
            .any(|defect: &Defect| defect.kind == kind)
    };
    let has_stand_in =
        has(DefectKind::LoneSurrogate) || has(DefectKind::NumberRange) || has(DefectKind::TooDeep);
    let text = std::str::from_utf8(bytes);
    hold!(
        text.is_err() == has(DefectKind::InvalidUtf8),
        "UTF-8 is judged otherwise"
    );
    let Ok(text) = text else {
        hold!(
            examined.message.is_err(),
            "a message of bytes that are no text"
        );
        return Ok(());
    };
    let unmarked = text.strip_prefix('\u{feff}').unwrap_or(text);
    hold!(
        (unmarked.len() < text.len()) == has(DefectKind::ByteOrderMark),
        "byte-order mark"
    );
    let is_json = serde_json::from_str::<IgnoredAny>(unmarked).is_ok();
    match examined.message {
        Ok(message) => {
            hold!(
                is_json,
                "serde_json takes no JSON in what was read as {message:?}"
            );
            if !unmarked.contains(PRIVATE_KEY) {
                values(unmarked, &message, has_stand_in)?;
                let repeats = serde_json::from_str::<HasRepeats>(unmarked);
                let is_same =
                    repeats.is_ok_and(|repeats| repeats.0 == has(DefectKind::DuplicateKey));
                hold!(
                    is_same || has_stand_in,
                    "keys that are twice are judged otherwise"
                );
            }
            kinds(unmarked, &message)
        }
        Err(error) => refusal(text, is_json, &error),
    }
}

fn values(text: &str, message: &Message, has_stand_in: bool) -> Result<(), String> {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            hold!(!has_stand_in, "a stand-in where serde_json needs none");
            // The texts as well, because 0 equals -0.
            let (theirs, ours) = (value.to_string(), message.value.to_string());
            let is_same = value == *message.value && theirs == ours;
            hold!(is_same, "serde_json reads {value}, not {}", message.value);
        }
        Err(error) => hold!(has_stand_in, "serde_json refuses it: {error}"),
    }
    Ok(())
}

fn refusal(text: &str, is_json: bool, error: &NotJson) -> Result<(), String> {
    hold!(
        !is_json || error.cause == Cause::TooManyValues,
        "serde_json takes it as JSON, not {error:?}"
    );
    hold!(
        text.is_char_boundary(error.offset),
        "{} is within a character",
        error.offset
    );
    if error.cause != Cause::Syntax {
        return Ok(());
    }
    // What stands before the break must be able to become JSON: `serde_json` finds nothing wrong with it but its end.
    let before = text[..error.offset].trim_start_matches('\u{feff}');
    // A number that is cut short is not the end of the input to it, but no number.
    let is_number_cut = before.ends_with(['-', '+', '.', 'e', 'E']);
    let verdict = serde_json::from_str::<IgnoredAny>(before);
    let is_prefix = is_number_cut || verdict.as_ref().err().is_none_or(|error| error.is_eof());
    hold!(
        is_prefix,
        "the text is broken before {}: {verdict:?}",
        error.offset
    );
    Ok(())
}

/// The kind, method and id agree with the value, which is looked at in a way of its own.
fn kinds(text: &str, message: &Message) -> Result<(), String> {
    let expected = match &*message.value {
        Value::Array(items) if items.is_empty() => Kind::Malformed(Malformed::EmptyBatch),
        Value::Array(items) => {
            hold!(
                items.len() == message.batch.len(),
                "a batch of {}",
                message.batch.len()
            );
            for (index, (value, item)) in items.iter().zip(&message.batch).enumerate() {
                hold!(*value == *item.value, "item {index} has another value");
                member(text, &format!("/{index}"), item)?;
            }
            Kind::Batch
        }
        _ => return member(text, "", message),
    };
    hold!(
        message.kind == expected,
        "{:?}, not {expected:?}",
        message.kind
    );
    hold!(
        message.id.is_none() && message.method.is_none(),
        "a batch with members"
    );
    Ok(())
}

fn member(text: &str, place: &str, message: &Message) -> Result<(), String> {
    let has = |key: &str| message.value.get(key).is_some();
    let expected = match (has("method"), has("result"), has("error")) {
        _ if !message.value.is_object() => Kind::Malformed(Malformed::NotAnObject),
        (false, false, false) => Kind::Malformed(Malformed::NoKnownMember),
        (true, false, false) if !message.value["method"].is_string() => {
            Kind::Malformed(Malformed::MethodNotString)
        }
        (true, false, false) if has("id") => Kind::Request,
        (true, false, false) => Kind::Notification,
        (true, _, _) => Kind::Malformed(Malformed::MethodAndResponse),
        (false, true, true) => Kind::Malformed(Malformed::ResultAndError),
        (false, true, false) => Kind::Result,
        (false, false, true) => Kind::Error,
    };
    hold!(
        message.kind == expected,
        "{:?}, not {expected:?}",
        message.kind
    );
    let method = message.value.get("method").and_then(Value::as_str);
    hold!(
        message.method.as_deref() == method,
        "method {:?}",
        message.method
    );
    let id = message
        .value
        .is_object()
        .then(|| raw::at(text, &format!("{place}/id")))
        .flatten();
    hold!(
        message.id.as_ref().map(|id| id.0.as_str()) == id,
        "id {:?}, not {id:?}",
        message.id
    );
    hold!(message.batch.is_empty(), "a single message has items");
    Ok(())
}

/// The raw text at each pointer parses to the value there.
pub fn spans(bytes: &[u8]) -> Result<(), String> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Ok(());
    };
    let examined = examine(bytes, 0);
    let is_too_much = examined
        .message
        .as_ref()
        .is_err_and(|error| error.cause == Cause::TooManyValues);
    let whole = raw::at(text, "");
    hold!(
        is_too_much || whole.is_some() == examined.message.is_ok(),
        "a span of the whole: {whole:?}"
    );
    let Ok(message) = examined.message else {
        return Ok(());
    };
    let is_too_deep = examined
        .defects
        .iter()
        .any(|defect| defect.kind == DefectKind::TooDeep);
    if is_too_deep {
        return Ok(());
    }
    let mut pointers = vec![String::new()];
    let mut next = 0;
    while next < pointers.len() && next < MAX_SPANS {
        let pointer = pointers[next].clone();
        let value = message
            .value
            .pointer(&pointer)
            .ok_or("a pointer leads nowhere")?;
        let span = raw::at(text, &pointer).ok_or_else(|| format!("no span at {pointer:?}"))?;
        let parsed = examine(span.as_bytes(), 0)
            .message
            .map_err(|error| format!("{pointer:?}: {error:?}"))?;
        hold!(
            *parsed.value == *value,
            "the span at {pointer:?} is {span:?}, not {value}"
        );
        match value {
            Value::Array(items) => {
                pointers.extend((0..items.len()).map(|index| format!("{pointer}/{index}")))
            }
            Value::Object(members) => pointers.extend(
                members
                    .keys()
                    .map(|key| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
        next += 1;
    }
    Ok(())
}

/// Lenient equality of ids is reflexive and symmetric, and where floats tell two numbers apart it does so as well.
pub fn ids(a: &str, b: &str) -> Result<(), String> {
    ids_of(&RawId(a.to_owned()), &RawId(b.to_owned()))
}

fn ids_of(a: &RawId, b: &RawId) -> Result<(), String> {
    hold!(
        a.loosely_equals(a) && b.loosely_equals(b),
        "an id differs from itself"
    );
    let equals = a.loosely_equals(b);
    hold!(
        equals == b.loosely_equals(a),
        "{a:?} and {b:?} depend on their order"
    );
    let number = |id: &RawId| serde_json::from_str::<f64>(&id.0).ok();
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        // Equal numbers may be one unit apart, as `serde_json` does not round every spelling alike.
        let is_near = (x - y).abs() <= f64::EPSILON * x.abs().max(y.abs());
        hold!(!equals || is_near, "{a:?} equals {b:?}");
        hold!(
            equals || x != y || x.abs() >= 1e15 || x.fract() != 0.0 || x == 0.0,
            "{a:?} differs from {b:?}"
        );
    }
    Ok(())
}

/// Whether an object somewhere in a text has a key twice.
struct HasRepeats(bool);

impl<'de> Deserialize<'de> for HasRepeats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RepeatsVisitor)
    }
}

struct RepeatsVisitor;

impl<'de> Visitor<'de> for RepeatsVisitor {
    type Value = HasRepeats;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<HasRepeats, A::Error> {
        let mut keys = HashSet::new();
        let mut has = false;
        while let Some((key, HasRepeats(within))) = map.next_entry::<String, HasRepeats>()? {
            has |= within | !keys.insert(key);
        }
        Ok(HasRepeats(has))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<HasRepeats, A::Error> {
        let mut has = false;
        while let Some(HasRepeats(within)) = items.next_element()? {
            has |= within;
        }
        Ok(HasRepeats(has))
    }

    fn visit_bool<E>(self, _: bool) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }

    fn visit_str<E>(self, _: &str) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }

    fn visit_unit<E>(self) -> Result<HasRepeats, E> {
        Ok(HasRepeats(false))
    }
}
