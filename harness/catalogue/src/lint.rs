//! The linter: what is wrong with cards that read well (CONTRACTS section 2).
//!
//! ```text
//! lint/labels   every label is defined before it is used, and of the right sort; what is judged was awaited
//! lint/schema   no judgement passes by silence
//! lint/names    facts, fixtures, natives, judges, faults, definitions, capabilities, varied names exist
//! lint/proof    citations give every revision a level; near misses and mutants prove every check
//! here          shape of the card: length, range, sharing, bindings, deadlines
//! ```

mod labels;
mod names;
mod proof;
mod schema;

use crate::catalogue::Catalogue;
use crate::diagnostic::{Diagnostic, Diagnostics};
use mcp_assay_model::protocol::{Binding, Revision};
use mcp_assay_model::scenario::{
    Action, Awaited, Check, Close, Expect, Fault, Given, Need, OutgoingId, Payload, Scenario,
    Source, Span,
};
use mcp_assay_model::template::Template;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Longest card, in lines.
const MAX_LINES: usize = 120;

/// The default of `timeout`, in milliseconds, which `within` can only shorten.
const REPLY_TIMEOUT_MS: u64 = 30_000;

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
        shape(&mut card);
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
        from = text_after(part, start);
    }
    let length = part.find('\n').unwrap_or(part.len());
    span.start..span.start + length
}

fn text_after(part: &str, start: usize) -> usize {
    part.ceil_char_boundary(start + 1)
}

/// Where a value with references stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Role {
    Vary,
    Step,
    Judgement,
    Fault,
}

/// Every value of the card, with its place.
fn templates(scenario: &Scenario) -> Vec<(Span, Role, &Template)> {
    let mut all = Vec::new();
    let vary_span = member_span(&scenario.source.text, "vary");
    for vary in &scenario.vary {
        all.extend(
            vary.values
                .iter()
                .map(|value| (vary_span.clone(), Role::Vary, value)),
        );
    }
    for step in &scenario.steps {
        let mut values = Vec::new();
        of_action(&step.action, &mut values);
        all.extend(
            values
                .into_iter()
                .map(|value| (step.span.clone(), Role::Step, value)),
        );
    }
    for check in &scenario.checks {
        let mut values = Vec::new();
        judgements(check, &mut |_, expect| of_expect(expect, &mut values));
        all.extend(
            values
                .into_iter()
                .map(|value| (check.span.clone(), Role::Judgement, value)),
        );
        let faults = check.near.iter().map(|near| (&near.span, &near.fault));
        let faults = faults.chain(
            check
                .mutants
                .iter()
                .map(|mutant| (&mutant.span, &mutant.fault)),
        );
        for (span, fault) in faults {
            match fault {
                Fault::Set { to, .. } => all.push((span.clone(), Role::Fault, to)),
                Fault::Replace(members) => {
                    all.extend(
                        members
                            .iter()
                            .map(|(_, value)| (span.clone(), Role::Fault, value)),
                    );
                }
                Fault::Remove { .. }
                | Fault::Drop
                | Fault::Duplicate(_)
                | Fault::DelayMs(_)
                | Fault::Reorder
                | Fault::Raw(_)
                | Fault::Split(_)
                | Fault::Status(_)
                | Fault::Header(..)
                | Fault::Body(_)
                | Fault::Named(_) => {}
            }
        }
    }
    all
}

fn of_action<'a>(action: &'a Action, values: &mut Vec<&'a Template>) {
    match action {
        Action::Open { client, answer, .. } => {
            values.extend(client.iter().chain(answer).map(|(_, value)| value));
        }
        Action::Send { what, .. } => {
            for message in sent(what) {
                values.push(&message.message);
                values.extend(message.meta_set.iter().map(|(_, value)| value));
                if let OutgoingId::Written(id) = &message.id {
                    values.push(id);
                }
            }
        }
        Action::Await { within: time, .. }
        | Action::Quiet {
            lasting_ms: time, ..
        } => {
            values.extend(time);
        }
        Action::Http { headers, .. } => {
            values.extend(headers.iter().filter_map(|(_, value)| value.as_ref()));
        }
        Action::Native { parameters, .. } => {
            values.extend(parameters.iter().map(|(_, value)| value));
        }
        Action::Cancel { .. } | Action::Raw { .. } | Action::Close(_) => {}
    }
}

