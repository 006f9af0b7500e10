//! Labels: defined before use, of the right sort, awaited where they are judged.

use super::visit::sent;
use super::{Card, judged};
use mcp_assay_model::scenario::{Action, Awaited, Close, Outgoing, OutgoingId, Payload, Span};
use mcp_assay_model::template::Template;
use std::collections::{BTreeMap, BTreeSet};

/// The connection's label in a card without `open`.
const BARE: &str = "c";

/// What a label names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sort {
    Connection,
    Request,
    Notification,
    Batch,
    Raw,
    Http,
    Reply,
    TheirRequest,
    TheirNotification,
    Status,
    Exit,
    Window,
    Native,
}

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Sort::Connection => "a connection",
            Sort::Request => "a request of ours",
            Sort::Notification => "a notification of ours",
            Sort::Batch => "a batch",
            Sort::Raw => "raw bytes",
            Sort::Http => "an HTTP request",
            Sort::Reply => "a reply",
            Sort::TheirRequest => "a request of the target",
            Sort::TheirNotification => "a notification of the target",
            Sort::Status => "an HTTP status",
            Sort::Exit => "the end of the process",
            Sort::Window => "a quiet window",
            Sort::Native => "what a native step binds",
        }
    }
}

/// What can be answered.
const ANSWERED: &[Sort] = &[Sort::Request, Sort::Raw, Sort::Http];

/// What goes out in an exchange of its own.
const EXCHANGED: &[Sort] = &[
    Sort::Request,
    Sort::Notification,
    Sort::Batch,
    Sort::Raw,
    Sort::Http,
];

/// What a response stream can belong to.
const STREAMED: &[Sort] = &[Sort::Request, Sort::Raw, Sort::Http];

/// What names a message, ours or theirs.
const MESSAGES: &[Sort] = &[
    Sort::Connection,
    Sort::Request,
    Sort::Notification,
    Sort::Reply,
    Sort::TheirRequest,
    Sort::TheirNotification,
    Sort::Native,
];

pub(super) const ANY: &[Sort] = &[];

/// Labels so far, and what was awaited of them.
#[derive(Default)]
pub(super) struct Labels<'c> {
    pub(super) sorts: BTreeMap<&'c str, Sort>,
    replies: BTreeSet<&'c str>,
    pub(super) statuses: BTreeSet<&'c str>,
    /// Whether everything that could come was waited for: silence about any request, or the end of the process.
    all: bool,
}

pub(super) fn lint(card: &mut Card<'_>) {
    let scenario = card.scenario;
    let mut labels = Labels::default();
    let before = card.errors.list().len();
    let opens = |action: &Action| matches!(action, Action::Open { .. });
    if !scenario.steps.iter().any(|step| opens(&step.action)) {
        labels.sorts.insert(BARE, Sort::Connection);
    }
    let mut opened = false;
    for (index, step) in scenario.steps.iter().enumerate() {
        if opens(&step.action) {
            if std::mem::replace(&mut opened, true) {
                let title = "second `open` in a card";
                card.error(&step.span, "open", title, "a card opens one connection")
                    .hint = Some("write what needs two connections as a native step".to_owned());
            } else if index > 0 {
                card.error(
                    &step.span,
                    "open",
                    "`open` after another step",
                    "comes first",
                );
            }
        }
        uses(card, &labels, &step.action, &step.span);
        note_awaited(&mut labels, &step.action);
        for (label, sort) in defines(&step.action) {
            if labels.sorts.insert(label, sort).is_some() {
                let title = format!("duplicate label `{label}`");
                card.error(&step.span, label, title, "names something else above");
            }
        }
    }
    // A step that went wrong would be told again by every check on its label.
    labels.all |= card.errors.list().len() > before;
    for check in &scenario.checks {
        judged::lint(card, &labels, check);
    }
}

impl Labels<'_> {
    pub(super) fn replied(&self, label: &str) -> bool {
        self.all || self.replies.contains(label)
    }
}

/// What was waited for by name: an answer, or the silence up to the fence in its place.
fn note_awaited<'c>(labels: &mut Labels<'c>, action: &'c Action) {
    match action {
        Action::Quiet { about, .. } if about == "any" => labels.all = true,
        Action::Await {
            what: Awaited::Exit(_),
            ..
        } => labels.all = true,
        Action::Await {
            what: Awaited::ReplyTo(label),
            ..
        }
        | Action::Quiet { about: label, .. } => {
            labels.replies.insert(label);
        }
        Action::Await {
            what: Awaited::Status(label),
            ..
        } => {
            labels.statuses.insert(label);
        }
        Action::Await { .. }
        | Action::Open { .. }
        | Action::Send { .. }
        | Action::Cancel { .. }
        | Action::Raw { .. }
        | Action::Http { .. }
        | Action::Close(_)
        | Action::Native { .. } => {}
    }
}

