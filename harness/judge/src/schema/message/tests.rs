use crate::Schemas;
use mcp_assay_model::protocol::Revision;
use serde_json::json;

const R: Revision = Revision::R2025_11_25;
const MODERN: Revision = Revision::R2026_07_28;

fn judged(revision: Revision, text: &str, asked: Option<&str>) -> Vec<(String, String)> {
    let message = mcp_assay_wire::jsonrpc::classify(text.as_bytes()).unwrap();
    let violations = Schemas::of(revision).judge_message(&message, Some(text), asked);
    let told = violations.into_iter().map(|one| (one.pointer, one.message));
    told.collect()
}

#[test]
fn a_message_is_judged_by_the_definition_that_its_method_binds() {
    for (revision, text, asked, pointer, said) in [
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#,
            None,
            "/params/name",
            "`name` is 5, not a string",
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":{}}}"#,
            Some("tools/list"),
            "/result/tools",
            "`tools` is an object, not an array",
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#,
            None,
            "",
            "`notifications/initialized` is a notification, and has an `id`",
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","method":"ping"}"#,
            None,
            "",
            "`ping` is a request, and has no `id`",
        ),
        (
            R,
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            None,
            "",
            "the message is a batch, which this revision does not have",
        ),
        (
            MODERN,
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete"}}"#,
            Some("initialize"),
            "/result",
            "`initialize` is no request of 2026-07-28, and got a result",
        ),
        (
            MODERN,
            r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#,
            None,
            "",
            "`roots/list` is asked for within a result only, and comes as a message",
        ),
        (
            R,
            "7",
            None,
            "",
            "the message is no JSON-RPC message: neither an object nor a batch",
        ),
    ] {
        let expected = (pointer.to_owned(), said.to_owned());
        let told = judged(revision, text, asked);
        assert!(
            told.iter()
                .any(|(place, message)| *place == expected.0 && message.starts_with(said)),
            "{text}: {told:?}"
        );
    }
    for (revision, text, asked) in [
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#,
            Some("tools/list"),
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"result":{"anything":1}}"#,
            Some("x/extension"),
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","id":1,"result":{"anything":1}}"#,
            None,
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","id":"a","method":"x/extension"}"#,
            None,
        ),
        (
            R,
            r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1}}"#,
            None,
        ),
        (
            Revision::R2025_03_26,
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":9,"result":{}}]"#,
            None,
        ),
    ] {
        assert_eq!(judged(revision, text, asked), [], "{text}");
    }
}

#[test]
fn notes_fold_causes_and_have_places() {
    let text = r#"{"tools":[{"name":"a b","inputSchema":{"type":"object"},"Description":"x"},{"name":"c d","inputSchema":{"type":"object"}},{"name":"c d","inputSchema":{"type":"object"},"vendor":1}],"nextcursor":"2"}"#;
    let value = serde_json::from_str(text).unwrap();
    let schemas = Schemas::of(R);
    assert_eq!(
        schemas.judge_result("tools/list", &value, Some(text)),
        Ok(vec![])
    );
    let notes = schemas
        .notes("ListToolsResult", &value, Some(text))
        .unwrap();
    let told: Vec<_> = notes
        .iter()
        .map(|note| {
            format!(
                "{} x{} {} {}",
                note.pointer,
                note.count,
                note.message,
                note.actual.len()
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn answers_to_requests_for_input_are_judged_by_the_request_of_their_key() {
    let requests =
        json!({ "a": { "method": "elicitation/create" }, "b": { "method": "roots/list" } });
    let schemas = Schemas::of(MODERN);
    let right = json!({ "a": { "action": "decline" }, "b": { "roots": [] }, "c": {} });
    assert_eq!(schemas.judge_input_responses(&requests, &right), []);
    let swapped = json!({ "a": { "roots": [] }, "b": { "action": "decline" } });
    let places: Vec<_> = schemas
        .judge_input_responses(&requests, &swapped)
        .into_iter()
        .map(|violation| violation.pointer)
        .collect();
    assert_eq!(places, ["/a", "/b"]);
}
