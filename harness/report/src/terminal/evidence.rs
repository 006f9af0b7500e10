//! The part of the conversation that shows a failure, so that a stranger can check it without our tool.

mod exchange;

use super::page::{Page, Tone};
use crate::text::{columns, cut, offset_us, visible, visible_bytes, wrap};
use crate::transcript::position;
use mcp_assay_model::finding::Finding;
use mcp_assay_model::record::{Channel, Direction};
use mcp_assay_model::result::TranscriptEntry;
use serde_json::Value;

/// Entries shown before the first position, where the question usually is.
const BEFORE: usize = 3;
/// Entries shown after it.
const AFTER: usize = 1;
/// Entries shown where no position is known: the last ones.
const LAST: usize = 6;
/// Positions shown of one result.
const POSITIONS: usize = 3;
/// Lines of the entry that a finding points at, and of what it answers; the others get one.
const LINES: usize = 4;
/// Columns from which on a line has room for the headers that matter.
const WIDE: usize = 110;

/// `#12 ← /result/nextCursor`, with the direction if the transcript knows it.
pub(super) fn place(at: &str, transcript: &[TranscriptEntry]) -> String {
    let Some((seq, pointer)) = position(at) else {
        return at.to_owned();
    };
    let entry = transcript.iter().find(|entry| entry.seq == seq);
    let words = [
        Some(format!("#{seq}")),
        entry.map(|entry| arrow(entry.dir).to_owned()),
        Some(pointer.to_owned()),
    ];
    let words: Vec<String> = words
        .into_iter()
        .flatten()
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Sent => "→",
        Direction::Received => "←",
    }
}

/// Writes the entries around the findings' positions.
pub(super) fn write(page: &mut Page, transcript: &[TranscriptEntry], findings: &[Finding]) {
    let Some(last) = transcript.last() else {
        let pointed = findings.iter().any(|finding| finding.at.is_some());
        if pointed {
            page.field(
                "evidence",
                "not kept here; the jsonl record has every conversation whole",
                2,
            );
        }
        return;
    };
    let positions: Vec<u64> = findings
        .iter()
        .filter_map(|finding| Some(position(finding.at.as_deref()?)?.0))
        .filter(|seq| transcript.iter().any(|entry| entry.seq == *seq))
        .take(POSITIONS)
        .collect();
    let chosen = choose(transcript, &positions, findings);
    let asked: Vec<usize> = positions
        .iter()
        .filter_map(|seq| transcript.iter().position(|entry| entry.seq == *seq))
        .filter_map(|at| question(transcript, at))
        .collect();
    page.field(
        "evidence",
        "→ sent, ← received, > what the finding points at",
        2,
    );
    let mut before = 1;
    let is_mixed = exchange::interleave(chosen.iter().map(|index| &transcript[*index]));
    for index in &chosen {
        let entry = &transcript[*index];
        skipped(page, entry.seq.saturating_sub(before));
        let is_marked = positions.contains(&entry.seq);
        let lines = if is_marked || asked.contains(index) {
            LINES
        } else {
            1
        };
        entry_lines(page, entry, (is_marked, lines), is_mixed);
        for told in exchange::told(transcript, *index) {
            page.line(&[(Tone::Dim, &format!("{:22}{}", "", visible(&told)))]);
        }
        before = entry.seq + 1;
    }
    skipped(page, (last.seq + 1).saturating_sub(before));
}

/// Indices of the entries to show, in order.
fn choose(transcript: &[TranscriptEntry], positions: &[u64], findings: &[Finding]) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::new();
    if positions.is_empty() {
        chosen.extend(transcript.len().saturating_sub(LAST)..transcript.len());
    }
    for (n, seq) in positions.iter().enumerate() {
        let Some(at) = transcript.iter().position(|entry| entry.seq == *seq) else {
            continue;
        };
        let (before, after) = if n == 0 { (BEFORE, AFTER) } else { (0, 0) };
        chosen.extend(at.saturating_sub(before)..(at + after + 1).min(transcript.len()));
        chosen.extend(question(transcript, at));
        chosen.extend(request(transcript, at));
        chosen.extend(exchange::beside(transcript, at));
    }
    let named = findings
        .iter()
        .flat_map(|finding| named(&finding.message).take(POSITIONS));
    chosen.extend(named.filter_map(|seq| transcript.iter().position(|entry| entry.seq == seq)));
    chosen.sort_unstable();
    chosen.dedup();
    // A gap of one entry takes the line that the entry itself would.
    let lonely = |index: &usize| {
        let shown =
            |index: Option<usize>| index.is_none_or(|index| chosen.binary_search(&index).is_ok());
        let next = (index + 1 < transcript.len()).then_some(index + 1);
        !chosen.is_empty() && shown(index.checked_sub(1)) && shown(next)
    };
    (0..transcript.len())
        .filter(|index| chosen.binary_search(index).is_ok() || lonely(index))
        .collect()
}

