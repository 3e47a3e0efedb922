//! Its body is in `src/lib.rs`, under the same name.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| logkv_fuzz::run("tail", input));
