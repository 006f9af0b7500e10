//! The compatibility matrix: every kind of server that a client of both eras may meet, and what we make of it.

use crate::run::probe::Choice;
use crate::run::settings::Settings;
use crate::run::survey::{survey, unspoken};
use crate::target::{Script, Target};
use crate::testing::http::{Asked, Say, Site, bare_answer, json_answer};
use crate::testing::{Wire, ordinary, pipes, refusal, result, scripted, settings, stage};
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// What a server does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Does {
    /// Serves it as a server of its era.
    Serves,
    /// Says nothing, and goes on.
    Ignores,
    /// Says nothing ever after.
    Wedges,
    /// Ends.
    Exits,
    /// An error with this code and data.
    Refuses(i64, &'static str),
    /// A result that means nothing.
    Nonsense,
    /// Serves it after this many milliseconds.
    Slowly(u64),
    /// Over HTTP a status with this body and type.
    Status(u16, &'static str, &'static str),
}

use Does::{Exits, Ignores, Nonsense, Refuses, Serves, Slowly, Status, Wedges};

/// One row: what it does with `server/discover` and with `initialize`; what is tested with `auto` and with `all`; what is said.
struct Row {
    server: &'static str,
    discover: Does,
    initialize: Does,
    auto: &'static [Revision],
    all: &'static [Revision],
    /// Words in the sentences on what is not spoken, with `all`.
    said: &'static [&'static str],
}

const LEGACY: &[Revision] = &[
    Revision::R2024_11_05,
    Revision::R2025_03_26,
    Revision::R2025_06_18,
    Revision::R2025_11_25,
];
const ONE: &[Revision] = &[Revision::R2025_11_25];
const MODERN: &[Revision] = &[Revision::R2026_07_28];
const BOTH: &[Revision] = &Revision::ALL;
const NONE: &[Revision] = &[];

const MODERN_ERROR: Does = Refuses(-32601, r#"{"supported":["2026-07-28"]}"#);
const MUTE_ERROR: Does = Refuses(-32601, "null");
const ELSEWHERE: Does = Refuses(
    -32022,
    r#"{"supported":["2027-01-01"],"requested":"2026-07-28"}"#,
);
const NAMED: Does = Refuses(
    -32022,
    r#"{"supported":["2025-11-25"],"requested":"2026-07-28"}"#,
);

const fn row(
    server: &'static str,
    (discover, initialize): (Does, Does),
    (auto, all): (&'static [Revision], &'static [Revision]),
    said: &'static [&'static str],
) -> Row {
    Row {
        server,
        discover,
        initialize,
        auto,
        all,
        said,
    }
}

/// On any binding.
const ROWS: &[Row] = &[
    row("dual", (Serves, Serves), (MODERN, BOTH), &[]),
    row(
        "dual, slow to be discovered",
        (Slowly(700), Serves),
        (MODERN, BOTH),
        &[],
    ),
    row(
        "modern, names its versions",
        (Serves, MODERN_ERROR),
        (MODERN, MODERN),
        &["2025-11-25", "supported"],
    ),
    row(
        "modern, names none",
        (Serves, MUTE_ERROR),
        (MODERN, MODERN),
        &["refused `initialize`"],
    ),
    row(
        "modern, silent on initialize",
        (Serves, Ignores),
        (MODERN, MODERN),
        &["`initialize` within 5"],
    ),
    row(
        "modern, other versions",
        (ELSEWHERE, MUTE_ERROR),
        (NONE, NONE),
        &["names 2027-01-01", "refused `initialize`"],
    ),
    row(
        "modern, wants a header",
        (Refuses(-32020, "null"), MUTE_ERROR),
        (MODERN, MODERN),
        &["refused `initialize`"],
    ),
    row(
        "modern, wants a capability",
        (Refuses(-32021, "null"), MUTE_ERROR),
        (MODERN, MODERN),
        &[],
    ),
    row(
        "legacy that knows -32022",
        (NAMED, Serves),
        (ONE, LEGACY),
        &["names 2025-11-25"],
    ),
    row(
        "legacy, -32601",
        (Refuses(-32601, "null"), Serves),
        (ONE, LEGACY),
        &["2026-07-28", "-32601"],
    ),
    row(
        "legacy, -32602",
        (Refuses(-32602, "null"), Serves),
        (ONE, LEGACY),
        &["-32602"],
    ),
    row(
        "legacy, an invented code",
        (Refuses(-1, "null"), Serves),
        (ONE, LEGACY),
        &["-1"],
    ),
    row(
        "legacy, -32002 not initialized",
        (Refuses(-32002, "null"), Serves),
        (ONE, LEGACY),
        &["-32002"],
    ),
    row(
        "legacy, answers anything",
        (Nonsense, Serves),
        (ONE, LEGACY),
        &["is no discovery"],
    ),
    row(
        "legacy, silent",
        (Ignores, Serves),
        (ONE, LEGACY),
        &["`server/discover` within "],
    ),
    row(
        "legacy, wedged by it",
        (Wedges, Serves),
        (ONE, LEGACY),
        &["`server/discover` within "],
    ),
];

