//! The list of named faults: what `serve --list-faults` prints and cards may say. Long because it is a list.

use super::lie::{AtEnd, Honest, Lie};
use super::lies::cancel::{AnswersAsCancelArrives, IgnoresCancel};
use super::lies::exchange::{
    AnswersBeforeInitialize, AnswersNotifications, AsksEarly, ImplementsUndeclared, Refuses,
    RefusesBatches, UndeclaredSampling, UpdatesUnasked,
};
use super::lies::habit::{Habit, LogsOnStdout};
use super::lies::ids::{DropsFalsyIds, NullIdAccepted, Rewrites, SwapsIds};
use super::lies::ids::{number, string, through_f64, truncated};
use super::lies::pages::{DropsEntry, EmptyPages, LoopsCursor, RefusesOwnCursor, RepeatsEntry};
use super::lies::repeats::{AnswersTwice, AnswersTwiceLate};
use super::lies::strikes::{Provoked, then_exit, then_hang};
use super::lies::version::EchoesAnyVersion;
use super::quirk::Quirk;
use std::time::Duration;

/// A fault that has a name.
pub struct NamedFault {
    /// The name, as cards and `--fault` have it.
    pub name: &'static str,
    /// What such a server does, as a fragment.
    pub about: &'static str,
    /// Whether the specification allows it: a near miss, not a lie.
    pub is_lawful: bool,
    /// On which bindings it can strike.
    pub over: Over,
    /// What a client does to see it.
    pub provoked_by: &'static [Provocation],
    /// What the HTTP layer does in its own way.
    pub(crate) quirk: Option<Quirk>,
    pub(crate) begin: fn() -> Box<dyn Lie>,
}

/// On which bindings a named fault can strike.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Over {
    /// On all: it is about messages.
    Any,
    /// On lines alone.
    Stdio,
    /// Over HTTP alone.
    Http,
}

/// One HTTP request of a client. What a client always sends (Host, Accept, Content-Type, the session's headers) is added to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HttpAsk {
    /// The method.
    pub method: &'static str,
    /// Headers over the usual ones; `None` leaves one out.
    pub headers: &'static [(&'static str, Option<&'static str>)],
    /// The body.
    pub body: &'static str,
}

/// One thing a client does to see a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provocation {
    /// The whole handshake for the latest revision, with these client capabilities; over HTTP a GET stream is opened too.
    Open(&'static str),
    /// The handshake for another revision, without client capabilities.
    OpenIn(&'static str),
    /// One line.
    Send(&'static str),
    /// Time passes.
    WaitMs(u64),
    /// A `tools/list` for each page, until `nextCursor` is absent or this many pages came.
    Walk(usize),
    /// The input ends.
    Close,
    /// One HTTP request.
    Http(HttpAsk),
    /// One more GET stream.
    Listen,
    /// A GET that resumes the stream of the last POST that was answered by one, from its first event.
    Resume,
    /// A second client does the handshake and all that follows.
    AnotherClient,
    /// Bytes on a socket of their own.
    Raw(&'static str),
}

impl std::fmt::Debug for NamedFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedFault")
            .field("name", &self.name)
            .field("about", &self.about)
            .field("is_lawful", &self.is_lawful)
            .finish_non_exhaustive()
    }
}

/// The fault of this name.
pub(crate) fn find(name: &str) -> Option<&'static NamedFault> {
    let place = FAULTS.binary_search_by(|fault| fault.name.cmp(name)).ok()?;
    Some(&FAULTS[place])
}

const LAWFUL: bool = true;
const A_LIE: bool = false;

const fn over_http(
    name: &'static str,
    about: &'static str,
    is_lawful: bool,
    quirk: Quirk,
    provoked_by: &'static [Provocation],
) -> NamedFault {
    NamedFault {
        name,
        about,
        is_lawful,
        over: Over::Http,
        provoked_by,
        quirk: Some(quirk),
        begin: || Box::new(Honest),
    }
}

