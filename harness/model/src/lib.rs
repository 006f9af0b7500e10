//! Data of mcp-assay: what is tested, what was seen, what it means. No IO; the only behaviour is folding and ordering.
//!
//! ```text
//! Scenario (card) x Revision x Binding -> Case -> Record (what happened) -> Outcome, Findings -> Event -> Report
//! ```

pub mod event;
pub mod finding;
pub mod protocol;
pub mod record;
pub mod recorded;
pub mod requirement;
pub mod result;
pub mod scenario;
pub mod template;
pub mod verdict;
