//! `judge` and `tap` as a user meets them: real processes, real sockets, and files.

#![cfg(target_os = "linux")]

use mcp_assay_report::EVENTS_SCHEMA;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_mcp-assay");

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn command<A: AsRef<OsStr>>(folder: &Path, args: &[A]) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(args);
    command
}

/// Runs the binary to its end, with this on its standard input.
fn fed<A: AsRef<OsStr>>(folder: &Path, args: &[A], input: &[u8]) -> Output {
    let mut command = command(folder, args);
    command.stdin(Stdio::piped());
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A target that ends early reads no more.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it writes");
    output
}

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recordings")
        .join(name)
}

/// Runs `judge` where the recordings are, so that no path of this machine is in what it says.
fn judge(args: &[&str]) -> Output {
    let mut all = vec!["judge"];
    all.extend(args);
    fed(&recording(""), &all, b"")
}

fn golden(name: &str, got: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../golden/judge");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Rules are added all the time; what is found of these recordings is what is golden.
    settings.add_filter(r"(results   ).*", "$1[COUNTS]");
    settings.add_filter(r"(not run   ).*", "$1[COUNTS]");
    settings.add_filter(r"(time      ).*", "$1[TIME]");
    settings.add_filter(r"^mcp-assay \S+", "mcp-assay [VERSION]");
    settings.add_filter(r"(?m)^ {12}(\d{4}-\d\d-\d\d/|https://).*\n", "");
    settings.bind(|| insta::assert_snapshot!(name, got));
}

#[test]
fn each_format_is_read_and_judged() {
    for (name, args) in [
        ("lines", &["talk.txt"][..]),
        ("lines-midway", &["midway.txt"]),
        ("har", &["browser.har"]),
        ("several-files-quiet", &["-q", "talk.txt", "browser.har"]),
    ] {
        let output = judge(args);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        golden(name, &text(&output.stdout));
    }
}

