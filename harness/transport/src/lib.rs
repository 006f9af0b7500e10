//! Connections to a target: stdio under a guard, and memory.

pub mod connection;
pub mod guard;
pub mod memory;
pub mod pipes;
pub mod stdio;
