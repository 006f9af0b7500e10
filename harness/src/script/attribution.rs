//! Which sent message a response answers, so that a wrong id is a finding and not a time-out.

use mcp_assay_model::record::Sent;
use mcp_assay_wire::jsonrpc::{Kind, Message, RawId};

/// A sent message and what is known of its replies.
#[derive(Clone, Debug, Default)]
pub struct SentState {
    /// What the record will hold.
    pub sent: Sent,
    /// Whether a response is due or, for bytes of unknown meaning, possible.
    pub answerable: bool,
    /// Whether it is a fence of ours, not a message of the card.
    pub is_fence: bool,
}

impl SentState {
    fn is_pending(&self) -> bool {
        self.answerable && self.sent.replies.is_empty()
    }

    fn has_readable_id(&self) -> bool {
        self.sent.id.as_ref().is_some_and(|id| !id.is_null())
    }
}

/// The index of the sent message that a response answers: by raw id, by loosely equal id, by its HTTP exchange, then by what could have
/// been meant. `exchange` is the one that brought it, where each message has one.
///
/// A response whose id names nothing answers what had no readable id, else the only pending request of the card. A fence takes it only
/// where nothing else can be meant, and only a result: an error without an id may be about anything. An error without an id in the
/// exchange of a notification says that it was not accepted, and answers nothing.
pub fn answered_by(response: &Message, sent: &[SentState], exchange: Option<u64>) -> Option<usize> {
    let id = response.id.as_ref().filter(|id| !id.is_null());
    let by_id = id.and_then(|id| {
        let same = first_pending(sent, exchange, |state| state.sent.id.as_ref() == Some(id));
        same.or_else(|| first_pending(sent, exchange, |state| is_loosely(state, id)))
    });
    if by_id.is_some() {
        return by_id;
    }
    let carried = |state: &SentState| exchange.is_some() && state.sent.exchange == exchange;
    if let Some(carrier) = sent.iter().position(&carried) {
        let pending = |state: &SentState| carried(state) && state.is_pending();
        let open = sent.iter().position(pending);
        return open.or_else(|| id.map(|_| carrier));
    }
    if exchange.is_some() {
        // On a stream of the server's own, or as the answer to a GET, only an id can mean a request.
        return None;
    }
    sent.iter()
        .position(|state| state.is_pending() && !state.has_readable_id())
        .or_else(|| only(sent, |state| state.is_pending() && !state.is_fence))
        .or_else(|| only(sent, SentState::is_pending).filter(|_| response.kind == Kind::Result))
}

fn is_loosely(state: &SentState, id: &RawId) -> bool {
    state
        .sent
        .id
        .as_ref()
        .is_some_and(|sent| sent.loosely_equals(id))
}

/// The first that is pending and satisfies a test, else the last that was answered before: then it is answered twice. What the exchange
/// itself carried comes before all others, for a second answer there means it as the first did.
fn first_pending(
    sent: &[SentState],
    exchange: Option<u64>,
    test: impl Fn(&SentState) -> bool,
) -> Option<usize> {
    let here = |state: &SentState| exchange.is_some() && state.sent.exchange == exchange;
    let open = |state: &SentState| state.is_pending() && test(state);
    let closed = |state: &SentState| state.answerable && test(state);
    let first = |wanted: &dyn Fn(&SentState) -> bool| sent.iter().position(wanted);
    let last = |wanted: &dyn Fn(&SentState) -> bool| sent.iter().rposition(wanted);
    first(&|state| here(state) && open(state))
        .or_else(|| last(&|state| here(state) && closed(state)))
        .or_else(|| first(&open))
        .or_else(|| last(&closed))
}

/// The only one that satisfies a test.
fn only(sent: &[SentState], test: impl Fn(&SentState) -> bool) -> Option<usize> {
    let mut found = sent
        .iter()
        .enumerate()
        .filter(|(_, state)| test(state))
        .map(|(index, _)| index);
    let first = found.next();
    if found.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests;
