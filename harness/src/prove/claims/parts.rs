//! The proofs of rules on parts of messages, and on what they promise each other: content, tools, questions, lists.

use super::{BOTH, Change, FindingCode, LEGACY, Lie, MODERN, Observed, over_lines};

const CONTENT: &str = "observer/message/content";
const ELICITATION: &str = "observer/message/elicitation";
const META: &str = "observer/message/meta";
const RESOURCE_URI: &str = "observer/message/resource-uri";
const TOOL_HEADERS: &str = "observer/message/tool-headers";
const TOOL_SCHEMA: &str = "observer/message/tool-schema";
const LINKS: &str = "observer/elicitation/form-without-links";
const READABLE: &str = "observer/lists/readable";
const SERVED: &str = "observer/lists/served";
const KEYS: &str = "observer/mrtr/keys-unique";
const DIALECT: &str = "observer/tools/dialect";
const EMBEDDED: &str = "observer/tools/embedded-declared";
const NAME: &str = "observer/tools/name";
const NAME_UNIQUE: &str = "observer/tools/name-unique";
const OUTPUT: &str = "observer/tools/output";
const TEXT_COPY: &str = "observer/tools/text-copy";

const HEADER: &str = "/result/tools/0/inputSchema/properties/message/x-mcp-header";

/// Every mutant and near miss of them.
pub(in crate::prove) const OF_PARTS: &[Observed] = &[
    over_lines(
        CONTENT,
        Lie::InReply(
            "prompts/get",
            1,
            Change::Set(
                "/result/messages/0/content",
                r#"{"type":"image","data":"?","mimeType":"image/png"}"#,
            ),
        ),
        Some(FindingCode::Schema),
    ),
    over_lines(
        CONTENT,
        Lie::InReply(
            "prompts/get",
            1,
            Change::Set(
                "/result/messages/0/content",
                r#"{"type":"image","data":"","mimeType":"x/y; z=1"}"#,
            ),
        ),
        None,
    ),
    over_lines(
        ELICITATION,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set(
                "/result/inputRequests",
                r#"{"form":{"method":"elicitation/create","params":{"requestedSchema":{"type":"object","properties":{}}}}}"#,
            ),
        ),
        Some(FindingCode::Schema),
    )
    .within(MODERN).with(&["mrtr/form/message:schema"]),
    over_lines(
        ELICITATION,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set(
                "/result/inputRequests",
                r#"{"form":{"method":"elicitation/create","params":{"message":"","requestedSchema":{"type":"object","properties":{}},"mcp-assay-extra":1}}}"#,
            ),
        ),
        None,
    )
    .within(MODERN),
    over_lines(
        META,
        Lie::InReply("tools/list", 1, Change::Set("/result/_meta", r#"{"-bad":1}"#)),
        Some(FindingCode::Schema),
    )
    .within(LEGACY),
    over_lines(
        META,
        Lie::InReply("tools/list", 1, Change::Set("/result/_meta/a_b~1c", "1")),
        Some(FindingCode::Schema),
    )
    .within(MODERN),
    over_lines(
        META,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set("/result/_meta", r#"{"a.b-c/d_e.f":1,"":2}"#),
        ),
        None,
    )
    .within(LEGACY),
    over_lines(
        META,
        Lie::InReply("tools/list", 1, Change::Set("/result/_meta/tracestate", r#""a=1,,b=2""#)),
        None,
    )
    .within(MODERN),
    over_lines(
        RESOURCE_URI,
        Lie::InReply(
            "resources/list",
            1,
            Change::Set("/result/resources/0/uri", r#""no uri""#),
        ),
        Some(FindingCode::Schema),
    ).with(&["statelessness/resource-list/unchanged:value"]),
    over_lines(RESOURCE_URI, Lie::Named("crlf"), None),
    over_lines(
        TOOL_HEADERS,
        Lie::InReply("tools/list", 1, Change::Set(HEADER, r#""a b""#)),
        Some(FindingCode::Schema),
    )
    .within(MODERN),
    over_lines(
        TOOL_HEADERS,
        Lie::InReply("tools/list", 1, Change::Set(HEADER, r#""a!b""#)),
        None,
    )
    .within(MODERN),
    over_lines(
        TOOL_SCHEMA,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set("/result/tools/0/inputSchema", "null"),
        ),
        Some(FindingCode::Schema),
    ),
    over_lines(
        TOOL_SCHEMA,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set("/result/tools/0/inputSchema/mcp-assay-extra", "null"),
        ),
        None,
    ),
    over_lines(
        LINKS,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set(
                "/result/inputRequests",
                r#"{"form":{"method":"elicitation/create","params":{"message":"[here](https://a.example)","requestedSchema":{"type":"object","properties":{}}}}}"#,
            ),
        ),
        Some(FindingCode::Value),
    )
    .within(MODERN),
    over_lines(
        LINKS,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set(
                "/result/inputRequests",
                r#"{"form":{"method":"elicitation/create","params":{"message":"such as https://a.example","requestedSchema":{"type":"object","properties":{}}}}}"#,
            ),
        ),
        None,
    )
    .within(MODERN),
    over_lines(
        READABLE,
        Lie::InReply(
            "resources/list",
            1,
            Change::Set("/result/resources/0/uri", r#""test://mcp-assay-nowhere""#),
        ),
        Some(FindingCode::Unimplemented),
    ).with(&["statelessness/resource-list/unchanged:value"]),
    over_lines(
        READABLE,
        Lie::InReply(
            "resources/read",
            1,
            Change::Set("/result/contents", "[]"),
        ),
        None,
    ),
    over_lines(
        SERVED,
        Lie::InReply("tools/list", 1, Change::Set("/error/code", "-32601")),
        Some(FindingCode::Unimplemented),
    ).with(&["errors/invalid-cursor/code:value"]),
    over_lines(SERVED, Lie::Named("crlf"), None),
    over_lines(
        KEYS,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set(
                "/result/inputRequests",
                r#"{"a":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}},"a":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"type":"object","properties":{}}}}}"#,
            ),
        ),
        Some(FindingCode::Duplicate),
    )
    .within(MODERN),
    over_lines(KEYS, Lie::Named("crlf"), None).within(MODERN),
    over_lines(
        DIALECT,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set(
                "/result/tools/0/inputSchema/$schema",
                r#""http://json-schema.org/draft-07/schema#""#,
            ),
        ),
        Some(FindingCode::Value),
    ),
    over_lines(
        DIALECT,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set(
                "/result/tools/0/inputSchema/$schema",
                r#""https://json-schema.org/draft/2020-12/schema""#,
            ),
        ),
        None,
    ),
    over_lines(
        EMBEDDED,
        Lie::InReply("initialize", 1, Change::Remove("/result/capabilities/resources")),
        Some(FindingCode::Undeclared),
    )
    .within(LEGACY).with(&["lifecycle/undeclared/resources:undeclared"]),
    over_lines(
        EMBEDDED,
        Lie::InReply(
            "server/discover",
            1,
            Change::Remove("/result/capabilities/resources"),
        ),
        Some(FindingCode::Undeclared),
    )
    .within(MODERN).with(&["lifecycle/undeclared/resources:undeclared", "observer/capabilities/notifies:undeclared", "subscriptions/unsupported-resources/resources:undeclared"]),
    over_lines(EMBEDDED, Lie::Named("crlf"), None),
    over_lines(
        NAME,
        Lie::InReply("tools/list", 1, Change::Set("/result/tools/0/name", r#""a b""#)),
        Some(FindingCode::Value),
    ).with(&["observer/lists/change-told:no-reply", "statelessness/tool-list/ordered:value", "statelessness/tool-list/unchanged:value"]),
    over_lines(NAME, Lie::Named("crlf"), None),
    over_lines(
        NAME_UNIQUE,
        Lie::InReply("tools/list", 1, Change::Set("/result/tools/1/name", r#""echo""#)),
        Some(FindingCode::Duplicate),
    ).with(&["observer/lists/change-told:no-reply", "pagination/walk/unique:duplicate"]),
    over_lines(NAME_UNIQUE, Lie::Named("crlf"), None),
    over_lines(
        OUTPUT,
        Lie::InReply(
            "tools/list",
            1,
            Change::Set(
                "/result/tools/0/outputSchema",
                r#"{"type":"object","required":["n"]}"#,
            ),
        ),
        Some(FindingCode::Schema),
    ),
    over_lines(OUTPUT, Lie::Named("crlf"), None),
    over_lines(
        TEXT_COPY,
        Lie::InReply(
            "tools/call",
            1,
            Change::Set("/result/structuredContent", r#"{"n":1,"m":2}"#),
        ),
        Some(FindingCode::Value),
    ),
    over_lines(TEXT_COPY, Lie::Named("crlf"), None).within(BOTH),
];
