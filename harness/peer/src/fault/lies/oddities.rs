//! Lawful oddities: what a server may do to all that it says, and few servers do. No check and no observer may take offence.
//!
//! **Source**: RFC 8259 (objects have no order, white space and escapes are free), JSON-RPC 2.0, and for each member the schema of the
//! revision, which closes none of the objects that are added to here.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Habits, Heard, Lie, What, is_reply};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use mcp_assay_model::protocol::Era;
use mcp_assay_wire::jsonrpc::RawId;
use serde_json::json;
use std::time::Duration;

/// Writes every message another way.
pub(crate) struct Rewrites(fn(&mut Json) -> bool);

impl Rewrites {
    /// With this change, which says whether there was anything to change.
    pub fn begin(change: fn(&mut Json) -> bool) -> Box<dyn Lie> {
        Box::new(Rewrites(change))
    }
}

impl Lie for Rewrites {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject && (self.0)(&mut message.json) {
            fired.count();
        }
        vec![message]
    }
}

/// Objects of messages that take members nobody knows; `*` is any item.
const OPEN: &[&str] = &[
    "/error/data",
    "/params",
    "/params/_meta",
    "/result",
    "/result/_meta",
    "/result/capabilities",
    "/result/completion",
    "/result/content/*",
    "/result/contents/*",
    "/result/messages/*",
    "/result/prompts/*",
    "/result/prompts/*/arguments/*",
    "/result/resourceTemplates/*",
    "/result/resources/*",
    "/result/serverInfo",
    "/result/tools/*",
    "/result/tools/*/annotations",
];

/// The member that is added; its name fits the rules for keys of `_meta` too.
const UNKNOWN: &str = "example.org/mcp-assay-unknown";

/// Adds a member that nobody knows wherever the schema is open.
pub(crate) fn with_unknown_members(json: &mut Json) -> bool {
    let mut is_changed = false;
    for place in OPEN {
        for_each_at(json, place, &mut |object| {
            if let Json::Object(members) = object {
                let value = json!({ "a": [null, { "b": 1.5 }], "c": "\u{1F980}" });
                members.insert(0, (UNKNOWN.to_owned(), value.into()));
                is_changed = true;
            }
        });
    }
    is_changed
}

/// Members that may be missing; `*` is any item.
const OPTIONAL: &[&str] = &[
    "/params/logger",
    "/params/message",
    "/params/total",
    "/result/completion/hasMore",
    "/result/completion/total",
    "/result/contents/*/mimeType",
    "/result/description",
    "/result/instructions",
    "/result/prompts/*/arguments/*/description",
    "/result/prompts/*/description",
    "/result/prompts/*/icons",
    "/result/prompts/*/title",
    "/result/resourceTemplates/*/description",
    "/result/resourceTemplates/*/icons",
    "/result/resourceTemplates/*/mimeType",
    "/result/resourceTemplates/*/title",
    "/result/resources/*/description",
    "/result/resources/*/icons",
    "/result/resources/*/mimeType",
    "/result/resources/*/size",
    "/result/resources/*/title",
    "/result/serverInfo/description",
    "/result/serverInfo/icons",
    "/result/serverInfo/title",
    "/result/tools/*/annotations",
    "/result/tools/*/description",
    "/result/tools/*/icons",
    "/result/tools/*/title",
];

/// Leaves out what may be missing, `isError` where it is false too.
pub(crate) fn without_optional_members(json: &mut Json) -> bool {
    // An elicitation cannot be without its message.
    let is_request = json.at("/method").is_some() && json.at("/id").is_some();
    let mut is_changed = false;
    for place in OPTIONAL {
        if is_request && place.starts_with("/params/") {
            continue;
        }
        let Some((parent, last)) = place.rsplit_once('/') else {
            continue;
        };
        for_each_at(json, parent, &mut |object| {
            is_changed |= object.remove(&format!("/{last}"));
        });
    }
    if json.at("/result/isError") == Some(&Json::Raw("false".to_owned())) {
        is_changed |= json.remove("/result/isError");
    }
    is_changed
}

/// Puts the members of every object in the other order.
pub(crate) fn with_members_reversed(json: &mut Json) -> bool {
    match json {
        Json::Raw(_) => {}
        Json::Array(items) => {
            for item in items {
                with_members_reversed(item);
            }
        }
        Json::Object(members) => {
            members.reverse();
            for (_, value) in members {
                with_members_reversed(value);
            }
        }
    }
    true
}

