//! What is read of one text agrees with `serde_json`, and its raw spans with what is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_assay_hostile::oracle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = oracle::text(bytes) {
        panic!("{error}");
    }
});
