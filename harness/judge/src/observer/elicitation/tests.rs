use super::is_plain_and_public;
use crate::testing::{Talk, opened, watched};
use mcp_assay_model::protocol::Revision;

fn said(rule: &str, talk: &Talk) -> String {
    watched("elicitation", rule, talk)
}

fn open() -> Talk {
    opened(
        Revision::R2025_11_25,
        r#"{"elicitation":{"form":{},"url":{}}}"#,
        "{}",
    )
}

fn elicit(talk: Talk, params: &str) -> Talk {
    talk.came(format!(
        r#"{{"jsonrpc":"2.0","id":9,"method":"elicitation/create","params":{params}}}"#
    ))
}

const URL: &str = r#"{"mode":"url","message":"m","url":"https://a.b/c","elicitationId":"e"}"#;
const DONE: &str = r#"{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e"}}"#;

#[test]
fn a_completion_names_what_was_asked_or_required() {
    assert_eq!(said("complete", &elicit(open(), URL).came(DONE)), "1");
    let other = URL.replace(r#""e""#, r#""f""#);
    let place = "/params/elicitationId";
    assert_eq!(
        said("complete", &elicit(open(), &other).came(DONE)),
        format!("1 id #5 {place}")
    );
    let required =
        format!(r#""error":{{"code":-32042,"message":"m","data":{{"elicitations":[{URL}]}}}}"#);
    let refused = open().exchange(1, "tools/call", r#"{"name":"t"}"#, &required);
    assert_eq!(said("complete", &refused.came(DONE)), "1");
    let mut shared = open().came(DONE);
    let id = shared.record.entries[0]
        .message
        .as_ref()
        .unwrap()
        .id
        .clone();
    shared.record.past.ids.insert(id.unwrap());
    assert_eq!(said("complete", &shared), "0");
}

#[test]
fn the_error_that_requires_elicitations_lists_them() {
    let refused = |error: &str| {
        let error = format!(r#""error":{{"message":"m",{error}}}"#);
        said(
            "required",
            &open().exchange(1, "tools/call", r#"{"name":"t"}"#, &error),
        )
    };
    let listed = |one: &str| {
        refused(&format!(
            r#""code":-32042,"data":{{"elicitations":[{one}]}}"#
        ))
    };
    assert_eq!(listed(URL), "1");
    assert_eq!(refused(r#""code":-32042"#), "1 schema #5 /error");
    assert_eq!(refused(r#""code":-32602"#), "0");
    let place = "/error/data/elicitations/0";
    assert_eq!(
        listed(&URL.replace(r#""mode":"url","#, "")),
        format!("1 schema #5 {place}")
    );
    assert_eq!(
        listed(&URL.replace("elicitationId", "id")),
        format!("1 schema #5 {place}")
    );
}

#[test]
fn a_form_has_no_links() {
    let form = |message: &str| {
        let params = format!(
            r#"{{"message":"{message}","requestedSchema":{{"type":"object","properties":{{}}}}}}"#
        );
        said("form-without-links", &elicit(open(), &params))
    };
    for plain in ["m", "as https://a.b", "[x](y)", "1 < 2", "array[0](1)"] {
        assert_eq!(form(plain), "1", "{plain}");
    }
    for link in [
        "[here](https://a.b)",
        "<a class=x href=y>z</a>",
        "<https://a.b>",
    ] {
        assert_eq!(form(link), "1 value #4 /params/message", "{link}");
    }
    assert_eq!(said("form-without-links", &elicit(open(), URL)), "0");
}

#[test]
fn an_elicitation_leads_to_https() {
    let by = |url: &str| said("https", &elicit(open(), &URL.replace("https://a.b/c", url)));
    assert_eq!(by("https://shop.com/a"), "1");
    assert_eq!(by("http://shop.com/a"), "1 value #4 /params/url");
}

#[test]
fn development_is_no_public_place() {
    for url in [
        "http://localhost:3000/a",
        "http://127.0.0.1/a",
        "http://[::1]:8/a",
        "http://10.1.2.3",
        "http://box/a",
        "http://box.local",
        "http://app.test?x",
        "http://example.com/a",
        "http://www.example.org",
        "http://192.0.2.7",
        "https://shop.com",
        "custom:thing",
    ] {
        assert!(!is_plain_and_public(url), "{url}");
    }
    for url in [
        "http://shop.com",
        "HTTP://u@Shop.com:80/a",
        "http://8.8.8.8/a",
        "http://examples.com",
    ] {
        assert!(is_plain_and_public(url), "{url}");
    }
}
