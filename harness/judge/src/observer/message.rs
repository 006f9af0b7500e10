//! Whole messages: as JSON-RPC has them, and as their method has them in the revision.
//!
//! ```text
//! message -> Schemas::judge_message -> violations below /result  -> result  \
//!                                      those below /params       -> params   } one rule each, for servers and for clients
//!                                      all others                -> envelope /
//! ```
//!
//! What a rule of its own judges, and says better, is left to it: caching hints, the type of a result. Parts that have sentences of their own,
//! as images or the keys of `_meta`, have rules of their own here (see [`parts`]).

mod parts;
mod remarks;

use super::dialogue::{Asked, Came, IdKey, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::schema::{Schemas, Violation};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::{Direction, HttpPart};
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::stdio::DefectKind;
use parts::Seen;
use remarks::Remarks;
use std::collections::HashMap;

const CLIENT_ENVELOPE: &str = "client-envelope";
const CLIENT_PARAMS: &str = "client-params";
const CLIENT_RESULT: &str = "client-result";
const CONTENT: &str = "content";
const ELICITATION: &str = "elicitation";
const ENCODING: &str = "encoding";
const ENVELOPE: &str = "envelope";
const META: &str = "meta";
const PARAMS: &str = "params";
const REQUEST_ID: &str = "request-id";
const CLIENT_REQUEST_ID: &str = "client-request-id";
const RESOURCE_URI: &str = "resource-uri";
const RESULT: &str = "result";
const SAMPLING: &str = "sampling";
const TASK: &str = "task";
const TOOL_HEADERS: &str = "tool-headers";
const TOOL_SCHEMA: &str = "tool-schema";

const SHAPE: &[&str] = &[
    "2024-11-05/basic/index#top.1",
    "2024-11-05/basic/messages#requests.1",
    "2024-11-05/basic/messages#requests.2",
    "2024-11-05/basic/messages#responses.2",
    "2024-11-05/basic/messages#responses.3",
    "2024-11-05/basic/messages#responses.4",
    "2024-11-05/basic/messages#notifications.1",
    "2025-03-26/basic/index#responses.5",
    "2025-11-25/basic/index#result-responses.2",
];
const SPOKEN: &[&str] = &[
    "2024-11-05/basic/lifecycle#operation.1",
    "2025-06-18/basic/lifecycle#operation.1",
    "2026-07-28/basic/index#top.2",
];
const TOKENS: &[&str] = &[
    "2024-11-05/basic/lifecycle#operation.1",
    "2025-06-18/basic/lifecycle#operation.1",
    "2026-07-28/basic/index#top.2",
    "2024-11-05/basic/utilities/progress#progress-flow.1",
];

/// Watches the shape of every message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Messages;

impl Observer for Messages {
    fn name(&self) -> &'static str {
        "message"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_clients(
                    CLIENT_ENVELOPE,
                    "a client's messages are those of JSON-RPC",
                    "every message of a client is a request with an id of text or an integer, a notification without one, or a response with either a result or an error of integer code and text",
                    SHAPE,
                ),
                Rule::of_clients(
                    CLIENT_PARAMS,
                    "what a client sends has the shape of its method",
                    "the params of a client's request or notification are those that the revision gives its method",
                    TOKENS,
                ),
                Rule::of_clients(
                    CLIENT_REQUEST_ID,
                    "a client uses a request id once",
                    "no two requests of a client in one session have the same id",
                    &["2024-11-05/basic/messages#requests.3"],
                )
                .until(Revision::R2025_11_25),
                Rule::of_clients(
                    CLIENT_RESULT,
                    "a client's result has the shape of its method",
                    "the result that a client answers with is the one that the revision gives the method asked for",
                    SPOKEN,
                ),
                Rule::of_servers(
                    CONTENT,
                    "images, audio and resources are as their kind has them",
                    "an image and audio have base64 data and a MIME type, an embedded resource has text or base64 data and in a prompt, where it has one, a MIME type that is one",
                    &[
                        "2024-11-05/server/prompts#image-content.1",
                        "2024-11-05/server/prompts#embedded-resources.2",
                        "2024-11-05/server/prompts#embedded-resources.3",
                        "2024-11-05/server/resources#security-considerations.3",
                        "2025-03-26/server/prompts#audio-content.1",
                    ],
                ),
                Rule::of_servers(
                    ELICITATION,
                    "an elicitation has what its mode asks for",
                    "a form has a message and a flat schema of what is asked, and a URL has its mode, a message, a valid URL and, where the revision has it, an id",
                    &[
                        "2025-11-25/client/elicitation#elicitation-requests.1",
                        "2025-11-25/client/elicitation#form-mode-elicitation-requests.1",
                        "2025-11-25/client/elicitation#url-mode-elicitation-requests.1",
                        "2025-11-25/client/elicitation#url-mode-elicitation-requests.2",
                    ],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    ENCODING,
                    "messages over HTTP are UTF-8",
                    "the body of an answer, or the data of an event, is text in UTF-8",
                    &["2025-03-26/basic/transports#top.1"],
                )
                .since(Revision::R2025_03_26),
                Rule::of_servers(
                    ENVELOPE,
                    "a server's messages are those of JSON-RPC",
                    "every message of a server is a request with an id of text or an integer, a notification without one, or a response with either a result or an error of integer code and text",
                    SHAPE,
                ),
                Rule::of_servers(
                    META,
                    "the keys of `_meta` are well formed",
                    "a key of `_meta` is a name that begins and ends with a letter or digit, behind a prefix of labels if there is one; keys of trace context hold what W3C says",
                    &[
                        "2025-06-18/basic/index#meta.2",
                        "2025-06-18/basic/index#meta.3",
                        "2025-06-18/basic/index#meta.4",
                        "2026-07-28/basic/index#meta.17",
                    ],
                )
                .since(Revision::R2025_06_18),
                Rule::of_servers(
                    PARAMS,
                    "what a server sends has the shape of its method",
                    "the params of a server's request or notification are those that the revision gives its method",
                    TOKENS,
                ),
                Rule::of_servers(
                    REQUEST_ID,
                    "a server uses a request id once",
                    "no two requests of a server in one session have the same id",
                    &["2024-11-05/basic/messages#requests.3"],
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    RESOURCE_URI,
                    "a resource has a valid URI",
                    "the URI of a resource, listed, read, embedded or updated, is there and one by RFC 3986, whatever its scheme",
                    &[
                        "2024-11-05/server/prompts#embedded-resources.1",
                        "2025-06-18/server/resources#custom-uri-schemes.1",
                    ],
                ),
                Rule::of_servers(
                    RESULT,
                    "a result has the shape of its method",
                    "the result that a server answers with is the one that the revision gives the method asked for",
                    SPOKEN,
                ),
                Rule::of_servers(
                    SAMPLING,
                    "what a model is asked has roles and content",
                    "each message of a request for sampling is of the user or of the assistant, and has content",
                    &["2026-07-28/client/sampling#messages.1"],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    TASK,
                    "a task says its id, times and duration",
                    "the state of a task has an id that is text, ISO 8601 times of its creation and last update, and how long it is kept or null",
                    &[
                        "2025-11-25/basic/utilities/tasks#task-id-requirements.1",
                        "2025-11-25/basic/utilities/tasks#ttl-and-resource-management.1",
                        "2025-11-25/basic/utilities/tasks#ttl-and-resource-management.2",
                        "2025-11-25/basic/utilities/tasks#ttl-and-resource-management.4",
                    ],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    TOOL_HEADERS,
                    "arguments that headers repeat are marked lawfully",
                    "an `x-mcp-header` is a token, unique without case, on a primitive parameter that `properties` alone lead to",
                    &[
                        "2026-07-28/basic/transports/streamable-http#schema-extension.1",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.2",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.3",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.4",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.5",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.7",
                        "2026-07-28/basic/transports/streamable-http#schema-extension.8",
                        "2026-07-28/server/tools#x-mcp-header.7",
                    ],
                )
                .since(Revision::R2026_07_28),
                Rule::of_servers(
                    TOOL_SCHEMA,
                    "a tool's input schema is a JSON Schema",
                    "the `inputSchema` of a tool is an object, and a schema by its dialect",
                    &["2025-11-25/server/tools#tool.1"],
                )
                .since(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Shapes {
            schemas: Schemas::of(revision),
            revision,
            binding,
            is_modern: revision.era() == Era::Modern,
            used: HashMap::new(),
            remarks: Remarks::default(),
        }))
    }
}

