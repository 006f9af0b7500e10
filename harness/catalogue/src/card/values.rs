//! JSON in cards, with references that stand alone in their mapping.

use crate::decode::Decoder;
use crate::yaml::{Entry, Node, Value};
use mcp_assay_model::template::Template;
use serde::de::IgnoredAny;

/// Where a value stands, which decides the references it may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// Among the values of `vary`.
    Vary,
    /// In a step.
    Step,
    /// In a judgement.
    Judgement,
    /// In a near miss or a mutant.
    Fault,
}

impl Place {
    fn takes(self, reference: &str) -> bool {
        match reference {
            "$vary" => self != Place::Vary,
            "$from" => matches!(self, Place::Step | Place::Judgement),
            "$empty" => self == Place::Fault,
            _ => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Place::Vary => "the values of `vary`",
            Place::Step => "a step",
            Place::Judgement => "a judgement",
            Place::Fault => "a fault",
        }
    }
}

const REFERENCES: [&str; 5] = ["$fact", "$fixture", "$from", "$vary", "$empty"];

/// Members with `$` that are no reference: those of JSON Schema, which messages and judgements may hold.
const SCHEMA_WORDS: [&str; 9] = [
    "$schema",
    "$id",
    "$ref",
    "$defs",
    "$anchor",
    "$comment",
    "$dynamicRef",
    "$dynamicAnchor",
    "$vocabulary",
];

/// A value with references.
pub(crate) fn template(d: &mut Decoder, node: &Node, place: Place) -> Option<Template> {
    match &node.value {
        Value::Text { text, .. } => Some(Template::Text(text.clone())),
        Value::Json(text) => Some(Template::Literal(text.clone())),
        Value::Sequence(items) => {
            let read: Vec<_> = items.iter().map(|item| template(d, item, place)).collect();
            read.into_iter().collect::<Option<_>>().map(Template::Array)
        }
        Value::Mapping(entries) => {
            if let Some(entry) = entries
                .iter()
                .find(|entry| REFERENCES.contains(&entry.key.as_str()))
            {
                return reference(d, entries, entry, place);
            }
            let read: Vec<_> = entries
                .iter()
                .map(|entry| member(d, entry, place))
                .collect();
            read.into_iter()
                .collect::<Option<_>>()
                .map(Template::Object)
        }
    }
}

fn member(d: &mut Decoder, entry: &Entry, place: Place) -> Option<(String, Template)> {
    if entry.key.starts_with('$') && !SCHEMA_WORDS.contains(&entry.key.as_str()) {
        d.unknown(&entry.key_span, "reference", &entry.key, REFERENCES);
        return None;
    }
    Some((entry.key.clone(), template(d, &entry.value, place)?))
}

fn reference(d: &mut Decoder, entries: &[Entry], entry: &Entry, place: Place) -> Option<Template> {
    let name = entry.key.as_str();
    let stranger = entries
        .iter()
        .find(|other| other.key != name && !(name == "$from" && other.key == "at"));
    if let Some(other) = stranger {
        let title = format!("`{}` beside the reference `{name}`", other.key);
        d.error(
            &other.key_span,
            title,
            "a reference stands alone in its mapping",
        );
        return None;
    }
    if !place.takes(name) {
        let title = format!("`{name}` in {}", place.name());
        d.error(&entry.key_span, title, "has no meaning here");
        return None;
    }
    let target = d.text(&entry.value, "what a reference names")?;
    match name {
        "$fact" => Some(Template::Fact(target)),
        "$fixture" => Some(Template::Fixture(target)),
        "$vary" => Some(Template::Vary(target)),
        "$from" => {
            let at = match entries.iter().find(|other| other.key == "at") {
                Some(other) => pointer(d, &other.value)?,
                None => String::new(),
            };
            Some(Template::From { label: target, at })
        }
        _ if target == "result" => Some(Template::Empty),
        _ => {
            d.unknown(
                &entry.value.span,
                "kind of empty value",
                &target,
                ["result"],
            );
            None
        }
    }
}

/// A JSON pointer: empty, or beginning with a slash.
pub(crate) fn pointer(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = d.text(node, "a JSON pointer")?;
    let escapes_fit = text
        .split('~')
        .skip(1)
        .all(|tail| tail.starts_with(['0', '1']));
    if (text.is_empty() || text.starts_with('/')) && escapes_fit {
        return Some(text);
    }
    let title = format!("`{text}` is no JSON pointer");
    d.error(&node.span, title, "").hint = Some(
        "a pointer is empty or begins with `/`; `~` is written `~0`, `/` in a name `~1`".to_owned(),
    );
    None
}

/// One value of `vary`: a value, or `{ json: TEXT }` for exact JSON text.
pub(crate) fn varied(d: &mut Decoder, node: &Node) -> Option<Template> {
    if let Value::Mapping(entries) = &node.value
        && let [entry] = entries.as_slice()
        && entry.key == "json"
    {
        let text = d.text(&entry.value, "`json`")?;
        return is_json(d, &entry.value, &text).then_some(Template::Raw(text));
    }
    template(d, node, Place::Vary)
}

/// Whether a text is one JSON value; reports it where it is not.
pub(crate) fn is_json(d: &mut Decoder, node: &Node, text: &str) -> bool {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => {
            d.error(&node.span, format!("no JSON text: {error}"), "")
                .hint = Some("write bytes that are no JSON with `raw`".to_owned());
            false
        }
    }
}
