//! Profiles and baselines that are right.

use mcp_assay_catalogue::baseline;
use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_catalogue::profile::{Known, Profile, Ready, Revisions, Target};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::scenario::Source;
use mcp_assay_model::verdict::Gate;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source {
        path: "mcp-assay.yaml".to_owned(),
        text: text.to_owned(),
    })
}

fn checks() -> BTreeSet<String> {
    BTreeSet::from(["tools/unknown/code".to_owned()])
}

fn read(text: &str) -> Profile {
    let facts = FactTable::embedded().expect("a test of its own reads them");
    let checks = checks();
    let known = Known {
        fixtures: facts.fixtures(),
        checks: &checks,
    };
    Profile::parse(&source(text), &known).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The example of the contract.
const WHOLE: &str = r#"targets:  { mine: { command: [node, dist/index.js], env: { KEY: "${KEY}" } }, prod: { url: "https://example.com/mcp", headers: { Authorization: "Bearer ${TOKEN}!" }, start: [node, dist/http.js] } }
fixtures: { slow: { tool: sleep, arguments: { ms: 2000 }, takes_ms: 2000 }, echo: { tool: echo, argument: message }, change: { uri: "file:///a", call: { name: touch, arguments: {} } }, asks: { call: { name: ask }, content: { name: x } } }
safety:   { allow_tools: ["get_*"] }
gate:     { MUST: deny, SHOULD: warn, robustness: warn, codes: { died: deny }, checks: { tools/unknown/code: allow } }
revisions: auto
timeout:  30s
"#;

#[test]
fn the_profile_of_the_contract_is_read() {
    let profile = read(WHOLE);
    assert_eq!(profile.target_names().collect::<Vec<_>>(), ["mine", "prod"]);
    assert_eq!(profile.fixtures["slow"]["arguments"]["ms"], 2000);
    assert_eq!(profile.fixtures["change"]["call"]["name"], "touch");
    assert_eq!(profile.allow_tools, ["get_*"]);
    assert_eq!(profile.gate.levels[&Level::Must], Gate::Deny);
    assert!(!profile.gate.levels.contains_key(&Level::May));
    assert_eq!(profile.gate.codes[&FindingCode::Died], Gate::Deny);
    assert_eq!(profile.gate.checks["tools/unknown/code"], Gate::Allow);
    assert_eq!(profile.revisions, Some(Revisions::Auto));
    assert_eq!(profile.timeout, Some(Duration::from_secs(30)));
    assert_eq!(profile.start_timeout, None);
}

#[test]
fn variables_of_the_chosen_target_alone_are_filled_in() {
    let profile = read(WHOLE);
    let environment = |name: &str| (name == "TOKEN").then(|| "secret ${KEY}".to_owned());
    let prod = profile.target("prod", &environment).unwrap();
    let authorization = (
        "Authorization".to_owned(),
        "Bearer secret ${KEY}!".to_owned(),
    );
    assert_eq!(
        prod.headers,
        [authorization],
        "a value is not expanded again"
    );
    assert_eq!(prod.start, ["node", "dist/http.js"]);
    let errors = profile.target("mine", &environment).unwrap_err();
    assert_eq!(errors.list().len(), 1);
    assert_eq!(errors.list()[0].title, "variable `KEY` is not set");
}

fn target(text: &str) -> Target {
    let profile = read(&format!("targets: {{ mine: {text} }}"));
    let environment = |name: &str| Some(format!("<{name}>"));
    profile
        .target("mine", &environment)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn a_target_on_http_is_read_with_its_start() {
    let told = target(
        r#"{ url: "https://u:${PASS}@h/mcp?key=${KEY}", headers: { X-A: "${A}b" }, start: [node, "${HOME}/x.js", "${API_KEY}"],
             env: { PORT: "3000" }, cwd: "${HOME}", ca: ["${HOME}/ca.pem"], ready: { stderr: listening, within: 60s }, binding: http-sse }"#,
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        told,
        Target {
            url: Some("https://u:<PASS>@h/mcp?key=<KEY>".to_owned()),
            env: vec![pair("PORT", "3000")],
            cwd: Some("<HOME>".to_owned()),
            headers: vec![pair("X-A", "<A>b")],
            start: ["node", "<HOME>/x.js", "<API_KEY>"]
                .map(str::to_owned)
                .to_vec(),
            ready: Ready::Stderr("listening".to_owned()),
            within: Some(Duration::from_secs(60)),
            ca: vec!["<HOME>/ca.pem".to_owned()],
            binding: Some(Binding::HttpSse),
            secrets: ["3000", "<A>b", "<PASS>", "<KEY>", "<API_KEY>"]
                .map(str::to_owned)
                .to_vec(),
            ..Target::default()
        }
    );
    let shown = format!("{told:?}");
    for secret in &told.secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn readiness_has_two_forms_and_the_port_is_the_default() {
    let of = |ready: &str| {
        let told = target(&format!("{{ url: \"http://h\", start: [x]{ready} }}"));
        (told.ready, told.within)
    };
    let ms = |number| Some(Duration::from_millis(number));
    assert_eq!(of(""), (Ready::Port, None));
    assert_eq!(of(", ready: port"), (Ready::Port, None));
    assert_eq!(of(", ready: { within: 500ms }"), (Ready::Port, ms(500)));
    assert_eq!(
        of(", ready: { stdout: up }"),
        (Ready::Stdout("up".to_owned()), None)
    );
}

#[test]
fn a_process_on_stdio_has_a_directory() {
    let told = target("{ command: [x], cwd: server }");
    assert_eq!(told.cwd.as_deref(), Some("server"));
    assert_eq!((told.url, told.binding), (None, None));
}

#[test]
fn small_profiles_and_other_forms_are_read() {
    let only = |text: &str| read(text).revisions.unwrap();
    assert_eq!(only("revisions: all"), Revisions::All);
    let dates = vec![Revision::R2025_06_18, Revision::R2025_11_25];
    assert_eq!(
        only("revisions: [2025-06-18, 2025-11-25]"),
        Revisions::Only(dates)
    );
    assert_eq!(
        only("revisions: 2025-06-18"),
        Revisions::Only(vec![Revision::R2025_06_18])
    );
    let timed = |text: &str| read(text).timeout.unwrap();
    assert_eq!(timed("timeout: 500ms"), Duration::from_millis(500));
    assert_eq!(timed("timeout: 2m"), Duration::from_secs(120));
    assert_eq!(read("{}").target_names().count(), 0);
}

#[test]
fn baseline_entries_match_what_they_name() {
    let text = "- { check: tools/unknown/code, reason: later, revision: 2025-11-25, binding: stdio, issue: \"#7\", expires: 2026-12-31 }\n\
                - { check: tools/unknown/code, reason: always, revision: 2025-06-18 }\n";
    let entries = baseline::parse(&source(text), &checks()).unwrap();
    let [first, second] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    let id = "tools/unknown/code";
    assert!(first.matches(id, Revision::R2025_11_25, Binding::Stdio));
    assert!(first.matches(id, Revision::R2025_11_25, Binding::Memory));
    assert!(!first.matches(id, Revision::R2025_11_25, Binding::Http));
    assert!(!first.matches(id, Revision::R2025_06_18, Binding::Stdio));
    assert!(!first.matches("other/card/check", Revision::R2025_11_25, Binding::Stdio));
    assert!(second.matches(id, Revision::R2025_06_18, Binding::Http));
    assert!(!first.is_expired("2026-12-31"));
    assert!(first.is_expired("2027-01-01"));
    assert!(!second.is_expired("2999-01-01"));
}
