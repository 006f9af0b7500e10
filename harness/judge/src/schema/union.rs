//! Unions: which branch a value means, and what to say where it means none.

use super::explain::{Leaf, explain, types, wrong_type};
use super::text_at;
use crate::text;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use mcp_assay_model::finding::FindingCode;
use serde_json::Value;

/// Members whose constant tells which branch of a union a value means.
const DISCRIMINATORS: [&str; 6] = ["type", "method", "mode", "resultType", "jsonrpc", "status"];

type Branch = [ValidationError<'static>];

/// Explains a union by the branch that the value means; by what all branches say, where it could mean several.
pub(super) fn union(
    error: &ValidationError<'_>,
    branches: &[Vec<ValidationError<'static>>],
    root: &Value,
) -> Vec<Leaf> {
    let place = error.instance_path().as_str();
    let fits_type: Vec<&Vec<_>> = branches
        .iter()
        .filter(|branch| !is_other_type(branch, place))
        .collect();
    if fits_type.is_empty() {
        let mut types = Vec::new();
        branches
            .iter()
            .for_each(|branch| types_at(branch, place, &mut types));
        types.dedup();
        return vec![wrong_type(error, root, &types.join(" or "))];
    }
    let meant: Vec<&&Vec<_>> = fits_type
        .iter()
        .filter(|branch| discriminator(branch, place).is_none())
        .collect();
    if let [branch] = meant[..] {
        return branch
            .iter()
            .flat_map(|error| explain(error, root))
            .collect();
    }
    if meant.is_empty() {
        return unknown_variant(error, &fits_type, place, root);
    }
    let explained: Vec<Vec<Leaf>> = meant
        .iter()
        .map(|branch| {
            branch
                .iter()
                .flat_map(|error| explain(error, root))
                .collect()
        })
        .collect();
    // What every branch says is true of the value, whichever was meant.
    let shared: Vec<Leaf> = explained[0]
        .iter()
        .filter(|leaf| {
            explained
                .iter()
                .all(|others| others.iter().any(|other| same(leaf, other)))
        })
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
    for error in branch
        .iter()
        .filter(|error| error.instance_path().as_str() == place)
    {
        match error.kind() {
            ValidationErrorKind::Type { kind } => into.extend(types(kind)),
            ValidationErrorKind::AnyOf { context } => {
                context
                    .iter()
                    .for_each(|inner| types_at(inner, place, into));
            }
            _ => {}
        }
    }
}

/// The discriminator that says that this branch is not meant, with the values that would mean it.
fn discriminator(branch: &Branch, place: &str) -> Option<(String, Vec<String>)> {
    branch.iter().find_map(|error| {
        let path = error.instance_path().as_str();
        let member = path
            .strip_prefix(place)?
            .strip_prefix('/')
            .unwrap_or_default();
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } if is_discriminator(member) => {
                Some((path.to_owned(), vec![expected_value.to_string()]))
            }
            ValidationErrorKind::Enum { options } if is_discriminator(member) => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                Some((
                    path.to_owned(),
                    options.iter().map(Value::to_string).collect(),
                ))
            }
            // A union within the union: all of its branches are meant by something else.
            ValidationErrorKind::AnyOf { context } if member.is_empty() => {
                let inner: Option<Vec<_>> = context
                    .iter()
                    .map(|inner| discriminator(inner, place))
                    .collect();
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
    for (path, values) in branches
        .iter()
        .filter_map(|branch| discriminator(branch, place))
    {
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
    let opening = format!(
        "{} has none of the allowed forms: ",
        text::name(root, &pointer)
    );
    let all = || explained.iter().flatten();
    let code = match all().next() {
        Some(first) if all().all(|leaf| leaf.code == first.code) => first.code,
        _ => FindingCode::Schema,
    };
    let (mut reasons, mut expected): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for leaf in explained.iter().filter_map(|leaves| leaves.first()) {
        // A union within the union has its reasons among the others.
        let reason = leaf.message.strip_prefix(&opening).unwrap_or(&leaf.message);
        for (parts, whole, joint) in [
            (&mut reasons, reason, "; "),
            (&mut expected, leaf.expected.as_str(), ", or "),
        ] {
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
