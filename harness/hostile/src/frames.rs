//! Lines of stdio: lawful ones in every spelling, broken ones by a grammar, and streams of both.

mod broken;
mod lawful;

pub(crate) use broken::NO_UTF8;
pub use broken::broken;
pub use lawful::{Message, lawful, spell};

use mcp_assay_wire::stdio::{DefectKind, Terminator};
use proptest::prelude::*;

/// A line without its terminator, and what a framer has to say of it.
///
/// **Shape**: `bytes` has no `\n`; a `\r` at its end belongs to the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Line {
    /// The line.
    pub bytes: Vec<u8>,
    /// The defect it must show, with its offset in the line; `None`: it must show none. Others may show beside it.
    pub shows: Option<(DefectKind, usize)>,
}

/// A stream of lines, and where the bytes are cut apart on their way.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The lines the stream was made of, each with its offset and how it ends.
    pub lines: Vec<(u64, Line, Terminator)>,
    /// Offsets at which one piece ends and the next begins, in order; equal ones make an empty piece.
    pub cuts: Vec<usize>,
}

/// A line of any sort, lawful or broken.
pub fn line() -> impl Strategy<Value = Line> {
    prop_oneof![
        3 => lawful().prop_map(Line::from),
        3 => broken(),
    ]
}

/// Streams of a few lines with random terminators and cuts; only the last line may lack its newline.
pub fn stream() -> impl Strategy<Value = Stream> {
    let lines = prop::collection::vec((line(), any::<bool>()), 0..8);
    (
        lines,
        any::<bool>(),
        prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    )
        .prop_map(|(lines, has_final_newline, cuts)| assemble(lines, has_final_newline, &cuts))
}

fn assemble(
    lines: Vec<(Line, bool)>,
    has_final_newline: bool,
    cuts: &[prop::sample::Index],
) -> Stream {
    let mut bytes = Vec::new();
    let mut placed = Vec::new();
    let last = lines.len().checked_sub(1);
    for (index, (line, is_cr_lf)) in lines.into_iter().enumerate() {
        let terminator = match (Some(index) == last && !has_final_newline, is_cr_lf) {
            // An empty line without a newline is no line at all.
            (true, _) if !line.bytes.is_empty() => Terminator::EndOfInput,
            (_, true) => Terminator::CrLf,
            (_, false) if line.bytes.ends_with(b"\r") => Terminator::CrLf,
            (_, false) => Terminator::Lf,
        };
        let offset = bytes.len() as u64;
        bytes.extend_from_slice(&line.bytes);
        bytes.extend_from_slice(terminator.bytes());
        placed.push((offset, line, terminator));
    }
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    Stream {
        bytes,
        lines: placed,
        cuts,
    }
}
