use crate::testing::{JSON, POST, STREAM, Talk, modern, watched};

const INFO: &str = r#""io.modelcontextprotocol/logLevel":"info","#;
const TOKEN: &str = r#""progressToken":"t","#;

fn log(level: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"{level}","data":1}}}}"#
    )
}

fn progress(token: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
    )
}

fn result(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete"}}}}"#)
}

fn call(id: &str, meta: &str) -> String {
    modern(id, "tools/call", meta, "")
}

fn asked(meta: &str) -> Talk {
    Talk::modern().sent("q", &call("1", meta))
}

#[test]
fn log_messages_come_for_a_request_that_asks_for_them() {
    let said = |talk: Talk| watched("logging", "requested", &talk);
    assert_eq!(said(asked("").reply("q", &result("1"))), "0");
    for (meta, level, expected) in [
        ("", "emergency", "1 unexpected-message #2"),
        (INFO, "info", "1"),
        (INFO, "emergency", "1"),
        (INFO, "debug", "1 value #2 /params/level"),
        // What is no level is for other rules; what no server should take may mean any level.
        (INFO, "loud", "1"),
        (
            r#""io.modelcontextprotocol/logLevel":"loud","#,
            "debug",
            "1",
        ),
    ] {
        assert_eq!(
            said(asked(meta).came(log(level))),
            expected,
            "{meta} {level}"
        );
    }
    assert_eq!(
        said(Talk::modern().came(log("info"))),
        "1 unexpected-message #1"
    );
}

#[test]
fn a_log_message_may_lag_behind_its_response_and_not_behind_a_later_one() {
    let said = |talk: Talk| watched("logging", "requested", &talk);
    let answered = || asked(INFO).reply("q", &result("1"));
    assert_eq!(said(answered().came(log("info"))), "1");
    let later = || answered().sent("p", &call("2", ""));
    assert_eq!(said(later().came(log("info"))), "1");
    assert_eq!(
        said(later().reply("p", &result("2")).came(log("info"))),
        "1 unexpected-message #5"
    );
    // Requests that were under way together say nothing of each other.
    let together = asked(INFO).sent("p", &call("2", ""));
    let together = together.reply("q", &result("1")).reply("p", &result("2"));
    assert_eq!(said(together.came(log("info"))), "1");
    // The lowest level of all that may be meant.
    let both = asked(INFO).sent("p", &call("2", &INFO.replace("info", "error")));
    assert_eq!(said(both.came(log("notice"))), "1");
}

