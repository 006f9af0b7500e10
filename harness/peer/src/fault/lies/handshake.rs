//! Lies about the handshake: who is heard before it, what is agreed, and what is asked of a client that declared nothing.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::outgoing::Outgoing;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Value, json};

/// Answers nothing between `initialize` and `notifications/initialized`.
#[derive(Default)]
pub(crate) struct WaitsForInitialized {
    is_ready: bool,
}

impl Lie for WaitsForInitialized {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/initialized") => {
                self.is_ready = true;
                Course::Honest
            }
            What::Request(_, method, _)
                if !self.is_ready
                    && heard.terms.is_some()
                    && !heard.is_modern()
                    && !["initialize", "ping"].contains(&method) =>
            {
                fired.count();
                Course::Silence
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Takes a `notifications/initialized` that comes first for a handshake.
#[derive(Default)]
pub(crate) struct BelievesEarlyInitialized {
    is_taken_in: bool,
}

impl Lie for BelievesEarlyInitialized {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/initialized") if heard.terms.is_none() => {
                self.is_taken_in = true;
                Course::Honest
            }
            What::Request(_, "initialize", _) if self.is_taken_in => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_request("already initialized")))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Does not refuse an `initialize` whose `protocolVersion` is no text.
pub(crate) struct BrokenVersion(fn(&Value) -> Course);

impl BrokenVersion {
    /// Never answers it.
    pub fn ignored() -> Box<dyn Lie> {
        Box::new(BrokenVersion(|_| Course::Silence))
    }

    /// Answers with a version of the server's own.
    pub fn overlooked() -> Box<dyn Lie> {
        Box::new(BrokenVersion(|_| {
            Course::Answer(Ok(introduction(json!("2025-11-25"))))
        }))
    }

    /// Answers with the same.
    pub fn repeated() -> Box<dyn Lie> {
        Box::new(BrokenVersion(|version| {
            Course::Answer(Ok(introduction(version.clone())))
        }))
    }
}

impl Lie for BrokenVersion {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, "initialize", _) => {
                let version = arrival.message.value.pointer("/params/protocolVersion");
                if version.is_some_and(Value::is_string) {
                    return Course::Honest;
                }
                fired.count();
                (self.0)(version.unwrap_or(&Value::Null))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Serves the handshake of a batch, which no client may send and nobody need refuse.
#[derive(Default)]
pub(crate) struct ServesBatchedHandshake {
    is_due: bool,
}

impl Lie for ServesBatchedHandshake {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Batch => self.is_due = true,
            What::Request(_, "initialize", _) if std::mem::take(&mut self.is_due) => {
                fired.count();
                return Course::Admit;
            }
            What::Request(..) | What::Notification(..) | What::Malformed => {}
        }
        Course::Honest
    }
}

/// Never answers the handshake behind one that should have meant nothing.
pub(crate) struct LosesHandshake {
    behind: Behind,
    /// Id of the handshake that is under way.
    opening: Option<RawId>,
    is_due: bool,
}

/// What it loses the handshake behind.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Behind {
    /// A batch that held one.
    Batch,
    /// The cancellation of one, before it was complete.
    Cancellation,
}

impl LosesHandshake {
    /// Behind a batch that held one.
    pub fn behind_batch() -> Box<dyn Lie> {
        Box::new(LosesHandshake::behind(Behind::Batch))
    }

    /// Behind the cancellation of one.
    pub fn behind_cancellation() -> Box<dyn Lie> {
        Box::new(LosesHandshake::behind(Behind::Cancellation))
    }

    fn behind(behind: Behind) -> Self {
        LosesHandshake {
            behind,
            opening: None,
            is_due: false,
        }
    }
}

