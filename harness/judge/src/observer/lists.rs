//! Lists: what they hold against what becomes of it.

mod walks;

use super::dialogue::{Asked, Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::schema::Schemas;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::Basis;
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::{Value, json};
use walks::{Change, Walks};

const CHANGE_TOLD: &str = "change-told";
const READABLE: &str = "readable";
const SERVED: &str = "served";

/// A list that may change.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct List {
    method: &'static str,
    /// Where its items are, and what tells them apart.
    items: &'static str,
    key: &'static str,
    /// The capability to tell of changes, the notification, and what of a subscription asks for it.
    capability: &'static str,
    notification: &'static str,
    filter: &'static str,
}

const LISTS: [List; 3] = [
    List {
        method: "prompts/list",
        items: "/result/prompts",
        key: "name",
        capability: "prompts.listChanged",
        notification: "notifications/prompts/list_changed",
        filter: "promptsListChanged",
    },
    List {
        method: "resources/list",
        items: "/result/resources",
        key: "uri",
        capability: "resources.listChanged",
        notification: "notifications/resources/list_changed",
        filter: "resourcesListChanged",
    },
    List {
        method: "tools/list",
        items: "/result/tools",
        key: "name",
        capability: "tools.listChanged",
        notification: "notifications/tools/list_changed",
        filter: "toolsListChanged",
    },
];

/// Methods that a server has which declares this, whatever their params. Of templates nobody says so.
const OF_CAPABILITIES: [(&str, &str); 7] = [
    ("completion/complete", "completions"),
    ("logging/setLevel", "logging"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/subscribe", "resources.subscribe"),
    ("resources/unsubscribe", "resources.subscribe"),
    ("tools/list", "tools"),
];

/// Watches lists.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lists;

impl Observer for Lists {
    fn name(&self) -> &'static str {
        "lists"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    CHANGE_TOLD,
                    "a list that changed was told to have",
                    "between two whole walks through a list that differ, or soon after, comes the notification of its change, where the server declares it and the client can get it",
                    &[
                        "2024-11-05/server/prompts#list-changed-notification.1",
                        "2024-11-05/server/resources#list-changed-notification.1",
                        "2024-11-05/server/tools#list-changed-notification.1",
                        "2026-07-28/server/prompts#list-changed-notification.1",
                        "2026-07-28/server/tools#list-changed-notification.1",
                    ],
                ),
                Rule {
                    basis: Basis::Robustness,
                    ..Rule::of_servers(
                        READABLE,
                        "a resource that is listed can be read",
                        "resources/read of a URI that the list had is not answered with the error of a resource that is not there",
                        &[],
                    )
                },
                Rule {
                    basis: Basis::Robustness,
                    ..Rule::of_servers(
                        SERVED,
                        "what is declared is served",
                        "a request of a capability that the server declares is not answered with the error of a method that is not there",
                        &[],
                    )
                },
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Listed {
            schemas: Schemas::of(revision),
            revision,
            is_modern: revision.era() == Era::Modern,
            is_ordered: binding != Binding::Http,
            walks: Walks::default(),
        }))
    }
}

struct Listed {
    schemas: &'static Schemas,
    revision: Revision,
    is_modern: bool,
    /// Whether what comes later was sent later, whichever way it came.
    is_ordered: bool,
    walks: Walks,
}

impl Watch for Listed {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let connection = &came.entry.connection;
        if let Some(method) = came.notification() {
            let list = LISTS.into_iter().find(|list| list.notification == method);
            if let Some(list) = list {
                self.walks.told(connection, list);
            }
            return;
        }
        let Some(asked) = came.answers() else {
            return;
        };
        self.served(&came, asked, sightings);
        if !self.is_ordered {
            return;
        }
        // Any answer shows that a notification that was due before it is late.
        for change in self.walks.take_due(connection, asked.seq) {
            tell(&change, sightings);
        }
        match came.message.kind {
            Kind::Result => self.listed(&came, asked, sightings),
            Kind::Error => self.refused(&came, asked, sightings),
            Kind::Request | Kind::Notification | Kind::Batch | Kind::Malformed(_) => {}
        }
    }
}

impl Listed {
    fn served(&self, came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
        let of_method = |(method, _): &&(&str, &str)| *method == asked.method;
        let Some((_, capability)) = OF_CAPABILITIES.iter().find(of_method) else {
            return;
        };
        if came.client.offered(capability).is_none() {
            return;
        }
        let code = came.message.value.at("/error/code");
        let is_refused = code.is_some_and(|code| *code == -32601);
        // Of a broken request the code may be wrong, and says nothing of the method.
        if is_refused && !asked.fits(self.schemas, self.revision) {
            return;
        }
        sightings.judge(SERVED);
        if is_refused {
            let message = format!(
                "`{}` is refused as a method that is not there, and `{capability}` is declared",
                asked.method
            );
            let finding = Finding::new(FindingCode::Unimplemented, message)
                .expected(format!("the method, or no capability `{capability}`"))
                .actual(came.raw("/error").unwrap_or_default())
                .at(came.entry.seq, "/error");
            sightings.find(SERVED, &asked.method, "", finding);
        }
    }

