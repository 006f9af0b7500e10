//! Everything that can be known without running anything: cards, requirements, facts.

use crate::card;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::facts::FactTable;
use crate::requirements::Requirements;
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::requirement::{Citation, Level};
use mcp_assay_model::scenario::{Check, Scenario, Source};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Cards by id, with the requirements and facts that they refer to.
#[derive(Debug)]
pub struct Catalogue {
    scenarios: Vec<Scenario>,
    requirements: Arc<Requirements>,
    facts: FactTable,
}

/// Why a folder of cards could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Cards are broken.
    #[error(transparent)]
    Broken(#[from] Diagnostics),
}

impl Catalogue {
    /// That of the binary.
    ///
    /// **Errors**: broken embedded files, which tests rule out.
    pub fn embedded() -> Result<Self, Diagnostics> {
        let sources = mcp_assay_suites::SCENARIOS.iter().map(|file| Source {
            path: file.path.to_owned(),
            text: file.text.to_owned(),
        });
        Catalogue::of(sources)
    }

    /// That of a folder of cards: every `.yaml` file below it, or below its `scenarios` where it has that.
    ///
    /// Requirements and facts are those of the binary. Paths in diagnostics begin with the folder as given.
    ///
    /// **Errors**: a file that cannot be read, or everything that is wrong with the cards.
    pub fn from_dir(folder: &Path) -> Result<Self, LoadError> {
        let inner = folder.join("scenarios");
        let root = if inner.is_dir() {
            inner
        } else {
            folder.to_owned()
        };
        let mut paths = Vec::new();
        collect(&root, &mut paths)?;
        paths.sort();
        let sources: Result<Vec<Source>, LoadError> = paths
            .into_iter()
            .map(|path| match fs::read_to_string(&path) {
                Ok(text) => Ok(Source {
                    path: path.to_string_lossy().into_owned(),
                    text,
                }),
                Err(source) => Err(LoadError::Io { path, source }),
            })
            .collect();
        Ok(Catalogue::of(sources?)?)
    }

    /// That of these cards.
    ///
    /// **Errors**: everything that is wrong with them, ids that two of them share included.
    pub fn of(sources: impl IntoIterator<Item = Source>) -> Result<Self, Diagnostics> {
        let mut errors = Diagnostics::default();
        let mut scenarios: Vec<Scenario> = Vec::new();
        for source in sources {
            match card::parse(&Arc::new(source)) {
                Ok(scenario) => scenarios.push(scenario),
                Err(found) => errors.extend(found),
            }
        }
        scenarios.sort_by(|left, right| {
            (&left.id, &left.source.path).cmp(&(&right.id, &right.source.path))
        });
        for pair in scenarios.windows(2) {
            if pair[0].id == pair[1].id {
                errors.push(duplicate(&pair[0], &pair[1]));
            }
        }
        let facts = FactTable::embedded()?;
        errors.unless_any(Catalogue {
            scenarios,
            requirements: Requirements::embedded(),
            facts,
        })
    }

    /// The cards, sorted by id.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The card with this id.
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        let at = self
            .scenarios
            .binary_search_by(|scenario| scenario.id.as_str().cmp(id))
            .ok()?;
        self.scenarios.get(at)
    }

    /// The check with this id, `<area>/<scenario>/<check>`, and its card.
    pub fn check(&self, id: &str) -> Option<(&Scenario, &Check)> {
        let (card, name) = id.rsplit_once('/')?;
        let scenario = self.scenario(card)?;
        let check = scenario.checks.iter().find(|check| check.name == name)?;
        Some((scenario, check))
    }

    /// Every check with its card, in order of ids and cards.
    pub fn checks(&self) -> impl Iterator<Item = (&Scenario, &Check)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| scenario.checks.iter().map(move |check| (scenario, check)))
    }

    /// Every check id, `CARD/alive` of each card included.
    pub fn check_ids(&self) -> BTreeSet<String> {
        let built_in = self
            .scenarios
            .iter()
            .map(|scenario| format!("{}/alive", scenario.id));
        let own = self
            .checks()
            .map(|(scenario, check)| check_id(scenario, check));
        built_in.chain(own).collect()
    }

    /// The level of a check in a revision and the rows that give it; `None` where no row of that revision is cited.
    pub fn level_of(&self, check: &Check, revision: Revision) -> Option<(Level, Vec<Citation>)> {
        self.requirements.level_of(check, revision)
    }

    /// The requirement catalogue.
    pub fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    /// Revision facts, contested topics, fixtures.
    pub fn facts(&self) -> &FactTable {
        &self.facts
    }
}

/// The whole id of a check: `<area>/<scenario>/<check>`.
pub fn check_id(scenario: &Scenario, check: &Check) -> String {
    format!("{}/{}", scenario.id, check.name)
}

/// The revisions of a card, oldest first; none where `until` is before `since`.
pub fn revisions_of(scenario: &Scenario) -> impl Iterator<Item = Revision> {
    let (since, until) = (scenario.since, scenario.until);
    Revision::ALL
        .into_iter()
        .filter(move |revision| *revision >= since)
        .filter(move |revision| until.is_none_or(|until| *revision <= until))
}

fn duplicate(first: &Scenario, second: &Scenario) -> Diagnostic {
    let start = second.source.text.find(&second.id).unwrap_or_default();
    let span = start..start + second.id.len();
    let title = format!("duplicate card id `{}`", second.id);
    Diagnostic::new(&Arc::new(second.source.clone()), span, title, "")
        .hint(format!("`{}` has it too", first.source.path))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Io {
        path: folder.to_owned(),
        source,
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            paths.push(path);
        }
    }
    Ok(())
}
