//! A schema that a target offers, and a value: an answer comes, and a verdict is one that a plain validator gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_assay_hostile::oracle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = oracle::offered_schema(bytes) {
        panic!("{error}");
    }
});
