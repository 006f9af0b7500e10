//! Revision facts: literals that differ by revision, by dotted path; bindings a revision defines; contested topics; fixtures.

use crate::decode::{Decoder, optional};
use crate::diagnostic::Diagnostics;
use crate::yaml::{self, Node, Value};
use mcp_assay_model::protocol::{Binding, Era, Revision};
use mcp_assay_model::scenario::Source;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What `suites/revisions/` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FactTable {
    revisions: BTreeMap<Revision, Facts>,
    contested: Vec<Contested>,
    exceptions: Vec<Exception>,
    fixtures: Vec<Fixture>,
}

/// Facts of one revision.
///
/// **Shape**: by dotted path, whole lists and mappings included; numbers write as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    values: BTreeMap<String, Json>,
    bindings: Vec<Binding>,
}

impl Facts {
    /// The value at a dotted path, such as `code.resource-not-found`.
    pub fn get(&self, path: &str) -> Option<&Json> {
        self.values.get(path)
    }

    /// The milliseconds at a dotted path, such as `deadline.normal`.
    pub fn millis(&self, path: &str) -> Option<u64> {
        self.get(path)?.as_u64()
    }

    /// Every path, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The bindings that the revision defines.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Whether the revision defines a binding; memory carries the lines of stdio. Elsewhere messages are judged and transport rules do not apply.
    pub fn defines(&self, binding: Binding) -> bool {
        self.bindings
            .iter()
            .any(|defined| binding.satisfies(*defined))
    }
}

/// A topic on which the specification conflicts with itself or leaves a gap.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contested {
    /// Named by `contested:` in a card.
    pub id: String,
    /// What it is about, as a fragment.
    pub topic: String,
}

/// A testable sentence that no check and no rule covers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Exception {
    /// Its id, or that of its first statement.
    pub id: String,
    /// Why.
    pub why: String,
}

/// What a target must offer for some checks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fixture {
    /// As in `needs: [fixture:NAME]` and in the profile.
    pub name: String,
    /// What a tool or resource must do to serve as one.
    pub serves: String,
    /// How discovery finds one by itself.
    pub found: String,
    /// What the profile gives and cards address.
    pub fields: Vec<FixtureField>,
}

/// One field of a fixture.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FixtureField {
    /// As in `{$fixture: slow.NAME}`.
    pub name: String,
    /// What its value is.
    pub kind: FieldKind,
    /// Whether a profile must give it.
    pub required: bool,
    /// What it means, as a fragment.
    pub about: String,
}

/// JSON type of a fixture's field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldKind {
    /// A string.
    String,
    /// A number.
    Number,
    /// An object, whose members cards may address too.
    Object,
}

impl FieldKind {
    /// The word used in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            FieldKind::String => "string",
            FieldKind::Number => "number",
            FieldKind::Object => "object",
        }
    }
}

impl FactTable {
    /// Those of the binary.
    ///
    /// **Errors**: a broken embedded file, which a test rules out.
    pub fn embedded() -> Result<Self, Diagnostics> {
        let sources = mcp_assay_suites::REVISIONS.iter().map(|file| Source {
            path: file.path.to_owned(),
            text: file.text.to_owned(),
        });
        FactTable::read(sources)
    }

    /// Those of these files, told apart by name: `contested.yaml`, `exceptions.yaml`, `fixtures.yaml`, `<revision>.yaml`.
    ///
    /// **Errors**: everything that is wrong with them.
    pub fn read(sources: impl IntoIterator<Item = Source>) -> Result<Self, Diagnostics> {
        let mut facts = FactTable::default();
        let mut errors = Diagnostics::default();
        for source in sources {
            let source = Arc::new(source);
            let outcome = facts.add(&source);
            if let Err(found) = outcome {
                errors.extend(found);
            }
        }
        errors.unless_any(facts)
    }

