//! The worked cards of the format's contract are read.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are no test functions to clippy"
)]

use mcp_assay_catalogue::card;
use mcp_assay_model::scenario::{Scenario, Source};
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn read(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cards")
        .join(name);
    let source = Source {
        path: name.to_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    card::parse(&Arc::new(source)).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_five_worked_cards_are_read() {
    let shape = |name: &str| {
        let card = read(name);
        let checks = card.checks.len();
        (
            card.id,
            card.steps.len(),
            checks,
            card.checks
                .iter()
                .map(|check| check.mutants.len())
                .sum::<usize>(),
        )
    };
    assert_eq!(
        shape("cancellation-in-flight.yaml"),
        ("cancellation/in-flight".to_owned(), 5, 1, 1)
    );
    assert_eq!(
        shape("mrtr-tampered-state.yaml"),
        ("mrtr/tampered-state".to_owned(), 7, 1, 1)
    );
    assert_eq!(
        shape("resources-subscribe-updated.yaml"),
        ("resources/subscribe-updated".to_owned(), 5, 1, 1)
    );
    assert_eq!(
        shape("session-deleted.yaml"),
        ("session/deleted".to_owned(), 4, 1, 2)
    );
    assert_eq!(
        shape("subscriptions-updated.yaml"),
        ("subscriptions/updated".to_owned(), 6, 1, 1)
    );
}
