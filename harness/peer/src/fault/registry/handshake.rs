//! Faults of the handshake, of what is declared in it, and of broken requests. Long because it is a list.

use super::modern_provocations::{LATER_LIST, LIST as MODERN_LIST};
use super::provocations::{ECHO, LIST, OPEN};
use super::{A_LIE, LAWFUL, NamedFault, Over, Provocation, named};
use crate::fault::lie::Lie;
use crate::fault::lies::exchange::ImplementsUndeclared;
use crate::fault::lies::handshake::{
    AsksWhenCalled, BelievesEarlyInitialized, BrokenVersion, CompletesUndeclared, LosesHandshake,
    RefusesUnknownMembers, ServesBatchedHandshake, TakesAnyMeta, WaitsForInitialized,
    WantsDiscoverFirst,
};
use crate::fault::lies::ids::{TakesAnyId, TruncatesFractions};
use crate::fault::lies::pages::TiesCursors;
use crate::fault::lies::version::AnswersUnknownVersion;

const INITIALIZED: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
const INITIALIZE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
);
const BATCHED_INITIALIZE: Provocation = Provocation::Send(
    r#"[{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}]"#,
);
const CANCELLED_INITIALIZE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
);
const OLD_INITIALIZE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
);
const BROKEN_INITIALIZE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":7,"capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
);

const fn lie(
    name: &'static str,
    about: &'static str,
    over: Over,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    named(name, about, A_LIE, over, provoked_by, begin)
}

/// Sorted by name.
pub(super) const FAULTS: &[NamedFault] = &[
    lie(
        "asks-when-called",
        "asks for the roots of a client that declared none once it calls a tool",
        Over::Any,
        &[OPEN, ECHO],
        || Box::new(AsksWhenCalled::default()),
    ),
    lie(
        "believes-early-initialized",
        "takes a notifications/initialized before initialize for the handshake",
        Over::Stdio,
        &[INITIALIZED, INITIALIZE],
        || Box::new(BelievesEarlyInitialized::default()),
    ),
    lie(
        "completes-undeclared",
        "serves completion/complete without declaring it",
        Over::Any,
        &[OPEN],
        || Box::new(CompletesUndeclared),
    ),
    lie(
        "ignores-broken-initialize",
        "never answers an initialize whose protocolVersion is no text",
        Over::Any,
        &[BROKEN_INITIALIZE],
        BrokenVersion::ignored,
    ),
    lie(
        "loses-initialize-behind-batched-one",
        "never answers the initialize behind a batch that held one",
        Over::Stdio,
        &[BATCHED_INITIALIZE, INITIALIZE],
        LosesHandshake::behind_batch,
    ),
    lie(
        "loses-initialize-behind-cancelled-one",
        "never answers the initialize behind the cancellation of one",
        Over::Stdio,
        &[INITIALIZE, CANCELLED_INITIALIZE, INITIALIZE],
        LosesHandshake::behind_cancellation,
    ),
    lie(
        "offers-oldest-version",
        "answers an unknown protocolVersion with the oldest that it speaks",
        Over::Any,
        &[OLD_INITIALIZE],
        AnswersUnknownVersion::oldest,
    ),
    named(
        "overlooks-broken-version",
        "answers an initialize whose protocolVersion is no text with a version of its own",
        LAWFUL,
        Over::Any,
        &[BROKEN_INITIALIZE],
        BrokenVersion::overlooked,
    ),
    lie(
        "repeats-broken-version",
        "answers an initialize whose protocolVersion is no text with the same",
        Over::Any,
        &[BROKEN_INITIALIZE],
        BrokenVersion::repeated,
    ),
    lie(
        "refuses-unknown-members",
        "refuses a request with members that it does not know",
        Over::Any,
        &[
            OPEN,
            Provocation::Send(
                r#"{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"extra":1}}"#,
            ),
        ],
        || Box::new(RefusesUnknownMembers),
    ),
    named(
        "serves-batched-initialize",
        "serves an initialize within a batch",
        LAWFUL,
        Over::Stdio,
        &[BATCHED_INITIALIZE],
        || Box::new(ServesBatchedHandshake::default()),
    ),
    lie(
        "subscribes-undeclared",
        "serves resources/subscribe without declaring it",
        Over::Any,
        &[OPEN],
        || {
            Box::new(ImplementsUndeclared(
                "/result/capabilities/resources/subscribe",
            ))
        },
    ),
    lie(
        "takes-any-id",
        "serves a request whose id is neither a text nor a number",
        Over::Any,
        &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#),
        ],
        || Box::new(TakesAnyId),
    ),
    lie(
        "takes-any-meta",
        "answers server/discover though its _meta is no object",
        Over::Any,
        &[Provocation::Send(
            r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":7}}"#,
        )],
        || Box::new(TakesAnyMeta),
    ),
    lie(
        "ties-cursors-to-connections",
        "knows a cursor only on the connection where it gave it, in the modern era",
        Over::Http,
        &[MODERN_LIST, LATER_LIST],
        || Box::new(TiesCursors::default()),
    ),
    lie(
        "truncates-fractional-ids",
        "serves a request whose id is a fraction, and answers with an integer",
        Over::Any,
        &[
            OPEN,
            Provocation::Send(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#),
        ],
        || Box::new(TruncatesFractions),
    ),
    lie(
        "waits-for-initialized",
        "answers nothing until notifications/initialized came",
        Over::Stdio,
        &[INITIALIZE, LIST],
        || Box::new(WaitsForInitialized::default()),
    ),
    lie(
        "wants-discover-first",
        "refuses whatever comes before the first server/discover",
        Over::Any,
        &[MODERN_LIST],
        || Box::new(WantsDiscoverFirst::default()),
    ),
];
