//! What a maintainer does by command: `cargo xtask prove | bless | new-scenario`.

mod bless;
mod new_scenario;
mod prove;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Proves mutants, near misses and lawful oddities, and says what they come to.
    Prove(prove::Args),
    /// Writes golden files anew, to be reviewed like code.
    Bless(bless::Args),
    /// Begins a card: suites/scenarios/AREA/NAME.yaml.
    NewScenario(new_scenario::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Prove(args) => prove::main(&args),
        Command::Bless(args) => bless::main(&args),
        Command::NewScenario(args) => new_scenario::main(&args, &root()),
    };
    match done {
        Ok(code) => code,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

/// The checkout.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
