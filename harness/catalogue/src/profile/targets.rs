//! Targets of a profile, and the variables in them.
//!
//! ```yaml
//! targets:
//!   stdio:   { command: [node, server.js], env: { KEY: "${KEY}" }, cwd: server }
//!   remote:  { url: "https://example.com/mcp", headers: { Authorization: "Bearer ${TOKEN}" }, ca: [ours.pem], binding: http }
//!   started: { url: "http://localhost:3000/mcp", start: [node, http.js], env: { PORT: "3000" }, cwd: server, ready: { stderr: listening, within: 60s } }
//! ```
//!
//! `ready` is `port`, which is also its default: a TCP connection to host and port of `url` is accepted; or a mapping with a text that a
//! line of `stdout` or `stderr` holds, and the time that the server has, `within`. `cwd`, `ca` and words of commands that are relative
//! paths count from where mcp-assay was started, those of `start` and `command` from `cwd`.

use super::{duration, each};
use crate::decode::{Decoder, optional};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Entry, Node};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::scenario::{Source, Span};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A target with its variables filled in; its texts may be secrets, and its `Debug` shows none of them.
///
/// **Shape**: either `command` is not empty, or `url` is there; `headers`, `start`, `ca`, `ready`, `within` and `binding` only beside a `url`,
/// `ready` and `within` only beside `start`, `env` and `cwd` only where a process is started.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Target {
    /// Words of the command, on stdio.
    pub command: Vec<String>,
    /// Address, on HTTP.
    pub url: Option<String>,
    /// Variables for the process.
    pub env: Vec<(String, String)>,
    /// Working directory of the process.
    pub cwd: Option<String>,
    /// Headers of every request, on HTTP.
    pub headers: Vec<(String, String)>,
    /// Words of a command that starts the server behind `url`.
    pub start: Vec<String>,
    /// What tells that the started server may be asked.
    pub ready: Ready,
    /// How long it may take until then.
    pub within: Option<Duration>,
    /// Files with certificate authorities to trust beside the public ones.
    pub ca: Vec<String>,
    /// How messages travel; `None` where that is to be tried.
    pub binding: Option<Binding>,
    /// Values that no report may show: of `env` and `headers` as a whole, of every variable in `url`, and of those in commands whose
    /// names tell a secret.
    pub secrets: Vec<String>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |pairs: &[(String, String)]| -> Vec<String> {
            pairs.iter().map(|(name, _)| name.clone()).collect()
        };
        f.debug_struct("Target")
            .field("command", &self.command)
            .field("has_url", &self.url.is_some())
            .field("env", &names(&self.env))
            .field("headers", &names(&self.headers))
            .finish_non_exhaustive()
    }
}

/// What tells that a server which was started may be asked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Ready {
    /// Host and port of its address accept a TCP connection.
    #[default]
    Port,
    /// A line of its standard output holds this text.
    Stdout(String),
    /// A line of its standard error holds this text.
    Stderr(String),
}

/// A target before its variables are filled in.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    command: Vec<Text>,
    url: Option<Text>,
    env: Vec<(String, Text)>,
    cwd: Option<Text>,
    headers: Vec<(String, Text)>,
    start: Vec<Text>,
    ready: Option<(Ready, Option<Duration>)>,
    ca: Vec<Text>,
    binding: Option<Binding>,
}

/// A text that may hold `${NAME}`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Text {
    text: String,
    span: Span,
}

