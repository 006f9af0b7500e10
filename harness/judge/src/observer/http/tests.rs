use crate::observer::observe;
use crate::testing::{JSON, POST, STREAM, Talk};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_wire::http::End;

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"progressToken":"t"}}}"#;
const SECOND: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
const ASK: &str = r#"{"jsonrpc":"2.0","id":0,"method":"roots/list"}"#;
const LOG: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
const PROGRESS: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const SESSION: &str = "Mcp-Session-Id: s\r\n";

/// How many things a rule judged, and the code and place of what it found.
fn seen(rule: &str, talk: &Talk) -> (u64, Vec<String>) {
    let observed = observe(&talk.record);
    let http = observed.iter().find(|one| one.observer == "http").unwrap();
    let found = http.sightings.found().filter(|one| one.rule == rule);
    let found = found.map(|one| {
        let finding = one.finding;
        assert!(finding.expected.is_some() && finding.actual.is_some());
        format!("{} {}", finding.code, finding.at.as_ref().unwrap())
    });
    (http.sightings.judged(rule), found.collect())
}

fn said(rule: &str, talk: &Talk) -> String {
    let (judged, found) = seen(rule, talk);
    format!("{judged} {}", found.join(", "))
        .trim_end()
        .to_owned()
}

fn asked() -> Talk {
    Talk::http().post("q", CALL)
}

/// A POST within the session, a GET stream within it, or any other request.
fn post(talk: Talk, label: &str, body: &str) -> Talk {
    talk.request(label, "POST", &format!("{POST}{SESSION}"), body)
}

fn get(talk: Talk, label: &str, headers: &str) -> Talk {
    let headers = format!("Host: localhost\r\nAccept: text/event-stream\r\n{SESSION}{headers}");
    talk.request(label, "GET", &headers, "")
}

/// Exchange 1 listens, exchange 2 is a call; both streams are open.
fn two_streams() -> Talk {
    let talk = get(Talk::http(), "g", "").head(1, 200, STREAM);
    post(talk, "q", CALL).head(2, 200, STREAM)
}

#[test]
fn a_session_id_is_visible_ascii() {
    let rule = "session-id-visible";
    let given = |value: &str| {
        let headers = format!("{JSON}MCP-SESSION-ID: {value}\r\n");
        asked().head(1, 200, &headers)
    };
    assert_eq!(said(rule, &given("0a-!~")), "1");
    assert_eq!(said(rule, &given("a b")), "1 header #2");
    assert_eq!(said(rule, &given("é")), "1 header #2");
    assert_eq!(said(rule, &given("")), "0");
    assert_eq!(said(rule, &asked().head(1, 200, JSON)), "0");
    // What we sent and got back is our own.
    let odd = "Mcp-Session-Id: a b\r\n";
    let echoed = Talk::http()
        .request("q", "POST", odd, CALL)
        .head(1, 404, odd);
    assert_eq!(said(rule, &echoed), "0");
}

