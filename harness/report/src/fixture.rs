//! The one-of-everything fixture: runs that hold each outcome, verdict, gate and reason, and text that tries to break reports.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::event::{
    Coverage, EVENTS_FORMAT, Event, LevelCoverage, Noted, RevisionCoverage, RunFinished,
    RunStarted, TargetFacts, Tool, WaitingFor,
};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::{Channel, Direction};
use mcp_assay_model::requirement::{Citation, Level};
use mcp_assay_model::result::{CheckResult, HttpFacts, Stage, TranscriptEntry};
use mcp_assay_model::scenario::Basis;
use mcp_assay_model::verdict::{Gate, Reason, Verdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A line break, a verdict of its own, colour, a title, a cursor jump, hidden and turned text.
pub(crate) const FORGED: &str = "ok\r\nexit 0: nothing denied\u{1b}[32m\u{1b}]0;owned\u{7}\u{1b}[1A\u{202e}drawkcab\u{2066}\u{200b}\u{9b}2J\u{0} ]]> <b>&amp; \u{ffff} é漢🦀";

const TAIL: &str = "@2025-11-25+stdio";

/// Each of everything; the harness itself is wrong somewhere, so it exits with 70.
pub(crate) fn everything() -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started(target(), 34))];
    passes(&mut events);
    interleaved_failures(&mut events);
    warnings(&mut events);
    deaths(&mut events);
    hostile_text(&mut events);
    over_http(&mut events);
    undecided(&mut events);
    not_run(&mut events);
    events.push(Event::RunFinished(finished(
        70,
        &["1 result is an error of the harness", "9 results denied"],
    )));
    events
}

/// What a common server comes to: one failure, one warning, the rest passed or waiting.
pub(crate) fn typical() -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started(target(), 4))];
    passes(&mut events);
    interleaved_failures(&mut events);
    let slow = waiting(
        "cancellation/in-flight",
        "not-answered",
        Reason::Fixture("slow".to_owned()),
    );
    settle(&mut events, vec![slow]);
    events.push(Event::RunFinished(finished(1, &["2 results denied"])));
    events
}

/// All is well.
pub(crate) fn clean() -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started(target(), 1))];
    passes(&mut events);
    let end = RunFinished {
        waiting_for: Vec::new(),
        notes: Vec::new(),
        noted: Vec::new(),
        ..finished(0, &[])
    };
    events.push(Event::RunFinished(end));
    events
}

/// The target ends before it answers.
pub(crate) fn not_reached() -> Vec<Event> {
    let facts = TargetFacts {
        argv: ["node", "dist/index.js", "--port", "no such"]
            .map(str::to_owned)
            .to_vec(),
        ..TargetFacts::default()
    };
    let reason = format!(
        "the target exited with code 1 before it answered `initialize`\nstderr:\n\
         Error: Cannot find module '/srv/dist/index.js'\n{FORGED}\n    at node:internal/main/run_main_module:36:49"
    );
    let end = RunFinished {
        waiting_for: Vec::new(),
        coverage: Coverage::default(),
        notes: Vec::new(),
        noted: Vec::new(),
        waiting_ms: 61,
        duration_ms: 64,
        ..finished(3, &[&reason])
    };
    vec![
        Event::RunStarted(started(facts, 57)),
        Event::RunFinished(end),
    ]
}

/// Nobody listens at the address; `argv` is what should have started a server there.
pub(crate) fn not_reached_over_http(argv: &[&str]) -> Vec<Event> {
    let facts = TargetFacts {
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        url: Some("http://127.0.0.1:3000/mcp".to_owned()),
        ..TargetFacts::default()
    };
    let reason = "the target at http://127.0.0.1:3000/mcp was not reached: connection refused";
    let end = RunFinished {
        waiting_for: Vec::new(),
        coverage: Coverage::default(),
        notes: Vec::new(),
        noted: Vec::new(),
        waiting_ms: 0,
        duration_ms: 4,
        ..finished(3, &[reason])
    };
    vec![
        Event::RunStarted(started(facts, 57)),
        Event::RunFinished(end),
    ]
}

