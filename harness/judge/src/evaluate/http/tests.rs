use super::super::evaluate;
use super::*;
use crate::judgement::NoNatives;
use crate::testing::{JSON, STREAM, Talk, check, message, template};
use mcp_assay_model::record::{End, NativeBound};
use mcp_assay_model::scenario::{Expect, Given, Part};
use mcp_assay_model::verdict::Verdict;
use mcp_assay_wire::http::End as BodyEnd;
use serde_json::json;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

fn run(expect: Expect, talk: &Talk) -> Judgement {
    run_check(&check(expect), talk)
}

fn run_check(check: &mcp_assay_model::scenario::Check, talk: &Talk) -> Judgement {
    let mut resolve = |reference: &Template| Err(format!("cannot resolve {reference:?}"));
    evaluate(check, &talk.record, &mut resolve, &NoNatives)
}

fn http(status: &[&str], headers: &[(&str, Value)], content_type: Option<&str>) -> Expect {
    let headers = headers.iter().map(|(name, schema)| {
        let schema = (!schema.is_null()).then(|| template(schema));
        ((*name).to_owned(), schema)
    });
    Expect::Http {
        status: status.iter().map(|status| (*status).to_owned()).collect(),
        headers: headers.collect(),
        content_type: content_type.map(str::to_owned),
    }
}

fn asked() -> Talk {
    Talk::http().post("q", CALL)
}

/// Each finding: code, message, expected, actual, place.
fn told(judgement: &Judgement) -> Vec<String> {
    assert_eq!(judgement.judged, 1, "{judgement:?}");
    let lines = judgement.findings.iter().map(|finding| {
        let text = |text: &Option<String>| text.clone().unwrap();
        format!(
            "{}: {} | {} | {} | {}",
            finding.code,
            finding.message,
            text(&finding.expected),
            text(&finding.actual),
            text(&finding.at)
        )
    });
    lines.collect()
}

#[test]
fn statuses_are_numbers_or_classes() {
    for (status, wanted, fits) in [
        (404, &["404"][..], true),
        (404, &["4xx"], true),
        (404, &["2xx", "404"], true),
        (404, &[], true),
        (400, &["404"], false),
        (500, &["4xx"], false),
        (204, &["202", "4xx"], false),
    ] {
        let talk = asked().head(1, status, "");
        let judgement = run(http(wanted, &[("X", json!(null))], None), &talk);
        let expected = if fits { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(judgement.verdict, Some(expected), "{status} {wanted:?}");
    }
}

#[test]
fn a_wrong_status_is_told_alone_and_a_stranger_understands_it() {
    let talk = asked()
        .head(1, 307, "Location: /mcp/\r\n")
        .head(1, 200, "content-type: text/html\r\n")
        .body(1, "<p>hello</p>");
    let wanted = http(
        &["404", "4xx"],
        &[("Allow", json!({}))],
        Some("application/json"),
    );
    assert_eq!(
        told(&run(wanted, &talk)),
        [
            "status: HTTP 200 came where HTTP 404 or 4xx is due | HTTP 404 or 4xx | \
             HTTP 200, Content-Type text/html; the body begins <p>hello</p> | #3"
        ]
    );
}

#[test]
fn the_media_type_is_compared_without_parameters_and_case() {
    for (headers, wrong) in [
        ("Content-Type: Application/JSON; charset=utf-8\r\n", None),
        ("content-type:application/json\r\n", None),
        (
            "Content-Type: text/plain; application/json\r\n",
            Some(
                "content-type: the Content-Type is text/plain, where application/json is due | \
                 Content-Type application/json | HTTP 200, Content-Type text/plain; application/json | #2",
            ),
        ),
        (
            "",
            Some(
                "content-type: there is no Content-Type, where application/json is due | \
                 Content-Type application/json | HTTP 200 without Content-Type | #2",
            ),
        ),
    ] {
        let talk = asked().head(1, 200, headers);
        let wanted = http(&["200"], &[], Some("application/json; charset=x"));
        assert_eq!(
            told(&run(wanted, &talk)),
            Vec::from_iter(wrong),
            "{headers}"
        );
    }
}

#[test]
fn headers_are_judged_as_strings_without_regard_to_the_case_of_their_name() {
    let allow = || json!({"type": "string", "pattern": "^POST, GET$"});
    let judge = |headers: &str, name: &str, schema: Value| {
        told(&run(
            http(&[], &[(name, schema)], None),
            &asked().head(1, 405, headers),
        ))
    };
    assert!(judge("allow: POST\r\nX: 1\r\nALLOW:  GET \r\n", "Allow", allow()).is_empty());
    assert!(judge("X: 1\r\n", "Allow", json!(null)).is_empty());
    assert_eq!(
        judge("X: 1\r\n", "Allow", json!({"type": "string"})),
        [
            "header: the header `Allow` is missing | the header `Allow`, with a value that fits {\"type\":\"string\"} | \
             no header `Allow` | #2"
        ]
    );
    assert_eq!(
        judge("allow: GET\r\n", "Allow", json!(null)),
        ["header: the header `Allow` is there, with GET | no header `Allow` | Allow: GET | #2"]
    );
    let wrong = judge("allow: GET\r\n", "Allow", allow());
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].starts_with("header: of the header `Allow`, ")
            && wrong[0].ends_with(" | Allow: GET | #2")
    );
    // Digits are a string here, as everything in a header is.
    assert!(
        judge(
            "retry-after: 5\r\n",
            "Retry-After",
            json!({"type": "string"})
        )
        .is_empty()
    );
}

