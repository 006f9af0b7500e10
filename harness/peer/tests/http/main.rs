//! The reference server over HTTP from outside: requests in, heads, bodies and events out, over in-memory sockets on paused time.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are tests, and may fail as they do"
)]

mod faults;
mod gate;
mod http_sse;
mod modern;
mod posts;
mod sessions;
mod sockets;
mod streams;
mod support;
mod tasks;
mod wire_faults;
