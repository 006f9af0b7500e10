//! The HTTP client against servers that are written byte by byte.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bodies;
mod hand_written;
mod hostile;
mod redirects;
mod sockets;
mod sse;
mod streams;
mod support;
mod tls;
