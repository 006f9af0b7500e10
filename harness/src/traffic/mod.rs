//! Traffic that others make: recordings that are read, and conversations that `tap` listens to.
//!
//! ```text
//! a file   -> read   (jsonl, lines, har) \
//! a pipe   -> entries of lines            > Heard -> Panel, a monitor for each conversation -> results
//! a socket -> http1 -> exchanges -> apart /      \-> Recorder -> jsonl
//! ```
//!
//! `Direction::Sent` is what the client sends and `Direction::Received` what the server does, whoever listens.

pub mod apart;
pub mod entries;
pub mod http1;
pub mod panel;
pub mod read;
pub mod recorder;
pub mod sockets;

use mcp_assay_model::event::ConversationEnd;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Entry;
use std::sync::Arc;

/// Name of a conversation, unique within its source.
pub type Talk = Arc<str>;

/// Something heard of a conversation.
///
/// **Shape**: `Began` first, then entries in order of `seq`, at most one `Ended`; nothing after it.
#[derive(Clone, Debug)]
pub enum Heard {
    /// It begins.
    Began {
        /// Which.
        talk: Talk,
        /// How its messages travel.
        binding: Binding,
        /// The revision, where the source says it.
        revision: Option<Revision>,
    },
    /// Something crossed the wire.
    Entry(Talk, Box<Entry>),
    /// Something crossed the wire and was not kept.
    Lost {
        /// Which.
        talk: Talk,
        /// Position of the last entry before it.
        after: u64,
        /// Bytes.
        bytes: u64,
        /// Why, a fragment.
        why: String,
    },
    /// It is over.
    Ended(Talk, ConversationEnd),
}

impl Heard {
    /// Which conversation.
    pub fn talk(&self) -> &Talk {
        match self {
            Heard::Began { talk, .. }
            | Heard::Entry(talk, _)
            | Heard::Lost { talk, .. }
            | Heard::Ended(talk, _) => talk,
        }
    }
}
