//! The report that people read. Failures in full, what is open, counts that add up, artefacts, exit (docs/contracts.md section 3).
//!
//! ```text
//! Report, Ending -> header -> not reached | denied, warnings -> errors, tolerated, undecided -> waiting, notes -> counts -> exit
//! ```
//!
//! Text from the target passes `visible` on its way to the page: it can neither colour the terminal nor forge a line.

mod advice;
mod evidence;
mod failure;
mod page;
mod summary;

use crate::{Ending, Fold, Report, Reporter};
use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use mcp_assay_model::event::Event;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::verdict::Gate;
use page::{Page, Tone};
use serde_json::Value;
use std::io::{self, Write};

/// Columns where there is no terminal to ask.
const PIPE_COLUMNS: usize = 100;
/// Columns below which lines are no longer made narrower, and above which they are no longer made wider.
const COLUMNS: (usize, usize) = (60, 160);

/// How the report is to look.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether to colour; words say the same without.
    pub color: bool,
    /// Failures in two lines each instead of in full, and no lists.
    pub quiet: bool,
    /// Files written beside this report: format and path.
    pub artefacts: Vec<(String, String)>,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            width: PIPE_COLUMNS,
            color: false,
            quiet: false,
            artefacts: Vec::new(),
        }
    }
}

impl Look {
    /// The look that suits standard output: as wide as its terminal, coloured as asked; `Auto` heeds `NO_COLOR` and pipes.
    pub fn of_stdout(color: ColorChoice) -> Self {
        Look::of(&io::stdout(), color)
    }

    /// The look that suits standard error.
    pub fn of_stderr(color: ColorChoice) -> Self {
        Look::of(&io::stderr(), color)
    }

    fn of<S: RawStream>(stream: &S, color: ColorChoice) -> Self {
        let choice = match color {
            ColorChoice::Auto => AutoStream::choice(stream),
            ColorChoice::Always | ColorChoice::AlwaysAnsi | ColorChoice::Never => color,
        };
        let width = match stream.is_terminal() {
            true => terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            false => None,
        };
        Look {
            width: width.unwrap_or(PIPE_COLUMNS).clamp(COLUMNS.0, COLUMNS.1),
            color: choice != ColorChoice::Never,
            ..Look::default()
        }
    }
}

/// Writes the report for people when the run is over.
#[derive(Debug)]
pub struct Terminal<W: Write> {
    out: W,
    look: Look,
    fold: Fold,
}

impl<W: Write> Terminal<W> {
    /// A reporter that writes to `out`.
    pub fn new(out: W, look: Look) -> Self {
        Terminal {
            out,
            look,
            fold: Fold::new(),
        }
    }
}

impl<W: Write> Reporter for Terminal<W> {
    fn see(&mut self, event: &Event) -> io::Result<()> {
        self.fold.see(event);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let (report, ending) = std::mem::take(&mut self.fold).finish_with_ending();
        self.out
            .write_all(render(&report, &ending, &self.look).as_bytes())?;
        self.out.flush()
    }
}

/// The report as text, with a line end.
pub fn render(report: &Report, ending: &Ending, look: &Look) -> String {
    let mut page = Page::new(look.width, look.color);
    header(&mut page, report);
    if report.exit_code == 3 {
        not_reached(&mut page, report, ending);
    }
    if report.exit_code == 130 {
        interrupted(&mut page, ending);
    }
    failures(&mut page, report, look);
    summary::errors(&mut page, report);
    if !look.quiet {
        summary::tolerated(&mut page, report);
        summary::undecided(&mut page, report);
        summary::waiting(&mut page, report);
    }
    // Where nothing was judged, a note says why, and it is all there is to read.
    if !look.quiet || report.results.is_empty() {
        summary::notes(&mut page, report, ending);
    }
    summary::counts(&mut page, report, ending, look);
    summary::exit(&mut page, report, ending);
    page.into_text()
}

