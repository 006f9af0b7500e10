//! Schemas that a target offers: of the input and output of its tools, of its forms. They are hostile input.
//!
//! ```text
//! schema -> bounds -> dialect -> meta-schema -> references, patterns -> compiled -> verdicts on values
//!            |          |            |                  |                 |            |
//!        undecided  undecided     a finding     finding, or undecided  undecided    undecided
//! ```
//!
//! Nothing is fetched or read: what is referred to lies within the schema, or it is not followed. Work is counted, by a keyword of ours that
//! is put into every subschema and sees each visit; where it is used up, the thread that does it ends. Recursion runs on a stack of its own,
//! but for values of small schemas without references, which most tools have: a thread would cost far more than the verdict.

mod fuel;
mod survey;

use super::dialect::{self, Declared, Dialect};
use super::{Violation, explain};
use fuel::Spent;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ReferencingError, ValidationError, Validator};
use mcp_assay_model::finding::FindingCode;
use mcp_assay_model::protocol::Revision;
use serde_json::Value;

/// Steps that a regular expression with lookaround may go back; others never do.
const BACKTRACKING: usize = 10_000;

/// Bytes of a compiled regular expression.
const PATTERN_SIZE: usize = 1 << 20;

/// Values (scalars and containers) of a value that is judged.
const MAX_VALUES: usize = 200_000;

/// Subschemas above which a compiled schema is taken apart on the big stack too, and none of its verdicts is given off it.
const DEEP: usize = 64;

/// A schema of a target, compiled.
///
/// **Shape**: of a schema that names no dialect, in a revision that has no default, one reading for each of draft-07 and 2020-12 that
/// it is valid by; a verdict is one on which they agree.
#[derive(Debug)]
pub struct OfferedSchema {
    readings: Vec<Reading>,
    subschemas: usize,
    /// Whether it is small, and leads from no place to another.
    is_plain: bool,
}

/// A schema, read in one dialect.
#[derive(Debug)]
struct Reading {
    dialect: Dialect,
    validator: Validator,
    /// Whether its patterns may go back, so that a match may not come to an end.
    backtracks: bool,
}

/// A schema of a target that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unusable {
    /// It is none: the target is wrong.
    Broken(Vec<Violation>),
    /// Nothing can be said of it.
    Undecided(Undecided),
}

/// Why nothing can be said.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Undecided {
    /// More than we work on.
    #[error("more than {limit} {what}")]
    Bound {
        /// What there is too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A dialect that we do not have.
    #[error("dialect `{0}` is not known here")]
    Dialect(String),
    /// It refers to something outside, which is never fetched.
    #[error("refers to `{0}`, which is not fetched")]
    Reference(String),
    /// A regular expression that our engine does not have.
    #[error("pattern that our engine does not have: {0}")]
    Pattern(String),
    /// The work on it is used up.
    #[error("{0} of validation used up")]
    Work(&'static str),
    /// Dialects it may be written in disagree.
    #[error("fits by {fits} and not by {not}, and names neither")]
    Dialects {
        /// Fits by this.
        fits: &'static str,
        /// Does not by this.
        not: &'static str,
    },
    /// What the validator says.
    #[error("{0}")]
    Other(String),
}

impl From<Undecided> for Unusable {
    fn from(undecided: Undecided) -> Self {
        Unusable::Undecided(undecided)
    }
}

impl From<Spent> for Undecided {
    fn from(spent: Spent) -> Self {
        match spent {
            Spent::Work => Undecided::Work("work"),
            Spent::Time => Undecided::Work("time"),
            Spent::Stack => Undecided::Work("stack"),
            Spent::Thread(reason) => Undecided::Other(reason),
        }
    }
}

impl OfferedSchema {
    /// Compiles a schema that a target offered in a revision.
    ///
    /// **Errors**: it is broken, which is a finding; or nothing can be said of it.
    pub fn compile(schema: &Value, revision: Revision) -> Result<Self, Unusable> {
        let survey = survey::survey(schema)?;
        let candidates: &[Dialect] =
            match (dialect::declared(schema), Dialect::default_of(revision)) {
                (Declared::Known(dialect), _) | (Declared::Nothing, Some(dialect)) => &[dialect],
                (Declared::Unknown(address), _) => {
                    return Err(Undecided::Dialect(crate::text::cut(address)).into());
                }
                (Declared::Nothing, None) => &[Dialect::Draft202012, Dialect::Draft7],
            };
        let work = || {
            let mut readings = Vec::new();
            let mut broken = None;
            for &dialect in candidates {
                let violations = explain::violations(dialect.meta(), schema, None);
                if !violations.is_empty() {
                    broken.get_or_insert(violations);
                } else {
                    readings.push(build(schema, dialect)?);
                }
            }
            match (readings.is_empty(), broken) {
                (true, Some(violations)) => Err(Unusable::Broken(violations)),
                _ => Ok(readings),
            }
        };
        let readings = fuel::stacked(fuel::VERDICT, work).map_err(Undecided::from)??;
        Ok(OfferedSchema {
            readings,
            subschemas: survey.subschemas,
            is_plain: survey.is_plain && survey.subschemas <= DEEP,
        })
    }

    /// The dialects it is read in: one, or two where it may be either.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> {
        self.readings.iter().map(|reading| reading.dialect)
    }

    /// Judges a value by the schema; `raw` is its JSON text. Formats are not asserted: no dialect asks for it.
    ///
    /// **Errors**: nothing can be said.
    pub fn judge(&self, value: &Value, raw: Option<&str>) -> Result<Vec<Violation>, Undecided> {
        if dialect::size(value, MAX_VALUES) > MAX_VALUES {
            return Err(Undecided::Bound {
                what: "values to judge",
                limit: MAX_VALUES,
            });
        }
        let mut fits = None;
        let mut not = None;
        for reading in &self.readings {
            if self.is_plain && fuel::at_once(|| reading.validator.is_valid(value)) == Some(true) {
                fits = Some(reading.dialect.name());
                continue;
            }
            let violations = reading.judge(value, raw)?;
            if violations.is_empty() {
                fits = Some(reading.dialect.name());
            } else {
                not.get_or_insert((reading.dialect.name(), violations));
            }
        }
        match (fits, not) {
            (_, None) => Ok(Vec::new()),
            (None, Some((_, violations))) => Ok(violations),
            (Some(fits), Some((not, _))) => Err(Undecided::Dialects { fits, not }),
        }
    }
}

