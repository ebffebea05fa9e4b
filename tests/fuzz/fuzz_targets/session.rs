#![no_main]

use std::time::Instant;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tincan::rtmfp::testing::fuzzing::session(Instant::now(), bytes));
