//! Nodes to typed values, collecting every error on the way.
//!
//! A function that reads a part gives `None` after it has reported why; its caller reads the other parts before it gives up.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Entry, Node, Value};
use mcp_assay_model::protocol::UnknownName;
use mcp_assay_model::scenario::{Source, Span};
use std::str::FromStr;
use std::sync::Arc;

/// Errors of one file, so far.
pub(crate) struct Decoder {
    source: Arc<Source>,
    errors: Diagnostics,
}

impl Decoder {
    pub(crate) fn new(source: &Arc<Source>) -> Self {
        Decoder {
            source: Arc::clone(source),
            errors: Diagnostics::default(),
        }
    }

    /// The value, where nothing was reported.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, Diagnostics> {
        match value {
            Some(value) => self.errors.unless_any(value),
            None => Err(self.errors),
        }
    }

    pub(crate) fn error(
        &mut self,
        span: &Span,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.errors
            .add(Diagnostic::new(&self.source, span.clone(), title, label))
    }

    /// Reports a node of the wrong kind.
    pub(crate) fn expected(&mut self, node: &Node, wanted: &str, what: &str) -> &mut Diagnostic {
        let title = format!("{what} must be {wanted}, not {}", node.kind());
        self.error(&node.span, title, format!("expected {wanted}"))
    }

    /// Reports a name that is none of a closed list.
    pub(crate) fn unknown<'k>(
        &mut self,
        span: &Span,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        self.unknown_in(span, what, name, "", known);
    }

    /// Reports a name that is none of the closed list of something: `of fixture` and its name.
    pub(crate) fn unknown_in<'k>(
        &mut self,
        span: &Span,
        what: &str,
        name: &str,
        whole: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let title = format!("unknown {what} `{name}` {whole}");
        let title = title.trim_end();
        let diagnostic = Diagnostic::new(&self.source, span.clone(), title, "");
        self.errors.push(diagnostic.suggest(name, known));
    }

    pub(crate) fn mapping<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        Some(Fields {
            what,
            span: node.span.clone(),
            entries,
            asked: Vec::new(),
        })
    }

    /// The members of a mapping whose keys are free.
    pub(crate) fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Mapping(entries) => Some(entries),
            Value::Text { .. } | Value::Json(_) | Value::Sequence(_) => {
                self.expected(node, "a mapping", what);
                None
            }
        }
    }

    /// The only member of a mapping, one of the known keys.
    pub(crate) fn only<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
    ) -> Option<&'n Entry> {
        let entries = self.entries(node, what)?;
        let mut first = None;
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                self.unknown(&entry.key_span, what, &entry.key, known.iter().copied());
                return None;
            }
            if let Some(before) = first.replace(entry) {
                let before: &Entry = before;
                let title = format!("{what} `{}` beside `{}`", entry.key, before.key);
                self.error(&entry.key_span, title, "only one may stand in a mapping");
                return None;
            }
        }
        if first.is_none() {
            let title = format!("empty mapping where one {what} is needed");
            let hint = format!("one of: {}", known.join(", "));
            self.error(&node.span, title, "").hint = Some(hint);
        }
        first
    }

    pub(crate) fn sequence<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::Sequence(items) => Some(items),
            Value::Text { .. } | Value::Json(_) | Value::Mapping(_) => {
                self.expected(node, "a sequence", what);
                None
            }
        }
    }

    /// Every item read; `None` where one could not be.
    pub(crate) fn list<T>(
        &mut self,
        node: &Node,
        what: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.sequence(node, what)?;
        // Every item is read before giving up, so that all errors are told at once.
        let read: Vec<Option<T>> = items.iter().map(|item| read(self, item)).collect();
        read.into_iter().collect()
    }

    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match node.text() {
            Some(text) => Some(text.to_owned()),
            None => {
                let hint = match &node.value {
                    Value::Json(text) if node.kind() == "a number" => {
                        Some(format!("write \"{text}\" in quotes"))
                    }
                    Value::Json(_)
                    | Value::Text { .. }
                    | Value::Sequence(_)
                    | Value::Mapping(_) => None,
                };
                self.expected(node, "a string", what).hint = hint;
                None
            }
        }
    }

    /// A string that says something.
    pub(crate) fn words(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = self.text(node, what)?;
        if text.trim().is_empty() {
            self.error(&node.span, format!("{what} is empty"), "");
            return None;
        }
        Some(text)
    }

    /// A name of a closed list.
    pub(crate) fn name<T: FromStr<Err = UnknownName>>(
        &mut self,
        node: &Node,
        what: &str,
    ) -> Option<T> {
        let text = self.text(node, what)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let UnknownName { what, known, .. } = error;
                self.unknown(&node.span, what, &text, known);
                None
            }
        }
    }

    /// A whole number in the range of its type.
    pub(crate) fn number<T: FromStr>(&mut self, node: &Node, what: &str) -> Option<T> {
        let parsed = match &node.value {
            Value::Json(text) => text.parse().ok(),
            Value::Text { .. } | Value::Sequence(_) | Value::Mapping(_) => None,
        };
        if parsed.is_none() {
            let shown = match &node.value {
                Value::Json(text) | Value::Text { text, .. } => format!("`{text}`"),
                Value::Sequence(_) | Value::Mapping(_) => node.kind().to_owned(),
            };
            let title = format!("{what} must be a whole number in range, not {shown}");
            self.error(&node.span, title, "");
        }
        parsed
    }
}

/// The members of a mapping with known keys.
pub(crate) struct Fields<'n> {
    what: &'static str,
    /// Where the mapping stands.
    pub(crate) span: Span,
    entries: &'n [Entry],
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// A member that may be absent.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.value)
    }

    /// A member that must be there.
    pub(crate) fn need(&mut self, decoder: &mut Decoder, key: &'static str) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() {
            let title = format!("{} without `{key}`", self.what);
            decoder.error(&self.span, title, format!("`{key}` is missing"));
        }
        found
    }

    /// The members that nobody asked for.
    pub(crate) fn rest(&mut self) -> Vec<&'n Entry> {
        let rest = self
            .entries
            .iter()
            .filter(|entry| !self.asked.contains(&entry.key.as_str()))
            .collect();
        self.entries = &[];
        rest
    }

    /// Reports every member that nobody asked for; true where there is none.
    pub(crate) fn finish(mut self, decoder: &mut Decoder) -> bool {
        let rest = self.rest();
        for entry in &rest {
            let whole = format!("in {}", self.what);
            let known = self.asked.iter().copied();
            decoder.unknown_in(&entry.key_span, "key", &entry.key, &whole, known);
        }
        rest.is_empty()
    }
}

/// Reads an optional part: `Some(None)` where it is absent, `None` where it is wrong.
pub(crate) fn optional<T>(
    node: Option<&Node>,
    read: impl FnOnce(&Node) -> Option<T>,
) -> Option<Option<T>> {
    match node {
        None => Some(None),
        Some(node) => read(node).map(Some),
    }
}

/// A member of a mapping as text that says something; for files whose entries are small.
pub(crate) fn words_of(
    d: &mut Decoder,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<Option<String>> {
    optional(fields.take(key), |node| d.words(node, key))
}
