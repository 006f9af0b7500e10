//! `tap`: from arguments to a conversation that is passed on, written down and judged.

use super::args::{self, Colour};
use super::run::harness;
use super::target::{quoted, secrets_of};
use super::verdict::{Verdict, for_people, gate, reporters, scope};
use super::{Failure, listing};
use crate::run::exit::ExitCode;
use crate::run::gate::GatePolicy;
use crate::tap::ear::{Ear, Report, Streams};
use crate::tap::feed::{BOUND, Feed, Food};
use crate::tap::http::{self, Upstream};
use crate::tap::lines::Lines;
use crate::tap::stdio;
use crate::target::own_program;
use crate::traffic::panel::Panel;
use crate::traffic::recorder::{MASKED, Recorder};
use crate::traffic::sockets::Sockets;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::event::TargetFacts;
use mcp_assay_report::{Look, Mask, Terminal};
use mcp_assay_transport::http::dial::Network;
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::stdio::{Command, SpawnError, Spawner};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the command.
///
/// **Errors**: what is wrong with the arguments; a server that is not started, an address that cannot be listened at. A recording that cannot
/// be written is none: it is said, and the conversation goes on.
pub fn main(tap: &args::Tap, colour: Colour) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| harness(format!("no runtime: {error}")))?;
    match (&tap.listen, &tap.upstream) {
        (Some(listen), Some(upstream)) => over_http(tap, colour, &runtime, listen, upstream),
        _ => over_stdio(tap, colour, runtime),
    }
}

fn over_stdio(tap: &args::Tap, colour: Colour, runtime: Runtime) -> Result<ExitCode, Failure> {
    if tap.judging.report.iter().any(|it| it.ends_with("=-")) {
        return Err(Failure::usage(
            "a report cannot go to stdout, which belongs to the conversation",
        )
        .hint("name a file: --report json=FILE"));
    }
    let argv = tap.command.iter();
    let target = TargetFacts {
        argv: argv
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        ..TargetFacts::default()
    };
    let tapping = Tapping::begin(tap, colour, target, Vec::new())?;
    let program = own_program().map_err(|error| harness(error.to_string()))?;
    let spawner = Spawner::start(program, vec!["guard".into()])
        .map_err(|error| harness(format!("no thread that keeps the server: {error}")))?;
    let (feed, food) = Feed::new(BOUND);
    let (told, ended) = mpsc::channel();
    let passed = runtime.block_on(async {
        let command = Command::new(tap.command.iter().cloned());
        let pipes = spawner.spawn(&command).await.map_err(not_started)?;
        let ear = tapping.listen(Streams::Lines(Lines::new()), food, ended)?;
        let passed = stdio::pass(pipes, feed)
            .await
            .map_err(|error| harness(format!("no signal handler: {error}")))?;
        Ok::<_, Failure>((passed, ear))
    });
    // The thread that reads our standard input cannot be interrupted; the process ends without it.
    runtime.shutdown_background();
    drop(spawner);
    let (passed, ear) = passed?;
    // An ear that went before us has said why.
    let _ = told.send(passed.how);
    drop(told);
    let note = format!("the exit code of tap is the server's, {}", passed.code);
    tapping.conclude(ear, Some(note))?;
    std::process::exit(i32::from(passed.code))
}

fn not_started(error: SpawnError) -> Failure {
    Failure {
        code: ExitCode::NoTarget,
        message: error.to_string(),
        hint: None,
    }
}

