use crate::testing::{Talk, modern, opened, watched};
use mcp_assay_model::protocol::Revision;

fn said(asked: &str, code: &str) -> String {
    let error = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#);
    let talk = Talk::modern().sent("q", asked).reply("q", &error);
    watched("errors", "codes", &talk)
}

#[test]
fn retired_and_undefined_codes_are_found() {
    let read = modern("1", "resources/read", "", r#""uri":"a:b","#);
    for (code, expected) in [
        ("-32002", "1 value #2 /error/code"),
        ("-32042", "1 value #2 /error/code"),
        ("-32023", "1 value #2 /error/code"),
        ("-32099", "1 value #2 /error/code"),
        ("-32020", "1"),
        ("-32021", "1"),
        ("-32022", "1"),
        ("-32602", "1"),
        ("-32001", "1"),
        ("-32100", "1"),
        ("7", "1"),
        (r#""-32002""#, "0"),
    ] {
        assert_eq!(said(&read, code), expected, "{code}");
    }
}

#[test]
fn a_request_that_a_legacy_server_may_answer_is_not_judged() {
    let bare = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b"}}"#;
    assert_eq!(said(bare, "-32002"), "0");
    let other = modern("1", "resources/read", "", r#""uri":"a:b","#).replace("2026", "2031");
    assert_eq!(said(&other, "-32002"), "0");
    assert_eq!(said(&modern("1", "initialize", "", ""), "-32002"), "0");
}

#[test]
fn codes_of_the_specification_mean_what_it_says() {
    let list = modern("1", "tools/list", "", "");
    let refused = |code: i64| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#)
    };
    let said = |rule: &str, talk: Talk| watched("errors", rule, &talk);
    let on_lines = |code| Talk::modern().sent("q", &list).reply("q", &refused(code));
    assert_eq!(said("meanings", on_lines(-32020)), "1 value #2 /error/code");
    assert_eq!(said("meanings", on_lines(-32021)), "1");
    // Not known to be supported: another may be right.
    assert_eq!(said("meanings", on_lines(-32022)), "1");
    let discovered = Talk::modern()
        .sent("d", &modern("0", "server/discover", "", ""))
        .reply(
            "d",
            r#"{"jsonrpc":"2.0","id":0,"result":{"supportedVersions":["2026-07-28"]}}"#,
        );
    let refused_then = discovered.sent("q", &list).reply("q", &refused(-32022));
    assert_eq!(said("meanings", refused_then), "1 value #4 /error/code");
    for (code, expected) in [
        (-32100, "1 value #2 /error/code"),
        (-32604, "1 value #2 /error/code"),
        (-32603, "1"),
        (-32700, "1"),
        // Another rule's matter.
        (-32050, "1"),
        (-32000, "1"),
        (-32769, "1"),
        (7, "1"),
    ] {
        assert_eq!(said("own-range", on_lines(code)), expected, "{code}");
    }
}

#[test]
fn the_text_of_an_error_is_one_line() {
    let said = |text: &str| {
        let list = modern("1", "tools/list", "", "");
        let reply =
            format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-1,"message":"{text}"}}}}"#);
        watched(
            "errors",
            "one-line",
            &Talk::modern().sent("q", &list).reply("q", &reply),
        )
    };
    assert_eq!(said("no such tool"), "1");
    assert_eq!(said("no such tool\\n"), "1");
    assert_eq!(said(""), "1");
    assert_eq!(said("one\\ntwo"), "1 value #2 /error/message");
}

#[test]
fn in_the_legacy_era_codes_that_are_kept_for_later_are_found_and_those_of_servers_are_not() {
    for (code, expected) in [
        (-32768, "1 value #5 /error/code"),
        (-32701, "1 value #5 /error/code"),
        (-32699, "1 value #5 /error/code"),
        (-32604, "1 value #5 /error/code"),
        (-32599, "1 value #5 /error/code"),
        (-32500, "1 value #5 /error/code"),
        (-32100, "1 value #5 /error/code"),
        (-32700, "1"),
        (-32603, "1"),
        (-32600, "1"),
        // Servers' own: of SDKs, of earlier and of later revisions.
        (-32099, "1"),
        (-32042, "1"),
        (-32002, "1"),
        (-32001, "1"),
        (-32000, "1"),
        // Not reserved; two of these are the language server protocol's.
        (-32800, "1"),
        (-32801, "1"),
        (-32769, "1"),
        (-1, "1"),
        (404, "1"),
    ] {
        let refused = format!(r#""error":{{"code":{code},"message":"m"}}"#);
        let talk = opened(Revision::R2025_06_18, "{}", "{}").exchange(
            7,
            "prompts/get",
            r#"{"name":"p"}"#,
            &refused,
        );
        assert_eq!(watched("errors", "unassigned", &talk), expected, "{code}");
        assert_eq!(watched("errors", "own-range", &talk), "0", "{code}");
    }
}