struct Shapes {
    schemas: &'static Schemas,
    revision: Revision,
    binding: Binding,
    is_modern: bool,
    /// Position of the request that used an id first, by side, client and id.
    used: HashMap<(Direction, usize, IdKey), u64>,
    remarks: Remarks,
}

/// Ids of requests that are remembered, so that one that comes again is known.
const REMEMBERED: usize = 1 << 17;

/// The rules of one side.
struct Side {
    envelope: &'static str,
    params: &'static str,
    request_id: &'static str,
    result: &'static str,
}

const SERVER: Side = Side {
    envelope: ENVELOPE,
    params: PARAMS,
    request_id: REQUEST_ID,
    result: RESULT,
};
const CLIENT: Side = Side {
    envelope: CLIENT_ENVELOPE,
    params: CLIENT_PARAMS,
    request_id: CLIENT_REQUEST_ID,
    result: CLIENT_RESULT,
};

impl Watch for Shapes {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        encoding(said, sightings);
        if let Some(came) = said.came() {
            // That servers of the modern era ask nothing is a rule of its own.
            if self.is_modern && came.message.kind == Kind::Request {
                return;
            }
            self.judge(&came, &SERVER, sightings);
            if said.takes_notes {
                let place = (self.schemas, self.binding);
                self.remarks.take(place, &came, Role::Server, sightings);
            }
        } else if let Some(asked) = said.asked() {
            self.judge(&asked, &CLIENT, sightings);
            if said.takes_notes {
                let place = (self.schemas, self.binding);
                self.remarks.take(place, &asked, Role::Client, sightings);
            }
        }
    }
}

