//! Native steps and judges: what nine verbs cannot say. Registered here, one file an area.

pub mod arguments;
mod bulky;
mod cancelled_crowd;
pub mod complete_mrtr;
mod crowd;
pub mod cursors;
pub mod exchange;
mod header_call;
pub mod http_judges;
pub mod judges;
pub mod listen;
mod listen_judges;
mod offered_schemas;
mod page_judges;
pub mod permission;
mod progress_judges;
pub mod resume;
pub mod rewalk;
pub mod slow_body;
pub mod stream_end;
pub mod tour;
pub mod two_clients;
pub mod walk;

use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_model::record::{Missing, NativeBound};
use mcp_assay_transport::http::mirror::Mirror;
use permission::Permissions;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What native steps may use besides the conversation.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// Whose tools may be called.
    pub permissions: Permissions,
    /// Capabilities as the target declared them when it was probed.
    pub capabilities: Value,
    /// What the target's tools want repeated in header fields.
    pub mirror: Arc<Mirror>,
}

/// One native step, as `explain --natives` shows it and as the linter knows it.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// Name, as in `use:`.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// Parameters, each with a line.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Those of its parameters whose value is a label.
    pub labels: &'static [&'static str],
    /// What its label names.
    pub binds: &'static str,
}

/// What a parameter `list` may be.
const A_LIST: &str = "tools/list | resources/list | resources/templates/list | prompts/list";

/// Every native step, by name.
pub const NATIVES: &[Native] = &[
    Native {
        name: "bulky",
        about: "sends a request with large parameters, and waits for its answer",
        parameters: &[
            ("method", "its method"),
            (
                "of",
                "arrays: in one another | objects: in one another | text | members: of one object | number: of that many digits",
            ),
            ("size", "levels, bytes, members or digits"),
        ],
        labels: &[],
        binds: "the request that was sent",
    },
    Native {
        name: "cancelled_crowd",
        about: "makes the same call fifty times at once, unless the server does one thing after the other, and cancels one of them",
        parameters: &[("call", "params of tools/call")],
        labels: &[],
        binds: "is_serial, asked, unanswered: seqs of the others' requests, cancelled: { reply: seq or null, is_late }",
    },
    Native {
        name: "carry_cursor",
        about: "asks for the second page of a list on the connection that the first came on, then on another",
        parameters: &[("list", A_LIST)],
        labels: &[],
        binds: "has_pages, own: result | error | null, other: the same on the other connection, seq: position of the last",
    },
    Native {
        name: "complete_mrtr",
        about: "answers what a server asked for in place of a result, by the card's `answer` table, and repeats the request with the answers",
        parameters: &[
            ("of", "label of a request that was answered"),
            (
                "request_state",
                "kept (unless given) | dropped | altered: in one character",
            ),
            (
                "responses",
                "all (unless given) | none | partial: the first | extra: one more than was asked for | broken: none is what was asked for",
            ),
            (
                "rounds",
                "repetitions at most, 1 unless given, to 10; ends with the first answer that asks for nothing",
            ),
        ],
        labels: &["of"],
        binds: "the request that was sent last; `of` itself where nothing was asked for",
    },
    Native {
        name: "crowd",
        about: "sends many requests at once, for an unknown method and for the tool list by turns, and waits for all",
        parameters: &[("count", "how many")],
        labels: &[],
        binds: "asked: how many, answered: how many, unanswered: their positions",
    },
    Native {
        name: "foreign_cursor",
        about: "uses a cursor of the first list that has more than one page on each of the other lists that are served",
        parameters: &[],
        labels: &[],
        binds: "from: list or null, uses: [{ list, seq, is_page, code }]",
    },
    Native {
        name: "header_call",
        about: "makes a call whose argument is repeated in a header field, with a change in that field",
        parameters: &[
            ("call", "params of tools/call"),
            ("header", "name of the field, without Mcp-Param-"),
            ("value", "what the argument is, as text"),
            (
                "change",
                "none | missing | other: another value | encoded: the same in base64 | broken: no base64 | small: the name of the field in small letters",
            ),
        ],
        labels: &[],
        binds: "the request that was sent",
    },
    Native {
        name: "listen",
        about: "opens subscriptions/listen streams at once, waits for what a call changes, and ends them",
        parameters: &[
            ("notifications", "the filter of the first stream"),
            ("second", "the filter of a second stream; none unless given"),
            (
                "call",
                "params of a tools/call that is made while they are open; none unless given",
            ),
        ],
        labels: &[],
        binds: "streams: [{ id: raw text, filter, heard: [{ seq, method, tag: raw text or null, params }], reply: result | error | null, code }], strays: as heard, what names no subscription of ours, call: result | error | null",
    },
    Native {
        name: "resume",
        about: "resumes the event stream of a request by GET with Last-Event-ID, after its first event or after `last`",
        parameters: &[
            ("of", "label of a request whose answer was an event stream"),
            (
                "last",
                "event id to resume after, in place of the first event's",
            ),
        ],
        labels: &["of"],
        binds: "after: event id or null where the stream had none, status, content_type, replayed: [{ seq, kind: response | request | notification | other, id: raw text }]",
    },
    Native {
        name: "rewalk",
        about: "walks a list three times, uses some of its cursors again, and looks up by name what the second walk left out",
        parameters: &[("list", A_LIST)],
        labels: &[],
        binds: "ends, pages: of each walk, alike: whether all met the same, overlaps: [{ key, seq }], again: [{ cursor, seq, is_served, first: keys, second }], missed: [{ key, seq }]",
    },
    Native {
        name: "slow_body",
        about: "posts a harmless request (ping, or server/discover) whose body comes in four pieces",
        parameters: &[],
        labels: &[],
        binds: "status, seq: position of the response head, replied",
    },
    Native {
        name: "stream_end",
        about: "waits for the end of the event stream that answers a request, as long as a harmless request may take",
        parameters: &[("of", "label of a request")],
        labels: &["of"],
        binds: "streamed, replied, reply_seq, ended: complete | cut | closed | failed | open, end_seq, first_end: after-reply | before-reply | none, waited_ms",
    },
    Native {
        name: "tour",
        about: "exercises one capability once: lists to the end, and what they list",
        parameters: &[("of", "tools | resources | prompts | completion | logging")],
        labels: &[],
        binds: "results: [{ seq, method }], called: how many tools, withheld: [{ tool, why }]",
    },
    Native {
        name: "two_clients",
        about: "opens a second client of the same server; both ask at once, with equal ids, for what has different answers",
        parameters: &[],
        labels: &[],
        binds: "second: open | refused, sessions: none | two | shared, ids: of the sessions, questions: [{ client, asked, seq, alone, kind: result | error | nothing }]",
    },
    Native {
        name: "walk",
        about: "follows nextCursor to the end, at most 10000 pages, 100 without a new entry, or until a cursor comes again",
        parameters: &[("list", A_LIST)],
        labels: &[],
        binds: "pages: how many, keys: names or URIs in order, end: last-page | loop | barren | bound | error | silent",
    },
];