impl Named {
    /// With its variables filled in.
    ///
    /// **Errors**: variables that are not set.
    pub(super) fn filled(
        &self,
        source: &Arc<Source>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Target, Diagnostics> {
        let mut errors = Diagnostics::default();
        let mut fill = |text: &Text| fill(source, text, environment, &mut errors);
        let (ready, within) = self.ready.clone().unwrap_or_default();
        let mut filled = Target {
            command: self.command.iter().map(&mut fill).collect(),
            url: self.url.as_ref().map(&mut fill),
            env: pairs(&self.env, &mut fill),
            cwd: self.cwd.as_ref().map(&mut fill),
            headers: pairs(&self.headers, &mut fill),
            start: self.start.iter().map(&mut fill).collect(),
            ready,
            within,
            ca: self.ca.iter().map(&mut fill).collect(),
            binding: self.binding,
            secrets: Vec::new(),
        };
        let whole = filled.env.iter().chain(&filled.headers);
        let in_url = self.url.iter().flat_map(|url| variables(&url.text));
        let words = self.command.iter().chain(&self.start);
        // Most variables of a command are paths, and masking a path would blank the evidence.
        let in_words = words
            .flat_map(|word| variables(&word.text))
            .filter(|name| is_secret_name(name));
        filled.secrets = whole
            .map(|(_, value)| value.clone())
            .chain(in_url.chain(in_words).filter_map(environment))
            .collect();
        errors.unless_any(filled)
    }

    /// What is wrong with the combination of its fields, and what would be right.
    fn contradiction(&self) -> Option<(&'static str, &'static str)> {
        const KINDS: &str = "`command` is for stdio, `url` for HTTP";
        const HTTP: &str = "only beside `url`";
        const PROCESS: &str = "only where `command` or `start` starts a process";
        match (self.command.is_empty(), self.url.is_some()) {
            (true, false) => return Some(("neither `command` nor `url`", KINDS)),
            (false, true) => return Some(("both `command` and `url`", KINDS)),
            (true, true) | (false, false) => {}
        }
        let starts = !self.start.is_empty();
        let (http, process) = (self.url.is_some(), self.url.is_none() || starts);
        [
            (
                !self.headers.is_empty() && !http,
                "`headers` without `url`",
                KINDS,
            ),
            (starts && !http, "`start` without `url`", KINDS),
            (!self.ca.is_empty() && !http, "`ca` without `url`", HTTP),
            (
                self.binding.is_some() && !http,
                "`binding` without `url`",
                HTTP,
            ),
            (
                self.ready.is_some() && !starts,
                "`ready` without `start`",
                "it tells when the server that `start` starts may be asked",
            ),
            (
                !self.env.is_empty() && !process,
                "`env` without `start`",
                PROCESS,
            ),
            (
                self.cwd.is_some() && !process,
                "`cwd` without `start`",
                PROCESS,
            ),
        ]
        .into_iter()
        .find_map(|(is_wrong, wrong, label)| is_wrong.then_some((wrong, label)))
    }
}

fn fill(
    source: &Arc<Source>,
    text: &Text,
    environment: &dyn Fn(&str) -> Option<String>,
    errors: &mut Diagnostics,
) -> String {
    let mut out = String::new();
    let mut rest = text.text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        match environment(name) {
            Some(value) => out.push_str(&value),
            None => {
                let title = format!("variable `{name}` is not set");
                let span = text.span.clone();
                let diagnostic = Diagnostic::new(source, span, title, "needed here").hint(format!(
                    "set it in the environment: `{name}=... mcp-assay ...`"
                ));
                errors.push(diagnostic);
            }
        }
        rest = tail;
    }
    out + rest
}

/// Names of the variables in a text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("${").skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

fn pairs(
    texts: &[(String, Text)],
    fill: &mut impl FnMut(&Text) -> String,
) -> Vec<(String, String)> {
    texts
        .iter()
        .map(|(name, text)| (name.clone(), fill(text)))
        .collect()
}

pub(super) fn targets(d: &mut Decoder, node: &Node) -> Option<Vec<Named>> {
    each(d, node, "`targets`", |d, entry| {
        let mut fields = d.mapping(&entry.value, "target")?;
        let command = optional(fields.take("command"), |node| {
            words(d, node, "`command`", WORD)
        });
        let url = optional(fields.take("url"), |node| url(d, node));
        let env = optional(fields.take("env"), |node| texts(d, node, "`env`"));
        let cwd = optional(fields.take("cwd"), |node| filled_text(d, node, "`cwd`"));
        let headers = optional(fields.take("headers"), |node| headers(d, node));
        let start = optional(fields.take("start"), |node| words(d, node, "`start`", WORD));
        let ready = optional(fields.take("ready"), |node| ready(d, node));
        let ca = optional(fields.take("ca"), |node| {
            words(d, node, "`ca`", "the name of a file")
        });
        let binding = optional(fields.take("binding"), |node| binding(d, node));
        let span = fields.span.clone();
        if !fields.finish(d) {
            return None;
        }
        let target = Named {
            name: entry.key.clone(),
            command: command?.unwrap_or_default(),
            url: url?,
            env: env?.unwrap_or_default(),
            cwd: cwd?,
            headers: headers?.unwrap_or_default(),
            start: start?.unwrap_or_default(),
            ready: ready?,
            ca: ca?.unwrap_or_default(),
            binding: binding?,
        };
        if let Some((wrong, label)) = target.contradiction() {
            let title = format!("target `{}` has {wrong}", target.name);
            d.error(&span, title, label);
            return None;
        }
        Some(target)
    })
}

