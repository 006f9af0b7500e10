//! Lies, one by one: each fires where its entry says, and shows.

use crate::support::{Peer, Rest, initialize, named};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget};
use mcp_assay_model::template::Template;
use mcp_assay_peer::{FAULTS, FaultRefused, NamedFault, Options, Over, Planted, Provocation};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What a client sees: lines with their time, and the end.
#[derive(Debug, PartialEq)]
struct Seen {
    lines: Vec<(u128, String)>,
    exit_code: Option<i32>,
}

/// Does what a provocation says.
async fn provoke(fault: Option<Planted>, steps: &[Provocation]) -> Seen {
    provoke_in(Vec::new(), fault, steps).await
}

/// The same of a server that offers these revisions.
async fn provoke_in(
    revisions: Vec<Revision>,
    fault: Option<Planted>,
    steps: &[Provocation],
) -> Seen {
    let mut peer = Peer::start(Options {
        fault,
        revisions,
        ..Options::default()
    });
    let start = tokio::time::Instant::now();
    let mut lines = Vec::new();
    let mut is_closed = false;
    for step in steps {
        let before = peer.read.len();
        let mut wait = 1;
        match step {
            Provocation::Open(capabilities) => {
                let capabilities = serde_json::from_str(capabilities).unwrap();
                handshake(&mut peer, "2025-11-25", capabilities).await;
            }
            Provocation::OpenIn(revision) => handshake(&mut peer, revision, json!({})).await,
            Provocation::Send(line) => {
                let line = line.replace("@STATE@", &state(&peer.read));
                peer.send(&line).await;
            }
            Provocation::WaitMs(ms) => wait = *ms,
            Provocation::Walk(pages) => walk(&mut peer, *pages).await,
            Provocation::Close => {
                peer.close_input();
                is_closed = true;
                wait = 5000;
            }
            Provocation::Http(_)
            | Provocation::Listen
            | Provocation::Resume
            | Provocation::AnotherClient
            | Provocation::Raw(_) => panic!("{step:?} is of HTTP"),
        }
        peer.listen(wait).await;
        let at = start.elapsed().as_millis();
        lines.extend(peer.read[before..].iter().map(|line| (at, line.clone())));
    }
    if !is_closed {
        peer.listen(1000).await;
    }
    let exit_code = if peer.is_ended() {
        let Rest { ended, .. } = peer.rest().await;
        Some(ended.exit_code)
    } else {
        None
    };
    Seen { lines, exit_code }
}

/// The `requestState` that was given last.
fn state(lines: &[String]) -> String {
    let mut lines = lines.iter().rev();
    let state = lines.find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(message["result"]["requestState"].as_str()?.to_owned())
    });
    state.unwrap_or_default()
}

/// What a server offers for a fault to show.
fn revisions(fault: &NamedFault) -> Vec<Revision> {
    match fault.name {
        "dual-era" => vec![Revision::R2026_07_28],
        _ => Vec::new(),
    }
}

fn on_lines() -> impl Iterator<Item = &'static NamedFault> {
    FAULTS.iter().filter(|fault| fault.over != Over::Http)
}

/// A server that is slow to start is waited for, one that is dead is not for ever.
async fn handshake(peer: &mut Peer, revision: &str, capabilities: Value) {
    peer.send(&initialize(revision, &capabilities)).await;
    for _ in 0..50 {
        if !peer.listen(100).await.is_empty() {
            break;
        }
    }
    peer.notify("notifications/initialized", json!({})).await;
}

async fn walk(peer: &mut Peer, pages: usize) {
    let mut params = json!({});
    for _ in 0..pages {
        let page = peer.call("tools/list", params).await;
        let Some(cursor) = page.pointer("/result/nextCursor") else {
            return;
        };
        params = json!({ "cursor": cursor });
    }
}

