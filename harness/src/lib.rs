//! The harness: drives a target through cards, judges what it saw, reports it. `main.rs` is only the door.

pub mod cli;
pub mod closed;
pub mod era;
pub mod native;
pub mod prove;
pub mod run;
pub mod script;
pub mod tap;
pub mod target;
#[cfg(test)]
mod testing;
pub mod traffic;
