//! The command line.

pub mod args;
pub mod dry;
pub mod judge;
pub mod listing;
pub mod repro;
pub mod run;
pub mod select;
pub mod serve;
pub mod tap;
pub mod target;
pub mod verdict;

pub use args::{Cli, Command};

use crate::run::exit::ExitCode;
use args::Colour;
use std::process;

/// Runs a command.
pub fn main(colour: Colour, command: Command) -> process::ExitCode {
    colour.apply();
    let ended = match command {
        Command::Run(run) => run::main(*run, colour),
        Command::List(list) => listing::list(&list),
        Command::Explain(explain) => listing::explain(&explain),
        Command::Coverage(coverage) => listing::coverage(&coverage),
        Command::Judge(judge) => judge::main(&judge, colour),
        Command::Tap(tap) => tap::main(&tap, colour),
        Command::Serve(serve) => serve::main(&serve),
    };
    let code = ended.unwrap_or_else(|failure| {
        anstream::eprintln!("{failure}");
        failure.code
    });
    process::ExitCode::from(code.number())
}

/// The user or the outside world is wrong: never a finding.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub code: ExitCode,
    /// What is wrong, as fragments, outermost first; or a rendered diagnostic.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// A usage or configuration error.
    pub fn usage(message: impl Into<String>) -> Self {
        Failure {
            code: ExitCode::Usage,
            message: message.into(),
            hint: None,
        }
    }

    /// With a next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let message = self.message.trim_end();
        // Diagnostics with carets bring their own head.
        if message.starts_with("error") {
            write!(f, "{message}")?
        } else {
            write!(f, "error: {message}")?
        }
        match &self.hint {
            Some(hint) => write!(f, "\n\n{hint}"),
            None => Ok(()),
        }
    }
}