/// On lines alone: the process is the connection.
const LINES: &[Row] = &[
    row(
        "legacy, ended by it",
        (Exits, Serves),
        (ONE, LEGACY),
        &["without an answer to `server/discover`"],
    ),
    row(
        "modern, ended by initialize",
        (Serves, Exits),
        (MODERN, MODERN),
        &["without an answer to `initialize`"],
    ),
];

/// Over HTTP alone: what a status and a body say.
const HTTP: &[Row] = &[
    row(
        "legacy, 400 without body",
        (Status(400, "", ""), Serves),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "legacy, 400 with text",
        (
            Status(
                400,
                "text/plain",
                "Bad Request: unsupported protocol version",
            ),
            Serves,
        ),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "legacy, 400 with a JSON error",
        (
            Status(
                400,
                "application/json",
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request"}}"#,
            ),
            Serves,
        ),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "legacy, 404",
        (Status(404, "", ""), Serves),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "legacy, 405",
        (Status(405, "", ""), Serves),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "legacy, 500",
        (Status(500, "text/html", "<h1>oops</h1>"), Serves),
        (ONE, LEGACY),
        &["2026-07-28"],
    ),
    row(
        "modern, 400 with a modern error",
        (
            Serves,
            Status(
                400,
                "application/json",
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"no header"}}"#,
            ),
        ),
        (MODERN, MODERN),
        &["-32020"],
    ),
    row(
        "modern, 400 without body",
        (Serves, Status(400, "", "")),
        (MODERN, MODERN),
        &["`initialize`"],
    ),
];

fn discovery(message: &Value) -> String {
    let told = json!({
        "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {}, "ttlMs": 0, "cacheScope": "public",
    });
    result(message, &told)
}

/// The answer of a server that serves its era, and what it does with the request.
fn answer(row: (Does, Does), message: &Value) -> (Does, Vec<String>) {
    match message["method"].as_str() {
        Some("server/discover") => (row.0, vec![discovery(message)]),
        Some("initialize") => (row.1, ordinary(message)),
        _ => (Serves, ordinary(message)),
    }
}

fn refused(message: &Value, code: i64, data: &str) -> String {
    refusal(message, code).replace(r#""message""#, &format!(r#""data":{data},"message""#))
}

fn lines(row: (Does, Does)) -> Target {
    scripted(move |wire| serve(wire, row))
}

async fn serve(mut wire: Wire, row: (Does, Does)) -> i32 {
    while let Some(message) = wire.hear().await {
        let (does, lines) = answer(row, &message);
        match does {
            Serves => {
                for line in lines {
                    wire.say(line).await;
                }
            }
            Slowly(ms) => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                for line in lines {
                    wire.say(line).await;
                }
            }
            Ignores => {}
            Wedges => return wire.mute().await,
            Exits => return 1,
            Refuses(code, data) => wire.say(refused(&message, code, data)).await,
            Nonsense => wire.say(result(&message, &json!({}))).await,
            Status(..) => unreachable!("lines have no status"),
        }
    }
    0
}

