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

/// Leaves out the first entry of each later page.
#[derive(Default)]
pub(crate) struct DropsEntry {
    /// Only when a list is walked for the second time, the fourth, and so on.
    is_in_turn: bool,
    walks: HashMap<String, u32>,
    later_pages: HashSet<u64>,
}

impl DropsEntry {
    /// Whenever a list is walked for the second time, the fourth, and so on.
    pub(crate) fn in_turn() -> Box<dyn Lie> {
        let is_in_turn = true;
        Box::new(DropsEntry {
            is_in_turn,
            ..DropsEntry::default()
        })
    }
}

impl Lie for DropsEntry {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let Some((method, _)) = asks_for_first(heard) {
            *self.walks.entry(method.to_owned()).or_default() += 1;
        }
        let is_odd = |method| self.walks.get(method).is_none_or(|walks| walks % 2 == 1);
        if let Some((method, _, seq)) = asks_for_next(heard)
            && !(self.is_in_turn && is_odd(method))
        {
            self.later_pages.insert(seq);
        }
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

/// Knows each cursor for one use.
#[derive(Default)]
pub(crate) struct ForgetsCursors {
    used: HashSet<String>,
}

impl Lie for ForgetsCursors {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match asks_for_next(heard) {
            Some((_, cursor, _)) if !self.used.insert(cursor.to_owned()) => {
                fired.count();
                Course::Answer(Err(RpcError::invalid_params("Invalid cursor")))
            }
            Some(_) | None => Course::Honest,
        }
    }
}

/// Gives the page of a cursor that comes again without its first entry, as a server does that has moved on.
#[derive(Default)]
pub(crate) struct MovesOn {
    uses: HashMap<String, u32>,
    again: HashSet<u64>,
}

impl Lie for MovesOn {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let Some((_, cursor, seq)) = asks_for_next(heard) {
            let uses = self.uses.entry(cursor.to_owned()).or_default();
            *uses += 1;
            // The walks of a client that asks more than once see the whole list.
            if *uses == 2 {
                self.again.insert(seq);
            }
        }
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
            && self.again.remove(&seq)
            && let Some(entries) = message.json.items_at(&format!("/result/{key}"))
            && !entries.is_empty()
        {
            entries.remove(0);
            fired.count();
        }
        vec![message]
    }
}

/// The method of a list request that asks for the first page.
fn asks_for_first<'a>(heard: &Heard<'a>) -> Option<(&'a str, u64)> {
    match heard.what {
        What::Request(arrival, method, seq) if key_of(method).is_some() => {
            let cursor = arrival.message.value.pointer("/params/cursor");
            cursor.is_none().then_some((method, seq))
        }
        What::Request(..) | What::Notification(..) | What::Batch | What::Malformed => None,
    }
}

/// Breaks down at a cursor that another list gave.
#[derive(Default)]
pub(crate) struct TripsOverForeignCursors {
    given: HashMap<String, String>,
}

impl Lie for TripsOverForeignCursors {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        match asks_for_next(heard) {
            Some((method, cursor, _))
                if self.given.get(cursor).is_some_and(|giver| giver != method) =>
            {
                fired.count();
                Course::Answer(Err(RpcError::internal("no such key")))
            }
            Some(_) | None => Course::Honest,
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if let Some((method, ..)) = page(&message)
            && let Some(cursor) = message.json.str_at("/result/nextCursor")
        {
            self.given.insert(cursor, method);
        }
        vec![message]
    }
}

/// Gives a cursor that is no text the first page.
pub(crate) struct ServesAnyCursorType;

impl Lie for ServesAnyCursorType {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, method, _) = heard.what else {
            return Course::Honest;
        };
        let cursor = arrival.message.value.pointer("/params/cursor");
        match (key_of(method), cursor) {
            (Some(key), Some(cursor)) if !cursor.is_string() && !cursor.is_null() => {
                fired.count();
                let mut page = Map::new();
                page.insert(key.to_owned(), Value::Array(Vec::new()));
                Course::Answer(Ok(Value::Object(page)))
            }
            _ => Course::Honest,
        }
    }
}

/// Follows the last page with two more that are empty, the first of them with a cursor: lawful, a page may have any size.
#[derive(Default)]
pub(crate) struct EmptyLastPages {
    is_told: HashSet<u64>,
}

/// The cursors of the empty pages.
const EMPTY: [&str; 2] = ["nothing-here", "nor-here"];

impl Lie for EmptyLastPages {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        if let Some((_, seq)) = asks_for_first(heard) {
            self.is_told.insert(seq);
            return Course::Honest;
        }
        let Some((method, cursor, seq)) = asks_for_next(heard) else {
            return Course::Honest;
        };
        if !EMPTY.contains(&cursor) {
            self.is_told.insert(seq);
            return Course::Honest;
        }
        fired.count();
        let mut page = Map::new();
        let key = key_of(method).unwrap_or_default();
        page.insert(key.to_owned(), Value::Array(Vec::new()));
        if cursor == EMPTY[0] {
            page.insert("nextCursor".to_owned(), Value::String(EMPTY[1].to_owned()));
        }
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
            && self.is_told.remove(&seq)
            && message.json.at("/result/nextCursor").is_none()
        {
            message.json.set("/result/nextCursor", Json::text(EMPTY[0]));
            fired.count();
        }
        vec![message]
    }
}

