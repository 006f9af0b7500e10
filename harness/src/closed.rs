//! Closed lists of names that cards may use, gathered from where each is registered, for the linter and the listings.

use crate::native::NATIVES;
use crate::native::judges::JUDGES;
use mcp_assay_catalogue::lint::{LintContext, NativeStep};
use mcp_assay_catalogue::listing::ObserverRule;
use mcp_assay_judge::observer::OBSERVERS;
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
    let rules = OBSERVERS.iter().flat_map(|observer| {
        observer.rules().iter().map(|rule| ObserverRule {
            id: format!("observer/{}/{}", observer.name(), rule.id),
            since: Revision::R2024_11_05,
            until: None,
            cites: rule.cites.iter().map(|cite| (*cite).to_owned()).collect(),
        })
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
