//! The baseline: known failures, each with a reason. A known failure must still fail.

use crate::decode::{Decoder, optional, words_of};
use crate::diagnostic::Diagnostics;
use crate::yaml::{self, Node};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::{Source, Span};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One known failure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaselineEntry {
    /// Check id.
    pub check: String,
    /// Why it is known and left.
    pub reason: String,
    /// Only in this revision.
    pub revision: Option<Revision>,
    /// Only over this binding.
    pub binding: Option<Binding>,
    /// Where it is tracked.
    pub issue: Option<String>,
    /// Last day it holds, `YYYY-MM-DD`.
    pub expires: Option<String>,
    /// Where it stands.
    pub span: Span,
}

impl BaselineEntry {
    /// Whether it speaks of a result.
    pub fn matches(&self, check: &str, revision: Revision, binding: Binding) -> bool {
        self.check == check
            && self.revision.is_none_or(|wanted| wanted == revision)
            && self.binding.is_none_or(|wanted| binding.satisfies(wanted))
    }

    /// Whether it no longer holds on this day, `YYYY-MM-DD`.
    pub fn is_expired(&self, today: &str) -> bool {
        self.expires.as_deref().is_some_and(|last| last < today)
    }
}

/// Reads a baseline file: a sequence of entries.
///
/// **Errors**: everything that is wrong with it, unknown checks and duplicate entries included.
pub fn parse(
    source: &Arc<Source>,
    checks: &BTreeSet<String>,
) -> Result<Vec<BaselineEntry>, Diagnostics> {
    let root = yaml::parse(source)?;
    let mut d = Decoder::new(source);
    let entries = d.list(&root, "the baseline", |d, node| entry(d, node, checks));
    let mut seen = BTreeSet::new();
    for entry in entries.iter().flatten() {
        if !seen.insert((&entry.check, entry.revision, entry.binding)) {
            let title = format!("duplicate entry for `{}`", entry.check);
            d.error(&entry.span, title, "");
        }
    }
    d.finish(entries)
}

fn entry(d: &mut Decoder, node: &Node, checks: &BTreeSet<String>) -> Option<BaselineEntry> {
    let mut fields = d.mapping(node, "baseline entry")?;
    let check = fields.need(d, "check").map(|node| {
        let id = d.words(node, "`check`")?;
        if !checks.contains(&id) {
            d.unknown(&node.span, "check", &id, checks.iter().map(String::as_str));
            return None;
        }
        Some(id)
    });
    let reason = fields
        .need(d, "reason")
        .map(|node| d.words(node, "`reason`"));
    let revision = optional(fields.take("revision"), |node| d.name(node, "`revision`"));
    let binding = optional(fields.take("binding"), |node| d.name(node, "`binding`"));
    let issue = words_of(d, &mut fields, "issue");
    let expires = optional(fields.take("expires"), |node| date(d, node));
    fields.finish(d);
    Some(BaselineEntry {
        check: check??,
        reason: reason??,
        revision: revision?,
        binding: binding?,
        issue: issue?,
        expires: expires?,
        span: node.span.clone(),
    })
}

fn date(d: &mut Decoder, node: &Node) -> Option<String> {
    let text = d.text(node, "`expires`")?;
    let mut parts = text.split('-');
    let mut number = |length: usize, range: std::ops::RangeInclusive<u32>| {
        let part = parts.next().unwrap_or_default();
        let digits = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        digits && part.parse().is_ok_and(|number| range.contains(&number))
    };
    let fits = number(4, 1..=9999) && number(2, 1..=12) && number(2, 1..=31);
    if fits && parts.next().is_none() {
        return Some(text);
    }
    d.error(&node.span, format!("`{text}` is no date"), "").hint =
        Some("write `YYYY-MM-DD`".to_owned());
    None
}