#[tokio::test(start_paused = true)]
async fn every_named_fault_fires_where_it_says_and_shows() {
    let mut wrong = Vec::new();
    for fault in on_lines() {
        let planted = Planted::named(fault.name).unwrap();
        let steps = fault.provoked_by.iter();
        let steps = steps.filter(|step| !matches!(step, Provocation::Http(_)));
        let steps: Vec<_> = steps.copied().collect();
        let lie = provoke_in(revisions(fault), Some(planted.clone()), &steps).await;
        let fired = planted.fired();
        let truth = provoke_in(revisions(fault), None, &steps).await;
        if fired == 0 {
            wrong.push(format!("{} does not fire", fault.name));
        }
        if lie == truth {
            wrong.push(format!("{} does not show", fault.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_named_fault_fires_in_a_bare_handshake_only_where_that_is_its_provocation() {
    let mut wrong = Vec::new();
    for fault in on_lines() {
        if fault
            .provoked_by
            .iter()
            .all(|step| matches!(step, Provocation::Open(_)))
            // It shows in the time that a long answer takes, and is at work in short ones.
            || fault.name == "writes-piecemeal"
        {
            continue;
        }
        let planted = Planted::named(fault.name).unwrap();
        let steps = [Provocation::Open("{}")];
        let lie = provoke(Some(planted.clone()), &steps).await;
        let fired = planted.fired();
        if fired != 0 {
            wrong.push(format!("{} fires", fault.name));
        }
        if lie != provoke(None, &steps).await {
            wrong.push(format!("{} shows", fault.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_list_is_sorted_and_says_what_each_does() {
    assert!(FAULTS.is_sorted_by(|a, b| a.name < b.name));
    for fault in FAULTS {
        let is_kebab =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(fault.name.bytes().all(is_kebab), "{}", fault.name);
        assert!(!fault.about.is_empty() && !fault.about.ends_with('.'));
        assert!(!fault.provoked_by.is_empty());
    }
    assert!(named("crlf").is_lawful);
}

#[test]
fn a_fault_that_can_strike_nothing_is_refused() {
    let at = |target| FaultAt {
        target,
        nth: 1,
        revisions: None,
    };
    let reply = || at(FaultTarget::ReplyTo("ping".to_owned()));
    for (at, fault, refused) in [
        (
            Some(reply()),
            Fault::Status(404),
            FaultRefused::NotOnThisBinding("status"),
        ),
        (
            Some(reply()),
            Fault::Header("a".to_owned(), None),
            FaultRefused::NotOnThisBinding("header"),
        ),
        (
            Some(reply()),
            Fault::Body(String::new()),
            FaultRefused::NotOnThisBinding("body"),
        ),
        (
            Some(at(FaultTarget::Http("POST".to_owned()))),
            Fault::Drop,
            FaultRefused::NotOnThisBinding("http"),
        ),
        (None, Fault::Drop, FaultRefused::NoTarget),
        (
            None,
            Fault::Named("json-only".to_owned()),
            FaultRefused::NotOnThisBinding("json-only"),
        ),
        (
            None,
            Fault::Named("ignores-cancels".to_owned()),
            FaultRefused::UnknownName {
                name: "ignores-cancels".to_owned(),
                nearest: "ignores-cancel",
            },
        ),
    ] {
        assert_eq!(Planted::new(at, fault).unwrap_err(), refused);
    }
}

fn at(target: FaultTarget, nth: u32) -> Option<FaultAt> {
    Some(FaultAt {
        target,
        nth,
        revisions: None,
    })
}

fn reply_to(method: &str) -> FaultTarget {
    FaultTarget::ReplyTo(method.to_owned())
}

/// The lines that two pings get, with this fault on the first.
async fn two_pings(fault: Fault) -> (Vec<String>, u64) {
    let planted = Planted::new(at(reply_to("ping"), 1), fault).unwrap();
    let mut peer = Peer::lying(planted.clone()).await;
    peer.request(json!(1), "ping", json!({})).await;
    peer.request(json!(2), "ping", json!({})).await;
    let lines = peer.listen(100).await;
    let rest = peer.close().await;
    assert_eq!(rest.ended.fired, planted.fired());
    (
        lines.into_iter().chain(rest.lines).collect(),
        planted.fired(),
    )
}

fn pong(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

#[tokio::test(start_paused = true)]
async fn wire_faults_strike_the_nth_message_of_their_kind() {
    let literal = |text: &str| Template::Literal(text.to_owned());
    let set = |at: &str, to| Fault::Set {
        at: at.to_owned(),
        to,
    };
    let pieces = [(String::from("result"), Template::Empty)];
    for (fault, expected) in [
        (
            set("/id", Template::Raw("1.0".to_owned())),
            vec![pong("1.0"), pong("2")],
        ),
        (
            set("/result/x/y", literal("1e0")),
            vec![
                r#"{"jsonrpc":"2.0","id":1,"result":{"x":{"y":1e0}}}"#.to_owned(),
                pong("2"),
            ],
        ),
        (
            Fault::Remove {
                at: "/jsonrpc".to_owned(),
            },
            vec![r#"{"id":1,"result":{}}"#.to_owned(), pong("2")],
        ),
        (Fault::Replace(pieces.into()), vec![pong("1"), pong("2")]),
        (
            Fault::Replace(vec![(
                "error".to_owned(),
                Template::Object(vec![("code".to_owned(), literal("-1.0"))]),
            )]),
            vec![
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1.0}}"#.to_owned(),
                pong("2"),
            ],
        ),
        (Fault::Drop, vec![pong("2")]),
        (
            Fault::Duplicate(2),
            vec![pong("1"), pong("1"), pong("1"), pong("2")],
        ),
        (Fault::DelayMs(500), vec![pong("2"), pong("1")]),
        (Fault::Reorder, vec![pong("2"), pong("1")]),
        (
            Fault::Raw(b"a\nb".to_vec()),
            vec!["a".to_owned(), format!("b{}", pong("2"))],
        ),
        (Fault::Split(9), vec![pong("1"), pong("2")]),
        (Fault::Split(9000), vec![pong("1"), pong("2")]),
    ] {
        let (lines, fired) = two_pings(fault.clone()).await;
        assert_eq!(lines, expected, "{fault:?}");
        assert_eq!(fired, 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_finds_nothing_to_change_does_not_fire() {
    let nothing = "/result/none".to_owned();
    let (lines, fired) = two_pings(Fault::Remove { at: nothing }).await;
    assert_eq!(lines, [pong("1"), pong("2")]);
    assert_eq!(fired, 0);
}

#[tokio::test(start_paused = true)]
async fn a_split_message_arrives_in_two_pieces() {
    let planted = Planted::new(at(reply_to("ping"), 1), Fault::Split(9)).unwrap();
    let (mut input, server_input) = tokio::io::duplex(1 << 16);
    let (server_output, mut output) = tokio::io::duplex(1 << 16);
    let options = Options {
        fault: Some(planted),
        ..Options::default()
    };
    tokio::spawn(mcp_assay_peer::serve(options, server_input, server_output));
    let ping = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    tokio::io::AsyncWriteExt::write_all(&mut input, ping)
        .await
        .unwrap();
    let mut buffer = [0; 100];
    let length = tokio::io::AsyncReadExt::read(&mut output, &mut buffer)
        .await
        .unwrap();
    assert_eq!(length, 9);
}

#[tokio::test(start_paused = true)]
async fn a_fault_strikes_the_nth_and_in_its_revisions_alone() {
    for (nth, limits, dropped) in [
        (2, None, Some(2)),
        (
            1,
            Some((Revision::R2025_11_25, Revision::R2026_07_28)),
            Some(1),
        ),
        (
            1,
            Some((Revision::R2024_11_05, Revision::R2025_06_18)),
            None,
        ),
    ] {
        let at = FaultAt {
            target: reply_to("*"),
            // The answer to initialize is the first.
            nth: nth + 1,
            revisions: limits,
        };
        let mut peer = Peer::lying(Planted::new(Some(at), Fault::Drop).unwrap()).await;
        for id in 1..=3 {
            peer.request(json!(id), "ping", json!({})).await;
        }
        let lines = peer.listen(100).await;
        let expected = (1..=3).filter(|id| Some(*id) != dropped);
        let expected: Vec<_> = expected
            .into_iter()
            .map(|id| pong(&id.to_string()))
            .collect();
        assert_eq!(lines, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_notifications_and_answers_to_nothing_can_be_struck() {
    let notification = |method: &str| FaultTarget::Notification(method.to_owned());
    for (target, provoke, is_said) in [
        (
            FaultTarget::Request("roots/list".to_owned()),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            "roots/list",
        ),
        (
            notification("notifications/message"),
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#,
            "started",
        ),
        (reply_to("!"), "no json", "-32700"),
    ] {
        for is_lying in [false, true] {
            let mut peer = Peer::start(Options {
                fault: is_lying.then(|| Planted::new(at(target.clone(), 1), Fault::Drop).unwrap()),
                ..Options::default()
            });
            peer.ask(&initialize("2025-11-25", &json!({ "roots": {} })))
                .await;
            peer.send(provoke).await;
            let lines = peer.listen(1000).await;
            let said = lines.iter().any(|line| line.contains(is_said));
            assert_eq!(said, !is_lying, "{target:?} {lines:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn items_of_a_batch_are_struck_one_by_one() {
    let batch =
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;
    for (fault, expected) in [
        (Fault::Drop, vec![format!("[{}]", pong("2"))]),
        (
            Fault::Duplicate(1),
            vec![format!("[{0},{0},{1}]", pong("1"), pong("2"))],
        ),
        (
            Fault::DelayMs(50),
            vec![format!("[{}]", pong("2")), pong("1")],
        ),
    ] {
        let mut peer = Peer::start(Options {
            fault: Some(Planted::new(at(reply_to("ping"), 1), fault).unwrap()),
            ..Options::default()
        });
        peer.handshake(Revision::R2025_03_26, json!({})).await;
        peer.send(batch).await;
        assert_eq!(peer.listen(1000).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn references_in_a_value_are_filled_in_or_reported() {
    let fault = Fault::Set {
        at: "/result/code".to_owned(),
        to: Template::Fact("code.resource-not-found".to_owned()),
    };
    let resolve: mcp_assay_peer::Resolve = Arc::new(|template, revision| match template {
        Template::Fact(path) if path == "code.resource-not-found" => {
            (revision < Revision::R2026_07_28).then(|| "-32002".to_owned())
        }
        _ => None,
    });
    for (resolve, code, fired) in [(Some(resolve), json!(-32002), 1), (None, Value::Null, 0)] {
        let planted = Planted::new(at(reply_to("ping"), 1), fault.clone()).unwrap();
        let mut peer = Peer::start(Options {
            fault: Some(planted.clone()),
            resolve,
            ..Options::default()
        });
        let answer = peer.call("ping", json!({})).await;
        assert_eq!(
            answer["result"].get("code").cloned().unwrap_or_default(),
            code
        );
        let rest = peer.close().await;
        assert_eq!(planted.fired(), fired);
        assert_eq!(rest.ended.refused.is_some(), fired == 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_named_fault_can_be_aimed_at_one_request() {
    let fault = Fault::Named("ignores-cancel".to_owned());
    let planted = Planted::new(at(reply_to("tools/call"), 2), fault).unwrap();
    let mut peer = Peer::lying(planted.clone()).await;
    for id in 1..=3 {
        let params = json!({ "name": "slow", "arguments": { "ms": 500 } });
        peer.request(json!(id), "tools/call", params).await;
        peer.notify("notifications/cancelled", json!({ "requestId": id }))
            .await;
    }
    let lines = peer.listen(10_000).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains(r#""id":2"#));
    assert_eq!(planted.fired(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_the_end_of_its_input_runs_on() {
    let mut peer = Peer::lying(Planted::named("ignores-end-of-input").unwrap()).await;
    peer.close_input();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!peer.is_ended());
}

#[tokio::test(start_paused = true)]
async fn what_is_set_in_a_part_needs_that_part() {
    let fault = Fault::Set {
        at: "/error/code".to_owned(),
        to: Template::Literal("-1".to_owned()),
    };
    let planted = Planted::new(at(reply_to("*"), 2), fault).unwrap();
    let mut peer = Peer::lying(planted.clone()).await;
    let answer = peer.call("ping", json!({})).await;
    assert_eq!((answer.get("error"), planted.fired()), (None, 0));
}
