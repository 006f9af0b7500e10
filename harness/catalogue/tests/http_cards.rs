//! Which cards may judge HTTP, and where.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::lint::{LintContext, lint};
use mcp_assay_model::scenario::Source;

/// A card with these needs, further steps, and judgement.
fn card(needs: &str, steps: &str, judgement: &str) -> String {
    format!(
        "id: errors/unknown-method
role: server
since: 2025-03-26
until: 2025-11-25
needs: [{needs}]
steps:
  - open: {{ as: c }}
  - send: {{ as: q, message: {{ method: no/such/method }} }}
  - await: {{ as: r, reply_to: q }}
{steps}checks:
  - name: is-error
    title: a request for an unknown method is answered with an error
    rule: an unknown method gets an error, not a result
    basis: robustness
    {judgement}
    near:
      - {{ at: {{ reply_to: no/such/method }}, do: {{ body: \"\" }} }}
    mutants:
      - {{ why: answers with an empty result, at: {{ reply_to: no/such/method }}, do: {{ status: 200 }}, finds: [status] }}
"
    )
}

/// The titles of what the linter says.
fn said(text: String) -> Vec<String> {
    let source = Source {
        path: "card.yaml".to_owned(),
        text,
    };
    let catalogue = Catalogue::of([source]).unwrap_or_else(|errors| panic!("{errors}"));
    match lint(&catalogue, &LintContext::default()) {
        Ok(()) => Vec::new(),
        Err(errors) => {
            let shown = errors.render(false);
            let titles = shown
                .lines()
                .filter_map(|line| line.strip_prefix("error: "));
            titles.map(str::to_owned).collect()
        }
    }
}

const HTTP: &str = "http: { status: [4xx] }";
const ERROR: &str = "error: { type: object }";

#[test]
fn http_alone_is_judged_where_there_is_http() {
    let alone = format!("on: q\n    expect: {{ {HTTP} }}");
    let choice = format!("on: q\n    expect: {{ any_of: [ {HTTP}, {HTTP} ] }}");
    for judgement in [&alone, &choice] {
        for (needs, steps, wrong) in [
            ("binding:http", "", 0),
            ("binding:http-sse", "", 0),
            ("", "", 1),
            ("binding:stdio", "", 1),
            ("session", "", 1),
        ] {
            let said = said(card(needs, steps, judgement));
            assert_eq!(said.len(), wrong, "{needs}: {said:?}");
        }
    }
}

#[test]
fn http_as_precondition_or_beside_other_answers_is_judged_in_any_card() {
    for judgement in [
        format!("on: q\n    expect: {{ any_of: [ {ERROR}, {HTTP} ] }}"),
        format!("on: r\n    expect: {{ any_of: [ {ERROR}, {HTTP} ] }}"),
        format!("on: q\n    given: {{ on: q, {HTTP} }}\n    expect: {{ {ERROR} }}"),
        format!("on: q\n    given: {{ on: c, {HTTP} }}\n    expect: {{ {ERROR} }}"),
    ] {
        assert_eq!(said(card("", "", &judgement)), [""; 0], "{judgement}");
    }
}

#[test]
fn steps_of_http_need_the_binding() {
    let judgement = format!("on: q\n    expect: {{ {ERROR} }}");
    for (step, title) in [
        ("http: { as: h, method: DELETE }", "`http` in a card"),
        ("await: { status: q }", "`status` in a card"),
        ("close: { stream: q }", "`stream` in a card"),
    ] {
        let steps = format!("  - {step}\n");
        assert_eq!(said(card("binding:http", &steps, &judgement)), [""; 0]);
        let said = said(card("", &steps, &judgement));
        assert!(
            matches!(said.as_slice(), [one] if one.starts_with(title)),
            "{said:?}"
        );
    }
}

#[test]
fn what_an_http_step_brought_bears_every_judgement_of_a_response() {
    let steps = "  - http: { as: h, method: POST, body: { jsonrpc: \"2.0\", id: 7, method: ping } }\n  - await: { reply_to: h }\n  - close: { stream: h }\n";
    for expect in [
        HTTP,
        ERROR,
        "same_id: q",
        "http: { content_type: text/html, headers: { Allow: null, X: { type: string, pattern: a } } }",
    ] {
        let judgement = format!("on: h\n    expect: {{ {expect} }}");
        let said = said(card("binding:http", steps, &judgement));
        assert_eq!(said, [""; 0], "{expect}");
    }
    let connection = format!("on: c\n    expect: {{ {HTTP} }}");
    assert_eq!(said(card("binding:http", "", &connection)), [""; 0]);
}
