//! The requirement catalogue: rows of one revision at a time, and the level that they give a check.
//!
//! Rows of a check in revision R are its cited rows of R and the rows of R whose `same_as` is a cited row; the level is the
//! strongest of them (docs/contracts.md section 1).

use crate::decode::{Decoder, optional};
use crate::diagnostic::Diagnostics;
use crate::yaml::{self, Node};
use mcp_assay_model::protocol::{Revision, Role};
use mcp_assay_model::requirement::{Citation, Form, Keyword, Level, Requirement, Testable};
use mcp_assay_model::scenario::{Basis, Check, Source};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

/// All revisions, each read when it is first asked for.
#[derive(Debug)]
pub struct Requirements {
    sources: Vec<(Revision, Arc<Source>)>,
    read: [OnceLock<Rows>; Revision::ALL.len()],
}

/// The rows of one revision.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Requirement>,
    by_id: HashMap<String, usize>,
    by_first: HashMap<String, Vec<usize>>,
}

impl Requirements {
    /// Those of the binary; read once for all catalogues of a process.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: LazyLock<Arc<Requirements>> =
            LazyLock::new(|| Arc::new(Requirements::unread()));
        Arc::clone(&EMBEDDED)
    }

    fn unread() -> Self {
        let sources = Revision::ALL.into_iter().filter_map(|revision| {
            let path = format!("requirements/{revision}.yaml");
            let file = mcp_assay_suites::REQUIREMENTS
                .iter()
                .find(|file| file.path == path)?;
            let text = file.text.to_owned();
            Some((revision, Arc::new(Source { path, text })))
        });
        Requirements {
            sources: sources.collect(),
            read: Default::default(),
        }
    }

    /// Those of other files, all read at once.
    ///
    /// **Errors**: whatever is wrong with one of them.
    pub fn read(sources: Vec<(Revision, Source)>) -> Result<Self, Diagnostics> {
        let all = Requirements {
            sources: Vec::new(),
            read: Default::default(),
        };
        let mut errors = Diagnostics::default();
        for (revision, source) in sources {
            match parse(&Arc::new(source), revision) {
                Ok(rows) => {
                    // A second file of a revision adds nothing; the file name decides, so there is none.
                    let _ = all.read[index(revision)].set(rows);
                }
                Err(found) => errors.extend(found),
            }
        }
        errors.unless_any(all)
    }

    /// The rows of a revision; none where no file has them.
    ///
    /// Panics only where an embedded file is broken, which the test `embedded_files_are_read` rules out.
    pub fn of(&self, revision: Revision) -> &Rows {
        self.read[index(revision)].get_or_init(|| {
            let source = self.sources.iter().find(|(of, _)| *of == revision);
            source
                .map(|(_, source)| parse(source, revision))
                .transpose()
                .expect("embedded requirements are read by a test")
                .unwrap_or_default()
        })
    }

    /// The row with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        let revision: Revision = id.split('/').next()?.parse().ok()?;
        self.of(revision).get(id)
    }

    /// The level of a check in a revision and the rows that give it; `None` where no row of that revision is cited.
    pub fn level_of(&self, check: &Check, revision: Revision) -> Option<(Level, Vec<Citation>)> {
        if check.basis == Basis::Robustness {
            return Some((Level::Robustness, Vec::new()));
        }
        let rows = self.of(revision).cited(&check.cites);
        let level = rows.iter().map(|row| row.effective_level()).min()?;
        let citations = rows.into_iter().map(|row| Citation {
            id: row.id.clone(),
            url: row.url.clone(),
        });
        Some((level, citations.collect()))
    }
}

fn index(revision: Revision) -> usize {
    Revision::ALL
        .iter()
        .position(|known| *known == revision)
        .expect("ALL has every revision")
}

impl Rows {
    /// Every row, in order of the file.
    pub fn all(&self) -> &[Requirement] {
        &self.rows
    }

    /// The row with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id).map(|at| &self.rows[*at])
    }

    /// The rows that these citations reach, in order of the file, each once.
    pub fn cited(&self, cites: &[String]) -> Vec<&Requirement> {
        let mut found: BTreeSet<usize> = BTreeSet::new();
        for cite in cites {
            found.extend(self.by_id.get(cite));
            found.extend(self.by_first.get(cite).into_iter().flatten());
        }
        found.into_iter().map(|at| &self.rows[at]).collect()
    }
}

/// Whether a row binds this side and can be seen from the other.
pub fn is_testable_for(row: &Requirement, role: Role) -> bool {
    let (own, probe) = match role {
        Role::Server => ("server", Testable::BlackBoxServer),
        Role::Client => ("client", Testable::BlackBoxClient),
    };
    binds(row, own)
        && std::iter::once(&row.testable)
            .chain(&row.also_testable)
            .any(|way| *way == probe || *way == Testable::PassiveObservation)
}

/// Whether a row binds this actor: `server`, `client`.
pub fn binds(row: &Requirement, actor: &str) -> bool {
    row.actor == actor || row.actor == "both"
}

