//! JSON Schema judgements: definitions of a revision, and schemas written in cards.
//!
//! ```text
//! mcp-assay-schemas -> Schemas::of(revision) -> judge_definition(name, value)  \
//! card's expect     -> rendered JSON text    -> judge_inline(text, value)      / -> Violations, one per root cause
//! ```
//!
//! Whole messages are judged in `message`, what breaks no rule is noted in `notes`, and schemas that a target offers have a way of their own, in
//! `offered`. No reference leaves memory: the validators know the revision's document and nothing else.

mod advice;
mod dialect;
mod explain;
mod format;
mod headers;
mod hint;
mod inline;
mod message;
mod near;
mod notes;
mod offered;
mod union;

pub use dialect::Dialect;
pub(crate) use format::is_media_type;
pub use notes::Note;
pub use offered::{OfferedSchema, Undecided, Unusable};

use jsonschema::{Draft, Registry, ValidationOptions, Validator};
use mcp_assay_model::finding::{Finding, FindingCode};
use mcp_assay_model::protocol::Revision;
use mcp_assay_wire::raw;
use notes::Notes;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Inline schemas that are kept compiled; cards are few, but a schema may quote what the target sent.
const KEPT: usize = 2048;

/// The result of a request that asked for a task.
const TASK: &str = "CreateTaskResult";

/// The schemas of one revision, compiled when first asked for.
#[derive(Debug)]
pub struct Schemas {
    revision: Revision,
    registry: Registry<'static>,
    definitions: Map<String, Value>,
    /// The definitions, each compiled when first asked for: every message asks, so it asks without a lock.
    validators: HashMap<String, OnceLock<Arc<Validator>>>,
    /// The definitions of responses, which have had several names.
    result: Option<&'static str>,
    error: Option<&'static str>,
    compiled: Mutex<HashMap<Key, Arc<Validator>>>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Key {
    Advice(String),
    Inline(String),
}

/// One way in which a value does not fit a schema.
///
/// **Shape**: violations of one root cause (same rule at the same place, array indices aside) are one, with a count and the
/// smallest example.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// `value` for `const` and `enum`, `schema` for every other keyword.
    pub code: FindingCode,
    /// A fragment that a stranger understands.
    pub message: String,
    /// What the schema allows, as a fragment.
    pub expected: String,
    /// What was there, as JSON text, whole.
    pub actual: String,
    /// JSON pointer within the judged value.
    pub pointer: String,
    /// How often.
    pub count: u64,
}

impl Violation {
    /// As a finding: `prefix` is the pointer of the judged value within the message at `seq`.
    pub fn finding(self, seq: u64, prefix: &str) -> Finding {
        let mut finding = Finding::new(self.code, self.message)
            .expected(self.expected)
            .actual(self.actual)
            .at(seq, &format!("{prefix}{}", self.pointer));
        finding.count = self.count;
        finding
    }
}

/// A schema cannot be used: the card or the harness is wrong, never the target.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SchemaError {
    /// The revision has no such definition.
    #[error("revision {revision} has no definition `{name}`")]
    UnknownDefinition {
        /// Which revision.
        revision: Revision,
        /// The name as given.
        name: String,
    },
    /// The schema has a member that is no keyword, which JSON Schema would pass over in silence.
    #[error("schema has unknown keyword `{keyword}` at `{pointer}`")]
    UnknownKeyword {
        /// The member.
        keyword: String,
        /// Where, within the schema.
        pointer: String,
    },
    /// The text is no JSON, or no JSON Schema.
    #[error("schema does not compile: {reason}")]
    Invalid {
        /// Why, as the compiler says.
        reason: String,
    },
}

