//! A server that is started and shared: when it counts as ready, and what is said when it does not become so.

use crate::support::{Mark, exit, soon, spawner, trial};
use libtest_mimic::Trial;
use mcp_assay_transport::server_process::{Ready, ServerError, ServerProcess};
use mcp_assay_transport::stdio::Command;
use nix::sys::stat::Mode;
use std::env;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Far more than a server here needs, and less than the deadline of a test.
const ENOUGH: Duration = Duration::from_secs(20);

pub fn trials() -> Vec<Trial> {
    vec![
        trial("waits_until_the_port_accepts", waits_until_the_port_accepts),
        trial(
            "waits_for_a_line_of_either_output",
            waits_for_a_line_of_either_output,
        ),
        trial(
            "finds_a_line_that_comes_in_pieces",
            finds_a_line_that_comes_in_pieces,
        ),
        trial(
            "says_how_a_server_ended_before_it_was_ready",
            says_how_a_server_ended_before_it_was_ready,
        ),
        trial(
            "says_that_a_start_command_must_stay",
            says_that_a_start_command_must_stay,
        ),
        trial(
            "gives_up_on_a_server_that_does_not_become_ready",
            gives_up_on_a_server_that_does_not_become_ready,
        ),
        trial(
            "does_not_take_another_server_for_its_own",
            does_not_take_another_server_for_its_own,
        ),
        trial(
            "says_when_the_command_does_not_exist",
            says_when_the_command_does_not_exist,
        ),
        trial(
            "drains_both_outputs_and_keeps_their_tails",
            drains_both_outputs_and_keeps_their_tails,
        ),
        trial(
            "keeps_its_input_open_and_ends_it_when_dropped",
            keeps_its_input_open_and_ends_it_when_dropped,
        ),
    ]
}

/// Listens at the address that the arguments name, until it is killed.
pub fn listen(mut args: impl Iterator<Item = String>) -> ExitCode {
    let address = args.next().expect("an address");
    let listener = TcpListener::bind(&address).expect("an address that nobody else uses");
    for stream in listener.incoming() {
        drop(stream);
    }
    ExitCode::SUCCESS
}

/// An address of loopback that no other test and hardly any other program uses.
fn address() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    let host = Ipv4Addr::new(127, high, low, NEXT.fetch_add(1, Ordering::Relaxed));
    let port = TcpListener::bind((host, 0))
        .expect("a port")
        .local_addr()
        .expect("its address")
        .port();
    SocketAddr::new(IpAddr::V4(host), port)
}

fn port_of(address: SocketAddr) -> Ready {
    Ready::Port {
        host: address.ip().to_string(),
        port: address.port(),
    }
}

fn listener(mark: &Mark, address: SocketAddr) -> Command {
    let own = env::current_exe().expect("own path");
    mark.command([
        own.into_os_string(),
        "listen".into(),
        address.to_string().into(),
    ])
}

/// Two pipes with names: a script writes a line to the first when it has begun, and waits for one from the second.
struct Gate(TempDir);

impl Gate {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["begun", "go"] {
            nix::unistd::mkfifo(&folder.path().join(name), Mode::S_IRWXU).expect("a pipe");
        }
        Gate(folder)
    }

    fn command(&self, mark: &Mark, then: &str) -> Command {
        let own = env::current_exe().expect("own path");
        let script = format!("echo > begun; read line < go; {then}");
        Command {
            cwd: Some(self.0.path().to_owned()),
            ..mark.command([
                "sh".into(),
                "-c".into(),
                script.into(),
                own.into_os_string(),
            ])
        }
    }

    async fn begun(&self) {
        let path = self.0.path().join("begun");
        soon(
            "the script to begin",
            tokio::task::spawn_blocking(move || fs::read(path)),
        )
        .await
        .expect("a task")
        .expect("a line");
    }

    async fn open(&self) {
        let path = self.0.path().join("go");
        soon(
            "the script to go on",
            tokio::task::spawn_blocking(move || fs::write(path, "go\n")),
        )
        .await
        .expect("a task")
        .expect("a reader");
    }
}

