//! The configuration file that clients share: an object of servers by name, below `mcpServers`, or below `servers` as VS Code has it.
//!
//! ```json
//! { "mcpServers": { "mine":   { "command": "node", "args": ["server.js"], "env": { "KEY": "${KEY}" }, "cwd": "server" },
//!                   "remote": { "type": "http", "url": "https://example.com/mcp", "headers": { "Authorization": "Bearer ${TOKEN}" } } } }
//! ```
//!
//! The format is not ours, so members that we do not know are of no matter. Editors allow comments and a comma behind the last item; so do we.

use super::variables::{Environment, VariableError, fill};
use crate::cli::Failure;
use mcp_assay_catalogue::diagnostic::nearest;
use mcp_assay_catalogue::profile::is_secret_name;
use mcp_assay_model::protocol::Binding;
use serde_json::{Map, Value};

/// A server of the file, its variables filled in.
///
/// **Shape**: either `command` is not empty, or `url` is there.
#[derive(Clone, Default, Eq, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Variables for the process.
    pub env: Vec<(String, String)>,
    /// Working directory of the process.
    pub cwd: Option<String>,
    /// Address.
    pub url: Option<String>,
    /// Fields of every request.
    pub headers: Vec<(String, String)>,
    /// How messages travel, where `type` says it.
    pub binding: Option<Binding>,
    /// Values that no report may show.
    pub secrets: Vec<String>,
}

/// Words for `type`, and what they mean; `None` is stdio.
const TYPES: [(&str, Option<Binding>); 5] = [
    ("stdio", None),
    ("http", Some(Binding::Http)),
    ("streamable-http", Some(Binding::Http)),
    ("streamableHttp", Some(Binding::Http)),
    ("sse", Some(Binding::HttpSse)),
];

/// Reads a server from the text of a file; the only one, where none is named.
///
/// **Errors**: no JSON, no servers, none of that name, or what is wrong with the one.
pub fn read(
    path: &str,
    text: &str,
    name: Option<&str>,
    environment: Environment<'_>,
) -> Result<Server, Failure> {
    let root: Value = serde_json::from_str(&plain(text)).map_err(|error| {
        Failure::usage(format!("the configuration `{path}` is no JSON: {error}"))
    })?;
    let servers = ["mcpServers", "servers"]
        .iter()
        .find_map(|key| root.get(key));
    let servers = servers.and_then(Value::as_object).ok_or_else(|| {
        Failure::usage(format!("the configuration `{path}` has no object `mcpServers`"))
            .hint("it looks like { \"mcpServers\": { \"mine\": { \"command\": \"node\", \"args\": [\"server.js\"] } } }")
    })?;
    let (name, entry) = chosen(path, servers, name)?;
    let reader = Reader {
        place: format!("server `{name}` of `{path}`"),
        environment,
        used: Vec::new(),
    };
    reader.server(name, entry)
}

fn chosen<'s>(
    path: &str,
    servers: &'s Map<String, Value>,
    name: Option<&str>,
) -> Result<(&'s str, &'s Value), Failure> {
    let names = || servers.keys().map(String::as_str);
    let all = || names().collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => match servers.get_key_value(name) {
            Some((name, entry)) => Ok((name, entry)),
            None => {
                let failure = Failure::usage(format!("no server `{name}` in `{path}`"));
                Err(match nearest(name, names()) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!("it has: {}", all())),
                })
            }
        },
        None => {
            let mut entries = servers.iter();
            match (entries.next(), entries.next()) {
                (Some((name, entry)), None) => Ok((name, entry)),
                (None, _) => Err(Failure::usage(format!("no server in `{path}`"))),
                (Some(_), Some(_)) => {
                    let message = format!("`{path}` has several servers; name one with --server");
                    Err(Failure::usage(message).hint(format!("it has: {}", all())))
                }
            }
        }
    }
}

/// Reads one server.
struct Reader<'e> {
    place: String,
    environment: Environment<'e>,
    /// Variables that were filled in, and their values.
    used: Vec<(String, String)>,
}

