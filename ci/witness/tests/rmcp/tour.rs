//! The tour: each part looks at one page of the specification.

#![expect(
    deprecated,
    reason = "roots, sampling and logging, and the subscriptions of the legacy era, are looked at as long as a revision has them"
)]

mod asking;
mod calls;
mod changes;
mod lists;
mod running;

use crate::bindings::{Binding, Connected, Lifecycle};
use crate::client::Witness;
use rmcp::RoleClient;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ErrorCode, JsonObject, ProtocolVersion,
    RequestMetaObject,
};
use rmcp::service::{RunningService, ServiceError};
use serde_json::Value;
use std::time::Duration;

/// How long a tour may take at most.
const AT_MOST: Duration = Duration::from_secs(100);

/// One client on its way through one server.
pub struct Tour<'a> {
    client: &'a RunningService<RoleClient, Witness>,
    witness: &'a Witness,
    revision: ProtocolVersion,
}

/// Takes the tour.
pub async fn take(binding: Binding, lifecycle: Lifecycle, revision: ProtocolVersion) {
    binding.prepare();
    let whole = async {
        let connected = Connected::new(binding, lifecycle, revision.clone()).await;
        let tour = Tour {
            client: &connected.client,
            witness: connected.client.service(),
            revision,
        };
        tour.beginning();
        tour.lists().await;
        tour.resources().await;
        tour.prompts().await;
        tour.completion().await;
        tour.calls().await;
        tour.progress().await;
        tour.logging().await;
        tour.asking().await;
        tour.changes().await;
        tour.at_once().await;
        tour.reconnection().await;
        tour.cancel().await;
        connected.end().await;
    };
    let taken = tokio::time::timeout(AT_MOST, whole).await;
    taken.expect("the tour comes to an end");
}

impl Tour<'_> {
    /// What the server said of itself.
    fn beginning(&self) {
        let server = self
            .client
            .peer_info()
            .expect("the server introduced itself");
        assert_eq!(server.protocol_version, self.revision);
        let name = server.server_info.as_ref().map(|info| info.name.as_str());
        assert!(name.is_some_and(|name| !name.is_empty()), "{server:?}");
        let offered = &server.capabilities;
        assert!(
            offered.tools.is_some() && offered.prompts.is_some(),
            "{offered:?}"
        );
        let resources = offered.resources.as_ref().expect("there are resources");
        assert_eq!(resources.subscribe, Some(true));
        assert!(offered.logging.is_some(), "{offered:?}");
        let has_completions = self.revision >= ProtocolVersion::V_2025_03_26;
        assert_eq!(
            offered.completions.is_some(),
            has_completions,
            "{offered:?}"
        );
    }

    fn is_modern(&self) -> bool {
        self.revision >= ProtocolVersion::V_2026_07_28
    }

    /// Calls a tool, and answers what it asks.
    async fn call(&self, name: &'static str, arguments: Value) -> CallToolResult {
        let called = self.client.call_tool(params(name, arguments)).await;
        called.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Calls a tool that answers with text.
    async fn text(&self, name: &'static str, arguments: Value) -> String {
        let result = self.call(name, arguments).await;
        assert_ne!(result.is_error, Some(true), "{name}: {result:?}");
        text_of(&result)
    }

    /// What a request in the modern era says beside what is asked.
    fn with_meta(
        name: &'static str,
        arguments: Value,
        meta: RequestMetaObject,
    ) -> CallToolRequestParams {
        let mut params = params(name, arguments);
        params.meta = Some(meta);
        params
    }
}

/// A call of a tool.
fn params(name: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(name).with_arguments(object(arguments))
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

/// The text of a result that is one text.
fn text_of(result: &CallToolResult) -> String {
    let [block] = &result.content[..] else {
        panic!("one block: {result:?}");
    };
    let text = block.as_text().expect("the block is text");
    text.text.clone()
}

/// The code of an error that the server answered with.
fn code<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> ErrorCode {
    match answer {
        Err(ServiceError::McpError(error)) => error.code,
        other => panic!("an error of the server's: {other:?}"),
    }
}
