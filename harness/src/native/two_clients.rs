//! The native step `two_clients`: two clients of one server ask at the same time, with equal ids, for what has different answers.
//!
//! ```text
//! each alone:  unknown method, ping            -> what the answers look like without a crowd
//! both at once: first: unknown method 7, ping 8
//!              second: ping 7, unknown method 8 -> each client must get its own
//! in the modern era server/discover for ping
//! ```

use crate::era::{self, Opened};
use crate::script::conversation::{Conversation, Fence, SentIndex};
use mcp_assay_model::record::{HttpPart, Missing, NativeBound};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Label of the second connection in the transcript.
const SECOND: &str = "d";

/// What no server has.
const UNKNOWN: &str = "mcp-assay/no-such-method";

/// Runs the step.
///
/// **Errors**: when the binding has no second client.
pub async fn run(first: &mut Conversation) -> Result<NativeBound, String> {
    let Some(mut second) = first.sibling(SECOND) else {
        return Err("`two_clients` needs a server with several clients".to_owned());
    };
    let mut bound = NativeBound {
        native: "two_clients".to_owned(),
        value: json!({ "second": "refused", "sessions": "none", "ids": [], "questions": [] }),
        seqs: Vec::new(),
        missing: None,
    };
    // What each client asks, by turns.
    let questions_of_each = [UNKNOWN, first.manner.fence_method()];
    let patience = first.pace.start();
    let (_, opened) = era::open(&mut second, patience).await;
    if opened != Opened::Yes {
        // Whether a server has room for a second client is its own affair.
        first.absorb(&second);
        return Ok(bound);
    }
    let mut questions = Vec::new();
    let alone = match alone(first, questions_of_each).await {
        Ok(alone) => alone,
        Err(missing) => {
            bound.missing = Some(missing);
            first.absorb(&second);
            return Ok(bound);
        }
    };
    let begin = first.next_id_number().max(second.next_id_number());
    first.begin_ids_at(begin);
    second.begin_ids_at(begin);
    // All four are on their way before any answer is read.
    let mut asked = Vec::new();
    for turn in 0..2 {
        let ours = ask(first, questions_of_each[turn]);
        let theirs = ask(&mut second, questions_of_each[1 - turn]);
        asked.push((turn, ours, theirs));
    }
    let deadline = Instant::now() + first.pace.light();
    for (_, ours, theirs) in &asked {
        // A fence tells below what has not come by then.
        let _ = first.wait_reply(*ours, deadline).await;
        let _ = second.wait_reply(*theirs, deadline).await;
    }
    for conversation in [&mut *first, &mut second] {
        if let Fence::Missing(missing) = conversation.fence(Duration::ZERO).await {
            bound.missing = Some(missing);
        }
    }
    let before = first.absorb(&second);
    for (turn, ours, theirs) in asked {
        let own = first.sent(ours).replies.first().copied();
        let other = second.sent(theirs).replies.first().map(|seq| seq + before);
        for (client, seq, question) in [("c", own, turn), (SECOND, other, 1 - turn)] {
            bound.seqs.extend(seq);
            questions.push(json!({
                "client": client,
                "asked": questions_of_each[question],
                "seq": seq,
                "alone": alone[question],
                "kind": kind(first, seq),
            }));
        }
    }
    let ids = ids(first);
    bound.value = json!({
        "second": "open",
        "sessions": sessions(&ids),
        "ids": ids,
        "questions": questions,
    });
    second
        .retire(bound.missing.is_none(), Duration::from_millis(500))
        .await;
    Ok(bound)
}

/// What each question is answered with when nobody else asks.
async fn alone(
    conversation: &mut Conversation,
    questions: [&'static str; 2],
) -> Result<[&'static str; 2], Missing> {
    let mut kinds = ["nothing"; 2];
    for (kind_of, question) in kinds.iter_mut().zip(questions) {
        let index = ask(conversation, question);
        let deadline = Instant::now() + conversation.pace.light();
        let _ = conversation.wait_reply(index, deadline).await;
        if let Fence::Missing(missing) = conversation.fence(Duration::ZERO).await {
            return Err(missing);
        }
        *kind_of = kind(
            conversation,
            conversation.sent(index).replies.first().copied(),
        );
    }
    Ok(kinds)
}

fn ask(conversation: &mut Conversation, method: &str) -> SentIndex {
    let id = conversation.fresh_id();
    let text = conversation.manner.request(&id, method, None);
    conversation.send_now(&text).0
}

fn kind(conversation: &Conversation, seq: Option<u64>) -> &'static str {
    let entry = seq.and_then(|seq| conversation.entry(seq));
    let kind = entry
        .and_then(|entry| entry.message.as_ref())
        .map(|message| message.kind);
    match kind {
        Some(Kind::Result) => "result",
        Some(Kind::Error) => "error",
        Some(_) | None => "nothing",
    }
}

/// The MCP session ids of the two, of each that has one.
fn ids(conversation: &Conversation) -> Vec<String> {
    let of = |label: &str| {
        conversation.entries().iter().find_map(|entry| {
            let http = entry.http.as_ref().filter(|_| entry.connection == label)?;
            match &http.part {
                HttpPart::Response { head, .. } => head.value("mcp-session-id"),
                _ => None,
            }
        })
    };
    let labels = [conversation.label.as_str(), SECOND];
    labels.into_iter().filter_map(of).collect()
}

/// Whether the two have MCP sessions: `none`, `two`, or `shared` where the server gave both the same id.
fn sessions(ids: &[String]) -> &'static str {
    match ids {
        [one, other] if one == other => "shared",
        [_, _] => "two",
        _ => "none",
    }
}
