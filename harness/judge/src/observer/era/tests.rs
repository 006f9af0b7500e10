use crate::observer::observe;
use crate::testing::{JSON, POST, STREAM, Talk, modern, watched};
use mcp_assay_model::protocol::Revision;

const PING: &str = r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#;
const REFUSED: &str = r#"{"jsonrpc":"2.0","id":9,"error":{"code":-32601,"message":"no"}}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}"#;

fn said(talk: &Talk) -> String {
    watched("era", "no-server-requests", talk)
}

fn asked() -> Talk {
    Talk::modern().sent("q", &modern("1", "tools/list", "", ""))
}

#[test]
fn a_request_of_the_server_is_found_on_lines() {
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
    for (talk, expected) in [
        (asked().reply("q", RESULT), "1"),
        (asked().came(log).reply("q", RESULT), "2"),
        (asked().came(PING), "1 unexpected-message #2"),
        (asked().came(PING).came(PING), "2 unexpected-message #2"),
        (Talk::modern().came(PING), "1 unexpected-message #1"),
        // Null is no id, and what is no message is for other rules.
        (
            asked().came(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#),
            "1",
        ),
        (asked().came("{}"), "0"),
    ] {
        assert_eq!(said(&talk), expected);
    }
}

#[test]
fn a_legacy_conversation_on_the_lines_has_requests_of_the_server() {
    let opened = r#"{"jsonrpc":"2.0","id":9,"result":{"protocolVersion":"2025-11-25"}}"#;
    let probed = || asked().sent("i", INITIALIZE);
    assert_eq!(said(&probed().came(PING)), "0");
    assert_eq!(said(&probed().reply("i", opened).came(PING)), "0");
    assert_eq!(
        said(&probed().reply("i", REFUSED).came(PING)),
        "2 unexpected-message #4"
    );
    // One that was served keeps the lines, whatever becomes of the next.
    let again = probed().reply("i", opened).sent("j", INITIALIZE);
    assert_eq!(said(&again.reply("j", REFUSED).came(PING)), "0");
}

#[test]
fn a_request_of_the_server_is_found_in_the_exchange_of_a_modern_request() {
    let call = modern("1", "tools/call", "", "");
    let stream = |talk: Talk| talk.head(1, 200, STREAM).event(1, None, PING);
    for (talk, expected) in [
        (
            stream(Talk::modern_http().modern_post("q", &call)),
            "1 unexpected-message #3",
        ),
        (
            Talk::modern_http()
                .modern_post("q", &call)
                .head(1, 200, JSON)
                .body(1, PING),
            "1 unexpected-message #3",
        ),
        // Without the header, or with nothing in `_meta`, a server of both eras may take it for a legacy request.
        (
            stream(Talk::modern_http().request("q", "POST", POST, &call)),
            "0",
        ),
        (
            stream(Talk::modern_http().modern_post(
                "q",
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#,
            )),
            "0",
        ),
        (
            stream(Talk::modern_http().modern_post("q", INITIALIZE)),
            "0",
        ),
        (
            stream(Talk::modern_http().request("q", "GET", "Accept: text/event-stream\r\n", "")),
            "0",
        ),
    ] {
        assert_eq!(said(&talk), expected, "{:?}", talk.record.entries[0].raw);
    }
}

#[test]
fn rules_of_the_modern_era_do_not_look_at_the_legacy_era() {
    for revision in [Revision::R2024_11_05, Revision::R2025_11_25] {
        let mut talk = asked().came(PING);
        talk.record.revision = revision;
        let observed = observe(&talk.record);
        let names: Vec<_> = observed.iter().map(|one| one.observer).collect();
        for of_modern in ["caching", "era", "results", "subscriptions"] {
            assert!(!names.contains(&of_modern), "{revision}: {names:?}");
        }
    }
}