#[test]
fn several_things_wrong_are_several_findings() {
    let talk = asked().head(1, 200, STREAM);
    let wanted = http(
        &[],
        &[("A", json!({"type": "string"}))],
        Some("application/json"),
    );
    let codes: Vec<_> = run(wanted, &talk)
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect();
    assert_eq!(codes, [FindingCode::ContentType, FindingCode::Header]);
}

#[test]
fn every_label_of_an_exchange_leads_to_its_head() {
    let two = || {
        asked()
            .head(1, 200, JSON)
            .body(1, RESULT)
            .answers("q")
            .request("h", "DELETE", "", "")
            .head(2, 405, "")
    };
    let status = |label: &str, status: &str, talk: &Talk| {
        let check = mcp_assay_model::scenario::Check {
            on: Some(label.to_owned()),
            ..check(http(&[status], &[], None))
        };
        run_check(&check, talk).verdict
    };
    let native = NativeBound {
        native: "n".to_owned(),
        value: Value::Null,
        seqs: vec![3],
        missing: None,
    };
    let missing = Bound::Missing {
        why: Missing::Silent,
        reply_to: Some("h".to_owned()),
    };
    let talk = two()
        .bind("body", Bound::Arrived(3))
        .bind("head", Bound::Arrived(5))
        .bind("n", Bound::Native(native))
        .bind("none", missing);
    for (label, code) in [
        ("q", "200"),
        ("h", "405"),
        ("body", "200"),
        ("head", "405"),
        ("n", "200"),
        ("none", "405"),
    ] {
        assert_eq!(status(label, code, &talk), Some(Verdict::Pass), "{label}");
    }
}

#[test]
fn a_head_that_never_came_is_a_missing_message() {
    let judge = |talk: Talk| {
        let judgement = run(http(&["200"], &[], None), &talk);
        (
            judgement.verdict,
            judgement.missing.map(|missing| missing.why),
        )
    };
    let failed = || asked().ended(1, BodyEnd::Failed("connection reset".to_owned()));
    let died = End::Died {
        how: "exited".to_owned(),
        after: 1,
    };
    assert_eq!(judge(asked()), (None, Some(Missing::Silent)));
    assert_eq!(judge(failed()), (None, Some(Missing::Silent)));
    assert_eq!(
        judge(failed().end(End::Closed)),
        (None, Some(Missing::Silent))
    );
    assert_eq!(
        judge(asked().end(End::Closed)),
        (None, Some(Missing::Unfenced))
    );
    assert_eq!(judge(failed().end(died)), (None, Some(Missing::Died)));
    assert_eq!(
        judge(asked().missing("q", Missing::Hung)),
        (None, Some(Missing::Hung))
    );
}

#[test]
fn bindings_without_http_are_not_applicable() {
    let stdio = Talk::new().sent("q", CALL).reply("q", RESULT);
    let status = || http(&["2xx"], &[], None);
    let judgement = run(status(), &stdio);
    assert_eq!(
        (judgement.verdict, judgement.reason),
        (None, Some(Reason::Binding))
    );
    let given = mcp_assay_model::scenario::Check {
        given: Some(Given::One {
            on: "q".to_owned(),
            expect: status(),
        }),
        ..check(message(Part::Result, "{}"))
    };
    assert_eq!(run_check(&given, &stdio).reason, Some(Reason::Binding));
    // Of several answers, the others are judged all the same.
    let error = || message(Part::Error, "{}");
    let either = run(Expect::AnyOf(vec![status(), error()]), &stdio);
    assert_eq!(either.verdict, Some(Verdict::Fail));
    let either = run(Expect::AnyOf(vec![status(), status()]), &stdio);
    assert_eq!(either.reason, Some(Reason::Binding));
}

#[test]
fn an_http_error_will_do_where_an_error_of_either_kind_is_due() {
    let either = || Expect::AnyOf(vec![message(Part::Error, "{}"), http(&["4xx"], &[], None)]);
    let refused = asked()
        .head(1, 400, "Content-Type: text/plain\r\n")
        .body(1, "no");
    assert_eq!(run(either(), &refused).verdict, Some(Verdict::Pass));
    let accepted = asked().head(1, 200, JSON).body(1, RESULT).answers("q");
    assert_eq!(run(either(), &accepted).verdict, Some(Verdict::Fail));
    let given = |status: &str| mcp_assay_model::scenario::Check {
        given: Some(Given::One {
            on: "q".to_owned(),
            expect: http(&[status], &[], None),
        }),
        ..check(message(Part::Result, r#"{"type":"object"}"#))
    };
    assert_eq!(
        run_check(&given("2xx"), &accepted).verdict,
        Some(Verdict::Pass)
    );
    assert_eq!(
        run_check(&given("404"), &accepted).reason,
        Some(Reason::Given)
    );
}

#[test]
fn a_redirect_that_led_nowhere_is_no_response() {
    let broken = BodyEnd::Failed("connection reset".to_owned());
    let talk = asked().head(1, 307, "Location: /mcp/\r\n").ended(1, broken);
    let judgement = run(http(&["2xx"], &[], None), &talk);
    assert!(judgement.missing.is_some(), "{judgement:?}");
    let talk = asked().head(1, 304, "");
    assert_eq!(
        run(http(&["3xx"], &[], None), &talk).verdict,
        Some(Verdict::Pass)
    );
}
