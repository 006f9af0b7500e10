//! The command line of HTTP targets as a user meets it: which ways to name one are refused, and with what words. No server is needed.

#![cfg(target_os = "linux")]

use assert_cmd::Command;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_mcp-assay");

/// Far longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(120);

const PROFILE: &str = "targets:\n  mine: { command: [server] }\n  far: { url: \"https://mcp.invalid/mcp\", headers: { Authorization: \"Bearer ${MCP_ASSAY_TEST_UNSET}\" } }\n";

const CONFIGURATION: &str = r#"{
  "mcpServers": {
    "files": { "command": "files-server" },
    "search": { "type": "http", "url": "https://mcp.invalid/mcp", "headers": { "X-Key": "${MCP_ASSAY_TEST_UNSET}" } },
    "socket": { "type": "websocket", "url": "https://mcp.invalid/mcp" }
  }
}
"#;

/// A folder with a profile, a configuration, and files that are wrong.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("mcp-assay.yaml", PROFILE),
        ("mcp.json", CONFIGURATION),
        (
            "broken.json",
            "{\n  \"mcpServers\": {\n    \"a\": { \"command\": x }\n",
        ),
        ("other.json", "{ \"servers\": [] }\n"),
        ("no.pem", "nothing\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}

fn assay_in(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(args).timeout(DEADLINE);
    command.env_remove("MCP_ASSAY_TEST_UNSET");
    command.output().expect("it runs to its end")
}

/// The message on standard error is golden; nothing is on standard output; the exit code is that of a usage error.
fn golden(name: &str, args: &[&str]) {
    let folder = folder();
    let output = assay_in(folder.path(), args);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(2),
        "{args:?}\n{stdout}\n{stderr}"
    );
    assert_eq!(stdout, "", "an error is no result");
    assert!(!stderr.contains("s3cret"), "{stderr}");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../golden/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, stderr));
}

#[test]
fn two_targets_at_once_are_named() {
    for (name, args) in [
        ("two-name-and-command", &["run", "mine", "--", "server"][..]),
        (
            "two-config-and-address",
            &["run", "--config", "mcp.json", "http://me:s3cret@localhost/"],
        ),
        (
            "two-self-and-config",
            &["run", "--self", "--config", "mcp.json"],
        ),
        (
            "two-self-and-header",
            &["run", "--self", "--header", "X: s3cret"],
        ),
    ] {
        golden(name, args);
    }
}

#[test]
fn options_of_another_kind_of_target_are_refused() {
    for (name, args) in [
        (
            "header-for-a-command",
            &["run", "--header", "X: s3cret", "--", "server"][..],
        ),
        ("binding-for-a-name", &["run", "mine", "--binding", "http"]),
        (
            "env-for-an-address",
            &["run", "http://localhost/", "--env", "KEY=s3cret"],
        ),
        ("server-without-config", &["run", "--server", "files"]),
        (
            "binding-unknown",
            &["run", "http://localhost/", "--binding", "stdio"],
        ),
    ] {
        golden(name, args);
    }
}

#[test]
fn addresses_and_headers_that_cannot_be_used_are_explained() {
    for (name, args) in [
        ("address-without-scheme", &["run", "localhost:3000/mcp"][..]),
        ("address-other-scheme", &["run", "ws://localhost:3000/mcp"]),
        ("address-without-host", &["run", "http://"]),
        (
            "header-without-colon",
            &["run", "http://localhost/", "--header", "s3cret"],
        ),
        (
            "header-variable-unset",
            &[
                "run",
                "http://localhost/",
                "--header",
                "X: s3cret ${MCP_ASSAY_TEST_UNSET}",
            ],
        ),
        (
            "ca-missing",
            &["run", "https://localhost/", "--ca", "missing.pem"],
        ),
        (
            "ca-without-certificate",
            &["run", "https://localhost/", "--ca", "no.pem"],
        ),
        ("profile-header-variable-unset", &["run", "far"]),
    ] {
        golden(name, args);
    }
}

#[test]
fn configurations_that_cannot_be_used_are_explained() {
    for (name, args) in [
        ("config-missing", &["run", "--config", "missing.json"][..]),
        ("config-no-json", &["run", "--config", "broken.json"]),
        ("config-no-servers", &["run", "--config", "other.json"]),
        ("config-several", &["run", "--config", "mcp.json"]),
        (
            "config-server-unknown",
            &["run", "--config", "mcp.json", "--server", "serch"],
        ),
        (
            "config-variable-unset",
            &["run", "--config", "mcp.json", "--server", "search"],
        ),
        (
            "config-type-unknown",
            &["run", "--config", "mcp.json", "--server", "socket"],
        ),
    ] {
        golden(name, args);
    }
}
