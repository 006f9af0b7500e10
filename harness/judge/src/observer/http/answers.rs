//! Status and type of answers to a POST, and the session ids that they give.

use super::exchange::Input;
use super::{Connection, NOTIFICATION_202, RESPONSE_CONTENT_TYPE, SESSION_ID_VISIBLE, Sightings};
use crate::instead::{describe, quoted_body};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::Entry;
use mcp_assay_wire::http::Head;

impl Connection {
    /// A head came.
    pub(super) fn answer(
        &mut self,
        number: u64,
        status: u16,
        head: &Head,
        entry: &Entry,
        sightings: &mut Sightings,
    ) {
        let Some(exchange) = self.exchanges.get_mut(&number) else {
            return;
        };
        // `100 Continue` and its like announce another head.
        if status < 200 {
            return;
        }
        // These two keep method and body; after another redirect the answer is one to something else.
        exchange.is_redirected |= (300..400).contains(&status) && !matches!(status, 307 | 308);
        exchange.status = Some(status);
        session_id(exchange.sent_session.as_deref(), head, entry, sightings);
        if exchange.session.is_empty()
            && let Some(session) = head.value("mcp-session-id")
        {
            exchange.session = session;
        }
        if !(200..300).contains(&status) || exchange.is_redirected {
            return;
        }
        if head.media_type().as_deref() == Some("text/event-stream") {
            exchange.opened = Some(entry.seq);
            self.open.insert(number);
        }
        let exchange = &self.exchanges[&number];
        match &exchange.input {
            Input::Requests(_) if !self.is_cancelled(exchange) => {
                content_type(&exchange.method, status, head, entry, sightings);
            }
            Input::Unanswered => {
                sightings.judge(NOTIFICATION_202);
                if status != 202 {
                    let message =
                        format!("a message without an answer was accepted with HTTP {status}");
                    let finding = Finding::new(FindingCode::Status, message)
                        .expected("HTTP 202 without a body, or an HTTP error")
                        .actual(describe(status, head))
                        .at(entry.seq, "");
                    sightings.find(NOTIFICATION_202, &exchange.method, "", finding);
                }
            }
            Input::Requests(_) | Input::Other => {}
        }
    }

    /// A body came.
    pub(super) fn body(&mut self, number: u64, entry: &Entry, sightings: &mut Sightings) {
        let Some(exchange) = self.exchanges.get(&number) else {
            return;
        };
        let is_due = matches!(exchange.input, Input::Unanswered) && !exchange.is_redirected;
        // A body under another status is that answer's matter, and told there.
        if !is_due || exchange.status != Some(202) || entry.length == 0 || entry.part_of.is_some() {
            return;
        }
        let quoted = quoted_body(&[entry]).unwrap_or_else(|| "white space".to_owned());
        let message = format!("HTTP 202 came with a body: {quoted}");
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected("HTTP 202 without a body")
            .actual(String::from_utf8_lossy(&entry.raw))
            .at(entry.seq, "");
        sightings.find(NOTIFICATION_202, &exchange.method, "body", finding);
    }
}

/// Judges the type of a successful answer to a lawful request.
pub(super) fn content_type(
    method: &str,
    status: u16,
    head: &Head,
    entry: &Entry,
    sightings: &mut Sightings,
) {
    // Of a notification with an id a server may go by the name.
    if method.starts_with("notifications/") {
        return;
    }
    sightings.judge(RESPONSE_CONTENT_TYPE);
    let came = head.media_type();
    if matches!(
        came.as_deref(),
        Some("text/event-stream" | "application/json")
    ) {
        return;
    }
    let message = match came {
        Some(came) => format!("a request was answered with {}", text::cut(&came)),
        None => format!("a request was answered with HTTP {status} and no Content-Type"),
    };
    let finding = Finding::new(FindingCode::ContentType, message)
        .expected("Content-Type text/event-stream or application/json")
        .actual(describe(status, head))
        .at(entry.seq, "");
    sightings.find(RESPONSE_CONTENT_TYPE, method, "", finding);
}

/// What a server gives itself is judged, not what it gives back.
fn session_id(sent: Option<&str>, head: &Head, entry: &Entry, sightings: &mut Sightings) {
    for value in head.values("mcp-session-id") {
        let shown = String::from_utf8_lossy(value);
        if value.is_empty() || sent == Some(&*shown) {
            continue;
        }
        sightings.judge(SESSION_ID_VISIBLE);
        let wrong = value.iter().find(|byte| !(0x21..=0x7e).contains(*byte));
        if let Some(byte) = wrong {
            let message = format!(
                "the session id has the byte 0x{byte:02X}: {}",
                text::cut(&shown)
            );
            let finding = Finding::new(FindingCode::Header, message)
                .expected("bytes from 0x21 to 0x7E only")
                .actual(shown)
                .at(entry.seq, "");
            sightings.find(SESSION_ID_VISIBLE, "", "", finding);
        }
    }
}
