//! JSON Schemas of the protocol per revision and of our own formats, embedded.
//!
//! ```text
//! 2024-11-05/schema.json          every definition
//! 2025-03-26/schema.json ...      what differs from the revision before ("extends"; null removes)
//! methods.json                    method -> direction, params, results, capability; from it the definitions of whole messages
//! deviations.json                 where we differ from the official schema on purpose, and why
//! ```
//!
//! A definition is written once and holds until a later revision replaces it; a definition that refers to a replaced one means the
//! replacement. So a correction is made in one place, and each file shows what its revision changed.

mod document;
mod messages;
pub mod methods;

pub use document::{DEVIATIONS, REVISIONS, document};
pub use methods::{Method, method, methods};
