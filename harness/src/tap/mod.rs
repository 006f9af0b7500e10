//! `tap`: between a real client and a real server, where it passes on every byte, records them, and judges both sides.
//!
//! ```text
//! client <-> pump <-> server          the bytes: nothing below can hold them up or change them
//!              |
//!            Stream -> Feed (bounded) -> the ear's thread -> entries -> Recorder
//!                                                                    -> Panel -> a line on standard error
//! ```
//!
//! What the ear cannot take in time is lost to it, and it says so; it is never lost to the conversation.

pub mod ear;
pub mod feed;
pub mod host;
pub mod http;
pub mod lines;
pub mod stdio;
