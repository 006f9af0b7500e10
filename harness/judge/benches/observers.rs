//! Framing, validation alone, and all observers, against plain `serde_json::from_slice` on the same lines; ratios of one run.
//!
//! `cargo bench -p mcp-assay-judge --bench observers`

#![expect(
    clippy::print_stdout,
    reason = "a bench is run by hand, and says what it measured"
)]

use mcp_assay_judge::Schemas;
use mcp_assay_judge::monitor::Monitor;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::Direction;
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId};
use mcp_assay_wire::stdio::{Framer, Limits};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const CALLS: u32 = 2000;

/// Rounds of the varied conversation.
const TURNS: u32 = 300;

/// Who sends, and the line.
type Line = (Direction, Vec<u8>);

/// A lawful conversation of many calls of one tool.
fn calls() -> Vec<Line> {
    let tools: Vec<Value> = (0..20)
        .map(|number| json!({ "name": format!("tool-{number}"), "description": "does something with a text", "inputSchema": { "type": "object", "properties": { "text": { "type": "string" } } } }))
        .collect();
    let mut said = vec![
        (
            Direction::Sent,
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } } }),
        ),
        (
            Direction::Received,
            json!({ "jsonrpc": "2.0", "id": 0, "result": { "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "s", "version": "1" } } }),
        ),
        (
            Direction::Sent,
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        ),
    ];
    for call in 1..=CALLS {
        if call % 50 == 1 {
            said.push((
                Direction::Sent,
                json!({ "jsonrpc": "2.0", "id": format!("list-{call}"), "method": "tools/list" }),
            ));
            said.push((Direction::Received, json!({ "jsonrpc": "2.0", "id": format!("list-{call}"), "result": { "tools": tools } })));
        }
        said.push((Direction::Sent, json!({ "jsonrpc": "2.0", "id": call, "method": "tools/call", "params": { "name": "tool-1", "arguments": { "text": "some text" }, "_meta": { "progressToken": call } } })));
        said.push((Direction::Received, json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": call, "progress": 1 } })));
        said.push((Direction::Received, json!({ "jsonrpc": "2.0", "id": call, "result": { "content": [{ "type": "text", "text": "x".repeat(400) }] } })));
    }
    written(said)
}

/// A lawful conversation of many features: short messages, pages, structured results, log messages, errors, and questions to the client.
fn features() -> Vec<Line> {
    use Direction::{Received, Sent};
    let output = json!({ "type": "object", "properties": { "sum": { "type": "number" } }, "required": ["sum"] });
    let tools: Vec<Value> = (0..8)
        .map(|number| json!({ "name": format!("sum-{number}"), "title": "Sum", "description": "adds numbers", "inputSchema": { "type": "object", "properties": { "of": { "type": "array", "items": { "type": "number" } } } }, "outputSchema": output, "annotations": { "readOnlyHint": true } }))
        .collect();
    let resources = |page: u32| -> Vec<Value> {
        (0..8)
            .map(|number| json!({ "uri": format!("file:///notes/{page}-{number}.txt"), "name": format!("note {number}"), "mimeType": "text/plain", "size": 120, "annotations": { "audience": ["user"], "priority": 0.5 } }))
            .collect()
    };
    let mut said = vec![
        (
            Sent,
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": { "protocolVersion": "2025-11-25", "capabilities": { "sampling": {}, "roots": { "listChanged": true } }, "clientInfo": { "name": "c", "version": "1" } } }),
        ),
        (
            Received,
            json!({ "jsonrpc": "2.0", "id": 0, "result": { "protocolVersion": "2025-11-25", "capabilities": { "tools": {}, "resources": {}, "prompts": {}, "logging": {}, "completions": {} }, "serverInfo": { "name": "s", "version": "1" } } }),
        ),
        (
            Sent,
            json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        ),
    ];
    let mut next = 0;
    let mut ask = |method: &str, params: Value, result: Value| {
        next += 1;
        [
            (
                Sent,
                json!({ "jsonrpc": "2.0", "id": next, "method": method, "params": params }),
            ),
            (
                Received,
                json!({ "jsonrpc": "2.0", "id": next, "result": result }),
            ),
        ]
    };
    for turn in 1..=TURNS {
        said.extend(ask("ping", json!({}), json!({})));
        said.extend(ask("tools/list", json!({}), json!({ "tools": tools })));
        said.extend(ask(
            "resources/list",
            json!({}),
            json!({ "resources": resources(1), "nextCursor": "page-2" }),
        ));
        said.extend(ask(
            "resources/list",
            json!({ "cursor": "page-2" }),
            json!({ "resources": resources(2) }),
        ));
        said.extend(ask("resources/read", json!({ "uri": "file:///notes/1-1.txt" }), json!({ "contents": [{ "uri": "file:///notes/1-1.txt", "mimeType": "text/plain", "text": "a note of a few words" }] })));
        said.extend(ask("prompts/get", json!({ "name": "greet", "arguments": { "name": "Ada" } }), json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "Say hello to Ada" } }] })));
        said.extend(ask("completion/complete", json!({ "ref": { "type": "ref/prompt", "name": "greet" }, "argument": { "name": "name", "value": "A" } }), json!({ "completion": { "values": ["Ada", "Alan"], "total": 2, "hasMore": false } })));
        said.push((Received, json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "logger": "sums", "data": { "turn": turn } } })));
        said.push((Received, json!({ "jsonrpc": "2.0", "id": format!("s-{turn}"), "method": "sampling/createMessage", "params": { "messages": [{ "role": "user", "content": { "type": "text", "text": "What is next?" } }], "maxTokens": 100 } })));
        said.push((Sent, json!({ "jsonrpc": "2.0", "id": format!("s-{turn}"), "result": { "role": "assistant", "model": "m", "stopReason": "endTurn", "content": { "type": "text", "text": "The sum." } } })));
        said.extend(ask("tools/call", json!({ "name": "sum-1", "arguments": { "of": [turn, 1] } }), json!({ "content": [{ "type": "text", "text": format!("{{\"sum\":{}}}", turn + 1) }], "structuredContent": { "sum": turn + 1 } })));
        said.extend(ask("tools/call", json!({ "name": "picture", "arguments": {} }), json!({ "content": [{ "type": "image", "mimeType": "image/png", "data": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=" }] })));
        let [request, _] = ask(
            "resources/read",
            json!({ "uri": "file:///none" }),
            json!({}),
        );
        let id = request.1["id"].clone();
        said.push(request);
        said.push((Received, json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32002, "message": "there is no such resource", "data": { "uri": "file:///none" } } })));
    }
    written(said)
}

fn written(said: Vec<(Direction, Value)>) -> Vec<Line> {
    said.into_iter()
        .map(|(direction, message)| (direction, format!("{message}\n").into_bytes()))
        .collect()
}

/// The shortest of several rounds.
fn least(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        work();
        began.elapsed()
    });
    rounds.min().unwrap_or_default()
}

