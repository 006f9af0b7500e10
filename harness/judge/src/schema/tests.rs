use super::*;
use mcp_assay_schemas::REVISIONS;
use proptest::prelude::*;
use std::fmt::Write;

const R: Revision = Revision::R2025_11_25;
const MODERN: Revision = Revision::R2026_07_28;

fn shown(violations: &[Violation]) -> String {
    let mut out = String::new();
    for violation in violations {
        let Violation {
            code,
            message,
            expected,
            actual,
            pointer,
            count,
        } = violation;
        writeln!(
            out,
            "{code} x{count} at {pointer:?}: {message}\n  expected {expected}\n  actual {actual}"
        )
        .unwrap();
    }
    out
}

fn judge(name: &str, text: &str) -> Vec<Violation> {
    judge_in(R, name, text)
}

fn judge_in(revision: Revision, name: &str, text: &str) -> Vec<Violation> {
    let value = serde_json::from_str(text).unwrap();
    Schemas::of(revision)
        .judge_definition(name, &value, Some(text))
        .unwrap()
}

#[test]
fn every_definition_of_every_revision_compiles() {
    for revision in REVISIONS {
        let schemas = Schemas::of(revision.parse().unwrap());
        for name in schemas.definitions() {
            assert!(
                schemas.judge_definition(name, &Value::Null, None).is_ok(),
                "{revision} {name}"
            );
        }
    }
}

#[test]
fn an_unknown_name_is_an_error() {
    let error = Schemas::of(R)
        .judge_definition("tool", &Value::Null, None)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "revision 2025-11-25 has no definition `tool`"
    );
}

