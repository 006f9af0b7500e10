use super::{address, header, is_address, shareable};

fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("t0ken-t0ken".to_owned()),
        "USER" => Some("me".to_owned()),
        "BREAK" => Some("a\r\nX: y".to_owned()),
        _ => None,
    }
}

#[test]
fn addresses_are_told_from_names() {
    for (word, expected) in [
        ("http://h", true),
        ("HTTPS://h", true),
        ("http:/h", false),
        ("mine", false),
        ("httpd", false),
    ] {
        assert_eq!(is_address(word), expected, "{word}");
    }
}

#[test]
fn what_is_secret_in_an_address_is_known_and_not_shown_again() {
    for (typed, again, secrets) in [
        (
            "http://localhost:3000/mcp",
            "http://localhost:3000/mcp",
            &[][..],
        ),
        ("http://h/a?page=2&x", "http://h/a?page=2&x", &[]),
        (
            "http://u:p%40ss@h/",
            "http://${USERINFO}@h/",
            &["p%40ss", "p@ss", "dTpwQHNz"],
        ),
        ("http://t0k@h", "http://${USERINFO}@h", &["t0k", "dDBrOg=="]),
        (
            "https://h/mcp?api_key=abc&x=1",
            "https://h/mcp?api_key=${API_KEY}&x=1",
            &["abc"],
        ),
        (
            "https://h/mcp?api_key=a%20b#f",
            "https://h/mcp?api_key=${API_KEY}#f",
            &["a%20b", "a b"],
        ),
        (
            "https://h/?s=0123456789abcdef0123",
            "https://h/?s=${S}",
            &["0123456789abcdef0123"],
        ),
        (
            "https://${USER}:${TOKEN}@h/?key=${TOKEN}",
            "https://${USER}:${TOKEN}@h/?key=${TOKEN}",
            &["t0ken-t0ken", "me"],
        ),
    ] {
        let told = address(typed, &environment).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(told.again, again, "{typed}");
        for secret in secrets {
            assert!(
                told.secrets.iter().any(|known| known == secret),
                "{typed}: {secret}: {:?}",
                told.secrets
            );
        }
        assert!(
            !secrets.is_empty() || told.secrets.is_empty(),
            "{typed}: {:?}",
            told.secrets
        );
    }
}

#[test]
fn what_can_be_shared_can_be_shared_again() {
    for typed in [
        "http://u:p@h/x?token=a&y=1#z",
        "http://h?key=1",
        "http://a@b@h",
    ] {
        let once = shareable(typed);
        assert_eq!(shareable(&once), once);
    }
}

#[test]
fn a_broken_address_is_told_without_its_secrets() {
    for (typed, said) in [
        ("http://", "no host"),
        ("http://u:s3cret@h:99999/", "port"),
        ("http://${NONE}/", "variable `NONE` is not set"),
        ("http://u:s3cret@${h/", "a broken variable"),
    ] {
        let failure = address(typed, &environment)
            .expect_err("no address")
            .to_string();
        assert!(failure.contains(said), "{failure}");
        assert!(!failure.contains("s3cret"), "{failure}");
    }
}

#[test]
fn a_header_keeps_its_variables_and_loses_its_value() {
    for (typed, name, value, again) in [
        (
            "Authorization: Bearer ${TOKEN}",
            "Authorization",
            "Bearer t0ken-t0ken",
            "Authorization: Bearer ${TOKEN}",
        ),
        (
            "Authorization:Bearer abc",
            "Authorization",
            "Bearer abc",
            "Authorization: ${AUTHORIZATION}",
        ),
        (
            "X-Api-Key: ${TOKEN}",
            "X-Api-Key",
            "t0ken-t0ken",
            "X-Api-Key: ${TOKEN}",
        ),
        (
            "X-Api-Key: s3:${TOKEN}",
            "X-Api-Key",
            "s3:t0ken-t0ken",
            "X-Api-Key: ${X_API_KEY}",
        ),
        ("X-A: ${NONE:-s3cret}", "X-A", "s3cret", "X-A: ${X_A}"),
        (
            "X-Url: http://a:b/c",
            "X-Url",
            "http://a:b/c",
            "X-Url: ${X_URL}",
        ),
        ("X-Empty:", "X-Empty", "", "X-Empty: ${X_EMPTY}"),
    ] {
        let told = header(typed, &environment).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!(told.value, (name.to_owned(), value.to_owned()), "{typed}");
        assert_eq!(told.again, again);
        assert!(told.secrets.contains(&value.to_owned()));
    }
}

#[test]
fn a_broken_header_is_told_without_its_value() {
    for (typed, said) in [
        ("s3cret", "without a colon"),
        (": s3cret", "whose name"),
        ("X Y: s3cret", "whose name"),
        (
            "X: s3cret ${NONE}",
            "--header `X`: variable `NONE` is not set",
        ),
        ("X: s3cret ${", "--header `X`: a broken variable"),
        ("X: ${BREAK}", "holds a line end"),
    ] {
        let failure = header(typed, &environment)
            .expect_err("no header")
            .to_string();
        assert!(failure.contains(said), "{failure}");
        assert!(!failure.contains("s3cret"), "{failure}");
    }
}
