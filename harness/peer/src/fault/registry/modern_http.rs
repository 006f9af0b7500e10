//! Faults of the modern era over HTTP: headers, statuses, streams. Long because it is a list.

use super::modern_provocations::{
    ASK, BROKEN_NAME_HEADER, BROKEN_PARAM_HEADER, DELETE, DISCOVER, DISCOVER_OVER_HTTP,
    ENCODED_NAME_HEADER, FOREIGN_HOST, GET, LAST_EVENT_HEADER, LIST, LISTEN, LOGGING_AT_DEBUG,
    NO_CAPABILITIES_OVER_HTTP, NO_METHOD_HEADER, NO_NAME_HEADER, NO_PARAM_HEADER,
    NO_VERSION_HEADER, OLD_LIST, OTHER_METHOD_HEADER, OTHER_NAME_HEADER, OTHER_PARAM_HEADER,
    OTHER_VERSION_HEADER, SESSION_HEADER, SLOW, SLOWER, UNKNOWN, UPPER_METHOD_HEADER,
};
use super::{A_LIE, NamedFault, Over, Provocation, named, over_http};
use crate::error::RpcError;
use crate::fault::lie::{Breach, Lie};
use crate::fault::lies::habit::Habit;
use crate::fault::lies::modern::breaches::{
    has_status_200, is_missing_field, is_undeclared, passes_over, refuses_with,
};
use crate::fault::lies::modern::listening::{Tells, Way};
use crate::fault::lies::modern::requests::AnswersBy;
use crate::fault::quirk::Quirk;
use std::time::Duration;

const fn in_http(
    name: &'static str,
    about: &'static str,
    provoked_by: &'static [Provocation],
    begin: fn() -> Box<dyn Lie>,
) -> NamedFault {
    named(name, about, A_LIE, Over::Http, provoked_by, begin)
}

