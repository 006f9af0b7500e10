//! Native steps and judges: what nine verbs cannot say. Registered here, one file an area.

pub mod arguments;
pub mod exchange;
pub mod http_judges;
pub mod judges;
pub mod permission;
pub mod resume;
pub mod slow_body;
pub mod stream_end;
pub mod tour;
pub mod two_clients;
pub mod walk;

use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_model::record::NativeBound;
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

/// Every native step, by name.
pub const NATIVES: &[Native] = &[
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
        about: "follows nextCursor to the end, at most 1000 pages or until a cursor comes again",
        parameters: &[(
            "list",
            "tools/list | resources/list | resources/templates/list | prompts/list",
        )],
        labels: &[],
        binds: "pages: how many, keys: names or URIs in order, end: last-page | loop | bound | error | silent",
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

/// Runs a native step.
///
/// **Errors**: when no such native exists or a parameter is missing; the linter refuses such cards.
pub async fn run(
    name: &str,
    parameters: &BTreeMap<String, Value>,
    conversation: &mut Conversation,
    given: Given<'_>,
) -> Result<NativeBound, String> {
    let text = |key: &str| {
        let value = parameters.get(key).and_then(Value::as_str);
        value.ok_or_else(|| format!("native `{name}` lacks its parameter `{key}`"))
    };
    match name {
        "resume" => {
            let of = (given.sent)(text("of")?)
                .ok_or_else(|| "`of` of `resume` names nothing that was sent".to_owned())?;
            let last = parameters.get("last").and_then(Value::as_str);
            Ok(resume::run(conversation, of, last).await)
        }
        "slow_body" => slow_body::run(conversation).await,
        "stream_end" => {
            let of = (given.sent)(text("of")?)
                .ok_or_else(|| "`of` of `stream_end` names nothing that was sent".to_owned())?;
            Ok(stream_end::run(conversation, of).await)
        }
        "tour" => tour::run(text("of")?, conversation, given.means).await,
        "two_clients" => two_clients::run(conversation).await,
        "walk" => Ok(walk::run(text("list")?, conversation).await),
        _ => Err(format!("no native step `{name}`")),
    }
}

#[cfg(test)]
mod tests;
