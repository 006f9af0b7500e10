//! HTTP servers that do what no server should: each run ends in time, with the right exit code, in bounded memory, with reports
//! that hold, and leaves no process behind.
//!
//! The servers are threads of this test. The harness that tests them is the real binary, with its real clock.

#![cfg(target_os = "linux")]

mod support {
    pub mod assay;
    pub mod holds;
    pub mod honest;
    pub mod http_target;
    pub mod reports;
}

use libtest_mimic::{Arguments, Trial};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use support::assay::{Assay, Ended};
use support::holds::{assert_holds, assert_says};
use support::http_target::{Asked, Behaviour, Server, bomb};

/// Where the defaults are not what is tested, nobody waits for them.
const BRISK: &[&str] = &["--start-timeout", "3s", "--timeout", "3s"];
/// The same, on a binding that is known.
const BRISK_HTTP: &[&str] = &[
    "--start-timeout",
    "3s",
    "--timeout",
    "3s",
    "--binding",
    "http",
];
const BRISK_SSE: &[&str] = &[
    "--start-timeout",
    "3s",
    "--timeout",
    "3s",
    "--binding",
    "http-sse",
];

/// A server, further arguments of `run`, the exit code, what the page says of it, and what it does.
type Row = (
    &'static str,
    &'static [&'static str],
    i32,
    &'static str,
    Behaviour,
);

