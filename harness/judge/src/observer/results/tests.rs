use crate::testing::{JSON, POST, Talk, modern, watched};

fn said(talk: &Talk) -> String {
    watched("results", "result-type", talk)
}

fn answer(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn answered(asked: &str, result: &str) -> Talk {
    let talk = Talk::modern().sent("q", asked);
    talk.reply("q", &answer("1", result))
}

#[test]
fn a_result_has_a_type_that_its_method_may_have() {
    let list = modern("1", "tools/list", "", "");
    let call = modern("1", "tools/call", "", "");
    let extended = call.replace(
        r#""io.modelcontextprotocol/clientCapabilities":{}"#,
        r#""io.modelcontextprotocol/clientCapabilities":{"extensions":{"a/b":{}}}"#,
    );
    for (asked, result, expected) in [
        (&list, r#"{"resultType":"complete"}"#, "1"),
        (&list, "{}", "1 schema #2 /result"),
        (&list, "[]", "1 schema #2 /result"),
        (
            &list,
            r#"{"resultType":null}"#,
            "1 schema #2 /result/resultType",
        ),
        (
            &list,
            r#"{"resultType":7}"#,
            "1 schema #2 /result/resultType",
        ),
        (
            &list,
            r#"{"resultType":"input_required"}"#,
            "1 value #2 /result/resultType",
        ),
        (&call, r#"{"resultType":"input_required"}"#, "1"),
        (
            &call,
            r#"{"resultType":"task"}"#,
            "1 value #2 /result/resultType",
        ),
        (&extended, r#"{"resultType":"task"}"#, "1"),
    ] {
        assert_eq!(said(&answered(asked, result)), expected, "{asked} {result}");
    }
}

#[test]
fn what_answers_no_lawful_request_is_not_judged() {
    let list = modern("1", "tools/list", "", "");
    for asked in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_owned(),
        list.replace("2026-07-28", "2025-11-25"),
        list.replace(
            r#""io.modelcontextprotocol/clientCapabilities":{}"#,
            r#""a":1"#,
        ),
        list.replace(r#""2.0""#, r#""1.0""#),
        list.replace(r#""id":1"#, r#""id":1.0"#),
        list.replace(r#""id":1"#, r#""id":null"#),
        modern("1", "initialize", "", ""),
        modern("1", "ping", "", ""),
        modern("1", "roots/list", "", ""),
    ] {
        assert_eq!(said(&answered(&asked, "{}")), "0", "{asked}");
    }
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"m"}}"#;
    let refused = Talk::modern().sent("q", &list).reply("q", error);
    assert_eq!(said(&refused), "0");
    let stray = Talk::modern().sent("q", &list).came(answer("2", "{}"));
    assert_eq!(said(&stray), "0");
    // With another id it may be the late answer to a request before this conversation.
    let late = Talk::modern()
        .sent("q", &list)
        .reply("q", &answer("2", "{}"));
    assert_eq!(said(&late), "0");
}

#[test]
fn with_one_id_for_two_requests_it_is_not_known_which_is_answered() {
    let list = modern("1", "tools/list", "", "");
    let call = modern("1", "tools/call", "", "");
    let interim = answer("1", r#"{"resultType":"input_required"}"#);
    let both = Talk::modern().sent("q", &call).sent("p", &list);
    assert_eq!(said(&both.reply("p", &interim)), "0");
    // Once it was answered, an id may name another request.
    let one = Talk::modern().sent("q", &call).reply("q", &interim);
    let next = one.sent("p", &list).reply("p", &interim);
    assert_eq!(said(&next), "2 value #4 /result/resultType");
}

#[test]
fn over_http_the_header_makes_a_request_one_of_this_revision() {
    let list = modern("1", "tools/list", "", "");
    let answered = |talk: Talk| {
        talk.head(1, 200, JSON)
            .body(1, &answer("1", "{}"))
            .answers("q")
    };
    let said = |talk: Talk| said(&answered(talk));
    assert_eq!(
        said(Talk::modern_http().modern_post("q", &list)),
        "1 schema #3 /result"
    );
    for version in [
        "",
        "MCP-Protocol-Version: 2025-03-26\r\n",
        "MCP-Protocol-Version: 2026-07-28\r\nMCP-Protocol-Version: 2026-07-28\r\n",
    ] {
        let headers = format!("{POST}{version}");
        let talk = Talk::modern_http().request("q", "POST", &headers, &list);
        assert_eq!(said(talk), "0", "{version}");
    }
}
