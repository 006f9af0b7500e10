//! One text: what it is, and what is wrong with it.

use super::{Cause, Kind, MAX_DEPTH, MAX_VALUES, Malformed, Message, NotJson, RawId};
use crate::decimal::Decimal;
use crate::defect::{Defect, DefectKind};
use crate::parse::{Marks, Method, Note, Parsed, parse};
use crate::raw;
use crate::scan::{BYTE_ORDER_MARK, Fault, MAX_NOTES};
use serde_json::Value;
use std::sync::Arc;

/// Characters of the target's own text that a detail quotes.
const MAX_EXCERPT: usize = 60;

/// What [`examine`] has seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// What is wrong with the bytes, in order of offset; offsets are absolute.
    pub defects: Vec<Defect>,
    /// The message; or why the bytes are no JSON text, in which case the defects say it too.
    pub message: Result<Message, NotJson>,
}

/// Reads one JSON text that starts at `offset` of its stream: a line of stdio, a body, an event.
///
/// A text that is not JSON has only the defects that explain why: what was odd before the break is not worth a word.
///
/// **Errors**: none; both outcomes are data.
pub fn examine(raw: &[u8], offset: u64) -> Examined {
    let mut defects = Defects {
        base: offset,
        list: Vec::new(),
    };
    let start = if raw.starts_with(BYTE_ORDER_MARK.as_bytes()) {
        defects.add(DefectKind::ByteOrderMark, 0, String::new());
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let message = read(raw, start, &mut defects);
    // Notes come by kind, and a duplicate only after its value; for a person the order is that of the bytes.
    defects.list.sort_by_key(|defect| defect.offset);
    Examined {
        defects: defects.list,
        message,
    }
}

/// Collects defects at their absolute offsets.
struct Defects {
    base: u64,
    list: Vec<Defect>,
}

impl Defects {
    fn add(&mut self, kind: DefectKind, at: usize, detail: String) {
        self.list.push(Defect {
            kind,
            offset: self.base + at as u64,
            detail,
        });
    }
}

fn read(raw: &[u8], start: usize, defects: &mut Defects) -> Result<Message, NotJson> {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let reason = format!("byte 0x{:02x} is no UTF-8", raw[at]);
            defects.add(DefectKind::InvalidUtf8, at, reason.clone());
            add_nul(raw, defects);
            return refusal(Cause::InvalidUtf8, at, reason);
        }
    };
    match parse(text, start) {
        Ok(parsed) => {
            for note in &parsed.notes {
                defects.add(note.kind, note.at, describe(text, *note));
            }
            Ok(classify(text, parsed, defects))
        }
        Err(fault) => refuse(text, start, fault, defects),
    }
}

fn refusal(cause: Cause, offset: usize, reason: String) -> Result<Message, NotJson> {
    Err(NotJson {
        cause,
        offset,
        reason,
    })
}

fn refuse(
    text: &str,
    start: usize,
    fault: Fault,
    defects: &mut Defects,
) -> Result<Message, NotJson> {
    let Some(expected) = fault.expected else {
        let reason = format!("more than {MAX_VALUES} values");
        defects.add(DefectKind::Oversized, fault.at, reason.clone());
        return refusal(Cause::TooManyValues, fault.at, reason);
    };
    let rest = &text[fault.at..];
    if rest.is_empty() && text[start..].bytes().all(|b| b" \t\r\n".contains(&b)) {
        defects.add(DefectKind::Blank, start, String::new());
        return refusal(Cause::Blank, fault.at, "only white space".to_owned());
    }
    let found = if rest.is_empty() {
        "the end of the text".to_owned()
    } else {
        format!("`{}`", excerpt(rest))
    };
    let reason = format!("expected {expected}, found {found}");
    let nul = add_nul(text.as_bytes(), defects);
    if nul != Some(fault.at) {
        defects.add(DefectKind::NotJson, fault.at, reason.clone());
    }
    refusal(Cause::Syntax, fault.at, reason)
}

/// Only bytes that are no JSON can hold a NUL, so only they are searched for one.
fn add_nul(raw: &[u8], defects: &mut Defects) -> Option<usize> {
    let at = memchr::memchr(0, raw)?;
    let detail = match memchr::memchr_iter(0, raw).count() {
        1 => String::new(),
        count => format!("the first of {count}"),
    };
    defects.add(DefectKind::Nul, at, detail);
    Some(at)
}

