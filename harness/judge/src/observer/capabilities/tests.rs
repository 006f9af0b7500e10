use crate::testing::{Talk, watched};
use mcp_assay_model::protocol::Revision;

/// A conversation of a revision that has begun, with what each side declares.
fn opened(revision: Revision, client: &str, server: &str) -> Talk {
    let mut talk = Talk::new();
    talk.record.revision = revision;
    let initialize = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{client},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    );
    let welcome = format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}","capabilities":{server},"serverInfo":{{"name":"s","version":"1"}}}}}}"#
    );
    talk.sent("i", &initialize).reply("i", &welcome)
}

fn notified(method: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#)
}

fn asked(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
}

fn said(rule: &str, talk: &Talk) -> String {
    watched("capabilities", rule, talk)
}

#[test]
fn a_server_notifies_of_what_it_declared() {
    let talk = |server: &str, method: &str| {
        opened(Revision::R2025_06_18, "{}", server).came(notified(method))
    };
    let tools = "notifications/tools/list_changed";
    let updated = "notifications/resources/updated";
    for (server, method, expected) in [
        (r#"{"tools":{"listChanged":true}}"#, tools, "1"),
        (r#"{"tools":{}}"#, tools, "1 undeclared #3 /method"),
        (
            r#"{"tools":{"listChanged":false}}"#,
            tools,
            "1 undeclared #3 /method",
        ),
        (r#"{"resources":{"subscribe":true}}"#, updated, "1"),
        (
            r#"{"resources":{"listChanged":true}}"#,
            updated,
            "1 undeclared #3 /method",
        ),
        ("{}", "notifications/message", "0"),
        ("{}", "notifications/example.org/own", "0"),
    ] {
        assert_eq!(
            said("notifies", &talk(server, method)),
            expected,
            "{server} {method}"
        );
    }
}

#[test]
fn a_server_asks_for_what_the_client_declared() {
    let talk = |client: &str, method: &str, params: &str| {
        opened(Revision::R2025_11_25, client, "{}").came(asked(method, params))
    };
    let elicit = "elicitation/create";
    for (client, method, params, expected) in [
        (r#"{"roots":{}}"#, "roots/list", "{}", "1"),
        ("{}", "roots/list", "{}", "1 undeclared #3 /method"),
        // Form is what a client can do that says no more.
        (r#"{"elicitation":{}}"#, elicit, "{}", "1"),
        (
            r#"{"elicitation":{}}"#,
            elicit,
            r#"{"mode":"url"}"#,
            "1 undeclared #3 /method",
        ),
        (
            r#"{"elicitation":{"url":{}}}"#,
            elicit,
            r#"{"mode":"url"}"#,
            "1",
        ),
        ("{}", "ping", "{}", "0"),
    ] {
        assert_eq!(
            said("server-asks", &talk(client, method, params)),
            expected,
            "{client} {method} {params}"
        );
    }
}

#[test]
fn whoever_tells_of_roots_may_be_asked_for_them() {
    let told = r#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#;
    let talk = opened(Revision::R2025_11_25, "{}", "{}").raw(told);
    assert_eq!(
        said("server-asks", &talk.came(asked("roots/list", "{}"))),
        "0"
    );
}

#[test]
fn a_method_of_another_revision_is_none_of_this_one() {
    let talk = |revision: Revision, method: &str| {
        opened(revision, r#"{"elicitation":{}}"#, "{}").came(asked(method, "{}"))
    };
    for (revision, method, expected) in [
        (Revision::R2025_06_18, "elicitation/create", "1"),
        (
            Revision::R2025_03_26,
            "elicitation/create",
            "1 unexpected-message #3 /method",
        ),
        (Revision::R2025_03_26, "example.org/own", "0"),
        // What only clients send is unknown of a server as well, and another rule's matter.
        (Revision::R2025_03_26, "tools/list", "1"),
    ] {
        assert_eq!(
            said("revision", &talk(revision, method)),
            expected,
            "{revision} {method}"
        );
    }
}
