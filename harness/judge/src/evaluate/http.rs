//! HTTP facts: status, header fields and media type of the exchange that a label names.

use super::{Judge, label};
use crate::instead::{describe, end_of, quoted_body, response};
use crate::judgement::{Judgement, Stop};
use crate::{select, text};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Bound, Entry, Missing, Record, Sent};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::Reason;
use mcp_assay_wire::http::{End as BodyEnd, Head};
use serde_json::Value;

/// What a card accepts of a response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'e> {
    /// Statuses, `404` or `2xx`; any where empty.
    pub status: &'e [String],
    /// Values as JSON Schema; `None`: must be absent.
    pub headers: &'e [(String, Option<Template>)],
    /// Media type.
    pub content_type: Option<&'e str>,
}

impl Judge<'_, '_> {
    /// Judges the last response of the exchange. A wrong status is told alone: what else is wrong with an error page is no second cause.
    pub(super) fn http(&mut self, on: Option<&str>, wanted: Wanted<'_>) -> Result<Judgement, Stop> {
        match self.record.binding {
            Binding::Http | Binding::HttpSse => {}
            Binding::Stdio | Binding::Memory => return Ok(Judgement::unjudged(Reason::Binding)),
        }
        let heads = heads(self.record, label(on)?)?;
        let mut findings = Vec::new();
        for entry in &heads {
            let (status, head) = response(entry).expect("only heads are selected");
            if let Some(finding) = other_status(self.record, entry, status, head, wanted.status) {
                findings.push(finding);
                continue;
            }
            findings.extend(
                wanted
                    .content_type
                    .and_then(|due| other_content_type(entry, status, head, due)),
            );
            for (name, schema) in wanted.headers {
                findings.extend(self.header(entry, head, name, schema.as_ref())?);
            }
        }
        Ok(Judgement::of(findings, heads.len() as u64))
    }

    fn header(
        &mut self,
        entry: &Entry,
        head: &Head,
        name: &str,
        schema: Option<&Template>,
    ) -> Result<Vec<Finding>, Stop> {
        let values: Vec<_> = head
            .values(name)
            .map(|value| String::from_utf8_lossy(value))
            .collect();
        let value = (!values.is_empty()).then(|| values.join(", "));
        let finding = |message: String| {
            let finding = Finding::new(FindingCode::Header, message).at(entry.seq, "");
            finding.actual(match &value {
                Some(value) => format!("{name}: {value}"),
                None => format!("no header `{name}`"),
            })
        };
        let Some(schema) = schema else {
            let wrong = value.as_ref().map(|value| {
                finding(format!(
                    "the header `{name}` is there, with {}",
                    text::cut(value)
                ))
                .expected(format!("no header `{name}`"))
            });
            return Ok(wrong.into_iter().collect());
        };
        let schema = self.render(schema)?;
        let Some(value) = &value else {
            let missing = finding(format!("the header `{name}` is missing"));
            return Ok(vec![missing.expected(format!(
                "the header `{name}`, with a value that fits {schema}"
            ))]);
        };
        let violations = self
            .schemas
            .judge_inline(&schema, &Value::String(value.clone()), None)
            .map_err(|error| Stop::broken(error.to_string()))?;
        let wrong = violations.into_iter().map(|violation| {
            finding(format!("of the header `{name}`, {}", violation.message))
                .expected(violation.expected)
        });
        Ok(wrong.collect())
    }
}

