//! Notifications that belong to a request: progress and log messages come while it is worked on, and only where it asked for them.
//!
//! On lines a notification does not say whose it is. So a log message is judged by all requests that may still be worked on, and progress by
//! its token. What was written after the response to a request that came later is late; a moment after its own response, a log message
//! may only have been slow.

use super::modern::{Asked, Came, Clients};
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::Entry;
use mcp_assay_model::scenario::Basis;
use serde_json::Value;

const LOGGING: &str = "logging";
const PROGRESS: &str = "progress";

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

/// Watches progress and log messages in the modern era.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestScope;

impl Observer for RequestScope {
    fn name(&self) -> &'static str {
        "scope"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule {
                    id: LOGGING,
                    title: "log messages come where a request asked for them",
                    rule: "a server sends a log message only for a request whose `_meta` has a log level, and at or above that level",
                    basis: Basis::Spec,
                    cites: &[
                        "2026-07-28/server/utilities/logging#per-request-log-level.1",
                        "2026-07-28/server/utilities/logging#per-request-log-level.3",
                    ],
                    since: Revision::R2026_07_28,
                    until: None,
                },
                Rule {
                    id: PROGRESS,
                    title: "progress is that of a request that asked for it",
                    rule: "a progress notification has the token of a request that the client sent and that has no response yet",
                    basis: Basis::Spec,
                    cites: &[
                        "2024-11-05/basic/utilities/progress#behavior-requirements.1",
                        "2024-11-05/basic/utilities/progress#behavior-requirements.2",
                        "2024-11-05/basic/utilities/progress#implementation-notes.3",
                    ],
                    since: Revision::R2026_07_28,
                    until: None,
                },
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| Box::new(Scoped(Clients::new(revision))) as _)
    }
}

struct Scoped(Clients);

impl Watch for Scoped {
    fn see(&mut self, entry: &Entry, sightings: &mut Sightings) {
        let Some(came) = self.0.see(entry) else {
            return;
        };
        match came.notification() {
            Some("notifications/message") => log_message(&came, sightings),
            Some("notifications/progress") => progress(&came, sightings),
            _ => {}
        }
    }
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
            let recent = asked.filter(|asked| came.client.is_recent(asked));
            recent.filter_map(wanted).collect()
        }
    };
    sightings.judge(LOGGING);
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
        sightings.find(LOGGING, "", "", finding);
        return;
    };
    let level = came.message.value.pointer("/params/level");
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
        sightings.find(LOGGING, "", "/params/level", finding);
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

fn progress(came: &Came<'_>, sightings: &mut Sightings) {
    let Some(token) = came.message.value.pointer("/params/progressToken") else {
        return;
    };
    if came.client.is_unreadable {
        return;
    }
    let asked = came.client.asked.iter();
    let (here, elsewhere): (Vec<_>, Vec<_>) = asked
        .filter(|asked| asked.has_token(token))
        .partition(|asked| came.stream.is_none_or(|stream| asked.is(stream)));
    // Progress of another request is on the wrong stream, which is another rule's matter.
    if here.is_empty() && !elsewhere.is_empty() {
        return;
    }
    sightings.judge(PROGRESS);
    let shown = came.raw("/params/progressToken").unwrap_or_default();
    let finished = here.iter().map(|asked| asked.answered);
    let (code, message) = match finished.min() {
        None => (
            FindingCode::Id,
            format!(
                "progress came with the token {}, which no request had",
                text::cut(&shown)
            ),
        ),
        // One of them may be worked on.
        Some(None) => return,
        Some(Some(answered)) => (
            FindingCode::Order,
            format!(
                "progress came with the token {} after the response #{answered} to its request",
                text::cut(&shown)
            ),
        ),
    };
    let finding = Finding::new(code, message)
        .expected("the token of a request that has no response yet")
        .actual(shown)
        .at(came.entry.seq, "/params/progressToken");
    sightings.find(PROGRESS, "", "/params/progressToken", finding);
}

#[cfg(test)]
mod tests;
