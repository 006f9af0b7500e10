//! Connections to a target: stdio under a guard, Streamable HTTP, HTTP+SSE, and memory.

pub mod connection;
pub mod guard;
pub mod http;
mod http_sse;
pub mod memory;
pub mod pipes;
pub mod server_process;
pub mod stdio;
mod streamable_http;
