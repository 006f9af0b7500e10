//! Near misses and mutants: what the reference peer does otherwise.

use super::members;
use super::steps::{bytes, http_method, needed_pointer};
use super::values::{Place, template};
use crate::decode::{Decoder, optional};
use crate::yaml::{Node, Value};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget, Mutant, Near, NearVerdict};
use mcp_assay_model::verdict::Verdict;

pub(super) fn near(d: &mut Decoder, node: &Node) -> Option<Near> {
    let mut fields = d.mapping(node, "near miss")?;
    let at = optional(fields.take("at"), |node| place(d, node));
    let fault = fields.need(d, "do").map(|node| fault(d, node));
    let verdict = optional(fields.take("verdict"), |node| verdict(d, node));
    fields.finish(d);
    let near = Near {
        at: at?,
        fault: fault??,
        verdict: verdict?.unwrap_or(NearVerdict::Verdict(Verdict::Pass)),
        span: node.span.clone(),
    };
    strikes_somewhere(d, node, near.at.is_some(), &near.fault).then_some(near)
}

pub(super) fn mutant(d: &mut Decoder, node: &Node) -> Option<Mutant> {
    let mut fields = d.mapping(node, "mutant")?;
    let why = fields.need(d, "why").map(|node| d.words(node, "`why`"));
    let at = optional(fields.take("at"), |node| place(d, node));
    let fault = fields.need(d, "do").map(|node| fault(d, node));
    let finds = fields
        .need(d, "finds")
        .map(|node| d.list(node, "`finds`", |d, item| d.name(item, "a finding code")));
    let also = optional(fields.take("also"), |node| {
        d.list(node, "`also`", |d, item| {
            d.words(item, "an entry of `also`")
        })
    });
    fields.finish(d);
    let mutant = Mutant {
        why: why??,
        at: at?,
        fault: fault??,
        finds: finds??,
        also: also?.unwrap_or_default(),
        span: node.span.clone(),
    };
    strikes_somewhere(d, node, mutant.at.is_some(), &mutant.fault).then_some(mutant)
}

/// Only a named fault knows its own place.
fn strikes_somewhere(d: &mut Decoder, node: &Node, placed: bool, fault: &Fault) -> bool {
    let named = matches!(fault, Fault::Named(_));
    if !placed && !named {
        d.error(&node.span, "fault without `at`", "where does it strike?");
    }
    placed || named
}

fn verdict(d: &mut Decoder, node: &Node) -> Option<NearVerdict> {
    let text = d.text(node, "`verdict`")?;
    match text.as_str() {
        "pass" => Some(NearVerdict::Verdict(Verdict::Pass)),
        "inconclusive" => Some(NearVerdict::Verdict(Verdict::Inconclusive)),
        "fail" => Some(NearVerdict::Verdict(Verdict::Fail)),
        "not-applicable" => Some(NearVerdict::NotApplicable),
        _ => {
            let known = ["pass", "inconclusive", "fail", "not-applicable"];
            d.unknown(&node.span, "verdict", &text, known);
            None
        }
    }
}

const TARGETS: [&str; 4] = ["reply_to", "request", "notification", "http"];

fn place(d: &mut Decoder, node: &Node) -> Option<FaultAt> {
    let mut fields = d.mapping(node, "`at`")?;
    let found: Vec<(&str, &Node)> = TARGETS
        .into_iter()
        .filter_map(|kind| Some((kind, fields.take(kind)?)))
        .collect();
    let nth = optional(fields.take("nth"), |node| nth(d, node));
    let revisions = optional(fields.take("rev"), |node| range(d, node));
    fields.finish(d);
    let (kind, target) = match found.as_slice() {
        [one] => *one,
        [(first, _), (second, node), ..] => {
            let title = format!("`{second}` beside `{first}`");
            d.error(&node.span, title, "a fault strikes one message");
            return None;
        }
        [] => {
            let hint = format!("one of: {}", TARGETS.join(", "));
            d.error(&node.span, "`at` names no message", "").hint = Some(hint);
            return None;
        }
    };
    let target = match kind {
        "reply_to" => FaultTarget::ReplyTo(d.words(target, "a method")?),
        "request" => FaultTarget::Request(d.words(target, "a method")?),
        "notification" => FaultTarget::Notification(d.words(target, "a method")?),
        _ => FaultTarget::Http(http_method(d, target)?),
    };
    Some(FaultAt {
        target,
        nth: nth?.unwrap_or(1),
        revisions: revisions?,
    })
}

