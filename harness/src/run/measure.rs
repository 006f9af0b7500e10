//! Fixtures that are found by measuring: an allowed tool that takes its time serves as `slow`, one that reports progress as `progress`.
//!
//! ```text
//! tools that may be called, in the order they are listed -> one call each, with a progress token -> how long, and was progress heard
//! ```
//!
//! Arguments are the smallest that the schema accepts; a tool whose schema has a time to wait is told to wait two seconds, long
//! enough for a cancellation to find it at work on a machine that is busy. It ends with the
//! first tool of each kind, so that no more is called than has to be.

use super::attempt::{Stage, retire};
use crate::era::{self, Manner, Opened};
use crate::native::arguments::smallest;
use crate::native::exchange::await_reply;
use crate::native::permission::{Permission, Permissions};
use crate::script::conversation::Conversation;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::{Direction, Missing};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// From here on a tool is slow: long enough that a cancellation finds it at work.
const SLOW: Duration = Duration::from_millis(300);
/// What a load on the machine does not make of a quick tool.
const SURELY_SLOW: Duration = Duration::from_secs(2);
/// Longest wait for one call.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this no further tool is called.
const BUDGET: Duration = Duration::from_secs(60);
/// Tools that are called at most.
const MOST_TOOLS: usize = 50;
/// The progress token of these calls.
const TOKEN: &str = "mcp-assay-measure";

/// Names of arguments that say how long to wait, and two seconds in their unit.
const WAITS: &[(&str, u32)] = &[
    ("delay", 2),
    ("delayMs", 2000),
    ("delay_ms", 2000),
    ("delay_seconds", 2),
    ("duration", 2),
    ("durationMs", 2000),
    ("duration_ms", 2000),
    ("duration_seconds", 2),
    ("milliseconds", 2000),
    ("ms", 2000),
    ("seconds", 2),
    ("sleep_ms", 2000),
    ("sleep_seconds", 2),
];

/// What the measured tools showed, kept for the other revisions of a run: a tool that is listed alike is not called again.
#[derive(Debug, Default)]
pub struct Measured(HashMap<String, Shown>);

/// What one call showed.
#[derive(Clone, Debug, Default)]
struct Shown {
    took: Duration,
    has_progress: bool,
}

/// The fixtures among these that a target's tools serve as.
///
/// **Shape**: an object by name, as a profile has it. `wanted` holds `slow`, `progress`, or both.
pub async fn measure(
    stage: &Stage,
    revision: Revision,
    tools: &[Value],
    permissions: &Permissions,
    wanted: &BTreeSet<&'static str>,
    known: &mut Measured,
) -> Map<String, Value> {
    let mut found = Map::new();
    let callable: Vec<(&Value, Value)> = tools
        .iter()
        .filter(|tool| permissions.of(tool, tools) == Permission::Allowed)
        .filter(|tool| tool.pointer("/execution/taskSupport") != Some(&json!("required")))
        .filter_map(|tool| Some((tool, arguments(tool.get("inputSchema")?)?)))
        .take(MOST_TOOLS)
        .collect();
    let began = Instant::now();
    let mut conversation = None;
    for (tool, arguments) in callable {
        if wanted.iter().all(|name| found.contains_key(*name)) || began.elapsed() > BUDGET {
            break;
        }
        let name = tool.get("name").cloned().unwrap_or_default();
        let key = json!([name, arguments]).to_string();
        let shown = match known.0.get(&key) {
            Some(shown) => shown.clone(),
            None => {
                if conversation.is_none() {
                    conversation = open(stage, revision).await;
                }
                let Some(conversation) = &mut conversation else {
                    break;
                };
                let call = json!({
                    "name": name, "arguments": arguments, "_meta": { "progressToken": TOKEN },
                });
                let Ok(shown) = show(conversation, &call).await else {
                    break;
                };
                known.0.entry(key).or_insert(shown).clone()
            }
        };
        if wanted.contains("slow") && !found.contains_key("slow") && shown.took >= SLOW {
            let takes_ms = u64::try_from(shown.took.as_millis()).unwrap_or(u64::MAX);
            let slow = json!({ "tool": name, "arguments": arguments, "takes_ms": takes_ms });
            found.insert("slow".to_owned(), slow);
        }
        if wanted.contains("progress") && !found.contains_key("progress") && shown.has_progress {
            let progress = json!({ "tool": name, "arguments": arguments });
            found.insert("progress".to_owned(), progress);
        }
    }
    if let Some(conversation) = conversation {
        retire(conversation, true).await;
    }
    found
}

/// A disposable conversation.
async fn open(stage: &Stage, revision: Revision) -> Option<Conversation> {
    let link = stage.launcher.open().await.ok()?;
    let mut manner = Manner::new(revision);
    if let Some(means) = stage.means.get(&revision) {
        manner.mirror = Arc::clone(&means.mirror);
    }
    let (binding, pace) = (stage.launcher.binding(), Arc::clone(&stage.pace));
    let mut conversation =
        Conversation::new(link, binding, manner, "measure", pace, HashSet::new());
    let patience = stage.pace.start();
    let (_, opened) = era::open(&mut conversation, patience).await;
    (opened == Opened::Yes).then_some(conversation)
}

/// Calls a tool, and once more where it may have been slow by chance: the quicker call counts.
///
/// **Errors**: why the conversation cannot go on.
async fn show(conversation: &mut Conversation, call: &Value) -> Result<Shown, Missing> {
    let mut shown = called(conversation, call).await?;
    if (SLOW..SURELY_SLOW).contains(&shown.took) {
        let again = called(conversation, call).await?;
        shown.took = shown.took.min(again.took);
        shown.has_progress |= again.has_progress;
    }
    Ok(shown)
}

