//! The interpreter of cards: nine verbs over a [`Conversation`]. Steps drive; nothing here judges.

mod ending;
mod http;

use super::compose::{compose, wants_fresh_id};
use super::conversation::{Conversation, Fence, SentIndex, Waited};
use super::scope::{Scope, Unresolved};
use crate::era::modern::DISCOVER;
use crate::era::{self, Opened};
use crate::native::{self, Came, Means};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Bound, End, ExitSeen, Missing, Record, Window};
use mcp_assay_model::scenario::{
    Action, Awaited, Close, Expect, Outgoing, Part, Payload, Scenario, Step,
};
use mcp_assay_model::template::Template;
use mcp_assay_transport::pipes::Exit;
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::raw;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// What a card is run with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The card.
    pub card: &'a Scenario,
    /// Revision under test, offered in every handshake.
    pub revision: Revision,
    /// Binding.
    pub binding: Binding,
    /// Values of references.
    pub scope: Scope<'a>,
    /// What native steps may use.
    pub means: &'a Means,
}

/// Methods whose handlers may do real work of the user's, so that only the full timeout speaks against them.
const WORKING: &[&str] = &[
    "tools/call",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "tasks/result",
];

/// Every label that a card's steps bind.
fn labels_of(card: &Scenario) -> impl Iterator<Item = &str> {
    card.steps.iter().flat_map(|step| match &step.action {
        Action::Open { label, .. } | Action::Quiet { label, .. } => vec![label.as_str()],
        Action::Send {
            label,
            what: Payload::Batch(items),
        } => label
            .iter()
            .chain(items.iter().filter_map(|(label, _)| label.as_ref()))
            .map(String::as_str)
            .collect(),
        Action::Send { label, .. }
        | Action::Await { label, .. }
        | Action::Raw { label, .. }
        | Action::Http { label, .. }
        | Action::Native { label, .. } => label.iter().map(String::as_str).collect(),
        Action::Cancel { .. } | Action::Close(_) => Vec::new(),
    })
}

/// Whether a check says that something must not come, to the end of the conversation.
fn judges_to_the_end(card: &Scenario) -> bool {
    fn says(expect: &Expect) -> bool {
        match expect {
            Expect::None { within, .. } => within.is_none(),
            Expect::AnyOf(branches) => branches.iter().any(says),
            Expect::Message { .. }
            | Expect::SameId { .. }
            | Expect::Http { .. }
            | Expect::Exit { .. }
            | Expect::Native(_) => false,
        }
    }
    card.checks.iter().any(|check| says(&check.expect))
}

/// Whether a check says that a request is to be refused.
fn should_be_refused(card: &Scenario, request: &str) -> bool {
    fn says(expect: &Expect) -> bool {
        match expect {
            Expect::Message { part, .. } => *part == Part::Error,
            Expect::AnyOf(branches) => branches.iter().any(says),
            Expect::SameId { .. }
            | Expect::None { .. }
            | Expect::Http { .. }
            | Expect::Exit { .. }
            | Expect::Native(_) => false,
        }
    }
    let mut about = card.checks.iter();
    about.any(|check| check.on.as_deref() == Some(request) && says(&check.expect))
}

/// How long to wait for a reply: as long as its handler may lawfully take. Where exchanges have no order, no fence shows that what asks for
/// nothing was passed over, so that it waits as long as any other.
fn patience(conversation: &Conversation, revision: Revision, method: Option<&str>) -> Duration {
    let pace = &conversation.pace;
    let known = |method: &str| {
        mcp_assay_schemas::methods(revision.as_str()).any(|known| known.method == method)
    };
    match method {
        Some(method) if WORKING.contains(&method) => pace.work(),
        Some("initialize") => pace.start(),
        Some("ping" | DISCOVER) | None if !conversation.has_exchanges() => pace.light(),
        Some(method) if !known(method) && !conversation.has_exchanges() => pace.light(),
        Some(_) | None => pace.reply(),
    }
}

/// Runs a card. The conversation is fresh, or shared and already open.
///
/// **Errors**: when a reference of the card leads nowhere though the linter let it pass; a bug in the harness.
pub async fn run(context: Context<'_>, conversation: &mut Conversation) -> Result<Record, String> {
    let mut execution = Execution {
        context,
        conversation,
        labels: BTreeMap::new(),
        stopped: None,
        opened_by: None,
        refused: false,
        step_began: Instant::now(),
    };
    if let Some(index) = execution.conversation.handshake() {
        execution.opened_by = Some(index);
    }
    for step in &context.card.steps {
        execution.step_began = Instant::now();
        match execution.step(step).await {
            Ok(()) => {}
            // The value that a later step needs did not come: what was seen until here is judged.
            Err(Unresolved::From { .. }) => break,
            Err(Unresolved::Card(why)) => return Err(format!("{}: {why}", context.card.id)),
        }
        if execution.stopped.is_some() {
            break;
        }
    }
    let end = execution.end().await;
    Ok(execution.record(end))
}

