//! A stream of bytes gives the same events however it is cut, in their places, and with the meaning that the standard gives them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_assay_hostile::oracle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = oracle::sse_events(bytes) {
        panic!("{error}");
    }
});