/// Each with its passing twin.
#[test]
fn definitions_accept_and_refuse() {
    for (name, good, bad) in [
        ("EmptyResult", r#"{"extra":1}"#, r#"{"_meta":1}"#),
        (
            "Tool",
            r#"{"name":"t","inputSchema":{"type":"object"}}"#,
            r#"{"name":"t","inputSchema":{}}"#,
        ),
        (
            "Tool",
            r#"{"name":"t","inputSchema":{"type":"object","properties":{"a":true,"b":{}}}}"#,
            r#"{"name":"t","inputSchema":{"type":"object","properties":{"a":7}}}"#,
        ),
        (
            "CallToolResult",
            r#"{"content":[{"type":"image","data":"eA==","mimeType":"image/png"}]}"#,
            r#"{"content":[{"type":"image","data":"eA","mimeType":"image/png"}]}"#,
        ),
        (
            "ReadResourceResult",
            r#"{"contents":[{"uri":"a:b","text":"x"}]}"#,
            r#"{"contents":[{"uri":"no uri %%","text":"x"}]}"#,
        ),
        (
            "ReadResourceResult",
            r#"{"contents":[{"uri":"a:b","text":"x","blob":"eA=="}]}"#,
            r#"{"contents":[{"uri":"a:b","text":"x","blob":7}]}"#,
        ),
        (
            "ElicitResult",
            r#"{"action":"accept","content":{"a":1.5,"b":["x"]}}"#,
            r#"{"action":"accept","content":{"a":null}}"#,
        ),
        (
            "ElicitRequestParams",
            r#"{"mode":"url","message":"m","elicitationId":"1","url":"a:b"}"#,
            r#"{"mode":"url","message":"m","requestedSchema":{"type":"object","properties":{}}}"#,
        ),
        (
            "SamplingMessage",
            r#"{"role":"user","content":[{"type":"text","text":"x"}]}"#,
            r#"{"role":"user","content":[{"type":"text"}]}"#,
        ),
        (
            "JSONRPCErrorResponse",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":-32700,"message":"m"}}"#,
        ),
        (
            "Task",
            r#"{"taskId":"t","status":"working","createdAt":"2025-11-25T10:30:00Z","lastUpdatedAt":"2025-11-25T10:30:00.5+01:00","ttl":null}"#,
            r#"{"taskId":"t","status":"working","createdAt":"2025-11-25T10:30:00Z","lastUpdatedAt":"yesterday","ttl":null}"#,
        ),
        (
            "Icon",
            r#"{"src":"data:image/png;base64,eA=="}"#,
            r#"{"src":"javascript:alert(1)"}"#,
        ),
        (
            "ListRootsResult",
            r#"{"roots":[{"uri":"file:///a"}]}"#,
            r#"{"roots":[{"uri":"http://evil"}]}"#,
        ),
        (
            "ImageContent",
            r#"{"type":"image","data":"","mimeType":"image/png"}"#,
            r#"{"type":"image","data":"","mimeType":"banana"}"#,
        ),
        (
            "EmptyResult",
            r#"{"_meta":{"com.example/a":1}}"#,
            r#"{"_meta":{"/bad//key!":1}}"#,
        ),
        (
            "InitializeResult",
            r#"{"protocolVersion":"2099-01-01","capabilities":{},"serverInfo":{"name":"","version":""}}"#,
            r#"{"protocolVersion":"banana","capabilities":{},"serverInfo":{"name":"","version":""}}"#,
        ),
        (
            "SamplingMessage",
            r#"{"role":"user","content":[{"type":"tool_result","toolUseId":"1","content":[]}]}"#,
            r#"{"role":"user","content":[{"type":"tool_result","toolUseId":"1","content":[]},{"type":"text","text":"x"}]}"#,
        ),
        (
            "SamplingMessage",
            r#"{"role":"user","content":{"type":"tool_result","toolUseId":"1","content":[]}}"#,
            r#"{"role":"assistant","content":{"type":"tool_result","toolUseId":"1","content":[]}}"#,
        ),
        ("GetTaskPayloadResult", r#"{"content":[]}"#, r#"{"x":1}"#),
        (
            "Tool",
            r#"{"name":"t","inputSchema":{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"items":[{}]}}}}"#,
            r#"{"name":"t","inputSchema":{"type":"object","properties":{"a":{"items":[{}]}}}}"#,
        ),
        (
            "CallToolRequest",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#,
        ),
    ] {
        assert_eq!(judge(name, good), [], "{name} {good}");
        assert_ne!(judge(name, bad), [], "{name} {bad}");
    }
}

/// Each with its passing twin.
#[test]
fn definitions_of_the_modern_era_accept_and_refuse() {
    const META: &str = r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let with_meta = |params: &str| params.replace("META", META);
    for (name, good, bad) in [
        ("Result", r#"{"resultType":"org.example/other"}"#, "{}"),
        (
            "CallToolResult",
            r#"{"resultType":"complete","content":[],"structuredContent":[1.5,null]}"#,
            r#"{"content":[]}"#,
        ),
        (
            "CallToolResult",
            r#"{"resultType":"complete","content":[]}"#,
            r#"{"resultType":"input_required","content":[]}"#,
        ),
        (
            "ListToolsResult",
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"public","tools":[]}"#,
            r#"{"resultType":"complete","ttlMs":-1,"cacheScope":"public","tools":[]}"#,
        ),
        (
            "ListPromptsResult",
            r#"{"resultType":"complete","ttlMs":1.0,"cacheScope":"private","prompts":[]}"#,
            r#"{"resultType":"complete","ttlMs":1.5,"cacheScope":"private","prompts":[]}"#,
        ),
        (
            "ReadResourceResult",
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"private","contents":[]}"#,
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"shared","contents":[]}"#,
        ),
        (
            "DiscoverResult",
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"public","supportedVersions":["2026-07-28"],"capabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#,
            r#"{"resultType":"complete","ttlMs":0,"cacheScope":"public","supportedVersions":["2026-07-28"],"capabilities":{"extensions":{"tasks":{}}}}"#,
        ),
        (
            "InputRequiredResult",
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}}}"#,
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"ping"}}}"#,
        ),
        (
            "InputRequiredResult",
            r#"{"resultType":"input_required","requestState":"x","ttlMs":0}"#,
            r#"{"resultType":"input_required"}"#,
        ),
        (
            "InputRequiredResult",
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{"mode":"url","message":"m","url":"a:b"}}}}"#,
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"elicitation/create"}}}"#,
        ),
        (
            "CompleteResult",
            r#"{"resultType":"complete","completion":{"values":["a"]}}"#,
            &format!(
                r#"{{"resultType":"complete","completion":{{"values":[{}]}}}}"#,
                vec!["\"a\""; 101].join(",")
            ),
        ),
        (
            "SubscriptionsAcknowledgedNotificationParams",
            r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{}}"#,
            r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":null},"notifications":{}}"#,
        ),
        (
            "subscribedParams",
            r#"{"_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#,
            "{}",
        ),
        (
            "SubscriptionsListenResult",
            r#"{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":7}}"#,
            r#"{"resultType":"complete","_meta":{}}"#,
        ),
        (
            "ReadResourceRequestParams",
            &with_meta(
                r#"{"_meta":META,"uri":"a:b","requestState":"s","inputResponses":{"a":{"action":"decline"}}}"#,
            ),
            &with_meta(
                r#"{"_meta":META,"uri":"a:b","requestState":"s","inputResponses":{"a":{}}}"#,
            ),
        ),
        (
            "RequestParams",
            &with_meta(r#"{"_meta":META}"#),
            r#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#,
        ),
        (
            "UnsupportedProtocolVersionError",
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"m","data":{"supported":[],"requested":"x"}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"m"}}"#,
        ),
        (
            "Error",
            r#"{"code":-32022,"message":"m"}"#,
            r#"{"code":-32050,"message":"m"}"#,
        ),
        (
            "Error",
            r#"{"code":-32100,"message":"m"}"#,
            r#"{"code":-32002,"message":"m"}"#,
        ),
        (
            "MetaObject",
            r#"{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"}"#,
            r#"{"traceparent":"none"}"#,
        ),
        (
            "Tool",
            r#"{"name":"t","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}}"#,
            r#"{"name":"t","inputSchema":{"type":"object","properties":{"a":{"type":"number","x-mcp-header":"A"}}}}"#,
        ),
        (
            "CallToolResultResponse",
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"banana"}}"#,
        ),
        (
            "Tool",
            r#"{"name":"t","inputSchema":{"type":"object"},"outputSchema":{"type":"array"}}"#,
            r#"{"name":"t","inputSchema":{"type":"object"},"outputSchema":true}"#,
        ),
    ] {
        assert_eq!(judge_in(MODERN, name, good), [], "{name} {good}");
        assert_ne!(judge_in(MODERN, name, bad), [], "{name} {bad}");
    }
}

