use super::{profile, quoted, target, target_in, times};
use crate::cli::args::{Cli, Command, Run, duration};
use crate::run::exit::ExitCode;
use crate::target::{HttpTarget, Target};
use crate::testing::catalogue;
use clap::Parser;
use mcp_assay_catalogue::profile::Profile;
use mcp_assay_model::protocol::Binding;
use mcp_assay_transport::server_process::Ready;
use proptest::prelude::*;
use std::io::Write;
use std::time::Duration;

fn parsed(words: &[&str]) -> Run {
    let words = ["mcp-assay", "run"].iter().chain(words);
    match Cli::try_parse_from(words).expect("the words parse").command {
        Command::Run(run) => *run,
        other => panic!("{other:?}"),
    }
}

fn told(text: &str) -> Profile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("it can be written");
    profile(&catalogue(), Some(file.path())).unwrap_or_else(|broken| panic!("{broken}"))
}

const PROFILE: &str = "targets:
  mine: { command: [node, a.js], env: { KEY: kept } }
  far: { url: \"https://u:pa55word@example.org/mcp?key=t0ken\", headers: { X-A: one, X-B: two } }
  here: { url: \"http://localhost:3000/mcp\", start: [node, h.js], env: { PORT: three }, cwd: srv, ready: { stderr: up, within: 7s }, binding: http-sse }
";

fn environment(name: &str) -> Option<String> {
    (name == "TOKEN").then(|| "s3cret".to_owned())
}

/// The target behind an address that these words name, how it is named again, and its secrets.
fn http(words: &[&str]) -> (HttpTarget, String, Vec<String>) {
    let (target, again, secrets) = target_in(&parsed(words), &told(PROFILE), &environment)
        .unwrap_or_else(|failure| panic!("{words:?}: {failure}"));
    match target {
        Target::Http(target) => (target, again, secrets),
        other => panic!("{other:?}"),
    }
}

/// Why these words name no target.
fn refused(words: &[&str]) -> String {
    let failure = target_in(&parsed(words), &told(PROFILE), &environment).expect_err("no target");
    assert_eq!(failure.code, ExitCode::Usage, "{words:?}");
    failure.to_string()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn a_rerun_command_names_the_target_with_everything_but_the_secrets() {
    let profile = told(PROFILE);
    for (words, again) in [
        (&["--self"][..], " --self"),
        (
            &["--", "node", "a b.js", "it's"],
            " -- node 'a b.js' 'it'\\''s'",
        ),
        (
            &["--cwd", "/tmp/x y", "--env", "TOKEN=s3cret", "--", "node"],
            " --cwd '/tmp/x y' --env TOKEN=\"$TOKEN\" -- node",
        ),
        (&["mine"], " mine"),
        (
            &["mine", "--cwd", "/tmp", "--env", "TOKEN=s3cret"],
            " mine --cwd /tmp --env TOKEN=\"$TOKEN\"",
        ),
    ] {
        let (_, got, _) = target(&parsed(words), &profile).expect("a target");
        assert_eq!(got, again, "{words:?}");
        assert!(!got.contains("s3cret"));
    }
}

#[test]
fn values_of_the_environment_are_secrets_and_reach_the_target() {
    let run = parsed(&["mine", "--env", "TOKEN=a=b", "--env", "EMPTY="]);
    let (target, _, secrets) = target(&run, &told(PROFILE)).expect("a target");
    let Target::Command(command) = target else {
        panic!("{target:?}");
    };
    assert_eq!(command.argv, ["node", "a.js"]);
    assert_eq!(
        command.env,
        [pair("KEY", "kept"), pair("TOKEN", "a=b"), pair("EMPTY", "")]
    );
    assert_eq!(secrets, ["kept", "a=b", ""]);
}

#[test]
fn what_names_no_target_that_can_be_reached_is_a_usage_error() {
    let (empty, full) = (told("{}\n"), told(PROFILE));
    for (words, profile, said) in [
        (&[][..], &empty, "no target"),
        (&[], &full, "no target"),
        (&["mine"], &empty, "no mcp-assay.yaml names any target"),
        (&["mina"], &full, "mina"),
        (&["--env", "TOKEN", "--", "node"], &full, "not KEY=VALUE"),
    ] {
        let failure = target(&parsed(words), profile).expect_err("no target");
        assert_eq!(failure.code, ExitCode::Usage, "{words:?}");
        assert!(failure.message.contains(said), "{}", failure.message);
    }
}

#[test]
fn an_address_is_a_target() {
    let (told, again, secrets) = http(&["http://localhost:3000/mcp"]);
    assert_eq!(told.endpoint.url(), "http://localhost:3000/mcp");
    assert_eq!(
        (told.headers.len(), told.ca.len(), told.binding),
        (0, 0, None)
    );
    assert!(told.start.is_none());
    assert_eq!(again, " http://localhost:3000/mcp");
    assert_eq!(secrets, [""; 0]);
}

#[test]
fn a_command_behind_an_address_starts_its_server() {
    let words = [
        "http://[::1]:3000/mcp",
        "--cwd",
        "srv",
        "--env",
        "A=b",
        "--start-timeout",
        "9s",
        "--",
        "node",
        "h.js",
    ];
    let (told, again, secrets) = http(&words);
    let start = told.start.expect("a start");
    assert_eq!(start.command.argv, ["node", "h.js"]);
    assert_eq!(start.command.env, [pair("A", "b")]);
    assert_eq!(
        start.command.cwd.as_deref(),
        Some(std::path::Path::new("srv"))
    );
    assert_eq!(
        start.ready,
        Ready::Port {
            host: "::1".to_owned(),
            port: 3000
        }
    );
    assert_eq!(start.within, Duration::from_secs(9));
    assert_eq!(
        again,
        " 'http://[::1]:3000/mcp' --cwd srv --env A=\"$A\" -- node h.js"
    );
    assert_eq!(secrets, ["b"]);
}

#[test]
fn options_are_laid_over_the_address_of_a_profile() {
    let (told, again, secrets) = http(&[
        "far",
        "--header",
        "x-a: Bearer ${TOKEN}",
        "--header",
        "X-C: 3",
        "--binding",
        "http",
    ]);
    assert_eq!(
        told.headers,
        [
            pair("X-B", "two"),
            pair("x-a", "Bearer s3cret"),
            pair("X-C", "3")
        ]
    );
    assert_eq!(told.binding, Some(Binding::Http));
    assert_eq!(
        again,
        " far --header 'x-a: Bearer ${TOKEN}' --header 'X-C: ${X_C}' --binding http"
    );
    for secret in [
        "pa55word",
        "t0ken",
        "one",
        "two",
        "Bearer s3cret",
        "s3cret",
        "3",
    ] {
        assert!(
            secrets.iter().any(|known| known == secret),
            "{secret}: {secrets:?}"
        );
    }
    let target = Target::Http(told);
    let shown = format!("{target:?}");
    for secret in ["pa55word", "t0ken", "two", "s3cret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(
        target.url().as_deref(),
        Some("https://example.org/mcp?key=t0ken")
    );
}

#[test]
fn a_profile_says_how_a_server_is_started() {
    let (told, again, secrets) = http(&["here", "--env", "MORE=four"]);
    let start = told.start.expect("a start");
    assert_eq!(start.command.argv, ["node", "h.js"]);
    assert_eq!(
        start.command.env,
        [pair("PORT", "three"), pair("MORE", "four")]
    );
    assert_eq!(
        start.command.cwd.as_deref(),
        Some(std::path::Path::new("srv"))
    );
    assert_eq!(start.ready, Ready::Stderr("up".to_owned()));
    assert_eq!(start.within, Duration::from_secs(7));
    assert_eq!(told.binding, Some(Binding::HttpSse));
    assert_eq!(again, " here --env MORE=\"$MORE\"");
    assert_eq!(secrets, ["three", "four"]);
}

#[test]
fn a_configuration_of_a_client_names_targets() {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = r#"{ "mcpServers": {
        "local": { "command": "node", "args": ["a.js"], "env": { "KEY": "${TOKEN}" }, "cwd": "srv" },
        "remote": { "type": "sse", "url": "https://h/sse", "headers": { "A": "b", "C": "d" } } } }"#;
    file.write_all(text.as_bytes()).expect("it can be written");
    let path = file.path().to_str().expect("text");
    let run = parsed(&["--config", path, "--server", "local", "--cwd", "other"]);
    let (target, again, secrets) = target_in(&run, &told("{}\n"), &environment).expect("a target");
    let Target::Command(command) = target else {
        panic!("{target:?}");
    };
    assert_eq!(command.argv, ["node", "a.js"]);
    assert_eq!(command.env, [pair("KEY", "s3cret")]);
    assert_eq!(command.cwd.as_deref(), Some(std::path::Path::new("other")));
    assert_eq!(
        again,
        format!(" --config {path} --server local --cwd other")
    );
    assert!(secrets.contains(&"s3cret".to_owned()), "{secrets:?}");
    let (told, again, _) = http(&["--config", path, "--server", "remote", "--header", "a: x"]);
    assert_eq!(told.headers, [pair("C", "d"), pair("a", "x")]);
    assert_eq!(told.binding, Some(Binding::HttpSse));
    assert_eq!(
        again,
        format!(" --config {path} --server remote --header 'a: ${{A}}'")
    );
    assert!(refused(&["--config", path]).contains("several servers"));
    assert!(refused(&["--config", "no/such.json"]).contains("cannot read the configuration"));
}

#[test]
fn the_reference_server_is_reached_by_each_binding() {
    for (words, binding, again) in [
        (&["--self"][..], Binding::Memory, " --self"),
        (
            &["--self", "--binding", "http"],
            Binding::Http,
            " --self --binding http",
        ),
        (
            &["--self", "--binding", "http-sse"],
            Binding::HttpSse,
            " --self --binding http-sse",
        ),
    ] {
        let (target, told, _) = target(&parsed(words), &told("{}\n")).expect("a target");
        assert_eq!((target.binding(), told.as_str()), (binding, again));
        assert!(target.is_in_memory());
    }
}

#[test]
fn two_targets_at_once_are_refused_and_named() {
    for (words, first, second) in [
        (
            &["mine", "--", "node"][..],
            "the name `mine`",
            "a command after `--`",
        ),
        (
            &["--config", "x", "--", "node"],
            "--config",
            "a command after `--`",
        ),
        (&["--config", "x", "mine"], "--config", "the name `mine`"),
        (
            &["--config", "x", "http://u:s3cret@h"],
            "--config",
            "an address",
        ),
    ] {
        let failure = refused(words);
        assert!(
            failure.contains(&format!("two targets at once: {first} and {second}")),
            "{failure}"
        );
        assert!(!failure.contains("s3cret"), "{failure}");
    }
}

#[test]
fn options_that_would_have_no_effect_are_refused() {
    for (words, said) in [
        (
            &["mine", "--header", "A: b"][..],
            "--header is for a server behind an address",
        ),
        (
            &["--ca", "x.pem", "--", "node"],
            "--ca is for a server behind an address",
        ),
        (
            &["--binding", "http", "--", "node"],
            "--binding is for a server behind an address",
        ),
        (
            &["http://h", "--env", "A=b"],
            "--env is for a process that mcp-assay starts",
        ),
        (
            &["far", "--cwd", "x"],
            "--cwd is for a process that mcp-assay starts",
        ),
    ] {
        let failure = refused(words);
        assert!(failure.contains(said), "{failure}");
    }
}

#[test]
fn words_that_are_nearly_an_address_are_told_what_one_looks_like() {
    for (word, said) in [
        ("localhost:3000/mcp", "`http://localhost:3000/mcp`"),
        ("ftp://h/x", "`ftp://` begins no address"),
        ("http://", "no host"),
        ("http://h/${NONE}", "variable `NONE` is not set"),
    ] {
        let failure = refused(&[word]);
        assert!(failure.contains(said), "{failure}");
    }
}

#[test]
fn files_of_certificate_authorities_are_read_and_looked_at() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let path = file.path().to_str().expect("text");
    assert!(
        refused(&["https://h", "--ca", "no/such.pem"])
            .contains("cannot read the certificate authorities in `no/such.pem`")
    );
    assert!(
        refused(&["https://h", "--ca", path]).contains("holds no certificate authority to trust")
    );
    std::fs::write(
        path,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .expect("it can be written");
    assert!(
        refused(&["https://h", "--ca", path]).contains("holds no certificate authority to trust")
    );
}

#[test]
fn the_command_line_goes_before_the_profile_before_the_contract() {
    let seconds =
        |timeout: u64, start: u64| (Duration::from_secs(timeout), Duration::from_secs(start));
    let profile = told("timeout: 7s\nstart_timeout: 8s\n");
    let of = |words: &[&str], profile: &Profile| times(&parsed(words), profile);
    assert_eq!(of(&["--self"], &told("{}\n")), seconds(30, 20));
    assert_eq!(of(&["--self"], &profile), seconds(7, 8));
    assert_eq!(of(&["--self", "--timeout", "1s"], &profile), seconds(1, 8));
    assert_eq!(
        of(&["--self", "--start-timeout", "2m"], &profile),
        seconds(7, 120)
    );
}

#[test]
fn times_are_numbers_with_a_unit_and_a_bound() {
    for (text, milliseconds) in [
        ("30s", Some(30_000)),
        ("500ms", Some(500)),
        ("2m", Some(120_000)),
        ("86400s", Some(86_400_000)),
        ("86401s", None),
        ("0s", None),
        ("30", None),
        ("", None),
        ("s", None),
        ("-1s", None),
        ("1.5s", None),
        ("1 s", None),
        ("99999999999999999999s", None),
        ("18446744073709551615m", None),
    ] {
        let expected = milliseconds.map(Duration::from_millis);
        assert_eq!(duration(text).ok(), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_quoted_word_is_that_word_to_a_shell(word in "[ -~\n\té]{0,20}") {
        let script = format!("printf %s {}", quoted(&word));
        let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("sh runs");
        prop_assert_eq!(String::from_utf8_lossy(&output.stdout), word);
    }
}
