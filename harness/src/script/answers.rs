//! How the harness answers the target's own requests, at any time.

use std::collections::BTreeMap;

/// Answers by method: a card's own, else the defaults.
///
/// **Shape**: each is the text of the member that answers, `"result":…` or `"error":…`.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    own: BTreeMap<String, Option<String>>,
}

/// Lawful answers for every request that a legacy server may send.
const DEFAULTS: &[(&str, &str)] = &[
    ("elicitation/create", r#""result":{"action":"decline"}"#),
    ("ping", r#""result":{}"#),
    ("roots/list", r#""result":{"roots":[]}"#),
    (
        "sampling/createMessage",
        r#""result":{"role":"assistant","content":{"type":"text","text":"ok"},"model":"none","stopReason":"endTurn"}"#,
    ),
];

impl Answers {
    /// Sets a card's own answer to a method; `None`: never answer.
    pub fn set(&mut self, method: &str, answer: Option<String>) {
        self.own.insert(method.to_owned(), answer);
    }

    /// The answer to a method; `None`: stay silent.
    pub fn to(&self, method: &str) -> Option<String> {
        if let Some(own) = self.own.get(method) {
            return own.clone();
        }
        let known = DEFAULTS.iter().find(|(name, _)| *name == method);
        Some(match known {
            Some((_, answer)) => (*answer).to_owned(),
            None => r#""error":{"code":-32601,"message":"method not found"}"#.to_owned(),
        })
    }
}
