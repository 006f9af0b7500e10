//! Lies about lawful requests: refused, or answered by what went before.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What, is_reply};
use crate::incoming::Arrival;
use crate::json::Json;
use crate::lifecycle;
use crate::outgoing::{About, Outgoing};
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::header_value;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// Answers a modern request by what it holds, where it holds something.
pub(crate) struct AnswersBy(fn(&Arrival, &str) -> Option<Result<Value, RpcError>>);

impl Lie for AnswersBy {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, method, _) = heard.what else {
            return Course::Honest;
        };
        let answer = match method {
            "initialize" => (self.0)(arrival, method),
            _ if heard.is_modern() => (self.0)(arrival, method),
            _ => None,
        };
        match answer {
            Some(answer) => {
                fired.count();
                Course::Answer(answer)
            }
            None => Course::Honest,
        }
    }
}

/// The fields that this revision knows in `_meta`.
const KNOWN: [&str; 5] = [
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/protocolVersion",
    "progressToken",
];

fn meta(arrival: &Arrival) -> Option<&Map<String, Value>> {
    arrival.message.value.pointer("/params/_meta")?.as_object()
}

fn refused(detail: &str) -> Option<Result<Value, RpcError>> {
    Some(Err(RpcError::invalid_params(detail).on_http(400)))
}

impl AnswersBy {
    /// Refuses a request that does not say who asks.
    pub fn missing_client_info() -> Box<dyn Lie> {
        Box::new(AnswersBy(|arrival, _| {
            let has_one = meta(arrival)?.contains_key("io.modelcontextprotocol/clientInfo");
            if has_one {
                None
            } else {
                refused("_meta has no clientInfo")
            }
        }))
    }

    /// Refuses a request with more in `_meta` than it knows.
    pub fn unknown_meta() -> Box<dyn Lie> {
        Box::new(AnswersBy(|arrival, _| {
            let mut keys = meta(arrival)?.keys();
            let is_strange = keys.any(|key| !KNOWN.contains(&key.as_str()));
            if is_strange {
                refused("_meta has unknown members")
            } else {
                None
            }
        }))
    }

    /// Refuses capabilities and extensions that it does not know.
    pub fn unknown_capabilities() -> Box<dyn Lie> {
        Box::new(AnswersBy(|arrival, _| {
            let declared = meta(arrival)?.get("io.modelcontextprotocol/clientCapabilities")?;
            let mut names = declared.as_object()?.keys();
            let known = [
                "elicitation",
                "experimental",
                "extensions",
                "roots",
                "sampling",
            ];
            let has_extension = declared["extensions"]
                .as_object()
                .is_some_and(|extensions| !extensions.is_empty());
            if has_extension || names.any(|name| !known.contains(&name.as_str())) {
                refused("unknown client capabilities")
            } else {
                None
            }
        }))
    }

    /// Compares `Mcp-Name` as it is written.
    pub fn encoded_name() -> Box<dyn Lie> {
        Box::new(AnswersBy(|arrival, _| {
            let name = arrival.carrier.as_ref()?.headers.get("mcp-name")?;
            if !header_value::is_encoded(name.as_bytes()) {
                return None;
            }
            let detail = "mcp-name is not what the body says";
            Some(Err(RpcError::header_mismatch(detail)))
        }))
    }

    /// Refuses a retry that brings a state and no answers.
    pub fn missing_responses() -> Box<dyn Lie> {
        Box::new(AnswersBy(|arrival, _| {
            let params = arrival.message.value.get("params")?;
            params.get("requestState")?;
            if params.get("inputResponses").is_some() {
                return None;
            }
            refused("inputResponses is missing")
        }))
    }

    /// Answers `initialize` as a legacy server does.
    pub fn handshake() -> Box<dyn Lie> {
        Box::new(AnswersBy(|_, method| {
            (method == "initialize").then(|| {
                Ok(json!({
                    "protocolVersion": "2025-11-25",
                    "capabilities": { "tools": {} },
                    "serverInfo": lifecycle::server_info(Revision::R2025_11_25),
                }))
            })
        }))
    }

    /// Refuses `initialize` as an unknown method, and says in words what it speaks.
    pub fn handshake_as_unknown() -> Box<dyn Lie> {
        Box::new(AnswersBy(|_, method| {
            let words = "initialize; this server speaks 2026-07-28";
            (method == "initialize").then(|| Err(RpcError::method_not_found(words)))
        }))
    }
}

/// Never answers a retry in which the user declined.
pub(crate) struct HangsOnDecline;

impl Lie for HangsOnDecline {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, ..) = heard.what else {
            return Course::Honest;
        };
        let responses = arrival.message.value.pointer("/params/inputResponses");
        let responses = responses.and_then(Value::as_object).into_iter().flatten();
        let mut actions = responses.filter_map(|(_, response)| response["action"].as_str());
        if actions.any(|action| action == "decline" || action == "cancel") {
            fired.count();
            return Course::Silence;
        }
        Course::Honest
    }
}

/// Refuses an id that was answered before.
#[derive(Default)]
pub(crate) struct RefusesReusedIds {
    answered: HashSet<String>,
    open: BTreeMap<u64, String>,
}

impl Lie for RefusesReusedIds {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, _, seq) = heard.what else {
            return Course::Honest;
        };
        let Some(id) = arrival.lawful_id().filter(|_| heard.is_modern()) else {
            return Course::Honest;
        };
        if self.answered.contains(&id.0) {
            fired.count();
            let error = RpcError::invalid_request("this id was used before");
            return Course::Answer(Err(error));
        }
        self.open.insert(seq, id.0);
        Course::Honest
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let About::Reply { seq, .. } = message.about {
            self.answered.extend(self.open.remove(&seq));
        }
        vec![message]
    }
}

/// Answers a cancel that cancels nothing.
#[derive(Default)]
pub(crate) struct ComplainsOfCancel {
    open: BTreeMap<u64, RawId>,
}

impl Lie for ComplainsOfCancel {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, _, seq) => {
                self.open.extend(arrival.lawful_id().map(|id| (seq, id)));
                Course::Honest
            }
            What::Notification(arrival, "notifications/cancelled") => {
                let id = arrival.raw_at("/params/requestId");
                let is_known = id.is_some_and(|id| self.open.values().any(|open| *open == id));
                if is_known {
                    return Course::Honest;
                }
                fired.count();
                let error = RpcError::invalid_request("there is no such request");
                Course::Say(vec![Outgoing::reply_to_none(None, error)])
            }
            What::Notification(..) | What::Batch | What::Malformed => Course::Honest,
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let About::Reply { seq, .. } = message.about {
            self.open.remove(&seq);
        }
        vec![message]
    }
}

/// Asks by a request of its own where it should ask by a result.
pub(crate) struct SendsRequest;

impl Lie for SendsRequest {
    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        let asks = message.json.at("/result/inputRequests");
        let Some(Json::Object(asked)) = asks.filter(|_| is_subject && is_reply(&message)) else {
            return vec![message];
        };
        let Some((_, question)) = asked.first() else {
            return vec![message];
        };
        fired.count();
        let method = question.at("/method").cloned();
        let method = method.and_then(|method| match method {
            Json::Raw(text) => serde_json::from_str::<String>(&text).ok(),
            Json::Array(_) | Json::Object(_) => None,
        });
        let id = RawId("\"asked\"".to_owned());
        let mut request = Outgoing::request(&id, method.as_deref().unwrap_or_default(), None);
        if let Some(params) = question.at("/params") {
            request.json.set("/params", params.clone());
        }
        request.post = message.post;
        request.era = message.era;
        vec![request, message]
    }
}
