//! The target of a run, and how a connection to it is made.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::template::Template;
use mcp_assay_peer::{Options, Planted, Resolve};
use mcp_assay_transport::connection::{Bounds, Connection};
use mcp_assay_transport::memory;
use mcp_assay_transport::stdio::{Command, SpawnError, Spawner};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What is tested.
#[derive(Clone, Debug)]
pub enum Target {
    /// A process on stdio.
    Command(Command),
    /// The reference peer in memory, honest or telling one lie.
    Peer(Option<Planted>),
    /// A server that a test has written.
    #[cfg(test)]
    Scripted(Script),
}

/// Starts a server that a test has written, once for each connection.
#[cfg(test)]
#[derive(Clone)]
pub struct Script(Arc<Start>);

#[cfg(test)]
type Start = dyn Fn() -> Result<mcp_assay_transport::pipes::Pipes, SpawnError> + Send + Sync;

#[cfg(test)]
impl Script {
    /// Starts what `start` gives.
    pub fn new(
        start: impl Fn() -> Result<mcp_assay_transport::pipes::Pipes, SpawnError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Script(Arc::new(start))
    }
}

#[cfg(test)]
impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Target {
    /// The binding it is reached by.
    pub fn binding(&self) -> Binding {
        match self {
            Target::Command(_) => Binding::Stdio,
            Target::Peer(_) => Binding::Memory,
            #[cfg(test)]
            Target::Scripted(_) => Binding::Memory,
        }
    }

    /// The command, as typed.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Target::Command(command) => command
                .argv
                .iter()
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            // What would start the same server as a process.
            Target::Peer(_) => vec!["mcp-assay".to_owned(), "serve".to_owned()],
            #[cfg(test)]
            Target::Scripted(_) => vec!["scripted".to_owned()],
        }
    }
}

/// Opens connections; processes are started ahead of need.
pub struct Launcher {
    target: Target,
    spawner: Option<Arc<Spawner>>,
    ahead: Option<(Mutex<mpsc::Receiver<Started>>, JoinHandle<()>)>,
    opened: AtomicU64,
    resolve: Option<Resolve>,
}

type Started = Result<Connection, SpawnError>;

impl Launcher {
    /// For a target; `ahead` says whether processes may be started before they are needed.
    ///
    /// **Errors**: when our own executable cannot be found, or the thread that keeps the guards cannot start.
    pub fn new(target: Target, ahead: bool) -> std::io::Result<Self> {
        let spawner = match &target {
            Target::Command(_) => Some(Arc::new(Spawner::start(
                own_program()?,
                vec!["guard".into()],
            )?)),
            Target::Peer(_) => None,
            #[cfg(test)]
            Target::Scripted(_) => None,
        };
        let ahead = match (&target, &spawner) {
            (Target::Command(command), Some(spawner)) if ahead => {
                let (sender, receiver) = mpsc::channel(1);
                let (spawner, command) = (Arc::clone(spawner), command.clone());
                let filler = tokio::spawn(async move {
                    loop {
                        let started = start(&spawner, &command).await;
                        if sender.send(started).await.is_err() {
                            return;
                        }
                    }
                });
                Some((Mutex::new(receiver), filler))
            }
            _ => None,
        };
        Ok(Launcher {
            target,
            spawner,
            ahead,
            opened: AtomicU64::new(0),
            resolve: None,
        })
    }

    /// Lets the faults of the reference peer refer to facts.
    #[must_use]
    pub fn with_facts(mut self, catalogue: &Arc<Catalogue>) -> Self {
        self.resolve = Some(resolve_facts(catalogue));
        self
    }

    /// A fresh connection.
    ///
    /// **Errors**: why the process could not be started.
    pub async fn open(&self) -> Result<Connection, SpawnError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        match &self.target {
            Target::Peer(planted) => Ok(self_connection(planted.clone(), self.resolve.clone())),
            #[cfg(test)]
            Target::Scripted(script) => {
                let asked = Instant::now();
                Ok(Connection::new((script.0)()?, asked, Bounds::default()))
            }
            Target::Command(command) => {
                if let Some((ahead, _)) = &self.ahead {
                    // One that ended while it waited says nothing about the case that would get it.
                    if let Some(Ok(mut connection)) = ahead.lock().await.recv().await
                        && connection.process().has_exited().is_none()
                    {
                        connection.started = Instant::now();
                        return Ok(connection);
                    }
                }
                let spawner = self
                    .spawner
                    .as_ref()
                    .expect("a command always has a spawner");
                start(spawner, command).await
            }
        }
    }

    /// Connections opened so far.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
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
fn own_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe()
    }
}

async fn start(spawner: &Spawner, command: &Command) -> Started {
    let asked = Instant::now();
    let pipes = spawner.spawn(command).await?;
    Ok(Connection::new(pipes, asked, Bounds::default()))
}

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

fn self_connection(planted: Option<Planted>, resolve: Option<Resolve>) -> Connection {
    let asked = Instant::now();
    let pipes = memory::spawn(move |input, output| async move {
        let options = Options {
            fault: planted,
            resolve,
            ..Options::default()
        };
        mcp_assay_peer::serve(options, input, output)
            .await
            .exit_code
    });
    Connection::new(pipes, asked, Bounds::default())
}