/// Ctrl-C in the middle: results so far, the rest not run.
pub(crate) fn interrupted() -> Vec<Event> {
    let mut events = vec![Event::RunStarted(started(target(), 34))];
    passes(&mut events);
    interleaved_failures(&mut events);
    let rest = waiting("tools/list", "shape", Reason::Interrupted);
    settle(&mut events, vec![rest]);
    events.push(Event::RunFinished(finished(
        130,
        &["interrupted after 3 of 34 cases"],
    )));
    events
}

/// Every result of a record, in order.
pub(crate) fn results(events: &[Event]) -> Vec<CheckResult> {
    let settled = events.iter().filter_map(|event| match event {
        Event::CaseFinished { results, .. } => Some(results.clone()),
        _ => None,
    });
    settled.flatten().collect()
}

fn passes(events: &mut Vec<Event>) {
    let id = "lifecycle/initialize";
    talk(events, id, "", 1, &handshake());
    settle(events, vec![passed(id, "version"), alive(id)]);
}

/// Two cases of one card, their events mixed as concurrency mixes them, and confirmed.
fn interleaved_failures(events: &mut Vec<Event>) {
    let card = "errors/unknown-method";
    let ask = |id: Value| {
        let mut entries = handshake();
        entries.push(sent(
            4,
            json!({"jsonrpc": "2.0", "id": id.clone(), "method": "no/such/method", "params": {}}),
        ));
        entries.push(received(
            5,
            json!({"jsonrpc": "2.0", "id": id, "result": {"content": []}}),
        ));
        entries.push(sent(
            6,
            json!({"jsonrpc": "2.0", "id": "fence-1", "method": "ping"}),
        ));
        entries.push(received(
            7,
            json!({"jsonrpc": "2.0", "id": "fence-1", "result": {}}),
        ));
        entries
    };
    let (mut zero, mut empty) = (Vec::new(), Vec::new());
    for attempt in [1, 2] {
        talk(&mut zero, card, "#id=0", attempt, &ask(json!(0)));
        talk(&mut empty, card, "#id=\"\"", attempt, &ask(json!("")));
    }
    let finding = Finding::new(FindingCode::ReplyKind, "a result, where an error is due")
        .expected("an error response: an object with an integer `code`")
        .actual(r#"{"content":[]}"#)
        .at(5, "/result");
    zero.push(Event::Finding {
        case: case(card, "#id=0"),
        attempt: 1,
        id: format!("{card}/is-error"),
        finding: finding.clone(),
    });
    for pair in 0..zero.len().max(empty.len()) {
        events.extend(zero.get(pair).cloned());
        events.extend(empty.get(pair).cloned());
    }
    for vary in ["#id=0", "#id=\"\""] {
        let mut result = failed(card, "is-error", Level::Must, Gate::Deny, finding.clone());
        result.title = "a request for an unknown method is answered with an error".to_owned();
        result.rule = "an unknown method gets an error, not a result".to_owned();
        let results = [result, alive(card)].map(|mut result| {
            result.case = case(card, vary);
            result.rerun = rerun(&result.case);
            result
        });
        settle(events, results.to_vec());
    }
}

fn warnings(events: &mut Vec<Event>) {
    let card = "tools/list-walk";
    let mut entries = handshake();
    for page in 0..30_u64 {
        let at = 4 + page * 2;
        entries.push(sent(at, json!({"jsonrpc": "2.0", "id": page + 1, "method": "tools/list", "params": {"cursor": format!("c{page}")}})));
        entries.push(received(at + 1, json!({"jsonrpc": "2.0", "id": page + 1, "result": {"tools": [{"name": "echo", "description": "x".repeat(900), "inputSchema": {"type": "object"}}], "nextCursor": ""}})));
    }
    talk(events, card, "", 1, &entries);
    let should = failed(
        card,
        "no-empty-cursor",
        Level::Should,
        Gate::Warn,
        Finding::new(
            FindingCode::Value,
            "an empty cursor is sent as if a page followed",
        )
        .expected("no `nextCursor`, or a string that is not empty")
        .actual("\"\"")
        .at(13, "/result/nextCursor"),
    );
    let mut contested = failed(
        card,
        "order-kept",
        Level::Must,
        Gate::Warn,
        Finding::new(
            FindingCode::Order,
            "pages come in another order on a second walk",
        )
        .at(25, "/result/tools/0"),
    );
    contested.contested = Some("list-order".to_owned());
    let mut baselined = failed(
        card,
        "no-duplicates",
        Level::Must,
        Gate::Allow,
        Finding::new(FindingCode::Duplicate, "`echo` is listed on two pages")
            .at(7, "/result/tools/0/name"),
    );
    baselined.baselined = true;
    let allowed = failed(
        card,
        "described",
        Level::May,
        Gate::Allow,
        Finding::new(FindingCode::Schema, "a tool has no title").at(5, "/result/tools/0"),
    );
    let mut preview = failed(
        card,
        "ends-soon",
        Level::Robustness,
        Gate::Warn,
        Finding::new(FindingCode::Endless, "30 pages, and no end").at(63, "/result/nextCursor"),
    );
    preview.stage = Stage::Preview;
    settle(
        events,
        vec![should, contested, baselined, allowed, preview, alive(card)],
    );
    let mut observed = failed(
        "observer/schema",
        "call-tool-result",
        Level::Must,
        Gate::Deny,
        Finding {
            count: 38,
            ..Finding::new(FindingCode::Schema, "`content` is no array")
                .expected("type: array")
                .actual("{}")
                .at(9, "/result/content")
        },
    );
    observed
        .findings
        .push(Finding::new(FindingCode::Schema, "`isError` is no boolean").actual("\"false\""));
    settle(events, vec![observed]);
}

fn deaths(events: &mut Vec<Event>) {
    let card = "errors/broken-frame";
    let mut entries = handshake();
    entries.push(bytes(4, Direction::Sent, Channel::Stdin, b"{\"jsonrpc\":"));
    entries.push(bytes(5, Direction::Received, Channel::Stderr,
        b"SyntaxError: Unexpected end of JSON input\n\x1b[31m    at JSON.parse (<anonymous>)\x1b[0m\n\xff\xfe"));
    talk(events, card, "", 1, &entries);
    let mut died = failed(
        card,
        "alive",
        Level::Robustness,
        Gate::Deny,
        Finding::new(FindingCode::Died, "the process exited with code 1").at(5, ""),
    );
    died.basis = Basis::Robustness;
    died.requirements.clear();
    died.title = "the target survives the conversation".to_owned();
    died.rule = "a target answers the last ping of every conversation".to_owned();
    let blocked = waiting(
        card,
        "parse-error",
        Reason::Blocked(format!("{card}/alive")),
    );
    settle(events, vec![died, blocked]);
    events.push(Event::TargetRestarted {
        case: case(card, ""),
        why: "the process exited with code 1".to_owned(),
    });
    let card = "tools/no-arguments";
    talk(events, card, "", 1, &handshake());
    let mut silent = failed(
        card,
        "answered",
        Level::Must,
        Gate::Deny,
        Finding::new(
            FindingCode::NoReply,
            "no reply to `tools/call`, though the ping after it was answered",
        ),
    );
    silent.confirmed = Some("1/1".to_owned());
    settle(events, vec![silent]);
}

/// A target that prints what it should not, and far too much of it.
fn hostile_text(events: &mut Vec<Event>) {
    let card = "stdio/clean-stdout";
    let mut entries = handshake();
    entries.push(bytes(
        4,
        Direction::Received,
        Channel::Stdout,
        FORGED.as_bytes(),
    ));
    entries.push(bytes(
        5,
        Direction::Received,
        Channel::Stdout,
        b"\x00\xff\xfe\x80 not UTF-8",
    ));
    entries.push(TranscriptEntry {
        truncated: true,
        unread: false,
        length: None,
        line_end: None,
        defects: Vec::new(),
        answers: None,
        part_of: None,
        ..bytes(
            6,
            Direction::Received,
            Channel::Stdout,
            "é漢x".repeat(2_730).as_bytes(),
        )
    });
    entries.push(received(7, json!({"jsonrpc": "2.0", "id": 9, "result": {"text": FORGED, "more": "long ".repeat(3_000)}})));
    talk(events, card, "", 1, &entries);
    let mut result = failed(
        card,
        "only-messages",
        Level::Must,
        Gate::Deny,
        Finding::new(
            FindingCode::Stdout,
            format!("stdout holds a line that is no message: {FORGED}"),
        )
        .expected("nothing but\nJSON-RPC messages,\na line each")
        .actual(FORGED.repeat(40))
        .at(4, ""),
    );
    result
        .findings
        .push(Finding::new(FindingCode::Framing, "a line is no UTF-8").at(5, ""));
    result.title = format!("stdout carries messages only {FORGED}");
    result.rule = format!("多言語 rule {FORGED}");
    result.requirements[0].url = format!("https://example.invalid/{FORGED}");
    result.rerun = format!("{} '{FORGED}'", result.rerun);
    settle(events, vec![result, alive(card)]);
}

/// Every part of an HTTP exchange, two streams at once, and headers that try to break reports.
fn over_http(events: &mut Vec<Event>) {
    let card = "http/unknown-session";
    let case = case(card, "").replace("+stdio", "+http");
    let entries = exchanges();
    events.push(Event::CaseStarted {
        case: case.clone(),
        attempt: 1,
    });
    events.extend(entries.into_iter().map(|entry| Event::Message {
        case: case.clone(),
        attempt: 1,
        entry,
    }));
    let status = failed(
        card,
        "refused",
        Level::Must,
        Gate::Deny,
        Finding::new(FindingCode::Status, "HTTP 200 came where HTTP 404 is due")
            .expected("HTTP 404")
            .actual("HTTP 200, Content-Type text/html; charset=utf-8; the body begins <p>hello</p>")
            .at(3, ""),
    );
    let stream = failed(
        card,
        "answered",
        Level::Must,
        Gate::Deny,
        Finding::new(
            FindingCode::NoReply,
            "`tools/call` got no answer: the event stream broke off after 1 event, without the response: connection reset",
        )
        .at(11, ""),
    );
    let results = [status, stream, alive(card)].map(|mut result| {
        result.case = case.clone();
        result.rerun = rerun(&case);
        result
    });
    settle(events, results.to_vec());
}

fn exchanges() -> Vec<TranscriptEntry> {
    let headers = |fields: &[(&str, &str)]| {
        let fields = fields.iter();
        let owned = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        owned.collect::<Vec<_>>()
    };
    let request = |exchange, method: &str, fields: &[(&str, &str)]| HttpFacts::Request {
        exchange,
        method: method.to_owned(),
        target: "/mcp".to_owned(),
        headers: headers(fields),
    };
    let response = |exchange, status, fields: &[(&str, &str)]| HttpFacts::Response {
        exchange,
        status,
        headers: headers(fields),
        socket: exchange,
    };
    let event = |exchange, id: Option<&str>, terminated| HttpFacts::Event {
        exchange,
        name: id.map(|_| "message".to_owned()),
        id: id.map(str::to_owned),
        retry: id.is_none().then_some(500),
        comments: u32::from(id.is_none()),
        terminated,
        data: id.is_some(),
    };
    let end = |exchange, how: &str, why: Option<&str>| HttpFacts::End {
        exchange,
        how: how.to_owned(),
        why: why.map(str::to_owned),
    };
    let stream = &[
        ("Content-Type", "text/event-stream"),
        ("Mcp-Session-Id", "s-1"),
    ];
    let call =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo"}});
    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": FORGED}});
    let part = |seq, dir, channel, http, message: Option<Value>| TranscriptEntry {
        http: Some(http),
        ..entry(seq, dir, channel, message)
    };
    let (to, from) = (Direction::Sent, Direction::Received);
    let asked = &[
        ("Host", "127.0.0.1:3000"),
        ("Mcp-Session-Id", "gone"),
        ("Authorization", "Bearer ***"),
    ];
    let odd = format!("</x>{FORGED}");
    let html = &[
        ("Content-Type", "text/html; charset=utf-8"),
        ("WWW-Authenticate", odd.as_str()),
    ];
    vec![
        part(
            1,
            to,
            Channel::Http,
            request(1, "GET", &[("Accept", "text/event-stream")]),
            None,
        ),
        part(
            2,
            to,
            Channel::Http,
            request(2, "POST", asked),
            Some(call.clone()),
        ),
        part(3, from, Channel::Http, response(2, 200, html), None),
        TranscriptEntry {
            raw_b64: Some(STANDARD.encode("<p>hello</p>\n")),
            ..part(
                4,
                from,
                Channel::Http,
                HttpFacts::Body { exchange: 2 },
                None,
            )
        },
        part(5, from, Channel::Http, response(1, 200, stream), None),
        part(6, to, Channel::Http, request(3, "POST", asked), Some(call)),
        part(7, from, Channel::Sse, event(1, None, true), None),
        part(8, from, Channel::Http, response(3, 200, stream), None),
        part(
            9,
            from,
            Channel::Sse,
            event(3, Some(FORGED), true),
            Some(log),
        ),
        TranscriptEntry {
            raw_b64: Some(STANDARD.encode("{\"jsonrpc\":")),
            ..part(10, from, Channel::Sse, event(3, Some("8"), false), None)
        },
        part(
            11,
            from,
            Channel::Sse,
            end(3, "cut", Some("connection reset")),
            None,
        ),
        part(12, from, Channel::Sse, end(1, "closed", None), None),
        part(13, to, Channel::Http, request(4, "DELETE", &[]), None),
        part(
            14,
            from,
            Channel::Http,
            end(4, "failed", Some("connection refused")),
            None,
        ),
    ]
}

fn undecided(events: &mut Vec<Event>) {
    let card = "progress/increases";
    talk(events, card, "", 1, &handshake());
    let mut unstable = waiting(card, "increases", Reason::Raced);
    unstable.outcome = mcp_assay_model::verdict::Outcome::Ran;
    unstable.reason = None;
    unstable.findings = vec![
        Finding::new(
            FindingCode::Unstable,
            "failed with `order` once, passed when run again alone",
        )
        .at(3, ""),
    ];
    unstable.confirmed = Some("1/2".to_owned());
    let mut strict = waiting(card, "stops", Reason::Unfenced);
    strict.gate = Some(Gate::Deny);
    let mut error = waiting(card, "token", Reason::Raced);
    error.outcome = mcp_assay_model::verdict::Outcome::Ran;
    error.reason = None;
    error.verdict = Some(Verdict::Error);
    error.findings = vec![Finding::new(
        FindingCode::Value,
        "the judge met a label `q` that the script never bound",
    )];
    let raced = waiting(card, "cancelled", Reason::Raced);
    settle(events, vec![unstable, strict, error, raced]);
    let slow = ["not-answered", "freed"].map(|name| {
        waiting(
            "cancellation/in-flight",
            name,
            Reason::Fixture("slow".to_owned()),
        )
    });
    settle(events, slow.to_vec());
    settle(
        events,
        vec![waiting("tools/call-twice", "same", Reason::Allow)],
    );
}

fn not_run(events: &mut Vec<Event>) {
    let reasons = [
        Reason::Revision,
        Reason::Binding,
        Reason::Session,
        Reason::Given,
        Reason::Capability("resources.subscribe".to_owned()),
        Reason::CallsForbidden,
        Reason::NothingToJudge,
        Reason::Interrupted,
        Reason::TargetGone,
        Reason::Dry,
        Reason::Unsupported("http".to_owned()),
    ];
    for (n, reason) in reasons.into_iter().enumerate() {
        settle(
            events,
            vec![waiting(&format!("area/card-{n}"), "check", reason)],
        );
    }
}

fn started(target: TargetFacts, cases: u64) -> RunStarted {
    RunStarted {
        format: EVENTS_FORMAT.to_owned(),
        tool: Tool {
            name: "mcp-assay".to_owned(),
            version: "0.1.0".to_owned(),
        },
        role: Role::Server,
        sides: Vec::new(),
        seed: 1,
        target,
        started: "2026-03-01T12:00:00Z".to_owned(),
        cases,
    }
}

fn target() -> TargetFacts {
    TargetFacts {
        argv: ["node", "dist/index.js", "a b"].map(str::to_owned).to_vec(),
        url: None,
        server_info: Some(json!({"name": format!("everything {FORGED}"), "version": "1.2.3"})),
        eras: vec![Era::Legacy],
        spoken: vec![Revision::R2025_06_18, Revision::R2025_11_25],
        tested: vec![Revision::R2025_11_25],
        bindings: vec![Binding::Stdio],
    }
}

fn finished(exit_code: u8, reasons: &[&str]) -> RunFinished {
    let level = |testable, covered, exercised| LevelCoverage {
        testable,
        covered,
        exercised: Some(exercised),
        lowercase: 7,
    };
    RunFinished {
        duration_ms: 3_217,
        waiting_ms: 9_120,
        exit_code,
        reasons: reasons.iter().map(|&reason| reason.to_owned()).collect(),
        waiting_for: vec![
            WaitingFor {
                fixture: "slow".to_owned(),
                results: 2,
                profile: "fixtures:\n  slow: { tool: NAME, arguments: {}, takes_ms: 2000 }"
                    .to_owned(),
            },
            WaitingFor {
                fixture: "allow".to_owned(),
                results: 1,
                profile: "safety:\n  allow_tools: [\"get_*\"]".to_owned(),
            },
        ],
        coverage: Coverage {
            revisions: vec![RevisionCoverage {
                revision: Revision::R2025_11_25,
                role: Role::Server,
                levels: BTreeMap::from([
                    ("MUST".to_owned(), level(212, 31, 24)),
                    ("SHOULD".to_owned(), level(98, 9, 5)),
                ]),
            }],
        },
        notes: vec![
            "this server handles one request at a time, so deadlines were widened".to_owned(),
        ],
        noted: vec![
            Noted {
                role: Role::Server,
                revisions: vec![Revision::R2025_11_25],
                method: "tools/list".to_owned(),
                path: "/result/nextcursor".to_owned(),
                message: "member `nextcursor` is unknown; there is `nextCursor`".to_owned(),
                count: 12,
                actual: "\"p\u{1b}[31m2\"".to_owned(),
                case: case("tools/listed", ""),
                at: "#14 /result/nextcursor".to_owned(),
            },
            Noted {
                role: Role::Server,
                revisions: vec![Revision::R2025_11_25, Revision::R2026_07_28],
                method: String::new(),
                path: "/error/data".to_owned(),
                message: "something else is worth a word".to_owned(),
                count: 1,
                actual: String::new(),
                case: case("errors/unknown-method", ""),
                at: "#3 /error/data".to_owned(),
            },
        ],
    }
}

fn case(card: &str, vary: &str) -> String {
    format!("{card}{TAIL}{vary}")
}

fn rerun(case: &str) -> String {
    format!("mcp-assay run --only '{case}' --seed 1 -- node dist/index.js 'a b'")
}

fn passed(card: &str, check: &str) -> CheckResult {
    let case = case(card, "");
    CheckResult {
        id: format!("{card}/{check}"),
        title: format!("{check} of {card} is kept"),
        rule: format!("what {card} says of {check} holds"),
        basis: Basis::Spec,
        level: Some(Level::Must),
        stage: Stage::Stable,
        requirements: vec![Citation {
            id: "2025-11-25/basic#responses.2".to_owned(),
            url: "https://modelcontextprotocol.io/specification/2025-11-25/basic#responses"
                .to_owned(),
        }],
        outcome: mcp_assay_model::verdict::Outcome::Ran,
        verdict: Some(Verdict::Pass),
        reason: None,
        gate: None,
        contested: None,
        baselined: false,
        judged: 1,
        confirmed: None,
        duration_ms: 12,
        findings: Vec::new(),
        transcript: Vec::new(),
        rerun: rerun(&case),
        case,
    }
}

fn alive(card: &str) -> CheckResult {
    CheckResult {
        basis: Basis::Robustness,
        level: Some(Level::Robustness),
        requirements: Vec::new(),
        ..passed(card, "alive")
    }
}

fn failed(card: &str, check: &str, level: Level, gate: Gate, finding: Finding) -> CheckResult {
    CheckResult {
        level: Some(level),
        verdict: Some(Verdict::Fail),
        gate: Some(gate),
        confirmed: Some("2/2".to_owned()),
        findings: vec![finding],
        ..passed(card, check)
    }
}

fn waiting(card: &str, check: &str, reason: Reason) -> CheckResult {
    use mcp_assay_model::verdict::Outcome;
    let outcome = reason.outcome();
    CheckResult {
        outcome,
        verdict: (outcome == Outcome::Waiting).then_some(Verdict::Inconclusive),
        reason: Some(reason),
        judged: 0,
        ..passed(card, check)
    }
}

fn talk(
    events: &mut Vec<Event>,
    card: &str,
    vary: &str,
    attempt: u32,
    entries: &[TranscriptEntry],
) {
    let case = case(card, vary);
    events.push(Event::CaseStarted {
        case: case.clone(),
        attempt,
    });
    events.extend(entries.iter().map(|entry| Event::Message {
        case: case.clone(),
        attempt,
        entry: entry.clone(),
    }));
}

fn settle(events: &mut Vec<Event>, results: Vec<CheckResult>) {
    let case = results[0].case.clone();
    events.push(Event::CaseFinished { case, results });
}

fn handshake() -> Vec<TranscriptEntry> {
    vec![
        sent(
            1,
            json!({"jsonrpc": "2.0", "id": "init-1", "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "mcp-assay", "version": "0.1.0"}}}),
        ),
        received(
            2,
            json!({"jsonrpc": "2.0", "id": "init-1", "result": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "everything", "version": "1.2.3"}}}),
        ),
        sent(
            3,
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        ),
    ]
}

fn sent(seq: u64, message: Value) -> TranscriptEntry {
    entry(seq, Direction::Sent, Channel::Stdin, Some(message))
}

fn received(seq: u64, message: Value) -> TranscriptEntry {
    entry(seq, Direction::Received, Channel::Stdout, Some(message))
}

fn bytes(seq: u64, dir: Direction, channel: Channel, raw: &[u8]) -> TranscriptEntry {
    TranscriptEntry {
        raw_b64: Some(STANDARD.encode(raw)),
        ..entry(seq, dir, channel, None)
    }
}

fn entry(seq: u64, dir: Direction, channel: Channel, message: Option<Value>) -> TranscriptEntry {
    TranscriptEntry {
        seq,
        at_us: 41_000 + seq * 1_730,
        dir,
        connection: "c".to_owned(),
        channel,
        http: None,
        message,
        raw: None,
        raw_b64: None,
        truncated: false,
        unread: false,
        length: None,
        line_end: None,
        defects: Vec::new(),
        answers: None,
        part_of: None,
    }
}
