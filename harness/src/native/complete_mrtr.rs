//! The native step `complete_mrtr`: answers what a server asked for in place of a result, and repeats the request with the answers.
//!
//! ```text
//! of: tools/call             -> input_required { inputRequests, requestState }
//! tools/call + inputResponses (by the answer table) + requestState (kept, dropped, altered) -> result, error, or input_required again
//! ```
//!
//! **Source**: `2026-07-28/basic/patterns/mrtr`.

use super::exchange::await_reply;
use crate::script::conversation::{Conversation, SentIndex};
use mcp_assay_model::record::Missing;
use serde_json::{Map, Value, json};

/// What becomes of the server's `requestState`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Sent back as it came.
    Kept,
    /// Left out.
    Dropped,
    /// One character in the middle is another one.
    Altered,
}

/// Which of the requested inputs are sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Responses {
    /// Each, by the card's answer table or the defaults.
    All,
    /// None: the member is left out.
    None,
    /// The first alone.
    First,
    /// Each, and one that nobody asked for.
    Extra,
    /// Each under its key, and none of them what was asked for.
    Broken,
}

/// What is done with the request.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What becomes of the state.
    pub state: State,
    /// Which inputs are sent.
    pub responses: Responses,
    /// Repetitions at most; it ends before with any answer that asks for nothing.
    pub rounds: u64,
}

/// Repetitions that a card may ask for.
const MOST_ROUNDS: u64 = 10;

impl Plan {
    /// Reads the parameters of the step.
    ///
    /// **Errors**: a value that is none of those in the table of natives.
    pub fn of(parameters: &std::collections::BTreeMap<String, Value>) -> Result<Self, String> {
        let text = |key: &str, usual: &'static str| match parameters.get(key) {
            None => Ok(usual.to_owned()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(format!("`{key}` of `complete_mrtr` is no string")),
        };
        let state = match text("request_state", "kept")?.as_str() {
            "kept" => State::Kept,
            "dropped" => State::Dropped,
            "altered" => State::Altered,
            other => return Err(format!("no `request_state` `{other}`")),
        };
        let responses = match text("responses", "all")?.as_str() {
            "all" => Responses::All,
            "none" => Responses::None,
            "partial" => Responses::First,
            "extra" => Responses::Extra,
            "broken" => Responses::Broken,
            other => return Err(format!("no `responses` `{other}`")),
        };
        let rounds = match parameters.get("rounds") {
            None => 1,
            Some(rounds) => rounds
                .as_u64()
                .filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))
                .ok_or_else(|| format!("`rounds` is no number from 1 to {MOST_ROUNDS}"))?,
        };
        Ok(Plan {
            state,
            responses,
            rounds,
        })
    }
}

/// Runs the step. Gives the request that was sent last; where nothing was asked for, that is `of` itself.
pub async fn run(
    conversation: &mut Conversation,
    of: SentIndex,
    plan: Plan,
) -> (SentIndex, Option<Missing>) {
    let mut last = of;
    let Some((method, original)) = asked(conversation, of) else {
        return (of, None);
    };
    for _ in 0..plan.rounds {
        let Some(wanted) = wanted(conversation, last) else {
            break;
        };
        let params = repeated(conversation, &original, &wanted, plan);
        let id = conversation.fresh_id();
        let text = conversation.manner.request(&id, &method, Some(&params));
        let (index, _) = conversation.send_message(&text).await;
        last = index;
        let patience = conversation.pace.work();
        if let Err(missing) = await_reply(conversation, index, patience).await {
            conversation.sent_mut(index).missing = Some(missing);
            return (last, Some(missing));
        }
    }
    (last, None)
}

/// Method and params of a request of ours; what an earlier round added to them is not taken over.
fn asked(conversation: &Conversation, of: SentIndex) -> Option<(String, Map<String, Value>)> {
    let sent = conversation.sent(of);
    let message = conversation.entry(sent.seq)?.message.as_ref()?;
    let mut params = message.value.get("params")?.as_object()?.clone();
    params.shift_remove("inputResponses");
    params.shift_remove("requestState");
    Some((sent.method.clone()?, params))
}

