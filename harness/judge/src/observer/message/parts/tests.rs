use crate::testing::{Talk, modern, opened, watched};
use mcp_assay_model::protocol::Revision;

const RESULTS: [&str; 5] = ["content", "meta", "resource-uri", "result", "task"];

/// What the rules find in an answer, each by its name.
fn found(revision: Revision, method: &str, params: &str, result: &str) -> Vec<String> {
    let talk = opened(revision, "{}", "{}");
    let talk = talk.exchange(1, method, params, &format!(r#""result":{result}"#));
    let rules = RESULTS.into_iter().chain(["tool-schema", "tool-headers"]);
    let told = rules.map(|rule| (rule, watched("message", rule, &talk)));
    told.filter(|(_, said)| said.contains('#'))
        .map(|(rule, said)| format!("{rule} {said}"))
        .collect()
}

fn call(content: &str) -> Vec<String> {
    let result = format!(r#"{{"content":[{content}]}}"#);
    found(
        Revision::R2025_06_18,
        "tools/call",
        r#"{"name":"t"}"#,
        &result,
    )
}

#[test]
fn content_is_told_apart_from_the_rest_of_a_result() {
    for lawful in [
        r#"{"type":"image","data":"eA==","mimeType":"image/png"}"#,
        r#"{"type":"audio","data":"","mimeType":"audio/wav; rate=8000"}"#,
        r#"{"type":"resource","resource":{"uri":"x-y:a","text":""}}"#,
        r#"{"type":"resource","resource":{"uri":"a:b","blob":"eA==","mimeType":"a/b"}}"#,
        r#"{"type":"text","text":"not base64!!"}"#,
    ] {
        assert_eq!(call(lawful), Vec::<String>::new(), "{lawful}");
    }
    for (broken, expected) in [
        (
            r#"{"type":"image","data":"eA","mimeType":"image/png"}"#,
            "content 1 schema #5 /result/content/0/data",
        ),
        (
            r#"{"type":"audio","data":"eA==","mimeType":"wav"}"#,
            "content 1 schema #5 /result/content/0/mimeType",
        ),
        (
            r#"{"type":"image","data":"eA=="}"#,
            "content 1 schema #5 /result/content/0",
        ),
        (
            r#"{"type":"resource","resource":{"uri":"a:b","blob":"?"}}"#,
            "content 1 schema #5 /result/content/0/resource/blob",
        ),
        (
            r#"{"type":"resource","resource":{"uri":"no uri","text":""}}"#,
            "resource-uri 1 schema #5 /result/content/0/resource/uri",
        ),
        (
            r#"{"type":"text","text":7}"#,
            "result 2 schema #5 /result/content/0/text",
        ),
    ] {
        assert_eq!(call(broken), [expected], "{broken}");
    }
}

#[test]
fn binary_contents_are_content() {
    let read = |contents: &str| {
        let result = format!(r#"{{"contents":[{contents}]}}"#);
        found(
            Revision::R2024_11_05,
            "resources/read",
            r#"{"uri":"a:b"}"#,
            &result,
        )
    };
    assert_eq!(read(r#"{"uri":"a:b","blob":"eA=="}"#), Vec::<String>::new());
    assert_eq!(
        read(r#"{"uri":"a:b","blob":"eA"}"#),
        ["content 1 schema #5 /result/contents/0/blob"]
    );
    assert_eq!(
        read(r#"{"text":""}"#),
        ["resource-uri 0 schema #5 /result/contents/0"]
    );
}

#[test]
fn a_resource_in_a_prompt_has_a_mime_type_that_is_one() {
    let got = |kind: &str| {
        let content =
            format!(r#"{{"type":"resource","resource":{{"uri":"a:b","text":""{kind}}}}}"#);
        let result = format!(r#"{{"messages":[{{"role":"user","content":{content}}}]}}"#);
        found(
            Revision::R2024_11_05,
            "prompts/get",
            r#"{"name":"p"}"#,
            &result,
        )
    };
    assert_eq!(got(""), Vec::<String>::new());
    assert_eq!(
        got(r#","mimeType":"text/plain; charset=utf-8""#),
        Vec::<String>::new()
    );
    assert_eq!(
        got(r#","mimeType":"plain""#),
        ["content 1 schema #5 /result/messages/0/content/resource/mimeType"]
    );
}

#[test]
fn keys_of_meta_are_told_where_the_revision_has_rules_on_them() {
    let listed = |revision, meta: &str| {
        found(
            revision,
            "tools/list",
            "{}",
            &format!(r#"{{"tools":[],"_meta":{meta}}}"#),
        )
    };
    let newer = Revision::R2025_06_18;
    assert_eq!(
        listed(newer, r#"{"example.org/a-b.c":1,"":2}"#),
        Vec::<String>::new()
    );
    assert_eq!(
        listed(newer, r#"{"-a":1}"#),
        ["meta 1 schema #5 /result/_meta"]
    );
    assert_eq!(
        listed(Revision::R2025_03_26, r#"{"-a":1}"#),
        Vec::<String>::new()
    );
}

#[test]
fn trace_context_is_a_matter_of_meta() {
    let talk = |meta: &str| {
        let result = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","tools":[],"ttlMs":0,"cacheScope":"public","_meta":{{{meta}}}}}}}"#
        );
        let talk = Talk::modern().sent("q", &modern("1", "tools/list", "", ""));
        watched("message", "meta", &talk.reply("q", &result))
    };
    assert_eq!(talk(r#""tracestate":"a=1,b=2","baggage":"k=v;p""#), "1");
    assert_eq!(
        talk(r#""tracestate":"a""#),
        "1 schema #2 /result/_meta/tracestate"
    );
    assert_eq!(
        talk(r#""baggage":"a b""#),
        "1 schema #2 /result/_meta/baggage"
    );
    assert_eq!(
        talk(r#""traceparent":"00""#),
        "1 schema #2 /result/_meta/traceparent"
    );
}

#[test]
fn the_state_of_a_task_is_told_apart() {
    let got = |task: &str| {
        found(
            Revision::R2025_11_25,
            "tasks/get",
            r#"{"taskId":"a"}"#,
            task,
        )
    };
    let whole = r#"{"taskId":"a","status":"working","createdAt":"2025-01-01T00:00:00Z","lastUpdatedAt":"2025-01-01T00:00:00Z","ttl":null}"#;
    assert_eq!(got(whole), Vec::<String>::new());
    assert_eq!(
        got(&whole.replace(r#","ttl":null"#, "")),
        ["task 1 schema #5 /result"]
    );
    assert_eq!(
        got(&whole.replace("2025-01-01T00:00:00Z", "today")),
        ["task 1 schema #5 /result/createdAt, schema #5 /result/lastUpdatedAt"]
    );
    assert_eq!(
        got(&whole.replace("working", "busy")),
        ["result 2 value #5 /result/status"]
    );
    let made = |task: &str| {
        let result = format!(r#"{{"task":{task}}}"#);
        found(
            Revision::R2025_11_25,
            "tools/call",
            r#"{"name":"t","task":{}}"#,
            &result,
        )
    };
    assert_eq!(made(whole), Vec::<String>::new());
    assert_eq!(
        made(&whole.replace(r#""a""#, "7")),
        ["task 1 schema #5 /result/task/taskId"]
    );
}

#[test]
fn the_schemas_of_tools_are_told_apart() {
    let listed = |revision, tool: &str| {
        found(
            revision,
            "tools/list",
            "{}",
            &format!(r#"{{"tools":[{tool}]}}"#),
        )
    };
    let newer = Revision::R2025_11_25;
    assert_eq!(
        listed(newer, r#"{"name":"t","inputSchema":{"type":"object"}}"#),
        Vec::<String>::new()
    );
    assert_eq!(
        listed(newer, r#"{"name":"t","inputSchema":null}"#),
        ["tool-schema 1 schema #5 /result/tools/0/inputSchema"]
    );
    assert_eq!(
        listed(Revision::R2025_06_18, r#"{"name":"t","inputSchema":null}"#),
        ["result 2 schema #5 /result/tools/0/inputSchema"]
    );
}

#[test]
fn marks_of_headers_are_told_apart() {
    let listed = |rule: &str, schema: &str| {
        let result = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":[{{"name":"t","inputSchema":{schema}}}]}}}}"#
        );
        let talk = Talk::modern().sent("q", &modern("1", "tools/list", "", ""));
        watched("message", rule, &talk.reply("q", &result))
    };
    let marked = r#"{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}"#;
    let odd = marked.replace(r#":"A""#, r#":"A B""#);
    let place = "schema #2 /result/tools/0/inputSchema";
    assert_eq!(listed("tool-headers", marked), "1");
    assert_eq!(listed("tool-headers", &odd), format!("1 {place}"));
    assert_eq!(listed("tool-schema", &odd), "1");
    assert_eq!(listed("result", &odd), "1");
    assert_eq!(
        listed("tool-schema", r#"{"type":"object","properties":7}"#),
        format!("1 {place}/properties")
    );
}

#[test]
fn elicitations_and_sampling_are_told_in_either_era() {
    let legacy = |params: &str| {
        let talk = opened(
            Revision::R2025_11_25,
            r#"{"elicitation":{"url":{},"form":{}}}"#,
            "{}",
        );
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{params}}}"#
        );
        watched("message", "elicitation", &talk.came(line))
    };
    let form = r#"{"message":"m","requestedSchema":{"type":"object","properties":{}}}"#;
    assert_eq!(legacy(form), "1");
    assert_eq!(legacy(r#"{"message":"m"}"#), "1 schema #4 /params");
    assert_eq!(
        legacy(r#"{"mode":"url","message":"m","url":"a b","elicitationId":"e"}"#),
        "1 schema #4 /params/url"
    );
    let asks = |rule: &str, request: &str| {
        let result = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"k":{request}}}}}}}"#
        );
        let call = modern("1", "tools/call", "", r#""name":"t","#);
        watched(
            "message",
            rule,
            &Talk::modern().sent("q", &call).reply("q", &result),
        )
    };
    let elicits = |params: &str| {
        asks(
            "elicitation",
            &format!(r#"{{"method":"elicitation/create","params":{params}}}"#),
        )
    };
    assert_eq!(elicits(form), "1");
    assert_eq!(
        elicits(r#"{"requestedSchema":{"type":"object","properties":{}}}"#),
        "1 schema #2 /result/inputRequests/k/params"
    );
    let samples = |role: &str| {
        let request = format!(
            r#"{{"method":"sampling/createMessage","params":{{"maxTokens":1,"messages":[{{"role":"{role}","content":{{"type":"text","text":"t"}}}}]}}}}"#
        );
        asks("sampling", &request)
    };
    assert_eq!(samples("user"), "1");
    assert_eq!(
        samples("system"),
        "1 value #2 /result/inputRequests/k/params/messages/0/role"
    );
}
