//! How a conversation of the legacy era begins: with `initialize`, and with nothing before.

use super::dialogue::Said;
use super::{Observer, Rule, Sightings, Watch};
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::record::Direction;
use mcp_assay_wire::jsonrpc::Kind;
use std::collections::HashSet;

const CLIENT_FIRST: &str = "client-first";
const FIRST: &str = "first";

const OF_FIRST: &[&str] = &["2024-11-05/basic/lifecycle#initialization.1"];

/// Watches the beginning of conversations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beginning;

impl Observer for Beginning {
    fn name(&self) -> &'static str {
        "lifecycle"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_clients(
                    CLIENT_FIRST,
                    "a client begins with initialize",
                    "the first message of a client that initializes is the request initialize; it may have tried server/discover of a later era before",
                    OF_FIRST,
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    FIRST,
                    "a server says nothing before initialize",
                    "a server sends no request and no notification before the client has sent a message",
                    OF_FIRST,
                )
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, binding: Binding) -> Option<Box<dyn Watch>> {
        // Over HTTP a server cannot speak before it is asked.
        let is_lines = matches!(binding, Binding::Stdio | Binding::Memory);
        (revision.era() == Era::Legacy && is_lines).then(|| Box::<Begins>::default() as _)
    }
}

#[derive(Default)]
struct Begins {
    /// Connections on which the client has said something.
    begun: HashSet<String>,
}

impl Watch for Begins {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let (entry, client) = (said.entry, said.client);
        if client.is_midway || self.begun.contains(&entry.connection) || entry.length == 0 {
            return;
        }
        let message = entry.message.as_ref();
        let method = message.and_then(|message| message.method.as_deref());
        if entry.direction == Direction::Sent {
            // The answer to the attempt of a later era is none by this one.
            if method == Some("server/discover") {
                return;
            }
            self.begun.insert(entry.connection.clone());
            sightings.judge(FIRST);
            if said.judges_clients {
                sightings.judge(CLIENT_FIRST);
                if method != Some("initialize") {
                    let shown = String::from_utf8_lossy(&entry.raw);
                    let finding = Finding::new(
                        FindingCode::Order,
                        format!("the client began with {}", text::cut(&shown)),
                    )
                    .expected("the request initialize")
                    .actual(shown)
                    .at(entry.seq, "");
                    sightings.find(CLIENT_FIRST, "", "", finding);
                }
            }
            return;
        }
        let is_own = |kind: Kind| matches!(kind, Kind::Request | Kind::Notification);
        let (Some(message), Some(method)) = (message, method) else {
            return;
        };
        if is_own(message.kind) && entry.part_of.is_none() {
            sightings.judge(FIRST);
            let finding = Finding::new(
                FindingCode::Order,
                format!(
                    "`{}` came before the client had said anything",
                    text::cut(method)
                ),
            )
            .expected("nothing before the request initialize")
            .actual(String::from_utf8_lossy(&entry.raw))
            .at(entry.seq, "");
            sightings.find(FIRST, method, "", finding);
        }
    }
}

#[cfg(test)]
mod tests;
