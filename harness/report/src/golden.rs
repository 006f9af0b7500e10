//! Goldens: every format of the one-of-everything fixture, reviewed by eye, under `golden/report/`.

use crate::{Ending, Fold, Json, Junit, Look, Report, Reporter, fixture, terminal};
use mcp_assay_model::event::Event;

fn fold(events: &[Event]) -> (Report, Ending) {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.see(event));
    fold.finish_with_ending()
}

fn rendered(events: &[Event], look: &Look) -> String {
    let (report, ending) = fold(events);
    terminal::render(&report, &ending, look)
}

fn artefacts() -> Look {
    Look {
        artefacts: vec![
            ("jsonl".to_owned(), "out/run.jsonl".to_owned()),
            ("junit".to_owned(), "out/junit.xml".to_owned()),
        ],
        ..Look::default()
    }
}

fn golden(name: &str, text: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../golden/report");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Blobs of Base64 say nothing to a reader, and the tests on masking and folding look into them.
    settings.add_filter("\"[A-Za-z0-9+/]{200,}=*\"", "\"[base64]\"");
    settings.add_filter("(?:long ){200,}", "[long]");
    settings.add_filter("x{200,}", "[xxx]");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn terminal_everything() {
    golden(
        "terminal-everything",
        rendered(&fixture::everything(), &artefacts()),
    );
}

#[test]
fn terminal_everything_narrow() {
    golden(
        "terminal-everything-narrow",
        rendered(
            &fixture::everything(),
            &Look {
                width: 60,
                ..artefacts()
            },
        ),
    );
}

#[test]
fn terminal_typical_in_colour() {
    let look = Look {
        color: true,
        ..artefacts()
    };
    let text = rendered(&fixture::typical(), &look).replace('\u{1b}', "␛");
    golden("terminal-typical-colour", text);
}

#[test]
fn terminal_quiet() {
    golden(
        "terminal-quiet",
        rendered(
            &fixture::everything(),
            &Look {
                quiet: true,
                ..artefacts()
            },
        ),
    );
}

#[test]
fn terminal_clean() {
    golden(
        "terminal-clean",
        rendered(&fixture::clean(), &Look::default()),
    );
}

#[test]
fn terminal_not_reached() {
    golden(
        "terminal-not-reached",
        rendered(&fixture::not_reached(), &Look::default()),
    );
}

#[test]
fn terminal_not_reached_over_http() {
    let look = Look::default();
    for (name, argv) in [
        ("terminal-not-reached-address", &[][..]),
        ("terminal-not-reached-started", &["node", "http.js"]),
    ] {
        golden(name, rendered(&fixture::not_reached_over_http(argv), &look));
    }
}

#[test]
fn terminal_interrupted() {
    golden(
        "terminal-interrupted",
        rendered(&fixture::interrupted(), &artefacts()),
    );
}

#[test]
fn terminal_of_a_record_that_is_cut_off() {
    let mut events = fixture::typical();
    events.truncate(9);
    golden("terminal-cut-off", rendered(&events, &Look::default()));
}

fn written(mut reporter: impl Reporter, events: &[Event]) {
    events
        .iter()
        .for_each(|event| reporter.see(event).expect("memory does not fail"));
    reporter.finish().expect("memory does not fail");
}

#[test]
fn junit_everything() {
    let mut out = Vec::new();
    written(Junit::new(&mut out), &fixture::everything());
    let xml = String::from_utf8(out).expect("XML is UTF-8");
    golden("junit-everything", xml.replace("><", ">\n<"));
}

#[test]
fn junit_not_reached() {
    let mut out = Vec::new();
    written(Junit::new(&mut out), &fixture::not_reached());
    let xml = String::from_utf8(out).expect("XML is UTF-8");
    golden("junit-not-reached", xml.replace("><", ">\n<"));
}

#[test]
fn json_typical() {
    let mut out = Vec::new();
    written(Json::new(&mut out), &fixture::typical());
    golden(
        "json-typical",
        String::from_utf8(out).expect("JSON is UTF-8"),
    );
}

#[test]
fn nothing_from_the_target_colours_or_forges() {
    for events in [
        fixture::everything(),
        fixture::not_reached(),
        fixture::interrupted(),
    ] {
        for (width, quiet) in [(60, false), (100, false), (160, false), (100, true)] {
            let look = Look {
                width,
                quiet,
                ..artefacts()
            };
            let text = rendered(&events, &look);
            assert!(
                !text.contains(|c: char| c != '\n' && crate::text::is_hazard(c)),
                "{text}"
            );
            assert_eq!(
                text.lines()
                    .filter(|line| line.starts_with("exit "))
                    .count(),
                1
            );
            let last = text.lines().last().expect("a last line");
            assert!(
                last.starts_with("exit ") && !last.starts_with("exit 0"),
                "{last}"
            );
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = rendered(&fixture::everything(), &Look::default());
    let colored = rendered(
        &fixture::everything(),
        &Look {
            color: true,
            ..Look::default()
        },
    );
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
}
