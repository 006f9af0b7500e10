//! Arguments, as clap reads them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use mcp_assay_model::protocol::{Binding, Revision, Role};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Tells, with evidence, whether an MCP server keeps the protocol.
#[derive(Debug, Parser)]
#[command(name = "mcp-assay", version, about, max_term_width = 100)]
pub struct Cli {
    /// When to colour.
    #[arg(
        long,
        value_enum,
        default_value = "auto",
        global = true,
        value_name = "WHEN"
    )]
    pub color: Colour,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    /// As the streams take it.
    pub fn choice(self) -> anstream::ColorChoice {
        match self {
            Colour::Auto => anstream::ColorChoice::Auto,
            Colour::Always => anstream::ColorChoice::Always,
            Colour::Never => anstream::ColorChoice::Never,
        }
    }

    /// Sets it for this process.
    pub fn apply(self) {
        self.choice().write_global();
    }
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Test a server: `mcp-assay run -- COMMAND ARG...`, or `mcp-assay run URL`
    Run(Box<Run>),
    /// List checks, and the rules of observers.
    List(List),
    /// Explain a check, a scenario or the rule of an observer: rule, requirements, steps, proofs.
    Explain(Explain),
    /// How much of the specification the checks cover.
    Coverage(Coverage),
    /// Judge recordings: of runs and of `tap`, lines with a direction, HAR.
    Judge(Judge),
    /// Stand between a client and a server, pass on every byte, record and judge: `mcp-assay tap -- COMMAND ARG...`
    Tap(Box<Tap>),
    /// Be the reference server on stdin and stdout or over HTTP, honest or telling one lie.
    Serve(Serve),
}

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct Run {
    /// Test the embedded reference server.
    #[arg(long = "self", conflicts_with_all = ["target", "command", "config", "header", "ca"])]
    pub this: bool,
    /// The address of a server, http:// or https://, or the name of a target in the profile.
    #[arg(value_name = "TARGET")]
    pub target: Option<String>,
    /// The server's command; everything after `--` is its own. Behind an address, the command that starts the server there.
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
    /// A client's configuration with `mcpServers`, or `servers`; --server names one of them.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The server of --config; may be left out where it has only one.
    #[arg(long, value_name = "NAME", requires = "config")]
    pub server: Option<String>,
    /// Send a header with every request, as 'Name: value'; `${VAR}` in the value is taken from the environment.
    #[arg(long, value_name = "HEADER")]
    pub header: Vec<String>,
    /// Trust the certificate authorities in this PEM file too.
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,
    /// How messages travel to an address: http (Streamable HTTP) or http-sse (HTTP+SSE of 2024-11-05); by default it is tried.
    #[arg(long, value_name = "BINDING", value_parser = binding)]
    pub binding: Option<Binding>,
    /// Set a variable in the environment of a server that is started.
    #[arg(long, value_name = "KEY=VALUE")]
    pub env: Vec<String>,
    /// Working directory of a server that is started.
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,
    /// auto (the default), all, or a date.
    #[arg(long, value_name = "REVISION", value_parser = revision)]
    pub revision: Option<RevisionChoice>,
    /// Only these: an area, a scenario, a check, a case, or a glob over them.
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Tools that may be called, beyond those marked read-only.
    #[arg(long, value_name = "GLOB")]
    pub allow_tool: Vec<String>,
    /// Call no tool at all.
    #[arg(long)]
    pub no_calls: bool,
    /// Show what would be sent and which tools would be called; call nothing.
    #[arg(long)]
    pub dry: bool,
    /// Cases at once.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Seed of everything that is generated.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Longest wait for one reply, as 30s or 500ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Longest wait for a server to start and for its first answer, as 20s.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub start_timeout: Option<Duration>,
    /// Count an inconclusive MUST as denied.
    #[arg(long)]
    pub strict: bool,
    /// Profile; by default mcp-assay.yaml, where it lies here.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Cards of your own, in place of the embedded ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
    /// Also write a report: jsonl=FILE, json=FILE, junit=FILE; `-` for stdout.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<String>,
    /// Failures in a line or two, and no progress.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which revisions to test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RevisionChoice(pub crate::run::probe::Choice);

fn revision(text: &str) -> Result<RevisionChoice, String> {
    use crate::run::probe::Choice;
    match text {
        "auto" => Ok(RevisionChoice(Choice::Auto)),
        "all" => Ok(RevisionChoice(Choice::All)),
        date => match date.parse::<Revision>() {
            Ok(revision) => Ok(RevisionChoice(Choice::Exact(revision))),
            Err(error) => Err(format!("{error}; or auto, all")),
        },
    }
}

/// Reads a binding that a script can speak.
fn script_binding(text: &str) -> Result<Binding, String> {
    match text {
        "stdio" => Ok(Binding::Memory),
        "http" => Ok(Binding::Http),
        _ => Err("stdio or http".to_owned()),
    }
}

/// Reads a binding that goes over HTTP.
fn binding(text: &str) -> Result<Binding, String> {
    let known = [Binding::Http, Binding::HttpSse];
    known
        .into_iter()
        .find(|binding| binding.as_str() == text)
        .ok_or_else(|| format!("`{text}` is none of http, http-sse"))
}

/// Reads `30s`, `500ms`, `2m`.
///
/// **Errors**: a text that is no such time, or zero.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write 30s, 500ms or 2m");
    let split = text
        .find(|letter: char| !letter.is_ascii_digit())
        .ok_or_else(wrong)?;
    let number: u64 = text[..split].parse().map_err(|_| wrong())?;
    let time = match &text[split..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    };
    if time.is_zero() || time > Duration::from_secs(86_400) {
        Err(wrong())
    } else {
        Ok(time)
    }
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub struct List {
    /// Only these: an area, a scenario, a check, `observer`, an observer, a rule of one, or a glob over them.
    #[arg(value_name = "ID")]
    pub only: Vec<String>,
    /// As JSON, in the format mcp-assay/list/1.
    #[arg(long)]
    pub json: bool,
    /// Cards of your own, in place of the embedded ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct Explain {
    /// A scenario, a check, or the rule of an observer.
    #[arg(value_name = "ID", required_unless_present_any = ["fixtures", "natives"])]
    pub id: Option<String>,
    /// Print a shell script that sends the exact bytes, without mcp-assay.
    #[arg(long, requires = "id")]
    pub repro: bool,
    /// Binding of the script: stdio, or http for curl; by default the one that the scenario needs, else stdio.
    #[arg(long, value_name = "BINDING", requires = "repro", value_parser = script_binding)]
    pub binding: Option<Binding>,
    /// Revision of the script: by default the last of the legacy era, or the first that the scenario has after it.
    #[arg(long, value_name = "DATE")]
    pub revision: Option<Revision>,
    /// The table of fixtures and their fields.
    #[arg(long)]
    pub fixtures: bool,
    /// The table of native steps and judges.
    #[arg(long)]
    pub natives: bool,
    /// Cards of your own, in place of the embedded ones.
    #[arg(long, value_name = "DIR")]
    pub suites: Option<PathBuf>,
}

/// Arguments of `coverage`.
#[derive(Args, Debug)]
pub struct Coverage {
    /// text or json.
    #[arg(long, default_value = "text", value_enum)]
    pub format: Format,
    /// Count by feature; of one, where it is named.
    #[arg(long, value_name = "FEATURE", num_args = 0..=1, default_missing_value = "")]
    pub features: Option<String>,
    /// Whose sentences: server or client.
    #[arg(long, value_name = "ROLE", default_value = "server")]
    pub role: Role,
    /// List the testable requirements that nothing cites, with the reason where there is one.
    #[arg(long)]
    pub uncovered: bool,
    /// Only this revision.
    #[arg(long, value_name = "DATE")]
    pub revision: Option<Revision>,
}

/// Output formats of `coverage`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Format {
    /// A table.
    Text,
    /// The `coverage` object of a report.
    Json,
}

