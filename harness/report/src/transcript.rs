//! What a report keeps of a conversation: bounded while the case runs, and cut to what matters once it is settled.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::result::{DefectFacts, HttpFacts, TranscriptEntry};
use serde_json::Value;
use std::collections::VecDeque;

/// Entries kept of either end of a conversation while its case runs.
const KEPT_ENTRIES: usize = 256;
/// Bytes kept of either end, about.
const KEPT_BYTES: usize = 256 * 1024;
/// Entries of a result's transcript.
pub(crate) const SHOWN_ENTRIES: usize = 40;
/// Bytes of a result's transcript, about.
pub(crate) const SHOWN_BYTES: usize = 64 * 1024;
/// Bytes of one entry in a result's transcript; a longer one shows its head.
const ENTRY_BYTES: usize = 16 * 1024;
/// Bytes of a text among the HTTP facts of an entry that is too long.
const TEXT_BYTES: usize = 1024;

/// The conversation of a running case: its beginning and its end.
///
/// **Shape**: in order of arrival. A target that floods loses the middle of its conversation here; the record has it whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    head: Vec<TranscriptEntry>,
    head_bytes: usize,
    tail: VecDeque<TranscriptEntry>,
    tail_bytes: usize,
}

impl Kept {
    /// Takes one entry, and forgets the oldest of the end where there are too many.
    pub(crate) fn push(&mut self, entry: &TranscriptEntry) {
        let entry = shorten(entry);
        let weight = weight(&entry);
        let begins = self.tail.is_empty()
            && self.head.len() < KEPT_ENTRIES
            && self.head_bytes + weight <= KEPT_BYTES;
        if begins {
            self.head_bytes += weight;
            self.head.push(entry);
            return;
        }
        self.tail_bytes += weight;
        self.tail.push_back(entry);
        while self.tail.len() > KEPT_ENTRIES || self.tail_bytes > KEPT_BYTES {
            match self.tail.pop_front() {
                Some(gone) => self.tail_bytes -= self::weight(&gone),
                None => break,
            }
        }
    }

    /// The entries nearest to the given positions, or nearest to the end where there are none, and their size.
    ///
    /// **Shape**: in order of position; at most [`SHOWN_ENTRIES`] and [`SHOWN_BYTES`]. Positions that are missing between two
    /// entries were left out.
    pub(crate) fn around(&self, positions: &[u64]) -> (Vec<TranscriptEntry>, usize) {
        let all: Vec<&TranscriptEntry> = self.head.iter().chain(&self.tail).collect();
        let end = all.last().map_or(0, |entry| entry.seq);
        let near = |seq: u64| {
            let nearest = positions.iter().map(|at| at.abs_diff(seq)).min();
            nearest.unwrap_or_else(|| end.abs_diff(seq))
        };
        let mut order: Vec<usize> = (0..all.len()).collect();
        // What came before a position explains it better than what came after, so it wins a tie.
        order.sort_by_key(|&index| (near(all[index].seq), all[index].seq));
        let mut chosen = Vec::new();
        let mut bytes = 0;
        for index in order {
            let weight = weight(all[index]);
            if chosen.len() == SHOWN_ENTRIES {
                break;
            }
            if bytes + weight <= SHOWN_BYTES {
                bytes += weight;
                chosen.push(index);
            }
        }
        chosen.sort_unstable();
        let entries = chosen.into_iter().map(|index| all[index].clone());
        (entries.collect(), bytes)
    }
}

/// Splits `#12 /result/nextCursor` into its transcript position and its pointer.
pub(crate) fn position(at: &str) -> Option<(u64, &str)> {
    let rest = at.strip_prefix('#')?;
    let (seq, pointer) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((seq.parse().ok()?, pointer))
}

/// The entry, or its head as bytes where it is too long for a report.
pub fn shorten(entry: &TranscriptEntry) -> TranscriptEntry {
    if weight(entry) <= 2 * ENTRY_BYTES {
        return entry.clone();
    }
    // A head has no bytes of its own.
    let bytes = entry.bytes();
    let head = bytes
        .as_ref()
        .map(|bytes| &bytes[..bytes.len().min(ENTRY_BYTES)]);
    let is_cut = bytes
        .as_ref()
        .is_some_and(|bytes| bytes.len() > ENTRY_BYTES);
    let text = head.map(str::from_utf8);
    TranscriptEntry {
        seq: entry.seq,
        at_us: entry.at_us,
        dir: entry.dir,
        connection: entry.connection.clone(),
        channel: entry.channel,
        http: entry.http.as_ref().map(shorten_http),
        message: None,
        raw: text.and_then(Result::ok).map(str::to_owned),
        raw_b64: head
            .filter(|_| text.is_some_and(|text| text.is_err()))
            .map(|head| STANDARD.encode(head)),
        truncated: entry.truncated || is_cut,
        length: entry
            .length
            .or_else(|| bytes.as_ref().map(|bytes| bytes.len() as u64)),
        line_end: entry.line_end,
        defects: entry.defects.clone(),
        answers: entry.answers,
        part_of: entry.part_of,
    }
}

