//! The proofs that stand in no card: lies that end a target, and lies that an observer must see.

use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Era};
use mcp_assay_model::scenario::Fault;
use mcp_assay_model::template::Template;

const LEGACY: &[Era] = &[Era::Legacy];
const MODERN: &[Era] = &[Era::Modern];
const BOTH: &[Era] = &[Era::Legacy, Era::Modern];

/// Lies that end a target or make it fall silent, and a card whose `alive` must see it.
pub(super) const LIVES: &[(&str, &str, FindingCode, &[Era])] = &[
    (
        "cancellation/in-flight",
        "exits-on-cancel",
        FindingCode::Died,
        LEGACY,
    ),
    (
        "cancellation/in-flight",
        "hangs-on-cancel",
        FindingCode::Hung,
        LEGACY,
    ),
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

/// Checks that a lawful oddity, `NAME+BINDING`, makes fire or keeps from a verdict: `ID`, and why that is right.
pub(super) const ODDITIES: &[(&str, &[(&str, &str)])] = &[
    (
        "answers-as-cancel-arrives+memory",
        &[
            ("cancellation/in-flight-modern/not-answered", CROSSED),
            ("cancellation/in-flight/not-answered", CROSSED),
            ("cancellation/one-of-many/not-answered", CROSSED),
        ],
    ),
    (
        "answers-as-cancel-arrives+http-sse",
        &[("cancellation/one-of-many/not-answered", CROSSED)],
    ),
    (
        "no-event-ids+http",
        &[(
            "sse/primed/first-event",
            "in 2025-11-25 a stream should begin with an event that has an id; elsewhere ids are optional",
        )],
    ),
    (
        "slow-head+http",
        &[
            ("http/get/alive", TOO_LATE),
            ("http/get/second-stream", TOO_LATE),
            ("lifecycle/before-initialized/alive", TOO_LATE),
            ("lifecycle/before-initialized/no-requests", TOO_LATE),
            ("lifecycle/early-request/alive", TOO_LATE),
        ],
    ),
];

const CROSSED: &str = "an answer that crosses the cancel tells nothing of whether it was heeded";

const TOO_LATE: &str =
    "silence ends before heads that are three seconds late, so it proves nothing";

const A_MILLION: &str = "a test of its own walks it: with every card it would take minutes";

/// Lawful oddities, `NAME+BINDING`, that no card provokes, with the reason.
pub(super) const UNSEEN: &[(&str, &str)] = &[
    (
        "accepts-any-accept+http",
        "no card asks for a media type that the protocol does not have: every server may refuse that",
    ),
    ("lists-a-million+http", A_MILLION),
    ("lists-a-million+http-sse", A_MILLION),
    ("lists-a-million+memory", A_MILLION),
    (
        "serial+http",
        "cards that have two requests run at once do so over lines",
    ),
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
    /// With this change to the nth reply to a method.
    InReply(&'static str, u32, Change),
    /// With this change to the first notification of a method.
    InNotification(&'static str, Change),
    /// With this line in place of a notification.
    Instead(&'static str, &'static [u8]),
    /// With this header field on the response that carries the reply to a method.
    Header(&'static str, &'static str, &'static str),
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// A value is set, to this JSON text.
    Set(&'static str, &'static str),
    /// A member is removed.
    Remove(&'static str),
    /// It is not sent.
    Drop,
}

impl Change {
    pub(super) fn fault(self) -> Fault {
        match self {
            Change::Set(at, to) => Fault::Set {
                at: at.to_owned(),
                to: Template::Raw(to.to_owned()),
            },
            Change::Remove(at) => Fault::Remove { at: at.to_owned() },
            Change::Drop => Fault::Drop,
        }
    }
}

const fn over_lines(rule: &'static str, lie: Lie, found: Option<FindingCode>) -> Observed {
    Observed {
        rule,
        lie,
        binding: Binding::Memory,
        eras: BOTH,
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
        eras: BOTH,
        found,
        also,
    }
}

impl Observed {
    const fn within(mut self, eras: &'static [Era]) -> Self {
        self.eras = eras;
        self
    }

    const fn with(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

const CACHING: &str = "observer/caching/hints";
const NO_REQUESTS: &str = "observer/era/no-server-requests";
const CODES: &str = "observer/errors/codes";
const OWN_STREAM: &str = "observer/http/own-stream";
const RESULT_TYPE: &str = "observer/results/result-type";
const LOGGING: &str = "observer/scope/logging";
const PROGRESS: &str = "observer/scope/progress";
const ONCE: &str = "observer/answers/once";
const CANCELLED: &str = "observer/subscriptions/cancelled";
const REQUESTED: &str = "observer/subscriptions/requested";
const TAG: &str = "observer/subscriptions/tag";
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
        ONCE,
        Lie::Named("answers-twice"),
        Some(FindingCode::Duplicate),
    ),
    over_lines(
        ONCE,
        Lie::Named("answers-twice-late"),
        Some(FindingCode::Duplicate),
    ),
    over_http(
        ONCE,
        Lie::Named("answers-twice"),
        Some(FindingCode::Duplicate),
        &[],
    )
    .within(LEGACY),
    over_lines(ONCE, Lie::Named("answers-out-of-order"), None),
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
    )
    .within(LEGACY),
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
    )
    .within(LEGACY),
    over_http(
        CONTENT_TYPE,
        Lie::Header("server/discover", "Content-Type", "text/plain"),
        Some(FindingCode::ContentType),
        &[],
    )
    .within(MODERN),
    over_http(CONTENT_TYPE, Lie::Named("sse-only"), None, &[]).within(LEGACY),
    over_http(
        CONTENT_TYPE,
        Lie::Header(
            "server/discover",
            "Content-Type",
            "application/json; charset=utf-8",
        ),
        None,
        &[],
    )
    .within(MODERN),
    over_http(
        SESSION_ID,
        Lie::Named("session-id-with-space"),
        Some(FindingCode::Header),
        &[],
    ),
    over_http(SESSION_ID, Lie::Named("sse-only"), None, &[]),
    over_lines(
        CACHING,
        Lie::InReply("tools/list", 1, Change::Remove("/result/ttlMs")),
        Some(FindingCode::Schema),
    ).with(&["caching/lists/ttl:schema", "tour/tools/list-results:schema"]),
    over_lines(
        CACHING,
        Lie::InReply(
            "resources/list",
            1,
            Change::Set("/result/cacheScope", r#""shared""#),
        ),
        Some(FindingCode::Value),
    ).with(&["caching/lists/scope:value", "caching/pages/same-scope:value", "tour/resources/list-results:value"]),
    over_lines(
        CACHING,
        Lie::InReply("tools/list", 1, Change::Set("/result/ttlMs", "0")),
        None,
    ),
    over_lines(
        NO_REQUESTS,
        Lie::Named("sends-request-in-modern-era"),
        Some(FindingCode::UnexpectedMessage),
    ),
    over_http(
        NO_REQUESTS,
        Lie::Named("sends-request-in-modern-era"),
        Some(FindingCode::UnexpectedMessage),
        &[],
    ),
    over_lines(NO_REQUESTS, Lie::Named("crlf"), None),
    over_lines(
        CODES,
        Lie::InReply("resources/read", 1, Change::Set("/error/code", "-32002")),
        Some(FindingCode::Value),
    ).with(&["errors/reserved-codes/not-retired:schema", "errors/resource-not-found/code:value"]),
    over_lines(
        CODES,
        Lie::InReply("resources/read", 1, Change::Set("/error/code", "-32050")),
        Some(FindingCode::Value),
    ).with(&["errors/reserved-codes/defined:schema", "errors/resource-not-found/code:value"]),
    over_lines(CODES, Lie::Named("crlf"), None),
    over_http(
        OWN_STREAM,
        Lie::Named("logs-on-listen-stream"),
        Some(FindingCode::UnexpectedMessage),
        &[],
    ),
    over_http(
        OWN_STREAM,
        Lie::InNotification(
            "notifications/message",
            Change::Set("/params/mcp-assay-extra", "1"),
        ),
        None,
        &[],
    ),
    over_lines(
        RESULT_TYPE,
        Lie::InReply("tools/list", 1, Change::Remove("/result/resultType")),
        Some(FindingCode::Schema),
    ).with(&["results/type/present:schema", "tour/tools/list-results:schema"]),
    over_lines(
        RESULT_TYPE,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set("/result/resultType", r#""input_required""#),
        ),
        Some(FindingCode::Value),
    ).with(&["results/type/asks-nothing:schema", "tour/tools/list-results:value"]),
    over_lines(
        RESULT_TYPE,
        Lie::InReply("tools/call", 1, Change::Set("/result/mcp-assay-extra", "1")),
        None,
    ),
    over_lines(
        LOGGING,
        Lie::Named("logs-unasked"),
        Some(FindingCode::UnexpectedMessage),
    ).with(&["logging/unasked/silent:unexpected-message"]),
    over_lines(
        LOGGING,
        Lie::InNotification(
            "notifications/message",
            Change::Set("/params/level", r#""debug""#),
        ),
        Some(FindingCode::Value),
    ),
    over_lines(
        LOGGING,
        Lie::InNotification(
            "notifications/message",
            Change::Set("/params/level", r#""emergency""#),
        ),
        None,
    ),
    over_lines(
        PROGRESS,
        Lie::Named("progress-without-token"),
        Some(FindingCode::Id),
    ),
    over_lines(
        PROGRESS,
        Lie::InNotification(
            "notifications/progress",
            Change::Set("/params/progressToken", r#""mcp-assay-other""#),
        ),
        Some(FindingCode::Id),
    ).with(&["progress/asked/own-token:value"]),
    over_lines(
        PROGRESS,
        Lie::InNotification(
            "notifications/progress",
            Change::Set("/params/message", r#""well""#),
        ),
        None,
    ),
    over_lines(
        CANCELLED,
        Lie::Instead(
            "notifications/progress",
            b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":2}}\n",
        ),
        Some(FindingCode::Id),
    ),
    over_lines(
        CANCELLED,
        Lie::Named("cancels-subscription-after-change"),
        None,
    ),
    over_lines(
        REQUESTED,
        Lie::Named("notifies-unasked"),
        Some(FindingCode::UnexpectedMessage),
    ).with(&["subscriptions/unasked/untold:unexpected-message"]),
    over_lines(
        REQUESTED,
        Lie::InNotification(
            "notifications/resources/updated",
            Change::Set("/params/mcp-assay-extra", "1"),
        ),
        None,
    ),
    over_lines(
        TAG,
        Lie::InNotification(
            "notifications/resources/updated",
            Change::Remove("/params/_meta"),
        ),
        Some(FindingCode::Id),
    ).with(&["subscriptions/updated/tagged:id"]),
    over_http(
        TAG,
        Lie::InNotification(
            "notifications/resources/updated",
            Change::Remove("/params/_meta"),
        ),
        Some(FindingCode::Id),
        &[],
    ).with(&["subscriptions/own-streams/own-ids:id", "subscriptions/updated/tagged:id"]),
    over_lines(
        TAG,
        Lie::InNotification(
            "notifications/subscriptions/acknowledged",
            Change::Drop,
        ),
        Some(FindingCode::Order),
    ).with(&["subscriptions/empty-filter/acknowledged:no-reply", "subscriptions/first/acknowledged:no-reply", "subscriptions/listen/tagged:no-reply"]),
    over_lines(
        TAG,
        Lie::InNotification(
            "notifications/resources/updated",
            Change::Set("/params/_meta/example.org~1extra", "1"),
        ),
        None,
    ),
];
