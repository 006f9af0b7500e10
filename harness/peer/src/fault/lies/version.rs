//! Lies about the revision.

use crate::fault::lie::{Course, Fired, Heard, Lie, What};
use crate::json::Json;
use crate::outgoing::Outgoing;

/// Agrees to any version.
#[derive(Default)]
pub(crate) struct EchoesAnyVersion {
    requested: Option<String>,
}

impl Lie for EchoesAnyVersion {
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
            let requested = Json::text(&requested);
            message.json.set("/result/protocolVersion", requested);
            fired.count();
        }
        vec![message]
    }
}
