use super::*;
use crate::observer::Tally;
use mcp_assay_model::event::Noted;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const TWICE: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

fn initialized(version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"{version}","capabilities":{{}},"serverInfo":{{"name":"s","version":"1"}}}}}}"#
    )
}

fn discover(id: u32) -> String {
    crate::testing::modern(&id.to_string(), "server/discover", "", "")
}

fn revisions(summary: &Summary) -> Vec<Option<Revision>> {
    summary.parts.iter().map(|part| part.revision).collect()
}

fn found(summary: &Summary) -> Vec<String> {
    summary.findings().map(|(rule, ..)| rule).collect()
}

/// Says `lines`, those with `<` by the server.
fn said(mut monitor: Monitor, lines: &[&str]) -> Monitor {
    for line in lines {
        match line.strip_prefix('<') {
            Some(line) => monitor.message(Direction::Received, line),
            None => monitor.message(Direction::Sent, line),
        }
    }
    monitor
}

#[test]
fn the_result_of_initialize_tells_the_revision_and_what_came_before_is_judged_too() {
    let twice = initialized("2025-06-18");
    let lines = [INITIALIZE, &format!("<{twice}"), &format!("<{twice}")];
    let mut monitor = said(Monitor::new(Binding::Stdio), &lines);
    assert_eq!(monitor.revision(), Some(Revision::R2025_06_18));
    let news: Vec<_> = monitor
        .take_news()
        .into_iter()
        .map(|news| news.rule)
        .collect();
    assert_eq!(news, ["observer/answers/once"]);
    assert!(monitor.take_news().is_empty());
    let summary = monitor.finish();
    assert_eq!(found(&summary), ["observer/answers/once"]);
    assert_eq!(revisions(&summary), [Some(Revision::R2025_06_18)]);
}

#[test]
fn a_client_that_falls_back_to_initialize_is_judged_by_both_revisions_in_turn() {
    let discover = discover(5);
    let refused = r#"<{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no"}}"#;
    let legacy = format!("<{}", initialized("2025-11-25"));
    let lines = [&discover, refused, INITIALIZE, &legacy];
    let summary = said(Monitor::new(Binding::Stdio), &lines).finish();
    let wanted = [Some(Revision::R2026_07_28), Some(Revision::R2025_11_25)];
    assert_eq!(revisions(&summary), wanted);
    assert_eq!(found(&summary), Vec::<String>::new());
}

#[test]
fn without_a_word_on_the_revision_only_what_all_of_them_say_counts() {
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let answer = format!("<{TWICE}");
    let lines = [ping, &answer, &answer];
    let summary = said(Monitor::new(Binding::Stdio), &lines).finish();
    assert_eq!(revisions(&summary), [None]);
    assert_eq!(found(&summary), ["observer/answers/once"]);
    assert!(summary.to_string().contains("holds in all revisions"));
    let given = Monitor::new(Binding::Stdio).assuming(Revision::R2025_03_26);
    let summary = said(given, &lines).finish();
    assert_eq!(revisions(&summary), [Some(Revision::R2025_03_26)]);
}

#[test]
fn a_version_that_nobody_knows_is_no_revision() {
    let unknown = format!("<{}", initialized("1999-12-31"));
    let given = Monitor::new(Binding::Stdio).assuming(Revision::R2025_03_26);
    let summary = said(given, &[INITIALIZE, &unknown]).finish();
    assert_eq!(revisions(&summary), [None]);
}

#[test]
fn any_split_of_the_bytes_gives_the_same_summary() {
    let text = format!(
        "{INITIALIZE}\n{}\n{TWICE}\nnoise\n",
        initialized("2024-11-05")
    );
    let whole = |size: usize| {
        let mut monitor = Monitor::new(Binding::Stdio);
        monitor.bytes(Direction::Sent, format!("{INITIALIZE}\n").as_bytes());
        let received = &text.as_bytes()[INITIALIZE.len() + 1..];
        for part in received.chunks(size) {
            monitor.bytes(Direction::Received, part);
        }
        monitor.finish().to_string()
    };
    let at_once = whole(text.len());
    assert!(
        at_once.contains("observer/stdout/messages-only"),
        "{at_once}"
    );
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(whole(size), at_once);
    }
}

