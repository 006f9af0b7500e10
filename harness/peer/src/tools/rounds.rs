//! Tools that come to an end in several rounds, each showing one way to ask by results.
//!
//! **Source**: `2026-07-28/basic/patterns/mrtr`.

use super::model::spoken;
use super::{Call, Outcome, forms};
use crate::modern::mrtr::Rounds;
use crate::modern::state::State;
use crate::questions::{Asker, Capability, Question, Unanswered};
use serde_json::Value;

/// What a tool of this module comes back with.
type Ended = Result<Outcome, Unanswered>;

/// Runs one of them.
pub(super) fn run(call: &Call, tool: fn(&Rounds) -> Ended) -> Outcome {
    let Asker::Modern(rounds) = &call.asker else {
        return Outcome::error("This tool asks by results, which this revision does not have.");
    };
    tool(rounds).unwrap_or_else(Outcome::from)
}

fn user_name() -> Question {
    Question::elicitation(
        "user_name",
        "What is your name?",
        forms::one("name", "Your name"),
    )
}

fn confirm() -> Question {
    Question::elicitation(
        "confirm",
        "Shall this go on?",
        forms::one("ok", "Yes or no"),
    )
}

fn greeting() -> Question {
    Question::sampling("greeting", "Write a greeting.")
}

fn client_roots() -> Question {
    Question::roots("client_roots")
}

/// Asks the user.
pub(super) fn elicitation(rounds: &Rounds) -> Ended {
    let answer = rounds.answer(&user_name())?;
    Ok(Outcome::text(filled_in(&answer)))
}

/// Asks the model.
pub(super) fn sampling(rounds: &Rounds) -> Ended {
    let question = Question::sampling("capital_question", "What is the capital of France?");
    let answer = rounds.answer(&question)?;
    Ok(Outcome::text(format!(
        "LLM response: {}",
        spoken(&answer["content"])
    )))
}

/// Asks for the roots.
pub(super) fn list_roots(rounds: &Rounds) -> Ended {
    let answer = rounds.answer(&client_roots())?;
    Ok(Outcome::text(count_roots(&answer)))
}

/// Asks the user, and goes on only with the state that went along.
pub(super) fn request_state(rounds: &Rounds) -> Ended {
    rounds.answers_in(&[confirm()], State::of_round(1))?;
    Ok(Outcome::text("state-ok"))
}

/// Asks all at once.
pub(super) fn multiple_inputs(rounds: &Rounds) -> Ended {
    let questions = [user_name(), greeting(), client_roots()];
    let answers = rounds.answers_in(&questions, State::of_round(1))?;
    let texts = [
        filled_in(&answers[0]),
        spoken(&answers[1]["content"]),
        count_roots(&answers[2]),
    ];
    Ok(Outcome::text(texts.join("\n")))
}

/// Asks twice, the second time knowing the first answer by the state alone.
pub(super) fn multi_round(rounds: &Rounds) -> Ended {
    let first = Question::elicitation("step1", "First step", forms::one("name", "A name"));
    let second = Question::elicitation("step2", "Second step", forms::one("color", "A colour"));
    let known = rounds.state.clone().filter(|state| state.round == 2);
    let second_round = match known {
        Some(state) => state,
        None => {
            let answer = rounds.answers_in(&[first], State::of_round(1))?.remove(0);
            State {
                round: 2,
                kept: answer,
            }
        }
    };
    let kept = second_round.kept.clone();
    let answer = rounds.answers_in(&[second], second_round)?.remove(0);
    let steps = [filled_in(&kept), filled_in(&answer)];
    Ok(Outcome::text(steps.join("\n")))
}

/// Asks for whatever the client declared; where that is nothing there is nothing to wait for.
pub(super) fn capabilities(rounds: &Rounds) -> Ended {
    let mut questions = vec![user_name(), greeting(), client_roots()];
    questions.retain(|question| rounds.has(question.capability));
    rounds.answers(&questions, None)?;
    Ok(Outcome::text(format!(
        "Asked for {} things.",
        questions.len()
    )))
}

/// Needs sampling, without asking for anything.
pub(super) fn missing_capability(rounds: &Rounds) -> Ended {
    rounds.require(Capability::Sampling)?;
    Ok(Outcome::text("The client declared sampling."))
}

fn filled_in(answer: &Value) -> String {
    let action = answer["action"].as_str().unwrap_or("none");
    format!(
        "User response: action={action}, content={}",
        answer["content"]
    )
}

fn count_roots(answer: &Value) -> String {
    let count = answer["roots"].as_array().map_or(0, Vec::len);
    format!("The client has {count} roots.")
}