impl Lie for LosesHandshake {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match (self.behind, heard.what) {
            (_, What::Request(_, "initialize", _)) if self.is_due => {
                fired.count();
                self.is_due = false;
                return Course::Silence;
            }
            // The next handshake is that of the batch, and the one after it is lost.
            (Behind::Batch, What::Batch) => self.opening = Some(RawId("null".to_owned())),
            (Behind::Batch, What::Request(_, "initialize", _)) => {
                self.is_due = self.opening.take().is_some();
            }
            (Behind::Cancellation, What::Request(arrival, "initialize", _)) => {
                self.opening.clone_from(&arrival.message.id);
            }
            (Behind::Cancellation, What::Notification(_, "notifications/initialized")) => {
                self.opening = None;
            }
            (Behind::Cancellation, What::Notification(arrival, "notifications/cancelled")) => {
                let named = arrival.raw_at("/params/requestId");
                self.is_due = named.is_some() && named == self.opening.take();
            }
            (_, What::Request(..) | What::Notification(..) | What::Batch | What::Malformed) => {}
        }
        Course::Honest
    }
}

fn introduction(version: Value) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": {},
        "serverInfo": { "name": "mcp-assay-reference-server", "version": "0" },
    })
}

/// Wants a client of the modern era to begin with `server/discover`, as one of the legacy era begins with `initialize`.
#[derive(Default)]
pub(crate) struct WantsDiscoverFirst {
    is_greeted: bool,
}

impl Lie for WantsDiscoverFirst {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(_, method, _) if heard.is_modern() && !self.is_greeted => {
                if method == "server/discover" {
                    self.is_greeted = true;
                    return Course::Honest;
                }
                fired.count();
                Course::Answer(Err(RpcError::invalid_request(
                    "server/discover comes first",
                )))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Refuses requests with members, or parameters of `tools/list`, that it does not know.
pub(crate) struct RefusesUnknownMembers;

impl Lie for RefusesUnknownMembers {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, method, _) = heard.what else {
            return Course::Honest;
        };
        let has_others = |at: &str, known: &[&str]| {
            let members = arrival.message.value.pointer(at).and_then(Value::as_object);
            members.is_some_and(|members| members.keys().any(|key| !known.contains(&key.as_str())))
        };
        if has_others("", &["jsonrpc", "id", "method", "params"])
            || (method == "tools/list" && has_others("/params", &["cursor", "_meta"]))
        {
            fired.count();
            return Course::Answer(Err(RpcError::invalid_params("unexpected member")));
        }
        Course::Honest
    }
}

/// Answers `server/discover` whatever its `_meta` is.
pub(crate) struct TakesAnyMeta;

impl Lie for TakesAnyMeta {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, "server/discover", _)
                if arrival
                    .message
                    .value
                    .pointer("/params/_meta")
                    .is_some_and(|meta| !meta.is_object()) =>
            {
                fired.count();
                Course::Answer(Ok(json!({
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": {},
                    "ttlMs": 0,
                    "cacheScope": "private",
                })))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Completes without declaring that it can.
pub(crate) struct CompletesUndeclared;

impl Lie for CompletesUndeclared {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(_, "completion/complete", _) => {
                fired.count();
                Course::Answer(Ok(json!({ "completion": { "values": ["anything"] } })))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        _is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let introduces = ["initialize", "server/discover"];
        if introduces
            .iter()
            .any(|method| message.about.is_reply_to(method))
            && message.json.remove("/result/capabilities/completions")
        {
            fired.count();
        }
        vec![message]
    }
}

/// Asks a client for its roots when a tool is called, whatever it declared.
#[derive(Default)]
pub(crate) struct AsksWhenCalled {
    asked: u64,
}

impl Lie for AsksWhenCalled {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(_, "tools/call", _)
                if heard.terms.is_some_and(|terms| !terms.has_roots()) && !heard.is_modern() =>
            {
                fired.count();
                self.asked += 1;
                let id = RawId(format!("\"undeclared-{}\"", self.asked));
                Course::Say(vec![Outgoing::request(&id, "roots/list", None)])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}
