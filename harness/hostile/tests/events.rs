//! Event streams: the generators keep their word, and the oracles hold for what they make and for any other bytes.

use mcp_assay_hostile::events::{self, Block};
use mcp_assay_hostile::oracle;
use mcp_assay_wire::sse::{Event, Parser};
use mcp_assay_wire::stdio::{DefectKind, Limits};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;

/// The events of a stream that arrives in one piece.
fn read(bytes: &[u8]) -> Vec<Event> {
    let mut parser = Parser::new(Limits::default());
    let mut events = parser.push(bytes);
    events.extend(parser.finish());
    events
}

fn held(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

/// Fields, line ends and parts of both, in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(
        &[
            "\n",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "\r\r",
            ":",
            " ",
            "data",
            "data:",
            "data: a",
            "data: {\"id\":1}",
            "id",
            "id:",
            "id: 1",
            "\0",
            "event",
            "event: e",
            "retry: ",
            "retry:9",
            "18446744073709551616",
            "x",
            "X: y",
            "\u{feff}",
            "é",
            "\u{2028}",
        ][..],
    );
    let token = prop_oneof![
        12 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn a_lawful_block_is_read_as_what_it_says(block in events::lawful()) {
        prop_assert_eq!(read(&block.bytes), Vec::from_iter(block.says));
    }

    #[test]
    fn a_broken_block_shows_its_defect_where_it_is(block in events::broken()) {
        let events = read(&block.bytes);
        prop_assert_eq!(events.len(), 1);
        let shown: Vec<_> = events[0].defects.iter().map(|d| (d.kind, d.offset as usize)).collect();
        if let Some(expected) = block.shows {
            prop_assert!(shown.contains(&expected), "{:?} not in {:?}: {}", expected, shown, block.bytes.escape_ascii());
        }
        prop_assert_eq!(shown.is_empty(), block.shows.is_none());
        held(oracle::sse_events(&block.bytes))?;
    }

    #[test]
    fn a_stream_gives_its_events_however_it_is_cut(stream in events::stream()) {
        held(oracle::event_splits(&stream.bytes, &stream.cuts, Limits::default()))?;
        held(oracle::sse_events(&stream.bytes))?;
        let mut events = read(&stream.bytes);
        if stream.is_cut_off {
            let cut_off = events.pop().expect("a block has begun");
            prop_assert!(!cut_off.is_terminated);
        }
        prop_assert_eq!(events.len(), stream.blocks.len());
        let mut last_event_id = String::new();
        for (event, (offset, Block { bytes, says, shows })) in events.into_iter().zip(stream.blocks) {
            prop_assert_eq!((event.offset, &event.raw[..]), (offset, &bytes[..]));
            let shown = |(kind, at)| event.defects.iter().any(|d| (d.kind, d.offset) == (kind, offset + at as u64));
            prop_assert!(shows.is_none_or(shown), "{:?}: {:?}", shows, event);
            if let Some(id) = &event.id {
                last_event_id.clone_from(id);
            }
            if let Some(says) = says {
                let data_offset = event.data_offset.saturating_sub(offset);
                prop_assert_eq!(Event { offset: 0, data_offset, ..event }, says);
            }
        }
        let mut parser = Parser::new(Limits::default());
        parser.push(&stream.bytes);
        parser.finish();
        prop_assert_eq!(parser.last_event_id(), last_event_id);
    }

    #[test]
    fn the_oracles_hold_for_any_bytes(bytes: Vec<u8>) {
        held(oracle::sse_events(&bytes))?;
    }

    #[test]
    fn the_oracles_hold_for_a_soup_of_fields(bytes in soup()) {
        held(oracle::sse_events(&bytes))?;
    }

    #[test]
    fn a_bound_changes_nothing_else(bytes in soup(), max_frame in 0..80_usize, kept_of_oversized in 0..80_usize) {
        let limits = Limits { max_frame, kept_of_oversized };
        held(oracle::event_bounds(&bytes, limits))?;
        held(oracle::event_places(&bytes, limits))?;
    }
}

#[test]
fn the_generators_reach_every_part_of_an_event() {
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRunner::deterministic().new_rng());
    let strategy = events::stream();
    let mut seen = BTreeSet::new();
    for _ in 0..500 {
        let stream = strategy
            .new_tree(&mut runner)
            .expect("the grammar is total")
            .current();
        seen.extend(stream.is_cut_off.then_some("cut off"));
        seen.extend(stream.bytes.starts_with(b"\xef\xbb\xbf").then_some("mark"));
        for event in read(&stream.bytes) {
            let parts = [
                (event.is_dispatched(), "dispatched"),
                (
                    event
                        .data
                        .as_ref()
                        .is_some_and(|data| data.contains(&b'\n')),
                    "data lines",
                ),
                (
                    event.data.as_ref().is_some_and(|data| data.is_empty()),
                    "empty data",
                ),
                (event.data.is_none(), "no data"),
                (event.name.is_some(), "name"),
                (event.id.as_deref() == Some(""), "empty id"),
                (event.id.is_some(), "id"),
                (event.retry.is_some(), "retry"),
                (event.comments > 0, "comments"),
                (!event.unknown_fields.is_empty(), "unknown fields"),
                (event.has(DefectKind::InvalidUtf8), "no UTF-8"),
                (event.has(DefectKind::IgnoredField), "ignored field"),
                (event.raw.ends_with(b"\r\r"), "carriage returns"),
                (event.raw.ends_with(b"\n\n"), "newlines"),
                (event.raw.ends_with(b"\r\n\r"), "both"),
            ];
            seen.extend(
                parts
                    .into_iter()
                    .filter_map(|(is_there, name)| is_there.then_some(name)),
            );
        }
    }
    assert_eq!(seen.len(), 17, "{seen:?}");
}