#[test]
fn what_is_kept_until_the_revision_is_known_is_bounded() {
    let ping = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
    let mut monitor = Monitor::new(Binding::Stdio);
    for _ in 0..=KEPT {
        monitor.message(Direction::Sent, ping);
    }
    assert!(monitor.waiting.is_none());
    assert_eq!(monitor.revision(), None);
}

const BOTH: [Role; 2] = [Role::Server, Role::Client];

/// What is noted of a conversation, a line each: who, where, what, how often.
fn noted(summary: &Summary, roles: &[Role]) -> Vec<String> {
    let mut tally = Tally::of_both_sides();
    for part in &summary.parts {
        if let Some(revision) = part.revision {
            tally.add(
                (revision, Binding::Stdio),
                "a talk",
                "a talk",
                &part.observed,
            );
        }
    }
    let line = |note: Noted| {
        let Noted {
            role,
            path,
            message,
            count,
            actual,
            at,
            ..
        } = note;
        assert_eq!(note.case, "a talk");
        format!("{role} {path} {message} x{count} {actual} {at}")
    };
    let roles = roles.iter().copied().collect();
    tally.noted(&roles).into_iter().map(line).collect()
}

#[test]
fn what_breaks_no_rule_is_noted_once_for_each_place_with_its_smallest_example() {
    let lines = |actual: &str, id: u32| {
        [
            format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"}}"#),
            format!(
                r#"<{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[],"nextcursor":"{actual}"}}}}"#
            ),
        ]
    };
    let (first, second) = (lines("a long one", 2), lines("b", 3));
    let offers =
        initialized("2025-06-18").replace(r#""capabilities":{}"#, r#""capabilities":{"tools":{}}"#);
    let opened = format!("<{offers}");
    let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let talk = [
        INITIALIZE, &opened, ready, &first[0], &first[1], &second[0], &second[1],
    ];
    let summary = said(Monitor::new(Binding::Stdio).with_notes(), &talk).finish();
    assert_eq!(found(&summary), [""; 0]);
    let line = r#"server /result/nextcursor member `nextcursor` is unknown; there is `nextCursor` x2 "b" #7 /result/nextcursor"#;
    assert_eq!(noted(&summary, &BOTH), [line]);
    assert_eq!(noted(&summary, &[Role::Client]), [""; 0]);
}

#[test]
fn the_id_of_an_answer_is_the_requests_and_not_worth_a_word() {
    let opened = format!("<{}", initialized("2025-06-18"));
    let talk = [
        INITIALIZE,
        &opened,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "{",
        r#"<{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no"}}"#,
    ];
    let summary = said(Monitor::new(Binding::Stdio).with_notes(), &talk).finish();
    assert_eq!(noted(&summary, &[Role::Server]), [""; 0]);
}

#[test]
fn deprecated_use_is_noted_on_the_side_that_uses_it_and_in_the_revisions_that_say_so() {
    let asks = |context: &str| {
        format!(
            r#"<{{"jsonrpc":"2.0","id":"s","method":"sampling/createMessage","params":{{"messages":[],"maxTokens":1,"includeContext":"{context}"}}}}"#
        )
    };
    for (revision, context, count) in [
        ("2025-06-18", "allServers", 0),
        ("2025-11-25", "none", 0),
        ("2025-11-25", "allServers", 1),
    ] {
        let opened = format!("<{}", initialized(revision));
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let asks = asks(context);
        let talk = [INITIALIZE, &opened, ready, &asks];
        let summary = said(Monitor::new(Binding::Stdio).with_notes(), &talk).finish();
        let noted = noted(&summary, &BOTH);
        assert_eq!(noted.len(), count, "{revision} {context} {noted:?}");
        if let [note] = &noted[..] {
            let place = "server /params/includeContext `includeContext`: a value other than `none`, deprecated since 2025-11-25";
            assert!(note.starts_with(place), "{note}");
        }
    }
    let call = crate::testing::modern("1", "tools/call", r#""name":"t","#, "");
    let asks = r#"<{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"},"l":{"method":"roots/list"}},"requestState":"s"}}"#;
    let summary = said(Monitor::new(Binding::Stdio).with_notes(), &[&call, asks]).finish();
    let line = r#"server /result/inputRequests/*/method `roots/list` is deprecated since 2026-07-28 x2 "roots/list" #2 /result/inputRequests/k/method"#;
    assert_eq!(noted(&summary, &[Role::Server]), [line]);
}