/// Has one prompt more each time that its prompts are walked, in the legacy era, and says so: lawful, lists change.
#[derive(Default)]
pub(crate) struct GrowsBetweenWalks {
    walks: usize,
}

impl Lie for GrowsBetweenWalks {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let Some(("prompts/list", _)) = asks_for_first(heard)
            && !heard.is_modern()
        {
            self.walks += 1;
        }
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if let Some((method, key, _)) = page(&message)
            && method == "prompts/list"
            && self.walks > 0
            && is_subject
            && message.json.at("/result/nextCursor").is_none()
            && let Some(entries) = message.json.items_at(&format!("/result/{key}"))
        {
            for number in 0..self.walks {
                let name = format!("grown-{number}");
                entries.push(Json::object([("name", Json::text(&name))]));
                fired.count();
            }
            // The next walk meets one more, and who cares is told of it.
            let params = Json::object([]);
            let told = Outgoing::notification("notifications/prompts/list_changed", params);
            return vec![message, told];
        }
        vec![message]
    }
}

/// What becomes of a cursor that was not given out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Odd {
    /// It is not answered.
    Silent,
    /// It is answered with an internal error.
    Trips,
    /// So is one that is no text, and none that is.
    TripsOverTypes,
    /// The list is refused ever after.
    SpoilsList,
}

/// Knows only the cursors that it gave, and the text that nobody minds.
pub(crate) struct OddCursors {
    odd: Odd,
    given: HashSet<String>,
    is_spoilt: bool,
}

impl OddCursors {
    /// With this effect.
    pub fn begin(odd: Odd) -> Box<dyn Lie> {
        Box::new(OddCursors {
            odd,
            given: HashSet::new(),
            is_spoilt: false,
        })
    }
}

/// What every server refuses in the same way, be it ever so clumsy with others.
const PLAIN: &str = "mcp-assay-no-such-cursor";

impl Lie for OddCursors {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, method, _) = heard.what else {
            return Course::Honest;
        };
        if key_of(method).is_none() {
            return Course::Honest;
        }
        let broken = || Course::Answer(Err(RpcError::internal("unexpected cursor")));
        let is_odd = match arrival.message.value.pointer("/params/cursor") {
            None | Some(Value::Null) => false,
            Some(Value::String(cursor)) => {
                self.odd != Odd::TripsOverTypes && cursor != PLAIN && !self.given.contains(cursor)
            }
            Some(_) => self.odd == Odd::TripsOverTypes,
        };
        if self.odd == Odd::SpoilsList {
            let was_spoilt = self.is_spoilt;
            self.is_spoilt |= is_odd;
            if was_spoilt {
                fired.count();
                return broken();
            }
            return Course::Honest;
        }
        if !is_odd {
            return Course::Honest;
        }
        fired.count();
        match self.odd {
            Odd::Silent => Course::Silence,
            Odd::Trips | Odd::TripsOverTypes | Odd::SpoilsList => broken(),
        }
    }

    fn send(&mut self, message: Outgoing, _is_subject: bool, _fired: &mut Fired) -> Vec<Outgoing> {
        if page(&message).is_some() {
            self.given.extend(message.json.str_at("/result/nextCursor"));
        }
        vec![message]
    }
}

/// Lists a million resources, a thousand a page: lawful, a list has no bound.
pub(crate) struct ListsAMillion;

/// How many there are, and how many stand on a page.
const MILLION: (usize, usize) = (1_000_000, 1000);

impl Lie for ListsAMillion {
    fn hear(&mut self, heard: &Heard<'_>, fired: &mut Fired) -> Course {
        let What::Request(arrival, "resources/list", _) = heard.what else {
            return Course::Honest;
        };
        let start = match arrival.message.value.pointer("/params/cursor") {
            None => Some(0),
            Some(cursor) => cursor
                .as_str()
                .and_then(|cursor| cursor.strip_prefix("from-")?.parse().ok())
                .filter(|start| *start < MILLION.0),
        };
        // Any other cursor is refused as ever.
        let Some(start) = start else {
            return Course::Honest;
        };
        fired.count();
        let end = (start + MILLION.1).min(MILLION.0);
        let entry = |number: usize| {
            let mut entry = Map::new();
            entry.insert("uri".to_owned(), format!("test://many/{number}").into());
            entry.insert("name".to_owned(), format!("many-{number}").into());
            Value::Object(entry)
        };
        let mut page = Map::new();
        page.insert("resources".to_owned(), (start..end).map(entry).collect());
        if end < MILLION.0 {
            page.insert("nextCursor".to_owned(), format!("from-{end}").into());
        }
        Course::Answer(Ok(Value::Object(page)))
    }
}
