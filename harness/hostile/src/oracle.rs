//! Oracles: what holds for any bytes, as functions that say what does not.
//!
//! Each compares the wire layer with a second opinion: itself on other pieces of the same bytes, `serde_json`, a naive reader, or the stream it came from.
//!
//! **Errors**: of every function here: a sentence on the first thing that does not hold; this is a bug of ours, never of a target.

mod events;
mod head;
mod schema;
mod stream;
mod text;

pub use events::{event_bounds, event_meaning, event_places, event_splits, sse_events};
pub use head::{head_fields, head_spelling, header_values, http_head};
pub use schema::offered_schema;
pub use stream::{reassembly, split_invariance, stdio_frames};
pub use text::{classification, ids, spans, text};

/// States what must hold, or returns what was found.
macro_rules! hold {
    ($condition:expr, $($found:tt)+) => {
        if !$condition {
            return Err(format!($($found)+));
        }
    };
}
use hold;