/// A label, while steps run.
#[derive(Clone, Debug)]
enum Named {
    Sent(SentIndex),
    Bound(Bound),
}

struct Execution<'a, 'c> {
    context: Context<'a>,
    conversation: &'c mut Conversation,
    labels: BTreeMap<String, Named>,
    stopped: Option<Missing>,
    opened_by: Option<SentIndex>,
    /// Whether the handshake was refused: then the target may leave, for nothing more can be said.
    refused: bool,
    /// When the step that was last begun began: how long its message was waited for.
    step_began: Instant,
}

impl Execution<'_, '_> {
    async fn step(&mut self, step: &Step) -> Result<(), Unresolved> {
        match &step.action {
            Action::Open {
                label,
                client,
                answer,
            } => self.open(label, client, answer).await?,
            Action::Send { label, what } => self.send(label.as_deref(), what).await?,
            Action::Await {
                label,
                what,
                within,
            } => {
                self.wait_for(label.as_deref(), what, within.as_ref())
                    .await?;
            }
            Action::Quiet {
                label,
                about,
                lasting_ms,
            } => {
                self.quiet(label, about, lasting_ms.as_ref()).await?;
            }
            Action::Cancel { request } => self.cancel(request).await,
            Action::Raw { label, bytes } => {
                let (index, _) = self.conversation.send_raw(bytes).await;
                self.name(label.as_deref(), Named::Sent(index));
            }
            Action::Http {
                label,
                method,
                headers,
                body,
            } => {
                self.http(label.as_deref(), method, headers, body.as_ref())
                    .await?;
            }
            Action::Close(close) => self.close(close).await,
            Action::Native {
                name,
                label,
                parameters,
            } => {
                let mut rendered = BTreeMap::new();
                for (key, value) in parameters {
                    let text = self.render(value)?;
                    let value = serde_json::from_str(&text)
                        .map_err(|error| Unresolved::Card(format!("parameter `{key}`: {error}")))?;
                    rendered.insert(key.clone(), value);
                }
                let labels = &self.labels;
                let sent = |label: &str| match labels.get(label) {
                    Some(Named::Sent(index)) => Some(*index),
                    Some(Named::Bound(_)) | None => None,
                };
                let given = native::Given {
                    means: self.context.means,
                    sent: &sent,
                };
                let came = native::run(name, &rendered, self.conversation, given)
                    .await
                    .map_err(Unresolved::Card)?;
                let (missing, named) = match came {
                    Came::Bound(bound) => (bound.missing, Named::Bound(Bound::Native(bound))),
                    Came::Sent(index, missing) => (missing, Named::Sent(index)),
                };
                self.stopped = missing.filter(|missing| *missing != Missing::Silent);
                self.name(label.as_deref(), named);
            }
        }
        Ok(())
    }

    fn name(&mut self, label: Option<&str>, named: Named) {
        if let Some(label) = label {
            self.labels.insert(label.to_owned(), named);
        }
    }

    fn render(&self, template: &Template) -> Result<String, Unresolved> {
        self.context
            .scope
            .render(template, &|label, at| self.text_at(label, at))
    }

    /// Raw text at a pointer of the message that a label names: the response, where the label is a request that was answered.
    fn text_at(&self, label: &str, at: &str) -> Option<String> {
        let seq = match self.labels.get(label)? {
            Named::Sent(index) => {
                let sent = self.conversation.sent(*index);
                sent.replies.first().copied().unwrap_or(sent.seq)
            }
            Named::Bound(Bound::Arrived(seq)) => *seq,
            Named::Bound(_) => return None,
        };
        let text = std::str::from_utf8(&self.conversation.entry(seq)?.raw).ok()?;
        raw::at(text, at).map(str::to_owned)
    }