/// The heads of responses that a label names: one, or one for each exchange that a native step had.
///
/// **Errors**: why there is none.
fn heads<'r>(record: &'r Record, label: &str) -> Result<Vec<&'r Entry>, Stop> {
    let why = match select::bound(record, label)? {
        Bound::Sent(sent) => match record.response_head(sent) {
            Some(head) => return Ok(vec![head]),
            None => missing(record, sent),
        },
        Bound::Arrived(seq) => match record.entry(*seq).and_then(|entry| head_of(record, entry)) {
            Some(head) => return Ok(vec![head]),
            None => select::missing_at(&record.end),
        },
        // That the awaited message did not come says nothing yet of the response that should have held it.
        Bound::Missing { why, reply_to } => {
            let sent = reply_to
                .as_deref()
                .and_then(|label| match record.labels.get(label)? {
                    Bound::Sent(sent) => Some(sent),
                    _ => None,
                });
            match sent.and_then(|sent| record.response_head(sent)) {
                Some(head) => return Ok(vec![head]),
                None => *why,
            }
        }
        Bound::Native(native) => {
            let entries = native.seqs.iter().filter_map(|&seq| record.entry(seq));
            let mut heads: Vec<&Entry> =
                entries.filter_map(|entry| head_of(record, entry)).collect();
            heads.sort_unstable_by_key(|head| head.seq);
            heads.dedup_by_key(|head| head.seq);
            if !heads.is_empty() {
                return Ok(heads);
            }
            native
                .missing
                .unwrap_or_else(|| select::missing_at(&record.end))
        }
        Bound::Window(_) | Bound::Exit(_) => {
            return Err(Stop::broken(format!(
                "label `{label}` names no HTTP exchange"
            )));
        }
    };
    Err(Stop::missing(label, why))
}

/// Why no head came. An exchange that broke off is settled, however the conversation went on.
fn missing(record: &Record, sent: &Sent) -> Missing {
    let by_end = || match (end_of(record, sent), select::missing_at(&record.end)) {
        (Some(BodyEnd::Failed(_) | BodyEnd::Cut(_)), Missing::Unfenced) => Missing::Silent,
        (_, why) => why,
    };
    sent.missing.unwrap_or_else(by_end)
}

/// The head of the last response in the exchange that an entry belongs to; the items of a batch belong to that of the batch.
fn head_of<'r>(record: &'r Record, entry: &'r Entry) -> Option<&'r Entry> {
    let http = match (&entry.http, entry.part_of) {
        (Some(http), _) => http,
        (None, Some(batch)) => record.entry(batch)?.http.as_ref()?,
        (None, None) => return None,
    };
    let parts = record.exchange(&entry.connection, http.exchange);
    parts.filter(|part| response(part).is_some()).last()
}

fn other_status(
    record: &Record,
    entry: &Entry,
    status: u16,
    head: &Head,
    wanted: &[String],
) -> Option<Finding> {
    let fits = |wanted: &String| match wanted.strip_suffix("xx") {
        Some(class) => class.parse() == Ok(status / 100),
        None => wanted.parse() == Ok(status),
    };
    if wanted.is_empty() || wanted.iter().any(fits) {
        return None;
    }
    let due = format!("HTTP {}", wanted.join(" or "));
    let mut actual = describe(status, head);
    if let Some(http) = &entry.http {
        let parts: Vec<&Entry> = record
            .exchange(&entry.connection, http.exchange)
            .filter(|part| part.seq > entry.seq)
            .collect();
        if let Some(body) = quoted_body(&parts) {
            actual = format!("{actual}; the body begins {body}");
        }
    }
    let message = format!("HTTP {status} came where {due} is due");
    let finding = Finding::new(FindingCode::Status, message).expected(due);
    Some(finding.actual(actual).at(entry.seq, ""))
}

fn other_content_type(entry: &Entry, status: u16, head: &Head, due: &str) -> Option<Finding> {
    let essence = due.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let came = head.media_type();
    if came.as_ref() == Some(&essence) {
        return None;
    }
    let message = match came {
        Some(came) => format!(
            "the Content-Type is {}, where {essence} is due",
            text::cut(&came)
        ),
        None => format!("there is no Content-Type, where {essence} is due"),
    };
    let finding = Finding::new(FindingCode::ContentType, message);
    let finding = finding.expected(format!("Content-Type {essence}"));
    Some(finding.actual(describe(status, head)).at(entry.seq, ""))
}

#[cfg(test)]
mod tests;
