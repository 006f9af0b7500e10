//! Formats that JSON Schema does not know: `byte` and `extension-id`.

/// Whether a text is base64 as RFC 4648 section 4 has it: its alphabet, padded, no line breaks.
///
/// Bits that the padding leaves over may be anything: the RFC lets a decoder take them.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit)
}

/// Whether a text names an extension: a key of `_meta` with its prefix, labels joined by dots, then a slash and a name, which may be empty.
pub(super) fn is_extension_id(text: &str) -> bool {
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
    text.split_once('/')
        .is_some_and(|(prefix, name)| prefix.split('.').all(is_label) && is_name(name))
}

#[cfg(test)]
mod tests {
    use super::{is_base64, is_extension_id};

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
}
