//! Formats that JSON Schema does not know.

/// Whether a text is base64 as RFC 4648 section 4 has it: its alphabet, padded, no line breaks.
///
/// Bits that the padding leaves over may be anything: the RFC lets a decoder take them.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::is_base64;

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
