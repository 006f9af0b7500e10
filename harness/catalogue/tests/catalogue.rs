//! Loading many cards.

use mcp_assay_catalogue::Catalogue;
use mcp_assay_catalogue::catalogue::LoadError;
use mcp_assay_model::scenario::Source;
use std::fs;
use std::path::Path;

fn card(id: &str, path: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: format!("id: {id}\nrole: server\nsince: 2024-11-05\nsteps: []\nchecks: []\n"),
    }
}

#[test]
fn cards_are_sorted_by_id_and_found() {
    let catalogue = Catalogue::of([card("b/x", "1"), card("a/y", "2"), card("a/x", "3")]).unwrap();
    let ids: Vec<&str> = catalogue
        .scenarios()
        .iter()
        .map(|card| card.id.as_str())
        .collect();
    assert_eq!(ids, ["a/x", "a/y", "b/x"]);
    assert_eq!(catalogue.scenario("a/y").unwrap().source.path, "2");
    assert!(catalogue.scenario("a/z").is_none());
    assert!(catalogue.check("a/x/no").is_none());
}

#[test]
fn cards_with_one_id_are_refused() {
    let errors = Catalogue::of([card("a/x", "one.yaml"), card("a/x", "two.yaml")]).unwrap_err();
    let shown = errors.to_string();
    assert!(shown.contains("duplicate card id `a/x`"), "{shown}");
    assert!(
        shown.contains("two.yaml:1:5") && shown.contains("`one.yaml` has it too"),
        "{shown}"
    );
}

#[test]
fn errors_of_all_cards_are_told_in_order_of_their_files() {
    let broken = |path: &str| Source {
        path: path.to_owned(),
        text: "id: 5\n".to_owned(),
    };
    let errors = Catalogue::of([broken("b.yaml"), broken("a.yaml")]).unwrap_err();
    let paths: Vec<&str> = errors
        .list()
        .iter()
        .map(|error| error.source.path.as_str())
        .collect();
    assert!(paths.is_sorted() && paths.len() > 2, "{paths:?}");
}

#[test]
fn a_folder_is_read_with_what_lies_below_it() {
    let cards = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cards");
    let catalogue = Catalogue::from_dir(&cards).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        catalogue.scenarios().len(),
        fs::read_dir(&cards).unwrap().count()
    );
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../suites");
    let embedded = mcp_assay_suites::SCENARIOS.len();
    match Catalogue::from_dir(&suites) {
        Ok(found) => assert_eq!(found.scenarios().len(), embedded),
        Err(LoadError::Broken(_)) => {} // The test of the embedded cards tells why.
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Catalogue::from_dir(Path::new("no/such/folder")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `no/such/folder`");
}
