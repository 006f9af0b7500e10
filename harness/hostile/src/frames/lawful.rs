//! Lawful JSON-RPC messages, in any spelling JSON allows.

use super::Line;
use mcp_assay_wire::jsonrpc::Kind;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A lawful message: what it says, how it is spelled, what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it says.
    pub value: Value,
    /// One spelling of it, on one line.
    pub text: String,
    /// What it is.
    pub kind: Kind,
}

impl From<Message> for Line {
    fn from(message: Message) -> Self {
        Line {
            bytes: message.text.into_bytes(),
            shows: None,
        }
    }
}

/// Requests, notifications, results, errors and batches, with random content and spelling.
pub fn lawful() -> impl Strategy<Value = Message> {
    let single = single().boxed();
    let batch = prop::collection::vec(single.clone(), 1..4).prop_map(|items| {
        let values = items.into_iter().map(|(value, _)| value).collect();
        (Value::Array(values), Kind::Batch)
    });
    let message = prop_oneof![6 => single, 1 => batch];
    (message, any::<u64>()).prop_map(|((value, kind), seed)| Message {
        text: spell(&value, seed),
        value,
        kind,
    })
}

fn single() -> impl Strategy<Value = (Value, Kind)> {
    let id = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    let method = prop_oneof![
        Just("ping".to_owned()),
        Just("tools/call".to_owned()),
        Just("notifications/progress".to_owned()),
        ".{0,8}",
    ];
    prop_oneof![
        (id.clone(), method.clone(), object()).prop_map(|(id, method, params)| {
            let value = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            (value, Kind::Request)
        }),
        (method, object()).prop_map(|(method, params)| {
            let value = json!({"jsonrpc": "2.0", "method": method, "params": params});
            (value, Kind::Notification)
        }),
        (id.clone(), object()).prop_map(|(id, result)| {
            let value = json!({"jsonrpc": "2.0", "id": id, "result": result});
            (value, Kind::Result)
        }),
        (id, any::<i32>(), ".{0,8}", any_value()).prop_map(|(id, code, message, data)| {
            let error = json!({"code": code, "message": message, "data": data});
            let value = json!({"jsonrpc": "2.0", "id": id, "error": error});
            (value, Kind::Error)
        }),
    ]
}

fn object() -> impl Strategy<Value = Value> {
    prop::collection::vec((key(), any_value()), 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,6}", "[~/\"\\\\é\\u{0}-\\u{1f}]{0,3}", ".{0,3}"]
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        "[ -~é\\u{0}-\\u{1f}\\u{10000}-\\u{10100}]{0,12}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Spells a value as JSON on one line, with white space and escapes where the seed says so; seed 0 spells it plainly.
pub fn spell(value: &Value, seed: u64) -> String {
    let mut speller = Speller {
        state: seed,
        text: String::new(),
    };
    speller.space();
    speller.value(value);
    speller.space();
    speller.text
}

struct Speller {
    /// Zero: no choice is ever taken.
    state: u64,
    text: String,
}

impl Speller {
    /// Whether to take a choice, once in `n` times (xorshift, which keeps zero at zero).
    fn one_in(&mut self, n: u64) -> bool {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % n == 1
    }

    fn space(&mut self) {
        for blank in [' ', '\t', '\r', ' '] {
            if self.one_in(8) {
                self.text.push(blank);
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.text += &value.to_string(),
            Value::String(content) => self.string(content),
            Value::Array(items) => self.list('[', items, ']', Self::value),
            Value::Object(members) => self.list('{', members, '}', |speller, (key, value)| {
                speller.string(key);
                speller.space();
                speller.text.push(':');
                speller.space();
                speller.value(value);
            }),
        }
    }

    fn list<T>(
        &mut self,
        open: char,
        items: impl IntoIterator<Item = T>,
        close: char,
        spell: impl Fn(&mut Self, T),
    ) {
        self.text.push(open);
        self.space();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push(',');
                self.space();
            }
            spell(self, item);
            self.space();
        }
        self.text.push(close);
    }

    fn string(&mut self, content: &str) {
        self.text.push('"');
        for c in content.chars() {
            let must_escape = c < ' ' || c == '"' || c == '\\';
            if c == '/' && self.one_in(2) {
                self.text.push_str("\\/");
            } else if self.one_in(6) || (must_escape && self.one_in(2)) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    self.text += &format!("\\u{unit:04x}");
                }
            } else if must_escape {
                let quoted = Value::from(c.to_string()).to_string();
                self.text.push_str(&quoted[1..quoted.len() - 1]);
            } else {
                self.text.push(c);
            }
        }
        self.text.push('"');
    }
}
