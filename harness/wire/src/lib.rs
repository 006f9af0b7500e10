//! Bytes to messages, without IO and without a runtime.
//!
//! ```text
//! bytes -> stdio::Framer -> Frame { raw, defects, message }
//! one text -> jsonrpc::examine -> defects + Message { kind, id, method, value, batch }
//! raw text + JSON pointer -> raw::at -> the bytes as they were sent
//! ```
//!
//! Nothing is dropped: what is no message is a frame with defects, and the raw bytes are kept beside the parsed form.

mod decimal;
mod defect;
mod parse;
mod scan;
mod walk;

pub mod jsonrpc;
pub mod raw;
pub mod stdio;
