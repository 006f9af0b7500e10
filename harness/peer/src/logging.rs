//! Log messages to the client, at the level it asked for.
//!
//! **Source**: `2024-11-05/server/utilities/logging`.

use crate::error::RpcError;
use crate::incoming::Params;
use crate::json::Json;
use crate::outgoing::{Outlet, PostNumber};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The levels of RFC 5424, least severe first.
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

    /// The same log, for what is logged on behalf of a POST.
    pub fn relating_to(&self, post: Option<PostNumber>) -> Self {
        Log {
            level: Arc::clone(&self.level),
            outlet: self.outlet.relating_to(post),
        }
    }

    /// Answers `logging/setLevel`.
    pub fn set_level(&self, params: Params<'_>) -> Result<Value, RpcError> {
        let name = params.required_string("level")?;
        let level = LEVELS.iter().position(|level| *level == name);
        let level = level.ok_or_else(|| RpcError::invalid_params("Invalid log level"))?;
        self.level.store(level, Ordering::Relaxed);
        Ok(json!({}))
    }

    /// Logs at `info`, if the client wants that.
    pub async fn info(&self, text: &str) {
        let level = 1;
        if level >= self.level.load(Ordering::Relaxed) {
            let params = json!({ "level": LEVELS[level], "logger": "reference", "data": text });
            self.outlet
                .notify("notifications/message", Json::from(params))
                .await;
        }
    }
}
