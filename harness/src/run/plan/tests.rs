use super::{Case, Chosen, Offer, case_ids, is_claimed, plan};
use crate::testing::{card, catalogue};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::{Need, Scenario, Vary};
use mcp_assay_model::template::Template;
use mcp_assay_model::verdict::{Outcome, Reason};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const REVISION: Revision = Revision::R2025_06_18;

fn bare() -> Scenario {
    card("steps:\n  - open: { as: c }\n")
}

fn planned(card: &Scenario, offer: &Offer) -> Vec<Case> {
    plan(&[Chosen::whole(card)], &[REVISION], Binding::Memory, offer)
}

#[test]
fn the_first_unmet_need_gives_the_reason_over_all_combinations() {
    // Each bit is a need that is not met; `allow` has two ways not to be.
    for bits in 0_u8..64 {
        let [revision, binding, session, capability, allow, fixture] =
            [0, 1, 2, 3, 4, 5].map(|bit| bits & (1 << bit) != 0);
        for forbidden in [false, true] {
            let mut card = bare();
            card.since = if revision {
                Revision::R2025_11_25
            } else {
                Revision::R2024_11_05
            };
            let needed = if binding {
                Binding::Http
            } else {
                Binding::Stdio
            };
            // In the card they stand the other way round.
            card.needs = vec![
                Need::Fixture("slow".to_owned()),
                Need::AllowCall,
                Need::Capability("tools.listChanged".to_owned()),
                Need::Binding(needed),
            ];
            if session {
                card.needs.insert(0, Need::Session);
            }
            let offer = Offer {
                capabilities: BTreeMap::from([(
                    REVISION,
                    json!({ "tools": { "listChanged": !capability } }),
                )]),
                fixtures: if fixture {
                    json!({})
                } else {
                    json!({ "slow": {} })
                },
                sessions: BTreeSet::new(),
                speaks_legacy: false,
                bindings: BTreeMap::new(),
                calls_forbidden: allow && forbidden,
                calls_allowed: !allow,
            };
            let expected = [
                (revision, Reason::Revision),
                (binding, Reason::Binding),
                (session, Reason::Session),
                (
                    capability,
                    Reason::Capability("tools.listChanged".to_owned()),
                ),
                (allow && forbidden, Reason::CallsForbidden),
                (allow && !forbidden, Reason::Allow),
                (fixture, Reason::Fixture("slow".to_owned())),
            ]
            .into_iter()
            .find_map(|(unmet, reason)| unmet.then_some(reason));
            let cases = planned(&card, &offer);
            assert_eq!(cases.len(), 1);
            assert_eq!(cases[0].unmet, expected, "{bits:06b} {forbidden}");
        }
    }
}

#[test]
fn forbidden_calls_are_not_run_though_some_would_be_allowed() {
    let mut card = bare();
    card.needs = vec![Need::AllowCall];
    let offer = Offer {
        calls_forbidden: true,
        calls_allowed: true,
        ..Offer::default()
    };
    let reason = planned(&card, &offer)[0].unmet.clone();
    assert_eq!(reason.as_ref().map(Reason::outcome), Some(Outcome::NotRun));
    assert_eq!(reason, Some(Reason::CallsForbidden));
}

#[test]
fn a_card_applies_from_its_first_to_its_last_revision() {
    for since in Revision::ALL {
        for until in [None].into_iter().chain(Revision::ALL.map(Some)) {
            let mut card = bare();
            (card.since, card.until) = (since, until);
            let chosen = [Chosen::whole(&card)];
            for case in plan(&chosen, &Revision::ALL, Binding::Memory, &Offer::default()) {
                let applies =
                    since <= case.revision && until.is_none_or(|until| case.revision <= until);
                let expected = (!applies).then_some(Reason::Revision);
                assert_eq!(case.unmet, expected, "{since} {until:?} {}", case.id);
            }
        }
    }
}

#[test]
fn memory_serves_what_needs_stdio_and_nothing_else_is_taken_for_another() {
    for needed in Binding::ALL {
        for binding in Binding::ALL {
            let mut card = bare();
            card.needs = vec![Need::Binding(needed)];
            let cases = plan(
                &[Chosen::whole(&card)],
                &[REVISION],
                binding,
                &Offer::default(),
            );
            let is_met =
                needed == binding || (needed, binding) == (Binding::Stdio, Binding::Memory);
            assert_eq!(cases[0].unmet.is_none(), is_met, "{needed} on {binding}");
        }
    }
}

