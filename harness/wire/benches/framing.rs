//! Framing and classification against plain `serde_json::from_slice` on the same lines; the budget is 80 % of its speed (DESIGN.md section 9).
//!
//! Both run in turn in one process, and the best of many rounds counts, so that the ratio holds on a busy machine. `cargo bench -p
//! mcp-assay-wire` prints it; nothing asserts it, because a timed test is a flaky one.

#![expect(
    clippy::print_stdout,
    reason = "printing the ratio is what a bench is for"
)]

use mcp_assay_wire::stdio::{Framer, Limits};
use serde_json::{Value, json};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Bytes of each stream, and what a pipe gives at a time.
const STREAM: usize = 4 << 20;
const PIPE: usize = 64 << 10;
const ROUNDS: usize = 25;

fn main() {
    println!(
        "{:<24}{:>14}{:>14}{:>9}",
        "lines", "serde_json", "framer", "ratio"
    );
    let mut totals = (Duration::ZERO, Duration::ZERO);
    for (name, messages) in conversations() {
        let stream = stream_of(&messages);
        let (mut plain, mut framed) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            plain = plain.min(time(|| parse_lines(&stream)));
            framed = framed.min(time(|| frame(&stream)));
        }
        print_row(name, stream.len(), plain, framed);
        totals = (totals.0 + plain, totals.1 + framed);
    }
    print_row(
        "all, equal bytes of each",
        STREAM * conversations().len(),
        totals.0,
        totals.1,
    );
}

fn print_row(name: &str, bytes: usize, plain: Duration, framed: Duration) {
    let speed = |took: Duration| format!("{:.0} MB/s", bytes as f64 / 1e6 / took.as_secs_f64());
    let percent = 100.0 * plain.as_secs_f64() / framed.as_secs_f64();
    println!(
        "{name:<24}{:>14}{:>14}{percent:>7.0} %",
        speed(plain),
        speed(framed)
    );
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The plain way, lines found by the same search: what framing adds is in the ratio.
fn parse_lines(stream: &[u8]) {
    let mut rest = stream;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let value: Value = serde_json::from_slice(&rest[..end]).expect("the lines are JSON");
        black_box(value);
        rest = &rest[end + 1..];
    }
}

fn frame(stream: &[u8]) {
    let mut framer = Framer::new(Limits::default());
    for piece in stream.chunks(PIPE) {
        let mut rest = piece;
        while let Some(frame) = framer.next_frame(&mut rest) {
            assert!(frame.defects.is_empty() && frame.message.is_some());
            black_box(frame);
        }
    }
}

fn stream_of(messages: &[Value]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(STREAM + PIPE);
    for message in messages.iter().cycle() {
        if stream.len() >= STREAM {
            break;
        }
        stream.extend_from_slice(message.to_string().as_bytes());
        stream.push(b'\n');
    }
    stream
}

/// What real conversations are made of, from many small messages to few large ones.
fn conversations() -> Vec<(&'static str, Vec<Value>)> {
    let property = |name: &str| json!({"type": "string", "description": format!("The {name} to look for, as a path below the root.")});
    let tool = |index: usize| {
        json!({
            "name": format!("tool_{index}"),
            "title": "Looks for files",
            "description": "Returns the files below a directory whose names match.\nPatterns are globs; \"**\" crosses directories.",
            "inputSchema": {
                "type": "object",
                "properties": {"path": property("path"), "pattern": property("pattern"), "limit": {"type": "integer", "minimum": 1}},
                "required": ["path"],
                "additionalProperties": false
            },
            "annotations": {"readOnlyHint": true, "openWorldHint": false}
        })
    };
    let text = |text: String| json!({"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": text}], "isError": false}});
    let rows: Vec<Value> = (0..200)
        .map(|row| json!({"id": row, "score": f64::from(row) / 7.0, "tags": ["a", "b"], "active": row % 2 == 0}))
        .collect();
    vec![
        (
            "requests, progress",
            vec![
                json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
                json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
                json!({"jsonrpc": "2.0", "id": 12, "method": "tools/call", "params": {"name": "echo", "arguments": {"message": "hello"}, "_meta": {"progressToken": "p-12"}}}),
                json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p-12", "progress": 50, "total": 100, "message": "half way"}}),
                json!({"jsonrpc": "2.0", "id": 12, "error": {"code": -32602, "message": "Unknown tool: ech"}}),
            ],
        ),
        (
            "tools/list",
            vec![
                json!({"jsonrpc": "2.0", "id": 2, "result": {"tools": (0..20).map(tool).collect::<Vec<_>>()}}),
            ],
        ),
        (
            "structured rows",
            vec![
                json!({"jsonrpc": "2.0", "id": 3, "result": {"content": [], "structuredContent": {"rows": rows}}}),
            ],
        ),
        (
            "escaped text",
            vec![text("fn main() {\n\tprintln!(\"hello\");\n}\n".repeat(300))],
        ),
        (
            "text, not ASCII",
            vec![text("Grüße aus Zürich, 東京より、привет. ".repeat(300))],
        ),
        ("one large text", vec![text("QUJDREVGR0g=".repeat(50_000))]),
    ]
}
