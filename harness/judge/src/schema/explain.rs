//! Validation errors in words: which branch of a union was meant, and one violation per root cause.

use super::{Violation, text_at};
use crate::text;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use mcp_assay_model::finding::FindingCode;
use serde_json::Value;
use std::collections::HashMap;

/// Members whose constant tells which branch of a union a value means.
const DISCRIMINATORS: [&str; 6] = ["type", "method", "mode", "resultType", "jsonrpc", "status"];

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
    let mut grouped = group(leaves, value);
    for violation in &mut grouped {
        violation.actual = text_at(value, raw, &violation.pointer);
    }
    grouped
}

/// One violation before grouping.
#[derive(Clone, Debug, PartialEq)]
struct Leaf {
    code: FindingCode,
    message: String,
    expected: String,
    pointer: String,
    rule: String,
}

/// Folds violations of one rule at one place, array indices aside; the example kept is the smallest.
fn group(leaves: Vec<Leaf>, root: &Value) -> Vec<Violation> {
    let mut places: HashMap<(String, String, String), usize> = HashMap::new();
    let mut grouped: Vec<(Violation, usize)> = Vec::new();
    for leaf in leaves {
        let size = root.pointer(&leaf.pointer).map_or(0, |value| value.to_string().len());
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
            None => {
                places.insert((leaf.rule, place, leaf.expected), grouped.len());
                grouped.push((violation, size));
            }
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
    grouped.into_iter().map(|(violation, _)| violation).collect()
}

fn explain(error: &ValidationError<'_>, root: &Value) -> Vec<Leaf> {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            union(error, context, root)
        }
        _ => vec![leaf(error, root)],
    }
}

type Branch = [ValidationError<'static>];

/// Explains a union by the branch that the value means; by what all branches say, where it could mean several.
fn union(
    error: &ValidationError<'_>,
    branches: &[Vec<ValidationError<'static>>],
    root: &Value,
) -> Vec<Leaf> {
    let place = error.instance_path().as_str();
    let fits_type: Vec<&Vec<_>> =
        branches.iter().filter(|branch| !is_other_type(branch, place)).collect();
    if fits_type.is_empty() {
        let mut types = Vec::new();
        branches.iter().for_each(|branch| types_at(branch, place, &mut types));
        types.dedup();
        return vec![wrong_type(error, root, &types.join(" or "))];
    }
    let meant: Vec<&&Vec<_>> =
        fits_type.iter().filter(|branch| discriminator(branch, place).is_none()).collect();
    if let [branch] = meant[..] {
        return branch.iter().flat_map(|error| explain(error, root)).collect();
    }
    if meant.is_empty() {
        return unknown_variant(error, &fits_type, place, root);
    }
    let explained: Vec<Vec<Leaf>> = meant
        .iter()
        .map(|branch| branch.iter().flat_map(|error| explain(error, root)).collect())
        .collect();
    // What every branch says is true of the value, whichever was meant.
    let shared: Vec<Leaf> = explained[0]
        .iter()
        .filter(|leaf| explained.iter().all(|others| others.iter().any(|other| same(leaf, other))))
        .cloned()
        .collect();
    if shared.is_empty() {
        vec![no_variant(error, &explained, root)]
    } else {
        shared
    }
}

fn same(a: &Leaf, b: &Leaf) -> bool {
    (a.code, &a.message, &a.pointer) == (b.code, &b.message, &b.pointer)
}

/// Whether a branch is for another JSON type altogether.
fn is_other_type(branch: &Branch, place: &str) -> bool {
    branch.iter().any(|error| {
        error.instance_path().as_str() == place
            && match error.kind() {
                ValidationErrorKind::Type { .. } => true,
                ValidationErrorKind::AnyOf { context } => {
                    context.iter().all(|inner| is_other_type(inner, place))
                }
                _ => false,
            }
    })
}

fn types_at(branch: &Branch, place: &str, into: &mut Vec<String>) {
    for error in branch.iter().filter(|error| error.instance_path().as_str() == place) {
        match error.kind() {
            ValidationErrorKind::Type { kind } => into.extend(types(kind)),
            ValidationErrorKind::AnyOf { context } => {
                context.iter().for_each(|inner| types_at(inner, place, into));
            }
            _ => {}
        }
    }
}

/// The discriminator that says that this branch is not meant, with the values that would mean it.
fn discriminator(branch: &Branch, place: &str) -> Option<(String, Vec<String>)> {
    branch.iter().find_map(|error| {
        let path = error.instance_path().as_str();
        let member = path.strip_prefix(place)?.strip_prefix('/').unwrap_or_default();
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } if is_discriminator(member) => {
                Some((path.to_owned(), vec![expected_value.to_string()]))
            }
            ValidationErrorKind::Enum { options } if is_discriminator(member) => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                Some((path.to_owned(), options.iter().map(Value::to_string).collect()))
            }
            // A union within the union: all of its branches are meant by something else.
            ValidationErrorKind::AnyOf { context } if member.is_empty() => {
                let inner: Option<Vec<_>> =
                    context.iter().map(|inner| discriminator(inner, place)).collect();
                let mut inner = inner?.into_iter();
                let first = inner.next()?;
                Some(inner.fold(first, |(path, mut values), (_, more)| {
                    values.extend(more);
                    (path, values)
                }))
            }
            _ => None,
        }
    })
}