async fn waits_until_the_port_accepts() {
    let (mark, spawner, gate, address) = (Mark::new(), spawner(), Gate::new(), address());
    let command = gate.command(&mark, &format!("exec \"$0\" listen {address}"));
    let ready = port_of(address);
    let mut start = Box::pin(ServerProcess::start(&spawner, &command, &ready, ENOUGH));
    tokio::select! {
        ended = &mut start => panic!("ready before it listens: {ended:?}"),
        () = gate.begun() => {}
    }
    gate.open().await;
    let server = soon("readiness", start)
        .await
        .expect("a server that listens");
    assert_eq!(server.has_exited(), None);
    TcpStream::connect(address).await.expect("it listens");
    drop(server);
    mark.assert_gone().await;
}

async fn waits_for_a_line_of_either_output() {
    for (ready, then) in [
        (
            Ready::Stdout("listening on".to_owned()),
            "echo no; echo 'now listening on 1'; exec cat",
        ),
        (
            Ready::Stderr("listening on".to_owned()),
            "echo 'now listening on 1' >&2; exec cat",
        ),
    ] {
        let (mark, spawner, gate) = (Mark::new(), spawner(), Gate::new());
        let command = gate.command(&mark, then);
        let mut start = Box::pin(ServerProcess::start(&spawner, &command, &ready, ENOUGH));
        tokio::select! {
            ended = &mut start => panic!("ready before the line: {ended:?}"),
            () = gate.begun() => {}
        }
        gate.open().await;
        let server = soon("readiness", start)
            .await
            .expect("a server that said so");
        let tail = server.stdout_tail() + &server.stderr_tail();
        assert!(tail.contains("now listening on 1"), "{tail}");
        drop(server);
        mark.assert_gone().await;
    }
}

async fn finds_a_line_that_comes_in_pieces() {
    let (mark, spawner, gate) = (Mark::new(), spawner(), Gate::new());
    // The pause lies in the pipe: the second piece is written only after the first was taken and the gate was opened.
    let command = Command {
        argv: vec![
            "sh".into(),
            "-c".into(),
            "printf 'xxready to ser'; echo > begun; read line < go; printf 'vexx'; exec cat".into(),
        ],
        ..gate.command(&mark, "")
    };
    let ready = Ready::Stdout("ready to serve".to_owned());
    let mut start = Box::pin(ServerProcess::start(&spawner, &command, &ready, ENOUGH));
    tokio::select! {
        ended = &mut start => panic!("ready before the line: {ended:?}"),
        () = gate.begun() => {}
    }
    gate.open().await;
    let server = soon("readiness", start)
        .await
        .expect("a server that said so");
    assert_eq!(server.stdout_tail(), "xxready to servexx");
    drop(server);
    mark.assert_gone().await;
}

async fn says_how_a_server_ended_before_it_was_ready() {
    let (mark, spawner) = (Mark::new(), spawner());
    let script = "echo starting; for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3";
    let command = mark.script(script);
    let ready = port_of(address());
    let error = ServerProcess::start(&spawner, &command, &ready, ENOUGH)
        .await
        .expect_err("it ended");
    assert!(matches!(error, ServerError::Exited { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the server exited with code 3 before it was ready\nits stdout ends:\nstarting\nits stderr ends:\nline 3\nline 4\nline 5\nline 6\nline 7"
    );
    let killed = mark.script("kill -9 $$");
    let error = ServerProcess::start(&spawner, &killed, &ready, ENOUGH)
        .await
        .expect_err("it ended");
    assert_eq!(
        error.to_string(),
        "the server was ended by signal 9 before it was ready"
    );
    mark.assert_gone().await;
}

async fn says_that_a_start_command_must_stay() {
    let (mark, spawner) = (Mark::new(), spawner());
    let command = mark.script("sleep 600 & exit 0");
    let error = ServerProcess::start(&spawner, &command, &port_of(address()), ENOUGH)
        .await
        .expect_err("it ended");
    assert_eq!(
        error.to_string(),
        "the server exited with code 0 before it was ready; its command must stay in the foreground"
    );
    mark.assert_gone().await;
}

async fn gives_up_on_a_server_that_does_not_become_ready() {
    for (ready, awaited) in [
        (
            Ready::Stderr("ready".to_owned()),
            "a line of stderr with \"ready\"",
        ),
        (port_of(address()), "connections at 127."),
    ] {
        let (mark, spawner) = (Mark::new(), spawner());
        // The sign on the wrong output is none.
        let command = mark.script("echo ready; exec cat");
        let patience = Duration::from_millis(150);
        let error = ServerProcess::start(&spawner, &command, &ready, patience)
            .await
            .expect_err("it is mute");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!(
                "the server was not ready within 0.15 s: waited for {awaited}"
            )),
            "{text}"
        );
        mark.assert_gone().await;
    }
}

