//! Signatures by themselves.
#![no_main]

use countersign_fuzz::{cms, mutate_cms};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|data: &[u8]| cms(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate_cms(data, size, max_size, seed, fuzzer_mutate)
});
