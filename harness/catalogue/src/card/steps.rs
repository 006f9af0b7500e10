//! The nine verbs.

use super::members;
use super::send::send;
use super::values::{Place, pointer, template};
use crate::decode::{Decoder, Fields, optional};
use crate::yaml::Node;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::scenario::{Action, Awaited, Close, Step};
use mcp_assay_model::template::Template;

const VERBS: [&str; 9] = [
    "open", "send", "await", "quiet", "cancel", "raw", "http", "close", "native",
];

pub(super) fn step(d: &mut Decoder, node: &Node) -> Option<Step> {
    let entry = d.only(node, "verb", &VERBS)?;
    let body = &entry.value;
    let action = match entry.key.as_str() {
        "open" => open(d, body),
        "send" => send(d, body),
        "await" => awaiting(d, body),
        "quiet" => quiet(d, body),
        "cancel" => cancel(d, body),
        "raw" => raw(d, body),
        "http" => http(d, body),
        "close" => close(d, body),
        _ => native(d, body),
    }?;
    Some(Step {
        action,
        span: node.span.clone(),
    })
}

/// A name that a step gives to what it made.
pub(super) fn label(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = d.text(node, "a label")?;
    let fits = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if fits && text != "any" {
        return Some(text);
    }
    let title = format!("`{text}` is no label");
    d.error(&node.span, title, "").hint = Some(
        "a label has small letters, digits and `_`, begins with a letter, and is not `any`"
            .to_owned(),
    );
    None
}

fn open(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`open`")?;
    let name = fields.need(d, "as").map(|node| label(d, node));
    let client = optional(fields.take("client"), |node| {
        members(d, node, "`client`", Place::Step)
    });
    let answer = optional(fields.take("answer"), |node| answers(d, node));
    fields.finish(d);
    Some(Action::Open {
        label: name??,
        client: client?.unwrap_or_default(),
        answer: answer?.unwrap_or_default(),
    })
}

fn answers(d: &mut Decoder, node: &Node) -> Option<Vec<(String, Template)>> {
    let entries = d.entries(node, "`answer`")?;
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            d.only(&entry.value, "kind of answer", &["result", "error"])?;
            Some((entry.key.clone(), template(d, &entry.value, Place::Step)?))
        })
        .collect();
    read.into_iter().collect()
}

const AWAITED: [&str; 5] = ["reply_to", "request", "notification", "status", "exit"];

fn awaiting(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`await`")?;
    let name = optional(fields.take("as"), |node| label(d, node));
    let within = optional(fields.take("within"), |node| duration(d, node));
    let found: Vec<(&str, &Node)> = AWAITED
        .into_iter()
        .filter_map(|kind| Some((kind, fields.take(kind)?)))
        .collect();
    let Some((kind, target)) = found.first().copied() else {
        fields.finish(d);
        let hint = format!("one of: {}", AWAITED.join(", "));
        d.error(&node.span, "`await` of nothing", "").hint = Some(hint);
        return None;
    };
    if let Some((other, place)) = found.get(1) {
        let title = format!("`{other}` beside `{kind}`");
        d.error(&place.span, title, "an `await` waits for one thing");
        return None;
    }
    let takes_since = matches!(kind, "request" | "notification");
    let since = optional(
        takes_since.then(|| fields.take("since")).flatten(),
        |node| label(d, node),
    );
    let takes_on = kind == "notification";
    let on = optional(takes_on.then(|| fields.take("on")).flatten(), |node| {
        label(d, node)
    });
    fields.finish(d);
    let what = match kind {
        "reply_to" => Awaited::ReplyTo(label(d, target)?),
        "status" => Awaited::Status(label(d, target)?),
        "exit" => Awaited::Exit(label(d, target)?),
        "request" => Awaited::Request {
            method: d.words(target, "a method")?,
            since: since?,
        },
        _ => Awaited::Notification {
            method: d.words(target, "a method")?,
            since: since?,
            on: on?,
        },
    };
    Some(Action::Await {
        label: name?,
        what,
        within: within?,
    })
}

/// Milliseconds: a whole number, or a reference to one.
pub(super) fn duration(d: &mut Decoder, node: &Node) -> Option<Template> {
    match template(d, node, Place::Step)? {
        Template::Literal(text) if text.parse::<u64>().is_ok() => Some(Template::Literal(text)),
        reference @ (Template::Fact(_) | Template::Fixture(_)) => Some(reference),
        _ => {
            d.expected(node, "milliseconds, a `$fact` or a `$fixture`", "a time");
            None
        }
    }
}

fn quiet(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`quiet`")?;
    let name = fields.need(d, "as").map(|node| label(d, node));
    let about = fields.need(d, "about").map(|node| {
        if node.text() == Some("any") {
            return Some("any".to_owned());
        }
        label(d, node)
    });
    let lasting_ms = optional(fields.take("for"), |node| duration(d, node));
    fields.finish(d);
    Some(Action::Quiet {
        label: name??,
        about: about??,
        lasting_ms: lasting_ms?,
    })
}

fn cancel(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`cancel`")?;
    let request = fields.need(d, "request").map(|node| label(d, node));
    fields.finish(d);
    Some(Action::Cancel { request: request?? })
}

