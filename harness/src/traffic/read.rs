//! Reads recordings: of runs and of `tap`, lines with a direction, HAR. In bounded memory, whatever their length.
//!
//! ```text
//! bytes -> the first of them tell the format -> jsonl | lines | har -> Heard
//! ```

pub mod har;
pub mod jsonl;
pub mod lines;

use super::Heard;
use mcp_assay_model::protocol::Role;
use std::io::{self, BufRead};
use std::str::FromStr;

/// Longest line, and longest entry of a HAR.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// Format of a recording.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// The record of a run or of `tap`.
    Jsonl,
    /// A message a line, behind its direction.
    Lines,
    /// HTTP Archive 1.2.
    Har,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 3] = [Format::Jsonl, Format::Lines, Format::Har];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Lines => "lines",
            Format::Har => "har",
        }
    }

    /// The format that a recording has by its beginning; `None` where it is empty.
    fn of(beginning: &[u8]) -> Option<Format> {
        let text = beginning.strip_prefix("\u{feff}".as_bytes());
        let text = text.unwrap_or(beginning).trim_ascii_start();
        let first = *text.first()?;
        if first != b'{' {
            return Some(Format::Lines);
        }
        // The first member tells: all else about a message is known by its direction, which is missing.
        let member = text[1..].trim_ascii_start();
        let is = |name: &[u8]| member.starts_with(name);
        if is(b"\"event\"") {
            Some(Format::Jsonl)
        } else if is(b"\"log\"") {
            Some(Format::Har)
        } else {
            Some(Format::Lines)
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Format::ALL
            .into_iter()
            .find(|format| format.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is none of jsonl, lines, har"))
    }
}

/// What is wrong with a recording.
#[derive(Debug)]
pub struct Broken {
    /// Line, from 1, where it is known.
    pub line: Option<u64>,
    /// A fragment.
    pub why: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Broken {
    fn at(line: u64, why: impl Into<String>) -> Self {
        Broken {
            line: Some(line),
            why: why.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn io(line: u64, error: &io::Error) -> Self {
        Broken::at(line, format!("cannot be read: {error}"))
    }
}

/// What a recording said beside its conversations.
#[derive(Debug, Default)]
pub struct Told {
    /// Role of the target, where it is the record of a run: the other side was ours.
    pub target: Option<Role>,
    /// Remarks, a line each.
    pub notes: Vec<String>,
}

/// Reads a recording to its end, and hands on what it hears.
///
/// **Errors**: see [`Broken`]; what was heard before was heard.
pub fn read(
    input: &mut dyn BufRead,
    format: Option<Format>,
    hear: &mut dyn FnMut(&Told, Heard),
) -> Result<Told, Broken> {
    let format = match format {
        Some(format) => format,
        None => {
            let beginning = input.fill_buf().map_err(|error| Broken::io(1, &error))?;
            match Format::of(beginning) {
                Some(format) => format,
                // A beginning of nothing but white space is told by the reader of lines.
                None => Format::Lines,
            }
        }
    };
    match format {
        Format::Jsonl => jsonl::read(input, hear),
        Format::Lines => lines::read(input, hear),
        Format::Har => har::read(input, hear),
    }
}

/// A line: its number, its text without the end, and whether it had one.
type Line<'l> = (u64, &'l [u8], bool);

/// Lines of bounded length, counted.
struct Lines<'i> {
    input: &'i mut dyn BufRead,
    line: u64,
    buffer: Vec<u8>,
}

impl<'i> Lines<'i> {
    fn new(input: &'i mut dyn BufRead) -> Self {
        Lines {
            input,
            line: 0,
            buffer: Vec::new(),
        }
    }

    /// The next line; `None` after the last.
    fn next(&mut self) -> Result<Option<Line<'_>>, Broken> {
        self.line += 1;
        self.buffer.clear();
        self.buffer.shrink_to(1024 * 1024);
        let mut limited = io::Read::take(&mut *self.input, MOST_BYTES + 1);
        let read = limited.read_until(b'\n', &mut self.buffer);
        match read {
            Err(error) => Err(Broken::io(self.line, &error)),
            Ok(0) => Ok(None),
            Ok(length) if length as u64 > MOST_BYTES => Err(Broken::at(
                self.line,
                format!("longer than {MOST_BYTES} bytes"),
            )),
            Ok(_) => {
                let is_whole = self.buffer.ends_with(b"\n");
                let line = self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer);
                Ok(Some((self.line, line, is_whole)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
