//! Rules that no run proves, on recordings: those on clients, for a run has none but our own, and the few that our own client never lets
//! show. Each is broken with the code that it must find, and kept by what comes close.
//!
//! A line of `rules.jsonl` is one recording: messages without `jsonrpc`, each of the client unless `"<"` stands before it. Of the legacy
//! era it begins with a handshake, of a client with roots and a server with tools, or with the capabilities that it names. With
//! `authorization` it is HTTP: each message of the client is a POST, and what comes is on the stream that answers the last one.

#![expect(
    clippy::unwrap_used,
    reason = "the recordings are checked by the unwrapping; a panic is a failed test"
)]

use mcp_assay_judge::monitor::{Monitor, Summary};
use mcp_assay_judge::observer::rules;
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::{Channel, Direction, Entry, Http, HttpPart};
use mcp_assay_wire::http::Head;
use mcp_assay_wire::jsonrpc::classify;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Rules on servers among them, as the kill matrix has them.
const OF_SERVERS: &[&str] = &[
    "observer/cancellation/in-flight",
    "observer/elicitation/complete",
    "observer/elicitation/https",
    "observer/elicitation/required",
    "observer/lifecycle/first",
    "observer/lists/change-told",
    "observer/logging/credentials",
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
    /// What each request of HTTP gives in `Authorization`; without it the messages are lines.
    authorization: Option<String>,
    lines: Vec<Value>,
}

fn recordings() -> Vec<Recording> {
    let lines = include_str!("rules.jsonl").lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Plays messages to a monitor, as lines or as exchanges of HTTP.
struct Player {
    monitor: Monitor,
    /// What each request of HTTP says beside its type; lines without it.
    fields: Option<String>,
    seq: u64,
    exchange: u64,
}

impl Player {
    fn say(&mut self, direction: Direction, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        let Some(fields) = &self.fields else {
            self.monitor.message(direction, &text);
            return;
        };
        let head = |start: &str, fields: &str| {
            let head = format!("{start}\r\nContent-Type: {fields}\r\n\r\n");
            Head::parse(head.into())
        };
        if direction == Direction::Received {
            let data = HttpPart::Event {
                name: None,
                id: None,
                retry: None,
                comments: 0,
                has_data: true,
                is_terminated: true,
            };
            self.part(direction, data, text);
            return;
        }
        self.exchange += 1;
        let fields =
            format!("application/json\r\nAccept: application/json, text/event-stream\r\n{fields}");
        let asked = HttpPart::Request {
            method: "POST".to_owned(),
            target: "/mcp".to_owned(),
            head: head("POST /mcp HTTP/1.1", &fields),
        };
        self.part(direction, asked, text);
        let (status, line) = match message.get("id") {
            Some(_) => (200, "HTTP/1.1 200 OK"),
            None => (202, "HTTP/1.1 202 Accepted"),
        };
        let answered = HttpPart::Response {
            status,
            head: head(line, "text/event-stream"),
            socket: 1,
        };
        self.part(Direction::Received, answered, String::new());
    }

    fn part(&mut self, direction: Direction, part: HttpPart, text: String) {
        self.seq += 1;
        let channel = match part {
            HttpPart::Event { .. } => Channel::Sse,
            _ => Channel::Http,
        };
        self.monitor.see(&Entry {
            seq: self.seq,
            at: Duration::ZERO,
            direction,
            connection: "c".to_owned(),
            channel,
            length: text.len() as u64,
            message: classify(text.as_bytes()).ok(),
            raw: text.into(),
            terminator: None,
            defects: Vec::new(),
            answers: None,
            part_of: None,
            http: Some(Http {
                exchange: self.exchange,
                part,
            }),
        });
    }

    fn say_all(&mut self, lines: &[Value]) {
        let mut direction = Direction::Sent;
        for line in lines {
            if line == "<" {
                direction = Direction::Received;
                continue;
            }
            self.say(direction, line.clone());
            direction = Direction::Sent;
        }
    }
}

fn played(recording: &Recording) -> Summary {
    let binding = match recording.authorization {
        Some(_) => Binding::Http,
        None => Binding::Stdio,
    };
    let fields = |authorization: &String| {
        format!(
            "MCP-Protocol-Version: {}\r\nAuthorization: {authorization}",
            recording.revision
        )
    };
    let mut player = Player {
        monitor: Monitor::new(binding).from_the_start(),
        fields: recording.authorization.as_ref().map(fields),
        seq: 0,
        exchange: 0,
    };
    let (revision, version) = (recording.revision, recording.revision.as_str());
    player.say_all(&recording.before);
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
        player.say(Direction::Sent, asked);
        let answer = json!({ "id": "i", "result": server });
        player.say(Direction::Received, answer);
        let ready = json!({ "method": "notifications/initialized" });
        player.say(Direction::Sent, ready);
    }
    player.say_all(&recording.lines);
    player.monitor.finish()
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
