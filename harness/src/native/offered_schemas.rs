//! The judge of schemas that tools offer: each is one by its dialect, and can be used.

use mcp_assay_judge::{Judgement, OfferedSchema, Unusable};
use mcp_assay_model::finding::Finding;
use mcp_assay_model::record::{NativeBound, Record};
use mcp_assay_model::verdict::Reason;

/// Members of a tool that are schemas.
const SCHEMAS: [&str; 2] = ["inputSchema", "outputSchema"];

/// Characters of a tool's name that are told.
const LONGEST_NAME: usize = 80;

/// Judges the schemas of every tool that a walk met. Of a schema on which nothing can be said (it refers to what is not fetched, or asks
/// for more work than we do) the reason is told, and the check has not passed.
pub(super) fn offered_schemas(bound: &NativeBound, record: &Record) -> Judgement {
    let mut findings: Vec<Finding> = Vec::new();
    let mut judged = 0;
    let mut undecided = None;
    for &seq in &bound.seqs {
        let message = record.entry(seq).and_then(|entry| entry.message.as_ref());
        let tools = message.and_then(|message| message.value.pointer("/result/tools")?.as_array());
        for (index, tool) in tools.into_iter().flatten().enumerate() {
            for member in SCHEMAS {
                // What is no object has no schema to compile; its shape is for others to judge.
                let Some(schema) = tool.get(member).filter(|schema| schema.is_object()) else {
                    continue;
                };
                judged += 1;
                let name = tool["name"].as_str().unwrap_or_default();
                let name: String = name.chars().take(LONGEST_NAME).collect();
                match OfferedSchema::compile(schema, record.revision) {
                    Ok(_) => {}
                    Err(Unusable::Undecided(why)) => {
                        let told = format!("`{member}` of the tool `{name}` {why}");
                        undecided.get_or_insert(told);
                    }
                    Err(Unusable::Broken(violations)) => {
                        let at = format!("/result/tools/{index}/{member}");
                        findings.extend(violations.into_iter().map(|violation| {
                            let mut finding = violation.finding(seq, &at);
                            finding.message =
                                format!("`{member}` of the tool `{name}`: {}", finding.message);
                            finding
                        }));
                    }
                }
            }
        }
    }
    match undecided {
        _ if !findings.is_empty() => Judgement::fail(findings, judged),
        Some(told) => Judgement::unjudged(Reason::Unsupported(told)),
        None if judged == 0 => Judgement::unjudged(Reason::NothingToJudge),
        None => Judgement::pass(judged),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{answering, card, judge, ordinary, result};
    use mcp_assay_model::result::CheckResult;
    use mcp_assay_model::verdict::{Reason, Verdict};
    use serde_json::{Value, json};

    const TEXT: &str = "steps:
  - open: { as: c }
  - native: { use: walk, list: tools/list, as: w }
checks:
  - { name: x, title: t, rule: r, basis: robustness, on: w, expect: { native: offered-schemas } }
";

    /// What the judge says of tools with these input schemas.
    async fn said(schemas: &[Value]) -> CheckResult {
        let tool = |schema: &Value| json!({ "name": "t", "inputSchema": schema });
        let tools: Vec<Value> = schemas.iter().map(tool).collect();
        let target = answering(move |message| match message["method"].as_str() {
            Some("tools/list") => vec![result(message, &json!({ "tools": tools }))],
            _ => ordinary(message),
        });
        let (_, results) = judge(&card(TEXT), target).await;
        let own = results.into_iter().find(|one| one.id.ends_with("/x"));
        own.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_schema_is_judged_and_what_cannot_be_read_is_no_pass() {
        let good = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        let lost = json!({ "type": "object", "$ref": "#/$defs/lost" });
        let far = json!({ "type": "object", "properties": { "a": { "$ref": "https://example.org/schema.json" } } });
        let passed = said(&[good.clone(), good.clone()]).await;
        assert_eq!((passed.verdict, passed.judged), (Some(Verdict::Pass), 2));
        let broken = said(&[good.clone(), lost.clone(), far.clone()]).await;
        assert_eq!(broken.verdict, Some(Verdict::Fail));
        assert_eq!(broken.findings.len(), 1);
        let at = broken.findings[0].at.as_deref().unwrap();
        assert!(at.contains("/result/tools/1/inputSchema"), "{at}");
        let undecided = said(&[good, far]).await;
        assert_eq!(undecided.verdict, None);
        let Some(Reason::Unsupported(why)) = &undecided.reason else {
            panic!("{:?}", undecided.reason);
        };
        assert!(
            why.contains(
                "`inputSchema` of the tool `t` refers to `https://example.org/schema.json`"
            ),
            "{why}"
        );
        for nothing in [said(&[]).await, said(&[json!(7)]).await] {
            assert_eq!(nothing.reason, Some(Reason::NothingToJudge));
        }
    }
}
