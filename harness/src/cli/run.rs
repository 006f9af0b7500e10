//! `run`: from arguments to events to reports.

use super::args::{self, Colour};
use super::select::select;
use super::{Failure, dry, listing, target};
use crate::native::permission::Permissions;
use crate::run::attempt::Stage;
use crate::run::engine;
use crate::run::exit::ExitCode;
use crate::run::gate::GatePolicy;
use crate::run::probe::Choice;
use crate::run::settings::Settings;
use crate::script::pace::Pace;
use crate::target::Launcher;
use mcp_assay_catalogue::profile::{Profile, Revisions};
use mcp_assay_model::event::Event;
use mcp_assay_report::{Json, Jsonl, Junit, Look, Mask, Progress, Reporter, Terminal};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Runs the command.
///
/// **Errors**: what is wrong with the arguments, the profile, the cards or the files to write.
pub fn main(run: args::Run, colour: Colour) -> Result<ExitCode, Failure> {
    let catalogue = Arc::new(listing::load(run.suites.as_deref())?);
    let profile = target::profile(&catalogue, run.profile.as_deref())?;
    let chosen = select(&catalogue, &run.only)?;
    let (target, again, secrets) = target::target(&run, &profile)?;
    let (timeout, start_timeout) = target::times(&run, &profile);
    let mut globs: Vec<String> = run
        .allow_tool
        .iter()
        .chain(&profile.allow_tools)
        .cloned()
        .collect();
    // A fixture in the profile names the tool that may be called for it; the reference server's tools harm nobody.
    globs.extend(profile.fixtures.values().flat_map(named_tools));
    if run.this {
        globs.push("*".to_owned());
    }
    let permissions = Permissions::new(&globs, run.no_calls)
        .map_err(|error| Failure::usage(format!("a tool glob cannot be read: {error}")))?;
    let gate = GatePolicy::of(&profile, run.strict);
    let reports = outputs(&run.report)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| harness(format!("no runtime: {error}")))?;
    let settings = Settings {
        chosen,
        choice: choice(&run, &profile)?,
        jobs: usize::from(run.jobs),
        seed: run.seed,
        calls_allowed: !globs.is_empty(),
        may_measure: !run.dry,
        permissions,
        gate,
        rerun: (rerun_start(&run), again),
        started: jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
            .to_string(),
    };
    let fixtures = if run.this {
        crate::prove::fixtures()
    } else {
        serde_json::to_value(&profile.fixtures).map_err(|error| harness(error.to_string()))?
    };
    runtime.block_on(async {
        // From before the first process on, Ctrl-C ends the run in order.
        let mut ctrl_c = signal(SignalKind::interrupt())
            .map_err(|error| harness(format!("no signal handler: {error}")))?;
        let launcher = Launcher::new(target, !run.dry).map_err(|error| {
            harness(format!(
                "the thread that keeps targets did not start: {error}"
            ))
        })?;
        let stage = Stage {
            launcher,
            pace: Arc::new(Pace::new(timeout, start_timeout)),
            catalogue,
            fixtures,
            found: BTreeMap::new(),
            means: BTreeMap::new(),
        };
        let mask = Mask::new(secrets);
        if run.dry {
            return tokio::select! {
                planned = dry::main(stage, &settings, &mask) => planned,
                _ = ctrl_c.recv() => Ok(ExitCode::Interrupted),
            };
        }
        let artefacts = reports
            .iter()
            .map(|(format, path)| ((*format).to_owned(), (*path).to_owned()))
            .collect();
        let mut reporters = reporters(reports, run.quiet, colour, artefacts)?;
        let (interrupt, interrupted) = watch::channel(false);
        tokio::spawn(async move {
            if ctrl_c.recv().await.is_some() {
                // Nobody listens any more: the run is over.
                let _ = interrupt.send(true);
            }
            std::future::pending::<()>().await;
        });
        let mut broken: Option<io::Error> = None;
        let code = engine::run(stage, &settings, interrupted, &mut |mut event: Event| {
            mask.event(&mut event);
            for reporter in &mut reporters {
                if let Err(error) = reporter.see(&event) {
                    broken.get_or_insert(error);
                }
            }
        })
        .await;
        for reporter in &mut reporters {
            if let Err(error) = reporter.finish() {
                broken.get_or_insert(error);
            }
        }
        match broken {
            // A reader that went away, such as `head`, wants no more; the verdict stands.
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::usage(
                format!("a report could not be written: {error}"),
            )),
            _ => Ok(code),
        }
    })
}

