//! What was judged of other people's traffic, as events for the reporters, and the exit code that it comes to.

use super::Failure;
use super::args::{Judging, Sides};
use super::run::{Reporters, files, outputs};
use super::target;
use crate::run::exit::{ExitCode, Tally};
use crate::run::gate::GatePolicy;
use crate::traffic::panel::{Judged, Scope, Settled};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::event::{
    Coverage, EVENTS_FORMAT, Event, RunFinished, RunStarted, TargetFacts, Tool,
};
use mcp_assay_model::protocol::Role;
use mcp_assay_report::{Mask, Reporter};
use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

/// Whose conduct is judged, and by what.
pub fn scope(judging: &Judging, target: Option<Role>) -> Scope {
    let roles = match (judging.role, target) {
        (Some(Sides::Server), _) => BTreeSet::from([Role::Server]),
        (Some(Sides::Client), _) => BTreeSet::from([Role::Client]),
        (None, Some(target)) => BTreeSet::from([target]),
        (Some(Sides::Both), _) | (None, None) => BTreeSet::from([Role::Server, Role::Client]),
    };
    Scope {
        revision: judging.revision,
        roles,
    }
}

/// What a failure does, as the profile says.
///
/// **Errors**: a profile that cannot be read, or is wrong.
pub fn gate(catalogue: &Catalogue, judging: &Judging) -> Result<GatePolicy, Failure> {
    let profile = target::profile(catalogue, judging.profile.as_deref())?;
    Ok(GatePolicy::of(&profile, false))
}

/// What is told of what was judged.
pub struct Verdict<'v> {
    /// What was judged.
    pub judged: &'v Judged,
    /// Whose conduct.
    pub scope: &'v Scope,
    /// What a failure does.
    pub gate: &'v GatePolicy,
    /// What was listened to.
    pub target: TargetFacts,
    /// Remarks, a line each.
    pub notes: Vec<String>,
    /// Whether Ctrl-C ended the reading.
    pub interrupted: bool,
    /// A command that judges the same again; empty where there is none.
    pub again: String,
    /// How long it took.
    pub took: Duration,
    /// Takes secrets out.
    pub mask: &'v Mask,
}

impl Verdict<'_> {
    /// Tells the reporters, and gives the exit code.
    ///
    /// **Errors**: a report cannot be written.
    pub fn tell(
        self,
        catalogue: &Catalogue,
        reporters: &mut Reporters,
    ) -> Result<ExitCode, Failure> {
        let Verdict {
            judged,
            scope,
            gate,
            mut target,
            notes,
            interrupted,
            again,
            took,
            mask,
        } = self;
        target.tested = judged.revisions.iter().copied().collect();
        target.bindings = judged.bindings.iter().copied().collect();
        target.spoken.clone_from(&target.tested);
        target.eras = target.tested.iter().map(|it| it.era()).collect();
        target.eras.dedup();
        let is_client = scope.roles.len() == 1 && scope.roles.contains(&Role::Client);
        let mut told = Telling {
            mask,
            reporters,
            broken: None,
        };
        let results = judged.results(catalogue, &scope.roles, gate);
        told.tell(Event::RunStarted(RunStarted {
            format: EVENTS_FORMAT.to_owned(),
            tool: Tool {
                name: "mcp-assay".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            role: if is_client {
                Role::Client
            } else {
                Role::Server
            },
            sides: scope.roles.iter().copied().collect(),
            seed: 0,
            target,
            started: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
                .to_string(),
            cases: results.len() as u64,
        }));
        let mut tally = Tally::default();
        tally.observes = true;
        tally.interrupted = interrupted;
        for Settled {
            mut result,
            example,
        } in results
        {
            result.rerun.clone_from(&again);
            tally.see(&result);
            let case = result.case.clone();
            told.tell(Event::CaseStarted {
                case: case.clone(),
                attempt: 1,
            });
            for entry in example {
                told.tell(Event::Message {
                    case: case.clone(),
                    attempt: 1,
                    entry,
                });
            }
            told.tell(Event::CaseFinished {
                case,
                results: vec![result],
            });
        }
        let (code, reasons) = tally.decide();
        told.tell(Event::RunFinished(RunFinished {
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            waiting_ms: 0,
            exit_code: code.number(),
            reasons,
            waiting_for: Vec::new(),
            coverage: Coverage::default(),
            notes,
            noted: judged.noted(&scope.roles),
        }));
        told.finish()?;
        Ok(code)
    }
}

struct Telling<'t> {
    mask: &'t Mask,
    reporters: &'t mut Reporters,
    broken: Option<io::Error>,
}

impl Telling<'_> {
    fn tell(&mut self, mut event: Event) {
        self.mask.event(&mut event);
        for reporter in self.reporters.iter_mut() {
            if let Err(error) = reporter.see(&event) {
                self.broken.get_or_insert(error);
            }
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        for reporter in self.reporters.iter_mut() {
            if let Err(error) = reporter.finish() {
                self.broken.get_or_insert(error);
            }
        }
        match self.broken {
            // A reader that went away, such as `head`, wants no more; the verdict stands.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::usage(
                format!("a report could not be written: {error}"),
            )),
            _ => Ok(()),
        }
    }
}

/// The reporters that write to files, whether one of them takes standard output, and the files by format.
///
/// **Errors**: what is no FORMAT=FILE, or cannot be written.
pub fn reporters(judging: &Judging) -> Result<(Reporters, bool, Artefacts), Failure> {
    let reports = outputs(&judging.report)?;
    let takes_stdout = reports.iter().any(|(_, path)| *path == "-");
    let artefacts = reports
        .iter()
        .map(|(format, path)| ((*format).to_owned(), (*path).to_owned()))
        .collect();
    Ok((files(reports)?, takes_stdout, artefacts))
}

/// Files that were written: format and path.
pub type Artefacts = Vec<(String, String)>;

/// A report for people, beside those in files.
pub fn for_people(reporters: &mut Reporters, reporter: impl Reporter + Send + 'static) {
    reporters.push(Box::new(reporter));
}
