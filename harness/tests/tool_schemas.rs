//! Every schema that real servers offer for their tools is compiled, by its dialect. Those that are none are findings, and stand in
//! golden/findings.yaml as failures of `observer/message/result`; of those on which nothing can be said the reason is printed.
//!
//! `MCP_ASSAY_TARGETS` names a folder with servers installed, `MCP_ASSAY_SHARED` the folder that lists them; without both the test says that
//! it did not look. A server that is not installed is named and left out.

#![expect(
    clippy::unwrap_used,
    reason = "a panic in a helper of a test is a failed test"
)]

use mcp_assay_judge::{OfferedSchema, Unusable};
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What became of a schema.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Outcome {
    Compiled,
    Broken,
    Undecided,
}

#[test]
fn every_schema_of_a_tool_compiles_or_is_a_known_finding() {
    let folders = (
        std::env::var_os("MCP_ASSAY_TARGETS"),
        std::env::var_os("MCP_ASSAY_SHARED"),
    );
    let (Some(installed), Some(shared)) = folders else {
        eprintln!("did not look: MCP_ASSAY_TARGETS and MCP_ASSAY_SHARED are not set");
        return;
    };
    let installed = fs::canonicalize(installed).unwrap();
    let listed = fs::read_to_string(PathBuf::from(shared).join("targets/targets.json")).unwrap();
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let known =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden/findings.yaml"));
    let known = known.unwrap();
    let mut counts: BTreeMap<Outcome, usize> = BTreeMap::new();
    let mut new = Vec::new();
    for target in listed["targets"].as_array().unwrap() {
        let id = target["id"].as_str().unwrap();
        let schemas = match offered(target, &installed) {
            Ok(schemas) => schemas,
            Err(reason) => {
                eprintln!("{id}: did not look: {reason}");
                continue;
            }
        };
        assert!(
            !schemas.is_empty(),
            "{id} is listed with tools, and shows none"
        );
        eprintln!("{id}: {} schemas", schemas.len());
        for (revision, place, schema) in schemas {
            let parsed: Revision = revision.parse().unwrap();
            let outcome =
                match OfferedSchema::compile(&serde_json::from_str(&schema).unwrap(), parsed) {
                    Ok(_) => Outcome::Compiled,
                    Err(Unusable::Broken(violations)) => {
                        let why = &violations[0].message;
                        eprintln!("{id} {revision} {place}: no schema: {why}");
                        let entry = format!("- target: {id}\n  check: observer/message/result\n");
                        if !known.contains(&entry) {
                            new.push(format!("{id} {revision} {place}: {why}"));
                        }
                        Outcome::Broken
                    }
                    Err(Unusable::Undecided(why)) => {
                        eprintln!("{id} {revision} {place}: undecided: {why}");
                        Outcome::Undecided
                    }
                };
            *counts.entry(outcome).or_default() += 1;
        }
    }
    eprintln!("schemas of tools: {counts:?}");
    assert!(
        new.is_empty(),
        "not in golden/findings.yaml:\n{}",
        new.join("\n")
    );
}

/// The schemas of the tools that a server lists, each once for each revision: revision, tool and member, text.
fn offered(target: &Value, installed: &Path) -> Result<BTreeSet<(String, String, String)>, String> {
    let work = tempfile::tempdir().unwrap();
    let port = free_port().to_string();
    let fill = |word: &Value| {
        let word = word.as_str().unwrap();
        word.replace("{dir}", &installed.to_string_lossy())
            .replace("{work}", &work.path().to_string_lossy())
            .replace("{port}", &port)
    };
    let words: Vec<String> = target["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(fill)
        .collect();
    let is_missing =
        |word: &&String| Path::new(word).starts_with(installed) && !Path::new(word).exists();
    if words.iter().any(|word| is_missing(&word)) {
        return Err("not installed".to_owned());
    }
    for command in target["prepare"].as_array().into_iter().flatten() {
        let words: Vec<String> = command.as_array().unwrap().iter().map(fill).collect();
        let status = Command::new(&words[0]).args(&words[1..]).status().unwrap();
        assert!(status.success(), "{words:?}");
    }
    // What a server offers in its newest revision it rarely offers otherwise in the others.
    let revision = match std::env::var_os("MCP_ASSAY_SLOW_TARGETS") {
        Some(_) => "all",
        None => "auto",
    };
    let record = work.path().join("mcp-assay.jsonl");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-assay"));
    command
        .current_dir(work.path())
        .args([
            "run",
            "--quiet",
            "--only",
            "tour/tools",
            "--no-calls",
            "--revision",
            revision,
            "--report",
        ])
        .arg(format!("jsonl={}", record.display()));
    if target["transport"] == "http" {
        command.arg(fill(&target["url"]));
    }
    for (name, value) in target["env"].as_object().into_iter().flatten() {
        command.arg("--env").arg(format!("{name}={}", fill(value)));
    }
    if target["cwd"].is_string() {
        command.arg("--cwd").arg(fill(&target["cwd"]));
    }
    let output = command.arg("--").args(&words).output().unwrap();
    if output.status.code() == Some(3) {
        return Err("it never answered".to_owned());
    }
    let events = fs::read_to_string(&record)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let mut lists = Vec::new();
    for event in events.lines() {
        let event: Value = serde_json::from_str(event).unwrap();
        let revision = event["case"]
            .as_str()
            .and_then(|case| case.split(['@', '+']).nth(1));
        let Some(revision) = revision.map(str::to_owned) else {
            continue;
        };
        if let Some(tools) = event.pointer("/entry/message/result/tools") {
            lists.push((revision, tools.clone()));
        } else if event.pointer("/entry/truncated") == Some(&Value::Bool(true)) {
            // The record cuts long messages: the list is asked for again.
            assert_ne!(target["transport"], "http", "a long list over HTTP");
            let tools = tools_of(Command::new(&words[0]).args(&words[1..]), &revision);
            lists.push((revision, tools));
        }
    }
    let mut schemas = BTreeSet::new();
    for (revision, tools) in lists {
        for tool in tools.as_array().into_iter().flatten() {
            for member in ["inputSchema", "outputSchema"] {
                if let Some(schema) = tool.get(member) {
                    let place = format!("{} {member}", tool["name"]);
                    schemas.insert((revision.clone(), place, schema.to_string()));
                }
            }
        }
    }
    Ok(schemas)
}

/// The first page of the tools of a server on stdio.
fn tools_of(command: &mut Command, revision: &str) -> Value {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = pipes.stderr(Stdio::null()).spawn().unwrap();
    let (mut input, output) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    let mut lines = BufReader::new(output).lines();
    let mut ask = |id: u64, method: &str, params: Value| {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(input, "{request}").unwrap();
        let answers = lines
            .by_ref()
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap_or_default());
        answers
            .into_iter()
            .find(|answer| answer["id"] == id)
            .unwrap()
    };
    let client = json!({ "name": "mcp-assay", "version": "0" });
    let tools = if revision == "2026-07-28" {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        ask(1, "tools/list", json!({ "_meta": meta }))
    } else {
        let hello =
            json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": client });
        ask(1, "initialize", hello);
        ask(2, "tools/list", json!({}))
    };
    server.kill().unwrap();
    server.wait().unwrap();
    tools["result"]["tools"].clone()
}

/// A port that nobody listens on at the moment: the servers take theirs as an argument.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