const ROWS: &[Row] = &[
    // The same parts without the misbehaviour: what fails below fails because of it.
    ("honest", &[], 0, "exit 0: nothing denied", Asked::honest),
    // Never one valid answer.
    ("mute", &[], 3, "got no response within 20 s", Asked::park),
    (
        "slow-head",
        &[],
        3,
        "got no response within 20 s",
        slow_head,
    ),
    (
        "endless-head",
        &[],
        3,
        "unusable response head",
        endless_head,
    ),
    (
        "endless-interim-heads",
        &[],
        3,
        "interim responses and no final one",
        |asked| asked.forever("HTTP/1.1 100 Continue\r\n\r\n"),
    ),
    (
        "endless-comments",
        &[],
        3,
        "gave no answer to `initialize` within 20 s: the event stream is still open",
        |asked| {
            asked.begin_stream()?;
            asked.slowly_forever(": still here\n\n", Duration::from_millis(50))
        },
    ),
    (
        "floods-comments",
        &[],
        3,
        "the event stream is still open",
        |asked| {
            asked.begin_stream()?;
            asked.forever(": still here\n".repeat(1000))
        },
    ),
    (
        "floods-events",
        &[],
        3,
        "the event stream was closed by us after",
        |asked| {
            asked.begin_stream()?;
            asked.forever(LOG.repeat(100))
        },
    ),
    (
        "floods-one-event",
        &[],
        3,
        "the event stream is still open without an event",
        |asked| {
            asked.begin_stream()?;
            asked.forever(
                "data: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(100),
            )
        },
    ),
    (
        "floods-one-line",
        &[],
        3,
        "the event stream is still open without an event",
        |asked| {
            asked.begin_stream()?;
            asked.write("data: ")?;
            asked.forever([b'a'; 64 * 1024])
        },
    ),
    ("answers-300-mib", &[], 3, "is not read on", answers_300_mib),
    (
        "compressed-bomb",
        &[],
        3,
        "Content-Encoding gzip",
        |asked| {
            let fields = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
            asked.respond("200 OK", fields, &bomb())
        },
    ),
    (
        "length-too-long",
        BRISK,
        3,
        "the body was cut off",
        |asked| with_length(asked, 50),
    ),
    (
        "length-too-short",
        BRISK,
        3,
        "the body was cut off",
        |asked| with_length(asked, -50),
    ),
    (
        "resets-before-the-head",
        &[],
        3,
        "connection reset before a response came",
        Asked::reset,
    ),
    (
        "resets-within-the-body",
        &[],
        3,
        "connection reset",
        |asked| {
            asked.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"jsonrpc\"")?;
            asked.reset()
        },
    ),
    (
        "closes-at-once",
        &[],
        3,
        "connection closed before a response came",
        Asked::hang_up,
    ),
    (
        "redirects-to-itself",
        &[],
        3,
        "redirected more than",
        |asked| asked.respond("307 Temporary Redirect", "Location: /mcp\r\n", b""),
    ),
    ("redirects-elsewhere", &[], 3, "redirected", |asked| {
        asked.respond(
            "307 Temporary Redirect",
            "Location: http://elsewhere.invalid/mcp\r\n",
            b"",
        )
    }),
    ("refuses-everyone", &[], 3, "HTTP 401", |asked| {
        let fields = "WWW-Authenticate: Bearer resource_metadata=\"http://127.0.0.1/meta\"\r\n";
        asked.respond("401 Unauthorized", fields, b"")
    }),
    ("fails-always", &[], 3, "HTTP 500", |asked| {
        asked.respond(
            "500 Internal Server Error",
            "Content-Type: text/plain\r\n",
            b"no database",
        )
    }),
    ("web-page", &[], 3, "text/html", |asked| {
        asked.respond(
            "200 OK",
            "Content-Type: text/html\r\n",
            b"<html>\r\n<title>\x1b[31mWelcome</title></html>",
        )
    }),
    (
        "speaks-tls",
        &[],
        3,
        "TLS came, no HTTP: is it https?",
        |asked| {
            asked.write(b"\x15\x03\x01\x00\x02\x02\x16")?;
            asked.hang_up()
        },
    ),
    ("garbage", &[], 3, "no HTTP response", |asked| {
        asked.write(b"\x00\xff\xfe not http \x1b[31m{]\n")?;
        asked.hang_up()
    }),
    ("http-0.9", &[], 3, "no HTTP response", |asked| {
        asked.write("<html>It works!</html>\n")?;
        asked.hang_up()
    }),
    // HTTP+SSE that never comes to an answer.
    ("endpoint-elsewhere", &[], 3, "elsewhere.invalid", |asked| {
        sse_opening(
            asked,
            "event: endpoint\ndata: http://elsewhere.invalid/messages\n\n",
        )
    }),
    ("endpoint-never-comes", BRISK, 3, "405", |asked| {
        sse_opening(asked, "")
    }),
    (
        "endpoint-never-comes-and-is-asked-for",
        BRISK_SSE,
        3,
        "endpoint",
        |asked| sse_opening(asked, ""),
    ),
    (
        "stream-ends-at-once",
        BRISK_SSE,
        3,
        "its event stream ended",
        |asked| match &*asked.method {
            "GET" => asked.begin_stream().and_then(|()| asked.hang_up()),
            _ => asked.empty("405 Method Not Allowed"),
        },
    ),
    (
        "answers-never-come",
        BRISK,
        3,
        "did not answer `initialize`",
        |asked| match &*asked.target {
            "/messages" => asked.empty("202 Accepted"),
            _ => sse_opening(asked, "event: endpoint\ndata: /messages\n\n"),
        },
    ),
    // Misbehaviour after the first valid answer.
    ("accepts-and-never-answers", BRISK, 3, "HTTP 202", |asked| {
        asked.empty("202 Accepted")
    }),
    ("accepts-after-initialize", &[], 1, "denied", |asked| {
        if asked.is_initialize() {
            asked.honest()
        } else {
            asked.empty("202 Accepted")
        }
    }),
    (
        "mute-after-initialize",
        &[],
        1,
        "did not answer `ping` after `initialize`",
        |asked| {
            if asked.is_initialize() {
                asked.honest()
            } else {
                asked.park()
            }
        },
    ),
    ("fails-after-initialize", &[], 1, "denied", |asked| {
        if asked.is_initialize() {
            asked.honest()
        } else {
            asked.empty("500 Internal Server Error")
        }
    }),
    ("resets-after-initialize", &[], 1, "denied", |asked| {
        if asked.is_initialize() {
            asked.honest()
        } else {
            asked.reset()
        }
    }),
    (
        "resets-every-second-connection",
        BRISK_HTTP,
        1,
        "denied",
        |asked| {
            if asked.connection.is_multiple_of(2) {
                asked.reset()
            } else {
                asked.honest()
            }
        },
    ),
    ("dies-after-five-requests", &[], 1, "denied", |asked| {
        if asked.number > 5 {
            asked.die()
        } else {
            asked.honest()
        }
    }),
    (
        "floods-its-own-stream",
        &[],
        1,
        "observer/logging/declared",
        |asked| {
            own_stream(asked, |asked| {
                asked.begin_stream()?;
                asked.forever(LOG.repeat(100))
            })
        },
    ),
    (
        "own-stream-without-a-head",
        &[],
        1,
        "http/get/stream-or-405",
        |asked| own_stream(asked, Asked::park),
    ),
    (
        "own-stream-of-comments",
        &[],
        0,
        "nothing denied",
        |asked| {
            own_stream(asked, |asked| {
                asked.begin_stream()?;
                asked.forever(": still here\n".repeat(1000))
            })
        },
    ),
    ("streams-never-end", &[], 0, "nothing denied", |asked| {
        streamed(asked, |asked| asked.park())
    }),
    (
        "asks-without-end",
        &[],
        1,
        "lifecycle/undeclared-client/not-asked",
        |asked| {
            streamed(asked, |asked| {
                for id in 0.. {
                    let method = if id % 2 == 0 { "roots/list" } else { "ping" };
                    asked.event(&json!({ "jsonrpc": "2.0", "id": format!("{id}-{}", "x".repeat(200)), "method": method }))?;
                }
                Ok(())
            })
        },
    ),
    (
        "answers-under-another-id",
        BRISK,
        1,
        "denied",
        |asked| match asked.answer() {
            Some(mut answer) => {
                answer["id"] = json!(999_999);
                asked.json("200 OK", &answer)
            }
            None => asked.honest(),
        },
    ),
    (
        "session-not-ascii",
        &[],
        1,
        "observer/http/session-id-visible",
        |asked| raw_session(asked, b"caf\xc3\xa9-\xe9"),
    ),
    (
        "session-with-control",
        &[],
        1,
        "observer/http/session-id-visible",
        |asked| raw_session(asked, b"a\x01b\x1b[31m"),
    ),
];

