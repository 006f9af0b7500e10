//! Progress: of a request that asked for it, growing, while it is worked on.

use super::dialogue::{Asked, Came, Requests, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::Direction;
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::{Number, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;

const ACTIVE: &str = "active";
const CLIENT_ACTIVE: &str = "client-active";
const CLIENT_INCREASES: &str = "client-increases";
const CLIENT_TOKEN: &str = "client-token-unique";
const INCREASES: &str = "increases";
const TOKEN: &str = "token-unique";

const OF_ACTIVE: &[&str] = &[
    "2024-11-05/basic/utilities/progress#behavior-requirements.1",
    "2024-11-05/basic/utilities/progress#behavior-requirements.2",
    "2024-11-05/basic/utilities/progress#implementation-notes.3",
    "2025-11-25/basic/utilities/progress#behavior-requirements.7",
];
const OF_INCREASES: &[&str] = &["2024-11-05/basic/utilities/progress#progress-flow.4"];
const OF_TOKEN: &[&str] = &["2024-11-05/basic/utilities/progress#progress-flow.2"];

/// Watches progress notifications and the tokens that they go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress;

impl Observer for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    ACTIVE,
                    "progress is that of a request that asked for it",
                    "a progress notification has the token of a request that the client sent and that has no response yet",
                    OF_ACTIVE,
                ),
                Rule::of_clients(
                    CLIENT_ACTIVE,
                    "a client's progress is that of a request that asked for it",
                    "a progress notification has the token of a request that the server sent and that has no response yet",
                    OF_ACTIVE,
                )
                .until(Revision::R2025_11_25),
                Rule::of_clients(
                    CLIENT_INCREASES,
                    "a client's progress grows",
                    "each progress notification of a request has a greater value than the one before",
                    OF_INCREASES,
                )
                .until(Revision::R2025_11_25),
                Rule::of_clients(
                    CLIENT_TOKEN,
                    "a client's progress tokens are unique",
                    "no two requests that wait for their responses have the same progress token",
                    OF_TOKEN,
                ),
                Rule::of_servers(
                    INCREASES,
                    "progress grows",
                    "each progress notification of a request has a greater value than the one before",
                    OF_INCREASES,
                ),
                Rule::of_servers(
                    TOKEN,
                    "a server's progress tokens are unique",
                    "no two requests that wait for their responses have the same progress token",
                    OF_TOKEN,
                )
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Tokens {
            is_modern: revision.era() == Era::Modern,
            is_ordered: binding != Binding::Http,
            last: HashMap::new(),
        }))
    }
}

/// The last value of a token, where it came, and of which request it was.
struct Last {
    request: u64,
    seq: u64,
    exchange: Option<u64>,
    value: f64,
    raw: Written,
}

/// A number as it was written.
#[derive(Eq, Hash, PartialEq)]
enum Written {
    /// There is one way to write an integer.
    Integer(Number),
    Otherwise(String),
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Written::Integer(number) => number.fmt(f),
            Written::Otherwise(text) => f.write_str(text),
        }
    }
}

struct Tokens {
    is_modern: bool,
    /// Whether what comes later was sent later, whichever way it came.
    is_ordered: bool,
    /// By direction, client and token.
    last: HashMap<(Direction, usize, Written), Last>,
}

/// Tokens whose last value is remembered.
const REMEMBERED: usize = 1 << 16;

impl Watch for Tokens {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let (came, rules) = match (said.came(), said.asked()) {
            (Some(came), _) => (came, [ACTIVE, INCREASES, TOKEN]),
            (None, Some(asked)) => (asked, [CLIENT_ACTIVE, CLIENT_INCREASES, CLIENT_TOKEN]),
            (None, None) => return,
        };
        if came.notification() == Some("notifications/progress") {
            if came.client.is_unreadable {
                return;
            }
            let asked = self.active(&came, rules[0], sightings);
            self.increases(&came, asked, rules[1], sightings);
        } else {
            unique(&came, rules[2], sightings);
        }
    }
}

/// The requests of the other side, which progress is about.
fn requests<'d>(came: &Came<'d>) -> &'d Requests {
    match came.entry.direction {
        Direction::Received => &came.client.asked,
        Direction::Sent => &came.client.questions,
    }
}

