//! Targets that do what no server should: each run ends in time, with the right exit code, in bounded memory, with reports that
//! hold, and leaves no process behind.
//!
//! The executable has two lives: the tests, and, with `target NAME` as its arguments, the targets. The harness that tests them
//! is the real binary, with its real clock.

#![cfg(target_os = "linux")]

mod support {
    pub mod assay;
    pub mod holds;
    pub mod honest;
    pub mod reports;
    pub mod target;
}

use libtest_mimic::{Arguments, Trial};
use nix::sys::signal::Signal;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::ExitCode;
use support::assay::Assay;
use support::holds::{assert_holds, assert_says};
use support::target;

/// Where the defaults are not what is tested, nobody waits for them.
const BRISK: &[&str] = &["--start-timeout", "3s", "--timeout", "3s"];

/// Nothing that asks for many lists at once.
const LISTED: &[&str] = &[
    "--start-timeout",
    "3s",
    "--timeout",
    "3s",
    "--only",
    "tour",
    "--only",
    "pagination/walk",
    "--only",
    "ping",
];

/// A target, further arguments of `run`, the exit code, and what the page says of it.
type Row = (&'static str, &'static [&'static str], i32, &'static str);

const ROWS: &[Row] = &[
    // The same parts without the misbehaviour: what fails below fails because of it.
    ("honest", &[], 0, "exit 0: nothing denied"),
    // Never one valid answer.
    ("mute", &[], 3, "did not answer `initialize` within 20 s"),
    (
        "exits-at-once",
        &[],
        3,
        "exited with code 0 without an answer",
    ),
    (
        "ends-by-signal",
        &[],
        3,
        "ended by signal 9 without an answer",
    ),
    ("complains-and-exits", &[], 3, "cannot open the database"),
    ("garbage", &[], 3, "its stdout held 1 line"),
    ("floods-lines", &[], 3, "floods its stdout"),
    ("floods-messages", &[], 3, "floods its stdout"),
    ("floods-without-newline", &[], 3, "did not answer"),
    ("never-reads", &[], 3, "did not answer"),
    ("closes-stdout", &[], 3, "closed its stdout"),
    ("answers-300-mib", &[], 3, "its stdout held 1 line"),
    (
        "leaves-a-child-and-exits",
        &[],
        3,
        "exited with code 0 without an answer",
    ),
    ("stops-itself", BRISK, 3, "did not answer"),
    ("stderr-without-end-and-mute", BRISK, 3, "the same again"),
    // Misbehaviour after the first valid answer.
    ("refuses-initialize", &[], 1, "it refused `initialize`"),
    ("result-is-text", &[], 1, "nothing-proven"),
    ("answers-deeply-nested", &[], 1, "nothing-proven"),
    ("answers-many-objects", &[], 1, "nothing-proven"),
    (
        "unknown-revision",
        &[],
        1,
        "does not speak 2025-11-25: it answered `initialize` with",
    ),
    ("answers-under-another-id", BRISK, 1, "denied"),
    (
        "mute-after-initialize",
        &[],
        1,
        "did not answer `ping` after `initialize`",
    ),
    (
        "stops-after-initialize",
        BRISK,
        1,
        "did not answer `ping` after `initialize`",
    ),
    (
        "dies-on-second-message",
        &[],
        1,
        "ended after its answer to `initialize`",
    ),
    ("asks-without-end-and-never-reads", &[], 1, "denied"),
    ("floods-after-initialize", &[], 1, "denied"),
    ("floods-long-answers", BRISK, 1, "denied"),
    ("answers-twice", &[], 1, "observer/answers/once"),
    // Answers as it should, and has bad manners.
    ("lists-300-mib", LISTED, 0, "UNDECIDED"),
    ("pages-without-end", &[], 0, "endless"),
    ("leaves-a-child", &[], 0, "nothing denied"),
    ("stderr-without-end", &[], 0, "nothing denied"),
    ("stays", BRISK, 0, "lifecycle/end-of-input/exits"),
];

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some("target") {
        return target::main(args);
    }
    let mut trials: Vec<Trial> = ROWS
        .iter()
        .map(|row| trial(row.0, || survives(row)))
        .collect();
    trials.extend([
        trial("program_that_does_not_exist", || {
            cannot_start(
                &["no-such-program-of-mcp-assay"],
                "no-such-program-of-mcp-assay",
            )
        }),
        trial("program_that_is_a_folder", || {
            cannot_start(&["/"], "did not start")
        }),
        trial("program_that_is_not_executable", not_executable),
        trial("program_that_is_no_program", no_program),
        trial("interrupt_in_the_middle_of_a_run", interrupted_run),
        trial("interrupt_before_the_first_answer", interrupted_probe),
        trial("harness_killed_leaves_nothing", || killed(Signal::SIGKILL)),
        trial("harness_terminated_leaves_nothing", || {
            killed(Signal::SIGTERM)
        }),
        trial("secrets_stay_secret", secrets),
        trial("text_of_a_target_neither_paints_nor_forges", paint),
        trial("colour_is_ours_alone", colour),
        trial("dry_run_shows_no_raw_text_and_no_secret", dry),
    ]);
    let mut args = Arguments::from_args();
    // Most of a trial is waiting for a server that says nothing.
    args.test_threads.get_or_insert(6);
    libtest_mimic::run(&args, trials).exit_code()
}