impl Drop for OfferedSchema {
    /// A long chain of subschemas is taken apart link within link.
    fn drop(&mut self) {
        if self.subschemas > DEEP {
            let readings = std::mem::take(&mut self.readings);
            // Without a thread it is taken apart here.
            drop(fuel::stacked(fuel::VERDICT, move || drop(readings)));
        }
    }
}

impl Reading {
    /// The verdict first, then its words: these cost more, and a verdict without them is still one.
    fn judge(&self, value: &Value, raw: Option<&str>) -> Result<Vec<Violation>, Undecided> {
        let validator = &self.validator;
        if fuel::stacked(fuel::VERDICT, || validator.is_valid(value))? {
            return Ok(Vec::new());
        }
        let words = fuel::stacked(fuel::WORDS, || match validator.validate(value) {
            Err(error) if is_unfinished(&error) => Err(Undecided::Work("backtracking")),
            _ => Ok(explain::violations(validator, value, raw)),
        });
        match words {
            Ok(words) => words,
            Err(spent) if self.backtracks => Err(spent.into()),
            Err(_) => Ok(vec![Violation {
                code: FindingCode::Schema,
                message: "the value does not fit, in more ways than can be told".to_owned(),
                expected: "what the schema allows".to_owned(),
                actual: super::text_at(value, raw, ""),
                pointer: String::new(),
                count: 1,
            }]),
        }
    }
}

/// Whether a match did not come to its end.
fn is_unfinished(error: &ValidationError<'_>) -> bool {
    matches!(
        error.kind(),
        ValidationErrorKind::BacktrackLimitExceeded { .. }
    )
}

fn build(schema: &Value, dialect: Dialect) -> Result<Reading, Unusable> {
    let Some(fuelled) = fuel::put_into(schema, dialect) else {
        let reason = "a reference stands beside rules that its dialect ignores";
        return Err(Undecided::Other(reason.to_owned()).into());
    };
    let options = || {
        jsonschema::options()
            .with_draft(dialect.draft())
            .offline()
            .should_validate_formats(false)
            .with_keyword(fuel::KEYWORD, fuel::burn)
    };
    // Most patterns need no going back, and cost no more than the text is long.
    let linear = PatternOptions::regex()
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE);
    let reading = |validator, backtracks| Reading {
        dialect,
        validator,
        backtracks,
    };
    if let Ok(validator) = options().with_pattern_options(linear).build(&fuelled) {
        return Ok(reading(validator, false));
    }
    let backtracking = PatternOptions::fancy_regex()
        .backtrack_limit(BACKTRACKING)
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE);
    options()
        .with_pattern_options(backtracking)
        .build(&fuelled)
        .map(|validator| reading(validator, true))
        .map_err(|error| refused(&error))
}

/// What it means that a schema, valid by its meta-schema, does not compile.
fn refused(error: &ValidationError<'_>) -> Unusable {
    let text = || crate::text::cut(&error.to_string());
    match error.kind() {
        ValidationErrorKind::Referencing(reason) => match reason {
            ReferencingError::PointerToNowhere { pointer } => dangling(pointer),
            ReferencingError::NoSuchAnchor { anchor } => dangling(anchor),
            ReferencingError::Unretrievable { uri, .. } => {
                Undecided::Reference(crate::text::cut(uri)).into()
            }
            _ => Undecided::Other(text()).into(),
        },
        ValidationErrorKind::Format { .. } | ValidationErrorKind::Pattern { .. } => {
            Undecided::Pattern(crate::text::cut(&error.instance().to_string())).into()
        }
        _ => Undecided::Other(text()).into(),
    }
}

/// A reference within the schema that leads nowhere.
fn dangling(place: &str) -> Unusable {
    let shown = crate::text::cut(place);
    Unusable::Broken(vec![Violation {
        code: FindingCode::Schema,
        message: format!("a reference leads to `{shown}`, where nothing is"),
        expected: "references to what the schema has".to_owned(),
        actual: place.to_owned(),
        pointer: String::new(),
        count: 1,
    }])
}

#[cfg(test)]
mod tests;