#[test]
fn what_breaks_no_rule_is_told_and_changes_no_exit_code() {
    let output = judge(&["noted.txt"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    golden("noted", &text(&output.stdout));
    let folder = folder();
    let report = folder.path().join("report.json");
    let report = report.to_str().expect("a path");
    judge(&["noted.txt", "--report", &format!("json={report}")]);
    let report: Value =
        serde_json::from_slice(&fs::read(report).expect("a report")).expect("it is JSON");
    let noted = report["noted"].as_array().expect("notes");
    let told: Vec<_> = noted
        .iter()
        .map(|note| (note["at"].as_str(), note["count"].as_u64()))
        .collect();
    assert_eq!(
        told,
        [
            (Some("#8 /params/includeContext"), Some(1)),
            (Some("#7 /result/nextcursor"), Some(2)),
        ]
    );
    // The side that is not judged is not noted.
    let clients = judge(&["noted.txt", "--role", "client"]);
    assert!(!text(&clients.stdout).contains("NOTES"));
}

#[test]
fn what_cannot_be_read_is_said_with_its_place() {
    let folder = folder();
    let write = |name: &str, bytes: &str| {
        fs::write(folder.path().join(name), bytes).expect("it is written");
    };
    write(
        "plain.jsonl",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n",
    );
    write("broken.jsonl", "{\"event\":\"run-started\"}\n");
    write(
        "broken.har",
        "{\"log\": {\"entries\": [\n  {\"request\": 1}\n]}}",
    );
    write("empty.txt", "\n# nothing\n");
    for (name, args) in [
        ("no-direction", &["judge", "plain.jsonl"][..]),
        ("broken-jsonl", &["judge", "broken.jsonl"]),
        ("broken-har", &["judge", "broken.har"]),
        ("nothing", &["judge", "empty.txt"]),
        ("missing", &["judge", "missing.txt"]),
        ("forced", &["judge", "--input", "har", "plain.jsonl"]),
        (
            "unknown-format",
            &["judge", "--input", "pcap", "plain.jsonl"],
        ),
        ("no-file", &["judge"]),
        ("tap-without-server", &["tap"]),
        ("tap-listen-alone", &["tap", "--listen", "127.0.0.1:0"]),
        (
            "tap-report-to-stdout",
            &["tap", "--report", "json=-", "--", "cat"],
        ),
        (
            "tap-upstream-no-url",
            &[
                "tap",
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                "localhost:1/mcp",
            ],
        ),
        (
            "tap-upstream-user",
            &[
                "tap",
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                "http://a:b@localhost:1/mcp",
            ],
        ),
    ] {
        let output = fed(folder.path(), args, b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert_eq!(text(&output.stdout), "");
        golden(&format!("error-{name}"), &said);
    }
}

#[test]
fn standard_input_is_a_recording_too() {
    let bytes = fs::read(recording("talk.txt")).expect("a recording");
    let output = fed(folder().path(), &["judge", "-", "--role", "client"], &bytes);
    // Of the client's conduct nothing is to be said.
    assert!(
        !text(&output.stdout).contains("DENIED"),
        "{}",
        text(&output.stdout)
    );
    let output = fed(
        folder().path(),
        &["judge", "-", "--report", "json=-"],
        &bytes,
    );
    let report: Value = serde_json::from_slice(&output.stdout).expect("one report");
    assert_eq!(report["sides"], serde_json::json!(["server", "client"]));
    assert_eq!(report["summary"]["denied"], 2, "{report}");
}

/// Bytes of every kind: long lines, short lines, no text, no newline at the end.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut bytes: Vec<u8> = (0..length).map(|_| next() as u8).collect();
    for _ in 0..40 {
        let at = next() as usize % length;
        bytes[at] = b'\n';
    }
    bytes.push(b'x');
    bytes
}

#[test]
fn every_byte_passes_over_stdio_both_ways() {
    let folder = folder();
    let mut bytes = noise(3_000_000);
    // One line that is longer than what is read of it, and one that is not quite.
    bytes.extend(vec![b'a'; 20 * 1024 * 1024]);
    bytes.push(b'\n');
    bytes.extend(vec![b'['; 100_000]);
    let output = fed(
        folder.path(),
        &["tap", "-q", "--record", "all.jsonl", "--", "cat"],
        &bytes,
    );
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        output.stdout == bytes,
        "{} of {}",
        output.stdout.len(),
        bytes.len()
    );
    let record = fs::read(folder.path().join("all.jsonl")).expect("a recording");
    assert!(record.ends_with(b"\n"));
}

#[test]
fn a_server_that_floods_is_passed_on_whole() {
    let folder = folder();
    let length = 100_000_000;
    let script = format!("head -c {length} /dev/zero");
    let output = fed(
        folder.path(),
        &["tap", "-q", "--", "sh", "-c", &script],
        b"",
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout.len(), length);
    assert!(output.stdout.iter().all(|byte| *byte == 0));
}

#[test]
fn the_end_of_the_server_is_our_end_with_its_exit_code() {
    let folder = folder();
    for (script, code, out) in [
        (
            "printf 'half a line'; echo told >&2; exit 7",
            7,
            "half a line",
        ),
        ("kill -9 $$", 137, ""),
        ("exec cat > /dev/null", 0, ""),
    ] {
        let output = fed(folder.path(), &["tap", "--", "sh", "-c", script], b"some\n");
        assert_eq!(output.status.code(), Some(code), "{script}");
        assert_eq!(text(&output.stdout), out);
        assert_eq!(text(&output.stderr).contains("told"), code == 7);
    }
}

#[test]
fn a_server_that_ends_while_its_input_is_open_ends_us() {
    let folder = folder();
    let mut child = command(
        folder.path(),
        &["tap", "-q", "--", "sh", "-c", "read line; exit 3"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::null())
    .spawn()
    .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"go\n").expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
}

#[test]
fn a_server_that_is_not_there_is_exit_code_3() {
    let output = fed(folder().path(), &["tap", "--", "./no-such-server"], b"");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("no-such-server"));
}

#[test]
fn a_signal_reaches_the_server() {
    let script = "trap 'echo bye; exit 5' TERM; echo ready; sleep 1000 & wait";
    let folder = folder();
    let mut child = command(folder.path(), &["tap", "-q", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it speaks");
    assert_eq!(line, "ready\n");
    signal(&child, Signal::SIGINT);
    line.clear();
    stdout.read_to_string(&mut line).expect("it speaks");
    assert_eq!(line, "bye\n");
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), signal).expect("our own child");
}