impl Reader<'_> {
    fn server(mut self, name: &str, entry: &Value) -> Result<Server, Failure> {
        let Value::Object(members) = entry else {
            return Err(self.wrong(&format!("must be an object, not {}", kind(entry))));
        };
        let binding = match members.get("type") {
            None => None,
            Some(value) => Some(self.binding(value)?),
        };
        let has = |key: &str| members.get(key).is_some_and(|value| !value.is_null());
        match (has("command"), has("url"), binding) {
            (true, true, _) => return Err(self.wrong("has both `command` and `url`")),
            (false, false, _) => return Err(self.wrong("has neither `command` nor `url`")),
            (true, false, Some(Some(_))) => {
                return Err(self.wrong("has a `command`, and a `type` that needs a `url`"));
            }
            (false, true, Some(None)) => {
                return Err(self.wrong("has a `url`, and the `type` of a `command`"));
            }
            (true, false, _) | (false, true, _) => {}
        }
        let mut server = Server {
            name: name.to_owned(),
            binding: binding.flatten(),
            ..Server::default()
        };
        if has("command") {
            server.command = self.words(members)?;
            server.env = self.pairs(members, "env")?;
            server.cwd = match members.get("cwd") {
                None | Some(Value::Null) => None,
                Some(value) => Some(self.text(value, "cwd")?),
            };
            self.used.retain(|(name, _)| is_secret_name(name));
        } else {
            let url = members.get("url").unwrap_or(&Value::Null);
            server.url = Some(self.text(url, "url")?);
            server.headers = self.pairs(members, "headers")?;
        }
        let whole = server.env.iter().chain(&server.headers);
        server.secrets = whole
            .chain(&self.used)
            .map(|(_, value)| value.clone())
            .collect();
        Ok(server)
    }

    fn binding(&self, value: &Value) -> Result<Option<Binding>, Failure> {
        let text = value.as_str().unwrap_or_default();
        if let Some((_, binding)) = TYPES.iter().find(|(name, _)| *name == text) {
            return Ok(*binding);
        }
        let names = || TYPES.iter().map(|(name, _)| *name);
        let failure = self.wrong(&format!("has the unknown type {value}"));
        Err(match nearest(text, names()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("known: {}", names().collect::<Vec<_>>().join(", "))),
        })
    }

    fn words(&mut self, members: &Map<String, Value>) -> Result<Vec<String>, Failure> {
        let program = self.text(members.get("command").unwrap_or(&Value::Null), "command")?;
        if program.is_empty() {
            return Err(self.wrong("has an empty `command`"));
        }
        let mut words = vec![program];
        match members.get("args") {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    words.push(self.text(item, &format!("args[{index}]"))?);
                }
            }
            Some(other) => {
                let message = format!("has an `args` that must be an array, not {}", kind(other));
                return Err(self.wrong(&message));
            }
        }
        Ok(words)
    }

    fn pairs(
        &mut self,
        members: &Map<String, Value>,
        key: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        match members.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Object(pairs)) => pairs
                .iter()
                .map(|(name, value)| {
                    let value = self.text(value, &format!("{key}.{name}"))?;
                    Ok((name.clone(), value))
                })
                .collect(),
            Some(other) => {
                let message = format!("has a `{key}` that must be an object, not {}", kind(other));
                Err(self.wrong(&message))
            }
        }
    }

    fn text(&mut self, value: &Value, what: &str) -> Result<String, Failure> {
        let Some(text) = value.as_str() else {
            let message = format!("has a `{what}` that must be a string, not {}", kind(value));
            return Err(self.wrong(&message));
        };
        fill(text, self.environment, &mut self.used).map_err(|error: VariableError| {
            // The text may hold a secret beside a broken variable, so the place is told in its stead.
            let why = match &error {
                VariableError::Broken(_) => "a broken variable".to_owned(),
                VariableError::Unset(_) | VariableError::Input(_) => error.to_string(),
            };
            let message = format!("{}, `{what}`: {why}", self.place);
            Failure::usage(message).hint(error.hint())
        })
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::usage(format!("{} {what}", self.place))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The text as JSON has it: comments, a comma behind the last item and a byte-order mark give way to spaces, so that lines and columns stay.
fn plain(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    // Where a comma stands that nothing but space has followed since.
    let mut comma: Option<usize> = None;
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('"', _) => {
                comma = None;
                out.push(letter);
                while let Some(inner) = letters.next() {
                    out.push(inner);
                    match inner {
                        '\\' => out.extend(letters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            ('/', Some('/')) => {
                out.push(' ');
                while let Some(inner) = letters.next_if(|inner| *inner != '\n') {
                    out.push(blank(inner));
                }
            }
            ('/', Some('*')) => {
                out.push(' ');
                out.extend(letters.next().map(blank));
                let mut before = ' ';
                for inner in letters.by_ref() {
                    out.push(blank(inner));
                    if (before, inner) == ('*', '/') {
                        break;
                    }
                    before = inner;
                }
            }
            (']' | '}', _) => {
                if let Some(at) = comma.take() {
                    out[at] = ' ';
                }
                out.push(letter);
            }
            (',', _) => {
                comma = Some(out.len());
                out.push(letter);
            }
            _ => {
                if !letter.is_ascii_whitespace() {
                    comma = None;
                }
                out.push(letter);
            }
        }
    }
    out.into_iter().collect()
}

fn blank(letter: char) -> char {
    match letter {
        '\n' | '\r' => letter,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests;