/// The facts, with as many headers as fit, and texts cut.
fn shorten_http(http: &HttpFacts) -> HttpFacts {
    let mut http = http.clone();
    match &mut http {
        HttpFacts::Request {
            method,
            target,
            headers,
            ..
        } => {
            cut(method);
            cut(target);
            shorten_headers(headers);
        }
        HttpFacts::Response { headers, .. } => shorten_headers(headers),
        HttpFacts::Body { .. } => {}
        HttpFacts::Event { name, id, .. } => [name, id].into_iter().flatten().for_each(cut),
        HttpFacts::End { why, .. } => why.iter_mut().for_each(cut),
    }
    http
}

fn shorten_headers(headers: &mut Vec<(String, String)>) {
    let mut room = ENTRY_BYTES;
    headers.retain(
        |(name, value)| match room.checked_sub(name.len() + value.len()) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        },
    );
}

/// Cuts a text to what an entry bears of one.
fn cut(text: &mut String) {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// About how much memory an entry takes.
fn weight(entry: &TranscriptEntry) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let value = |value: &Option<Value>| value.as_ref().map_or(0, weigh);
    size_of::<TranscriptEntry>()
        + entry.connection.len()
        + text(&entry.raw)
        + text(&entry.raw_b64)
        + weigh_defects(&entry.defects)
        + entry.http.as_ref().map_or(0, weigh_http)
        + value(&entry.message)
}

fn weigh_defects(defects: &[DefectFacts]) -> usize {
    let of = |defect: &DefectFacts| size_of::<DefectFacts>() + defect.detail.len();
    defects.iter().map(of).sum()
}

fn weigh_http(http: &HttpFacts) -> usize {
    let of = |headers: &[(String, String)]| -> usize {
        let fields = headers.iter();
        fields
            .map(|(name, value)| 48 + name.len() + value.len())
            .sum()
    };
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match http {
        HttpFacts::Request {
            method,
            target,
            headers,
            ..
        } => method.len() + target.len() + of(headers),
        HttpFacts::Response { headers, .. } => of(headers),
        HttpFacts::Body { .. } => 0,
        HttpFacts::Event { name, id, .. } => text(name) + text(id),
        HttpFacts::End { how, why, .. } => how.len() + text(why),
    }
}

fn weigh(value: &Value) -> usize {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weigh).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| key.len() + weigh(value))
            .sum(),
    };
    16 + inner
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_assay_model::record::{Channel, Direction};
    use serde_json::json;

    fn entry(seq: u64, message: Value) -> TranscriptEntry {
        TranscriptEntry {
            seq,
            at_us: seq * 10,
            dir: Direction::Received,
            connection: "c".to_owned(),
            channel: Channel::Stdout,
            http: None,
            message: Some(message),
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
    fn a_flood_keeps_its_beginning_and_its_end() {
        let mut kept = Kept::default();
        for seq in 1..=100_000 {
            kept.push(&entry(seq, json!({"n": seq})));
        }
        assert_eq!(kept.head.len() + kept.tail.len(), 2 * KEPT_ENTRIES);
        let (end, bytes) = kept.around(&[]);
        assert_eq!(end.len(), SHOWN_ENTRIES);
        assert_eq!(end.last().map(|entry| entry.seq), Some(100_000));
        assert!(bytes <= SHOWN_BYTES);
        let (begin, _) = kept.around(&[3]);
        assert_eq!(begin.first().map(|entry| entry.seq), Some(1));
    }

    #[test]
    fn a_huge_message_shows_its_head() {
        let mut kept = Kept::default();
        for seq in 1..=50 {
            kept.push(&entry(seq, json!({"text": "x".repeat(1 << 20)})));
        }
        assert!(kept.head_bytes <= KEPT_BYTES && kept.tail_bytes <= KEPT_BYTES);
        let (shown, _) = kept.around(&[50]);
        let last = shown.last().expect("the entry itself is shown");
        assert_eq!(
            (last.seq, last.truncated, last.message.is_none()),
            (50, true, true)
        );
    }

    #[test]
    fn huge_http_facts_are_cut_and_keep_their_kind() {
        let long = || "é".repeat(1 << 16);
        let headers = || vec![("X".to_owned(), "y".repeat(1024)); 64];
        let facts = [
            HttpFacts::Request {
                exchange: 1,
                method: "GET".to_owned(),
                target: long(),
                headers: headers(),
            },
            HttpFacts::Response {
                exchange: 1,
                status: 200,
                headers: headers(),
                socket: 1,
            },
            HttpFacts::Event {
                exchange: 1,
                name: Some(long()),
                id: Some(long()),
                retry: None,
                comments: 0,
                terminated: true,
                data: true,
            },
            HttpFacts::End {
                exchange: 1,
                how: "cut".to_owned(),
                why: Some(long()),
            },
        ];
        for http in facts {
            let kind = std::mem::discriminant(&http);
            let mut whole = entry(1, Value::Null);
            whole.message = None;
            whole.http = Some(http);
            let short = shorten(&whole);
            assert!(weight(&short) <= 2 * ENTRY_BYTES, "{short:?}");
            assert_eq!(short.http.as_ref().map(std::mem::discriminant), Some(kind));
            assert_eq!(
                (short.raw, short.raw_b64, short.truncated),
                (None, None, false)
            );
        }
    }

    #[test]
    fn positions_are_read_as_findings_write_them() {
        assert_eq!(
            position("#12 /result/nextCursor"),
            Some((12, "/result/nextCursor"))
        );
        assert_eq!(position("#7"), Some((7, "")));
        assert_eq!(position("somewhere"), None);
    }
}
