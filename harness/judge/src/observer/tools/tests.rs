use crate::testing::{Talk, opened, watched};
use mcp_assay_model::protocol::Revision;

fn said(rule: &str, talk: &Talk) -> String {
    watched("tools", rule, talk)
}

fn listing(id: u32, tools: &str, talk: Talk) -> Talk {
    talk.exchange(
        id,
        "tools/list",
        "{}",
        &format!(r#""result":{{"tools":[{tools}]}}"#),
    )
}

fn calling(id: u32, result: &str, talk: Talk) -> Talk {
    talk.exchange(
        id,
        "tools/call",
        r#"{"name":"t"}"#,
        &format!(r#""result":{result}"#),
    )
}

fn open() -> Talk {
    opened(Revision::R2025_11_25, "{}", r#"{"tools":{}}"#)
}

const TOOL: &str = r#"{"name":"t","inputSchema":{"type":"object"},"outputSchema":{"type":"object","required":["n"]}}"#;

#[test]
fn a_result_fits_the_schema_that_was_listed_before_the_call() {
    let after = |result: &str| said("output", &calling(2, result, listing(1, TOOL, open())));
    assert_eq!(after(r#"{"content":[],"structuredContent":{"n":1}}"#), "1");
    assert_eq!(
        after(r#"{"content":[],"structuredContent":{}}"#),
        "1 schema #7 /result/structuredContent"
    );
    assert_eq!(after(r#"{"content":[]}"#), "1 schema #7 /result");
    assert_eq!(after(r#"{"content":[],"isError":true}"#), "0");
    // Not listed, or only after the call.
    let broken = r#"{"content":[],"structuredContent":{}}"#;
    assert_eq!(said("output", &calling(1, broken, open())), "0");
    let late = listing(
        1,
        TOOL,
        open().sent(
            "c",
            r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}"#,
        ),
    );
    let late = late.reply(
        "c",
        &format!(r#"{{"jsonrpc":"2.0","id":2,"result":{broken}}}"#),
    );
    assert_eq!(said("output", &late), "0");
}

#[test]
fn what_may_have_changed_promises_nothing() {
    let broken = r#"{"content":[],"structuredContent":{}}"#;
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let talk = listing(1, TOOL, open()).came(changed);
    assert_eq!(said("output", &calling(2, broken, talk)), "0");
    let other = TOOL.replace("required", "dependentRequired_");
    let twice = listing(2, &other, listing(1, TOOL, open()));
    assert_eq!(said("output", &calling(3, broken, twice)), "0");
    // What cannot be decided is not judged.
    let far = TOOL.replace(r#""required":["n"]"#, r#""$ref":"https://example.org/s""#);
    assert_eq!(
        said("output", &calling(2, broken, listing(1, &far, open()))),
        "0"
    );
}

#[test]
fn structured_content_is_found_in_a_text() {
    let copied = |text: &str, structured: &str| {
        let result = format!(r#"{{"content":[{text}],"structuredContent":{structured}}}"#);
        said("text-copy", &calling(1, &result, open()))
    };
    for (text, structured) in [
        (r#"{"type":"text","text":"{ \"n\" : 1.0 }"}"#, r#"{"n":1}"#),
        (r#"{"type":"text","text":"plain"}"#, r#"{"result":"plain"}"#),
        (
            r#"{"type":"text","text":"a"},{"type":"text","text":"2"}"#,
            r#"{"result":["a",2]}"#,
        ),
    ] {
        assert_eq!(copied(text, structured), "1", "{text}");
    }
    for text in ["", r#"{"type":"text","text":"done"}"#] {
        assert_eq!(
            copied(text, r#"{"n":1}"#),
            "1 value #5 /result/content",
            "{text}"
        );
    }
    assert_eq!(
        said("text-copy", &calling(1, r#"{"content":[]}"#, open())),
        "0"
    );
}

#[test]
fn an_embedded_resource_needs_the_capability() {
    let result = r#"{"content":[{"type":"resource","resource":{"uri":"a:b","text":""}}]}"#;
    let undeclared = calling(1, result, open());
    assert_eq!(
        said("embedded-declared", &undeclared),
        "1 undeclared #5 /result/content"
    );
    let declared = opened(Revision::R2025_11_25, "{}", r#"{"resources":{}}"#);
    assert_eq!(
        said("embedded-declared", &calling(1, result, declared)),
        "1"
    );
    let link = r#"{"content":[{"type":"resource_link","uri":"a:b","name":"n"}]}"#;
    assert_eq!(said("embedded-declared", &calling(1, link, open())), "0");
}

#[test]
fn names_have_few_characters() {
    let named = |name: &str| {
        let tool = format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
        said("name", &listing(1, &tool, open()))
    };
    for name in ["a", "A-z_0.9", &"n".repeat(128)] {
        assert_eq!(named(name), "1", "{name}");
    }
    for name in ["", "a b", "a,b", "é", "a/b", &"n".repeat(129)] {
        assert_eq!(named(name), "1 value #5 /result/tools/0/name", "{name}");
    }
}

#[test]
fn names_are_unique_in_one_walk() {
    let tool = r#"{"name":"t","inputSchema":{"type":"object"}}"#;
    let page = |talk: Talk, id: u32, params: &str, next: &str| {
        let result = format!(r#""result":{{"tools":[{tool}]{next}}}"#);
        talk.exchange(id, "tools/list", params, &result)
    };
    let next = r#","nextCursor":"2""#;
    let second = page(page(open(), 1, "{}", next), 2, r#"{"cursor":"2"}"#, "");
    assert_eq!(
        said("name-unique", &second),
        "2 duplicate #7 /result/tools/0/name"
    );
    let again = page(page(open(), 1, "{}", next), 2, "{}", "");
    assert_eq!(said("name-unique", &again), "2");
    let one_page = listing(1, &format!("{tool},{tool}"), open());
    assert_eq!(
        said("name-unique", &one_page),
        "2 duplicate #5 /result/tools/1/name"
    );
}

#[test]
fn a_dialect_that_is_named_is_2020_12() {
    let named = |dialect: &str| {
        let tool = format!(r#"{{"name":"t","inputSchema":{{"type":"object"{dialect}}}}}"#);
        said("dialect", &listing(1, &tool, open()))
    };
    assert_eq!(named(""), "0");
    assert_eq!(
        named(r#","$schema":"https://json-schema.org/draft/2020-12/schema""#),
        "1"
    );
    assert_eq!(
        named(r#","$schema":"http://json-schema.org/draft-07/schema#""#),
        "1 value #5 /result/tools/0/inputSchema/$schema"
    );
}