impl Shapes {
    fn judge(&mut self, came: &Came<'_>, side: &Side, sightings: &mut Sightings) {
        let asked = came.answers();
        let method = match came.message.kind {
            Kind::Request | Kind::Notification => came.message.method.as_deref(),
            _ => asked.map(|asked| asked.method.as_str()),
        };
        let method = method.unwrap_or_default();
        let judged_by = asked.filter(|_| came.message.kind == Kind::Result);
        let source = came.source();
        let violations = self.schemas.judge_message(
            came.message,
            source,
            judged_by.map(|asked| asked.method.as_str()),
        );
        let violations = match judged_by {
            Some(asked) if asked.is_task => self.or_a_task(came, violations),
            _ => violations,
        };
        sightings.judge(side.envelope);
        match came.message.kind {
            Kind::Request | Kind::Notification => sightings.judge(side.params),
            Kind::Result if judged_by.is_some() => sightings.judge(side.result),
            _ => {}
        }
        // The parts of what clients send are told with the whole.
        let is_servers = came.entry.direction == Direction::Received;
        let seen = Seen {
            revision: self.revision,
            method,
            value: &came.message.value,
            source,
        };
        let seen = (is_servers && came.message.kind != Kind::Error).then_some(seen);
        for rule in seen.iter().flat_map(Seen::judged) {
            sightings.judge(rule);
        }
        for place in seen.iter().flat_map(Seen::odd_types) {
            let shown = came.raw(&place).unwrap_or_default();
            let message = format!(
                "result of {method}: `mimeType` is {}, not a MIME type",
                text::cut(&shown)
            );
            let finding = Finding::new(FindingCode::Schema, message)
                .expected("a MIME type, as `text/plain`")
                .actual(shown)
                .at(came.entry.seq, &place);
            sightings.find(CONTENT, method, "mimeType", finding);
        }
        for violation in violations {
            let Some(whole) = rule_of(&violation, came, asked, side) else {
                continue;
            };
            // That results of tools stand alone is a rule on sampling.
            if seen.is_some_and(|seen| seen.is_mixed(&violation.pointer)) {
                continue;
            }
            let part = seen.filter(|_| whole == side.result || whole == side.params);
            let part = part.and_then(|seen| seen.rule_of(&violation));
            let rule = part.unwrap_or(whole);
            // Without a method the message is told by what it is.
            let path = format!(
                "{} {}",
                text::generalize(&came.message.value, &violation.pointer),
                violation.expected
            );
            let shown = violation.message.clone();
            let mut finding = violation.finding(came.entry.seq, "");
            finding.message = match came.message.kind {
                Kind::Result if !method.is_empty() => format!("result of {method}: {shown}"),
                Kind::Request | Kind::Notification => format!("{}: {shown}", text::cut(method)),
                _ => shown,
            };
            if finding.actual.as_ref().is_none_or(String::is_empty) {
                finding.actual = Some(came.text());
            }
            sightings.find(rule, method, &path, finding);
        }
        if came.message.kind == Kind::Request {
            self.request_id(came, side.request_id, sightings);
        }
    }

