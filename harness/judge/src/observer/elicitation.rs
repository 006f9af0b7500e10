//! Elicitation: what the shape of a request does not show.

use super::dialogue::{Came, Said};
use super::{Observer, Rule, Sightings, Watch, questions};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

const COMPLETE: &str = "complete";
const LINKS: &str = "form-without-links";
const HTTPS: &str = "https";
const REQUIRED: &str = "required";

/// The code of an error that names elicitations by URL.
const URL_REQUIRED: i64 = -32042;

/// Watches elicitations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elicitation;

impl Observer for Elicitation {
    fn name(&self) -> &'static str {
        "elicitation"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    COMPLETE,
                    "a completion names an elicitation of this server",
                    "notifications/elicitation/complete has the id of an elicitation by URL that the client was told of before",
                    &["2025-11-25/client/elicitation#completion-notifications-for-url-mode-elicitation.3"],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    LINKS,
                    "a form has no links to click",
                    "no text of an elicitation by form is written as a link, in Markdown or HTML",
                    &["2025-11-25/client/elicitation#safe-url-handling.3"],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    HTTPS,
                    "the URL of an elicitation is one of HTTPS",
                    "an elicitation by URL leads to https, but where the host is this machine, a private network or a name kept for tests",
                    &["2025-11-25/client/elicitation#safe-url-handling.4"],
                )
                .since(Revision::R2025_11_25),
                Rule::of_servers(
                    REQUIRED,
                    "an error that asks for elicitations names them",
                    "an error of code -32042 has a list `data.elicitations`, each by URL and with an id",
                    &[
                        "2025-11-25/client/elicitation#url-elicitation-required-error.3",
                        "2025-11-25/client/elicitation#url-elicitation-required-error.4",
                    ],
                )
                .since(Revision::R2025_11_25)
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        (revision >= Revision::R2025_11_25).then(|| {
            Box::new(Elicitations {
                has_errors: revision == Revision::R2025_11_25,
                is_ordered: binding != Binding::Http,
                ids: HashMap::new(),
            }) as _
        })
    }
}

/// Ids of elicitations that are remembered of a connection; beyond them no id is unknown.
const REMEMBERED: usize = 4096;

struct Elicitations {
    /// Whether the revision has ids, and an error that names elicitations.
    has_errors: bool,
    /// Whether what comes later was sent later.
    is_ordered: bool,
    /// Ids that a client was told, by connection.
    ids: HashMap<String, HashSet<String>>,
}

impl Watch for Elicitations {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        match came.message.kind {
            Kind::Error => self.error(&came, sightings),
            Kind::Notification => self.complete(&came, sightings),
            Kind::Request | Kind::Result | Kind::Batch | Kind::Malformed(_) => {}
        }
        for question in questions::of(came.message) {
            if question.method == "elicitation/create" {
                self.elicitation(&came, question.params, &question.place, sightings);
            }
        }
    }
}

impl Elicitations {
    fn elicitation(
        &mut self,
        came: &Came<'_>,
        params: &Value,
        place: &str,
        sightings: &mut Sightings,
    ) {
        match params.get("mode").and_then(Value::as_str) {
            Some("url") => {
                self.remember(came, params);
                https(came, params, place, sightings);
            }
            Some("form") | None => {
                sightings.judge(LINKS);
                if let Some(at) = link(params, place.to_owned()) {
                    let shown = came.raw(&at).unwrap_or_default();
                    let message = format!("a form shows a link: {}", text::cut(&shown));
                    let finding = Finding::new(FindingCode::Value, message)
                        .expected("plain text; an elicitation by URL leads somewhere")
                        .actual(shown)
                        .at(came.entry.seq, &at);
                    sightings.find(LINKS, "elicitation/create", "", finding);
                }
            }
            Some(_) => {}
        }
    }

    fn remember(&mut self, came: &Came<'_>, params: &Value) {
        let ids = self.ids.entry(came.entry.connection.clone()).or_default();
        if let Some(id) = params.get("elicitationId").and_then(Value::as_str)
            && ids.len() < REMEMBERED
        {
            ids.insert(id.to_owned());
        }
    }

