//! Lies about pages and cursors.

use crate::error::RpcError;
use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
use crate::outgoing::{About, Outgoing};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The key under which a list method has its entries.
fn key_of(method: &str) -> Option<&'static str> {
    match method {
        "tools/list" => Some("tools"),
        "prompts/list" => Some("prompts"),
        "resources/list" => Some("resources"),
        "resources/templates/list" => Some("resourceTemplates"),
        "tasks/list" => Some("tasks"),
        _ => None,
    }
}

/// The method and cursor of a list request that asks for a later page.
fn asks_for_next<'a>(heard: &Heard<'a>) -> Option<(&'a str, &'a str, u64)> {
    match heard.what {
        What::Request(arrival, method, seq) if key_of(method).is_some() => {
            let cursor = arrival.message.value.pointer("/params/cursor")?.as_str()?;
            Some((method, cursor, seq))
        }
        What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => None,
    }
}

/// The method, and the key of its entries, of an answer that is a page.
fn page(message: &Outgoing) -> Option<(String, &'static str, u64)> {
    let About::Reply { method, seq } = &message.about else {
        return None;
    };
    let key = key_of(method)?;
    message.json.at(&format!("/result/{key}"))?;
    Some((method.clone(), key, *seq))
}

/// Leads from the last page to the second.
#[derive(Default)]
pub(crate) struct LoopsCursor {
    /// The first cursor of each list.
    first: HashMap<String, Json>,
}

impl Lie for LoopsCursor {
    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let Some((method, ..)) = page(&message) else {
            return vec![message];
        };
        match message.json.at("/result/nextCursor").cloned() {
            Some(cursor) => drop(self.first.entry(method).or_insert(cursor)),
            None => {
                if is_subject && let Some(first) = self.first.get(&method) {
                    message.json.set("/result/nextCursor", first.clone());
                    fired.count();
                }
            }
        }
        vec![message]
    }
}

/// Begins a page with the last entry of the one before.
#[derive(Default)]
pub(crate) struct RepeatsEntry {
    later_pages: HashSet<u64>,
    last: HashMap<String, Json>,
}

impl Lie for RepeatsEntry {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        self.later_pages
            .extend(asks_for_next(heard).map(|(.., seq)| seq));
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        let Some((method, key, seq)) = page(&message) else {
            return vec![message];
        };
        if let Some(entries) = message.json.items_at(&format!("/result/{key}")) {
            let own_last = entries.last().cloned();
            if is_subject
                && self.later_pages.remove(&seq)
                && let Some(last) = self.last.get(&method)
            {
                entries.insert(0, last.clone());
                fired.count();
            }
            self.last.extend(own_last.map(|last| (method, last)));
        }
        vec![message]
    }
}

/// Leaves out the first entry of a later page.
#[derive(Default)]
pub(crate) struct DropsEntry {
    later_pages: HashSet<u64>,
}

impl Lie for DropsEntry {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        self.later_pages
            .extend(asks_for_next(heard).map(|(.., seq)| seq));
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if let Some((_, key, seq)) = page(&message)
            && is_subject
            && self.later_pages.remove(&seq)
            && let Some(entries) = message.json.items_at(&format!("/result/{key}"))
            && !entries.is_empty()
        {
            entries.remove(0);
            fired.count();
        }
        vec![message]
    }
}

/// Refuses a cursor that it gave.
#[derive(Default)]
pub(crate) struct RefusesOwnCursor {
    given: HashSet<String>,
}

impl Lie for RefusesOwnCursor {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match asks_for_next(heard) {
            Some((_, cursor, _)) if self.given.contains(cursor) => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_params("Invalid cursor")))
            }
            Some(_) | None => Course::Honest,
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if page(&message).is_some() {
            self.given.extend(message.json.str_at("/result/nextCursor"));
        }
        vec![message]
    }
}

/// Knows the cursors that it gave only on the socket where it gave them. In the modern era, over HTTP.
#[derive(Default)]
pub(crate) struct TiesCursors {
    /// The sockets of list requests, by number.
    asked_on: HashMap<u64, u64>,
    /// Where each cursor was given.
    given_on: HashMap<String, HashSet<u64>>,
}

impl Lie for TiesCursors {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, _, seq) = heard.what else {
            return Course::Honest;
        };
        let Some(carrier) = &arrival.carrier else {
            return Course::Honest;
        };
        self.asked_on.insert(seq, carrier.socket);
        let Some((_, cursor, _)) = asks_for_next(heard) else {
            return Course::Honest;
        };
        match self.given_on.get(cursor) {
            Some(sockets) if !sockets.contains(&carrier.socket) => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_params("Invalid cursor")))
            }
            Some(_) | None => Course::Honest,
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let Some((.., seq)) = page(&message)
            && let Some(socket) = self.asked_on.remove(&seq)
            && let Some(cursor) = message.json.str_at("/result/nextCursor")
        {
            self.given_on.entry(cursor).or_default().insert(socket);
        }
        vec![message]
    }
}

/// Never ends a list of more than one page.
#[derive(Default)]
pub(crate) struct EmptyPages {
    later_pages: HashSet<u64>,
    issued: u64,
}

impl EmptyPages {
    fn cursor(&mut self) -> String {
        self.issued += 1;
        format!("and-on-{}", self.issued)
    }
}

impl Lie for EmptyPages {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let Some((method, cursor, seq)) = asks_for_next(heard) else {
            return Course::Honest;
        };
        if !cursor.starts_with("and-on-") {
            self.later_pages.insert(seq);
            return Course::Honest;
        }
        fired.count();
        let mut page = Map::new();
        let key = key_of(method).unwrap_or_default();
        page.insert(key.to_owned(), Value::Array(Vec::new()));
        page.insert("nextCursor".to_owned(), Value::String(self.cursor()));
        Course::Answer(Ok(Value::Object(page)))
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if let Some((_, _, seq)) = page(&message)
            && is_subject
            && self.later_pages.remove(&seq)
            && message.json.at("/result/nextCursor").is_none()
        {
            let cursor = self.cursor();
            message.json.set("/result/nextCursor", Json::text(&cursor));
            fired.count();
        }
        vec![message]
    }
}
