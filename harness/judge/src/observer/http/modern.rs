//! The rules of revisions without sessions: each POST is answered on a stream of its own, and all else is gone.

use super::answers::content_type;
use super::{OWN_STREAM, Sightings, Watch};
use crate::observer::dialogue::{Came, Said};
use crate::observer::subscriptions::is_of_subscription;
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Http, HttpPart};
use std::collections::BTreeSet;

/// The eyes on one conversation.
#[derive(Default)]
pub(super) struct Exchanges {
    /// Exchanges in which a redirect was followed that need not have kept method and body, by connection.
    redirected: BTreeSet<(String, u64)>,
}

impl Exchanges {
    fn answer(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let entry = said.entry;
        let Some(Http {
            exchange,
            part: HttpPart::Response { status, head, .. },
        }) = &entry.http
        else {
            return;
        };
        let key = (entry.connection.clone(), *exchange);
        if (300..400).contains(status) && !matches!(status, 307 | 308) {
            self.redirected.insert(key);
        } else if (200..300).contains(status)
            && !self.redirected.contains(&key)
            && let Some(asked) = said.carrier()
        {
            content_type(&asked.method, *status, head, entry, sightings);
        }
    }
}

impl Watch for Exchanges {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        if let Some(came) = said.came() {
            own_stream(&came, sightings);
        }
        self.answer(said, sightings);
    }
}

fn own_stream(came: &Came<'_>, sightings: &mut Sightings) {
    let is_event = matches!(
        &came.entry.http,
        Some(Http {
            part: HttpPart::Event { .. },
            ..
        })
    );
    let (Some(method), Some(stream)) = (came.notification(), came.stream) else {
        return;
    };
    if !is_event || came.client.is_unreadable {
        return;
    }
    let is_own = match method {
        "notifications/message" => !stream.is_listen(),
        "notifications/progress" => {
            let Some(token) = came.message.value.at("/params/progressToken") else {
                return;
            };
            // A token of no request at all is another rule's matter.
            if came.client.asked.with_token(token).next().is_none() {
                return;
            }
            stream.has_token(token)
        }
        of_subscription if is_of_subscription(of_subscription) => stream.is_listen(),
        _ => return,
    };
    sightings.judge(OWN_STREAM);
    if is_own {
        return;
    }
    let message = format!(
        "`{}` came on the stream of `{}`, to which it does not relate",
        text::cut(method),
        stream.method
    );
    let finding = Finding::new(FindingCode::UnexpectedMessage, message)
        .expected("notifications that relate to the request whose stream it is")
        .actual(came.text())
        .at(came.entry.seq, "");
    sightings.find(OWN_STREAM, method, "", finding);
}

#[cfg(test)]
mod tests;
