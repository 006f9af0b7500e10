//! Our schemas answer to the official ones: member names, requiredness, constants, types and formats agree, definition by definition,
//! or `deviations.json` says why not. A deviation that is none any more fails too.
//!
//! The official files are not ours to ship: `MCP_ASSAY_SHARED` names the folder that has them under `spec/`.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

mod shape;

use serde::Deserialize;
use serde_json::Value;
use shape::{Difference, Document, differences};
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    /// Name of the definition, or of the method; a leading `*` stands for any beginning.
    definition: String,
    /// Pointer of members, `*` for items and for values of maps.
    at: String,
    kind: String,
    since: String,
    until: String,
    why: String,
}

impl Deviation {
    /// Whether it is one of `methods.json`: a method whose params we ask for.
    fn is_of_method(&self) -> bool {
        self.kind == "params_required"
    }

    fn holds(&self, revision: &str, name: &str) -> bool {
        let names = match self.definition.strip_prefix('*') {
            Some(end) => name.ends_with(end),
            None => name == self.definition,
        };
        names && (self.since.as_str()..=self.until.as_str()).contains(&revision)
    }

    fn explains(&self, revision: &str, definition: &str, difference: &Difference) -> bool {
        self.holds(revision, definition) && self.at == difference.at && self.kind == difference.kind
    }
}

fn deviations() -> impl Iterator<Item = Deviation> {
    let all: Vec<Deviation> = serde_json::from_str(mcp_assay_schemas::DEVIATIONS).unwrap();
    all.into_iter()
}

/// The folder with the official files; says plainly where it is not looked at.
fn spec(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("MCP_ASSAY_SHARED");
    if folder.is_none() {
        eprintln!("{test}: did not look: MCP_ASSAY_SHARED is not set");
    }
    folder.map(|folder| PathBuf::from(folder).join("spec"))
}

fn read(path: PathBuf) -> Value {
    let text = std::fs::read_to_string(&path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn definitions_agree_with_the_official_ones_or_the_deviation_has_a_reason() {
    let Some(spec) = spec("parity of definitions") else {
        return;
    };
    let deviations: Vec<_> = deviations().filter(|one| !one.is_of_method()).collect();
    let mut used = BTreeSet::new();
    let mut unexplained = Vec::new();
    for revision in mcp_assay_schemas::REVISIONS {
        let ours = Document::new(
            serde_json::from_str(mcp_assay_schemas::document(revision).unwrap()).unwrap(),
        );
        let official = Document::new(read(spec.join(revision).join("schema.json")));
        let (mut compared, mut different) = (0, 0);
        for name in ours.names() {
            let Some(counterpart) = official.counterpart(name) else {
                continue;
            };
            compared += 1;
            for difference in differences(
                &ours,
                ours.definition(name).unwrap(),
                &official,
                counterpart,
            ) {
                different += 1;
                let reason = deviations
                    .iter()
                    .position(|one| one.explains(revision, name, &difference));
                match reason {
                    Some(index) => used.extend([index]),
                    None => unexplained.push(format!("{revision} {name} {difference}")),
                }
            }
        }
        eprintln!(
            "{revision}: {} definitions, {compared} compared with the official schema, {different} named deviations",
            ours.names().count()
        );
    }
    for (index, deviation) in deviations.iter().enumerate() {
        assert!(!deviation.why.is_empty());
        if !used.contains(&index) {
            unexplained.push(format!("stale: {deviation:?}"));
        }
    }
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}

#[test]
fn methods_agree_with_the_catalogue() {
    let Some(spec) = spec("parity of methods") else {
        return;
    };
    let catalogue = read(spec.join("methods.json"));
    let deviations: Vec<_> = deviations().filter(Deviation::is_of_method).collect();
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
                let deviation = deviations.iter().position(|one| {
                    one.holds(revision, name) && listed["params_required"] == false
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
