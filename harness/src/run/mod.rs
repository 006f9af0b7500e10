//! A run: probe, plan, cases, confirmation, gate, exit code. Emits events; knows no reporter.
//!
//! ```text
//! probe -> plan -> workers (attempt -> judge) -> confirm every Fail -> observers -> sanity -> gate -> exit code
//! ```

pub mod attempt;
pub mod binding;
pub mod confirm;
pub mod disturbed;
pub mod engine;
pub mod exit;
pub mod fixtures;
pub mod floor;
pub mod gate;
pub mod interpret;
pub mod measure;
pub mod observe;
pub mod plan;
pub mod probe;
pub mod settings;
pub mod survey;
pub mod waiting;