fn trial(name: &str, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok(())
    })
}

/// Arguments of `run` that come before the target's command, and the command of a target by name.
fn on(target: &str, args: &[&str]) -> Vec<OsString> {
    let own = env::current_exe().expect("an executable has a path");
    let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
    all.extend(["--".into(), own.into(), "target".into(), target.into()]);
    all
}

fn survives(&(name, args, code, says): &Row) {
    let ended = Assay::run(on(name, args)).end();
    let peak = ended.peak_kib / 1024;
    eprintln!(
        "{name}: exit {:?}, {:.1} s, {peak} MiB, left {:?}",
        ended.code,
        ended.wall.as_secs_f64(),
        ended.left
    );
    assert_holds(&ended, code);
    assert_says(&ended, says);
}

fn cannot_start(command: &[&str], says: &str) {
    let ended = Assay::run(["--"].iter().chain(command)).end();
    assert_holds(&ended, 3);
    assert_says(&ended, "did not start");
    assert_says(&ended, says);
}

fn not_executable() {
    with_file("#!/bin/sh\n", 0o644, "not marked executable");
}

fn no_program() {
    with_file("\u{7f}ELF or not", 0o755, "did not start");
}

/// Runs a file with this content and this mode as the target.
fn with_file(content: &str, mode: u32, says: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server");
    fs::write(&path, content).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
    cannot_start(&[path.to_str().expect("a folder of text")], says);
}

/// How often a text stands in the record so far.
fn recorded(assay: &Assay, text: &str) -> usize {
    let record = fs::read_to_string(assay.folder().join("run.jsonl")).unwrap_or_default();
    record.matches(text).count()
}

