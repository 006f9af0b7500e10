//! The first conversations: is there a target, which era does it live in, what does it speak, what does it offer.
//!
//! ```text
//! one disposable process or connection for each question, both asked at once:
//! initialize       -> result                      -> legacy, in the revision that it names
//! server/discover  -> result of a discovery       -> modern, in the revisions that it names
//!                  -> -32020, -32021, -32022      -> modern; the last names the revisions
//!                  -> another error, or no answer -> not modern
//! ```
//!
//! **Source**: `2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions` and what it points to.

mod discovery;
mod sanity;
mod silence;

use super::attempt::{Stage, retire};
use crate::era::{self, Manner, Opened};
use crate::native::walk::walk_some;
use crate::script::conversation::{Conversation, Fence, SentIndex, Waited};
use discovery::Spoken;
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::{End, Entry, Http, HttpPart, Missing, Past, Record};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use serde_json::Value;
use silence::explain_silence;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

pub use sanity::{SANITY, sanity};

/// Pages of the tool list that are read to know what is there.
const MOST_PAGES: usize = 20;

/// Which revisions to test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// The newest that it speaks.
    Auto,
    /// Each that it speaks.
    All,
    /// Exactly this one.
    Exact(Revision),
}

/// What the result of an opening request says of a target.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The revision that a legacy server settles on.
    version: Option<Value>,
    /// What it declares.
    pub capabilities: Option<Value>,
    /// Name and version, as it gives them.
    pub server_info: Option<Value>,
}

impl Told {
    fn read(result: &Value, era: Era) -> Self {
        let info = match era {
            Era::Legacy => "/serverInfo",
            Era::Modern => "/_meta/io.modelcontextprotocol~1serverInfo",
        };
        Told {
            version: result.get("protocolVersion").cloned(),
            capabilities: result.get("capabilities").cloned(),
            server_info: result.pointer(info).cloned(),
        }
    }
}

/// What an opening request and a fence brought.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Revision offered.
    pub offered: Revision,
    /// What the result of the opening request says, where there was one. The rest of it may be as large as memory allows, and stays where it
    /// came.
    pub result: Option<Told>,
    /// What the target answered instead: the error, or a fragment.
    pub refusal: Option<String>,
    /// Whether anything was a well-formed response to a request of ours.
    pub answered: bool,
    /// Of the modern era what the answer says the target speaks.
    spoken: Option<Spoken>,
    /// Its tools, where they were asked for: the first pages.
    pub tools: Vec<Value>,
    /// Whether the fence after the opening was answered.
    pub fence: Option<Fence>,
    /// The conversation.
    pub entries: Vec<Entry>,
    /// Why there was no answer at all, as a sentence for the user.
    pub silence: Option<String>,
    /// Wall time.
    pub duration: Duration,
}

impl Probe {
    /// The revision that the target settled on, where it is one that we know.
    pub fn negotiated(&self) -> Option<Revision> {
        match self.offered.era() {
            Era::Legacy => self
                .result
                .as_ref()?
                .version
                .as_ref()?
                .as_str()?
                .parse()
                .ok()
                .filter(|revision: &Revision| revision.era() == Era::Legacy),
            Era::Modern => (self.spoken == Some(Spoken::Here)).then_some(self.offered),
        }
    }

    /// Name and version of the server, as it gives them.
    pub fn server_info(&self) -> Option<&Value> {
        self.result.as_ref()?.server_info.as_ref()
    }

    fn nothing(offered: Revision) -> Self {
        Probe {
            offered,
            result: None,
            refusal: None,
            answered: false,
            spoken: None,
            tools: Vec::new(),
            fence: None,
            entries: Vec::new(),
            silence: None,
            duration: Duration::ZERO,
        }
    }

    /// A target that was not even reached.
    pub fn silent(offered: Revision, why: String) -> Self {
        Probe {
            silence: Some(why),
            ..Probe::nothing(offered)
        }
    }

    /// Whether the target kept up the exchange to its end.
    pub fn lives(&self) -> bool {
        matches!(self.fence, Some(Fence::Answered(_)))
    }

    /// Whether the target gave an MCP session with its answer to `initialize`.
    pub fn has_session(&self) -> bool {
        let gave = |entry: &Entry| match &entry.http {
            Some(Http {
                part: HttpPart::Response { head, .. },
                ..
            }) => head.value("mcp-session-id").is_some(),
            _ => false,
        };
        self.offered.era() == Era::Legacy && self.entries.iter().any(gave)
    }

