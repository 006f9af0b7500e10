//! Records and checks for tests, built from the lines that crossed the wire.

use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{
    Bound, Channel, Direction, End, Entry, Missing, Record, Sent, Window,
};
use mcp_assay_model::scenario::{Basis, Check, Expect, Part};
use mcp_assay_model::template::Template;
use mcp_assay_wire::stdio::{Framer, Limits};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A conversation in the making.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    pub record: Record,
}

impl Talk {
    pub fn new() -> Self {
        Talk {
            record: Record {
                revision: Revision::R2025_06_18,
                binding: Binding::Memory,
                entries: Vec::new(),
                labels: BTreeMap::new(),
                end: End::Alive,
            },
        }
    }

    fn push(&mut self, direction: Direction, line: &[u8]) -> u64 {
        let mut framer = Framer::new(Limits::default());
        let frame = framer.push(&[line, b"\n"].concat()).remove(0);
        let seq = self.record.entries.len() as u64 + 1;
        self.record.entries.push(Entry {
            seq,
            at: Duration::ZERO,
            direction,
            connection: "c".to_owned(),
            channel: Channel::Memory,
            length: frame.length,
            raw: frame.raw,
            terminator: Some(frame.terminator),
            message: frame.message,
            defects: frame.defects,
            answers: None,
            part_of: None,
        });
        seq
    }

    /// A message of ours.
    pub fn sent(mut self, label: &str, line: &str) -> Self {
        let seq = self.push(Direction::Sent, line.as_bytes());
        let message = self.record.entry(seq).unwrap().message.clone().unwrap();
        let sent = Sent {
            seq,
            method: message.method,
            id: message.id,
            ..Sent::default()
        };
        self.record
            .labels
            .insert(label.to_owned(), Bound::Sent(sent));
        self
    }

    /// Something of the target's that was attributed to nothing.
    pub fn came(mut self, line: impl AsRef<[u8]>) -> Self {
        self.push(Direction::Received, line.as_ref());
        self
    }

    /// A response of the target's to a labelled request.
    pub fn reply(mut self, label: &str, line: &str) -> Self {
        let seq = self.push(Direction::Received, line.as_bytes());
        let sent = self.sent_mut(label);
        sent.replies.push(seq);
        let answers = sent.seq;
        self.record.entries.last_mut().unwrap().answers = Some(answers);
        self
    }

    /// A message that was awaited and came.
    pub fn arrived(mut self, label: &str, line: &str) -> Self {
        let seq = self.push(Direction::Received, line.as_bytes());
        self.record
            .labels
            .insert(label.to_owned(), Bound::Arrived(seq));
        self
    }

    pub fn bind(mut self, label: &str, bound: Bound) -> Self {
        self.record.labels.insert(label.to_owned(), bound);
        self
    }

    pub fn missing(mut self, label: &str, why: Missing) -> Self {
        self.sent_mut(label).missing = Some(why);
        self
    }

    pub fn cancel(mut self, label: &str) -> Self {
        let line =
            br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        let seq = self.push(Direction::Sent, line);
        self.sent_mut(label).cancelled = Some(seq);
        self
    }

    /// A window with what came before the fence's answer and after it.
    pub fn window(
        mut self,
        label: &str,
        about: &str,
        before: impl FnOnce(Talk) -> Talk,
        after: impl FnOnce(Talk) -> Talk,
    ) -> Self {
        let opened = self.record.entries.len() as u64;
        self = before(self);
        let fence = self.push(
            Direction::Received,
            br#"{"jsonrpc":"2.0","id":"fence","result":{}}"#,
        );
        self.record.entries.last_mut().unwrap().answers = Some(0);
        self = after(self);
        let window = Window {
            opened,
            fence: Some(fence),
            closed: self.record.entries.len() as u64,
            about: about.to_owned(),
            missing: None,
        };
        self.bind(label, Bound::Window(window))
    }

    pub fn end(mut self, end: End) -> Self {
        self.record.end = end;
        self
    }

    fn sent_mut(&mut self, label: &str) -> &mut Sent {
        match self.record.labels.get_mut(label) {
            Some(Bound::Sent(sent)) => sent,
            other => panic!("{label}: {other:?}"),
        }
    }
}

/// A check that expects this of the label `q`.
pub(crate) fn check(expect: Expect) -> Check {
    Check {
        name: "name".to_owned(),
        title: "title".to_owned(),
        rule: "rule".to_owned(),
        basis: Basis::Spec,
        cites: Vec::new(),
        contested: None,
        code: None::<FindingCode>,
        on: Some("q".to_owned()),
        given: None,
        expect,
        near: Vec::new(),
        mutants: Vec::new(),
        span: 0..0,
    }
}

/// A judgement on a part of a message by JSON text; numbers keep their text.
pub(crate) fn message(part: Part, schema: &str) -> Expect {
    Expect::Message {
        part,
        schema: Template::Raw(schema.to_owned()),
    }
}

/// A template from a value; `{"$from": label, "at": pointer}` is a reference.
pub(crate) fn template(value: &Value) -> Template {
    match value {
        Value::String(text) => Template::Text(text.clone()),
        Value::Array(items) => Template::Array(items.iter().map(template).collect()),
        Value::Object(members) => match (&value["$from"], &value["at"]) {
            (Value::String(label), Value::String(at)) => Template::From {
                label: label.clone(),
                at: at.clone(),
            },
            _ => {
                let members = members
                    .iter()
                    .map(|(key, value)| (key.clone(), template(value)));
                Template::Object(members.collect())
            }
        },
        other => Template::Literal(other.to_string()),
    }
}