#[test]
fn a_recording_that_cannot_be_written_is_said_and_no_more() {
    let folder = folder();
    let bytes = noise(500_000);
    for file in ["/dev/full", "missing/all.jsonl"] {
        let output = fed(
            folder.path(),
            &["tap", "-q", "--record", file, "--", "cat"],
            &bytes,
        );
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout == bytes);
        let said = text(&output.stderr);
        assert!(said.contains("cannot be written"), "{said}");
    }
}

const TALK: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
{"jsonrpc":"2.0","id":3,"method":"ping"}
"#;

/// Results of a report that were judged: id, verdict and how many things.
fn judged(report: &Path) -> Vec<(String, String, u64)> {
    let bytes = fs::read(report).expect("a report");
    let report: Value = serde_json::from_slice(&bytes).expect("JSON");
    let results = report["results"].as_array().expect("results").iter();
    let results = results.filter(|result| result["judged"] != 0);
    results
        .map(|result| {
            (
                result["id"].as_str().unwrap_or_default().to_owned(),
                result["verdict"].as_str().unwrap_or_default().to_owned(),
                result["judged"].as_u64().unwrap_or_default(),
            )
        })
        .collect()
}

fn assert_is_a_record(path: &Path) {
    let schema: Value = serde_json::from_str(EVENTS_SCHEMA).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for line in fs::read_to_string(path).expect("a record").lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = schema
            .iter_errors(&event)
            .map(|it| it.to_string())
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
}

#[test]
fn what_was_recorded_is_judged_as_it_was_live() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    // A server that greets on standard output, and a client that is none too careful either.
    let script = format!("echo 'listening'; exec '{BINARY}' serve");
    let input = format!(
        "{TALK}{}\n",
        r#"{"jsonrpc": "2.0", "id": 3, "method": "ping"}"#
    );
    let tap = [
        "tap",
        "--record",
        "all.jsonl",
        "--report",
        "json=live.json",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let output = fed(folder.path(), &tap, input.as_bytes());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(text(&output.stdout).starts_with("listening\n{"));
    assert!(
        said.contains("mcp-assay: server observer/stdout/messages-only: "),
        "{said}"
    );
    assert!(said.contains("both sides are judged"), "{said}");
    assert!(
        said.contains("recording to all.jsonl: header fields"),
        "{said}"
    );
    assert_is_a_record(&at("all.jsonl"));
    let again = ["judge", "--report", "json=again.json", "all.jsonl"];
    let output = fed(folder.path(), &again, b"");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let (live, again) = (judged(&at("live.json")), judged(&at("again.json")));
    assert!(live.len() > 3, "{live:?}");
    assert_eq!(live, again);
    let all = fs::read_to_string(at("all.jsonl")).expect("a record");
    let told = "{\"jsonrpc\\\": \\\"2.0\\\", \\\"id\\\": 3";
    assert!(
        all.contains(&told.replace("{\"", "{\\\"")),
        "the spelling is kept"
    );
}

