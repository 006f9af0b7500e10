//! Writes down what is heard, in the format of a run's record.

use super::{Heard, Talk};
use mcp_assay_model::event::{
    Coverage, EVENTS_FORMAT, Event, RunFinished, RunStarted, TargetFacts, Tool,
};
use mcp_assay_model::protocol::{Binding, Revision, Role};
use mcp_assay_model::result::TranscriptEntry;
use mcp_assay_report::{Jsonl, Mask, Reporter};
use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

/// What a recording says of itself.
pub const MASKED: &str =
    "header fields and parts of addresses that carry credentials are masked; messages are whole";

/// Writes what is heard to a record.
///
/// **Shape**: each conversation is a case `TALK@REVISION+BINDING`, with `any` where the revision is not known from the start. Header fields
/// that carry credentials are masked as in every report; messages are not, or what was said could not be judged.
pub struct Recorder {
    out: Jsonl<Box<dyn Write + Send>>,
    mask: Mask,
    cases: HashMap<Talk, String>,
}

/// The case id of a conversation.
pub fn case_of(talk: &str, revision: Option<Revision>, binding: Binding) -> String {
    let revision = revision.map_or("any", Revision::as_str);
    format!("{talk}@{revision}+{binding}")
}

impl Recorder {
    /// Begins a record of what `target` is asked.
    ///
    /// **Errors**: it cannot be written.
    pub fn begin(
        out: Box<dyn Write + Send>,
        target: TargetFacts,
        secrets: Vec<String>,
    ) -> io::Result<Self> {
        let mask = Mask::new(secrets);
        let mut started = Event::RunStarted(RunStarted {
            format: EVENTS_FORMAT.to_owned(),
            tool: Tool {
                name: "mcp-assay".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            role: Role::Server,
            sides: vec![Role::Server, Role::Client],
            seed: 0,
            target,
            started: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
                .to_string(),
            cases: 0,
        });
        mask.event(&mut started);
        let mut recorder = Recorder {
            out: Jsonl::new(out),
            mask,
            cases: HashMap::new(),
        };
        recorder.out.see(&started)?;
        Ok(recorder)
    }

    /// Writes down what was heard.
    ///
    /// **Errors**: it cannot be written.
    pub fn hear(&mut self, heard: &Heard) -> io::Result<()> {
        let known = |cases: &HashMap<Talk, String>| cases.get(heard.talk()).cloned();
        let mut event = match heard {
            Heard::Began {
                talk,
                binding,
                revision,
            } => {
                let case = case_of(talk, *revision, *binding);
                self.cases.insert(talk.clone(), case.clone());
                Event::CaseStarted { case, attempt: 1 }
            }
            Heard::Entry(talk, entry) => {
                let Some(case) = known(&self.cases) else {
                    return Err(unknown(talk));
                };
                let mut entry = TranscriptEntry::from(&**entry);
                self.mask.facts(&mut entry);
                return self.out.see(&Event::Message {
                    case,
                    attempt: 1,
                    entry,
                });
            }
            Heard::Lost {
                talk,
                after,
                bytes,
                why,
            } => Event::Lost {
                case: known(&self.cases).ok_or_else(|| unknown(talk))?,
                after: *after,
                bytes: *bytes,
                why: why.clone(),
            },
            Heard::Ended(talk, end) => Event::ConversationEnded {
                case: self.cases.remove(talk).ok_or_else(|| unknown(talk))?,
                end: end.clone(),
            },
        };
        self.mask.event(&mut event);
        self.out.see(&event)
    }

    /// Ends the record.
    ///
    /// **Errors**: it cannot be written.
    pub fn finish(&mut self, after: Duration) -> io::Result<()> {
        self.out.see(&Event::RunFinished(RunFinished {
            duration_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
            waiting_ms: 0,
            exit_code: 0,
            reasons: Vec::new(),
            waiting_for: Vec::new(),
            coverage: Coverage::default(),
            notes: vec![MASKED.to_owned()],
            noted: Vec::new(),
        }))?;
        self.out.finish()
    }

    /// Writes out what waits.
    ///
    /// **Errors**: it cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.finish()
    }
}

fn unknown(talk: &Talk) -> io::Error {
    io::Error::other(format!("the conversation {talk} never began"))
}