const LOG: &str = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}\n\n";

fn slow_head(asked: &mut Asked) -> io::Result<()> {
    asked.write("HTTP/1.1 200 OK\r\nX-Slow: ")?;
    asked.slowly_forever("a", Duration::from_millis(100))
}

fn endless_head(asked: &mut Asked) -> io::Result<()> {
    asked.write("HTTP/1.1 200 OK\r\n")?;
    asked.forever("X-More: the same again\r\n".repeat(100))
}

fn answers_300_mib(asked: &mut Asked) -> io::Result<()> {
    let long = 300 * 1024 * 1024;
    asked.write(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {long}\r\n\r\n"
    ))?;
    asked.write("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"x\":\"")?;
    (0..299).try_for_each(|_| asked.write(vec![b'a'; 1024 * 1024]))?;
    asked.hang_up()
}

/// An answer whose Content-Length is wrong by so much.
fn with_length(asked: &mut Asked, more: isize) -> io::Result<()> {
    let Some(answer) = asked.answer() else {
        return asked.honest();
    };
    let answer = answer.to_string();
    let length = answer.len().saturating_add_signed(more);
    asked.write(format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{answer}"))?;
    asked.hang_up()
}

/// A stream that begins so on GET, and 405 for the rest.
fn sse_opening(asked: &mut Asked, opening: &str) -> io::Result<()> {
    if asked.method != "GET" {
        return asked.empty("405 Method Not Allowed");
    }
    asked.begin_stream()?;
    asked.write(opening)?;
    asked.park()
}

fn own_stream(asked: &mut Asked, behave: Behaviour) -> io::Result<()> {
    if asked.method == "GET" {
        behave(asked)
    } else {
        asked.honest()
    }
}

/// Answers on an event stream, and goes on with it in this way.
fn streamed(asked: &mut Asked, go_on: Behaviour) -> io::Result<()> {
    match asked
        .answer()
        .filter(|answer| answer.get("result").is_some() && asked.is_lawful())
    {
        Some(answer) => {
            asked.begin_stream()?;
            asked.event(&answer)?;
            go_on(asked)
        }
        None => asked.honest(),
    }
}

fn raw_session(asked: &mut Asked, id: &[u8]) -> io::Result<()> {
    let answer = asked.answer().filter(|_| asked.is_initialize());
    let Some(answer) = answer.map(|answer| answer.to_string()) else {
        return asked.honest();
    };
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: ".to_vec();
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(
        format!("\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()).as_bytes(),
    );
    asked.write(bytes)
}

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = ROWS
        .iter()
        .map(|row| trial(row.0, || survives(row)))
        .collect();
    trials.extend([
        trial("port_that_nobody_listens_on", nobody_listens),
        trial("full_accept_queue", full_queue),
        trial("http_where_https_was_asked_for", plain_for_tls),
        trial("reference_server_over_streamable_http", || {
            reference("mcp", &[], &[], 0);
        }),
        trial("reference_server_over_http_sse", || {
            reference("sse", &["--binding", "http-sse"], &[], 0);
        }),
        trial("reference_server_that_forgets_to_delete", forgets_to_delete),
        trial(
            "server_that_is_started_and_never_listens",
            started_and_silent,
        ),
        trial("interrupt_in_the_middle_of_a_run", interrupted),
        trial("interrupt_before_the_first_answer", interrupted_before),
        trial("harness_killed_leaves_no_server", || {
            killed(Signal::SIGKILL)
        }),
        trial("harness_terminated_leaves_no_server", || {
            killed(Signal::SIGTERM)
        }),
    ]);
    let mut args = Arguments::from_args();
    // Most of a trial is waiting for a server that says nothing.
    args.test_threads.get_or_insert(6);
    libtest_mimic::run(&args, trials).exit_code()
}

fn trial(name: &str, body: impl FnOnce() + Send + 'static) -> Trial {
    Trial::test(name, move || {
        body();
        Ok(())
    })
}

/// An address and further arguments of `run`.
fn on(url: &str, args: &[&str]) -> Vec<OsString> {
    [url].iter().chain(args).map(OsString::from).collect()
}

/// Runs to the end, and prints the figures.
fn end(name: &str, assay: Assay) -> Ended {
    let ended = assay.end();
    eprintln!(
        "{name}: exit {:?}, {:.1} s, {} MiB, left {:?}",
        ended.code,
        ended.wall.as_secs_f64(),
        ended.peak_kib / 1024,
        ended.left
    );
    ended
}

fn survives(&(name, args, code, says, behave): &Row) {
    let server = Server::new(behave);
    let url = format!("http://{}/mcp", server.address());
    let ended = end(name, Assay::run(on(&url, args)));
    assert_holds(&ended, code);
    assert_says(&ended, says);
    assert_says(&ended, &server.address().to_string());
}

/// An address that was free a moment ago.
fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address")
}

