//! Bytes to messages, without IO and without a runtime.
//!
//! ```text
//! bytes -> stdio::Framer -> Frame { raw, defects, message }
//! one text -> jsonrpc::examine -> defects + Message { kind, id, method, value, batch }
//! bytes -> sse::Parser -> Event { data, name, id, retry, defects, raw }
//! head of an HTTP message -> http::Head { start, fields, raw }, whose values header_value knows
//! raw text + JSON pointer -> raw::at -> the bytes as they were sent
//! ```
//!
//! Nothing is dropped: what is no message is a frame with defects, and the raw bytes are kept beside the parsed form.

mod decimal;
mod defect;
mod parse;
mod scan;
mod walk;

pub mod header_value;
pub mod http;
pub mod jsonrpc;
pub mod raw;
pub mod sse;
pub mod stdio;