#[test]
fn a_server_that_dies_is_told_in_the_recording() {
    let folder = folder();
    let mut child = command(
        folder.path(),
        &[
            "tap",
            "-q",
            "--record",
            "all.jsonl",
            "--",
            "sh",
            "-c",
            "echo '{}'; exit 4",
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .expect("it starts");
    let stdin = child.stdin.take();
    assert_eq!(child.wait().expect("it ends").code(), Some(4));
    drop(stdin);
    let all = fs::read_to_string(folder.path().join("all.jsonl")).expect("a record");
    assert!(
        all.contains(r#""end":{"how":"died","why":"exited with code 4","after":1}"#),
        "{all}"
    );
}

#[test]
fn the_record_of_a_run_is_judged_by_its_target() {
    let folder = folder();
    let run = [
        "run",
        "--self",
        "-q",
        "--only",
        "tools",
        "--report",
        "jsonl=run.jsonl",
    ];
    let output = fed(folder.path(), &run, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let output = fed(folder.path(), &["judge", "run.jsonl"], b"");
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("the server is judged"), "{said}");
    assert!(said.contains("whose other side was mcp-assay"), "{said}");
}

/// A process that says where it listens.
struct Listening {
    child: Child,
    address: String,
    rest: thread::JoinHandle<String>,
}

impl Listening {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = command(folder, args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let address = loop {
            let mut line = String::new();
            assert!(
                stderr.read_line(&mut line).expect("it speaks") > 0,
                "it ended"
            );
            if let Some((_, rest)) = line.split_once("listening on ") {
                let address = rest.split([',', '\n']).next().unwrap_or_default();
                break address.to_owned();
            }
        };
        let rest = thread::spawn(move || {
            let mut rest = String::new();
            // What it says last is read when it has ended.
            let _ = stderr.read_to_string(&mut rest);
            rest
        });
        Listening {
            child,
            address,
            rest,
        }
    }

    fn stop(mut self) -> (Option<i32>, String) {
        signal(&self.child, Signal::SIGTERM);
        let code = self.child.wait().expect("it ends").code();
        (code, self.rest.join().expect("it reads"))
    }
}

#[test]
fn a_run_through_the_tap_is_as_good_as_one_without() {
    for revision in ["2025-11-25", "2026-07-28"] {
        let folder = folder();
        let server = Listening::start(folder.path(), &["serve", "--http", "127.0.0.1:0"]);
        let tap = Listening::start(
            folder.path(),
            &[
                "tap",
                "-q",
                "--role",
                "server",
                "--record",
                "all.jsonl",
                "--report",
                "json=live.json",
                "--listen",
                "127.0.0.1:0",
                "--upstream",
                &server.address,
            ],
        );
        let run = [
            "run",
            "-q",
            "--revision",
            revision,
            "--only",
            "tools",
            "--report",
            "json=run.json",
            &tap.address,
        ];
        let output = fed(folder.path(), &run, b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        let (code, said) = tap.stop();
        assert_eq!(code, Some(0), "{said}");
        server.stop();
        let record = folder.path().join("all.jsonl");
        assert_is_a_record(&record);
        let all = fs::read_to_string(&record).expect("a record");
        assert!(all.contains("\"part\":\"request\""), "{said}");
        assert!(
            all.lines()
                .last()
                .is_some_and(|line| line.contains("run-finished"))
        );
        let output = fed(
            folder.path(),
            &[
                "judge",
                "--role",
                "server",
                "--report",
                "json=again.json",
                "all.jsonl",
            ],
            b"",
        );
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        assert_eq!(
            judged(&folder.path().join("live.json")),
            judged(&folder.path().join("again.json"))
        );
    }
}

#[test]
fn what_the_client_reads_late_is_there_all_the_same() {
    let folder = folder();
    // More than all pipes on the way hold together.
    let script = "head -c 3000000 /dev/zero; echo done >&2";
    let mut child = command(folder.path(), &["tap", "-q", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdout = child.stdout.take().expect("a pipe");
    let mut all = vec![0; 1_000_000];
    stdout.read_exact(&mut all).expect("the first part");
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).expect("the second part");
    assert_eq!(all.len() + rest.len(), 3_000_000);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_server_that_closes_its_input_is_seen_to() {
    let folder = folder();
    let script = "exec 0<&-; echo ready; while [ ! -e seen ]; do :; done; exit 6";
    let mut child = command(folder.path(), &["tap", "-q", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it speaks");
    // Sooner or later a write fails, as it would without a tap between.
    while stdin.write_all(b"anybody there?\n").is_ok() {}
    fs::write(folder.path().join("seen"), "").expect("a file");
    assert_eq!(child.wait().expect("it ends").code(), Some(6));
}

#[test]
fn what_was_read_before_an_interruption_is_judged() {
    let folder = folder();
    let mut child = command(folder.path(), &["judge", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let talk = fs::read(recording("talk.txt")).expect("a recording");
    // More than pipe and buffers hold: it is reading once this is through.
    let line = b"--> {\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}\n";
    stdin.write_all(&talk).expect("it reads");
    stdin.write_all(&line.repeat(20_000)).expect("it reads");
    signal(&child, Signal::SIGINT);
    // A read that waits is let go by what comes next; who is not there any more takes nothing.
    while stdin.write_all(line).is_ok() {}
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    let said = text(&output.stdout);
    assert!(said.contains("observer/answers/once"), "{said}");
}
