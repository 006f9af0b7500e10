//! The native step `crowd`: many requests under way at once, each with an id of its own.
//!
//! Half of them ask for a method that no server has, half for the tool list, whose answer takes longer. Over HTTP each is a POST of its own,
//! and all are open before any answer is read.

use super::exchange::await_reply;
use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Missing, NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// The most requests at once.
const MOST: u64 = 200;
/// What no server has.
const UNKNOWN: &str = "mcp-assay/in-crowd";
/// What takes a moment.
const LIST: &str = "tools/list";

/// Runs the step.
///
/// **Errors**: a parameter that is missing or too large.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<NativeBound, String> {
    let count = parameters.get("count").and_then(Value::as_u64);
    let count = count
        .filter(|count| (1..=MOST).contains(count))
        .ok_or_else(|| format!("`count` of `crowd` is a number from 1 to {MOST}"))?;
    let mut asked: Vec<SentIndex> = Vec::new();
    for turn in 0..count {
        let id = conversation.fresh_id();
        let method = if turn % 2 == 0 { UNKNOWN } else { LIST };
        let text = conversation.manner.request(&id, method, None);
        // A target that does not read shows itself by not answering.
        asked.push(conversation.send_now(&text).0);
    }
    let mut missing = None;
    let mut unanswered = Vec::new();
    let mut answered = 0;
    // They are under way together: one wait for all, and a new one as long as answers come, for a target that takes them one by one.
    let mut deadline = Instant::now() + conversation.pace.work();
    for index in asked {
        let was_due = conversation.sent(index).replies.is_empty();
        let patience = deadline.saturating_duration_since(Instant::now());
        let lacks = match await_reply(conversation, index, patience).await {
            Ok(_) => None,
            // A response by status alone is one too.
            Err(_) if conversation.head(index).is_some() => None,
            Err(lacks) => Some(lacks),
        };
        match lacks {
            None => {
                answered += 1;
                if was_due {
                    deadline = Instant::now() + conversation.pace.work();
                }
            }
            Some(Missing::Silent) => unanswered.push(conversation.sent(index).seq),
            Some(lacks) => {
                missing = Some(lacks);
                break;
            }
        }
    }
    Ok(NativeBound {
        native: "crowd".to_owned(),
        value: json!({ "asked": count, "answered": answered, "unanswered": unanswered }),
        seqs: Vec::new(),
        missing,
    })
}

/// Each request of the crowd was answered.
pub fn all_answered(bound: &NativeBound, _: &Record) -> Judgement {
    let asked = bound.value["asked"].as_u64().unwrap_or_default();
    if asked == 0 {
        return Judgement::unjudged(Reason::NothingToJudge);
    }
    let unanswered = bound.value["unanswered"].as_array();
    let unanswered: Vec<u64> = unanswered
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let finding = unanswered.first().map(|first| {
        Finding::new(
            FindingCode::NoReply,
            "requests that were under way at once were not all answered",
        )
        .expected(format!("{asked} answers"))
        .actual(format!("{} requests without one", unanswered.len()))
        .at(*first, "")
    });
    Judgement::of(finding.into_iter().collect(), asked)
}

#[cfg(test)]
mod tests;
