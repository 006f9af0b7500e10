use crate::testing::{Talk, opened, watched};
use mcp_assay_model::protocol::Revision;

fn said(rule: &str, talk: &Talk) -> String {
    watched("tasks", rule, talk)
}

fn state(status: &str) -> String {
    format!(
        r#""taskId":"a","status":"{status}","createdAt":"2025-01-01T00:00:00Z","lastUpdatedAt":"2025-01-01T00:00:00Z","ttl":null"#
    )
}

/// A task was made; seqs up to 5.
fn made() -> Talk {
    let params = r#"{"name":"t","task":{},"_meta":{"progressToken":"p"}}"#;
    let task = format!(r#""result":{{"task":{{{}}}}}"#, state("working"));
    opened(Revision::R2025_11_25, "{}", "{}").exchange(1, "tools/call", params, &task)
}

fn get(talk: Talk, id: u32, status: &str) -> Talk {
    let result = format!(r#""result":{{{}}}"#, state(status));
    talk.exchange(id, "tasks/get", r#"{"taskId":"a"}"#, &result)
}

fn told(talk: Talk, status: &str) -> Talk {
    talk.came(format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{{{}}}}}"#,
        state(status)
    ))
}

#[test]
fn an_end_is_final() {
    for way in [
        &["working", "input_required", "working", "completed"][..],
        &["failed"],
        &["cancelled"],
    ] {
        let talk = way
            .iter()
            .zip(2..)
            .fold(made(), |talk, (status, id)| get(talk, id, status));
        assert_eq!(said("terminal", &talk), "0", "{way:?}");
    }
    assert_eq!(
        said(
            "terminal",
            &get(get(made(), 2, "completed"), 3, "completed")
        ),
        "1"
    );
    assert_eq!(
        said("terminal", &get(get(made(), 2, "completed"), 3, "working")),
        "1 value #9 /result/status"
    );
    assert_eq!(
        said("terminal", &told(get(made(), 2, "failed"), "completed")),
        "1 value #8 /params/status"
    );
    // What was asked for before the end was told may tell of the time before it.
    let asked = made().sent(
        "g",
        r#"{"jsonrpc":"2.0","id":2,"method":"tasks/get","params":{"taskId":"a"}}"#,
    );
    let late = told(asked, "completed");
    let late = late.reply(
        "g",
        &format!(
            r#"{{"jsonrpc":"2.0","id":2,"result":{{{}}}}}"#,
            state("working")
        ),
    );
    assert_eq!(said("terminal", &late), "0");
}

#[test]
fn a_failure_says_why() {
    assert_eq!(
        said("failure-told", &get(made(), 2, "failed")),
        "1 schema #7 /result"
    );
    assert_eq!(said("failure-told", &get(made(), 2, "working")), "0");
    let result = format!(r#""result":{{{},"statusMessage":"why"}}"#, state("failed"));
    let talk = made().exchange(2, "tasks/get", r#"{"taskId":"a"}"#, &result);
    assert_eq!(said("failure-told", &talk), "1");
}

const NAMED: &str = r#""_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a"}}"#;

#[test]
fn the_result_of_a_task_names_it() {
    let result = |meta: &str| {
        let answer = format!(r#""result":{{"content":[]{meta}}}"#);
        let talk = get(made(), 2, "completed");
        said(
            "related",
            &talk.exchange(3, "tasks/result", r#"{"taskId":"a"}"#, &answer),
        )
    };
    let place = "/result/_meta/io.modelcontextprotocol~1related-task";
    assert_eq!(result(&format!(",{NAMED}")), "1");
    assert_eq!(result(""), "1 id #9 /result");
    assert_eq!(
        result(&format!(",{}", NAMED.replace(r#""a""#, r#""b""#))),
        format!("1 id #9 {place}")
    );
}

#[test]
fn a_question_names_a_task_that_was_made() {
    let asked = |talk: Talk, meta: &str| {
        let line =
            format!(r#"{{"jsonrpc":"2.0","id":9,"method":"roots/list","params":{{{meta}}}}}"#);
        said("related", &talk.came(line))
    };
    let place = "/params/_meta/io.modelcontextprotocol~1related-task";
    let other = NAMED.replace(r#""a""#, r#""b""#);
    assert_eq!(asked(made(), NAMED), "1");
    assert_eq!(asked(made(), ""), "0");
    assert_eq!(asked(made(), &other), format!("1 id #6 {place}"));
    assert_eq!(
        asked(made(), &NAMED.replace("taskId", "id")),
        format!("1 id #6 {place}")
    );
    // Its making may not have been answered yet.
    let making = made().sent(
        "m",
        r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t","task":{}}}"#,
    );
    assert_eq!(asked(making, &other), "0");
}

#[test]
fn what_has_the_id_does_not_name_the_task_again() {
    let got = |meta: &str| {
        let result = format!(r#""result":{{{}{meta}}}"#, state("working"));
        said(
            "unrelated",
            &made().exchange(2, "tasks/get", r#"{"taskId":"a"}"#, &result),
        )
    };
    let place = "/result/_meta/io.modelcontextprotocol~1related-task";
    assert_eq!(got(r#","_meta":{"other":1}"#), "1");
    assert_eq!(got(&format!(",{NAMED}")), format!("1 value #7 {place}"));
    assert_eq!(said("unrelated", &told(made(), "working")), "1");
}

#[test]
fn progress_ends_with_the_task() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}"#;
    assert_eq!(said("progress-ends", &made().came(progress)), "1");
    assert_eq!(
        said("progress-ends", &told(made(), "completed").came(progress)),
        "1 order #7 /params/progressToken"
    );
    let other = progress.replace(r#""p""#, r#""q""#);
    assert_eq!(
        said("progress-ends", &told(made(), "completed").came(&other)),
        "0"
    );
}
