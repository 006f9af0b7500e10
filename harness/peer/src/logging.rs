//! Log messages to the client, at the level it asked for: once and for all by `logging/setLevel`, from 2026-07-28 on in each request.
//!
//! **Source**: `2024-11-05/server/utilities/logging`, `2026-07-28/server/utilities/logging`.

use crate::error::RpcError;
use crate::incoming::Params;
use crate::json::Json;
use crate::outgoing::Outlet;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The levels of RFC 5424, least severe first.
pub(crate) const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

/// Until a client sets one, the level is the server's choice.
const DEFAULT: usize = 1;

/// Where log messages go.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    level: Arc<AtomicUsize>,
    outlet: Outlet,
}

impl Log {
    /// A log at the default level.
    pub fn new(outlet: Outlet) -> Self {
        Log {
            level: Arc::new(AtomicUsize::new(DEFAULT)),
            outlet,
        }
    }

    /// A log for one request that names its level; without one nothing is logged for it.
    pub fn at(level: Option<usize>, outlet: Outlet) -> Self {
        Log {
            level: Arc::new(AtomicUsize::new(level.unwrap_or(LEVELS.len()))),
            outlet,
        }
    }

    /// The same log, by another way out.
    pub fn through(&self, outlet: Outlet) -> Self {
        Log {
            level: Arc::clone(&self.level),
            outlet,
        }
    }

    /// Answers `logging/setLevel`.
    pub fn set_level(&self, params: Params<'_>) -> Result<Value, RpcError> {
        let name = params.required_string("level")?;
        let level = level(name).ok_or_else(|| RpcError::invalid_params("Invalid log level"))?;
        self.level.store(level, Ordering::Relaxed);
        Ok(json!({}))
    }

    /// Logs at `info`, if the client wants that.
    pub async fn info(&self, text: &str) {
        self.say("info", text).await;
    }

    /// Logs at a level of [`LEVELS`], if the client wants that.
    pub async fn say(&self, level: &str, text: &str) {
        let level = self::level(level).unwrap_or(DEFAULT);
        if level >= self.level.load(Ordering::Relaxed) {
            let params = json!({ "level": LEVELS[level], "logger": "reference", "data": text });
            self.outlet
                .notify("notifications/message", Json::from(params))
                .await;
        }
    }
}

/// The place of a level among [`LEVELS`].
pub(crate) fn level(name: &str) -> Option<usize> {
    LEVELS.iter().position(|level| *level == name)
}
