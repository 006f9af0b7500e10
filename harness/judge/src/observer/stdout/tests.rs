use crate::observer::{Observed, Seen, Tally, observe};
use crate::testing::Talk;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::verdict::{Reason, Verdict};
use mcp_assay_wire::stdio::Terminator;
use std::fmt::Write;

const OK: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

fn stdout(talk: &Talk) -> Observed {
    observe(&talk.record)
        .into_iter()
        .find(|one| one.observer == "stdout")
        .unwrap()
}

/// Judged, and the codes found.
fn seen(talk: &Talk) -> (u64, Vec<&'static str>) {
    let observed = stdout(talk);
    let codes = observed
        .sightings
        .found()
        .map(|one| one.finding.code.as_str())
        .collect();
    (observed.sightings.judged("messages-only"), codes)
}

#[test]
fn lines_are_messages_or_findings() {
    for (line, judged, codes) in [
        (OK.as_bytes(), 1, vec![]),
        (
            br#"{"jsonrpc":"2.0","method":"notifications/message"}"#,
            1,
            vec![],
        ),
        (b"[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]", 1, vec![]),
        (
            b"  {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\r",
            1,
            vec![],
        ),
        (b"", 0, vec![]),
        (b"  \r", 0, vec![]),
        (b"Server running on stdio", 1, vec!["stdout"]),
        (b"[INFO] listening", 1, vec!["stdout"]),
        (b"sending {\"jsonrpc\":\"2.0\"}", 1, vec!["stdout"]),
        (b"{", 1, vec!["stdout"]),
        (b"42", 1, vec!["stdout"]),
        (b"{\"level\":\"info\"}", 1, vec!["stdout"]),
        (b"[]", 1, vec!["stdout"]),
        (b"[1]", 1, vec!["stdout"]),
        (b"\xff\xfe log", 1, vec!["stdout"]),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}",
            1,
            vec!["framing"],
        ),
        (b"{\"jsonrpc\":\"2.0\",\"id\":1,", 1, vec!["framing"]),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}{\"jsonrpc\":\"2.0\"}",
            1,
            vec!["framing"],
        ),
        (b"  \"jsonrpc\": \"2.0\",", 1, vec!["framing"]),
        (b"Content-Length: 36", 1, vec!["framing"]),
    ] {
        let talk = Talk::new().came(line);
        assert_eq!(
            seen(&talk),
            (judged, codes),
            "{}",
            String::from_utf8_lossy(line)
        );
    }
}

#[test]
fn what_we_sent_is_not_judged_and_a_cut_message_at_the_end_has_no_verdict() {
    assert_eq!(seen(&Talk::new().sent("q", OK)), (0, vec![]));
    for (line, codes) in [("{\"jsonrpc\":\"2.0\",", vec![]), ("bye", vec!["stdout"])] {
        let mut talk = Talk::new().came(line);
        talk.record.entries[0].terminator = Some(Terminator::EndOfInput);
        assert_eq!(seen(&talk).1, codes, "{line}");
    }
}

#[test]
fn findings_show_offset_and_text() {
    let talk = Talk::new()
        .came(OK)
        .came("Server started")
        .came("ready")
        .came("{\"jsonrpc\":")
        .came("{\"a\":1}")
        .came(b"\xff");
    let mut out = String::new();
    for sighting in stdout(&talk).sightings.found() {
        writeln!(out, "{:#?}", sighting.finding).unwrap();
    }
    insta::assert_snapshot!(out);
}

/// What this observer's rule came to, beside those of others.
fn of_stdout(tally: &Tally) -> Option<(&str, &Seen)> {
    let mut results = tally.results();
    results.find_map(|(id, _, _, seen)| id.starts_with("observer/stdout/").then_some((id, seen)))
}

#[test]
fn a_tally_folds_conversations_and_keeps_the_case_of_the_smallest_example() {
    let mut tally = Tally::default();
    let quiet = Talk::new().sent("q", OK);
    let place = (Revision::R2025_06_18, Binding::Memory);
    tally.add(place, "quiet", "quiet", &observe(&quiet.record));
    let verdict = |tally: &Tally| of_stdout(tally).map(|(_, seen)| seen.verdict());
    assert_eq!(verdict(&tally), Some(Err(Reason::NothingToJudge)));
    tally.add(
        place,
        "good",
        "good",
        &observe(&Talk::new().came(OK).record),
    );
    assert_eq!(verdict(&tally), Some(Ok(Verdict::Pass)));
    tally.add(
        place,
        "long",
        "long",
        &observe(&Talk::new().came("a long line").record),
    );
    tally.add(
        place,
        "short",
        "short",
        &observe(&Talk::new().came("bye").came("good bye").record),
    );
    assert_eq!(verdict(&tally), Some(Ok(Verdict::Fail)));
    let (id, seen) = of_stdout(&tally).unwrap();
    assert_eq!((id, seen.judged), ("observer/stdout/messages-only", 4));
    let findings: Vec<_> = seen
        .findings()
        .map(|(finding, case)| (finding.count, case))
        .collect();
    assert_eq!(findings, [(3, "short")]);
}

#[test]
fn a_cause_is_seen_elsewhere_only_where_another_connection_showed_it() {
    let place = (Revision::R2025_06_18, Binding::Memory);
    let said = || observe(&Talk::new().came("hello").record);
    let elsewhere = |tally: &Tally| {
        let (_, seen) = of_stdout(tally).unwrap();
        let (finding, _) = seen.findings().next().unwrap();
        seen.is_seen_elsewhere(finding)
    };
    let mut tally = Tally::default();
    tally.add(place, "first", "first", &said());
    // The next case on the same connection has the same handshake in its record.
    tally.add(place, "second", "first", &said());
    assert!(!elsewhere(&tally));
    tally.add(place, "third", "third", &said());
    assert!(elsewhere(&tally));
}

#[test]
fn lines_of_the_modern_era_are_judged_as_well() {
    assert_eq!(seen(&Talk::modern().came(OK)), (1, vec![]));
    assert_eq!(seen(&Talk::modern().came("listening")), (1, vec!["stdout"]));
}

#[test]
fn a_line_that_was_read_and_is_not_kept_is_not_judged() {
    // Of a long one the beginning is left, of a short one all its text.
    for kept in [20, OK.len()] {
        let mut talk = Talk::new().came(OK);
        let entry = talk.record.entries.last_mut().unwrap();
        entry.raw = entry.raw.slice(..kept);
        entry.message = None;
        assert_eq!(seen(&talk), (0, vec![]), "{kept}");
    }
    // What was wrong with it when it came stays wrong.
    let mut talk = Talk::new().came(b"\xff\xfe and so on, at length");
    let entry = talk.record.entries.last_mut().unwrap();
    entry.raw = entry.raw.slice(..10);
    assert_eq!(seen(&talk), (1, vec!["stdout"]));
}
