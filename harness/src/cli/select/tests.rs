use super::select;
use crate::run::exit::ExitCode;
use crate::run::plan::{Case, Chosen, Offer, plan};
use crate::testing::catalogue;
use globset::Glob;
use mcp_assay_catalogue::Catalogue;
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::Source;
use proptest::prelude::*;
use std::collections::BTreeSet;

const REVISIONS: [Revision; 2] = [Revision::R2025_03_26, Revision::R2025_11_25];

fn planned(chosen: &[Chosen]) -> Vec<Case> {
    plan(chosen, &REVISIONS, Binding::Stdio, &Offer::default())
}

/// Every (check, case) that a plan reports on.
fn keys(cases: &[Case]) -> BTreeSet<(String, String)> {
    let checks = |case: &Case| {
        let card = &case.card;
        let own = card.checks.iter().filter(|check| {
            let only = case.only.as_ref();
            only.is_none_or(|only| only.contains(&check.name))
        });
        let own = own.map(|check| format!("{}/{}", card.id, check.name));
        let alive = [format!("{}/alive", card.id)];
        own.chain(alive)
            .map(|check| (check, case.id.clone()))
            .collect::<Vec<_>>()
    };
    cases.iter().flat_map(checks).collect()
}

fn everything(catalogue: &Catalogue) -> BTreeSet<(String, String)> {
    keys(&planned(&select(catalogue, &[]).expect("all")))
}

fn card_of(check: &str) -> &str {
    check.rsplit_once('/').map_or("", |(card, _)| card)
}

/// The filter on the whole plan, in its own words: what one pattern means.
fn filtered(all: &BTreeSet<(String, String)>, pattern: &str) -> BTreeSet<(String, String)> {
    let glob = Glob::new(pattern).map(|glob| glob.compile_matcher()).ok();
    // Whoever names a case to the letter means no other, whatever a glob would make of its values.
    let glob = glob.filter(|_| all.iter().all(|(_, case)| case != pattern));
    let matches = |id: &str| id == pattern || glob.as_ref().is_some_and(|glob| glob.is_match(id));
    let is_wanted = |check: &str, case: &str| {
        let card = card_of(check);
        let area = card.split('/').next();
        area == Some(pattern)
            || matches(card)
            || matches(check)
            || if pattern.contains('@') {
                matches(case)
            } else {
                false
            }
    };
    let wanted: BTreeSet<_> = all
        .iter()
        .filter(|(check, case)| is_wanted(check, case))
        .cloned()
        .collect();
    // Where anything of a case is wanted, so is its life.
    let lives = wanted
        .iter()
        .map(|(check, case)| (format!("{}/alive", card_of(check)), case.clone()));
    let lives: Vec<_> = lives.collect();
    wanted.into_iter().chain(lives).collect()
}

/// Patterns of every kind that select something of the embedded cards.
fn patterns() -> impl Strategy<Value = String> {
    let catalogue = catalogue();
    let cards: Vec<String> = catalogue
        .scenarios()
        .iter()
        .map(|card| card.id.clone())
        .collect();
    let checks: Vec<String> = catalogue.check_ids().into_iter().collect();
    let cases: Vec<String> = planned(&select(&catalogue, &[]).expect("all"))
        .into_iter()
        .map(|case| case.id)
        .collect();
    let cut = |card: String| card.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (areas, names) = (cards.clone(), cards.clone());
    let pick = proptest::sample::select::<String>;
    prop_oneof![
        pick(areas.clone()).prop_map(move |card| cut(card)[0].clone()),
        pick(cards.clone()),
        pick(checks.clone()),
        pick(cases.clone()),
        pick(areas).prop_map(move |card| format!("{}/*", cut(card)[0])),
        pick(names).prop_map(move |card| format!("*/{}", cut(card)[1])),
        pick(checks)
            .prop_map(|check| format!("*/{}", check.rsplit('/').next().unwrap_or_default())),
        pick(cards).prop_map(|card| format!("{card}@2025-11-25+*")),
        Just("*@2025-03-26+stdio".to_owned()),
        Just("*#id=*".to_owned()),
        Just("*".to_owned()),
        Just("{ping,errors}/*".to_owned()),
    ]
}

/// Whether a pattern speaks of cases rather than of checks.
fn speaks_of_cases(pattern: &str) -> bool {
    pattern.contains('@')
}

