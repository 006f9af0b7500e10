//! The shape of a card: length, range, sharing, bindings, deadlines.

use super::Card;
use super::visit::{judgements, sent};
use mcp_assay_model::protocol::Binding;
use mcp_assay_model::scenario::{Action, Awaited, Close, Expect, Need, OutgoingId, Payload, Span};
use mcp_assay_model::template::Template;

/// Longest card, in lines.
const MAX_LINES: usize = 120;

/// The default of `timeout`, in milliseconds, which `within` can only shorten.
const REPLY_TIMEOUT_MS: u64 = 30_000;

pub(super) fn lint(card: &mut Card<'_>) {
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
        // As a precondition, or beside other answers, it does not apply over the other bindings.
        if is_http_only(&check.expect) {
            found.push((check.span.clone(), "http", "http"));
        }
        judgements(check, &mut |_, expect| match expect {
            Expect::Exit { .. } => found.push((check.span.clone(), "exit", "stdio")),
            Expect::Message { .. }
            | Expect::SameId { .. }
            | Expect::None { .. }
            | Expect::Http { .. }
            | Expect::AnyOf(_)
            | Expect::Native(_) => {}
        });
    }
    for (span, name, binding) in found {
        let met = if binding == "http" { http } else { stdio };
        if !met {
            let title = format!("`{name}` in a card that does not need `binding:{binding}`");
            card.error(&span, name, title, "").hint = Some(match binding {
                "http" => "add `binding:http` or `binding:http-sse` to `needs`".to_owned(),
                _ => format!("add `binding:{binding}` to `needs`"),
            });
        }
    }
}

/// Whether a judgement has nothing to say over bindings without HTTP.
fn is_http_only(expect: &Expect) -> bool {
    match expect {
        Expect::Http { .. } => true,
        Expect::AnyOf(branches) => branches.iter().all(is_http_only),
        Expect::Message { .. }
        | Expect::SameId { .. }
        | Expect::None { .. }
        | Expect::Exit { .. }
        | Expect::Native(_) => false,
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