/// The messages of our making in a payload.
fn sent(payload: &Payload) -> Vec<&mcp_assay_model::scenario::Outgoing> {
    match payload {
        Payload::Message(message) => vec![message],
        Payload::Batch(items) => items.iter().map(|(_, message)| message).collect(),
        Payload::Json(_) => Vec::new(),
    }
}

fn of_expect<'a>(expect: &'a Expect, values: &mut Vec<&'a Template>) {
    match expect {
        Expect::Message { schema, .. } => values.push(schema),
        Expect::Http { headers, .. } => {
            values.extend(headers.iter().filter_map(|(_, value)| value.as_ref()));
        }
        Expect::Exit { within_ms, .. } => values.extend(within_ms),
        Expect::AnyOf(_) | Expect::SameId { .. } | Expect::None { .. } | Expect::Native(_) => {}
    }
}

/// Shows every judgement of a check with the label it judges: preconditions first, branches of `any_of` after it.
fn judgements<'a>(check: &'a Check, see: &mut impl FnMut(Option<&'a str>, &'a Expect)) {
    if let Some(given) = &check.given {
        in_given(given, see);
    }
    branches(check.on.as_deref(), &check.expect, see);
}

fn in_given<'a>(given: &'a Given, see: &mut impl FnMut(Option<&'a str>, &'a Expect)) {
    match given {
        Given::One { on, expect } => branches(Some(on), expect, see),
        Given::All(all) => all.iter().for_each(|one| in_given(one, see)),
    }
}

fn branches<'a>(
    on: Option<&'a str>,
    expect: &'a Expect,
    see: &mut impl FnMut(Option<&'a str>, &'a Expect),
) {
    see(on, expect);
    if let Expect::AnyOf(all) = expect {
        all.iter().for_each(|one| branches(on, one, see));
    }
}

fn shape(card: &mut Card<'_>) {
    let scenario = card.scenario;
    let lines = scenario.source.text.lines().count();
    if lines > MAX_LINES {
        card.member_error("id", &scenario.id, format!("card of {lines} lines"))
            .hint = Some(format!(
            "a card has at most {MAX_LINES} lines; split it, or write a native step"
        ));
    }
    if let Some(until) = scenario.until
        && until < scenario.since
    {
        let title = format!("`until` {until} is before `since` {}", scenario.since);
        card.member_error("until", until.as_str(), title);
    }
    let path = &scenario.source.path;
    if path.starts_with("scenarios/") && *path != format!("scenarios/{}.yaml", scenario.id) {
        let title = format!("card `{}` lies in `{path}`", scenario.id);
        card.member_error("id", &scenario.id, title).hint =
            Some(format!("move it to `scenarios/{}.yaml`", scenario.id));
    }
    if scenario.checks.is_empty() {
        card.member_error("checks", "checks", "card without a check");
    }
    if scenario.steps.is_empty() {
        card.member_error("steps", "steps", "card without a step");
    }
    for (index, check) in scenario.checks.iter().enumerate() {
        if scenario.checks[..index]
            .iter()
            .any(|other| other.name == check.name)
        {
            let title = format!("duplicate check `{}`", check.name);
            card.error(&check.span, &check.name, title, "");
        }
    }
    if scenario.share {
        sharing(card);
    }
    bindings(card);
    deadlines(card);
}

