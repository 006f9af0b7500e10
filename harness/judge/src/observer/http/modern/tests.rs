use crate::testing::{JSON, POST, STREAM, Talk, modern, watched};

const HTML: &str = "Content-Type: text/html\r\n";
const TOKEN: &str = r#""progressToken":"t","#;

fn call(id: &str, meta: &str) -> String {
    modern(id, "tools/call", meta, "")
}

fn asked() -> Talk {
    Talk::modern_http().modern_post("q", &call("1", ""))
}

#[test]
fn a_request_is_answered_with_json_or_a_stream() {
    let said = |talk: Talk| watched("http", "response-content-type", &talk);
    for (talk, expected) in [
        (asked().head(1, 200, JSON), "1"),
        (asked().head(1, 200, STREAM), "1"),
        (asked().head(1, 200, HTML), "1 content-type #2"),
        (asked().head(1, 202, ""), "1 content-type #2"),
        (
            asked().head(1, 307, "").head(1, 200, HTML),
            "1 content-type #3",
        ),
        (asked().head(1, 303, "").head(1, 200, HTML), "0"),
        (asked().head(1, 400, HTML), "0"),
        (
            Talk::modern_http()
                .request("q", "POST", POST, &call("1", ""))
                .head(1, 200, HTML),
            "0",
        ),
        (
            Talk::modern_http()
                .modern_post(
                    "q",
                    r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
                )
                .head(1, 200, HTML),
            "0",
        ),
        (
            Talk::modern_http()
                .request("q", "GET", "Accept: text/event-stream\r\n", "")
                .head(1, 200, HTML),
            "0",
        ),
    ] {
        assert_eq!(said(talk), expected);
    }
}

#[test]
fn a_notification_comes_on_the_stream_of_its_request() {
    let log =
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let opened = r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged"}"#;
    let progress = |token: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
        )
    };
    // Exchange 1 is a call that asks for progress, 2 a call that does not, 3 a subscription.
    let listen = modern("3", "subscriptions/listen", r#""progressToken":"l","#, "");
    let said = |exchange: u64, text: &str| {
        let talk = Talk::modern_http().modern_post("a", &call("1", TOKEN));
        let talk = talk.head(1, 200, STREAM).modern_post("b", &call("2", ""));
        let talk = talk.head(2, 200, STREAM).modern_post("c", &listen);
        let talk = talk.head(3, 200, STREAM).event(exchange, None, text);
        watched("http", "own-stream", &talk)
    };
    let wrong = "1 unexpected-message #7";
    for (exchange, text, expected) in [
        (1, progress(r#""t""#).as_str(), "1"),
        (2, &progress(r#""t""#), wrong),
        (3, &progress(r#""t""#), wrong),
        (3, &progress(r#""l""#), "1"),
        (1, &progress(r#""u""#), "0"),
        // Whether it was asked for at all is another rule's matter.
        (2, log, "1"),
        (3, log, wrong),
        (3, changed, "1"),
        (1, changed, wrong),
        (3, opened, "1"),
        (2, opened, wrong),
        (1, r#"{"jsonrpc":"2.0","method":"notifications/x"}"#, "0"),
    ] {
        assert_eq!(said(exchange, text), expected, "{exchange} {text}");
    }
    assert_eq!(
        watched(
            "http",
            "own-stream",
            &asked().head(1, 200, JSON).body(1, changed)
        ),
        "0"
    );
}

#[test]
fn rules_on_sessions_and_their_streams_are_gone() {
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
    let talk = asked().head(1, 200, &format!("{STREAM}Mcp-Session-Id: a b\r\n"));
    let talk = talk.event(1, Some("e"), log).event(1, Some("e"), "{}");
    let talk = talk
        .modern_post("n", r#"{"jsonrpc":"2.0","method":"notifications/x"}"#)
        .head(2, 204, "");
    for rule in [
        "event-id-unique",
        "no-response-on-listen",
        "notification-202",
        "one-stream",
        "session-id-visible",
    ] {
        assert_eq!(watched("http", rule, &talk), "0", "{rule}");
    }
}
