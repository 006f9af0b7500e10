//! Faults of the modern era in what is said, and of legacy servers as a dual-era client meets them. Long because it is a list.

use super::modern_provocations::{
    ANSWER, ANSWER_BROKEN, ANSWER_MORE, ANSWER_WITH_STATE, ANSWER_WITH_WRONG_STATE, ASK, ASK_ABLE,
    ASK_BY_URL, ASK_WITH_ROOTS, ASK_WITH_STATE, CANCEL_LISTEN, CANCEL_UNKNOWN, DECLINE, DISCOVER,
    LATER_LIST, LIST, LISTEN, LISTEN_BROKEN, LISTEN_TO_NOTHING, LISTEN_TO_TOOLS, LOGGING,
    MORE_META, NO_CAPABILITIES, NO_META, NO_META_OVER_HTTP, NO_VERSION, NO_VERSION_OVER_HTTP,
    OLD_DISCOVER, OLD_LIST, PROGRESS, STATE_ALONE, TOUCH, WRONG_LEVEL, WRONG_TYPE,
};
use super::provocations::OPEN;
use super::{A_LIE, NamedFault, Over, Provocation, lawful, named};
use crate::error::RpcError;
use crate::fault::lie::{Breach, Lie};
use crate::fault::lies::exchange::Refuses;
use crate::fault::lies::modern::breaches::{
    ServesAnyVersion, SticksToRefusal, is_missing_field, is_undeclared, passes_over, refuses_with,
};
use crate::fault::lies::modern::listening::{IgnoresListenCancel, Tells, Way};
use crate::fault::lies::modern::meta::{
    KeepsCapabilities, MakesUp, RemembersCapabilities, RemembersMeta, TakesAnyCapability,
};
use crate::fault::lies::modern::requests::{
    AnswersBy, ComplainsOfCancel, HangsOnDecline, RefusesReusedIds, SendsRequest,
};
use crate::fault::lies::modern::results::{
    ListsRefusedVersion, NamesFutureVersion, OffersOtherwise, ReversesTools, VariesCacheScope,
};
use crate::fault::lies::modern::rounds::{AsksAgain, AsksByUrl, Expects, ForgetsState};
use crate::fault::lies::strikes::{Provoked, then_exit, then_hang};

const fn lie(
    name: &'static str,
    about: &'static str,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    named(name, about, A_LIE, Over::Any, provoked_by, begin)
}

const fn on_lines(
    name: &'static str,
    about: &'static str,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    named(name, about, A_LIE, Over::Stdio, provoked_by, begin)
}