#[test]
fn a_result_is_judged_by_its_type_and_never_by_what_fits() {
    let mut out = String::new();
    for (method, text) in [
        ("tools/call", r#"{"content":[]}"#),
        ("tools/call", r#"{"content":7,"inputRequests":[]}"#),
        ("tools/call", r#"{"resultType":"complete","content":7}"#),
        (
            "tools/call",
            r#"{"resultType":"complete","requestState":"s"}"#,
        ),
        (
            "tools/call",
            r#"{"resultType":"input_required","content":[]}"#,
        ),
        (
            "tools/call",
            r#"{"resultType":"input_required","requestState":7}"#,
        ),
        (
            "prompts/get",
            r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/lost"},"b":{"method":"sampling/createMessage"}}}"#,
        ),
        ("resources/read", r#"{"resultType":"done","contents":[]}"#),
        ("resources/read", r#"{"resultType":null,"contents":[]}"#),
        (
            "tools/list",
            r#"{"resultType":"input_required","requestState":"s"}"#,
        ),
        ("tools/call", "[]"),
        (
            "server/discover",
            r#"{"resultType":"complete","supportedVersions":[],"capabilities":{"extensions":{"tasks":{}}},"ttlMs":0,"cacheScope":"any"}"#,
        ),
    ] {
        let value = serde_json::from_str(text).unwrap();
        let violations = Schemas::of(MODERN).judge_result(method, &value, Some(text));
        write!(out, "{method} {text}\n{}\n", shown(&violations.unwrap())).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn the_wrong_type_of_a_result_is_told_alone() {
    let schema = r#"{"properties":{"jsonrpc":{"const":"2.0"},"result":{"spec":"CallToolResult"}}}"#;
    for (message, pointers) in [
        (
            r#"{"jsonrpc":"2.0","result":{"resultType":"input_required","requestState":"s"}}"#,
            vec!["/result/resultType"],
        ),
        (
            r#"{"jsonrpc":2,"result":{"resultType":7}}"#,
            vec!["/jsonrpc", "/result/resultType", "/result/resultType"],
        ),
        (
            r#"{"jsonrpc":"2.0","result":{"isError":1}}"#,
            vec!["/result", "/result", "/result/isError"],
        ),
    ] {
        let value = serde_json::from_str(message).unwrap();
        let violations = Schemas::of(MODERN).judge_inline(schema, &value, Some(message));
        let mut found: Vec<_> = violations.unwrap();
        found.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        let found: Vec<_> = found.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(found, pointers, "{message}");
    }
}

#[test]
fn a_task_is_no_result_of_a_request_that_asks_for_none() {
    let task = json!({"task": {"taskId": "t", "status": "working", "createdAt": "a", "lastUpdatedAt": "b", "ttl": null}});
    let call = Schemas::of(R).judge_result("tools/call", &task, None);
    assert_eq!(call.unwrap()[0].message, "member `content` is missing");
    for method in ["no/such", "notifications/progress"] {
        assert_eq!(
            Schemas::of(R)
                .judge_result(method, &task, None)
                .unwrap_err()
                .to_string(),
            format!("revision 2025-11-25 has no definition `result of {method}`")
        );
    }
}

#[test]
fn uris_and_templates_that_servers_use_are_accepted() {
    for uri in [
        "file:///home/user/a%20b.txt",
        "file:///C:/a.txt",
        "memo://insights",
        "a:b",
        "https://example.com/?q=1#f",
        "test://static-resource",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "data:text/plain;base64,eA==",
        "postgres://localhost:5432/db/table/schema",
        "ui://widget/x.html",
        "git+ssh://host/path",
    ] {
        let resource = json!({"name": "n", "uri": uri}).to_string();
        assert_eq!(judge("Resource", &resource), [], "{uri}");
    }
    for template in [
        "file:///{path}",
        "test://template/{id}/data",
        "db://{+path}{?query,limit}",
        "x://{list*}",
        "x://{a:3}",
        "x://fixed",
        "resource://user/{user_id}/posts{/page}{#part}",
        "github://repos/{owner}/{repo}{&x}",
    ] {
        let template = json!({"name": "n", "uriTemplate": template}).to_string();
        assert_eq!(judge("ResourceTemplate", &template), [], "{template}");
    }
}

#[test]
fn messages_name_the_branch_that_was_meant() {
    let mut out = String::new();
    for (name, text) in [
        ("CallToolResult", r#"{"content":[{"type":"text"}]}"#),
        (
            "CallToolResult",
            r#"{"content":[{"type":"video","url":"a:b"}]}"#,
        ),
        ("CallToolResult", r#"{"content":[{"text":"x"}]}"#),
        ("CallToolResult", r#"{"content":["text"]}"#),
        ("CallToolResult", r#"{"content":"text","isError":"yes"}"#),
        (
            "CallToolResult",
            r#"{"content":[{"type":"image","data":"!!!","mimeType":"image/png"}]}"#,
        ),
        ("ReadResourceResult", r#"{"contents":[{"uri":"a:b"}]}"#),
        (
            "ReadResourceResult",
            r#"{"contents":[{"uri":"a b","text":"x"}]}"#,
        ),
        ("ReadResourceResult", r#"{"contents":[{"text":"x"}]}"#),
        (
            "SamplingMessage",
            r#"{"role":"user","content":{"type":"audi"}}"#,
        ),
        ("SamplingMessage", r#"{"role":"user","content":7}"#),
        ("ElicitRequestParams", r#"{"mode":"url","message":"m"}"#),
        ("ElicitRequestParams", r#"{"mode":"sms","message":"m"}"#),
        ("PrimitiveSchemaDefinition", r#"{"type":"null"}"#),
        (
            "PrimitiveSchemaDefinition",
            r#"{"type":"string","format":"ip"}"#,
        ),
        ("JSONRPCResponse", r#"{"jsonrpc":"2.0","id":1}"#),
        ("ListToolsResult", r#"{"tools":null}"#),
        ("InitializeResult", r#"{}"#),
        ("InitializeResult", r#"[]"#),
        ("Annotations", r#"{"priority":1.5,"audience":["nobody"]}"#),
        ("Error", r#"{"code":-32601.5,"message":null}"#),
        ("RequestId", "1.5"),
        (
            "JSONRPCNotification",
            r#"{"jsonrpc":"1.0","method":"x","id":null}"#,
        ),
        ("ResourceTemplate", r#"{"name":"n","uriTemplate":"a:{"}"#),
    ] {
        let violations = judge(name, text);
        write!(out, "{name} {text}\n{}\n", shown(&violations)).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn violations_of_one_cause_are_one_with_its_smallest_example() {
    let text = r#"{"tools":[{"name":"a","title":"long long long"},{"name":"b"},{"name":1,"inputSchema":{"type":"object"}},{"name":"c","description":"x"}]}"#;
    insta::assert_snapshot!(shown(&judge("ListToolsResult", text)));
}

#[test]
fn what_a_target_can_add_to_the_findings_is_bounded() {
    let properties: Vec<String> = (0..10_000).map(|n| format!(r#""p{n}":7"#)).collect();
    let schema = format!(
        r#"{{"type":"object","properties":{{{}}}}}"#,
        properties.join(",")
    );
    let violations = judge("objectSchema", &schema);
    assert_eq!(violations.len(), 51);
    assert_eq!(violations.iter().map(|one| one.count).sum::<u64>(), 10_000);
    assert!(
        violations[50]
            .message
            .starts_with("9950 more things do not fit")
    );
}

#[test]
fn evidence_is_whole_and_as_it_was_sent_while_messages_are_cut() {
    let long = "x".repeat(1000);
    let violations = judge("LoggingLevel", &format!("\"{long}\""));
    assert_eq!(violations[0].actual, format!("\"{long}\""));
    assert!(
        violations[0].message.len() < 400,
        "{}",
        violations[0].message
    );
    let violations = judge("CompleteResult", r#"{"completion": {"values": [ 1.0 ]}}"#);
    assert_eq!(violations[0].actual, "1.0");
}

#[test]
fn inline_schemas_read_integers_from_the_text() {
    let code = r#"{"type":"object","required":["code"],"properties":{"code":{"type":"integer","const":-32601}}}"#;
    let any = r#"{"anyOf":[{"type":"integer"},{"type":"string"}]}"#;
    let number = r#"{"type":"number","const":1}"#;
    for (schema, text, codes) in [
        (code, r#"{"code":-32601}"#, vec![]),
        (code, r#"{"code":-32601.0}"#, vec![FindingCode::Schema]),
        (code, r#"{"code":-3.2601e4}"#, vec![FindingCode::Schema]),
        (code, r#"{"code":-32602}"#, vec![FindingCode::Value]),
        (
            code,
            r#"{"code":"-32601"}"#,
            vec![FindingCode::Schema, FindingCode::Value],
        ),
        (code, "{}", vec![FindingCode::Schema]),
        (any, "1", vec![]),
        (any, "1.0", vec![FindingCode::Schema]),
        (number, "1.0", vec![]),
        (
            r#"{"type":"integer"}"#,
            "123456789012345678901234567890",
            vec![],
        ),
        (r#"{"spec":"RequestId"}"#, "1.0", vec![]),
    ] {
        // What was parsed may have lost how the number was written: the raw text decides.
        let value: Value = serde_json::from_str(&text.replace(".0", "")).unwrap();
        let violations = Schemas::of(R)
            .judge_inline(schema, &value, Some(text))
            .unwrap();
        let mut found: Vec<_> = violations.iter().map(|violation| violation.code).collect();
        found.sort_unstable_by_key(|code| code.as_str());
        assert_eq!(found, codes, "{schema} {text} {violations:?}");
    }
}

#[test]
fn schemas_that_cannot_be_used_are_errors() {
    for (schema, expected) in [
        ("{", "schema does not compile"),
        (r#"{"spec":"Nothing"}"#, "no definition `Nothing`"),
        (r#"{"spec":7}"#, "`spec` is no name"),
        (r#"{"type":"objekt"}"#, "schema does not compile"),
        (r#"{"requried":["a"]}"#, "unknown keyword `requried`"),
        (
            r#"{"$ref":"https://example.com/schema"}"#,
            "unknown keyword `$ref`",
        ),
        (r#"{"pattern":"("}"#, "schema does not compile"),
    ] {
        let error = Schemas::of(R).check_inline(schema).unwrap_err().to_string();
        assert!(error.contains(expected), "{schema}: {error}");
    }
    assert_eq!(
        Schemas::of(R).check_inline(r#"{"spec":"Tool","required":["title"]}"#),
        Ok(())
    );
}

#[test]
fn a_finding_has_its_place_within_the_message() {
    let violation = judge("ListToolsResult", r#"{"tools":[{"name":"t"}]}"#).remove(0);
    let finding = violation.finding(12, "/result");
    assert_eq!(finding.at.as_deref(), Some("#12 /result/tools/0"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("type"),
        Just("content"),
        Just("tools"),
        Just("text"),
        Just("method"),
        Just("a/b~c"),
        Just("resource"),
        Just("properties"),
        Just("inputSchema"),
        Just("_meta"),
        Just("resultType"),
        Just("inputRequests"),
        Just("0"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("text".to_owned()), Just("object".to_owned()), ".*"].prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
                Value::Object(
                    members
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn judging_never_panics(value in any_json(), raw in ".*", index in any::<prop::sample::Index>(), is_modern in any::<bool>()) {
        let schemas = Schemas::of(if is_modern { MODERN } else { R });
        let names: Vec<_> = schemas.definitions().collect();
        let name = index.get(&names);
        for raw in [None, Some(raw), Some(value.to_string())] {
            let violations = schemas.judge_definition(name, &value, raw.as_deref()).unwrap();
            for violation in &violations {
                prop_assert!(!violation.message.is_empty() && violation.count > 0);
                prop_assert!(value.pointer(&violation.pointer).is_some(), "{}", violation.pointer);
            }
            let inline = format!(r#"{{"anyOf":[{{"spec":"{name}"}},{{"type":"integer"}}]}}"#);
            schemas.judge_inline(&inline, &value, raw.as_deref()).unwrap();
        }
    }
}

/// Threads of the runner have 2 MiB; a message may have 127 levels.
#[test]
fn a_schema_as_deep_as_a_message_may_be_needs_no_big_stack() {
    for innermost in [json!({}), json!({ "type": "strnig" }), json!(7)] {
        for (open, close) in [
            ("{\"not\":", "}"),
            ("{\"properties\":{\"a\":", "}}"),
            ("{\"anyOf\":[", "]}"),
        ] {
            let levels = 110 / open.matches(['{', '[']).count();
            let schema = format!("{}{innermost}{}", open.repeat(levels), close.repeat(levels));
            let tool =
                format!(r#"{{"name":"t","inputSchema":{{"type":"object","not":{schema}}}}}"#);
            let judging = move || {
                let _ = judge("Tool", &tool);
                let value = serde_json::from_str(&tool).unwrap();
                Schemas::of(R).notes("Tool", &value, Some(&tool)).unwrap();
            };
            let thread = std::thread::Builder::new()
                .stack_size(2 << 20)
                .spawn(judging);
            thread.unwrap().join().unwrap();
        }
    }
}