    fn add(&mut self, source: &Arc<Source>) -> Result<(), Diagnostics> {
        let root = yaml::parse(source)?;
        let mut d = Decoder::new(source);
        let name = source.path.rsplit('/').next().unwrap_or_default();
        let read = match name {
            "contested.yaml" => contested(&mut d, &root).map(|list| self.contested = list),
            "exceptions.yaml" => exceptions(&mut d, &root).map(|list| self.exceptions = list),
            "fixtures.yaml" => fixtures(&mut d, &root).map(|list| self.fixtures = list),
            _ => revision(&mut d, &root, name).map(|(revision, facts)| {
                self.revisions.insert(revision, facts);
            }),
        };
        d.finish(read)
    }

    /// The facts of a revision; `None` where no file has them.
    pub fn of(&self, revision: Revision) -> Option<&Facts> {
        self.revisions.get(&revision)
    }

    /// Every revision with its facts, oldest first.
    pub fn revisions(&self) -> &BTreeMap<Revision, Facts> {
        &self.revisions
    }

    /// Testable sentences that nothing covers, in order of the file.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The contested topics, in order of the file.
    pub fn contested(&self) -> &[Contested] {
        &self.contested
    }

    /// The fixtures, in order of the file.
    pub fn fixtures(&self) -> &[Fixture] {
        &self.fixtures
    }

    /// The fixture with this name.
    pub fn fixture(&self, name: &str) -> Option<&Fixture> {
        self.fixtures.iter().find(|fixture| fixture.name == name)
    }
}

fn revision(d: &mut Decoder, root: &Node, name: &str) -> Option<(Revision, Facts)> {
    let entries = d.entries(root, "revision facts")?;
    let stem = name.strip_suffix(".yaml").unwrap_or(name);
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let (Some(date), Some(era), Some(bindings)) = (find("revision"), find("era"), find("bindings"))
    else {
        let title = "revision facts without `revision`, `era` and `bindings`";
        d.error(&root.span, title, "");
        return None;
    };
    let date_read: Option<Revision> = d.name(&date.value, "`revision`");
    let bindings = d.list(&bindings.value, "`bindings`", |d, item| {
        d.name(item, "a binding")
    });
    let revision = date_read?;
    if revision.as_str() != stem {
        let title = format!("`{revision}` in a file named `{name}`");
        d.error(&date.value.span, title, "");
    }
    let wanted = match revision.era() {
        Era::Legacy => "legacy",
        Era::Modern => "modern",
    };
    if era.value.text() != Some(wanted) {
        let title = format!("era of {revision} is `{wanted}`");
        d.error(&era.value.span, title, "");
    }
    let mut values = BTreeMap::new();
    flatten(root, "", &mut values);
    let facts = Facts {
        values,
        bindings: bindings?,
    };
    Some((revision, facts))
}

fn flatten(node: &Node, path: &str, values: &mut BTreeMap<String, Json>) {
    if !path.is_empty() {
        values.insert(path.to_owned(), json(node));
    }
    if let Value::Mapping(entries) = &node.value {
        for entry in entries {
            let inner = if path.is_empty() {
                entry.key.clone()
            } else {
                format!("{path}.{}", entry.key)
            };
            flatten(&entry.value, &inner, values);
        }
    }
}

/// A node as JSON; strict scalars write back as they were read.
pub(crate) fn json(node: &Node) -> Json {
    match &node.value {
        Value::Text { text, .. } => Json::String(text.clone()),
        Value::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.value)))
            .collect(),
    }
}

fn contested(d: &mut Decoder, root: &Node) -> Option<Vec<Contested>> {
    let mut fields = d.mapping(root, "file of contested topics")?;
    let list = fields.need(d, "contested").map(|node| {
        d.list(node, "`contested`", |d, item| {
            let mut fields = d.mapping(item, "contested topic")?;
            let id = fields.need(d, "id").map(|node| d.words(node, "`id`"));
            let topic = fields.need(d, "topic").map(|node| d.words(node, "`topic`"));
            fields.finish(d);
            Some(Contested {
                id: id??,
                topic: topic??,
            })
        })
    });
    fields.finish(d);
    list?
}