/// Sorted by name.
pub(super) const FAULTS: &[NamedFault] = &[
    lie(
        "accepts-any-version",
        "serves any protocolVersion",
        &[OLD_LIST],
        || passes_over(|breach| matches!(breach, Breach::UnsupportedVersion)),
    ),
    lie(
        "acknowledges-late",
        "acknowledges a subscription behind its first notification",
        &[LISTEN, TOUCH],
        || Tells::begin(Way::AcknowledgesLate),
    ),
    lie(
        "acknowledges-unasked",
        "acknowledges all there is, whatever was asked for",
        &[LISTEN],
        || Tells::begin(Way::AcknowledgesUnasked),
    ),
    lawful(
        "asks-by-url",
        "asks by url a client that declared that mode alone",
        &[ASK_BY_URL],
        || Box::new(AsksByUrl::default()),
    ),
    lie(
        "asks-for-ever",
        "asks again whatever it is answered",
        &[ANSWER],
        AsksAgain::for_ever,
    ),
    lawful(
        "asks-twice",
        "asks again the first time it is answered",
        &[ANSWER],
        AsksAgain::once,
    ),
    lie(
        "asks-undeclared",
        "asks for what the client did not declare",
        &[ASK],
        || passes_over(|breach| matches!(breach, Breach::UndeclaredCapability)),
    ),
    lie(
        "asks-who-declares-something",
        "takes any declared capability for that of being asked by a form",
        &[ASK_WITH_ROOTS],
        || Box::new(TakesAnyCapability),
    ),
    lie(
        "awaits-retry",
        "refuses a call while another was never retried",
        &[ASK_ABLE, ASK_ABLE],
        Expects::retry,
    ),
    lie(
        "bad-log-level-is-internal-error",
        "refuses a logLevel that is none with -32603",
        &[WRONG_LEVEL],
        || {
            refuses_with(
                |breach| breach == Breach::LogLevel,
                |_| Err(RpcError::other(-32603, "Internal error")),
            )
        },
    ),
    on_lines(
        "complains-of-unknown-cancel",
        "answers a cancel that cancels nothing with an error",
        &[CANCEL_UNKNOWN],
        || Box::new(ComplainsOfCancel::default()),
    ),
    lie(
        "discover-invalid-params",
        "answers server/discover with -32602",
        &[DISCOVER],
        || Refuses::params_of("server/discover"),
    ),
    lie(
        "discover-invented-code",
        "answers server/discover with the code -1",
        &[DISCOVER],
        || Refuses::by_invented_code("server/discover"),
    ),
    lie(
        "discover-serves-any-version",
        "serves any protocolVersion on server/discover",
        &[OLD_DISCOVER],
        ServesAnyVersion::of_discover,
    ),
    lie(
        "discover-silent",
        "never answers server/discover, and serves the rest",
        &[DISCOVER],
        || Refuses::silently("server/discover"),
    ),
    lie(
        "discover-unknown-method",
        "answers server/discover with -32601, as a legacy server does",
        &[DISCOVER],
        || Refuses::method("server/discover"),
    ),
    lawful(
        "dual-era",
        "offers the legacy revisions too",
        &[OPEN],
        || Box::new(OffersOtherwise),
    ),
    lie(
        "exits-on-discover",
        "ends the process when server/discover comes",
        &[DISCOVER],
        || Box::new(then_exit(Provoked::Discover)),
    ),
    lie(
        "forgets-request-state",
        "forgets what it had the client carry",
        &[ASK_WITH_STATE, ANSWER_WITH_STATE],
        || Box::new(ForgetsState),
    ),
    lie(
        "hangs-on-decline",
        "never answers a retry in which the user declined",
        &[DECLINE],
        || Box::new(HangsOnDecline),
    ),
    lie(
        "ignores-bad-log-level",
        "serves a request with a logLevel that is none",
        &[WRONG_LEVEL],
        || passes_over(|breach| matches!(breach, Breach::LogLevel)),
    ),
    lie(
        "ignores-elicitation-mode",
        "asks by form a client that declared another mode alone",
        &[ASK_BY_URL],
        || passes_over(|breach| matches!(breach, Breach::UndeclaredMode)),
    ),
    on_lines(
        "ignores-listen-cancel",
        "goes on telling a subscription that was cancelled",
        &[LISTEN, CANCEL_LISTEN, TOUCH],
        || Box::new(IgnoresListenCancel),
    ),
    lie(
        "ignores-missing-meta",
        "serves a request whatever its _meta lacks",
        &[NO_CAPABILITIES],
        || passes_over(is_missing_field),
    ),
    lawful(
        "initialize-refused-as-unknown-method",
        "refuses initialize with -32601, and names 2026-07-28 in words",
        &[OPEN],
        AnswersBy::handshake_as_unknown,
    ),
    lie(
        "initialize-refused-mute",
        "refuses initialize with -32601, and does not say what it speaks",
        &[OPEN],
        || Refuses::method("initialize"),
    ),
    lie(
        "initialize-refused-naming",
        "refuses initialize with -32022, which names 2026-07-28",
        &[OPEN],
        || Refuses::naming_versions("initialize"),
    ),
    lie(
        "listen-internal-error",
        "answers subscriptions/listen with -32603",
        &[LISTEN],
        || Refuses::by_internal_error("subscriptions/listen"),
    ),
    lie(
        "listen-unknown-method",
        "answers subscriptions/listen with -32601",
        &[LISTEN],
        || Refuses::method("subscriptions/listen"),
    ),
    lie(
        "lists-refused-version",
        "lists the version that it refuses as supported",
        &[OLD_LIST],
        || Box::new(ListsRefusedVersion),
    ),
    lie(
        "logs-unasked",
        "logs for a request that names no level",
        &[LOGGING],
        MakesUp::log_level,
    ),
    lie(
        "missing-capability-is-internal-error",
        "refuses for want of a capability with -32603",
        &[ASK],
        || {
            refuses_with(is_undeclared, |_| {
                Err(RpcError::other(-32603, "Internal error"))
            })
        },
    ),
    lie(
        "missing-version-is-mismatch",
        "refuses a request whose _meta has no protocolVersion with -32020",
        &[NO_VERSION, NO_VERSION_OVER_HTTP],
        || {
            refuses_with(
                |breach| breach == Breach::NoVersion,
                |_| Err(RpcError::header_mismatch("_meta has no protocolVersion")),
            )
        },
    ),
    lawful("modern-only", "offers 2026-07-28 alone", &[OPEN], || {
        Box::new(OffersOtherwise)
    }),
    lawful(
        "names-future-version",
        "lists a version that nobody knows yet",
        &[DISCOVER],
        || Box::new(NamesFutureVersion),
    ),
    lie(
        "notifies-before-ack",
        "notifies a subscription before it is acknowledged",
        &[LISTEN],
        || Tells::begin(Way::NotifiesBefore),
    ),
    lie(
        "notifies-unasked",
        "tells every subscription that the watched resource changed",
        &[LISTEN_TO_TOOLS, TOUCH],
        || Tells::begin(Way::NotifiesUnasked),
    ),
    lie(
        "notifies-without-listen",
        "tells that the watched resource changed though nobody listens",
        &[TOUCH],
        || Tells::begin(Way::NotifiesWithoutListen),
    ),
    lie(
        "progress-without-token",
        "reports progress without a token",
        &[PROGRESS, Provocation::WaitMs(200)],
        MakesUp::progress_token,
    ),
    lie(
        "refuses-extra-responses",
        "refuses answers to what was not asked",
        &[ASK_ABLE, ANSWER_MORE],
        Expects::asked_keys,
    ),
    lie(
        "refuses-missing-meta-otherwise",
        "refuses a request whose _meta lacks something with -32600",
        &[NO_CAPABILITIES],
        || {
            refuses_with(is_missing_field, |_| {
                Err(RpcError::invalid_request("_meta is incomplete"))
            })
        },
    ),
    lie(
        "refuses-missing-responses",
        "refuses a retry that brings a state and no answers",
        &[STATE_ALONE],
        AnswersBy::missing_responses,
    ),
    lie(
        "refuses-own-request-state",
        "refuses its own state once all is answered",
        &[ASK_WITH_STATE, ANSWER_WITH_STATE],
        Expects::no_state,
    ),
    lie(
        "refuses-reused-ids",
        "refuses an id that was answered before",
        &[LIST, LIST],
        || Box::new(RefusesReusedIds::default()),
    ),
    lie(
        "refuses-unknown-client-capabilities",
        "refuses capabilities and extensions that it does not know",
        &[MORE_META],
        AnswersBy::unknown_capabilities,
    ),
    lie(
        "refuses-unknown-meta-keys",
        "refuses a request with more in _meta than it knows",
        &[MORE_META],
        AnswersBy::unknown_meta,
    ),
    lie(
        "remembers-capabilities",
        "takes what any earlier request declared for declared by all after it",
        &[ASK_ABLE, ASK],
        || Box::new(KeepsCapabilities::default()),
    ),
    lie(
        "remembers-first-capabilities",
        "takes the capabilities of the first request for those of all",
        &[LIST, ASK_ABLE],
        || Box::new(RemembersCapabilities::default()),
    ),
    lie(
        "remembers-meta",
        "takes what a request's _meta lacks from an earlier one",
        &[LIST, NO_CAPABILITIES],
        || Box::new(RemembersMeta::default()),
    ),
    lie(
        "requires-client-info",
        "refuses a request that does not say who asks",
        &[LIST],
        AnswersBy::missing_client_info,
    ),
    lie(
        "reverses-tools",
        "gives every second page of tools in the other order",
        &[LIST, LIST],
        || Box::new(ReversesTools::default()),
    ),
    lie(
        "sends-request-in-modern-era",
        "asks by a request of its own before it asks by a result",
        &[ASK_ABLE],
        || Box::new(SendsRequest),
    ),
    lie(
        "serves-any-version",
        "serves any protocolVersion, but on server/discover",
        &[OLD_LIST],
        ServesAnyVersion::of_all_else,
    ),
    lie(
        "serves-initialize",
        "answers initialize as a legacy server, and does nothing with it",
        &[OPEN],
        AnswersBy::handshake,
    ),
    lie(
        "serves-without-client-capabilities",
        "serves a request whose _meta has no clientCapabilities",
        &[NO_CAPABILITIES],
        || passes_over(|breach| matches!(breach, Breach::NoCapabilities)),
    ),
    lie(
        "serves-without-meta",
        "serves a request without _meta",
        &[NO_META, NO_META_OVER_HTTP],
        || passes_over(|breach| matches!(breach, Breach::NoMeta)),
    ),
    lie(
        "serves-without-protocol-version",
        "serves a request whose _meta has no protocolVersion",
        &[NO_VERSION, NO_VERSION_OVER_HTTP],
        || passes_over(|breach| matches!(breach, Breach::NoVersion)),
    ),
    lie(
        "serves-wrong-meta-types",
        "serves a request whose _meta has fields of another type",
        &[WRONG_TYPE],
        || passes_over(|breach| matches!(breach, Breach::MetaType)),
    ),
    lie(
        "silent-on-empty-filter",
        "does not acknowledge a subscription to nothing",
        &[LISTEN_TO_NOTHING],
        || Tells::begin(Way::SilentOnEmpty),
    ),
    lie(
        "sticks-to-unsupported-version",
        "once it has refused a version it refuses every request so",
        &[OLD_LIST, LIST],
        || Box::new(SticksToRefusal::default()),
    ),
    lie(
        "tags-with-first-id",
        "gives the messages of every subscription the id of the first",
        &[LISTEN, LISTEN_TO_TOOLS],
        || Tells::begin(Way::TagsWithFirst),
    ),
    lie(
        "takes-any-input-response",
        "takes anything for an answer",
        &[ANSWER_BROKEN],
        || passes_over(|breach| matches!(breach, Breach::InputResponse)),
    ),
    lie(
        "takes-broken-filter",
        "acknowledges a filter that cannot be read as an empty one",
        &[LISTEN_BROKEN],
        || passes_over(|breach| matches!(breach, Breach::Filter)),
    ),
    lie(
        "trusts-request-state",
        "serves a retry whatever its state",
        &[ANSWER_WITH_WRONG_STATE],
        || passes_over(|breach| matches!(breach, Breach::RequestState)),
    ),
    lie(
        "unsupported-version-is-invalid-params",
        "refuses a version with -32602",
        &[OLD_LIST],
        || {
            refuses_with(
                |breach| breach == Breach::UnsupportedVersion,
                |_| Err(RpcError::invalid_params("Unsupported protocol version").on_http(400)),
            )
        },
    ),
    lie(
        "varies-cache-scope",
        "gives later pages another cacheScope than the first",
        &[LATER_LIST],
        || Box::new(VariesCacheScope::default()),
    ),
    lie(
        "wedges-on-discover",
        "never speaks again once server/discover came",
        &[DISCOVER, LIST],
        || Box::new(then_hang(Provoked::Discover)),
    ),
];
