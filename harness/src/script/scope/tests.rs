use super::{Scope, Unresolved};
use crate::testing::{REVISION, catalogue};
use mcp_assay_model::template::Template;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

fn rendered(template: &Template) -> Result<String, Unresolved> {
    let catalogue = catalogue();
    let fixtures = json!({ "slow": { "tool": "s", "arguments": { "ms": 5 } } });
    let vary = BTreeMap::from([("v".to_owned(), "1e0".to_owned())]);
    let scope = Scope {
        facts: catalogue.facts(),
        revision: REVISION,
        fixtures: &fixtures,
        vary: &vary,
    };
    scope.render(template, &|label, at| {
        ((label, at) == ("q", "/result")).then(|| "1.50".to_owned())
    })
}

#[test]
fn references_are_filled_in_wherever_they_stand_and_their_text_is_kept() {
    let from = |at: &str| Template::From {
        label: "q".to_owned(),
        at: at.to_owned(),
    };
    let text = |text: &str| text.to_owned();
    let template = Template::Object(vec![
        (text("fact"), Template::Fact(text("revision"))),
        (
            text("fixture"),
            Template::Fixture(text("slow.arguments.ms")),
        ),
        (
            text("inside"),
            Template::Array(vec![Template::Vary(text("v")), from("/result")]),
        ),
        (text("quote\""), Template::Text(text("\n"))),
    ]);
    let expected =
        format!(r#"{{"fact":"{REVISION}","fixture":5,"inside":[1e0,1.50],"quote\"":"\n"}}"#);
    assert_eq!(rendered(&template), Ok(expected));
    let nowhere = Unresolved::From {
        label: text("q"),
        at: text("/none"),
    };
    assert_eq!(rendered(&from("/none")), Err(nowhere));
    for broken in [
        Template::Fact(text("no.such")),
        Template::Fixture(text("slow.none")),
        Template::Fixture(text("none")),
        Template::Vary(text("w")),
        Template::Empty,
    ] {
        assert!(
            matches!(rendered(&broken), Err(Unresolved::Card(_))),
            "{broken:?}"
        );
    }
}

#[test]
fn times_are_numbers_of_milliseconds_within_a_day() {
    let catalogue = catalogue();
    let (fixtures, vary) = (json!({}), BTreeMap::new());
    let scope = Scope {
        facts: catalogue.facts(),
        revision: REVISION,
        fixtures: &fixtures,
        vary: &vary,
    };
    for (text, time) in [
        ("250", Some(Duration::from_millis(250))),
        ("0.5", Some(Duration::from_micros(500))),
        ("0", Some(Duration::ZERO)),
        ("-1", Some(Duration::ZERO)),
        ("1e300", Some(Duration::from_secs(86_400))),
        ("\"5\"", None),
        ("null", None),
    ] {
        let template = Template::Raw(text.to_owned());
        assert_eq!(scope.milliseconds(&template).ok(), time, "{text}");
    }
}
