//! Who asks: from 2026-07-28 on, the client alone.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_wire::jsonrpc::Kind;

const NO_SERVER_REQUESTS: &str = "no-server-requests";

/// Watches for requests of a server of the modern era.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoServerRequests;

impl Observer for NoServerRequests {
    fn name(&self) -> &'static str {
        "era"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_servers(
                    NO_SERVER_REQUESTS,
                    "a server sends no requests",
                    "a server sends responses and notifications only; what it needs of the client it asks for within a result",
                    &[
                        "2026-07-28/basic/patterns/index#top.1",
                        "2026-07-28/basic/transports/stdio#receiving-messages.2",
                        "2026-07-28/basic/transports/streamable-http#receiving-messages.3",
                    ],
                )
                .since(Revision::R2026_07_28),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        (revision.era() == Era::Modern).then(|| Box::new(Requests) as _)
    }
}

struct Requests;

impl Watch for Requests {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came() else {
            return;
        };
        sightings.judge(NO_SERVER_REQUESTS);
        // With null for an id it is a broken notification as well.
        let id = came.message.id.as_ref().filter(|id| !id.is_null());
        let (Kind::Request, Some(id)) = (came.message.kind, id) else {
            return;
        };
        let method = came.message.method.as_deref().unwrap_or_default();
        let message = format!(
            "the server sent the request `{}` {}",
            text::cut(method),
            text::cut(&id.0)
        );
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected("responses and notifications; requests to the client within `inputRequests`")
            .actual(came.text())
            .at(came.entry.seq, "");
        sightings.find(NO_SERVER_REQUESTS, method, "", finding);
    }
}

#[cfg(test)]
mod tests;
