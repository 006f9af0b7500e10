//! The official examples: each is valid by the definition of its folder. They are not ours to ship: `MCP_ASSAY_SHARED` names the folder
//! that has them under `spec/REVISION/examples/DEFINITION/`; only 2026-07-28 comes with examples. Those that break a MUST of the prose are
//! named with the reason.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

mod whole;

use mcp_assay_model::protocol::Revision;
use std::path::{Path, PathBuf};
use whole::Judge;

/// Examples that the official schema takes and the prose does not, each with the sentence that it breaks.
const UNLAWFUL: [(&str, &str); 2] = [
    (
        "ReadResourceResultResponse/read-resource-result-response.json",
        "a complete result of resources/read carries caching hints",
    ),
    (
        "ResourceUpdatedNotificationParams/file-resource-updated.json",
        "a notification of a subscription carries its id",
    ),
];

/// Files and folders of a folder, in order.
fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The method that a response definition is for: `CallToolResultResponse` has the result of `tools/call`.
fn answered(definition: &str) -> Option<&'static str> {
    let result = definition.strip_suffix("Response")?;
    let mut methods = mcp_assay_schemas::methods(Revision::R2026_07_28.as_str());
    let method = methods.find(|method| method.results.first().is_some_and(|name| name == result));
    method.map(|method| method.method.as_str())
}

#[test]
fn every_lawful_example_fits_the_definition_of_its_folder() {
    let Some(folder) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("examples: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let revision = Revision::R2026_07_28;
    let folder = PathBuf::from(folder)
        .join("spec")
        .join(revision.as_str())
        .join("examples");
    let (mut seen, mut refused) = (0, Vec::new());
    for definition in within(&folder) {
        let name = definition.file_name().unwrap().to_str().unwrap();
        let judge = Judge {
            revision,
            method: answered(name),
        };
        assert!(
            judge.method.is_some() || !name.ends_with("ResultResponse"),
            "no method has the results of {name}"
        );
        for example in within(&definition) {
            seen += 1;
            let value = serde_json::from_slice(&std::fs::read(&example).unwrap()).unwrap();
            if !judge.accepts(name, &value) {
                let place = example.strip_prefix(&folder).unwrap();
                refused.push(place.to_str().unwrap().to_owned());
            }
        }
    }
    eprintln!("{seen} examples of {revision}");
    assert!(seen > 0, "{folder:?} holds no example");
    assert_eq!(refused, UNLAWFUL.map(|(place, _)| place));
}