    async fn open(
        &mut self,
        label: &str,
        client: &[(String, Template)],
        answer: &[(String, Template)],
    ) -> Result<(), Unresolved> {
        if let Some(index) = self.opened_by {
            self.labels.insert(label.to_owned(), Named::Sent(index));
            return Ok(());
        }
        self.conversation.relabel(label);
        for (method, answer) in answer {
            let text = self.render(answer)?;
            let body = text
                .trim()
                .strip_prefix('{')
                .and_then(|text| text.strip_suffix('}'));
            self.conversation.answers.set(
                method,
                body.filter(|body| !body.trim().is_empty())
                    .map(str::to_owned),
            );
        }
        for (member, value) in client {
            let text = self.render(value)?;
            let said = Some(text).filter(|text| text != "null");
            self.conversation.manner.says(member, said);
        }
        let patience = self.conversation.pace.start();
        let (index, opened) = era::open(self.conversation, patience).await;
        self.opened_by = Some(index);
        self.labels.insert(label.to_owned(), Named::Sent(index));
        match opened {
            Opened::Yes => {}
            Opened::Refused if self.conversation.manner.is_modern() => {}
            // Without a handshake no further step means what the card says; the reply itself can be judged.
            Opened::Refused => {
                self.refused = true;
                self.stopped = Some(Missing::Unfenced);
            }
            Opened::Missing(missing) => {
                self.conversation.sent_mut(index).missing = Some(missing);
                self.stopped = Some(missing);
            }
        }
        Ok(())
    }

    async fn send(&mut self, label: Option<&str>, what: &Payload) -> Result<(), Unresolved> {
        match what {
            Payload::Message(outgoing) => {
                let text = self.complete(outgoing)?;
                let (index, _) = self.conversation.send_message(&text).await;
                self.name(label, Named::Sent(index));
            }
            Payload::Json(text) => {
                let text = text.trim_end_matches(['\r', '\n']);
                let (index, _) = self.conversation.send_message(text).await;
                self.name(label, Named::Sent(index));
            }
            Payload::Batch(items) => {
                let mut texts = Vec::new();
                for (_, item) in items {
                    texts.push(self.complete(item)?);
                }
                let text = format!("[{}]", texts.join(","));
                let (whole, _) = self.conversation.send_message(&text).await;
                self.name(label, Named::Sent(whole));
                for ((label, _), text) in items.iter().zip(&texts) {
                    let message = mcp_assay_wire::jsonrpc::classify(text.as_bytes()).ok();
                    let (method, id) =
                        message.map_or((None, None), |message| (message.method, message.id));
                    let index = self.conversation.expect_item(whole, method, id);
                    self.name(label.as_deref(), Named::Sent(index));
                }
            }
        }
        Ok(())
    }

    /// The text of a message, with a fresh id where it gets one.
    fn complete(&mut self, outgoing: &Outgoing) -> Result<String, Unresolved> {
        let id = if wants_fresh_id(outgoing) {
            Some(self.conversation.fresh_id())
        } else {
            None
        };
        let manner = &self.conversation.manner;
        compose(outgoing, id, manner, &|template| self.render(template))
    }

    async fn wait_for(
        &mut self,
        label: Option<&str>,
        what: &Awaited,
        within: Option<&Template>,
    ) -> Result<(), Unresolved> {
        let within = within
            .map(|within| self.context.scope.milliseconds(within))
            .transpose()?;
        let shortened = |time: Duration| within.map_or(time, |within| within.min(time));
        let now = Instant::now();
        match what {
            Awaited::ReplyTo(request) => {
                let Some(Named::Sent(index)) = self.labels.get(request).cloned() else {
                    return Err(Unresolved::Card(format!("`{request}` was not sent")));
                };
                let method = self.conversation.sent(index).method.clone();
                let revision = self.context.revision;
                let usual = patience(self.conversation, revision, method.as_deref());
                // Order proves silence among lines alone.
                let is_refusable = !self.conversation.has_exchanges()
                    && should_be_refused(self.context.card, request);
                let refusal = self.conversation.pace.refusal().filter(|_| is_refusable);
                let usual = refusal.map_or(usual, |refusal| refusal.min(usual));
                let time = shortened(usual.max(self.conversation.start_left()));
                let waited = self.conversation.wait_reply(index, now + time).await;
                let came =
                    |conversation: &Conversation| conversation.sent(index).replies.first().copied();
                match self.came(index, waited, came).await {
                    Ok(seq) => self.name(label, Named::Bound(Bound::Arrived(seq))),
                    Err(missing) => {
                        let is_whole = time >= self.conversation.pace.reply();
                        if missing == Missing::Silent && is_refusable && is_whole {
                            self.conversation.pace.swallows();
                        }
                        self.miss(label, missing, Some(request.clone()));
                    }
                }
            }
            Awaited::Request { method, since } => {
                let since = (since.as_deref(), None);
                self.arrival(label, Kind::Request, method, since, shortened)
                    .await;
            }
            Awaited::Notification { method, since, on } => {
                let since = (since.as_deref(), on.as_deref());
                self.arrival(label, Kind::Notification, method, since, shortened)
                    .await;
            }
            Awaited::Status(request) => {
                let Some(Named::Sent(index)) = self.labels.get(request).cloned() else {
                    return Err(Unresolved::Card(format!("`{request}` was not sent")));
                };
                if self.conversation.sent(index).exchange.is_none() {
                    return Err(Unresolved::Card(
                        "`status` on a binding without HTTP".to_owned(),
                    ));
                }
                let method = self.conversation.sent(index).method.clone();
                let revision = self.context.revision;
                let usual = patience(self.conversation, revision, method.as_deref());
                let time = shortened(usual);
                self.status(label, index, request, now + time).await;
            }
            Awaited::Exit(_) => {
                let time = shortened(self.conversation.pace.reply());
                let exit = self.conversation.exit(now + time).await;
                let seen = match exit {
                    Some(Exit { code, signal, .. }) => ExitSeen {
                        code,
                        signal,
                        in_time: true,
                        waited: now.elapsed(),
                    },
                    None => ExitSeen {
                        waited: now.elapsed(),
                        ..ExitSeen::default()
                    },
                };
                self.name(label, Named::Bound(Bound::Exit(seen)));
            }
        }
        Ok(())
    }