#[test]
fn a_request_is_answered_with_json_or_a_stream() {
    let rule = "response-content-type";
    for (talk, expected) in [
        (asked().head(1, 200, JSON), "1"),
        (
            asked().head(1, 200, "content-type: Text/Event-Stream;charset=utf-8\r\n"),
            "1",
        ),
        (asked().head(1, 100, "").head(1, 200, JSON), "1"),
        (asked().head(1, 307, "").head(1, 200, JSON), "1"),
        (
            asked().head(1, 200, "Content-Type: text/plain\r\n"),
            "1 content-type #2",
        ),
        (asked().head(1, 202, ""), "1 content-type #2"),
        (
            asked().head(1, 308, "").head(1, 200, ""),
            "1 content-type #3",
        ),
        // A redirect that turns a POST into a GET leads to another answer.
        (
            asked()
                .head(1, 302, "")
                .head(1, 200, "Content-Type: text/html\r\n"),
            "0",
        ),
        (asked().head(1, 500, "Content-Type: text/html\r\n"), "0"),
        (Talk::http().post("q", INITIALIZED).head(1, 202, ""), "0"),
        (
            Talk::http()
                .post(
                    "q",
                    r#"{"jsonrpc":"2.0","id":1,"method":"notifications/a"}"#,
                )
                .head(1, 202, ""),
            "0",
        ),
        (Talk::http().post("q", "{").head(1, 200, ""), "0"),
        (
            Talk::http()
                .post("q", r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#)
                .head(1, 200, ""),
            "0",
        ),
        (
            Talk::http()
                .request("q", "PUT", POST, CALL)
                .head(1, 200, ""),
            "0",
        ),
        (
            Talk::http()
                .request(
                    "q",
                    "POST",
                    "Content-Type: text/plain\r\nAccept: */*\r\n",
                    CALL,
                )
                .head(1, 200, ""),
            "0",
        ),
        (
            Talk::http()
                .request("q", "POST", &format!("{POST}Host: elsewhere\r\n"), CALL)
                .head(1, 200, ""),
            "0",
        ),
        // A cancelled request gets no response.
        (asked().cancel("q").head(1, 200, ""), "1 content-type #3"),
    ] {
        assert_eq!(said(rule, &talk), expected, "{:?}", talk.record.entries);
    }
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let cancelled = asked().post("x", cancel).head(2, 202, "").head(1, 200, "");
    assert_eq!(said(rule, &cancelled), "0");
    let foreign = asked().head(1, 200, JSON);
    let foreign = foreign
        .request("x", "POST", &POST.replace("localhost", "elsewhere"), SECOND)
        .head(2, 200, "Content-Type: text/html\r\n");
    assert_eq!(said(rule, &foreign), "1");
}

#[test]
fn notifications_and_responses_are_accepted_with_202_and_no_body() {
    let rule = "notification-202";
    let note = || Talk::http().post("q", INITIALIZED);
    let response = || Talk::http().post("q", RESULT);
    for (talk, expected) in [
        (note().head(1, 202, ""), "1"),
        (note().head(1, 202, JSON).body(1, ""), "1"),
        (response().head(1, 202, ""), "1"),
        (note().head(1, 400, JSON).body(1, "{}"), "0"),
        (note().head(1, 200, ""), "1 status #2"),
        (note().head(1, 204, ""), "1 status #2"),
        (response().head(1, 200, JSON).body(1, "{}"), "1 status #2"),
        (
            note().head(1, 202, "").body(1, "Accepted"),
            "1 unexpected-message #3",
        ),
        (asked().head(1, 200, JSON), "0"),
        (
            Talk::http().request("q", "DELETE", "", "").head(1, 200, ""),
            "0",
        ),
    ] {
        assert_eq!(said(rule, &talk), expected, "{:?}", talk.record.entries);
    }
}

#[test]
fn batches_count_where_the_revision_has_them() {
    let batch = format!("[{INITIALIZED},{RESULT}]");
    let mixed = format!("[{INITIALIZED},{CALL}]");
    let talk = |body: &str, revision| {
        let mut talk = Talk::http().post("q", body).head(1, 200, "");
        talk.record.revision = revision;
        talk
    };
    for (revision, note, request) in [
        (Revision::R2025_03_26, "1 status #2", "1 content-type #2"),
        (Revision::R2025_06_18, "0", "0"),
    ] {
        assert_eq!(said("notification-202", &talk(&batch, revision)), note);
        assert_eq!(
            said("response-content-type", &talk(&mixed, revision)),
            request
        );
    }
}

#[test]
fn no_response_comes_on_a_stream_that_listens() {
    let rule = "no-response-on-listen";
    let listen = |headers: &str| get(Talk::http(), "g", headers).head(1, 200, STREAM);
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}"#;
    for (talk, expected) in [
        (listen("").event(1, None, LOG).event(1, None, ASK), "2"),
        (listen("").event(1, None, RESULT), "1 unexpected-message #3"),
        (listen("").event(1, None, error), "1"),
        (listen("").event(1, None, "hello"), "0"),
        (listen("Last-Event-ID: 7\r\n").event(1, None, RESULT), "0"),
        (asked().head(1, 200, STREAM).event(1, None, RESULT), "0"),
    ] {
        assert_eq!(said(rule, &talk), expected, "{:?}", talk.record.entries);
    }
    // A server that speaks HTTP+SSE at the same address answers there.
    let mut old = listen("")
        .event(1, None, "/messages")
        .event(1, None, RESULT);
    if let Some(http) = &mut old.record.entries[2].http
        && let mcp_assay_model::record::HttpPart::Event { name, .. } = &mut http.part
    {
        *name = Some("endpoint".to_owned());
    }
    assert_eq!(said(rule, &old), "0");
}

