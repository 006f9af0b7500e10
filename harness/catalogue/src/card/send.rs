//! The verb `send`: a message, a batch, or JSON text as typed.

use super::members;
use super::steps::label;
use super::values::{Place, is_json, template};
use crate::decode::{Decoder, Fields, optional};
use crate::yaml::{Node, Style, Value};
use mcp_assay_model::scenario::{Action, Outgoing, OutgoingId, Payload};
use mcp_assay_model::template::Template;

pub(super) fn send(d: &mut Decoder, node: &Node) -> Option<Action> {
    let mut fields = d.mapping(node, "`send`")?;
    let json = fields.take("json");
    let batch = fields.take("batch");
    if let (Some(one), Some(_)) = (json, batch) {
        d.error(&one.span, "`json` beside `batch`", "a send has one of them");
        return None;
    }
    if let Some(text) = json {
        let name = optional(fields.take("as"), |node| label(d, node));
        fields.finish(d);
        let what = Payload::Json(exact(d, text)?);
        return Some(Action::Send { label: name?, what });
    }
    if let Some(items) = batch {
        let name = optional(fields.take("as"), |node| label(d, node));
        fields.finish(d);
        let items = d.list(items, "`batch`", |d, item| {
            let mut fields = d.mapping(item, "item of a batch")?;
            let read = outgoing(d, &mut fields);
            fields.finish(d);
            read
        })?;
        let what = Payload::Batch(items);
        return Some(Action::Send { label: name?, what });
    }
    let read = outgoing(d, &mut fields);
    fields.finish(d);
    let (name, message) = read?;
    Some(Action::Send {
        label: name,
        what: Payload::Message(message),
    })
}

/// JSON text as typed; the line break that ends a block is the card's, not the message's.
fn exact(d: &mut Decoder, node: &Node) -> Option<String> {
    let mut text = d.text(node, "`json`")?;
    if matches!(
        &node.value,
        Value::Text {
            style: Style::Block,
            ..
        }
    ) && text.ends_with('\n')
    {
        text.pop();
    }
    is_json(d, node, &text).then_some(text)
}

fn outgoing(d: &mut Decoder, fields: &mut Fields<'_>) -> Option<(Option<String>, Outgoing)> {
    let name = optional(fields.take("as"), |node| label(d, node));
    let message = fields.need(d, "message").map(|node| message(d, node));
    let id = optional(fields.take("id"), |node| match &node.value {
        Value::Text { text, style } if *style == Style::Plain && text == "none" => {
            Some(OutgoingId::None)
        }
        _ => template(d, node, Place::Step).map(OutgoingId::Written),
    });
    let meta = optional(fields.take("meta"), |node| meta(d, node));
    let (meta_set, meta_remove) = meta?.unwrap_or_default();
    let outgoing = Outgoing {
        message: message??,
        id: id?.unwrap_or(OutgoingId::Auto),
        meta_set,
        meta_remove,
    };
    Some((name?, outgoing))
}

fn message(d: &mut Decoder, node: &Node) -> Option<Template> {
    let entries = d.entries(node, "`message`")?;
    for (key, hint) in [
        ("id", "write `id` beside `message`"),
        ("jsonrpc", "write the whole message with `json`"),
    ] {
        if let Some(entry) = entries.iter().find(|entry| entry.key == key) {
            d.error(
                &entry.key_span,
                format!("`{key}` inside `message`"),
                "is added when it is sent",
            )
            .hint = Some(hint.to_owned());
            return None;
        }
    }
    template(d, node, Place::Step)
}

type Meta = (Vec<(String, Template)>, Vec<String>);

fn meta(d: &mut Decoder, node: &Node) -> Option<Meta> {
    let mut fields = d.mapping(node, "`meta`")?;
    let set = optional(fields.take("set"), |node| {
        members(d, node, "`set`", Place::Step)
    });
    let remove = optional(fields.take("remove"), |node| {
        d.list(node, "`remove`", |d, item| {
            d.text(item, "a member of `_meta`")
        })
    });
    fields.finish(d);
    Some((set?.unwrap_or_default(), remove?.unwrap_or_default()))
}
