//! Whole messages: as JSON-RPC has them, and as their method has them in the revision.
//!
//! ```text
//! message -> Schemas::judge_message -> violations below /result  -> result  \
//!                                      those below /params       -> params   } one rule each, for servers and for clients
//!                                      all others                -> envelope /
//! ```
//!
//! What a rule of its own judges, and says better, is left to it: caching hints, the type of a result, the text of a content block.

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::schema::{Schemas, Violation};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::{Direction, HttpPart};
use mcp_assay_wire::jsonrpc::Kind;
use mcp_assay_wire::stdio::DefectKind;
use std::collections::HashMap;

const CLIENT_ENVELOPE: &str = "client-envelope";
const CLIENT_PARAMS: &str = "client-params";
const CLIENT_RESULT: &str = "client-result";
const ENCODING: &str = "encoding";
const ENVELOPE: &str = "envelope";
const PARAMS: &str = "params";
const REQUEST_ID: &str = "request-id";
const CLIENT_REQUEST_ID: &str = "client-request-id";
const RESULT: &str = "result";

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
                    RESULT,
                    "a result has the shape of its method",
                    "the result that a server answers with is the one that the revision gives the method asked for",
                    SPOKEN,
                ),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Shapes {
            schemas: Schemas::of(revision),
            binding,
            is_modern: revision.era() == Era::Modern,
            used: HashMap::new(),
        }))
    }
}

struct Shapes {
    schemas: &'static Schemas,
    binding: Binding,
    is_modern: bool,
    /// Position of the request that used an id first, by side, connection and id.
    used: HashMap<(Direction, String, String), u64>,
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
        } else if let Some(asked) = said.asked() {
            self.judge(&asked, &CLIENT, sightings);
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
        let violations = self.schemas.judge_message(
            came.message,
            came.source(),
            judged_by.map(|asked| asked.method.as_str()),
        );
        let violations = match judged_by {
            Some(asked) if asked.param("task").is_some() => self.or_a_task(came, violations),
            _ => violations,
        };
        sightings.judge(side.envelope);
        match came.message.kind {
            Kind::Request | Kind::Notification => sightings.judge(side.params),
            Kind::Result if judged_by.is_some() => sightings.judge(side.result),
            _ => {}
        }
        for violation in violations {
            let Some(rule) = rule_of(&violation, came, asked, side) else {
                continue;
            };
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
        let task = self.schemas.validator("CreateTaskResult");
        let is_task = task.is_ok_and(|task| task.is_valid(&came.message.value["result"]));
        if is_task { Vec::new() } else { violations }
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
        let key = (entry.direction, entry.connection.clone(), id.0.clone());
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
        .pointer(pointer)
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
