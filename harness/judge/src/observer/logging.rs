//! Log messages: of servers that declare them, at the level that was asked for, and in the modern era for a request that asks for them.
//!
//! On lines a notification does not say whose it is. So in the modern era a log message is judged by all requests that may still be worked
//! on. What was written after the response to a request that came later is late; a moment after its own response, it may only have
//! been slow.

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::{Entry, HttpPart};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

const CREDENTIALS: &str = "credentials";
const DECLARED: &str = "declared";
const LEVEL: &str = "level";
const REQUESTED: &str = "requested";

const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// Levels of log messages, least severe first.
const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// What is shorter may be an ordinary word.
const SHORTEST: usize = 8;
/// Credentials that are remembered: a client has one, or a few that follow each other.
const MOST: usize = 16;

/// Watches log messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logging;

impl Observer for Logging {
    fn name(&self) -> &'static str {
        "logging"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    CREDENTIALS,
                    "log messages hold no credentials of the client",
                    "what a client gives in `Authorization` does not come back in a log message",
                    &["2024-11-05/server/utilities/logging#security.1"],
                ),
                Rule::of_servers(
                    DECLARED,
                    "a server that logs declares that it does",
                    "a server that sends log messages has declared the capability `logging`",
                    &["2024-11-05/server/utilities/logging#capabilities.1"],
                ),
                Rule::of_servers(
                    LEVEL,
                    "log messages have the level that was set",
                    "once a server has answered logging/setLevel with a result, its log messages have that level or a more severe one",
                    &["2024-11-05/schema#setlevelrequest-level.1"],
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    REQUESTED,
                    "log messages come where a request asked for them",
                    "a server sends a log message only for a request whose `_meta` has a log level, and at or above that level",
                    &[
                        "2026-07-28/server/utilities/logging#per-request-log-level.1",
                        "2026-07-28/server/utilities/logging#per-request-log-level.3",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Logs {
            is_modern: revision.era() == Era::Modern,
            is_ordered: binding != Binding::Http,
            set: HashMap::new(),
            credentials: BTreeMap::new(),
        }))
    }
}

struct Logs {
    is_modern: bool,
    /// Whether what comes later was sent later.
    is_ordered: bool,
    /// The level that was set last, by connection, and the position of the result.
    set: HashMap<String, (usize, u64)>,
    /// What clients have given as credentials, and where first.
    credentials: BTreeMap<String, u64>,
}

impl Watch for Logs {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        if let Some(given) = credentials(said.entry)
            && self.credentials.len() < MOST
        {
            self.credentials.entry(given).or_insert(said.entry.seq);
        }
        let Some(came) = said.came() else {
            return;
        };
        if came.notification() == Some("notifications/message") {
            declared(&came, sightings);
            self.secrets(&came, sightings);
            if self.is_modern {
                log_message(&came, sightings);
            } else {
                self.level(&came, sightings);
            }
        } else if came.message.kind == Kind::Result
            && let Some(asked) = came.answers()
            && asked.method == "logging/setLevel"
        {
            let level = asked.param("level").and_then(level_of);
            let place = came.entry.connection.clone();
            // What is no level should have been refused: then any may be meant.
            self.set.insert(place, (level.unwrap_or(0), came.entry.seq));
        }
    }
}

impl Logs {
    fn secrets(&self, came: &Came<'_>, sightings: &mut Sightings) {
        let Some(params) = came.message.value.get("params") else {
            return;
        };
        for (given, seq) in &self.credentials {
            sightings.judge(CREDENTIALS);
            if !holds(params, given) {
                continue;
            }
            let message = format!("a log message holds what `Authorization` gave at #{seq}");
            let finding = Finding::new(FindingCode::Value, message)
                .expected("no credentials in log messages")
                .actual(came.text().replace(given, "***"))
                .at(came.entry.seq, "/params");
            sightings.find(CREDENTIALS, "", "/params", finding);
        }
    }

