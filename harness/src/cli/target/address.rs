//! Addresses and header fields, as they are typed: what is sent, what is secret, and what a rerun command may show.

use super::variables::{Environment, VariableError, fill, literals, variable_of};
use crate::cli::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mcp_assay_catalogue::profile::{is_header_name, is_secret_name};
use mcp_assay_transport::http::endpoint::Endpoint;

/// A part of the command line with its variables filled in.
#[derive(Clone, Eq, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct Filled<T> {
    /// What is sent.
    pub value: T,
    /// What no report may show.
    pub secrets: Vec<String>,
    /// As it stands in a rerun command: what may be a secret is a variable there.
    pub again: String,
}

/// Values of a query that are this long and look like nothing that a person would write are taken for tokens.
const TOKEN_BYTES: usize = 20;

/// Whether a word on the command line is meant as an address.
pub fn is_address(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    ["http://", "https://"]
        .iter()
        .any(|scheme| word.starts_with(scheme))
}

/// Reads an address that was typed.
///
/// **Errors**: a variable that is not set, or what is no address.
pub fn address(typed: &str, environment: Environment<'_>) -> Result<Filled<Endpoint>, Failure> {
    let mut used = Vec::new();
    let told = |why: String| Failure::usage(format!("the address of the target: {why}"));
    let url = fill(typed, environment, &mut used)
        .map_err(|error| unfilled("the address of the target", &error))?;
    let endpoint = Endpoint::parse(&url).map_err(|error| told(error.to_string()))?;
    let mut secrets = secrets_of(&url, &endpoint);
    secrets.extend(used.into_iter().map(|(_, value)| value));
    Ok(Filled {
        value: endpoint,
        secrets,
        again: shareable(typed),
    })
}

/// What is secret in an address: the password, or the user name where there is none, and what looks like a token in the query.
pub fn secrets_of(url: &str, endpoint: &Endpoint) -> Vec<String> {
    let mut secrets = Vec::new();
    if let Some((user, password)) = &endpoint.userinfo {
        let secret = if password.is_empty() { user } else { password };
        secrets.push(secret.clone());
        // As a header carries it.
        secrets.push(STANDARD.encode(format!("{user}:{password}")));
        let (_, authority, _) = split(url);
        if let Some((userinfo, _)) = authority.rsplit_once('@') {
            let written = userinfo
                .split_once(':')
                .map_or(userinfo, |(_, password)| password);
            secrets.push(written.to_owned());
        }
    }
    let query = endpoint
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let written = query.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = url::form_urlencoded::parse(query.as_bytes());
    let written = written.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let decoded = decoded.map(|(name, value)| (name.into_owned(), value.into_owned()));
    let tokens = written
        .chain(decoded)
        .filter(|(name, value)| is_token(name, value));
    secrets.extend(tokens.map(|(_, value)| value));
    secrets.sort_unstable();
    secrets.dedup();
    secrets
}

fn is_token(name: &str, value: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(&byte);
    let is_made = value.len() >= TOKEN_BYTES
        && value.bytes().all(is_plain)
        && value.bytes().any(|byte| byte.is_ascii_digit())
        && value.bytes().any(|byte| byte.is_ascii_alphabetic());
    !value.is_empty() && (is_secret_name(name) || is_made)
}

/// Scheme with its slashes, authority, and the rest of an address as it is written.
fn split(url: &str) -> (&str, &str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| start + at);
    (&url[..start], &url[start..end], &url[end..])
}

/// An address as typed, with a variable in place of what may be a secret; variables that were typed stay.
pub fn shareable(typed: &str) -> String {
    let (scheme, authority, rest) = split(typed);
    let authority = match authority.rsplit_once('@') {
        Some((userinfo, host)) if !literals(userinfo).trim_matches(':').is_empty() => {
            format!("${{USERINFO}}@{host}")
        }
        _ => authority.to_owned(),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let rest = match rest.split_once('?') {
        Some((path, query)) => {
            let pairs: Vec<String> = query.split('&').map(shareable_pair).collect();
            format!("{path}?{}", pairs.join("&"))
        }
        None => rest.to_owned(),
    };
    let fragment = match fragment {
        "" => String::new(),
        text => format!("#{text}"),
    };
    format!("{scheme}{authority}{rest}{fragment}")
}

fn shareable_pair(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, value)) if is_token(name, &literals(value)) => {
            format!("{name}=${{{}}}", variable_of(name))
        }
        _ => pair.to_owned(),
    }
}

/// Reads a header field that was typed as `Name: value`.
///
/// **Errors**: a variable that is not set, or what is no header field.
pub fn header(
    typed: &str,
    environment: Environment<'_>,
) -> Result<Filled<(String, String)>, Failure> {
    // The value may be a secret, so it is not repeated in any message.
    let wrong = |what: &str| {
        Failure::usage(format!("--header {what}")).hint(
            "write --header 'Name: value'; `${VAR}` in the value is taken from the environment",
        )
    };
    let (name, value) = typed
        .split_once(':')
        .ok_or_else(|| wrong("without a colon between name and value"))?;
    let (name, template) = (name.trim(), value.trim());
    if !is_header_name(name) {
        return Err(wrong(
            "whose name is not made of letters, digits and hyphens",
        ));
    }
    let mut used = Vec::new();
    let value = fill(template, environment, &mut used)
        .map_err(|error| unfilled(&format!("--header `{name}`"), &error))?;
    sound(name, &value)?;
    let scheme = literals(template);
    let is_scheme = scheme.trim().bytes().all(|byte| byte.is_ascii_alphabetic())
        && (scheme.is_empty() || scheme.ends_with(' '));
    let shown = if is_scheme && !used.is_empty() {
        template.to_owned()
    } else {
        format!("${{{}}}", variable_of(name))
    };
    let mut secrets = vec![value.clone()];
    secrets.extend(used.into_iter().map(|(_, value)| value));
    Ok(Filled {
        value: (name.to_owned(), value),
        secrets,
        again: format!("{name}: {shown}"),
    })
}

/// Asserts that a field can be sent as it is.
///
/// **Errors**: a name or a value that would end the field, or is none.
pub fn sound(name: &str, value: &str) -> Result<(), Failure> {
    if !is_header_name(name) {
        let message = format!("the header `{name}` has a name that no header can have");
        return Err(Failure::usage(message));
    }
    if value
        .chars()
        .any(|letter| letter.is_control() && letter != '\t')
    {
        let message =
            format!("the value of header `{name}` holds a line end or another control character");
        return Err(Failure::usage(message));
    }
    Ok(())
}

fn unfilled(place: &str, error: &VariableError) -> Failure {
    let why = match error {
        VariableError::Broken(_) => "a broken variable".to_owned(),
        VariableError::Unset(_) | VariableError::Input(_) => error.to_string(),
    };
    Failure::usage(format!("{place}: {why}")).hint(error.hint())
}

#[cfg(test)]
mod tests;
