//! What a schema says, whatever the way it is put: references followed, `allOf` merged.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A schema document, draft-07 or 2020-12.
pub struct Document {
    definitions: serde_json::Map<String, Value>,
}

impl Document {
    pub fn new(mut document: Value) -> Self {
        let key = if document.get("$defs").is_some() {
            "$defs"
        } else {
            "definitions"
        };
        match document[key].take() {
            Value::Object(definitions) => Document { definitions },
            other => panic!("{other}"),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.definitions.keys().map(String::as_str)
    }

    pub fn definition(&self, name: &str) -> Option<&Value> {
        self.definitions.get(name)
    }

    /// What this official document has under a name of ours: the definition, or the part of one that had no name of its own yet.
    pub fn counterpart(&self, name: &str) -> Option<&Value> {
        let part = match name {
            "Annotations" => "/Annotated/properties/annotations".to_owned(),
            "Error" => "/JSONRPCError/properties/error".to_owned(),
            _ => format!(
                "/{}/properties/params",
                name.strip_suffix("Params").unwrap_or_default()
            ),
        };
        let within = || {
            let mut tokens = part.split('/').skip(1);
            let definition = self.definition(tokens.next()?)?;
            tokens.try_fold(definition, |value, token| value.get(token))
        };
        self.definition(name).or_else(within)
    }

    fn target(&self, schema: &Value) -> Option<(&str, &Value)> {
        let name = schema.get("$ref")?.as_str()?.rsplit('/').next()?;
        let (name, target) = self.definitions.get_key_value(name)?;
        Some((name, target))
    }
}

/// One difference between two schemas.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Difference {
    pub at: String,
    pub kind: &'static str,
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.at, self.kind, self.detail)
    }
}

#[derive(Debug, Default)]
struct Shape<'s> {
    types: BTreeSet<String>,
    values: BTreeSet<String>,
    formats: BTreeSet<String>,
    bounds: BTreeMap<String, String>,
    required: BTreeSet<String>,
    members: BTreeMap<String, Vec<&'s Value>>,
    items: Vec<&'s Value>,
    others: Vec<&'s Value>,
    branches: BTreeSet<String>,
    /// Unions within which this is: one that contains itself is a branch by its name.
    within: Vec<&'s str>,
}

impl<'s> Shape<'s> {
    fn of(document: &'s Document, schemas: &[&'s Value]) -> Self {
        let mut shape = Shape::default();
        schemas
            .iter()
            .for_each(|schema| shape.add(document, schema));
        shape
    }

    fn add(&mut self, document: &'s Document, schema: &'s Value) {
        if let Some((_, target)) = document.target(schema) {
            self.add(document, target);
        }
        let list = |key: &str| {
            schema
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        list("allOf").for_each(|schema| self.add(document, schema));
        list("anyOf").for_each(|schema| self.branch(document, schema));
        self.required
            .extend(list("required").map(|name| name.as_str().unwrap().to_owned()));
        self.values.extend(list("enum").map(Value::to_string));
        self.values
            .extend(schema.get("const").map(Value::to_string));
        match schema.get("type") {
            Some(Value::String(one)) => self.types.extend([one.clone()]),
            Some(Value::Array(several)) => self
                .types
                .extend(several.iter().map(|one| one.as_str().unwrap().to_owned())),
            _ => {}
        }
        self.formats.extend(
            schema
                .get("format")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        for bound in [
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "pattern",
        ] {
            // Those of a schema that describes schemas are members, and no bounds.
            self.bounds.extend(
                schema
                    .get(bound)
                    .map(|limit| (bound.to_owned(), limit.to_string())),
            );
        }
        for (name, member) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            self.members.entry(name.clone()).or_default().push(member);
        }
        self.items.extend(schema.get("items"));
        let says_something = |schema: &&Value| {
            schema
                .as_object()
                .is_some_and(|keywords| !keywords.is_empty())
        };
        self.others
            .extend(schema.get("additionalProperties").filter(says_something));
    }

    /// A branch by its name; a union within the union by its branches; a nameless one by its text.
    fn branch(&mut self, document: &'s Document, schema: &'s Value) {
        match document.target(schema) {
            Some((name, target))
                if target.get("anyOf").is_some() && !self.within.contains(&name) =>
            {
                self.within.push(name);
                self.add(document, target);
                self.within.pop();
            }
            Some((name, _)) => self.branches.extend([name.to_owned()]),
            None => {
                let kind = schema.get("type").map(Value::to_string).unwrap_or_default();
                let mut items = Shape {
                    within: self.within.clone(),
                    ..Shape::default()
                };
                if let Some(schema) = schema.get("items") {
                    items.branch(document, schema);
                }
                self.branches
                    .extend([format!("{kind} of {:?}", items.branches)]);
            }
        }
    }
}

/// Compares two schemas, each within its document; named definitions that both have are compared by themselves, not again here.
pub fn differences(
    ours: &Document,
    our: &Value,
    official: &Document,
    their: &Value,
) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(ours, &[our], official, &[their], "", &mut found);
    found.sort();
    found.dedup();
    found
}

fn compare(
    ours: &Document,
    our: &[&Value],
    official: &Document,
    their: &[&Value],
    at: &str,
    found: &mut Vec<Difference>,
) {
    if let ([one], [other], false) = (our, their, at.is_empty())
        && let (Some((a, _)), Some((b, _))) = (ours.target(one), official.target(other))
        && a == b
        && one.as_object().is_some_and(|keywords| keywords.len() == 1)
    {
        return;
    }
    let (a, b) = (Shape::of(ours, our), Shape::of(official, their));
    let mut differ = |kind, a: &dyn fmt::Debug, b: &dyn fmt::Debug| {
        let (a, b) = (format!("{a:?}"), format!("{b:?}"));
        if a != b {
            found.push(Difference {
                at: at.to_owned(),
                kind,
                detail: format!("ours {a}, official {b}"),
            });
        }
    };
    differ("values", &a.values, &b.values);
    if a.values.is_empty() && b.values.is_empty() {
        differ("type", &a.types, &b.types);
    }
    differ("format", &a.formats, &b.formats);
    differ("bounds", &a.bounds, &b.bounds);
    differ("required", &a.required, &b.required);
    differ("branches", &a.branches, &b.branches);
    let names: BTreeSet<_> = a.members.keys().chain(b.members.keys()).collect();
    for name in names {
        let at = format!("{at}/{name}");
        match (a.members.get(name), b.members.get(name)) {
            (Some(our), Some(their)) => compare(ours, our, official, their, &at, found),
            (one, _) => found.push(Difference {
                at,
                kind: if one.is_some() { "added" } else { "missing" },
                detail: String::new(),
            }),
        }
    }
    for (our, their) in [(&a.items, &b.items), (&a.others, &b.others)] {
        if !our.is_empty() || !their.is_empty() {
            compare(ours, our, official, their, &format!("{at}/*"), found);
        }
    }
}
