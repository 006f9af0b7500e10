//! The list of named faults: what `serve --list-faults` prints and cards may say. Long because it is a list.

use super::lie::{AtEnd, Lie};
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
use std::time::Duration;

/// A fault that has a name.
pub struct NamedFault {
    /// The name, as cards and `--fault` have it.
    pub name: &'static str,
    /// What such a server does, as a fragment.
    pub about: &'static str,
    /// Whether the specification allows it: a near miss, not a lie.
    pub is_lawful: bool,
    /// What a client does to see it.
    pub provoked_by: &'static [Provocation],
    pub(crate) begin: fn() -> Box<dyn Lie>,
}

/// One thing a client does to see a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provocation {
    /// The whole handshake for the latest revision, with these client capabilities.
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

const OPEN: Provocation = Provocation::Open("{}");
const PING: Provocation = Provocation::Send(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#);
const ECHO: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo","arguments":{"message":"m"}}}"#,
);
const SLOW: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}"#,
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
    NamedFault {
        name: "answers-as-cancel-arrives",
        about: "answers a running call the moment it is cancelled: the lawful race",
        is_lawful: true,
        provoked_by: &[OPEN, SLOW, CANCEL],
        begin: || Box::new(AnswersAsCancelArrives),
    },
    NamedFault {
        name: "answers-batch-separately",
        about: "answers the requests of a batch one by one",
        is_lawful: true,
        provoked_by: &[Provocation::OpenIn("2025-03-26"), BATCH],
        begin: || Habit::begin(|habits| habits.splits_batches = true),
    },
    NamedFault {
        name: "answers-before-initialize",
        about: "serves requests before initialize",
        is_lawful: true,
        provoked_by: &[LIST],
        begin: || Box::new(AnswersBeforeInitialize),
    },
    NamedFault {
        name: "answers-notifications",
        about: "answers unknown notifications with an error",
        is_lawful: false,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION],
        begin: || Box::new(AnswersNotifications),
    },
    NamedFault {
        name: "answers-twice",
        about: "sends each answer twice, save those to initialize and ping",
        is_lawful: false,
        provoked_by: &[OPEN, LIST],
        begin: || Box::new(AnswersTwice),
    },
    NamedFault {
        name: "answers-twice-late",
        about: "sends each answer again after the next one, save those to initialize and ping",
        is_lawful: false,
        provoked_by: &[OPEN, LIST, PING],
        begin: || Box::new(AnswersTwiceLate::default()),
    },
    NamedFault {
        name: "banner-on-stdout",
        about: "greets on stdout before the first message",
        is_lawful: false,
        provoked_by: &[OPEN],
        begin: || Habit::begin(|habits| habits.banner = "Reference server running on stdio\n"),
    },
    NamedFault {
        name: "blank-lines",
        about: "writes an empty line after each message",
        is_lawful: true,
        provoked_by: &[OPEN],
        begin: || Habit::begin(|habits| habits.terminator = "\n\n"),
    },
    NamedFault {
        name: "crlf",
        about: "ends lines with CRLF",
        is_lawful: true,
        provoked_by: &[OPEN],
        begin: || Habit::begin(|habits| habits.terminator = "\r\n"),
    },
    NamedFault {
        name: "declares-unimplemented",
        about: "declares logging and refuses logging/setLevel with -32601",
        is_lawful: false,
        provoked_by: &[OPEN, SET_LEVEL],
        begin: || Refuses::method("logging/setLevel"),
    },
    NamedFault {
        name: "dies-on-deep-nesting",
        about: "ends the process at a message nested deeper than 64 levels",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(
                r#"{"jsonrpc":"2.0","id":8,"method":"ping","params":{"x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}"#,
            ),
        ],
        begin: || Box::new(then_exit(Provoked::DeepNesting)),
    },
    NamedFault {
        name: "drops-entry-across-pages",
        about: "leaves out the first entry of each page but the first",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        begin: || Box::new(DropsEntry::default()),
    },
    NamedFault {
        name: "drops-falsy-ids",
        about: "takes requests with id 0 or \"\" for notifications",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":"","method":"ping"}"#),
        ],
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
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#),
        ],
        begin: || Box::new(DropsFalsyIds { is_only_zero: true }),
    },
    NamedFault {
        name: "echoes-any-version",
        about: "agrees to any protocolVersion it is asked for",
        is_lawful: false,
        provoked_by: &[Provocation::Send(
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
        )],
        begin: || Box::new(EchoesAnyVersion::default()),
    },
    NamedFault {
        name: "empty-pages-forever",
        about: "follows the last page with empty pages that all have a next",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        begin: || Box::new(EmptyPages::default()),
    },
    NamedFault {
        name: "exits-before-answering-initialize",
        about: "ends the process when initialize comes",
        is_lawful: false,
        provoked_by: &[OPEN],
        begin: || Box::new(then_exit(Provoked::Initialize)),
    },
    NamedFault {
        name: "exits-nonzero-at-end-of-input",
        about: "ends with code 1 at the end of its input",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Close],
        begin: || Habit::begin(|habits| habits.at_end = AtEnd::Exit(1)),
    },
    NamedFault {
        name: "exits-on-call",
        about: "ends the process when a tool is called",
        is_lawful: false,
        provoked_by: &[OPEN, ECHO],
        begin: || Box::new(then_exit(Provoked::Call)),
    },
    NamedFault {
        name: "exits-on-malformed",
        about: "ends the process at a line that is no JSON-RPC message",
        is_lawful: false,
        provoked_by: &[OPEN, MALFORMED],
        begin: || Box::new(then_exit(Provoked::Malformed)),
    },
    NamedFault {
        name: "exits-on-unknown-method",
        about: "ends the process at a request for an unknown method",
        is_lawful: false,
        provoked_by: &[OPEN, UNKNOWN_METHOD],
        begin: || Box::new(then_exit(Provoked::UnknownMethod)),
    },
    NamedFault {
        name: "exits-on-unknown-notification",
        about: "ends the process at an unknown notification",
        is_lawful: false,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION],
        begin: || Box::new(then_exit(Provoked::UnknownNotification)),
    },
    NamedFault {
        name: "hangs-on-call",
        about: "never speaks again once a tool is called",
        is_lawful: false,
        provoked_by: &[OPEN, ECHO, PING],
        begin: || Box::new(then_hang(Provoked::Call)),
    },
    NamedFault {
        name: "hangs-on-malformed",
        about: "never speaks again after a line that is no JSON-RPC message",
        is_lawful: false,
        provoked_by: &[OPEN, MALFORMED, PING],
        begin: || Box::new(then_hang(Provoked::Malformed)),
    },
    NamedFault {
        name: "hangs-on-unknown-method",
        about: "never speaks again after a request for an unknown method",
        is_lawful: false,
        provoked_by: &[OPEN, UNKNOWN_METHOD, PING],
        begin: || Box::new(then_hang(Provoked::UnknownMethod)),
    },
    NamedFault {
        name: "hangs-on-unknown-notification",
        about: "never speaks again after an unknown notification",
        is_lawful: false,
        provoked_by: &[OPEN, UNKNOWN_NOTIFICATION, PING],
        begin: || Box::new(then_hang(Provoked::UnknownNotification)),
    },
    NamedFault {
        name: "ids-as-numbers",
        about: "answers a string id of digits with a number",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":"8","method":"ping"}"#),
        ],
        begin: || Box::new(Rewrites(number)),
    },
    NamedFault {
        name: "ids-as-strings",
        about: "answers a number id with a string",
        is_lawful: false,
        provoked_by: &[OPEN, PING],
        begin: || Box::new(Rewrites(string)),
    },
    NamedFault {
        name: "ids-through-f64",
        about: "reads ids as 64-bit floats, and so loses digits of large ones",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}"#),
        ],
        begin: || Box::new(Rewrites(through_f64)),
    },
    NamedFault {
        name: "ids-truncated-to-32-bits",
        about: "keeps the lowest 32 bits of number ids",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":4294967303,"method":"ping"}"#),
        ],
        begin: || Box::new(Rewrites(truncated)),
    },
    NamedFault {
        name: "ignores-cancel",
        about: "runs a cancelled call to its end and answers",
        is_lawful: false,
        provoked_by: &[OPEN, SLOW, CANCEL, Provocation::WaitMs(600)],
        begin: || Box::new(IgnoresCancel),
    },
    NamedFault {
        name: "ignores-end-of-input",
        about: "runs on after its input has ended",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Close],
        begin: || Habit::begin(|habits| habits.at_end = AtEnd::Stay),
    },
    NamedFault {
        name: "ignores-log-level",
        about: "accepts logging/setLevel and logs at info as before",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            SET_LEVEL,
            Provocation::Send(
                r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#,
            ),
            Provocation::WaitMs(200),
        ],
        begin: || Refuses::nothing_of("logging/setLevel"),
    },
    NamedFault {
        name: "ignores-subscribe",
        about: "accepts subscriptions and forgets them",
        is_lawful: false,
        provoked_by: &[OPEN, SUBSCRIBE, TOUCH],
        begin: || Refuses::nothing_of("resources/subscribe"),
    },
    NamedFault {
        name: "ignores-unsubscribe",
        about: "tells of changes after the subscription has ended",
        is_lawful: false,
        provoked_by: &[OPEN, SUBSCRIBE, UNSUBSCRIBE, TOUCH],
        begin: || Refuses::nothing_of("resources/unsubscribe"),
    },
    NamedFault {
        name: "implements-undeclared",
        about: "serves logging without declaring it",
        is_lawful: false,
        provoked_by: &[OPEN],
        begin: || Box::new(ImplementsUndeclared),
    },
    NamedFault {
        name: "logs-on-stdout-when-called",
        about: "prints a line to stdout for each tool call",
        is_lawful: false,
        provoked_by: &[OPEN, ECHO],
        begin: || Box::new(LogsOnStdout),
    },
    NamedFault {
        name: "loops-cursor",
        about: "leads from the last page back to the second",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        begin: || Box::new(LoopsCursor::default()),
    },
    NamedFault {
        name: "loses-answers-at-end-of-input",
        about: "ends at the end of its input without the answers under way",
        is_lawful: false,
        provoked_by: &[OPEN, SLOW, Provocation::Close],
        begin: || {
            Habit::begin(|habits| {
                habits.at_end = AtEnd::Drop;
                habits.answer_delay = Duration::from_millis(20);
            })
        },
    },
    NamedFault {
        name: "never-answers-ping",
        about: "ignores ping",
        is_lawful: false,
        provoked_by: &[OPEN, PING],
        begin: || Refuses::silently("ping"),
    },
    NamedFault {
        name: "null-id-accepted",
        about: "serves a request with id null and answers with id null",
        is_lawful: false,
        provoked_by: &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#),
        ],
        begin: || Box::new(NullIdAccepted),
    },
    NamedFault {
        name: "pings-before-initialized",
        about: "pings the client before notifications/initialized",
        is_lawful: true,
        provoked_by: &[OPEN],
        begin: AsksEarly::for_life,
    },
    NamedFault {
        name: "refuses-batches",
        about: "answers a batch with one error",
        is_lawful: false,
        provoked_by: &[Provocation::OpenIn("2025-03-26"), BATCH],
        begin: || Box::new(RefusesBatches),
    },
    NamedFault {
        name: "refuses-own-cursor",
        about: "refuses the cursors it gave",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        begin: || Box::new(RefusesOwnCursor::default()),
    },
    NamedFault {
        name: "rejects-ping-before-initialize",
        about: "answers a ping before initialize with an error",
        is_lawful: true,
        provoked_by: &[PING],
        begin: || Refuses::early("ping"),
    },
    NamedFault {
        name: "repeats-entry-across-pages",
        about: "begins each page but the first with the last entry of the one before",
        is_lawful: false,
        provoked_by: &[OPEN, Provocation::Walk(10)],
        begin: || Box::new(RepeatsEntry::default()),
    },
    NamedFault {
        name: "requests-before-initialized",
        about: "asks for the roots before notifications/initialized",
        is_lawful: false,
        provoked_by: &[Provocation::Open(r#"{"roots":{}}"#)],
        begin: AsksEarly::for_roots,
    },
    NamedFault {
        name: "serial",
        about: "serves one request after the other",
        is_lawful: true,
        provoked_by: &[OPEN, SLOW, PING],
        begin: || Habit::begin(|habits| habits.is_serial = true),
    },
    NamedFault {
        name: "slow-start",
        about: "reads nothing in its first three seconds",
        is_lawful: true,
        provoked_by: &[OPEN],
        begin: || Habit::begin(|habits| habits.start_delay = Duration::from_secs(3)),
    },
    NamedFault {
        name: "swaps-ids-of-concurrent-answers",
        about: "gives the answers to two requests that run at once each other's ids",
        is_lawful: false,
        provoked_by: &[OPEN, SLOW, PING, Provocation::WaitMs(600)],
        begin: || Box::new(SwapsIds::default()),
    },
    NamedFault {
        name: "undeclared-sampling",
        about: "asks a client to sample that did not declare sampling",
        is_lawful: false,
        provoked_by: &[OPEN],
        begin: || Box::new(UndeclaredSampling),
    },
    NamedFault {
        name: "updates-unasked",
        about: "tells of a changed resource without a subscription",
        is_lawful: false,
        provoked_by: &[OPEN, TOUCH],
        begin: || Box::new(UpdatesUnasked),
    },
];
