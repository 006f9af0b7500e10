//! The natives of the modern era, against the reference server.

use super::super::{Came, Given, Means, run};
use crate::era::{self, Manner, Opened};
use crate::prove::fixtures_in;
use crate::script::conversation::{Conversation, SentIndex};
use crate::target::{Peer, Target};
use crate::testing::{pace, stage};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

const REVISION: Revision = Revision::R2026_07_28;
const BOTH: [Binding; 2] = [Binding::Memory, Binding::Http];

async fn opened(binding: Binding) -> Conversation {
    let stage = stage(Target::Peer(Peer::over(binding, None)));
    let link = stage.launcher.open().await.expect("memory is there");
    let mut manner = Manner::new(REVISION);
    manner.says(
        "capabilities",
        Some(r#"{"elicitation":{"form":{}}}"#.to_owned()),
    );
    let avoid = HashSet::new();
    let mut conversation = Conversation::new(link, binding, manner, "c", pace(), avoid);
    let (_, opened) = era::open(&mut conversation, Duration::from_secs(20)).await;
    assert_eq!(opened, Opened::Yes);
    conversation
}

/// Calls what asks for input, and waits for what it asks.
async fn asked(conversation: &mut Conversation) -> SentIndex {
    let asks = &fixtures_in(REVISION)["asks"];
    let accepts = json!({ "action": "accept", "content": asks["content"] });
    let answer = format!(r#""result":{accepts}"#);
    conversation.answers.set("elicitation/create", Some(answer));
    let id = conversation.fresh_id();
    let text = conversation
        .manner
        .request(&id, "tools/call", Some(&asks["call"]));
    let (index, _) = conversation.send_message(&text).await;
    let patience = Duration::from_secs(10);
    let reply = super::super::exchange::await_reply(conversation, index, patience).await;
    reply.expect("it is answered");
    index
}

async fn came(
    name: &str,
    parameters: &Value,
    conversation: &mut Conversation,
    of: Option<SentIndex>,
) -> Came {
    let parameters: BTreeMap<String, Value> = parameters
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    let means = Means::default();
    let sent = |_: &str| of;
    let given = Given {
        means: &means,
        sent: &sent,
    };
    run(name, &parameters, conversation, given).await.unwrap()
}

fn result_type(conversation: &Conversation, index: SentIndex) -> Option<&str> {
    let message = conversation.reply(index)?.message.as_ref()?;
    message.value.pointer("/result/resultType")?.as_str()
}

async fn completed(binding: Binding, parameters: &Value) -> (Conversation, SentIndex) {
    let mut conversation = opened(binding).await;
    let first = asked(&mut conversation).await;
    assert_eq!(result_type(&conversation, first), Some("input_required"));
    match came("complete_mrtr", parameters, &mut conversation, Some(first)).await {
        Came::Sent(index, None) => (conversation, index),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_repeated_with_what_was_asked_for() {
    for binding in BOTH {
        let (conversation, last) = completed(binding, &json!({ "of": "q" })).await;
        assert_eq!(
            result_type(&conversation, last),
            Some("complete"),
            "{binding}"
        );
        let sent = conversation.entry(conversation.sent(last).seq).unwrap();
        let params = &sent.message.as_ref().unwrap().value["params"];
        let responses = params["inputResponses"].as_object().unwrap();
        assert!(
            responses
                .values()
                .all(|response| response["action"] == "accept")
        );
        assert!(params["requestState"].is_string());
        assert!(
            params["_meta"]
                .get("io.modelcontextprotocol/protocolVersion")
                .is_some()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn state_and_answers_are_changed_as_asked() {
    for binding in BOTH {
        let altered = json!({ "of": "q", "request_state": "altered" });
        let (conversation, last) = completed(binding, &altered).await;
        let kind = conversation
            .reply(last)
            .unwrap()
            .message
            .as_ref()
            .unwrap()
            .kind;
        assert_eq!(kind, Kind::Error, "altered state is refused");
        let none = json!({ "of": "q", "responses": "none" });
        let (conversation, last) = completed(binding, &none).await;
        assert_eq!(result_type(&conversation, last), Some("input_required"));
        let extra = json!({ "of": "q", "responses": "extra", "rounds": 3 });
        let (conversation, last) = completed(binding, &extra).await;
        assert_eq!(result_type(&conversation, last), Some("complete"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_asks_for_nothing_is_not_repeated() {
    let mut conversation = opened(Binding::Memory).await;
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/list", None);
    let (index, _) = conversation.send_message(&text).await;
    let patience = Duration::from_secs(10);
    let reply = super::super::exchange::await_reply(&mut conversation, index, patience).await;
    reply.expect("it is answered");
    let before = conversation.last_seq();
    let came = came(
        "complete_mrtr",
        &json!({ "of": "q" }),
        &mut conversation,
        Some(index),
    )
    .await;
    assert!(matches!(came, Came::Sent(same, None) if same == index));
    assert_eq!(conversation.last_seq(), before);
}

#[tokio::test(start_paused = true)]
async fn subscriptions_hear_each_its_own() {
    let change = &fixtures_in(REVISION)["change"];
    let parameters = json!({
        "notifications": { "resourceSubscriptions": [change["uri"]] },
        "second": { "toolsListChanged": true },
        "call": change["call"],
    });
    for binding in BOTH {
        let mut conversation = opened(binding).await;
        let Came::Bound(bound) = came("listen", &parameters, &mut conversation, None).await else {
            panic!("it binds what was heard");
        };
        assert_eq!(bound.missing, None);
        let methods = |stream: usize| {
            let heard = bound.value["streams"][stream]["heard"]
                .as_array()
                .unwrap()
                .clone();
            let method = |heard: Value| heard["method"].as_str().unwrap().to_owned();
            heard.into_iter().map(method).collect::<Vec<_>>()
        };
        let acknowledged = "notifications/subscriptions/acknowledged";
        assert_eq!(
            methods(0),
            [acknowledged, "notifications/resources/updated"],
            "{binding}"
        );
        assert_eq!(methods(1), [acknowledged], "{binding}");
        assert_eq!(bound.value["call"], "result");
        assert_eq!(bound.value["strays"], json!([]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_argument_is_changed_in_its_field_alone() {
    let fixture = &fixtures_in(REVISION)["header-parameter"];
    let changes = [
        ("none", Some(200)),
        ("encoded", Some(200)),
        ("small", Some(200)),
        ("missing", Some(400)),
        ("other", Some(400)),
        ("broken", Some(400)),
    ];
    for (change, status) in changes {
        let mut conversation = opened(Binding::Http).await;
        let mut parameters = fixture.clone();
        parameters["change"] = json!(change);
        match came("header_call", &parameters, &mut conversation, None).await {
            Came::Sent(index, None) => assert_eq!(conversation.status(index), status, "{change}"),
            other => panic!("{change}: {other:?}"),
        }
    }
}
