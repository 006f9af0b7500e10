//! Responses: one to each request, to a request that was sent, under its id.

use super::dialogue::{IdKey, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Direction, Http, HttpPart};
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId};
use std::collections::{HashMap, HashSet, VecDeque};

const ASKED: &str = "asked";
const ONCE: &str = "once";
const SAME_ID: &str = "same-id";

/// The integers up to which every reader agrees, 2^53.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// Requests whose count is remembered, and ids of a connection; beyond that nothing is said of what is not known.
const REMEMBERED: usize = 1 << 16;

/// Counts the responses to each request, and looks at their ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers;

impl Observer for Answers {
    fn name(&self) -> &'static str {
        "answers"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    ASKED,
                    "a response answers a request",
                    "each response of a server has the id of a request that the client sent",
                    &["2024-11-05/basic/messages#responses.1"],
                ),
                Rule::of_servers(
                    ONCE,
                    "a request is answered once",
                    "a server sends one response to a request, and no second one",
                    &["2024-11-05/basic/index#top.1"],
                ),
                Rule::of_servers(
                    SAME_ID,
                    "a response has the id as it was sent",
                    "the id of a response is that of its request, of the same JSON type",
                    &["2024-11-05/basic/messages#responses.1"],
                ),
            ]
        }
    }

    fn watch(&self, _revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Counts {
            // A stream that is taken up again brings once more what it brought before: there an exchange stands for itself.
            by_exchange: binding == Binding::Http,
            asked: HashMap::new(),
            done: VecDeque::new(),
            ids: HashMap::new(),
            given: HashSet::new(),
            unreadable: HashSet::new(),
        }))
    }
}

/// A client by its number; over Streamable HTTP one of its exchanges too.
type Place = (usize, Option<u64>);

struct Counts {
    by_exchange: bool,
    /// By place and the raw id.
    asked: HashMap<(Place, IdKey), Count>,
    /// Requests that were answered as often as they were sent, oldest first.
    done: VecDeque<(Place, IdKey)>,
    /// Every id that a connection asked by; `None`: more than are remembered.
    ids: HashMap<usize, Option<HashSet<IdKey>>>,
    /// Responses of the client: what refuses one in its own exchange may name it.
    given: HashSet<(Place, IdKey)>,
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

impl Count {
    fn is_done(&self) -> bool {
        self.answered >= self.asked
    }
}

impl Counts {
    fn place(&self, said: &Said<'_>) -> Place {
        let exchange = said.entry.http.as_ref().filter(|_| self.by_exchange);
        (said.client.number, exchange.map(|http| http.exchange))
    }

    fn send(&mut self, said: &Said<'_>) {
        let (entry, place) = (said.entry, self.place(said));
        let Some(message) = &entry.message else {
            if !entry.raw.is_empty() {
                self.unreadable.insert(place);
            }
            return;
        };
        for item in message.batch.iter().chain([message]) {
            let is_response = matches!(item.kind, Kind::Result | Kind::Error);
            if let Some(id) = item.id.as_ref().filter(|_| is_response && self.by_exchange) {
                if self.given.len() >= REMEMBERED {
                    // Their exchanges are over.
                    self.given.clear();
                }
                self.given.insert((place, IdKey::of(id)));
            }
            // A broken request with an id is answered under it as well.
            let is_asking = matches!(item.kind, Kind::Request | Kind::Malformed(_));
            if let Some(id) = item.id.as_ref().filter(|_| is_asking) {
                let ids = self.ids.entry(said.client.number);
                let ids = ids.or_insert_with(|| Some(HashSet::new()));
                if ids.as_ref().is_some_and(|ids| ids.len() >= REMEMBERED) {
                    *ids = None;
                }
                if let Some(ids) = ids {
                    ids.insert(IdKey::of(id));
                }
                let key = (place, IdKey::of(id));
                self.asked.entry(key).or_default().asked += 1;
            }
        }
    }