fn raw(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`raw`")?;
    let name = optional(fields.take("as"), |node| label(d, node));
    let bytes = bytes(d, &mut fields);
    fields.finish(d);
    Some(Action::Raw {
        label: name?,
        bytes: bytes?,
    })
}

/// `bytes` as text, or `bytes_b64`.
pub(super) fn bytes(d: &mut Decoder, fields: &mut Fields<'_>) -> Option<Vec<u8>> {
    match (fields.take("bytes"), fields.take("bytes_b64")) {
        (Some(text), None) => d.text(text, "`bytes`").map(String::into_bytes),
        (None, Some(node)) => {
            let text = d.text(node, "`bytes_b64`")?;
            let decoded = STANDARD.decode(text.split_whitespace().collect::<String>());
            if let Err(error) = &decoded {
                let detail = error.to_string();
                d.error(&node.span, format!("broken base64: {}", lower(&detail)), "");
            }
            decoded.ok()
        }
        (Some(_), Some(node)) => {
            d.error(&node.span, "`bytes_b64` beside `bytes`", "one of them");
            None
        }
        (None, None) => {
            let title = "bytes are missing";
            d.error(&fields.span, title, "`bytes` or `bytes_b64` is needed");
            None
        }
    }
}

fn lower(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().map_or(String::new(), |first| {
        first.to_lowercase().to_string() + letters.as_str()
    })
}

fn http(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`http`")?;
    let name = optional(fields.take("as"), |node| label(d, node));
    let method = fields.need(d, "method").map(|node| http_method(d, node));
    let headers = optional(fields.take("headers"), |node| {
        let headers = headers(d, node, Place::Step)?;
        sendable(d, node, &headers).then_some(headers)
    });
    let body = optional(fields.take("body"), |node| template(d, node, Place::Step));
    fields.finish(d);
    Some(Action::Http {
        label: name?,
        method: method??,
        headers: headers?.unwrap_or_default(),
        body: body?,
    })
}

/// `GET`, `DELETE`: capital letters.
pub(super) fn http_method(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = d.text(node, "an HTTP method")?;
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(text);
    }
    let title = format!("`{text}` is no HTTP method");
    d.error(&node.span, title, "capital letters");
    None
}

/// Whether header values are such as can be sent: a text, a number, a reference to one, or a list of these for a header sent several
/// times. Reports those that are not.
fn sendable(d: &mut Decoder, node: &Node, headers: &[(String, Option<Template>)]) -> bool {
    let is_single = |value: &Template| match value {
        Template::Literal(text) => text != "null",
        Template::Text(_)
        | Template::Fact(_)
        | Template::Fixture(_)
        | Template::From { .. }
        | Template::Vary(_) => true,
        Template::Array(_) | Template::Object(_) | Template::Raw(_) | Template::Empty => false,
    };
    let mut sendable = true;
    let entries = d.entries(node, "`headers`").unwrap_or_default();
    for ((name, value), entry) in headers.iter().zip(entries) {
        let fits = match value {
            None => true,
            Some(Template::Array(values)) => !values.is_empty() && values.iter().all(is_single),
            Some(value) => is_single(value),
        };
        if !fits {
            let title = format!("the header `{name}` has a value that cannot be sent");
            d.error(&entry.value.span, title, "").hint =
                Some("a text, a reference, a list of these to send it several times, or null to remove it".to_owned());
        }
        sendable &= fits;
    }
    sendable
}

/// Headers by name; null for none.
pub(super) fn headers(
    d: &mut Decoder,
    node: &Node,
    place: Place,
) -> Option<Vec<(String, Option<Template>)>> {
    let entries = d.entries(node, "`headers`")?;
    let read: Vec<_> = entries
        .iter()
        .map(|entry| {
            let value = match template(d, &entry.value, place)? {
                Template::Literal(text) if text == "null" => None,
                value => Some(value),
            };
            Some((entry.key.clone(), value))
        })
        .collect();
    read.into_iter().collect()
}

fn close(d: &mut Decoder, node: &Node) -> Option<Action> {
    let entry = d.only(node, "thing to close", &["connection", "stream", "stdin"])?;
    let target = label(d, &entry.value)?;
    Some(Action::Close(match entry.key.as_str() {
        "connection" => Close::Connection(target),
        "stream" => Close::Stream(target),
        _ => Close::Stdin(target),
    }))
}

fn native(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`native`")?;
    let name = fields
        .need(d, "use")
        .map(|node| d.words(node, "a native step"));
    let bound = optional(fields.take("as"), |node| label(d, node));
    let read: Vec<_> = fields
        .rest()
        .into_iter()
        .map(|entry| Some((entry.key.clone(), template(d, &entry.value, Place::Step)?)))
        .collect();
    let parameters: Option<Vec<_>> = read.into_iter().collect();
    Some(Action::Native {
        name: name??,
        label: bound?,
        parameters: parameters?,
    })
}

/// `{ at: POINTER }` of a pointer that must be there.
pub(super) fn needed_pointer(d: &mut Decoder, fields: &mut Fields<'_>) -> Option<String> {
    let node = fields.need(d, "at")?;
    pointer(d, node)
}
