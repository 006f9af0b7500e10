//! Events to nodes.

use super::scalar::{Plain, classify};
use super::{Entry, MAX_DEPTH, Node, Style, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, position};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput};
use mcp_assay_model::scenario::{Source, Span};
use std::sync::Arc;

/// A collection that is being read.
enum Open {
    Sequence {
        items: Vec<Node>,
        start: usize,
    },
    Mapping {
        entries: Vec<Entry>,
        /// A key whose value has not come; `None` as text where the key itself was refused.
        key: Option<(Option<String>, Span)>,
        start: usize,
    },
}

pub(super) struct Builder<'s> {
    source: &'s Arc<Source>,
    stack: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    errors: Diagnostics,
}

/// Nothing more can be read.
struct Stop;

impl<'s> Builder<'s> {
    pub(super) fn new(source: &'s Arc<Source>) -> Self {
        Builder {
            source,
            stack: Vec::new(),
            root: None,
            documents: 0,
            errors: Diagnostics::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Node, Diagnostics> {
        let options = granit_parser::options! {
            strict_indentation: true,
            disallow_directives: true,
            emit_comments: false,
            emit_unresolved_aliases: true,
            simple_key_max_lookahead: 4096,
        };
        let parser: Parser<'_, StrInput<'_>> =
            Parser::new_from_str_with_options(&self.source.text, options);
        for next in parser {
            let outcome = match next {
                Ok((event, span)) => self.event(&event, &span),
                Err(error) => self.syntax(&error),
            };
            if outcome.is_err() {
                break;
            }
        }
        if self.errors.is_empty() && self.root.is_none() {
            self.error(0..0, "empty file", "nothing but comments");
        }
        let errors = self.errors;
        match self.root {
            Some(root) => errors.unless_any(root),
            None => Err(errors),
        }
    }

    fn event(&mut self, event: &Event<'_>, place: &granit_parser::Span) -> Result<(), Stop> {
        let span = self.span(place);
        if let Some(tag) = event.tag() {
            let at = place.tag_span().map_or(span.clone(), |tag| self.span(&tag));
            let title = format!("tag `{}` is not allowed", tag.original());
            self.error(at, title, "a tag");
        }
        if event.is_node() && event.anchor_id().is_some() {
            let at = self.anchor_before(span.start);
            self.error(at, "anchors are not allowed", "an anchor").hint =
                Some("write the value out where it is used".to_owned());
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.error(span, "several documents in one file", "a second one begins")
                        .hint = Some("one file holds one document".to_owned());
                    return Err(Stop);
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.error(span.clone(), "aliases are not allowed", "an alias")
                    .hint =
                    Some("write the value out, or quote a text that begins with `*`".to_owned());
                self.place(Node {
                    value: Value::Json("null".to_owned()),
                    span,
                });
            }
            Event::Scalar(text, style, ..) => self.scalar(text, *style, span),
            Event::SequenceStart(..) => self.open(
                Open::Sequence {
                    items: Vec::new(),
                    start: span.start,
                },
                span,
            )?,
            Event::MappingStart(..) => self.open(
                Open::Mapping {
                    entries: Vec::new(),
                    key: None,
                    start: span.start,
                },
                span,
            )?,
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, open: Open, span: Span) -> Result<(), Stop> {
        if self.stack.len() >= MAX_DEPTH {
            let label = format!("deeper than {MAX_DEPTH} levels");
            self.error(span, "nested too deeply", label);
            return Err(Stop);
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self, end: usize) {
        let (value, start) = match self.stack.pop() {
            Some(Open::Sequence { items, start }) => (Value::Sequence(items), start),
            Some(Open::Mapping { entries, start, .. }) => (Value::Mapping(entries), start),
            None => return,
        };
        // A block ends where its last line does, not at the next token.
        let body = self.source.text.get(start..end).unwrap_or_default();
        let span = start..start + body.trim_end().len();
        self.place(Node { value, span });
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        let written = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let string = |text: &str| Value::Text {
            text: text.to_owned(),
            style: written,
        };
        let is_key = matches!(self.stack.last(), Some(Open::Mapping { key: None, .. }));
        let value = if written != Style::Plain || (is_key && text == "on") {
            string(text)
        } else {
            let text = if span.is_empty() { "" } else { text };
            match classify(text) {
                Plain::Text => string(text),
                Plain::Json if is_key => {
                    let title = format!("key `{text}` is no string");
                    self.error(span.clone(), title, "not a string to YAML").hint =
                        Some(format!("write \"{text}\" in quotes"));
                    string(text)
                }
                Plain::Json => Value::Json(text.to_owned()),
                Plain::Ambiguous(reason) => {
                    self.ambiguous(text, reason, is_key, span.clone());
                    string(text)
                }
            }
        };
        self.place(Node { value, span });
    }

    fn ambiguous(&mut self, text: &str, reason: &str, is_key: bool, span: Span) {
        let (title, hint) = match text {
            "" if is_key => ("missing key".to_owned(), "write a key".to_owned()),
            "" => (
                "missing value".to_owned(),
                "write `null` or \"\" if that is meant".to_owned(),
            ),
            "<<" if is_key => (
                "merge keys are not allowed".to_owned(),
                "write the members out".to_owned(),
            ),
            _ => {
                let json = match text.to_ascii_lowercase().as_str() {
                    "~" | "null" => "`null`",
                    "y" | "yes" | "true" | "on" => "`true`",
                    "n" | "no" | "false" | "off" => "`false`",
                    _ => "JSON",
                };
                let title = format!("plain `{text}` is ambiguous");
                let hint = format!("write \"{text}\" in quotes for the string, or {json}");
                (title, hint)
            }
        };
        self.error(span, title, reason).hint = Some(hint);
    }

    fn place(&mut self, node: Node) {
        let Builder {
            source,
            stack,
            root,
            errors,
            ..
        } = self;
        match stack.last_mut() {
            None => *root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match key.take() {
                None => {
                    let text = node.text().map(str::to_owned);
                    if text.is_none() {
                        let title = format!("key is {}", node.kind());
                        errors.push(Diagnostic::new(
                            source,
                            node.span.clone(),
                            title,
                            "keys are strings",
                        ));
                    }
                    *key = Some((text, node.span));
                }
                Some((Some(name), key_span)) => {
                    if entries.iter().any(|entry| entry.key == name) {
                        let title = format!("duplicate key `{name}`");
                        let label = "stands twice in this mapping";
                        errors.push(Diagnostic::new(source, key_span, title, label));
                    } else {
                        entries.push(Entry {
                            key: name,
                            key_span,
                            value: node,
                        });
                    }
                }
                Some((None, _)) => {}
            },
        }
    }

    fn syntax(&mut self, error: &ScanError) -> Result<(), Stop> {
        let marker = error.marker();
        let at = marker
            .byte_offset()
            .unwrap_or(self.source.text.len())
            .min(self.source.text.len());
        let title = format!("broken YAML: {}", fragment(&error.info()));
        let hint = self.open_bracket(at);
        self.error(at..at + 1, title, "").hint = hint;
        Err(Stop)
    }

    fn error(
        &mut self,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        self.errors
            .add(Diagnostic::new(self.source, span, title, label))
    }

    fn span(&self, place: &granit_parser::Span) -> Span {
        place.byte_range().unwrap_or(0..0)
    }

    /// Where the innermost bracket that is still open was opened, in a line before the error.
    fn open_bracket(&self, at: usize) -> Option<String> {
        let start = match self.stack.last()? {
            Open::Sequence { start, .. } | Open::Mapping { start, .. } => *start,
        };
        let bracket = self.source.text.get(start..)?.chars().next()?;
        let (line, _) = position(&self.source.text, start);
        let is_above = line < position(&self.source.text, at).0;
        (matches!(bracket, '{' | '[') && is_above)
            .then(|| format!("the `{bracket}` of line {line} is still open"))
    }

    /// The `&name` that stands before a node.
    fn anchor_before(&self, start: usize) -> Span {
        let text = &self.source.text;
        let before = text.get(..start).unwrap_or_default();
        match before.rfind('&') {
            Some(at) => {
                let length = text[at..]
                    .find(char::is_whitespace)
                    .unwrap_or(text.len() - at);
                at..at + length
            }
            None => start..start,
        }
    }
}

/// A message of the parser as one of ours: a lower-case fragment without a full stop.
fn fragment(info: &str) -> String {
    let text = info.trim_end_matches('.');
    let mut letters = text.chars();
    let first = letters.next().map_or(String::new(), |first| {
        if letters
            .as_str()
            .starts_with(|second: char| second.is_uppercase())
        {
            return first.to_string();
        }
        first.to_lowercase().to_string()
    });
    first + letters.as_str()
}
