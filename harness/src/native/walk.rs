//! The native step `walk`: a list, page by page, under a bound of our own.

use super::exchange::request;
use crate::script::conversation::Conversation;
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// Pages after which a list counts as endless, whatever they hold.
pub const MOST_PAGES: usize = 10_000;
/// Pages one behind the other without an entry that is new, after which a list counts as endless. A page may be empty, and others be alike.
pub const MOST_BARREN: usize = 100;
/// Entries whose keys are kept; beyond, only their number is.
const KEPT_KEYS: usize = 10_000;
/// Pages of which it is kept how they are asked for.
const KEPT_PAGES: usize = 200;

/// One list as it was walked.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Positions of the pages.
    pub seqs: Vec<u64>,
    /// The first pages.
    pub pages: Vec<Page>,
    /// Entries, in order.
    pub entries: Vec<Value>,
    /// How it ended: last-page, loop, barren, bound, error, silent, unfenced, died, hung.
    pub end: &'static str,
    /// Why a page did not come.
    pub missing: Option<Missing>,
}

/// One page of a walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The cursor that it was asked for with; none of the first.
    pub cursor: Option<Value>,
    /// Names or URIs of its entries.
    pub keys: Vec<Value>,
}

/// Where a list holds its entries, and what names one.
pub fn members_of(list: &str) -> (&'static str, &'static str) {
    match list {
        "tools/list" => ("tools", "name"),
        "resources/list" => ("resources", "uri"),
        "resources/templates/list" => ("resourceTemplates", "uriTemplate"),
        "prompts/list" => ("prompts", "name"),
        "tasks/list" => ("tasks", "taskId"),
        _ => ("", ""),
    }
}

/// Walks a list to its end. An empty-string cursor is opaque like any other and is followed.
pub async fn walk(list: &str, conversation: &mut Conversation) -> Walk {
    walk_some(list, conversation, MOST_PAGES).await
}

/// The same, for this many pages at most.
///
/// Memory is bounded, whatever the list: of cursors and entries beyond the first a hash is kept, of pages beyond what a transcript may
/// hold the beginning.
pub async fn walk_some(list: &str, conversation: &mut Conversation, most: usize) -> Walk {
    let (member, key) = members_of(list);
    let mut walk = Walk::default();
    let hasher = RandomState::new();
    let (mut cursors, mut met) = (HashSet::new(), HashSet::new());
    let mut barren = 0;
    let mut cursor: Option<Value> = None;
    loop {
        let params = cursor.as_ref().map(|cursor| json!({ "cursor": cursor }));
        let patience = conversation.pace.work();
        let reply = match request(conversation, list, params.as_ref(), patience).await {
            Ok(reply) => reply,
            Err(missing) => {
                walk.missing = Some(missing);
                walk.end = match missing {
                    Missing::Silent => "silent",
                    Missing::Hung => "hung",
                    Missing::Died => "died",
                    Missing::Unfenced => "unfenced",
                };
                return walk;
            }
        };
        walk.seqs.push(reply.seq);
        conversation.shed(reply.seq);
        let Some(result) = reply.result else {
            walk.end = "error";
            return walk;
        };
        let entries = result.get(member).and_then(Value::as_array);
        let entries = entries.map(Vec::as_slice).unwrap_or_default();
        let name = |entry: &Value| entry.get(key).unwrap_or(entry).to_string();
        let new = entries
            .iter()
            .filter(|entry| met.insert(hasher.hash_one(name(entry))));
        barren = if new.count() > 0 { 0 } else { barren + 1 };
        if walk.pages.len() < KEPT_PAGES {
            let keys = entries.iter().filter_map(|entry| entry.get(key));
            let keys = keys.take(KEPT_KEYS).cloned().collect();
            walk.pages.push(Page { cursor, keys });
        }
        let room = KEPT_KEYS.saturating_sub(walk.entries.len());
        walk.entries.extend(entries.iter().take(room).cloned());
        walk.end = match result.get("nextCursor") {
            None | Some(Value::Null) => "last-page",
            Some(next) if !cursors.insert(hasher.hash_one(next.to_string())) => "loop",
            Some(_) if barren >= MOST_BARREN => "barren",
            Some(_) if walk.seqs.len() >= most => "bound",
            Some(next) => {
                cursor = Some(next.clone());
                continue;
            }
        };
        return walk;
    }
}

/// Runs the step.
pub async fn run(list: &str, conversation: &mut Conversation) -> NativeBound {
    let walked = walk(list, conversation).await;
    let (_, key) = members_of(list);
    let keys: Vec<&Value> = walked
        .entries
        .iter()
        .filter_map(|entry| entry.get(key))
        .collect();
    NativeBound {
        native: "walk".to_owned(),
        value: json!({ "list": list, "pages": walked.seqs.len(), "keys": keys, "end": walked.end }),
        seqs: walked.seqs,
        missing: walked.missing,
    }
}

#[cfg(test)]
mod tests;
