//! What is judged: a label of the right sort, and one that was awaited.

use super::labels::{ANY, Labels, Sort, expect_sort, from};
use super::visit::{judgements, of_expect};
use super::{Card, locate};
use mcp_assay_model::scenario::{Check, Expect, Part};

pub(super) fn lint(card: &mut Card<'_>, labels: &Labels<'_>, check: &Check) {
    if let Some(label) = &check.on {
        expect_sort(card, labels, label, ANY, &check.span);
    }
    let mut all: Vec<(Option<&str>, &Expect)> = Vec::new();
    judgements(check, &mut |on, expect| all.push((on, expect)));
    for (on, expect) in all {
        let mut values = Vec::new();
        of_expect(expect, &mut values);
        for value in values {
            from(card, labels, value, &check.span);
        }
        let Some(on) = on else {
            unlabelled(card, check, expect);
            named_in(card, labels, check, expect);
            continue;
        };
        named_in(card, labels, check, expect);
        let Some(sort) = labels.sorts.get(on).copied() else {
            if check.on.as_deref() != Some(on) {
                expect_sort(card, labels, on, ANY, &check.span);
            }
            continue;
        };
        fits(card, labels, check, on, sort, expect);
    }
}

fn unlabelled(card: &mut Card<'_>, check: &Check, expect: &Expect) {
    let needs_label = match expect {
        Expect::Message { .. }
        | Expect::SameId { .. }
        | Expect::Http { .. }
        | Expect::Exit { .. } => true,
        Expect::None { within, .. } => within.is_none(),
        Expect::AnyOf(_) | Expect::Native(_) => false,
    };
    if needs_label {
        let title = format!("check `{}` without `on`", check.name);
        card.error(&check.span, &check.name, title, "which label is judged?");
    }
}

/// Labels that a judgement names besides the one it judges.
fn named_in(card: &mut Card<'_>, labels: &Labels<'_>, check: &Check, expect: &Expect) {
    match expect {
        Expect::SameId { request, .. } => {
            expect_sort(card, labels, request, &[Sort::Request], &check.span);
        }
        Expect::None {
            within: Some(window),
            ..
        } => {
            let span = locate(&card.source.text, &check.span, &format!("in: {window}"));
            expect_sort(card, labels, window, &[Sort::Window], &span);
        }
        Expect::None { within: None, .. }
        | Expect::Message { .. }
        | Expect::Http { .. }
        | Expect::Exit { .. }
        | Expect::AnyOf(_)
        | Expect::Native(_) => {}
    }
}

/// Whether a label can bear a judgement, and whether what is judged was awaited.
fn fits(
    card: &mut Card<'_>,
    labels: &Labels<'_>,
    check: &Check,
    on: &str,
    sort: Sort,
    expect: &Expect,
) {
    let (wanted, awaited): (&[Sort], bool) = match expect {
        Expect::Message { part, .. } => match part {
            Part::Result | Part::Error | Part::Reply => (
                &[
                    Sort::Connection,
                    Sort::Request,
                    Sort::Raw,
                    Sort::Http,
                    Sort::Reply,
                    Sort::Native,
                ],
                labels.replied(on) || !matches!(sort, Sort::Request | Sort::Raw),
            ),
            Part::Notification => (&[Sort::TheirNotification, Sort::Native], true),
            Part::Request => (&[Sort::TheirRequest, Sort::Native], true),
        },
        Expect::SameId { .. } => (
            &[
                Sort::Connection,
                Sort::Request,
                Sort::Raw,
                Sort::Http,
                Sort::Reply,
                Sort::TheirRequest,
                Sort::TheirNotification,
                Sort::Native,
            ],
            labels.replied(on) || !matches!(sort, Sort::Request | Sort::Raw),
        ),
        Expect::Http { .. } => (
            &[
                Sort::Connection,
                Sort::Request,
                Sort::Notification,
                Sort::Batch,
                Sort::Raw,
                Sort::Http,
                Sort::Status,
                Sort::Reply,
                Sort::Native,
            ],
            labels.replied(on)
                || labels.statuses.contains(on)
                || matches!(
                    sort,
                    Sort::Connection | Sort::Http | Sort::Status | Sort::Reply | Sort::Native
                ),
        ),
        Expect::Exit { .. } => (&[Sort::Exit, Sort::Connection], true),
        Expect::None { .. } | Expect::AnyOf(_) | Expect::Native(_) => (ANY, true),
    };
    expect_sort(card, labels, on, wanted, &check.span);
    if !awaited && wanted.contains(&sort) {
        let title = format!("label `{on}` is judged and never awaited");
        let verb = if matches!(expect, Expect::Http { .. }) {
            "status"
        } else {
            "reply_to"
        };
        card.error(&check.span, on, title, "").hint =
            Some(format!("add the step `- await: {{ {verb}: {on} }}`"));
    }
}
