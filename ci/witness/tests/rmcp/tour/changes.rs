//! What the server tells of changes: of a resource that was subscribed to, and of lists.

use super::Tour;
use rmcp::model::{
    ServerNotification, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
};
use serde_json::json;
use std::time::Duration;

const WATCHED: &str = "test://watched-resource";

/// How long a change may be on its way.
const PATIENCE: Duration = Duration::from_secs(20);

impl Tour<'_> {
    /// A change is told to who subscribed, and no longer to who no longer does.
    pub(super) async fn changes(&self) {
        if self.is_modern() {
            self.listen().await;
        } else {
            self.subscribe().await;
        }
    }

    async fn subscribe(&self) {
        self.text("touch", json!({})).await;
        let params = SubscribeRequestParams::new(WATCHED);
        self.client.subscribe(params).await.unwrap();
        self.text("touch", json!({})).await;
        let told = self
            .witness
            .until("the change", |told| !told.updated.is_empty());
        assert_eq!(told.await.updated, [WATCHED]);
        let params = UnsubscribeRequestParams::new(WATCHED);
        self.client.unsubscribe(params).await.unwrap();
        self.text("touch", json!({})).await;
        self.text("echo", json!({ "message": "a fence" })).await;
        assert_eq!(self.witness.told().updated.len(), 1, "unsubscribed");
    }

    async fn listen(&self) {
        let filter = SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resource_subscription(WATCHED)
            .build();
        let mut subscription = self.client.listen(filter.clone()).await.unwrap();
        assert_eq!(subscription.acknowledged(), &filter);
        for (tool, is_told) in [
            ("touch", is_updated as fn(&ServerNotification) -> bool),
            ("test_trigger_tool_change", is_of_tools),
            ("test_trigger_prompt_change", is_of_prompts),
        ] {
            self.text(tool, json!({})).await;
            let next = tokio::time::timeout(PATIENCE, subscription.next()).await;
            let next = next
                .expect("a change is told")
                .expect("in the form of this revision");
            let next = next.expect("while the subscription stands");
            assert!(is_told(&next), "{tool}: {next:?}");
        }
        subscription.cancel().await.unwrap();

        // Another one has its own filter, and lists are not in it.
        let filter = SubscriptionFilter::builder()
            .resource_subscription(WATCHED)
            .build();
        let mut subscription = self.client.listen(filter).await.unwrap();
        self.text("test_trigger_tool_change", json!({})).await;
        self.text("touch", json!({})).await;
        let next = tokio::time::timeout(PATIENCE, subscription.next()).await;
        let next = next
            .expect("a change is told")
            .unwrap()
            .expect("the change");
        assert!(is_updated(&next), "{next:?}");
        subscription.cancel().await.unwrap();
    }
}

fn is_updated(notification: &ServerNotification) -> bool {
    matches!(notification, ServerNotification::ResourceUpdatedNotification(updated) if updated.params.uri == WATCHED)
}

fn is_of_tools(notification: &ServerNotification) -> bool {
    matches!(
        notification,
        ServerNotification::ToolListChangedNotification(_)
    )
}

fn is_of_prompts(notification: &ServerNotification) -> bool {
    matches!(
        notification,
        ServerNotification::PromptListChangedNotification(_)
    )
}
