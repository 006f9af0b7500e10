//! A stream of bytes gives the same frames however it is cut, and they put together give the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcp_assay_hostile::oracle;

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = oracle::stdio_frames(bytes) {
        panic!("{error}");
    }
});