    fn receive(&mut self, said: &Said<'_>, message: &Message, sightings: &mut Sightings) {
        let entry = said.entry;
        let place = self.place(said);
        let Some(id) = message.id.as_ref().filter(|id| !id.is_null()) else {
            return;
        };
        if self.unreadable.contains(&place) {
            return;
        }
        let is_refusal =
            message.kind == Kind::Error && self.given.contains(&(place, IdKey::of(id)));
        if !is_refusal {
            self.names_a_request(said, id, message, sightings);
        }
        let key = (place, IdKey::of(id));
        let Some(count) = self.asked.get_mut(&key) else {
            return;
        };
        sightings.judge(ONCE);
        count.answered += 1;
        if count.answered == 1 {
            count.first = entry.seq;
        }
        if count.answered <= count.asked {
            if count.answered == count.asked {
                self.done.push_back(key);
            }
            if self.done.len() > REMEMBERED
                && let Some(oldest) = self.done.pop_front()
                && self.asked.get(&oldest).is_some_and(Count::is_done)
            {
                self.asked.remove(&oldest);
            }
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

impl Counts {
    /// Judges the id alone: whether a request had it, and by the same type.
    fn names_a_request(
        &self,
        said: &Said<'_>,
        id: &RawId,
        message: &Message,
        sightings: &mut Sightings,
    ) {
        let (entry, client) = (said.entry, said.client);
        let unreadable = |place: &Place| place.0 == client.number;
        let is_known_in_full = !client.is_midway && !self.unreadable.iter().any(unreadable);
        let is_of_past = client.past.ids.iter().any(|past| past.loosely_equals(id));
        let Some(Some(ids)) = self.ids.get(&client.number) else {
            return;
        };
        if !is_known_in_full || is_of_past {
            return;
        }
        if ids.contains(&IdKey::of(id)) {
            sightings.judge(ASKED);
            sightings.judge(SAME_ID);
            return;
        }
        // What goes through a double or an integer on its way comes back as another number: that is for those who ask by such ids.
        let is_near = |asked: RawId| match (asked.0.parse::<f64>(), id.0.parse::<f64>()) {
            (Ok(asked), Ok(answered)) => {
                let is_odd = asked.fract() != 0.0 || asked.abs() > MOST_EXACT;
                is_odd && (asked - answered).abs() <= (asked.abs() * f64::EPSILON).max(1.0)
            }
            _ => false,
        };
        if ids.iter().map(IdKey::id).any(is_near)
            && !ids.iter().any(|asked| asked.id().loosely_equals(id))
        {
            return;
        }
        let shown = text::cut(&id.0);
        sightings.judge(ASKED);
        let alike = ids.iter().map(IdKey::id);
        let mut alike = alike.filter(|asked| asked.loosely_equals(id));
        let Some(meant) = alike.next() else {
            let told = format!("a response came with the id {shown}, which no request had");
            let finding = Finding::new(FindingCode::UnexpectedMessage, told)
                .expected("the id of a request that was sent")
                .actual(text::cut(&message.value.to_string()))
                .at(entry.seq, "/id");
            sightings.find(ASKED, "", "/id", finding);
            return;
        };
        sightings.judge(SAME_ID);
        // `1.0` for `1`, or an escape in a text, is the same value written otherwise.
        if meant.0.starts_with('"') == id.0.starts_with('"') {
            return;
        }
        let told = format!(
            "a response came with the id {shown}, where the request has {}",
            text::cut(&meant.0)
        );
        let finding = Finding::new(FindingCode::Id, told)
            .expected(format!("the id {}", text::cut(&meant.0)))
            .actual(id.0.clone())
            .at(entry.seq, "/id");
        sightings.find(SAME_ID, "", "/id", finding);
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
            (Direction::Sent, _) => self.send(said),
            (Direction::Received, Some(message)) if !is_cut => {
                for item in message.batch.iter().chain([message]) {
                    if matches!(item.kind, Kind::Result | Kind::Error) {
                        self.receive(said, item, sightings);
                    }
                }
            }
            (Direction::Received, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