#[test]
fn a_response_in_a_batch_on_a_stream_that_listens_is_found() {
    let batch = format!("[{LOG},{RESULT}]");
    let mut talk = get(Talk::http(), "g", "")
        .head(1, 200, STREAM)
        .event(1, None, &batch)
        .came(LOG)
        .came(RESULT);
    for item in &mut talk.record.entries[3..] {
        item.part_of = Some(3);
    }
    assert_eq!(
        said("no-response-on-listen", &talk),
        "2 unexpected-message #5"
    );
}

#[test]
fn an_event_id_names_one_event_of_the_session() {
    let rule = "event-id-unique";
    let one = || two_streams().event(1, Some("7"), LOG);
    for (talk, expected) in [
        (one().event(2, Some("8"), PROGRESS), "2"),
        (one().event(2, Some("7"), PROGRESS), "2 duplicate #6"),
        (one().event(1, Some("7"), PROGRESS), "2 duplicate #6"),
        // What primes the client for its place has no message yet.
        (
            two_streams()
                .event(1, Some("7"), "")
                .event(1, Some("7"), LOG),
            "1",
        ),
        (one().event(2, None, PROGRESS), "1"),
    ] {
        assert_eq!(said(rule, &talk), expected, "{:?}", talk.record.entries);
    }
    let resumed = get(one().ended(1, End::Complete), "r", "Last-Event-ID: 6\r\n")
        .head(3, 200, STREAM)
        .event(3, Some("7"), LOG);
    assert_eq!(said(rule, &resumed), "2");
    let elsewhere = one()
        .request(
            "x",
            "POST",
            &format!("{POST}Mcp-Session-Id: other\r\n"),
            SECOND,
        )
        .head(3, 200, STREAM)
        .event(3, Some("7"), PROGRESS);
    assert_eq!(said(rule, &elsewhere), "2");
    let mut cut = one().event(2, Some("7"), PROGRESS);
    if let Some(http) = &mut cut.record.entries[5].http
        && let mcp_assay_model::record::HttpPart::Event { is_terminated, .. } = &mut http.part
    {
        *is_terminated = false;
    }
    assert_eq!(said(rule, &cut), "1");
}

#[test]
fn a_message_comes_on_one_stream_only() {
    let rule = "one-stream";
    let cut = || End::Cut("reset".to_owned());
    let both = |text: &str| two_streams().event(2, None, text).event(1, None, text);
    for (talk, expected) in [
        (both(ASK), "2 duplicate #6"),
        (both(RESULT), "2 duplicate #6"),
        (both(PROGRESS), "2 duplicate #6"),
        // The same log twice may be two logs, unless their events have one id.
        (both(LOG), "0"),
        (
            two_streams()
                .event(2, Some("7"), LOG)
                .event(1, Some("7"), LOG),
            "2 duplicate #6",
        ),
        (
            two_streams()
                .event(2, Some("7"), LOG)
                .event(1, Some("8"), LOG),
            "2",
        ),
        // The first stream may be over when the second brings the message; both were connected.
        (
            two_streams()
                .event(2, None, ASK)
                .ended(2, End::Complete)
                .event(1, None, ASK),
            "2 duplicate #7",
        ),
        // Where a stream broke off, what it brought may be sent again.
        (
            two_streams()
                .event(2, None, ASK)
                .ended(2, cut())
                .event(1, None, ASK),
            "1",
        ),
        (
            two_streams()
                .event(2, None, ASK)
                .ended(2, End::Closed)
                .event(1, None, ASK),
            "1",
        ),
        // Twice on one stream is another matter.
        (two_streams().event(2, None, ASK).event(2, None, ASK), "2"),
        // With one stream there is nothing to judge.
        (asked().head(1, 200, STREAM).event(1, None, RESULT), "0"),
        (
            get(
                asked()
                    .head(1, 200, STREAM)
                    .event(1, None, ASK)
                    .ended(1, End::Complete),
                "g",
                "",
            )
            .head(2, 200, STREAM)
            .event(2, None, ASK),
            "0",
        ),
    ] {
        assert_eq!(said(rule, &talk), expected, "{:?}", talk.record.entries);
    }
}

