//! The linter: what is wrong with cards that read well (docs/contracts.md section 2).
//!
//! ```text
//! lint/labels   every label is defined before it is used, and of the right sort; what is judged was awaited
//! lint/schema   no judgement passes by silence
//! lint/names    facts, fixtures, natives, judges, faults, definitions, capabilities, varied names exist
//! lint/proof    citations give every revision a level; near misses and mutants prove every check
//! lint/shape    length, range, sharing, bindings, deadlines
//! ```

mod judged;
mod labels;
mod names;
mod proof;
mod schema;
mod shape;
mod visit;

use crate::catalogue::Catalogue;
use crate::diagnostic::{Diagnostic, Diagnostics};
use mcp_assay_model::protocol::Revision;
use mcp_assay_model::scenario::{Need, Scenario, Source, Span};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Names that live elsewhere, as closed lists; fixtures and facts are in the catalogue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LintContext {
    /// Native steps.
    pub natives: Vec<NativeStep>,
    /// Native judges.
    pub judges: BTreeSet<String>,
    /// Named faults of the reference peer.
    pub faults: BTreeSet<String>,
    /// Definitions that `spec:` may name; a revision without an entry is not looked at.
    pub definitions: BTreeMap<Revision, BTreeSet<String>>,
    /// Full ids of observer rules, `observer/NAME/RULE`.
    pub observers: BTreeSet<String>,
}

/// A native step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NativeStep {
    /// Name, as in `use:`.
    pub name: String,
    /// Parameters that it takes.
    pub parameters: BTreeSet<String>,
    /// Those of its parameters whose value is a label.
    pub labels: BTreeSet<String>,
}

/// Lints every card.
///
/// **Errors**: everything that is wrong with them.
pub fn lint(catalogue: &Catalogue, context: &LintContext) -> Result<(), Diagnostics> {
    let mut known = catalogue.check_ids();
    known.extend(context.observers.iter().cloned());
    let mut errors = Diagnostics::default();
    for scenario in catalogue.scenarios() {
        let mut card = Card {
            scenario,
            catalogue,
            context,
            known: &known,
            source: Arc::new(scenario.source.clone()),
            errors: Diagnostics::default(),
        };
        shape::lint(&mut card);
        labels::lint(&mut card);
        schema::lint(&mut card);
        names::lint(&mut card);
        proof::lint(&mut card);
        errors.extend(card.errors);
    }
    errors.unless_any(())
}

/// One card under the linter.
struct Card<'c> {
    scenario: &'c Scenario,
    catalogue: &'c Catalogue,
    context: &'c LintContext,
    /// Ids that `also` may name.
    known: &'c BTreeSet<String>,
    source: Arc<Source>,
    errors: Diagnostics,
}

impl Card<'_> {
    /// Reports at the first place within `span` where `name` stands by itself, or at its first line.
    fn error(
        &mut self,
        span: &Span,
        name: &str,
        title: impl Into<String>,
        label: impl Into<String>,
    ) -> &mut Diagnostic {
        let span = locate(&self.source.text, span, name);
        self.errors
            .add(Diagnostic::new(&self.source, span, title, label))
    }

    /// Reports at a name within a top-level member.
    fn member_error(
        &mut self,
        member: &str,
        name: &str,
        title: impl Into<String>,
    ) -> &mut Diagnostic {
        let span = member_span(&self.source.text, member);
        self.error(&span, name, title, "")
    }

    /// Reports a name that is none of a closed list.
    fn unknown<'k>(
        &mut self,
        span: &Span,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        let title = format!("unknown {what} `{name}`");
        let span = locate(&self.source.text, span, name);
        let diagnostic = Diagnostic::new(&self.source, span, title, "");
        self.errors.push(diagnostic.suggest(name, known));
    }

    fn needs(&self, need: &Need) -> bool {
        self.scenario.needs.contains(need)
    }
}

/// A top-level member of a card in block style, from its key to the next; the whole text where it cannot be found.
fn member_span(text: &str, member: &str) -> Span {
    let mut start = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let begins = line.starts_with(|first: char| first.is_ascii_alphabetic());
        if let (Some(start), true) = (start, begins) {
            return start..at;
        }
        if line
            .strip_prefix(member)
            .is_some_and(|rest| rest.starts_with(':'))
        {
            start = Some(at);
        }
        at += line.len();
    }
    start.unwrap_or(0)..text.len()
}

/// Where a name stands by itself within a span; the span's first line where it does not.
fn locate(text: &str, span: &Span, name: &str) -> Span {
    let part = text.get(span.clone()).unwrap_or_default();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let mut from = 0;
    while !name.is_empty()
        && let Some(found) = part.get(from..).and_then(|rest| rest.find(name))
    {
        let start = from + found;
        let end = start + name.len();
        let before = start.checked_sub(1).map(|at| part.as_bytes()[at]);
        let after = part.as_bytes().get(end).copied();
        if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
            return span.start + start..span.start + end;
        }
        from = end;
    }
    let length = part.find('\n').unwrap_or(part.len());
    span.start..span.start + length
}
