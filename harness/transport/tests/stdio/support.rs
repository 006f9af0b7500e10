//! Marks, deadlines and short forms.

use libtest_mimic::Trial;
use mcp_assay_transport::pipes::{Exit, ProcessHandle};
use mcp_assay_transport::stdio::{Command, Spawner};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime;
use tokio::time::{sleep, timeout};

/// Far longer than anything here takes, also on a busy machine: whoever waits that long waits for ever.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// One test on a runtime of its own: single-threaded, so that anything that blocks it hangs the test.
pub fn trial<F: Future<Output = ()>>(
    name: &str,
    body: impl FnOnce() -> F + Send + 'static,
) -> Trial {
    Trial::test(name, move || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime
            .block_on(async { timeout(2 * DEADLINE, body()).await })
            .map_err(|_| "the test hangs".into())
    })
}

pub fn spawner() -> Spawner {
    Spawner::start(env::current_exe().expect("own path"), vec!["guard".into()]).expect("a spawner")
}

/// Tells the processes of one test: the mark is in their environment, and where the command is a script in their arguments.
pub struct Mark(pub String);

impl Mark {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let since = std::time::UNIX_EPOCH
            .elapsed()
            .expect("a clock after 1970")
            .as_nanos();
        Self(format!(
            "mark-{}-{}-{since}-end",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        ))
    }

    pub fn command<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Command {
        Command {
            env: vec![("MCP_ASSAY_MARK".to_owned(), self.0.clone())],
            ..Command::new(argv)
        }
    }

    /// A shell script; the mark is `$0`, so that the guard's own command line holds it too.
    pub fn script(&self, script: &str) -> Command {
        self.command(["sh", "-c", script, &self.0])
    }

    /// Living processes with the mark, other than this one, as `pid command`. A zombie has no arguments any more.
    pub fn alive(&self) -> Vec<String> {
        let own = std::process::id();
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let pids = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != own);
        pids.filter_map(|pid| {
            let args = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let env = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let has = |text: &[u8]| {
                text.windows(self.0.len())
                    .any(|window| window == self.0.as_bytes())
            };
            (has(&args) || has(&env)).then(|| {
                format!(
                    "{pid} {}",
                    String::from_utf8_lossy(&args).replace('\0', " ")
                )
            })
        })
        .collect()
    }

    pub async fn assert_gone(&self) {
        let since = Instant::now();
        loop {
            let alive = self.alive();
            if alive.is_empty() {
                return;
            }
            assert!(since.elapsed() < DEADLINE, "processes are left: {alive:#?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

pub async fn soon<T>(what: &str, event: impl Future<Output = T>) -> T {
    timeout(DEADLINE, event)
        .await
        .unwrap_or_else(|_| panic!("waited {DEADLINE:?} for {what}"))
}

pub async fn exit(process: &ProcessHandle) -> Exit {
    soon("the exit", process.exited()).await
}

type Stream = Box<dyn AsyncRead + Send + Unpin>;

pub async fn text(stream: &mut Stream) -> String {
    let mut text = Vec::new();
    soon("the end of a stream", stream.read_to_end(&mut text))
        .await
        .expect("a readable stream");
    String::from_utf8(text).expect("text")
}

pub async fn line(stream: &mut Stream) -> String {
    let mut line = Vec::new();
    loop {
        let byte = soon("a line", stream.read_u8())
            .await
            .expect("a line before the end of the stream");
        if byte == b'\n' {
            return String::from_utf8(line).expect("text");
        }
        line.push(byte);
    }
}

/// Runs a command to its end and gives everything it printed.
pub async fn output(spawner: &Spawner, command: &Command) -> String {
    let mut pipes = spawner.spawn(command).await.expect("a target");
    let text = text(&mut pipes.stdout).await;
    let exit = exit(&pipes.process).await;
    assert_eq!(exit.code, Some(0), "{exit:?} {text}");
    text
}
