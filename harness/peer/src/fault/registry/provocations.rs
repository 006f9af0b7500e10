//! What clients do to see faults.

use super::{HttpAsk, Provocation};

pub(super) const fn http(
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

pub(super) const POST: &str = "POST";
pub(super) const DELETE: Provocation = http("DELETE", &[], "");
pub(super) const NO_SESSION: &[(&str, Option<&str>)] = &[("mcp-session-id", None)];
pub(super) const UNKNOWN_SESSION: &[(&str, Option<&str>)] =
    &[("mcp-session-id", Some("no-such-session"))];
pub(super) const FOREIGN_ORIGIN: &[(&str, Option<&str>)] =
    &[("origin", Some("https://evil.example"))];

pub(super) const OPEN: Provocation = Provocation::Open("{}");
pub(super) const OPEN_WITH_ROOTS: Provocation = Provocation::Open(r#"{"roots":{}}"#);
pub(super) const PING_TEXT: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
pub(super) const PING: Provocation = Provocation::Send(PING_TEXT);
pub(super) const ECHO: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo","arguments":{"message":"m"}}}"#,
);
pub(super) const SLOW: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}"#,
);
pub(super) const ECHO_AS_SLOW: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"echo","arguments":{"message":"m"}}}"#,
);
pub(super) const LOGGING: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"test_tool_with_logging"}}"#,
);
pub(super) const REPORTING: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":11,"method":"tools/call","params":{"name":"test_tool_with_progress","_meta":{"progressToken":"p"}}}"#,
);
pub(super) const RECONNECTED: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"test_reconnection"}}"#,
);
pub(super) const CANCEL: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#,
);
pub(super) const MALFORMED: Provocation = Provocation::Send("{\"jsonrpc\":");
pub(super) const SUBSCRIBE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"resources/subscribe","params":{"uri":"test://watched-resource"}}"#,
);
pub(super) const UNSUBSCRIBE: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"resources/unsubscribe","params":{"uri":"test://watched-resource"}}"#,
);
pub(super) const TOUCH: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":10,"method":"tools/call","params":{"name":"touch"}}"#,
);
pub(super) const UNKNOWN_METHOD: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"no/such/method"}"#);
pub(super) const UNKNOWN_NOTIFICATION: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","method":"notifications/no/such"}"#);
pub(super) const LIST: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"tools/list"}"#);
pub(super) const BATCH: Provocation = Provocation::Send(
    r#"[{"jsonrpc":"2.0","id":8,"method":"ping"},{"jsonrpc":"2.0","id":9,"method":"ping"}]"#,
);
pub(super) const SET_LEVEL: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":8,"method":"logging/setLevel","params":{"level":"error"}}"#,
);
pub(super) const FOREIGN_CURSOR: Provocation = Provocation::Send(
    r#"{"jsonrpc":"2.0","id":9,"method":"prompts/list","params":{"cursor":"dG9vbHM6MzowZjY0MGE3Mw"}}"#,
);
pub(super) const ODD_CURSOR: Provocation =
    Provocation::Send(r#"{"jsonrpc":"2.0","id":8,"method":"tools/list","params":{"cursor":"-1"}}"#);
