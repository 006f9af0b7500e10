//! Tasks over HTTP: which stream carries what a task says.

use crate::support::{Client, Exchange, honest, request, wait};
use serde_json::{Value, json};

async fn begin(client: &Client, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments, "task": { "ttl": 60000 } });
    let call = client.post(&request(json!("t"), "tools/call", params));
    let created = call.message(|message| message["id"] == "t").await;
    call.body().await;
    assert_eq!(call.messages().len(), 1, "the call is over with its answer");
    created["result"]["task"]["taskId"].clone()
}

fn result(client: &Client, id: &Value) -> Exchange {
    client.post(&request(
        json!("r"),
        "tasks/result",
        json!({ "taskId": id }),
    ))
}

fn is_question(message: &Value) -> bool {
    message["method"] == "elicitation/create"
}

async fn confirm(client: &Client, asked: &Value) {
    let result = json!({ "action": "accept", "content": { "confirm": true } });
    let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
    assert_eq!(client.post(&answer.to_string()).status().await, 202);
}

async fn able() -> Client {
    Client::open(&honest(), "2025-11-25", json!({ "elicitation": {} })).await
}

fn file() -> Value {
    json!({ "filename": "f" })
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_the_result_gets_what_the_task_says() {
    let client = able().await;
    let id = begin(&client, "confirm_delete", file()).await;
    // What was asked before anyone waited is not lost.
    wait(1000).await;
    let now = client.call("tasks/get", json!({ "taskId": id })).await;
    assert_eq!(now["result"]["status"], "input_required");
    let waiting = result(&client, &id);
    let asked = waiting.message(is_question).await;
    assert!(!waiting.is_over());
    confirm(&client, &asked).await;
    waiting.body().await;
    let messages = waiting.messages();
    let last = messages.last().unwrap();
    assert_eq!(last["id"], "r");
    let text = &last["result"]["content"][0]["text"];
    assert_eq!(text, "Confirmed: f would be deleted.");
    let statuses = messages.iter().map(|message| &message["params"]["status"]);
    let statuses: Vec<_> = statuses.filter_map(Value::as_str).collect();
    assert_eq!(statuses, ["input_required", "working", "completed"]);

    let again = result(&client, &id);
    assert_eq!(
        again.json().await,
        *last,
        "a task that is over is not waited for"
    );
}

#[tokio::test(start_paused = true)]
async fn where_nobody_waits_the_get_stream_carries_it() {
    let client = able().await;
    let stream = client.listen().await;
    let id = begin(&client, "confirm_delete", file()).await;
    let asked = stream.message(is_question).await;
    let waiting = result(&client, &id);
    wait(10).await;
    confirm(&client, &asked).await;
    waiting.body().await;
    assert!(
        !waiting.messages().iter().any(is_question),
        "it is asked once"
    );
    let told = stream.messages().into_iter();
    let told = told.filter(|message| message["params"]["status"] == "completed");
    assert_eq!(told.count(), 0, "who waits is told");
}

#[tokio::test(start_paused = true)]
async fn each_task_speaks_on_its_own_waiter() {
    let client = able().await;
    let ids = [
        begin(&client, "confirm_delete", file()).await,
        begin(&client, "confirm_delete", file()).await,
    ];
    let waiting = [result(&client, &ids[0]), result(&client, &ids[1])];
    for (id, waiting) in ids.iter().zip(&waiting) {
        let asked = waiting.message(is_question).await;
        let related = &asked["params"]["_meta"]["io.modelcontextprotocol/related-task"];
        assert_eq!(related["taskId"], *id);
        confirm(&client, &asked).await;
        waiting.body().await;
    }
    for waiting in waiting {
        let asked = waiting.messages().into_iter().filter(is_question);
        assert_eq!(asked.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_outlives_the_connection_that_waits_for_it() {
    let client = able().await;
    let id = begin(&client, "slow_compute", json!({ "seconds": 1 })).await;
    let waiting = result(&client, &id);
    assert_eq!(waiting.status().await, 200);
    drop(waiting);
    wait(2000).await;
    let again = result(&client, &id).json().await;
    assert_eq!(again["result"]["content"][0]["text"], "Computed: ");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_unknown_to_other_sessions() {
    let server = honest();
    let one = Client::open(&server, "2025-11-25", json!({})).await;
    let other = Client::open(&server, "2025-11-25", json!({})).await;
    let id = begin(&one, "slow_compute", json!({ "seconds": 9 })).await;
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let answer = other.call(method, json!({ "taskId": id })).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}");
    }
    let none = other.call("tasks/list", json!({})).await;
    assert_eq!(none["result"]["tasks"], json!([]));
    let own = one.call("tasks/list", json!({})).await;
    assert_eq!(own["result"]["tasks"][0]["taskId"], id);
}