    /// A request that asked for a task may get one.
    fn or_a_task(&self, came: &Came<'_>, violations: Vec<Violation>) -> Vec<Violation> {
        let result = &came.message.value["result"];
        let is_task = result.get("task").is_some() && result.get("content").is_none();
        let raw = came.raw("/result");
        let of_task = self
            .schemas
            .judge_definition("CreateTaskResult", result, raw.as_deref());
        match of_task {
            Ok(of_task) if is_task => {
                let below = |violation: Violation| violation.below("/result");
                of_task.into_iter().map(below).collect()
            }
            _ => violations,
        }
    }

    fn request_id(&mut self, came: &Came<'_>, rule: &'static str, sightings: &mut Sightings) {
        let Some(id) = came.message.id.as_ref().filter(|id| !id.is_null()) else {
            return;
        };
        // Without a session a server may be a new one for each request, and count from the beginning.
        if self.binding == Binding::Http && came.entry.direction == Direction::Received {
            return;
        }
        sightings.judge(rule);
        let entry = came.entry;
        let key = (entry.direction, came.client.number, IdKey::of(id));
        match self.used.get(&key) {
            None if self.used.len() < REMEMBERED => {
                self.used.insert(key, entry.seq);
            }
            None => {}
            Some(first) => {
                let message = format!(
                    "the id {} is that of two requests, #{first} and #{}",
                    text::cut(&id.0),
                    entry.seq
                );
                let finding = Finding::new(FindingCode::Duplicate, message)
                    .expected("an id that no earlier request of the session had")
                    .actual(id.0.clone())
                    .at(entry.seq, "/id");
                sightings.find(rule, "", "/id", finding);
            }
        }
    }
}

/// On lines this is part of what a line is.
fn encoding(said: &Said<'_>, sightings: &mut Sightings) {
    let entry = said.entry;
    let is_text = match entry.http.as_ref().map(|http| &http.part) {
        Some(HttpPart::Event { is_terminated, .. }) => *is_terminated,
        Some(HttpPart::Body) => said
            .carrier()
            .and_then(|asked| asked.status)
            .is_some_and(|status| (200..300).contains(&status)),
        _ => false,
    };
    if !is_text || entry.part_of.is_some() || entry.length == 0 {
        return;
    }
    sightings.judge(ENCODING);
    let broken = entry.defects.iter();
    let mut broken = broken.filter(|defect| defect.kind == DefectKind::InvalidUtf8);
    if let Some(defect) = broken.next() {
        let message = format!(
            "a message over HTTP is no UTF-8 at byte {}: {}",
            defect.offset, defect.detail
        );
        let finding = Finding::new(FindingCode::Framing, message)
            .expected("text in UTF-8")
            .actual(String::from_utf8_lossy(&entry.raw))
            .at(entry.seq, "");
        sightings.find(ENCODING, "", "", finding);
    }
}

/// The rule that a violation breaks; `None` where another observer judges it, or where the text leaves it open.
fn rule_of(
    violation: &Violation,
    came: &Came<'_>,
    asked: Option<&Asked>,
    side: &Side,
) -> Option<&'static str> {
    let pointer = violation.pointer.as_str();
    let is_response = matches!(came.message.kind, Kind::Result | Kind::Error);
    // A code that is kept for others is a rule of its own.
    let is_integer = came
        .message
        .value
        .at(pointer)
        .is_some_and(|value| value.is_i64());
    if pointer == "/error/code" && is_integer {
        return None;
    }
    // Whatever a request was called by, its answer says: an unlawful id comes back as it was, and what cannot be read is answered
    // without one.
    if is_response && asked.is_none() && (pointer == "/id" || violation.expected.contains("`id`")) {
        return None;
    }
    if let Some(rest) = pointer.strip_prefix("/result").filter(|_| is_response) {
        let is_left = matches!(rest, "/ttlMs" | "/cacheScope" | "/resultType")
            || (rest.is_empty() && is_of_another(&violation.expected));
        return (!is_left && asked.is_some()).then_some(side.result);
    }
    if pointer.starts_with("/params") || violation.expected.contains("`params`") {
        return Some(side.params);
    }
    Some(side.envelope)
}

/// Whether a member that is missing of a result is the matter of another rule.
fn is_of_another(expected: &str) -> bool {
    ["ttlMs", "cacheScope", "resultType"]
        .iter()
        .any(|member| expected.contains(member))
}

#[cfg(test)]
mod tests;