fn over_http(
    tap: &args::Tap,
    colour: Colour,
    runtime: &Runtime,
    listen: &str,
    upstream: &str,
) -> Result<ExitCode, Failure> {
    let endpoint = Endpoint::parse(upstream)
        .map_err(|error| Failure::usage(format!("--upstream `{upstream}`: {error}")))?;
    if endpoint.userinfo.is_some() {
        let why = "--upstream has a user name; requests are passed on as the client makes them";
        return Err(Failure::usage(why).hint("leave it out, and have the client send it"));
    }
    let target = TargetFacts {
        url: Some(endpoint.url()),
        ..TargetFacts::default()
    };
    let secrets = secrets_of(upstream, &endpoint);
    let ca = tap.ca.iter().map(|path| {
        std::fs::read(path)
            .map_err(|error| Failure::usage(format!("cannot read `{}`: {error}", path.display())))
    });
    let ca: Vec<Vec<u8>> = ca.collect::<Result<_, _>>()?;
    let network = Network::new(&ca).map_err(|error| Failure::usage(error.to_string()))?;
    let tapping = Tapping::begin(tap, colour, target, secrets)?;
    let (feed, food) = Feed::new(BOUND);
    let (told, ended) = mpsc::channel();
    let ear = runtime.block_on(async {
        let cannot =
            |error: io::Error| Failure::usage(format!("cannot listen at {listen}: {error}"));
        let listener = TcpListener::bind(listen).await.map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let handler = |kind| signal(kind).map_err(|error| harness(error.to_string()));
        let mut interrupt = handler(SignalKind::interrupt())?;
        let mut terminate = handler(SignalKind::terminate())?;
        let sockets = Sockets::new(&endpoint.target);
        let ear = tapping.listen(Streams::Sockets(sockets), food, ended)?;
        let path = endpoint.target.split('?').next().unwrap_or_default();
        anstream::eprintln!(
            "listening on http://{bound}{path}, passing on to {}",
            tapping.mask.text(&endpoint.url())
        );
        let upstream = Arc::new(Upstream {
            endpoint,
            dial: Arc::new(network),
            say: Arc::new(say),
        });
        tokio::select! {
            () = http::pass(listener, upstream, feed) => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok::<_, Failure>(ear)
    })?;
    drop(told);
    tapping.conclude(ear, None)
}

/// Says a line to people.
fn say(line: &str) {
    let line = format!("mcp-assay: {}\n", mcp_assay_report::visible(line));
    // In one piece, since the server writes there too; who closed it wants no lines.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// What goes on beside the conversation.
struct Tapping<'t> {
    tap: &'t args::Tap,
    colour: Colour,
    catalogue: Catalogue,
    target: TargetFacts,
    secrets: Vec<String>,
    mask: Mask,
    gate: GatePolicy,
    reporters: super::run::Reporters,
    artefacts: Vec<(String, String)>,
    takes_stdout: bool,
    began: Instant,
}

impl<'t> Tapping<'t> {
    fn begin(
        tap: &'t args::Tap,
        colour: Colour,
        target: TargetFacts,
        secrets: Vec<String>,
    ) -> Result<Self, Failure> {
        let (reporters, takes_stdout, artefacts) = reporters(&tap.judging)?;
        let catalogue = listing::load(None)?;
        Ok(Tapping {
            tap,
            colour,
            gate: gate(&catalogue, &tap.judging)?,
            catalogue,
            target,
            mask: Mask::new(secrets.clone()),
            secrets,
            reporters,
            artefacts,
            takes_stdout,
            began: Instant::now(),
        })
    }

    /// Begins to listen.
    fn listen(
        &self,
        streams: Streams,
        food: Food,
        ended: mpsc::Receiver<String>,
    ) -> Result<JoinHandle<Report>, Failure> {
        let scope = scope(&self.tap.judging, None);
        let ear = Ear {
            streams,
            recorder: self.recorder(),
            panel: Box::new(move || Panel::new(scope)),
            mask: self.mask.clone(),
            say: Box::new(say),
        };
        ear.start(food, ended)
            .map_err(|error| harness(format!("no thread: {error}")))
    }

    fn recorder(&self) -> Option<Recorder> {
        let path = self.tap.record.as_ref()?;
        let file = File::create(path);
        let recorder = file.and_then(|file| {
            let out = Box::new(BufWriter::new(file));
            Recorder::begin(out, self.target.clone(), self.secrets.clone())
        });
        match recorder {
            Ok(recorder) => {
                say(&format!("recording to {}: {MASKED}", path.display()));
                Some(recorder)
            }
            Err(error) => {
                say(&format!(
                    "nothing is recorded, {} cannot be written: {error}",
                    path.display()
                ));
                None
            }
        }
    }

    /// Waits until all was heard, and tells what it came to.
    fn conclude(self, ear: JoinHandle<Report>, note: Option<String>) -> Result<ExitCode, Failure> {
        let report = ear
            .join()
            .map_err(|_| harness("the thread that listens has ended early".to_owned()))?;
        let Some(judged) = report.judged else {
            return Err(harness("nothing more was judged".to_owned()));
        };
        let Tapping {
            tap,
            colour,
            catalogue,
            target,
            mask,
            gate,
            mut reporters,
            mut artefacts,
            takes_stdout,
            began,
            ..
        } = self;
        if judged.entries == 0 {
            say("nothing passed that could be judged");
            return Ok(ExitCode::Clean);
        }
        if let Some(path) = &tap.record {
            artefacts.push(("recording".to_owned(), path.display().to_string()));
        }
        if !takes_stdout {
            let look = Look {
                artefacts,
                quiet: tap.judging.quiet,
                ..Look::of_stderr(colour.choice())
            };
            for_people(&mut reporters, Terminal::new(io::stderr(), look));
        }
        let again = tap.record.as_ref().map(|path| {
            let path = quoted(&path.display().to_string());
            format!("mcp-assay judge {path}")
        });
        let again = again.unwrap_or_default();
        let mut notes = judged.notes(None);
        notes.extend(report.notes);
        notes.extend(note);
        let verdict = Verdict {
            judged: &judged,
            scope: &scope(&tap.judging, None),
            gate: &gate,
            target,
            notes,
            interrupted: false,
            again,
            took: began.elapsed(),
            mask: &mask,
        };
        verdict.tell(&catalogue, &mut reporters)
    }
}
