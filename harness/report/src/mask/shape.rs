//! Secrets by their shape: `Bearer …`, `user:pass@`, `?api_key=…`, `--token …`, `"password": "…"`, and the well-known prefixes.
//!
//! Erring has two costs here. A secret that slips through is published; evidence that is blanked helps nobody. So names and
//! places decide, not the look of a word alone.

use super::MASKED;

/// Names whose values are secret, without their dashes and underscores; a name may begin with anything.
const NAMES: [&str; 15] = [
    "accesskey",
    "apikey",
    "authkey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "token",
];
/// Names that end like a secret and are part of the protocol, or of paging.
const HARMLESS: [&str; 5] = [
    "progresstoken",
    "pagetoken",
    "nexttoken",
    "continuationtoken",
    "synctoken",
];
/// Names that are secret in the query of a URL only.
const QUERY_NAMES: [&str; 4] = ["key", "sig", "signature", "auth"];
/// Names that are headers: `NAME: VALUE` holds a secret also without quotes around it.
const HEADERS: [&str; 8] = [
    "authorization",
    "proxyauthorization",
    "cookie",
    "setcookie",
    "apikey",
    "xapikey",
    "xauthtoken",
    "xaccesstoken",
];
/// Beginnings of tokens that their issuers made recognisable on purpose.
const PREFIXES: [&str; 27] = [
    "AIza",
    "AKIA",
    "ASIA",
    "SG.",
    "dop_v1_",
    "eyJ",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "hf_",
    "npm_",
    "pypi-",
    "rk_live_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "ya29.",
];
/// Shortest token that is recognised by its prefix.
const PREFIXED: usize = 20;

/// Whether a name says that its value is secret: `X-Api-Key`, `--client-secret`, `GITHUB_TOKEN`.
pub(super) fn is_sensitive(name: &str) -> bool {
    let bare = bare(name);
    NAMES.iter().any(|end| bare.ends_with(end)) && !HARMLESS.iter().any(|end| bare.ends_with(end))
}

/// Whether a word is an HTTP authentication scheme.
pub(super) fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic")
}

