//! Cards, requirements, revisions and profiles: read strictly, linted, listed.
//!
//! ```text
//! text -> yaml (tree with places) -> card, requirements, facts, profile, baseline (typed) -> lint -> catalogue -> listing
//! everything that is wrong with a file -> diagnostic (carets, nearest names)
//! ```

pub mod baseline;
pub mod card;
pub mod catalogue;
mod decode;
pub mod diagnostic;
pub mod facts;
pub mod lint;
pub mod listing;
pub mod profile;
pub mod requirements;
pub mod yaml;

pub use catalogue::{Catalogue, check_id, revisions_of};
pub use diagnostic::{Diagnostic, Diagnostics};
