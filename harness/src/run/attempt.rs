//! One attempt at one case: a conversation from its first byte to its last fence.

use super::plan::Case;
use crate::era::Manner;
use crate::native::Means;
use crate::script::conversation::Conversation;
use crate::script::execute::{self, Context};
use crate::script::pace::Pace;
use crate::script::scope::Scope;
use crate::target::Launcher;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::{End, Past, Record};
use mcp_assay_model::scenario::{Action, OutgoingId, Payload, Scenario};
use mcp_assay_model::template::Template;
use mcp_assay_wire::jsonrpc::{RawId, classify};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What all attempts of a run share.
pub struct Stage {
    /// Opens connections.
    pub launcher: Launcher,
    /// Deadlines.
    pub pace: Arc<Pace>,
    /// Cards, requirements and facts.
    pub catalogue: Arc<Catalogue>,
    /// Fixtures that the user gave: an object by name.
    pub fixtures: Value,
    /// The same with those that were found besides, by revision.
    pub found: BTreeMap<Revision, Value>,
    /// Means of native steps, by revision.
    pub means: BTreeMap<Revision, Means>,
}

impl Stage {
    /// The fixtures of a revision, an object by name.
    pub fn fixtures_in(&self, revision: Revision) -> &Value {
        self.found.get(&revision).unwrap_or(&self.fixtures)
    }
}

/// What one attempt brought.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The conversation; `None` where the harness is at fault.
    pub record: Result<Record, String>,
    /// When it began.
    pub began: Instant,
    /// Wall time, spawning included.
    pub duration: Duration,
    /// Time spent waiting for the target.
    pub waited: Duration,
    /// The last of the target's standard error, where the conversation ended badly.
    pub stderr_tail: String,
    /// Cases that used the connection before, in order.
    pub history: Vec<String>,
}

/// A connection that other cases may use next.
pub struct Shared {
    /// Open, with an answered fence behind it.
    pub conversation: Conversation,
    /// Revision it was opened with.
    pub revision: Revision,
    /// Cases that used it, in order.
    pub history: Vec<String>,
}

/// Patience with a target that is told to end.
const SHUTDOWN: Duration = Duration::from_millis(500);

/// Runs a case, on `shared` where the card allows and one is given. Returns the connection where it can be used again.
pub async fn attempt(
    stage: &Stage,
    case: &Case,
    shared: Option<Shared>,
) -> (Attempt, Option<Shared>) {
    let began = Instant::now();
    let mut shared = shared.filter(|shared| case.card.share && shared.revision == case.revision);
    // A server may close the stream of its own messages at any time; a client that wants to hear it begins anew.
    if let Some(deaf) = shared.take_if(|shared| shared.conversation.has_lost_stream()) {
        tokio::spawn(retire(deaf.conversation, true));
    }
    let (mut conversation, history) = match shared {
        Some(mut shared) => {
            shared.conversation.begin_case();
            (shared.conversation, shared.history)
        }
        None => match fresh(stage, case).await {
            Ok(conversation) => (conversation, Vec::new()),
            Err(why) => return (not_opened(case, why, began), None),
        },
    };
    let no_means = Means::default();
    let context = Context {
        card: &case.card,
        revision: case.revision,
        binding: case.binding,
        scope: Scope {
            facts: stage.catalogue.facts(),
            revision: case.revision,
            fixtures: stage.fixtures_in(case.revision),
            vary: &case.vary,
        },
        means: stage.means.get(&case.revision).unwrap_or(&no_means),
    };
    let record = execute::run(context, &mut conversation).await;
    let alive = matches!(
        &record,
        Ok(Record {
            end: End::Alive,
            ..
        })
    );
    let waited = conversation.take_waited();
    let stderr_tail = if alive {
        String::new()
    } else {
        conversation.stderr_tail()
    };
    let duration = began.elapsed();
    let attempt = Attempt {
        record,
        began,
        duration,
        waited,
        stderr_tail,
        history: history.clone(),
    };
    if alive && case.card.share {
        let mut history = history;
        history.push(case.id.clone());
        return (
            attempt,
            Some(Shared {
                conversation,
                revision: case.revision,
                history,
            }),
        );
    }
    // How long the target takes to end is no matter of the case; the next one need not wait for it.
    tokio::spawn(retire(conversation, alive));
    (attempt, None)
}

/// Ends a conversation: as a client should where the target behaves, at once where it does not.
pub async fn retire(conversation: Conversation, orderly: bool) {
    conversation.retire(orderly, SHUTDOWN).await;
}

async fn fresh(stage: &Stage, case: &Case) -> Result<Conversation, String> {
    let link = stage
        .launcher
        .open()
        .await
        .map_err(|error| error.to_string())?;
    let avoid = written_ids(&case.card, &case.vary);
    let pace = Arc::clone(&stage.pace);
    let mut manner = Manner::new(case.revision);
    let means = stage.means.get(&case.revision);
    if let Some(means) = means.filter(|means| means.mirror.knows_tools()) {
        manner.mirror = Arc::clone(&means.mirror);
    }
    Ok(Conversation::new(
        link,
        case.binding,
        manner,
        "c",
        pace,
        avoid,
    ))
}

fn not_opened(case: &Case, why: String, began: Instant) -> Attempt {
    let record = Record {
        revision: case.revision,
        binding: case.binding,
        entries: Vec::new(),
        labels: BTreeMap::new(),
        end: End::NotOpened { why },
        past: Past::default(),
    };
    Attempt {
        record: Ok(record),
        began,
        duration: began.elapsed(),
        waited: began.elapsed(),
        stderr_tail: String::new(),
        history: Vec::new(),
    }
}

/// Ids that a card writes itself, so that ours are others.
fn written_ids(card: &Scenario, vary: &BTreeMap<String, String>) -> HashSet<RawId> {
    let mut ids: HashSet<RawId> = vary.values().map(|value| RawId(value.clone())).collect();
    for step in &card.steps {
        match &step.action {
            Action::Send {
                what: Payload::Message(outgoing),
                ..
            } => {
                if let OutgoingId::Written(id) = &outgoing.id
                    && let Ok(text) = id.render(&mut |_| Err::<String, ()>(()))
                {
                    ids.insert(RawId(text));
                }
            }
            Action::Send {
                what: Payload::Json(text),
                ..
            } => {
                let message = classify(text.as_bytes()).ok();
                ids.extend(message.iter().flat_map(|message| {
                    message
                        .id
                        .iter()
                        .chain(message.batch.iter().filter_map(|item| item.id.as_ref()))
                        .cloned()
                }));
            }
            Action::Send {
                what: Payload::Batch(items),
                ..
            } => {
                for (_, item) in items {
                    if let OutgoingId::Written(id) = &item.id
                        && let Ok(text) = id.render(&mut |_| Err::<String, ()>(()))
                    {
                        ids.insert(RawId(text));
                    }
                }
            }
            Action::Raw { bytes, .. } => {
                for line in bytes.split(|byte| *byte == b'\n') {
                    ids.extend(classify(line).ok().and_then(|message| message.id));
                }
            }
            Action::Http {
                body: Some(Template::Text(body)),
                ..
            } => {
                ids.extend(
                    classify(body.as_bytes())
                        .ok()
                        .and_then(|message| message.id),
                );
            }
            Action::Open { .. }
            | Action::Await { .. }
            | Action::Quiet { .. }
            | Action::Cancel { .. }
            | Action::Http { .. }
            | Action::Close(_)
            | Action::Native { .. } => {}
        }
    }
    ids
}
