//! The server behind an address, where it is for us to start: one process that all connections share.

use mcp_assay_transport::server_process::{Ready, ServerError, ServerProcess, how_it_ended};
use mcp_assay_transport::stdio::{Command, Spawner};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// Failed starts in a row, of a server that ran once, after which it is not started again.
const TRIES: u32 = 3;

/// How often, and after what pause, it is looked whether the server before has left its address.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(50);

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// Its command.
    pub command: Command,
    /// What tells that it may be asked.
    pub ready: Ready,
    /// How long that may take.
    pub within: Duration,
}

/// Keeps one server running.
pub(super) struct Server {
    start: Start,
    spawner: Arc<Spawner>,
    /// Held while it is started, so that cases which open a connection at once share one start.
    state: Mutex<State>,
    restarts: StdMutex<Vec<String>>,
}

#[derive(Default)]
struct State {
    running: Option<Arc<ServerProcess>>,
    /// How the one before ended, until another runs.
    ended: Option<String>,
    /// Failed starts in a row, and why the last of them failed.
    failed: Option<(u32, Arc<ServerError>)>,
}

impl Server {
    pub(super) fn new(start: Start, spawner: Arc<Spawner>) -> Self {
        Server {
            start,
            spawner,
            state: Mutex::default(),
            restarts: StdMutex::default(),
        }
    }

    /// The server; started, or started again, where it does not run.
    ///
    /// **Errors**: why it does not start. One that never ran is not tried again, and one that did a few times only: each try may cost
    /// the whole of its time, and there is one for each case.
    pub(super) async fn running(&self) -> Result<Arc<ServerProcess>, Arc<ServerError>> {
        let mut state = self.state.lock().await;
        if let Some(server) = &state.running {
            match server.has_exited() {
                None => return Ok(Arc::clone(server)),
                Some(exit) => {
                    let after = exit.after.as_secs_f64();
                    state.ended = Some(match server.given_up() {
                        Some(why) => {
                            format!("the server {why}, and was ended {after:.1} s after its start")
                        }
                        None => format!(
                            "the server {} {after:.1} s after its start",
                            how_it_ended(&exit)
                        ),
                    });
                    // Our share in it goes, so that its guard is gone before the next takes its address.
                    state.running = None;
                }
            }
        }
        let tries = if state.ended.is_some() { TRIES } else { 1 };
        if let Some((times, error)) = &state.failed
            && *times >= tries
        {
            return Err(Arc::clone(error));
        }
        let Start {
            command,
            ready,
            within,
        } = &self.start;
        let start = || ServerProcess::start(&self.spawner, command, ready, *within);
        let mut started = start().await;
        // What is left of one that ended, a child of its own perhaps, may take a moment to leave the address.
        let mut looks = if state.ended.is_some() { LOOKS } else { 0 };
        while looks > 0 && matches!(started, Err(ServerError::Taken(_))) {
            looks -= 1;
            sleep(PAUSE).await;
            started = start().await;
        }
        match started {
            Ok(server) => {
                let server = Arc::new(server);
                state.running = Some(Arc::clone(&server));
                state.failed = None;
                if let Some(ended) = state.ended.take() {
                    self.restarts
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(ended);
                }
                Ok(server)
            }
            Err(error) => {
                let times = state.failed.as_ref().map_or(0, |(times, _)| *times);
                let error = Arc::new(error);
                state.failed = Some((times + 1, Arc::clone(&error)));
                Err(error)
            }
        }
    }

    /// Why it was started again, once for each time.
    pub(super) fn restarts(&self) -> Vec<String> {
        let restarts = self.restarts.lock();
        restarts.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
