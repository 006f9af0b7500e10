//! What was declared against what is used: requests and notifications that a capability of either side must cover, and methods that belong
//! to other revisions.

use super::dialogue::{Came, Said};
use super::{Observer, Rule, Sightings, Watch};
use crate::place::Place;
use crate::text;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::{Binding, Era, Revision, Role};
use mcp_assay_model::record::Direction;
use mcp_assay_schemas::Method;
use mcp_assay_schemas::methods::{Declarer, Sender};
use mcp_assay_wire::jsonrpc::Kind;
use serde_json::Value;

const CLIENT_ASKS: &str = "client-asks";
const CLIENT_REVISION: &str = "client-revision";
const NOTIFIES: &str = "notifies";
const REVISION: &str = "revision";
const SERVER_ASKS: &str = "server-asks";

const NEGOTIATED: &[&str] = &[
    "2024-11-05/architecture/index#capability-negotiation.1",
    "2024-11-05/basic/lifecycle#operation.2",
    "2025-06-18/basic/lifecycle#operation.2",
];
const SPOKEN: &[&str] = &[
    "2024-11-05/basic/lifecycle#operation.1",
    "2025-06-18/basic/lifecycle#operation.1",
];

/// Watches the use of what was declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capabilities;

impl Observer for Capabilities {
    fn name(&self) -> &'static str {
        "capabilities"
    }

    fn rules(&self) -> &'static [Rule] {
        const {
            &[
                Rule::of_clients(
                    CLIENT_ASKS,
                    "a client asks for what the server declared",
                    "a client sends the requests and notifications of a capability only to a server that declared it",
                    NEGOTIATED,
                )
                .until(Revision::R2025_11_25),
                Rule::of_clients(
                    CLIENT_REVISION,
                    "a client uses the methods of the negotiated revision",
                    "no request or notification of a client has a method that only other revisions have",
                    SPOKEN,
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    NOTIFIES,
                    "a server notifies of what it declared",
                    "a server sends list_changed and resources/updated notifications only where it declared that it does",
                    NEGOTIATED,
                ),
                Rule::of_servers(
                    REVISION,
                    "a server uses the methods of the negotiated revision",
                    "no request or notification of a server has a method that only other revisions have",
                    SPOKEN,
                )
                .until(Revision::R2025_11_25),
                Rule::of_servers(
                    SERVER_ASKS,
                    "a server asks for what the client declared",
                    "a server sends sampling, elicitation and roots requests, and notifications of these, only to a client that declared the capability",
                    NEGOTIATED,
                )
                .until(Revision::R2025_11_25),
            ]
        }
    }

    fn watch(&self, revision: Revision, _binding: Binding) -> Option<Box<dyn Watch>> {
        Some(Box::new(Declared { revision }))
    }
}

struct Declared {
    revision: Revision,
}

impl Watch for Declared {
    fn see(&mut self, said: &Said<'_>, sightings: &mut Sightings) {
        let Some(came) = said.came().or_else(|| said.asked()) else {
            return;
        };
        let Some(name) = came.message.method.as_deref() else {
            return;
        };
        if !matches!(came.message.kind, Kind::Request | Kind::Notification) {
            return;
        }
        let side = match came.entry.direction {
            Direction::Received => Role::Server,
            Direction::Sent => Role::Client,
        };
        match mcp_assay_schemas::method(self.revision.as_str(), name) {
            Some(method) => self.known(&came, side, method, sightings),
            None => self.unknown(&came, side, name, sightings),
        }
    }
}

impl Declared {
    fn known(
        &self,
        came: &Came<'_>,
        side: Role,
        method: &'static Method,
        sightings: &mut Sightings,
    ) {
        let is_legacy = self.revision.era() == Era::Legacy;
        if is_legacy {
            sightings.judge(match side {
                Role::Server => REVISION,
                Role::Client => CLIENT_REVISION,
            });
        }
        let Some(capability) = &method.capability else {
            return;
        };
        let of = match (capability.of, side) {
            (Declarer::Client, _) | (Declarer::Receiver, Role::Server) => Role::Client,
            (Declarer::Server, _) | (Declarer::Receiver, Role::Client) => Role::Server,
        };
        // That log messages are declared is a rule of its own, and tasks are those of either side.
        if matches!(capability.path.as_str(), "logging") && side == Role::Server
            || capability.of == Declarer::Receiver
        {
            return;
        }
        let rule = match (side, method.is_notification(), of) {
            (Role::Server, _, Role::Client) if is_legacy => SERVER_ASKS,
            (Role::Server, true, Role::Server) => NOTIFIES,
            (Role::Client, _, _) if is_legacy => CLIENT_ASKS,
            _ => return,
        };
        let declared = match of {
            Role::Client => &came.client.handshake.client_capabilities,
            Role::Server => &came.client.server_capabilities,
        };
        if declared.is_none() {
            return;
        }
        let path = match url_mode(method, &came.message.value) {
            Some(path) => path,
            None => capability.path.as_str(),
        };
        // Whoever tells of its roots has some, whatever it declared.
        if method.method == "roots/list" && came.client.handshake.has_told_of_roots {
            return;
        }
        sightings.judge(rule);
        let is_declared = match of {
            Role::Client => came.client.declared(path),
            Role::Server => came.client.offered(path),
        };
        if is_declared.is_some() {
            return;
        }
        let whose = match of {
            Role::Client => "client",
            Role::Server => "server",
        };
        let message = format!(
            "`{}` came, but the {whose} does not declare `{path}`",
            method.method
        );
        let finding = Finding::new(FindingCode::Undeclared, message)
            .expected(format!("the capability `{path}` of the {whose}"))
            .actual(came.text())
            .at(came.entry.seq, "/method");
        sightings.find(rule, &method.method, path, finding);
    }

    /// Methods of nobody are lawful, for extensions.
    fn unknown(&self, came: &Came<'_>, side: Role, name: &str, sightings: &mut Sightings) {
        if self.revision.era() == Era::Modern {
            return;
        }
        let by_side = |method: &Method| match side {
            Role::Server => method.from != Sender::Client,
            Role::Client => method.from != Sender::Server,
        };
        let has = |revision: &&Revision| {
            mcp_assay_schemas::methods(revision.as_str())
                .any(|method| method.method == name && by_side(method))
        };
        let Some(other) = Revision::ALL.iter().find(has) else {
            return;
        };
        let rule = match side {
            Role::Server => REVISION,
            Role::Client => CLIENT_REVISION,
        };
        // A client that tries the modern era first, and servers of both eras, are lawful.
        if side == Role::Client && other.era() == Era::Modern {
            return;
        }
        sightings.judge(rule);
        let message = format!(
            "`{}` is a method of {other}, and {} was negotiated",
            text::cut(name),
            self.revision
        );
        let finding = Finding::new(FindingCode::UnexpectedMessage, message)
            .expected(format!("methods of {}", self.revision))
            .actual(came.text())
            .at(came.entry.seq, "/method");
        sightings.find(rule, name, "/method", finding);
    }
}

/// An elicitation by URL needs more than one by form.
fn url_mode(method: &Method, message: &Value) -> Option<&'static str> {
    let is_url = || message.at("/params/mode").and_then(Value::as_str) == Some("url");
    (method.method == "elicitation/create" && is_url()).then_some("elicitation.url")
}

#[cfg(test)]
mod tests;