fn interrupted_run() {
    let mut assay = Assay::run(on("slow", &["--jobs", "2"]));
    assay.until("some cases were settled", |assay| {
        recorded(assay, r#""verdict":"pass""#) > 5
    });
    assay.signal(Signal::SIGINT);
    let ended = assay.end();
    assert_holds(&ended, 130);
    let report = ended.report();
    assert!(
        report["summary"]["pass"].as_u64() > Some(0),
        "what had been seen is reported"
    );
    let interrupted = report["results"]
        .as_array()
        .expect("results")
        .iter()
        .filter(|result| result["reason"] == "interrupted");
    assert!(interrupted.count() > 0, "what had not run says so");
    assert!(
        ended
            .stdout
            .trim_end()
            .lines()
            .last()
            .is_some_and(|last| last.starts_with("exit 130")),
        "{}",
        ended.stdout
    );
}

fn interrupted_probe() {
    let mut assay = Assay::run(on("mute", &[]));
    assay.until("the target runs", |assay| {
        let own = env::current_exe().expect("an executable has a path");
        let command = format!(" {} target mute ", own.display());
        assay.alive().iter().any(|process| {
            process.trim_start_matches(|letter: char| letter.is_ascii_digit()) == command
        })
    });
    assay.signal(Signal::SIGINT);
    let ended = assay.end();
    assert_holds(&ended, 130);
    assert_eq!(ended.report()["summary"]["pass"], 0);
}

fn killed(signal: Signal) {
    let mut assay = Assay::run(on("leaves-a-child", &["--jobs", "2"]));
    assay.until("a grandchild runs", |assay| {
        assay
            .alive()
            .iter()
            .any(|process| process.ends_with("target child "))
    });
    assay.signal(signal);
    let mark = assay.mark().to_owned();
    let code = assay.wait_for_end();
    assert_eq!(code, None, "it ended by the signal");
    support::assay::assert_gone(&mark);
}

fn secrets() {
    let secret = "verysecretvalue-7f3a";
    let ended = Assay::run(on(
        "tells-secrets",
        &["--env", &format!("ASSAY_TEST_SECRET={secret}")],
    ))
    .end();
    assert_holds(&ended, 1);
    let reports = ["report.json", "run.jsonl", "junit.xml"].map(|name| (name, ended.file(name)));
    let shown = [
        ("stdout", ended.stdout.clone()),
        ("stderr", ended.stderr.clone()),
    ];
    for (name, text) in reports.into_iter().chain(shown) {
        assert!(!text.contains(secret), "the secret is in {name}");
    }
    assert!(
        ended.file("run.jsonl").contains("***"),
        "the target did tell it"
    );
}

fn forged(line: &str) -> bool {
    let line = line.trim();
    line == "exit 0: nothing denied"
        || line.contains("999 = 999 pass") && line.starts_with("results")
}

fn paint() {
    for (name, code) in [("paints", 1), ("paints-and-exits", 3)] {
        let ended = Assay::run(on(name, &[])).end();
        assert_holds(&ended, code);
        assert!(
            ended.stdout.contains("all is well"),
            "the text is shown:\n{}",
            ended.stdout
        );
        assert!(
            !ended.stdout.lines().any(forged),
            "a forged line:\n{}",
            ended.stdout
        );
        assert!(
            !ended.stdout.contains('\u{202e}'),
            "text that runs backwards"
        );
    }
}

/// Without the escapes that set colours and weights.
fn without_colour(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let digits =
            after.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ';');
        assert!(
            digits.starts_with('m'),
            "an escape that is no colour: {after:.20}"
        );
        rest = &digits[1..];
    }
    out + rest
}

fn colour() {
    let ended = Assay::run(on("paints", &["--color", "always"])).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("\u{1b}["), "colour was asked for");
    assert!(
        !ended.stdout.contains("\u{1b}[32mall is well"),
        "{}",
        ended.stdout
    );
    let bare = without_colour(&ended.stdout);
    assert!(
        !bare
            .chars()
            .any(|letter| letter.is_control() && letter != '\n'),
        "{bare}"
    );
    assert!(!bare.lines().any(forged), "{bare}");
}

fn dry() {
    let secret = "verysecretvalue-7f3a";
    let args = [
        "--dry",
        "--start-timeout",
        "3s",
        "--env",
        &format!("ASSAY_TEST_SECRET={secret}"),
    ];
    for name in [
        "paints",
        "paints-and-exits",
        "tells-secrets",
        "tells-secrets-and-exits",
    ] {
        let ended = Assay::run(on(name, &args)).end();
        assert!(
            ended.left.is_empty(),
            "processes are left: {:#?}",
            ended.left
        );
        let shown = format!("{}\n{}", ended.stdout, ended.stderr);
        assert!(
            !shown.contains(secret),
            "the secret is shown by {name}:\n{shown}"
        );
        assert!(
            !shown
                .chars()
                .any(|letter| letter.is_control() && letter != '\n'),
            "{name}: {shown:?}"
        );
        assert!(!shown.lines().any(forged), "{name}:\n{shown}");
    }
}
