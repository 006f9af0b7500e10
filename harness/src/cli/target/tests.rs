use super::{profile, quoted, target, times};
use crate::cli::args::{Cli, Command, Run, duration};
use crate::run::exit::ExitCode;
use crate::target::Target;
use crate::testing::catalogue;
use clap::Parser;
use mcp_assay_catalogue::profile::Profile;
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

const PROFILE: &str = "targets: { mine: { command: [node, a.js], env: { KEY: kept } }, far: { url: \"https://example.org\" } }\n";

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
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
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
        (&["far"], &full, "only stdio targets"),
        (&["--env", "TOKEN", "--", "node"], &full, "not KEY=VALUE"),
    ] {
        let failure = target(&parsed(words), profile).expect_err("no target");
        assert_eq!(failure.code, ExitCode::Usage, "{words:?}");
        assert!(failure.message.contains(said), "{}", failure.message);
    }
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
