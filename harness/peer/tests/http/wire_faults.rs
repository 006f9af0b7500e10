//! Wire faults over HTTP: at messages, and at heads and bodies.

use crate::support::{Client, Exchange, LOGGING, PING, SLOW, lying, wait};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Fault, FaultAt, FaultTarget};
use mcp_assay_model::template::Template;
use mcp_assay_peer::{FaultRefused, HttpServer, Planted};
use serde_json::{Value, json};

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

fn http(method: &str) -> FaultTarget {
    FaultTarget::Http(method.to_owned())
}

async fn struck(target: FaultTarget, nth: u32, fault: Fault) -> (HttpServer, Client) {
    let server = lying(Planted::on_http(at(target, nth), fault).unwrap());
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    (server, client)
}

fn id(to: &str) -> Fault {
    Fault::Set {
        at: "/id".to_owned(),
        to: Template::Raw(to.to_owned()),
    }
}

fn pong(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

/// Whether a ping got a lawful answer.
async fn is_answered(ping: Exchange) -> bool {
    ping.status().await == 200 && ping.body().await == pong("7")
}

#[tokio::test(start_paused = true)]
async fn a_json_answer_is_struck_as_a_message() {
    for (fault, status, body) in [
        (id("1.0"), 200, pong("1.0")),
        (
            Fault::Remove {
                at: "/id".to_owned(),
            },
            200,
            r#"{"jsonrpc":"2.0","result":{}}"#.to_owned(),
        ),
        (
            Fault::Replace(vec![(
                "error".to_owned(),
                Template::Object(vec![("code".to_owned(), Template::Literal("1".to_owned()))]),
            )]),
            200,
            r#"{"jsonrpc":"2.0","id":7,"error":{"code":1}}"#.to_owned(),
        ),
        (Fault::Drop, 202, String::new()),
        (Fault::Raw(b"no json\n".to_vec()), 200, "no json".to_owned()),
        (
            Fault::Raw(b"\xff\x00".to_vec()),
            200,
            "\u{fffd}\0".to_owned(),
        ),
        (Fault::Split(9), 200, pong("7")),
        (Fault::DelayMs(300), 200, pong("7")),
    ] {
        let (server, client) = struck(reply_to("ping"), 1, fault.clone()).await;
        let ping = client.post(PING);
        assert_eq!(ping.status().await, status, "{fault:?}");
        assert_eq!(ping.body().await, body, "{fault:?}");
        assert!(!ping.is_broken());
        assert!(
            is_answered(client.post(PING)).await,
            "the second: {fault:?}"
        );
        assert_eq!(server.fired(), 1, "{fault:?}");
        let pieces = ping.look(|seen| seen.pieces.clone());
        match fault {
            Fault::Split(_) => assert_eq!(pieces[0].1, 9),
            Fault::DelayMs(_) => assert_eq!(pieces[0].0, 300),
            _ => assert!(pieces.len() < 2),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_repeated_comes_as_two_events() {
    let (server, client) = struck(reply_to("ping"), 1, Fault::Duplicate(1)).await;
    let ping = client.post(PING);
    ping.body().await;
    assert_eq!(ping.messages().len(), 2);
    assert_eq!(server.fired(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_reordered_waits_for_the_next_message() {
    let (_, client) = struck(reply_to("ping"), 1, Fault::Reorder).await;
    let first = client.post(PING);
    wait(1000).await;
    assert!(first.look(|seen| seen.status.is_none()));
    assert!(is_answered(client.post(PING)).await);
    assert!(is_answered(first).await);
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_a_stream_is_struck_as_an_event() {
    let call = reply_to("tools/call");
    for (fault, seen) in [
        (id("\"8\""), vec![json!("8")]),
        (Fault::Drop, vec![]),
        (Fault::Duplicate(2), vec![json!(8), json!(8), json!(8)]),
        (Fault::DelayMs(300), vec![json!(8)]),
        (Fault::Split(30), vec![json!(8)]),
    ] {
        let (server, client) = struck(call.clone(), 1, fault.clone()).await;
        let answer = client.post(LOGGING);
        answer.body().await;
        let messages = answer.messages().into_iter();
        let ids = messages.filter_map(|message| message.get("id").cloned());
        assert_eq!(ids.collect::<Vec<Value>>(), seen, "{fault:?}");
        assert_eq!(server.fired(), 1);
    }
    let raw = Fault::Raw(b"two\nlines".to_vec());
    let (_, client) = struck(call, 1, raw).await;
    let events = client.post(LOGGING).all_events().await;
    assert_eq!(events[4].data.as_deref(), Some("two\nlines"));
}

#[tokio::test(start_paused = true)]
async fn notifications_and_requests_on_streams_can_be_struck() {
    let log = FaultTarget::Notification("notifications/message".to_owned());
    let (server, client) = struck(log, 2, Fault::Drop).await;
    let answer = client.post(LOGGING);
    answer.body().await;
    assert_eq!(answer.messages().len(), 3);
    assert_eq!(server.fired(), 1);
}

#[tokio::test(start_paused = true)]
async fn heads_and_bodies_are_struck_at_the_reply_they_carry() {
    let header =
        |name: &str, value: Option<&str>| Fault::Header(name.to_owned(), value.map(str::to_owned));
    for (method, body) in [("ping", PING), ("tools/call", SLOW)] {
        for (fault, status, content_type) in [
            (Fault::Status(404), 404, true),
            (header("content-type", None), 200, false),
            (header("x-more", Some("yes")), 200, true),
            (Fault::Body("other".to_owned()), 200, true),
        ] {
            let (server, client) = struck(reply_to(method), 1, fault.clone()).await;
            let answer = client.post(body);
            assert_eq!(answer.status().await, status, "{method} {fault:?}");
            let has_type = answer.header("content-type").await.is_some();
            assert_eq!(has_type, content_type, "{method} {fault:?}");
            let text = answer.body().await;
            if matches!(fault, Fault::Body(_)) {
                assert_eq!(text, "other");
            } else {
                assert!(text.contains("result"), "{text}");
            }
            assert_eq!(server.fired(), 1, "{method} {fault:?}");
            assert_eq!(client.post(body).status().await, 200, "the second");
            assert_eq!(server.fired(), 1, "{method} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_what_is_no_request_is_one_of_its_own() {
    let (server, client) = struck(reply_to("!"), 1, Fault::Status(418)).await;
    assert_eq!(client.post(PING).status().await, 200);
    assert_eq!(client.post("{").status().await, 418);
    assert_eq!(client.post("{").status().await, 400);
    assert_eq!(server.fired(), 1);
}

#[tokio::test(start_paused = true)]
async fn exchanges_are_counted_by_method_from_the_initialize_on() {
    let server = lying(Planted::on_http(at(http("POST"), 1), Fault::Status(201)).unwrap());
    let client = Client {
        server,
        session: None,
        version: None,
    };
    let hello = crate::support::initialize("2025-11-25", &json!({}));
    assert_eq!(client.post(&hello).status().await, 201);
    for (target, nth) in [("POST", 3), ("GET", 1), ("DELETE", 1)] {
        let (server, client) = struck(http(target), nth, Fault::Status(418)).await;
        assert_eq!(server.fired(), 0);
        let answer = match target {
            "POST" => client.post(PING),
            "GET" => client.ask("GET", &[], ""),
            _ => client.delete(),
        };
        assert_eq!(answer.status().await, 418, "{target}");
        assert_eq!(server.fired(), 1, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_session_has_its_own_count_and_the_last_takes_what_names_none() {
    let (server, first) = struck(http("POST"), 3, Fault::Status(418)).await;
    let second = Client::open(&server, "2025-11-25", json!({})).await;
    assert_eq!(first.post(PING).status().await, 418);
    let nameless = second.ask("POST", &[("mcp-session-id", None)], PING);
    assert_eq!(nameless.status().await, 418);
    assert_eq!(second.post(PING).status().await, 200);
    assert_eq!(server.fired(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_response_can_be_late_or_never_come() {
    let (_, client) = struck(http("POST"), 3, Fault::DelayMs(700)).await;
    let ping = client.post(PING);
    assert!(is_answered_at(&ping).await >= 700);
    let (_, client) = struck(http("GET"), 1, Fault::Drop).await;
    let stream = client.ask("GET", &[], "");
    stream.body().await;
    assert!(stream.is_broken() && stream.look(|seen| seen.status.is_none()));
    assert_eq!(client.listen().await.status().await, 200);
}

async fn is_answered_at(exchange: &Exchange) -> u128 {
    exchange.body().await;
    exchange.look(|seen| seen.pieces[0].0)
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_not_there_cannot_be_removed() {
    let remove = Fault::Header("x-none".to_owned(), None);
    let (server, client) = struck(reply_to("ping"), 1, remove).await;
    assert!(is_answered(client.post(PING)).await);
    assert_eq!(server.fired(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fault_strikes_in_its_revisions_alone() {
    for (target, fault) in [
        (http("POST"), Fault::Status(418)),
        (reply_to("ping"), Fault::Status(418)),
    ] {
        let limits = Some((Revision::R2025_06_18, Revision::R2025_06_18));
        let nth = if matches!(target, FaultTarget::Http(_)) {
            3
        } else {
            1
        };
        let planted = FaultAt {
            target,
            nth,
            revisions: limits,
        };
        for (revision, status) in [("2025-06-18", 418), ("2025-11-25", 200)] {
            let server = lying(Planted::on_http(Some(planted.clone()), fault.clone()).unwrap());
            let client = Client::open(&server, revision, json!({})).await;
            assert_eq!(client.post(PING).status().await, status, "{revision}");
        }
    }
}

#[test]
fn a_fault_that_can_strike_nothing_is_refused() {
    let notification = FaultTarget::Notification("*".to_owned());
    let named = |name: &str| Fault::Named(name.to_owned());
    for (at, fault, refused) in [
        (None, Fault::Status(404), FaultRefused::NoTarget),
        (
            at(notification, 1),
            Fault::Status(404),
            FaultRefused::NotAtThisTarget("status"),
        ),
        (
            at(http("POST"), 1),
            Fault::Status(100),
            FaultRefused::NotAtThisTarget("status"),
        ),
        (
            at(http("POST"), 1),
            Fault::Reorder,
            FaultRefused::NotAtThisTarget("reorder"),
        ),
        (
            at(http("POST"), 1),
            id("1"),
            FaultRefused::NotAtThisTarget("set"),
        ),
        (
            at(http("GET"), 1),
            named("get-404"),
            FaultRefused::NotAtThisTarget("fault"),
        ),
        (None, named("crlf"), FaultRefused::NotOnThisBinding("crlf")),
    ] {
        assert_eq!(Planted::on_http(at, fault).unwrap_err(), refused);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_lines_leaves_the_server_honest_and_is_reported() {
    let server = lying(Planted::named("crlf").unwrap());
    assert_eq!(
        server.refused(),
        Some(FaultRefused::NotOnThisBinding("crlf"))
    );
    let client = Client::open(&server, "2025-11-25", json!({})).await;
    assert!(is_answered(client.post(PING)).await);
    assert_eq!(server.fired(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_nothing_fills_in_is_reported() {
    let fact = Fault::Set {
        at: "/result/code".to_owned(),
        to: Template::Fact("code.none".to_owned()),
    };
    let (server, client) = struck(reply_to("ping"), 1, fact).await;
    assert!(is_answered(client.post(PING)).await);
    assert_eq!(
        server.refused(),
        Some(FaultRefused::Unresolved("$fact: code.none".to_owned()))
    );
}
