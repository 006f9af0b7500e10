//! Why a target said nothing, as a sentence for the user.

use crate::script::conversation::{Conversation, FLOOD_ENTRIES};
use mcp_assay_judge::http_instead;
use mcp_assay_model::record::{Channel, Direction, End, Missing, Past, Record};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// What HTTP gave in place of an answer to the opening request.
fn instead(conversation: &Conversation) -> Option<String> {
    let why = conversation.ended().and_then(|ended| ended.why.clone());
    let sent = conversation.first_sent()?;
    let record = Record {
        revision: conversation.manner.revision,
        binding: conversation.binding(),
        entries: conversation.entries().to_vec(),
        labels: BTreeMap::new(),
        end: End::Alive,
        past: Past::default(),
    };
    // Some of these are of the target, the others of its event stream.
    let of_whom = |why: &str| if why.starts_with("its ") { "" } else { "it " };
    why.map(|why| format!("{}{why}", of_whom(&why)))
        .or_else(|| http_instead(&record, sent))
}

/// Why the opening request got no answer, with what was seen instead.
pub(super) async fn explain_silence(
    conversation: &mut Conversation,
    missing: Missing,
    patience: Duration,
) -> String {
    let method = conversation.manner.opening_method();
    let mut text = if let Some(instead) = instead(conversation) {
        let within = match missing {
            Missing::Hung => format!(" within {} s", patience.as_secs_f64()),
            Missing::Died | Missing::Silent | Missing::Unfenced => String::new(),
        };
        format!("the target gave no answer to `{method}`{within}: {instead}")
    } else if missing == Missing::Died {
        if conversation.ended().is_some_and(|ended| ended.flood) {
            format!("the target floods its stdout, and no answer to `{method}` was in it")
        } else {
            match conversation
                .exit(Instant::now() + Duration::from_secs(1))
                .await
            {
                Some(exit) => match (exit.code, exit.signal) {
                    (Some(code), _) => format!(
                        "the target exited with code {code} without an answer to `{method}`"
                    ),
                    (None, Some(signal)) => {
                        format!(
                            "the target was ended by signal {signal} without an answer to `{method}`"
                        )
                    }
                    (None, None) => format!("the target ended without an answer to `{method}`"),
                },
                None => format!("the target closed its stdout without an answer to `{method}`"),
            }
        }
    } else {
        format!(
            "the target did not answer `{method}` within {} s",
            patience.as_secs_f64()
        )
    };
    let mut received = conversation.entries().iter().filter(|entry| {
        entry.direction == Direction::Received
            && entry.channel != Channel::Stderr
            && entry.http.is_none()
    });
    if let Some(first) = received.next() {
        let flood = conversation.ended().is_some_and(|ended| ended.flood);
        let count = if flood {
            FLOOD_ENTRIES
        } else {
            1 + received.count()
        };
        let head = String::from_utf8_lossy(&first.raw[..first.raw.len().min(80)]).into_owned();
        let defect = first
            .defects
            .first()
            .map(|defect| format!(" ({})", defect.detail))
            .unwrap_or_default();
        text.push_str(&format!(
            "; its stdout held {count} line{}, the first of {} bytes begins {head:?}{defect}",
            if count == 1 { "" } else { "s" },
            first.length,
        ));
    }
    let tail = conversation.stderr_tail();
    let lines: Vec<&str> = tail.trim().lines().collect();
    if !lines.is_empty() {
        text.push_str(&format!(
            "\nits stderr ends:\n{}",
            lines[lines.len().saturating_sub(5)..].join("\n")
        ));
    }
    text
}
