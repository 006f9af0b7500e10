//! What modern clients do to see faults.

use super::Provocation;
use super::provocations::{POST, http};

/// A modern request: id, method, parameters that end with a comma, members of `_meta`.
macro_rules! request {
    ($id:literal, $method:literal, $params:literal, $meta:literal) => {
        concat!(
            r#"{"jsonrpc":"2.0","id":"#,
            $id,
            r#","method":""#,
            $method,
            r#"","params":{"#,
            $params,
            r#""_meta":{"#,
            $meta,
            "}}}"
        )
    };
    ($id:literal, $method:literal, $params:literal) => {
        request!(
            $id,
            $method,
            $params,
            r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#
        )
    };
}

/// The same of a client that can be asked by form, has roots and samples.
macro_rules! able {
    ($id:literal, $method:literal, $params:literal) => {
        request!(
            $id,
            $method,
            $params,
            r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"sampling":{},"roots":{}}"#
        )
    };
}

const DISCOVER_TEXT: &str = request!(1, "server/discover", "");
const LIST_TEXT: &str = request!(2, "tools/list", "");
const ECHO_TEXT: &str = request!(
    3,
    "tools/call",
    r#""name":"echo","arguments":{"message":"m"},"#
);

const fn send(text: &'static str) -> Provocation {
    Provocation::Send(text)
}

