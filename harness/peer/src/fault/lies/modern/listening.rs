//! Lies about subscriptions.

use crate::fault::lie::{Course, Fired, Heard, Lie, OnCancel, What};
use crate::json::Json;
use crate::outgoing::{About, Outgoing, PostNumber};
use crate::resources::WATCHED;
use mcp_assay_model::protocol::Era;
use serde_json::json;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const UPDATED: &str = "notifications/resources/updated";

/// Where a message says which subscription it belongs to.
const ID: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

/// Ends a subscription by a cancel of its own once it has told of a change: lawful, a server may end it when it likes.
pub(crate) struct CancelsAfterTelling;

impl Lie for CancelsAfterTelling {
    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        let told = match &message.about {
            About::Notification(method) if method == UPDATED => message.json.at(ID).cloned(),
            _ => None,
        };
        let Some(id) = told else {
            return vec![message];
        };
        fired.count();
        let params = Json::object([("requestId", id), ("reason", Json::text("shutting down"))]);
        let cancel = Outgoing {
            era: Era::Modern,
            ..Outgoing::notification("notifications/cancelled", params)
        };
        vec![message, cancel]
    }
}

/// What becomes of the messages of subscriptions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// The acknowledgement comes behind the first notification.
    AcknowledgesLate,
    /// The acknowledgement names all there is.
    AcknowledgesUnasked,
    /// What belongs to other requests comes on the stream of the first subscription.
    LogsOnStream,
    /// A notification comes before the acknowledgement.
    NotifiesBefore,
    /// All are told of a change of the watched resource.
    NotifiesUnasked,
    /// A change is told though nobody listens.
    NotifiesWithoutListen,
    /// An empty filter is not acknowledged.
    SilentOnEmpty,
    /// All carry the id of the first.
    TagsWithFirst,
}

/// Tells of changes in its own way.
pub(crate) struct Tells {
    way: Way,
    /// Subscriptions that were acknowledged: id, POST, and whether they watch the resource.
    open: Vec<(Json, Option<PostNumber>, bool)>,
    held: Vec<Outgoing>,
}

impl Tells {
    /// In this way.
    pub fn begin(way: Way) -> Box<dyn Lie> {
        Box::new(Tells {
            way,
            open: Vec::new(),
            held: Vec::new(),
        })
    }

    /// A change of the watched resource, told to one subscription or to none.
    fn updated(to: Option<(&Json, Option<PostNumber>)>) -> Outgoing {
        let mut updated =
            Outgoing::notification(UPDATED, Json::object([("uri", Json::text(WATCHED))]));
        if let Some((id, post)) = to {
            updated.json.set(ID, id.clone());
            updated.post = post;
        }
        updated.era = Era::Modern;
        updated
    }

    fn acknowledge(&mut self, mut message: Outgoing, id: Json, fired: &mut Fired) -> Vec<Outgoing> {
        let honoured = message.json.at("/params/notifications").cloned();
        let watches = honoured
            .as_ref()
            .and_then(|honoured| honoured.at("/resourceSubscriptions/0"))
            .is_some();
        self.open.push((id.clone(), message.post, watches));
        match self.way {
            Way::AcknowledgesLate => {
                self.held.push(message);
                Vec::new()
            }
            Way::AcknowledgesUnasked => {
                let all = json!({
                    "toolsListChanged": true,
                    "promptsListChanged": true,
                    "resourcesListChanged": true,
                    "resourceSubscriptions": [WATCHED],
                });
                message.json.set("/params/notifications", all.into());
                fired.count();
                vec![message]
            }
            Way::NotifiesBefore => {
                let has = |flag: &str| {
                    honoured
                        .as_ref()
                        .is_some_and(|honoured| honoured.at(flag).is_some())
                };
                let list_changed = |method| {
                    let mut early = Outgoing::notification(method, Json::object([]));
                    early.json.set(ID, id.clone());
                    early.post = message.post;
                    early.era = Era::Modern;
                    early
                };
                let early = if watches {
                    Tells::updated(Some((&id, message.post)))
                } else if has("/toolsListChanged") {
                    list_changed("notifications/tools/list_changed")
                } else if has("/promptsListChanged") {
                    list_changed("notifications/prompts/list_changed")
                } else {
                    return vec![message];
                };
                fired.count();
                vec![early, message]
            }
            Way::SilentOnEmpty if honoured == Some(Json::Object(Vec::new())) => {
                fired.count();
                Vec::new()
            }
            Way::LogsOnStream
            | Way::NotifiesUnasked
            | Way::NotifiesWithoutListen
            | Way::SilentOnEmpty
            | Way::TagsWithFirst => vec![message],
        }
    }
}

