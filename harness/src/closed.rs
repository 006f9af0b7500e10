//! Closed lists of names that cards may use, gathered from where each is registered, for the linter and the listings.

use crate::native::NATIVES;
use crate::native::judges::JUDGES;
use mcp_assay_catalogue::lint::{LintContext, NativeStep};
use mcp_assay_catalogue::listing::ObserverRule;
use mcp_assay_judge::observer;
use mcp_assay_judge::schema::Schemas;
use mcp_assay_model::protocol::{Era, Revision};
use mcp_assay_peer::FAULTS;

/// What the linter needs to know of the harness.
pub fn lint_context() -> LintContext {
    let legacy = Revision::ALL
        .into_iter()
        .filter(|revision| revision.era() == Era::Legacy);
    LintContext {
        natives: NATIVES
            .iter()
            .map(|native| NativeStep {
                name: native.name.to_owned(),
                parameters: native
                    .parameters
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .collect(),
                labels: native
                    .labels
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect(),
            })
            .collect(),
        judges: JUDGES.iter().map(|(name, _)| (*name).to_owned()).collect(),
        faults: FAULTS.iter().map(|fault| fault.name.to_owned()).collect(),
        definitions: legacy
            .map(|revision| {
                (
                    revision,
                    Schemas::of(revision)
                        .definitions()
                        .map(str::to_owned)
                        .collect(),
                )
            })
            .collect(),
        observers: observer_rules().into_iter().map(|rule| rule.id).collect(),
    }
}

/// Every rule of every observer, as coverage counts it.
pub fn observer_rules() -> Vec<ObserverRule> {
    let rules = observer::rules().map(|(observer, rule)| ObserverRule {
        id: format!("observer/{observer}/{}", rule.id),
        title: rule.title.to_owned(),
        basis: rule.basis,
        role: rule.role,
        since: rule.since,
        until: rule.until,
        cites: rule.cites.iter().map(|cite| (*cite).to_owned()).collect(),
    });
    rules.collect()
}

/// The table of native steps and judges.
pub fn natives_text() -> String {
    let mut out = String::from("Native steps:\n");
    for native in NATIVES {
        out.push_str(&format!("  {}: {}\n", native.name, native.about));
        for (name, about) in native.parameters {
            out.push_str(&format!("    {name}: {about}\n"));
        }
        out.push_str(&format!("    binds: {}\n", native.binds));
    }
    out.push_str("\nNative judges:\n");
    for (name, about) in JUDGES {
        out.push_str(&format!("  {name}: {about}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{lint_context, natives_text};
    use crate::native::NATIVES;
    use crate::native::judges::JUDGES;
    use mcp_assay_model::protocol::{Era, Revision};
    use std::collections::BTreeSet;

    #[test]
    fn the_closed_lists_hold_what_is_registered_each_name_once() {
        let context = lint_context();
        let natives: Vec<_> = context
            .natives
            .iter()
            .map(|native| native.name.as_str())
            .collect();
        let registered: Vec<_> = NATIVES.iter().map(|native| native.name).collect();
        assert_eq!(natives, registered);
        let lists = [
            natives.into_iter().map(str::to_owned).collect(),
            context.judges.into_iter().collect(),
            context.faults.into_iter().collect(),
            context.observers.into_iter().collect::<Vec<String>>(),
        ];
        for list in lists {
            let unique: BTreeSet<_> = list.iter().collect();
            assert!(!list.is_empty() && unique.len() == list.len(), "{list:?}");
        }
        for revision in Revision::ALL {
            let definitions = context.definitions.get(&revision);
            assert_eq!(
                definitions.is_some(),
                revision.era() == Era::Legacy,
                "{revision}"
            );
        }
    }

    #[test]
    fn the_table_of_natives_names_every_step_parameter_and_judge() {
        let text = natives_text();
        let judges = JUDGES.iter().map(|(name, _)| *name);
        let parameters = NATIVES.iter().flat_map(|native| native.parameters);
        let names = NATIVES
            .iter()
            .map(|native| native.name)
            .chain(parameters.map(|(name, _)| *name))
            .chain(judges);
        for name in names {
            assert!(text.contains(&format!("  {name}: ")), "{name}");
        }
    }
}