/// What a native step is given besides its parameters.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// Means of the run.
    pub means: &'a Means,
    /// The message that was sent under a label.
    pub sent: &'a (dyn Fn(&str) -> Option<SentIndex> + Sync),
}

/// What a native step comes to.
#[derive(Clone, Debug)]
pub enum Came {
    /// Its label names what it found.
    Bound(NativeBound),
    /// Its label names a request that it sent; why no more can be asked, where that is so.
    Sent(SentIndex, Option<Missing>),
}

/// Runs a native step.
///
/// **Errors**: when no such native exists or a parameter is missing; the linter refuses such cards.
pub async fn run(
    name: &str,
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
    given: Given<'_>,
) -> Result<Came, String> {
    let text = |key: &str| {
        let value = parameters.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("native `{name}` lacks its parameter `{key}`"))
    };
    let sent = |key: &str| {
        (given.sent)(text(key)?)
            .ok_or_else(|| format!("`{key}` of `{name}` names nothing that was sent"))
    };
    let bound = match name {
        "bulky" => {
            let (index, missing) = bulky::run(parameters, conversation).await?;
            return Ok(Came::Sent(index, missing));
        }
        "cancelled_crowd" => cancelled_crowd::run(parameters, conversation).await?,
        "carry_cursor" => cursors::carry(text("list")?, conversation).await?,
        "complete_mrtr" => {
            let plan = complete_mrtr::Plan::of(parameters)?;
            let (index, missing) = complete_mrtr::run(conversation, sent("of")?, plan).await;
            return Ok(Came::Sent(index, missing));
        }
        "crowd" => crowd::run(parameters, conversation).await?,
        "foreign_cursor" => cursors::foreign(conversation).await,
        "header_call" => {
            let (index, missing) = header_call::run(parameters, conversation).await?;
            return Ok(Came::Sent(index, missing));
        }
        "listen" => listen::run(parameters, conversation).await?,
        "resume" => {
            let last = parameters.get("last").and_then(Value::as_str);
            resume::run(conversation, sent("of")?, last).await
        }
        "rewalk" => rewalk::run(text("list")?, conversation, given.means).await,
        "slow_body" => slow_body::run(conversation).await?,
        "stream_end" => stream_end::run(conversation, sent("of")?).await,
        "tour" => tour::run(text("of")?, conversation, given.means).await?,
        "two_clients" => two_clients::run(conversation).await?,
        "walk" => walk::run(text("list")?, conversation).await,
        _ => return Err(format!("no native step `{name}`")),
    };
    Ok(Came::Bound(bound))
}

#[cfg(test)]
mod tests;
