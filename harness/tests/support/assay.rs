//! One run of the real executable: watched while it lasts, read when it is over.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// In this time every run ends, whatever its target does.
pub const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// A run that was started.
pub struct Assay {
    child: Child,
    mark: String,
    folder: TempDir,
    began: Instant,
    peak_kib: u64,
}

/// What a run came to.
pub struct Ended {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Wall time.
    pub wall: Duration,
    /// Most memory that the harness itself held, in KiB. The targets' own is not in it.
    pub peak_kib: u64,
    /// Processes of the run that were there when it was over, as `pid command`.
    pub left: Vec<String>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    folder: TempDir,
}

impl Assay {
    /// Starts `mcp-assay run ARG...` in a folder of its own, with all three reports.
    pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!(
            "hostile-{}-{}-end",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = tempfile::tempdir().expect("a folder");
        let file = |name: &str| File::create(folder.path().join(name)).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-assay"));
        command
            .current_dir(folder.path())
            .env("MCP_ASSAY_MARK", &mark);
        command.args([
            "run",
            "--report",
            "json=report.json",
            "--report",
            "jsonl=run.jsonl",
            "--report",
            "junit=junit.xml",
        ]);
        command.args(args);
        command
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"));
        let child = command.spawn().expect("mcp-assay starts");
        Assay {
            child,
            mark,
            folder,
            began: Instant::now(),
            peak_kib: 0,
        }
    }

    /// Sends a signal to it, and to it alone.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().try_into().expect("a process id");
        kill(Pid::from_raw(pid), signal).expect("a child that nobody waited for");
    }

    /// What is in the environment of every process of the run.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// The folder it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Living processes of the run, itself included, as `pid command`.
    pub fn alive(&self) -> Vec<String> {
        alive(&self.mark)
    }

    /// Waits until `done` says so; fails the test at the deadline, or when the run ends first.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        while !done(self) {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "mcp-assay ended ({ended:?}) before {what}");
            assert!(
                self.began.elapsed() < DEADLINE,
                "{DEADLINE:?} passed before {what}"
            );
            thread::sleep(POLL);
        }
    }

    /// Waits for its end, and gives the exit code; at the deadline it is killed and the test fails.
    pub fn wait_for_end(&mut self) -> Option<i32> {
        loop {
            // The high-water mark is gone with the process, so it is read as long as there is one.
            self.peak_kib = self.peak_kib.max(peak_kib(self.child.id()).unwrap_or(0));
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            if self.began.elapsed() >= DEADLINE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!(
                    "mcp-assay did not end within {DEADLINE:?}\n{}",
                    self.read("stdout")
                );
            }
            thread::sleep(POLL);
        }
    }

    /// Waits for its end, and looks at once at what is left.
    pub fn end(mut self) -> Ended {
        let code = self.wait_for_end();
        let left = alive(&self.mark);
        let wall = self.began.elapsed();
        let (stdout, stderr) = (self.read("stdout"), self.read("stderr"));
        Ended {
            code,
            wall,
            peak_kib: self.peak_kib,
            left,
            stdout,
            stderr,
            folder: self.folder,
        }
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join(name)).unwrap_or_default())
            .into_owned()
    }
}

impl Ended {
    /// The text of a file that it wrote, whatever its bytes.
    pub fn file(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        String::from_utf8(bytes).expect("reports are UTF-8")
    }

    /// The JSON report.
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.file("report.json")).expect("the report is JSON")
    }
}

/// Peak resident memory of a process.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Waits until no process with the mark is left; fails the test where one stays.
pub fn assert_gone(mark: &str) {
    let began = Instant::now();
    loop {
        let left = alive(mark);
        if left.is_empty() {
            return;
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "processes are left: {left:#?}"
        );
        thread::sleep(POLL);
    }
}

/// Living processes with the mark in their environment.
fn alive(mark: &str) -> Vec<String> {
    let pids = fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let marked = |pid: &u32| {
        // A zombie has no environment any more.
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .windows(mark.len())
            .any(|window| window == mark.as_bytes())
    };
    let shown = |pid: u32| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!(
            "{pid} {}",
            String::from_utf8_lossy(&arguments).replace('\0', " ")
        )
    };
    pids.filter(marked).map(shown).collect()
}