    /// The first redirect that was followed: its status and where it led.
    pub fn redirected(&self) -> Option<(u16, String)> {
        self.entries.iter().find_map(|entry| match &entry.http {
            Some(Http {
                part: HttpPart::Response { status, head, .. },
                ..
            }) if (300..400).contains(status) => Some((*status, head.value("location")?)),
            _ => None,
        })
    }

    /// The conversation as observers take it.
    pub fn record(&self, binding: Binding) -> Record {
        Record {
            revision: self.negotiated().unwrap_or(self.offered),
            binding,
            entries: self.entries.clone(),
            labels: BTreeMap::new(),
            end: End::Alive,
            past: Past::default(),
        }
    }

    /// Whether the answer is one of the modern era, in whatever revision.
    pub fn is_modern(&self) -> bool {
        !matches!(self.spoken, None | Some(Spoken::Nowhere))
    }

    /// Why the target does not speak what it was offered, a fragment; `None` where it does.
    pub fn unspoken(&self) -> Option<String> {
        if self.negotiated() == Some(self.offered) {
            return None;
        }
        let method = Manner::new(self.offered).opening_method();
        if let Some(Spoken::Elsewhere(named)) = &self.spoken {
            return Some(match named.as_slice() {
                [] => format!("its answer to `{method}` names no version"),
                named => format!("its answer to `{method}` names {}", named.join(", ")),
            });
        }
        Some(match (&self.result, &self.refusal, &self.silence) {
            (Some(told), _, _) if self.offered.era() == Era::Legacy => {
                let said = told.version.as_ref();
                let said = said.map_or("no protocolVersion".to_owned(), Value::to_string);
                format!("it answered `{method}` with {said}")
            }
            (Some(_), _, _) => format!("its answer to `{method}` is no discovery"),
            (None, Some(refusal), _) => format!("it refused `{method}` with {refusal}"),
            (None, None, Some(silence)) => {
                let first = silence.lines().next().unwrap_or_default();
                let first = first.split("; its stdout").next().unwrap_or_default();
                first.replacen("the target ", "it ", 1)
            }
            (None, None, None) => {
                format!("its answer to `{method}` is neither result nor error")
            }
        })
    }
}

/// Opens a disposable connection as an ordinary client of this revision does, and sends a fence.
pub async fn probe(stage: &Stage, offered: Revision) -> Probe {
    ask(stage, offered, None, false).await
}

/// The same, and lists the target's tools, for what is to be known of them before anything is called.
pub async fn listing_probe(stage: &Stage, offered: Revision) -> Probe {
    ask(stage, offered, None, true).await
}

/// Asks in both eras at once. Once one question is answered, the other is not waited for longer than a target needs that has started; and
/// where its process ended, it is asked once more, alone: some targets cannot run twice at a time.
pub async fn probe_both(stage: &Stage, legacy: Revision, modern: Revision) -> (Probe, Probe) {
    let (tell_legacy, legacy_answered) = watch::channel(false);
    let (tell_modern, modern_answered) = watch::channel(false);
    let one = async {
        let probe = ask(stage, legacy, Some(modern_answered), true).await;
        let _ = tell_legacy.send(probe.answered);
        probe
    };
    let other = async {
        let probe = ask(stage, modern, Some(legacy_answered), true).await;
        let _ = tell_modern.send(probe.answered);
        probe
    };
    let (mut one, mut other) = tokio::join!(one, other);
    let ended =
        |probe: &Probe| !probe.answered && probe.fence == Some(Fence::Missing(Missing::Died));
    if ended(&one) && other.answered {
        one = listing_probe(stage, legacy).await;
    } else if ended(&other) && one.answered {
        other = listing_probe(stage, modern).await;
    }
    (one, other)
}

type Answered = watch::Receiver<bool>;

