//! What relates to a request comes on its stream, and a stream that ends before the response says when to come back.

use super::exchange::Input;
use super::{Connection, RELATED, RETRY, Sightings, UNRELATED};
use crate::observer::dialogue::Said;
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};

impl Connection {
    /// A message came in an event: progress tells by its token to which request it relates.
    pub(super) fn relates(&self, number: u64, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        let Some(token) = came.message.value.at("/params/progressToken") else {
            return;
        };
        let Some(exchange) = self.exchanges.get(&number) else {
            return;
        };
        if came.notification() != Some("notifications/progress")
            || exchange.is_resumption
            || exchange.is_old_sse
        {
            return;
        }
        let asked = said.client.asked.with_token(token);
        let mut asked = asked.filter(|asked| asked.answered.is_none());
        // Of two requests with one token either may be meant.
        let (Some(asked), None) = (asked.next(), asked.next()) else {
            return;
        };
        let own = asked.exchange;
        // Where the answer is one of JSON, or its stream is gone, there is no better place.
        if !own.is_some_and(|own| self.open.contains(&own)) {
            return;
        }
        let rule = if exchange.is_listening {
            UNRELATED
        } else {
            RELATED
        };
        for judged in [RELATED, UNRELATED] {
            if judged == rule || own == Some(number) {
                sightings.judge(judged);
            }
        }
        if own == Some(number) {
            return;
        }
        let place = if exchange.is_listening {
            "a stream that a GET opened".to_owned()
        } else {
            format!("the stream of #{}", exchange.asked)
        };
        let message = format!(
            "progress of `{}` (#{}) came on {place}, while its own stream was open",
            text::cut(&asked.method),
            asked.seq
        );
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected("progress of a request on the stream of that request")
            .actual(came.text())
            .at(came.entry.seq, "");
        sightings.find(rule, &asked.method, "", finding);
    }

    /// The server closed a stream in good order.
    pub(super) fn ended_early(&self, number: u64, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(exchange) = self.exchanges.get(&number) else {
            return;
        };
        let Input::Requests(ids) = &exchange.input else {
            return;
        };
        let asked = said.client.asked.of_exchange(number);
        let is_answered = asked.is_none_or(|asked| asked.answered.is_some());
        let is_alone = ids.len() == 1 && !self.is_cancelled(exchange);
        let session = exchange.sent_session.as_ref();
        let is_deleted = session.is_some_and(|session| self.deleted.contains(session));
        if is_answered
            || is_deleted
            || !is_alone
            || !exchange.has_event_ids
            || exchange.opened.is_none()
        {
            return;
        }
        sightings.judge(RETRY);
        if exchange.has_retry {
            return;
        }
        let message = format!(
            "the stream of `{}` ended before the response, and no event on it has `retry`",
            text::cut(&exchange.method)
        );
        let finding = Finding::new(FindingCode::Header, message)
            .expected("an event with a `retry` field before the stream is closed")
            .actual("no `retry` field")
            .at(said.entry.seq, "");
        sightings.find(RETRY, &exchange.method, "", finding);
    }
}