/// `port`, or a mapping: `{ stderr: TEXT, within: 30s }`.
fn ready(d: &mut Decoder, node: &Node) -> Option<(Ready, Option<Duration>)> {
    if let Some(text) = node.text() {
        if text == "port" {
            return Some((Ready::Port, None));
        }
        let title = format!("unknown sign of readiness `{text}`");
        d.error(&node.span, title, "").hint =
            Some("write `port`, or a mapping: `{ stderr: TEXT, within: 30s }`".to_owned());
        return None;
    }
    let mut fields = d.mapping(node, "`ready`")?;
    let stdout = optional(fields.take("stdout"), |node| line(d, node, "`stdout`"));
    let stderr = optional(fields.take("stderr"), |node| line(d, node, "`stderr`"));
    let within = optional(fields.take("within"), |node| duration(d, node));
    if !fields.finish(d) {
        return None;
    }
    let sign = match (stdout?, stderr?) {
        (None, None) => Ready::Port,
        (Some(text), None) => Ready::Stdout(text),
        (None, Some(text)) => Ready::Stderr(text),
        (Some(_), Some(_)) => {
            let title = "both `stdout` and `stderr` in `ready`";
            d.error(&node.span, title, "one line is waited for");
            return None;
        }
    };
    Some((sign, within?))
}

/// A text that a line can hold.
fn line(d: &mut Decoder, node: &Node, what: &str) -> Option<String> {
    let text = d.words(node, what)?;
    if text.contains(['\n', '\r']) {
        d.error(
            &node.span,
            format!("{what} has more than one line"),
            "no line can hold it",
        );
        return None;
    }
    Some(text)
}

fn binding(d: &mut Decoder, node: &Node) -> Option<Binding> {
    let text = d.text(node, "`binding`")?;
    let known = [Binding::Http, Binding::HttpSse];
    let found = known.into_iter().find(|binding| binding.as_str() == text);
    if found.is_none() {
        d.unknown(
            &node.span,
            "binding of a url",
            &text,
            known.map(Binding::as_str),
        );
    }
    found
}

/// Pairs whose names are names of header fields, each once.
fn headers(d: &mut Decoder, node: &Node) -> Option<Vec<(String, Text)>> {
    let mut seen = BTreeSet::new();
    let read = each(d, node, "`headers`", |d, entry: &Entry| {
        let name = &entry.key;
        if !is_header_name(name) {
            let title = format!("`{name}` is no name of a header");
            d.error(&entry.key_span, title, "letters, digits and hyphens");
            return None;
        }
        if !seen.insert(name.to_ascii_lowercase()) {
            let title = format!("header `{name}` stands there twice");
            d.error(&entry.key_span, title, "case does not tell headers apart");
            return None;
        }
        Some((name.clone(), text(d, &entry.value, "a value")?))
    })?;
    Some(read)
}

/// Whether a name, of a variable or a parameter, says that its value is a secret.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let parts = [
        "key",
        "token",
        "secret",
        "passw",
        "auth",
        "sig",
        "credential",
        "jwt",
    ];
    parts.iter().any(|part| name.contains(part)) || ["pass", "code", "pin"].contains(&name.as_str())
}

/// Whether a text is a name that a header field can have.
pub fn is_header_name(name: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_token)
}

/// A text that says something, with its variables.
fn filled_text(d: &mut Decoder, node: &Node, what: &str) -> Option<Text> {
    d.words(node, what)?;
    text(d, node, what)
}

/// A text whose variables are well formed.
fn text(d: &mut Decoder, node: &Node, what: &str) -> Option<Text> {
    let text = d.text(node, what)?;
    for after in text.split("${").skip(1) {
        let name = after.split_once('}').map(|(name, _)| name);
        let fits = name.is_some_and(|name| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if !fits {
            let title = format!("broken variable in `{text}`");
            d.error(&node.span, title, "").hint = Some("write `${NAME}`".to_owned());
            return None;
        }
    }
    Some(Text {
        text,
        span: node.span.clone(),
    })
}

fn url(d: &mut Decoder, node: &Node) -> Option<Text> {
    let url = text(d, node, "`url`")?;
    let fits = ["http://", "https://", "${"]
        .iter()
        .any(|head| url.text.starts_with(head));
    if !fits {
        let title = format!("`{}` is no HTTP address", url.text);
        d.error(&node.span, title, "begins with http:// or https://");
        return None;
    }
    Some(url)
}

/// What an item of a command is called.
const WORD: &str = "a word of a command";

fn words(
    d: &mut Decoder,
    node: &Node,
    what: &'static str,
    item: &'static str,
) -> Option<Vec<Text>> {
    let words = d.list(node, what, |d, node| text(d, node, item))?;
    if words.is_empty() {
        d.error(&node.span, format!("{what} is empty"), "");
        return None;
    }
    Some(words)
}

fn texts(d: &mut Decoder, node: &Node, what: &str) -> Option<Vec<(String, Text)>> {
    each(d, node, what, |d, entry| {
        Some((entry.key.clone(), text(d, &entry.value, "a value")?))
    })
}
