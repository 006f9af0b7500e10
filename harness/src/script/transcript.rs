//! The transcript of one conversation while it grows: everything in order, bounded in memory.

use bytes::Bytes;
use mcp_assay_model::record::{Entry, HttpPart};
use mcp_assay_wire::stdio::DefectKind;

/// Entries that one conversation keeps whole; later ones keep a head only, unless they answer something.
const WHOLE_ENTRIES: usize = 20_000;
/// Bytes that one conversation keeps.
const KEPT_BYTES: u64 = 32 * 1024 * 1024;
/// What a value within a parsed message takes in memory at most, beside its text: its place in a list or an object that has room for more.
const VALUE_BYTES: u64 = 160;
/// Bytes kept of an entry over the bounds.
pub const HEAD_BYTES: usize = 256;

/// Entries in order of their position, which counts from 1 without gaps.
#[derive(Debug, Default)]
pub struct Transcript {
    entries: Vec<Entry>,
    kept_bytes: u64,
    last_oversized: u64,
}

impl Transcript {
    /// Everything so far.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Gives everything away; nothing may be asked of it after.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Position of the last entry; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The entry at a position.
    pub fn entry(&self, seq: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(seq).ok()?.checked_sub(1)?)
    }

    /// Whether something longer than our bound came after a position.
    pub fn has_oversized_since(&self, seq: u64) -> bool {
        self.last_oversized > seq
    }

    /// Adds an entry and gives its position. `is_needed`: it is kept whole, whatever came before it.
    pub fn push(&mut self, mut entry: Entry, is_needed: bool) -> u64 {
        entry.seq = self.last_seq() + 1;
        let over = self.entries.len() >= WHOLE_ENTRIES || self.kept_bytes > KEPT_BYTES;
        if over && !is_needed {
            entry.raw = Bytes::copy_from_slice(&entry.raw[..entry.raw.len().min(HEAD_BYTES)]);
            entry.message = None;
            if let Some(HttpPart::Event { name, id, .. }) =
                entry.http.as_mut().map(|http| &mut http.part)
            {
                // Fields of an event may be as long as a message.
                [name, id].into_iter().flatten().for_each(cut);
            }
        }
        self.kept_bytes += weight(&entry);
        let seq = entry.seq;
        let is_oversized =
            |defect: &mcp_assay_wire::stdio::Defect| defect.kind == DefectKind::Oversized;
        if entry.defects.iter().any(is_oversized) {
            self.last_oversized = seq;
        }
        self.entries.push(entry);
        seq
    }

    /// Keeps of an entry its beginning alone, where there is more than may be kept: it was read, and nobody waits for it any more.
    pub fn shed(&mut self, seq: u64) {
        let is_over = self.kept_bytes > KEPT_BYTES;
        let index = usize::try_from(seq).ok().and_then(|seq| seq.checked_sub(1));
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index))
            && is_over
        {
            let before = weight(entry);
            entry.raw = Bytes::copy_from_slice(&entry.raw[..entry.raw.len().min(HEAD_BYTES)]);
            entry.message = None;
            self.kept_bytes = self.kept_bytes - before + weight(entry);
        }
    }

    /// Gives what is recorded of a connection another label.
    pub fn relabel(&mut self, from: &str, to: &str) {
        let of = |entry: &&mut Entry| entry.connection == from;
        let entries = self.entries.iter_mut().filter(of);
        entries.for_each(|entry| to.clone_into(&mut entry.connection));
    }

    /// Cuts the transcript back to its first entries.
    pub fn truncate(&mut self, keep: usize) {
        self.entries.truncate(keep);
        self.last_oversized = 0;
        self.kept_bytes = self.entries.iter().map(weight).sum();
    }
}

fn weight(entry: &Entry) -> u64 {
    let parsed = match entry.message {
        Some(_) => entry.raw.len() as u64 + values(&entry.raw) * VALUE_BYTES,
        None => 0,
    };
    let beside = match entry.http.as_ref().map(|http| &http.part) {
        Some(HttpPart::Request { head, .. } | HttpPart::Response { head, .. }) => head.raw.len(),
        Some(HttpPart::Event { name, id, .. }) => {
            [name, id].into_iter().flatten().map(String::len).sum()
        }
        Some(HttpPart::Body | HttpPart::End(_)) | None => 0,
    };
    entry.raw.len() as u64 + parsed + beside as u64
}

/// How many values a JSON text holds at most: each but the outermost follows one of four characters.
fn values(json: &[u8]) -> u64 {
    let (mut values, mut in_text, mut is_escaped) = (1, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' | b',' | b':' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

fn cut(text: &mut String) {
    let mut end = text.len().min(HEAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.shrink_to_fit();
}

#[cfg(test)]
mod tests;
