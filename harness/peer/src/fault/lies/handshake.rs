//! Lies about the handshake: who is heard before it, what is agreed, and what is asked of a client that declared nothing.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
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

fn introduction(version: Value) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": {},
        "serverInfo": { "name": "mcp-assay-reference-server", "version": "0" },
    })
}

/// Offers the oldest version where it does not know the one that was asked for.
#[derive(Default)]
pub(crate) struct OffersOldest {
    requested: Option<String>,
}

impl Lie for OffersOldest {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(arrival, "initialize", _) = heard.what {
            let requested = arrival.message.value.pointer("/params/protocolVersion");
            self.requested = requested.and_then(|text| text.as_str().map(str::to_owned));
        }
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject
            && message.about.is_reply_to("initialize")
            && let Some(offered) = message.json.str_at("/result/protocolVersion")
            && let Some(requested) = self.requested.take()
            && requested != offered
        {
            let oldest = Json::text("2024-11-05");
            message.json.set("/result/protocolVersion", oldest);
            fired.count();
        }
        vec![message]
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
pub(crate) struct AsksWhenCalled;

impl Lie for AsksWhenCalled {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(_, "tools/call", _)
                if heard.terms.is_some_and(|terms| !terms.has_roots()) && !heard.is_modern() =>
            {
                fired.count();
                let id = RawId("\"undeclared\"".to_owned());
                Course::Say(vec![Outgoing::request(&id, "roots/list", None)])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}