pub(super) const DISCOVER: Provocation = send(DISCOVER_TEXT);
pub(super) const DISCOVER_OVER_HTTP: Provocation = http(POST, DISCOVER_HEADERS, DISCOVER_TEXT);
const DISCOVER_HEADERS: &[(&str, Option<&str>)] = &[
    ("mcp-protocol-version", Some("2026-07-28")),
    ("mcp-method", Some("server/discover")),
];
pub(super) const LIST: Provocation = send(LIST_TEXT);
pub(super) const LATER_LIST: Provocation = send(request!(
    2,
    "tools/list",
    r#""cursor":"dG9vbHM6MzowZjY0MGE3Mw","#
));
pub(super) const UNKNOWN: Provocation = send(request!(4, "no/such/method", ""));
pub(super) const OLD_LIST: Provocation = send(request!(
    5,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"1900-01-01","io.modelcontextprotocol/clientCapabilities":{}"#
));
pub(super) const OLD_DISCOVER: Provocation = send(request!(
    5,
    "server/discover",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"1900-01-01","io.modelcontextprotocol/clientCapabilities":{}"#
));
/// Without `_meta`.
pub(super) const NO_META: Provocation =
    send(r#"{"jsonrpc":"2.0","id":6,"method":"server/discover"}"#);
pub(super) const NO_META_OVER_HTTP: Provocation = http(
    POST,
    DISCOVER_HEADERS,
    r#"{"jsonrpc":"2.0","id":6,"method":"server/discover"}"#,
);
pub(super) const NO_VERSION: Provocation = send(request!(
    6,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/clientCapabilities":{}"#
));
pub(super) const NO_VERSION_OVER_HTTP: Provocation = http(
    POST,
    LIST_HEADERS,
    request!(
        6,
        "tools/list",
        "",
        r#""io.modelcontextprotocol/clientCapabilities":{}"#
    ),
);
pub(super) const NO_CAPABILITIES: Provocation = send(request!(
    6,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#
));
pub(super) const NO_CAPABILITIES_OVER_HTTP: Provocation = http(
    POST,
    LIST_HEADERS,
    request!(
        6,
        "tools/list",
        "",
        r#""io.modelcontextprotocol/protocolVersion":"2026-07-28""#
    ),
);
const LIST_HEADERS: &[(&str, Option<&str>)] = &[
    ("mcp-protocol-version", Some("2026-07-28")),
    ("mcp-method", Some("tools/list")),
];
pub(super) const WRONG_TYPE: Provocation = send(request!(
    6,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]"#
));
pub(super) const WRONG_LEVEL: Provocation = send(request!(
    6,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"loud""#
));
pub(super) const MORE_META: Provocation = send(request!(
    6,
    "tools/list",
    "",
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"x":{}},"traceparent":"00""#
));
pub(super) const ASK: Provocation = send(request!(
    7,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","#
));
pub(super) const ASK_BY_URL: Provocation = send(request!(
    7,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}"#
));
pub(super) const ASK_WITH_ROOTS: Provocation = send(request!(
    7,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#
));
pub(super) const ASK_ABLE: Provocation = send(able!(
    7,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","#
));
pub(super) const ANSWER: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","inputResponses":{"user_name":{"action":"accept","content":{"name":"n"}}},"#
));
pub(super) const ANSWER_MORE: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","inputResponses":{"user_name":{"action":"accept","content":{"name":"n"}},"more":{}},"#
));
pub(super) const DECLINE: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","inputResponses":{"user_name":{"action":"decline"}},"#
));
pub(super) const ANSWER_BROKEN: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_elicitation","inputResponses":{"user_name":{"roots":[]}},"#
));
pub(super) const ASK_WITH_STATE: Provocation = send(able!(
    7,
    "tools/call",
    r#""name":"test_input_required_result_request_state","#
));
/// With the state that the call before was given.
pub(super) const ANSWER_WITH_STATE: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_request_state","requestState":"@STATE@","inputResponses":{"confirm":{"action":"accept","content":{"ok":"yes"}}},"#
));
pub(super) const ANSWER_WITH_WRONG_STATE: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_request_state","requestState":"e30.AAAA","inputResponses":{"confirm":{"action":"accept","content":{"ok":"yes"}}},"#
));
pub(super) const STATE_ALONE: Provocation = send(able!(
    8,
    "tools/call",
    r#""name":"test_input_required_result_request_state","requestState":"e30.AAAA","#
));
pub(super) const LOGGING: Provocation =
    send(request!(9, "tools/call", r#""name":"test_logging_tool","#));
pub(super) const LOGGING_AT_DEBUG: Provocation = send(request!(
    9,
    "tools/call",
    r#""name":"test_logging_tool","#,
    r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"debug""#
));
pub(super) const PROGRESS: Provocation = send(request!(
    9,
    "tools/call",
    r#""name":"test_tool_with_progress","#
));
pub(super) const SLOW: Provocation = send(request!(
    9,
    "tools/call",
    r#""name":"slow","arguments":{"ms":500},"#
));
pub(super) const SLOWER: Provocation = send(request!(
    9,
    "tools/call",
    r#""name":"slow","arguments":{"ms":700},"#
));
pub(super) const CANCEL_UNKNOWN: Provocation =
    send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}"#);
pub(super) const LISTEN: Provocation = send(request!(
    10,
    "subscriptions/listen",
    r#""notifications":{"resourceSubscriptions":["test://watched-resource"]},"#
));
pub(super) const LISTEN_TO_TOOLS: Provocation = send(request!(
    11,
    "subscriptions/listen",
    r#""notifications":{"toolsListChanged":true},"#
));
pub(super) const LISTEN_TO_NOTHING: Provocation = send(request!(
    12,
    "subscriptions/listen",
    r#""notifications":{},"#
));
pub(super) const LISTEN_BROKEN: Provocation = send(request!(
    13,
    "subscriptions/listen",
    r#""notifications":[],"#
));
pub(super) const CANCEL_LISTEN: Provocation =
    send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":10}}"#);
pub(super) const TOUCH: Provocation = send(request!(14, "tools/call", r#""name":"touch","#));
/// `tools/list` with other headers than its body says.
macro_rules! list_with {
    ($name:literal, $value:expr) => {
        http(POST, &[VERSION, METHOD, ($name, $value)], LIST_TEXT)
    };
}
const VERSION: (&str, Option<&str>) = ("mcp-protocol-version", Some("2026-07-28"));
const METHOD: (&str, Option<&str>) = ("mcp-method", Some("tools/list"));
const CALL: (&str, Option<&str>) = ("mcp-method", Some("tools/call"));

pub(super) const NO_VERSION_HEADER: Provocation = list_with!("mcp-protocol-version", None);
pub(super) const OTHER_VERSION_HEADER: Provocation =
    list_with!("mcp-protocol-version", Some("2025-11-25"));
pub(super) const NO_METHOD_HEADER: Provocation = list_with!("mcp-method", None);
pub(super) const OTHER_METHOD_HEADER: Provocation = list_with!("mcp-method", Some("prompts/list"));
pub(super) const UPPER_METHOD_HEADER: Provocation = list_with!("mcp-method", Some("TOOLS/LIST"));
pub(super) const SESSION_HEADER: Provocation = list_with!("mcp-session-id", Some("s"));
pub(super) const LAST_EVENT_HEADER: Provocation = list_with!("last-event-id", Some("1-1"));
pub(super) const FOREIGN_HOST: Provocation = list_with!("host", Some("evil.example"));
pub(super) const NO_NAME_HEADER: Provocation =
    http(POST, &[VERSION, CALL, ("mcp-name", None)], ECHO_TEXT);
pub(super) const OTHER_NAME_HEADER: Provocation = http(
    POST,
    &[VERSION, CALL, ("mcp-name", Some("slow"))],
    ECHO_TEXT,
);
pub(super) const ENCODED_NAME_HEADER: Provocation = http(
    POST,
    &[VERSION, CALL, ("mcp-name", Some("=?base64?ZWNobw==?="))],
    ECHO_TEXT,
);
pub(super) const BROKEN_NAME_HEADER: Provocation = http(
    POST,
    &[VERSION, CALL, ("mcp-name", Some("=?base64?*?="))],
    ECHO_TEXT,
);
const REGION: &str = request!(
    3,
    "tools/call",
    r#""name":"test_header_parameters","arguments":{"region":"r"},"#
);
const REGION_NAME: (&str, Option<&str>) = ("mcp-name", Some("test_header_parameters"));
pub(super) const NO_PARAM_HEADER: Provocation = http(POST, &[VERSION, CALL, REGION_NAME], REGION);
pub(super) const OTHER_PARAM_HEADER: Provocation = http(
    POST,
    &[VERSION, CALL, REGION_NAME, ("mcp-param-region", Some("q"))],
    REGION,
);
pub(super) const BROKEN_PARAM_HEADER: Provocation = http(
    POST,
    &[
        VERSION,
        CALL,
        REGION_NAME,
        ("mcp-param-region", Some("=?base64?*?=")),
    ],
    REGION,
);
pub(super) const GET: Provocation = http("GET", &[("mcp-session-id", None)], "");
pub(super) const DELETE: Provocation = http("DELETE", &[("mcp-session-id", None)], "");
