//! The command line as a user meets it: exit codes, messages, listings, reports, and the reference server over real stdio.

#![cfg(target_os = "linux")]

mod support {
    pub mod reports;
}

use assert_cmd::Command;
use mcp_assay::closed::observer_rules;
use mcp_assay_report::{COVERAGE_SCHEMA, LIST_SCHEMA};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use support::reports::{assert_agree, assert_valid};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_mcp-assay");

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(120);

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs the binary in a folder, to its end.
fn assay_in(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(args).timeout(DEADLINE);
    command.output().expect("it runs to its end")
}

fn assay(args: &[&str]) -> Output {
    assay_in(folder().path(), args)
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn stdout(args: &[&str]) -> String {
    let output = assay(args);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).to_owned()
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).expect("JSON")
}

/// The message on standard error is golden; nothing is on standard output.
fn golden(name: &str, output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), "", "an error is no result");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../golden/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text(&output.stderr)));
}

#[test]
fn no_target_is_a_usage_error_that_shows_the_ways() {
    golden("no-target", &assay(&["run"]), 2);
}

#[test]
fn target_without_a_profile_is_a_usage_error() {
    golden("target-without-profile", &assay(&["run", "mine"]), 2);
}

#[test]
fn unknown_target_names_the_nearest() {
    let folder = folder();
    fs::write(
        folder.path().join("mcp-assay.yaml"),
        "targets: { mine: { command: [server] } }\n",
    )
    .expect("a file");
    golden(
        "target-unknown",
        &assay_in(folder.path(), &["run", "mime"]),
        2,
    );
}

#[test]
fn broken_profile_is_shown_with_a_caret() {
    let folder = folder();
    fs::write(
        folder.path().join("mcp-assay.yaml"),
        "targets:\n  mine: { comand: [server] }\n",
    )
    .expect("a file");
    golden(
        "profile-broken",
        &assay_in(folder.path(), &["run", "mine"]),
        2,
    );
}

#[test]
fn broken_card_of_a_user_is_shown_with_a_caret() {
    let folder = folder();
    let cards = folder.path().join("cards/mine");
    fs::create_dir_all(&cards).expect("a folder");
    fs::write(
        cards.join("one.yaml"),
        "id: mine/one\nrole: server\nsince: 2024-11-05\nstepz: []\n",
    )
    .expect("a file");
    golden(
        "card-broken",
        &assay_in(folder.path(), &["run", "--self", "--suites", "cards"]),
        2,
    );
}

#[test]
fn usage_errors_are_exit_2() {
    for (name, args) in [
        ("only-no-glob", &["run", "--self", "--only", "["][..]),
        ("tool-no-glob", &["run", "--self", "--allow-tool", "["]),
        ("report-no-file", &["run", "--self", "--report", "json"]),
        (
            "report-unknown-format",
            &["run", "--self", "--report", "html=x.html"],
        ),
        (
            "report-cannot-be-written",
            &["run", "--self", "--report", "json=no/such/folder/x.json"],
        ),
        (
            "profile-missing",
            &["run", "--self", "--profile", "no-such.yaml"],
        ),
        (
            "revision-unknown",
            &["run", "--self", "--revision", "2023-01-01"],
        ),
        ("timeout-without-unit", &["run", "--self", "--timeout", "3"]),
        ("env-no-pair", &["run", "--env", "KEY", "--", "server"]),
        ("flag-unknown", &["run", "--selff"]),
        ("self-and-command", &["run", "--self", "--", "server"]),
        ("fault-unknown", &["serve", "--fault", "ids-as-string"]),
        (
            "fault-no-mutant",
            &["serve", "--fault", "errors/unknown-method/is-error#99"],
        ),
        (
            "repro-no-such-revision",
            &[
                "explain",
                "jsonrpc/batch",
                "--repro",
                "--revision",
                "2025-11-25",
            ],
        ),
    ] {
        golden(name, &assay(args), 2);
    }
}

