use crate::testing::{Talk, watched};
use mcp_assay_model::protocol::Revision;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const WELCOME: &str = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

fn open() -> Talk {
    let mut talk = Talk::new();
    talk.record.revision = Revision::R2025_11_25;
    talk.sent("i", INITIALIZE).reply("i", WELCOME)
}

fn cancelled(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
    )
}

fn said(rule: &str, talk: Talk) -> String {
    watched("cancellation", rule, &talk)
}

#[test]
fn a_server_cancels_its_own_requests() {
    assert_eq!(said("own", open().came(PING).came(cancelled("1"))), "1");
    for (talk, id) in [
        (open(), "1"),
        (open().came(PING), r#""1""#),
        // A request of the client's is none of the server's.
        (open().sent("q", PING), "1"),
    ] {
        let found = said("own", talk.came(cancelled(id)));
        assert!(found.starts_with("1 id #"), "{id}: {found}");
    }
    // What was asked before the record begins is not known.
    let mut earlier = open();
    let one = mcp_assay_wire::jsonrpc::RawId("1".to_owned());
    earlier.record.past.ids.insert(one);
    assert_eq!(said("own", earlier.came(cancelled("1"))), "0");
}

#[test]
fn an_answer_may_cross_a_cancellation() {
    let answered = || open().came(PING).sent("p", PONG);
    assert_eq!(said("in-flight", answered().came(cancelled("1"))), "1");
    let later = answered().sent("q", &PING.replace(":1,", ":2,"));
    let later = later.reply("q", &PONG.replace(":1,", ":2,"));
    assert_eq!(
        said("in-flight", later.came(cancelled("1"))),
        "1 order #7 /params/requestId"
    );
}

#[test]
fn a_cancellation_names_its_request() {
    let without = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#;
    assert_eq!(said("named", open().came(without)), "1 schema #3 /params");
    assert_eq!(said("named", open().came(PING).came(cancelled("1"))), "1");
}
