//! The page that a terminal report is written on: styled or plain, as wide as it may be, and never styled by its data.

use crate::text::{columns, cut, visible, wrap};
use anstyle::{AnsiColor, Style};

/// Columns of the indent and label of a field.
const LABEL: usize = 12;

/// What a piece of text is, which decides how it is styled; words say the same without colour.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    /// Denied, or wrong in the harness.
    Bad,
    /// A warning.
    Warn,
    /// All is well.
    Good,
    /// A heading or a name.
    Strong,
    /// A label, or what can be skipped.
    Dim,
    /// Text.
    Plain,
}

impl Tone {
    fn style(self) -> Style {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        match self {
            Tone::Bad => color(AnsiColor::Red).bold(),
            Tone::Warn => color(AnsiColor::Yellow).bold(),
            Tone::Good => color(AnsiColor::Green).bold(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dimmed(),
            Tone::Plain => Style::new(),
        }
    }
}

/// Text so far.
#[derive(Debug)]
pub(super) struct Page {
    out: String,
    width: usize,
    color: bool,
}

impl Page {
    pub(super) fn new(width: usize, color: bool) -> Self {
        Page {
            out: String::new(),
            width,
            color,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.out
    }

    /// Columns beside a field's label.
    pub(super) fn room(&self) -> usize {
        self.width.saturating_sub(LABEL).max(20)
    }

    /// Columns of a whole line.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// An empty line, one at most.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A heading, apart from what is above it.
    pub(super) fn heading(&mut self, text: &str) {
        self.gap();
        self.line(&[(Tone::Strong, text)]);
    }

    /// One line of pieces, as they are; each is made visible first, none is cut.
    pub(super) fn line(&mut self, pieces: &[(Tone, &str)]) {
        for (tone, text) in pieces {
            self.piece(*tone, text);
        }
        while self.out.ends_with(' ') {
            self.out.pop();
        }
        self.out.push('\n');
    }

    /// A label and its text, wrapped beside it, in at most about so many lines; the middle goes first.
    pub(super) fn field(&mut self, label: &str, text: &str, lines: usize) {
        let text = visible(text);
        let room = self.room();
        let text = cut(&text, (room * lines).saturating_sub(room / 4).max(room));
        for (n, line) in wrap(&text, room).iter().enumerate() {
            self.beside(if n == 0 { label } else { "" }, line);
        }
    }

    /// A label and text that must stay in one piece, to be copied.
    pub(super) fn verbatim(&mut self, label: &str, text: &str) {
        self.beside(label, text);
    }

    /// A line of the target's own words, in the place of a field's text.
    pub(super) fn quote(&mut self, text: &str) {
        let room = self.room().saturating_sub(2).max(20);
        for line in wrap(&cut(&visible(text), room * 3), room) {
            self.beside("", &format!("| {line}"));
        }
    }

    /// Text wrapped over the whole width, behind an indent.
    pub(super) fn paragraph(&mut self, indent: usize, text: &str) {
        let pad = " ".repeat(indent);
        let room = self.width.saturating_sub(indent).max(20);
        for (n, line) in wrap(&visible(text), room.saturating_sub(2))
            .iter()
            .enumerate()
        {
            let hang = if n == 0 { "" } else { "  " };
            self.line(&[
                (Tone::Plain, &pad),
                (Tone::Plain, hang),
                (Tone::Plain, line),
            ]);
        }
    }

    fn beside(&mut self, label: &str, text: &str) {
        let pad = " ".repeat(LABEL.saturating_sub(2 + columns(label)).max(1));
        self.line(&[
            (Tone::Plain, "  "),
            (Tone::Dim, label),
            (Tone::Plain, &pad),
            (Tone::Plain, text),
        ]);
    }

    fn piece(&mut self, tone: Tone, text: &str) {
        let text = visible(text);
        let style = tone.style();
        if self.color && !text.is_empty() && style != Style::new() {
            self.out.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.out.push_str(&text);
        }
    }
}
