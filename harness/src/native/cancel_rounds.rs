//! The native step `cancel_rounds`: the same call, cancelled while it runs, three times; and its judge.
//!
//! ```text
//! call -> fence: is it at work? -> cancel -> fence: was it answered in between?     three times
//! ```
//!
//! Once, an answer between the cancel and the answer to what was sent behind it is the lawful race: it was on its way. A call that runs for
//! hundreds of times as long as that moment does not end in it three times out of three; such an answer is one to the cancel.

use crate::era;
use crate::script::conversation::{Conversation, Fence};
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Missing, NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often.
const ROUNDS: usize = 3;

/// Runs the step.
///
/// **Errors**: a parameter that is missing.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
) -> Result<NativeBound, String> {
    let call = parameters
        .get("call")
        .ok_or("native `cancel_rounds` lacks its parameter `call`")?;
    let mut rounds = Vec::new();
    let mut missing = None;
    while rounds.len() < ROUNDS && missing.is_none() {
        match round(call, conversation).await {
            Ok(round) => rounds.push(round),
            Err(why) => missing = Some(why),
        }
    }
    let seqs = rounds.iter().filter_map(|round| round["seq"].as_u64());
    Ok(NativeBound {
        native: "cancel_rounds".to_owned(),
        seqs: seqs.collect(),
        value: json!({ "rounds": rounds }),
        missing,
    })
}

async fn round(call: &Value, conversation: &mut Conversation) -> Result<Value, Missing> {
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, "tools/call", Some(call));
    let (index, _) = conversation.send_message(&text).await;
    // A server that does one thing after the other answers the fence when the call is done.
    let patience = conversation.pace.work();
    fenced(conversation, patience).await?;
    let has_run = conversation.sent(index).replies.is_empty();
    let (mut answered, mut seq) = (false, conversation.sent(index).seq);
    if has_run {
        era::cancel(conversation, index).await;
        let fence = fenced(conversation, patience).await?;
        let reply = conversation.sent(index).replies.first();
        if let Some(reply) = reply.filter(|reply| **reply < fence) {
            (answered, seq) = (true, *reply);
        }
    }
    Ok(json!({ "has_run": has_run, "is_answered": answered, "seq": seq }))
}

async fn fenced(conversation: &mut Conversation, patience: Duration) -> Result<u64, Missing> {
    match conversation.fence(patience).await {
        Fence::Answered(seq) => Ok(seq),
        Fence::Missing(missing) => Err(missing),
    }
}

/// The calls were not answered because they were cancelled.
pub(super) fn cancels_unanswered(bound: &NativeBound, _record: &Record) -> Judgement {
    let rounds = bound.value["rounds"].as_array();
    let rounds = rounds.map(Vec::as_slice).unwrap_or_default();
    if rounds.len() < ROUNDS || rounds.iter().any(|round| round["has_run"] != true) {
        return Judgement::unjudged(Reason::Given);
    }
    let answered: Vec<&Value> = rounds
        .iter()
        .filter(|round| round["is_answered"] == true)
        .collect();
    match answered.as_slice() {
        [] => Judgement::pass(ROUNDS as u64),
        [first, ..] if answered.len() == ROUNDS => {
            let message = format!(
                "a running call was answered at once when it was cancelled, {ROUNDS} times out of {ROUNDS}"
            );
            let finding = Finding::new(FindingCode::LateReply, message)
                .expected("no response to a cancelled request")
                .at(first["seq"].as_u64().unwrap_or_default(), "");
            Judgement::fail(vec![finding], ROUNDS as u64)
        }
        _ => Judgement::inconclusive(Reason::Raced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcp_assay_model::protocol::{Binding, Revision};
    use mcp_assay_model::record::End;
    use mcp_assay_model::verdict::Verdict;

    #[test]
    fn one_answer_is_a_race_and_three_are_none() {
        let record = Record {
            revision: Revision::R2025_11_25,
            binding: Binding::Memory,
            entries: Vec::new(),
            labels: BTreeMap::new(),
            end: End::Alive,
            past: Default::default(),
        };
        for (rounds, verdict) in [
            ([(true, false); 3], Some(Verdict::Pass)),
            ([(true, true); 3], Some(Verdict::Fail)),
            (
                [(true, true), (true, false), (true, true)],
                Some(Verdict::Inconclusive),
            ),
            ([(true, true), (true, true), (false, false)], None),
        ] {
            let rounds = rounds.map(|(has_run, is_answered)| {
                json!({ "has_run": has_run, "is_answered": is_answered, "seq": 5 })
            });
            let bound = NativeBound {
                native: "cancel_rounds".to_owned(),
                value: json!({ "rounds": rounds }),
                seqs: Vec::new(),
                missing: None,
            };
            assert_eq!(cancels_unanswered(&bound, &record).verdict, verdict);
        }
    }
}
