//! Tools that ask the client's model.
//!
//! **Source**: `2024-11-05/client/sampling`, `2025-11-25/client/sampling#tools-in-sampling`.

use super::{Call, Outcome};
use crate::content;
use crate::questions::Question;
use serde_json::{Value, json};

/// Turns of a model that uses tools; in the last it may use none.
const MOST_TURNS: usize = 4;

/// Asks the client's model.
pub(super) async fn sampling(call: Call) -> Outcome {
    let question = Question::sampling("answer", call.text("prompt"));
    match call.asker.ask(question).await {
        Ok(result) => said(&result),
        Err(unanswered) => unanswered.into(),
    }
}

/// Asks a model that may add numbers with a tool of this server's, until it has an answer.
pub(super) async fn with_tools(call: Call) -> Outcome {
    let mut messages =
        vec![json!({ "role": "user", "content": content::text(call.text("prompt")) })];
    for turn in 1..=MOST_TURNS {
        let choice = if turn < MOST_TURNS { "auto" } else { "none" };
        let question = Question::sampling_with_tools("turn", &messages, json!([adder()]), choice);
        let result = match call.asker.ask(question).await {
            Ok(result) => result,
            Err(unanswered) => return unanswered.into(),
        };
        let uses = blocks(&result["content"]).into_iter();
        let uses: Vec<_> = uses.filter(|block| block["type"] == "tool_use").collect();
        if uses.is_empty() {
            return said(&result);
        }
        // Each use has its result, and next to the results stands nothing else.
        let results: Vec<_> = uses.into_iter().map(use_tool).collect();
        messages.push(json!({ "role": "assistant", "content": result["content"] }));
        messages.push(json!({ "role": "user", "content": results }));
    }
    Outcome::error("The model used tools where it was told to use none.")
}

/// The tool that the model may use.
fn adder() -> Value {
    json!({
        "name": "add",
        "description": "Adds two numbers",
        "inputSchema": {
            "type": "object",
            "properties": { "a": { "type": "number" }, "b": { "type": "number" } },
            "required": ["a", "b"],
        },
    })
}

/// The result of one use.
fn use_tool(block: &Value) -> Value {
    let number = |name: &str| block["input"][name].as_f64();
    let sum = match (block["name"].as_str(), number("a"), number("b")) {
        (Some("add"), Some(a), Some(b)) => Ok((a + b).to_string()),
        (Some("add"), _, _) => Err("add takes two numbers, a and b"),
        _ => Err("there is no tool but add"),
    };
    let mut result = json!({ "type": "tool_result", "toolUseId": block["id"] });
    match sum {
        Ok(sum) => result["content"] = json!([content::text(sum)]),
        Err(why) => {
            result["content"] = json!([content::text(why)]);
            result["isError"] = json!(true);
        }
    }
    result
}

fn said(result: &Value) -> Outcome {
    Outcome::text(format!("LLM response: {}", spoken(&result["content"])))
}

/// A sampling result as text; what is no text is told by its kind.
pub(super) fn spoken(content: &Value) -> String {
    let texts = blocks(content).into_iter().map(|block| {
        let kind = block["type"].as_str().unwrap_or("nothing");
        match (block["text"].as_str(), block["mimeType"].as_str()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(mime_type)) => format!("[{kind} {mime_type}]"),
            (None, None) => format!("[{kind}]"),
        }
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// The content of a sampling result: a block or, from 2025-11-25 on, a list of blocks.
fn blocks(content: &Value) -> Vec<&Value> {
    match content {
        Value::Array(blocks) => blocks.iter().collect(),
        block => vec![block],
    }
}
