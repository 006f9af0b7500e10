//! Records of runs and of `tap`.

use super::{Broken, Lines, Told};
use crate::traffic::{Heard, Talk};
use mcp_assay_model::event::{ConversationEnd, EVENTS_FORMAT, Event};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{Channel, Entry};
use mcp_assay_model::recorded::RecordedEntry;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

/// An event as far as its kind: messages are most of a record, and are read where they lie.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    event: Cow<'l, str>,
    #[serde(default, borrow)]
    case: Option<Cow<'l, str>>,
    #[serde(default)]
    attempt: Option<u32>,
    #[serde(default, borrow)]
    entry: Option<&'l RawValue>,
}

/// Conversations that go on, by case and attempt.
type Open = HashMap<(String, u32), Talk>;

/// Reads a record to its end.
///
/// **Errors**: a line that is no event of ours. A last line that is cut off is no error: whoever wrote it was stopped.
pub fn read(input: &mut dyn BufRead, hear: &mut dyn FnMut(&Told, Heard)) -> Result<Told, Broken> {
    let mut told = Told::default();
    let mut open = Open::new();
    let mut lines = Lines::new(input);
    let mut is_started = false;
    while let Some((number, line, is_whole)) = lines.next()? {
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        let broken = |error: serde_json::Error| Broken::at(number, format!("is no event: {error}"));
        let read = serde_json::from_slice::<Line<'_>>(line);
        let head = match read {
            Ok(head) => head,
            Err(_) if !is_whole => {
                told.notes
                    .push(format!("it is cut off in the middle of line {number}"));
                break;
            }
            Err(error) => {
                let hint = "a record is what `mcp-assay run --report jsonl=FILE` and `mcp-assay tap --record FILE` write; \
                    `--input` names another format";
                return Err(broken(error).hint(hint));
            }
        };
        if !is_started && head.event != "run-started" {
            return Err(Broken::at(number, "the first event must be `run-started`"));
        }
        let key = || {
            let case = head.case.as_deref().unwrap_or_default().to_owned();
            (case, head.attempt.unwrap_or(1))
        };
        match &*head.event {
            "run-started" => {
                let Event::RunStarted(started) = serde_json::from_slice(line).map_err(broken)?
                else {
                    continue;
                };
                if started.format != EVENTS_FORMAT {
                    let found = started.format;
                    return Err(Broken::at(
                        number,
                        format!("format `{found}`; this tool reads `{EVENTS_FORMAT}`"),
                    ));
                }
                is_started = true;
                // A recording of `tap` has two sides, and neither is ours.
                told.target = started.sides.is_empty().then_some(started.role);
            }
            "message" => {
                let entry = head.entry.map(RawValue::get).unwrap_or("null");
                let entry: RecordedEntry<'_> = serde_json::from_str(entry)
                    .map_err(|error| Broken::at(number, format!("has no entry: {error}")))?;
                let entry = entry
                    .entry()
                    .map_err(|error| Broken::at(number, error.to_string()))?;
                let talk = begun(&mut open, key(), Some(&entry), &told, hear);
                hear(&told, Heard::Entry(talk, Box::new(entry)));
            }
            "case-started" => {
                // Its binding may have to be told by its first entry.
                if place(head.case.as_deref().unwrap_or_default()).1.is_some() {
                    begun(&mut open, key(), None, &told, hear);
                }
            }
            "case-finished" => {
                let (case, _) = key();
                let over: Vec<_> = open.keys().filter(|(of, _)| *of == case).cloned().collect();
                for key in over {
                    if let Some(talk) = open.remove(&key) {
                        hear(&told, Heard::Ended(talk, ConversationEnd::Open));
                    }
                }
            }
            "lost" | "conversation-ended" => {
                let event = serde_json::from_slice(line).map_err(broken)?;
                passive(event, &mut open, &told, hear);
            }
            "finding" | "target-restarted" | "run-finished" => {}
            other => {
                return Err(Broken::at(number, format!("an unknown event, `{other}`")));
            }
        }
    }
    let mut left: Vec<Talk> = open.into_values().collect();
    left.sort();
    for talk in left {
        hear(&told, Heard::Ended(talk, ConversationEnd::Open));
    }
    Ok(told)
}

/// The conversation of a case, which begins if it has not.
fn begun(
    open: &mut Open,
    key: (String, u32),
    first: Option<&Entry>,
    told: &Told,
    hear: &mut dyn FnMut(&Told, Heard),
) -> Talk {
    if let Some(talk) = open.get(&key) {
        return talk.clone();
    }
    let (case, attempt) = &key;
    let (revision, binding) = place(case);
    // `tap` names its conversations without their place; a run's are their cases.
    let name = match (told.target, case.split_once('@')) {
        (None, Some((name, _))) => name,
        (Some(_), _) | (None, None) => case,
    };
    let talk: Talk = match attempt {
        1 => name.into(),
        attempt => format!("{name} (attempt {attempt})").into(),
    };
    let by_channel = match first.map(|entry| entry.channel) {
        Some(Channel::Http | Channel::Sse) => Binding::Http,
        Some(Channel::Memory) => Binding::Memory,
        Some(Channel::Stdin | Channel::Stdout | Channel::Stderr) | None => Binding::Stdio,
    };
    open.insert(key, talk.clone());
    let began = Heard::Began {
        talk: talk.clone(),
        binding: binding.unwrap_or(by_channel),
        revision,
    };
    hear(told, began);
    talk
}

/// Revision and binding of a case id, as far as it has them.
fn place(case: &str) -> (Option<Revision>, Option<Binding>) {
    let Some((_, place)) = case.split_once('@') else {
        return (None, None);
    };
    let place = place.split('#').next().unwrap_or_default();
    let (revision, binding) = place.split_once('+').unwrap_or((place, ""));
    (revision.parse().ok(), binding.parse().ok())
}

fn passive(event: Event, open: &mut Open, told: &Told, hear: &mut dyn FnMut(&Told, Heard)) {
    match event {
        Event::Lost {
            case,
            after,
            bytes,
            why,
        } => {
            let talk = begun(open, (case, 1), None, told, hear);
            hear(
                told,
                Heard::Lost {
                    talk,
                    after,
                    bytes,
                    why,
                },
            );
        }
        Event::ConversationEnded { case, end } => {
            if let Some(talk) = open.remove(&(case, 1)) {
                hear(told, Heard::Ended(talk, end));
            }
        }
        Event::RunStarted(_)
        | Event::CaseStarted { .. }
        | Event::Message { .. }
        | Event::Finding { .. }
        | Event::CaseFinished { .. }
        | Event::TargetRestarted { .. }
        | Event::RunFinished(_) => {}
    }
}
