//! The native step `cancelled_crowd`: the same call many times at once, one of which is cancelled; and its judges.
//!
//! ```text
//! one call, a fence -> is it still at work? -> all the others -> cancel one in the middle -> fence -> the answers -> fence
//! ```
//!
//! A server that does one thing after the other is not asked for more: fifty calls would keep it busy for minutes.

use crate::era;
use crate::script::conversation::{Conversation, Fence, SentIndex, Waited};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::record::{Missing, NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Calls at once.
const MANY: usize = 50;
/// Which of them is cancelled.
const CANCELLED: usize = 25;

/// Runs the step.
///
/// **Errors**: a parameter that is missing.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<NativeBound, String> {
    let call = parameters
        .get("call")
        .ok_or("native `cancelled_crowd` lacks its parameter `call`")?;
    let mut bound = NativeBound {
        native: "cancelled_crowd".to_owned(),
        value: json!({ "is_serial": true, "asked": 1, "unanswered": [], "cancelled": null }),
        seqs: Vec::new(),
        missing: None,
    };
    bound.missing = crowd(call, conversation, &mut bound).await.err();
    Ok(bound)
}

async fn crowd(
    call: &Value,
    conversation: &mut Conversation,
    bound: &mut NativeBound,
) -> Result<(), Missing> {
    let mut asked = vec![ask(call, conversation).await];
    let patience = conversation.pace.work();
    let fence = fenced(conversation, patience).await?;
    bound.seqs.push(conversation.sent(asked[0]).seq);
    let reply = conversation.sent(asked[0]).replies.first();
    // Answered before what was sent behind it: quick, or busy with one thing at a time.
    if reply.is_some_and(|reply| *reply <= fence) {
        return Ok(());
    }
    while asked.len() < MANY {
        asked.push(ask(call, conversation).await);
    }
    let cancelled = asked.remove(CANCELLED);
    era::cancel(conversation, cancelled).await;
    let fence = fenced(conversation, patience).await?;
    // Not all of them may run side by side.
    let deadline = Instant::now() + patience * 2;
    for index in &asked {
        if conversation.wait_reply(*index, deadline).await == Waited::Ended {
            return Err(Missing::Died);
        }
    }
    fenced(conversation, Duration::ZERO).await?;
    let sent = |index: &SentIndex| conversation.sent(*index);
    let unanswered = asked
        .iter()
        .filter(|index| sent(index).replies.is_empty())
        // Too many requests is no refusal of this one.
        .filter(|index| conversation.status(**index) != Some(429))
        .map(|index| sent(index).seq);
    let unanswered: Vec<u64> = unanswered.collect();
    let reply = sent(&cancelled).replies.first().copied();
    bound.value = json!({
        "is_serial": false,
        "asked": MANY,
        "unanswered": unanswered,
        "cancelled": { "reply": reply, "is_late": reply.is_some_and(|reply| reply > fence) },
    });
    Ok(())
}

async fn ask(call: &Value, conversation: &mut Conversation) -> SentIndex {
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/call", Some(call));
    conversation.send_message(&text).await.0
}

async fn fenced(conversation: &mut Conversation, patience: Duration) -> Result<u64, Missing> {
    match conversation.fence(patience).await {
        Fence::Answered(seq) => Ok(seq),
        Fence::Missing(missing) => Err(missing),
    }
}

/// Every call but the one that was cancelled got an answer.
pub(super) fn crowd_answered(bound: &NativeBound, _record: &Record) -> Judgement {
    if bound.value["is_serial"] != false {
        return Judgement::unjudged(Reason::Given);
    }
    let unanswered = bound.value["unanswered"].as_array();
    let unanswered = unanswered.map(Vec::as_slice).unwrap_or_default();
    let findings = unanswered.first().map(|first| {
        let mut finding = Finding::new(
            FindingCode::NoReply,
            format!(
                "of {MANY} calls at once one was cancelled, and {} others got no answer",
                unanswered.len()
            ),
        )
        .expected("an answer to each but the one that was cancelled")
        .actual("nothing")
        .at(first.as_u64().unwrap_or_default(), "");
        finding.count = unanswered.len() as u64;
        finding
    });
    Judgement::of(findings.into_iter().collect(), MANY as u64 - 1)
}

/// The call that was cancelled got no answer. Over HTTP either its POST may be answered all the same, or nobody is there to hear it.
pub(super) fn cancelled_unanswered(bound: &NativeBound, record: &Record) -> Judgement {
    if bound.value["is_serial"] != false {
        return Judgement::unjudged(Reason::Given);
    }
    if record.binding == Binding::Http {
        return Judgement::unjudged(Reason::Binding);
    }
    let cancelled = &bound.value["cancelled"];
    match cancelled["reply"].as_u64() {
        None => Judgement::pass(1),
        Some(seq) if cancelled["is_late"] == true => {
            let message = "a response to the cancelled request came after the answer to a request sent after the cancel";
            let finding = Finding::new(FindingCode::LateReply, message)
                .expected("no response to a cancelled request")
                .at(seq, "");
            Judgement::fail(vec![finding], 1)
        }
        Some(_) => Judgement::inconclusive(Reason::Raced),
    }
}
