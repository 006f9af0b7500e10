//! The reference server as a target in memory.

use super::Link;
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

/// The reference server, honest or telling one lie.
#[derive(Clone, Debug)]
pub struct Peer {
    /// How it is spoken to: in memory by lines, or over either kind of HTTP.
    pub binding: Binding,
    /// Revisions that it speaks; none means all of both eras.
    pub revisions: Vec<Revision>,
    /// The lie.
    pub planted: Option<Planted>,
}

impl Peer {
    /// Spoken to by lines, in all revisions.
    pub fn lines(planted: Option<Planted>) -> Self {
        Peer::over(Binding::Memory, planted)
    }

    /// In all revisions.
    pub fn over(binding: Binding, planted: Option<Planted>) -> Self {
        Peer {
            binding,
            revisions: Vec::new(),
            planted,
        }
    }

    /// Starts a fresh server and connects to it. Siblings of a client reach the same server, because they dial the same way.
    ///
    /// **Errors**: none; the address is a constant.
    pub(super) fn connect(&self, resolve: Option<Resolve>) -> Result<Link, EndpointError> {
        let options = Options {
            revisions: self.revisions.clone(),
            fault: self.planted.clone(),
            resolve,
            ..Options::default()
        };
        let url = match self.binding {
            Binding::Memory | Binding::Stdio => return Ok(Link::Pipes(lines(options))),
            Binding::Http => "http://127.0.0.1/mcp",
            Binding::HttpSse => "http://127.0.0.1/sse",
        };
        let server = HttpServer::new(HttpOptions {
            options,
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
        let client = if self.binding == Binding::HttpSse {
            Client::http_sse(settings)
        } else {
            Client::streamable(settings)
        };
        Ok(Link::Http(client, None))
    }
}

fn lines(options: Options) -> Connection {
    let asked = Instant::now();
    let pipes = memory::spawn(move |input, output| async move {
        mcp_assay_peer::serve(options, input, output)
            .await
            .exit_code
    });
    Connection::new(pipes, asked, connection::Bounds::default())
}