/// Writes blanks and tabs wherever JSON allows them; no line ends, which would end the message on lines.
pub(crate) fn with_white_space(json: &mut Json) -> bool {
    let mut text = String::from(" \t");
    write_with(
        json,
        &mut text,
        &|out| out.push_str(" \t "),
        &|text, out| {
            out.push_str(&Json::text(text).to_text());
        },
    );
    text.push_str("\t ");
    *json = Json::Raw(text);
    true
}

/// Writes every character of every string, names of members too, as an escape.
pub(crate) fn with_escapes(json: &mut Json) -> bool {
    let mut text = String::new();
    write_with(json, &mut text, &|_| {}, &|text, out| {
        out.push('"');
        for unit in text.encode_utf16() {
            out.push_str(&format!("\\u{unit:04X}"));
        }
        out.push('"');
    });
    *json = Json::Raw(text);
    true
}

/// Gives errors a text of another kind, and data where they have none.
pub(crate) fn with_other_error_texts(json: &mut Json) -> bool {
    if json.at("/error/message").is_none() {
        return false;
    }
    let message = "Das geht nicht \u{2639}\tat line 1 \u{0}\u{2028}";
    json.set("/error/message", Json::text(message));
    if json.at("/error/data").is_none() {
        json.set("/error/data", Json::text("no stack trace"));
    }
    true
}

/// Writes JSON with something between its tokens, and strings in a way of their own.
fn write_with(
    json: &Json,
    out: &mut String,
    between: &dyn Fn(&mut String),
    string: &dyn Fn(&str, &mut String),
) {
    let separate = |out: &mut String, mark: char| {
        between(out);
        out.push(mark);
        between(out);
    };
    match json {
        Json::Raw(text) => match serde_json::from_str::<String>(text) {
            Ok(text) => string(&text, out),
            Err(_) => out.push_str(text),
        },
        Json::Array(items) => {
            out.push('[');
            between(out);
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    separate(out, ',');
                }
                write_with(item, out, between, string);
            }
            between(out);
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            between(out);
            for (index, (key, value)) in members.iter().enumerate() {
                if index > 0 {
                    separate(out, ',');
                }
                string(key, out);
                separate(out, ':');
                write_with(value, out, between, string);
            }
            between(out);
            out.push('}');
        }
    }
}

/// Does something with each value at a place, where `*` is any item.
fn for_each_at(json: &mut Json, place: &str, work: &mut dyn FnMut(&mut Json)) {
    let Some(rest) = place.strip_prefix('/') else {
        return work(json);
    };
    let (token, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match json {
        Json::Array(items) if token == "*" => {
            for item in items {
                for_each_at(item, rest, work);
            }
        }
        Json::Object(members) => {
            let member = members.iter_mut().find(|(key, _)| key == token);
            if let Some((_, value)) = member {
                for_each_at(value, rest, work);
            }
        }
        Json::Array(_) | Json::Raw(_) => {}
    }
}

/// What is said before answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Aside {
    /// A log message of the highest level, which no level that a client may set keeps back.
    Log,
    /// A ping of the server's.
    Ping,
}

/// Says something of its own before its answers, in the legacy era, once the client has said that it is ready.
pub(crate) struct SpeaksInBetween {
    aside: Aside,
    is_ready: bool,
    said: u32,
}

impl SpeaksInBetween {
    /// A server that says this.
    pub fn begin(aside: Aside) -> Box<dyn Lie> {
        Box::new(SpeaksInBetween {
            aside,
            is_ready: false,
            said: 0,
        })
    }

    fn say(&mut self) -> Outgoing {
        self.said += 1;
        match self.aside {
            Aside::Log => {
                let params = json!({ "level": "emergency", "data": "said in between" });
                Outgoing::notification("notifications/message", params.into())
            }
            Aside::Ping => {
                // An id that some take for none, and that the server's own questions do not have.
                let id = match self.said {
                    1 => "0".to_owned(),
                    said => format!("\"mcp-assay-in-between-{said}\""),
                };
                Outgoing::request(&RawId(id), "ping", None)
            }
        }
    }
}

impl Lie for SpeaksInBetween {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        match heard.what {
            What::Notification(_, "notifications/initialized") => self.is_ready = true,
            // An array of answers holds nothing else, so a client that sends batches is spared.
            What::Batch => self.is_ready = false,
            What::Malformed | What::Request(..) | What::Notification(..) => {}
        }
        Course::Honest
    }

    fn send(&mut self, message: Outgoing, is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        // A POST that is answered by JSON has room for the answer alone.
        let has_room = message.post.is_none() || message.about.is_reply_to("tools/call");
        let is_due = is_subject
            && self.is_ready
            && has_room
            && message.era == Era::Legacy
            && is_reply(&message);
        if !is_due {
            return vec![message];
        }
        fired.count();
        vec![self.say(), message]
    }
}

