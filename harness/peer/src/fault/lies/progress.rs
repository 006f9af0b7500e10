//! Lies about progress, and about what comes while a call runs.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Reports progress of calls that gave no token, under one of its own.
pub(crate) struct ReportsUnasked;

impl Lie for ReportsUnasked {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, "tools/call", _) if token(&arrival.message.value).is_none() => {
                fired.count();
                let mut params = Json::object([("progressToken", Json::text("made-up"))]);
                params.set("/progress", json!(1).into());
                let told = Outgoing::notification("notifications/progress", params);
                Course::Say(vec![told])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

fn token(message: &Value) -> Option<&Value> {
    message.pointer("/params/_meta/progressToken")
}

/// Takes the token 0 for a mistake.
pub(crate) struct RefusesTokenZero;

impl Lie for RefusesTokenZero {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, ..) if token(&arrival.message.value) == Some(&json!(0)) => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_params("progressToken is missing")))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Answers progress of nothing with an error.
pub(crate) struct ComplainsOfProgress;

impl Lie for ComplainsOfProgress {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/progress") => {
                fired.count();
                let error = RpcError::invalid_request("there is no such token");
                Course::Say(vec![Outgoing::reply_to_none(None, error)])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Loses the first request that comes while a call runs.
#[derive(Default)]
pub(crate) struct LosesWhileBusy {
    running: HashSet<u64>,
    has_lost: bool,
}

impl Lie for LosesWhileBusy {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(_, method, seq) = heard.what else {
            return Course::Honest;
        };
        if self.running.is_empty() || self.has_lost {
            if method == "tools/call" {
                self.running.insert(seq);
            }
            return Course::Honest;
        }
        self.has_lost = true;
        fired.count();
        Course::Silence
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let About::Reply { seq, .. } = message.about {
            self.running.remove(&seq);
        }
        vec![message]
    }
}

/// Answers the second of two calls that run at once with an error.
#[derive(Default)]
pub(crate) struct RefusesSecondCall {
    running: HashSet<u64>,
}

impl Lie for RefusesSecondCall {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, "tools/call", seq) = heard.what else {
            return Course::Honest;
        };
        if !self.running.is_empty() && token(&arrival.message.value).is_some() {
            fired.count();
            return Course::Answer(Err(RpcError::internal("a token is in use")));
        }
        self.running.insert(seq);
        Course::Honest
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let About::Reply { seq, .. } = message.about {
            self.running.remove(&seq);
        }
        vec![message]
    }
}

/// Answers nothing any more but with an error, once progress came that it did not ask for.
#[derive(Default)]
pub(crate) struct TripsOverProgress {
    is_down: bool,
}

impl Lie for TripsOverProgress {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/progress") => {
                self.is_down = true;
                Course::Honest
            }
            What::Request(..) if self.is_down => {
                fired.count();
                Course::Answer(Err(RpcError::internal("no such token")))
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Drops the call that runs for the first request that comes meanwhile.
#[derive(Default)]
pub(crate) struct DropsForCompany {
    running: HashSet<u64>,
    dropped: HashSet<u64>,
    has_dropped: bool,
}

impl Lie for DropsForCompany {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(_, method, seq) = heard.what {
            if !self.has_dropped && !self.running.is_empty() {
                self.dropped = std::mem::take(&mut self.running);
                self.has_dropped = true;
            }
            if method == "tools/call" {
                self.running.insert(seq);
            }
        }
        Course::Honest
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if let About::Reply { seq, .. } = message.about {
            self.running.remove(&seq);
            if self.dropped.remove(&seq) {
                fired.count();
                return Vec::new();
            }
        }
        vec![message]
    }
}
