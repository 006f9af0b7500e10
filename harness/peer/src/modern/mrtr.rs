//! Multi round-trip requests: a result that asks, and the request that comes again with the answers.
//!
//! ```text
//! request -> { resultType: input_required, inputRequests, requestState } -> the same request + inputResponses, requestState -> ...
//! ```
//!
//! **Source**: `2026-07-28/basic/patterns/mrtr`. Nothing is remembered here between two rounds: what is to be known again goes along in
//! `requestState`, sealed ([`super::state`]). Answers to what was never asked are passed over, missing ones are asked for again.

use super::state::{Seal, State};
use crate::client::Terms;
use crate::error::RpcError;
use crate::fault::lie::Breach;
use crate::fault::teller::Judge;
use crate::incoming::Params;
use crate::questions::{Capability, Question, Unanswered};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a request brings of earlier rounds, and the way into the next.
#[derive(Clone, Debug)]
pub(crate) struct Rounds {
    /// The answers, by key.
    pub responses: Map<String, Value>,
    /// What the last round left to be known in this one.
    pub state: Option<State>,
    terms: Arc<Terms>,
    seal: Seal,
    judge: Judge,
}

impl Rounds {
    /// Reads the two parameters of a request that comes again.
    ///
    /// **Errors**: -32602 where they have another type, or the state is none of ours for this request.
    pub fn read(
        params: Params<'_>,
        terms: Arc<Terms>,
        seal: Seal,
        judge: &Judge,
    ) -> Result<Self, RpcError> {
        let responses = match params.object("inputResponses") {
            Ok(responses) => responses.cloned().unwrap_or_default(),
            Err(error) => {
                judge.refuse(Breach::InputResponse, error)?;
                Map::new()
            }
        };
        if let Some((key, _)) = responses.iter().find(|(_, value)| !value.is_object()) {
            refuse_response(judge, key)?;
        }
        let state = match params.string("requestState")? {
            None => None,
            Some(text) => Some(match seal.open(text) {
                Some(state) => state,
                None => {
                    let error = RpcError::invalid_params("Invalid requestState");
                    judge.refuse(Breach::RequestState, error)?;
                    Seal::trust(text)
                }
            }),
        };
        let mut rounds = Rounds {
            responses,
            state,
            terms,
            seal,
            judge: judge.clone(),
        };
        judge.rounds(&mut rounds);
        Ok(rounds)
    }

    /// The answer to the one question of a request, which needs no state.
    ///
    /// **Errors**: what becomes of the request where there is none.
    pub fn answer(&self, question: &Question) -> Result<Value, Unanswered> {
        let answers = self.answers(std::slice::from_ref(question), None)?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// The answers to all these questions; those without are asked again, together with `next`, what is to be known then.
    ///
    /// **Errors**: what becomes of the request where one is missing.
    pub fn answers(
        &self,
        questions: &[Question],
        next: Option<State>,
    ) -> Result<Vec<Value>, Unanswered> {
        for question in questions {
            self.require(question.capability)?;
        }
        let answered = |question: &&Question| self.responses.contains_key(question.key);
        let missing: Vec<&Question> = questions.iter().filter(|one| !answered(one)).collect();
        if !missing.is_empty() {
            return Err(self.asking(&missing, next));
        }
        let answers = questions.iter().map(|question| {
            let answer = &self.responses[question.key];
            if !question.is_answered_by(answer) {
                let refused = refuse_response(&self.judge, question.key);
                refused.map_err(Unanswered::Refused)?;
            }
            Ok(answer.clone())
        });
        answers.collect()
    }

    /// The same where the answers count only in the round that `next` begins: without its state they are asked for again.
    pub fn answers_in(
        &self,
        questions: &[Question],
        next: State,
    ) -> Result<Vec<Value>, Unanswered> {
        if self
            .state
            .as_ref()
            .is_some_and(|state| state.round == next.round)
        {
            return self.answers(questions, Some(next));
        }
        for question in questions {
            self.require(question.capability)?;
        }
        let all: Vec<&Question> = questions.iter().collect();
        Err(self.asking(&all, Some(next)))
    }

    /// Refuses the request where the client did not declare a capability for it.
    pub fn require(&self, capability: Capability) -> Result<(), Unanswered> {
        if self.has(capability) {
            return Ok(());
        }
        let has_modes = matches!(
            capability,
            Capability::Elicitation | Capability::ElicitationByUrl
        );
        let has_other_mode = has_modes && self.terms.client.contains_key("elicitation");
        let breach = if has_other_mode {
            Breach::UndeclaredMode
        } else {
            Breach::UndeclaredCapability
        };
        let error = RpcError::missing_capability(capability.declaration());
        let refused = self.judge.refuse(breach, error);
        refused.map_err(Unanswered::Refused)
    }

    /// Whether the client declared a capability for this request.
    pub fn has(&self, capability: Capability) -> bool {
        capability.is_in(&self.terms)
    }

    fn asking(&self, questions: &[&Question], next: Option<State>) -> Unanswered {
        let requests = questions.iter();
        let requests = requests.map(|question| (question.key.to_owned(), question.request()));
        let mut result = json!({
            "resultType": "input_required",
            "inputRequests": requests.collect::<Map<_, _>>(),
        });
        if let Some(state) = next {
            result["requestState"] = json!(self.seal.close(&state));
        }
        Unanswered::Asked(result)
    }
}

fn refuse_response(judge: &Judge, key: &str) -> Result<(), RpcError> {
    let detail = format!("inputResponses.{key} is no result of the kind that was asked for");
    judge.refuse(Breach::InputResponse, RpcError::invalid_params(detail))
}
