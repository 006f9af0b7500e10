//! The requests of one side, with their answers, in bounded memory.

use mcp_assay_model::record;
use mcp_assay_wire::jsonrpc::{Message, RawId};
use serde_json::Value;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use super::CLIENT_CAPABILITIES;
use crate::place::Place;
use crate::schema::Schemas;
use mcp_assay_model::protocol::Revision;

/// Requests with an answer that are remembered; older ones are forgotten.
const FINISHED: usize = 4096;

/// Requests without an answer that are remembered.
const PENDING: usize = 65_536;

/// Bytes of requests that are remembered whole, of those with an answer; of the others only the method, the id and the token are.
const WEIGHT: u64 = 4 << 20;

/// The requests of one side.
#[derive(Default)]
pub(in crate::observer) struct Requests {
    /// By their order.
    kept: BTreeMap<u64, Asked>,
    next: u64,
    /// Position and order of each: of a batch several are at one position.
    by_seq: BTreeSet<(u64, u64)>,
    /// Order of the last in each HTTP exchange.
    by_exchange: HashMap<u64, u64>,
    /// Order of the last without a response, by its id.
    pending: HashMap<IdKey, u64>,
    /// Order of those with a progress token, oldest first.
    by_token: HashMap<Token, Vec<u64>>,
    /// Order of those with an answer, and how many bytes each weighs, oldest first.
    finished: VecDeque<(u64, u64)>,
    /// How many of `finished`, from the front, are not whole any more.
    light: usize,
    weight: u64,
    /// Position of the last request that has a response.
    answered_up_to: u64,
    /// Whether any was forgotten.
    is_forgetful: bool,
}

/// A request.
pub(in crate::observer) struct Asked {
    /// Its position; the items of a batch have that of the batch.
    pub seq: u64,
    /// Its id, as written.
    pub id: Option<RawId>,
    /// Its method.
    pub method: String,
    /// The whole of it; null where it was answered long ago.
    value: Arc<Value>,
    /// Its progress token.
    token: Option<Value>,
    /// Its HTTP exchange.
    pub exchange: Option<u64>,
    /// Status of the last response in that exchange.
    pub status: Option<u16>,
    /// Whether it asked for a task, which goes on when it is answered.
    pub is_task: bool,
    /// Whether a server has to serve it by this revision.
    pub is_lawful: bool,
    /// Whether another request with its id waited for a response at the same time.
    pub is_ambiguous: bool,
    /// Position of its first response.
    pub answered: Option<u64>,
    weight: u64,
}

impl Requests {
    pub(super) fn ask(&mut self, entry: &record::Entry, message: &Message, is_lawful: bool) {
        let order = self.next;
        self.next += 1;
        let id = message.id.as_ref();
        let twin = id.and_then(|id| self.pending.insert(IdKey::of(id), order));
        if let Some(twin) = twin.and_then(|twin| self.kept.get_mut(&twin)) {
            twin.is_ambiguous = true;
        }
        self.by_seq.insert((entry.seq, order));
        let exchange = entry.http.as_ref().map(|http| http.exchange);
        if let Some(exchange) = exchange {
            self.by_exchange.insert(exchange, order);
        }
        let params = message.value.member("params");
        let meta = params.and_then(|params| params.member("_meta"));
        let token = meta.and_then(|meta| meta.member("progressToken"));
        if let Some(token) = token {
            let orders = self.by_token.entry(Token::of(token));
            orders.or_default().push(order);
        }
        let asked = Asked {
            seq: entry.seq,
            id: message.id.clone(),
            method: message.method.clone().unwrap_or_default(),
            value: Arc::clone(&message.value),
            token: token.cloned(),
            exchange,
            status: None,
            is_task: params.is_some_and(|params| params.member("task").is_some()),
            is_lawful,
            is_ambiguous: twin.is_some(),
            answered: None,
            weight: entry.length,
        };
        self.kept.insert(order, asked);
        if self.kept.len() > FINISHED + PENDING
            && let Some(&oldest) = self.kept.keys().next()
        {
            self.forget(oldest);
        }
    }

    pub(super) fn answer(&mut self, entry: &record::Entry, message: &Message) {
        let Some(order) = self.order_of(entry, message) else {
            return;
        };
        let Some(asked) = self.kept.get_mut(&order) else {
            return;
        };
        // A response with another id may be about something else.
        let (Some(id), Some(named)) = (&asked.id, &message.id) else {
            return;
        };
        if !id.loosely_equals(named) || asked.answered.is_some() {
            return;
        }
        asked.answered = Some(entry.seq);
        self.answered_up_to = self.answered_up_to.max(asked.seq);
        remove(&mut self.pending, id, order);
        self.finished.push_back((order, asked.weight));
        self.weight += asked.weight;
        self.shed();
    }

