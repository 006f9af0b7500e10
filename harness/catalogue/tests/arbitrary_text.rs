//! No text makes a reader panic, and every error can be shown.

use mcp_assay_catalogue::diagnostic::Diagnostics;
use mcp_assay_catalogue::facts::FactTable;
use mcp_assay_catalogue::lint::{LintContext, lint};
use mcp_assay_catalogue::profile::{Known, Profile};
use mcp_assay_catalogue::{Catalogue, baseline, card, yaml};
use mcp_assay_model::scenario::Source;
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use std::collections::BTreeSet;
use std::sync::Arc;

const CARD: &str = include_str!("cards/maximal.yaml");

fn source(text: &str) -> Arc<Source> {
    Arc::new(Source {
        path: "any.yaml".to_owned(),
        text: text.to_owned(),
    })
}

fn shown<T>(outcome: Result<T, Diagnostics>) {
    if let Err(errors) = outcome {
        assert!(!errors.is_empty());
        assert!(errors.list().iter().all(|error| !error.title.is_empty()));
        assert!(
            !errors.render(false).contains('\u{1b}'),
            "a file coloured the terminal"
        );
        errors.render(true);
    }
}

/// Text that is nearly a card: pieces of one, cut, doubled and mixed with other bytes.
fn near_cards() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = CARD.lines().collect();
    let piece = prop_oneof![
        8 => prop::sample::select(lines).prop_map(|line| format!("{line}\n")),
        1 => any::<String>(),
        1 => "[-{}:,&*!|>%@`'\"\\[\\]# \t\n\r~?]{0,8}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

/// A card with a few bytes replaced.
fn damaged_cards() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((0..CARD.len(), 0..12_usize, any::<char>()), 1..4);
    edits.prop_map(|edits| {
        let mut text = CARD.to_owned();
        for (at, length, with) in edits {
            let start = text
                .char_indices()
                .map(|(place, _)| place)
                .take_while(|place| *place <= at)
                .last()
                .unwrap_or(0);
            let end = text[start..]
                .char_indices()
                .nth(length)
                .map_or(text.len(), |(place, _)| start + place);
            text.replace_range(start..end, &with.to_string());
        }
        text
    })
}

fn read_everything(text: &str) {
    let source = source(text);
    shown(yaml::parse(&source));
    shown(card::parse(&source));
    shown(baseline::parse(&source, &BTreeSet::new()));
    let facts = FactTable::default();
    let checks = BTreeSet::new();
    let known = Known {
        fixtures: facts.fixtures(),
        checks: &checks,
    };
    let profile = Profile::parse(&source, &known);
    if let Ok(profile) = &profile {
        shown(profile.target("mine", &|_| None));
    }
    shown(profile);
    shown(FactTable::read([Source::clone(&source)]));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read_everything(&text);
    }

    #[test]
    fn any_near_card_is_read_or_refused(text in near_cards()) {
        read_everything(&text);
    }

    #[test]
    fn any_damaged_card_is_read_linted_or_refused(text in damaged_cards()) {
        read_everything(&text);
        if let Ok(catalogue) = Catalogue::of([Source::clone(&source(&text))]) {
            shown(lint(&catalogue, &LintContext::default()));
        }
    }
}
