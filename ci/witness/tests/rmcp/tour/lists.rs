//! Tools, resources, templates and prompts: what is listed, on every page, and what is read.

use super::{Tour, code, object};
use rmcp::model::{
    ContentBlock, ErrorCode, GetPromptRequestParams, PaginatedRequestParams, ProtocolVersion,
    ReadResourceRequestParams, ResourceContents,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Tour<'_> {
    /// Every list, page by page.
    pub(super) async fn lists(&self) {
        let tools = self.client.list_all_tools().await.unwrap();
        let names: BTreeSet<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert_eq!(names.len(), tools.len(), "a tool is listed once");
        for name in ["echo", "slow", "test_simple_text", "touch"] {
            assert!(names.contains(name), "{name} is not among {names:?}");
        }
        let has_structure = self.revision >= ProtocolVersion::V_2025_06_18;
        assert_eq!(names.contains("word_count"), has_structure);
        for tool in &tools {
            assert_eq!(tool.input_schema["type"], "object", "{}", tool.name);
            let has_annotations = self.revision >= ProtocolVersion::V_2025_03_26;
            assert_eq!(tool.annotations.is_some(), has_annotations, "{}", tool.name);
            let is_counting = tool.name == "word_count";
            assert!(!is_counting || tool.output_schema.is_some(), "{tool:?}");
        }

        let first = self.client.list_tools(None).await.unwrap();
        assert!(first.tools.len() < tools.len(), "the tools take pages");
        assert!(first.next_cursor.is_some());
        assert_eq!(first.ttl_ms.is_some(), self.is_modern(), "{first:?}");
        assert_eq!(first.cache_scope.is_some(), self.is_modern(), "{first:?}");
        let nowhere = PaginatedRequestParams::default().with_cursor(Some("nowhere".to_owned()));
        let refused = self.client.list_tools(Some(nowhere)).await;
        assert_eq!(code(refused), ErrorCode::INVALID_PARAMS);

        let resources = self.client.list_all_resources().await.unwrap();
        let uris: BTreeSet<_> = resources.iter().map(|found| found.uri.as_str()).collect();
        assert_eq!(uris.len(), resources.len(), "a resource is listed once");
        for uri in [
            "test://static-text",
            "test://static-binary",
            "test://watched-resource",
        ] {
            assert!(uris.contains(uri), "{uri} is not among {uris:?}");
        }
        let templates = self.client.list_all_resource_templates().await.unwrap();
        let template = "test://template/{id}/data";
        assert!(templates.iter().any(|found| found.uri_template == template));

        let prompts = self.client.list_all_prompts().await.unwrap();
        let with_arguments = prompts
            .iter()
            .find(|prompt| prompt.name == "test_prompt_with_arguments");
        let arguments = with_arguments.and_then(|prompt| prompt.arguments.as_ref());
        let arguments = arguments.expect("the prompt has arguments");
        assert_eq!(arguments[0].name, "arg1");
        assert_eq!(arguments[0].required, Some(true));
    }

    /// Resources of each kind, and one that does not exist.
    pub(super) async fn resources(&self) {
        match self.read("test://static-text").await {
            ResourceContents::TextResourceContents {
                mime_type, text, ..
            } => {
                assert_eq!(mime_type.as_deref(), Some("text/plain"));
                assert_eq!(text, "This is the content of the static text resource.");
            }
            other => panic!("{other:?}"),
        }
        match self.read("test://static-binary").await {
            ResourceContents::BlobResourceContents {
                mime_type, blob, ..
            } => {
                assert_eq!(mime_type.as_deref(), Some("image/png"));
                assert!(blob.starts_with(PNG), "{blob}");
            }
            other => panic!("{other:?}"),
        }
        match self.read("test://template/123/data").await {
            ResourceContents::TextResourceContents { text, .. } => {
                let data: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(data["id"], "123");
            }
            other => panic!("{other:?}"),
        }
        let nothing = ReadResourceRequestParams::new("test://nothing-is-here");
        let refused = code(self.client.read_resource(nothing).await);
        let not_found = if self.is_modern() {
            ErrorCode::INVALID_PARAMS
        } else {
            ErrorCode::RESOURCE_NOT_FOUND
        };
        assert_eq!(refused, not_found);
    }

    async fn read(&self, uri: &str) -> ResourceContents {
        let read = self
            .client
            .read_resource(ReadResourceRequestParams::new(uri));
        let mut result = read.await.unwrap_or_else(|error| panic!("{uri}: {error}"));
        assert_eq!(result.contents.len(), 1, "{uri}");
        let contents = result.contents.remove(0);
        let (ResourceContents::TextResourceContents { uri: named, .. }
        | ResourceContents::BlobResourceContents { uri: named, .. }) = &contents
        else {
            panic!("{contents:?}");
        };
        assert_eq!(named, uri);
        contents
    }

    /// Prompts with each kind of content, and one whose arguments are missing.
    pub(super) async fn prompts(&self) {
        let simple = self.prompt("test_simple_prompt", json!({})).await;
        let [ContentBlock::Text(text)] = &simple[..] else {
            panic!("{simple:?}");
        };
        assert_eq!(text.text, "This is a simple prompt for testing.");

        let arguments = json!({ "arg1": "hello", "arg2": "wörld" });
        let filled_in = self.prompt("test_prompt_with_arguments", arguments).await;
        let [ContentBlock::Text(text)] = &filled_in[..] else {
            panic!("{filled_in:?}");
        };
        assert_eq!(
            text.text,
            "Prompt with arguments: arg1='hello', arg2='wörld'"
        );

        let uri = "test://somewhere";
        let arguments = json!({ "resourceUri": uri });
        let held = self
            .prompt("test_prompt_with_embedded_resource", arguments)
            .await;
        let resources = held.iter().filter_map(ContentBlock::as_resource);
        let resources: Vec<_> = resources.map(|held| &held.resource).collect();
        let [ResourceContents::TextResourceContents { uri: named, .. }] = resources[..] else {
            panic!("{held:?}");
        };
        assert_eq!(named, uri);

        let image = self.prompt("test_prompt_with_image", json!({})).await;
        let images: Vec<_> = image.iter().filter_map(ContentBlock::as_image).collect();
        assert!(images[0].data.starts_with(PNG), "{images:?}");

        let missing = GetPromptRequestParams::new("test_prompt_with_arguments");
        let refused = code(self.client.get_prompt(missing).await);
        assert_eq!(refused, ErrorCode::INVALID_PARAMS);
    }

    /// The content of a prompt's messages.
    pub(super) async fn prompt(&self, name: &str, arguments: Value) -> Vec<ContentBlock> {
        let params = GetPromptRequestParams::new(name).with_arguments(object(arguments));
        let got = self.client.get_prompt(params).await;
        let got = got.unwrap_or_else(|error| panic!("{name}: {error}"));
        let messages = got.messages.into_iter();
        messages.map(|message| message.content).collect()
    }

    /// Completion of an argument of a prompt, and of a template with more values than fit.
    pub(super) async fn completion(&self) {
        let begun =
            self.client
                .complete_prompt_argument("test_prompt_with_arguments", "arg1", "par", None);
        let completed = begun.await.unwrap();
        assert_eq!(completed.values, ["paris", "park", "party"]);

        let begun =
            self.client
                .complete_resource_argument("test://template/{id}/data", "id", "", None);
        let completed = begun.await.unwrap();
        assert_eq!((completed.values.len(), completed.total), (100, Some(150)));
        assert_eq!(completed.has_more, Some(true));
    }
}

/// How every PNG begins, in base64.
pub(super) const PNG: &str = "iVBORw0KGgo";