fn is_discriminator(member: &str) -> bool {
    DISCRIMINATORS.contains(&member)
}

fn unknown_variant(
    error: &ValidationError<'_>,
    branches: &[&Vec<ValidationError<'static>>],
    place: &str,
    root: &Value,
) -> Vec<Leaf> {
    let mut known: Vec<String> = Vec::new();
    let mut at = place.to_owned();
    for (path, values) in branches.iter().filter_map(|branch| discriminator(branch, place)) {
        at = path;
        for value in values {
            if !known.contains(&value) {
                known.push(value);
            }
        }
    }
    let known = known.join(", ");
    vec![Leaf {
        code: FindingCode::Value,
        message: format!(
            "{} is {}, none of {known}",
            text::name(root, &at),
            text::cut(&text_at(root, None, &at))
        ),
        expected: format!("one of {known}"),
        pointer: at,
        rule: error.schema_path().as_str().to_owned(),
    }]
}

fn no_variant(error: &ValidationError<'_>, explained: &[Vec<Leaf>], root: &Value) -> Leaf {
    let pointer = error.instance_path().as_str().to_owned();
    let opening = format!("{} has none of the allowed forms: ", text::name(root, &pointer));
    let all = || explained.iter().flatten();
    let code = match all().next() {
        Some(first) if all().all(|leaf| leaf.code == first.code) => first.code,
        _ => FindingCode::Schema,
    };
    let (mut reasons, mut expected): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for leaf in explained.iter().filter_map(|leaves| leaves.first()) {
        // A union within the union has its reasons among the others.
        let reason = leaf.message.strip_prefix(&opening).unwrap_or(&leaf.message);
        for (parts, whole, joint) in
            [(&mut reasons, reason, "; "), (&mut expected, leaf.expected.as_str(), ", or ")]
        {
            for part in whole.split(joint) {
                if !parts.contains(&part) {
                    parts.push(part);
                }
            }
        }
    }
    Leaf {
        code,
        message: format!("{opening}{}", reasons.join("; ")),
        expected: expected.join(", or "),
        pointer,
        rule: error.schema_path().as_str().to_owned(),
    }
}

fn wrong_type(error: &ValidationError<'_>, root: &Value, expected: &str) -> Leaf {
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

fn types(kind: &TypeKind) -> Vec<String> {
    let articled = |name: String| match name.as_str() {
        "null" => name,
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(one) => vec![articled(one.to_string())],
        TypeKind::Multiple(several) => several.iter().map(|one| articled(one.to_string())).collect(),
    }
}

fn leaf(error: &ValidationError<'_>, root: &Value) -> Leaf {
    use ValidationErrorKind as Kind;
    let pointer = error.instance_path().as_str();
    let name = text::name(root, pointer);
    let shown = text::cut(&error.instance().to_string());
    let (code, message, expected) = match error.kind() {
        Kind::Type { kind } => return wrong_type(error, root, &types(kind).join(" or ")),
        Kind::Required { property } => {
            let member = property.as_str().unwrap_or_default();
            let of = if pointer.is_empty() { String::new() } else { format!(" of {name}") };
            (
                FindingCode::Schema,
                format!("member `{member}`{of} is missing"),
                format!("an object with member `{member}`"),
            )
        }
        Kind::Constant { expected_value } => {
            let expected = expected_value.to_string();
            let short = text::cut(&expected);
            (FindingCode::Value, format!("{name} is {shown}, not {short}"), expected)
        }
        Kind::Enum { options } => {
            let options: Vec<_> = options.as_array().into_iter().flatten().map(Value::to_string).collect();
            let options = options.join(", ");
            let short = text::cut(&options);
            (FindingCode::Value, format!("{name} is {shown}, none of {short}"), format!("one of {options}"))
        }
        Kind::FalseSchema => (
            FindingCode::Schema,
            format!("{name} must not be there"),
            "nothing".to_owned(),
        ),
        Kind::Custom { message, .. } => (
            FindingCode::Schema,
            format!("{name} is {shown}, {message}"),
            "an integer, written without fraction or exponent".to_owned(),
        ),
        kind => {
            let expected = keyword(kind);
            (FindingCode::Schema, format!("{name} is {shown}, not {expected}"), expected)
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
            "byte" => "base64 (RFC 4648 section 4)".to_owned(),
            "uri" => "a URI".to_owned(),
            "uri-template" => "a URI template".to_owned(),
            other => format!("of format {other}"),
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
        Kind::PropertyNames { .. } => "an object with such member names".to_owned(),
        Kind::OneOfMultipleValid { .. } => "of exactly one of the allowed forms".to_owned(),
        Kind::Not { .. } => "of any but the forbidden form".to_owned(),
        other => format!("what `{}` asks for", other.keyword()),
    }
}