impl Schemas {
    /// The schemas of a revision; none where we have no document yet, so that each name is unknown.
    pub fn of(revision: Revision) -> &'static Schemas {
        static ALL: [OnceLock<Schemas>; Revision::ALL.len()] =
            [const { OnceLock::new() }; Revision::ALL.len()];
        let index = Revision::ALL.iter().position(|&known| known == revision);
        let index = index.expect("the list has every revision");
        ALL[index].get_or_init(|| Schemas::load(revision))
    }

    fn load(revision: Revision) -> Schemas {
        let text = mcp_assay_schemas::document(revision.as_str()).unwrap_or("{}");
        let mut document: Value =
            serde_json::from_str(text).expect("the embedded documents are JSON");
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(uri(revision), document.clone())
            .and_then(|registry| registry.prepare())
            .expect("the embedded documents refer to themselves only, as a test shows");
        let definitions = match document.get_mut("$defs").map(Value::take) {
            Some(Value::Object(definitions)) => definitions,
            _ => Map::new(),
        };
        let first = |names: [&'static str; 2]| {
            let mut names = names.into_iter();
            names.find(|name| definitions.contains_key(*name))
        };
        Schemas {
            revision,
            registry,
            validators: definitions
                .keys()
                .map(|name| (name.clone(), OnceLock::new()))
                .collect(),
            result: first(message::RESULT),
            error: first(message::ERROR),
            definitions,
            compiled: Mutex::default(),
        }
    }

    /// Names of the definitions.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.definitions.keys().map(String::as_str)
    }

    /// Whether there is a definition of this name.
    pub fn has(&self, name: &str) -> bool {
        self.definitions.contains_key(name)
    }

    /// Judges a value by a definition of the revision; `raw` is the JSON text of the value, for evidence as it was sent.
    ///
    /// **Errors**: no such definition.
    pub fn judge_definition(
        &self,
        name: &str,
        value: &Value,
        raw: Option<&str>,
    ) -> Result<Vec<Violation>, SchemaError> {
        Ok(explain::violations(self.definition(name)?, value, raw))
    }

    /// The compiled definition itself, shared: whether a value fits, without words, and for comparisons.
    ///
    /// **Errors**: no such definition.
    pub fn validator(&self, name: &str) -> Result<Arc<Validator>, SchemaError> {
        self.definition(name).cloned()
    }

    fn definition(&self, name: &str) -> Result<&Arc<Validator>, SchemaError> {
        let Some(kept) = self.validators.get(name) else {
            return Err(self.unknown(name));
        };
        if let Some(validator) = kept.get() {
            return Ok(validator);
        }
        // Two threads may do the same work once.
        let schema = json!({ "$ref": format!("{}#/$defs/{name}", uri(self.revision)) });
        let validator = self.compile(options(), &schema)?;
        Ok(kept.get_or_init(|| validator))
    }

    fn compile(
        &self,
        options: ValidationOptions<'_>,
        schema: &Value,
    ) -> Result<Arc<Validator>, SchemaError> {
        let validator = options
            .with_registry(&self.registry)
            .build(schema)
            .map_err(|error| SchemaError::Invalid {
                reason: error.to_string(),
            })?;
        Ok(Arc::new(validator))
    }

    /// What of a value breaks no rule of its definition and is still worth a word; `raw` as for
    /// [`judge_definition`](Self::judge_definition).
    ///
    /// **Errors**: no such definition.
    pub fn notes(
        &self,
        name: &str,
        value: &Value,
        raw: Option<&str>,
    ) -> Result<Vec<Note>, SchemaError> {
        let Some(definition) = self.definitions.get(name) else {
            return Err(self.unknown(name));
        };
        let validator = self.compiled(Key::Advice(name.to_owned()), || {
            Ok(json!({ "$ref": format!("{}#/$defs/{name}", uri(self.revision)) }))
        })?;
        // How a number was written is read from the text: a parsed value may have lost it.
        let reparsed = raw.and_then(|raw| serde_json::from_str::<Value>(raw).ok());
        let value = reparsed.as_ref().unwrap_or(value);
        let mut notes = Notes::new(value, raw);
        if !validator.is_valid(value) {
            let errors: Vec<_> = validator.iter_errors(value).collect();
            notes.advice(&errors);
        }
        notes.members(self, &[definition], value, "");
        Ok(notes.into_notes())
    }

    /// Judges the result of a method by its definition; where a method has several, by the one that the result means (by its `resultType`
    /// in the modern era), never by whichever fits. A task is no result here: none was asked for.
    ///
    /// **Errors**: no such method, or one that has no result.
    pub fn judge_result(
        &self,
        method: &str,
        value: &Value,
        raw: Option<&str>,
    ) -> Result<Vec<Violation>, SchemaError> {
        let meant: Vec<&str> = self.results_of(method).collect();
        match meant[..] {
            [] => Err(self.unknown(&format!("result of {method}"))),
            [name] => self.judge_definition(name, value, raw),
            _ => {
                // One of them is what the union asks for; its words are made only where none is.
                if self.is_result(method, value) {
                    return Ok(Vec::new());
                }
                let branches: Vec<Value> =
                    meant.iter().map(|name| json!({ "spec": name })).collect();
                self.judge_inline(&json!({ "anyOf": branches }).to_string(), value, raw)
            }
        }
    }

    /// Whether a value is a result of a method, so that [`judge_result`](Self::judge_result) has nothing to say.
    fn is_result(&self, method: &str, value: &Value) -> bool {
        self.results_of(method).any(|name| {
            let validator = self.definition(name);
            validator.is_ok_and(|validator| validator.is_valid(value))
        })
    }

    /// The definitions of the results of a method; none where it is unknown or has none.
    fn results_of(&self, method: &str) -> impl Iterator<Item = &'static str> + use<> {
        let method = mcp_assay_schemas::method(self.revision.as_str(), method);
        let results = method.into_iter().flat_map(|method| &method.results);
        let results = results.map(String::as_str);
        results.filter(|name| *name != TASK)
    }

    /// Judges a value by a schema written in a card: `spec: Name` stands for a definition of the revision, unknown keywords are
    /// errors, and where the schema itself says `type: integer`, a number written with fraction or exponent is none.
    ///
    /// **Errors**: the schema cannot be used.
    pub fn judge_inline(
        &self,
        schema: &str,
        value: &Value,
        raw: Option<&str>,
    ) -> Result<Vec<Violation>, SchemaError> {
        let validator = self.compile_inline(schema)?;
        // How a number was written is read from the text: a parsed value may have lost it.
        let reparsed = raw.and_then(|raw| serde_json::from_str::<Value>(raw).ok());
        Ok(explain::violations(
            &validator,
            reparsed.as_ref().unwrap_or(value),
            raw,
        ))
    }

    /// Whether a schema written in a card can be used.
    ///
    /// **Errors**: why not.
    pub fn check_inline(&self, schema: &str) -> Result<(), SchemaError> {
        self.compile_inline(schema).map(drop)
    }

    fn compile_inline(&self, schema: &str) -> Result<Arc<Validator>, SchemaError> {
        self.compiled(Key::Inline(schema.to_owned()), || {
            let mut schema =
                serde_json::from_str(schema).map_err(|error| SchemaError::Invalid {
                    reason: error.to_string(),
                })?;
            inline::prepare(&mut schema, "", &|name| {
                if self.has(name) {
                    Ok(format!("{}#/$defs/{name}", uri(self.revision)))
                } else {
                    Err(self.unknown(name))
                }
            })?;
            Ok(schema)
        })
    }

    fn compiled(
        &self,
        key: Key,
        schema: impl FnOnce() -> Result<Value, SchemaError>,
    ) -> Result<Arc<Validator>, SchemaError> {
        let kept = || self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = kept().get(&key) {
            return Ok(Arc::clone(validator));
        }
        // Compiled outside the lock; two threads may do the same work once.
        let options = match key {
            Key::Advice(_) => options().with_keyword(advice::ADVICE, advice::advice),
            Key::Inline(_) => options(),
        };
        let validator = self.compile(options, &schema()?)?;
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&validator));
        Ok(validator)
    }

    fn unknown(&self, name: &str) -> SchemaError {
        SchemaError::UnknownDefinition {
            revision: self.revision,
            name: name.to_owned(),
        }
    }
}

fn uri(revision: Revision) -> String {
    format!("mcp-assay:{revision}")
}

/// Options of every validator: one draft, no retrieval, formats asserted.
fn options<'r>() -> ValidationOptions<'r> {
    let options = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .with_keyword(dialect::SCHEMA, dialect::schema)
        .with_keyword(headers::HEADERS, headers::headers)
        .with_keyword(inline::PLAIN_INTEGER, inline::plain_integer);
    format::with_all(options)
}

/// The text of a value as it was sent, where it is known, else as it is written anew.
fn text_at(value: &Value, raw: Option<&str>, pointer: &str) -> String {
    raw.and_then(|raw| raw::at(raw, pointer))
        .map(str::to_owned)
        .or_else(|| value.pointer(pointer).map(Value::to_string))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