#[test]
fn a_capability_is_claimed_where_it_is_there_and_neither_false_nor_null() {
    for (capabilities, path, claimed) in [
        (json!({ "tools": {} }), "tools", true),
        (json!({ "tools": {} }), "tools.listChanged", false),
        (
            json!({ "tools": { "listChanged": true } }),
            "tools.listChanged",
            true,
        ),
        (
            json!({ "tools": { "listChanged": false } }),
            "tools.listChanged",
            false,
        ),
        (
            json!({ "tools": { "listChanged": null } }),
            "tools.listChanged",
            false,
        ),
        (json!({ "tools": null }), "tools", false),
        (json!({ "tools": false }), "tools", false),
        (json!({ "tools": true }), "tools.listChanged", false),
        (json!({}), "tools", false),
        (json!([]), "tools", false),
        (Value::Null, "tools", false),
    ] {
        assert_eq!(
            is_claimed(Some(&capabilities), path),
            claimed,
            "{capabilities} {path}"
        );
    }
    assert!(!is_claimed(None, "tools"), "a revision that was not probed");
}

fn varied(names: &[(&str, &[&str])]) -> Scenario {
    let mut card = bare();
    card.vary = names
        .iter()
        .map(|(name, values)| Vary {
            name: (*name).to_owned(),
            values: values
                .iter()
                .map(|value| Template::Raw((*value).to_owned()))
                .collect(),
        })
        .collect();
    card
}

#[test]
fn every_combination_is_a_case_and_the_last_name_turns_fastest() {
    let card = varied(&[("z", &["1", "2"]), ("a", &["true", "\"x\"", "1e0"])]);
    let ids: Vec<String> = planned(&card, &Offer::default())
        .into_iter()
        .map(|case| case.id)
        .collect();
    let expected = ["1", "2"]
        .map(|z| ["true", "\"x\"", "1e0"].map(|a| format!("a/b@2025-06-18+memory#a={a}#z={z}")));
    assert_eq!(ids, expected.concat());
}

#[test]
fn every_planned_case_is_one_that_the_card_can_have() {
    let card = varied(&[("z", &["1", "2"]), ("a", &["true", "\"x\""])]);
    let known: BTreeSet<String> = case_ids(&card).collect();
    assert_eq!(known.len(), 4 * Revision::ALL.len() * Binding::ALL.len());
    for binding in Binding::ALL {
        let chosen = [Chosen::whole(&card)];
        for case in plan(&chosen, &Revision::ALL, binding, &Offer::default()) {
            assert!(known.contains(&case.id), "{}", case.id);
        }
    }
}

#[test]
fn the_ids_of_the_embedded_cases_are_unique() {
    for card in catalogue().scenarios() {
        let ids: Vec<String> = case_ids(card).collect();
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{}", card.id);
    }
}

/// What a plan comes to.
fn essence(cases: &[Case]) -> Vec<(String, Option<BTreeSet<String>>, Option<Reason>)> {
    let essence = |case: &Case| (case.id.clone(), case.only.clone(), case.unmet.clone());
    cases.iter().map(essence).collect()
}

proptest! {
    #[test]
    fn the_same_inputs_give_the_same_plan_and_measured_things_only_reasons(
        revisions in proptest::sample::subsequence(Revision::ALL.to_vec(), 0..=5),
        binding in proptest::sample::select(Binding::ALL.to_vec()),
        forbidden: bool,
        allowed: bool,
        has_tools: bool,
        has_slow: bool,
    ) {
        let catalogue = catalogue();
        let chosen: Vec<Chosen> = catalogue.scenarios().iter().map(Chosen::whole).collect();
        let capabilities = if has_tools { json!({ "tools": {} }) } else { json!({}) };
        let offer = Offer {
            capabilities: revisions.iter().map(|revision| (*revision, capabilities.clone())).collect(),
            fixtures: if has_slow { json!({ "slow": {} }) } else { Value::Null },
            calls_forbidden: forbidden,
            calls_allowed: allowed,
            ..Offer::default()
        };
        let once = plan(&chosen, &revisions, binding, &offer);
        let twice = plan(&chosen, &revisions, binding, &offer);
        prop_assert_eq!(essence(&once), essence(&twice));
        // What the target offers decides which cases run, never which there are.
        let without = plan(&chosen, &revisions, binding, &Offer::default());
        let ids = |cases: &[Case]| cases.iter().map(|case| case.id.clone()).collect::<Vec<_>>();
        prop_assert_eq!(ids(&once), ids(&without));
        let unique: BTreeSet<String> = ids(&once).into_iter().collect();
        prop_assert_eq!(unique.len(), once.len());
    }

    #[test]
    fn combinations_are_the_product_of_the_values(
        sizes in proptest::collection::vec(1_usize..4, 0..4),
    ) {
        let names = ["d", "c", "b", "a"];
        let values = ["0", "\"#\"", "[1,2]"];
        let vary: Vec<(&str, &[&str])> = sizes
            .iter()
            .zip(names)
            .map(|(size, name)| (name, &values[..*size]))
            .collect();
        let cases = planned(&varied(&vary), &Offer::default());
        prop_assert_eq!(cases.len(), sizes.iter().product::<usize>());
        let chosen: BTreeSet<_> = cases.iter().map(|case| &case.vary).collect();
        prop_assert_eq!(chosen.len(), cases.len());
        for case in &cases {
            prop_assert_eq!(case.vary.len(), sizes.len());
        }
    }
}
