use crate::testing::{Talk, opened, watched};
use mcp_assay_model::protocol::Revision;

fn said(rule: &str, talk: &Talk) -> String {
    watched("lists", rule, talk)
}

fn open(server: &str) -> Talk {
    opened(Revision::R2025_06_18, "{}", server)
}

fn listing(talk: Talk, id: u32, names: &[&str]) -> Talk {
    let tools = names
        .iter()
        .map(|name| format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#));
    let tools: Vec<_> = tools.collect();
    talk.exchange(
        id,
        "tools/list",
        "{}",
        &format!(r#""result":{{"tools":[{}]}}"#, tools.join(",")),
    )
}

fn ping(talk: Talk, id: u32) -> Talk {
    talk.exchange(id, "ping", "{}", r#""result":{}"#)
}

const CHANGES: &str = r#"{"tools":{"listChanged":true}}"#;
const CHANGED: &str = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

#[test]
fn a_change_is_told_before_what_is_asked_after_it_is_answered() {
    let twice = |second: &[&str]| listing(listing(open(CHANGES), 1, &["a", "b"]), 2, second);
    assert_eq!(said("change-told", &ping(twice(&["b", "a"]), 3)), "1");
    assert_eq!(
        said("change-told", &ping(twice(&["a"]), 3)),
        "1 no-reply #7 /result/tools"
    );
    assert_eq!(
        said("change-told", &ping(twice(&["a", "b", "c"]), 3)),
        "1 no-reply #7 /result/tools"
    );
    // It may still come, or came.
    assert_eq!(said("change-told", &twice(&["a"])), "1");
    assert_eq!(
        said("change-told", &ping(twice(&["a"]).came(CHANGED), 3)),
        "1"
    );
    let between = listing(listing(open(CHANGES), 1, &["a"]).came(CHANGED), 2, &["b"]);
    assert_eq!(said("change-told", &ping(between, 3)), "0");
    let undeclared = listing(listing(open(r#"{"tools":{}}"#), 1, &["a"]), 2, &["b"]);
    assert_eq!(said("change-told", &ping(undeclared, 3)), "0");
}

#[test]
fn only_whole_walks_are_compared() {
    let page = |talk: Talk, id: u32, params: &str, name: &str, next: &str| {
        let result = format!(
            r#""result":{{"tools":[{{"name":"{name}","inputSchema":{{"type":"object"}}}}]{next}}}"#
        );
        talk.exchange(id, "tools/list", params, &result)
    };
    let next = r#","nextCursor":"2""#;
    let first = page(open(CHANGES), 1, "{}", "a", next);
    let half = listing(first.clone(), 2, &["a", "b"]);
    assert_eq!(said("change-told", &ping(half, 3)), "0");
    let whole = listing(page(first, 2, r#"{"cursor":"2"}"#, "b", ""), 3, &["b", "a"]);
    assert_eq!(said("change-told", &ping(whole, 4)), "1");
}

fn reading(talk: Talk, id: u32, answer: &str) -> Talk {
    talk.exchange(id, "resources/read", r#"{"uri":"a:b"}"#, answer)
}

#[test]
fn what_is_listed_can_be_read() {
    let listed = || {
        let resources = r#""result":{"resources":[{"uri":"a:b","name":"n"}]}"#;
        open("{}").exchange(1, "resources/list", "{}", resources)
    };
    let gone = r#""error":{"code":-32002,"message":"m"}"#;
    assert_eq!(
        said(
            "readable",
            &reading(listed(), 2, r#""result":{"contents":[]}"#)
        ),
        "1"
    );
    assert_eq!(
        said("readable", &reading(listed(), 2, gone)),
        "1 unimplemented #7 /error"
    );
    // Other errors say nothing of the list.
    assert_eq!(
        said(
            "readable",
            &reading(listed(), 2, &gone.replace("32002", "32603"))
        ),
        "1"
    );
    assert_eq!(said("readable", &reading(open("{}"), 1, gone)), "0");
    let changed = CHANGED.replace("tools", "resources");
    assert_eq!(
        said("readable", &reading(listed().came(changed), 2, gone)),
        "0"
    );
    let called = listed().exchange(
        2,
        "tools/call",
        r#"{"name":"t"}"#,
        r#""result":{"content":[]}"#,
    );
    assert_eq!(said("readable", &reading(called, 3, gone)), "0");
}

#[test]
fn what_is_declared_is_served() {
    let unknown = r#""error":{"code":-32601,"message":"m"}"#;
    let asked = |server: &str, method: &str, answer: &str| {
        said("served", &open(server).exchange(1, method, "{}", answer))
    };
    // The code is wrong then, and says nothing of the method.
    let broken = open(r#"{"tools":{}}"#).exchange(1, "tools/list", r#"{"cursor":1}"#, unknown);
    assert_eq!(said("served", &broken), "0");
    assert_eq!(
        asked(
            r#"{"prompts":{}}"#,
            "prompts/list",
            r#""result":{"prompts":[]}"#
        ),
        "1"
    );
    assert_eq!(
        asked(r#"{"prompts":{}}"#, "prompts/list", unknown),
        "1 unimplemented #5 /error"
    );
    assert_eq!(asked("{}", "prompts/list", unknown), "0");
    assert_eq!(
        asked(r#"{"resources":{}}"#, "resources/subscribe", unknown),
        "0"
    );
    assert_eq!(
        asked(r#"{"resources":{}}"#, "resources/templates/list", unknown),
        "0"
    );
}
