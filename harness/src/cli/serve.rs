//! `serve`: the reference server on stdin and stdout, honest or telling one lie.

use super::Failure;
use super::args::Serve;
use super::listing::{load, print};
use crate::run::exit::ExitCode;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::scenario::Mutant;
use mcp_assay_peer::{FAULTS, Options, Planted};

/// Runs the command.
///
/// **Errors**: an unknown fault, or one that cannot strike on stdio.
pub fn main(serve: &Serve) -> Result<ExitCode, Failure> {
    let catalogue = load(None)?;
    if serve.list_faults {
        return list(&catalogue);
    }
    let fault = serve
        .fault
        .as_deref()
        .map(|name| planted(&catalogue, name))
        .transpose()?;
    let resolve = crate::target::resolve_facts(&std::sync::Arc::new(catalogue));
    let options = Options {
        revisions: serve.revision.into_iter().collect(),
        fault,
        resolve: Some(resolve),
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(|error| Failure {
            code: ExitCode::Harness,
            message: error.to_string(),
            hint: None,
        })?;
    let ended = runtime.block_on(mcp_assay_peer::serve(
        options,
        tokio::io::stdin(),
        tokio::io::stdout(),
    ));
    // The thread that reads stdin cannot be interrupted; the process ends without it.
    runtime.shutdown_background();
    std::process::exit(ended.exit_code)
}

fn list(catalogue: &Catalogue) -> Result<ExitCode, Failure> {
    let mut out = String::from("Named faults:\n");
    for fault in FAULTS {
        out.push_str(&format!("  {:<36} {}\n", fault.name, fault.about));
    }
    out.push_str("\nMutants of the cards:\n");
    for (card, check) in catalogue.checks() {
        for (number, Mutant { why, .. }) in (1..).zip(&check.mutants) {
            out.push_str(&format!(
                "  {:<52} {why}\n",
                format!("{}/{}#{number}", card.id, check.name)
            ));
        }
    }
    print(&out)
}

/// A fault by name, or a card's mutant as `CARD/CHECK#N`.
fn planted(catalogue: &Catalogue, name: &str) -> Result<Planted, Failure> {
    let hint = "`mcp-assay serve --list-faults` shows all";
    let refused =
        |error: mcp_assay_peer::FaultRefused| Failure::usage(error.to_string()).hint(hint);
    let Some((check, number)) = name.rsplit_once('#') else {
        return Planted::named(name).map_err(refused);
    };
    let unknown = || Failure::usage(format!("no mutant `{name}`")).hint(hint);
    let number: usize = number.parse().map_err(|_| unknown())?;
    let (_, check) = catalogue.check(check).ok_or_else(unknown)?;
    let mutant = number
        .checked_sub(1)
        .and_then(|index| check.mutants.get(index))
        .ok_or_else(unknown)?;
    Planted::new(mutant.at.clone(), mutant.fault.clone()).map_err(refused)
}