/// The result of a request, where it asks for input.
fn wanted(conversation: &Conversation, of: SentIndex) -> Option<Value> {
    let reply = conversation.reply(of)?.message.as_ref()?;
    let result = reply.value.get("result")?;
    (result.get("resultType")? == "input_required").then(|| result.clone())
}

fn repeated(
    conversation: &Conversation,
    original: &Map<String, Value>,
    wanted: &Value,
    plan: Plan,
) -> Value {
    let mut params = original.clone();
    let asked = wanted.get("inputRequests").and_then(Value::as_object);
    if let Some(asked) = asked
        && plan.responses != Responses::None
    {
        let taken = match plan.responses {
            Responses::First => 1,
            _ => asked.len(),
        };
        let mut responses = Map::new();
        for (key, request) in asked.iter().take(taken) {
            let method = request.get("method").and_then(Value::as_str);
            let response = match plan.responses {
                Responses::Broken => Some(json!({ "mcp-assay": ["what nobody asked for"] })),
                _ => answer(conversation, method.unwrap_or_default()),
            };
            responses.extend(response.map(|response| (key.clone(), response)));
        }
        if plan.responses == Responses::Extra {
            let extra = json!({ "action": "decline" });
            responses.insert("mcp-assay-unasked".to_owned(), extra);
        }
        params.insert("inputResponses".to_owned(), Value::Object(responses));
    }
    let state = wanted.get("requestState");
    let state = match (plan.state, state.and_then(Value::as_str)) {
        (State::Dropped, _) => None,
        (State::Altered, Some(text)) => Some(json!(altered(text))),
        (State::Kept | State::Altered, _) => state.cloned(),
    };
    if let Some(state) = state {
        params.insert("requestState".to_owned(), state);
    }
    Value::Object(params)
}

/// The result that the card or the defaults give to a request of this method.
fn answer(conversation: &Conversation, method: &str) -> Option<Value> {
    let body = conversation.answers.to(method)?;
    let answer: Value = serde_json::from_str(&format!("{{{body}}}")).ok()?;
    answer.get("result").cloned()
}

/// A text with one character in its middle replaced by another of its kind: bits of the last of base64 may mean nothing, and a foreign one
/// would show itself.
fn altered(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let middle = characters.len() / 2;
    let near_middle = |index: &usize| index.abs_diff(middle);
    let is_letter = |index: usize| {
        characters
            .get(index)
            .is_some_and(char::is_ascii_alphanumeric)
    };
    let inner = |index: &usize| is_letter(*index) && is_letter(index + 1);
    let letters = (0..characters.len()).filter(inner);
    let at = letters.min_by_key(near_middle).unwrap_or(middle);
    if let Some(character) = characters.get_mut(at) {
        *character = match *character {
            'a'..='y' | 'A'..='Y' | '0'..='8' => char::from(*character as u8 + 1),
            'z' => 'a',
            'Z' => 'A',
            '9' => '0',
            _ => '.',
        };
    }
    characters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_text_differs_in_one_character_of_the_same_kind() {
        for (text, expected) in [
            ("abcd", "abdd"),
            ("9a", "0a"),
            ("--zz--", "--az--"),
            ("-_-", "-.-"),
            ("", ""),
            ("e30=.Zz", "e40=.Zz"),
        ] {
            assert_eq!(altered(text), expected, "{text}");
        }
    }

    #[test]
    fn parameters_have_the_words_of_the_table() {
        let plan = |text: &str| Plan::of(&serde_json::from_str(text).unwrap());
        assert_eq!(plan("{}").unwrap().state, State::Kept);
        let full = plan(r#"{"request_state":"altered","responses":"extra","rounds":10}"#).unwrap();
        assert_eq!(
            (full.state, full.responses),
            (State::Altered, Responses::Extra)
        );
        for wrong in [
            r#"{"request_state":"lost"}"#,
            r#"{"responses":1}"#,
            r#"{"rounds":0}"#,
            r#"{"rounds":11}"#,
        ] {
            assert!(plan(wrong).is_err(), "{wrong}");
        }
    }
}
