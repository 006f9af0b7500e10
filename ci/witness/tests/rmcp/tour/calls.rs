//! Calls, and what comes back at once.

use super::lists::PNG;
use super::{Tour, code, params, text_of};
use rmcp::model::{ContentBlock, ErrorCode, ProtocolVersion, ResourceContents};
use serde_json::json;

impl Tour<'_> {
    /// Results with each kind of content, an error of a tool, and calls that are refused.
    pub(super) async fn calls(&self) {
        let text = self.text("test_simple_text", json!({})).await;
        assert_eq!(text, "This is a simple text response for testing.");
        for message in [
            "",
            "line one\nline two\u{2028}",
            "\u{0}\u{1f600} \"quoted\" \\ é",
        ] {
            assert_eq!(
                self.text("echo", json!({ "message": message })).await,
                message
            );
        }

        let image = self.call("test_image_content", json!({})).await;
        let images: Vec<_> = image
            .content
            .iter()
            .filter_map(ContentBlock::as_image)
            .collect();
        assert_eq!(images[0].mime_type, "image/png");
        assert!(images[0].data.starts_with(PNG), "{images:?}");

        if self.revision >= ProtocolVersion::V_2025_03_26 {
            let audio = self.call("test_audio_content", json!({})).await;
            let audio = audio.content[0].as_audio().expect("audio");
            assert_eq!(audio.mime_type, "audio/wav");
        }

        let held = self.call("test_embedded_resource", json!({})).await;
        let held = held.content[0].as_resource().expect("a resource");
        let ResourceContents::TextResourceContents { uri, .. } = &held.resource else {
            panic!("{held:?}");
        };
        assert_eq!(uri, "test://embedded-resource");

        let mixed = self.call("test_multiple_content_types", json!({})).await;
        let [
            ContentBlock::Text(_),
            ContentBlock::Image(_),
            ContentBlock::Resource(_),
        ] = &mixed.content[..]
        else {
            panic!("{mixed:?}");
        };

        let failed = self.call("test_error_handling", json!({})).await;
        assert_eq!(failed.is_error, Some(true));
        let text = text_of(&failed);
        assert_eq!(text, "This tool intentionally returns an error for testing");

        if self.revision >= ProtocolVersion::V_2025_06_18 {
            let counted = self.call("word_count", json!({ "text": "one two" })).await;
            let structured = counted.structured_content.as_ref();
            let structured = structured.expect("structured content");
            assert_eq!(structured, &json!({ "characters": 7, "words": 2 }));
        }

        let unknown = self
            .client
            .call_tool(params("no_such_tool", json!({})))
            .await;
        assert_eq!(code(unknown), ErrorCode::INVALID_PARAMS);
        // A tool error, from which a model can learn, from 2025-11-25 on.
        let wrong = self
            .client
            .call_tool(params("echo", json!({ "message": 1 })))
            .await;
        if self.revision >= ProtocolVersion::V_2025_11_25 {
            assert_eq!(wrong.unwrap().is_error, Some(true));
        } else {
            assert_eq!(code(wrong), ErrorCode::INVALID_PARAMS);
        }

        if self.is_modern() {
            // Its arguments are repeated in header fields over HTTP, where the server compares them.
            let arguments = json!({ "region": "Zürich", "priority": 7, "verbose": false, "target": { "zone": " a " } });
            self.text("test_header_parameters", arguments).await;
        }
    }
}