#[test]
fn progress_has_the_token_of_a_request_without_response() {
    let said = |talk: Talk| watched("progress", "active", &talk);
    for (token, expected) in [
        (r#""t""#, "1"),
        (r#""\u0074""#, "1"),
        (r#""u""#, "1 id #2 /params/progressToken"),
        ("7", "1 id #2 /params/progressToken"),
        ("null", "1 id #2 /params/progressToken"),
    ] {
        assert_eq!(
            said(asked(TOKEN).came(progress(token))),
            expected,
            "{token}"
        );
    }
    let counted = || asked(r#""progressToken":7,"#);
    assert_eq!(said(counted().came(progress("7.0"))), "1");
    assert_eq!(
        said(counted().came(progress(r#""7""#))),
        "1 id #2 /params/progressToken"
    );
    let answered = || asked(TOKEN).reply("q", &result("1"));
    assert_eq!(
        said(answered().came(progress(r#""t""#))),
        "1 order #3 /params/progressToken"
    );
    // Another response does not end it, and a token may be used again.
    let stray = asked(TOKEN).came(result("2"));
    assert_eq!(said(stray.came(progress(r#""t""#))), "1");
    let again = answered().sent("p", &call("2", TOKEN));
    assert_eq!(said(again.came(progress(r#""t""#))), "1");
    let without = r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#;
    assert_eq!(said(asked("").came(without)), "0");
}

#[test]
fn what_we_cannot_read_may_have_asked_for_anything() {
    for raw in ["{", r#"{"params":1}"#] {
        let talk = || Talk::modern().raw(raw);
        for (observer, rule) in [("logging", "requested"), ("progress", "active")] {
            let talk = talk().came(log("info")).came(progress("1"));
            assert_eq!(watched(observer, rule, &talk), "0", "{raw}");
        }
    }
}

#[test]
fn over_http_the_stream_says_whose_they_are() {
    let streams = |first: &str, second: &str| {
        let talk = Talk::modern_http()
            .modern_post("q", first)
            .head(1, 200, STREAM);
        talk.modern_post("p", second).head(2, 200, STREAM)
    };
    let said = |rule: &str, talk: Talk| match rule {
        "logging" => watched("logging", "requested", &talk),
        _ => watched("progress", "active", &talk),
    };
    let two = || streams(&call("1", INFO), &call("2", ""));
    assert_eq!(said("logging", two().event(1, None, &log("info"))), "1");
    assert_eq!(
        said("logging", two().event(2, None, &log("info"))),
        "1 unexpected-message #5"
    );
    let two = || streams(&call("1", TOKEN), &call("2", ""));
    let report = progress(r#""t""#);
    assert_eq!(said("progress", two().event(1, None, &report)), "1");
    // On the stream of another request it is judged by the rule on streams.
    assert_eq!(said("progress", two().event(2, None, &report)), "0");
    assert_eq!(
        said("progress", two().event(2, None, &progress("8"))),
        "1 id #5 /params/progressToken"
    );
    let ended = two().event(1, None, &result("1")).answers("q");
    assert_eq!(
        said("progress", ended.event(1, None, &report)),
        "1 order #6 /params/progressToken"
    );
    let listen = modern("1", "subscriptions/listen", INFO, "");
    let listening = streams(&listen, &call("2", ""));
    assert_eq!(said("logging", listening.event(1, None, &log("info"))), "0");
    let cut = Talk::modern_http().modern_post("q", &call("1", ""));
    let cut = cut.head(1, 200, JSON).body(1, &log("info"));
    assert_eq!(said("logging", cut), "1 unexpected-message #3");
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

fn opened(capabilities: &str) -> Talk {
    let welcome = format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"2025-06-18","capabilities":{capabilities},"serverInfo":{{"name":"s","version":"1"}}}}}}"#
    );
    Talk::new().sent("i", INITIALIZE).reply("i", &welcome)
}

#[test]
fn in_the_legacy_era_a_server_logs_at_the_level_that_was_set() {
    let set = |level: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{{"level":"{level}"}}}}"#
        )
    };
    let done = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let said = |talk: Talk| watched("logging", "level", &talk);
    let open = || opened(r#"{"logging":{}}"#);
    assert_eq!(said(open().came(log("debug"))), "0");
    let waiting = || open().sent("q", &set("warning"));
    assert_eq!(said(waiting().came(log("debug"))), "0");
    let answered = || waiting().reply("q", done);
    assert_eq!(said(answered().came(log("warning"))), "1");
    assert_eq!(
        said(answered().came(log("notice"))),
        "1 value #5 /params/level"
    );
    // While another level is asked for, either may be meant.
    let changing = answered().sent("r", &set("debug").replace(":1,", ":2,"));
    assert_eq!(said(changing.came(log("notice"))), "0");
    let refused = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"m"}}"#;
    assert_eq!(said(waiting().reply("q", refused).came(log("debug"))), "0");
}

#[test]
fn a_server_that_logs_declares_it() {
    let said = |capabilities: &str| {
        let talk = opened(capabilities).came(log("info"));
        watched("logging", "declared", &talk)
    };
    assert_eq!(said(r#"{"logging":{}}"#), "1");
    assert_eq!(said("{}"), "1 undeclared #3");
    assert_eq!(said(r#"{"logging":null}"#), "1 undeclared #3");
    // In the modern era nobody need ask what is declared.
    let unasked = Talk::modern().came(log("info"));
    assert_eq!(watched("logging", "declared", &unasked), "0");
}

#[test]
fn credentials_are_what_the_client_gave_whole_and_long_enough() {
    for (given, data, expected) in [
        ("Bearer abcdefgh", r#""abcdefgh""#, "1 value #3 /params"),
        (
            "bearer  abcdefgh ",
            r#"[{"a":"x abcdefgh y"}]"#,
            "1 value #3 /params",
        ),
        ("abcdefgh", r#"{"abcdefgh":1}"#, "1 value #3 /params"),
        ("Bearer abcdefgh", r#""abcdefg***""#, "1"),
        ("Bearer abcdefgh", "1", "1"),
        // An ordinary word may be one.
        ("Bearer abcdefg", r#""abcdefg""#, "0"),
        ("Bearer", r#""Bearer""#, "0"),
    ] {
        let headers =
            format!("{POST}MCP-Protocol-Version: 2026-07-28\r\nAuthorization: {given}\r\n");
        let talk = Talk::modern_http().request("q", "POST", &headers, &call("1", INFO));
        let talk = talk.head(1, 200, STREAM);
        let log = log("info").replace(r#""data":1"#, &format!(r#""data":{data}"#));
        let talk = talk.event(1, None, &log);
        assert_eq!(
            watched("logging", "credentials", &talk),
            expected,
            "{given} {data}"
        );
    }
}