/// The positions that a message names: `#12 and #17`.
fn named(message: &str) -> impl Iterator<Item = u64> {
    message.split('#').skip(1).filter_map(|rest| {
        let end = rest.find(|one: char| !one.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().ok()
    })
}

/// The nearest earlier message the other way with the same id: the request that a response answers, wherever it came.
fn question(transcript: &[TranscriptEntry], at: usize) -> Option<usize> {
    let id = |entry: &TranscriptEntry| entry.message.as_ref()?.get("id").cloned();
    let answer = &transcript[at];
    let wanted = id(answer).filter(|id| *id != Value::Null)?;
    let same =
        |entry: &TranscriptEntry| entry.dir != answer.dir && id(entry).as_ref() == Some(&wanted);
    transcript[..at].iter().rposition(same)
}

/// The request of the exchange that an entry came in, which need not be the one that it answers.
fn request(transcript: &[TranscriptEntry], at: usize) -> Option<usize> {
    let answer = &transcript[at];
    let number = exchange::number(answer)?;
    let asked = |entry: &TranscriptEntry| {
        entry.connection == answer.connection
            && entry.dir == Direction::Sent
            && exchange::number(entry) == Some(number)
    };
    transcript[..at].iter().rposition(asked)
}

fn skipped(page: &mut Page, entries: u64) {
    match entries {
        0 => {}
        1 => page.line(&[(Tone::Dim, "        ⋮ 1 entry")]),
        n => page.line(&[(Tone::Dim, &format!("        ⋮ {n} entries"))]),
    }
}

fn entry_lines(
    page: &mut Page,
    entry: &TranscriptEntry,
    (is_marked, most): (bool, usize),
    is_mixed: bool,
) {
    let seq = format!("#{}", entry.seq);
    let mark = if is_marked { ">" } else { " " };
    let head = format!(
        "  {mark} {seq:>5} {} {}  ",
        arrow(entry.dir),
        offset_us(entry.at_us)
    );
    let room = page.width().saturating_sub(columns(&head)).max(20);
    let mut text = shown(entry, is_marked || room >= WIDE);
    if let Some(number) = exchange::number(entry).filter(|_| is_mixed) {
        text = format!("[{number}] {text}");
    }
    let lines = match most {
        1 => vec![cut(&text, room).into_owned()],
        _ => wrap(&cut(&text, room * most), room),
    };
    let tone = if is_marked { Tone::Strong } else { Tone::Dim };
    let pad = " ".repeat(columns(&head));
    for (n, line) in lines.iter().enumerate() {
        let before = if n == 0 { &head } else { &pad };
        page.line(&[(tone, before), (Tone::Plain, line)]);
    }
}

/// What crossed the wire, on one line: where it went if not to the usual stream, its part in an HTTP exchange, and the message or its bytes.
fn shown(entry: &TranscriptEntry, is_wide: bool) -> String {
    let mut text = match (entry.channel, &entry.http) {
        (_, Some(http)) => visible(&exchange::said(http, is_wide)).into_owned(),
        (Channel::Stdin | Channel::Stdout | Channel::Memory, None) => String::new(),
        (Channel::Stderr, None) => "stderr:".to_owned(),
        (Channel::Http, None) => "http:".to_owned(),
        (Channel::Sse, None) => "sse:".to_owned(),
    };
    // Of what we sent the spelling may be the point.
    let is_spelled = entry.dir == Direction::Sent && entry.raw.is_some();
    let message = entry.message.as_ref().filter(|_| !is_spelled);
    let bytes = match (message, entry.bytes(), &entry.http) {
        (Some(message), _, _) => visible(&message.to_string()).into_owned(),
        (None, Some(bytes), _) => {
            // White space at the end is what a reader cannot see.
            let shown = visible_bytes(&bytes);
            let kept = shown.trim_end_matches(' ');
            format!("{kept}{}", "\\u0020".repeat(shown.len() - kept.len()))
        }
        (None, None, Some(http)) => exchange::empty(http).to_owned(),
        (None, None, None) => "(empty)".to_owned(),
    };
    if !text.is_empty() && !bytes.is_empty() {
        text.push(' ');
    }
    text.push_str(&bytes);
    if entry.truncated {
        text.push_str(" …and more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_assay_model::finding::FindingCode;
    use mcp_assay_model::result::HttpFacts;

    fn entry(seq: u64, dir: Direction, http: Option<HttpFacts>) -> TranscriptEntry {
        TranscriptEntry {
            seq,
            at_us: 0,
            dir,
            connection: "c".to_owned(),
            channel: Channel::Http,
            http,
            message: None,
            raw: None,
            raw_b64: None,
            truncated: false,
            length: None,
            line_end: None,
            defects: Vec::new(),
            answers: None,
            part_of: None,
        }
    }

    #[test]
    fn what_the_finding_names_and_what_ended_a_session_is_shown_however_far_back() {
        let asked = |seq, method: &str| {
            let request = HttpFacts::Request {
                exchange: seq,
                method: method.to_owned(),
                target: "/mcp".to_owned(),
                headers: Vec::new(),
            };
            entry(seq, Direction::Sent, Some(request))
        };
        let answered = |seq, exchange| {
            let head = HttpFacts::Response {
                exchange,
                status: 200,
                headers: Vec::new(),
                socket: 1,
            };
            entry(seq, Direction::Received, Some(head))
        };
        let mut transcript: Vec<TranscriptEntry> = (1..=30).map(|seq| asked(seq, "POST")).collect();
        transcript[7] = asked(8, "DELETE");
        transcript[9] = answered(10, 8);
        let finding =
            Finding::new(FindingCode::Status, "two events, #3 and #30, have it").at(30, "");
        let shown: Vec<usize> = choose(&transcript, &[30], std::slice::from_ref(&finding))
            .into_iter()
            .map(|index| index + 1)
            .collect();
        // The entry between two that are shown takes the line of its gap.
        assert_eq!(shown, [3, 8, 9, 10, 27, 28, 29, 30]);
    }
}
