//! Properties of the formats: the record replays, XML survives any text, schemas hold for what we write.

use crate::jsonl::replay;
use crate::{
    COVERAGE_SCHEMA, EVENTS_SCHEMA, Fold, Jsonl, Junit, LIST_SCHEMA, REPORT_SCHEMA, Reporter,
    fixture, junit,
};
use mcp_assay_model::event::Event;
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::requirement::Level;
use mcp_assay_model::result::CheckResult;
use mcp_assay_model::verdict::{Gate, Verdict};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn jsonl(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Jsonl::new(&mut out);
    events
        .iter()
        .for_each(|event| writer.see(event).expect("memory does not fail"));
    writer.finish().expect("memory does not fail");
    out
}

fn case_of(event: &Event) -> Option<&str> {
    match event {
        Event::RunStarted(_) | Event::RunFinished(_) => None,
        Event::CaseStarted { case, .. }
        | Event::Message { case, .. }
        | Event::Finding { case, .. }
        | Event::CaseFinished { case, .. }
        | Event::TargetRestarted { case, .. }
        | Event::Lost { case, .. }
        | Event::ConversationEnded { case, .. } => Some(case),
    }
}

/// The events with those of different cases mixed by `picks`, each case's own in order.
fn interleave(events: &[Event], picks: &[usize]) -> Vec<Event> {
    let mut lanes: Vec<(&str, Vec<Event>)> = Vec::new();
    let mut mixed = Vec::new();
    let mut last = Vec::new();
    for event in events {
        match (event, case_of(event)) {
            (Event::RunStarted(_), _) => mixed.push(event.clone()),
            (_, None) => last.push(event.clone()),
            (_, Some(case)) => match lanes.iter_mut().find(|(lane, _)| *lane == case) {
                Some((_, lane)) => lane.push(event.clone()),
                None => lanes.push((case, vec![event.clone()])),
            },
        }
    }
    let mut picks = picks.iter().cycle();
    while !lanes.is_empty() {
        let lane = picks.next().copied().unwrap_or(0) % lanes.len();
        mixed.push(lanes[lane].1.remove(0));
        if lanes[lane].1.is_empty() {
            lanes.remove(lane);
        }
    }
    mixed.extend(last);
    mixed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_record_replays_to_the_same_report_however_cases_mix_and_wherever_it_ends(
        picks in prop::collection::vec(any::<usize>(), 1..40),
        keep in 1_usize..400,
    ) {
        let mut events = interleave(&fixture::everything(), &picks);
        events.truncate(keep);
        let mut live = Fold::new();
        events.iter().for_each(|event| live.see(event));
        let replayed = replay(jsonl(&events).as_slice()).expect("our own record");
        prop_assert_eq!(live.finish_with_ending(), replayed);
    }

    #[test]
    fn mixing_cases_changes_nothing(picks in prop::collection::vec(any::<usize>(), 1..40)) {
        let report = |events: &[Event]| {
            let mut fold = Fold::new();
            events.iter().for_each(|event| fold.see(event));
            fold.finish()
        };
        let events = fixture::everything();
        prop_assert_eq!(report(&events), report(&interleave(&events, &picks)));
    }
}

/// Any text, with more of what breaks XML than chance would bring.
fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<String>(),
        Just("]]>".to_owned()),
        Just("<![CDATA[".to_owned()),
        Just("&#0;\u{0}\u{1b}[0m\r\n\t".to_owned()),
        Just("\u{fffe}\u{ffff}\u{d7ff}\u{e000}\u{10ffff}".to_owned()),
    ];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
}

/// One result of a run, with text anywhere and any verdict and gate that belong together.
fn any_result() -> impl Strategy<Value = CheckResult> {
    let gates = prop_oneof![
        Just((Some(Verdict::Pass), None)),
        Just((Some(Verdict::Fail), Some(Gate::Deny))),
        Just((Some(Verdict::Fail), Some(Gate::Warn))),
        Just((Some(Verdict::Fail), Some(Gate::Allow))),
        Just((Some(Verdict::Inconclusive), None)),
        Just((Some(Verdict::Inconclusive), Some(Gate::Deny))),
        Just((Some(Verdict::Error), None)),
        Just((None, None)),
    ];
    (gates, prop::collection::vec(any_text(), 8), any::<u64>()).prop_map(
        |((verdict, gate), texts, duration_ms)| {
            let mut result = fixture::results(&fixture::everything())
                .into_iter()
                .find(|result| result.verdict == Some(Verdict::Fail))
                .expect("the fixture has a failure");
            let text = |n: usize| texts[n].clone();
            (result.id, result.case, result.title, result.rule) =
                (text(0), text(1), text(2), text(3));
            (result.rerun, result.contested) = (text(4), Some(text(5)));
            result.findings[0].message = text(6);
            result.findings[0].actual = Some(text(7));
            (result.verdict, result.gate, result.duration_ms) = (verdict, gate, duration_ms);
            result
        },
    )
}

