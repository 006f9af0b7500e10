//! Records and checks for tests, built from the lines and exchanges that crossed the wire.

use crate::observer::observe;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::record::{
    Bound, Channel, Direction, End, Entry, Http, HttpPart, Missing, Past, Record, Sent, Window,
};
use mcp_assay_model::scenario::{Basis, Check, Expect, Part};
use mcp_assay_model::template::Template;
use mcp_assay_wire::http::{End as BodyEnd, Head};
use mcp_assay_wire::jsonrpc::classify;
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
                past: Past::default(),
            },
        }
    }

    /// Lines of the modern era.
    pub fn modern() -> Self {
        let mut talk = Talk::new();
        talk.record.revision = Revision::R2026_07_28;
        talk
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
            http: None,
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

    /// Bytes of ours that may be no message.
    pub fn raw(mut self, line: &str) -> Self {
        self.push(Direction::Sent, line.as_bytes());
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

/// Exchanges of Streamable HTTP; each is named by its number, from 1.
impl Talk {
    pub fn http() -> Self {
        let mut talk = Talk::new();
        talk.record.binding = Binding::Http;
        talk
    }

    /// Streamable HTTP of the modern era.
    pub fn modern_http() -> Self {
        let mut talk = Talk::modern();
        talk.record.binding = Binding::Http;
        talk
    }

    fn part(&mut self, direction: Direction, exchange: u64, part: HttpPart, text: &[u8]) -> u64 {
        let channel = match part {
            HttpPart::Event { .. } => Channel::Sse,
            _ => Channel::Http,
        };
        let seq = self.push(direction, b"");
        let entry = self.record.entries.last_mut().unwrap();
        entry.channel = channel;
        entry.terminator = None;
        entry.defects.clear();
        entry.raw = text.to_vec().into();
        entry.length = text.len() as u64;
        entry.message = classify(text).ok();
        entry.http = Some(Http { exchange, part });
        seq
    }

    /// A request of ours with these headers; its label takes the replies.
    pub fn request(mut self, label: &str, method: &str, headers: &str, body: &str) -> Self {
        let requests = self.record.entries.iter().filter(|entry| {
            let http = entry.http.as_ref();
            http.is_some_and(|http| matches!(http.part, HttpPart::Request { .. }))
        });
        let exchange = requests.count() as u64 + 1;
        let part = HttpPart::Request {
            method: method.to_owned(),
            target: "/mcp".to_owned(),
            head: head(&format!("{method} /mcp HTTP/1.1"), headers),
        };
        let seq = self.part(Direction::Sent, exchange, part, body.as_bytes());
        let message = self.record.entry(seq).unwrap().message.clone();
        let sent = Sent {
            seq,
            method: message.as_ref().and_then(|message| message.method.clone()),
            id: message.and_then(|message| message.id),
            exchange: Some(exchange),
            ..Sent::default()
        };
        self.record
            .labels
            .insert(label.to_owned(), Bound::Sent(sent));
        self
    }

    /// A POST as a lawful client makes it.
    pub fn post(self, label: &str, body: &str) -> Self {
        self.request(label, "POST", POST, body)
    }

    /// A POST as a lawful client of the modern era makes it.
    pub fn modern_post(self, label: &str, body: &str) -> Self {
        let headers = format!("{POST}MCP-Protocol-Version: 2026-07-28\r\n");
        self.request(label, "POST", &headers, body)
    }

    /// The head of a response.
    pub fn head(mut self, exchange: u64, status: u16, headers: &str) -> Self {
        let part = HttpPart::Response {
            status,
            head: head(&format!("HTTP/1.1 {status} Whatever"), headers),
            socket: 1,
        };
        self.part(Direction::Received, exchange, part, b"");
        self
    }

    /// The body of a response.
    pub fn body(mut self, exchange: u64, text: &str) -> Self {
        self.part(
            Direction::Received,
            exchange,
            HttpPart::Body,
            text.as_bytes(),
        );
        self
    }

    /// An event of a stream.
    pub fn event(mut self, exchange: u64, id: Option<&str>, data: &str) -> Self {
        let part = HttpPart::Event {
            name: None,
            id: id.map(str::to_owned),
            retry: None,
            comments: 0,
            has_data: true,
            is_terminated: true,
        };
        self.part(Direction::Received, exchange, part, data.as_bytes());
        self
    }

    /// The end of a stream or an exchange.
    pub fn ended(mut self, exchange: u64, end: BodyEnd) -> Self {
        self.part(Direction::Received, exchange, HttpPart::End(end), b"");
        self
    }

    /// What came last answers this label.
    pub fn answers(mut self, label: &str) -> Self {
        let last = self.record.entries.len() as u64;
        let sent = self.sent_mut(label);
        sent.replies.push(last);
        let answers = sent.seq;
        self.record.entries.last_mut().unwrap().answers = Some(answers);
        self
    }
}

/// The headers of a lawful POST.
pub(crate) const POST: &str = "Host: localhost\r\nContent-Type: application/json\r\n\
    Accept: application/json, text/event-stream\r\n";
/// The header of an event stream.
pub(crate) const STREAM: &str = "Content-Type: text/event-stream\r\n";
/// The header of a JSON body.
pub(crate) const JSON: &str = "Content-Type: application/json\r\n";

/// A request of the modern era as a lawful client writes it, with more fields of `_meta` and more members of its params (each `"key":value,`).
pub(crate) fn modern(id: &str, method: &str, meta: &str, params: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}"_meta":{{{meta}"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// How many things a rule of an observer judged, and the code and place of what it found: `2 id #3 /params`.
pub(crate) fn watched(observer: &str, rule: &str, talk: &Talk) -> String {
    let observed = observe(&talk.record);
    let one = observed.iter().find(|one| one.observer == observer);
    let sightings = &one.unwrap().sightings;
    let found = sightings.found().filter(|one| one.rule == rule);
    let found = found.map(|one| {
        let finding = one.finding;
        assert!(finding.expected.is_some() && finding.actual.is_some());
        format!("{} {}", finding.code, finding.at.as_ref().unwrap())
    });
    let found: Vec<_> = found.collect();
    let said = format!("{} {}", sightings.judged(rule), found.join(", "));
    said.trim_end().to_owned()
}

fn head(start: &str, headers: &str) -> Head {
    Head::parse(format!("{start}\r\n{headers}\r\n").into())
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

/// A legacy conversation of a revision that has begun, with what each side declares; seqs 1 to 3.
pub(crate) fn opened(revision: Revision, client: &str, server: &str) -> Talk {
    let mut talk = Talk::new();
    talk.record.revision = revision;
    let initialize = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{client},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    );
    let welcome = format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{revision}","capabilities":{server},"serverInfo":{{"name":"s","version":"1"}}}}}}"#
    );
    talk.sent("i", &initialize)
        .reply("i", &welcome)
        .raw(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
}

impl Talk {
    /// A request of the legacy era and what answers it: `"result":...` or `"error":...`.
    pub fn exchange(self, id: u32, method: &str, params: &str, answer: &str) -> Self {
        let label = format!("x{id}");
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
        let reply = format!(r#"{{"jsonrpc":"2.0","id":{id},{answer}}}"#);
        self.sent(&label, &request).reply(&label, &reply)
    }
}
