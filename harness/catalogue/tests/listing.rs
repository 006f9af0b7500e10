//! `list`, `explain` and `coverage` on a small catalogue, and on that of the binary.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_catalogue::listing::{
    LIST_FORMAT, Listing, ObserverRule, coverage, explain, explain_fixtures,
};
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::requirement::Level;
use mcp_assay_model::scenario::{Basis, Source};
use std::collections::BTreeSet;

const CARD: &str = r#"# What a server says to a method that it does not have.
id: errors/unknown-method
role: server
since: 2024-11-05
until: 2025-06-18
needs: [capability:tools]
steps:
  - open: { as: c }
  - send: { as: q, message: { method: no/such/method } }
  - await: { reply_to: q }
checks:
  - name: is-error
    title: a request for an unknown method is answered with an error
    rule: an unknown method gets an error, not a result
    basis: spec
    cites: [2024-11-05/basic/index#top.1]
    contested: error-status
    on: q
    given:
      on: q
      reply: { type: object }
    expect: { error: { type: object } }
    near:
      - { at: { reply_to: no/such/method }, do: { set: { at: /error/message, to: nope } } }
    mutants:
      - { why: answers with an empty result, at: { reply_to: no/such/method }, do: { replace: { result: {} } }, finds: [reply-kind] }
  - name: soon
    title: the answer comes
    rule: good servers answer
    basis: robustness
    on: q
    expect: { reply: { type: object } }
"#;

fn small() -> Catalogue {
    let source = Source {
        path: "unknown-method.yaml".to_owned(),
        text: CARD.to_owned(),
    };
    Catalogue::of([source]).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn list_gives_a_level_for_each_revision() {
    let catalogue = small();
    let listing = Listing::of(&catalogue, &[]);
    assert_eq!(listing.format, LIST_FORMAT);
    let [is_error, soon] = listing.checks.as_slice() else {
        panic!("{listing:?}");
    };
    assert_eq!(is_error.id, "errors/unknown-method/is-error");
    assert_eq!(
        is_error.revisions,
        [
            Revision::R2024_11_05,
            Revision::R2025_03_26,
            Revision::R2025_06_18
        ]
    );
    assert!(is_error.levels.values().all(|level| *level == Level::Must));
    assert_eq!(is_error.levels.len(), 3);
    assert!(
        soon.levels
            .values()
            .all(|level| *level == Level::Robustness)
    );
    assert_eq!(is_error.needs, ["capability:tools"]);
    let json = listing.json();
    assert!(json.contains("\"2024-11-05\": \"MUST\""), "{json}");
    assert_eq!(serde_json::from_str::<Listing>(&json).unwrap(), listing);
    let text = listing.text();
    assert!(
        text.contains("MUST?       2024-11-05..2025-06-18  a request for"),
        "{text}"
    );
    assert!(text.ends_with("2 checks in 1 scenarios\n"));
    let kept = listing.filtered(|id| id.ends_with("soon"));
    assert_eq!(kept.checks.len(), 1);
}

#[test]
fn explain_tells_rule_reason_conversation_and_proof() {
    let text = explain(&small(), "errors/unknown-method/is-error").unwrap();
    let parts = [
        "errors/unknown-method/is-error\n  a request for an unknown method is answered with an error\n",
        "rule      an unknown method gets an error, not a result\n",
        "card      unknown-method.yaml (server, 2024-11-05..2025-06-18)\n",
        "needs     capability:tools\n",
        "contested error-status: HTTP status of a JSON-RPC error",
        "  2024-11-05  MUST  2024-11-05/basic/index#top.1\n",
        "https://modelcontextprotocol.io/specification/2025-06-18/",
        "\nconversation\n  open: { as: c }\n  send: { as: q,",
        "\njudged\n  on: q\n  given:\n    on: q\n    reply: { type: object }\n  expect: { error: { type: object } }\n",
        "\nmust not fail\n  { at: { reply_to: no/such/method }",
        "\nmust be caught\n  a target that answers with an empty result: reply-kind\n",
    ];
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn explain_knows_cards_and_the_built_in_check() {
    let catalogue = small();
    let card = explain(&catalogue, "errors/unknown-method").unwrap();
    assert!(card.contains("What a server says to a method"), "{card}");
    assert!(
        card.contains("errors/unknown-method/is-error (MUST): a request"),
        "{card}"
    );
    let alive = explain(&catalogue, "errors/unknown-method/alive").unwrap();
    assert!(alive.contains("died"), "{alive}");
}

#[test]
fn explain_names_the_nearest_id() {
    let error = explain(&small(), "errors/unknown-method/is-eror").unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown check or card `errors/unknown-method/is-eror`; did you mean `errors/unknown-method/is-error`?"
    );
    let far = explain(&small(), "zzz").unwrap_err();
    assert_eq!(far.to_string(), "unknown check or card `zzz`");
}

#[test]
fn coverage_counts_each_row_once_and_follows_repetitions() {
    let catalogue = small();
    let level = |report: &mcp_assay_catalogue::listing::CoverageReport, at: usize, name: &str| {
        report.coverage.revisions[at].levels[name].clone()
    };
    let plain = coverage(&catalogue, Role::Server, &[], None);
    assert_eq!(plain.coverage.revisions.len(), 5);
    // A sentence and its repetitions within one revision are rows of their own.
    let cited = ["2024-11-05/basic/index#top.1".to_owned()];
    let reached = Revision::ALL
        .map(|revision| catalogue.requirements().of(revision).cited(&cited).len() as u64);
    assert!(reached[..3].iter().all(|count| *count > 0));
    for (at, count) in reached[..3].iter().enumerate() {
        let must = level(&plain, at, "MUST");
        assert_eq!((must.covered, must.exercised), (*count, None), "{at}");
        assert!(must.testable > 20);
    }
    assert_eq!(
        level(&plain, 3, "MUST").covered,
        0,
        "the card ends before 2025-11-25"
    );
    let uncovered = plain
        .uncovered
        .iter()
        .filter(|row| row.revision == Revision::R2024_11_05);
    let oldest = &plain.coverage.revisions[0].levels;
    let testable: u64 = oldest.values().map(|counts| counts.testable).sum();
    assert_eq!(uncovered.count() as u64, testable - reached[0]);
    assert!(plain.json().contains("\"exercised\": null"));

    let ended = BTreeSet::from([(
        "errors/unknown-method/is-error".to_owned(),
        Revision::R2025_03_26,
    )]);
    let ran = coverage(&catalogue, Role::Server, &[], Some(&ended));
    let exercised = |at| level(&ran, at, "MUST").exercised;
    assert_eq!(
        (exercised(0), exercised(1), exercised(2)),
        (Some(0), Some(reached[1]), Some(0))
    );

    let rule = ObserverRule {
        id: "observer/jsonrpc/shape".to_owned(),
        title: "it has a shape".to_owned(),
        basis: Basis::Spec,
        role: Role::Server,
        since: Revision::R2024_11_05,
        until: Some(Revision::R2024_11_05),
        cites: vec!["2024-11-05/basic/messages#responses.1".to_owned()],
    };
    let observed = coverage(&catalogue, Role::Server, &[rule], None);
    assert!(level(&observed, 0, "MUST").covered > reached[0]);
    assert_eq!(level(&observed, 1, "MUST").covered, reached[1]);
    assert_eq!(
        coverage(&catalogue, Role::Client, &[], None)
            .coverage
            .revisions[0]
            .role,
        Role::Client
    );
    assert!(ran.text().contains(" %)"), "{}", ran.text());
}

#[test]
fn fixtures_are_explained_with_lines_for_the_profile() {
    let text = explain_fixtures(&FactTable::embedded().unwrap());
    let line = "profile: fixtures: { slow: { tool: TOOL, arguments: {}, takes_ms: 2000 } }";
    assert!(text.contains(line), "{text}");
}

#[test]
fn rules_of_observers_are_listed_with_their_role_and_are_found_by_their_id() {
    let rule = |id: &str, role: Role, basis: Basis| ObserverRule {
        id: id.to_owned(),
        title: "it has a shape".to_owned(),
        basis,
        role,
        since: Revision::R2025_03_26,
        until: Some(Revision::R2025_06_18),
        cites: match basis {
            Basis::Spec => vec!["2024-11-05/basic/messages#responses.1".to_owned()],
            Basis::Robustness => Vec::new(),
        },
    };
    let rules = [
        rule("observer/jsonrpc/shape", Role::Server, Basis::Spec),
        rule("observer/stdout/quiet", Role::Client, Basis::Robustness),
    ];
    let listing = Listing::of(&small(), &rules);
    let [shape, quiet] = listing.rules.as_slice() else {
        panic!("{listing:?}");
    };
    let levels: Vec<_> = shape.levels.iter().collect();
    let wanted = [Revision::R2025_03_26, Revision::R2025_06_18];
    assert_eq!(shape.revisions, wanted);
    assert_eq!(
        levels,
        wanted
            .iter()
            .map(|it| (it, &Level::Must))
            .collect::<Vec<_>>()
    );
    assert!(
        quiet
            .levels
            .values()
            .all(|level| *level == Level::Robustness)
    );
    let text = listing.text();
    for line in [
        "observer/jsonrpc/shape          MUST        2025-03-26..2025-06-18  it has a shape  [server]",
        "observer/stdout/quiet           robustness  2025-03-26..2025-06-18  it has a shape  [client]",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(
        text.ends_with("2 checks in 1 scenarios, 2 rules of observers\n"),
        "{text}"
    );
    let kept = listing.filtered(|id| id.starts_with("observer/stdout/"));
    assert!(kept.text().ends_with("\n1 rules of observers\n"));
    assert!(!kept.is_empty());
    assert!(kept.filtered(|_| false).is_empty());
}

#[test]
fn every_card_of_the_binary_is_explained() {
    let Ok(catalogue) = Catalogue::embedded() else {
        return; // The test of the embedded cards tells why.
    };
    for id in catalogue.check_ids() {
        explain(&catalogue, &id).unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(
        Listing::of(&catalogue, &[]).checks.len(),
        catalogue.checks().count()
    );
}
