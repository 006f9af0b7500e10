//! The reference peer as a target in memory.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::template::Template;
use mcp_assay_peer::{HttpOptions, HttpServer, Options, Planted, Resolve};
use mcp_assay_transport::connection::{self, Connection};
use mcp_assay_transport::http::dial::Memory;
use mcp_assay_transport::http::endpoint::{Endpoint, EndpointError};
use mcp_assay_transport::http::{Bounds, Client, Settings};
use mcp_assay_transport::memory;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio::time::Instant;

/// Fills in the facts that a fault's values refer to.
pub fn resolve_facts(catalogue: &Arc<Catalogue>) -> Resolve {
    let catalogue = Arc::clone(catalogue);
    Arc::new(
        move |template: &Template, revision: Revision| match template {
            Template::Fact(path) => catalogue
                .facts()
                .of(revision)?
                .get(path)
                .map(serde_json::Value::to_string),
            _ => None,
        },
    )
}

/// A fresh server, spoken to by lines.
pub(super) fn lines(planted: Option<Planted>, resolve: Option<Resolve>) -> Connection {
    let asked = Instant::now();
    let pipes = memory::spawn(move |input, output| async move {
        mcp_assay_peer::serve(options(planted, resolve), input, output)
            .await
            .exit_code
    });
    Connection::new(pipes, asked, connection::Bounds::default())
}

/// A fresh server, spoken to over HTTP. Siblings of the client reach the same server, because they dial the same way.
///
/// **Errors**: none; the address is a constant.
pub(super) fn http(
    binding: Binding,
    planted: Option<Planted>,
    resolve: Option<Resolve>,
) -> Result<Client, EndpointError> {
    let is_sse = binding == Binding::HttpSse;
    let url = if is_sse {
        "http://127.0.0.1/sse"
    } else {
        "http://127.0.0.1/mcp"
    };
    let server = HttpServer::new(HttpOptions {
        options: options(planted, resolve),
        ..HttpOptions::default()
    });
    let serve = move |socket: DuplexStream| {
        let server = server.clone();
        tokio::spawn(async move { server.serve_socket(socket).await });
    };
    let settings = Arc::new(Settings {
        endpoint: Endpoint::parse(url)?,
        headers: Vec::new(),
        dial: Arc::new(Memory(Arc::new(serve))),
        bounds: Bounds::default(),
    });
    Ok(if is_sse {
        Client::http_sse(settings)
    } else {
        Client::streamable(settings)
    })
}

fn options(planted: Option<Planted>, resolve: Option<Resolve>) -> Options {
    Options {
        fault: planted,
        resolve,
        ..Options::default()
    }
}