    /// The request that a response was attributed to; else the one with its id that waits.
    fn order_of(&self, entry: &record::Entry, message: &Message) -> Option<u64> {
        let id = message.id.as_ref();
        let Some(seq) = entry.answers else {
            return self.pending.get(&IdKey::of(id?)).copied();
        };
        let mut orders = self.orders_at(seq);
        let last = orders.clone().next_back();
        let named = orders.find(|order| {
            let own = self.kept.get(order).and_then(|asked| asked.id.as_ref());
            own.zip(id).is_some_and(|(own, id)| own.loosely_equals(id))
        });
        named.or(last)
    }

    fn orders_at(&self, seq: u64) -> impl DoubleEndedIterator<Item = u64> + Clone {
        let all = self.by_seq.range((seq, 0)..=(seq, u64::MAX));
        all.map(|(_, order)| *order)
    }

    /// The request that a response answers, once the response was taken in.
    pub(super) fn answered_by(&self, entry: &record::Entry, message: &Message) -> Option<&Asked> {
        if entry.answers.is_some() {
            return self.kept.get(&self.order_of(entry, message)?);
        }
        let id = message.id.as_ref()?;
        let recent = self.finished.iter().rev().map(|(order, _)| order);
        let mut recent = recent.filter_map(|order| self.kept.get(order));
        // What was just answered is the last but for batches.
        recent
            .next()
            .filter(|asked| asked.id.as_ref() == Some(id))
            .or_else(|| {
                let peers = recent.take_while(|asked| asked.answered == Some(entry.seq));
                peers
                    .take(PEERS)
                    .find(|asked| asked.id.as_ref() == Some(id))
            })
    }

    /// The request at a position, where it is alone there.
    pub fn at(&self, seq: u64) -> Option<&Asked> {
        let mut orders = self.orders_at(seq);
        match (orders.next(), orders.next()) {
            (Some(order), None) => self.kept.get(&order),
            _ => None,
        }
    }

    /// The head of a response came in an exchange.
    pub(super) fn head(&mut self, exchange: u64, status: u16) {
        let order = self.by_exchange.get(&exchange);
        if let Some(asked) = order.and_then(|order| self.kept.get_mut(order)) {
            asked.status = Some(status);
        }
    }

    pub fn of_exchange(&self, exchange: u64) -> Option<&Asked> {
        self.kept.get(self.by_exchange.get(&exchange)?)
    }

    /// Lightens what was answered long ago, then forgets it.
    fn shed(&mut self) {
        while self.weight > WEIGHT
            && let Some(&(order, weight)) = self.finished.get(self.light)
        {
            self.light += 1;
            self.weight -= weight;
            if let Some(asked) = self.kept.get_mut(&order) {
                asked.value = Arc::new(Value::Null);
            }
        }
        while self.finished.len() > FINISHED
            && let Some((order, weight)) = self.finished.pop_front()
        {
            match self.light.checked_sub(1) {
                Some(light) => self.light = light,
                None => self.weight -= weight,
            }
            self.forget(order);
        }
    }

    fn forget(&mut self, order: u64) {
        let Some(asked) = self.kept.remove(&order) else {
            return;
        };
        self.is_forgetful = true;
        self.by_seq.remove(&(asked.seq, order));
        if let Some(exchange) = asked.exchange
            && self.by_exchange.get(&exchange) == Some(&order)
        {
            self.by_exchange.remove(&exchange);
        }
        if let Some(id) = &asked.id {
            remove(&mut self.pending, id, order);
        }
        if let Some(token) = &asked.token
            && let Entry::Occupied(mut kept) = self.by_token.entry(Token::of(token))
        {
            let orders = kept.get_mut();
            if let Ok(index) = orders.binary_search(&order) {
                orders.remove(index);
            }
            if orders.is_empty() {
                kept.remove();
            }
        }
    }

    /// Those that are remembered and whose progress has this token, oldest first.
    pub fn with_token(&self, token: &Value) -> impl DoubleEndedIterator<Item = &Asked> {
        let orders = self.by_token.get(&Token::of(token)).into_iter().flatten();
        let asked = orders.filter_map(|order| self.kept.get(order));
        asked.filter(move |asked| asked.has_token(token))
    }