    /// What came of waiting for something about a sent message, settled by a fence; the reason is noted at the message.
    async fn came(
        &mut self,
        index: SentIndex,
        waited: Waited<u64>,
        look: impl Fn(&Conversation) -> Option<u64>,
    ) -> Result<u64, Missing> {
        let missing = match waited {
            Waited::Got(seq) => return Ok(seq),
            // After we closed the input, the end of the output is lawful, and the last word.
            Waited::Ended if self.conversation.is_input_closed() => Missing::Silent,
            Waited::Ended => Missing::Died,
            Waited::TimedOut | Waited::Over => {
                match self.conversation.fence(Duration::ZERO).await {
                    Fence::Answered(_) => match look(self.conversation) {
                        Some(seq) => return Ok(seq),
                        // Too many requests is no refusal of this one.
                        None if self.conversation.status(index) == Some(429) => Missing::Unfenced,
                        // What came and was too long to be read may be the answer.
                        None if self
                            .conversation
                            .has_oversized_since(self.conversation.sent(index).seq) =>
                        {
                            Missing::Unfenced
                        }
                        None => Missing::Silent,
                    },
                    Fence::Missing(missing) => missing,
                }
            }
        };
        self.conversation.sent_mut(index).missing = Some(missing);
        Err(missing)
    }

    /// Waits for a message of the target's own accord: after a label, and over HTTP in the stream of a request.
    async fn arrival(
        &mut self,
        label: Option<&str>,
        kind: Kind,
        method: &str,
        (since, on): (Option<&str>, Option<&str>),
        shortened: impl Fn(Duration) -> Duration,
    ) {
        let on_request = match on.and_then(|on| self.labels.get(on)) {
            Some(Named::Sent(index)) => Some(*index),
            Some(Named::Bound(_)) | None => None,
        };
        let stream = on_request.and_then(|index| self.conversation.sent(index).exchange);
        let from = match since.or(on).and_then(|since| self.labels.get(since)) {
            Some(Named::Sent(index)) => self.conversation.sent(*index).seq,
            Some(Named::Bound(Bound::Arrived(seq))) => *seq,
            Some(Named::Bound(Bound::Window(window))) => window.closed,
            Some(Named::Bound(_)) | None => 0,
        };
        // Each entry is looked at once, so that a flood costs no more than its length.
        let mut looked = usize::try_from(from).unwrap_or(usize::MAX);
        let mut find = |conversation: &Conversation| {
            let new = conversation.entries().get(looked..).unwrap_or_default();
            looked = looked.max(conversation.entries().len());
            let mut came = new
                .iter()
                .filter(|entry| entry.direction == mcp_assay_model::record::Direction::Received);
            came.find(|entry| {
                let exchange = entry.http.as_ref().map(|http| http.exchange);
                entry.message.as_ref().is_some_and(|message| {
                    message.kind == kind
                        && message.method.as_deref() == Some(method)
                        && (stream.is_none() || stream == exchange)
                })
            })
            .map(|entry| entry.seq)
        };
        let deadline = Instant::now() + shortened(self.conversation.pace.reply());
        // A request that was answered brings nothing more.
        let come_or_over = |conversation: &Conversation| match (find(conversation), on_request) {
            (Some(seq), _) => Some(Some(seq)),
            (None, Some(index)) => {
                let is_answered = !conversation.sent(index).replies.is_empty();
                (is_answered || conversation.is_over(index)).then_some(None)
            }
            (None, None) => None,
        };
        let missing = match self.conversation.wait(deadline, come_or_over).await {
            Waited::Got(Some(seq)) => return self.name(label, Named::Bound(Bound::Arrived(seq))),
            Waited::Ended => Missing::Died,
            Waited::Got(None) | Waited::TimedOut | Waited::Over => {
                match self.conversation.fence(Duration::ZERO).await {
                    Fence::Answered(_) => match find(self.conversation) {
                        Some(seq) => return self.name(label, Named::Bound(Bound::Arrived(seq))),
                        None => Missing::Silent,
                    },
                    Fence::Missing(missing) => missing,
                }
            }
        };
        self.miss(label, missing, None);
    }

