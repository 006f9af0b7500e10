//! Tools that take time, and one that changes something.

use super::{Call, Outcome, rounds};
use crate::error::RpcError;
use crate::json::Json;
use crate::modern::subscriptions::Change;
use crate::questions::{Asker, Capability};
use serde_json::{Value, json};
use std::time::Duration;

/// Between two signs of life of a tool that reports.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// What a job takes that fails.
const JOB: Duration = Duration::from_secs(1);

/// Takes the time it is told to take. A cancel drops this future at its only await.
pub(super) async fn slow(call: Call) -> Outcome {
    let ms = call.arguments.get("ms").and_then(Value::as_f64);
    let ms = ms.unwrap_or_default();
    tokio::time::sleep(Duration::from_secs_f64(ms / 1000.0)).await;
    if call.arguments.get("leaves_trace") == Some(&Value::Bool(true)) {
        call.watched.finish();
    }
    Outcome::text(format!("Waited {ms} ms."))
}

/// What [`slow`] takes: a minute at most.
pub(super) fn slow_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "ms": { "type": "integer", "minimum": 0, "maximum": 60000, "description": "Milliseconds to wait" },
            "leaves_trace": { "type": "boolean", "description": "Whether test://finished-calls counts it once it has waited" },
        },
        "required": ["ms"],
    })
}

/// Logs three times.
pub(super) async fn with_logging(call: Call) -> Outcome {
    call.log.info("Tool execution started").await;
    tokio::time::sleep(PAUSE).await;
    call.log.info("Tool processing data").await;
    tokio::time::sleep(PAUSE).await;
    call.log.info("Tool execution completed").await;
    Outcome::text("Logged three times.")
}

/// Logs at four levels, from the least severe on.
pub(super) async fn at_levels(call: Call) -> Outcome {
    for level in ["debug", "info", "warning", "error"] {
        call.log.say(level, "Logged by a tool").await;
    }
    Outcome::text("Logged at four levels.")
}

/// Reports progress, then asks the user, if the client can: all that comes before the answer is notifications.
pub(super) async fn then_asks(call: Call) -> Outcome {
    call.log.info("Working").await;
    call.progress.report(50, "Half way").await;
    tokio::time::sleep(PAUSE).await;
    rounds::run(&call, |rounds| {
        if rounds.has(Capability::Elicitation) {
            return rounds::elicitation(rounds);
        }
        Ok(Outcome::text("There is nobody to ask."))
    })
}

/// Reports progress three times, the last time before the answer: progress must stop with it.
pub(super) async fn with_progress(call: Call) -> Outcome {
    call.progress.report(0, "Started").await;
    tokio::time::sleep(PAUSE).await;
    call.progress.report(50, "Half way").await;
    tokio::time::sleep(PAUSE).await;
    call.progress.report(100, "Done").await;
    Outcome::text("Reported three times.")
}

/// Changes the watched resource.
pub(super) async fn touch(call: Call) -> Outcome {
    let changes = call.watched.change().await;
    Outcome::text(format!("Changed {changes} times."))
}

/// Says that a list changed. It does not: no modern request may change a list as a side effect, and to say so without need is lawful.
pub(super) async fn announce(call: Call, change: Change<'static>) -> Outcome {
    if let Asker::Legacy(..) = &call.asker {
        // It relates to no request.
        let outlet = call.outlet.relating_to(None);
        outlet.notify(change.method(), Json::object([])).await;
    }
    call.watched.listens.tell(change).await;
    Outcome::text("Told all who listen.")
}

/// Computes for the time it is told to take, and reports progress.
pub(super) async fn compute(call: Call) -> Outcome {
    let seconds = call.arguments.get("seconds").and_then(Value::as_f64);
    let half = Duration::from_secs_f64(seconds.unwrap_or_default() / 2.0);
    call.progress.report(0, "Started").await;
    tokio::time::sleep(half).await;
    call.log.info("Half of it is computed").await;
    call.progress.report(50, "Half way").await;
    tokio::time::sleep(half).await;
    call.progress.report(100, "Done").await;
    Outcome::text(format!("Computed: {}", call.text("label")))
}

/// What [`compute`] takes: a minute at most.
pub(super) fn compute_input() -> Value {
    json!({
        "type": "object",
        "properties": {
            "seconds": { "type": "number", "minimum": 0, "maximum": 60, "description": "How long it takes" },
            "label": { "type": "string", "description": "What it is called" },
        },
        "required": ["seconds"],
    })
}

/// Fails after a while, as a tool fails.
pub(super) async fn fail() -> Outcome {
    tokio::time::sleep(JOB).await;
    Outcome::error("The job failed.")
}

/// Fails after a while, as a request fails.
pub(super) async fn break_off() -> Outcome {
    tokio::time::sleep(JOB).await;
    Outcome::Refused(RpcError::internal("the job broke off"))
}

/// Works, has the client come back for the answer where that is possible, and works on.
///
/// **Source**: `2025-11-25/basic/transports#sending-messages-to-the-server`.
pub(super) async fn leave(call: Call) -> Outcome {
    tokio::time::sleep(PAUSE).await;
    call.outlet.leave().await;
    tokio::time::sleep(PAUSE).await;
    Outcome::text("Answered after the connection was closed, where it was.")
}
