//! The native step `rewalk`: a list walked three times, its cursors used once more, and what one walk left out looked up by name.
//!
//! ```text
//! walk -> some of its cursors again -> walk -> walk -> what the second left out and the others have: is it there when asked for?
//! ```
//!
//! A list may change at any time. So an entry counts as left out only where it was listed before and after, and is there all the while; and
//! on conformance servers, whose entries are known by name, where one that is not listed is there when asked for.

use super::Means;
use super::arguments::smallest;
use super::exchange::request;
use super::permission::{Permission, is_fixture_server};
use super::walk::{Page, Walk, members_of, walk_some};
use crate::script::conversation::Conversation;
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Pages of a list that is walked again.
const MOST_PAGES: usize = 200;
/// Entries that are looked up.
const MOST_LOOKED_UP: usize = 5;

/// What conformance servers have under these names, which needs no arguments.
const KNOWN: &[(&str, &[&str])] = &[
    (
        "prompts/list",
        &["test_simple_prompt", "test_prompt_with_image"],
    ),
    (
        "resources/list",
        &["test://static-text", "test://static-binary"],
    ),
    (
        "tools/list",
        &[
            "test_simple_text",
            "test_image_content",
            "test_embedded_resource",
            "test_multiple_content_types",
        ],
    ),
];

/// Runs the step.
pub async fn run(list: &str, conversation: &mut Conversation, means: &Means) -> NativeBound {
    let mut bound = NativeBound {
        native: "rewalk".to_owned(),
        value: json!({ "list": list, "ends": [], "pages": [], "alike": false, "overlaps": [], "again": [], "missed": [] }),
        seqs: Vec::new(),
        missing: None,
    };
    let first = walk_some(list, conversation, MOST_PAGES).await;
    note(&mut bound, &first);
    bound.value["overlaps"] = overlaps(&first);
    if first.end != "last-page" {
        return bound;
    }
    match again(list, &first, conversation).await {
        Ok(again) => bound.value["again"] = again,
        Err(missing) => {
            bound.missing = Some(missing);
            return bound;
        }
    }
    let mut walks = vec![first];
    for _ in 0..2 {
        let walk = walk_some(list, conversation, MOST_PAGES).await;
        note(&mut bound, &walk);
        let is_whole = walk.end == "last-page";
        walks.push(walk);
        if !is_whole {
            return bound;
        }
    }
    let keys: Vec<HashSet<String>> = walks.iter().map(keys_of).collect();
    bound.value["alike"] = json!(keys.iter().all(|one| *one == keys[0]));
    if walks.iter().any(|walk| walk.seqs.len() > 1) {
        match missed(list, &walks, &keys, conversation, means).await {
            Ok(missed) => bound.value["missed"] = missed,
            Err(missing) => bound.missing = Some(missing),
        }
    }
    bound
}

fn note(bound: &mut NativeBound, walk: &Walk) {
    let noted = [("ends", json!(walk.end)), ("pages", json!(walk.seqs.len()))];
    for (member, value) in noted {
        if let Some(all) = bound.value[member].as_array_mut() {
            all.push(value);
        }
    }
    bound.seqs.extend(&walk.seqs);
    bound.missing = bound.missing.or(walk.missing);
}

/// The names of what a walk met, as JSON text.
fn keys_of(walk: &Walk) -> HashSet<String> {
    let keys = walk.pages.iter().flat_map(|page| &page.keys);
    keys.map(Value::to_string).collect()
}

/// Entries that stand on a page and on the one before it.
fn overlaps(walk: &Walk) -> Value {
    let pairs = walk.pages.iter().zip(walk.pages.iter().skip(1));
    let both = pairs
        .zip(walk.seqs.iter().skip(1))
        .flat_map(|((page, next), seq)| {
            let stands = move |key: &&Value| page.keys.contains(key);
            let twice = next.keys.iter().filter(stands);
            twice.map(move |key| json!({ "key": key, "seq": seq }))
        });
    both.collect()
}

