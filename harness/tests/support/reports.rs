//! What a run wrote, held against the schemas that we publish.

use mcp_assay_report::{EVENTS_SCHEMA, REPORT_SCHEMA, jsonl};
use serde_json::Value;

/// Asserts that a value keeps a schema of ours.
pub fn assert_valid(schema: &str, value: &Value, what: &str) {
    let schema = serde_json::from_str(schema).expect("a schema of ours is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema of ours is a schema");
    let problems: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(
        problems.is_empty(),
        "{what} breaks its schema: {problems:#?}"
    );
}

/// Asserts that the three reports of a run are valid, tell the same, and end with this exit code. Gives back the JSON report.
pub fn assert_agree(json: &str, record: &str, junit: &str, code: i32) -> Value {
    let report: Value = serde_json::from_str(json).expect("the report is JSON");
    assert_valid(REPORT_SCHEMA, &report, "the report");
    assert_eq!(report["exit_code"], code);

    // As an array, so that the schema is read once and not for each line.
    let schema: Value = serde_json::from_str(EVENTS_SCHEMA).expect("a schema of ours is JSON");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema of ours is a schema");
    for (number, line) in (1..).zip(record.lines()) {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        if let Some(error) = validator.iter_errors(&event).next() {
            panic!(
                "line {number} of the record breaks its schema at {}: {error}",
                error.instance_path()
            );
        }
    }
    let (replayed, ending) = jsonl::replay(record.as_bytes()).expect("our own record");
    assert!(ending.complete, "the record has an end");
    assert_eq!(
        serde_json::to_value(replayed).expect("a report is JSON"),
        report,
        "the record replays to the report"
    );

    let junit = roxmltree::Document::parse(junit).expect("JUnit is XML");
    let bad = junit
        .descendants()
        .filter(|node| node.has_tag_name("failure") || node.has_tag_name("error"))
        .count();
    assert_eq!(
        bad > 0,
        code != 0,
        "JUnit mirrors exit code {code}: {bad} failures and errors"
    );
    report
}