/// What other cards on the same connection could not bear.
fn sharing(card: &mut Card<'_>) {
    for step in &card.scenario.steps {
        let reason = match &step.action {
            Action::Open { client, .. } if !client.is_empty() => Some(("client", "`client`")),
            Action::Open { answer, .. } if !answer.is_empty() => Some(("answer", "`answer`")),
            Action::Send {
                what: Payload::Json(text),
                ..
            } if text.contains("\"id\"") => Some(("json", "an id in `json`")),
            Action::Send { what, .. } => sent(what)
                .iter()
                .any(|message| matches!(message.id, OutgoingId::Written(_)))
                .then_some(("id", "a written id")),
            Action::Raw { .. } => Some(("raw", "`raw`")),
            Action::Http { .. } => Some(("http", "`http`")),
            Action::Close(_) => Some(("close", "`close`")),
            Action::Open { .. }
            | Action::Await { .. }
            | Action::Quiet { .. }
            | Action::Cancel { .. }
            | Action::Native { .. } => None,
        };
        if let Some((name, what)) = reason {
            let title = format!("`share: connection` with {what}");
            card.error(
                &step.span,
                name,
                title,
                "would disturb the cards that share the connection",
            );
        }
    }
}

/// Steps and judgements that only one binding knows.
fn bindings(card: &mut Card<'_>) {
    let http =
        card.needs(&Need::Binding(Binding::Http)) || card.needs(&Need::Binding(Binding::HttpSse));
    let stdio = card.needs(&Need::Binding(Binding::Stdio));
    let mut found: Vec<(Span, &str, &str)> = Vec::new();
    for step in &card.scenario.steps {
        let of = match &step.action {
            Action::Http { .. } => Some(("http", "http")),
            Action::Await {
                what: Awaited::Status(_),
                ..
            } => Some(("status", "http")),
            Action::Close(Close::Stream(_)) => Some(("stream", "http")),
            Action::Await {
                what: Awaited::Exit(_),
                ..
            } => Some(("exit", "stdio")),
            Action::Close(Close::Stdin(_)) => Some(("stdin", "stdio")),
            Action::Open { .. }
            | Action::Send { .. }
            | Action::Await { .. }
            | Action::Quiet { .. }
            | Action::Cancel { .. }
            | Action::Raw { .. }
            | Action::Close(Close::Connection(_))
            | Action::Native { .. } => None,
        };
        found.extend(of.map(|(name, binding)| (step.span.clone(), name, binding)));
        if let Action::Send {
            what: Payload::Json(text),
            ..
        } = &step.action
            && text.contains(['\n', '\r'])
            && !http
        {
            card.error(
                &step.span,
                "json",
                "line break in `json`",
                "breaks the frame on stdio",
            )
            .hint = Some("write it in one line, or with `raw`".to_owned());
        }
    }
    for check in &card.scenario.checks {
        judgements(check, &mut |_, expect| match expect {
            Expect::Http { .. } => found.push((check.span.clone(), "http", "http")),
            Expect::Exit { .. } => found.push((check.span.clone(), "exit", "stdio")),
            Expect::Message { .. }
            | Expect::SameId { .. }
            | Expect::None { .. }
            | Expect::AnyOf(_)
            | Expect::Native(_) => {}
        });
    }
    for (span, name, binding) in found {
        let met = if binding == "http" { http } else { stdio };
        if !met {
            let title = format!("`{name}` in a card that does not need `binding:{binding}`");
            card.error(&span, name, title, "").hint =
                Some(format!("add `binding:{binding}` to `needs`"));
        }
    }
}

/// `within` can only shorten.
fn deadlines(card: &mut Card<'_>) {
    let steps = card
        .scenario
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Await {
                within: Some(time), ..
            } => Some((step.span.clone(), time)),
            _ => None,
        });
    let mut times: Vec<(Span, &Template)> = steps.collect();
    for check in &card.scenario.checks {
        judgements(check, &mut |_, expect| {
            if let Expect::Exit {
                within_ms: Some(time),
                ..
            } = expect
            {
                times.push((check.span.clone(), time));
            }
        });
    }
    for (span, time) in times {
        let ms: Option<u64> = match time {
            Template::Literal(text) => text.parse().ok(),
            Template::Fact(path) => card
                .catalogue
                .facts()
                .of(card.scenario.since)
                .and_then(|facts| facts.millis(path)),
            _ => None,
        };
        if ms.is_some_and(|ms| ms > REPLY_TIMEOUT_MS) {
            let title = "`within` is longer than the timeout of a reply";
            let label = format!("can only shorten {REPLY_TIMEOUT_MS} ms");
            card.error(&span, "within", title, label);
        }
    }
}
