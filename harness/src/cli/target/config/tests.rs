use super::{Server, plain, read};
use crate::cli::Failure;
use mcp_assay_model::protocol::Binding;
use proptest::prelude::*;

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("s3cret".to_owned()),
        "HOME" => Some("/home/me".to_owned()),
        _ => None,
    }
}

fn of(text: &str, name: Option<&str>) -> Result<Server, Failure> {
    read("mcp.json", text, name, &environment)
}

fn only(entry: &str) -> Result<Server, Failure> {
    of(
        &format!(r#"{{ "mcpServers": {{ "mine": {entry} }} }}"#),
        None,
    )
}

fn server(entry: &str) -> Server {
    only(entry).unwrap_or_else(|failure| panic!("{entry}: {failure}"))
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_command_is_read_with_all_that_belongs_to_it() {
    let expected = Server {
        name: "mine".to_owned(),
        command: words(&["npx", "-y", "server", "--key=s3cret", "/home/me"]),
        env: vec![pair("KEY", "s3cret"), pair("MODE", "x")],
        cwd: Some("/home/me/src".to_owned()),
        // A path is no secret, a token in an argument is one.
        secrets: words(&["s3cret", "x", "s3cret", "s3cret"]),
        ..Server::default()
    };
    let told = server(
        r#"{ "type": "stdio", "command": "npx", "args": ["-y", "server", "--key=${TOKEN}", "${env:HOME}"],
             "env": { "KEY": "${TOKEN}", "MODE": "${MODE:-x}" }, "cwd": "${HOME}/src", "disabled": false, "autoApprove": [] }"#,
    );
    assert_eq!(told, expected);
}

#[test]
fn an_address_is_read_in_each_way_to_name_its_binding() {
    for (kind, binding) in [
        ("", None),
        (r#""type": "http","#, Some(Binding::Http)),
        (r#""type": "streamable-http","#, Some(Binding::Http)),
        (r#""type": "streamableHttp","#, Some(Binding::Http)),
        (r#""type": "sse","#, Some(Binding::HttpSse)),
    ] {
        let told = server(&format!(
            r#"{{ {kind} "url": "https://h/mcp?key=${{TOKEN}}", "headers": {{ "Authorization": "Bearer ${{env:TOKEN}}" }} }}"#
        ));
        let expected = Server {
            name: "mine".to_owned(),
            url: Some("https://h/mcp?key=s3cret".to_owned()),
            headers: vec![pair("Authorization", "Bearer s3cret")],
            binding,
            secrets: words(&["Bearer s3cret", "s3cret", "s3cret"]),
            ..Server::default()
        };
        assert_eq!(told, expected, "{kind}");
    }
}

#[test]
fn members_that_are_null_are_absent() {
    let told = server(r#"{ "command": "x", "args": null, "env": null, "cwd": null, "url": null }"#);
    assert_eq!(told.command, ["x"]);
}

#[test]
fn the_shape_of_vs_code_is_read_with_its_comments() {
    let text = "\u{feff}{\n  // the servers\n  \"inputs\": [],\n  \"servers\": {\n    /* one, \"two\" */ \"a\": { \"command\": \"x\", \"args\": [\"//no\", \"/*no*/\", \"a\\\"//b\",], },\n  },\n}\n";
    let told = of(text, Some("a")).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(told.command, ["x", "//no", "/*no*/", "a\"//b"]);
}

#[test]
fn one_of_several_must_be_named() {
    let several =
        r#"{ "mcpServers": { "files": { "command": "a" }, "search": { "command": "b" } } }"#;
    assert_eq!(
        of(several, Some("search")).map(|told| told.command).ok(),
        Some(words(&["b"]))
    );
    for (text, name, said, hint) in [
        (
            several,
            None,
            "`mcp.json` has several servers; name one with --server",
            "it has: files, search",
        ),
        (
            several,
            Some("serch"),
            "no server `serch` in `mcp.json`",
            "did you mean `search`?",
        ),
        (
            several,
            Some("x"),
            "no server `x` in `mcp.json`",
            "it has: files, search",
        ),
    ] {
        let failure = of(text, name).expect_err("not one");
        assert_eq!(failure.message, said);
        assert_eq!(failure.hint.as_deref(), Some(hint));
    }
    let none = of(r#"{ "mcpServers": {} }"#, None).expect_err("not one");
    assert_eq!(none.message, "no server in `mcp.json`");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (entry, said) in [
        (
            "1",
            "server `mine` of `mcp.json` must be an object, not a number",
        ),
        ("{}", "has neither `command` nor `url`"),
        (
            r#"{ "command": "x", "url": "http://h" }"#,
            "has both `command` and `url`",
        ),
        (r#"{ "command": "" }"#, "has an empty `command`"),
        (
            r#"{ "command": ["x"] }"#,
            "has a `command` that must be a string, not an array",
        ),
        (
            r#"{ "command": "x", "args": "y" }"#,
            "has an `args` that must be an array, not a string",
        ),
        (
            r#"{ "command": "x", "args": ["y", 1] }"#,
            "has a `args[1]` that must be a string, not a number",
        ),
        (
            r#"{ "command": "x", "env": [] }"#,
            "has a `env` that must be an object, not an array",
        ),
        (
            r#"{ "command": "x", "env": { "PORT": 1 } }"#,
            "has a `env.PORT` that must be a string, not a number",
        ),
        (
            r#"{ "command": "x", "type": "http" }"#,
            "has a `command`, and a `type` that needs a `url`",
        ),
        (
            r#"{ "url": "http://h", "type": "stdio" }"#,
            "has a `url`, and the `type` of a `command`",
        ),
        (
            r#"{ "url": "http://h", "type": "websocket" }"#,
            "has the unknown type \"websocket\"",
        ),
        (
            r#"{ "url": "http://h", "type": 1 }"#,
            "has the unknown type 1",
        ),
        (
            r#"{ "command": "x", "args": ["${NONE}"] }"#,
            "server `mine` of `mcp.json`, `args[0]`: variable `NONE` is not set",
        ),
        (
            r#"{ "url": "http://h", "headers": { "A": "s3cret ${x" } }"#,
            "server `mine` of `mcp.json`, `headers.A`: a broken variable",
        ),
        (
            r#"{ "url": "http://h", "headers": { "A": "${input:pat}" } }"#,
            "`${input:pat}` is asked for by an editor, and there is none here",
        ),
    ] {
        let failure = only(entry).expect_err(entry);
        assert!(failure.message.contains(said), "{}", failure.message);
        assert!(!failure.to_string().contains("s3cret"), "{failure}");
    }
    let typo = only(r#"{ "url": "http://h", "type": "htp" }"#).expect_err("a typing error");
    assert_eq!(typo.hint.as_deref(), Some("did you mean `http`?"));
}

#[test]
fn a_file_that_is_no_configuration_is_told() {
    for (text, said) in [
        (
            "{\n  \"mcpServers\": {\n    \"a\" 1\n",
            "the configuration `mcp.json` is no JSON: expected `:` at line 3 column 9",
        ),
        (
            "",
            "is no JSON: EOF while parsing a value at line 1 column 0",
        ),
        (
            "// c\n{ /* d\n*/ x }",
            "is no JSON: key must be a string at line 3 column 4",
        ),
        ("[]", "has no object `mcpServers`"),
        ("{ \"mcpServers\": [] }", "has no object `mcpServers`"),
    ] {
        let failure = of(text, None).expect_err(text);
        assert!(failure.message.contains(said), "{}", failure.message);
    }
}

proptest! {
    #[test]
    fn json_stays_what_it_is(text in r#"[\[\]{}",:/* \n\\a1é]{0,40}"#) {
        if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&plain(&text)).ok(), Some(value));
        }
        prop_assert_eq!(plain(&text).lines().count(), text.lines().count());
        prop_assert_eq!(plain(&text).chars().count(), text.chars().count());
    }
}