fn defines(action: &Action) -> Vec<(&str, Sort)> {
    match action {
        Action::Open { label, .. } => vec![(label, Sort::Connection)],
        Action::Send { label, what } => {
            let mut all: Vec<(&str, Sort)> = Vec::new();
            let sort = match what {
                Payload::Message(message) => sort_of(message),
                Payload::Batch(_) => Sort::Batch,
                Payload::Json(_) => Sort::Request,
            };
            all.extend(label.as_deref().map(|label| (label, sort)));
            if let Payload::Batch(items) = what {
                all.extend(items.iter().filter_map(|(label, message)| {
                    label.as_deref().map(|label| (label, sort_of(message)))
                }));
            }
            all
        }
        Action::Await { label, what, .. } => {
            let sort = match what {
                Awaited::ReplyTo(_) => Sort::Reply,
                Awaited::Request { .. } => Sort::TheirRequest,
                Awaited::Notification { .. } => Sort::TheirNotification,
                Awaited::Status(_) => Sort::Status,
                Awaited::Exit(_) => Sort::Exit,
            };
            label
                .as_deref()
                .map(|label| (label, sort))
                .into_iter()
                .collect()
        }
        Action::Quiet { label, .. } => vec![(label, Sort::Window)],
        Action::Raw { label, .. } => label
            .as_deref()
            .map(|label| (label, Sort::Raw))
            .into_iter()
            .collect(),
        Action::Http { label, .. } => label
            .as_deref()
            .map(|label| (label, Sort::Http))
            .into_iter()
            .collect(),
        Action::Native { label, .. } => label
            .as_deref()
            .map(|label| (label, Sort::Native))
            .into_iter()
            .collect(),
        Action::Cancel { .. } | Action::Close(_) => Vec::new(),
    }
}

/// A message without an id is not answered; one whose method is unknown until the run counts as a request.
fn sort_of(message: &Outgoing) -> Sort {
    let method = match message.message.member("method") {
        Some(Template::Text(method)) => method.as_str(),
        _ => "",
    };
    match message.id {
        OutgoingId::None => Sort::Notification,
        OutgoingId::Auto if method.starts_with("notifications/") => Sort::Notification,
        OutgoingId::Auto | OutgoingId::Written(_) => Sort::Request,
    }
}

fn uses(card: &mut Card<'_>, labels: &Labels<'_>, action: &Action, span: &Span) {
    match action {
        Action::Send { what, .. } => {
            for message in sent(what) {
                from(card, labels, &message.message, span);
                for (_, value) in &message.meta_set {
                    from(card, labels, value, span);
                }
                if let OutgoingId::Written(id) = &message.id {
                    from(card, labels, id, span);
                }
            }
        }
        Action::Await { what, .. } => match what {
            Awaited::ReplyTo(label) => expect_sort(card, labels, label, ANSWERED, span),
            Awaited::Status(label) => expect_sort(card, labels, label, EXCHANGED, span),
            Awaited::Exit(label) => expect_sort(card, labels, label, &[Sort::Connection], span),
            Awaited::Request { since, .. } => {
                if let Some(label) = since {
                    expect_sort(card, labels, label, ANY, span);
                }
            }
            Awaited::Notification { since, on, .. } => {
                if let Some(label) = since {
                    expect_sort(card, labels, label, ANY, span);
                }
                if let Some(label) = on {
                    expect_sort(card, labels, label, &[Sort::Request], span);
                }
            }
        },
        Action::Quiet { about, .. } if about != "any" => {
            expect_sort(card, labels, about, EXCHANGED, span);
        }
        Action::Cancel { request } => expect_sort(card, labels, request, &[Sort::Request], span),
        Action::Http { headers, body, .. } => {
            let values = headers.iter().filter_map(|(_, value)| value.as_ref());
            for value in values.chain(body) {
                from(card, labels, value, span);
            }
        }
        Action::Close(close) => match close {
            Close::Connection(label) | Close::Stdin(label) => {
                expect_sort(card, labels, label, &[Sort::Connection], span);
            }
            Close::Stream(label) => expect_sort(card, labels, label, STREAMED, span),
        },
        Action::Native {
            name, parameters, ..
        } => {
            let context = card.context;
            let known = context.natives.iter().find(|native| native.name == *name);
            for (key, value) in parameters {
                from(card, labels, value, span);
                let is_label = known.is_some_and(|native| native.labels.contains(key));
                match value {
                    Template::Text(label) if is_label => {
                        expect_sort(card, labels, label, ANY, span);
                    }
                    _ => {}
                }
            }
        }
        Action::Open { client, answer, .. } => {
            for (_, value) in client.iter().chain(answer) {
                from(card, labels, value, span);
            }
        }
        Action::Quiet { .. } | Action::Raw { .. } => {}
    }
}

/// `$from` names a message that is there by then.
pub(super) fn from(card: &mut Card<'_>, labels: &Labels<'_>, value: &Template, span: &Span) {
    value.visit(&mut |inner| {
        if let Template::From { label, .. } = inner {
            expect_sort(card, labels, label, MESSAGES, span);
        }
    });
}

/// Reports a label that does not exist or names something else; an empty list takes every sort.
pub(super) fn expect_sort(
    card: &mut Card<'_>,
    labels: &Labels<'_>,
    label: &str,
    wanted: &[Sort],
    span: &Span,
) {
    match labels.sorts.get(label) {
        None => {
            let known: Vec<&str> = labels.sorts.keys().copied().collect();
            card.unknown(span, "label", label, known);
        }
        Some(sort) if wanted.is_empty() || wanted.contains(sort) => {}
        Some(sort) => {
            let title = format!("label `{label}` names {}", sort.as_str());
            let names: Vec<&str> = wanted.iter().map(|sort| sort.as_str()).collect();
            card.error(
                span,
                label,
                title,
                format!("needed: {}", names.join(" or ")),
            );
        }
    }
}