impl Tokens {
    /// Judges the token; gives the request that has it, the last of several.
    fn active<'d>(
        &self,
        came: &Came<'d>,
        rule: &'static str,
        sightings: &mut Sightings,
    ) -> Option<&'d Asked> {
        let params = came.message.value.member("params")?;
        let token = params.member("progressToken")?;
        let all = requests(came);
        // In the modern era the stream says whose progress it is: that of another request is another rule's matter.
        let stream = came.stream.filter(|_| self.is_modern);
        let (mut last, mut open) = (None, None);
        let (mut is_elsewhere, mut is_of_task) = (false, false);
        for asked in all.with_token(token) {
            if stream.is_some_and(|stream| !asked.is(stream)) {
                is_elsewhere = true;
                continue;
            }
            last = Some(asked);
            is_of_task |= asked.is_task;
            if asked.answered.is_none() {
                open = Some(asked);
            }
        }
        let is_of_past = || came.client.past.has_token(token) || came.client.is_midway;
        if last.is_none() && (is_elsewhere || is_of_past()) {
            return None;
        }
        // The progress of a task goes on when its request is answered.
        if is_of_task {
            return None;
        }
        if open.is_some() {
            sightings.judge(rule);
            return open;
        }
        let shown = came.raw("/params/progressToken").unwrap_or_default();
        let exchange = came.entry.http.as_ref().map(|http| http.exchange);
        let (code, message) = match last {
            None if all.is_forgetful() => (
                FindingCode::Id,
                format!(
                    "progress came with the token {}, which no request in progress has",
                    text::cut(&shown)
                ),
            ),
            None => (
                FindingCode::Id,
                format!(
                    "progress came with the token {}, which no request had",
                    text::cut(&shown)
                ),
            ),
            // On another stream it may have been sent before the response.
            Some(asked) if !self.is_ordered && asked.exchange != exchange => return None,
            Some(asked) => (
                FindingCode::Order,
                format!(
                    "progress came with the token {} after the response #{} to its request",
                    text::cut(&shown),
                    asked.answered.unwrap_or_default()
                ),
            ),
        };
        sightings.judge(rule);
        let finding = Finding::new(code, message)
            .expected("the token of a request that has no response yet")
            .actual(shown)
            .at(came.entry.seq, "/params/progressToken");
        sightings.find(rule, "", "/params/progressToken", finding);
        None
    }

    fn increases(
        &mut self,
        came: &Came<'_>,
        asked: Option<&Asked>,
        rule: &'static str,
        sightings: &mut Sightings,
    ) {
        let place = "/params/progress";
        let (Some(asked), Some(progress)) = (asked, came.message.value.at(place)) else {
            return;
        };
        let (Value::Number(number), Some(value)) = (progress, progress.as_f64()) else {
            return;
        };
        let raw = if number.is_f64() {
            Written::Otherwise(came.raw(place).unwrap_or_default())
        } else {
            Written::Integer(number.clone())
        };
        let entry = came.entry;
        let token = match asked.token() {
            Some(Value::Number(token)) if !token.is_f64() => Written::Integer(token.clone()),
            token => Written::Otherwise(token.map(Value::to_string).unwrap_or_default()),
        };
        let key = (entry.direction, came.client.number, token);
        let exchange = entry.http.as_ref().map(|http| http.exchange);
        let before = self.last.get(&key).filter(|last| {
            // Of another request, or on another stream, which may be slower.
            last.request == asked.seq && (self.is_ordered || last.exchange == exchange)
        });
        if let Some(last) = before {
            sightings.judge(rule);
            // What is equal as a double may still differ as it is written.
            let grows = value > last.value || (value == last.value && raw != last.raw);
            if !grows {
                let message = format!(
                    "progress went from {} in #{} to {}",
                    text::cut(&last.raw.to_string()),
                    last.seq,
                    text::cut(&raw.to_string())
                );
                let finding = Finding::new(FindingCode::Value, message)
                    .expected(format!("more than {}", text::cut(&last.raw.to_string())))
                    .actual(raw.to_string())
                    .at(entry.seq, "/params/progress");
                sightings.find(rule, "", "/params/progress", finding);
            }
        }
        let has_room = self.last.len() < REMEMBERED;
        let last = Last {
            request: asked.seq,
            seq: entry.seq,
            exchange,
            value,
            raw,
        };
        match self.last.entry(key) {
            Entry::Occupied(mut kept) => {
                kept.insert(last);
            }
            Entry::Vacant(free) if has_room => {
                free.insert(last);
            }
            Entry::Vacant(_) => {}
        }
    }
}

/// A request with a token that another one has which waits for its response.
fn unique(came: &Came<'_>, rule: &'static str, sightings: &mut Sightings) {
    if came.message.kind != Kind::Request {
        return;
    }
    let own = match came.entry.direction {
        Direction::Received => &came.client.questions,
        Direction::Sent => &came.client.asked,
    };
    let Some(asked) = own.at(came.entry.seq) else {
        return;
    };
    let Some(token) = asked.token() else {
        return;
    };
    sightings.judge(rule);
    let twin = own
        .with_token(token)
        .find(|other| other.seq < asked.seq && other.answered.is_none() && other.is_lawful);
    if let Some(twin) = twin {
        let message = format!(
            "the request `{}` has the progress token {} of #{}, which has no response yet",
            text::cut(&asked.method),
            text::cut(&token.to_string()),
            twin.seq
        );
        let finding = Finding::new(FindingCode::Duplicate, message)
            .expected("a token that no other request has which waits for its response")
            .actual(token.to_string())
            .at(came.entry.seq, "/params/_meta/progressToken");
        sightings.find(rule, "", "/params/_meta/progressToken", finding);
    }
}

#[cfg(test)]
mod tests;
