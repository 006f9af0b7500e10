use super::*;
use crate::judgement::{MissingMessage, NoNatives};
use crate::testing::{Talk, check, message, template};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::record::{End, Missing, NativeBound, Window};
use mcp_assay_model::scenario::Absent;
use proptest::prelude::*;
use serde_json::json;
use std::fmt::Write;
use std::time::Duration;

mod silence;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#;
const ERROR: &str = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}"#;
const NOTE: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
const ASK: &str = r#"{"jsonrpc":"2.0","id":7,"method":"roots/list"}"#;

fn run(check: &Check, talk: &Talk) -> Judgement {
    let mut resolve = |reference: &Template| Err(format!("cannot resolve {reference:?}"));
    evaluate(check, &talk.record, &mut resolve, &NoNatives)
}

/// The verdict and the codes: `fail value schema`, `pass`, `not-applicable given`.
fn outcome(judgement: &Judgement) -> String {
    let mut words = Vec::new();
    words.extend(judgement.verdict.map(|verdict| verdict.to_string()));
    words.extend(
        judgement
            .reason
            .as_ref()
            .map(|reason| format!("({reason})")),
    );
    words.extend(
        judgement
            .missing
            .as_ref()
            .map(|one| format!("missing {} {:?}", one.label, one.why)),
    );
    words.extend(
        judgement
            .findings
            .iter()
            .map(|finding| finding.code.to_string()),
    );
    if judgement.verdict == Some(Verdict::Pass) {
        assert!(judgement.judged > 0);
    }
    assert_eq!(
        judgement.verdict == Some(Verdict::Fail),
        !judgement.findings.is_empty()
    );
    for finding in &judgement.findings {
        assert!(
            finding.at.as_ref().is_some_and(|at| at.starts_with('#')),
            "{finding:?}"
        );
        assert!(
            finding.expected.is_some() && finding.actual.is_some(),
            "{finding:?}"
        );
    }
    words.join(" ")
}

fn asked(reply: &str) -> Talk {
    Talk::new().sent("q", CALL).reply("q", reply)
}

fn same_id() -> Expect {
    Expect::SameId {
        request: "q".to_owned(),
        at: "/id".to_owned(),
    }
}

fn none(kind: Absent, within: Option<&str>) -> Expect {
    Expect::None {
        kind,
        within: within.map(str::to_owned),
    }
}