/// Results of a run, in which one may settle again what another has settled.
fn any_results() -> impl Strategy<Value = Vec<CheckResult>> {
    (prop::collection::vec(any_result(), 0..4), any::<bool>()).prop_map(|(mut results, again)| {
        if let ([first, .., last], true) = (&mut results[..], again) {
            (last.id, last.case) = (first.id.clone(), first.case.clone());
        }
        results
    })
}

/// What stands in the end: of results with the same check and case, the last.
fn settled(results: &[CheckResult]) -> Vec<&CheckResult> {
    let by_key: BTreeMap<_, _> = results
        .iter()
        .map(|result| ((&result.id, &result.case), result))
        .collect();
    by_key.into_values().collect()
}

/// The exit code that docs/contracts.md section 1 gives to these results.
fn exit_code(results: &[&CheckResult]) -> u8 {
    let any = |wanted: &dyn Fn(&CheckResult) -> bool| results.iter().any(|result| wanted(result));
    match () {
        () if any(&|result| result.verdict == Some(Verdict::Error)) => 70,
        () if any(&|result| result.gate == Some(Gate::Deny)) => 1,
        () => 0,
    }
}

proptest! {
    #[test]
    fn any_text_survives_an_xml_parser_and_counts_agree_with_the_exit_code(
        results in any_results(),
        reason in any_text(),
        name in any_text(),
        override_code in prop::option::of(prop::sample::select(vec![3_u8, 5, 130])),
    ) {
        let mut events = fixture::clean();
        events.truncate(1);
        events.push(Event::CaseFinished { case: name, results: results.clone() });
        let settled = settled(&results);
        let code = override_code.unwrap_or_else(|| exit_code(&settled));
        if let Some(Event::RunFinished(mut end)) = fixture::clean().pop() {
            end.exit_code = code;
            end.reasons = vec![reason];
            events.push(Event::RunFinished(end));
        }
        let mut out = Vec::new();
        let mut reporter = Junit::new(&mut out);
        events.iter().for_each(|event| reporter.see(event).expect("memory does not fail"));
        reporter.finish().expect("memory does not fail");
        let xml = String::from_utf8(out).expect("XML is UTF-8");
        let document = roxmltree::Document::parse(&xml).expect("a parser reads our XML");

        let count = |tag: &str| document.descendants().filter(|node| node.has_tag_name(tag)).count();
        prop_assert_eq!(code != 0, count("failure") + count("error") > 0);
        let own = usize::from(override_code.is_some());
        prop_assert_eq!(count("testcase"), settled.len() + own);

        for result in settled {
            let message = junit::xml_safe(&format!("{}: {}", result.title, result.findings[0].message));
            let actual = junit::xml_safe(result.findings[0].actual.as_deref().unwrap_or_default());
            if result.verdict == Some(Verdict::Error) || result.gate == Some(Gate::Deny) {
                let told = document
                    .descendants()
                    .filter(|node| node.attribute("message") == Some(&message))
                    .any(|node| node.text().is_some_and(|text| text.contains(&actual)));
                prop_assert!(told, "{}", xml);
            }
        }
    }
}

fn validator(schema: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    jsonschema::draft202012::new(&schema).expect("a schema of ours is a schema")
}

fn problems(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect()
}

fn runs() -> [Vec<Event>; 5] {
    [
        fixture::everything(),
        fixture::typical(),
        fixture::clean(),
        fixture::not_reached(),
        fixture::interrupted(),
    ]
}

