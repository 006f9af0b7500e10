//! What holds for the bytes of an event stream and its events.

use super::hold;
use mcp_assay_wire::sse::{Event, Parser};
use mcp_assay_wire::stdio::{DefectKind, Limits};

/// Everything that must hold for an event stream, however it is cut: the whole check of the fuzz target.
///
/// **Shape**: bounds and cuts are drawn from the bytes themselves, so that a seed is nothing but a stream.
pub fn sse_events(bytes: &[u8]) -> Result<(), String> {
    let roomy = Limits::default();
    let checksum = bytes
        .iter()
        .fold(7_usize, |sum, &b| sum.wrapping_mul(31) + usize::from(b));
    let tight = Limits {
        max_frame: checksum % 64,
        kept_of_oversized: checksum / 64 % 64,
    };
    event_meaning(bytes)?;
    event_bounds(bytes, tight)?;
    for limits in [roomy, tight] {
        event_places(bytes, limits)?;
        for stride in [1, 2 + checksum % 61] {
            let cuts: Vec<usize> = (0..bytes.len()).step_by(stride).collect();
            event_splits(bytes, &cuts, limits)?;
        }
    }
    Ok(())
}

/// The same bytes cut at the given offsets give the same events, each at the byte that ends it, by either way of taking them.
pub fn event_splits(bytes: &[u8], cuts: &[usize], limits: Limits) -> Result<(), String> {
    let (whole, last_event_id) = events(bytes, limits);
    let mut parser = Parser::new(limits);
    let mut pieces = Vec::new();
    let mut start = 0;
    for &end in cuts.iter().chain([&bytes.len()]) {
        let piece = &bytes[start..end];
        if start % 2 == 0 {
            pieces.extend(parser.push(piece));
        } else {
            let mut rest = piece;
            pieces.extend(std::iter::from_fn(|| parser.next_event(&mut rest)));
            hold!(rest.is_empty(), "{} bytes were left", rest.len());
        }
        let ended =
            |event: &&Event| event.is_terminated && event.offset + event.length <= end as u64;
        let due = whole.iter().filter(ended).count();
        hold!(
            pieces.len() == due,
            "{} events at byte {end}, where {due} have ended",
            pieces.len()
        );
        start = end;
    }
    pieces.extend(parser.finish());
    hold!(
        whole == pieces,
        "cut at {cuts:?} the events differ:\n{whole:#?}\n{pieces:#?}"
    );
    hold!(
        parser.last_event_id() == last_event_id,
        "cut at {cuts:?} the last event id differs"
    );
    Ok(())
}

/// The events lie in the stream one after the other, with nothing but line ends (and a byte-order mark) between them, and their defects in
/// them.
pub fn event_places(bytes: &[u8], limits: Limits) -> Result<(), String> {
    let (events, _) = events(bytes, limits);
    let has_mark = bytes.starts_with("\u{feff}".as_bytes());
    let mut place = if has_mark { 3 } else { 0 };
    for (index, event) in events.iter().enumerate() {
        let start = event.offset as usize;
        let end = start + event.length as usize;
        let gap = bytes.get(place..start);
        hold!(
            gap.is_some_and(is_blank),
            "event {index} begins at {start}, where {place} is due"
        );
        let content = bytes
            .get(start..end)
            .ok_or("an event is longer than the stream")?;
        hold!(
            !content.is_empty() && !is_blank(&content[..1]),
            "event {index} begins with an empty line"
        );
        let is_ended = ends_with_empty_line(content);
        hold!(
            event.is_terminated == is_ended,
            "event {index} ends otherwise"
        );
        hold!(
            is_ended || index + 1 == events.len(),
            "event {index} is cut off, and another follows"
        );
        let is_long = content.len() > limits.max_frame;
        let kept = limits.kept_of_oversized.min(limits.max_frame);
        let kept = if is_long { &content[..kept] } else { content };
        hold!(event.raw == kept, "event {index} keeps other bytes");
        hold!(
            event.has(DefectKind::Oversized) == is_long,
            "event {index}: the bound"
        );
        content_of(event, content)
            .map_err(|error| format!("event {index}: {error}: {event:#?}"))?;
        place = end;
    }
    hold!(
        is_blank(&bytes[place.min(bytes.len())..]),
        "bytes after {place} are in no event"
    );
    Ok(())
}

/// Data, names and defects of one event are in it and bounded by it.
fn content_of(event: &Event, content: &[u8]) -> Result<(), String> {
    if let Some(data) = &event.data {
        let lines = data.split(|byte| *byte == b'\n');
        hold!(
            lines.clone().all(|line| !line.contains(&b'\r')),
            "a line end in the data"
        );
        let at = (event.data_offset - event.offset) as usize;
        let first = lines.clone().next().unwrap_or_default();
        hold!(
            content
                .get(at..)
                .is_some_and(|rest| rest.starts_with(first)),
            "the data is not at {at}"
        );
        // Each line of data has its field name besides.
        let least = data.len() + 4 * lines.count();
        hold!(least <= content.len(), "more data than bytes");
    } else {
        hold!(event.data_offset == 0, "a place, but no data");
    }
    hold!(event.unknown_fields.len() <= 64, "too many unknown fields");
    hold!(
        event.comments as usize <= content.len(),
        "more comments than bytes"
    );
    let mut last = event.offset;
    for defect in &event.defects {
        hold!(
            (last..=event.offset + event.length).contains(&defect.offset),
            "{:?} is out of place",
            defect.kind
        );
        hold!(
            defect.detail.len() < 1024,
            "{:?} has a long detail",
            defect.kind
        );
        last = defect.offset;
    }
    hold!(event.defects.len() <= 17, "{} defects", event.defects.len());
    Ok(())
}

