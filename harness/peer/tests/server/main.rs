//! The reference server from outside: lines in, lines out, on paused time.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests are tests, and a test that did not look says so"
)]

mod exchange;
mod faults;
mod features;
mod lifecycle;
mod modern;
mod questions;
mod rounds;
mod schemas;
mod subscriptions;
mod support;
mod tasks;
