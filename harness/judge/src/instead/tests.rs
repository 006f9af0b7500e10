use super::*;
use crate::testing::{JSON, STREAM, Talk};
use mcp_assay_model::record::Bound;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
const OTHER: &str = r#"{"jsonrpc":"2.0","id":9,"result":{}}"#;

fn asked() -> Talk {
    Talk::http().post("q", CALL)
}

fn said(talk: &Talk) -> Option<String> {
    let Bound::Sent(sent) = &talk.record.labels["q"] else {
        panic!("a sent message");
    };
    http_instead(&talk.record, sent)
}

#[test]
fn what_http_gave_instead_is_told() {
    let cut = |why: &str| End::Cut(why.to_owned());
    let page = "<html>\n   <body>no</body></html>";
    let long = "x".repeat(200);
    for (talk, expected) in [
        (asked(), "no HTTP response"),
        (
            asked().ended(1, End::Failed("connection refused".to_owned())),
            "no HTTP response: connection refused",
        ),
        (
            asked().ended(1, End::Closed),
            "no HTTP response before we closed it",
        ),
        (
            asked()
                .head(1, 400, "Content-Type: text/html; charset=utf-8\r\n")
                .body(1, page),
            "HTTP 400, Content-Type text/html; charset=utf-8 and no JSON-RPC message; the body begins <html> <body>no</body></html>",
        ),
        (
            asked()
                .head(1, 200, "Content-Encoding: gzip\r\n")
                .body(1, "noise"),
            "HTTP 200 without Content-Type, Content-Encoding gzip and no JSON-RPC message; the body begins noise",
        ),
        (
            asked().head(1, 202, ""),
            "HTTP 202 without Content-Type and no body",
        ),
        (
            asked().head(1, 307, "").head(1, 500, "").body(1, &long),
            &format!(
                "HTTP 500 without Content-Type and no JSON-RPC message; the body begins {}…",
                "x".repeat(120)
            ),
        ),
        (
            asked()
                .head(1, 200, JSON)
                .body(1, OTHER)
                .ended(1, cut("12 of 40 bytes")),
            "HTTP 200, Content-Type application/json and no response to this message; the body begins \
             {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}; the body was cut off: 12 of 40 bytes",
        ),
        (
            asked().head(1, 200, STREAM),
            "the event stream is still open without an event, without the response",
        ),
        (
            asked()
                .head(1, 200, STREAM)
                .event(1, None, OTHER)
                .ended(1, End::Complete),
            "the event stream ended after 1 event, without the response",
        ),
        (
            asked()
                .head(1, 200, STREAM)
                .event(1, None, OTHER)
                .event(1, None, "x")
                .ended(1, cut("connection reset")),
            "the event stream broke off after 2 events, without the response: connection reset",
        ),
    ] {
        assert_eq!(said(&talk).as_deref(), Some(expected));
    }
}

#[test]
fn nothing_is_told_where_http_has_no_part_in_it() {
    assert_eq!(said(&Talk::new().sent("q", CALL)), None);
    let mut old = asked().head(1, 202, "").body(1, "Accepted");
    old.record.binding = Binding::HttpSse;
    assert_eq!(said(&old), None);
    let mut refused = asked().head(1, 404, "");
    refused.record.binding = Binding::HttpSse;
    assert!(said(&refused).is_some_and(|said| said.starts_with("HTTP 404")));
}