#[test]
fn selecting_nothing_is_exit_4_and_names_the_nearest() {
    for (name, args) in [
        (
            "only-nothing",
            &["run", "--self", "--only", "lifecycle/initialise"][..],
        ),
        (
            "only-nothing-by-check",
            &["run", "--self", "--only", "errors/unknown-method/cod"],
        ),
        ("list-nothing", &["list", "lifecycle/initialise"]),
        ("explain-nothing", &["explain", "lifecycle/initialise"]),
        (
            "explain-nothing-near",
            &["explain", "zzzzzzzzzzzzzzzzzzzzzzzzzz"],
        ),
    ] {
        golden(name, &assay(args), 4);
    }
}

#[test]
fn one_pattern_that_selects_nothing_is_an_error_beside_one_that_does() {
    let output = assay(&["run", "--self", "--only", "ping", "--only", "pong"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_selection_of_which_nothing_applies_proves_nothing() {
    for only in ["jsonrpc/batch", "errors/unknown-method@2024-11-05+memory"] {
        let output = assay(&["run", "--self", "--only", only]);
        assert_eq!(output.status.code(), Some(1), "{only}");
        assert!(
            text(&output.stdout).contains("run/nothing-proven"),
            "{only}"
        );
    }
}

#[test]
fn why_nothing_was_judged_is_said_however_quiet_the_report_is() {
    let output = assay(&[
        "run",
        "--quiet",
        "--revision",
        "2026-07-28",
        "--",
        BINARY,
        "serve",
        "--fault",
        "exits-on-discover",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("does not speak 2026-07-28"));
}

#[test]
fn list_is_text_and_valid_json() {
    let shown = stdout(&["list"]);
    assert!(shown.contains("errors/unknown-method/is-error"));
    let listing = json(&["list", "--json"]);
    assert_valid(LIST_SCHEMA, &listing, "the listing");
    let checks = listing["checks"].as_array().expect("checks");
    for check in checks {
        let id = check["id"].as_str().expect("an id");
        assert!(
            shown.contains(id),
            "`{id}` is in the JSON and not in the text"
        );
    }
    let rules = listing["rules"].as_array().expect("rules");
    let known = observer_rules();
    assert_eq!(rules.len(), known.len());
    for (rule, known) in rules.iter().zip(&known) {
        assert_eq!(rule["id"].as_str(), Some(known.id.as_str()));
        assert!(shown.contains(&known.id), "{}", known.id);
        let revisions = rule["revisions"].as_array().expect("revisions").len();
        let levels = rule["levels"].as_object().expect("levels").len();
        assert_eq!(levels, revisions, "{} has a level in each", known.id);
    }
    let of_one = json(&["list", "--json", "observer/message"]);
    assert_eq!(of_one["checks"], Value::Array(Vec::new()));
    let of_one = of_one["rules"].as_array().expect("rules");
    assert!(!of_one.is_empty() && of_one.len() < rules.len());
    let area = json(&["list", "--json", "ping"]);
    assert_eq!(area["rules"], Value::Array(Vec::new()));
    assert_valid(LIST_SCHEMA, &area, "the listing of an area");
    let of_area = area["checks"].as_array().expect("checks");
    assert!(!of_area.is_empty() && of_area.len() < checks.len());
    assert!(of_area.iter().all(|check| {
        check["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("ping/"))
    }));
}

#[test]
fn every_id_that_is_listed_can_be_explained() {
    let listing = json(&["list", "--json"]);
    // One of each card is enough for a process each.
    let mut cards: BTreeMap<&str, &str> = BTreeMap::new();
    for check in listing["checks"].as_array().expect("checks") {
        let id = check["id"].as_str().expect("an id");
        let (card, _) = id.rsplit_once('/').expect("an id has a card");
        cards.insert(card, id);
    }
    for rule in listing["rules"].as_array().expect("rules") {
        let id = rule["id"].as_str().expect("an id");
        let (observer, _) = id.rsplit_once('/').expect("an id has an observer");
        cards.insert(observer, id);
    }
    for id in cards.values() {
        assert!(
            stdout(&["explain", id]).contains(id.rsplit('/').next().expect("a name")),
            "{id}"
        );
    }
}

#[test]
fn coverage_is_text_and_valid_json() {
    assert!(stdout(&["coverage"]).contains("2025-11-25"));
    let coverage = json(&["coverage", "--format", "json"]);
    assert_valid(COVERAGE_SCHEMA, &coverage, "the coverage");
    let one = json(&["coverage", "--format", "json", "--revision", "2025-06-18"]);
    assert_valid(COVERAGE_SCHEMA, &one, "the coverage of one revision");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = format!(
        "'{BINARY}' list | head -n 1 > /dev/null; '{BINARY}' serve --list-faults | head -n 1 > /dev/null"
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .timeout(DEADLINE)
        .output()
        .expect("sh runs");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn repro_script_gets_the_answers_that_are_in_dispute() {
    let folder = folder();
    let script = stdout(&["explain", "errors/unknown-method", "--repro"]);
    fs::write(folder.path().join("repro.sh"), script).expect("a file");
    let mut command = Command::new("sh");
    command
        .current_dir(folder.path())
        .args(["repro.sh", BINARY, "serve"])
        .timeout(DEADLINE);
    let output = command.output().expect("sh runs");
    let answers: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert!(
        answers
            .iter()
            .any(|answer| answer["result"]["protocolVersion"] == "2025-11-25"),
        "{answers:#?}"
    );
    assert!(
        answers
            .iter()
            .any(|answer| answer["error"]["code"] == -32601),
        "{answers:#?}"
    );
}

#[test]
fn every_card_has_a_repro_script_that_a_shell_can_read() {
    let folder = folder();
    for card in [
        "jsonrpc/lawful-spellings",
        "jsonrpc/malformed-json",
        "pagination/walk",
        "tour/tools",
        "lifecycle/end-of-input",
    ] {
        let path = folder.path().join("repro.sh");
        fs::write(&path, stdout(&["explain", card, "--repro"])).expect("a file");
        let mut command = Command::new("sh");
        let output = command
            .arg("-n")
            .arg(&path)
            .timeout(DEADLINE)
            .output()
            .expect("sh runs");
        assert_eq!(text(&output.stderr), "", "{card}");
    }
}

/// Runs with all three reports, and gives the JSON report and the page.
fn reported(args: &[&str], code: i32) -> (Value, String) {
    let folder = folder();
    let reports = [
        "--report",
        "json=report.json",
        "--report",
        "jsonl=run.jsonl",
        "--report",
        "junit=junit.xml",
    ];
    let args: Vec<&str> = ["run"]
        .into_iter()
        .chain(reports)
        .chain(args.iter().copied())
        .collect();
    let output = assay_in(folder.path(), &args);
    let page = text(&output.stdout).to_owned();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{args:?}\n{page}\n{}",
        text(&output.stderr)
    );
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a report");
    (
        assert_agree(
            &file("report.json"),
            &file("run.jsonl"),
            &file("junit.xml"),
            code,
        ),
        page,
    )
}

/// Outcome and verdict of each result, by id and case, whatever the binding.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let results = report["results"].as_array().expect("results").iter();
    results
        .map(|result| {
            let case = result["case"]
                .as_str()
                .expect("a case")
                .replace("+memory", "+stdio");
            (
                format!("{} {case}", result["id"]),
                format!(
                    "{} {} {}",
                    result["outcome"], result["verdict"], result["reason"]
                ),
            )
        })
        .collect()
}

#[test]
fn reference_server_passes_in_memory_and_as_a_process() {
    let (memory, page) = reported(&["--self"], 0);
    assert!(
        page.trim_end().ends_with("exit 0: nothing denied"),
        "{page}"
    );
    let fixtures = folder();
    let profile = fixtures.path().join("profile.yaml");
    fs::write(
        &profile,
        format!("fixtures: {}\n", mcp_assay::prove::fixtures()),
    )
    .expect("a file");
    let profile = profile.to_str().expect("a folder of text");
    let (process, _) = reported(
        &[
            "--profile",
            profile,
            "--allow-tool",
            "*",
            "--",
            BINARY,
            "serve",
        ],
        0,
    );
    let (memory, process) = (verdicts(&memory), verdicts(&process));
    assert!(memory.len() > 100, "only {} results", memory.len());
    for (key, verdict) in &memory {
        assert_eq!(process.get(key), Some(verdict), "{key}");
    }
    assert_eq!(memory.len(), process.len());
}

#[test]
fn reference_server_names_the_address_that_its_revision_is_found_at() {
    for (revision, path) in [("2024-11-05", "/sse"), ("2025-11-25", "/mcp")] {
        let mut server = std::process::Command::new(BINARY)
            .args(["serve", "--http", "127.0.0.1:0", "--revision", revision])
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stderr = server.stderr.take().expect("a pipe");
        let read = BufReader::new(stderr).read_line(&mut line);
        let address = line.trim_end().strip_prefix("listening on ");
        let run = address.map(|address| assay(&["run", "--only", "ping/*", address]));
        server.kill().expect("it runs");
        server.wait().expect("it ends");
        assert!(read.is_ok() && line.trim_end().ends_with(path), "{line}");
        let run = run.expect("an address");
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stdout));
        let tested = format!("tested    {revision} over ");
        assert!(text(&run.stdout).contains(&tested), "{}", text(&run.stdout));
    }
}

/// A lie of the reference server, the card that is to find it, the check, and the code of its finding.
const LIES: &[(&str, &str, &str, &str)] = &[
    (
        "errors/unknown-method/is-error#1",
        "errors/unknown-method",
        "errors/unknown-method/is-error",
        "reply-kind",
    ),
    (
        "errors/unknown-method/is-error#2",
        "errors/unknown-method",
        "errors/unknown-method/is-error",
        "no-reply",
    ),
    (
        "errors/unknown-method/code#1",
        "errors/unknown-method",
        "errors/unknown-method/code",
        "value",
    ),
    (
        "jsonrpc/id-echo/same-id#1",
        "jsonrpc/id-echo",
        "jsonrpc/id-echo/same-id",
        "id",
    ),
    (
        "jsonrpc/notification-unanswered/unanswered#1",
        "jsonrpc/notification-unanswered",
        "jsonrpc/notification-unanswered/unanswered",
        "unexpected-message",
    ),
    (
        "lifecycle/initialize/introduction#1",
        "lifecycle/initialize",
        "lifecycle/initialize/introduction",
        "schema",
    ),
    (
        "pagination/walk/ends#1",
        "pagination/walk",
        "pagination/walk/ends",
        "endless",
    ),
    (
        "pagination/walk/unique#1",
        "pagination/walk",
        "pagination/walk/unique",
        "duplicate",
    ),
    (
        "exits-on-unknown-method",
        "errors/unknown-method",
        "errors/unknown-method/alive",
        "died",
    ),
    (
        "exits-on-malformed",
        "jsonrpc/malformed-json",
        "jsonrpc/malformed-json/alive",
        "died",
    ),
];

/// The same in the modern era.
const MODERN_LIES: &[(&str, &str, &str, &str)] = &[
    (
        "subscriptions/listen/tagged#1",
        "subscriptions/listen",
        "subscriptions/listen/tagged",
        "id",
    ),
    (
        "asks-undeclared",
        "mrtr/undeclared",
        "mrtr/undeclared/asked-nothing",
        "undeclared",
    ),
    (
        "serves-any-version",
        "versioning/unsupported",
        "versioning/unsupported/refused",
        "reply-kind",
    ),
    (
        "serves-without-client-capabilities",
        "meta/no-capabilities",
        "meta/no-capabilities/rejected",
        "reply-kind",
    ),
];

#[test]
fn lies_are_found_over_real_stdio() {
    let legacy = LIES.iter().map(|lie| ("2025-11-25", lie));
    let modern = MODERN_LIES.iter().map(|lie| ("2026-07-28", lie));
    for (revision, (lie, card, check, code)) in legacy.chain(modern) {
        let output = assay(&[
            "run",
            "--report",
            "json=-",
            "--only",
            card,
            "--allow-tool",
            "*",
            "--revision",
            revision,
            "--",
            BINARY,
            "serve",
            "--fault",
            lie,
        ]);
        let report: Value =
            serde_json::from_slice(&output.stdout).expect("a report alone on stdout");
        let results = report["results"].as_array().expect("results");
        let failed: Vec<&Value> = results
            .iter()
            .filter(|result| result["verdict"] == "fail")
            .collect();
        let found = failed.iter().any(|result| {
            result["id"] == *check
                && result["confirmed"] == "2/2"
                && result["findings"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|finding| finding["code"] == *code))
        });
        assert!(found, "{lie}: {check} does not find `{code}`: {failed:#?}");
        let denied = failed.iter().any(|result| result["gate"] == "deny");
        assert_eq!(
            output.status.code() == Some(1),
            denied,
            "{lie}: the exit code is the gate's"
        );
    }
}

#[test]
fn list_faults_names_every_lie() {
    let listed = stdout(&["serve", "--list-faults"]);
    for (lie, ..) in LIES {
        assert!(listed.contains(lie), "{lie}");
    }
}

/// Runs against the reference server with a tap on its input, and gives what it was sent.
fn tapped(args: &[&str]) -> (String, Value) {
    let folder = folder();
    // Several targets may run at once; a short line is appended in one piece.
    let script = r#"tee -a sent | "$0" serve"#;
    let mut all = vec!["run", "--report", "json=report.json"];
    all.extend(args);
    all.extend(["--", "sh", "-c", script, BINARY]);
    let output = assay_in(folder.path(), &all);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    let sent = String::from_utf8_lossy(&fs::read(folder.path().join("sent")).expect("the tap"))
        .into_owned();
    let report = fs::read(folder.path().join("report.json")).unwrap_or_default();
    (sent, serde_json::from_slice(&report).unwrap_or_default())
}

#[test]
fn dry_and_no_calls_call_nothing() {
    let only = [
        "--only",
        "tour/tools",
        "--only",
        "errors/unknown-tool",
        "--only",
        "ping",
    ];
    let with = |more: &[&'static str]| [&only[..], more].concat();
    let (sent, _) = tapped(&with(&["--allow-tool", "*"]));
    assert!(
        sent.contains("tools/call"),
        "with permission, tools are called"
    );
    let (sent, _) = tapped(&with(&["--allow-tool", "*", "--dry"]));
    assert!(
        sent.contains("tools/list") && !sent.contains("tools/call"),
        "a dry run lists and calls nothing"
    );
    let (sent, report) = tapped(&with(&["--allow-tool", "*", "--no-calls"]));
    // Not even a name that no tool has is called.
    assert!(!sent.contains("tools/call"), "no tool is called");
    let results = report["results"].as_array().expect("results").iter();
    let forbidden: Vec<&Value> = results
        .filter(|result| result["reason"] == "calls-forbidden")
        .collect();
    assert!(
        !forbidden.is_empty(),
        "what needs a call says why it did not run"
    );
    for result in forbidden {
        assert_eq!(
            (&result["outcome"], &result["verdict"]),
            (&Value::from("not-run"), &Value::Null)
        );
    }
}

#[test]
fn version_and_help_are_results() {
    assert!(stdout(&["--version"]).starts_with("mcp-assay "));
    assert!(stdout(&["run", "--help"]).contains("--only"));
}

/// What a server does with the question of the modern era, and a word of what is said of it.
const ODD_AT_DISCOVERY: &[(&str, &str)] = &[
    ("discover-invalid-params", "-32602"),
    ("discover-invented-code", "refused `server/discover`"),
    ("discover-silent", "did not answer `server/discover`"),
    (
        "exits-on-discover",
        "without an answer to `server/discover`",
    ),
    ("wedges-on-discover", "did not answer `server/discover`"),
];

#[test]
fn servers_of_the_legacy_era_are_tested_whatever_they_make_of_the_modern_question() {
    for (fault, said) in ODD_AT_DISCOVERY {
        let output = assay(&[
            "run", "--report", "jsonl=-", "--only", "ping", "--", BINARY, "serve", "--fault", fault,
        ]);
        let lines: Vec<Value> = text(&output.stdout)
            .lines()
            .map(|line| serde_json::from_str(line).expect("an event a line"))
            .collect();
        assert_eq!(output.status.code(), Some(0), "{fault}");
        let tested = serde_json::json!(["2025-11-25"]);
        assert_eq!(lines[0]["target"]["tested"], tested, "{fault}");
        let last = lines.last().expect("a run has events");
        let notes = last["notes"].to_string();
        assert!(
            notes.contains("does not speak 2026-07-28"),
            "{fault}: {notes}"
        );
        assert!(notes.contains(said), "{fault}: {notes}");
    }
}
