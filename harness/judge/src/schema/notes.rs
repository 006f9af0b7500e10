//! Notes: what breaks no rule and is still worth a word. Never a finding.
//!
//! ```text
//! advice of the definition      -> its text
//! a member that nobody knows    -> the known one that it nearly is; any, where the definition lists all there are
//! a method                      -> that nobody knows; that the revision, or one before it, deprecated
//! ```

use super::near::nearest;
use super::{Schemas, advice, text_at};
use crate::text;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Our keyword: every member of the object is known, or noted.
const KNOWN: &str = "mcp-assay-known";

/// Notes on one value; what is beyond is not looked for.
const MAX_NOTES: usize = 50;

/// Links and unions that are followed for the members of one object.
const MAX_LINKS: usize = 64;

/// Something that breaks no rule.
///
/// **Shape**: one for each cause and place, array indices aside, with how often it was seen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// A fragment that a stranger understands.
    pub message: String,
    /// JSON pointer within the judged value, of the first place.
    pub pointer: String,
    /// The text there.
    pub actual: String,
    /// How often.
    pub count: u64,
}

/// Gathers notes; folds those of one cause.
pub(super) struct Notes<'v> {
    root: &'v Value,
    raw: Option<&'v str>,
    places: HashMap<(String, String), usize>,
    notes: Vec<Note>,
}

impl<'v> Notes<'v> {
    pub(super) fn new(root: &'v Value, raw: Option<&'v str>) -> Self {
        Notes {
            root,
            raw,
            places: HashMap::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn into_notes(self) -> Vec<Note> {
        self.notes
    }

    fn add(&mut self, message: String, pointer: &str) {
        let place = (message.clone(), text::generalize(self.root, pointer));
        match self.places.get(&place) {
            Some(&index) => self.notes[index].count += 1,
            None if self.notes.len() < MAX_NOTES => {
                self.places.insert(place, self.notes.len());
                self.notes.push(Note {
                    message,
                    pointer: pointer.to_owned(),
                    actual: text_at(self.root, self.raw, pointer),
                    count: 1,
                });
            }
            None => {}
        }
    }

    /// A method that the revision does not have: lawful, for extensions.
    pub(super) fn unknown_method<'k>(
        &mut self,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let shown = text::cut(name);
        let near = nearest(name, known);
        let near = near
            .map(|near| format!("; there is `{near}`"))
            .unwrap_or_default();
        self.add(format!("method `{shown}` is unknown{near}"), "/method");
    }

    /// A method that the revision still has.
    pub(super) fn deprecated(&mut self, name: &str, since: &str, pointer: &str) {
        self.add(format!("`{name}` is deprecated since {since}"), pointer);
    }

    /// Advice among the errors of a validator that asserts it. A value that breaks rules besides is another's matter.
    pub(super) fn advice<'e>(&mut self, errors: impl IntoIterator<Item = &'e ValidationError<'e>>) {
        for error in errors {
            match error.kind() {
                ValidationErrorKind::Custom { keyword, message } if keyword == advice::ADVICE => {
                    let (within, why) = advice::read(message);
                    let pointer = format!("{}{within}", error.instance_path());
                    let name = text::name(self.root, &pointer);
                    self.add(format!("{name}: {why}"), &pointer);
                }
                ValidationErrorKind::AnyOf { context }
                | ValidationErrorKind::OneOfNotValid { context } => {
                    // The branch that holds but for advice.
                    if let Some(branch) = context.iter().find(|branch| branch.iter().all(is_advice))
                    {
                        self.advice(branch);
                    }
                }
                _ => {}
            }
        }
    }

