//! The guard: a small process between the harness and a stdio target, so that nothing of the target is left behind.
//!
//! The binary re-executes itself as `mcp-assay guard CONTROL -- PROGRAM ARG...`, once per target, with the target's three
//! streams as its own. The guard starts the target, lets go of the streams, and from then on only waits:
//!
//! ```text
//! harness ──control── guard ──── target ──── its descendants
//!    target ends by itself        -> descendants that stay are killed, then `exited` is reported
//!    order kill                   -> everything below the guard is killed, then `exited` is reported
//!    control at end of file, parent-death signal, SIGTERM, SIGINT, SIGHUP, SIGQUIT -> the same, and the guard exits
//! ```
//!
//! The guard is child subreaper: every orphan below it becomes its child, also one that left its group and session, so
//! 'no children' means that no descendant lives. Guard and target each lead a process group of their own, so that the
//! terminal's SIGINT reaches the harness alone, which then decides.
//!
//! Not covered: processes of other users (a setuid program below the target); processes that a service outside starts on
//! the target's behalf (containers, systemd units); SIGKILL of guard and harness in the same moment; and, where `/proc`
//! is missing or shows another process namespace, whatever has left the target's group.

#[cfg(target_os = "linux")]
pub(crate) mod control;
#[cfg(target_os = "linux")]
pub(crate) mod descendants;
#[cfg(target_os = "linux")]
mod keep;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the guard; the body of the binary's hidden subcommand.
///
/// Must be called before the program has opened a file or started a thread or an async runtime: every descriptor but the
/// three streams is closed, the guard brings its own runtime, and its start-up is on the path of every connection.
///
/// **Shape**: `args` is what follows the subcommand's name: `CONTROL -- PROGRAM ARG...`.
///
/// **Errors**: a usage error, or a guard that cannot do its work, is said on stderr and gives a failing exit code; how
/// the target ended is reported over the control channel only.
#[cfg(target_os = "linux")]
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let (Some(control), Some(separator)) = (args.next(), args.next()) else {
        return usage();
    };
    let argv: Vec<OsString> = args.collect();
    if separator != "--" || argv.is_empty() {
        return usage();
    }
    match keep::run(&control, &argv) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: guard: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the guard; there is none on this system, see [`stdio`](crate::stdio).
#[cfg(not(target_os = "linux"))]
pub fn main(_args: impl IntoIterator<Item = OsString>) -> ExitCode {
    eprintln!("error: guard: not used on this system");
    ExitCode::FAILURE
}

#[cfg(target_os = "linux")]
fn usage() -> ExitCode {
    eprintln!("error: guard: started by mcp-assay itself, as `guard CONTROL -- PROGRAM ARG...`");
    ExitCode::FAILURE
}