fn header(page: &mut Page, report: &Report) {
    let tool = format!("{} {}", report.tool.name, report.tool.version);
    let rest = match report.sides.as_slice() {
        [] => format!("  {} under test, seed {}", report.role, report.seed),
        [one] => format!("  the {one} is judged"),
        _ => "  both sides are judged".to_owned(),
    };
    page.line(&[(Tone::Strong, &tool), (Tone::Dim, &rest)]);
    let what = if report.sides.is_empty() {
        "target"
    } else {
        "traffic"
    };
    page.field(what, &target(report), 2);
    let facts = &report.target;
    if let Some(info) = &facts.server_info {
        let part = |name: &str| match info.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        page.field(
            "says",
            format!("{} {}", part("name"), part("version")).trim(),
            2,
        );
    }
    if !report.sides.is_empty() {
        let bindings = names(&facts.bindings, Binding::as_str);
        let by = match facts.tested.as_slice() {
            [] => "what holds in all revisions".to_owned(),
            tested => names(tested, Revision::as_str),
        };
        page.field("judged", &format!("by {by}, over {bindings}"), 2);
    } else if !facts.tested.is_empty() {
        let tested = names(&facts.tested, Revision::as_str);
        let spoken = names(&facts.spoken, Revision::as_str);
        let bindings = names(&facts.bindings, Binding::as_str);
        page.field(
            "tested",
            &format!("{tested} over {bindings}; it speaks {spoken}"),
            2,
        );
    }
}

fn names<T: Copy>(items: &[T], name: impl Fn(T) -> &'static str) -> String {
    let items: Vec<&str> = items.iter().map(|item| name(*item)).collect();
    match items.as_slice() {
        [] => "nothing known".to_owned(),
        items => items.join(", "),
    }
}

/// The target as it was named: its address, or its command as a shell would take it.
fn target(report: &Report) -> String {
    if let Some(url) = &report.target.url {
        return url.clone();
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,*".contains(c);
    let quoted = report
        .target
        .argv
        .iter()
        .map(|argument| match argument.as_str() {
            "" => "''".to_owned(),
            argument if argument.chars().all(plain) => argument.to_owned(),
            argument => format!("'{}'", argument.replace('\'', r"'\''")),
        });
    let command: Vec<String> = quoted.collect();
    match command.as_slice() {
        [] => "unknown".to_owned(),
        command => command.join(" "),
    }
}

/// What, where, why and what next, where there is nothing else to report.
fn not_reached(page: &mut Page, report: &Report, ending: &Ending) {
    page.gap();
    page.line(&[
        (Tone::Bad, "NOT REACHED"),
        (
            Tone::Strong,
            "  the target gave no valid answer, so nothing can be said of it",
        ),
    ]);
    page.verbatim("where", &target(report));
    summary::reasons_of_exit(page, "why", ending);
    if ending.reasons.is_empty() {
        page.field("why", "no reason was recorded", 1);
    }
    let next = advice::not_reached(&report.target);
    page.field("then", next, 4);
}

fn interrupted(page: &mut Page, ending: &Ending) {
    page.gap();
    let what = match ending.complete {
        true => "  what was seen until then follows",
        false => "  the record ends in the middle of the run; what it holds follows",
    };
    page.line(&[(Tone::Warn, "INTERRUPTED"), (Tone::Strong, what)]);
    if let [first, rest @ ..] = ending.unfinished.as_slice() {
        let more = match rest.len() {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        page.field("running", &format!("{first}{more}"), 2);
    }
}

fn failures(page: &mut Page, report: &Report, look: &Look) {
    for gate in [Gate::Deny, Gate::Warn] {
        let groups = failure::groups(&report.results, gate);
        page.gap();
        for (n, group) in groups.iter().enumerate() {
            if look.quiet {
                failure::write_short(page, group);
            } else {
                failure::write(page, group, n + 1, groups.len());
            }
        }
    }
}