/// Arguments of `judge`.
#[derive(Args, Debug)]
pub struct Judge {
    /// Recordings; `-` is standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Format of the recordings: jsonl, lines or har; by default each shows it by its beginning.
    #[arg(long, value_name = "FORMAT")]
    pub input: Option<crate::traffic::read::Format>,
    /// What is judged, and how it is told.
    #[command(flatten)]
    pub judging: Judging,
}

/// What `judge` and `tap` have in common.
#[derive(Args, Debug)]
pub struct Judging {
    /// The revision that counts where the traffic does not tell.
    #[arg(long, value_name = "DATE")]
    pub revision: Option<Revision>,
    /// Whose conduct is judged; of the record of a run, by default, that of its target.
    #[arg(long, value_enum, value_name = "ROLE")]
    pub role: Option<Sides>,
    /// Profile, of which `gate` counts; by default mcp-assay.yaml, where it lies here.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Also write a report: jsonl=FILE, json=FILE, junit=FILE; `-` for stdout.
    #[arg(long, value_name = "FORMAT=FILE")]
    pub report: Vec<String>,
    /// Failures in a line or two.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Sides of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Sides {
    /// The server.
    Server,
    /// The client.
    Client,
    /// Both.
    Both,
}

impl Sides {
    /// As it is typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Sides::Server => "server",
            Sides::Client => "client",
            Sides::Both => "both",
        }
    }
}

/// Arguments of `tap`.
#[derive(Args, Debug)]
pub struct Tap {
    /// The server's command; everything after `--` is its own. Our standard streams are its client's.
    #[arg(
        last = true,
        value_name = "COMMAND",
        required_unless_present = "listen",
        conflicts_with = "listen"
    )]
    pub command: Vec<OsString>,
    /// Take connections of HTTP clients at this address, as 127.0.0.1:0, until SIGINT or SIGTERM.
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    pub listen: Option<String>,
    /// The server's address, http:// or https://.
    #[arg(long, value_name = "URL", requires = "listen")]
    pub upstream: Option<String>,
    /// Trust the certificate authorities in this PEM file too.
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub ca: Vec<PathBuf>,
    /// Write everything down, for `mcp-assay judge`.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// What is judged, and how it is told.
    #[command(flatten)]
    pub judging: Judging,
}

/// Arguments of `serve`.
#[derive(Args, Debug)]
pub struct Serve {
    /// Serve HTTP at this address, as 127.0.0.1:0, until SIGINT or SIGTERM: Streamable HTTP at /mcp, HTTP+SSE at /sse.
    #[arg(long, value_name = "ADDR")]
    pub http: Option<String>,
    /// Speak only this revision.
    #[arg(long, value_name = "DATE")]
    pub revision: Option<Revision>,
    /// Tell one lie: CARD/CHECK#N of a card's mutants, or a named fault.
    #[arg(long, value_name = "FAULT")]
    pub fault: Option<String>,
    /// List the named faults and the mutants of all cards.
    #[arg(long)]
    pub list_faults: bool,
}