fn bare(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The text with everything masked that has the shape of a secret.
pub(super) fn mask_shapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if !is_word(c) {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = match secret_after(word, after, &out) {
            Some(secret) => {
                out.push_str(word);
                out.push_str(&after[..secret.from]);
                out.push_str(MASKED);
                &after[secret.to..]
            }
            None => {
                out.push_str(if is_prefixed(word) { MASKED } else { word });
                after
            }
        };
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// Where a secret lies behind a word, in bytes of what follows the word.
struct Span {
    from: usize,
    to: usize,
}

fn secret_after(word: &str, after: &str, before: &str) -> Option<Span> {
    if after.starts_with("://") {
        return userinfo(after);
    }
    if is_scheme(word) {
        return credentials(after);
    }
    // What stands behind the word is looked at first: it is cheap, and rules most words out.
    let is_flag = word.starts_with("--") && after.starts_with(' ');
    // A name in quotes is a member of JSON that stands within text; its own quotes may be escaped.
    let closed = after.trim_start_matches(['"', '\'', '\\']);
    let sign = closed.trim_start_matches(' ');
    if !is_flag && !sign.starts_with(['=', ':']) {
        return None;
    }
    let in_query = || before.ends_with(['?', '&']) && QUERY_NAMES.contains(&bare(word).as_str());
    if !is_sensitive(word) && !in_query() {
        return None;
    }
    if is_flag {
        return value(after, 1).filter(|span| !after[span.from..].starts_with('-'));
    }
    // Without quotes `token: …` is prose as often as not; `Authorization: …` is a header.
    let is_name = closed.len() < after.len() || HEADERS.contains(&bare(word).as_str());
    if sign.starts_with(':') && !is_name {
        return None;
    }
    value(after, after.len() - sign.len() + 1)
}

/// The value that begins behind spaces and an opening quote, up to what can end it.
fn value(after: &str, start: usize) -> Option<Span> {
    let opened = after[start..].trim_start_matches(' ');
    let bare = opened.trim_start_matches(['"', '\'', '\\']);
    let quoted = bare.len() < opened.len();
    let from = after.len() - bare.len();
    let ends = |c: char| match quoted {
        true => matches!(c, '"' | '\'' | '\\' | '\n'),
        false => {
            c.is_whitespace()
                || matches!(
                    c,
                    '"' | '\'' | '\\' | '&' | ';' | ',' | ')' | ']' | '}' | '<'
                )
        }
    };
    let length = bare.find(ends).unwrap_or(bare.len());
    let text = &bare[..length];
    if let Some((scheme, _)) = bare.split_once(' ')
        && is_scheme(scheme)
    {
        let inner = credentials(&bare[scheme.len()..])?;
        let shift = from + scheme.len();
        return Some(Span {
            from: shift + inner.from,
            to: shift + inner.to,
        });
    }
    (!text.is_empty() && text != MASKED).then_some(Span {
        from,
        to: from + length,
    })
}

/// `user:pass` of `://user:pass@host`.
fn userinfo(after: &str) -> Option<Span> {
    let authority = &after[3..];
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\' | ',')
    };
    let length = authority.find(ends).unwrap_or(authority.len());
    let at = authority[..length].rfind('@')?;
    (at > 0 && &authority[..at] != MASKED).then_some(Span {
        from: 3,
        to: 3 + at,
    })
}

/// The credentials behind a scheme; `Bearer realm="…"` and 'basic authentication' have none.
fn credentials(after: &str) -> Option<Span> {
    let token = after.trim_start_matches(' ');
    let from = after.len() - token.len();
    let part = |c: char| is_word(c) || matches!(c, '~' | '+' | '/');
    let bare = token.find(|c| !part(c)).unwrap_or(token.len());
    let rest = token[bare..].trim_start_matches('=');
    let length = token.len() - rest.len();
    let is_prose = token[..bare].chars().all(|c| c.is_ascii_lowercase()) && bare < 24;
    // Signs of equality end credentials; where a value follows them, what stands before is the name of a parameter.
    let value = rest.trim_start_matches(['"', '\'', '\\']);
    let is_parameter = length > bare && value.starts_with(|c: char| is_word(c) || c == '*');
    (from > 0 && bare >= 6 && !is_prose && !is_parameter).then_some(Span {
        from,
        to: from + length,
    })
}

/// Whether a word is a token by its beginning; names that begin alike have no digits behind it, or are short.
fn is_prefixed(word: &str) -> bool {
    word.len() >= PREFIXED
        && PREFIXES.iter().any(|prefix| {
            word.strip_prefix(prefix)
                .is_some_and(|rest| rest.bytes().any(|byte| byte.is_ascii_digit()))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shapes_of_secrets_are_masked() {
        let table = [
            (
                "Authorization: Bearer abc.DEF-123",
                "Authorization: Bearer ***",
            ),
            ("sent bearer 0123456789", "sent bearer ***"),
            (r#"{"a":"Bearer abcDEF1=="}"#, r#"{"a":"Bearer ***"}"#),
            (
                "Authorization: Basic dXNlcjpwYXNz",
                "Authorization: Basic ***",
            ),
            ("X-Api-Key: zzz", "X-Api-Key: ***"),
            (
                "https://u:p@h:1/x?a=1&api_key=zzz&b=2",
                "https://***@h:1/x?a=1&api_key=***&b=2",
            ),
            ("http://h/?key=zzz#top", "http://h/?key=***"),
            ("GITHUB_TOKEN=zzz node x", "GITHUB_TOKEN=*** node x"),
            ("x --client-secret zzz --on", "x --client-secret *** --on"),
            ("x --token 'z z' y", "x --token '***' y"),
            (
                r#"{"password": "z z", "a": 1}"#,
                r#"{"password": "***", "a": 1}"#,
            ),
            (
                r#"{\"token\":\"zzz\",\"a\":1}"#,
                r#"{\"token\":\"***\",\"a\":1}"#,
            ),
            ("ghp_0123456789abcdef0123", "***"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "***"),
        ];
        for (text, masked) in table {
            let got = mask_shapes(text);
            // A fragment may follow a value unmasked or go with it; both keep the secret.
            assert!(
                got == masked || got == format!("{masked}#top"),
                "{text} became {got}"
            );
        }
    }

    #[test]
    fn evidence_is_left_alone() {
        for text in [
            "Unexpected token: } in JSON at position 4",
            r#"{"progressToken":"abc","nextCursor":"abc","_meta":{"progressToken":7}}"#,
            "WWW-Authenticate: Bearer realm=\"mcp\"",
            "WWW-Authenticate: Bearer resource_metadata=\"https://h/.well-known/x1\"",
            "basic authentication is required",
            "the token is missing",
            "password: Required",
            "npm_config_user_agent is set",
            "https://modelcontextprotocol.io/specification/2025-11-25/basic#responses",
            "mcp-assay run --only 'a/b@2025-11-25+stdio#id=0' --seed 1 -- node dist/index.js",
            "max_tokens=100 and a@b.c",
        ] {
            assert_eq!(mask_shapes(text), text);
        }
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once(text in "([a-z]{0,3}|token|Bearer |=|: |://|@|\"|--|\\?|[A-Z0-9]{6,9}| ){0,14}") {
            let once = mask_shapes(&text);
            prop_assert_eq!(mask_shapes(&once), once);
        }
    }
}
