//! Hostile input: generators of frames, event streams, HTTP heads and values, and their oracles.
//!
//! ```text
//! frames::lawful, frames::broken -> Line { bytes, shows } -> frames::stream -> Stream { bytes, lines, cuts }
//! events::lawful, events::broken -> Block { bytes, says, shows } -> events::stream -> Stream { bytes, blocks, cuts }
//! heads::lawful, heads::broken   -> Written { bytes, start, fields }
//!                          bytes -> oracle::* -> Ok, or what does not hold
//! ```
//!
//! A generator knows what its lines must show; an oracle holds for any bytes. Both serve proptest here and the fuzz targets.

pub mod events;
pub mod frames;
pub mod heads;
pub mod oracle;
