//! `${NAME}` in texts of the command line and of clients' configurations.
//!
//! Clients write it in several ways: `${NAME}`, `${env:NAME}`, and `${NAME:-default}` for one that may be unset.

/// What a text may refer to, by name.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A text whose variables cannot be filled in.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum VariableError {
    /// It is not set, and has no default.
    #[error("variable `{0}` is not set")]
    Unset(String),
    /// Only an editor can ask for it.
    #[error("`${{input:{0}}}` is asked for by an editor, and there is none here")]
    Input(String),
    /// It is no variable.
    #[error("broken variable in `{0}`")]
    Broken(String),
}

impl VariableError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            VariableError::Unset(name) => {
                format!("set it in the environment: `{name}=... mcp-assay ...`")
            }
            VariableError::Input(name) => {
                let name = variable_of(name);
                format!("write `${{{name}}}` in its place, and set {name} in the environment")
            }
            VariableError::Broken(_) => "write `${NAME}`".to_owned(),
        }
    }
}

/// A variable that stands in a text.
struct Variable<'t> {
    name: &'t str,
    default: Option<&'t str>,
}

impl<'t> Variable<'t> {
    /// Of what stands between the braces.
    fn read(inner: &'t str, text: &str) -> Result<Self, VariableError> {
        if let Some(name) = inner.strip_prefix("input:") {
            return Err(VariableError::Input(name.to_owned()));
        }
        let inner = inner.strip_prefix("env:").unwrap_or(inner);
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let fits = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if fits {
            Ok(Variable { name, default })
        } else {
            Err(VariableError::Broken(text.to_owned()))
        }
    }
}

/// Literal parts of a text and the variables between them.
///
/// **Shape**: pairs of a literal, which may be empty, and what follows it; the last has nothing behind it.
fn parts(text: &str) -> Result<Vec<(&str, Option<Variable<'_>>)>, VariableError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inner, tail) = after
            .split_once('}')
            .ok_or_else(|| VariableError::Broken(text.to_owned()))?;
        parts.push((before, Some(Variable::read(inner, text)?)));
        rest = tail;
    }
    parts.push((rest, None));
    Ok(parts)
}

/// The text with its variables filled in. Each value used goes to `used` with its name; values are not filled in again.
///
/// **Errors**: a variable that is not set, or that is none.
pub fn fill(
    text: &str,
    environment: Environment<'_>,
    used: &mut Vec<(String, String)>,
) -> Result<String, VariableError> {
    let mut out = String::new();
    for (literal, variable) in parts(text)? {
        out.push_str(literal);
        let Some(Variable { name, default }) = variable else {
            continue;
        };
        match (environment(name), default) {
            (Some(value), _) => {
                out.push_str(&value);
                used.push((name.to_owned(), value));
            }
            (None, Some(default)) => out.push_str(default),
            (None, None) => return Err(VariableError::Unset(name.to_owned())),
        }
    }
    Ok(out)
}

/// What a text holds beside its variables; a default counts, because it stands in the text.
pub fn literals(text: &str) -> String {
    match parts(text) {
        Ok(parts) => parts
            .into_iter()
            .flat_map(|(literal, variable)| {
                [
                    literal,
                    variable.and_then(|variable| variable.default).unwrap_or(""),
                ]
            })
            .collect(),
        Err(_) => text.to_owned(),
    }
}

/// The name of a variable that could hold what has this name: `X-Api-Key` gives `X_API_KEY`.
pub fn variable_of(name: &str) -> String {
    let letter = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_uppercase(),
        false => '_',
    };
    let name: String = name.chars().map(letter).collect();
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => name,
        Some(_) | None => format!("_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{VariableError, fill, literals, variable_of};

    fn filled(text: &str) -> Result<String, VariableError> {
        let environment = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "B_2" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        fill(text, &environment, &mut Vec::new())
    }

    #[test]
    fn variables_are_filled_in_once_in_each_way_to_write_them() {
        for (text, expected) in [
            ("", ""),
            ("no $A {A}", "no $A {A}"),
            ("${A}", "1"),
            ("x${A}y${A}z", "x1y1z"),
            ("${env:A}", "1"),
            ("${B_2}", "${A}"),
            ("${EMPTY}", ""),
            ("${NONE:-a:-b}", "a:-b"),
            ("${env:NONE:-}", ""),
            ("${A:-x}", "1"),
        ] {
            assert_eq!(filled(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        let unset = |name: &str| VariableError::Unset(name.to_owned());
        let broken = |text: &str| VariableError::Broken(text.to_owned());
        for (text, expected) in [
            ("a ${NONE} b", unset("NONE")),
            ("${env:NONE}", unset("NONE")),
            ("${A", broken("${A")),
            ("${}", broken("${}")),
            ("${a-b}", broken("${a-b}")),
            ("${1}", broken("${1}")),
            ("${file:x}", broken("${file:x}")),
            (
                "${input:api-key}",
                VariableError::Input("api-key".to_owned()),
            ),
        ] {
            assert_eq!(filled(text), Err(expected), "{text}");
        }
        let hint = filled("${input:api-key}").expect_err("an editor's").hint();
        assert!(hint.contains("`${API_KEY}`"), "{hint}");
    }

    #[test]
    fn the_values_that_were_used_are_told_with_their_names() {
        let mut used = Vec::new();
        let environment = |name: &str| (name == "A").then(|| "1".to_owned());
        fill("${A}${NONE:-x}", &environment, &mut used).expect("it can be filled in");
        assert_eq!(used, [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn literals_are_what_is_left_without_variables() {
        assert_eq!(literals("Bearer ${A}"), "Bearer ");
        assert_eq!(literals("${A:-secret}"), "secret");
        assert_eq!(literals("${broken"), "${broken");
    }

    #[test]
    fn variables_have_names_that_a_shell_takes() {
        assert_eq!(variable_of("X-Api-Key"), "X_API_KEY");
        assert_eq!(variable_of("1st"), "_1ST");
        assert_eq!(variable_of(""), "_");
    }
}
