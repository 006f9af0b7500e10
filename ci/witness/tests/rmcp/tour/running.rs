//! Calls that take time: progress, the log, several at once, and a cancel.

use super::{Tour, params};
use rmcp::model::{
    CallToolRequest, ClientRequest, LoggingLevel, ProtocolVersion, RequestMetaObject, ServerResult,
    SetLevelRequestParams,
};
use rmcp::service::PeerRequestOptions;
use serde_json::json;
use std::time::{Duration, Instant};

impl Tour<'_> {
    /// Progress under the token of the call, increasing.
    pub(super) async fn progress(&self) {
        let call = CallToolRequest::new(params("test_tool_with_progress", json!({})));
        let handle = self
            .client
            .send_cancellable_request(
                ClientRequest::CallToolRequest(call),
                PeerRequestOptions::no_options(),
            )
            .await
            .unwrap();
        let token = handle.progress_token.clone();
        let ServerResult::CallToolResult(result) = handle.await_response().await.unwrap() else {
            panic!("a result of a call");
        };
        assert_ne!(result.is_error, Some(true));
        let of_this = |told: &crate::client::Told| {
            let told = told.progress.iter();
            let told = told.filter(|told| told.progress_token == token);
            told.map(|told| told.progress).collect::<Vec<_>>()
        };
        let told = self
            .witness
            .until("progress", |told| of_this(told).len() >= 3);
        let progress = of_this(&told.await);
        assert_eq!(progress, [0.0, 50.0, 100.0]);
    }

    /// Log messages at the level asked for: of the session in the legacy era, of the one request in the modern.
    pub(super) async fn logging(&self) {
        let before = self.witness.told().logs.len();
        if self.is_modern() {
            self.text("test_logging_tool", json!({})).await;
            let mut meta = RequestMetaObject::new();
            meta.set_log_level(LoggingLevel::Warning);
            let params = Self::with_meta("test_logging_tool", json!({}), meta);
            self.client.call_tool(params).await.unwrap();
            let told = self
                .witness
                .until("the log", |told| told.logs.len() >= before + 2);
            // That the first call, without a level, logged nothing, and the second nothing less severe, is seen by what is there.
            let logs = told.await.logs.split_off(before);
            let levels: Vec<_> = logs.iter().map(|log| log.level).collect();
            assert_eq!(levels, [LoggingLevel::Warning, LoggingLevel::Error]);
        } else {
            let level = SetLevelRequestParams::new(LoggingLevel::Warning);
            self.client.set_level(level).await.unwrap();
            self.text("test_tool_with_logging", json!({})).await;
            let level = SetLevelRequestParams::new(LoggingLevel::Debug);
            self.client.set_level(level).await.unwrap();
            self.text("test_tool_with_logging", json!({})).await;
            let told = self
                .witness
                .until("the log", |told| told.logs.len() >= before + 3);
            let logs = told.await.logs.split_off(before);
            let data: Vec<_> = logs.iter().map(|log| log.data.clone()).collect();
            let said = [
                "Tool execution started",
                "Tool processing data",
                "Tool execution completed",
            ];
            assert_eq!(data, said, "a message below the level was told");
        }
    }

    /// Three calls at once: a slow one does not hold the others up, and each answer goes to its question.
    pub(super) async fn at_once(&self) {
        let answers = tokio::join!(
            self.text("slow", json!({ "ms": 200 })),
            self.text("echo", json!({ "message": "one" })),
            self.text("echo", json!({ "message": "two" })),
        );
        assert_eq!((answers.1.as_str(), answers.2.as_str()), ("one", "two"));
        assert!(answers.0.contains("200"), "{}", answers.0);
    }

    /// A call whose connection is closed before its answer, over HTTP: without coming back for it this client would not have it.
    pub(super) async fn reconnection(&self) {
        if self.revision == ProtocolVersion::V_2025_11_25 {
            let text = self.text("test_reconnection", json!({})).await;
            assert!(text.starts_with("Answered after"), "{text}");
        }
    }

    /// A call of a minute that is cancelled; the server goes on, and at its end has nothing left to wait for.
    pub(super) async fn cancel(&self) {
        let begun = Instant::now();
        let call = CallToolRequest::new(params("slow", json!({ "ms": 60_000 })));
        let handle = self
            .client
            .send_cancellable_request(
                ClientRequest::CallToolRequest(call),
                PeerRequestOptions::no_options(),
            )
            .await
            .unwrap();
        // By the answer to this the server has read the call.
        self.text("echo", json!({ "message": "a fence" })).await;
        handle
            .cancel(Some("no longer wanted".to_owned()))
            .await
            .unwrap();
        let text = self.text("echo", json!({ "message": "still here" })).await;
        assert_eq!(text, "still here");
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the call was waited for"
        );
    }
}
