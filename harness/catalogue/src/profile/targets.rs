//! Targets of a profile, and the variables in them.

use super::each;
use crate::decode::{Decoder, optional};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::Node;
use mcp_assay_model::scenario::{Source, Span};
use std::sync::Arc;

/// A target with its variables filled in; its texts may be secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Words of the command, on stdio.
    pub command: Vec<String>,
    /// Address, on HTTP.
    pub url: Option<String>,
    /// Variables for the process.
    pub env: Vec<(String, String)>,
    /// Headers of every request, on HTTP.
    pub headers: Vec<(String, String)>,
    /// Words of a command that starts the server behind `url`.
    pub start: Vec<String>,
}

/// A target before its variables are filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    pub(super) name: String,
    command: Vec<Text>,
    url: Option<Text>,
    env: Vec<(String, Text)>,
    headers: Vec<(String, Text)>,
    start: Vec<Text>,
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
        let filled = Target {
            command: self.command.iter().map(&mut fill).collect(),
            url: self.url.as_ref().map(&mut fill),
            env: pairs(&self.env, &mut fill),
            headers: pairs(&self.headers, &mut fill),
            start: self.start.iter().map(&mut fill).collect(),
        };
        errors.unless_any(filled)
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
        let command = optional(fields.take("command"), |node| words(d, node, "`command`"));
        let url = optional(fields.take("url"), |node| url(d, node));
        let env = optional(fields.take("env"), |node| texts(d, node, "`env`"));
        let headers = optional(fields.take("headers"), |node| texts(d, node, "`headers`"));
        let start = optional(fields.take("start"), |node| words(d, node, "`start`"));
        let span = fields.span.clone();
        if !fields.finish(d) {
            return None;
        }
        let target = Named {
            name: entry.key.clone(),
            command: command?.unwrap_or_default(),
            url: url?,
            env: env?.unwrap_or_default(),
            headers: headers?.unwrap_or_default(),
            start: start?.unwrap_or_default(),
        };
        let wrong = match (target.command.is_empty(), target.url.is_some()) {
            (true, false) => Some("neither `command` nor `url`"),
            (false, true) => Some("both `command` and `url`"),
            (false, false) if !target.headers.is_empty() => Some("`headers` without `url`"),
            (false, false) if !target.start.is_empty() => Some("`start` without `url`"),
            (true, true) | (false, false) => None,
        };
        if let Some(wrong) = wrong {
            let title = format!("target `{}` has {wrong}", target.name);
            d.error(&span, title, "`command` is for stdio, `url` for HTTP");
            return None;
        }
        Some(target)
    })
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

fn words(d: &mut Decoder, node: &Node, what: &'static str) -> Option<Vec<Text>> {
    let words = d.list(node, what, |d, item| text(d, item, "a word of a command"))?;
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