    fn complete(&mut self, came: &Came<'_>, sightings: &mut Sightings) {
        if !self.has_errors
            || !self.is_ordered
            || came.notification() != Some("notifications/elicitation/complete")
        {
            return;
        }
        let Some(id) = came
            .message
            .value
            .at("/params/elicitationId")
            .and_then(Value::as_str)
        else {
            return;
        };
        let ids = self.ids.get(&came.entry.connection);
        // What was said before may have named it.
        let may_be_older = came.client.is_midway
            || !came.client.past.ids.is_empty()
            || ids.is_some_and(|ids| ids.len() >= REMEMBERED);
        let is_known = ids.is_some_and(|ids| ids.contains(id));
        if may_be_older && !is_known {
            return;
        }
        sightings.judge(COMPLETE);
        if !is_known {
            let message = format!(
                "an elicitation is complete that the client was not told of: `{}`",
                text::cut(id)
            );
            let finding = Finding::new(FindingCode::Id, message)
                .expected("the `elicitationId` of an elicitation that came before")
                .actual(came.raw("/params/elicitationId").unwrap_or_default())
                .at(came.entry.seq, "/params/elicitationId");
            sightings.find(COMPLETE, "notifications/elicitation/complete", "", finding);
        }
    }

    fn error(&mut self, came: &Came<'_>, sightings: &mut Sightings) {
        let value = &came.message.value;
        let code = value.at("/error/code").and_then(Value::as_i64);
        if !self.has_errors || code != Some(URL_REQUIRED) {
            return;
        }
        sightings.judge(REQUIRED);
        let place = "/error/data/elicitations";
        let Some(listed) = value.at(place).and_then(Value::as_array) else {
            let finding = Finding::new(
                FindingCode::Schema,
                "an error of code -32042 names no elicitations",
            )
            .expected("`data.elicitations`, a list")
            .actual(came.raw("/error").unwrap_or_default())
            .at(came.entry.seq, "/error");
            sightings.find(REQUIRED, "", place, finding);
            return;
        };
        for (index, one) in listed.iter().enumerate() {
            self.remember(came, one);
            let at = format!("{place}/{index}");
            let lacks = match one {
                _ if one.get("mode").and_then(Value::as_str) != Some("url") => "of mode `url`",
                _ if !one.get("elicitationId").is_some_and(Value::is_string) => {
                    "with an `elicitationId`"
                }
                _ => {
                    https(came, one, &at, sightings);
                    continue;
                }
            };
            let message = format!("an elicitation in an error of code -32042 is not one {lacks}");
            let finding = Finding::new(FindingCode::Schema, message)
                .expected("`mode` \"url\" and an `elicitationId`")
                .actual(came.raw(&at).unwrap_or_default())
                .at(came.entry.seq, &at);
            sightings.find(REQUIRED, "", lacks, finding);
        }
    }
}

fn https(came: &Came<'_>, params: &Value, place: &str, sightings: &mut Sightings) {
    let Some(url) = params.get("url").and_then(Value::as_str) else {
        return;
    };
    sightings.judge(HTTPS);
    if !is_plain_and_public(url) {
        return;
    }
    let message = format!("an elicitation leads to {}", text::cut(url));
    let at = format!("{place}/url");
    let finding = Finding::new(FindingCode::Value, message)
        .expected("an https URL, outside of development")
        .actual(came.raw(&at).unwrap_or_default())
        .at(came.entry.seq, &at);
    sightings.find(HTTPS, "elicitation/create", "", finding);
}

/// Whether a URL is one of plain HTTP to a host that others reach.
fn is_plain_and_public(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_public(address),
        // Which of these are reached from outside is not told by the address alone.
        Ok(IpAddr::V6(_)) => false,
        Err(_) => {
            let kept = [
                "example",
                "home",
                "internal",
                "invalid",
                "lan",
                "local",
                "localhost",
                "test",
            ];
            let mut labels = host.rsplit('.');
            let (last, second) = (labels.next().unwrap_or_default(), labels.next());
            second.is_some_and(|second| second != "example" && !second.is_empty())
                && !kept.contains(&last)
        }
    }
}

fn is_public(address: Ipv4Addr) -> bool {
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_documentation())
}

/// Where a text is written as a link, in order; keys are not shown to a user.
fn link(value: &Value, place: String) -> Option<String> {
    match value {
        Value::String(text) => is_link(text).then_some(place),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, item)| link(item, format!("{place}/{index}")))
        }
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            (key != "_meta").then(|| link(member, format!("{place}/{key}")))?
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn is_link(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let leads = |rest: &str| rest.starts_with("http://") || rest.starts_with("https://");
    let in_markdown = lower
        .match_indices("](")
        .any(|(at, found)| leads(&lower[at + found.len()..]));
    let in_html = lower.match_indices("<a ").any(|(at, _)| {
        let tag = lower[at..].split('>').next().unwrap_or_default();
        tag.contains("href=")
    });
    in_markdown
        || in_html
        || lower
            .match_indices('<')
            .any(|(at, _)| leads(&lower[at + 1..]))
}

#[cfg(test)]
mod tests;
