//! What HTTP gave where a message is due, in words for a finding.

use crate::text;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Entry, Http, HttpPart, Record, Sent};
use mcp_assay_wire::http::{End, Head};

/// Characters of a body that are quoted.
const QUOTED: usize = 120;

/// What came over HTTP in place of the response to a sent message: `HTTP 400, Content-Type text/html and no JSON-RPC message; the body
/// begins <html>`, `the event stream ended after 2 events without the response`, `no HTTP response: connection reset`.
///
/// **Shape**: a fragment; `None` where there is nothing to tell: no exchange, or one that says nothing of the response (over HTTP+SSE,
/// where an accepted message is answered elsewhere).
pub fn http_instead(record: &Record, sent: &Sent) -> Option<String> {
    let connection = &record.entry(sent.seq)?.connection;
    let parts: Vec<&Entry> = record.exchange(connection, sent.exchange?).collect();
    let Some(at) = parts.iter().rposition(|entry| response(entry).is_some()) else {
        return Some(match end(&parts) {
            Some((_, End::Failed(why) | End::Cut(why))) => format!("no HTTP response: {why}"),
            Some((_, End::Closed)) => "no HTTP response before we closed it".to_owned(),
            Some((_, End::Complete)) | None => "no HTTP response".to_owned(),
        });
    };
    let (status, head) = response(parts[at])?;
    let is_accepted = (200..300).contains(&status);
    if record.binding == Binding::HttpSse && is_accepted {
        return None;
    }
    let after = &parts[at + 1..];
    if is_accepted && head.media_type().as_deref() == Some("text/event-stream") {
        return Some(stream(after));
    }
    let mut said = describe(status, head);
    match body(after) {
        Some(body) if body.message.is_some() => said.push_str(" and no response to this message"),
        Some(_) => said.push_str(" and no JSON-RPC message"),
        None => said.push_str(" and no body"),
    }
    if let Some(quoted) = quoted_body(after) {
        said.push_str(&format!("; the body begins {quoted}"));
    }
    if let Some((_, End::Cut(why) | End::Failed(why))) = end(after) {
        said.push_str(&format!("; the body was cut off: {why}"));
    }
    Some(said)
}

/// Whether the exchange of a sent message has ended, so that no response can come of it.
pub fn is_exchange_over(record: &Record, sent: &Sent) -> bool {
    let parts = record.entry(sent.seq).zip(sent.exchange);
    parts.is_some_and(|(entry, exchange)| {
        let parts: Vec<&Entry> = record.exchange(&entry.connection, exchange).collect();
        end(&parts).is_some()
    })
}

/// A response in a few words: `HTTP 200, Content-Type text/html`.
pub(crate) fn describe(status: u16, head: &Head) -> String {
    let mut said = match head.value("content-type") {
        Some(value) => format!("HTTP {status}, Content-Type {}", text::cut(&value)),
        None => format!("HTTP {status} without Content-Type"),
    };
    // We ask for none and undo none, so this explains a body that looks like noise.
    if let Some(value) = head.value("content-encoding") {
        said.push_str(&format!(", Content-Encoding {}", text::cut(&value)));
    }
    said
}

/// The beginning of a body among the parts of an exchange, on one line.
pub(crate) fn quoted_body(parts: &[&Entry]) -> Option<String> {
    let body = body(parts)?;
    // Pages of HTML are mostly white space.
    let head = &body.raw[..body.raw.len().min(8 * QUOTED)];
    let said = String::from_utf8_lossy(head);
    let words: Vec<&str> = said.split_whitespace().collect();
    let line = words.join(" ");
    let quoted: String = line.chars().take(QUOTED).collect();
    let more = quoted.len() < line.len() || body.length > head.len() as u64;
    let mark = if more { "…" } else { "" };
    (!quoted.is_empty()).then(|| format!("{quoted}{mark}"))
}

fn stream(parts: &[&Entry]) -> String {
    let is_event = |entry: &&&Entry| {
        entry.part_of.is_none()
            && matches!(part(entry), Some(HttpPart::Event { has_data: true, .. }))
    };
    let events = match parts.iter().filter(is_event).count() {
        0 => "without an event".to_owned(),
        1 => "after 1 event".to_owned(),
        count => format!("after {count} events"),
    };
    match end(parts) {
        None => format!("the event stream is still open {events}, without the response"),
        Some((_, End::Complete)) => {
            format!("the event stream ended {events}, without the response")
        }
        Some((_, End::Closed)) => {
            format!("the event stream was closed by us {events}, without the response")
        }
        Some((_, End::Cut(why) | End::Failed(why))) => {
            format!("the event stream broke off {events}, without the response: {why}")
        }
    }
}

fn body<'r>(parts: &[&'r Entry]) -> Option<&'r Entry> {
    let is_body =
        |entry: &&&Entry| matches!(part(entry), Some(HttpPart::Body)) && entry.part_of.is_none();
    parts.iter().find(is_body).copied()
}

fn end<'r>(parts: &[&'r Entry]) -> Option<(u64, &'r End)> {
    parts.iter().rev().find_map(|entry| match part(entry) {
        Some(HttpPart::End(end)) => Some((entry.seq, end)),
        _ => None,
    })
}

fn part(entry: &Entry) -> Option<&HttpPart> {
    entry.http.as_ref().map(|http| &http.part)
}

/// Status and head, where an entry is the head of a response.
pub(crate) fn response(entry: &Entry) -> Option<(u16, &Head)> {
    match &entry.http {
        Some(Http {
            part: HttpPart::Response { status, head, .. },
            ..
        }) => Some((*status, head)),
        _ => None,
    }
}

/// How an exchange ended, where it says so.
pub(crate) fn end_of<'r>(record: &'r Record, sent: &Sent) -> Option<&'r End> {
    let connection = &record.entry(sent.seq)?.connection;
    let parts: Vec<&Entry> = record.exchange(connection, sent.exchange?).collect();
    end(&parts).map(|(_, end)| end)
}

#[cfg(test)]
mod tests;
