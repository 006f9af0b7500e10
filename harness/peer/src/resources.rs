//! Resources: lists, reading, subscriptions.
//!
//! **Source**: `2024-11-05/server/resources`.

use crate::content::PNG_BASE64;
use crate::error::RpcError;
use crate::incoming::Params;
use crate::json::Json;
use crate::listing;
use crate::modern::mrtr::Rounds;
use crate::modern::subscriptions::{Change, Listens};
use crate::outgoing::Outlet;
use crate::questions::{Question, Unanswered};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_model::protocol::Revision;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The resource that the tool `touch` changes.
pub(crate) const WATCHED: &str = "test://watched-resource";

/// A resource that is in no list: how many calls left their trace when they were done.
const FINISHED: &str = "test://finished-calls";

/// A resource that is in no list, and asks the user before it is read; from 2026-07-28 on.
const ASKING: &str = "test://asks-before-read";

/// The template whose instances can be read.
pub(crate) const TEMPLATE: &str = "test://template/{id}/data";

/// A resource that is listed.
struct Listed {
    uri: &'static str,
    name: &'static str,
    title: &'static str,
    description: &'static str,
    mime_type: &'static str,
    /// How much it matters, from 0 to 1.
    priority: Option<f64>,
}

/// When what never changes was last changed.
const LAST_MODIFIED: &str = "2024-11-05T00:00:00Z";

/// What is listed, in this order.
const LISTED: [Listed; 4] = [
    Listed {
        uri: "test://static-text",
        name: "static-text",
        title: "Static text",
        description: "A text that never changes",
        mime_type: "text/plain",
        priority: Some(1.0),
    },
    Listed {
        uri: "test://static-binary",
        name: "static-binary",
        title: "Static binary",
        description: "An image that never changes",
        mime_type: "image/png",
        priority: Some(0.5),
    },
    Listed {
        uri: WATCHED,
        name: "watched-resource",
        title: "Watched resource",
        description: "How often the tool touch was called",
        mime_type: "text/plain",
        priority: None,
    },
    Listed {
        uri: "test://template/1/data",
        name: "template-1",
        title: "First of the template",
        description: "What the template gives for 1",
        mime_type: "application/json",
        priority: None,
    },
];

/// The resources that change, and who wants to know.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    subscriptions: Arc<Mutex<BTreeSet<String>>>,
    changes: Arc<AtomicU64>,
    finished: Arc<AtomicU64>,
    outlet: Outlet,
    /// Who listens for changes in the modern era.
    pub listens: Listens,
}

impl Watched {
    /// Nothing changed, nobody subscribed.
    pub fn new(outlet: Outlet) -> Self {
        Watched {
            subscriptions: Arc::default(),
            changes: Arc::default(),
            finished: Arc::default(),
            outlet,
            listens: Listens::default(),
        }
    }

    /// Changes the watched resource and tells subscribers of both eras; returns how often it has changed.
    pub async fn change(&self) -> u64 {
        let changes = self.changes.fetch_add(1, Ordering::Relaxed) + 1;
        if self.with_subscriptions(|uris| uris.contains(WATCHED)) {
            let params = Json::object([("uri", Json::text(WATCHED))]);
            self.outlet
                .notify("notifications/resources/updated", params)
                .await;
        }
        self.listens.tell(Change::Resource(WATCHED)).await;
        changes
    }

