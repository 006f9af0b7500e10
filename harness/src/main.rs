//! The door: reads the command line, and ends with the exit code of docs/contracts.md section 1.

use clap::Parser;
use mcp_assay::cli::{Cli, Command, main as start};
use std::process::ExitCode;

fn main() -> ExitCode {
    // The guard is not part of the command line that people see: it must start fast and take any argument.
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == "guard") {
        return mcp_assay_transport::guard::main(arguments);
    }
    let Cli { color, command } = Cli::parse();
    let command: Command = command;
    start(color, command)
}