/// Reads the file of one revision.
fn parse(source: &Arc<Source>, revision: Revision) -> Result<Rows, Diagnostics> {
    let root = yaml::parse(source)?;
    let mut d = Decoder::new(source);
    let mut rows = Rows::default();
    for node in d.sequence(&root, "the catalogue").unwrap_or_default() {
        let Some(row) = requirement(&mut d, node) else {
            continue;
        };
        if row.revision() != Some(revision) {
            let title = format!("`{}` is no id of {revision}", row.id);
            d.error(&node.span, title, "");
        }
        let at = rows.rows.len();
        if rows.by_id.insert(row.id.clone(), at).is_some() {
            d.error(&node.span, format!("duplicate id `{}`", row.id), "");
        }
        if let Some(first) = &row.same_as {
            rows.by_first.entry(first.clone()).or_default().push(at);
        }
        rows.rows.push(row);
    }
    d.finish(Some(rows))
}

fn requirement(d: &mut Decoder, node: &Node) -> Option<Requirement> {
    let mut fields = d.mapping(node, "requirement")?;
    let id = fields.need(d, "id").map(|node| d.words(node, "`id`"));
    let level = fields.need(d, "level").map(|node| keyword(d, node));
    let form = optional(fields.take("form"), |node| form(d, node));
    let actor = fields.need(d, "actor").map(|node| d.words(node, "`actor`"));
    let transport = optional(fields.take("transport"), |node| {
        d.words(node, "`transport`")
    });
    let feature = fields
        .need(d, "feature")
        .map(|node| d.words(node, "`feature`"));
    let capability = optional(fields.take("capability"), |node| {
        d.words(node, "`capability`")
    });
    let ways = fields.need(d, "testable").map(|node| testable(d, node));
    let also = optional(fields.take("also_testable"), |node| {
        d.list(node, "`also_testable`", testable)
    });
    let needs = optional(fields.take("needs"), |node| {
        d.list(node, "`needs`", |d, item| d.words(item, "a need"))
    });
    let why = optional(fields.take("why"), |node| d.words(node, "`why`"));
    let url = fields.need(d, "url").map(|node| d.words(node, "`url`"));
    let same_as = optional(fields.take("same_as"), |node| d.words(node, "`same_as`"));
    fields.finish(d);
    Some(Requirement {
        id: id??,
        level: level??,
        form: form?.unwrap_or_default(),
        actor: actor??,
        transport: transport?.unwrap_or_else(|| "any".to_owned()),
        feature: feature??,
        capability: capability?,
        testable: ways??,
        also_testable: also?.unwrap_or_default(),
        needs: needs?.unwrap_or_default(),
        why: why?,
        url: url??,
        same_as: same_as?,
    })
}

/// One of a closed list of words.
fn word<T: Copy>(d: &mut Decoder, node: &Node, what: &str, known: &[(&str, T)]) -> Option<T> {
    let text = d.text(node, what)?;
    match known.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Some(*value),
        None => {
            d.unknown(&node.span, what, &text, known.iter().map(|(name, _)| *name));
            None
        }
    }
}

fn keyword(d: &mut Decoder, node: &Node) -> Option<Keyword> {
    let known = [
        ("MUST", Keyword::Must),
        ("MUST NOT", Keyword::MustNot),
        ("SHOULD", Keyword::Should),
        ("SHOULD NOT", Keyword::ShouldNot),
        ("MAY", Keyword::May),
    ];
    word(d, node, "level", &known)
}

fn form(d: &mut Decoder, node: &Node) -> Option<Form> {
    let known = [("bcp14", Form::Bcp14), ("lowercase", Form::Lowercase)];
    word(d, node, "form", &known)
}

fn testable(d: &mut Decoder, node: &Node) -> Option<Testable> {
    let known = [
        ("black-box-server", Testable::BlackBoxServer),
        ("black-box-client", Testable::BlackBoxClient),
        ("passive-observation", Testable::PassiveObservation),
        ("not-testable", Testable::NotTestable),
    ];
    word(d, node, "way to test", &known)
}

#[cfg(test)]
mod tests {
    use super::Requirements;
    use mcp_assay_model::protocol::Revision;

    #[test]
    fn embedded_files_are_read() {
        let all = Requirements::embedded();
        let counts = Revision::ALL.map(|revision| all.of(revision).all().len());
        assert_eq!(counts, [249, 365, 395, 671, 783]);
    }

    #[test]
    fn every_first_statement_exists_and_is_first() {
        let all = Requirements::embedded();
        for revision in Revision::ALL {
            for row in all.of(revision).all() {
                let Some(first) = &row.same_as else { continue };
                let target = all
                    .get(first)
                    .unwrap_or_else(|| panic!("{first} is missing"));
                assert_eq!(target.same_as, None, "{} points at a repetition", row.id);
                assert!(target.revision() <= row.revision(), "{}", row.id);
            }
        }
    }
}
