use super::{expanded, first_variable, run};
use crate::era;
use crate::native::Means;
use crate::native::permission::Permissions;
use crate::testing::{Wire, conversation, ordinary, result};
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Goes on tour with a server that answers these methods; what came of it, and the requests that the server heard.
async fn tour(
    of: &str,
    means: &Means,
    answers: &[(&'static str, Value)],
) -> (NativeBound, Vec<Value>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (shared, answers) = (Arc::clone(&heard), answers.to_vec());
    let mut conversation = conversation(async move |mut wire: Wire| {
        wire.serve(|message| {
            let answer = answers
                .iter()
                .find(|(method, _)| message["method"] == *method);
            let Some((_, answer)) = answer else {
                return ordinary(message);
            };
            shared.lock().unwrap().push(message.clone());
            if answer.is_null() {
                Vec::new()
            } else {
                vec![result(message, answer)]
            }
        })
        .await
    });
    let _ = era::open(&mut conversation, Duration::from_secs(1)).await;
    let bound = run(of, &mut conversation, means).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    (bound, heard)
}

fn params(heard: &[Value], method: &str) -> Vec<Value> {
    let of = heard.iter().filter(|message| message["method"] == method);
    of.map(|message| message["params"].clone()).collect()
}

fn means(globs: &[&str], forbidden: bool) -> Means {
    Means {
        permissions: Permissions::new(globs, forbidden).unwrap(),
        capabilities: json!({ "prompts": {}, "resources": {} }),
        ..Means::default()
    }
}

fn tools() -> Value {
    json!({ "tools": [
        { "name": "read", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } },
        { "name": "browse", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true, "openWorldHint": true } },
        { "name": "delete", "inputSchema": { "type": "object" } },
        { "name": "send", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": false } },
        { "name": "riddle", "inputSchema": { "type": "object", "properties": { "a": { "type": "string", "pattern": "^x{3}$" } }, "required": ["a"] }, "annotations": { "readOnlyHint": true } },
        { "name": "test_simple_text", "inputSchema": { "type": "object" } },
        { "name": "job", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true }, "execution": { "taskSupport": "required" } },
        { "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } },
    ] })
}

#[tokio::test(start_paused = true)]
async fn withheld_tools_are_never_called() {
    for (globs, forbidden, called) in [
        (&[][..], false, &["read"][..]),
        (&["*"], true, &[]),
        (&["d*"], false, &["read", "delete"]),
        (
            &["*"],
            false,
            &["read", "browse", "delete", "send", "test_simple_text"],
        ),
    ] {
        let answers = [
            ("tools/list", tools()),
            ("tools/call", json!({ "content": [] })),
        ];
        let (bound, heard) = tour("tools", &means(globs, forbidden), &answers).await;
        let names: Vec<Value> = params(&heard, "tools/call")
            .iter()
            .map(|params| params["name"].clone())
            .collect();
        assert_eq!(names, called, "{globs:?} {forbidden}");
        assert_eq!(bound.value["called"], called.len());
        let withheld: BTreeSet<&str> = bound.value["withheld"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["tool"].as_str().unwrap())
            .collect();
        let all = [
            "read",
            "browse",
            "delete",
            "send",
            "riddle",
            "test_simple_text",
            "job",
        ];
        let others: BTreeSet<&str> = all
            .into_iter()
            .filter(|name| !called.contains(name))
            .collect();
        assert_eq!(
            withheld, others,
            "every other tool is named with its reason"
        );
        for tool in bound.value["withheld"].as_array().unwrap() {
            let is_callable = tool["tool"] != "riddle" && tool["tool"] != "job";
            let by_permission = forbidden || is_callable;
            assert_eq!(tool["permission"], by_permission, "{tool}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_answered_ends_the_tour() {
    let answers = [("tools/list", tools()), ("tools/call", Value::Null)];
    let (bound, heard) = tour("tools", &means(&["*"], false), &answers).await;
    assert_eq!(bound.missing, Some(Missing::Silent));
    assert_eq!(params(&heard, "tools/call").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn resources_are_read_and_templates_expanded_where_they_are_plain() {
    let answers = [
        (
            "resources/list",
            json!({ "resources": [{ "uri": "a:b" }, { "name": "without uri" }] }),
        ),
        (
            "resources/templates/list",
            json!({ "resourceTemplates": [
            { "uriTemplate": "t://{x}/{y}/{x}" },
            { "uriTemplate": "t://plain" },
            { "uriTemplate": "t://{?query}" },
            { "uriTemplate": "t://{list*}" },
            { "uriTemplate": 7 },
        ] }),
        ),
        ("resources/read", json!({ "contents": [] })),
    ];
    let (bound, heard) = tour("resources", &means(&[], true), &answers).await;
    let read: Vec<Value> = params(&heard, "resources/read")
        .iter()
        .map(|params| params["uri"].clone())
        .collect();
    assert_eq!(read, ["a:b", "t://1/1/1", "t://plain"]);
    assert_eq!(bound.seqs.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn prompts_get_their_required_arguments_only() {
    let answers = [
        (
            "prompts/list",
            json!({ "prompts": [
            { "name": "p", "arguments": [
                { "name": "need", "required": true },
                { "name": "sourceUri", "required": true },
                { "name": "may", "required": false },
                { "name": "unsaid" },
            ] },
            { "name": "bare" },
        ] }),
        ),
        ("prompts/get", json!({ "messages": [] })),
    ];
    let (_, heard) = tour("prompts", &means(&[], false), &answers).await;
    assert_eq!(
        params(&heard, "prompts/get"),
        [
            json!({ "name": "p", "arguments": { "need": "1", "sourceUri": "https://example.org/" } }),
            json!({ "name": "bare", "arguments": {} }),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn completion_asks_for_what_is_declared_and_logging_for_a_level() {
    let answers = [
        (
            "prompts/list",
            json!({ "prompts": [{ "name": "p", "arguments": [{ "name": "a" }] }, { "name": "bare" }] }),
        ),
        (
            "resources/templates/list",
            json!({ "resourceTemplates": [{ "uriTemplate": "t://{+path}" }, { "uriTemplate": "t://" }] }),
        ),
        (
            "completion/complete",
            json!({ "completion": { "values": [] } }),
        ),
        ("logging/setLevel", json!({})),
    ];
    let (_, heard) = tour("completion", &means(&[], false), &answers).await;
    let asked: Vec<Value> = params(&heard, "completion/complete");
    assert_eq!(
        asked,
        [
            json!({ "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": "" } }),
            json!({ "ref": { "type": "ref/resource", "uri": "t://{+path}" }, "argument": { "name": "path", "value": "" } }),
        ]
    );
    // A target that does not know the method is asked once.
    let (bound, _) = tour("completion", &means(&[], false), &answers[..2]).await;
    let methods = bound.value["results"].as_array().unwrap().iter();
    let asked = methods.filter(|item| item["method"] == "completion/complete");
    assert_eq!(asked.count(), 1);
    let (_, heard) = tour("completion", &Means::default(), &answers).await;
    assert!(
        heard.is_empty(),
        "neither prompts nor resources are declared"
    );
    let (bound, heard) = tour("logging", &means(&[], false), &answers).await;
    assert_eq!(
        params(&heard, "logging/setLevel"),
        [json!({ "level": "info" })]
    );
    assert_eq!(bound.value["results"][0]["method"], "logging/setLevel");
}

#[test]
fn templates_are_expanded_where_every_variable_is_plain() {
    for (template, uri) in [
        ("a", Some("a")),
        ("a{b}", Some("a1")),
        ("{a}{b}{a}", Some("111")),
        ("{+a}", None),
        ("{a,b}", None),
        ("{a:3}", None),
        ("a{", Some("a{")),
        ("a{}", Some("a{}")),
        ("}{a}", Some("}1")),
    ] {
        assert_eq!(expanded(template).as_deref(), uri, "{template}");
    }
    for (template, name) in [
        ("{a}", Some("a")),
        ("{+a}", Some("a")),
        ("{?a,b}", Some("a")),
        ("{a*}", Some("a")),
        ("x", None),
        ("{", None),
        ("{}", None),
    ] {
        assert_eq!(first_variable(template), name, "{template}");
    }
}
