//! The proofs that stand in no card: lies that end a target, and lies that an observer must see.

mod excuses;
mod parts;

pub(super) use excuses::{ODDITIES, RECORDED, UNSEEN};
pub(super) use parts::OF_PARTS;

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
    /// With these messages before the first reply to a method.
    Before(&'static str, &'static [&'static str]),
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
const LOGGING: &str = "observer/logging/requested";
const PROGRESS: &str = "observer/progress/active";
const ONCE: &str = "observer/answers/once";
const ENVELOPE: &str = "observer/message/envelope";
const PARAMS: &str = "observer/message/params";
const RESULT: &str = "observer/message/result";
const REQUEST_ID: &str = "observer/message/request-id";
const INCREASES: &str = "observer/progress/increases";
const NOTIFIES: &str = "observer/capabilities/notifies";
const REVISION: &str = "observer/capabilities/revision";
const SERVER_ASKS: &str = "observer/capabilities/server-asks";
const DECLARED: &str = "observer/logging/declared";
const LEVEL: &str = "observer/logging/level";
const ASKED: &str = "observer/answers/asked";
const SAME_ID: &str = "observer/answers/same-id";
const MEANINGS: &str = "observer/errors/meanings";
const ONE_LINE: &str = "observer/errors/one-line";
const OWN_RANGE: &str = "observer/errors/own-range";
const UNASSIGNED: &str = "observer/errors/unassigned";
const OWN_CANCEL: &str = "observer/cancellation/own";
const NAMED_CANCEL: &str = "observer/cancellation/named";
const ENCODING: &str = "observer/message/encoding";
const RELATED: &str = "observer/http/related";
const UNRELATED: &str = "observer/http/unrelated-on-listen";
const RETRY: &str = "observer/http/retry";
const CANCELLED: &str = "observer/subscriptions/cancelled";
const CANCELS_SENT: &str = "observer/subscriptions/in-flight";
const REQUESTED: &str = "observer/subscriptions/requested";
const TAG: &str = "observer/subscriptions/tag";
const STDOUT: &str = "observer/stdout/messages-only";
const EVENT_ID: &str = "observer/http/event-id-unique";
const LISTEN: &str = "observer/http/no-response-on-listen";
const ACCEPTED: &str = "observer/http/notification-202";
const ONE_STREAM: &str = "observer/http/one-stream";
const CONTENT_TYPE: &str = "observer/http/response-content-type";
const SESSION_ID: &str = "observer/http/session-id-visible";

/// A request of the server's that it cancels at once.
const PING_AND_CANCEL: &[&str] = &[
    r#"{"jsonrpc":"2.0","id":"mcp-assay-cancelled","method":"ping"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"mcp-assay-cancelled"}}"#,
];

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
    )
    .with(&["observer/http/retry:header", "sse/early-close/answered-first:order", "sse/streams-at-once/own-stream:order"]),
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
    ).with(&["caching/lists/ttl:schema"]),
    over_lines(
        CACHING,
        Lie::InReply(
            "resources/list",
            1,
            Change::Set("/result/cacheScope", r#""shared""#),
        ),
        Some(FindingCode::Value),
    ).with(&["caching/lists/scope:value", "caching/pages/same-scope:value"]),
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
    ).with(&["results/type/present:schema"]),
    over_lines(
        RESULT_TYPE,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set("/result/resultType", r#""input_required""#),
        ),
        Some(FindingCode::Value),
    ).with(&["results/type/asks-nothing:schema"]),
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
    ).within(MODERN)
    .with(&["progress/unasked/silent:unexpected-message"]),
    over_lines(
        PROGRESS,
        Lie::InNotification(
            "notifications/progress",
            Change::Set("/params/progressToken", r#""mcp-assay-other""#),
        ),
        Some(FindingCode::Id),
    ).with(&["progress/asked/own-token:value"]).within(MODERN),
    over_lines(
        PROGRESS,
        Lie::InNotification(
            "notifications/progress",
            Change::Set("/params/message", r#""well""#),
        ),
        None,
    ).within(MODERN),
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
        CANCELS_SENT,
        Lie::Instead(
            "notifications/progress",
            b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"mcp-assay-never-sent\"}}\n",
        ),
        Some(FindingCode::Id),
    ),
    over_lines(
        CANCELS_SENT,
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
    )
    .with(&["observer/message/params:schema", "subscriptions/updated/tagged:id"]),
    over_http(
        TAG,
        Lie::InNotification(
            "notifications/resources/updated",
            Change::Remove("/params/_meta"),
        ),
        Some(FindingCode::Id),
        &[],
    )
    .with(&["observer/message/params:schema", "subscriptions/own-streams/own-ids:id", "subscriptions/updated/tagged:id"]),
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
    over_lines(
        ENVELOPE,
        Lie::InReply("tools/list", 1, Change::Remove("/jsonrpc")),
        Some(FindingCode::Schema),
    ),
    over_lines(
        ENVELOPE,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","id":"odd","method":"notifications/message","params":{"level":"info","data":1}}"#]),
        Some(FindingCode::Schema),
    )
    .within(LEGACY),
    over_lines(
        ENVELOPE,
        Lie::InReply("tools/list", 1, Change::Set("/example.org~1extra", "1")),
        None,
    ),
    over_lines(
        PARAMS,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1}}"#]),
        Some(FindingCode::Schema),
    )
    .within(LEGACY),
    over_lines(
        PARAMS,
        Lie::InNotification("notifications/message", Change::Remove("/params/level")),
        Some(FindingCode::Schema),
    )
    .with(&["logging/asked/told:schema"]),
    over_lines(
        PARAMS,
        Lie::InNotification("notifications/message", Change::Set("/params/mcp-assay-extra", "1")),
        None,
    ),
    over_lines(
        RESULT,
        Lie::InReply("tools/list", 1, Change::Remove("/result/tools")),
        Some(FindingCode::Schema),
    ),
    over_lines(
        RESULT,
        Lie::InReply("tools/list", 1, Change::Set("/result/nextCursor", "null")),
        Some(FindingCode::Schema),
    ),
    over_lines(
        RESULT,
        Lie::InReply("tools/list", 1, Change::Set("/result/mcp-assay-extra", "null")),
        None,
    ),
    over_lines(
        REQUEST_ID,
        Lie::Before("tools/list", &[
            r#"{"jsonrpc":"2.0","id":"same","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":"same","method":"ping"}"#,
        ]),
        Some(FindingCode::Duplicate),
    )
    .within(LEGACY),
    over_lines(
        REQUEST_ID,
        Lie::Before("tools/list", &[
            r#"{"jsonrpc":"2.0","id":"77","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":77,"method":"ping"}"#,
        ]),
        None,
    )
    .within(LEGACY),
    over_lines(
        PROGRESS,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"made-up","progress":1}}"#]),
        Some(FindingCode::Id),
    ),
    over_lines(
        INCREASES,
        Lie::InNotification("notifications/progress", Change::Set("/params/progress", "1000")),
        Some(FindingCode::Value),
    ).within(MODERN),
    over_lines(
        INCREASES,
        Lie::InNotification("notifications/progress", Change::Set("/params/total", "1e3")),
        None,
    ).within(MODERN),
    over_lines(
        NOTIFIES,
        Lie::InReply("initialize", 1, Change::Remove("/result/capabilities/tools/listChanged")),
        Some(FindingCode::Undeclared),
    )
    .within(LEGACY),
    over_lines(
        NOTIFIES,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#]),
        None,
    )
    .within(LEGACY),
    over_lines(
        REVISION,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"notifications":{}}}"#]),
        Some(FindingCode::UnexpectedMessage),
    )
    .within(LEGACY),
    over_lines(
        REVISION,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/example.org/own","params":{}}"#]),
        None,
    )
    .within(LEGACY),
    over_lines(
        SERVER_ASKS,
        Lie::Named("undeclared-sampling"),
        Some(FindingCode::Undeclared),
    )
    .with(&[
        "lifecycle/undeclared-client-called/not-asked:undeclared",
        "lifecycle/undeclared-client/not-asked:undeclared",
        "observer/message/request-id:duplicate",
    ]),
    over_lines(SERVER_ASKS, Lie::Named("asks-for-roots-when-declared"), None),
    over_lines(
        DECLARED,
        Lie::InReply("initialize", 1, Change::Remove("/result/capabilities/logging")),
        Some(FindingCode::Undeclared),
    )
    .with(&["lifecycle/undeclared-utilities/logging:undeclared"])
    .within(LEGACY),
    over_lines(
        DECLARED,
        Lie::InReply("server/discover", 1, Change::Remove("/result/capabilities/logging")),
        Some(FindingCode::Undeclared),
    )
    .within(MODERN),
    over_lines(
        DECLARED,
        Lie::InNotification("notifications/message", Change::Set("/params/logger", r#""other""#)),
        None,
    ),
    over_lines(
        LEVEL,
        Lie::Before(
            "ping",
            &[r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":1}}"#],
        ),
        Some(FindingCode::Value),
    )
    .within(LEGACY),
    over_lines(
        LEVEL,
        Lie::Before(
            "ping",
            &[r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"emergency","data":1}}"#],
        ),
        None,
    )
    .within(LEGACY),
    over_lines(
        ASKED,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","id":"mcp-assay-nobody","result":{}}"#]),
        Some(FindingCode::UnexpectedMessage),
    )
    .with(&["errors/invalid-cursor/is-error:accepted-invalid", "results/server-info/named:schema", "results/type/present:schema"]),
    over_lines(ASKED, Lie::Named("answers-out-of-order"), None),
    over_lines(
        SAME_ID,
        Lie::Named("ids-as-strings"),
        Some(FindingCode::Id),
    )
    .with(&["jsonrpc/batch/answered:id", "jsonrpc/id-beyond-double-modern/same-id:id", "jsonrpc/id-beyond-double/same-id:id", "jsonrpc/id-echo-modern/same-id:id", "jsonrpc/id-echo/same-id:id"]),
    over_lines(SAME_ID, Lie::Named("answers-out-of-order"), None),
    over_lines(
        MEANINGS,
        Lie::InReply("prompts/get", 1, Change::Set("/error/code", "-32020")),
        Some(FindingCode::Value),
    )
    .within(MODERN)
    .with(&["errors/unknown-prompt/code:value"]),
    over_lines(
        MEANINGS,
        Lie::InReply("tools/call", 1, Change::Set("/error/message", r#""well""#)),
        None,
    )
    .within(MODERN),
    over_lines(
        ONE_LINE,
        Lie::InReply("prompts/get", 1, Change::Set("/error/message", r#""one\ntwo""#)),
        Some(FindingCode::Value),
    ),
    over_lines(
        ONE_LINE,
        Lie::InReply("prompts/get", 1, Change::Set("/error/message", r#""one. Two\n""#)),
        None,
    ),
    over_lines(
        OWN_RANGE,
        Lie::InReply("prompts/get", 1, Change::Set("/error/code", "-32500")),
        Some(FindingCode::Value),
    )
    .within(MODERN)
    .with(&["errors/unknown-prompt/code:value"]),
    over_lines(
        OWN_RANGE,
        Lie::InReply("prompts/get", 1, Change::Set("/error/message", r#""well""#)),
        None,
    )
    .within(MODERN),
    over_lines(
        UNASSIGNED,
        Lie::InReply("prompts/get", 1, Change::Set("/error/code", "-32500")),
        Some(FindingCode::Value),
    )
    .within(LEGACY)
    .with(&["errors/unknown-prompt/code:value"]),
    over_lines(
        UNASSIGNED,
        Lie::InReply("prompts/get", 1, Change::Set("/error/message", r#""well""#)),
        None,
    )
    .within(LEGACY),
    over_lines(
        OWN_CANCEL,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"mcp-assay-nobody"}}"#]),
        Some(FindingCode::Id),
    )
    .within(LEGACY),
    over_lines(OWN_CANCEL, Lie::Before("tools/list", PING_AND_CANCEL), None).within(LEGACY),
    over_lines(
        NAMED_CANCEL,
        Lie::Before("tools/list", &[r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"reason":"none"}}"#]),
        Some(FindingCode::Schema),
    )
    .within(LEGACY),
    over_lines(NAMED_CANCEL, Lie::Before("tools/list", PING_AND_CANCEL), None).within(LEGACY),
    over_http(
        ENCODING,
        Lie::Instead("notifications/message", b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\xff\"}"),
        Some(FindingCode::Framing),
        &[],
    )
    .within(LEGACY),
    over_http(ENCODING, Lie::Named("sse-only"), None, &[]),
    over_http(
        RETRY,
        Lie::Named("leaves-without-retry"),
        Some(FindingCode::Header),
        &[],
    )
    .within(LEGACY),
    over_http(RETRY, Lie::Named("polling"), None, &[]).within(LEGACY),
    over_http(
        UNRELATED,
        Lie::Named("relates-on-get-stream"),
        Some(FindingCode::UnexpectedMessage),
        &[
            "progress/own-stream/of-one:order",
            "progress/own-stream/of-other:order",
        ],
    )
    .within(LEGACY),
    over_http(UNRELATED, Lie::Named("sse-only"), None, &[]).within(LEGACY),
    over_http(
        RELATED,
        Lie::Named("progress-on-other-stream"),
        Some(FindingCode::UnexpectedMessage),
        &[],
    )
    .within(LEGACY)
    .with(&["progress/own-stream/of-one:order", "progress/own-stream/of-other:order"]),
    over_http(RELATED, Lie::Named("sse-only"), None, &[]).within(LEGACY),
];
