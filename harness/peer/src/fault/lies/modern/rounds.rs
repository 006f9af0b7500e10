//! Lies about multi round-trip requests.

use crate::error::RpcError;
use crate::fault::lie::{Breach, Course, Fired, Heard, Lie, What, is_reply};
use crate::json::Json;
use crate::modern::mrtr::Rounds;
use crate::outgoing::Outgoing;
use serde_json::Value;
use std::collections::HashSet;

/// Forgets what it had the client carry.
pub(crate) struct ForgetsState;

impl Lie for ForgetsState {
    fn rounds(&mut self, rounds: &mut Rounds, fired: &mut Fired) {
        if rounds.state.take().is_some() {
            fired.count();
        }
    }
}

/// Does not hear the answers, the first time or ever.
pub(crate) struct AsksAgain {
    is_endless: bool,
    has_asked: bool,
}

impl AsksAgain {
    /// Once more.
    pub fn once() -> Box<dyn Lie> {
        Box::new(AsksAgain {
            is_endless: false,
            has_asked: false,
        })
    }

    /// For ever.
    pub fn for_ever() -> Box<dyn Lie> {
        Box::new(AsksAgain {
            is_endless: true,
            has_asked: false,
        })
    }
}

impl Lie for AsksAgain {
    fn rounds(&mut self, rounds: &mut Rounds, fired: &mut Fired) {
        if !rounds.responses.is_empty() && (self.is_endless || !self.has_asked) {
            rounds.responses.clear();
            self.has_asked = true;
            fired.count();
        }
    }
}

/// Asks to go to a page a client that can do that alone.
#[derive(Default)]
pub(crate) struct AsksByUrl {
    is_meant: bool,
}

impl Lie for AsksByUrl {
    fn breach(
        &mut self,
        breach: Breach,
        error: RpcError,
        _fired: &mut Fired,
    ) -> Result<(), RpcError> {
        if breach != Breach::UndeclaredMode {
            return Err(error);
        }
        self.is_meant = true;
        Ok(())
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if !(is_subject && self.is_meant && is_reply(&message)) {
            return vec![message];
        }
        self.is_meant = false;
        let keys = match message.json.at("/result/inputRequests") {
            Some(Json::Object(asked)) => asked.iter().map(|(key, _)| key.clone()).collect(),
            Some(_) | None => Vec::new(),
        };
        for key in keys {
            let at = format!("/result/inputRequests/{key}");
            if message.json.str_at(&format!("{at}/method")).as_deref() == Some("elicitation/create")
            {
                let params = Json::object([
                    ("mode", Json::text("url")),
                    ("message", Json::text("Please go there")),
                    ("url", Json::text("https://mcp-assay.example/connect")),
                ]);
                message.json.set(&format!("{at}/params"), params);
                fired.count();
            }
        }
        vec![message]
    }
}

/// Expects retries to be of its own making.
#[derive(Default)]
pub(crate) struct Expects {
    refuses: Refuses,
    /// What was asked for and has not come back.
    is_waiting: bool,
    keys: HashSet<String>,
    states: HashSet<String>,
}

/// What is refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Refuses {
    /// A call that asks, while another was never retried.
    #[default]
    AnotherCall,
    /// Answers under keys that were not asked for.
    StrangeKeys,
    /// Its own state, with all the answers.
    OwnState,
}

impl Expects {
    /// Refuses a call while another was never retried.
    pub fn retry() -> Box<dyn Lie> {
        Box::new(Expects::default())
    }

    /// Refuses answers to what was not asked.
    pub fn asked_keys() -> Box<dyn Lie> {
        Box::new(Expects {
            refuses: Refuses::StrangeKeys,
            ..Expects::default()
        })
    }

    /// Refuses its own state.
    pub fn no_state() -> Box<dyn Lie> {
        Box::new(Expects {
            refuses: Refuses::OwnState,
            ..Expects::default()
        })
    }
}

impl Lie for Expects {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, method, _) = heard.what else {
            return Course::Honest;
        };
        let params = arrival.message.value.get("params");
        let responses = params.and_then(|params| params.get("inputResponses"));
        let state = params.and_then(|params| params.get("requestState")?.as_str());
        let keys = responses.and_then(Value::as_object).into_iter().flatten();
        let mut keys = keys.map(|(key, _)| key);
        let refused = match self.refuses {
            Refuses::AnotherCall if responses.is_some() || state.is_some() => {
                self.is_waiting = false;
                None
            }
            Refuses::AnotherCall if self.is_waiting && method == "tools/call" => {
                Some(RpcError::invalid_request("another call waits for answers"))
            }
            Refuses::AnotherCall => None,
            Refuses::StrangeKeys => keys
                .any(|key| !self.keys.contains(key))
                .then(|| RpcError::invalid_params("an answer to what was not asked")),
            Refuses::OwnState => {
                let is_own = state.is_some_and(|state| self.states.contains(state));
                let is_whole = self.keys.iter().all(|key| keys.any(|given| given == key));
                (is_own && is_whole).then(|| RpcError::invalid_params("Invalid requestState"))
            }
        };
        match refused {
            Some(error) => {
                fired.count();
                Course::Answer(Err(error))
            }
            None => Course::Honest,
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let Some(Json::Object(asked)) = message.json.at("/result/inputRequests") {
            self.is_waiting = true;
            self.keys = asked.iter().map(|(key, _)| key.clone()).collect();
            self.states
                .extend(message.json.str_at("/result/requestState"));
        }
        vec![message]
    }
}