const fn http(
    method: &'static str,
    headers: &'static [(&'static str, Option<&'static str>)],
    body: &'static str,
) -> Provocation {
    Provocation::Http(HttpAsk {
        method,
        headers,
        body,
    })
}

const POST: &str = "POST";
const DELETE: Provocation = http("DELETE", &[], "");
const NO_SESSION: &[(&str, Option<&str>)] = &[("mcp-session-id", None)];
const UNKNOWN_SESSION: &[(&str, Option<&str>)] = &[("mcp-session-id", Some("no-such-session"))];
const FOREIGN_ORIGIN: &[(&str, Option<&str>)] = &[("origin", Some("https://evil.example"))];

const OPEN: Provocation = Provocation::Open("{}");
const PING_TEXT: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
const PING: Provocation = Provocation::Send(PING_TEXT);
const ECHO: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo","arguments":{"message":"m"}}}"#,
);
const SLOW: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}"#,
);
const ECHO_AS_SLOW: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"echo","arguments":{"message":"m"}}}"#,
);
const LOGGING: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#,
);
const CANCEL: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#,
);
const MALFORMED: Provocation = Provocation::Send("{\"jsonrpc\":");
const SUBSCRIBE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"resources/subscribe","params":{"uri":"test://watched-resource"}}"#,
);
const UNSUBSCRIBE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"resources/unsubscribe","params":{"uri":"test://watched-resource"}}"#,
);
const TOUCH: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":10,"method":"tools/call","params":{"name":"touch"}}"#,
);
const UNKNOWN_METHOD: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"no/such/method"}"#);
const UNKNOWN_NOTIFICATION: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#);
const LIST: Provocation = Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"tools/list"}"#);
const BATCH: Provocation = Provocation::Send(
    r#"[{"jsonrpc":"2.0","id":8,"method":"ping"},{"jsonrpc":"2.0","id":9,"method":"ping"}]"#,
);
const SET_LEVEL: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"logging/setLevel","params":{"level":"error"}}"#,
);