    /// Those that are remembered, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Asked> + Clone {
        self.kept.values()
    }

    /// Whether any was forgotten, so that one that is not here may have been.
    pub fn is_forgetful(&self) -> bool {
        self.is_forgetful
    }

    /// Whether a request may still be worked on, as far as a server may lag behind itself: it has no response, or none that is older than
    /// the response to a request sent after it.
    pub fn is_recent(&self, asked: &Asked) -> bool {
        asked
            .answered
            .is_none_or(|answered| self.answered_up_to < answered)
    }
}

/// Responses that one entry may bring and that are looked through.
const PEERS: usize = 1024;

/// Where the last request with an id is this one, none with that id waits.
fn remove(pending: &mut HashMap<IdKey, u64>, id: &RawId, order: u64) {
    if let Entry::Occupied(kept) = pending.entry(IdKey::of(id))
        && *kept.get() == order
    {
        kept.remove();
    }
}

/// An id, as it was written, to find something by: most are short integers, and take no space of their own.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(in crate::observer) enum IdKey {
    /// Digits that are written in one way.
    Integer(u64),
    Text(String),
}

impl IdKey {
    pub fn of(id: &RawId) -> Self {
        let digits = id.0.as_bytes();
        let is_short = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        if is_short && (digits.len() == 1 || digits[0] != b'0') {
            let value = |sum: u64, digit: &u8| sum * 10 + u64::from(digit - b'0');
            return IdKey::Integer(digits.iter().fold(0, value));
        }
        IdKey::Text(id.0.clone())
    }

    /// The id itself.
    pub fn id(&self) -> RawId {
        RawId(match self {
            IdKey::Integer(value) => value.to_string(),
            IdKey::Text(text) => text.clone(),
        })
    }
}

/// What equal tokens have in common.
#[derive(Eq, Hash, PartialEq)]
enum Token {
    /// Bits of the number as a double.
    Number(u64),
    Text(String),
    /// No token by any revision.
    Other,
}

impl Token {
    fn of(value: &Value) -> Self {
        match value {
            // With zero added, the negative zero is the other one.
            Value::Number(number) => {
                Token::Number((number.as_f64().unwrap_or_default() + 0.0).to_bits())
            }
            Value::String(text) => Token::Text(text.clone()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Token::Other,
        }
    }
}

impl Asked {
    /// Whether its params are what the revision says of them; not, where the request is no longer remembered whole.
    pub fn fits(&self, schemas: &Schemas, revision: Revision) -> bool {
        let Some(method) = mcp_assay_schemas::method(revision.as_str(), &self.method) else {
            return false;
        };
        match self.value.member("params") {
            _ if self.value.is_null() => false,
            None => !method.params_required,
            Some(params) => {
                let validator = schemas.validator(&method.params);
                validator.is_ok_and(|validator| validator.is_valid(params))
            }
        }
    }

    /// A member of its params.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.value.member("params")?.member(name)
    }

    /// A field of its `_meta`.
    pub fn meta(&self, key: &str) -> Option<&Value> {
        self.param("_meta")?.get(key)
    }

    /// The capabilities that its client declared with it.
    pub fn capability(&self, name: &str) -> Option<&Value> {
        self.meta(CLIENT_CAPABILITIES)?.get(name)
    }

    /// Whether its progress has this token.
    pub fn has_token(&self, token: &Value) -> bool {
        self.token.as_ref().is_some_and(|own| {
            own == token || (own.is_number() && token.is_number() && own.as_f64() == token.as_f64())
        })
    }

    /// Its progress token.
    pub fn token(&self) -> Option<&Value> {
        self.token.as_ref()
    }

    /// Whether it is the same request.
    pub fn is(&self, other: &Asked) -> bool {
        self.seq == other.seq && self.id == other.id
    }

    /// Whether it opens a subscription.
    pub fn is_listen(&self) -> bool {
        self.method == "subscriptions/listen"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_written_otherwise_are_other_keys() {
        let ids = [
            "0",
            "00",
            "01",
            "1",
            "-1",
            "1.0",
            "1e0",
            "\"1\"",
            "",
            "x",
            "null",
            "999999999999999999",
            "1000000000000000000",
            "01000000000000000000",
        ];
        for one in ids {
            let key = IdKey::of(&RawId(one.to_owned()));
            assert_eq!(key.id().0, one);
            for other in ids {
                let is_same = key == IdKey::of(&RawId(other.to_owned()));
                assert_eq!(is_same, one == other, "{one} and {other}");
            }
        }
    }
}