    /// Notes that a call ran to its end.
    pub fn finish(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether there is such a resource.
    pub fn has(&self, uri: &str) -> bool {
        self.contents(uri).is_some()
    }

    /// Answers `resources/subscribe`.
    pub fn subscribe(&self, params: Params<'_>, revision: Revision) -> Result<Value, RpcError> {
        let uri = params.required_string("uri")?;
        if !self.has(uri) {
            return Err(RpcError::resource_not_found(uri, revision));
        }
        self.with_subscriptions(|uris| uris.insert(uri.to_owned()));
        Ok(json!({}))
    }

    /// Answers `resources/unsubscribe`; to end what has not begun is no error.
    pub fn unsubscribe(&self, params: Params<'_>) -> Result<Value, RpcError> {
        let uri = params.required_string("uri")?;
        self.with_subscriptions(|uris| uris.remove(uri));
        Ok(json!({}))
    }

    /// Answers `resources/read`.
    pub fn read(&self, params: Params<'_>, revision: Revision) -> Result<Value, RpcError> {
        let uri = params.required_string("uri")?;
        let contents = self.contents(uri);
        let contents = contents.ok_or_else(|| RpcError::resource_not_found(uri, revision))?;
        Ok(json!({ "contents": [contents] }))
    }

    /// Answers `resources/read` of a resource that asks first; `None` for all others.
    pub fn read_asking(uri: &str, rounds: &Rounds) -> Option<Result<Value, Unanswered>> {
        if uri != ASKING {
            return None;
        }
        let form = json!({
            "type": "object",
            "properties": { "reason": { "type": "string", "description": "Why it is read" } },
            "required": ["reason"],
        });
        let question = Question::elicitation("reason", "Why do you read this?", form);
        Some(rounds.answer(&question).map(|answer| {
            let text = format!("Read because of {}", answer["content"]);
            json!({ "contents": [{ "uri": uri, "mimeType": "text/plain", "text": text }] })
        }))
    }

    fn contents(&self, uri: &str) -> Option<Value> {
        if uri == WATCHED {
            let changes = self.changes.load(Ordering::Relaxed);
            return Some(text(
                uri,
                "text/plain",
                &format!("Changed {changes} times."),
            ));
        }
        if uri == FINISHED {
            let finished = self.finished.load(Ordering::Relaxed);
            return Some(text(uri, "text/plain", &format!("{finished} calls ended.")));
        }
        fixed(uri)
    }

    fn with_subscriptions<T>(&self, act: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        let subscriptions = self.subscriptions.lock();
        act(&mut subscriptions.unwrap_or_else(PoisonError::into_inner))
    }
}

/// What never changes.
fn fixed(uri: &str) -> Option<Value> {
    match uri {
        "test://static-text" => {
            let content = "This is the content of the static text resource.";
            Some(text(uri, "text/plain", content))
        }
        "test://static-binary" => {
            Some(json!({ "uri": uri, "mimeType": "image/png", "blob": PNG_BASE64 }))
        }
        _ => {
            let id = template_id(uri)?;
            let content =
                json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            Some(text(uri, "application/json", &content.to_string()))
        }
    }
}

fn text(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({ "uri": uri, "mimeType": mime_type, "text": text })
}

/// Bytes of a resource that never changes, before any encoding.
fn size(uri: &str) -> Option<usize> {
    let contents = fixed(uri)?;
    match (contents["text"].as_str(), contents["blob"].as_str()) {
        (Some(text), _) => Some(text.len()),
        (None, Some(blob)) => Some(STANDARD.decode(blob).ok()?.len()),
        (None, None) => None,
    }
}

/// The entries of `resources/list`.
pub(crate) fn entries(revision: Revision) -> Vec<Value> {
    let entry = |listed: &Listed| {
        let mut entry = json!({
            "uri": listed.uri,
            "name": listed.name,
            "description": listed.description,
            "mimeType": listed.mime_type,
        });
        listing::add_title(&mut entry, revision, listed.title);
        if let Some(size) = size(listed.uri) {
            entry["size"] = json!(size);
        }
        if let Some(priority) = listed.priority {
            entry["annotations"] =
                json!({ "audience": ["user", "assistant"], "priority": priority });
            if revision >= Revision::R2025_06_18 {
                entry["annotations"]["lastModified"] = json!(LAST_MODIFIED);
            }
        }
        listing::add_icon(&mut entry, revision);
        entry
    };
    LISTED.iter().map(entry).collect()
}

/// The entries of `resources/templates/list`.
pub(crate) fn template_entries(revision: Revision) -> Vec<Value> {
    let mut entry = json!({
        "uriTemplate": TEMPLATE,
        "name": "template",
        "description": "Data for an id",
        "mimeType": "application/json",
        "annotations": { "audience": ["assistant"] },
    });
    listing::add_title(&mut entry, revision, "Template");
    listing::add_icon(&mut entry, revision);
    vec![entry]
}

/// The uris of all resources that are listed.
pub(crate) fn uris() -> impl Iterator<Item = &'static str> {
    LISTED.iter().map(|listed| listed.uri)
}

/// Whether a text begins with a scheme and holds only characters that a URI may hold.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && rest.bytes().all(is_part)
}

/// The value of `{id}` in an instance of the template, percent-decoded; simple expansion leaves no slash in it.
fn template_id(uri: &str) -> Option<String> {
    let id = uri
        .strip_prefix("test://template/")?
        .strip_suffix("/data")?;
    if id.is_empty() || id.contains('/') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = id.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let code = digit()? * 16 + digit()?;
                u8::try_from(code).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::template_id;

    #[test]
    fn an_id_is_one_segment_percent_decoded() {
        for (uri, id) in [
            ("test://template/123/data", Some("123")),
            ("test://template/a%20b/data", Some("a b")),
            ("test://template/%C3%A9/data", Some("é")),
            ("test://template/a%2fb/data", Some("a/b")),
            ("test://template//data", None),
            ("test://template/a/b/data", None),
            ("test://template/%zz/data", None),
            ("test://template/%ff/data", None),
            ("test://template/%2", None),
            ("test://template/1", None),
        ] {
            assert_eq!(template_id(uri).as_deref(), id, "{uri}");
        }
    }
}
