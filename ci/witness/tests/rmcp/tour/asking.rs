//! Requests of the server's: for a model, a user, and roots. By requests in the legacy era, by results in the modern.

use super::{Tour, params, text_of};
use rmcp::model::{
    ElicitRequestParams, ProtocolVersion, ReadResourceRequestParams, ResourceContents,
};
use rmcp::service::ServiceError;
use serde_json::{Value, json};

impl Tour<'_> {
    /// Everything that a tool, a prompt or a resource asks.
    pub(super) async fn asking(&self) {
        let text = self
            .text("test_sampling", json!({ "prompt": "Say it." }))
            .await;
        assert_eq!(text, "LLM response: An answer to: Say it.");
        let told = self.witness.told();
        assert_eq!(told.asked.last().map(String::as_str), Some("Say it."));

        let text = self.text("show_roots", json!({})).await;
        assert_eq!(text, "2 roots: file:///one, file:///two");

        if self.revision >= ProtocolVersion::V_2025_06_18 {
            let arguments = json!({ "message": "Who are you?" });
            let given = answered(&self.text("test_elicitation", arguments).await);
            assert_eq!(given["username"], "a username");
            let told = self.witness.told();
            assert_eq!(told.asked.last().map(String::as_str), Some("Who are you?"));
        }
        if self.revision >= ProtocolVersion::V_2025_11_25 {
            let given = answered(
                &self
                    .text("test_elicitation_sep1034_defaults", json!({}))
                    .await,
            );
            let defaults = json!({ "name": "John Doe", "age": 30, "score": 95.5, "status": "active", "verified": true });
            assert_eq!(given, defaults);
            let given = answered(&self.text("test_elicitation_sep1330_enums", json!({})).await);
            assert!(given["titledSingle"].is_string(), "{given}");
            assert!(given["untitledMulti"].is_array(), "{given}");
        }
        if self.revision >= ProtocolVersion::V_2025_11_25 {
            self.visit().await;
        }
        if self.is_modern() {
            self.rounds().await;
        }
    }

    /// A user who is asked to visit a URL.
    async fn visit(&self) {
        let called = self
            .client
            .call_tool(params("elicit_by_url", json!({})))
            .await;
        if self.is_modern() {
            // This client wants an `elicitationId`, which 2026-07-28 has not, and so cannot read what it is asked.
            assert!(
                matches!(called, Err(ServiceError::UnexpectedResponse)),
                "{called:?}"
            );
            let mut asked =
                json!({ "mode": "url", "message": "m", "url": "https://assay.example" });
            let is_read = |asked: &Value| {
                serde_json::from_value::<ElicitRequestParams>(asked.clone()).is_ok()
            };
            assert!(!is_read(&asked), "this client has learnt it");
            asked["elicitationId"] = json!("i");
            assert!(is_read(&asked));
            return;
        }
        assert_eq!(text_of(&called.unwrap()), "The user was there.");
        let told = self.witness.told();
        let url = told.sent_to.last().expect("the user was sent somewhere");
        assert!(url.starts_with("https://"), "{url}");
    }

    /// What comes to an end in several rounds.
    async fn rounds(&self) {
        for (tool, said) in [
            ("test_input_required_result_elicitation", "a name"),
            ("test_input_required_result_sampling", "An answer to"),
            ("test_input_required_result_list_roots", "2"),
            ("test_input_required_result_request_state", "state-ok"),
            ("test_input_required_result_multiple_inputs", "An answer to"),
            ("test_input_required_result_multi_round", "a color"),
            ("test_input_required_result_tampered_state", ""),
            ("test_input_required_result_capabilities", "3 things"),
            ("test_missing_capability", "sampling"),
            ("test_streaming_elicitation", "a name"),
        ] {
            let text = self.text(tool, json!({})).await;
            assert!(text.contains(said), "{tool}: {text}");
        }

        let prompt = self
            .prompt("test_input_required_result_prompt", json!({}))
            .await;
        let said = prompt.iter().filter_map(|block| block.as_text());
        let said: Vec<_> = said.map(|block| block.text.as_str()).collect();
        assert!(
            said.iter().any(|text| text.contains("a context")),
            "{said:?}"
        );

        let resource = ReadResourceRequestParams::new("test://asks-before-read");
        let read = self.client.read_resource(resource).await.unwrap();
        let ResourceContents::TextResourceContents { text, .. } = &read.contents[0] else {
            panic!("{read:?}");
        };
        assert!(text.contains("a reason"), "{text}");
    }
}

/// What the user answered, as the tool repeats it.
fn answered(text: &str) -> Value {
    let (_, content) = text
        .split_once("content=")
        .expect("the tool repeats the answer");
    assert!(text.contains("action=accept"), "{text}");
    serde_json::from_str(content).expect("the answer was JSON")
}