async fn does_not_take_another_server_for_its_own() {
    let (mark, spawner) = (Mark::new(), spawner());
    let other = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = other.local_addr().expect("its address");
    let command = listener(&mark, address);
    let error = ServerProcess::start(&spawner, &command, &port_of(address), ENOUGH)
        .await
        .expect_err("it is not alone");
    assert!(matches!(error, ServerError::Taken(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&format!("accepts connections at {address} already")),
        "{error}"
    );
    mark.assert_gone().await;
}

async fn says_when_the_command_does_not_exist() {
    let (mark, spawner) = (Mark::new(), spawner());
    let command = mark.command(["no-such-program-anywhere"]);
    let error = ServerProcess::start(&spawner, &command, &port_of(address()), ENOUGH)
        .await
        .expect_err("there is none");
    let text = error.to_string();
    assert!(
        text.starts_with("cannot find program `no-such-program-anywhere`"),
        "{text}"
    );
}

async fn drains_both_outputs_and_keeps_their_tails() {
    let (mark, spawner) = (Mark::new(), spawner());
    // More than a pipe holds on each, or it would never come to the line.
    let script = "head -c 300000 /dev/zero | tr '\\0' a; head -c 300000 /dev/zero | tr '\\0' b >&2; echo end; echo all said >&2; exec cat";
    let ready = Ready::Stderr("all said".to_owned());
    let server = ServerProcess::start(&spawner, &mark.script(script), &ready, ENOUGH)
        .await
        .expect("a server");
    let stderr = server.stderr_tail();
    assert_eq!(stderr.len(), 16 * 1024);
    assert!(
        stderr.ends_with("bb\nall said\n") || stderr.ends_with("bball said\n"),
        "{}",
        &stderr[stderr.len() - 20..]
    );
    assert!(server.stdout_tail().len() <= 16 * 1024);
    drop(server);
    mark.assert_gone().await;
}

async fn keeps_its_input_open_and_ends_it_when_dropped() {
    let (mark, spawner, address) = (Mark::new(), spawner(), address());
    let server = ServerProcess::start(
        &spawner,
        &listener(&mark, address),
        &port_of(address),
        ENOUGH,
    )
    .await
    .expect("a server");
    // One that ends with its input is still there, and tells its end when it comes.
    let command = mark.script("echo ready; cat; exit 5");
    let reader = ServerProcess::start(
        &spawner,
        &command,
        &Ready::Stdout("ready".to_owned()),
        ENOUGH,
    )
    .await
    .expect("a server");
    assert_eq!(reader.has_exited(), None);
    let process = server.process().clone();
    drop((server, reader));
    assert_eq!(process.has_exited(), None, "a handle is left");
    process
        .orders
        .send(mcp_assay_transport::pipes::Order::Kill)
        .expect("a keeper");
    assert_eq!(exit(&process).await.signal, Some(9));
    drop(process);
    mark.assert_gone().await;
}
