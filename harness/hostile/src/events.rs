//! Event streams: lawful ones in every spelling, broken ones by a grammar, and streams of both.

mod broken;
mod lawful;

pub use broken::broken;
pub use lawful::lawful;

use mcp_assay_wire::sse::Event;
use mcp_assay_wire::stdio::DefectKind;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// A block of an event stream, and what a parser has to say of it.
///
/// **Shape**: `bytes` go up to the byte that ends the empty line; where that is `\r`, a `\n` may follow, which is in no event.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The block.
    pub bytes: Vec<u8>,
    /// All that it says, as the first of a stream; `None` where only its defect is known.
    pub says: Option<Event>,
    /// The defect it must show, with its offset in the block. Others may show beside it.
    pub shows: Option<(DefectKind, usize)>,
}

/// A stream of blocks, and where the bytes are cut apart on their way.
#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The blocks that are whole, each with its offset.
    pub blocks: Vec<(u64, Block)>,
    /// Whether a block that is not whole follows them.
    pub is_cut_off: bool,
    /// Offsets at which one piece ends and the next begins, in order; equal ones make an empty piece.
    pub cuts: Vec<usize>,
}

/// What may stand before, between and after blocks without a meaning; after a final `\r` it completes a `\r\n`, or does not.
const GAPS: &[&str] = &["", "", "\n", "\r", "\r\n", "\n\n", "\n\r", "\r\r\n"];

/// A block of any sort, lawful or broken.
pub fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        3 => lawful(),
        2 => broken(),
    ]
}

/// Streams of a few blocks with gaps, perhaps a byte-order mark, perhaps the beginning of one more block, and cuts.
pub fn stream() -> impl Strategy<Value = Stream> {
    let blocks = prop::collection::vec((block(), select(GAPS)), 0..6);
    let start = select(&["", "\u{feff}", "\n", "\u{feff}\r\n"][..]);
    let rest = prop::option::of((block(), any::<Index>()));
    let cuts = prop::collection::vec(any::<Index>(), 0..6);
    (start, blocks, rest, cuts)
        .prop_map(|(start, blocks, rest, cuts)| assemble(start, blocks, rest, &cuts))
}

fn assemble(
    start: &str,
    blocks: Vec<(Block, &str)>,
    rest: Option<(Block, Index)>,
    cuts: &[Index],
) -> Stream {
    let mut bytes = start.as_bytes().to_vec();
    let mut placed = Vec::new();
    for (block, gap) in blocks {
        let offset = bytes.len() as u64;
        bytes.extend_from_slice(&block.bytes);
        bytes.extend_from_slice(gap.as_bytes());
        placed.push((offset, block));
    }
    let is_cut_off = rest.is_some();
    if let Some((block, at)) = rest {
        // Before the byte that ends it, and after its first, which is of no empty line.
        let end = 1 + at.index(block.bytes.len() - 1);
        bytes.extend_from_slice(&block.bytes[..end]);
    }
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.sort_unstable();
    Stream {
        bytes,
        blocks: placed,
        is_cut_off,
        cuts,
    }
}
