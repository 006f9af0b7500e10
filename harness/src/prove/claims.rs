//! The proofs that stand in no card: lies that end a target, and lies that an observer must see.

use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era};

const LEGACY: &[Era] = &[Era::Legacy];
const MODERN: &[Era] = &[Era::Modern];
const BOTH: &[Era] = &[Era::Legacy, Era::Modern];

/// Lies that end a target or make it fall silent, and a card whose `alive` must see it.
pub(super) const LIVES: &[(&str, &str, FindingCode, &[Era])] = &[
    (
        "errors/unknown-method",
        "exits-on-unknown-method",
        FindingCode::Died,
        LEGACY,
    ),
    (
        "errors/unknown-method",
        "hangs-on-unknown-method",
        FindingCode::Hung,
        LEGACY,
    ),
    (
        "jsonrpc/malformed-json",
        "exits-on-malformed",
        FindingCode::Died,
        LEGACY,
    ),
    (
        "jsonrpc/malformed-json",
        "hangs-on-malformed",
        FindingCode::Hung,
        LEGACY,
    ),
    (
        "jsonrpc/notification-unanswered",
        "exits-on-unknown-notification",
        FindingCode::Died,
        LEGACY,
    ),
    (
        "jsonrpc/notification-unanswered",
        "hangs-on-unknown-notification",
        FindingCode::Hung,
        LEGACY,
    ),
    (
        "lifecycle/initialize",
        "exits-before-answering-initialize",
        FindingCode::Died,
        LEGACY,
    ),
    ("tour/tools", "exits-on-call", FindingCode::Died, LEGACY),
    ("tour/tools", "hangs-on-call", FindingCode::Hung, LEGACY),
];

/// A mutant (with a code) or a near miss (without) of an observer's rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed {
    /// Full id of the rule.
    pub rule: &'static str,
    /// What the peer does.
    pub lie: Lie,
    /// Over which binding it speaks.
    pub binding: Binding,
    /// In which eras.
    pub eras: &'static [Era],
    /// What is found.
    pub found: Option<FindingCode>,
    /// What else fires.
    pub also: &'static [&'static str],
}

/// How the peer lies.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lie {
    /// By a named fault.
    Named(&'static str),
    /// With this line in place of a notification.
    Instead(&'static str, &'static [u8]),
    /// With this header field on the response that carries the reply to a method.
    Header(&'static str, &'static str, &'static str),
}

const fn over_lines(rule: &'static str, lie: Lie, found: Option<FindingCode>) -> Observed {
    Observed {
        rule,
        lie,
        binding: Binding::Memory,
        eras: LEGACY,
        found,
        also: &[],
    }
}

const fn over_http(
    rule: &'static str,
    lie: Lie,
    found: Option<FindingCode>,
    also: &'static [&'static str],
) -> Observed {
    Observed {
        rule,
        lie,
        binding: Binding::Http,
        eras: LEGACY,
        found,
        also,
    }
}

const STDOUT: &str = "observer/stdout/messages-only";
const EVENT_ID: &str = "observer/http/event-id-unique";
const LISTEN: &str = "observer/http/no-response-on-listen";
const ACCEPTED: &str = "observer/http/notification-202";
const ONE_STREAM: &str = "observer/http/one-stream";
const CONTENT_TYPE: &str = "observer/http/response-content-type";
const SESSION_ID: &str = "observer/http/session-id-visible";

/// Every mutant and near miss of an observer's rule.
pub(super) const OBSERVED: &[Observed] = &[
    over_lines(
        STDOUT,
        Lie::Named("banner-on-stdout"),
        Some(FindingCode::Stdout),
    ),
    over_lines(
        STDOUT,
        Lie::Named("logs-on-stdout-when-called"),
        Some(FindingCode::Stdout),
    ),
    over_lines(
        STDOUT,
        Lie::Instead(
            "notifications/message",
            b"{\"jsonrpc\":\"2.0\",\"method\":\n",
        ),
        Some(FindingCode::Framing),
    ),
    over_lines(STDOUT, Lie::Named("blank-lines"), None),
    over_lines(STDOUT, Lie::Named("crlf"), None),
    over_http(
        EVENT_ID,
        Lie::Named("repeats-event-ids"),
        Some(FindingCode::Duplicate),
        &[],
    ),
    over_http(EVENT_ID, Lie::Named("comments-and-retry"), None, &[]),
    over_http(
        LISTEN,
        Lie::Named("answers-on-get-stream"),
        Some(FindingCode::UnexpectedMessage),
        &[
            "sse/early-close/answered-first:order",
            "sse/streams-at-once/own-stream:order",
        ],
    ),
    over_http(LISTEN, Lie::Named("sse-only"), None, &[]),
    over_http(
        ACCEPTED,
        Lie::Named("notification-200"),
        Some(FindingCode::Status),
        &["http/notification/status:status"],
    ),
    over_http(ACCEPTED, Lie::Named("sse-only"), None, &[]),
    over_http(
        ONE_STREAM,
        Lie::Named("answers-on-all-streams"),
        Some(FindingCode::Duplicate),
        &[
            "observer/http/no-response-on-listen:unexpected-message",
            "sse/streams-at-once/own-stream:order",
        ],
    ),
    over_http(ONE_STREAM, Lie::Named("sse-only"), None, &[]),
    over_http(
        CONTENT_TYPE,
        Lie::Header("ping", "Content-Type", "text/plain"),
        Some(FindingCode::ContentType),
        &["http/response/content-type:content-type"],
    ),
    over_http(CONTENT_TYPE, Lie::Named("sse-only"), None, &[]),
    over_http(
        SESSION_ID,
        Lie::Named("session-id-with-space"),
        Some(FindingCode::Header),
        &[],
    ),
    over_http(SESSION_ID, Lie::Named("sse-only"), None, &[]),
];