/// Asks once more for the second page, one in the middle, and the last.
async fn again(list: &str, walk: &Walk, conversation: &mut Conversation) -> Result<Value, Missing> {
    let (member, key) = members_of(list);
    let later = walk.pages.get(1..).unwrap_or_default();
    let picked: HashSet<usize> = match later.len() {
        0 => HashSet::new(),
        count => [0, count / 2, count - 1].into(),
    };
    let mut all = Vec::new();
    let picked = later
        .iter()
        .enumerate()
        .filter(|(at, _)| picked.contains(at));
    for (_, Page { cursor, keys }) in picked {
        let patience = conversation.pace.work();
        let params = json!({ "cursor": cursor });
        let reply = request(conversation, list, Some(&params), patience).await?;
        let entries = reply
            .result
            .as_ref()
            .and_then(|result| result.get(member)?.as_array());
        let second: Vec<&Value> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.get(key))
            .collect();
        all.push(json!({
            "cursor": cursor,
            "seq": reply.seq,
            "is_served": reply.result.is_some(),
            "first": keys,
            "second": second,
        }));
    }
    Ok(Value::Array(all))
}

/// What the second walk left out though it is there.
async fn missed(
    list: &str,
    walks: &[Walk],
    keys: &[HashSet<String>],
    conversation: &mut Conversation,
    means: &Means,
) -> Result<Value, Missing> {
    let (_, key) = members_of(list);
    let listed = &walks[0].entries;
    let left_out = listed.iter().filter(|entry| {
        let name = entry.get(key).map(Value::to_string).unwrap_or_default();
        keys[2].contains(&name) && !keys[1].contains(&name)
    });
    let mut suspects: Vec<Value> = left_out.cloned().collect();
    suspects.extend(unlisted(list, listed, keys));
    let seq = walks[1].seqs.last();
    let mut missed = Vec::new();
    for entry in suspects.iter().take(MOST_LOOKED_UP) {
        if let Some(served) = served(list, entry, listed, conversation, means).await? {
            missed.push(json!({ "key": entry.get(key), "seq": seq, "served": served }));
        }
    }
    Ok(Value::Array(missed))
}

/// Entries that conformance servers have and that no walk met; nothing of any other server.
fn unlisted(list: &str, listed: &[Value], keys: &[HashSet<String>]) -> Vec<Value> {
    let known = KNOWN.iter().find(|(of, _)| *of == list);
    let names = known.map(|(_, names)| *names).unwrap_or_default();
    let is_met = |name: &str| {
        keys.iter()
            .any(|keys| keys.contains(&json!(name).to_string()))
    };
    let is_of_fixtures = match list {
        "tools/list" => is_fixture_server(listed),
        _ => names.iter().any(|name| is_met(name)),
    };
    let (_, key) = members_of(list);
    let unmet = names.iter().filter(|name| is_of_fixtures && !is_met(name));
    let entry = |name: &&str| {
        let mut entry = Map::new();
        entry.insert(key.to_owned(), json!(name));
        entry.insert("inputSchema".to_owned(), json!({ "type": "object" }));
        Value::Object(entry)
    };
    unmet.map(entry).collect()
}

/// Position of the result that shows that what has the name of an entry is there when it is asked for. A tool is asked for only where it may be called.
async fn served(
    list: &str,
    entry: &Value,
    listed: &[Value],
    conversation: &mut Conversation,
    means: &Means,
) -> Result<Option<u64>, Missing> {
    let asked = match list {
        "prompts/list" => {
            let has_required = entry["arguments"]
                .as_array()
                .is_some_and(|arguments| arguments.iter().any(|one| one["required"] == true));
            let params = json!({ "name": entry["name"] });
            (!has_required).then_some(("prompts/get", params))
        }
        "resources/list" => Some(("resources/read", json!({ "uri": entry["uri"] }))),
        "tools/list" if means.permissions.of(entry, listed) == Permission::Allowed => {
            let arguments = smallest(&entry["inputSchema"]);
            arguments.map(|arguments| {
                (
                    "tools/call",
                    json!({ "name": entry["name"], "arguments": arguments }),
                )
            })
        }
        _ => None,
    };
    let Some((method, params)) = asked else {
        return Ok(None);
    };
    let patience = conversation.pace.work();
    let reply = request(conversation, method, Some(&params), patience).await?;
    // That there is no such tool may be told by a result too.
    let is_there = reply.result.is_some_and(|result| result["isError"] != true);
    Ok(is_there.then_some(reply.seq))
}

#[cfg(test)]
mod tests;
