//! Calls that run as tasks.

use crate::support::{LEGACY, Peer, code};
use mcp_assay_model::protocol::Revision;
use mcp_assay_peer::Options;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RELATED: &str = "io.modelcontextprotocol/related-task";

/// A server after the handshake of the revision that has tasks.
async fn open(capabilities: Value) -> Peer {
    let mut peer = Peer::start(Options::default());
    peer.handshake(Revision::R2025_11_25, capabilities).await;
    peer
}

/// The answer to a call that asks for a task.
async fn created(peer: &mut Peer, tool: &str, arguments: Value, task: Value) -> Value {
    let meta = json!({ "progressToken": "p" });
    let params = json!({ "name": tool, "arguments": arguments, "task": task, "_meta": meta });
    peer.call("tools/call", params).await
}

/// The id of a new task.
async fn begin(peer: &mut Peer, tool: &str, arguments: Value) -> Value {
    let answer = created(peer, tool, arguments, json!({})).await;
    let id = &answer["result"]["task"]["taskId"];
    assert!(id.is_string(), "{answer}");
    id.clone()
}

async fn ask(peer: &mut Peer, method: &str, id: &Value) -> Value {
    peer.call(method, json!({ "taskId": id })).await
}

/// The lines of some time, as JSON.
async fn heard(peer: &mut Peer, ms: u64) -> Vec<Value> {
    let lines = peer.listen(ms).await.into_iter();
    lines
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

async fn reply(peer: &mut Peer, request: &Value, result: Value) {
    let reply = json!({ "jsonrpc": "2.0", "id": request["id"], "result": result });
    peer.send(&reply.to_string()).await;
}

fn accept(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// What the notifications among these say of the status.
fn statuses(messages: &[Value]) -> Vec<&str> {
    let told = messages.iter();
    let told = told.filter(|message| message["method"] == "notifications/tasks/status");
    told.map(|message| message["params"]["status"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_runs_on_while_its_result_is_waited_for() {
    let mut peer = open(json!({})).await;
    let arguments = json!({ "seconds": 2, "label": "pi" });
    let answer = created(
        &mut peer,
        "slow_compute",
        arguments,
        json!({ "ttl": 60000 }),
    )
    .await;
    let task = answer["result"]["task"].clone();
    let id = task["taskId"].clone();
    assert_eq!(task["status"], "working");
    assert_eq!(task["ttl"], 60000);
    assert_eq!(task["createdAt"], task["lastUpdatedAt"]);
    assert_eq!(answer["result"]["_meta"][RELATED]["taskId"], id);
    assert_eq!(peer.message().await["params"]["progress"], 0);

    let now = ask(&mut peer, "tasks/get", &id).await["result"].clone();
    assert_eq!(now, task, "nothing has changed, and it is named once");
    peer.request(json!("r"), "tasks/result", json!({ "taskId": id }))
        .await;
    let told = heard(&mut peer, 10_000).await;
    let kinds: Vec<_> = told
        .iter()
        .map(|message| message["method"].as_str().unwrap_or("answer"))
        .collect();
    assert_eq!(
        kinds,
        [
            "notifications/message",
            "notifications/progress",
            "notifications/progress",
            "notifications/tasks/status",
            "answer"
        ]
    );
    for message in &told[..3] {
        assert_eq!(message["params"]["_meta"][RELATED]["taskId"], id);
    }
    assert_eq!(told[3]["params"]["taskId"], id);
    assert_eq!(told[3]["params"]["status"], "completed");
    assert!(told[3]["params"].get("_meta").is_none());
    let result = &told[4]["result"];
    assert_eq!(result["content"][0]["text"], "Computed: pi");
    assert_eq!(result["_meta"][RELATED]["taskId"], id);

    let again = ask(&mut peer, "tasks/result", &id).await;
    assert_eq!(&again["result"], result);
    let ended = ask(&mut peer, "tasks/get", &id).await["result"].clone();
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["createdAt"], task["createdAt"]);
    assert!(ended["lastUpdatedAt"].as_str() > task["lastUpdatedAt"].as_str());
    assert!(ended.get("_meta").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_by_status_and_by_what_the_call_would_have_said() {
    let mut peer = open(json!({})).await;
    for (tool, message) in [
        ("failing_job", "The job failed."),
        ("protocol_error_job", "Internal error: the job broke off"),
    ] {
        let id = begin(&mut peer, tool, json!({})).await;
        assert_eq!(statuses(&heard(&mut peer, 2000).await), ["failed"]);
        let task = ask(&mut peer, "tasks/get", &id).await["result"].clone();
        assert_eq!(task["status"], "failed");
        assert_eq!(task["statusMessage"], message);
        let result = ask(&mut peer, "tasks/result", &id).await;
        if tool == "failing_job" {
            assert_eq!(result["result"]["isError"], true);
            assert_eq!(result["result"]["_meta"][RELATED]["taskId"], id);
        } else {
            assert_eq!(code(&result), -32603);
            assert_eq!(result["error"]["message"], message);
        }
    }
    let id = begin(&mut peer, "slow_compute", json!({ "seconds": "x" })).await;
    assert_eq!(statuses(&heard(&mut peer, 10).await), ["failed"]);
    let result = ask(&mut peer, "tasks/result", &id).await;
    assert_eq!(
        result["result"]["isError"], true,
        "arguments are the tool's"
    );
}

#[tokio::test(start_paused = true)]
async fn a_tool_is_called_in_the_ways_it_supports() {
    let mut peer = open(json!({})).await;
    let quiet = json!({ "level": "emergency" });
    peer.call("logging/setLevel", quiet).await;
    for (tool, arguments, plainly, as_task) in [
        ("echo", json!({ "message": "m" }), true, false),
        ("greet", json!({ "name": "n" }), true, false),
        ("slow_compute", json!({ "seconds": 0 }), true, true),
        ("failing_job", json!({}), false, true),
    ] {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = peer.call("tools/call", params).await;
        assert_eq!(answer.get("result").is_some(), plainly, "{tool}: {answer}");
        assert!(plainly || code(&answer) == -32601);
        let answer = created(&mut peer, tool, arguments, json!({})).await;
        let is_created = answer["result"]["task"].is_object();
        assert_eq!(is_created, as_task, "{tool}: {answer}");
        assert!(as_task || code(&answer) == -32601);
        peer.listen(5000).await;
    }
    let unknown = created(&mut peer, "no_such_tool", json!({}), json!({})).await;
    assert_eq!(code(&unknown), -32602);
}

#[tokio::test(start_paused = true)]
async fn other_revisions_have_no_tasks() {
    for revision in LEGACY {
        let has_tasks = revision == Revision::R2025_11_25;
        let mut peer = Peer::start(Options {
            page_size: 100,
            ..Options::default()
        });
        let opened = peer.handshake(revision, json!({})).await;
        let declared = &opened["result"]["capabilities"]["tasks"];
        assert_eq!(declared["requests"]["tools"]["call"].is_object(), has_tasks);
        assert_eq!(declared.is_object(), has_tasks);
        let tools = peer.call("tools/list", json!({})).await;
        let tools = tools["result"]["tools"].as_array().unwrap();
        let support = |name: &str| {
            let tool = tools.iter().find(|tool| tool["name"] == name);
            tool.map(|tool| tool["execution"]["taskSupport"].clone())
        };
        assert_eq!(support("failing_job").is_some(), has_tasks);
        if has_tasks {
            assert_eq!(support("failing_job"), Some(json!("required")));
            assert_eq!(support("greet"), Some(json!("forbidden")));
            assert_eq!(support("slow_compute"), Some(json!("optional")));
            continue;
        }
        assert!(tools.iter().all(|tool| tool.get("execution").is_none()));
        for task in [json!({}), json!("x")] {
            let answer = created(&mut peer, "greet", json!({ "name": "n" }), task).await;
            assert_eq!(answer["result"]["content"][0]["text"], "Hello, n!");
        }
        for method in ["tasks/get", "tasks/list", "tasks/result", "tasks/cancel"] {
            let answer = ask(&mut peer, method, &json!("x")).await;
            assert_eq!(code(&answer), -32601, "{revision} {method}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_task_stays_cancelled() {
    let mut peer = open(json!({ "elicitation": {} })).await;
    let slow = begin(&mut peer, "slow_compute", json!({ "seconds": 1 })).await;
    peer.listen(10).await;
    peer.request(json!("r"), "tasks/result", json!({ "taskId": slow }))
        .await;
    peer.request(json!("x"), "tasks/cancel", json!({ "taskId": slow }))
        .await;
    let told = heard(&mut peer, 10_000).await;
    assert_eq!(statuses(&told), ["cancelled"]);
    assert_eq!(told.len(), 3, "of the work nothing is heard: {told:?}");
    let find = |id: &str| told.iter().find(|message| message["id"] == id).unwrap();
    assert_eq!(find("x")["result"]["status"], "cancelled");
    assert_eq!(find("r")["result"]["isError"], true);
    assert_eq!(find("r")["result"]["_meta"][RELATED]["taskId"], slow);
    let again = ask(&mut peer, "tasks/cancel", &slow).await;
    assert_eq!(code(&again), -32602);
    let task = ask(&mut peer, "tasks/get", &slow).await;
    assert_eq!(task["result"]["status"], "cancelled");

    let asking = begin(&mut peer, "confirm_delete", json!({ "filename": "f" })).await;
    let asked = heard(&mut peer, 10).await;
    assert_eq!(asked[1]["method"], "elicitation/create");
    ask(&mut peer, "tasks/cancel", &asking).await;
    let told = heard(&mut peer, 10).await;
    let withdrawn = told
        .iter()
        .find(|message| message["method"] == "notifications/cancelled");
    let withdrawn = &withdrawn.expect("the question is withdrawn")["params"];
    assert_eq!(withdrawn["requestId"], asked[1]["id"]);
    assert_eq!(withdrawn["_meta"][RELATED]["taskId"], asking);
    reply(&mut peer, &asked[1], accept(json!({ "confirm": true }))).await;
    assert!(peer.listen(1000).await.is_empty(), "it came too late");
    let ended = ask(&mut peer, "tasks/cancel", &asking).await;
    assert_eq!(code(&ended), -32602);

    let done = begin(&mut peer, "slow_compute", json!({ "seconds": 0 })).await;
    peer.listen(10).await;
    assert_eq!(code(&ask(&mut peer, "tasks/cancel", &done).await), -32602);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_asks_waits_for_input() {
    let mut peer = open(json!({ "elicitation": {} })).await;
    let id = begin(&mut peer, "confirm_delete", json!({ "filename": "f" })).await;
    let told = heard(&mut peer, 10).await;
    assert_eq!(statuses(&told), ["input_required"]);
    assert_eq!(told[1]["method"], "elicitation/create");
    assert_eq!(told[1]["params"]["_meta"][RELATED]["taskId"], id);
    let task = ask(&mut peer, "tasks/get", &id).await;
    assert_eq!(task["result"]["status"], "input_required");
    reply(&mut peer, &told[1], accept(json!({ "confirm": true }))).await;
    let told = heard(&mut peer, 10).await;
    assert_eq!(statuses(&told), ["working", "completed"]);
    let result = ask(&mut peer, "tasks/result", &id).await;
    let text = &result["result"]["content"][0]["text"];
    assert_eq!(text, "Confirmed: f would be deleted.");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_asks_twice_waits_for_both_answers() {
    let mut peer = open(json!({ "elicitation": {} })).await;
    let id = begin(&mut peer, "multi_input", json!({})).await;
    let told = heard(&mut peer, 10).await;
    assert_eq!(statuses(&told), ["input_required"]);
    let asked: Vec<_> = told
        .iter()
        .filter(|message| message["method"] == "elicitation/create")
        .collect();
    assert_eq!(asked.len(), 2);
    reply(&mut peer, asked[1], accept(json!({ "color": "red" }))).await;
    assert!(peer.listen(1000).await.is_empty());
    let task = ask(&mut peer, "tasks/get", &id).await;
    assert_eq!(task["result"]["status"], "input_required");
    reply(&mut peer, asked[0], accept(json!({ "name": "n" }))).await;
    let told = heard(&mut peer, 10).await;
    assert_eq!(statuses(&told), ["working", "completed"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_asked_has_a_failed_task() {
    let mut peer = open(json!({})).await;
    begin(&mut peer, "test_tool_with_task", json!({})).await;
    let told = heard(&mut peer, 1000).await;
    assert_eq!(statuses(&told), ["failed"]);
    assert_eq!(told.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_list_has_each_task_once_while_others_expire() {
    let mut peer = open(json!({})).await;
    let mut ids = Vec::new();
    for number in 0..8 {
        let ttl = if number < 2 { 1000 } else { 60000 };
        let task = json!({ "ttl": ttl });
        let answer = created(&mut peer, "slow_compute", json!({ "seconds": 9 }), task).await;
        ids.push(answer["result"]["task"]["taskId"].clone());
        peer.listen(1).await;
    }
    let page = peer.call("tasks/list", json!({})).await["result"].clone();
    assert_eq!(page["tasks"].as_array().unwrap().len(), 3);
    peer.listen(2000).await;
    let mut seen: Vec<Value> = page["tasks"].as_array().unwrap().clone();
    let mut cursor = page["nextCursor"].clone();
    while !cursor.is_null() {
        let page = peer.call("tasks/list", json!({ "cursor": cursor })).await["result"].clone();
        seen.extend(page["tasks"].as_array().unwrap().clone());
        cursor = page["nextCursor"].clone();
    }
    let seen: Vec<_> = seen.iter().map(|task| task["taskId"].clone()).collect();
    assert_eq!(seen, ids);
    for cursor in ["", "x"] {
        let answer = peer.call("tasks/list", json!({ "cursor": cursor })).await;
        assert_eq!(code(&answer), -32602);
    }
    assert_eq!(code(&ask(&mut peer, "tasks/get", &ids[0]).await), -32602);
}

#[tokio::test(start_paused = true)]
async fn the_ttl_is_kept_and_bounded() {
    let mut peer = open(json!({})).await;
    let arguments = json!({ "seconds": 0 });
    for (task, ttl) in [
        (json!({}), 300_000),
        (json!({ "ttl": 0 }), 0),
        (json!({ "ttl": 1234 }), 1234),
        (json!({ "ttl": 1e300 }), 3_600_000),
    ] {
        let answer = created(&mut peer, "slow_compute", arguments.clone(), task).await;
        assert_eq!(answer["result"]["task"]["ttl"], ttl);
        peer.listen(10).await;
    }
    for task in [json!({ "ttl": -1 }), json!({ "ttl": "9" }), json!(true)] {
        let answer = created(&mut peer, "slow_compute", arguments.clone(), task).await;
        assert_eq!(code(&answer), -32602);
    }
    let task = json!({ "ttl": 500 });
    let answer = created(&mut peer, "slow_compute", json!({ "seconds": 9 }), task).await;
    let id = &answer["result"]["task"]["taskId"];
    peer.listen(10).await;
    peer.request(json!("r"), "tasks/result", json!({ "taskId": id }))
        .await;
    assert!(peer.listen(480).await.is_empty());
    let told = heard(&mut peer, 20_000).await;
    assert_eq!(told.len(), 1, "it ends with its time: {told:?}");
    assert_eq!(code(&told[0]), -32602);
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_session_are_bounded() {
    let mut peer = open(json!({})).await;
    for _ in 0..256 {
        begin(&mut peer, "failing_job", json!({})).await;
    }
    let refused = created(&mut peer, "failing_job", json!({}), json!({})).await;
    assert_eq!(code(&refused), -32603);
    peer.listen(300_000).await;
    begin(&mut peer, "failing_job", json!({})).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_too_long_to_be_kept_is_an_error() {
    let mut peer = open(json!({})).await;
    for (length, status) in [(60_000, "completed"), (66_000, "failed")] {
        let label = "x".repeat(length);
        let arguments = json!({ "seconds": 0, "label": label });
        let id = begin(&mut peer, "slow_compute", arguments).await;
        assert_eq!(statuses(&heard(&mut peer, 10).await), [status]);
        let answer = ask(&mut peer, "tasks/result", &id).await;
        assert_eq!(answer.get("error").is_some(), status == "failed");
    }
}

#[tokio::test(start_paused = true)]
async fn who_no_longer_waits_for_a_result_has_cancelled_nothing() {
    let mut peer = open(json!({})).await;
    let id = begin(&mut peer, "slow_compute", json!({ "seconds": 1 })).await;
    peer.listen(10).await;
    peer.request(json!("r"), "tasks/result", json!({ "taskId": id }))
        .await;
    peer.notify("notifications/cancelled", json!({ "requestId": "r" }))
        .await;
    // The call that began it has been answered long since.
    peer.notify("notifications/cancelled", json!({ "requestId": "c" }))
        .await;
    let told = heard(&mut peer, 5000).await;
    assert_eq!(statuses(&told), ["completed"]);
    assert!(told.iter().all(|message| message.get("id").is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_task_is_known_by_an_id_that_nobody_can_guess_and_to_its_session_alone() {
    let (mut one, mut other) = (open(json!({})).await, open(json!({})).await);
    let mut ids = BTreeSet::new();
    for _ in 0..5 {
        for peer in [&mut one, &mut other] {
            let id = begin(peer, "slow_compute", json!({ "seconds": 9 })).await;
            ids.insert(id.as_str().unwrap().to_owned());
            peer.listen(1).await;
        }
    }
    assert_eq!(ids.len(), 10);
    assert!(ids.iter().all(|id| id.len() == 32));
    let id = begin(&mut one, "slow_compute", json!({ "seconds": 0 })).await;
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        assert_eq!(code(&ask(&mut other, method, &id).await), -32602);
        let no_id = other.call(method, json!({})).await;
        assert_eq!(code(&no_id), -32602, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_leaves_no_waiter_without_an_answer() {
    let mut peer = open(json!({ "elicitation": {} })).await;
    for tool in ["slow_compute", "confirm_delete"] {
        let arguments = match tool {
            "slow_compute" => json!({ "seconds": 1 }),
            _ => json!({ "filename": "f" }),
        };
        let id = begin(&mut peer, tool, arguments).await;
        peer.listen(10).await;
        peer.request(json!(tool), "tasks/result", json!({ "taskId": id }))
            .await;
    }
    let rest = peer.close().await.lines;
    for (tool, is_error) in [("slow_compute", false), ("confirm_delete", true)] {
        let messages = rest
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let answer = messages.into_iter().find(|message| message["id"] == tool);
        let result = &answer.expect("an answer")["result"];
        assert_eq!(result["isError"] == true, is_error, "{tool}: {result}");
    }
}
