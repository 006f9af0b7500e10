//! Our schemas answer to the official ones: values of every definition of every revision, and every change of one of their members, get
//! one verdict from both, or `schemas/deviations.json` says why not. A deviation that is none any more fails too.
//!
//! The official files are not ours to ship: `MCP_ASSAY_SHARED` names the folder that has them under `spec/`. `ONLY=Name` looks at one
//! definition.

#![expect(
    clippy::unwrap_used,
    reason = "the files read here are checked by the unwrapping; a panic is a failed test"
)]

#[path = "parity/deviations.rs"]
mod deviations;
#[path = "parity/generate.rs"]
mod generate;
#[path = "parity/mutate.rs"]
mod mutate;

use deviations::{Compared, Deviation, Kind, Part, explain};
use generate::{Dice, Generator};
use jsonschema::{Draft, Registry, Validator};
use mcp_assay_judge::Schemas;
use mcp_assay_model::protocol::Revision;
use mutate::Change;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Valid values of a definition, from each of the two texts that define it.
const INSTANCES: usize = 200;

/// Values tried for these.
const TRIES: usize = 40 * INSTANCES;

/// The official document of a revision.
struct Official {
    definitions: Map<String, Value>,
    registry: Registry<'static>,
    draft: Draft,
    key: &'static str,
}

impl Official {
    fn read(spec: &Path, revision: &str) -> Self {
        let path = spec.join(revision).join("schema.json");
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let document: Value = serde_json::from_str(&text).unwrap();
        let (draft, key) = match document.get("$defs") {
            Some(_) => (Draft::Draft202012, "$defs"),
            None => (Draft::Draft7, "definitions"),
        };
        let registry = Registry::new().draft(draft);
        let registry = registry.add("official:schema", document.clone()).unwrap();
        Official {
            definitions: document[key].as_object().unwrap().clone(),
            registry: registry.prepare().unwrap(),
            draft,
            key,
        }
    }

    /// As the validator is meant to be called: its draft, formats asserted where it knows them.
    fn validator(&self, name: &str) -> Validator {
        let options = jsonschema::options()
            .with_draft(self.draft)
            .offline()
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .with_registry(&self.registry);
        let reference = format!("official:schema#/{}/{name}", self.key);
        options.build(&json!({ "$ref": reference })).unwrap()
    }
}

/// What was compared, of one definition or of many.
#[derive(Debug, Default)]
struct Tally {
    definitions: u64,
    instances: u64,
    distinct: u64,
    mutations: BTreeMap<Change, u64>,
    agreements: u64,
    explained: u64,
    used: BTreeSet<Part>,
    unexplained: BTreeMap<String, String>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.definitions += other.definitions;
        self.instances += other.instances;
        self.distinct += other.distinct;
        for (change, count) in other.mutations {
            *self.mutations.entry(change).or_default() += count;
        }
        self.agreements += other.agreements;
        self.explained += other.explained;
        self.used.extend(other.used);
        self.unexplained.extend(other.unexplained);
    }
}

/// Both validators of one definition.
struct Pair<'d> {
    revision: &'d str,
    name: &'d str,
    ours: Arc<Validator>,
    official: Validator,
    deviations: &'d [Deviation],
}

impl Pair<'_> {
    fn compare(&self, value: &Value, tally: &mut Tally) {
        let verdict = (self.ours.is_valid(value), self.official.is_valid(value));
        let (kind, errors): (_, Vec<_>) = match verdict {
            (true, true) | (false, false) => {
                tally.agreements += 1;
                return;
            }
            (false, true) => (Kind::Stricter, self.ours.iter_errors(value).collect()),
            (true, false) => (Kind::Laxer, self.official.iter_errors(value).collect()),
        };
        let compared = Compared {
            revision: self.revision,
            definition: self.name,
            kind,
        };
        match explain(self.deviations, compared, &errors) {
            Ok(used) => {
                tally.explained += 1;
                tally.used.extend(used);
            }
            Err(reason) => {
                let key = format!("{} {}: {kind:?}: {reason}", self.revision, self.name);
                tally
                    .unexplained
                    .entry(key)
                    .or_insert_with(|| value.to_string());
            }
        }
    }

    /// Draws values from a document until enough of them fit it; compares them, and each change of those not seen yet.
    fn draw(
        &self,
        definitions: &Map<String, Value>,
        fits: &Validator,
        source: &str,
        seen: &mut BTreeSet<String>,
        tally: &mut Tally,
    ) {
        let dice = Dice::of(&format!("{} {} {source}", self.revision, self.name));
        let mut generator = Generator { definitions, dice };
        let mut found = 0;
        for _ in 0..TRIES {
            if found == INSTANCES {
                break;
            }
            let Some(mut value) = generator
                .value(self.name)
                .filter(|value| fits.is_valid(value))
            else {
                continue;
            };
            found += 1;
            self.compare(&value, tally);
            if seen.insert(value.to_string()) {
                tally.distinct += 1;
                mutate::each(&mut value, &mut |change, value| {
                    *tally.mutations.entry(change).or_default() += 1;
                    self.compare(value, tally);
                });
            }
        }
        tally.instances += found as u64;
        assert_eq!(
            found, INSTANCES,
            "too few valid values of {} {} from {source}",
            self.revision, self.name
        );
    }
}

