//! Judgements on a recorded conversation: schemas per method, checks of cards, observers; sans-IO.
//!
//! ```text
//! Check + Record      -> evaluate  -> Judgement { verdict, reason, findings, judged, missing }
//! definition + value  -> Schemas   -> Violation -> Finding
//! every Entry         -> Observer  -> Finding, and what was judged per rule
//! ```
//!
//! Nothing here sends, waits or reads a file, so that a recording is judged exactly as a run is.

pub mod evaluate;
pub mod judgement;
pub mod monitor;
pub mod observer;
pub mod schema;

mod instead;
mod place;
mod select;
mod silence;
#[cfg(test)]
mod testing;
mod text;

pub use evaluate::evaluate;
pub use instead::{http_instead, is_exchange_over};
pub use judgement::{Judgement, MissingMessage, NativeJudges, NoNatives};
pub use schema::{Dialect, Note, OfferedSchema, Schemas, Undecided, Unusable, Violation};
