//! Servers behind an address that the launcher starts: one for all connections, started again when it has ended, and not for ever.
//!
//! The executable has three lives: the tests, the guard that the launcher starts, and the server.

#[cfg(target_os = "linux")]
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_deref().and_then(|first| first.to_str()) {
        Some("guard") => mcp_assay_transport::guard::main(args),
        Some("server") => server::main(args.filter_map(|word| word.into_string().ok())),
        _ => {
            let trials: Vec<Trial> = trials::all();
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}

#[cfg(target_os = "linux")]
mod server {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::net::TcpListener;
    use std::process::ExitCode;

    /// Notes that it was started, and listens; from the start after the last good one on it complains and ends.
    pub fn main(mut args: impl Iterator<Item = String>) -> ExitCode {
        let (notes, address) = (
            args.next().expect("a file"),
            args.next().expect("an address"),
        );
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(notes)
            .expect("a file");
        file.write_all(b"started\n").expect("a file");
        let starts = file.metadata().expect("a file").len() / 8;
        let good: u64 = args.next().expect("a number").parse().expect("a number");
        if starts > good {
            eprintln!("cannot use {address}");
            return ExitCode::from(4);
        }
        let listener = TcpListener::bind(&address).expect("an address that nobody else uses");
        for stream in listener.incoming() {
            drop(stream);
        }
        ExitCode::SUCCESS
    }
}

#[cfg(target_os = "linux")]
mod trials {
    use libtest_mimic::Trial;
    use mcp_assay::target::{HttpTarget, Launcher, Link, Start, Target};
    use mcp_assay_transport::http::endpoint::Endpoint;
    use mcp_assay_transport::pipes::Order;
    use mcp_assay_transport::server_process::{Ready, ServerProcess};
    use mcp_assay_transport::stdio::Command;
    use std::net::{Ipv4Addr, TcpListener};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::time::Duration;
    use std::{env, fs};
    use tempfile::TempDir;

    /// Far longer than anything here takes.
    const DEADLINE: Duration = Duration::from_secs(60);

    pub fn all() -> Vec<Trial> {
        vec![
            trial(
                "one_server_is_shared_by_all_connections",
                one_server_is_shared_by_all_connections,
            ),
            trial(
                "a_server_that_ended_is_started_again",
                a_server_that_ended_is_started_again,
            ),
            trial(
                "an_address_that_is_left_late_is_waited_for",
                an_address_that_is_left_late_is_waited_for,
            ),
            trial(
                "a_server_that_never_ran_is_not_tried_again",
                a_server_that_never_ran_is_not_tried_again,
            ),
            trial(
                "a_server_that_ran_is_tried_a_few_times",
                a_server_that_ran_is_tried_a_few_times,
            ),
            trial(
                "the_server_ends_with_its_launcher",
                the_server_ends_with_its_launcher,
            ),
        ]
    }

    fn trial<F: Future<Output = ()>>(
        name: &str,
        body: impl FnOnce(Stage) -> F + Send + 'static,
    ) -> Trial {
        // Before any test runs: a process that is just being started holds what its parent listens at.
        let stage = Stage::new();
        Trial::test(name, move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime
                .block_on(async { tokio::time::timeout(DEADLINE, body(stage)).await })
                .map_err(|_| "the test hangs".into())
        })
    }

    /// A folder for the notes of a server, and an address for it.
    struct Stage {
        folder: TempDir,
        host: Ipv4Addr,
        port: u16,
    }

    impl Stage {
        fn new() -> Self {
            static NEXT: AtomicU8 = AtomicU8::new(1);
            // An address of loopback that no other test and hardly any other program uses.
            let [.., high, low] = std::process::id().to_be_bytes();
            let host = Ipv4Addr::new(127, high, low, NEXT.fetch_add(1, Ordering::Relaxed));
            let listener = TcpListener::bind((host, 0)).expect("a port");
            let port = listener.local_addr().expect("its address").port();
            let folder = tempfile::tempdir().expect("a folder");
            Stage { folder, host, port }
        }

        fn notes(&self) -> std::path::PathBuf {
            self.folder.path().join("notes")
        }

        fn starts(&self) -> usize {
            fs::read_to_string(self.notes())
                .unwrap_or_default()
                .lines()
                .count()
        }

        /// A launcher for a server of which the first `good` starts succeed.
        fn launcher(&self, good: u64) -> Launcher {
            let own = env::current_exe().expect("own path");
            let address = format!("{}:{}", self.host, self.port);
            let words =
                ["server", &text(&self.notes()), &address, &good.to_string()].map(str::to_owned);
            let mut command = Command::new([own]);
            command.argv.extend(words.map(Into::into));
            let target = HttpTarget {
                endpoint: Endpoint::parse(&format!("http://{address}/mcp")).expect("an address"),
                headers: Vec::new(),
                ca: Vec::new(),
                start: Some(Start {
                    command,
                    ready: Ready::Port {
                        host: self.host.to_string(),
                        port: self.port,
                    },
                    within: Duration::from_secs(20),
                }),
                binding: None,
            };
            Launcher::new(Target::Http(target), true).expect("a launcher")
        }
    }

    fn text(path: &Path) -> String {
        path.to_str().expect("text").to_owned()
    }

    async fn open(launcher: &Launcher) -> Result<Arc<ServerProcess>, String> {
        match launcher.open().await {
            Ok(Link::Http(_, Some(server))) => Ok(server),
            Ok(Link::Http(_, None) | Link::Pipes(_)) => panic!("no server was started"),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn kill(server: Arc<ServerProcess>) {
        server.process().orders.send(Order::Kill).expect("a keeper");
        server.exited().await;
    }

    async fn one_server_is_shared_by_all_connections(stage: Stage) {
        let launcher = stage.launcher(9);
        let (first, second, settings) =
            tokio::join!(open(&launcher), open(&launcher), launcher.settings());
        let (first, second) = (first.expect("a server"), second.expect("a server"));
        assert!(Arc::ptr_eq(&first, &second));
        assert!(settings.expect("a server").is_some());
        assert_eq!(stage.starts(), 1);
        assert_eq!(launcher.opened(), 2);
        assert!(launcher.restarts().is_empty());
    }

    async fn a_server_that_ended_is_started_again(stage: Stage) {
        let launcher = stage.launcher(9);
        for times in 1..=4 {
            let server = open(&launcher).await.expect("a server");
            assert_eq!(server.has_exited(), None);
            assert_eq!(
                (stage.starts(), launcher.restarts().len()),
                (times, times - 1)
            );
            kill(server).await;
        }
        for why in launcher.restarts() {
            assert!(
                why.starts_with("the server was ended by signal 9 "),
                "{why}"
            );
        }
    }

    async fn an_address_that_is_left_late_is_waited_for(stage: Stage) {
        let launcher = stage.launcher(9);
        kill(open(&launcher).await.expect("a server")).await;
        let late = TcpListener::bind((stage.host, stage.port)).expect("the address of the server");
        let left = std::thread::spawn(move || drop(late.accept().expect("a look")));
        let server = open(&launcher).await.expect("a server");
        left.join().expect("one that looked");
        assert_eq!(server.has_exited(), None);
        assert_eq!((stage.starts(), launcher.restarts().len()), (2, 1));
    }

    async fn a_server_that_never_ran_is_not_tried_again(stage: Stage) {
        let launcher = stage.launcher(0);
        let address = format!("{}:{}", stage.host, stage.port);
        let expected = format!(
            "the server exited with code 4 before it was ready\nits stderr ends:\ncannot use {address}"
        );
        for _ in 0..3 {
            assert_eq!(
                open(&launcher).await.expect_err("it ends at once"),
                expected
            );
        }
        assert_eq!(stage.starts(), 1);
        assert!(launcher.restarts().is_empty());
    }

    async fn a_server_that_ran_is_tried_a_few_times(stage: Stage) {
        let launcher = stage.launcher(1);
        kill(open(&launcher).await.expect("a server")).await;
        for _ in 0..6 {
            let error = open(&launcher).await.expect_err("it does not come back");
            assert!(error.contains("exited with code 4"), "{error}");
        }
        assert_eq!(stage.starts(), 1 + 3);
        assert!(launcher.restarts().is_empty(), "it never ran again");
    }

    async fn the_server_ends_with_its_launcher(stage: Stage) {
        let launcher = stage.launcher(9);
        let server = open(&launcher).await.expect("a server");
        drop(launcher);
        // A connection that outlives the launcher holds a process that has ended.
        server.exited().await;
        assert!(
            TcpListener::bind((stage.host, stage.port)).is_ok(),
            "nobody listens any more"
        );
    }
}
