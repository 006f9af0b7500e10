//! Heads of HTTP messages: the generators keep their word, and the oracles hold for what they make and for any other bytes.

use bytes::Bytes;
use mcp_assay_hostile::heads::{self, Written};
use mcp_assay_hostile::oracle;
use mcp_assay_wire::http::Head;
use proptest::prelude::*;

fn held(result: Result<(), String>) -> Result<(), TestCaseError> {
    result.map_err(TestCaseError::fail)
}

/// What is read of a head is what was written.
fn is_read(written: Written) -> Result<(), TestCaseError> {
    let head = Head::parse(Bytes::from(written.bytes.clone()));
    prop_assert_eq!(&head.start, &written.start);
    let fields = head.fields.iter();
    let fields: Vec<_> = fields.map(|f| (f.name.clone(), f.value.to_vec())).collect();
    prop_assert_eq!(fields, written.fields);
    prop_assert!(head.is_complete());
    held(oracle::http_head(&written.bytes))
}

/// Parts of heads in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(
        &[
            "\n",
            "\r",
            "\r\n",
            "\r\n",
            "\r\n\r\n",
            ":",
            ": ",
            " ",
            "\t",
            ";",
            "=",
            "\"",
            "\\",
            ",",
            "HTTP/1.1 200 OK",
            "HTTP/1.1 ",
            "POST /mcp HTTP/1.1",
            "Content-Type",
            "text/event-stream",
            "charset=utf-8",
            "x",
            "é",
            "\0",
            "=?base64?",
            "YQ==",
            "YR",
            "?=",
        ][..],
    );
    let token = prop_oneof![
        12 => token.prop_map(|token| token.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn a_lawful_head_is_read_as_it_is_written(written in heads::lawful()) {
        is_read(written)?;
    }

    #[test]
    fn lines_that_are_no_field_change_no_other(written in heads::broken()) {
        is_read(written)?;
    }

    #[test]
    fn a_head_that_broke_off_is_no_complete_one(written in heads::lawful(), at: prop::sample::Index) {
        let cut = &written.bytes[..at.index(written.bytes.len())];
        prop_assert!(!Head::parse(Bytes::copy_from_slice(cut)).is_complete());
        held(oracle::http_head(cut))?;
    }

    #[test]
    fn the_oracles_hold_for_any_bytes(bytes: Vec<u8>) {
        held(oracle::http_head(&bytes))?;
    }

    #[test]
    fn the_oracles_hold_for_a_soup_of_parts(bytes in soup()) {
        held(oracle::http_head(&bytes))?;
    }

    #[test]
    fn the_oracles_hold_for_values(value in "(=\\?base64\\?)?[A-Za-z0-9+/ \\té=]{0,8}(\\?=)?", bytes: Vec<u8>) {
        held(oracle::header_values(value.as_bytes()))?;
        held(oracle::header_values(&bytes))?;
    }
}
