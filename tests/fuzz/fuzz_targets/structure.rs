//! The gate on zips that are almost right.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| countersign_fuzz::structure(data));
