//! Formats that JSON Schema does not know.

mod timestamp;
mod trace;

use jsonschema::ValidationOptions;

/// The formats of our documents, asserted.
pub(super) fn with_all(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    options
        .with_format("baggage", trace::is_baggage)
        .with_format("byte", is_base64)
        .with_format("extension-id", is_extension_id)
        .with_format("file-uri", is_file_uri)
        .with_format("icon-uri", is_icon_uri)
        .with_format("media-type", is_media_type)
        .with_format("meta-key", is_meta_key)
        .with_format("revision", is_revision)
        .with_format("timestamp", timestamp::is_timestamp)
        .with_format("traceparent", is_traceparent)
        .with_format("tracestate", trace::is_tracestate)
}

/// What a text of a format is, as a fragment behind 'not'; `None` for a format that is not ours.
pub(super) fn described(format: &str) -> Option<&'static str> {
    Some(match format {
        "baggage" => "a `baggage` of W3C Baggage",
        "byte" => "base64 (RFC 4648 section 4)",
        "extension-id" => "an extension id with its prefix, as `com.example/name`",
        "file-uri" => "a file:// URI",
        "icon-uri" => "an http, https or data URI",
        "media-type" => "a MIME type, as `image/png`",
        "meta-key" => "a key of `_meta`: a name, or labels joined by dots, a slash and a name",
        "revision" => "a revision, as `2025-11-25`",
        "timestamp" => "an ISO 8601 time, as `2025-11-25T10:30:00Z`",
        "traceparent" => "a `traceparent` of W3C Trace Context",
        "tracestate" => "a `tracestate` of W3C Trace Context",
        _ => return None,
    })
}

/// Whether a text is base64 as RFC 4648 section 4 has it: its alphabet, padded, no line breaks.
///
/// Bits that the padding leaves over may be anything: the RFC lets a decoder take them.
fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit)
}

/// Whether a text names an extension: a key of `_meta` with its prefix.
fn is_extension_id(text: &str) -> bool {
    text.contains('/') && is_meta_key(text)
}

/// Whether a text is a key of `_meta`: a name, which may be empty; before it maybe labels joined by dots, and a slash.
fn is_meta_key(text: &str) -> bool {
    let is_alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_alphabetic())
            && label.ends_with(|last: char| last.is_ascii_alphanumeric())
            && is_alphanumeric(&label.replace('-', ""))
    };
    let is_name = |name: &str| {
        let ends = |end: Option<char>| end.is_none_or(|end| end.is_ascii_alphanumeric());
        ends(name.chars().next())
            && ends(name.chars().next_back())
            && is_alphanumeric(&name.replace(['-', '_', '.'], ""))
    };
    match text.split_once('/') {
        None => is_name(text),
        Some((prefix, name)) => prefix.split('.').all(is_label) && is_name(name),
    }
}

/// Whether a URI has the scheme `file`, with an authority, which may be empty.
fn is_file_uri(text: &str) -> bool {
    text.get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("file://"))
}

/// Whether a URI has a scheme that clients may take an icon from.
fn is_icon_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        ["http", "https", "data"].contains(&scheme.to_ascii_lowercase().as_str())
    })
}

/// Whether a text is a MIME type: type, slash, subtype, both tokens of RFC 9110; what follows a semicolon is not looked at.
pub(crate) fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_tchar);
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

/// Whether a byte may stand in a token of HTTP (RFC 9110 section 5.6.2).
pub(super) fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a text names a revision: a date as it is written, or a draft, which servers speak before it has one.
fn is_revision(text: &str) -> bool {
    let is_date = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    is_date
        || text
            .get(..5)
            .is_some_and(|start| start.eq_ignore_ascii_case("draft"))
}