fn nobody_listens() {
    let url = format!("http://{}/mcp", free());
    let ended = end("port-that-nobody-listens-on", Assay::run(on(&url, &[])));
    assert_holds(&ended, 3);
    assert_says(&ended, "connection refused");
    assert_says(&ended, &url);
}

fn full_queue() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("its address");
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_secs(1)) {
        queued.push(stream);
    }
    let ended = end(
        "full-accept-queue",
        Assay::run(on(&format!("http://{address}/mcp"), &[])),
    );
    assert_holds(&ended, 3);
    assert_says(&ended, "no answer within 10 s");
}

fn plain_for_tls() {
    let server = Server::new(|asked| {
        asked.respond("400 Bad Request", "Connection: close\r\n", b"no HTTP")?;
        asked.hang_up()
    });
    let url = format!("https://{}/mcp", server.address());
    let ended = end("http-where-https-was-asked-for", Assay::run(on(&url, &[])));
    assert_holds(&ended, 3);
    assert_says(&ended, "is it http?");
}

/// A run against our own server, which the harness starts with these further arguments.
fn started(address: SocketAddr, path: &str, args: &[&str], serve: &[&str]) -> Assay {
    let mut all = on(&format!("http://{address}/{path}"), args);
    all.extend(["--", env!("CARGO_BIN_EXE_mcp-assay"), "serve", "--http"].map(OsString::from));
    all.push(address.to_string().into());
    all.extend(serve.iter().map(OsString::from));
    Assay::run(all)
}