proptest! {
    #[test]
    fn the_plan_for_a_filter_is_the_filter_on_the_plan(pattern in patterns()) {
        let catalogue = catalogue();
        let all = everything(&catalogue);
        match select(&catalogue, std::slice::from_ref(&pattern)) {
            Ok(chosen) => prop_assert_eq!(keys(&planned(&chosen)), filtered(&all, &pattern)),
            Err(failure) => {
                prop_assert_eq!(failure.code, ExitCode::NothingSelected);
                prop_assert!(filtered(&all, &pattern).is_empty(), "{pattern}");
            }
        }
    }

    #[test]
    fn several_filters_are_joined_in_whatever_order(
        mut several in proptest::collection::vec(patterns(), 1..4)
    ) {
        let catalogue = catalogue();
        let all = everything(&catalogue);
        let Ok(chosen) = select(&catalogue, &several) else { return Ok(()) };
        let got = keys(&planned(&chosen));
        let joined: BTreeSet<_> = several.iter().flat_map(|one| filtered(&all, one)).collect();
        let of_cases = several.iter().filter(|one| speaks_of_cases(one)).count();
        if of_cases == 0 || of_cases == several.len() {
            prop_assert_eq!(&got, &joined);
        } else {
            // Checks of one and cases of the other are not told apart within one card: whoever wants all gets all.
            prop_assert!(got.is_superset(&joined));
        }
        several.reverse();
        let turned = select(&catalogue, &several).expect("the same patterns");
        prop_assert_eq!(keys(&planned(&turned)), got);
    }

    #[test]
    fn the_id_of_a_case_selects_that_case_whatever_its_values(
        values in proptest::collection::btree_set(json_text(), 1..4),
        others in proptest::collection::btree_set(json_text(), 1..3),
    ) {
        let text = |values: &BTreeSet<String>| {
            let values: Vec<String> = values
                .iter()
                .map(|value| format!("{{ json: {} }}", serde_json::Value::from(value.as_str())))
                .collect();
            values.join(", ")
        };
        let card = format!(
            "id: a/b\nrole: server\nsince: 2024-11-05\nvary: {{ v: [ {} ], w: [ {} ] }}\nsteps:\n  - open: {{ as: c }}\nchecks: []\n",
            text(&values),
            text(&others)
        );
        let source = Source { path: "a.yaml".to_owned(), text: card };
        let catalogue = Catalogue::of([source]).unwrap_or_else(|broken| panic!("{}", broken.render(false)));
        let all = planned(&select(&catalogue, &[]).expect("all"));
        prop_assert_eq!(all.len(), values.len() * others.len() * REVISIONS.len());
        for case in all {
            let chosen = select(&catalogue, std::slice::from_ref(&case.id)).expect("it exists");
            let ids: Vec<String> = planned(&chosen).into_iter().map(|case| case.id).collect();
            prop_assert_eq!(ids, [case.id]);
        }
    }
}

/// JSON values as they may stand in a case id, with everything that a glob or an id takes for its own.
fn json_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[#@+=*?{}\\[\\]!,/'\"\\\\ a-zé0-9-]{0,12}"
            .prop_map(|text| serde_json::Value::from(text).to_string()),
        any::<i32>().prop_map(|number| number.to_string()),
        Just("1e0".to_owned()),
        Just("null".to_owned()),
        Just("{\"a\":[1,{}]}".to_owned()),
        Just("[\"@\",\"#v=1\"]".to_owned()),
    ]
}

#[test]
fn selecting_nothing_is_an_error_that_names_the_nearest() {
    let catalogue = catalogue();
    for (pattern, nearest) in [
        ("errors/unknown-metod", Some("errors/unknown-method")),
        (
            "errors/unknown-method/is-eror",
            Some("errors/unknown-method/is-error"),
        ),
        ("ping/answered@2025-11-25+stdioo", None),
        (
            "ping/answered@2025-11-26+stdio#params={}",
            Some("ping/answered@2025-11-25+stdio#params={}"),
        ),
        ("jsonrpc/id-echo@2025-11-25+stdio", None),
        ("no/such@2025-11-25+stdio", None),
        ("observer/stdout/messages-only", None),
        ("zzz*", None),
    ] {
        let failure = select(&catalogue, &[pattern.to_owned()]).expect_err(pattern);
        assert_eq!(failure.code, ExitCode::NothingSelected, "{pattern}");
        assert!(failure.message.contains(pattern), "{}", failure.message);
        let hint = failure.hint.unwrap_or_default();
        if let Some(nearest) = nearest {
            assert!(hint.contains(&format!("`{nearest}`")), "{pattern}: {hint}");
        }
    }
    // One pattern that selects nothing is an error, whatever the others select.
    let mixed = ["ping".to_owned(), "no/such".to_owned()];
    assert_eq!(
        select(&catalogue, &mixed).expect_err("no/such").code,
        ExitCode::NothingSelected
    );
}

#[test]
fn a_pattern_that_is_no_glob_is_a_usage_error() {
    for pattern in ["errors/[", "a/{b", "errors/*@[+stdio"] {
        let failure = select(&catalogue(), &[pattern.to_owned()]).expect_err(pattern);
        assert_eq!(failure.code, ExitCode::Usage, "{pattern}");
    }
}

#[test]
fn the_life_of_a_card_can_be_selected_alone() {
    let chosen = select(&catalogue(), &["errors/unknown-method/alive".to_owned()]).expect("it is");
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].checks, Some(BTreeSet::new()));
}
