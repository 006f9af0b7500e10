//! Hostile input: generators of frames and values, and their oracles.
//!
//! ```text
//! frames::lawful, frames::broken -> Line { bytes, shows } -> frames::stream -> Stream { bytes, lines, cuts }
//!                          bytes -> oracle::* -> Ok, or what does not hold
//! ```
//!
//! A generator knows what its lines must show; an oracle holds for any bytes. Both serve proptest here and the fuzz targets.

pub mod frames;
pub mod oracle;