#[test]
fn generated_values_get_one_verdict_or_the_deviation_has_a_reason() {
    let Some(shared) = std::env::var_os("MCP_ASSAY_SHARED") else {
        eprintln!("parity of generated values: did not look: MCP_ASSAY_SHARED is not set");
        return;
    };
    let spec = PathBuf::from(shared).join("spec");
    let only = std::env::var("ONLY").ok();
    let deviations = deviations::read();
    let (mut unexplained, mut used) = (BTreeMap::new(), BTreeSet::new());
    for revision in mcp_assay_schemas::REVISIONS {
        let official = Official::read(&spec, revision);
        let document: Value =
            serde_json::from_str(mcp_assay_schemas::document(revision).unwrap()).unwrap();
        let ours = document["$defs"].as_object().unwrap();
        let missing: Vec<_> = official
            .definitions
            .keys()
            .filter(|name| !ours.contains_key(*name))
            .collect();
        assert_eq!(
            missing,
            Vec::<&String>::new(),
            "definitions that {revision} lacks"
        );
        let names: Vec<&String> = official
            .definitions
            .keys()
            .filter(|name| only.as_ref().is_none_or(|only| only == *name))
            .collect();
        let tally = compare_all(revision, &names, ours, &official, &deviations);
        report(revision, &tally, ours, &official);
        used.extend(tally.used.iter().map(|&part| (revision, part)));
        unexplained.extend(tally.unexplained);
    }
    if only.is_none() {
        unexplained.extend(stale(&deviations, &used).map(|reason| (reason, String::new())));
    }
    let mut told = String::new();
    for (reason, value) in unexplained.iter().take(40_000) {
        writeln!(
            told,
            "{reason}\n  {}",
            value.chars().take(600).collect::<String>()
        )
        .unwrap();
    }
    assert!(
        unexplained.is_empty(),
        "{} unexplained\n{told}",
        unexplained.len()
    );
}

/// What is no deviation any more: one that explains nothing in a revision of its own, or a part that does so in none.
fn stale<'d>(
    deviations: &'d [Deviation],
    used: &'d BTreeSet<(&str, Part)>,
) -> impl Iterator<Item = String> + 'd {
    let definitions = deviations.iter().enumerate();
    let definitions = definitions.filter(|(_, one)| one.kind != Kind::ParamsRequired);
    definitions.flat_map(|(index, deviation)| {
        assert!(!deviation.why.is_empty(), "{} has no reason", deviation.id);
        let is_used = |revision: &str, part: Option<usize>| {
            used.iter().any(|&(known, (one, of))| {
                one == index && known == revision && part.is_none_or(|part| part == of)
            })
        };
        let of_revisions = mcp_assay_schemas::REVISIONS
            .into_iter()
            .filter(|revision| deviation.is_in(revision) && !is_used(revision, None))
            .map(|revision| format!("{} is no deviation in {revision}", deviation.id));
        let of_parts = deviation
            .parts()
            .enumerate()
            .filter(|&(part, _)| {
                let mut revisions = mcp_assay_schemas::REVISIONS.into_iter();
                !revisions.any(|revision| is_used(revision, Some(part)))
            })
            .map(|(_, part)| format!("{} is no deviation at {part}", deviation.id));
        of_revisions.chain(of_parts).collect::<Vec<_>>()
    })
}

/// Two threads, each with every other definition.
fn compare_all(
    revision: &str,
    names: &[&String],
    ours: &Map<String, Value>,
    official: &Official,
    deviations: &[Deviation],
) -> Tally {
    let half = |first: usize| {
        let mut tally = Tally::default();
        for name in names.iter().skip(first).step_by(2) {
            let parsed: Revision = revision.parse().unwrap();
            let pair = Pair {
                revision,
                name,
                ours: Schemas::of(parsed).validator(name).unwrap(),
                official: official.validator(name),
                deviations,
            };
            let mut seen = BTreeSet::new();
            pair.draw(
                &official.definitions,
                &pair.official,
                "official",
                &mut seen,
                &mut tally,
            );
            pair.draw(ours, &pair.ours, "ours", &mut seen, &mut tally);
            tally.definitions += 1;
        }
        tally
    };
    let mut whole = Tally::default();
    std::thread::scope(|scope| {
        let halves = [scope.spawn(|| half(0)), scope.spawn(|| half(1))];
        for half in halves {
            whole.add(half.join().unwrap());
        }
    });
    whole
}

fn report(revision: &str, tally: &Tally, ours: &Map<String, Value>, official: &Official) {
    let mutations: u64 = tally.mutations.values().sum();
    let by_change: Vec<String> = tally
        .mutations
        .iter()
        .map(|(change, count)| format!("{count} {}", format!("{change:?}").to_lowercase()))
        .collect();
    eprintln!(
        "{revision}: {} definitions ({} ours, {} official), {} instances ({} distinct), {mutations} mutations ({}), {} agreements, {} differences by {} named deviations, {} unexplained",
        tally.definitions,
        ours.len(),
        official.definitions.len(),
        tally.instances,
        tally.distinct,
        by_change.join(", "),
        tally.agreements,
        tally.explained,
        tally
            .used
            .iter()
            .map(|(deviation, _)| deviation)
            .collect::<BTreeSet<_>>()
            .len(),
        tally.unexplained.len(),
    );
}