fn nth(d: &mut Decoder, node: &Node) -> Option<u32> {
    match d.number(node, "`nth`")? {
        0 => {
            d.error(&node.span, "`nth` is 0", "counts from 1");
            None
        }
        number => Some(number),
    }
}

/// `2025-03-26..2025-11-25`, or one date.
fn range(d: &mut Decoder, node: &Node) -> Option<(Revision, Revision)> {
    let text = d.text(node, "`rev`")?;
    let (first, last) = text.split_once("..").unwrap_or((&text, &text));
    let mut date = |text: &str| match text.parse::<Revision>() {
        Ok(revision) => Some(revision),
        Err(error) => {
            d.unknown(&node.span, "revision", text, error.known);
            None
        }
    };
    let (first, last) = (date(first)?, date(last)?);
    if first > last {
        let title = format!("`{first}` is after `{last}`");
        d.error(&node.span, title, "oldest first");
        return None;
    }
    Some((first, last))
}

const FAULTS: [&str; 13] = [
    "set",
    "remove",
    "replace",
    "drop",
    "duplicate",
    "delay",
    "reorder",
    "raw",
    "split",
    "status",
    "header",
    "body",
    "fault",
];

fn fault(d: &mut Decoder, node: &Node) -> Option<Fault> {
    let entry = d.only(node, "fault", &FAULTS)?;
    let body = &entry.value;
    match entry.key.as_str() {
        "set" => {
            let mut fields = d.mapping(body, "`set`")?;
            let at = needed_pointer(d, &mut fields);
            let to = fields
                .need(d, "to")
                .map(|node| template(d, node, Place::Fault));
            fields.finish(d);
            Some(Fault::Set { at: at?, to: to?? })
        }
        "remove" => {
            let mut fields = d.mapping(body, "`remove`")?;
            let at = needed_pointer(d, &mut fields);
            fields.finish(d);
            Some(Fault::Remove { at: at? })
        }
        "replace" => members(d, body, "`replace`", Place::Fault).map(Fault::Replace),
        "drop" => switched_on(d, body, "drop").then_some(Fault::Drop),
        "reorder" => switched_on(d, body, "reorder").then_some(Fault::Reorder),
        "duplicate" => one_number(d, body, "`duplicate`", "n").map(Fault::Duplicate),
        "delay" => one_number(d, body, "`delay`", "ms").map(Fault::DelayMs),
        "split" => one_number(d, body, "`split`", "at").map(Fault::Split),
        "raw" => {
            let mut fields = d.mapping(body, "`raw`")?;
            let bytes = bytes(d, &mut fields);
            fields.finish(d);
            bytes.map(Fault::Raw)
        }
        "status" => status(d, body).map(Fault::Status),
        "header" => header(d, body),
        "body" => d.text(body, "`body`").map(Fault::Body),
        _ => d.words(body, "a named fault").map(Fault::Named),
    }
}

fn switched_on(d: &mut Decoder, node: &Node, what: &str) -> bool {
    let on = matches!(&node.value, Value::Json(text) if text == "true");
    if !on {
        d.error(&node.span, format!("`{what}` takes no value"), "")
            .hint = Some(format!("write `{what}: true`"));
    }
    on
}

/// `50`, or `{ ms: 50 }`.
fn one_number<T: std::str::FromStr>(
    d: &mut Decoder,
    node: &Node,
    what: &'static str,
    key: &'static str,
) -> Option<T> {
    if matches!(node.value, Value::Json(_)) {
        return d.number(node, what);
    }
    let mut fields = d.mapping(node, what)?;
    let number = fields.need(d, key).map(|node| d.number(node, what));
    fields.finish(d);
    number?
}

fn status(d: &mut Decoder, node: &Node) -> Option<u16> {
    match d.number(node, "`status`")? {
        code @ 100..=599 => Some(code),
        code => {
            let title = format!("`{code}` is no HTTP status");
            d.error(&node.span, title, "100 to 599");
            None
        }
    }
}

/// `{ NAME: VALUE }`; null removes it.
fn header(d: &mut Decoder, node: &Node) -> Option<Fault> {
    let entries = d.entries(node, "`header`")?;
    let [entry] = entries else {
        let title = format!("`header` with {} names", entries.len());
        d.error(&node.span, title, "one header a fault");
        return None;
    };
    let value = match &entry.value.value {
        Value::Json(text) if text == "null" => None,
        _ => Some(d.text(&entry.value, "a header's value")?),
    };
    Some(Fault::Header(entry.key.clone(), value))
}
