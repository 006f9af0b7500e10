//! The reference server from outside: lines in, lines out, on paused time.

mod exchange;
mod faults;
mod features;
mod lifecycle;
mod schemas;
mod support;