async fn called(conversation: &mut Conversation, call: &Value) -> Result<Shown, Missing> {
    let before = conversation.entries().len();
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/call", Some(call));
    let began = Instant::now();
    let (index, sent) = conversation.send_message(&text).await;
    if sent.is_err() {
        return Err(Missing::Hung);
    }
    let patience = conversation.pace.work().min(PATIENCE);
    let seq = await_reply(conversation, index, patience).await?;
    let took = began.elapsed();
    // Progress on a stream of its own may come behind the answer; whether it may is for a check to say.
    if conversation.has_exchanges() {
        conversation.linger(conversation.pace.grace()).await;
    }
    let is_progress = |message: &Value| {
        message["method"] == "notifications/progress" && message["params"]["progressToken"] == TOKEN
    };
    let mut came = conversation.entries()[before..]
        .iter()
        .filter(|entry| entry.direction == Direction::Received)
        .filter_map(|entry| entry.message.as_ref());
    let has_progress = came.any(|message| is_progress(&message.value));
    let reply = conversation.entry(seq);
    let reply = reply.and_then(|entry| entry.message.as_ref());
    let result = reply.and_then(|message| message.value.get("result"));
    // What fails may fail sooner or later the next time.
    let is_done = result
        .is_some_and(|result| result["isError"] != true && result.get("inputRequests").is_none());
    Ok(Shown {
        took: if is_done { took } else { Duration::ZERO },
        has_progress,
    })
}

/// What a tool is called with: two seconds of waiting where it can be told to wait, else the least.
fn arguments(schema: &Value) -> Option<Value> {
    waiting(schema).or_else(|| smallest(schema))
}

fn waiting(schema: &Value) -> Option<Value> {
    let properties = schema.get("properties")?.as_object()?;
    let (name, time) = WAITS.iter().find(|(name, time)| {
        let property = properties.get(*name);
        property.is_some_and(|property| is_time(property, *time))
    })?;
    let mut wanted = schema.clone();
    wanted["properties"][name] = json!({ "const": time });
    let required = wanted.as_object_mut()?.entry("required");
    required
        .or_insert_with(|| json!([]))
        .as_array_mut()?
        .push(json!(name));
    smallest(&wanted)
}

/// Whether a property is a number that this may be.
fn is_time(property: &Value, time: u32) -> bool {
    let is_number = matches!(property["type"].as_str(), Some("integer" | "number"));
    let bound = |keyword: &str| property.get(keyword).and_then(Value::as_f64);
    let time = f64::from(time);
    is_number
        && bound("minimum").is_none_or(|least| least <= time)
        && bound("exclusiveMinimum").is_none_or(|least| least < time)
        && bound("maximum").is_none_or(|most| time <= most)
        && bound("exclusiveMaximum").is_none_or(|most| time < most)
        && bound("multipleOf").is_none_or(|part| part == 1.0 || part == time)
        && property.get("enum").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::probe::listing_probe;
    use crate::target::{Peer, Target};
    use crate::testing::{REVISION, stage};

    #[tokio::test(start_paused = true)]
    async fn tools_are_found_by_what_they_do_and_only_where_they_may_be_called() {
        let stage = stage(Target::Peer(Peer::lines(None)));
        let tools = listing_probe(&stage, REVISION).await.tools;
        let wanted = BTreeSet::from(["progress", "slow"]);
        for (globs, slow, progress) in [
            (&["nothing"][..], None, None),
            (&["slow", "echo"], Some("slow"), None),
            (&["slow*"], Some("slow"), Some("slow_compute")),
        ] {
            // Marks and names that would allow a call are taken away.
            let bare: Vec<Value> = tools
                .iter()
                .filter(|tool| {
                    !tool["name"]
                        .as_str()
                        .unwrap_or_default()
                        .starts_with("test_")
                })
                .map(|tool| {
                    let mut tool = tool.clone();
                    tool["annotations"] = json!({});
                    tool
                })
                .collect();
            let permissions = Permissions::new(globs, false).unwrap();
            let mut known = Measured::default();
            let found = measure(&stage, REVISION, &bare, &permissions, &wanted, &mut known).await;
            let tool = |name: &str| found.get(name).and_then(|one| one["tool"].as_str());
            assert_eq!(
                (tool("slow"), tool("progress")),
                (slow, progress),
                "{globs:?}"
            );
            if slow.is_some() {
                assert_eq!(found["slow"]["arguments"], json!({ "ms": 2000 }));
                assert_eq!(found["slow"]["takes_ms"], 2000);
            }
        }
    }

    #[test]
    fn a_tool_that_can_be_told_to_wait_waits_two_seconds() {
        let time = |kind: &str| json!({ "type": kind, "minimum": 0, "maximum": 60000 });
        let schema = json!({ "properties": { "ms": time("integer") }, "required": ["ms"] });
        assert_eq!(arguments(&schema), Some(json!({ "ms": 2000 })));
        let schema =
            json!({ "properties": { "duration": time("number"), "steps": time("number") } });
        assert_eq!(arguments(&schema), Some(json!({ "duration": 2 })));
        let short = json!({ "type": "integer", "maximum": 100 });
        let schema = json!({ "properties": { "ms": short } });
        assert_eq!(
            arguments(&schema),
            Some(json!({})),
            "it cannot wait so long"
        );
        let schema = json!({ "properties": { "ms": { "type": "string" } } });
        assert_eq!(arguments(&schema), Some(json!({})));
    }
}