/// Asks for the roots of a client that declared them, once it is ready.
pub(crate) struct AsksForRoots;

impl Lie for AsksForRoots {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let is_ready = matches!(
            heard.what,
            What::Notification(_, "notifications/initialized")
        );
        if !is_ready || !heard.terms.is_some_and(|terms| terms.has_roots()) {
            return Course::Honest;
        }
        fired.count();
        let id = RawId("\"roots-at-once\"".to_owned());
        Course::Say(vec![Outgoing::request(&id, "roots/list", None)])
    }
}

/// Answers every second request later than the one behind it.
pub(crate) struct AnswersOutOfOrder;

impl Lie for AnswersOutOfOrder {
    fn habits(&self) -> Habits {
        Habits {
            every_second_answer_delay: Duration::from_millis(20),
            ..Habits::default()
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if matches!(&message.about, About::Reply { method, .. } if method != "initialize") {
            fired.count();
        }
        vec![message]
    }
}

/// Cuts its lists into pages of another size.
pub(crate) struct Pages(usize);

impl Pages {
    /// Of so many entries.
    pub fn of(size: usize) -> Box<dyn Lie> {
        Box::new(Pages(size))
    }
}

impl Lie for Pages {
    fn habits(&self) -> Habits {
        Habits {
            page_size: Some(self.0),
            ..Habits::default()
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, fired: &mut Fired) -> Vec<Outgoing> {
        if matches!(&message.about, About::Reply { method, .. } if method.ends_with("/list")) {
            fired.count();
        }
        vec![message]
    }
}

/// Beginnings of the methods of features that no server must have.
const FEATURES: [&str; 5] = [
    "completion/",
    "logging/",
    "prompts/",
    "resources/",
    "tools/",
];

/// Offers no more than this, and says so.
pub(crate) struct Offers {
    /// The beginning of the methods of the one feature that it has.
    feature: Option<&'static str>,
    /// The capability that it declares.
    capability: Option<&'static str>,
}

impl Offers {
    /// A server with tools and nothing else.
    pub fn tools() -> Box<dyn Lie> {
        Box::new(Offers {
            feature: Some("tools/"),
            capability: Some("tools"),
        })
    }

    /// A server without any feature.
    pub fn nothing() -> Box<dyn Lie> {
        Box::new(Offers {
            feature: None,
            capability: None,
        })
    }
}

impl Offers {
    /// Whether a notification is of what it has, or of no feature.
    fn may_notify(&self, method: &str) -> bool {
        let name = method.strip_prefix("notifications/").unwrap_or(method);
        let is_log = name == "message";
        let mut features = FEATURES.iter().filter(|start| name.starts_with(**start));
        !is_log && features.all(|feature| self.feature == Some(feature))
    }
}

impl Lie for Offers {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(_, method, _) = heard.what else {
            return Course::Honest;
        };
        let of_feature = FEATURES.iter().find(|start| method.starts_with(**start));
        let is_served = of_feature.is_none_or(|feature| self.feature == Some(feature));
        if is_served {
            return Course::Honest;
        }
        fired.count();
        Course::Answer(Err(RpcError::method_not_found(method)))
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        _is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let is_introduction =
            message.about.is_reply_to("initialize") || message.about.is_reply_to("server/discover");
        if is_introduction {
            for_each_at(&mut message.json, "/result/capabilities", &mut |declared| {
                if let Json::Object(members) = declared {
                    members.retain(|(key, _)| self.capability == Some(key.as_str()));
                    fired.count();
                }
            });
        }
        if let About::Notification(method) = &message.about
            && !self.may_notify(method)
        {
            fired.count();
            return Vec::new();
        }
        // What it does not have it does not promise to tell of either.
        if message.about
            == About::Notification("notifications/subscriptions/acknowledged".to_owned())
        {
            for_each_at(&mut message.json, "/params/notifications", &mut |told| {
                if let Json::Object(members) = told {
                    members.retain(|(key, _)| {
                        let told = self.capability.map(|one| format!("{one}ListChanged"));
                        told.as_deref() == Some(key.as_str())
                    });
                    fired.count();
                }
            });
        }
        vec![message]
    }
}
