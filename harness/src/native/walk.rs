//! The native step `walk`: a list, page by page, under a bound of our own.

use super::exchange::request;
use crate::script::conversation::Conversation;
use mcp_assay_model::record::{Missing, NativeBound};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Pages after which a list counts as endless.
pub const MOST_PAGES: usize = 1000;
/// Entries whose keys are kept; beyond, only their number is.
const KEPT_KEYS: usize = 10_000;

/// One list as it was walked.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Positions of the pages.
    pub seqs: Vec<u64>,
    /// Entries, in order.
    pub entries: Vec<Value>,
    /// How it ended: last-page, loop, bound, error, silent, died, hung.
    pub end: &'static str,
    /// Why a page did not come.
    pub missing: Option<Missing>,
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
pub async fn walk_some(list: &str, conversation: &mut Conversation, most: usize) -> Walk {
    let (member, _) = members_of(list);
    let mut walk = Walk::default();
    let mut seen = HashSet::new();
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
        let Some(result) = reply.result else {
            walk.end = "error";
            return walk;
        };
        if let Some(Value::Array(entries)) = result.get(member) {
            let room = KEPT_KEYS.saturating_sub(walk.entries.len());
            walk.entries.extend(entries.iter().take(room).cloned());
        }
        match result.get("nextCursor") {
            None | Some(Value::Null) => {
                walk.end = "last-page";
                return walk;
            }
            Some(next) if !seen.insert(next.to_string()) => {
                walk.end = "loop";
                return walk;
            }
            Some(_) if walk.seqs.len() >= most => {
                walk.end = "bound";
                return walk;
            }
            Some(next) => cursor = Some(next.clone()),
        }
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
