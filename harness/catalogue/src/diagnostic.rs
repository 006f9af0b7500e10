//! What is wrong with a file a person wrote, with its place: rustc style, golden under `golden/diagnostics/`.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use mcp_assay_model::scenario::{Source, Span};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// One error in one file.
///
/// **Shape**: texts are lower-case fragments without a full stop that name the value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes that the carets mark; empty at the end of a file.
    pub span: Span,
    /// What is wrong: `unknown key` and the key.
    pub title: String,
    /// What stands beside the carets; may be empty.
    pub label: String,
    /// A next step, where we know one.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn new(
        source: &Arc<Source>,
        span: Span,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic {
            source: Arc::clone(source),
            span,
            title: title.into(),
            label: label.into(),
            hint: None,
        }
    }

    /// With a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the nearest of the known names, or with all of them where none is near.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<&str> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        match nearest(name, known.iter().copied()) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => self.hint("none is known"),
            None if known.len() > 24 => self,
            None => self.hint(format!("known: {}", known.join(", "))),
        }
    }

    /// Line and column of its beginning, both from 1; columns count characters.
    pub fn position(&self) -> (usize, usize) {
        position(&self.source.text, self.span.start)
    }

    /// The text for a person, without a final newline.
    pub fn render(&self, colour: bool) -> String {
        let text = shown(&self.source.text);
        let annotation = AnnotationKind::Primary
            .span(within(&text, &self.span))
            .label((!self.label.is_empty()).then_some(self.label.as_str()));
        let group: Group<'_> = Level::ERROR.primary_title(self.title.as_str()).element(
            Snippet::source(text.as_str())
                .path(self.source.path.as_str())
                .annotation(annotation),
        );
        let group = match &self.hint {
            Some(hint) => group.element(Level::HELP.message(hint.as_str())),
            None => group,
        };
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer
            .decor_style(DecorStyle::Ascii)
            .term_width(140)
            .render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    /// One line: `path:line:column: title`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{}:{line}:{column}: {}", self.source.path, self.title)
    }
}

impl Error for Diagnostic {}

/// All errors of one reading.
///
/// **Shape**: never empty where it stands in an `Err`; in the order of files and places.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The errors.
    pub fn list(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one and gives it back, for a hint.
    pub fn add(&mut self, diagnostic: Diagnostic) -> &mut Diagnostic {
        self.0.push(diagnostic);
        self.0.last_mut().expect("one was just added")
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another reading.
    pub fn extend(&mut self, others: Diagnostics) {
        self.0.extend(others.0);
    }

    /// `Ok` of the value where there is no error.
    ///
    /// **Errors**: itself, sorted, where there is one.
    pub fn unless_any<T>(mut self, value: T) -> Result<T, Diagnostics> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort_by(|left, right| {
            (&left.source.path, left.span.start).cmp(&(&right.source.path, right.span.start))
        });
        Err(self)
    }

    /// The text for a person: each error, a blank line between them, a count at the end where there are several.
    pub fn render(&self, colour: bool) -> String {
        let mut parts: Vec<String> = self.0.iter().map(|one| one.render(colour)).collect();
        if self.0.len() > 1 {
            parts.push(format!("{} errors", self.0.len()));
        }
        parts.join("\n\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(list: Vec<Diagnostic>) -> Self {
        Diagnostics(list)
    }
}

impl fmt::Display for Diagnostics {
    /// The plain rendering.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Error for Diagnostics {}

/// The known name that a typing error most likely meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            let length = candidate.chars().count().max(lower.chars().count());
            *distance <= (length / 3).min(6)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Line and column of a byte offset, both from 1; columns count characters.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..boundary(text, offset)];
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |tail| tail.chars().count());
    (line, column + 1)
}

/// The last place at or before an offset where a character begins.
pub(crate) fn boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The text with control characters replaced by spaces of the same length, so that a file cannot colour the terminal.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' && character != '\t' && character != '\r' {
            out.extend(std::iter::repeat_n(' ', character.len_utf8()));
        } else {
            out.push(character);
        }
    }
    out
}

/// The span cut to its first line and to the text, at least one character wide where the text goes on.
fn within(text: &str, span: &Span) -> Span {
    let start = boundary(text, span.start);
    let wanted = boundary(text, span.end).max(start);
    let line_end = text[start..]
        .find(['\n', '\r'])
        .map_or(text.len(), |length| start + length);
    let end = wanted.min(line_end);
    if end > start || start == text.len() {
        return start..end;
    }
    let width = text[start..].chars().next().map_or(0, char::len_utf8);
    if start == line_end {
        start..start
    } else {
        start..start + width
    }
}

#[cfg(test)]
mod tests {
    use super::{nearest, position};

    #[test]
    fn nearest_finds_typing_errors_and_nothing_far() {
        let known = ["reply_to", "request", "notification", "status", "exit"];
        assert_eq!(nearest("replyto", known), Some("reply_to"));
        assert_eq!(nearest("Status", known), Some("status"));
        assert_eq!(nearest("body", known), None);
        assert_eq!(nearest("x", []), None);
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(position("a: é\nbé: c", 9), (2, 3));
        assert_eq!(position("", 5), (1, 1));
    }
}
