//! Validation errors in words: which branch of a union was meant, and one violation per root cause.

use super::hint::hint;
use super::union::union;
use super::{Violation, dialect, format, headers, text_at};
use crate::text;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use mcp_assay_model::finding::FindingCode;
use serde_json::Value;
use std::collections::HashMap;

/// Causes that are told one by one: what a hostile target can add to a finding is bounded, and so is the work on it.
const MAX_CAUSES: usize = 50;

/// Judges a value, and explains what does not fit.
pub(super) fn violations(
    validator: &Validator,
    value: &Value,
    raw: Option<&str>,
) -> Vec<Violation> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    let mut leaves = Vec::new();
    for error in validator.iter_errors(value) {
        leaves.extend(explain(&error, value));
    }
    let mut grouped = group(by_the_closest(of_its_type(leaves)), value);
    for violation in &mut grouped {
        violation.actual = text_at(value, raw, &violation.pointer);
    }
    grouped
}

/// One violation before grouping.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leaf {
    pub code: FindingCode,
    pub message: String,
    pub expected: String,
    pub pointer: String,
    pub rule: String,
}

/// What is wrong with the type of a result, without what else is wrong with that result: one of another type has other members.
fn of_its_type(mut leaves: Vec<Leaf>) -> Vec<Leaf> {
    let results: Vec<String> = leaves
        .iter()
        .filter_map(|leaf| leaf.pointer.strip_suffix("/resultType"))
        .map(str::to_owned)
        .collect();
    for result in results {
        let (this, its_type) = (format!("{result}/"), format!("{result}/resultType"));
        leaves.retain(|leaf| {
            let is_within = leaf.pointer == result || leaf.pointer.starts_with(&this);
            !is_within || leaf.pointer == its_type
        });
    }
    leaves
}

/// What a schema as a whole is not, only where nothing within it is said already; and so of the forms that a value may have.
fn by_the_closest(leaves: Vec<Leaf>) -> Vec<Leaf> {
    let is_whole = |leaf: &Leaf| leaf.rule.ends_with(dialect::SCHEMA);
    let is_union = |leaf: &Leaf| leaf.rule.ends_with("/anyOf");
    if !leaves.iter().any(|leaf| is_whole(leaf) || is_union(leaf)) {
        return leaves;
    }
    let places: Vec<String> = leaves
        .iter()
        .filter(|leaf| !is_whole(leaf))
        .map(|leaf| leaf.pointer.clone())
        .collect();
    let is_told = |leaf: &Leaf| {
        let within = format!("{}/", leaf.pointer);
        let mut places = places.iter();
        places.any(|place| (is_whole(leaf) && *place == leaf.pointer) || place.starts_with(&within))
    };
    leaves
        .into_iter()
        .filter(|leaf| !(is_whole(leaf) || is_union(leaf)) || !is_told(leaf))
        .collect()
}

/// Folds violations of one rule at one place, array indices aside; the example kept is the smallest.
fn group(leaves: Vec<Leaf>, root: &Value) -> Vec<Violation> {
    let mut places: HashMap<(String, String, String), usize> = HashMap::new();
    let mut grouped: Vec<(Violation, usize)> = Vec::new();
    let mut more: Option<Violation> = None;
    for leaf in leaves {
        let size = root
            .pointer(&leaf.pointer)
            .map_or(0, |value| value.to_string().len());
        let place = text::generalize(root, &leaf.pointer);
        let violation = Violation {
            code: leaf.code,
            message: leaf.message,
            expected: leaf.expected.clone(),
            actual: String::new(),
            pointer: leaf.pointer,
            count: 1,
        };
        match places.get(&(leaf.rule.clone(), place.clone(), leaf.expected.clone())) {
            None if grouped.len() < MAX_CAUSES => {
                places.insert((leaf.rule, place, leaf.expected), grouped.len());
                grouped.push((violation, size));
            }
            None => match &mut more {
                None => more = Some(violation),
                Some(first) => first.count += 1,
            },
            Some(&index) => {
                let (kept, smallest) = &mut grouped[index];
                let count = kept.count + 1;
                if size < *smallest {
                    (*kept, *smallest) = (violation, size);
                }
                kept.count = count;
            }
        }
    }
    if let Some(first) = &mut more {
        first.message = format!(
            "{} more things do not fit; the first of them: {}",
            first.count, first.message
        );
    }
    let grouped = grouped.into_iter().map(|(violation, _)| violation);
    grouped.chain(more).collect()
}

/// What one error says, in leaves: a union by the branch that was meant.
pub(super) fn explain(error: &ValidationError<'_>, root: &Value) -> Vec<Leaf> {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            union(error, context, root)
        }
        _ => vec![leaf(error, root)],
    }
}

/// A value of another JSON type than is due.
pub(super) fn wrong_type(error: &ValidationError<'_>, root: &Value, expected: &str) -> Leaf {
    let pointer = error.instance_path().as_str().to_owned();
    Leaf {
        code: FindingCode::Schema,
        message: format!(
            "{} is {}, not {expected}",
            text::name(root, &pointer),
            // A number is no integer: say which number.
            match &**error.instance() {
                number @ Value::Number(_) => text::cut(&number.to_string()),
                other => text::kind(other).to_owned(),
            }
        ),
        expected: expected.to_owned(),
        pointer,
        rule: error.schema_path().as_str().to_owned(),
    }
}

