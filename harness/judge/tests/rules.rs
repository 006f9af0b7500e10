//! Rules that no run proves, on recordings: those on clients, for a run has none but our own, and the few that our own client never lets
//! show. Each is broken with the code that it must find, and kept by what comes close.
//!
//! A line of `rules.jsonl` is one recording: messages without `jsonrpc`, each of the client unless `"<"` stands before it. Of the legacy
//! era it begins with a handshake, of a client with roots and a server with tools, or with the capabilities that it names.

#![expect(
    clippy::unwrap_used,
    reason = "the recordings are checked by the unwrapping; a panic is a failed test"
)]

use mcp_assay_judge::monitor::{Monitor, Summary};
use mcp_assay_judge::observer::rules;
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::Direction;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Rules on servers among them, as the kill matrix has them.
const OF_SERVERS: &[&str] = &[
    "observer/cancellation/in-flight",
    "observer/elicitation/complete",
    "observer/elicitation/https",
    "observer/elicitation/required",
    "observer/lists/change-told",
    "observer/message/sampling",
    "observer/message/task",
    "observer/progress/token-unique",
    "observer/sampling/results-alone",
    "observer/sampling/results-balanced",
    "observer/sampling/results-known",
    "observer/sampling/results-structured",
    "observer/tasks/failure-told",
    "observer/tasks/progress-ends",
    "observer/tasks/related",
    "observer/tasks/terminal",
    "observer/tasks/unrelated",
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recording {
    rule: String,
    finds: Option<String>,
    revision: Revision,
    /// What is said before the handshake.
    #[serde(default)]
    before: Vec<Value>,
    /// What the client declares beside roots.
    #[serde(default)]
    client: Map<String, Value>,
    /// What the server declares beside tools, or of them.
    #[serde(default)]
    server: Map<String, Value>,
    lines: Vec<Value>,
}

fn recordings() -> Vec<Recording> {
    let lines = include_str!("rules.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn say(monitor: &mut Monitor, direction: Direction, mut message: Value) {
    message["jsonrpc"] = json!("2.0");
    monitor.message(direction, &message.to_string());
}

fn played(recording: &Recording) -> Summary {
    let mut monitor = Monitor::new(Binding::Stdio).from_the_start();
    let (revision, version) = (recording.revision, recording.revision.as_str());
    say_all(&mut monitor, &recording.before);
    if revision.era() == Era::Legacy {
        let (mut of_client, mut of_server) = (
            json!({ "roots": { "listChanged": true } }),
            json!({ "tools": {} }),
        );
        of_client
            .as_object_mut()
            .unwrap()
            .extend(recording.client.clone());
        of_server
            .as_object_mut()
            .unwrap()
            .extend(recording.server.clone());
        let client = json!({ "protocolVersion": version, "capabilities": of_client, "clientInfo": { "name": "c", "version": "1" } });
        let server = json!({ "protocolVersion": version, "capabilities": of_server, "serverInfo": { "name": "s", "version": "1" } });
        let asked = json!({ "id": "i", "method": "initialize", "params": client });
        say(&mut monitor, Direction::Sent, asked);
        let answer = json!({ "id": "i", "result": server });
        say(&mut monitor, Direction::Received, answer);
        let ready = json!({ "method": "notifications/initialized" });
        say(&mut monitor, Direction::Sent, ready);
    }
    say_all(&mut monitor, &recording.lines);
    monitor.finish()
}

fn say_all(monitor: &mut Monitor, lines: &[Value]) {
    let mut direction = Direction::Sent;
    for line in lines {
        if line == "<" {
            direction = Direction::Received;
            continue;
        }
        say(monitor, direction, line.clone());
        direction = Direction::Sent;
    }
}

#[test]
fn each_recording_shows_what_it_must_and_nothing_else() {
    for recording in recordings() {
        let summary = played(&recording);
        let found: Vec<(String, String)> = summary
            .findings()
            .map(|(rule, _, finding)| (rule, finding.code.to_string()))
            .collect();
        let wanted = recording.finds.iter();
        let wanted: Vec<(String, String)> = wanted
            .map(|code| (recording.rule.clone(), code.clone()))
            .collect();
        assert_eq!(found, wanted, "{recording:?}\n{summary}");
        let [part] = &summary.parts[..] else {
            panic!("{recording:?} has several parts");
        };
        let mut of_rule = part.observed.iter().filter_map(|one| {
            let rule = recording
                .rule
                .strip_prefix(&format!("observer/{}/", one.observer))?;
            Some(one.sightings.judged(rule))
        });
        assert!(of_rule.next().unwrap() > 0, "{recording:?} judges nothing");
    }
}

#[test]
fn each_rule_on_clients_is_broken_and_kept() {
    let of_clients = rules().filter(|(_, rule)| rule.role == Role::Client);
    let of_clients = of_clients.map(|(observer, rule)| format!("observer/{observer}/{}", rule.id));
    let wanted: BTreeSet<String> = of_clients
        .chain(OF_SERVERS.iter().map(|id| (*id).to_owned()))
        .collect();
    for is_broken in [true, false] {
        let shown = recordings()
            .into_iter()
            .filter(|recording| recording.finds.is_some() == is_broken);
        let shown: BTreeSet<String> = shown.map(|recording| recording.rule).collect();
        assert_eq!(shown, wanted, "broken: {is_broken}");
    }
}