fn exceptions(d: &mut Decoder, root: &Node) -> Option<Vec<Exception>> {
    let mut fields = d.mapping(root, "file of exceptions")?;
    let list = fields.need(d, "exceptions").map(|node| {
        d.list(node, "`exceptions`", |d, item| {
            let mut fields = d.mapping(item, "exception")?;
            let id = fields.need(d, "id").map(|node| d.words(node, "`id`"));
            let why = fields.need(d, "why").map(|node| d.words(node, "`why`"));
            fields.finish(d);
            Some(Exception {
                id: id??,
                why: why??,
            })
        })
    });
    fields.finish(d);
    list?
}

fn fixtures(d: &mut Decoder, root: &Node) -> Option<Vec<Fixture>> {
    let mut fields = d.mapping(root, "file of fixtures")?;
    let list = fields
        .need(d, "fixtures")
        .map(|node| d.list(node, "`fixtures`", fixture));
    fields.finish(d);
    list?
}

fn fixture(d: &mut Decoder, node: &Node) -> Option<Fixture> {
    let mut fields = d.mapping(node, "fixture")?;
    let name = fields.need(d, "name").map(|node| d.words(node, "`name`"));
    let serves = fields
        .need(d, "serves")
        .map(|node| d.words(node, "`serves`"));
    let found = fields.need(d, "found").map(|node| d.words(node, "`found`"));
    let list = fields
        .need(d, "fields")
        .map(|node| d.list(node, "`fields`", field));
    fields.finish(d);
    Some(Fixture {
        name: name??,
        serves: serves??,
        found: found??,
        fields: list??,
    })
}

fn field(d: &mut Decoder, node: &Node) -> Option<FixtureField> {
    let mut fields = d.mapping(node, "field of a fixture")?;
    let name = fields.need(d, "name").map(|node| d.words(node, "`name`"));
    let kind = fields.need(d, "type").map(|node| {
        let text = d.text(node, "`type`")?;
        let known = [FieldKind::String, FieldKind::Number, FieldKind::Object];
        let found = known.into_iter().find(|kind| kind.as_str() == text);
        if found.is_none() {
            d.unknown(&node.span, "type", &text, known.map(FieldKind::as_str));
        }
        found
    });
    let required = optional(fields.take("required"), |node| match &node.value {
        Value::Json(text) if text == "true" => Some(true),
        Value::Json(text) if text == "false" => Some(false),
        Value::Json(_) | Value::Text { .. } | Value::Sequence(_) | Value::Mapping(_) => {
            d.expected(node, "true or false", "`required`");
            None
        }
    });
    let about = fields.need(d, "about").map(|node| d.words(node, "`about`"));
    fields.finish(d);
    Some(FixtureField {
        name: name??,
        kind: kind??,
        required: required?.unwrap_or(false),
        about: about??,
    })
}

#[cfg(test)]
mod tests {
    use super::FactTable;
    use mcp_assay_model::protocol::{Binding, Revision};

    #[test]
    fn embedded_facts_answer_by_path() {
        let table = FactTable::embedded().unwrap();
        let code = |revision| {
            let value = table.of(revision).unwrap().get("code.resource-not-found");
            value.unwrap().to_string()
        };
        assert_eq!(code(Revision::R2025_11_25), "-32002");
        assert_eq!(code(Revision::R2026_07_28), "-32602");
        for revision in Revision::ALL {
            let facts = table.of(revision).unwrap();
            assert_eq!(facts.get("revision").unwrap(), revision.as_str());
            assert!(facts.millis("deadline.normal").is_some());
            assert!(facts.defines(Binding::Stdio));
            assert!(facts.defines(Binding::Memory));
        }
        let oldest = table.of(Revision::R2024_11_05).unwrap();
        assert!(!oldest.defines(Binding::Http));
        assert!(oldest.defines(Binding::HttpSse));
        assert!(table.fixture("slow").is_some());
        assert!(table.contested().len() > 20);
    }
}
