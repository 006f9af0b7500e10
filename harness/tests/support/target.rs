//! The targets: an honest server of a few lines, and what others make of it. The test executable runs as one when its first
//! argument is `target`, so that no interpreter is needed.

use super::honest::answer;
use nix::sys::signal::{SigSet, Signal, raise};
use serde_json::{Value, json};
use std::env;
use std::io::{self, BufRead, Write};
use std::process::{Command, ExitCode, exit};
use std::thread;
use std::time::Duration;

/// A way to behave: its name, as the executable takes it, and what it does.
type Misbehaviour = (&'static str, fn());

const MISBEHAVIOURS: &[Misbehaviour] = &[
    ("honest", || serve(|turn| say(&turn.answer))),
    // Never a valid answer.
    ("mute", || serve(|_| {})),
    ("exits-at-once", || exit(0)),
    ("ends-by-signal", || {
        let _ = raise(Signal::SIGKILL);
    }),
    ("complains-and-exits", complain_and_exit),
    ("garbage", || {
        serve(|_| write(b"\x00\xff\xfe not json \x1b[31m{]\n"))
    }),
    ("floods-lines", || {
        forever(b"2026-01-01 INFO still starting\n")
    }),
    ("floods-messages", || {
        forever(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}\n")
    }),
    ("floods-without-newline", || forever(&[b'a'; 64 * 1024])),
    ("never-reads", || park()),
    ("closes-stdout", close_stdout),
    ("answers-300-mib", || {
        serve(|turn| {
            if turn.is("initialize") {
                say_long(turn)
            }
        })
    }),
    ("answers-many-objects", || serve(answer_objects)),
    ("answers-deeply-nested", || serve(answer_deeply)),
    ("leaves-a-child-and-exits", || leave_a_child()),
    ("stops-itself", || {
        let _ = raise(Signal::SIGSTOP);
        park();
    }),
    ("stderr-without-end-and-mute", || {
        complain_without_end();
        serve(|_| {});
    }),
    // Misbehaviour after the first valid answer.
    ("refuses-initialize", || {
        serve(|turn| say(&refusing_initialize(turn)))
    }),
    ("answers-under-another-id", || {
        serve(|turn| say(&with(turn, "/id", json!(999_999))))
    }),
    ("result-is-text", || {
        serve(|turn| say(&initialized(turn, json!("welcome"))))
    }),
    ("unknown-revision", || {
        let result = json!({ "protocolVersion": "1999-01-01", "capabilities": {}, "serverInfo": { "name": "x", "version": "1" } });
        serve(|turn| say(&initialized(turn, result.clone())));
    }),
    ("mute-after-initialize", || {
        serve(|turn| {
            if turn.number == 1 {
                say(&turn.answer)
            }
        })
    }),
    ("stops-after-initialize", || {
        serve(|turn| {
            say(&turn.answer);
            let _ = raise(Signal::SIGSTOP);
        });
    }),
    ("dies-on-second-message", || {
        serve(|turn| {
            if turn.number == 1 {
                say(&turn.answer)
            } else {
                exit(7)
            }
        })
    }),
    ("answers-twice", || {
        serve(|turn| {
            say(&turn.answer);
            say(&turn.answer);
        });
    }),
    ("asks-without-end-and-never-reads", || {
        serve(ask_without_end)
    }),
    ("floods-after-initialize", || serve(flood_later)),
    ("floods-long-answers", || serve(flood_long_answers)),
    ("lists-300-mib", || serve(list_300_mib)),
    ("pages-without-end", || serve(pages_without_end)),
    // Bad manners of a server that answers as it should.
    ("leaves-a-child", || {
        leave_a_child();
        serve(|turn| say(&turn.answer));
    }),
    ("stderr-without-end", || {
        complain_without_end();
        serve(|turn| say(&turn.answer));
    }),
    ("stays", stay),
    ("slow", || {
        serve(|turn| {
            thread::sleep(Duration::from_millis(400));
            say(&turn.answer);
        });
    }),
    ("tells-secrets", tell_secrets),
    ("tells-secrets-and-exits", || {
        complain(&format!(
            "cannot connect with {}\n",
            env::var("ASSAY_TEST_SECRET").unwrap_or_default()
        ));
        exit(1)
    }),
    ("paints", paint),
    ("paints-and-exits", || {
        complain(PAINT);
        exit(1)
    }),
    // Not a server: what a target leaves behind.
    ("child", || {
        let _ = nix::unistd::setsid();
        park();
    }),
];

/// Text that would colour a terminal and forge lines of a report, if anyone let it.
pub const PAINT: &str = "\u{1b}[32mall is well\u{1b}[0m\r\nexit 0: nothing denied\nresults   999 = 999 pass\u{9b}31m\u{202e}";

/// Runs as the target that the arguments name.
pub fn main(mut args: impl Iterator<Item = String>) -> ExitCode {
    let name = args.next().unwrap_or_default();
    match MISBEHAVIOURS.iter().find(|(known, _)| *known == name) {
        Some((_, behave)) => {
            behave();
            ExitCode::SUCCESS
        }
        None => ExitCode::from(99),
    }
}

/// A line that came, and how an honest server answers it.
struct Turn {
    /// Counted from 1; only what asks for an answer counts.
    number: usize,
    asked: Value,
    answer: Value,
}

impl Turn {
    fn is(&self, method: &str) -> bool {
        self.asked["method"] == method
    }
}

/// Reads lines to the end of input, and lets `reply` speak where an answer is due.
fn serve(mut reply: impl FnMut(&Turn)) {
    let mut number = 0;
    for line in io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { return };
        let asked: Value = serde_json::from_slice(&line).unwrap_or_default();
        if let Some(answer) = answer(&asked) {
            number += 1;
            reply(&Turn {
                number,
                asked,
                answer,
            });
        }
    }
}

fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    // Nobody who listens means that the run is over.
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        exit(0);
    }
}

fn say(answer: &Value) {
    write(format!("{answer}\n").as_bytes());
}

fn forever(bytes: &[u8]) -> ! {
    loop {
        write(bytes);
    }
}

fn park() -> ! {
    loop {
        thread::park();
    }
}

fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

fn complain_and_exit() {
    complain("cannot open the database\n");
    exit(3);
}

fn complain_without_end() {
    thread::spawn(|| {
        let line = "warning: the same again\n".repeat(100);
        while io::stderr().lock().write_all(line.as_bytes()).is_ok() {}
    });
}

fn close_stdout() {
    // The safe way to let go of a descriptor that the standard library holds for good.
    let _ = nix::unistd::close(1);
    park();
}

/// A child in a session of its own, with our stdout.
#[expect(
    clippy::zombie_processes,
    reason = "a child that nobody waits for is the misbehaviour"
)]
fn leave_a_child() {
    let own = env::current_exe().expect("an executable has a path");
    Command::new(own)
        .args(["target", "child"])
        .spawn()
        .expect("a child");
}

/// One line of 300 MiB that is a lawful answer but for its length.
fn say_long(turn: &Turn) {
    write(
        format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{"tools":[],"x":""#,
            turn.asked["id"]
        )
        .as_bytes(),
    );
    let piece = vec![b'a'; 1024 * 1024];
    (0..300).for_each(|_| write(&piece));
    write(b"\"}}\n");
}

fn answer_deeply(turn: &Turn) {
    let depth = 1_000_000;
    let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    write(
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{nested}}}\n",
            turn.asked["id"]
        )
        .as_bytes(),
    );
}

/// As much memory as a parser can be made to take for a line within our bound.
fn answer_objects(turn: &Turn) {
    let objects = vec![r#"{"a":1}"#; 100_000].join(",");
    write(
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":[{objects}]}}\n",
            turn.asked["id"]
        )
        .as_bytes(),
    );
}

/// The first answer again and again, each within our bound for a line.
fn flood_long_answers(turn: &Turn) {
    say(&turn.answer);
    let answer = with(turn, "/result", json!({ "x": "a".repeat(7 * 1024 * 1024) }));
    forever(format!("{answer}\n").as_bytes());
}

fn with(turn: &Turn, at: &str, value: Value) -> Value {
    let mut answer = turn.answer.clone();
    if let Some(place) = answer.pointer_mut(at) {
        *place = value;
    }
    answer
}

fn initialized(turn: &Turn, result: Value) -> Value {
    if turn.is("initialize") {
        with(turn, "/result", result)
    } else {
        turn.answer.clone()
    }
}

fn refusing_initialize(turn: &Turn) -> Value {
    match turn.is("initialize") {
        true => {
            json!({ "jsonrpc": "2.0", "id": turn.asked["id"], "error": { "code": -32603, "message": "not today" } })
        }
        false => turn.answer.clone(),
    }
}

/// Requests that the harness answers, one after the other; its answers are never read.
fn ask_without_end(turn: &Turn) {
    say(&turn.answer);
    for id in 0.. {
        say(
            &json!({ "jsonrpc": "2.0", "id": format!("{id}-{}", "x".repeat(200)), "method": "ping" }),
        );
    }
}

fn flood_later(turn: &Turn) {
    say(&turn.answer);
    forever(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}\n");
}

fn with_tools(turn: &Turn) -> Value {
    with(turn, "/result/capabilities", json!({ "tools": {} }))
}

fn list_300_mib(turn: &Turn) {
    if turn.is("tools/list") {
        say_long(turn)
    } else {
        say(&with_tools(turn))
    }
}

fn pages_without_end(turn: &Turn) {
    if turn.is("tools/list") {
        let tool =
            json!({ "name": format!("tool-{}", turn.number), "inputSchema": { "type": "object" } });
        let result = json!({ "tools": [tool], "nextCursor": format!("page-{}", turn.number) });
        say(&json!({ "jsonrpc": "2.0", "id": turn.asked["id"], "result": result }));
    } else {
        say(&with_tools(turn));
    }
}

/// Blocks SIGTERM before any thread is started, and does not end with its input.
fn stay() {
    let mut deaf = SigSet::empty();
    deaf.add(Signal::SIGTERM);
    let _ = deaf.thread_block();
    serve(|turn| say(&turn.answer));
    park();
}

/// Repeats what its environment holds wherever a server can speak.
fn tell_secrets() {
    let secret = env::var("ASSAY_TEST_SECRET").unwrap_or_default();
    complain(&format!("connecting with {secret}\n"));
    write(format!("log: connecting with {secret}\n").as_bytes());
    serve(|turn| {
        let mut answer = initialized(
            turn,
            json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": secret }),
        );
        if answer.get("error").is_some() {
            answer["error"] = json!({ "code": "-32601", "message": format!("no method for {secret}"), "data": { secret.as_str(): secret } });
        }
        complain(&format!("answered with {secret}\n"));
        say(&answer);
    });
}

/// Says what would paint a terminal, raw and as JSON, wherever a server can speak.
fn paint() {
    complain(PAINT);
    write(format!("{PAINT}\n").as_bytes());
    serve(|turn| {
        let server = json!({ "name": PAINT, "version": PAINT });
        let mut answer = initialized(
            turn,
            json!({ "protocolVersion": "2025-11-25", "capabilities": { PAINT: true }, "serverInfo": server }),
        );
        if answer.get("error").is_some() {
            answer["error"] = json!({ "code": PAINT, "message": PAINT });
        }
        complain(PAINT);
        say(&answer);
        if turn.number == 3 {
            exit(1);
        }
    });
}