fn reference(path: &str, args: &[&str], serve: &[&str], code: i32) -> Ended {
    let name = format!("reference {path} {args:?} {serve:?}");
    let ended = end(&name, started(free(), path, args, serve));
    assert_holds(&ended, code);
    ended
}

fn forgets_to_delete() {
    let ended = reference(
        "mcp",
        &["--revision", "2025-11-25"],
        &["--fault", "session/deleted/gone#1"],
        1,
    );
    assert_says(&ended, "session/deleted/gone");
    let report = ended.report();
    let denied: Vec<&Value> = results(&report)
        .iter()
        .filter(|result| result["gate"] == "deny")
        .map(|result| &result["id"])
        .collect();
    assert_eq!(denied, ["session/deleted/gone"], "one lie, one failure");
}

fn results(report: &Value) -> &[Value] {
    report["results"].as_array().expect("results")
}

/// A server that is started, and never listens.
fn started_and_silent() {
    let url = format!("http://{}/mcp", free());
    let args = [BRISK, &["--", env!("CARGO_BIN_EXE_mcp-assay"), "serve"]].concat();
    let ended = end("started-and-never-listens", Assay::run(on(&url, &args)));
    assert_holds(&ended, 3);
}

/// How often a text stands in the record so far.
fn recorded(assay: &Assay, text: &str) -> usize {
    let record = fs::read_to_string(assay.folder().join("run.jsonl")).unwrap_or_default();
    record.matches(text).count()
}

fn interrupted() {
    let mut assay = started(free(), "mcp", &["--jobs", "1"], &[]);
    assay.until("some cases were settled", |assay| {
        recorded(assay, r#""verdict":"pass""#) > 5
    });
    assay.signal(Signal::SIGINT);
    let mark = assay.mark().to_owned();
    let ended = end("interrupted", assay);
    assert_holds(&ended, 130);
    support::assay::assert_gone(&mark);
    let report = ended.report();
    assert!(
        report["summary"]["pass"].as_u64() > Some(0),
        "what had been seen is reported"
    );
    let left = |result: &&Value| result["reason"] == "interrupted";
    assert!(
        results(&report).iter().filter(left).count() > 0,
        "what had not run says so"
    );
}

fn interrupted_before() {
    let server = Server::new(Asked::park);
    let mut assay = Assay::run(on(&format!("http://{}/mcp", server.address()), &[]));
    assay.until("it asked", |_| server.seen().1 > 0);
    assay.signal(Signal::SIGINT);
    let ended = end("interrupted-before-the-first-answer", assay);
    assert_holds(&ended, 130);
    assert_eq!(ended.report()["summary"]["pass"], 0);
}

fn killed(signal: Signal) {
    let mut assay = started(free(), "mcp", &["--jobs", "1"], &[]);
    assay.until("the server was asked", |assay| {
        recorded(assay, r#""verdict":"pass""#) > 0
    });
    let serves = |process: &String| process.contains(" serve --http ");
    assert!(assay.alive().iter().any(serves), "{:?}", assay.alive());
    assay.signal(signal);
    let mark = assay.mark().to_owned();
    assert_eq!(assay.wait_for_end(), None, "it ended by the signal");
    support::assay::assert_gone(&mark);
}
