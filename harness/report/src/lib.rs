//! Reports: terminal, jsonl, json, junit. Each is a fold over events and knows only the model, never the runner.
//!
//! ```text
//! runner -> Mask::event -> Event -> Reporter::see ... Reporter::finish
//!                                    |- Jsonl     writes it down, a line an event; the source of every other report
//!                                    |- Progress  one live line on standard error, on a terminal only
//!                                    `- Json, Junit, Terminal   fold (`Fold`), then render the `Report`
//! ```

pub mod fold;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod mask;
pub mod meter;
pub mod progress;
pub mod schema;
pub mod terminal;
mod text;
mod transcript;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod properties;

pub use anstream::ColorChoice;
pub use fold::{Ending, Fold, REPORT_FORMAT, Report, Summary};
pub use json::Json;
pub use jsonl::{Jsonl, ReadError, Reader};
pub use junit::Junit;
pub use mask::Mask;
pub use meter::Meter;
pub use progress::Progress;
pub use schema::{COVERAGE_SCHEMA, EVENTS_SCHEMA, LIST_SCHEMA, REPORT_SCHEMA};
pub use terminal::{Look, Terminal};
pub use text::visible;
pub use transcript::shorten;

use mcp_assay_model::event::Event;
use std::io;

/// Something that listens to a run and writes about it.
///
/// **Shape**: `see` once for each event, in the order of the record, already masked; then `finish` once, also when the run was
/// interrupted. What is written before `finish` depends on the format: `Jsonl` writes as it sees, the folds write at the end.
///
/// **Errors**: only those of the writer. A record that is odd is reported as it is, never refused.
pub trait Reporter {
    /// Takes note of one event.
    fn see(&mut self, event: &Event) -> io::Result<()>;

    /// Writes what is left to write, and flushes.
    fn finish(&mut self) -> io::Result<()>;
}