/// Sorted by name.
pub(super) const FAULTS: &[NamedFault] = &[
    over_http(
        "accepts-delete",
        "answers DELETE with 200 where there is nothing to delete",
        A_LIE,
        Quirk::AcceptsDelete,
        &[DELETE],
    ),
    NamedFault {
        name: "answers-on-other-stream",
        about: "sends the answers to two requests that run on each other's streams",
        is_lawful: false,
        over: Over::Http,
        provoked_by: &[LIST, DISCOVER, Provocation::WaitMs(100)],
        quirk: Some(Quirk::AnswersOnOtherStream),
        // Requests that come together are to run together.
        begin: || Habit::begin(|habits| habits.answer_delay = Duration::from_millis(50)),
    },
    in_http(
        "compares-method-without-case",
        "serves a request whose Mcp-Method differs by case",
        &[UPPER_METHOD_HEADER],
        || passes_over(|breach| matches!(breach, Breach::MethodHeaderCase)),
    ),
    in_http(
        "compares-name-undecoded",
        "compares Mcp-Name as it is written",
        &[ENCODED_NAME_HEADER],
        AnswersBy::encoded_name,
    ),
    over_http(
        "foreign-host-500",
        "answers requests for a foreign Host with 500",
        A_LIE,
        Quirk::ForeignHost500,
        &[FOREIGN_HOST],
    ),
    in_http(
        "header-mismatch-200",
        "refuses for its headers with status 200",
        &[OTHER_NAME_HEADER],
        || has_status_200(Breach::is_of_headers),
    ),
    in_http(
        "header-mismatch-otherwise",
        "refuses for its headers with -32600",
        &[OTHER_NAME_HEADER],
        || {
            refuses_with(Breach::is_of_headers, |_| {
                Err(RpcError::invalid_request("headers"))
            })
        },
    ),
    over_http(
        "http-modern-400-empty",
        "refuses a modern version header with 400 and nothing else",
        A_LIE,
        Quirk::RefusesModernEmpty,
        &[DISCOVER_OVER_HTTP],
    ),
    over_http(
        "http-modern-400-json",
        "refuses a modern version header with 400 and the JSON-RPC error -32000",
        A_LIE,
        Quirk::RefusesModernJson,
        &[DISCOVER_OVER_HTTP],
    ),
    over_http(
        "http-modern-400-text",
        "refuses a modern version header with 400 and a text",
        A_LIE,
        Quirk::RefusesModernText,
        &[DISCOVER_OVER_HTTP],
    ),
    in_http(
        "ignores-header-mismatch",
        "serves a request whatever its mirrored headers say",
        &[OTHER_NAME_HEADER],
        || passes_over(Breach::is_of_headers),
    ),
    in_http(
        "ignores-method-mismatch",
        "serves a request whose Mcp-Method is not what the body says, but by case alone",
        &[OTHER_METHOD_HEADER],
        || passes_over(|breach| matches!(breach, Breach::MethodHeaderDiffers)),
    ),
    in_http(
        "ignores-name-mismatch",
        "serves a request whose Mcp-Name is not what the body says",
        &[OTHER_NAME_HEADER],
        || passes_over(|breach| matches!(breach, Breach::NameHeaderDiffers)),
    ),
    in_http(
        "ignores-param-mismatch",
        "serves a call whose Mcp-Param header is not what the body says",
        &[OTHER_PARAM_HEADER],
        || passes_over(|breach| matches!(breach, Breach::ParamHeaderDiffers)),
    ),
    in_http(
        "ignores-version-mismatch",
        "serves a request whose MCP-Protocol-Version is not what the body says",
        &[OTHER_VERSION_HEADER],
        || passes_over(|breach| matches!(breach, Breach::VersionHeaderDiffers)),
    ),
    in_http(
        "logs-on-listen-stream",
        "sends what belongs to other requests on the stream of the first subscription",
        &[LISTEN, LOGGING_AT_DEBUG],
        || Tells::begin(Way::LogsOnStream),
    ),
    over_http(
        "knows-one-spelling-of-headers",
        "knows the headers of modern requests only as the text spells them",
        A_LIE,
        Quirk::KnowsOneSpelling,
        &[LIST],
    ),
    over_http(
        "mints-session-ids",
        "gives a session id with modern answers",
        A_LIE,
        Quirk::MintsSessionIds,
        &[LIST],
    ),
    in_http(
        "missing-capability-200",
        "refuses for want of a capability with status 200",
        &[ASK],
        || has_status_200(is_undeclared),
    ),
    in_http(
        "missing-meta-200",
        "refuses a request whose _meta lacks something with status 200",
        &[NO_CAPABILITIES_OVER_HTTP],
        || has_status_200(is_missing_field),
    ),
    over_http(
        "refuses-last-event-id",
        "answers modern requests that have a Last-Event-ID with 400",
        A_LIE,
        Quirk::RefusesLastEventId,
        &[LAST_EVENT_HEADER],
    ),
    over_http(
        "refuses-session-header",
        "answers modern requests that have a session id with 404",
        A_LIE,
        Quirk::RefusesSessionHeader,
        &[SESSION_HEADER],
    ),
    over_http(
        "serves-get",
        "opens a stream for a GET outside of any session",
        A_LIE,
        Quirk::ServesGet,
        &[GET],
    ),
    in_http(
        "serves-without-method-header",
        "serves a request without Mcp-Method",
        &[NO_METHOD_HEADER],
        || passes_over(|breach| matches!(breach, Breach::MethodHeaderMissing)),
    ),
    in_http(
        "serves-without-name-header",
        "serves a request without Mcp-Name",
        &[NO_NAME_HEADER],
        || passes_over(|breach| matches!(breach, Breach::NameHeaderMissing)),
    ),
    in_http(
        "serves-without-param-header",
        "serves a call without the header of an annotated argument",
        &[NO_PARAM_HEADER],
        || passes_over(|breach| matches!(breach, Breach::ParamHeaderMissing)),
    ),
    in_http(
        "serves-without-version-header",
        "serves a request without MCP-Protocol-Version",
        &[NO_VERSION_HEADER],
        || passes_over(|breach| matches!(breach, Breach::VersionHeaderMissing)),
    ),
    NamedFault {
        name: "shares-ids-of-clients",
        about: "sends the answers to two requests that run under one id to each other's clients",
        is_lawful: false,
        over: Over::Http,
        provoked_by: &[SLOW, SLOWER, Provocation::WaitMs(900)],
        quirk: Some(Quirk::SharesIdsOfClients),
        // Requests that come together are to run together.
        begin: || Habit::begin(|habits| habits.answer_delay = Duration::from_millis(50)),
    },
    in_http(
        "takes-broken-base64",
        "serves a request whose Mcp-Name cannot be decoded",
        &[BROKEN_NAME_HEADER],
        || passes_over(|breach| matches!(breach, Breach::NameHeaderMalformed)),
    ),
    in_http(
        "takes-broken-param-base64",
        "serves a call whose Mcp-Param header cannot be decoded",
        &[BROKEN_PARAM_HEADER],
        || passes_over(|breach| matches!(breach, Breach::ParamHeaderMalformed)),
    ),
    in_http(
        "unknown-method-200",
        "refuses an unknown method with status 200",
        &[UNKNOWN],
        || has_status_200(|breach| breach == Breach::UnknownMethod),
    ),
    in_http(
        "unsupported-version-200",
        "refuses a version with status 200",
        &[OLD_LIST],
        || has_status_200(|breach| breach == Breach::UnsupportedVersion),
    ),
];