/// Each message, with its text and the method that a response answers.
fn answered(lines: &[Line]) -> Vec<(Message, &str, Option<String>)> {
    let mut asked: HashMap<(Direction, RawId), String> = HashMap::new();
    let mut framer = Framer::new(Limits::default());
    let mut all = Vec::new();
    for (direction, line) in lines {
        let frame = framer.push(line).remove(0);
        let message = frame.message.expect("the lines are messages");
        let text = std::str::from_utf8(line).expect("the lines are text");
        let other = match direction {
            Direction::Sent => Direction::Received,
            Direction::Received => Direction::Sent,
        };
        let method = match (message.kind, &message.id, &message.method) {
            (Kind::Request, Some(id), Some(method)) => {
                asked.insert((*direction, id.clone()), method.clone());
                None
            }
            (Kind::Result, Some(id), _) => asked.get(&(other, id.clone())).cloned(),
            _ => None,
        };
        all.push((message, text.trim_end(), method));
    }
    all
}

fn measure(lines: &[Line]) {
    let bytes: usize = lines.iter().map(|(_, line)| line.len()).sum();
    let plain = least(|| {
        for (_, line) in lines {
            black_box(serde_json::from_slice::<Value>(line).is_ok());
        }
    });
    let framed = least(|| {
        let mut framer = Framer::new(Limits::default());
        for (_, line) in lines {
            black_box(framer.push(line));
        }
    });
    let judged = least(|| {
        let mut monitor = Monitor::new(Binding::Stdio).from_the_start();
        for (direction, line) in lines {
            monitor.bytes(*direction, line);
        }
        let summary = monitor.finish();
        assert_eq!(summary.findings().count(), 0, "{summary}");
    });
    let messages = answered(lines);
    let schemas = Schemas::of(Revision::R2025_11_25);
    let validated = least(|| {
        for (message, text, asked) in &messages {
            let violations = schemas.judge_message(message, Some(text), asked.as_deref());
            assert!(violations.is_empty(), "{text}");
        }
    });
    let ratio = |time: Duration| time.as_secs_f64() / plain.as_secs_f64();
    println!(
        "{} lines, {bytes} bytes, {:.1} ms with serde_json",
        lines.len(),
        plain.as_secs_f64() * 1e3
    );
    println!(
        "framing and classification: {:.2} times that, {:.0} % of its speed",
        ratio(framed),
        100.0 / ratio(framed)
    );
    println!(
        "each message against its definitions alone, already parsed: {:.2} times that",
        ratio(validated)
    );
    println!(
        "with all observers of both sides: {:.2} times that",
        ratio(judged)
    );
}

fn main() {
    println!("calls of one tool");
    measure(&calls());
    println!("many features");
    measure(&features());
}
