use crate::testing::{Talk, modern, watched};

fn said(asked: &str, code: &str) -> String {
    let error = format!(r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":{code},"message":"m"}}}}"#);
    let talk = Talk::modern().sent("q", asked).reply("q", &error);
    watched("errors", "codes", &talk)
}

#[test]
fn retired_and_undefined_codes_are_found() {
    let read = modern("1", "resources/read", "", r#""uri":"a:b","#);
    for (code, expected) in [
        ("-32002", "1 value #2 /error/code"),
        ("-32042", "1 value #2 /error/code"),
        ("-32023", "1 value #2 /error/code"),
        ("-32099", "1 value #2 /error/code"),
        ("-32020", "1"),
        ("-32021", "1"),
        ("-32022", "1"),
        ("-32602", "1"),
        ("-32001", "1"),
        ("-32100", "1"),
        ("7", "1"),
        (r#""-32002""#, "0"),
    ] {
        assert_eq!(said(&read, code), expected, "{code}");
    }
}

#[test]
fn a_request_that_a_legacy_server_may_answer_is_not_judged() {
    let bare = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:b"}}"#;
    assert_eq!(said(bare, "-32002"), "0");
    let other = modern("1", "resources/read", "", r#""uri":"a:b","#).replace("2026", "2031");
    assert_eq!(said(&other, "-32002"), "0");
    assert_eq!(said(&modern("1", "initialize", "", ""), "-32002"), "0");
}
