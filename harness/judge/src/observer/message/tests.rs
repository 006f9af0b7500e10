use crate::testing::{JSON, Talk, modern, watched};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

fn welcome() -> String {
    r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"}}}"#.to_owned()
}

/// A conversation of 2025-06-18 that has begun.
fn open() -> Talk {
    Talk::new().sent("i", INITIALIZE).reply("i", &welcome())
}

fn request(id: &str, method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#)
}

fn said(rule: &str, talk: &Talk) -> String {
    watched("message", rule, talk)
}

#[test]
fn a_result_is_judged_by_the_method_that_was_asked_for() {
    let listed = |result: &str| {
        let reply = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        open()
            .sent("q", &request("1", "tools/list"))
            .reply("q", &reply)
    };
    assert_eq!(said("result", &listed(r#"{"tools":[]}"#)), "2");
    assert_eq!(said("result", &listed(r#"{"tools":[],"more":{}}"#)), "2");
    assert_eq!(said("result", &listed("{}")), "2 schema #4 /result");
    let bad = r#"{"tools":[{"name":"a"},{"name":"b"}]}"#;
    assert_eq!(said("result", &listed(bad)), "2 schema #4 /result/tools/0");
    // The envelope is another rule's matter.
    assert_eq!(said("envelope", &listed("{}")), "2");
}

#[test]
fn nothing_is_judged_by_a_revision_that_was_not_agreed() {
    let other = welcome().replace("2025-06-18", "2025-03-26");
    let talk = Talk::new().sent("i", INITIALIZE).reply("i", &other);
    let talk = talk.came(r#"{"jsonrpc":"1.0","method":5}"#);
    for rule in ["envelope", "params", "result"] {
        assert_eq!(said(rule, &talk), "0", "{rule}");
    }
    // After a second handshake it is not known which of them counts.
    let again = open().sent("j", INITIALIZE).reply("j", &welcome());
    let again = again.came(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#);
    assert_eq!(said("params", &again), "0");
}

#[test]
fn an_envelope_is_that_of_json_rpc() {
    for (line, expected) in [
        (r#"{"jsonrpc":"2.0","method":"notifications/x"}"#, "2"),
        (r#"{"method":"notifications/x"}"#, "2 schema #3"),
        (
            r#"{"jsonrpc":"1.0","method":"notifications/x"}"#,
            "2 value #3 /jsonrpc",
        ),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            "2 schema #3 /id",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
            "2 schema #3 /id",
        ),
    ] {
        assert_eq!(said("envelope", &open().came(line)), expected, "{line}");
    }
    let failed = |error: &str| {
        let reply = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#);
        open().sent("q", &request("1", "ping")).reply("q", &reply)
    };
    assert_eq!(
        said("envelope", &failed(r#"{"code":-1,"message":"m"}"#)),
        "2"
    );
    assert_eq!(
        said("envelope", &failed(r#"{"code":"x","message":"m"}"#)),
        "2 schema #4 /error/code"
    );
    assert_eq!(
        said("envelope", &failed(r#"{"code":-1}"#)),
        "2 schema #4 /error"
    );
}

#[test]
fn an_answer_says_again_whatever_it_was_asked_by() {
    // What a strict reader does not understand is answered without an id, with null, or with what was there.
    for (asked, id) in [("{", ""), ("{", r#""id":null,"#)] {
        let reply =
            format!(r#"{{"jsonrpc":"2.0",{id}"error":{{"code":-32700,"message":"parse"}}}}"#);
        let talk = open().raw(asked).came(reply);
        assert_eq!(said("envelope", &talk), "2", "{asked} {id}");
    }
    let fraction = open()
        .sent("q", &request("1.5", "ping"))
        .reply("q", r#"{"jsonrpc":"2.0","id":1.5,"result":{}}"#);
    assert_eq!(said("envelope", &fraction), "2");
}

#[test]
fn a_request_id_is_used_once() {
    let asks = |first: &str, second: &str| {
        open()
            .came(request(first, "ping"))
            .came(request(second, "ping"))
    };
    assert_eq!(said("request-id", &asks("1", "2")), "2");
    assert_eq!(said("request-id", &asks("1", r#""1""#)), "2");
    assert_eq!(said("request-id", &asks("1", "1")), "2 duplicate #4 /id");
}

#[test]
fn a_task_is_a_result_where_one_was_asked_for() {
    let talk = |params: &str| {
        let mut talk = Talk::new();
        talk.record.revision = mcp_assay_model::protocol::Revision::R2025_11_25;
        let newer = |line: &str| line.replace("2025-06-18", "2025-11-25");
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t"{params}}}}}"#
        );
        let task = r#"{"jsonrpc":"2.0","id":1,"result":{"task":{"taskId":"a","status":"working","createdAt":"2025-01-01T00:00:00Z","lastUpdatedAt":"2025-01-01T00:00:00Z","ttl":null}}}"#;
        talk.sent("i", &newer(INITIALIZE))
            .reply("i", &newer(&welcome()))
            .sent("q", &call)
            .reply("q", task)
    };
    assert_eq!(said("result", &talk(r#","task":{}"#)), "2");
    assert_eq!(said("result", &talk("")), "2 schema #4 /result");
}

#[test]
fn what_is_judged_elsewhere_is_not_told_twice() {
    let listed = |result: &str| {
        let reply = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        Talk::modern()
            .sent("q", &modern("1", "tools/list", "", ""))
            .reply("q", &reply)
    };
    for result in [
        r#"{"resultType":"complete","tools":[]}"#,
        r#"{"tools":[],"ttlMs":0,"cacheScope":"public"}"#,
        r#"{"resultType":"complete","tools":[],"ttlMs":-1,"cacheScope":"x"}"#,
    ] {
        assert_eq!(said("result", &listed(result)), "1", "{result}");
    }
    let asked = Talk::modern().came(request("1", "ping"));
    assert_eq!(said("envelope", &asked), "0");
    let code = Talk::modern()
        .sent("q", &modern("1", "tools/list", "", ""))
        .reply(
            "q",
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"m"}}"#,
        );
    assert_eq!(said("envelope", &code), "1");
}

#[test]
fn the_body_of_an_http_error_need_not_be_a_message() {
    let call = modern("1", "tools/list", "", "");
    let refused = Talk::modern_http()
        .modern_post("q", &call)
        .head(1, 403, JSON)
        .body(1, r#"{"error":"forbidden"}"#);
    assert_eq!(said("envelope", &refused), "0");
    let served = Talk::modern_http()
        .modern_post("q", &call)
        .head(1, 200, JSON)
        .body(1, r#"{"error":"forbidden"}"#);
    assert_eq!(said("envelope", &served), "1 schema #3, schema #3 /error");
}
