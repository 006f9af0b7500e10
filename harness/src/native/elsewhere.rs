//! The native step `elsewhere`: a request on a connection of its own, where nothing was said before.

use super::exchange::request;
use crate::script::conversation::Conversation;
use mcp_assay_judge::Judgement;
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::record::{Missing, NativeBound, Record};
use mcp_assay_model::verdict::Reason;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Label of the second connection in the transcript.
const SECOND: &str = "d";

/// Runs the step.
///
/// **Errors**: a parameter that is missing, or a binding whose servers have one client.
pub async fn run(
    parameters: &BTreeMap<String, Value>,
    first: &mut Conversation,
) -> Result<NativeBound, String> {
    let method = parameters.get("method").and_then(Value::as_str);
    let method = method.ok_or("native `elsewhere` lacks its parameter `method`")?;
    let params = parameters
        .get("params")
        .ok_or("native `elsewhere` lacks its parameter `params`")?;
    let Some(mut second) = first.sibling(SECOND) else {
        return Err("`elsewhere` needs a server with several clients".to_owned());
    };
    let patience = second.pace.reply();
    let replied = request(&mut second, method, Some(params), patience).await;
    let before = first.absorb(&second);
    second
        .retire(replied.is_ok(), Duration::from_millis(500))
        .await;
    let (kind, seq, missing) = match replied {
        Ok(reply) if reply.result.is_some() => ("result", Some(reply.seq + before), None),
        Ok(reply) => ("error", Some(reply.seq + before), None),
        Err(Missing::Silent) => ("nothing", None, None),
        Err(missing) => ("nothing", None, Some(missing)),
    };
    Ok(NativeBound {
        native: "elsewhere".to_owned(),
        value: json!({ "asked": method, "kind": kind }),
        seqs: seq.into_iter().collect(),
        missing,
    })
}

/// The request was served there.
pub fn served_elsewhere(bound: &NativeBound, _: &Record) -> Judgement {
    let asked = bound.value["asked"].as_str().unwrap_or_default();
    match bound.value["kind"].as_str() {
        Some("result") => Judgement::pass(1),
        Some(kind) => {
            let finding = Finding::new(
                FindingCode::RefusedValid,
                format!("`{asked}` is not served on another connection than the first"),
            )
            .expected("a result, as on the first")
            .actual(kind)
            .at(bound.seqs.first().copied().unwrap_or_default(), "");
            Judgement::fail(vec![finding], 1)
        }
        None => Judgement::unjudged(Reason::NothingToJudge),
    }
}
