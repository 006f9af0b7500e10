//! Where we differ from the official schemas on purpose, and why: which errors a deviation explains.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde::Deserialize;
use std::collections::BTreeSet;

/// One entry of `schemas/deviations.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    pub id: String,
    pub kind: Kind,
    /// Definitions that it is about, `*` for any beginning; all where none is named.
    #[serde(default)]
    pub of: Vec<String>,
    /// Keywords within the definitions that do not hold, of our document if ours is stricter, of the official one if that is.
    #[serde(default)]
    pub at: Vec<String>,
    /// Places within the value, `*` for any member.
    #[serde(default)]
    pub within: Vec<String>,
    pub since: String,
    pub until: String,
    pub why: String,
}

/// Whose verdict is the harder one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Ours: the prose closes what the official schema leaves open.
    Stricter,
    /// The official one: it refuses what the prose or its own source allows.
    Laxer,
    /// Not a matter of definitions: the table of methods asks for params.
    ParamsRequired,
}

impl Deviation {
    pub fn is_in(&self, revision: &str) -> bool {
        (self.since.as_str()..=self.until.as_str()).contains(&revision)
    }

    /// What it names, one by one; each has to be a difference.
    pub fn parts(&self) -> impl Iterator<Item = &String> {
        if self.at.is_empty() {
            &self.within
        } else {
            &self.at
        }
        .iter()
    }

    /// Which of its parts explains an error, if one does.
    fn explains(&self, of: &Compared<'_>, error: &ValidationError<'_>) -> Option<usize> {
        let (keyword, place) = (location(error), error.instance_path().as_str());
        let is_of = |name: &String| match name.strip_prefix('*') {
            Some(end) => of.definition.ends_with(end),
            None => of.definition == name,
        };
        let is_about = self.kind == of.kind
            && self.is_in(of.revision)
            && (self.of.is_empty() || self.of.iter().any(is_of));
        let at = self.at.iter().position(|at| is_within(&keyword, at));
        let within = self.within.iter().position(|at| is_within(place, at));
        match (at, within) {
            _ if !is_about => None,
            (Some(part), _) if self.within.is_empty() || within.is_some() => Some(part),
            (None, Some(part)) if self.at.is_empty() => Some(part),
            _ => None,
        }
    }
}

/// A part of a deviation: the index of the deviation, and of the part within it.
pub type Part = (usize, usize);

/// What is compared, and whose verdict is the harder one.
#[derive(Clone, Copy)]
pub struct Compared<'c> {
    pub revision: &'c str,
    pub definition: &'c str,
    pub kind: Kind,
}

/// Whether a pointer begins with another, segment by segment.
fn is_within(pointer: &str, other: &str) -> bool {
    let mut segments = pointer.split('/');
    other.split('/').all(|wanted| {
        segments
            .next()
            .is_some_and(|one| wanted == "*" || one == wanted)
    })
}

pub fn read() -> Vec<Deviation> {
    serde_json::from_str(mcp_assay_schemas::DEVIATIONS).unwrap()
}

/// The parts of deviations that explain every reason for a refusal, else what is not explained. A union is explained by a
/// branch that would have held, were it not for deviations.
pub fn explain<'e>(
    deviations: &[Deviation],
    of: Compared<'_>,
    errors: impl IntoIterator<Item = &'e ValidationError<'e>>,
) -> Result<BTreeSet<Part>, String> {
    let mut used = BTreeSet::new();
    for error in errors {
        used.extend(one(deviations, of, error)?);
    }
    Ok(used)
}

fn one(
    deviations: &[Deviation],
    of: Compared<'_>,
    error: &ValidationError<'_>,
) -> Result<BTreeSet<Part>, String> {
    for (index, deviation) in deviations.iter().enumerate() {
        if let Some(part) = deviation.explains(&of, error) {
            return Ok(BTreeSet::from([(index, part)]));
        }
    }
    let mut unexplained = format!("{} at {}", location(error), error.instance_path());
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } =
        error.kind()
    {
        for branch in context {
            match explain(deviations, of, branch) {
                Ok(used) => return Ok(used),
                Err(reason) => unexplained = format!("{unexplained}\n    {reason}"),
            }
        }
    }
    Err(unexplained)
}

/// The keyword that does not hold, as `Definition/properties/member/type`.
fn location(error: &ValidationError<'_>) -> String {
    let path = error.schema_path().as_str();
    let path = path
        .strip_prefix("/$defs/")
        .or_else(|| path.strip_prefix("/definitions/"));
    path.unwrap_or_else(|| error.schema_path().as_str())
        .to_owned()
}