#[test]
fn messages_are_judged_by_kind_then_by_schema() {
    let any = r#"{"type":"object"}"#;
    let code = r#"{"type":"object","required":["code"],"properties":{"code":{"type":"integer","const":-32601}}}"#;
    for (part, schema, reply, expected) in [
        (Part::Result, any, RESULT, "pass"),
        (Part::Result, any, ERROR, "fail reply-kind"),
        (Part::Result, r#"{"spec":"CallToolResult"}"#, RESULT, "pass"),
        (
            Part::Result,
            r#"{"spec":"ListToolsResult"}"#,
            RESULT,
            "fail schema",
        ),
        (Part::Error, code, ERROR, "pass"),
        (Part::Error, code, RESULT, "fail reply-kind"),
        (
            Part::Error,
            code,
            r#"{"id":1,"error":{"code":-32601.0}}"#,
            "fail schema",
        ),
        (
            Part::Error,
            code,
            r#"{"id":1,"error":{"code":-32000}}"#,
            "fail value",
        ),
        (Part::Error, code, r#"{"id":1,"error":{}}"#, "fail schema"),
        (Part::Error, any, r#"{"id":1,"error":null}"#, "fail schema"),
        (
            Part::Reply,
            r#"{"type":"object","required":["jsonrpc"]}"#,
            RESULT,
            "pass",
        ),
        (
            Part::Reply,
            r#"{"type":"object","required":["jsonrpc"]}"#,
            r#"{"id":1,"result":{}}"#,
            "fail schema",
        ),
        (
            Part::Reply,
            any,
            r#"{"id":1,"result":{},"error":{}}"#,
            "fail reply-kind",
        ),
        (Part::Notification, any, RESULT, "fail reply-kind"),
        (Part::Result, r#"{"spec":"Nothing"}"#, RESULT, "error"),
    ] {
        let judgement = run(&check(message(part, schema)), &asked(reply));
        assert_eq!(
            outcome(&judgement),
            expected,
            "{part:?} {schema} {reply} {judgement:?}"
        );
    }
}

#[test]
fn notifications_and_requests_are_judged_by_their_params() {
    let uri = r#"{"type":"object","required":["uri"]}"#;
    let any = r#"{"type":"object"}"#;
    for (part, schema, line, expected) in [
        (
            Part::Notification,
            r#"{"spec":"LoggingMessageNotificationParams"}"#,
            NOTE,
            "pass",
        ),
        (Part::Notification, uri, NOTE, "fail schema"),
        (
            Part::Notification,
            any,
            r#"{"method":"n","params":[]}"#,
            "fail schema",
        ),
        (Part::Request, any, ASK, "pass"),
        (Part::Request, uri, ASK, "fail schema"),
        (Part::Request, any, NOTE, "fail reply-kind"),
    ] {
        let talk = Talk::new().arrived("q", line);
        assert_eq!(
            outcome(&run(&check(message(part, schema)), &talk)),
            expected,
            "{schema} {line}"
        );
    }
}

#[test]
fn ids_are_compared_as_written() {
    for (sent, got, expected) in [
        ("1", "1", "pass"),
        ("1", "1.0", "fail id"),
        ("1", "\"1\"", "fail id"),
        ("1e0", "1e0", "pass"),
        ("1e0", "1", "fail id"),
        ("\"a\"", "\"a\"", "pass"),
        ("\"a\"", "\"\\u0061\"", "pass"),
        ("\"a\"", "\"A\"", "fail id"),
        ("\"1\"", "1", "fail id"),
        ("1", "null", "fail id"),
    ] {
        let call = format!(r#"{{"id":{sent},"method":"ping"}}"#);
        let talk = Talk::new()
            .sent("q", &call)
            .reply("q", &format!(r#"{{"id":{got},"result":{{}}}}"#));
        assert_eq!(
            outcome(&run(&check(same_id()), &talk)),
            expected,
            "{sent} {got}"
        );
    }
    assert_eq!(
        outcome(&run(&check(same_id()), &asked(r#"{"result":{}}"#))),
        "fail id"
    );
}

#[test]
fn any_of_fails_with_the_code_that_all_branches_share() {
    let branch = |part, schema: &str| message(part, schema);
    let flag =
        r#"{"type":"object","required":["isError"],"properties":{"isError":{"const":true}}}"#;
    let accepted = || {
        vec![
            branch(Part::Error, r#"{"type":"object"}"#),
            branch(Part::Result, flag),
        ]
    };
    let two = || {
        vec![
            branch(Part::Result, r#"{"type":"object","required":["a"]}"#),
            branch(Part::Result, r#"{"type":"object","required":["b"]}"#),
        ]
    };
    let http = Expect::Http {
        status: Vec::new(),
        headers: Vec::new(),
        content_type: None,
    };
    for (branches, reply, expected) in [
        (accepted(), ERROR, "pass"),
        (accepted(), r#"{"id":1,"result":{"isError":true}}"#, "pass"),
        (
            accepted(),
            r#"{"id":1,"result":{"isError":false}}"#,
            "fail reply-kind",
        ),
        (two(), RESULT, "fail schema"),
        (two(), r#"{"id":1,"result":{"b":1}}"#, "pass"),
        (
            vec![http.clone(), branch(Part::Error, "true")],
            ERROR,
            "pass",
        ),
        (
            vec![http.clone(), branch(Part::Error, "true")],
            RESULT,
            "fail reply-kind",
        ),
    ] {
        let judgement = run(&check(Expect::AnyOf(branches.clone())), &asked(reply));
        assert_eq!(outcome(&judgement), expected, "{branches:?} {reply}");
    }
    assert_eq!(outcome(&run(&check(http), &asked(RESULT))), "(binding)");
}

#[test]
fn any_of_tells_of_the_branch_for_the_result_type_that_came() {
    let complete = || message(Part::Result, r#"{"spec":"CallToolResult"}"#);
    let interim = || message(Part::Result, r#"{"spec":"InputRequiredResult"}"#);
    let refused = || message(Part::Error, r#"{"spec":"Error"}"#);
    for (branches, result, expected, told) in [
        (
            vec![complete(), interim()],
            r#"{"resultType":"complete","content":7}"#,
            "fail schema",
            "`content` is 7, not an array",
        ),
        (
            vec![complete(), interim()],
            r#"{"resultType":"input_required","requestState":7}"#,
            "fail schema",
            "`requestState` is 7, not a string",
        ),
        (
            vec![complete(), interim()],
            r#"{"resultType":"other"}"#,
            "fail value",
            "`resultType` is \"other\", not \"complete\"; `resultType` is \"other\", not \"input_required\"",
        ),
        (
            vec![complete(), interim()],
            r#"{"content":[]}"#,
            "fail schema",
            "member `resultType` is missing; the value has none of the allowed forms: member `inputRequests` is missing; member `requestState` is missing",
        ),
        (
            vec![interim(), complete(), refused()],
            r#"{"resultType":"complete"}"#,
            "fail reply-kind",
            "member `content` is missing; a result came where an error is due",
        ),
        (
            vec![complete(), refused()],
            r#"{"resultType":"input_required","requestState":"s"}"#,
            "fail reply-kind",
            "`resultType` is \"input_required\", not \"complete\"; a result came where an error is due",
        ),
        (
            vec![complete(), interim()],
            r#"{"resultType":"input_required","requestState":"s"}"#,
            "pass",
            "",
        ),
    ] {
        let mut talk = asked(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#));
        talk.record.revision = Revision::R2026_07_28;
        let judgement = run(&check(Expect::AnyOf(branches)), &talk);
        assert_eq!(outcome(&judgement), expected, "{result}");
        let said = judgement.findings.first().map(|one| one.message.as_str());
        let said = said.unwrap_or_default();
        let said = said
            .strip_prefix("none of the accepted answers: ")
            .unwrap_or(said);
        assert_eq!(said, told, "{result}");
    }
}

#[test]
fn the_end_of_a_process_is_in_time_and_with_its_code() {
    let seen = |code, in_time, waited_ms| ExitSeen {
        code,
        signal: None,
        in_time,
        waited: Duration::from_millis(waited_ms),
    };
    let killed = ExitSeen {
        signal: Some(9),
        ..seen(None, true, 1)
    };
    let expect = |within_ms: Option<u64>, code| Expect::Exit {
        within_ms: within_ms.map(|ms| Template::Literal(ms.to_string())),
        code,
    };
    for (bound, expect, expected) in [
        (seen(Some(0), true, 10), expect(None, None), "pass"),
        (seen(Some(0), true, 10), expect(Some(10), Some(0)), "pass"),
        (
            seen(Some(0), true, 11),
            expect(Some(10), None),
            "fail no-reply",
        ),
        (seen(None, false, 99), expect(None, None), "fail no-reply"),
        (seen(Some(1), true, 1), expect(None, Some(0)), "fail value"),
        (killed, expect(None, Some(0)), "fail value"),
    ] {
        let talk = Talk::new()
            .sent("p", CALL)
            .bind("q", Bound::Exit(bound.clone()));
        assert_eq!(
            outcome(&run(&check(expect.clone()), &talk)),
            expected,
            "{bound:?} {expect:?}"
        );
    }
}

#[test]
fn a_message_that_never_came_is_left_to_the_runner() {
    let result = || message(Part::Result, "true");
    let died = End::Died {
        how: "exited".to_owned(),
        after: 1,
    };
    let absent = Bound::Missing {
        why: Missing::Silent,
        reply_to: None,
    };
    for (talk, expect, label, why) in [
        (
            Talk::new().sent("q", CALL).missing("q", Missing::Silent),
            result(),
            "q",
            Missing::Silent,
        ),
        (
            Talk::new().sent("q", CALL).missing("q", Missing::Hung),
            same_id(),
            "q",
            Missing::Hung,
        ),
        (Talk::new().sent("q", CALL), result(), "q", Missing::Silent),
        (
            Talk::new().sent("q", CALL).end(died.clone()),
            result(),
            "q",
            Missing::Died,
        ),
        (
            Talk::new().bind("q", absent),
            message(Part::Notification, "true"),
            "q",
            Missing::Silent,
        ),
        (Talk::new().end(died), result(), "q", Missing::Died),
        (
            Talk::new().sent("q", CALL).missing("q", Missing::Silent),
            Expect::AnyOf(vec![result(), message(Part::Error, "true")]),
            "q",
            Missing::Silent,
        ),
    ] {
        let judgement = run(&check(expect), &talk);
        assert_eq!(judgement.verdict, None);
        let missing = MissingMessage {
            label: label.to_owned(),
            why,
        };
        assert_eq!(judgement.missing, Some(missing));
    }
}

#[test]
fn an_unmet_precondition_makes_a_check_not_applicable() {
    let one = |on: &str, expect| Given::One {
        on: on.to_owned(),
        expect,
    };
    let talk = asked(RESULT)
        .sent("p", CALL)
        .window("s", "p", |talk| talk, |talk| talk);
    let is_result = || one("q", message(Part::Result, "true"));
    let is_error = || one("q", message(Part::Error, "true"));
    let http = Expect::Http {
        status: Vec::new(),
        headers: Vec::new(),
        content_type: None,
    };
    for (given, expected) in [
        (is_result(), "pass"),
        (is_error(), "(given)"),
        (Given::All(vec![is_result(), is_error()]), "(given)"),
        (Given::All(vec![is_result(), is_result()]), "pass"),
        (one("s", none(Absent::Reply, None)), "pass"),
        (one("p", message(Part::Result, "true")), "missing p Silent"),
        (one("q", http), "(binding)"),
        (one("gone", message(Part::Result, "true")), "error"),
    ] {
        let check = Check {
            given: Some(given.clone()),
            ..check(message(Part::Result, "true"))
        };
        assert_eq!(outcome(&run(&check, &talk)), expected, "{given:?}");
    }
}

#[test]
fn natives_judge_by_name_and_every_message_a_native_step_brought_is_judged() {
    struct Always(Judgement);
    impl NativeJudges for Always {
        fn judge(&self, name: &str, _on: Option<&str>, _record: &Record) -> Option<Judgement> {
            (name == "known").then(|| self.0.clone())
        }
    }
    let talk = asked(RESULT);
    let mut resolve = |_: &Template| Err(String::new());
    let natives = Always(Judgement::pass(3));
    for (name, expected) in [("known", "pass"), ("unknown", "error")] {
        let judgement = evaluate(
            &check(Expect::Native(name.to_owned())),
            &talk.record,
            &mut resolve,
            &natives,
        );
        assert_eq!(outcome(&judgement), expected);
    }
    let pages = Bound::Native(NativeBound {
        native: "walk".to_owned(),
        value: Value::Null,
        seqs: vec![2, 4],
        missing: None,
    });
    let talk = asked(RESULT)
        .sent("p", CALL)
        .reply("p", ERROR)
        .bind("q", pages);
    let judgement = run(&check(message(Part::Result, "true")), &talk);
    assert_eq!(
        (outcome(&judgement).as_str(), judgement.judged),
        ("fail reply-kind", 2)
    );
    assert_eq!(judgement.findings[0].at.as_deref(), Some("#4"));
}

#[test]
fn references_are_filled_in_and_what_was_left_out_leaves_nothing_to_compare() {
    let schema = json!({"type": "object", "properties": {"content": {"const": {"$from": "p", "at": "/result/x"}}}});
    let expect = Expect::Message {
        part: Part::Result,
        schema: template(&schema),
    };
    let answered = |text: Result<&str, &str>, talk: &Talk| {
        let text = text.map(str::to_owned).map_err(str::to_owned);
        let mut resolve = |_: &Template| text.clone();
        outcome(&evaluate(
            &check(expect.clone()),
            &talk.record,
            &mut resolve,
            &NoNatives,
        ))
    };
    let talk = asked(RESULT).sent("p", CALL).reply("p", RESULT);
    assert_eq!(answered(Ok("[]"), &talk), "pass");
    assert_eq!(answered(Ok("[1]"), &talk), "fail value");
    assert_eq!(answered(Err("no member"), &talk), "(given)");
    let talk = asked(RESULT).sent("p", CALL).missing("p", Missing::Silent);
    assert_eq!(answered(Err("no reply"), &talk), "missing p Silent");
    let fact = Expect::Message {
        part: Part::Result,
        schema: Template::Fact("no.such".to_owned()),
    };
    assert_eq!(outcome(&run(&check(fact), &talk)), "error");
}

#[test]
fn a_check_may_fix_its_code_and_any_code_will_do() {
    for &code in FindingCode::ALL {
        let check = Check {
            code: Some(code),
            ..check(message(
                Part::Result,
                r#"{"type":"object","required":["a","b"]}"#,
            ))
        };
        assert_eq!(
            outcome(&run(&check, &asked(RESULT))),
            format!("fail {code} {code}")
        );
    }
    let exit = Check {
        code: Some(FindingCode::Order),
        ..check(Expect::Exit {
            within_ms: None,
            code: None,
        })
    };
    let talk = Talk::new().bind("q", Bound::Exit(ExitSeen::default()));
    assert_eq!(outcome(&run(&exit, &talk)), "fail no-reply");
}

#[test]
fn cards_that_make_no_sense_are_errors_of_ours() {
    let exit = Bound::Exit(ExitSeen::default());
    for (talk, check) in [
        (asked(RESULT), check(Expect::AnyOf(Vec::new()))),
        (
            asked(RESULT),
            Check {
                on: None,
                ..check(same_id())
            },
        ),
        (
            Talk::new().bind("q", exit),
            check(message(Part::Result, "true")),
        ),
        (asked(RESULT), check(none(Absent::Reply, Some("q")))),
        (asked(RESULT), check(none(Absent::Reply, Some("gone")))),
        (
            asked(RESULT),
            check(Expect::Exit {
                within_ms: None,
                code: None,
            }),
        ),
        (
            Talk::new().sent("q", INITIALIZED).reply("q", RESULT),
            check(same_id()),
        ),
    ] {
        let judgement = run(&check, &talk);
        assert_eq!(judgement.verdict, Some(Verdict::Error), "{judgement:?}");
        assert!(judgement.error.is_some());
    }
}

#[test]
fn findings_read_well() {
    let quiet = |talk: Talk| talk;
    let replies = |talk: Talk| talk.reply("q", RESULT);
    let q = || Talk::new().sent("q", CALL);
    let exit = |code| {
        let seen = ExitSeen {
            code,
            signal: None,
            in_time: code.is_some(),
            waited: Duration::from_millis(5000),
        };
        Talk::new().sent("p", CALL).bind("q", Bound::Exit(seen))
    };
    let ends = || Expect::Exit {
        within_ms: None,
        code: Some(0),
    };
    let accepted = Expect::AnyOf(vec![
        message(Part::Error, r#"{"type":"object"}"#),
        message(
            Part::Result,
            r#"{"required":["isError"],"properties":{"isError":{"const":true}}}"#,
        ),
    ]);
    let mut out = String::new();
    for (expect, talk) in [
        (message(Part::Error, "true"), asked(RESULT)),
        (
            message(Part::Reply, "true"),
            asked(r#"{"id":1,"result":{},"error":{}}"#),
        ),
        (
            message(Part::Result, r#"{"spec":"CallToolResult"}"#),
            asked(r#"{"id":1,"result":{"content":[{"type":"text"}]}}"#),
        ),
        (
            message(Part::Error, r#"{"properties":{"code":{"type":"integer"}}}"#),
            asked(r#"{"id":1,"error":{"code":-32601.0}}"#),
        ),
        (
            message(Part::Notification, r#"{"required":["uri"]}"#),
            Talk::new().arrived("q", INITIALIZED),
        ),
        (same_id(), asked(r#"{"id":"1","result":{}}"#)),
        (same_id(), asked(r#"{"result":{}}"#)),
        (accepted, asked(RESULT)),
        (
            none(Absent::Reply, Some("s")),
            q().cancel("q").window("s", "q", quiet, replies),
        ),
        (
            none(Absent::Reply, Some("s")),
            q().window("s", "q", quiet, replies),
        ),
        (
            none(Absent::Reply, Some("s")),
            Talk::new()
                .sent("q", INITIALIZED)
                .window("s", "q", quiet, |talk| talk.came(ERROR)),
        ),
        (none(Absent::Any, None), q().came(NOTE).came(ASK)),
        (ends(), exit(None)),
        (ends(), exit(Some(1))),
    ] {
        for finding in run(&check(expect), &talk).findings {
            let field = |text: &Option<String>| text.clone().unwrap_or_default();
            writeln!(
                out,
                "{} x{} {}: {}\n  expected {}\n  actual {}",
                finding.code,
                finding.count,
                field(&finding.at),
                finding.message,
                field(&finding.expected),
                field(&finding.actual)
            )
            .unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

proptest! {
    #[test]
    fn judging_any_line_never_panics(line in r#"(\{("(id|method|result|error|params|content)":(1|null|"a"|\{\}|\[1\.0\]),?){0,4}\}|.*)"#) {
        prop_assume!(!line.contains('\n'));
        let talk = Talk::new().sent("q", CALL).reply("q", &line).arrived("a", &line)
            .window("s", "q", |talk| talk.came(&line), |talk| talk.came(&line));
        for part in [Part::Result, Part::Error, Part::Notification, Part::Request, Part::Reply] {
            for on in ["q", "a"] {
                for expect in [message(part, r#"{"type":"object","required":["id"]}"#), same_id(), none(Absent::Any, Some("s"))] {
                    let check = Check { on: Some(on.to_owned()), ..check(expect) };
                    let _ = run(&check, &talk);
                }
            }
        }
        let _ = crate::observer::observe(&talk.record);
    }
}
