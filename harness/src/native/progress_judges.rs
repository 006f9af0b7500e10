//! Judges of progress notifications, by what was sent.

use super::http_judges::OfSent;
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Direction, Entry, HttpPart, Record, Sent};
use mcp_assay_model::verdict::Reason;
use mcp_assay_wire::raw;

/// Where a request gives its token, and where progress repeats it.
const GIVEN: &str = "/params/_meta/progressToken";
const REPEATED: &str = "/params/progressToken";

/// The judge of this name.
pub(super) fn of_sent(name: &str) -> Option<OfSent> {
    match name {
        "no-progress" => Some(no_progress),
        "own-progress-stream" => Some(own_progress_stream),
        _ => None,
    }
}

/// Progress notifications after a position.
fn progress_after(record: &Record, seq: u64) -> impl Iterator<Item = &Entry> {
    record.entries.iter().filter(move |entry| {
        let method = entry
            .message
            .as_ref()
            .and_then(|message| message.method.as_deref());
        entry.direction == Direction::Received
            && entry.seq > seq
            && method == Some("notifications/progress")
    })
}

fn text_at<'e>(entry: &'e Entry, at: &str) -> Option<&'e str> {
    raw::at(std::str::from_utf8(&entry.raw).ok()?, at)
}

/// Nothing reports progress.
fn no_progress(sent: &Sent, record: &Record) -> Judgement {
    if sent.replies.is_empty() {
        return Judgement::unjudged(Reason::Given);
    }
    let mut came = progress_after(record, sent.seq);
    let Some(first) = came.next() else {
        return Judgement::pass(1);
    };
    let mut finding = Finding::new(
        FindingCode::UnexpectedMessage,
        "progress was reported, and no request had asked for it",
    )
    .expected("no `notifications/progress`")
    .actual(
        text_at(first, REPEATED).map_or("progress without a token".to_owned(), |token| {
            format!("progress of the token {token}")
        }),
    )
    .at(first.seq, REPEATED);
    finding.count += came.count() as u64;
    Judgement::fail(vec![finding], 1)
}

/// Progress comes on the stream of its request. What is answered by one JSON text has no stream to bring it on.
fn own_progress_stream(sent: &Sent, record: &Record) -> Judgement {
    let (Some(exchange), Some(asked)) = (sent.exchange, record.entry(sent.seq)) else {
        return Judgement::unjudged(Reason::Binding);
    };
    let is_stream = record.exchange(&asked.connection, exchange).any(|entry| {
        matches!(entry.http.as_ref().map(|http| &http.part), Some(HttpPart::Response { head, .. })
            if head.media_type().as_deref() == Some("text/event-stream"))
    });
    let Some(token) = text_at(asked, GIVEN).filter(|_| is_stream) else {
        return Judgement::unjudged(Reason::Given);
    };
    let own: Vec<&Entry> = progress_after(record, sent.seq)
        .filter(|entry| entry.connection == asked.connection)
        .filter(|entry| text_at(entry, REPEATED) == Some(token))
        .collect();
    let is_elsewhere = |entry: &&&Entry| {
        let number = entry.http.as_ref().map(|http| http.exchange);
        number != Some(exchange) && !number.is_some_and(|number| resumes(record, entry, number))
    };
    let mut elsewhere = own.iter().filter(is_elsewhere);
    let findings = elsewhere.next().map(|first| {
        let mut finding = Finding::new(
            FindingCode::Order,
            "progress came on another stream than that of its request",
        )
        .expected("progress on the event stream of the POST that asked for it")
        .actual("progress on another stream")
        .at(first.seq, "");
        finding.count += elsewhere.count() as u64;
        finding
    });
    if own.is_empty() {
        return Judgement::unjudged(Reason::Given);
    }
    Judgement::of(findings.into_iter().collect(), own.len() as u64)
}

/// Whether an exchange takes up a stream that was cut.
fn resumes(record: &Record, entry: &Entry, number: u64) -> bool {
    record.exchange(&entry.connection, number).any(|entry| {
        matches!(entry.http.as_ref().map(|http| &http.part), Some(HttpPart::Request { head, .. })
            if head.value("last-event-id").is_some())
    })
}