    /// Members that nobody knows, at a value that these schemas describe.
    pub(super) fn members(
        &mut self,
        schemas: &Schemas,
        described: &[&Value],
        value: &Value,
        pointer: &str,
    ) {
        if self.notes.len() >= MAX_NOTES {
            return;
        }
        let mut known = Known::default();
        let mut links = MAX_LINKS;
        for schema in described {
            known.collect(schemas, schema, value, &mut links);
        }
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.members(schemas, &known.items, item, &format!("{pointer}/{index}"));
                }
            }
            Value::Object(members) => self.object(schemas, &known, members, pointer),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn object(
        &mut self,
        schemas: &Schemas,
        known: &Known<'_>,
        members: &Map<String, Value>,
        pointer: &str,
    ) {
        let absent = |name: &&str| !members.contains_key(*name);
        let absent: Vec<&str> = known.members.keys().copied().filter(absent).collect();
        for (name, member) in members {
            let escaped = name.replace('~', "~0").replace('/', "~1");
            let place = format!("{pointer}/{escaped}");
            match known.members.get(name.as_str()) {
                Some(described) => self.members(schemas, described, member, &place),
                None if !known.others.is_empty() => {
                    self.members(schemas, &known.others, member, &place)
                }
                None if known.members.is_empty() => {}
                None => {
                    let shown = text::cut(name);
                    match nearest(name, absent.iter().copied()) {
                        Some(near) => self.add(
                            format!("member `{shown}` is unknown; there is `{near}`"),
                            &place,
                        ),
                        None if known.is_whole => {
                            self.add(format!("member `{shown}` is unknown"), &place)
                        }
                        None => {}
                    }
                }
            }
        }
    }
}

fn is_advice(error: &ValidationError<'_>) -> bool {
    match error.kind() {
        ValidationErrorKind::Custom { keyword, .. } => keyword == advice::ADVICE,
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.iter().any(|branch| branch.iter().all(is_advice))
        }
        _ => false,
    }
}

/// What several schemas know of one value together.
#[derive(Default)]
struct Known<'s> {
    members: BTreeMap<&'s str, Vec<&'s Value>>,
    others: Vec<&'s Value>,
    items: Vec<&'s Value>,
    is_whole: bool,
}

impl<'s> Known<'s> {
    fn collect(
        &mut self,
        schemas: &'s Schemas,
        schema: &'s Value,
        value: &Value,
        links: &mut usize,
    ) {
        let Value::Object(keywords) = schema else {
            return;
        };
        *links = links.saturating_sub(1);
        if *links == 0 {
            return;
        }
        for (keyword, part) in keywords {
            match (keyword.as_str(), part) {
                ("$ref", Value::String(reference)) => {
                    let name = reference.rsplit('/').next().unwrap_or_default();
                    if let Some(target) = schemas.definitions.get(name) {
                        self.collect(schemas, target, value, links);
                    }
                }
                ("allOf", Value::Array(parts)) => {
                    for part in parts {
                        self.collect(schemas, part, value, links);
                    }
                }
                ("anyOf" | "oneOf", Value::Array(branches)) => {
                    for branch in branches
                        .iter()
                        .filter(|branch| means(schemas, branch, value))
                    {
                        self.collect(schemas, branch, value, links);
                    }
                }
                ("properties", Value::Object(members)) => {
                    for (name, member) in members {
                        self.members.entry(name).or_default().push(member);
                    }
                }
                ("additionalProperties", part) => self.others.push(part),
                ("items", part) => self.items.push(part),
                (KNOWN, _) => self.is_whole = true,
                _ => {}
            }
        }
    }
}

/// Whether a value can mean a branch: it has no constant that the branch has otherwise.
fn means(schemas: &Schemas, branch: &Value, value: &Value) -> bool {
    let named = branch.get("$ref").and_then(Value::as_str);
    let target = named.and_then(|reference| schemas.definitions.get(reference.rsplit('/').next()?));
    let members = target.unwrap_or(branch).get("properties");
    members.and_then(Value::as_object).is_none_or(|members| {
        members.iter().all(|(name, member)| {
            let (wanted, found) = (member.get("const"), value.get(name));
            wanted.is_none() || found.is_none() || wanted == found
        })
    })
}