/// Every named fault, sorted by name.
pub const FAULTS: &[NamedFault] = &[
    over_http(
        "accepts-any-accept",
        "answers a POST whatever its Accept says",
        LAWFUL,
        Quirk::AcceptsAnyAccept,
        &[
            OPEN,
            http(POST, &[("accept", Some("text/plain"))], PING_TEXT),
        ],
    ),
    over_http(
        "accepts-any-content-type",
        "reads the body of a POST whatever its Content-Type says",
        A_LIE,
        Quirk::AcceptsAnyContentType,
        &[
            OPEN,
            http(POST, &[("content-type", Some("text/plain"))], PING_TEXT),
        ],
    ),
    over_http(
        "accepts-foreign-host",
        "serves requests for any Host",
        A_LIE,
        Quirk::AcceptsForeignHost,
        &[
            OPEN,
            http(POST, &[("host", Some("evil.example"))], PING_TEXT),
        ],
    ),
    over_http(
        "accepts-foreign-origin",
        "serves requests of any Origin",
        A_LIE,
        Quirk::AcceptsForeignOrigin,
        &[OPEN, http(POST, FOREIGN_ORIGIN, PING_TEXT)],
    ),
    over_http(
        "accepts-missing-session",
        "serves requests without a session id in the session opened last",
        A_LIE,
        Quirk::AcceptsMissingSession,
        &[OPEN, http(POST, NO_SESSION, PING_TEXT)],
    ),
    over_http(
        "accepts-unknown-session",
        "serves requests with a session id it never gave in the session opened last",
        A_LIE,
        Quirk::AcceptsUnknownSession,
        &[OPEN, http(POST, UNKNOWN_SESSION, PING_TEXT)],
    ),
    NamedFault {
        name: "answers-as-cancel-arrives",
        about: "answers a running call the moment it is cancelled: the lawful race",
        is_lawful: true,
        over: Over::Any,
        provoked_by: &[OPEN, SLOW, CANCEL],
        quirk: None,
        begin: || Box::new(AnswersAsCancelArrives),
    },
    NamedFault {
        name: "answers-batch-separately",
        about: "answers the requests of a batch one by one",
        is_lawful: true,
        over: Over::Any,
        provoked_by: &[Provocation::OpenIn("2025-03-26"), BATCH],
        quirk: None,
        begin: || Habit::begin(|habits| habits.splits_batches = true),
    },
    NamedFault {
        name: "answers-before-initialize",
        about: "serves requests before initialize",
        is_lawful: true,
        over: Over::Stdio,
        provoked_by: &[LIST],
        quirk: None,
        begin: || Box::new(AnswersBeforeInitialize),
    },
    NamedFault {
        name: "answers-notifications",
        about: "answers unknown notifications with an error",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION],
        quirk: None,
        begin: || Box::new(AnswersNotifications),
    },
    over_http(
        "answers-on-all-streams",
        "sends each answer on the GET streams too, save those to initialize and ping",
        A_LIE,
        Quirk::AnswersOnAllStreams,
        &[OPEN, LIST],
    ),
    over_http(
        "answers-on-get-stream",
        "sends the answer to a tool call on the GET stream, where one is open, and not on the stream of its POST",
        A_LIE,
        Quirk::AnswersOnGetStream,
        &[OPEN, ECHO],
    ),
    NamedFault {
        name: "answers-twice",
        about: "sends each answer twice, save those to initialize and ping",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, LIST],
        quirk: None,
        begin: || Box::new(AnswersTwice),
    },
    NamedFault {
        name: "answers-twice-late",
        about: "sends each answer again after the next one, save those to initialize and ping",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, LIST, PING],
        quirk: None,
        begin: || Box::new(AnswersTwiceLate::default()),
    },
    NamedFault {
        name: "banner-on-stdout",
        about: "greets on stdout before the first message",
        is_lawful: false,
        over: Over::Stdio,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Habit::begin(|habits| habits.banner = "Reference server running on stdio\n"),
    },
    over_http(
        "batches-in-one-event",
        "wraps the answers on streams in arrays, which only 2025-03-26 allows",
        A_LIE,
        Quirk::BatchesInOneEvent,
        &[OPEN, ECHO],
    ),
    NamedFault {
        name: "blank-lines",
        about: "writes an empty line after each message",
        is_lawful: true,
        over: Over::Stdio,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Habit::begin(|habits| habits.terminator = "\n\n"),
    },
    over_http(
        "broadcasts-on-all-streams",
        "sends what relates to no request on every open stream",
        A_LIE,
        Quirk::BroadcastsOnAllStreams,
        &[OPEN, Provocation::Listen, SUBSCRIBE, TOUCH],
    ),
    over_http(
        "closes-stream-before-answer",
        "ends the stream of a tool call before the answer, which is lost",
        A_LIE,
        Quirk::ClosesStreamBeforeAnswer,
        &[OPEN, SLOW, Provocation::WaitMs(600)],
    ),
    over_http(
        "comments-and-retry",
        "writes event streams with a byte-order mark, comments, retry fields, CRLF, data in several lines, and events cut into packets",
        LAWFUL,
        Quirk::CommentsAndRetry,
        &[OPEN, ECHO],
    ),
    over_http(
        "crashes-on-delete",
        "dies when a session is deleted",
        A_LIE,
        Quirk::CrashesOnDelete,
        &[OPEN, DELETE, PING],
    ),
    NamedFault {
        name: "crlf",
        about: "ends lines with CRLF",
        is_lawful: true,
        over: Over::Stdio,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Habit::begin(|habits| habits.terminator = "\r\n"),
    },
    NamedFault {
        name: "declares-unimplemented",
        about: "declares logging and refuses logging/setLevel with -32601",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, SET_LEVEL],
        quirk: None,
        begin: || Refuses::method("logging/setLevel"),
    },
    over_http(
        "delete-204",
        "answers DELETE with 204",
        LAWFUL,
        Quirk::Delete204,
        &[OPEN, DELETE],
    ),
    over_http(
        "delete-405",
        "lets no client end its session",
        LAWFUL,
        Quirk::Delete405,
        &[OPEN, DELETE],
    ),
    over_http(
        "deleted-session-400",
        "answers requests in a deleted session with 400",
        A_LIE,
        Quirk::DeletedSession400,
        &[OPEN, DELETE, PING],
    ),
    NamedFault {
        name: "dies-on-deep-nesting",
        about: "ends the process at a message nested deeper than 64 levels",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(
                r#"{"jsonrpc":"2.0","id":8,"method":"ping","params":{"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}"#,
            ),
        ],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::DeepNesting)),
    },
    over_http(
        "dies-on-malformed-http",
        "dies at bytes that are no HTTP",
        A_LIE,
        Quirk::DiesOnMalformedHttp,
        &[OPEN, Provocation::Raw("\u{1}\u{2}\r\n\r\n"), PING],
    ),
    NamedFault {
        name: "drops-entry-across-pages",
        about: "leaves out the first entry of each page but the first",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        quirk: None,
        begin: || Box::new(DropsEntry::default()),
    },
    NamedFault {
        name: "drops-falsy-ids",
        about: "takes requests with id 0 or \"\" for notifications",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":"","method":"ping"}"#),
        ],
        quirk: None,
        begin: || {
            Box::new(DropsFalsyIds {
                is_only_zero: false,
            })
        },
    },
    NamedFault {
        name: "drops-id-zero",
        about: "takes requests with id 0 for notifications",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#),
        ],
        quirk: None,
        begin: || Box::new(DropsFalsyIds { is_only_zero: true }),
    },
    NamedFault {
        name: "echoes-any-version",
        about: "agrees to any protocolVersion it is asked for",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[Provocation::Send(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
        )],
        quirk: None,
        begin: || Box::new(EchoesAnyVersion::default()),
    },
    NamedFault {
        name: "empty-pages-forever",
        about: "follows the last page with empty pages that all have a next",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        quirk: None,
        begin: || Box::new(EmptyPages::default()),
    },
    NamedFault {
        name: "exits-before-answering-initialize",
        about: "ends the process when initialize comes",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::Initialize)),
    },
    NamedFault {
        name: "exits-nonzero-at-end-of-input",
        about: "ends with code 1 at the end of its input",
        is_lawful: false,
        over: Over::Stdio,
        provoked_by: &[OPEN, Provocation::Close],
        quirk: None,
        begin: || Habit::begin(|habits| habits.at_end = AtEnd::Exit(1)),
    },
    NamedFault {
        name: "exits-on-call",
        about: "ends the process when a tool is called",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, ECHO],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::Call)),
    },
    NamedFault {
        name: "exits-on-malformed",
        about: "ends the process at a line that is no JSON-RPC message",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, MALFORMED],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::Malformed)),
    },
    NamedFault {
        name: "exits-on-unknown-method",
        about: "ends the process at a request for an unknown method",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, UNKNOWN_METHOD],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::UnknownMethod)),
    },
    NamedFault {
        name: "exits-on-unknown-notification",
        about: "ends the process at an unknown notification",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION],
        quirk: None,
        begin: || Box::new(then_exit(Provoked::UnknownNotification)),
    },
    over_http(
        "forgets-session",
        "answers requests in a session with 404 once notifications/initialized came",
        A_LIE,
        Quirk::ForgetsSession,
        &[OPEN, PING],
    ),
    over_http(
        "get-200-json",
        "answers GET with 200 and a JSON text",
        A_LIE,
        Quirk::Get200Json,
        &[OPEN],
    ),
    over_http(
        "get-404",
        "answers GET with 404",
        A_LIE,
        Quirk::Get404,
        &[OPEN],
    ),
    over_http(
        "get-hangs",
        "never answers GET, not even with a head",
        A_LIE,
        Quirk::GetHangs,
        &[OPEN],
    ),
    over_http(
        "greets-on-get-stream",
        "begins every GET stream with a log message, over HTTP+SSE before the endpoint",
        A_LIE,
        Quirk::GreetsOnGetStream,
        &[OPEN],
    ),
    NamedFault {
        name: "hangs-on-call",
        about: "never speaks again once a tool is called",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, ECHO, PING],
        quirk: None,
        begin: || Box::new(then_hang(Provoked::Call)),
    },
    over_http(
        "hangs-on-delete",
        "never speaks again once a session is deleted",
        A_LIE,
        Quirk::HangsOnDelete,
        &[OPEN, DELETE, PING],
    ),
    NamedFault {
        name: "hangs-on-malformed",
        about: "never speaks again after a line that is no JSON-RPC message",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, MALFORMED, PING],
        quirk: None,
        begin: || Box::new(then_hang(Provoked::Malformed)),
    },
    NamedFault {
        name: "hangs-on-unknown-method",
        about: "never speaks again after a request for an unknown method",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, UNKNOWN_METHOD, PING],
        quirk: None,
        begin: || Box::new(then_hang(Provoked::UnknownMethod)),
    },
    NamedFault {
        name: "hangs-on-unknown-notification",
        about: "never speaks again after an unknown notification",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION, PING],
        quirk: None,
        begin: || Box::new(then_hang(Provoked::UnknownNotification)),
    },
    over_http(
        "html-error-for-malformed",
        "answers what is no JSON-RPC message with a page of HTML",
        A_LIE,
        Quirk::HtmlErrorForMalformed,
        &[OPEN, MALFORMED],
    ),
    NamedFault {
        name: "ids-as-numbers",
        about: "answers a string id of digits with a number",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":"8","method":"ping"}"#),
        ],
        quirk: None,
        begin: || Box::new(Rewrites(number)),
    },
    NamedFault {
        name: "ids-as-strings",
        about: "answers a number id with a string",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, PING],
        quirk: None,
        begin: || Box::new(Rewrites(string)),
    },
    NamedFault {
        name: "ids-through-f64",
        about: "reads ids as 64-bit floats, and so loses digits of large ones",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#),
        ],
        quirk: None,
        begin: || Box::new(Rewrites(through_f64)),
    },
    NamedFault {
        name: "ids-truncated-to-32-bits",
        about: "keeps the lowest 32 bits of number ids",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":4294967303,"method":"ping"}"#),
        ],
        quirk: None,
        begin: || Box::new(Rewrites(truncated)),
    },
    NamedFault {
        name: "ignores-cancel",
        about: "runs a cancelled call to its end and answers",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, SLOW, CANCEL, Provocation::WaitMs(600)],
        quirk: None,
        begin: || Box::new(IgnoresCancel),
    },
    NamedFault {
        name: "ignores-end-of-input",
        about: "runs on after its input has ended",
        is_lawful: false,
        over: Over::Stdio,
        provoked_by: &[OPEN, Provocation::Close],
        quirk: None,
        begin: || Habit::begin(|habits| habits.at_end = AtEnd::Stay),
    },
    over_http(
        "ignores-last-event-id",
        "takes a GET that would resume a stream for one that opens a stream",
        LAWFUL,
        Quirk::IgnoresLastEventId,
        &[OPEN, SLOW, Provocation::WaitMs(600), Provocation::Resume],
    ),
    NamedFault {
        name: "ignores-log-level",
        about: "accepts logging/setLevel and logs at info as before",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            SET_LEVEL,
            Provocation::Send(
                r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#,
            ),
            Provocation::WaitMs(200),
        ],
        quirk: None,
        begin: || Refuses::nothing_of("logging/setLevel"),
    },
    NamedFault {
        name: "ignores-subscribe",
        about: "accepts subscriptions and forgets them",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, SUBSCRIBE, TOUCH],
        quirk: None,
        begin: || Refuses::nothing_of("resources/subscribe"),
    },
    NamedFault {
        name: "ignores-unsubscribe",
        about: "tells of changes after the subscription has ended",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, SUBSCRIBE, UNSUBSCRIBE, TOUCH],
        quirk: None,
        begin: || Refuses::nothing_of("resources/unsubscribe"),
    },
    over_http(
        "ignores-version-header",
        "serves requests whatever their MCP-Protocol-Version says",
        A_LIE,
        Quirk::IgnoresVersionHeader,
        &[
            OPEN,
            http(
                POST,
                &[("mcp-protocol-version", Some("1999-01-01"))],
                PING_TEXT,
            ),
        ],
    ),
    NamedFault {
        name: "implements-undeclared",
        about: "serves logging without declaring it",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Box::new(ImplementsUndeclared),
    },
    over_http(
        "json-only",
        "answers every POST by JSON, and says what relates to one on the GET stream",
        LAWFUL,
        Quirk::JsonOnly,
        &[OPEN, ECHO],
    ),
    over_http(
        "keeps-deleted-session",
        "answers DELETE with 200 and serves the session on",
        A_LIE,
        Quirk::KeepsDeletedSession,
        &[OPEN, DELETE, PING],
    ),
    over_http(
        "keeps-stream-open-after-answer",
        "leaves the stream of a POST open after the answer",
        A_LIE,
        Quirk::KeepsStreamOpenAfterAnswer,
        &[OPEN, ECHO],
    ),
    NamedFault {
        name: "logs-on-stdout-when-called",
        about: "prints a line to stdout for each tool call",
        is_lawful: false,
        over: Over::Stdio,
        provoked_by: &[OPEN, ECHO],
        quirk: None,
        begin: || Box::new(LogsOnStdout),
    },
    NamedFault {
        name: "loops-cursor",
        about: "leads from the last page back to the second",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        quirk: None,
        begin: || Box::new(LoopsCursor::default()),
    },
    NamedFault {
        name: "loses-answers-at-end-of-input",
        about: "ends at the end of its input without the answers under way",
        is_lawful: false,
        over: Over::Stdio,
        provoked_by: &[OPEN, SLOW, Provocation::Close],
        quirk: None,
        begin: || {
            Habit::begin(|habits| {
                habits.at_end = AtEnd::Drop;
                habits.answer_delay = Duration::from_millis(20);
            })
        },
    },
    over_http(
        "malformed-200",
        "answers what is no JSON-RPC message with 200 and the error",
        LAWFUL,
        Quirk::Malformed200,
        &[OPEN, MALFORMED],
    ),
    over_http(
        "malformed-500",
        "answers what is no JSON-RPC message with 500",
        A_LIE,
        Quirk::Malformed500,
        &[OPEN, MALFORMED],
    ),
    over_http(
        "malformed-closes-socket",
        "closes the socket at what is no JSON-RPC message",
        A_LIE,
        Quirk::MalformedClosesSocket,
        &[OPEN, MALFORMED],
    ),
    over_http(
        "missing-session-404",
        "answers requests without a session id with 404",
        A_LIE,
        Quirk::MissingSession404,
        &[OPEN, http(POST, NO_SESSION, PING_TEXT)],
    ),
    NamedFault {
        name: "never-answers-ping",
        about: "ignores ping",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, PING],
        quirk: None,
        begin: || Refuses::silently("ping"),
    },
    over_http(
        "no-event-ids",
        "writes events without ids",
        LAWFUL,
        Quirk::NoEventIds,
        &[OPEN, ECHO],
    ),
    over_http(
        "no-get-stream",
        "answers GET with 405",
        LAWFUL,
        Quirk::NoGetStream,
        &[OPEN],
    ),
    over_http(
        "no-session",
        "gives no session id",
        LAWFUL,
        Quirk::NoSession,
        &[OPEN],
    ),
    over_http(
        "notification-200",
        "answers notifications and responses with 200 without a body",
        A_LIE,
        Quirk::Notification200,
        &[OPEN],
    ),
    over_http(
        "notification-200-with-body",
        "answers notifications and responses with 200 and an empty JSON object",
        A_LIE,
        Quirk::Notification200WithBody,
        &[OPEN],
    ),
    over_http(
        "notification-204",
        "answers notifications and responses with 204",
        A_LIE,
        Quirk::Notification204,
        &[OPEN],
    ),
    NamedFault {
        name: "null-id-accepted",
        about: "serves a request with id null and answers with id null",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#),
        ],
        quirk: None,
        begin: || Box::new(NullIdAccepted),
    },
    over_http(
        "one-request-at-a-time",
        "serves one POST of requests after the other, whatever their sessions",
        LAWFUL,
        Quirk::OneRequestAtATime,
        &[OPEN, SLOW, PING],
    ),
    over_http(
        "origin-400",
        "refuses a foreign Origin with 400",
        A_LIE,
        Quirk::Origin400,
        &[OPEN, http(POST, FOREIGN_ORIGIN, PING_TEXT)],
    ),
    NamedFault {
        name: "pings-before-initialized",
        about: "pings the client before notifications/initialized",
        is_lawful: true,
        over: Over::Any,
        provoked_by: &[OPEN],
        quirk: None,
        begin: AsksEarly::for_life,
    },
    over_http(
        "polling",
        "in 2025-11-25 closes the connection of a stream behind its first event, and serves the rest on resumption",
        LAWFUL,
        Quirk::Polling,
        &[OPEN, SLOW, Provocation::WaitMs(600), Provocation::Resume],
    ),
    over_http(
        "predictable-session-ids",
        "counts its sessions and gives the number as id",
        A_LIE,
        Quirk::PredictableSessionIds,
        &[OPEN],
    ),
    over_http(
        "primes-early",
        "begins streams with an id and empty data before 2025-11-25 too",
        A_LIE,
        Quirk::PrimesEarly,
        &[Provocation::OpenIn("2025-06-18"), ECHO],
    ),
    over_http(
        "refuses-accept-order",
        "refuses an Accept that is not word for word `application/json, text/event-stream`",
        A_LIE,
        Quirk::RefusesAcceptOrder,
        &[
            OPEN,
            http(
                POST,
                &[("accept", Some("text/event-stream, application/json"))],
                PING_TEXT,
            ),
        ],
    ),
    over_http(
        "refuses-accept-wildcard",
        "refuses an Accept of `*/*`",
        A_LIE,
        Quirk::RefusesAcceptWildcard,
        &[OPEN, http(POST, &[("accept", Some("*/*"))], PING_TEXT)],
    ),
    NamedFault {
        name: "refuses-batches",
        about: "answers a batch with one error",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[Provocation::OpenIn("2025-03-26"), BATCH],
        quirk: None,
        begin: || Box::new(RefusesBatches),
    },
    over_http(
        "refuses-content-type-parameters",
        "refuses a Content-Type with parameters",
        A_LIE,
        Quirk::RefusesContentTypeParameters,
        &[
            OPEN,
            http(
                POST,
                &[("content-type", Some("application/json; charset=utf-8"))],
                PING_TEXT,
            ),
        ],
    ),
    over_http(
        "refuses-missing-origin",
        "refuses requests without an Origin",
        A_LIE,
        Quirk::RefusesMissingOrigin,
        &[OPEN],
    ),
    NamedFault {
        name: "refuses-own-cursor",
        about: "refuses the cursors it gave",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        quirk: None,
        begin: || Box::new(RefusesOwnCursor::default()),
    },
    over_http(
        "refuses-version-header",
        "answers 400 to the MCP-Protocol-Version that was negotiated",
        A_LIE,
        Quirk::RefusesVersionHeader,
        &[OPEN, PING],
    ),
    NamedFault {
        name: "rejects-ping-before-initialize",
        about: "answers a ping before initialize with an error",
        is_lawful: true,
        over: Over::Stdio,
        provoked_by: &[PING],
        quirk: None,
        begin: || Refuses::early("ping"),
    },
    NamedFault {
        name: "repeats-entry-across-pages",
        about: "begins each page but the first with the last entry of the one before",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        quirk: None,
        begin: || Box::new(RepeatsEntry::default()),
    },
    over_http(
        "repeats-event-ids",
        "gives the events of every stream the ids of the first",
        A_LIE,
        Quirk::RepeatsEventIds,
        &[OPEN, ECHO],
    ),
    over_http(
        "replays-everything",
        "replays a resumed stream from its beginning",
        A_LIE,
        Quirk::ReplaysEverything,
        &[OPEN, SLOW, Provocation::WaitMs(600), Provocation::Resume],
    ),
    over_http(
        "replays-other-streams",
        "replays the messages of other streams on a resumed one",
        A_LIE,
        Quirk::ReplaysOtherStreams,
        &[
            OPEN,
            LOGGING,
            Provocation::WaitMs(600),
            SLOW,
            Provocation::WaitMs(600),
            Provocation::Resume,
        ],
    ),
    NamedFault {
        name: "requests-before-initialized",
        about: "asks for the roots before notifications/initialized",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[Provocation::Open(r#"{"roots":{}}"#)],
        quirk: None,
        begin: AsksEarly::for_roots,
    },
    over_http(
        "requires-version-header",
        "answers 400 without an MCP-Protocol-Version",
        A_LIE,
        Quirk::RequiresVersionHeader,
        &[
            OPEN,
            http(POST, &[("mcp-protocol-version", None)], PING_TEXT),
        ],
    ),
    over_http(
        "response-200",
        "answers responses with 200 without a body",
        A_LIE,
        Quirk::Response200,
        &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":"unasked","result":{}}"#),
        ],
    ),
    over_http(
        "reuses-session-id",
        "gives every client the same session id",
        A_LIE,
        Quirk::ReusesSessionId,
        &[OPEN, Provocation::AnotherClient],
    ),
    NamedFault {
        name: "serial",
        about: "serves one request after the other",
        is_lawful: true,
        over: Over::Any,
        provoked_by: &[OPEN, SLOW, PING],
        quirk: None,
        begin: || Habit::begin(|habits| habits.is_serial = true),
    },
    over_http(
        "session-id-with-space",
        "gives a session id with a space in it",
        A_LIE,
        Quirk::SessionIdWithSpace,
        &[OPEN],
    ),
    over_http(
        "shares-sessions",
        "gives an answer to the other client that asked with the same JSON-RPC id",
        A_LIE,
        Quirk::SharesSessions,
        &[
            OPEN,
            SLOW,
            Provocation::AnotherClient,
            ECHO_AS_SLOW,
            Provocation::WaitMs(600),
        ],
    ),
    over_http(
        "slow-head",
        "sends the head of each response three seconds late",
        LAWFUL,
        Quirk::SlowHead,
        &[OPEN],
    ),
    NamedFault {
        name: "slow-start",
        about: "reads nothing in its first three seconds",
        is_lawful: true,
        over: Over::Any,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Habit::begin(|habits| habits.start_delay = Duration::from_secs(3)),
    },
    over_http(
        "sse-only",
        "answers every POST of a request by an event stream",
        LAWFUL,
        Quirk::SseOnly,
        &[OPEN],
    ),
    NamedFault {
        name: "swaps-ids-of-concurrent-answers",
        about: "gives the answers to two requests that run at once each other's ids",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, SLOW, PING, Provocation::WaitMs(600)],
        quirk: None,
        begin: || Box::new(SwapsIds::default()),
    },
    NamedFault {
        name: "undeclared-sampling",
        about: "asks a client to sample that did not declare sampling",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN],
        quirk: None,
        begin: || Box::new(UndeclaredSampling),
    },
    over_http(
        "unknown-session-400",
        "answers requests with a session id it never gave with 400",
        LAWFUL,
        Quirk::UnknownSession400,
        &[OPEN, http(POST, UNKNOWN_SESSION, PING_TEXT)],
    ),
    NamedFault {
        name: "updates-unasked",
        about: "tells of a changed resource without a subscription",
        is_lawful: false,
        over: Over::Any,
        provoked_by: &[OPEN, TOUCH],
        quirk: None,
        begin: || Box::new(UpdatesUnasked),
    },
];
