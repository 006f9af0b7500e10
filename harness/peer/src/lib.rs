//! The reference peer and its lies: an MCP server that keeps the protocol, and can be told to break it in one named way.
//!
//! It speaks all five revisions over any pair of byte streams ([`serve()`]) and over HTTP ([`HttpServer`]), and is written to be read
//! beside the specification: one module for each of its pages. A dual-era server chooses for each request the rules of the era that it
//! is written in.
//!
//! ```text
//! input -> Framer -> connection -+- session (may it be asked now?) -> server (who answers?) -----------+-> tools (-> tasks),
//!                        |       +- modern (headers, versions, meta) -> modern (who answers?) -> results -+   resources, prompts, ...
//!                        |                                                                                           |
//!                        +---------- fault::Teller (the one lie) ---------- writer <-----------------------------------+ -> output
//! ```

mod assembly;
mod client;
mod completion;
mod connection;
mod content;
mod error;
mod fault;
mod http;
mod incoming;
mod json;
mod lifecycle;
mod listing;
mod logging;
mod modern;
mod offer;
mod options;
mod outgoing;
mod pagination;
mod prompts;
mod questions;
mod resources;
mod running;
mod serve;
mod server;
mod session;
mod tasks;
mod tools;
mod unguessable;
mod writer;

pub use fault::{FAULTS, FaultRefused, HttpAsk, NamedFault, Over, Planted, Provocation};
pub use http::{HttpOptions, HttpServer, listen};
pub use options::{Cause, Ended, Options, Resolve};
pub use serve::serve;
