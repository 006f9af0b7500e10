//! How often a request is answered: once.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Direction, Entry, Http, HttpPart};
use mcp_assay_wire::jsonrpc::{Kind, Message};
use std::collections::{HashMap, HashSet};

const ONCE: &str = "once";

/// Counts the responses to each request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers;

impl Observer for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[Rule::of_servers(
                ONCE,
                "a request is answered once",
                "a server sends one response to a request, and no second one",
                &["2024-11-05/basic/index#top.1"],
            )]
        }
    }

    fn watch(&self, _revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Counts {
            // A stream that is taken up again brings once more what it brought before: there an exchange stands for itself.
            by_exchange: binding == Binding::Http,
            asked: HashMap::new(),
            unreadable: HashSet::new(),
        }))
    }
}

/// A connection; over Streamable HTTP one of its exchanges too.
type Place = (String, Option<u64>);

struct Counts {
    by_exchange: bool,
    /// By place and the raw id.
    asked: HashMap<(Place, String), Count>,
    /// Where something was sent that no strict reader understands: what it is answered with may look like anything.
    unreadable: HashSet<Place>,
}

/// How often an id was sent, and answered.
#[derive(Default)]
struct Count {
    asked: u64,
    answered: u64,
    /// Position of the first response.
    first: u64,
}

impl Counts {
    fn place(&self, entry: &Entry) -> Place {
        let exchange = entry.http.as_ref().filter(|_| self.by_exchange);
        (entry.connection.clone(), exchange.map(|http| http.exchange))
    }

    fn send(&mut self, entry: &Entry) {
        let place = self.place(entry);
        let Some(message) = &entry.message else {
            if !entry.raw.is_empty() {
                self.unreadable.insert(place);
            }
            return;
        };
        for item in message.batch.iter().chain([message]) {
            // A broken request with an id is answered under it as well.
            let is_asking = matches!(item.kind, Kind::Request | Kind::Malformed(_));
            if let Some(id) = item.id.as_ref().filter(|_| is_asking) {
                let key = (place.clone(), id.0.clone());
                self.asked.entry(key).or_default().asked += 1;
            }
        }
    }

    fn receive(&mut self, entry: &Entry, message: &Message, sightings: &mut Sightings) {
        let place = self.place(entry);
        let Some(id) = message.id.as_ref().filter(|id| !id.is_null()) else {
            return;
        };
        if self.unreadable.contains(&place) {
            return;
        }
        let Some(count) = self.asked.get_mut(&(place, id.0.clone())) else {
            return;
        };
        sightings.judge(ONCE);
        count.answered += 1;
        if count.answered == 1 {
            count.first = entry.seq;
        }
        if count.answered <= count.asked {
            return;
        }
        let told = format!(
            "another response to the request {}, which was answered at #{}",
            text::cut(&id.0),
            count.first
        );
        let finding = Finding::new(FindingCode::Duplicate, told)
            .expected("one response to a request")
            .actual(text::cut(&message.value.to_string()))
            .at(entry.seq, "/id");
        sightings.find(ONCE, "", "/id", finding);
    }
}

impl Watch for Counts {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let entry = said.entry;
        // The items of a batch are read with it.
        if entry.part_of.is_some() {
            return;
        }
        // What the end of a stream cut off was never delivered.
        let is_cut = matches!(
            &entry.http,
            Some(Http {
                part: HttpPart::Event {
                    is_terminated: false,
                    ..
                },
                ..
            })
        );
        match (entry.direction, &entry.message) {
            (Direction::Sent, _) => self.send(entry),
            (Direction::Received, Some(message)) if !is_cut => {
                for item in message.batch.iter().chain([message]) {
                    if matches!(item.kind, Kind::Result | Kind::Error) {
                        self.receive(entry, item, sightings);
                    }
                }
            }
            (Direction::Received, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