    fn level(&self, came: &Came<'_>, sightings: &mut Sightings) {
        let Some(&(least, seq)) = self.set.get(&came.entry.connection) else {
            return;
        };
        let is_setting =
            |asked: &Asked| asked.method == "logging/setLevel" && asked.answered.is_none();
        let may_have_changed = came.client.asked.iter().any(is_setting);
        if !self.is_ordered || came.client.is_unreadable || may_have_changed {
            return;
        }
        sightings.judge(LEVEL);
        let level = came.message.value.at("/params/level");
        let Some(level) = level.and_then(level_of).filter(|&level| level < least) else {
            return;
        };
        let message = format!(
            "a log message of level {} came after #{seq}, which set {}",
            LEVELS[level], LEVELS[least]
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected(format!("level {} or above", LEVELS[least]))
            .actual(came.text())
            .at(came.entry.seq, "/params/level");
        sightings.find(LEVEL, "", "/params/level", finding);
    }
}

/// What a request gives in `Authorization`, without the scheme.
fn credentials(entry: &Entry) -> Option<String> {
    let HttpPart::Request { head, .. } = &entry.http.as_ref()?.part else {
        return None;
    };
    let value = head.value("authorization")?;
    let value = value.trim();
    let given = value
        .split_once(' ')
        .map_or(value, |(_, given)| given.trim());
    (given.len() >= SHORTEST).then(|| given.to_owned())
}

/// Whether a text stands in a string somewhere in a value.
fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains(text) || holds(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn declared(came: &Came<'_>, sightings: &mut Sightings) {
    if came.client.server_capabilities.is_none() {
        return;
    }
    sightings.judge(DECLARED);
    if came.client.offered("logging").is_some() {
        return;
    }
    let message = "a log message came from a server that does not declare `logging`";
    let finding = Finding::new(FindingCode::Undeclared, message)
        .expected("the capability `logging`, or no log messages")
        .actual(came.text())
        .at(came.entry.seq, "");
    sightings.find(DECLARED, "", "", finding);
}

fn log_message(came: &Came<'_>, sightings: &mut Sightings) {
    // That it is on the stream of a subscription is another rule's matter.
    if came.client.is_unreadable || came.stream.is_some_and(Asked::is_listen) {
        return;
    }
    let wanted: Vec<usize> = match came.stream {
        Some(asked) => wanted(asked).into_iter().collect(),
        None => {
            let asked = came.client.asked.iter();
            let recent = asked.filter(|asked| came.client.asked.is_recent(asked));
            recent.filter_map(wanted).collect()
        }
    };
    sightings.judge(REQUESTED);
    let Some(&least) = wanted.iter().min() else {
        let message = match came.stream {
            Some(asked) => format!(
                "a log message came for `{}`, which asked for none",
                asked.method
            ),
            None => "a log message came, where no request asks for any".to_owned(),
        };
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected("log messages only for a request with a log level in `_meta`")
            .actual(came.text())
            .at(came.entry.seq, "");
        sightings.find(REQUESTED, "", "", finding);
        return;
    };
    let level = came.message.value.at("/params/level");
    let level = level.and_then(level_of).filter(|&level| level < least);
    if let Some(level) = level {
        let message = format!(
            "a log message of level {} came, where {} is asked for",
            LEVELS[level], LEVELS[least]
        );
        let finding = Finding::new(FindingCode::Value, message)
            .expected(format!("level {} or above", LEVELS[least]))
            .actual(came.text())
            .at(came.entry.seq, "/params/level");
        sightings.find(REQUESTED, "", "/params/level", finding);
    }
}

fn level_of(level: &Value) -> Option<usize> {
    LEVELS.iter().position(|known| level == known)
}

/// The least level that a request asks for. One that is no level should have been refused: where it was not, any message may mean it.
fn wanted(asked: &Asked) -> Option<usize> {
    let level = asked.meta(LOG_LEVEL)?;
    Some(level_of(level).unwrap_or(0))
}

#[cfg(test)]
mod tests;