/// A bound changes only what is kept of the events beyond it: not where events are, and nothing of the others.
pub fn event_bounds(bytes: &[u8], limits: Limits) -> Result<(), String> {
    let (all, _) = events(bytes, Limits::default());
    let (bounded, _) = events(bytes, limits);
    hold!(
        all.len() == bounded.len(),
        "{} events, with a bound {}",
        all.len(),
        bounded.len()
    );
    for (whole, bounded) in all.iter().zip(&bounded) {
        if whole.length <= limits.max_frame as u64 {
            hold!(
                whole == bounded,
                "the bound changed\n{whole:#?}\n{bounded:#?}"
            );
            continue;
        }
        hold!(
            (whole.offset, whole.length, whole.is_terminated)
                == (bounded.offset, bounded.length, bounded.is_terminated),
            "the bound moved\n{whole:#?}\n{bounded:#?}"
        );
        hold!(bounded.data.is_none(), "data beyond the bound");
        // Where no line alone was beyond the bound, all fields count.
        let content = &bytes[whole.offset as usize..(whole.offset + whole.length) as usize];
        let mut lines = content.split(|byte| is_end(*byte));
        if lines.all(|line| line.len() <= limits.max_frame) {
            let rest = |event: &Event| {
                let (name, id) = (event.name.clone(), event.id.clone());
                (
                    name,
                    id,
                    event.retry,
                    event.comments,
                    event.unknown_fields.clone(),
                )
            };
            hold!(
                rest(whole) == rest(bounded),
                "the bound lost a field\n{whole:#?}\n{bounded:#?}"
            );
        }
    }
    Ok(())
}

/// The events say what a naive reader makes of the stream, which follows the words of the standard step by step.
pub fn event_meaning(bytes: &[u8]) -> Result<(), String> {
    let mut parser = Parser::new(Limits::default());
    let mut rest = bytes;
    let mut read = Vec::new();
    while let Some(event) = parser.next_event(&mut rest) {
        let lossy = |data: &[u8]| String::from_utf8_lossy(data).into_owned();
        let data = event.data.as_deref().map(lossy);
        let has_bad_bytes = event.has(DefectKind::InvalidUtf8);
        let bad_bytes = std::str::from_utf8(&event.raw).is_err();
        hold!(
            has_bad_bytes == bad_bytes,
            "UTF-8 is judged otherwise: {event:#?}"
        );
        read.push(Meaning {
            dispatched: data.map(|data| (event.kind().to_owned(), data)),
            last_event_id: parser.last_event_id().to_owned(),
            retry: event.retry,
            comments: event.comments,
            unknown_fields: event.unknown_fields,
        });
    }
    let naive = meanings(bytes);
    hold!(
        read == naive,
        "read naively the events differ:\n{read:#?}\n{naive:#?}"
    );
    Ok(())
}

/// What the standard makes of one block, and what it passes over.
#[derive(Debug, Default, Eq, PartialEq)]
struct Meaning {
    dispatched: Option<(String, String)>,
    last_event_id: String,
    retry: Option<u64>,
    comments: u32,
    unknown_fields: Vec<String>,
}

/// The terminated blocks of a stream that is there as a whole.
fn meanings(bytes: &[u8]) -> Vec<Meaning> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<&str> = text.split('\n').collect();
    // What follows the last line end is no line.
    lines.pop();
    let mut meanings = Vec::new();
    let (mut data, mut kind, mut id) = (String::new(), String::new(), String::new());
    let mut block = Meaning::default();
    let mut has_begun = false;
    for line in lines {
        if line.is_empty() {
            if !std::mem::take(&mut has_begun) {
                continue;
            }
            block.last_event_id.clone_from(&id);
            let kind = std::mem::take(&mut kind);
            if let Some(data) = std::mem::take(&mut data).strip_suffix('\n') {
                let kind = if kind.is_empty() {
                    "message".to_owned()
                } else {
                    kind
                };
                block.dispatched = Some((kind, data.to_owned()));
            }
            meanings.push(std::mem::take(&mut block));
            continue;
        }
        has_begun = true;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => block.comments += 1,
            "event" => value.clone_into(&mut kind),
            "data" => data = data + value + "\n",
            "id" if value.contains('\0') => {}
            "id" => value.clone_into(&mut id),
            "retry" if value.is_empty() || value.contains(|c: char| !c.is_ascii_digit()) => {}
            "retry" => block.retry = Some(value.parse().unwrap_or(u64::MAX)),
            _ => block.unknown_fields.push(field.chars().take(128).collect()),
        }
    }
    for meaning in &mut meanings {
        meaning.unknown_fields.truncate(64);
    }
    meanings
}

fn is_end(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| is_end(*byte))
}

/// Whether the last byte ends an empty line, where none before it does.
fn ends_with_empty_line(block: &[u8]) -> bool {
    let line_ends = block.iter().rev().take_while(|byte| is_end(**byte));
    match line_ends.count() {
        0 | 1 => false,
        // `\r\n` is one end; two bytes of any other sort are two.
        2 => !block.ends_with(b"\r\n"),
        _ => true,
    }
}

/// The events of a stream that arrives in one piece, and the last event id after them.
fn events(bytes: &[u8], limits: Limits) -> (Vec<Event>, String) {
    let mut parser = Parser::new(limits);
    let mut events = parser.push(bytes);
    events.extend(parser.finish());
    (events, parser.last_event_id().to_owned())
}