#[test]
fn equal_messages_that_are_two_are_no_broadcast() {
    let rule = "one-stream";
    // Resumed streams replay.
    let resumed = get(
        two_streams().event(2, None, ASK),
        "r",
        "Last-Event-ID: 6\r\n",
    )
    .head(3, 200, STREAM)
    .event(3, None, ASK);
    assert_eq!(said(rule, &resumed), "1");
    // A request whose id we used twice is answered twice.
    let again = post(two_streams().event(2, None, RESULT), "q2", CALL)
        .head(3, 200, STREAM)
        .event(3, None, RESULT)
        .event(3, None, PROGRESS)
        .event(2, None, PROGRESS);
    assert_eq!(said(rule, &again), "1");
    // Without sessions, servers may be new for each request.
    let stateless = Talk::http()
        .post("a", CALL)
        .head(1, 200, STREAM)
        .post("b", SECOND)
        .head(2, 200, STREAM)
        .event(1, None, ASK)
        .event(2, None, ASK);
    assert_eq!(said(rule, &stateless), "0");
    // Two clients may be told the same.
    let mut clients = two_streams();
    clients = clients.event(2, None, ASK);
    let other = two_streams().event(1, None, ASK).record.entries;
    let offset = clients.record.entries.len() as u64;
    for mut entry in other {
        entry.seq += offset;
        entry.connection = "d".to_owned();
        clients.record.entries.push(entry);
    }
    assert_eq!(said(rule, &clients), "2");
}

#[test]
fn only_streamable_http_is_watched() {
    for (revision, binding, watched) in [
        (Revision::R2024_11_05, Binding::Http, false),
        (Revision::R2025_03_26, Binding::Http, true),
        (Revision::R2025_11_25, Binding::Http, true),
        (Revision::R2026_07_28, Binding::Http, true),
        (Revision::R2026_07_28, Binding::Stdio, false),
        (Revision::R2025_06_18, Binding::HttpSse, false),
        (Revision::R2025_06_18, Binding::Stdio, false),
        (Revision::R2025_06_18, Binding::Memory, false),
    ] {
        let mut talk = asked();
        talk.record.revision = revision;
        talk.record.binding = binding;
        let observed = observe(&talk.record);
        let is_watched = observed.iter().any(|one| one.observer == "http");
        assert_eq!(is_watched, watched, "{revision} {binding}");
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const WELCOME: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;
const REPORT: &str = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}"#;

/// A client of 2025-11-25 that listens (2) and has a call under way (3).
fn calling() -> Talk {
    let mut talk = Talk::http();
    talk.record.revision = Revision::R2025_11_25;
    let talk = post(talk, "i", INITIALIZE)
        .head(1, 200, JSON)
        .body(1, WELCOME)
        .answers("i");
    let talk = get(talk, "g", "").head(2, 200, STREAM);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":"t"}}}"#;
    post(talk, "q", call).head(3, 200, STREAM)
}

#[test]
fn progress_comes_on_the_stream_of_its_request() {
    let other = || {
        let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
        post(calling(), "p", ping).head(4, 200, STREAM)
    };
    let own = calling().event(3, None, REPORT);
    assert_eq!(said("related", &own), "1");
    assert_eq!(said("unrelated-on-listen", &own), "1");
    let listened = calling().event(2, None, REPORT);
    assert_eq!(
        said("unrelated-on-listen", &listened),
        "1 unexpected-message #8"
    );
    assert_eq!(said("related", &listened), "0");
    let elsewhere = other().event(4, None, REPORT);
    assert_eq!(said("related", &elsewhere), "1 unexpected-message #10");
    // Once its own stream is gone there is no better place.
    let gone = calling().ended(3, End::Complete).event(2, None, REPORT);
    assert_eq!(said("unrelated-on-listen", &gone), "0");
    let none = REPORT.replace("\"t\"", "\"u\"");
    assert_eq!(
        said("unrelated-on-listen", &calling().event(2, None, &none)),
        "0"
    );
}

#[test]
fn a_stream_that_ends_early_says_when_to_come_back() {
    let ended = |id: Option<&str>| calling().event(3, id, REPORT).ended(3, End::Complete);
    assert_eq!(said("retry", &ended(Some("7"))), "1 header #9");
    // What cannot be taken up again need not say when.
    assert_eq!(said("retry", &ended(None)), "0");
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
    let answered = calling().event(3, Some("7"), answer).answers("q");
    assert_eq!(said("retry", &answered.ended(3, End::Complete)), "0");
    let cut = calling().event(3, Some("7"), REPORT);
    assert_eq!(said("retry", &cut.ended(3, End::Closed)), "0");
    // With its session a stream ends for good.
    let deleted = |session: &str| {
        let calling = calling().event(3, Some("7"), REPORT);
        let asked = calling.request("d", "DELETE", session, "");
        said("retry", &asked.ended(3, End::Complete))
    };
    assert_eq!(deleted(SESSION), "0");
    assert_eq!(deleted("Mcp-Session-Id: another\r\n"), "1 header #10");
}