fn site(row: (Does, Does)) -> Site {
    Site::new(move |asked: &Asked| {
        if asked.verb() != "POST" {
            return bare_answer(405);
        }
        let message = asked.message();
        let (does, lines) = answer(row, &message);
        let status = match does {
            Refuses(-32601, _) => 404,
            Refuses(..) => 400,
            _ => 200,
        };
        let served = match lines.first() {
            Some(line) => json_answer(200, line),
            None => bare_answer(202),
        };
        match does {
            Serves => served,
            Slowly(ms) => served.after(ms),
            Ignores | Wedges => Say::nothing(),
            Exits => Say::hang_up(),
            Refuses(code, data) => json_answer(status, &refused(&message, code, data)),
            Nonsense => json_answer(200, &result(&message, &json!({}))),
            Status(status, "", _) => bare_answer(status),
            Status(status, kind, body) => Say::Whole(format!(
                "HTTP/1.1 {status} So\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )),
        }
    })
}

/// What is tested, what is said, and how long it took on the clock of the test.
async fn surveyed(target: Target, choice: Choice) -> (Vec<Revision>, String, Duration) {
    let mut stage = stage(target);
    let settings = Settings {
        choice,
        ..settings(Vec::new())
    };
    let began = Instant::now();
    let surveyed = survey(&mut stage, &settings).await;
    let took = began.elapsed();
    let said = unspoken(&surveyed.probes, &surveyed.tested, choice).join("\n");
    (surveyed.tested, said, took)
}

async fn check(row: &Row, target: impl Fn() -> Target, binding: &str, table: &mut String) {
    let (auto, _, took) = surveyed(target(), Choice::Auto).await;
    assert_eq!(auto, row.auto, "{} over {binding} with auto", row.server);
    let (all, said, _) = surveyed(target(), Choice::All).await;
    assert_eq!(
        all, row.all,
        "{} over {binding} with all: {said}",
        row.server
    );
    for word in row.said {
        assert!(said.contains(word), "{} over {binding}: {said}", row.server);
    }
    let denied = |revision: &Revision| said.contains(&format!("speak {revision}"));
    assert!(!all.iter().any(denied), "{said}");
    // Only who waits for a target that does not answer waits long.
    let bound = match (row.discover, row.initialize) {
        (Wedges | Ignores, _) | (_, Wedges | Ignores) => 8,
        (Slowly(_), _) => 4,
        _ => 2,
    };
    let bound = Duration::from_secs(bound);
    assert!(took < bound, "{} over {binding} took {took:?}", row.server);
    let dates = |revisions: &[Revision]| {
        let dates: Vec<String> = revisions.iter().map(Revision::to_string).collect();
        if dates.is_empty() {
            "nothing".to_owned()
        } else {
            dates.join(" ")
        }
    };
    let _ = writeln!(
        table,
        "{:32} {binding:5} | auto: {:10} | all: {:54} | {:>5} ms | {}",
        row.server,
        dates(&auto),
        dates(&all),
        took.as_millis(),
        said.replace('\n', " / "),
    );
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_server_is_found_in_its_era() {
    let mut table = String::new();
    for row in ROWS.iter().chain(LINES) {
        let kind = (row.discover, row.initialize);
        check(row, || lines(kind), "lines", &mut table).await;
    }
    for row in ROWS.iter().chain(HTTP) {
        let kind = (row.discover, row.initialize);
        check(row, || site(kind).target(), "http", &mut table).await;
    }
    eprintln!("{table}");
}

#[tokio::test(start_paused = true)]
async fn a_date_is_asked_for_alone() {
    let legacy = (Wedges, Serves);
    let (tested, said, _) = surveyed(lines(legacy), Choice::Exact(Revision::R2025_06_18)).await;
    assert_eq!((tested, said), (vec![Revision::R2025_06_18], String::new()));
    let modern = (Serves, Wedges);
    let (tested, said, _) = surveyed(lines(modern), Choice::Exact(Revision::R2026_07_28)).await;
    assert_eq!((tested, said), (vec![Revision::R2026_07_28], String::new()));
    let (tested, said, _) = surveyed(lines(modern), Choice::Exact(Revision::R2025_06_18)).await;
    assert!(tested.is_empty() && said.contains("2025-06-18"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_cannot_run_twice_at_once_is_asked_again() {
    let running = Arc::new(AtomicUsize::new(0));
    let target = Target::Scripted(Script::new(move || {
        let running = Arc::clone(&running);
        let is_second = running.fetch_add(1, Ordering::SeqCst) > 0;
        Ok(pipes(move |wire| async move {
            let code = if is_second {
                1
            } else {
                serve(wire, (Serves, Serves)).await
            };
            running.fetch_sub(1, Ordering::SeqCst);
            code
        }))
    }));
    let (tested, said, _) = surveyed(target, Choice::Auto).await;
    assert_eq!(tested, MODERN, "{said}");
}