    fn miss(&mut self, label: Option<&str>, missing: Missing, reply_to: Option<String>) {
        self.name(
            label,
            Named::Bound(Bound::Missing {
                why: missing,
                reply_to,
            }),
        );
        if missing != Missing::Silent {
            self.stopped = Some(missing);
        }
    }

    async fn quiet(
        &mut self,
        label: &str,
        about: &str,
        lasting: Option<&Template>,
    ) -> Result<(), Unresolved> {
        let lasting = lasting
            .map(|time| self.context.scope.milliseconds(time))
            .transpose()?
            .unwrap_or_default();
        let began = Instant::now();
        let opened = match self.labels.get(about) {
            // The window begins with the request itself: an answer may already be in.
            Some(Named::Sent(index)) => {
                let sent = self.conversation.sent(*index);
                sent.cancelled.unwrap_or(sent.seq)
            }
            _ => self.conversation.last_seq(),
        };
        // A target that handles one request at a time answers the fence only when its work is done.
        let fence = self.conversation.fence(lasting * 2).await;
        let (fence, missing) = match fence {
            Fence::Answered(seq) => (Some(seq), None),
            Fence::Missing(missing) => (None, Some(missing)),
        };
        let whole = lasting.mul_f64(1.5);
        if fence.is_some() && began.elapsed() < whole {
            self.conversation.linger(whole - began.elapsed()).await;
        }
        let closed = self.conversation.last_seq();
        let window = Window {
            opened,
            fence,
            closed,
            about: about.to_owned(),
            missing,
        };
        self.labels
            .insert(label.to_owned(), Named::Bound(Bound::Window(window)));
        self.stopped = missing.filter(|missing| matches!(missing, Missing::Died | Missing::Hung));
        Ok(())
    }

    async fn cancel(&mut self, request: &str) {
        let Some(Named::Sent(index)) = self.labels.get(request).cloned() else {
            return;
        };
        era::cancel(self.conversation, index).await;
    }

    async fn close(&mut self, close: &Close) {
        match close {
            Close::Stdin(_) => self.conversation.close_stdin(),
            Close::Connection(_) => {
                self.conversation.close_stdin();
                let deadline = Instant::now() + self.conversation.pace.doubtful();
                // Whether it ends is for an `exit` to say; here it is only given the time.
                let _ = self.conversation.exit(deadline).await;
            }
            Close::Stream(request) => {
                if let Some(Named::Sent(index)) = self.labels.get(request) {
                    self.conversation.close_stream(*index);
                }
            }
        }
    }

    fn record(&mut self, end: End) -> Record {
        // A step that was never reached names a message that did not come.
        let why = self.stopped.unwrap_or(Missing::Unfenced);
        let unreached =
            labels_of(self.context.card).filter(|label| !self.labels.contains_key(*label));
        let unreached: Vec<(String, Bound)> = unreached
            .map(|label| {
                (
                    label.to_owned(),
                    Bound::Missing {
                        why,
                        reply_to: None,
                    },
                )
            })
            .collect();
        let labels = self.labels.iter().map(|(label, named)| {
            let bound = match named {
                Named::Sent(index) => Bound::Sent(self.conversation.sent(*index).clone()),
                Named::Bound(bound) => bound.clone(),
            };
            (label.clone(), bound)
        });
        Record {
            revision: self.context.revision,
            binding: self.context.binding,
            labels: labels.chain(unreached).collect(),
            entries: self.conversation.entries().to_vec(),
            end,
            past: self.conversation.past().clone(),
        }
    }
}

#[cfg(test)]
mod tests;
