//! Our table of methods answers to the catalogue of the specification: sender, params, results and gating capability of each method of each
//! revision agree, or `deviations.json` says why not. What the definitions say is compared in `harness/judge/tests/parity.rs`.
//!
//! The catalogue is not ours to ship: `MCP_ASSAY_SHARED` names the folder that has it under `spec/`.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Methods whose params we ask for and the catalogue does not, with the revisions.
fn stricter() -> Vec<(String, String, String)> {
    let all: Vec<Value> = serde_json::from_str(mcp_assay_schemas::DEVIATIONS).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter()
        .filter(|one| one["kind"] == "params-required")
        .flat_map(|one| {
            let methods = one["at"].as_array().unwrap().iter();
            methods.map(|method| (text(method), text(&one["since"]), text(&one["until"])))
        })
        .collect()
}

#[test]
fn methods_agree_with_the_catalogue() {
    let Some(shared) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("parity of methods: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let path = PathBuf::from(shared).join("spec").join("methods.json");
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let catalogue: Value = serde_json::from_str(&text).unwrap();
    let deviations = stricter();
    let mut used = BTreeSet::new();
    for revision in mcp_assay_schemas::REVISIONS {
        let ours: BTreeSet<String> = mcp_assay_schemas::methods(revision)
            .map(|method| {
                let capability = method.capability.as_ref();
                let capability =
                    capability.map(|one| format!("{:?} {}", one.of, one.path).to_lowercase());
                format!(
                    "{} {:?} {} {:?} {capability:?}",
                    method.method, method.from, method.params_required, method.results
                )
            })
            .collect();
        let listed = catalogue["revisions"][revision]["methods"]
            .as_array()
            .unwrap();
        let theirs: BTreeSet<String> = listed
            .iter()
            .map(|listed| {
                let name = listed["method"].as_str().unwrap();
                let deviation = deviations.iter().position(|(method, since, until)| {
                    method == name
                        && (since.as_str()..=until.as_str()).contains(&revision)
                        && listed["params_required"] == false
                });
                used.extend(deviation);
                row(listed, deviation.is_some())
            })
            .collect();
        assert_eq!(ours, theirs, "{revision}");
        eprintln!("{revision}: {} methods agree", ours.len());
    }
    assert_eq!(used.len(), deviations.len(), "stale: {deviations:?}");
}

fn row(method: &Value, is_stricter: bool) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let from = match method["direction"].as_array().unwrap().as_slice() {
        [one] if one == "client->server" => "Client",
        [_] => "Server",
        _ => "Both",
    };
    let alternatives = method["alternative_results"].as_array().unwrap();
    let alternatives = alternatives.iter().map(|one| text(&one["result"]));
    let results: Vec<_> = method["result"]
        .as_str()
        .map(str::to_owned)
        .into_iter()
        .chain(alternatives)
        .collect();
    let capability = method["capability"].as_object();
    let capability = capability
        .map(|one| format!("{} {}", text(&one["declared_by"]), text(&one["path"])).to_lowercase());
    format!(
        "{} {from} {} {results:?} {capability:?}",
        text(&method["method"]),
        is_stricter || method["params_required"] == true
    )
}
