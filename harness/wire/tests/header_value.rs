//! What may stand in a header field, and each rule of the Base64 form.

use mcp_assay_wire::header_value::{
    Malformed, decode, encode, encode_always, is_encoded, is_field_name, is_field_value,
    is_visible_ascii, must_encode,
};
use proptest::prelude::*;
use std::borrow::Cow;

#[test]
fn each_byte_is_judged_by_its_class() {
    for byte in 0..=u8::MAX {
        let is_visible = (0x21..=0x7e).contains(&byte);
        assert_eq!(is_visible_ascii(&[b'a', byte]), is_visible, "{byte:#x}");
        let is_inner = is_visible || byte == b' ' || byte == b'\t' || byte >= 0x80;
        assert_eq!(is_field_value(&[b'a', byte, b'a']), is_inner, "{byte:#x}");
        let is_outer = is_visible || byte >= 0x80;
        assert_eq!(is_field_value(&[b'a', byte]), is_outer, "{byte:#x}");
        assert_eq!(is_field_value(&[byte, b'a']), is_outer, "{byte:#x}");
        let is_token = is_visible && !br#""(),/:;<=>?@[\]{}"#.contains(&byte);
        assert_eq!(is_field_name(&[b'a', byte]), is_token, "{byte:#x}");
    }
    assert!(is_visible_ascii(b"") && is_field_value(b"") && !is_field_name(b""));
}

#[test]
fn plain_values_go_as_they_are() {
    for value in [
        "us-west1",
        "",
        "a b\tc",
        "42",
        "true",
        "file:///a%20b",
        "=?base64?",
        "=?base64?YQ==",
        "YQ==?=",
        "=?BASE64?YQ==?=",
        "=?Base64?YQ==?=",
        "x=?base64?YQ==?=",
    ] {
        assert!(!must_encode(value), "{value:?}");
        assert_eq!(encode(value), Cow::Borrowed(value));
        assert_eq!(decode(value.as_bytes()).as_deref(), Ok(value));
    }
}

#[test]
fn what_cannot_stand_there_is_encoded() {
    for (value, encoded) in [
        ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
        (" padded ", "=?base64?IHBhZGRlZCA=?="),
        ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
        ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ("=?base64??=", "=?base64?PT9iYXNlNjQ/Pz0=?="),
        // It starts and ends like the form, though both share a character.
        ("=?base64?=", "=?base64?PT9iYXNlNjQ/PQ==?="),
        (" a", "=?base64?IGE=?="),
        ("a\t", "=?base64?YQk=?="),
        (" ", "=?base64?IA==?="),
        ("a\r", "=?base64?YQ0=?="),
        ("\0", "=?base64?AA==?="),
        ("\u{7f}", "=?base64?fw==?="),
        ("é", "=?base64?w6k=?="),
        ("\u{10ffff}", "=?base64?9I+/vw==?="),
    ] {
        assert!(must_encode(value), "{value:?}");
        assert_eq!(encode(value), encoded, "{value:?}");
        assert!(is_encoded(encoded.as_bytes()) && is_field_value(encoded.as_bytes()));
        assert_eq!(decode(encoded.as_bytes()).as_deref(), Ok(value));
    }
}

#[test]
fn a_value_that_needs_it_not_decodes_alike_when_encoded() {
    assert_eq!(encode_always("us-west1"), "=?base64?dXMtd2VzdDE=?=");
    assert_eq!(
        decode(b"=?base64?dXMtd2VzdDE=?=").as_deref(),
        Ok("us-west1")
    );
    assert_eq!(encode_always(""), "=?base64??=");
    assert_eq!(decode(b"=?base64??=").as_deref(), Ok(""));
    // Encoded twice is decoded once.
    let twice = encode_always(&encode_always("a"));
    assert_eq!(decode(twice.as_bytes()).as_deref(), Ok("=?base64?YQ==?="));
}

#[test]
fn what_is_malformed_says_why() {
    for (value, expected) in [
        (&b"caf\xc3\xa9"[..], Malformed::Character(3)),
        (b"a\nb", Malformed::Character(1)),
        (b"\x7f", Malformed::Character(0)),
        (b" a", Malformed::SpaceAround),
        (b"a\t", Malformed::SpaceAround),
        (b" =?base64?YQ==?=", Malformed::SpaceAround),
        (b"=?base64?=", Malformed::Overlap),
        (b"=?base64?/w==?=", Malformed::Utf8(0)),
        (b"=?base64?Yf8=?=", Malformed::Utf8(1)),
        (b"=?base64?7aCA?=", Malformed::Utf8(0)),
    ] {
        assert_eq!(decode(value), Err(expected), "{}", value.escape_ascii());
    }
    // No padding, too much of it, stray bits, the other alphabet, space within, no Base64 at all.
    for content in [
        "YQ", "YQ=", "YQ===", "YQ==YQ==", "Y", "YR==", "8J-YgA==", "8J_YgA==", "YW Jj", "YQ== ",
        "!", "=", "literal", "é",
    ] {
        let value = format!("=?base64?{content}?=");
        let error = decode(value.as_bytes()).expect_err(content);
        assert!(matches!(error, Malformed::Base64(_)), "{content}: {error}");
        assert!(error.to_string().starts_with("no Base64: "), "{error}");
    }
}

proptest! {
    #[test]
    fn encode_then_decode_is_identity(value in prop_oneof![any::<String>(), "[ -~\t]{0,16}", "(=\\?base64\\?)?[a-zA-Z=?]{0,6}(\\?=)?"]) {
        for encoded in [encode(&value).into_owned(), encode_always(&value)] {
            prop_assert!(is_field_value(encoded.as_bytes()) && encoded.is_ascii());
            let decoded = decode(encoded.as_bytes());
            prop_assert_eq!(decoded.as_deref(), Ok(value.as_str()));
        }
    }

    #[test]
    fn what_decodes_as_it_is_needs_no_encoding(value: Vec<u8>) {
        if let Ok(decoded) = decode(&value) && !is_encoded(&value) {
            prop_assert!(!must_encode(&decoded));
        }
    }
}
