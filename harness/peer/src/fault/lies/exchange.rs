//! Lies about which messages are lawful when, and between what is declared and what is done.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
use crate::outgoing::Outgoing;
use crate::resources::WATCHED;
use crate::server::NOTIFICATIONS;
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::json;

/// Treats one method in its own way.
pub(crate) struct Refuses {
    method: &'static str,
    is_early_only: bool,
    course: fn(&str) -> Course,
}

impl Refuses {
    /// Answers that there is no such method.
    pub fn method(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |method| Course::Answer(Err(RpcError::method_not_found(method))),
        })
    }

    /// Answers that the parameters are not what they should be.
    pub fn params_of(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| Course::Answer(Err(RpcError::invalid_params("Invalid request parameters"))),
        })
    }

    /// Answers with a code that no text has.
    pub fn by_invented_code(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| Course::Answer(Err(RpcError::other(-1, "Unsupported"))),
        })
    }

    /// Answers that something broke within.
    pub fn by_internal_error(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| Course::Answer(Err(RpcError::other(-32603, "Internal error"))),
        })
    }

    /// Answers as a server does that speaks 2026-07-28 alone.
    pub fn naming_versions(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| {
                let modern = [Revision::R2026_07_28];
                Course::Answer(Err(RpcError::unsupported_version("none", &modern)))
            },
        })
    }

    /// Answers before `initialize` that it is too early.
    pub fn early(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: true,
            course: |_| Course::Answer(Err(RpcError::invalid_request("not initialized"))),
        })
    }

    /// Answers nothing.
    pub fn silently(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| Course::Silence,
        })
    }

    /// Says that it is done, and does nothing.
    pub fn nothing_of(method: &'static str) -> Box<dyn Lie> {
        Box::new(Refuses {
            method,
            is_early_only: false,
            course: |_| Course::Answer(Ok(json!({}))),
        })
    }
}

impl Lie for Refuses {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(_, method, _)
                if method == self.method && !(self.is_early_only && heard.terms.is_some()) =>
            {
                fired.count();
                (self.course)(method)
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Answers what must not be answered.
pub(crate) struct AnswersNotifications;

impl Lie for AnswersNotifications {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, method) if !NOTIFICATIONS.contains(&method) => {
                fired.count();
                let null = RawId("null".to_owned());
                let error = RpcError::method_not_found(method);
                Course::Say(vec![Outgoing::reply_to_none(Some(&null), error)])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Does not wait for `initialize`.
pub(crate) struct AnswersBeforeInitialize;

impl Lie for AnswersBeforeInitialize {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, method, _)
                if heard.terms.is_none()
                    && !["initialize", "ping"].contains(&method)
                    && arrival.lawful_id().is_some() =>
            {
                fired.count();
                Course::Admit
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Sends a request right behind its answer to `initialize`.
pub(crate) struct AsksEarly {
    method: &'static str,
    /// Whether only a client is asked that declared it.
    needs: Option<&'static str>,
    is_declared: bool,
}

impl AsksEarly {
    /// Asks for roots, if the client has any.
    pub fn for_roots() -> Box<dyn Lie> {
        Box::new(AsksEarly {
            method: "roots/list",
            needs: Some("roots"),
            is_declared: false,
        })
    }

    /// Pings, which is lawful at any time.
    pub fn for_life() -> Box<dyn Lie> {
        Box::new(AsksEarly {
            method: "ping",
            needs: None,
            is_declared: false,
        })
    }
}

impl Lie for AsksEarly {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(arrival, "initialize", _) = heard.what {
            let capabilities = arrival.message.value.pointer("/params/capabilities");
            self.is_declared = self.needs.is_none_or(|name| {
                capabilities.is_some_and(|capabilities| capabilities.get(name).is_some())
            });
        }
        Course::Honest
    }

    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        let is_agreed =
            message.about.is_reply_to("initialize") && message.json.at("/result").is_some();
        if !(is_agreed && is_subject && self.is_declared) {
            return vec![message];
        }
        fired.count();
        let id = RawId("\"early\"".to_owned());
        vec![message, Outgoing::request(&id, self.method, None)]
    }
}

/// Does not take batches.
pub(crate) struct RefusesBatches;

impl Lie for RefusesBatches {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Batch => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_request("batches are not supported")))
            }
            What::Request(..) | What::Notification(..) | What::Malformed => Course::Honest,
        }
    }
}

/// Asks for what the client cannot do.
pub(crate) struct UndeclaredSampling;

impl Lie for UndeclaredSampling {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/initialized")
                if heard.terms.is_some_and(|terms| !terms.has_sampling()) =>
            {
                fired.count();
                let params = json!({
                    "messages": [{ "role": "user", "content": { "type": "text", "text": "Hello" } }],
                    "maxTokens": 10,
                });
                let id = RawId("\"undeclared\"".to_owned());
                let request = Outgoing::request(&id, "sampling/createMessage", Some(params));
                Course::Say(vec![request])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}

/// Keeps a capability to itself: what is at this place in the answer to `initialize`.
pub(crate) struct ImplementsUndeclared(pub &'static str);

impl Lie for ImplementsUndeclared {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let is_initialize = message.about.is_reply_to("initialize");
        let json: &mut Json = &mut message.json;
        if is_subject && is_initialize && json.remove(self.0) {
            fired.count();
        }
        vec![message]
    }
}

/// Tells of a change whoever may hear it.
pub(crate) struct UpdatesUnasked;

impl Lie for UpdatesUnasked {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match heard.what {
            What::Request(arrival, "tools/call", _)
                if arrival.message.value.pointer("/params/name") == Some(&json!("touch")) =>
            {
                fired.count();
                let params = Json::object([("uri", Json::text(WATCHED))]);
                let updated = Outgoing::notification("notifications/resources/updated", params);
                Course::Say(vec![updated])
            }
            What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => {
                Course::Honest
            }
        }
    }
}
