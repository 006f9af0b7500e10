//! Framing, and all observers, against plain `serde_json::from_slice` on the same lines; ratios of one run.
//!
//! `cargo bench -p mcp-assay-judge --bench observers`

#![expect(
    clippy::print_stdout,
    reason = "a bench is run by hand, and says what it measured"
)]

use mcp_assay_judge::monitor::Monitor;
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::Direction;
use mcp_assay_wire::stdio::{Framer, Limits};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const CALLS: u32 = 2000;

/// A lawful conversation: who sends, and the line.
fn lines() -> Vec<(Direction, Vec<u8>)> {
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

fn main() {
    let lines = lines();
    let bytes: usize = lines.iter().map(|(_, line)| line.len()).sum();
    let plain = least(|| {
        for (_, line) in &lines {
            black_box(serde_json::from_slice::<Value>(line).is_ok());
        }
    });
    let framed = least(|| {
        let mut framer = Framer::new(Limits::default());
        for (_, line) in &lines {
            black_box(framer.push(line));
        }
    });
    let judged = least(|| {
        let mut monitor = Monitor::new(Binding::Stdio).from_the_start();
        for (direction, line) in &lines {
            monitor.bytes(*direction, line);
        }
        let summary = monitor.finish();
        assert_eq!(summary.findings().count(), 0, "{summary}");
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
        "with all observers of both sides: {:.2} times that",
        ratio(judged)
    );
}
