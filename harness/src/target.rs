//! The target of a run, and how a connection to it is made.
//!
//! ```text
//! Command ──── Spawner ───────────────────────────> Link::Pipes
//! Http ─────── its server, started once, shared ──> Link::Http
//! Peer ─────── a fresh reference server in memory > Link::Pipes, or Link::Http
//! ```

mod launcher;
mod peer;
mod server;

pub use launcher::{Launcher, OpenError, own_program};
pub use peer::{Peer, resolve_facts};
pub use server::Start;

use mcp_assay_model::protocol::Binding;
use mcp_assay_transport::connection::Connection;
use mcp_assay_transport::http::Client;
use mcp_assay_transport::http::endpoint::Endpoint;
use mcp_assay_transport::server_process::ServerProcess;
use mcp_assay_transport::stdio::Command;
use std::fmt;
use std::sync::Arc;

/// What is tested.
#[derive(Clone, Debug)]
pub enum Target {
    /// A process on stdio.
    Command(Command),
    /// A server behind an address.
    Http(HttpTarget),
    /// The reference server in memory.
    Peer(Peer),
    /// A server that a test has written.
    #[cfg(test)]
    Scripted(Script),
    /// One that a test has written for HTTP.
    #[cfg(test)]
    ScriptedHttp(ScriptedHttp),
}

/// How clients reach a server that a test has written.
#[cfg(test)]
#[derive(Clone)]
pub struct ScriptedHttp(pub Arc<mcp_assay_transport::http::Settings>);

#[cfg(test)]
impl fmt::Debug for ScriptedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedHttp")
    }
}

/// A server behind an address.
#[derive(Clone)]
pub struct HttpTarget {
    /// Where requests go.
    pub endpoint: Endpoint,
    /// Fields of every request; values may be secrets and are never shown.
    pub headers: Vec<(String, String)>,
    /// Certificate authorities to trust beside the public ones: PEM files, as they were read.
    pub ca: Vec<Vec<u8>>,
    /// How it is started, where that is for us to do.
    pub start: Option<Start>,
    /// How messages travel; `None` as long as it is not known.
    pub binding: Option<Binding>,
}

impl fmt::Debug for HttpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        // The query may hold a token, so the address is shown without it.
        let url = self.endpoint.url();
        let url = url.split_once('?').map_or(url.as_str(), |(url, _)| url);
        f.debug_struct("HttpTarget")
            .field("url", &url)
            .field("headers", &names)
            .field("ca", &self.ca.len())
            .field("start", &self.start)
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}

/// An open way to a target.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each conversation, and it is moved a few times in all"
)]
pub enum Link {
    /// Lines on two streams.
    Pipes(Connection),
    /// Exchanges with a server, and its process where we started it.
    Http(Client, Option<Arc<ServerProcess>>),
}

/// Starts a server that a test has written, once for each connection.
#[cfg(test)]
#[derive(Clone)]
pub struct Script(Arc<ScriptStart>);

#[cfg(test)]
type ScriptStart = dyn Fn() -> Result<mcp_assay_transport::pipes::Pipes, mcp_assay_transport::stdio::SpawnError>
    + Send
    + Sync;

#[cfg(test)]
impl Script {
    /// Starts what `start` gives.
    pub fn new(
        start: impl Fn() -> Result<
            mcp_assay_transport::pipes::Pipes,
            mcp_assay_transport::stdio::SpawnError,
        > + Send
        + Sync
        + 'static,
    ) -> Self {
        Script(Arc::new(start))
    }
}

#[cfg(test)]
impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

impl Target {
    /// The binding it is reached by; Streamable HTTP for an address of which it is not known yet.
    pub fn binding(&self) -> Binding {
        match self {
            Target::Command(_) => Binding::Stdio,
            Target::Http(target) => target.binding.unwrap_or(Binding::Http),
            Target::Peer(peer) => peer.binding,
            #[cfg(test)]
            Target::Scripted(_) => Binding::Memory,
            #[cfg(test)]
            Target::ScriptedHttp(_) => Binding::Http,
        }
    }

    /// Whether it lives in this process, where all time is the runtime's.
    pub fn is_in_memory(&self) -> bool {
        match self {
            Target::Command(_) | Target::Http(_) => false,
            Target::Peer(_) => true,
            #[cfg(test)]
            Target::Scripted(_) | Target::ScriptedHttp(_) => true,
        }
    }

    /// The command, as typed; that which starts the server behind an address, and empty where there is none.
    pub fn argv(&self) -> Vec<String> {
        let words = |command: &Command| -> Vec<String> {
            let words = command.argv.iter();
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect()
        };
        match self {
            Target::Command(command) => words(command),
            Target::Http(target) => target
                .start
                .as_ref()
                .map(|start| words(&start.command))
                .unwrap_or_default(),
            // What would start the same server as a process.
            Target::Peer(_) => {
                vec!["mcp-assay".to_owned(), "serve".to_owned()]
            }
            #[cfg(test)]
            Target::Scripted(_) | Target::ScriptedHttp(_) => vec!["scripted".to_owned()],
        }
    }

    /// The address, without user name and password; its query may still hold a secret that only the mask knows.
    pub fn url(&self) -> Option<String> {
        match self {
            Target::Http(target) => Some(target.endpoint.url()),
            Target::Command(_) | Target::Peer(_) => None,
            #[cfg(test)]
            Target::Scripted(_) | Target::ScriptedHttp(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