pub(super) fn harness(message: String) -> Failure {
    Failure {
        code: ExitCode::Harness,
        message,
        hint: None,
    }
}

/// Tools that the fields of a fixture name.
fn named_tools(fixture: &serde_json::Value) -> Vec<String> {
    let names = [fixture.get("tool"), fixture.pointer("/call/name")];
    // A name is meant to the letter, whatever a glob would make of it.
    names
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .map(globset::escape)
        .collect()
}

/// The command line, else the profile, else auto.
///
/// **Errors**: several revisions.
fn choice(run: &args::Run, profile: &Profile) -> Result<Choice, Failure> {
    let choice = match (run.revision, &profile.revisions) {
        (Some(choice), _) => choice.0,
        (None, None | Some(Revisions::Auto)) => Choice::Auto,
        (None, Some(Revisions::All)) => Choice::All,
        (None, Some(Revisions::Only(revisions))) => match revisions.as_slice() {
            [one] => Choice::Exact(*one),
            _ => {
                return Err(Failure::usage(
                    "`revisions` in the profile names several; name one, or write `all`",
                ));
            }
        },
    };
    Ok(choice)
}

/// The part of a rerun command before its selection.
fn rerun_start(run: &args::Run) -> String {
    let mut words = vec!["mcp-assay run".to_owned(), format!("--seed {}", run.seed)];
    if let Some(suites) = &run.suites {
        words.push(format!(
            "--suites {}",
            target::quoted(&suites.display().to_string())
        ));
    }
    if let Some(profile) = &run.profile {
        words.push(format!(
            "--profile {}",
            target::quoted(&profile.display().to_string())
        ));
    }
    let times = [
        ("--timeout", run.timeout),
        ("--start-timeout", run.start_timeout),
    ];
    for (name, time) in times {
        words.extend(time.map(|time| format!("{name} {}ms", time.as_millis())));
    }
    if run.strict {
        words.push("--strict".to_owned());
    }
    if run.no_calls {
        words.push("--no-calls".to_owned());
    }
    words.extend(
        run.allow_tool
            .iter()
            .map(|glob| format!("--allow-tool {}", target::quoted(glob))),
    );
    match run.revision.map(|choice| choice.0) {
        Some(Choice::Exact(revision)) => words.push(format!("--revision {revision}")),
        Some(Choice::All) => words.push("--revision all".to_owned()),
        Some(Choice::Auto) | None => {}
    }
    words.join(" ")
}

/// Reads `--report FORMAT=FILE`.
pub(super) fn outputs(reports: &[String]) -> Result<Vec<(&str, &str)>, Failure> {
    let known = ["json", "jsonl", "junit"];
    reports
        .iter()
        .map(|report| match report.split_once('=') {
            Some((format, path)) if known.contains(&format) && !path.is_empty() => {
                Ok((format, path))
            }
            _ => {
                let message = format!("--report `{report}` is not FORMAT=FILE");
                Err(Failure::usage(message).hint(format!("formats: {}", known.join(", "))))
            }
        })
        .collect()
}

pub(super) type Reporters = Vec<Box<dyn Reporter + Send>>;

fn reporters(
    reports: Vec<(&str, &str)>,
    quiet: bool,
    colour: Colour,
    artefacts: Vec<(String, String)>,
) -> Result<Reporters, Failure> {
    let stdout_taken = reports.iter().any(|(_, path)| *path == "-");
    let mut all = files(reports)?;
    if !stdout_taken {
        if !quiet {
            all.push(Box::new(Progress::new()));
        }
        let look = Look {
            artefacts,
            quiet,
            ..Look::of_stdout(colour.choice())
        };
        all.push(Box::new(Terminal::new(io::stdout(), look)));
    }
    Ok(all)
}

/// The reporters that write to files.
pub(super) fn files(reports: Vec<(&str, &str)>) -> Result<Reporters, Failure> {
    let of = |(format, path): (&str, &str)| -> Result<Box<dyn Reporter + Send>, Failure> {
        let out = open(path)?;
        Ok(match format {
            "json" => Box::new(Json::new(out)),
            "junit" => Box::new(Junit::new(out)),
            _ => Box::new(Jsonl::new(out)),
        })
    };
    reports.into_iter().map(of).collect()
}

fn open(path: &str) -> Result<Box<dyn Write + Send>, Failure> {
    if path == "-" {
        return Ok(Box::new(io::stdout()));
    }
    let file = File::create(Path::new(path))
        .map_err(|error| Failure::usage(format!("cannot write the report `{path}`: {error}")))?;
    Ok(Box::new(BufWriter::new(file)))
}
