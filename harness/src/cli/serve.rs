//! `serve`: the reference server on stdin and stdout or over HTTP, honest or telling one lie.

use super::Failure;
use super::args::Serve;
use super::listing::{load, print};
use crate::run::exit::ExitCode;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::Mutant;
use mcp_assay_peer::{FAULTS, HttpOptions, HttpServer, Options, Over, Planted};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the command.
///
/// **Errors**: an unknown fault, or one that cannot strike on the binding; an address that cannot be listened at.
pub fn main(serve: &Serve) -> Result<ExitCode, Failure> {
    let catalogue = load(None)?;
    if serve.list_faults {
        return list(&catalogue);
    }
    let fault = serve
        .fault
        .as_deref()
        .map(|name| planted(&catalogue, name, serve.http.is_some()))
        .transpose()?;
    // One process of lines is one client's; an HTTP server is everybody's.
    let fault = match serve.http {
        Some(_) => fault.map(Planted::steadily),
        None => fault,
    };
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
        .map_err(|error| harness(&error))?;
    if let Some(address) = &serve.http {
        // That revision defines HTTP+SSE alone.
        let is_before_streamable = serve.revision == Some(Revision::R2024_11_05);
        let path = if is_before_streamable { "sse" } else { "mcp" };
        return serve_http(&runtime, options, address, path);
    }
    let ended = runtime.block_on(mcp_assay_peer::serve(
        options,
        tokio::io::stdin(),
        tokio::io::stdout(),
    ));
    // The thread that reads stdin cannot be interrupted; the process ends without it.
    runtime.shutdown_background();
    std::process::exit(ended.exit_code)
}

/// Serves HTTP until a signal ends it; people are told to find it at this path.
fn serve_http(
    runtime: &Runtime,
    options: Options,
    address: &str,
    path: &str,
) -> Result<ExitCode, Failure> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let server = HttpServer::new(HttpOptions {
        options,
        hosts: vec![host.to_owned()],
        ..HttpOptions::default()
    });
    runtime.block_on(async {
        let cannot =
            |error: std::io::Error| Failure::usage(format!("cannot listen at {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let bound = listener.local_addr().map_err(cannot)?;
        let handler = |kind| signal(kind).map_err(|error| harness(&error));
        let mut interrupt = handler(SignalKind::interrupt())?;
        let mut terminate = handler(SignalKind::terminate())?;
        anstream::eprintln!("listening on http://{bound}/{path}");
        tokio::select! {
            served = mcp_assay_peer::listen(server, listener) => {
                served.map_err(|error| harness(&error))?;
            }
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(ExitCode::Clean)
    })
}

fn harness(error: &std::io::Error) -> Failure {
    Failure {
        code: ExitCode::Harness,
        message: error.to_string(),
        hint: None,
    }
}

fn list(catalogue: &Catalogue) -> Result<ExitCode, Failure> {
    let mut out = String::new();
    for (title, is_lawful) in [("Lies:", false), ("\nOddities, all lawful:", true)] {
        out.push_str(&format!("{title}\n"));
        for fault in FAULTS.iter().filter(|fault| fault.is_lawful == is_lawful) {
            let over = match fault.over {
                Over::Any => "",
                Over::Stdio => " (stdio)",
                Over::Http => " (http)",
            };
            out.push_str(&format!("  {:<36} {}{over}\n", fault.name, fault.about));
        }
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
fn planted(catalogue: &Catalogue, name: &str, is_http: bool) -> Result<Planted, Failure> {
    let hint = "`mcp-assay serve --list-faults` shows all";
    let refused =
        |error: mcp_assay_peer::FaultRefused| Failure::usage(error.to_string()).hint(hint);
    let Some((check, number)) = name.rsplit_once('#') else {
        let named = if is_http {
            Planted::named_on_http(name)
        } else {
            Planted::named(name)
        };
        return named.map_err(refused);
    };
    let unknown = || Failure::usage(format!("no mutant `{name}`")).hint(hint);
    let number: usize = number.parse().map_err(|_| unknown())?;
    let (_, check) = catalogue.check(check).ok_or_else(unknown)?;
    let mutant = number
        .checked_sub(1)
        .and_then(|index| check.mutants.get(index))
        .ok_or_else(unknown)?;
    let (at, fault) = (mutant.at.clone(), mutant.fault.clone());
    let planted = if is_http {
        Planted::on_http(at, fault)
    } else {
        Planted::new(at, fault)
    };
    planted.map_err(refused)
}
