//! Opens connections to a target; processes on stdio are started ahead of need.

use super::server::Server;
use super::{HttpTarget, Link, Target, peer};
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::Binding;
use mcp_assay_peer::Resolve;
use mcp_assay_transport::connection::{Bounds, Connection};
use mcp_assay_transport::http::dial::{Dial, Network, TlsError};
use mcp_assay_transport::http::endpoint::EndpointError;
use mcp_assay_transport::http::{self, Client, Settings};
use mcp_assay_transport::server_process::ServerError;
use mcp_assay_transport::stdio::{Command, SpawnError, Spawner};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A connection could not be opened. The target was not reached, so it is no finding (exit code 3).
///
/// **Shape**: the text may have further lines, which are the target's own and may hold anything.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The process was not started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// The server behind an address was not started, or did not become ready.
    #[error(transparent)]
    Server(#[from] Arc<ServerError>),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(Arc<TlsError>),
    /// The address is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// Opens connections.
pub struct Launcher {
    target: Target,
    ahead: Option<(Mutex<mpsc::Receiver<Started>>, JoinHandle<()>)>,
    /// Sockets to the network, for an address; why there are none, else.
    dial: Option<Result<Arc<dyn Dial>, Arc<TlsError>>>,
    /// The server behind the address, where it is for us to start.
    server: Option<Server>,
    opened: AtomicU64,
    resolve: Option<Resolve>,
    /// After all that it started.
    spawner: Option<Arc<Spawner>>,
}

type Started = Result<Connection, SpawnError>;

impl Launcher {
    /// For a target; `ahead` says whether processes may be started before they are needed.
    ///
    /// **Errors**: when our own executable cannot be found, or the thread that keeps the guards cannot start.
    pub fn new(target: Target, ahead: bool) -> std::io::Result<Self> {
        let starts = match &target {
            Target::Command(_) => true,
            Target::Http(target) => target.start.is_some(),
            Target::Peer(_) => false,
            #[cfg(test)]
            Target::Scripted(_) | Target::ScriptedHttp(_) => false,
        };
        let spawner = if starts {
            let guard = vec!["guard".into()];
            Some(Arc::new(Spawner::start(own_program()?, guard)?))
        } else {
            None
        };
        let mut launcher = Launcher {
            ahead: None,
            dial: None,
            server: None,
            opened: AtomicU64::new(0),
            resolve: None,
            spawner: spawner.clone(),
            target,
        };
        match (&launcher.target, spawner) {
            (Target::Command(command), Some(spawner)) if ahead => {
                launcher.ahead = Some(start_ahead(spawner, command.clone()));
            }
            (Target::Http(target), spawner) => {
                let network = Network::new(&target.ca);
                launcher.dial = Some(match network {
                    Ok(network) => Ok(Arc::new(network)),
                    Err(error) => Err(Arc::new(error)),
                });
                launcher.server = target
                    .start
                    .clone()
                    .zip(spawner)
                    .map(|(start, spawner)| Server::new(start, spawner));
            }
            _ => {}
        }
        Ok(launcher)
    }

    /// Lets the faults of the reference peer refer to facts.
    #[must_use]
    pub fn with_facts(mut self, catalogue: &Arc<Catalogue>) -> Self {
        self.resolve = Some(peer::resolve_facts(catalogue));
        self
    }

    /// A fresh connection. To an address it is a client that has not sent anything yet; the server behind it is started before, where
    /// that is for us to do, and again where it has ended.
    ///
    /// **Errors**: why no process could be started, or the server did not become ready.
    pub async fn open(&self) -> Result<Link, OpenError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        match &self.target {
            Target::Peer(peer) => Ok(peer.connect(self.resolve.clone())?),
            #[cfg(test)]
            Target::ScriptedHttp(site) => {
                let client = Client::streamable(Arc::clone(&site.0));
                Ok(Link::Http(client, None))
            }
            #[cfg(test)]
            Target::Scripted(script) => {
                let asked = Instant::now();
                let connection = Connection::new((script.0)()?, asked, Bounds::default());
                Ok(Link::Pipes(connection))
            }
            Target::Command(command) => {
                if let Some((ahead, _)) = &self.ahead {
                    // One that ended while it waited says nothing about the case that would get it.
                    if let Some(Ok(mut connection)) = ahead.lock().await.recv().await
                        && connection.process().has_exited().is_none()
                    {
                        connection.started = Instant::now();
                        return Ok(Link::Pipes(connection));
                    }
                }
                let spawner = self
                    .spawner
                    .as_ref()
                    .expect("a command always has a spawner");
                Ok(Link::Pipes(start(spawner, command).await?))
            }
            Target::Http(target) => {
                let server = match &self.server {
                    Some(server) => Some(server.running().await?),
                    None => None,
                };
                let settings = self.settings_of(target)?;
                let client = match self.binding() {
                    Binding::HttpSse => Client::http_sse(settings),
                    Binding::Http | Binding::Stdio | Binding::Memory => {
                        Client::streamable(settings)
                    }
                };
                Ok(Link::Http(client, server))
            }
        }
    }

    /// What clients of an address are made with, once its server runs; `None` for a target that is no address.
    ///
    /// **Errors**: as for [`open`](Launcher::open).
    pub async fn settings(&self) -> Result<Option<Arc<Settings>>, OpenError> {
        let Target::Http(target) = &self.target else {
            return Ok(None);
        };
        if let Some(server) = &self.server {
            server.running().await?;
        }
        self.settings_of(target).map(Some)
    }

    fn settings_of(&self, target: &HttpTarget) -> Result<Arc<Settings>, OpenError> {
        let dial = self
            .dial
            .as_ref()
            .expect("an address always has a way to dial");
        Ok(Arc::new(Settings {
            endpoint: target.endpoint.clone(),
            headers: target.headers.clone(),
            dial: Arc::clone(
                dial.as_ref()
                    .map_err(|error| OpenError::Tls(Arc::clone(error)))?,
            ),
            bounds: http::Bounds::default(),
        }))
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Why the server behind an address was started again, a fragment for each time so far, in order.
    pub fn restarts(&self) -> Vec<String> {
        self.server
            .as_ref()
            .map(Server::restarts)
            .unwrap_or_default()
    }

    /// Whether all connections lead to one process, so that what one of them does to it shows on the others.
    pub fn is_shared_server(&self) -> bool {
        matches!(self.target, Target::Http(_))
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The binding of the connections it opens.
    pub fn binding(&self) -> Binding {
        self.target.binding()
    }

    /// Whether the binding was told, or found out and set; only that of an address can be open.
    pub fn knows_binding(&self) -> bool {
        !matches!(&self.target, Target::Http(HttpTarget { binding: None, .. }))
    }

    /// Sets the binding of the connections to an address; other targets keep theirs.
    pub fn set_binding(&mut self, binding: Binding) {
        if let Target::Http(target) = &mut self.target {
            target.binding = Some(binding);
        }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        if let Some((_, filler)) = &self.ahead {
            filler.abort();
        }
    }
}

/// Our own executable, which is also the guard. On Linux by a link that outlives a rebuild during the run.
/// The program that runs, also where its file was replaced meanwhile.
///
/// **Errors**: the system does not say.
pub fn own_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe()
    }
}

fn start_ahead(
    spawner: Arc<Spawner>,
    command: Command,
) -> (Mutex<mpsc::Receiver<Started>>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(1);
    let filler = tokio::spawn(async move {
        loop {
            let started = start(&spawner, &command).await;
            if sender.send(started).await.is_err() {
                return;
            }
        }
    });
    (Mutex::new(receiver), filler)
}

async fn start(spawner: &Spawner, command: &Command) -> Started {
    let asked = Instant::now();
    let pipes = spawner.spawn(command).await?;
    Ok(Connection::new(pipes, asked, Bounds::default()))
}
