//! `requestState`: what a server has a client bring back, sealed so that nobody can alter it.
//!
//! ```text
//! base64url({ for, until, round, kept }) . base64url(HMAC-SHA-256 of what is before the point)
//! ```
//!
//! **Source**: `2026-07-28/basic/patterns/mrtr#server-requirements-basic-workflow`. It holds for one request (its method and the digest of
//! its parameters) and a while. There is no principal in it, because this server knows none. A server with secrets draws its key at
//! random and keeps it; this one has to say the same in every run.

use crate::incoming::Params;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::time::Duration;

const KEY: &[u8] = b"mcp-assay reference server, requestState";

/// How long a state holds.
const LIFETIME: Duration = Duration::from_secs(600);

/// What is known again in the next round.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// Which round it is for, from 1.
    pub round: u64,
    /// What was learnt so far.
    pub kept: Value,
}

impl State {
    /// The state that leads into a round, with nothing learnt yet.
    pub fn of_round(round: u64) -> Self {
        State {
            round,
            kept: Value::Null,
        }
    }
}

/// Seals states for one request, and opens those that were sealed for it.
#[derive(Clone, Debug)]
pub(crate) struct Seal {
    subject: String,
    now: Duration,
}

impl Seal {
    /// The seal of a request at a time, counted from when the server began.
    pub fn new(method: &str, params: Params<'_>, now: Duration) -> Self {
        let mut salient = params.0.cloned().unwrap_or_default();
        for own in ["_meta", "inputResponses", "requestState"] {
            salient.remove(own);
        }
        let digest = Sha256::digest(sorted(&Value::Object(salient)).to_string());
        Seal {
            subject: format!("{method} {}", URL_SAFE_NO_PAD.encode(digest)),
            now,
        }
    }

    /// A state, sealed.
    pub fn close(&self, state: &State) -> String {
        let until = self.now + LIFETIME;
        let payload = json!({
            "for": self.subject,
            "until": until.as_millis() as u64,
            "round": state.round,
            "kept": state.kept,
        });
        let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
        let code = mac(&payload).finalize().into_bytes();
        format!("{payload}.{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// A sealed state, where it was sealed here, for this request, and not too long ago.
    pub fn open(&self, text: &str) -> Option<State> {
        let (payload, code) = text.split_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        mac(payload).verify_slice(&code).ok()?;
        let payload = read(payload)?;
        let is_ours = payload["for"] == self.subject.as_str();
        let holds = u128::from(payload["until"].as_u64()?) >= self.now.as_millis();
        (is_ours && holds).then(|| state(&payload))
    }

    /// What a careless server takes a text for that it cannot verify.
    pub fn trust(text: &str) -> State {
        let payload = text.split_once('.').and_then(|(payload, _)| read(payload));
        state(&payload.unwrap_or_default())
    }
}

fn mac(payload: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(KEY).expect("a key of any length will do");
    mac.update(payload.as_bytes());
    mac
}

fn read(payload: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn state(payload: &Value) -> State {
    State {
        round: payload["round"].as_u64().unwrap_or(1),
        kept: payload["kept"].clone(),
    }
}

/// The same value with its members in order, however the client wrote them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            let members = members.into_iter();
            let members = members.map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(method: &str, params: Value, seconds: u64) -> Seal {
        Seal::new(
            method,
            Params(params.as_object()),
            Duration::from_secs(seconds),
        )
    }

    #[test]
    fn a_state_opens_for_its_own_request_and_a_while() {
        let params = json!({ "name": "t", "arguments": { "a": 1, "b": 2 } });
        let state = State {
            round: 2,
            kept: json!("k"),
        };
        let text = seal("tools/call", params.clone(), 5).close(&state);
        let again = json!({
            "arguments": { "b": 2, "a": 1 },
            "name": "t",
            "requestState": text,
            "inputResponses": {},
            "_meta": { "progressToken": 1 },
        });
        assert_eq!(seal("tools/call", again, 600).open(&text), Some(state));
        for (other, seconds) in [
            (seal("prompts/get", params.clone(), 6), 6),
            (seal("tools/call", json!({ "name": "u" }), 6), 6),
            (seal("tools/call", params, 606), 606),
        ] {
            assert_eq!(other.open(&text), None, "{seconds}");
        }
    }

    #[test]
    fn an_altered_state_does_not_open() {
        let seal = seal("tools/call", json!({}), 0);
        let text = seal.close(&State::of_round(1));
        assert!(seal.open(&text).is_some());
        for at in 0..text.len() - 1 {
            let mut altered = text.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                seal.open(std::str::from_utf8(&altered).unwrap()),
                None,
                "{at}"
            );
        }
        for text in ["", ".", "a.b", &text[1..], &format!("{text}A")] {
            assert_eq!(seal.open(text), None, "{text}");
        }
    }
}
