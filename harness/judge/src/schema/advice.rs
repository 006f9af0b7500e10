//! Advice: what breaks no rule that must hold, and is worth a note. It stands in our documents beside the rules, and is asserted only where
//! notes are asked for.

use super::{format, inline};
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError, Validator};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Our keyword: a list of `{ "why": text, "schema": schema }`.
pub(super) const ADVICE: &str = "mcp-assay-advice";

/// Our keyword within advice: the items of a list differ in this member.
const UNIQUE_BY: &str = "mcp-assay-unique-by";

/// What stands between the place within the value and the text of an advice; no text of ours has it.
const BETWEEN: char = '\n';

/// The pointer within the value at the keyword, and the text, of an error that [`advice`] made.
pub(super) fn read(message: &str) -> (&str, &str) {
    message.rsplit_once(BETWEEN).unwrap_or(("", message))
}

/// Makes the check behind [`ADVICE`].
pub(super) fn advice<'a>(
    _siblings: &'a Map<String, Value>,
    value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let entries = value.as_array().into_iter().flatten().map(|entry| {
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(true)
            .with_keyword(inline::PLAIN_INTEGER, inline::plain_integer)
            .with_keyword(UNIQUE_BY, unique_by);
        let validator = format::with_all(options).build(&entry["schema"])?;
        let why = entry["why"].as_str().unwrap_or_default().to_owned();
        Ok((why, validator))
    });
    let entries = entries.collect::<Result<Vec<_>, ValidationError<'static>>>()?;
    Ok(Box::new(Advice { entries }))
}

struct Advice {
    entries: Vec<(String, Validator)>,
}

impl<'i> Keyword<'i> for Advice {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.iter_errors(instance).next() {
            None => Ok(()),
            Some(error) => Err(error),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        self.entries
            .iter()
            .all(|(_, validator)| validator.is_valid(instance))
    }

    fn iter_errors(
        &self,
        instance: &'i Value,
    ) -> Box<dyn Iterator<Item = ValidationError<'i>> + 'i> {
        let errors: Vec<_> = self
            .entries
            .iter()
            .filter_map(|(why, validator)| {
                let error = validator.validate(instance).err()?;
                let place = error.instance_path().as_str();
                Some(ValidationError::custom(format!("{place}{BETWEEN}{why}")))
            })
            .collect();
        Box::new(errors.into_iter())
    }
}

fn unique_by<'a>(
    _siblings: &'a Map<String, Value>,
    value: &'a Value,
    _path: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let member = value.as_str().unwrap_or_default().to_owned();
    Ok(Box::new(UniqueBy { member }))
}

struct UniqueBy {
    member: String,
}

impl<'i> Keyword<'i> for UniqueBy {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) {
            Ok(())
        } else {
            Err(ValidationError::custom("twice the same"))
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        let mut seen = HashSet::new();
        let items = instance.as_array().into_iter().flatten();
        let mut names = items.filter_map(|item| item.get(&self.member)?.as_str());
        names.all(|name| seen.insert(name))
    }
}