async fn ask(
    stage: &Stage,
    offered: Revision,
    beside: Option<Answered>,
    lists_tools: bool,
) -> Probe {
    let began = Instant::now();
    let mut probe = Probe::nothing(offered);
    let link = match stage.launcher.open().await {
        Ok(link) => link,
        Err(error) => {
            probe.silence = Some(format!("the target did not start: {error}"));
            return probe;
        }
    };
    let binding = stage.launcher.binding();
    let pace = Arc::clone(&stage.pace);
    let manner = Manner::new(offered);
    let avoid = HashSet::new();
    let mut conversation = Conversation::new(link, binding, manner, "probe", pace, avoid);
    let (index, asked) = era::begin(&mut conversation).await;
    let patience = stage.pace.start();
    let waited = tokio::select! {
        waited = conversation.wait_reply(index, asked + patience) => Some(waited),
        () = answered(beside) => None,
    };
    let waited = match waited {
        Some(waited) => waited,
        None => wait_beside(&mut conversation, index, asked + patience).await,
    };
    let opened = era::complete(&mut conversation, index, asked, waited).await;
    // An answer may be as large as memory allows: it is read where it lies.
    let reply = conversation.reply(index);
    let reply = reply.and_then(|entry| entry.message.as_ref());
    if offered.era() == Era::Modern {
        probe.spoken = Some(discovery::read(reply, offered));
    }
    if let Some(message) = reply {
        probe.answered = matches!(message.kind, Kind::Result | Kind::Error);
        let result = message.value.get("result");
        probe.result = result.map(|result| Told::read(result, offered.era()));
        probe.refusal = refusal(&conversation, index, message);
    }
    match opened {
        Opened::Yes => probe.fence = Some(conversation.fence(Duration::ZERO).await),
        Opened::Refused => {}
        Opened::Missing(missing) => {
            probe.fence = Some(Fence::Missing(missing));
            let waited =
                Duration::from_secs_f64((asked.elapsed().as_secs_f64() * 10.0).round() / 10.0);
            probe.silence = Some(explain_silence(&mut conversation, missing, waited).await);
        }
    }
    probe.duration = began.elapsed();
    let opening = conversation.entries().len();
    let capabilities = probe
        .result
        .as_ref()
        .and_then(|told| told.capabilities.as_ref());
    let has_tools = capabilities.is_some_and(|it| it.get("tools").is_some_and(Value::is_object));
    if lists_tools && has_tools && probe.lives() && probe.negotiated().is_some() {
        probe.tools = walk_some("tools/list", &mut conversation, MOST_PAGES)
            .await
            .entries;
    }
    probe.entries = conversation.take_entries();
    probe.entries.truncate(opening);
    retire(conversation, probe.answered).await;
    probe
}

/// Once the question beside this one is answered.
async fn answered(beside: Option<Answered>) {
    if let Some(mut beside) = beside
        && beside.wait_for(|answered| *answered).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Waits on for an answer of a target that has answered another question elsewhere. To lines, an answer to `initialize` on the same
/// process is the fence: what was asked before and is not answered by then was ignored.
async fn wait_beside(
    conversation: &mut Conversation,
    index: SentIndex,
    deadline: Instant,
) -> Waited<u64> {
    let first = deadline.min(Instant::now() + conversation.pace.first());
    if !conversation.manner.is_modern() || conversation.has_exchanges() {
        return conversation.wait_reply(index, first).await;
    }
    let soon = Instant::now() + conversation.pace.light();
    match conversation.wait_reply(index, soon).await {
        Waited::TimedOut => {}
        waited => return waited,
    }
    let id = conversation.fresh_id();
    let initialize = Manner::new(Revision::R2025_11_25).opening(&id);
    let (fence, _) = conversation.send_message(&initialize).await;
    let either = |conversation: &Conversation| {
        let replied = |index: SentIndex| conversation.sent(index).replies.first().copied();
        match replied(index) {
            Some(seq) => Some(Waited::Got(seq)),
            None => replied(fence).map(|_| Waited::TimedOut),
        }
    };
    match conversation.wait(first, either).await {
        Waited::Got(waited) => waited,
        Waited::TimedOut | Waited::Over => Waited::TimedOut,
        Waited::Ended => Waited::Ended,
    }
}

/// The error of a response, with its status over HTTP.
fn refusal(conversation: &Conversation, index: SentIndex, message: &Message) -> Option<String> {
    let error = message.value.get("error")?;
    Some(match conversation.status(index) {
        Some(status) => format!("HTTP {status} and {error}"),
        None => error.to_string(),
    })
}

#[cfg(test)]
mod tests;