/// Whether a text is a `traceparent`: version, trace, parent, flags in lower hexadecimal; trace and parent are not all zero, and a later
/// version may say more.
fn is_traceparent(text: &str) -> bool {
    let mut fields = text.split('-');
    let mut field = |length: usize| {
        fields.next().filter(|field| {
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            field.len() == length && field.bytes().all(is_hex)
        })
    };
    let (version, trace, parent, flags) = (field(2), field(32), field(16), field(2));
    let is_something = |id: Option<&str>| id.is_some_and(|id| id.bytes().any(|byte| byte != b'0'));
    let may_say_more = version != Some("00") && version.is_some();
    version.is_some_and(|version| version != "ff")
        && is_something(trace)
        && is_something(parent)
        && flags.is_some()
        && (may_say_more || fields.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extension_id_has_a_prefix_of_labels_and_a_name() {
        for id in [
            "io.modelcontextprotocol/ui",
            "example/a-b_c.d",
            "com.x-1/",
            "a/0",
        ] {
            assert!(is_extension_id(id), "{id:?}");
        }
        for id in [
            "", "ui", "/ui", ".a/b", "a..b/c", "1a/b", "a-/b", "a_b/c", "a/b/c", "a/-b", "a/b.",
            "a/é", "a /b",
        ] {
            assert!(!is_extension_id(id), "{id:?}");
        }
    }

    #[test]
    fn base64_is_the_padded_standard_alphabet() {
        for text in ["", "eA==", "eHg=", "eHh4", "+/+/", "eB=="] {
            assert!(is_base64(text), "{text:?}");
        }
        for text in [
            "e",
            "eA",
            "eA=",
            "=",
            "====",
            "e===",
            "eA==eA==",
            "eHh4\n",
            "-_-_",
            "é===",
            "not base64!!",
        ] {
            assert!(!is_base64(text), "{text:?}");
        }
    }

    #[test]
    fn a_key_of_meta_may_have_a_prefix_and_a_name() {
        for key in [
            "",
            "a",
            "progressToken",
            "a-b_c.d",
            "com.example/",
            "com.example/a.b",
            "9",
        ] {
            assert!(is_meta_key(key), "{key:?}");
        }
        for key in [
            "/a",
            "/bad//key!",
            "_fastmcp",
            "a.",
            "1.b/c",
            "a b",
            "com_x/a",
            "ä",
        ] {
            assert!(!is_meta_key(key), "{key:?}");
        }
    }

    #[test]
    fn schemes_are_told_in_any_case() {
        for uri in ["file:///a", "FILE://host/a"] {
            assert!(is_file_uri(uri), "{uri}");
        }
        for uri in ["file:/a", "http://file://", "files:///", "é:///////", ""] {
            assert!(!is_file_uri(uri), "{uri}");
        }
        for uri in ["https://a/b.png", "HTTP://a", "data:image/png;base64,eA=="] {
            assert!(is_icon_uri(uri), "{uri}");
        }
        for uri in ["javascript:alert(1)", "file:///a", "https", "ws://a"] {
            assert!(!is_icon_uri(uri), "{uri}");
        }
    }

    #[test]
    fn a_mime_type_has_a_slash_between_tokens() {
        for text in [
            "image/png",
            "image/svg+xml",
            "audio/wav; rate=8000",
            "x/y",
            "application/vnd.a.b+json;v=1",
        ] {
            assert!(is_media_type(text), "{text:?}");
        }
        for text in [
            "banana",
            "",
            "/",
            "image/",
            "/png",
            "image/p ng",
            "image/png/x",
            "ä/b",
        ] {
            assert!(!is_media_type(text), "{text:?}");
        }
    }

    #[test]
    fn a_revision_is_a_date_or_a_draft() {
        for text in ["2024-11-05", "2099-12-31", "DRAFT-2026-v1", "draft"] {
            assert!(is_revision(text), "{text:?}");
        }
        for text in [
            "banana",
            "",
            "1.0.0",
            "2025-6-18",
            "2025-06-18 ",
            "20250618xx",
            "éé-aa-bb",
        ] {
            assert!(!is_revision(text), "{text:?}");
        }
    }

    #[test]
    fn a_traceparent_has_four_fields_of_lower_hexadecimal() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01";
        assert!(is_traceparent(trace));
        assert!(is_traceparent(&format!(
            "cc{}-what-comes-later",
            &trace[2..]
        )));
        for broken in [
            "",
            "00",
            &trace[..54],
            &trace.to_uppercase(),
            &format!("{trace}-more"),
            &format!("ff{}", &trace[2..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        ] {
            assert!(!is_traceparent(broken), "{broken:?}");
        }
    }
}
