//! A head has the fields that a naive reader finds, written again it reads the same, and its values survive their encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_assay_hostile::oracle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = oracle::http_head(bytes) {
        panic!("{error}");
    }
});
