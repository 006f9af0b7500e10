//! Judgements and preconditions.

use super::steps::{duration, headers, label};
use super::values::{Place, pointer, template};
use crate::decode::{Decoder, optional};
use crate::yaml::{Node, Value};
use mcp_assay_model::scenario::{Absent, Expect, Given, Part};
use mcp_assay_model::template::Template;

const JUDGEMENTS: [&str; 11] = [
    "result",
    "error",
    "notification",
    "request",
    "reply",
    "same_id",
    "none",
    "http",
    "exit",
    "any_of",
    "native",
];

/// A mapping with exactly one judgement.
pub(super) fn expect(d: &mut Decoder, node: &Node) -> Option<Expect> {
    let entry = d.only(node, "judgement", &JUDGEMENTS)?;
    judgement(d, &entry.key, &entry.value)
}

fn judgement(d: &mut Decoder, key: &str, node: &Node) -> Option<Expect> {
    let part = match key {
        "result" => Part::Result,
        "error" => Part::Error,
        "notification" => Part::Notification,
        "request" => Part::Request,
        "reply" => Part::Reply,
        "same_id" => return same_id(d, node),
        "none" => return none(d, node),
        "http" => return http(d, node),
        "exit" => return exit(d, node),
        "any_of" => {
            let branches = d.list(node, "`any_of`", expect)?;
            if branches.len() < 2 {
                d.error(&node.span, "`any_of` with less than two branches", "");
                return None;
            }
            return Some(Expect::AnyOf(branches));
        }
        _ => return d.words(node, "a native judge").map(Expect::Native),
    };
    match template(d, node, Place::Judgement)? {
        schema @ (Template::Object(_) | Template::Fixture(_)) => {
            Some(Expect::Message { part, schema })
        }
        Template::Literal(_)
        | Template::Text(_)
        | Template::Array(_)
        | Template::Raw(_)
        | Template::Fact(_)
        | Template::From { .. }
        | Template::Vary(_)
        | Template::Empty => {
            d.expected(node, "a JSON Schema", &format!("`{key}`"));
            None
        }
    }
}

fn same_id(d: &mut Decoder, node: &Node) -> Option<Expect> {
    let id = || "/id".to_owned();
    if node.text().is_some() {
        let request = label(d, node)?;
        return Some(Expect::SameId { request, at: id() });
    }
    let mut fields = d.mapping(node, "`same_id`")?;
    let request = fields.need(d, "request").map(|node| label(d, node));
    let at = optional(fields.take("at"), |node| pointer(d, node));
    fields.finish(d);
    Some(Expect::SameId {
        request: request??,
        at: at?.unwrap_or_else(id),
    })
}

fn none(d: &mut Decoder, node: &Node) -> Option<Expect> {
    if node.text().is_some() {
        let kind = absent(d, node)?;
        return Some(Expect::None { kind, within: None });
    }
    let mut fields = d.mapping(node, "`none`")?;
    let kind = fields.need(d, "kind").map(|node| absent(d, node));
    let within = optional(fields.take("in"), |node| label(d, node));
    fields.finish(d);
    Some(Expect::None {
        kind: kind??,
        within: within?,
    })
}

fn absent(d: &mut Decoder, node: &Node) -> Option<Absent> {
    let text = d.text(node, "what must not come")?;
    match text.as_str() {
        "reply" => Some(Absent::Reply),
        "result" => Some(Absent::Result),
        "notification" => Some(Absent::Notification),
        "request" => Some(Absent::Request),
        "any" => Some(Absent::Any),
        _ => {
            let known = ["reply", "result", "notification", "request", "any"];
            d.unknown(&node.span, "kind of message", &text, known);
            None
        }
    }
}

fn http(d: &mut Decoder, node: &Node) -> Option<Expect> {
    let mut fields = d.mapping(node, "`http`")?;
    let status = optional(fields.take("status"), |node| {
        d.list(node, "`status`", status)
    });
    let wanted = optional(fields.take("headers"), |node| {
        headers(d, node, Place::Judgement)
    });
    let content_type = optional(fields.take("content_type"), |node| {
        d.words(node, "`content_type`")
    });
    let span = fields.span.clone();
    fields.finish(d);
    let (status, headers, content_type) = (
        status?.unwrap_or_default(),
        wanted?.unwrap_or_default(),
        content_type?,
    );
    if status.is_empty() && headers.is_empty() && content_type.is_none() {
        d.error(&span, "`http` judges nothing", "").hint =
            Some("one of: status, headers, content_type".to_owned());
        return None;
    }
    Some(Expect::Http {
        status,
        headers,
        content_type,
    })
}

/// `404` or `2xx`.
fn status(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = match &node.value {
        Value::Json(text) | Value::Text { text, .. } => text.as_str(),
        Value::Sequence(_) | Value::Mapping(_) => "",
    };
    let bytes = text.as_bytes();
    let class_fits = matches!(bytes.first(), Some(b'1'..=b'5'));
    let rest_fits =
        bytes.len() == 3 && (&bytes[1..] == b"xx" || bytes[1..].iter().all(u8::is_ascii_digit));
    if class_fits && rest_fits {
        return Some(text.to_owned());
    }
    let title = format!("`{text}` is no HTTP status");
    d.error(&node.span, title, "`404` or `2xx`");
    None
}

fn exit(d: &mut Decoder, node: &Node) -> Option<Expect> {
    let mut fields = d.mapping(node, "`exit`")?;
    let within_ms = optional(fields.take("within"), |node| duration(d, node));
    let code = optional(fields.take("code"), |node| d.number(node, "`code`"));
    fields.finish(d);
    Some(Expect::Exit {
        within_ms: within_ms?,
        code: code?,
    })
}

/// `{ on: LABEL, JUDGEMENT }` or `{ all: [...] }`.
pub(super) fn given(d: &mut Decoder, node: &Node) -> Option<Given> {
    let entries = d.entries(node, "`given`")?;
    if let Some(all) = entries.iter().find(|entry| entry.key == "all") {
        if let Some(other) = entries.iter().find(|entry| entry.key != "all") {
            let title = format!("`{}` beside `all`", other.key);
            d.error(&other.key_span, title, "goes into an item of `all`");
            return None;
        }
        let items = d.list(&all.value, "`all`", given)?;
        if items.is_empty() {
            d.error(&all.value.span, "`all` of nothing", "");
            return None;
        }
        return Some(Given::All(items));
    }
    let Some(on) = entries.iter().find(|entry| entry.key == "on") else {
        let title = "`given` without `on`";
        d.error(&node.span, title, "which label is judged?");
        return None;
    };
    let on = label(d, &on.value);
    let mut rest = entries.iter().filter(|entry| entry.key != "on");
    let Some(entry) = rest.next() else {
        let hint = format!("one of: {}", JUDGEMENTS.join(", "));
        d.error(&node.span, "`given` without a judgement", "").hint = Some(hint);
        return None;
    };
    if !JUDGEMENTS.contains(&entry.key.as_str()) {
        d.unknown(&entry.key_span, "judgement", &entry.key, JUDGEMENTS);
        return None;
    }
    if let Some(other) = rest.next() {
        let title = format!("`{}` beside `{}`", other.key, entry.key);
        d.error(&other.key_span, title, "one judgement each").hint =
            Some("write `all: [...]` for several".to_owned());
        return None;
    }
    let expect = judgement(d, &entry.key, &entry.value);
    Some(Given::One {
        on: on?,
        expect: expect?,
    })
}