impl Lie for Tells {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, "tools/call", _) = heard.what else {
            return Course::Honest;
        };
        let name = arrival.message.value.pointer("/params/name");
        if !heard.is_modern() || name != Some(&json!("touch")) {
            return Course::Honest;
        }
        let told: Vec<Outgoing> = match self.way {
            Way::NotifiesUnasked => {
                let others = self.open.iter().filter(|(.., watches)| !watches);
                others
                    .map(|(id, post, _)| Tells::updated(Some((id, *post))))
                    .collect()
            }
            Way::NotifiesWithoutListen if self.open.is_empty() => vec![Tells::updated(None)],
            Way::AcknowledgesLate
            | Way::AcknowledgesUnasked
            | Way::LogsOnStream
            | Way::NotifiesBefore
            | Way::NotifiesWithoutListen
            | Way::SilentOnEmpty
            | Way::TagsWithFirst => Vec::new(),
        };
        if told.is_empty() {
            return Course::Honest;
        }
        fired.count();
        Course::Say(told)
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        _is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let About::Notification(method) = &message.about else {
            return vec![message];
        };
        let id = message.json.at(ID).cloned();
        match (self.way, id) {
            (Way::TagsWithFirst, Some(id)) => {
                let is_acknowledgement = method == ACKNOWLEDGED;
                if let Some((first, ..)) = self.open.first()
                    && *first != id
                {
                    message.json.set(ID, first.clone());
                    fired.count();
                }
                if is_acknowledgement {
                    self.open.push((id, message.post, false));
                }
                vec![message]
            }
            (_, Some(id)) if method == ACKNOWLEDGED => self.acknowledge(message, id, fired),
            (Way::AcknowledgesLate, Some(id)) => {
                let held = std::mem::take(&mut self.held).into_iter();
                let (own, others): (Vec<_>, Vec<_>) =
                    held.partition(|held| held.json.at(ID) == Some(&id));
                self.held = others;
                if !own.is_empty() {
                    fired.count();
                }
                std::iter::once(message).chain(own).collect()
            }
            (Way::LogsOnStream, None) if message.era == Era::Modern => {
                if let Some((_, post, _)) = self.open.first() {
                    message.post = *post;
                    fired.count();
                }
                vec![message]
            }
            (
                Way::AcknowledgesLate
                | Way::AcknowledgesUnasked
                | Way::LogsOnStream
                | Way::NotifiesBefore
                | Way::NotifiesUnasked
                | Way::NotifiesWithoutListen
                | Way::SilentOnEmpty
                | Way::TagsWithFirst,
                Some(_) | None,
            ) => vec![message],
        }
    }

    fn cancel(&mut self, _method: &str, _fired: &mut Fired) -> OnCancel {
        // Whoever has left cannot be told from the others here, so nobody is told more than lawful.
        self.open.clear();
        OnCancel::Stop
    }
}

/// Goes on after a subscription was cancelled.
pub(crate) struct IgnoresListenCancel;

impl Lie for IgnoresListenCancel {
    fn cancel(&mut self, method: &str, fired: &mut Fired) -> OnCancel {
        if method == "subscriptions/listen" {
            fired.count();
            return OnCancel::RunOn;
        }
        OnCancel::Stop
    }
}