/// JSON types with their articles.
pub(super) fn types(kind: &TypeKind) -> Vec<String> {
    let articled = |name: String| match name.as_str() {
        "null" => name,
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(one) => vec![articled(one.to_string())],
        TypeKind::Multiple(several) => several
            .iter()
            .map(|one| articled(one.to_string()))
            .collect(),
    }
}

fn leaf(error: &ValidationError<'_>, root: &Value) -> Leaf {
    let mut leaf = plain_leaf(error, root);
    if let Some(hint) = hint(error) {
        leaf.message = format!("{} ({hint})", leaf.message);
    }
    leaf
}

fn plain_leaf(error: &ValidationError<'_>, root: &Value) -> Leaf {
    use ValidationErrorKind as Kind;
    let pointer = error.instance_path().as_str();
    let name = text::name(root, pointer);
    let shown = text::cut(&error.instance().to_string());
    let (code, message, expected) = match error.kind() {
        Kind::Type { kind } => return wrong_type(error, root, &types(kind).join(" or ")),
        Kind::Required { property } => {
            let member = property.as_str().unwrap_or_default();
            let of = if pointer.is_empty() {
                String::new()
            } else {
                format!(" of {name}")
            };
            (
                FindingCode::Schema,
                format!("member `{member}`{of} is missing"),
                format!("an object with member `{member}`"),
            )
        }
        Kind::Constant { expected_value } => {
            let expected = expected_value.to_string();
            let short = text::cut(&expected);
            (
                FindingCode::Value,
                format!("{name} is {shown}, not {short}"),
                expected,
            )
        }
        Kind::Enum { options } => {
            let options: Vec<_> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(Value::to_string)
                .collect();
            let options = options.join(", ");
            let short = text::cut(&options);
            (
                FindingCode::Value,
                format!("{name} is {shown}, none of {short}"),
                format!("one of {options}"),
            )
        }
        Kind::FalseSchema => (
            FindingCode::Schema,
            format!("{name} must not be there"),
            "nothing".to_owned(),
        ),
        Kind::Custom { keyword, message } => match keyword.as_str() {
            dialect::SCHEMA => (
                FindingCode::Schema,
                format!("{name} is {message}"),
                "a JSON Schema, valid by its dialect".to_owned(),
            ),
            headers::HEADERS => (
                FindingCode::Schema,
                format!("{name} is {message}"),
                "a schema that repeats string, integer and boolean parameters only, each in a header of its own".to_owned(),
            ),
            _ => (
                FindingCode::Schema,
                format!("{name} is {shown}, {message}"),
                "an integer, written without fraction or exponent".to_owned(),
            ),
        },
        Kind::PropertyNames { error } => {
            let member = text::cut(&error.instance().to_string());
            let expected = keyword(error.kind());
            (
                FindingCode::Schema,
                format!("{name} has a member {member}, whose name is not {expected}"),
                format!("member names: {expected}"),
            )
        }
        Kind::Not { schema } => (
            FindingCode::Schema,
            format!("{name} is {shown}, which is not allowed"),
            forbidden(schema),
        ),
        kind => {
            let expected = keyword(kind);
            (
                FindingCode::Schema,
                format!("{name} is {shown}, not {expected}"),
                expected,
            )
        }
    };
    Leaf {
        code,
        message,
        expected,
        pointer: pointer.to_owned(),
        rule: error.schema_path().as_str().to_owned(),
    }
}

/// What a keyword other than the commonest asks for, as a fragment behind 'not'.
fn keyword(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Format { format } => match format.as_str() {
            "uri" => "a URI".to_owned(),
            "uri-template" => "a URI template".to_owned(),
            other => match format::described(other) {
                Some(described) => described.to_owned(),
                None => format!("of format {other}"),
            },
        },
        Kind::Minimum { limit } => format!("{limit} or more"),
        Kind::Maximum { limit } => format!("{limit} or less"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("{limit} or more characters"),
        Kind::MaxLength { limit } => format!("{limit} or fewer characters"),
        Kind::MinItems { limit } => format!("{limit} or more items"),
        Kind::MaxItems { limit } => format!("{limit} or fewer items"),
        Kind::MinProperties { limit } => format!("{limit} or more members"),
        Kind::MaxProperties { limit } => format!("{limit} or fewer members"),
        Kind::Pattern { pattern } => format!("a match of `{pattern}`"),
        Kind::UniqueItems => "a list without repetition".to_owned(),
        Kind::Contains => "a list with the item that is asked for".to_owned(),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let names = text::quoted(unexpected.iter().map(String::as_str));
            format!("an object without {names}")
        }
        Kind::OneOfMultipleValid { .. } => "of exactly one of the allowed forms".to_owned(),
        other => format!("what `{}` asks for", other.keyword()),
    }
}

/// What a `not` asks for: most often that a value is none of a few.
fn forbidden(schema: &Value) -> String {
    let schema = schema.get("schema").unwrap_or(schema);
    match (
        schema.get("const"),
        schema.get("required").and_then(Value::as_array),
    ) {
        (Some(value), _) => format!("anything but {value}"),
        (None, Some(names)) if schema.get("properties").is_none() => {
            let names = text::quoted(names.iter().filter_map(Value::as_str));
            format!("without {names}")
        }
        (None, _) => format!("anything but what fits {schema}"),
    }
}
