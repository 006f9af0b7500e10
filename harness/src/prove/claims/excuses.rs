//! What is right as it is, each with its reason: oddities that trouble a check or that nothing meets, rules that no run shows.

/// Checks that a lawful oddity, `NAME+BINDING`, makes fire or keeps from a verdict: `ID`, and why that is right.
pub(in crate::prove) const ODDITIES: &[(&str, &[(&str, &str)])] = &[
    (
        "answers-as-cancel-arrives+memory",
        &[
            ("cancellation/answered-at-once/silent", CROSSED),
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
        "offers-tools-alone+http",
        &[("observer/tools/embedded-declared", EMBEDS)],
    ),
    (
        "offers-tools-alone+http-sse",
        &[("observer/tools/embedded-declared", EMBEDS)],
    ),
    (
        "offers-tools-alone+memory",
        &[("observer/tools/embedded-declared", EMBEDS)],
    ),
    (
        "slow-head+http",
        &[
            ("http/get/alive", TOO_LATE),
            ("http/get/second-stream", TOO_LATE),
            ("jsonrpc/batch-initialize/alive", TOO_LATE),
            ("lifecycle/before-initialized/alive", TOO_LATE),
            ("lifecycle/before-initialized/no-requests", TOO_LATE),
            ("lifecycle/broken-initialize/alive", TOO_LATE),
            ("lifecycle/early-notification/alive", TOO_LATE),
            ("lifecycle/early-request/alive", TOO_LATE),
            ("lifecycle/no-initialized/alive", TOO_LATE),
        ],
    ),
];

const CROSSED: &str = "an answer that crosses the cancel tells nothing of whether it was heeded";
const EMBEDS: &str =
    "its tools embed resources all the same, which a server that declares none should not";

const TOO_LATE: &str =
    "silence ends before heads that are three seconds late, so it proves nothing";

const A_MILLION: &str = "a test of its own walks it: with every card it would take minutes";

/// Lawful oddities, `NAME+BINDING`, that no card provokes, with the reason.
pub(in crate::prove) const UNSEEN: &[(&str, &str)] = &[
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

/// Rules that no run shows, with the reason; they are proven on recordings, in the crate that has them.
pub(in crate::prove) const RECORDED: &[(&str, &str)] = &[
    (
        "observer/cancellation/in-flight",
        "the lie must remember what it asked",
    ),
    ("observer/elicitation/complete", NO_URL),
    ("observer/elicitation/https", NO_URL),
    ("observer/elicitation/required", NO_URL),
    (
        "observer/lifecycle/first",
        "the harness speaks as soon as it is connected",
    ),
    ("observer/lists/change-told", NO_WALKS),
    (
        "observer/logging/credentials",
        "the harness shows the reference server no credentials",
    ),
    ("observer/message/sampling", NO_TOOLS),
    ("observer/message/task", NO_TASKS),
    (
        "observer/progress/token-unique",
        "the harness answers each request of a server before it reads the next",
    ),
    ("observer/sampling/results-alone", NO_TOOLS),
    ("observer/sampling/results-balanced", NO_TOOLS),
    ("observer/sampling/results-known", NO_TOOLS),
    ("observer/sampling/results-structured", NO_TOOLS),
    ("observer/tasks/failure-told", NO_TASKS),
    ("observer/tasks/progress-ends", NO_TASKS),
    ("observer/tasks/related", NO_TASKS),
    ("observer/tasks/terminal", NO_TASKS),
    ("observer/tasks/unrelated", NO_TASKS),
];

const NO_TASKS: &str = "no card has a server make a task";
const NO_TOOLS: &str = "no card has a model use tools";
const NO_URL: &str = "no card is asked for a visit to a URL";
const NO_WALKS: &str = "no card walks through a list twice, of a server that changes it";
