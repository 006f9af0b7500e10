//! What holds of every run against a hostile target, whatever its binding.

use super::assay::Ended;
use super::reports::assert_agree;
use serde_json::Value;

/// More memory than this no target may make the harness take.
const MOST_MIB: u64 = 256;

/// What holds of every run, and what makes its exit code no vacuous one.
pub fn assert_holds(ended: &Ended, code: i32) {
    assert_eq!(ended.code, Some(code), "{}\n{}", ended.stdout, ended.stderr);
    assert!(
        ended.left.is_empty(),
        "processes are left: {:#?}",
        ended.left
    );
    assert!(
        ended.peak_kib / 1024 <= MOST_MIB,
        "peak of {} MiB",
        ended.peak_kib / 1024
    );
    for text in [&ended.stdout, &ended.stderr] {
        let control = text
            .chars()
            .find(|&letter| letter.is_control() && letter != '\n');
        assert_eq!(
            control, None,
            "a control character on the terminal:\n{text}"
        );
    }
    let report = assert_agree(
        &ended.file("report.json"),
        &ended.file("run.jsonl"),
        &ended.file("junit.xml"),
        code,
    );
    let results = report["results"].as_array().expect("results");
    let passed = |result: &&Value| result["verdict"] == "pass";
    let vacuous: Vec<_> = results
        .iter()
        .filter(passed)
        .filter(|result| result["judged"] == 0)
        .collect();
    assert!(vacuous.is_empty(), "passed without judging: {vacuous:#?}");
    match code {
        0 => {
            let proof = |result: &&Value| {
                passed(result)
                    && result["level"] == "MUST"
                    && !result["id"]
                        .as_str()
                        .is_some_and(|id| id.starts_with("observer/"))
            };
            assert!(
                results.iter().any(|result| proof(&result)),
                "exit 0 without a MUST that passed"
            );
        }
        3 => assert!(
            results.is_empty(),
            "no answer, and yet results: {results:#?}"
        ),
        _ => {}
    }
}

/// Whatever the width of the page.
pub fn assert_says(ended: &Ended, says: &str) {
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    let page = words.join(" ");
    assert!(
        page.contains(says),
        "the page does not say `{says}`:\n{}",
        ended.stdout
    );
}
