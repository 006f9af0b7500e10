use super::METHODS;
use crate::testing::{Talk, modern, watched};
use mcp_assay_model::protocol::{Era, Revision};

fn said(method: &str, result: &str) -> String {
    let answer = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
    let talk = Talk::modern().sent("q", &modern("1", method, "", ""));
    watched("caching", "hints", &talk.reply("q", &answer))
}

#[test]
fn complete_results_of_six_methods_have_both_hints() {
    for method in METHODS {
        for (hints, expected) in [
            (r#","ttlMs":0,"cacheScope":"public""#, "1"),
            (r#","ttlMs":1.0,"cacheScope":"private","_meta":7"#, "1"),
            (r#","ttlMs":1e3,"cacheScope":"private""#, "1"),
            (r#","ttlMs":0"#, "1 schema #2 /result"),
            ("", "1 schema #2 /result, schema #2 /result"),
            (
                r#","ttlMs":-1,"cacheScope":"public""#,
                "1 schema #2 /result/ttlMs",
            ),
            (
                r#","ttlMs":0.5,"cacheScope":"public""#,
                "1 schema #2 /result/ttlMs",
            ),
            (
                r#","ttlMs":"0","cacheScope":"shared""#,
                "1 value #2 /result/cacheScope, schema #2 /result/ttlMs",
            ),
        ] {
            let result = format!(r#"{{"resultType":"complete"{hints}}}"#);
            assert_eq!(said(method, &result), expected, "{method} {hints}");
        }
    }
}

#[test]
fn other_results_need_no_hints() {
    for (method, result) in [
        ("tools/call", r#"{"resultType":"complete","content":[]}"#),
        ("resources/read", r#"{"resultType":"input_required"}"#),
        // Carrying them is for a note at most.
        (
            "resources/read",
            r#"{"resultType":"input_required","ttlMs":-1}"#,
        ),
        // That it has no type is found by the rule on types.
        ("tools/list", "{}"),
        ("tools/list", "[]"),
    ] {
        assert_eq!(said(method, result), "0", "{method} {result}");
    }
}

#[test]
fn every_revision_of_the_era_has_the_definition() {
    for revision in Revision::ALL {
        let has = super::Schemas::of(revision).has(super::CACHEABLE);
        assert_eq!(has, revision.era() == Era::Modern, "{revision}");
    }
}
