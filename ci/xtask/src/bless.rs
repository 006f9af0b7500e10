//! `bless`: writes golden files anew. Each is written by the test that compares it, so that there is one way to make it.

use clap::ValueEnum;
use std::process::{Command, ExitCode};

/// What to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which golden files; without it all that a command can write
    what: Vec<What>,
}

/// Golden files, by their folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum What {
    /// golden/matrix: what each mutant and near miss makes fire
    Matrix,
    /// golden/diagnostics: a broken card or profile, and what is said about it
    Diagnostics,
    /// golden/cli: what the command line says to a mistake
    Cli,
    /// golden/judge: what is said of recordings, whole and broken
    Judge,
    /// golden/report: reports of a run that holds one of everything
    Report,
}

impl What {
    fn folder(self) -> &'static str {
        match self {
            What::Matrix => "golden/matrix",
            What::Diagnostics => "golden/diagnostics",
            What::Cli => "golden/cli",
            What::Judge => "golden/judge",
            What::Report => "golden/report",
        }
    }

    /// The variable that has a test write, and the test.
    fn test(self) -> ((&'static str, &'static str), &'static [&'static str]) {
        const BLESS: (&str, &str) = ("BLESS", "1");
        const INSTA: (&str, &str) = ("INSTA_UPDATE", "always");
        match self {
            What::Matrix => (BLESS, &["-p", "mcp-assay", "--test", "kill_matrix"]),
            What::Diagnostics => (BLESS, &["-p", "mcp-assay-catalogue"]),
            What::Cli => (
                INSTA,
                &[
                    "-p",
                    "mcp-assay",
                    "--test",
                    "command_line",
                    "--test",
                    "http_command_line",
                ],
            ),
            What::Judge => (INSTA, &["-p", "mcp-assay", "--test", "traffic"]),
            What::Report => (INSTA, &["-p", "mcp-assay-report"]),
        }
    }
}

/// Runs the command; exit 1 where a test fails for another reason than its golden file.
///
/// **Errors**: where cargo cannot be run.
pub fn main(args: &Args) -> Result<ExitCode, String> {
    let all = if args.what.is_empty() {
        What::value_variants()
    } else {
        &args.what
    };
    for &what in all {
        let ((key, value), test) = what.test();
        anstream::eprintln!("writing {} anew", what.folder());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .arg("test")
            .arg("--quiet")
            .args(test)
            .env(key, value)
            .status()
            .map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    let folders: Vec<&str> = all.iter().map(|what| what.folder()).collect();
    anstream::eprintln!("now review: git diff -- {}", folders.join(" "));
    Ok(ExitCode::SUCCESS)
}