    fn listed(&mut self, came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
        if asked.method == "resources/read" && self.is_listed(came, asked) {
            sightings.judge(READABLE);
        }
        let Some(list) = LISTS.into_iter().find(|list| list.method == asked.method) else {
            return;
        };
        let items = came.message.value.at(list.items).and_then(Value::as_array);
        let Some(items) = items else {
            return;
        };
        let keys = items.iter().filter_map(|item| item.get(list.key)?.as_str());
        let next = match came.message.value.at("/result/nextCursor") {
            None => None,
            Some(Value::String(next)) => Some(next.as_str()),
            // Whether the list goes on is not told.
            Some(_) => return,
        };
        let cursor = asked.param("cursor").and_then(Value::as_str);
        // A list may depend on what the client can do, which each request of the modern era says anew.
        let view = asked.meta("io.modelcontextprotocol/clientCapabilities");
        let page = walks::Page {
            list,
            asked: asked.seq,
            seq: came.entry.seq,
            cursor,
            next,
            view: view.map(Value::to_string).unwrap_or_default(),
        };
        let is_watched = self.is_told(came, list);
        let differs = self
            .walks
            .page(&came.entry.connection, page, keys, is_watched);
        if differs.is_some() {
            sightings.judge(CHANGE_TOLD);
        }
    }

    /// Whether the server declares that it tells of changes, to a client that can hear of them now.
    fn is_told(&self, came: &Came<'_>, list: List) -> bool {
        let is_declared = came.client.offered(list.capability).is_some();
        let is_heard = if self.is_modern {
            came.client.asked.iter().any(|asked| {
                let filter = asked
                    .param("notifications")
                    .and_then(|all| all.get(list.filter));
                asked.is_listen() && asked.answered.is_none() && filter == Some(&Value::Bool(true))
            })
        } else {
            came.client.handshake.is_initialized
        };
        is_declared && is_heard
    }

    fn is_listed(&self, came: &Came<'_>, asked: &Asked) -> bool {
        // What a tool did meanwhile may have taken it away.
        let mut calls = came
            .client
            .asked
            .iter()
            .filter(|call| call.method == "tools/call");
        let since = calls
            .rfind(|call| call.seq < asked.seq)
            .map_or(0, |call| call.seq);
        let uri = asked.param("uri").and_then(Value::as_str);
        // What is no URI is another rule's matter.
        let is_uri = |uri: &str| {
            let params = self.schemas.validator("ReadResourceRequestParams");
            let mut value = json!({ "uri": uri });
            if let Some(meta) = asked.param("_meta") {
                value["_meta"] = meta.clone();
            }
            params.is_ok_and(|params| params.is_valid(&value))
        };
        uri.is_some_and(|uri| {
            is_uri(uri)
                && self
                    .walks
                    .has_resource(&came.entry.connection, uri, since..asked.seq)
        })
    }

    fn refused(&mut self, came: &Came<'_>, asked: &Asked, sightings: &mut Sightings) {
        if asked.method != "resources/read" || !self.is_listed(came, asked) {
            return;
        }
        let uri = asked
            .param("uri")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let error = &came.message.value["error"];
        sightings.judge(READABLE);
        // The modern code stands for other things too; with the URI it is said of the resource.
        let is_gone = if self.is_modern {
            error["code"] == -32602 && error["data"]["uri"] == uri
        } else {
            error["code"] == -32002
        };
        if is_gone {
            let message = format!(
                "the list has the resource `{}`, and reading it says that there is none",
                text::cut(uri)
            );
            let finding = Finding::new(FindingCode::Unimplemented, message)
                .expected("a result, or no such resource in the list")
                .actual(came.raw("/error").unwrap_or_default())
                .at(came.entry.seq, "/error");
            sightings.find(READABLE, "resources/read", "", finding);
        }
    }
}

fn tell(change: &Change, sightings: &mut Sightings) {
    let list = change.list;
    let (what, key) = match (&change.gained, &change.lost) {
        (Some(key), _) => ("has now", key),
        (None, Some(key)) => ("had before", key),
        (None, None) => return,
    };
    let message = format!(
        "`{}` {what} `{}`, and no `{}` came",
        list.method,
        text::cut(key),
        list.notification
    );
    let finding = Finding::new(FindingCode::NoReply, message)
        .expected(format!("`{}`", list.notification))
        .actual(format!(
            "the list of #{} and that of #{} differ",
            change.before, change.after
        ))
        .at(change.after, list.items);
    sightings.find(CHANGE_TOLD, list.method, "", finding);
}

#[cfg(test)]
mod tests;