fn describe(text: &str, note: Note) -> String {
    let place = raw::pointer_to(text, note.at).unwrap_or_default();
    let place = match place.as_str() {
        "" => "at the top level".to_owned(),
        place => format!("at {}", excerpt(place)),
    };
    match note.kind {
        DefectKind::DuplicateKey => {
            let key = crate::scan::Scanner::new(text, note.at).string();
            let key = key.unwrap_or_default();
            format!("key `{}` again, {place}", excerpt(&key))
        }
        DefectKind::LoneSurrogate => format!("`{}` {place}", &text[note.at..note.at + 6]),
        DefectKind::NumberRange => {
            let number = crate::scan::Scanner::new(text, note.at).number();
            format!("`{}` {place}", excerpt(number.unwrap_or_default()))
        }
        DefectKind::TooDeep => format!("more than {MAX_DEPTH} levels, {place}"),
        _ => place,
    }
}

/// The first characters of a text.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn classify(text: &str, parsed: Parsed, defects: &mut Defects) -> Message {
    let Value::Array(values) = &parsed.value else {
        return single(text, parsed.value, parsed.root, None, defects);
    };
    // The value of the batch is the whole text; the items are copies, and batches are rare and small.
    let items = values.iter().cloned().zip(parsed.items).enumerate();
    let batch: Vec<Message> = items
        .map(|(index, (value, marks))| single(text, value, marks, Some(index), defects))
        .collect();
    let kind = if batch.is_empty() {
        let reason = Malformed::EmptyBatch;
        defects.add(
            DefectKind::NotJsonRpc,
            parsed.root.start,
            reason.reason().to_owned(),
        );
        Kind::Malformed(reason)
    } else {
        Kind::Batch
    };
    Message {
        kind,
        value: Arc::new(parsed.value),
        id: None,
        method: None,
        batch,
    }
}

/// Classifies one message, alone or an item of a batch.
fn single(
    text: &str,
    value: Value,
    marks: Marks,
    item: Option<usize>,
    defects: &mut Defects,
) -> Message {
    let kind = kind_of(&marks);
    let place = item.map_or_else(String::new, |index| format!("/{index}"));
    if let Kind::Malformed(reason) = kind {
        let detail = match item {
            Some(index) => format!("item {index} of the batch: {}", reason.reason()),
            None => reason.reason().to_owned(),
        };
        add_bounded(DefectKind::NotJsonRpc, marks.start, detail, defects);
    }
    for (span, member) in [(&marks.id, "id"), (&marks.code, "error/code")] {
        let Some(span) = span else { continue };
        let number = &text[span.clone()];
        let is_disguised = !raw::is_plain_integer(number)
            && Decimal::parse(number).is_some_and(|decimal| decimal.is_integer());
        if is_disguised {
            let detail = format!("`{}` at {place}/{member}", excerpt(number));
            add_bounded(DefectKind::NumberForm, span.start, detail, defects);
        }
    }
    Message {
        kind,
        value: Arc::new(value),
        id: marks.id.map(|span| RawId(text[span].to_owned())),
        method: match marks.method {
            Some(Method::Name(name)) => Some(name),
            Some(Method::NotString) | None => None,
        },
        batch: Vec::new(),
    }
}

/// A batch may repeat one mistake a million times; a few examples say as much.
fn add_bounded(kind: DefectKind, at: usize, detail: String, defects: &mut Defects) {
    let same = defects.list.iter().filter(|defect| defect.kind == kind);
    if same.count() < MAX_NOTES {
        defects.add(kind, at, detail);
    }
}

fn kind_of(marks: &Marks) -> Kind {
    let is_response = marks.has_result || marks.has_error;
    match &marks.method {
        _ if !marks.is_object => Kind::Malformed(Malformed::NotAnObject),
        None if !is_response => Kind::Malformed(Malformed::NoKnownMember),
        Some(_) if is_response => Kind::Malformed(Malformed::MethodAndResponse),
        None if marks.has_result && marks.has_error => Kind::Malformed(Malformed::ResultAndError),
        None if marks.has_result => Kind::Result,
        None => Kind::Error,
        Some(Method::NotString) => Kind::Malformed(Malformed::MethodNotString),
        Some(Method::Name(_)) if marks.id.is_some() => Kind::Request,
        Some(Method::Name(_)) => Kind::Notification,
    }
}
