//! The client's side: what it answers when it is asked, and what it was told.

#![expect(
    deprecated,
    reason = "sampling, roots and logging are deprecated from 2026-07-28 on, and are looked at as long as a revision has them"
)]

use rmcp::model::{
    ClientConfig, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ElicitationAction, ErrorData, Implementation, ListRootsResult,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
    ResourceUpdatedNotificationParam, Root, SamplingMessage,
};
use rmcp::service::{NotificationContext, RequestContext};
use rmcp::{ClientHandler, RoleClient};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// How long a notification may be on its way.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that can do everything, and remembers what it was told. The clones are one client.
#[derive(Clone)]
pub struct Witness {
    revision: ProtocolVersion,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    told: Mutex<Told>,
    news: Notify,
}

/// What the server told without being asked.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Progress, in order of arrival.
    pub progress: Vec<ProgressNotificationParam>,
    /// Log messages, in order of arrival.
    pub logs: Vec<LoggingMessageNotificationParam>,
    /// Uris of resources that changed.
    pub updated: Vec<String>,
    /// Messages of elicitations and last words of samplings.
    pub asked: Vec<String>,
    /// URLs that the user was asked to visit.
    pub sent_to: Vec<String>,
}

impl Witness {
    /// A client of this revision.
    pub fn new(revision: ProtocolVersion) -> Self {
        Witness {
            revision,
            heard: Arc::default(),
        }
    }

    /// Waits until what was told is this, and returns it. What was told before is not forgotten.
    pub async fn until(&self, what: &str, is_there: impl Fn(&Told) -> bool) -> Told {
        let waiting = async {
            loop {
                let news = self.heard.news.notified();
                let told = self.told();
                if is_there(&told) {
                    return told;
                }
                news.await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(told) => told,
            Err(_) => panic!("waited in vain for {what}; told so far: {:#?}", self.told()),
        }
    }

    /// What was told so far.
    pub fn told(&self) -> Told {
        self.heard.told.lock().unwrap().clone()
    }

    fn hear(&self, note: impl FnOnce(&mut Told)) {
        note(&mut self.heard.told.lock().unwrap());
        self.heard.news.notify_one();
    }
}

impl ClientHandler for Witness {
    fn get_info(&self) -> ClientConfig {
        let elicitation = json!({ "form": {}, "url": {} });
        let capabilities =
            json!({ "elicitation": elicitation, "roots": { "listChanged": true }, "sampling": {} });
        let capabilities = serde_json::from_value(capabilities).expect("these are capabilities");
        ClientConfig::new(capabilities, Implementation::new("witness", "1.0.0"))
            .with_protocol_version(self.revision.clone())
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        assert!(params.max_tokens > 0, "{params:?}");
        let last = params
            .messages
            .last()
            .expect("a model is given something to go on");
        let last = serde_json::to_value(last).expect("it was JSON");
        let last = last["content"]["text"].as_str().unwrap_or_default();
        self.hear(|told| told.asked.push(last.to_owned()));
        let message = SamplingMessage::assistant_text(format!("An answer to: {last}"));
        let result = CreateMessageResult::new(message, "a-model".to_owned());
        Ok(result.with_stop_reason(CreateMessageResult::STOP_REASON_END_TURN))
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        Ok(ListRootsResult::new(vec![
            Root::new("file:///one"),
            Root::new("file:///two").with_name("Two"),
        ]))
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let accepted = ElicitResult::new(ElicitationAction::Accept);
        match params {
            ElicitRequestParams::FormElicitationParams {
                message,
                requested_schema,
                ..
            } => {
                let form = serde_json::to_value(requested_schema).expect("it was JSON");
                self.hear(|told| told.asked.push(message));
                Ok(accepted.with_content(filled_in(&form)))
            }
            ElicitRequestParams::UrlElicitationParams { url, .. } => {
                self.hear(|told| told.sent_to.push(url));
                Ok(accepted)
            }
            other => panic!("neither a form nor a URL: {other:?}"),
        }
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(|told| told.progress.push(params));
    }

    async fn on_logging_message(
        &self,
        params: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(|told| told.logs.push(params));
    }

    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.hear(|told| told.updated.push(params.uri));
    }
}

/// A form as a user without imagination fills it in: the default where there is one, else the first choice, else something of the type.
fn filled_in(form: &Value) -> Value {
    let fields = form["properties"].as_object().expect("a form has fields");
    let filled_in = fields.iter().map(|(name, field)| {
        let choice = |field: &Value| {
            let named = field["oneOf"].as_array().or(field["anyOf"].as_array());
            named.map_or_else(|| field["enum"][0].clone(), |all| all[0]["const"].clone())
        };
        let value = match (field["type"].as_str(), &field["default"]) {
            (_, default) if !default.is_null() => default.clone(),
            (Some("array"), _) => json!([choice(&field["items"])]),
            (Some("boolean"), _) => json!(true),
            (Some("integer" | "number"), _) => json!(1),
            (Some("string"), _) if choice(field).is_string() => choice(field),
            (Some("string"), _) => json!(format!("a {name}")),
            other => panic!("a form holds no field of this type: {other:?}"),
        };
        (name.clone(), value)
    });
    Value::Object(filled_in.collect::<Map<_, _>>())
}
