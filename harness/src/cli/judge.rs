//! `judge`: recordings, from files to reports.

use super::args::{self, Colour};
use super::run::harness;
use super::target::quoted;
use super::verdict::{Verdict, for_people, gate, reporters, scope};
use super::{Failure, listing};
use crate::run::exit::ExitCode;
use crate::traffic::panel::{Panel, Scope};
use crate::traffic::read::{Broken, Told, read};
use mcp_assay_model::event::TargetFacts;
use mcp_assay_report::{Look, Mask, Meter, Terminal};
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::signal::unix::{SignalKind, signal};

/// Bytes that are read at once.
const PIECE: usize = 256 * 1024;
/// Entries between two looks at how far reading is.
const LOOK_EVERY: u64 = 256;

/// Runs the command.
///
/// **Errors**: a file that cannot be read or is no recording, a report that cannot be written.
pub fn main(judge: &args::Judge, colour: Colour) -> Result<ExitCode, Failure> {
    let catalogue = listing::load(None)?;
    let (mut reporters, takes_stdout, artefacts) = reporters(&judge.judging)?;
    let gate = gate(&catalogue, &judge.judging)?;
    let began = Instant::now();
    let wide = scope(&judge.judging, None);
    let mut panel = Panel::new(wide.clone());
    let mut notes = Vec::new();
    let mut target = None;
    let interrupted = interrupted()?;
    for file in &judge.files {
        if judge.files.len() > 1 {
            panel.source(file);
        }
        let told = match one(judge, file, &mut panel, &interrupted) {
            // What was read until then is judged.
            Err(_) if interrupted.load(Ordering::Relaxed) => break,
            told => told?,
        };
        let of_file = |note: String| match judge.files.len() {
            1 => note,
            _ => format!("{file}: {note}"),
        };
        notes.extend(told.notes.into_iter().map(of_file));
        target = target.or(told.target);
    }
    let judged = panel.finish();
    let interrupted = interrupted.load(Ordering::Relaxed);
    if judged.entries == 0 && !interrupted {
        let files = judge.files.join(", ");
        return Err(Failure::usage(format!("no MCP traffic in {files}")).hint(
            "a recording is jsonl of `run` or `tap`, lines with a direction, or a HAR; `--input` names the format where it is not recognised",
        ));
    }
    // The other side of a run's record was ours, and cards break rules on purpose.
    let narrow: Scope = scope(&judge.judging, target);
    let ours = target.filter(|_| judge.judging.role.is_none());
    let mut all = judged.notes(ours);
    all.extend(notes);
    if !takes_stdout {
        let look = Look {
            artefacts,
            quiet: judge.judging.quiet,
            ..Look::of_stdout(colour.choice())
        };
        for_people(&mut reporters, Terminal::new(io::stdout(), look));
    }
    let verdict = Verdict {
        judged: &judged,
        scope: &narrow,
        gate: &gate,
        target: TargetFacts {
            argv: judge.files.clone(),
            ..TargetFacts::default()
        },
        notes: all,
        interrupted,
        again: again(judge),
        took: began.elapsed(),
        mask: &Mask::default(),
    };
    verdict.tell(&catalogue, &mut reporters)
}

/// A command that judges the same again; standard input is gone.
fn again(judge: &args::Judge) -> String {
    if judge.files.iter().any(|file| file == "-") {
        return String::new();
    }
    let mut words = vec!["mcp-assay judge".to_owned()];
    words.extend(
        judge
            .input
            .map(|format| format!("--input {}", format.as_str())),
    );
    let judging = &judge.judging;
    words.extend(judging.revision.map(|it| format!("--revision {it}")));
    words.extend(judging.role.map(|role| format!("--role {}", role.as_str())));
    words.extend(judge.files.iter().map(|file| quoted(file)));
    words.join(" ")
}

/// Reads one file into the panel.
fn one(
    judge: &args::Judge,
    file: &str,
    panel: &mut Panel,
    interrupted: &AtomicBool,
) -> Result<Told, Failure> {
    let cannot = |error: io::Error| {
        Failure::usage(format!("cannot read the recording `{file}`: {error}"))
            .hint("name a file, or `-` for standard input")
    };
    let (input, length): (Box<dyn Read>, Option<u64>) = if file == "-" {
        (Box::new(io::stdin()), None)
    } else {
        let opened = File::open(file).map_err(cannot)?;
        let metadata = opened.metadata().map_err(cannot)?;
        let length = metadata.is_file().then_some(metadata.len());
        (Box::new(opened), length)
    };
    let position = Cell::new(0);
    let counted = Counted {
        input,
        position: &position,
        interrupted,
    };
    let meter = Meter::new(length);
    let (mut seen, mut found): (u64, u64) = (0, 0);
    let mut buffered = BufReader::with_capacity(PIECE, counted);
    let mut hear = |_: &Told, heard| {
        found += panel.hear(&heard).len() as u64;
        seen += 1;
        if seen.is_multiple_of(LOOK_EVERY) {
            meter.set(position.get(), found);
        }
    };
    read(&mut buffered, judge.input, &mut hear).map_err(|broken| told(file, broken))
}

fn told(file: &str, broken: Broken) -> Failure {
    let place = match broken.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    };
    let failure = Failure::usage(format!("{place}: {}", broken.why));
    match broken.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Set by Ctrl-C; a second one ends the process at once, because a read may never return.
///
/// **Errors**: the system gives no thread or no signal handler.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let broken = |error: io::Error| harness(format!("no signal handler: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(broken)?;
    let mut ctrl_c = {
        let _within = runtime.enter();
        signal(SignalKind::interrupt()).map_err(broken)?
    };
    let wait = move || {
        runtime.block_on(async {
            ctrl_c.recv().await;
            set.store(true, Ordering::Relaxed);
            ctrl_c.recv().await;
            std::process::exit(i32::from(ExitCode::Interrupted.number()));
        });
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)
        .map_err(broken)?;
    Ok(flag)
}

/// Counts what is read, and reads no further after Ctrl-C.
struct Counted<'c> {
    input: Box<dyn Read>,
    position: &'c Cell<u64>,
    interrupted: &'c AtomicBool,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        let read = self.input.read(buffer)?;
        self.position.set(self.position.get() + read as u64);
        Ok(read)
    }
}
