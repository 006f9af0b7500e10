//! The cards of the binary are read and linted.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::lint::{LintContext, NativeStep, lint};
use mcp_assay_model::scenario::{Action, Expect, Fault, Given, Scenario};
use std::collections::BTreeSet;

#[test]
fn embedded_cards_are_read_and_pass_the_linter() {
    let catalogue = Catalogue::embedded().unwrap_or_else(|errors| panic!("{errors}"));
    let context = names_as_used(catalogue.scenarios());
    if let Err(errors) = lint(&catalogue, &context) {
        panic!("{errors}");
    }
}

fn judges_in(expect: &Expect, judges: &mut BTreeSet<String>) {
    match expect {
        Expect::Native(name) => drop(judges.insert(name.clone())),
        Expect::AnyOf(branches) => branches.iter().for_each(|one| judges_in(one, judges)),
        _ => {}
    }
}

fn judges_in_given(given: &Given, judges: &mut BTreeSet<String>) {
    match given {
        Given::One { expect, .. } => judges_in(expect, judges),
        Given::All(all) => all.iter().for_each(|one| judges_in_given(one, judges)),
    }
}

/// The closed lists are the harness's; here every name used counts as known, so that all else is linted.
fn names_as_used(scenarios: &[Scenario]) -> LintContext {
    let mut context = LintContext::default();
    for scenario in scenarios {
        for step in &scenario.steps {
            if let Action::Native {
                name, parameters, ..
            } = &step.action
            {
                let used = parameters.iter().map(|(key, _)| key.clone());
                let known = context
                    .natives
                    .iter_mut()
                    .find(|native| native.name == *name);
                match known {
                    Some(known) => known.parameters.extend(used),
                    None => context.natives.push(NativeStep {
                        name: name.clone(),
                        parameters: used.collect(),
                        labels: Default::default(),
                    }),
                }
            }
        }
        for check in &scenario.checks {
            judges_in(&check.expect, &mut context.judges);
            if let Some(given) = &check.given {
                judges_in_given(given, &mut context.judges);
            }
            let faults = check.near.iter().map(|near| &near.fault);
            for fault in faults.chain(check.mutants.iter().map(|mutant| &mutant.fault)) {
                if let Fault::Named(name) = fault {
                    context.faults.insert(name.clone());
                }
            }
            let also = check.mutants.iter().flat_map(|mutant| &mutant.also);
            let observers = also.filter(|entry| entry.starts_with("observer/"));
            let ids = observers.filter_map(|entry| entry.rsplit_once(':'));
            context.observers.extend(ids.map(|(id, _)| id.to_owned()));
        }
    }
    context
}
