//! The stdio transport against real processes.
//!
//! The executable has four lives: the tests, the guard that the tests' spawners start, a small harness that is killed by
//! the tests, and a server that listens. Every test marks its processes and asserts at its end that none with the mark is left.

#![cfg(target_os = "linux")]

mod cleanup;
mod harness;
mod process;
mod server;
mod start;
mod support;

use libtest_mimic::{Arguments, Trial};
use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("guard") => mcp_assay_transport::guard::main(args),
        Some("harness") => harness::main(args),
        Some("listen") => server::listen(args.filter_map(|word| word.into_string().ok())),
        _ => {
            let trials: Vec<Trial> = [
                start::trials(),
                process::trials(),
                cleanup::trials(),
                server::trials(),
            ]
            .into_iter()
            .flatten()
            .collect();
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}