#[test]
fn the_record_and_the_report_fit_their_schemas() {
    let (events_schema, report_schema, coverage_schema) = (
        validator(EVENTS_SCHEMA),
        validator(REPORT_SCHEMA),
        validator(COVERAGE_SCHEMA),
    );
    for events in runs() {
        for line in jsonl(&events)
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let value: Value = serde_json::from_slice(line).expect("a line is JSON");
            assert_eq!(problems(&events_schema, &value), [""; 0], "{value}");
        }
        let (report, _) = replay(jsonl(&events).as_slice()).expect("our own record");
        let value = serde_json::to_value(&report).expect("a report is JSON");
        assert_eq!(problems(&report_schema, &value), [""; 0]);
        let value = serde_json::to_value(&report.coverage).expect("coverage is JSON");
        assert_eq!(problems(&coverage_schema, &value), [""; 0]);
    }
    let (cut_off, _) = replay(&b""[..]).expect("an empty record is one that was cut off");
    let value = serde_json::to_value(&cut_off).expect("a report is JSON");
    assert_eq!(problems(&report_schema, &value), [""; 0]);
}

/// The type of the list belongs to the catalogue, which this crate does not know; here stands one as it prints it.
#[test]
fn a_list_fits_its_schema_which_is_closed() {
    let schema = validator(LIST_SCHEMA);
    let mut value = json!({"format": "mcp-assay/list/1", "checks": [{
        "id": "errors/unknown-method/is-error",
        "title": "a request for an unknown method is answered with an error",
        "basis": "spec",
        "role": "server",
        "levels": {"2024-11-05": "MUST"},
        "revisions": ["2024-11-05"],
        "needs": ["capability:tools"],
        "contested": null,
    }], "rules": [{
        "id": "observer/message/result",
        "title": "a result has the shape of its method",
        "basis": "spec",
        "role": "server",
        "levels": {"2024-11-05": "MUST"},
        "revisions": ["2024-11-05"],
    }]});
    assert_eq!(problems(&schema, &value), [""; 0]);
    for list in ["checks", "rules"] {
        value[list][0]["surprise"] = Value::Null;
        assert!(!schema.is_valid(&value), "{list}");
        value[list][0]
            .as_object_mut()
            .expect("it is one")
            .remove("surprise");
    }
}

/// Every object of a value gets a member that no schema names; each must be refused, or the schema is open there.
#[test]
fn the_schemas_are_closed() {
    let (report, _) = replay(jsonl(&fixture::everything()).as_slice()).expect("our own record");
    let whole = serde_json::to_value(&report).expect("a report is JSON");
    let schema = validator(REPORT_SCHEMA);
    for pointer in [
        "",
        "/tool",
        "/target",
        "/summary",
        "/waiting_for/0",
        "/noted/0",
        "/coverage",
        "/coverage/revisions/0",
        "/coverage/revisions/0/levels/MUST",
        "/results/0",
    ] {
        let mut value = whole.clone();
        let object = value.pointer_mut(pointer).and_then(Value::as_object_mut);
        object
            .expect("the fixture has it")
            .insert("surprise".to_owned(), Value::Null);
        assert!(
            !schema.is_valid(&value),
            "the schema is open at `{pointer}`"
        );
        let read: Result<crate::Report, _> = serde_json::from_value(value);
        assert!(read.is_err(), "the type is open at `{pointer}`");
    }
}

/// What two schemas both define must be the same, and closed lists must be those of the model.
#[test]
fn the_schemas_agree_with_each_other_and_with_the_model() {
    let parse = |text| serde_json::from_str::<Value>(text).expect("a schema is JSON");
    let schemas = [EVENTS_SCHEMA, REPORT_SCHEMA, LIST_SCHEMA, COVERAGE_SCHEMA].map(parse);
    for one in &schemas {
        for other in &schemas {
            let (Some(a), Some(b)) = (one["$defs"].as_object(), other["$defs"].as_object()) else {
                panic!("a schema has definitions");
            };
            for (name, definition) in a {
                assert!(
                    b.get(name).is_none_or(|same| same == definition),
                    "`{name}` differs"
                );
            }
        }
    }
    let codes = &schemas[1]["$defs"]["finding"]["properties"]["code"]["enum"];
    let known: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(*codes, Value::from(known));
    let known: Vec<&str> = Revision::ALL
        .iter()
        .map(|revision| revision.as_str())
        .collect();
    assert_eq!(schemas[0]["$defs"]["revision"]["enum"], Value::from(known));
    let known: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
    assert_eq!(schemas[0]["$defs"]["level"]["enum"], Value::from(known));
}
