//! Strict YAML 1.2, read to a tree with places: one loader for cards, profiles, baselines, requirements and revision facts.
//!
//! ```text
//! text -> events (granit-parser) -> Node tree; refused: anchors, aliases, tags, merge keys, directives, several documents,
//! duplicate keys, plain scalars that readers disagree on (yaml/scalar.rs), more than MAX_DEPTH levels or MAX_BYTES bytes
//! ```

pub mod scalar;

mod build;

use crate::diagnostic::{Diagnostic, Diagnostics};
use mcp_assay_model::scenario::{Source, Span};
use std::sync::Arc;

/// Deepest nesting read.
pub const MAX_DEPTH: usize = 64;

/// Longest file read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One node and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Its bytes in the source.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string; `plain` where it stood without quotes and not as a block.
    Text {
        /// The string.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// `null`, `true`, `false` or a number, as JSON text in the bytes of the source.
    Json(String),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in order of the source; keys are strings and distinct.
    Mapping(Vec<Entry>),
}

/// How a string was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// As a block after `|` or `>`.
    Block,
}

/// One member of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The string, where it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            Value::Json(_) | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// What it is, for messages: `a string`, `a number`.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text { .. } => "a string",
            Value::Json(text) => match text.as_str() {
                "null" => "null",
                "true" | "false" => "a boolean",
                _ => "a number",
            },
            Value::Sequence(_) => "a sequence",
            Value::Mapping(_) => "a mapping",
        }
    }
}

/// Reads one document.
///
/// **Errors**: everything that is wrong with the text; after an error of syntax nothing further is read.
pub fn parse(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    let text = source.text.as_str();
    if text.len() > MAX_BYTES {
        let title = format!("file of {} bytes is too long", text.len());
        let label = format!("more than {MAX_BYTES} bytes");
        return Err(Diagnostic::new(source, 0..0, title, label).into());
    }
    build::Builder::new(source).run()
}
