//! Lies about the revision.

use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
use crate::outgoing::Outgoing;

/// Answers a version that it does not know with another than its own.
pub(crate) struct AnswersUnknownVersion {
    /// With which; none: with the one that was asked for.
    with: Option<&'static str>,
    requested: Option<String>,
}

impl AnswersUnknownVersion {
    /// Agrees to any version.
    pub(crate) fn echoed() -> Box<dyn Lie> {
        let (with, requested) = (None, None);
        Box::new(AnswersUnknownVersion { with, requested })
    }

    /// Offers the oldest.
    pub(crate) fn oldest() -> Box<dyn Lie> {
        let (with, requested) = (Some("2024-11-05"), None);
        Box::new(AnswersUnknownVersion { with, requested })
    }
}

impl Lie for AnswersUnknownVersion {
    fn hear(&mut self, heard: &Heard<'_>, _fired: &mut Fired) -> Course {
        if let What::Request(arrival, "initialize", _) = heard.what {
            let requested = arrival.message.value.pointer("/params/protocolVersion");
            self.requested = requested.and_then(|text| text.as_str().map(str::to_owned));
        }
        Course::Honest
    }

    fn send(
        &mut self,
        mut message: Outgoing,
        is_subject: bool,
        fired: &mut Fired,
    ) -> Vec<Outgoing> {
        if is_subject
            && message.about.is_reply_to("initialize")
            && let Some(offered) = message.json.str_at("/result/protocolVersion")
            && let Some(requested) = self.requested.take()
            && requested != offered
        {
            let version = Json::text(self.with.unwrap_or(&requested));
            message.json.set("/result/protocolVersion", version);
            fired.count();
        }
        vec![message]
    }
}
