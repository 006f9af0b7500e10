use crate::testing::{Talk, modern, opened, watched};
use mcp_assay_model::protocol::Revision;

const ASKS: &str = r#"{"role":"user","content":{"type":"text","text":"t"}}"#;
const USES: &str = r#"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"n","input":{}},{"type":"tool_use","id":"b","name":"n","input":{}}]}"#;

fn result(id: &str) -> String {
    format!(r#"{{"type":"tool_result","toolUseId":"{id}","content":[]}}"#)
}

fn user(content: &str) -> String {
    format!(r#"{{"role":"user","content":[{content}]}}"#)
}

fn sampled(talk: Talk, messages: &[&str]) -> Talk {
    let messages = messages.join(",");
    talk.came(format!(
        r#"{{"jsonrpc":"2.0","id":9,"method":"sampling/createMessage","params":{{"maxTokens":1,"messages":[{messages}]}}}}"#
    ))
}

fn said(rule: &str, messages: &[&str]) -> String {
    let talk = opened(Revision::R2025_11_25, r#"{"sampling":{"tools":{}}}"#, "{}");
    watched("sampling", rule, &sampled(talk, messages))
}

#[test]
fn results_stand_alone() {
    let (both, a) = (
        user(&format!("{},{}", result("b"), result("a"))),
        result("a"),
    );
    assert_eq!(said("results-alone", &[ASKS]), "0");
    assert_eq!(said("results-alone", &[ASKS, USES, &both]), "1");
    let text = r#"{"type":"text","text":"t"}"#;
    assert_eq!(
        said(
            "results-alone",
            &[ASKS, USES, &user(&format!("{a},{text}"))]
        ),
        "1 value #4 /params/messages/2/content/1"
    );
    let single = format!(r#"{{"role":"user","content":{a}}}"#);
    assert_eq!(said("results-alone", &[&single]), "1");
}

#[test]
fn each_use_has_its_result_in_the_next_message() {
    let both = user(&format!("{},{}", result("b"), result("a")));
    let place = "/params/messages/1";
    assert_eq!(said("results-balanced", &[ASKS, USES, &both, ASKS]), "1");
    assert_eq!(
        said("results-balanced", &[ASKS, USES]),
        format!("1 value #4 {place}")
    );
    assert_eq!(
        said("results-balanced", &[ASKS, USES, &user(&result("a"))]),
        format!("1 value #4 {place}")
    );
    assert_eq!(
        said("results-balanced", &[ASKS, USES, ASKS, &both]),
        format!("1 value #4 {place}")
    );
    // What the assistant says without tools needs nothing.
    assert_eq!(
        said("results-balanced", &[&ASKS.replace("user", "assistant")]),
        "0"
    );
}

#[test]
fn a_result_names_a_use_that_was_told() {
    let one = user(&result("a"));
    let place = "/params/messages/0/content/0/toolUseId";
    assert_eq!(said("results-known", &[&one]), format!("1 id #4 {place}"));
    assert_eq!(said("results-known", &[ASKS, USES, &one]), "1");
    // The client's model told of it in an answer before.
    let talk = opened(Revision::R2025_11_25, r#"{"sampling":{"tools":{}}}"#, "{}");
    let talk = sampled(talk, &[ASKS]).raw(
        r#"{"jsonrpc":"2.0","id":9,"result":{"role":"assistant","model":"m","content":[{"type":"tool_use","id":"a","name":"n","input":{}}]}}"#,
    );
    assert_eq!(
        watched("sampling", "results-known", &sampled(talk, &[&one])),
        "1"
    );
}

#[test]
fn a_structured_result_fits_the_tool_it_is_of() {
    let judged = |structured: &str, more: &str| {
        let result = format!(
            r#"{{"type":"tool_result","toolUseId":"a","content":[],"structuredContent":{structured}{more}}}"#
        );
        let messages = format!(
            "{USES},{}",
            user(&format!("{result},{}", super::tests::result("b")))
        );
        let request = format!(
            r#"{{"method":"sampling/createMessage","params":{{"maxTokens":1,"messages":[{messages}],"tools":[{{"name":"n","inputSchema":{{"type":"object"}},"outputSchema":{{"required":["n"]}}}}]}}}}"#
        );
        let reply = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"k":{request}}}}}}}"#
        );
        let call = modern("1", "tools/call", "", r#""name":"t","#);
        let talk = Talk::modern().sent("q", &call).reply("q", &reply);
        watched("sampling", "results-structured", &talk)
    };
    assert_eq!(judged(r#"{"n":1}"#, ""), "1");
    assert_eq!(
        judged("{}", ""),
        "1 schema #2 /result/inputRequests/k/params/messages/1/content/0/structuredContent"
    );
    assert_eq!(judged("{}", r#","isError":true"#), "0");
}
